//! Where values stand on an axis: evenly, or by their logarithm with a place of its own for what never happened.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::Ranged;

use super::super::figures::number;

/// Values further apart than this factor are drawn by their logarithm.
const LOG_FROM: f64 = 8.0;
/// Room beside the outermost values, as a share of the axis.
const PAD: f64 = 0.05;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    log: bool,
    /// Where 0 stands on a logarithmic axis, if it does.
    zero: Option<f64>,
    /// Ends of the axis, in its own measure.
    pub(super) ends: (f64, f64),
    /// Marks: where, in the axis' own measure, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis for such values, 0 or more; with `rare`, 0 means that it was never seen. At most about `marks` marks.
    pub(super) fn of(values: &[f64], rare: bool, marks: usize) -> Self {
        let known = || values.iter().copied().filter(|v| v.is_finite());
        let positive = || known().filter(|v| *v > 0.0);
        let most = known().fold(0.0, f64::max);
        let least = positive().fold(f64::INFINITY, f64::min);
        let zeros = known().any(|v| v <= 0.0);
        if most > 0.0 && (rare || (!zeros && most / least >= LOG_FROM)) {
            return Self::logarithmic(least, most, zeros, marks);
        }
        let low = known().fold(f64::INFINITY, f64::min).min(most);
        let pad = if most > low { (most - low) * PAD } else { most.abs().max(1.0) * PAD };
        let ends = ((low - pad).max(if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY }), most + pad);
        let ticks = even(ends, marks).into_iter().map(|at| (at, tick(at))).collect();
        Self { log: false, zero: None, ends, ticks }
    }

    fn logarithmic(least: f64, most: f64, zeros: bool, marks: usize) -> Self {
        let (mut low, mut high) = (libm::log10(least), libm::log10(most));
        // One value alone stands in the middle of a decade.
        if high - low < 0.5 {
            (low, high) = (low - 0.25, high + 0.25);
        }
        let span = high - low;
        let zero = zeros.then_some(low - span * 0.16);
        let ends = (zero.unwrap_or(low) - span * PAD, high + span * PAD);
        let mut ticks: Vec<(f64, String)> = decades(low - span * PAD, ends.1, marks);
        ticks.extend(zero.map(|at| (at, "none".to_owned())));
        Self { log: true, zero, ends, ticks }
    }

    /// Where a value stands; one beyond the axis stands at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let at = match (self.log, self.zero) {
            (false, _) => value,
            (true, _) if value > 0.0 => libm::log10(value),
            (true, zero) => zero.unwrap_or(self.ends.0),
        };
        at.clamp(self.ends.0, self.ends.1)
    }

    /// What is written at a mark.
    pub(super) fn label(&self, at: f64) -> String {
        let near = |(mark, _): &&(f64, String)| (mark - at).abs() < 1e-9;
        self.ticks.iter().find(near).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (at - self.ends.0) / (self.ends.1 - self.ends.0);
        from + libm::round(share * f64::from(to - from)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.ends.0..self.ends.1
    }
}

/// Marks at even distances of 1, 2 or 5.
fn even((low, high): (f64, f64), marks: usize) -> Vec<f64> {
    let rough = (high - low) / marks.max(1) as f64;
    let decade = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * decade).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let first = libm::ceil(low / step) as i64;
    let last = libm::floor(high / step) as i64;
    (first..=last).take(100).map(|k| k as f64 * step).collect()
}

/// Marks at 1, 2 and 5 of each decade, or at 1 alone where that would be too many.
fn decades(low: f64, high: f64, marks: usize) -> Vec<(f64, String)> {
    let all = |steps: &[f64]| -> Vec<(f64, String)> {
        let (first, last) = (libm::floor(low) as i32, libm::ceil(high) as i32);
        (first..=last)
            .flat_map(|decade| steps.iter().map(move |step| step * libm::pow(10.0, f64::from(decade))))
            .map(|value| (libm::log10(value), tick(value)))
            .filter(|(at, _)| (low..=high).contains(at))
            .collect()
    };
    let (fine, middle) = (all(&[1.0, 2.0, 5.0]), all(&[1.0, 3.0]));
    [fine, middle].into_iter().find(|ticks| ticks.len() <= marks).unwrap_or_else(|| all(&[1.0]))
}

/// A round number, short.
fn tick(value: f64) -> String {
    // Steps like 0.1 arrive with the last bit wrong.
    let digits: f64 = format!("{value:.6e}").parse().unwrap_or(value);
    let size = digits.abs();
    if size > 0.0 && size < 1e-4 {
        format!("{digits:e}")
    } else if size < 100.0 {
        digits.to_string()
    } else {
        number(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn values_that_are_close_stand_evenly() {
        let scale = Scale::of(&[8.0, 10.0, 14.0], false, 5);
        assert_eq!(labels(&scale), ["8", "10", "12", "14"]);
        assert_eq!(scale.place(10.0), 10.0);
        assert_eq!(scale.label(10.0), "10");
        assert!(Scale::of(&[0.0, 3.0], false, 5).ends.0 == 0.0);
        assert!(Scale::of(&[5.0], false, 5).ends.0 < 5.0);
        assert!(!Scale::of(&[], false, 5).ends.1.is_nan());
    }

    #[test]
    fn values_that_are_far_apart_stand_by_their_logarithm() {
        let scale = Scale::of(&[3.0, 2000.0], false, 5);
        assert_eq!(labels(&scale), ["10", "100", "1,000"]);
        assert!((scale.place(100.0) - 2.0).abs() < 1e-12);
        assert_eq!(labels(&Scale::of(&[1.0, 9.0], false, 6)), ["1", "2", "5", "10"]);
    }

    #[test]
    fn what_was_never_seen_stands_below_everything_that_was() {
        let scale = Scale::of(&[0.0, 0.02, 3.0], true, 6);
        assert!(scale.place(0.0) < scale.place(0.02) && scale.place(0.0) > scale.ends.0);
        assert_eq!(labels(&scale).last(), Some(&"none"));
        assert_eq!(scale.place(1e9), scale.ends.1, "beyond the end");
        let all_zero = Scale::of(&[0.0, 0.0], true, 6);
        assert_eq!(all_zero.place(0.0), 0.0);
    }
}
