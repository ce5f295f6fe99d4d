//! Statistics over runs: quantiles that know about censoring, and intervals whose assumptions the data carry.
//!
//! The seed is the unit of replication: samples of one run share their causes, so intervals resample runs, never samples.
//! Everything here is reproducible to the byte: transcendental functions come from `libm`, resampling from a fixed ChaCha stream.

mod bootstrap;
mod effective;
mod exact;
mod paired;
mod significance;
mod special;

use std::cmp::Ordering;

pub use bootstrap::{
    RESAMPLES, cluster_intervals, cluster_intervals_at, curve_band, rate_interval, rate_interval_at,
};
pub use effective::{carries, carries_interval, carries_interval_at, effective_samples};
pub use exact::{clopper_pearson, dispersion, garwood, garwood_at, order_interval, wilson, wilson_99};
pub use paired::{CORRELATION_MIN, Paired, RateRatio, paired, rate_ratio, ratio_of_means};
pub use significance::{Margin, POWER, detectable, equivalence, holm, least_p, sign_flips, sign_test};

use crate::record::Sample;

/// Half of the chance that a two-sided 95 % interval leaves out.
const TAIL: f64 = 0.025;

/// Runs below which a bootstrap over runs gives no interval.
pub const RUNS_MIN: usize = 6;

/// Events are in storms when their index of dispersion is above this; then they are not Poisson, and only runs are independent.
pub const STORM: f64 = 1.5;

/// A two-sided 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: Sample,
    /// Its upper end; censored where only a lower bound of it is known.
    pub high: Sample,
}

/// A sample that was observed.
#[must_use]
pub const fn seen(value: f64) -> Sample {
    Sample { value, censored: false }
}

/// Orders samples by what is known of them: a censored one is larger than all that were observed.
#[must_use]
pub fn by_size(a: &Sample, b: &Sample) -> Ordering {
    a.censored.cmp(&b.censored).then(a.value.total_cmp(&b.value))
}

/// Orders samples by time, as records keep them; at one time, what happened comes before what was given up on.
#[must_use]
pub fn by_time(a: &Sample, b: &Sample) -> Ordering {
    a.value.total_cmp(&b.value).then(a.censored.cmp(&b.censored))
}

/// A step of a Kaplan-Meier curve: by `value`, this share has happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The time.
    pub value: f64,
    /// Share that has happened, 0 to 1.
    pub share: f64,
}

/// The empirical distribution (Kaplan-Meier where samples are censored) of samples sorted by [`by_time`].
#[must_use]
pub fn distribution(sorted: &[Sample]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut survival = Survival::new(sorted.len() as u64);
    for sample in sorted {
        survival.pass(1, sample.censored);
        if sample.censored {
            continue;
        }
        let share = survival.share();
        match steps.last_mut() {
            Some(last) if last.value == sample.value => last.share = share,
            _ => steps.push(Step { value: sample.value, share }),
        }
    }
    steps
}

/// Kaplan-Meier, sample by sample. Until the first censored sample it counts, so that it is exact.
struct Survival {
    total: u64,
    passed: u64,
    /// What survived the samples before the last censored one, and how many were left after it.
    anchor: Option<(f64, u64)>,
}

impl Survival {
    fn new(total: u64) -> Self {
        Self { total, passed: 0, anchor: None }
    }

    fn pass(&mut self, count: u64, censored: bool) {
        if censored {
            let alive = self.alive();
            self.passed += count;
            self.anchor = Some((alive, self.total - self.passed));
        } else {
            self.passed += count;
        }
    }

    fn alive(&self) -> f64 {
        let left = (self.total - self.passed) as f64;
        match self.anchor {
            None if self.total == 0 => 1.0,
            None => left / self.total as f64,
            Some((alive, 0)) => alive,
            Some((alive, then)) => alive * left / then as f64,
        }
    }

    fn share(&self) -> f64 {
        1.0 - self.alive()
    }

