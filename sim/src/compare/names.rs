//! Names: of metrics and their statistics, of variants, and which way of a metric is the better one.

use super::{Record, Refusal};
use crate::metric::{METRICS, Metric, STATISTICS, Shape, metric_named};

/// The statistics of a distribution that are compared where none is named.
const USUAL: [&str; 2] = ["p50", "p99"];

/// Which way of a metric is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Less is better: times, false positives, load, queues.
    Lower,
    /// More is better: coverage.
    Higher,
    /// Neither: a difference is only a difference.
    Neither,
}

/// Which way of a metric is the better one.
#[must_use]
pub fn direction(metric: &Metric) -> Direction {
    match metric.name {
        "event.coverage" | "event.all" | "query.coverage" => Direction::Higher,
        // What applications do, and counts of which some are as they should be.
        "event.sent" | "query.asked" | "suspicions" | "refutations" => Direction::Neither,
        _ => Direction::Lower,
    }
}

/// A metric and, of a distribution, its statistic.
pub(super) type Named = (&'static Metric, Option<&'static str>);

/// What is meant by names; all there is when there are none. Of a distribution without a statistic the usual ones.
pub(super) fn wanted(names: &[String]) -> Result<Vec<Named>, Refusal> {
    if names.is_empty() {
        return Ok(METRICS.iter().flat_map(usual).collect());
    }
    let mut wanted: Vec<Named> = Vec::new();
    for name in names {
        for one in named(name)? {
            if !wanted.iter().any(|w| label(*w) == label(one)) {
                wanted.push(one);
            }
        }
    }
    Ok(wanted)
}

fn usual(metric: &'static Metric) -> Vec<Named> {
    match metric.shape {
        Shape::Distribution => USUAL.map(|statistic| (metric, Some(statistic))).to_vec(),
        Shape::Value | Shape::Ratio => vec![(metric, None)],
    }
}

/// The metric of that name, with its statistic or, of a distribution, with the usual ones.
pub(super) fn named(name: &str) -> Result<Vec<Named>, Refusal> {
    if let Some(metric) = metric_named(name) {
        return Ok(usual(metric));
    }
    let split = name.rsplit_once('.').and_then(|(stem, last)| {
        let statistic = STATISTICS.into_iter().find(|statistic| *statistic == last)?;
        Some((metric_named(stem).filter(|metric| metric.shape == Shape::Distribution)?, Some(statistic)))
    });
    split.map(|one| vec![one]).ok_or_else(|| {
        let known: Vec<String> = METRICS.iter().flat_map(spellings).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Refusal::Unknown(format!("unknown metric {name:?}{}", nearest(name, &known)))
    })
}

fn spellings(metric: &Metric) -> Vec<String> {
    match metric.shape {
        Shape::Value | Shape::Ratio => vec![metric.name.to_owned()],
        Shape::Distribution => STATISTICS.iter().map(|s| format!("{}.{s}", metric.name)).collect(),
    }
}

/// `detection.first.p50`, `load.bytes`.
pub(super) fn label((metric, statistic): Named) -> String {
    statistic.map_or_else(|| metric.name.to_owned(), |statistic| format!("{}.{statistic}", metric.name))
}

/// A proposal where one name is near.
fn nearest(given: &str, known: &[&str]) -> String {
    // Nobody mistypes a name as a page of text, and comparing one is slow.
    if given.len() > 64 {
        return String::new();
    }
    let best =
        known.iter().map(|name| (strsim::jaro_winkler(given, name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, name)) if score > 0.8 => format!("; did you mean {name:?}?"),
        _ => format!("; there are: {}", known.join(", ")),
    }
}

/// Which variants stand against each other.
pub(super) fn variants(
    a: &Record,
    b: &Record,
    given: &(Option<String>, Option<String>),
) -> Result<Vec<(String, String)>, Refusal> {
    let exists = |side: &str, record: &Record, name: &String| {
        if record.variants.contains(name) {
            return Ok(name.clone());
        }
        let known: Vec<&str> = record.variants.iter().map(String::as_str).collect();
        Err(Refusal::Unknown(format!("{side} has no variant {name:?}; it has: {}", known.join(", "))))
    };
    let only = |side: &str, record: &Record| match &record.variants[..] {
        [one] => Ok(one.clone()),
        several => Err(Refusal::Unknown(format!(
            "{side} has several variants, so one must be named: --variant {side}:{}; it has: {}",
            several.first().map_or("", String::as_str),
            several.join(", ")
        ))),
    };
    match given {
        (Some(of_a), Some(of_b)) => Ok(vec![(exists("A", a, of_a)?, exists("B", b, of_b)?)]),
        (Some(of_a), None) => Ok(vec![(exists("A", a, of_a)?, only("B", b)?)]),
        (None, Some(of_b)) => Ok(vec![(only("A", a)?, exists("B", b, of_b)?)]),
        (None, None) => {
            if let ([of_a], [of_b]) = (&a.variants[..], &b.variants[..]) {
                return Ok(vec![(of_a.clone(), of_b.clone())]);
            }
            let both = a.variants.iter().filter(|name| b.variants.contains(name));
            let both: Vec<(String, String)> = both.map(|name| (name.clone(), name.clone())).collect();
            if both.is_empty() {
                return Err(Refusal::Unknown(format!(
                    "no variant has the same name on both sides, so they must be named: --variant A:{},B:{}; A has: {}; B has: {}",
                    a.variants.first().map_or("", String::as_str),
                    b.variants.first().map_or("", String::as_str),
                    a.variants.join(", "),
                    b.variants.join(", ")
                )));
            }
            Ok(both)
        }
    }
}

/// Seeds as ranges: `1-10, 12`.
pub(super) fn ranges(seeds: impl IntoIterator<Item = u64>) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seed) => *last = seed,
            _ => parts.push((seed, seed)),
        }
    }
    parts.iter().map(|(first, last)| range(*first, *last)).collect::<Vec<_>>().join(", ")
}

/// Seeds that follow each other: `1-10`.
pub(super) fn range(first: u64, last: u64) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        wanted(&names).unwrap().into_iter().map(label).collect()
    }

    #[test]
    fn a_distribution_is_meant_with_its_statistic_or_with_the_usual_ones() {
        assert_eq!(
            labels(&["detection.all", "detection.all.p99", "load.bytes"]),
            ["detection.all.p50", "detection.all.p99", "load.bytes"]
        );
        assert_eq!(labels(&["event.latency.max", "event.coverage"]), ["event.latency.max", "event.coverage"]);
        assert!(labels(&[]).len() > METRICS.len());
        for (wrong, part) in [
            ("detektion.all.p50", "did you mean \"detection.all.p50\"?"),
            ("load.bytes.p50", "unknown metric"),
            ("detection.all.p77", "unknown metric"),
            ("", "there are: suspicion.first.min"),
        ] {
            let refusal = named(wrong).unwrap_err().to_string();
            assert!(refusal.contains(part), "{wrong}: {refusal}");
        }
    }

    #[test]
    fn every_metric_has_a_direction_that_its_meaning_bears_out() {
        let of = |name: &str| direction(metric_named(name).unwrap());
        assert_eq!(of("detection.first"), Direction::Lower);
        assert_eq!(of("event.coverage"), Direction::Higher);
        assert_eq!(of("refutations"), Direction::Neither);
        for metric in METRICS.iter().filter(|metric| direction(metric) == Direction::Higher) {
            assert_eq!(metric.shape, Shape::Ratio, "{}", metric.name);
        }
    }
}
