//! What reports say in words and cells: the same on the page and on the terminal.

mod compare;
mod story;
mod tables;

pub(super) use compare::{Comparison, comparisons, differences, side_by_side, signed, signed_interval};
pub(super) use story::{key_figures, reruns, settled, story};
pub(super) use tables::{
    distributions, expectations, faults, invariants, kinds, load_by_kind, network, node_seconds, observed,
    percent, values, variants,
};

use crate::metric::{Metric, Unit};
use crate::record::{RunRecord, Sample};
use crate::stats::{self, Interval};

/// What a figure is called that so few runs or samples do not carry.
const NOT_ESTIMABLE: &str = "not estimable";

/// A table of strings; the first row is its head, the first column names the row.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A row, and whether it is good (`Some(true)`), bad, or neither.
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) good: Option<bool>,
}

pub(super) fn heads<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn row<const N: usize>(cells: [String; N]) -> Row {
    Row { cells: cells.into(), good: None }
}

/// A number with three or four significant digits, at a fixed format.
pub(super) fn number(x: f64) -> String {
    let size = x.abs();
    if x == libm::trunc(x) && size < 1e15 {
        grouped(x as i64)
    } else if size >= 1000.0 {
        grouped(libm::round(x) as i64)
    } else if size >= 100.0 {
        format!("{x:.1}")
    } else if size >= 1.0 {
        format!("{x:.2}")
    } else if size >= 0.001 {
        format!("{x:.4}")
    } else {
        format!("{x:.2e}")
    }
}

/// A count with its thousands apart.
pub(super) fn grouped_count(n: u64) -> String {
    grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

fn grouped(x: i64) -> String {
    let digits = x.unsigned_abs().to_string();
    let mut out = String::from(if x < 0 { "-" } else { "" });
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A sample: `> x` when it is only known to be larger.
pub(super) fn sample(s: Sample) -> String {
    if s.censored { format!("> {}", number(s.value)) } else { number(s.value) }
}

fn interval(i: Option<Interval>) -> String {
    match i {
        Some(i) if i.low.censored => format!("> {}", number(i.low.value)),
        Some(i) if i.high.censored => format!("{} to not reached", number(i.low.value)),
        Some(i) => format!("{} to {}", number(i.low.value), number(i.high.value)),
        None => NOT_ESTIMABLE.to_owned(),
    }
}

/// A unit, short.
pub(super) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Count => "",
        Unit::PerNodeHour => "per node-hour",
        Unit::PerMemberPeriod => "per member-period",
        Unit::BytesPerNodeSecond => "B per node-second",
        Unit::PacketsPerNodeSecond => "packets per node-second",
        Unit::Messages => "messages",
        Unit::NodePairs => "pairs",
        Unit::Ratio => "share",
    }
}

/// A metric's name with its unit.
pub(super) fn named(metric: &Metric, statistic: &str) -> String {
    let statistic = if statistic.is_empty() { String::new() } else { format!(" {statistic}") };
    match unit(metric.unit) {
        "" => format!("{}{statistic}", metric.name),
        unit => format!("{}{statistic} ({unit})", metric.name),
    }
}

/// Each run's samples of a metric.
pub(super) fn by_run<'a>(runs: &[&'a RunRecord], metric: &str) -> Vec<&'a [Sample]> {
    runs.iter().filter_map(|r| r.distributions.get(metric)).map(Vec::as_slice).collect()
}

/// Seeds as ranges: `1-10, 12`.
pub(super) fn seeds(seeds: &[u64]) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*seed) => *last = *seed,
            _ => parts.push((*seed, *seed)),
        }
    }
    let text = |(a, b): &(u64, u64)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// All runs' samples of a metric, sorted by time.
pub(super) fn pooled(runs: &[&RunRecord], metric: &str) -> Vec<Sample> {
    let mut all: Vec<Sample> =
        runs.iter().filter_map(|r| r.distributions.get(metric)).flatten().copied().collect();
    all.sort_by(stats::by_time);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_and_never_change_their_form() {
        for (x, want) in [
            (0.0, "0"),
            (1234567.0, "1,234,567"),
            (-1000.0, "-1,000"),
            (2.34567, "2.35"),
            (123.456, "123.5"),
            (0.01234, "0.0123"),
            (12345.6, "12,346"),
        ] {
            assert_eq!(number(x), want);
        }
        assert_eq!(sample(Sample { value: 5.0, censored: true }), "> 5");
        assert_eq!(seeds(&[1, 2, 3, 5, 8, 9]), "1-3, 5, 8-9");
    }
}