    fn reached(&self, permille: u32) -> bool {
        match self.anchor {
            None => self.passed * 1000 >= u64::from(permille) * self.total,
            // Rounding of the product must not postpone a quantile by a sample.
            Some(_) => self.share() + 1e-12 >= f64::from(permille) / 1000.0,
        }
    }
}

/// The smallest observed value by which `permille` of samples (sorted by [`by_time`]) have happened; censored at the largest
/// known time when so many never did. `None` without samples.
#[must_use]
pub fn quantile(sorted: &[Sample], permille: u32) -> Option<Sample> {
    let mut survival = Survival::new(sorted.len() as u64);
    for sample in sorted {
        survival.pass(1, sample.censored);
        if !sample.censored && survival.reached(permille) {
            return Some(*sample);
        }
    }
    sorted.last().map(|last| Sample { value: last.value, censored: true })
}

/// The largest; censored when any sample is, since that one may be the largest.
#[must_use]
pub fn largest(samples: &[Sample]) -> Option<Sample> {
    let value = samples.iter().map(|s| s.value).max_by(f64::total_cmp)?;
    Some(Sample { value, censored: samples.iter().any(|s| s.censored) })
}

/// The smallest; censored when the smallest known time is.
#[must_use]
pub fn smallest(samples: &[Sample]) -> Option<Sample> {
    samples.iter().copied().min_by(by_time)
}

/// The mean; censored (a lower bound) when any sample is.
#[must_use]
pub fn mean(samples: &[Sample]) -> Option<Sample> {
    if samples.is_empty() {
        return None;
    }
    let sum: f64 = samples.iter().map(|s| s.value).sum();
    Some(Sample { value: sum / samples.len() as f64, censored: samples.iter().any(|s| s.censored) })
}

/// The median of one value per run: the middle one, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[Sample]) -> Option<Sample> {
    let mut sorted = values.to_vec();
    sorted.sort_by(by_size);
    let high = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(high);
    }
    let low = sorted[sorted.len() / 2 - 1];
    Some(Sample { value: (low.value + high.value) / 2.0, censored: low.censored || high.censored })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn values(n: u32) -> Vec<Sample> {
        (1..=n).map(|v| seen(f64::from(v))).collect()
    }

    pub(super) fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    #[test]
    fn a_quantile_is_the_smallest_value_that_its_share_does_not_exceed() {
        let ten = values(10);
        for (permille, want) in
            [(0, 1.0), (100, 1.0), (101, 2.0), (500, 5.0), (900, 9.0), (990, 10.0), (1000, 10.0)]
        {
            assert_eq!(quantile(&ten, permille), Some(seen(want)), "{permille}");
        }
        assert_eq!(quantile(&[], 500), None);
    }

    #[test]
    fn censored_samples_count_among_those_at_risk_and_are_never_dropped() {
        let c = |value| Sample { value, censored: true };
        // Freireich's 6-MP arm, the textbook example of Kaplan-Meier: median 23, S(10) = 0.753.
        let mut arm: Vec<Sample> = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|v| seen(f64::from(v))).to_vec();
        arm.extend([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|v| c(f64::from(v))));
        arm.sort_by(by_time);
        assert_eq!(quantile(&arm, 500), Some(seen(23.0)));
        let at_ten = distribution(&arm).into_iter().find(|s| s.value == 10.0).unwrap();
        close(at_ten.share, 1.0 - 0.752_9, 1e-3);
        assert_eq!(quantile(&arm, 900), Some(c(35.0)));
        assert_eq!(largest(&[seen(1.0), c(0.5)]), Some(c(1.0)));
        assert_eq!(smallest(&[seen(1.0), c(0.5)]), Some(c(0.5)));
        assert_eq!(mean(&[seen(1.0), c(3.0)]), Some(c(2.0)));
        assert_eq!(median(&[c(1.0), seen(5.0), seen(4.0)]), Some(seen(5.0)));
        assert_eq!(median(&[c(1.0), seen(5.0)]), Some(c(3.0)));
    }
}
