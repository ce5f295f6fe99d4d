//! Variants side by side, and their differences paired by seed.

use super::tables::{self, percentile, together};
use super::{Row, Table, by_run, heads, interval, named, number, pooled, sample};
use crate::metric::{METRICS, Metric, Shape, Unit, metric_named};
use crate::record::{RunRecord, Sample};
use crate::stats::{self, Interval, Paired, RateRatio};
use crate::summary::Summary;

/// What variants are compared by; of distributions, each seed's median.
const KEY: [&str; 22] = [
    "suspicion.first",
    "detection.first",
    "detection.all",
    "dissemination.failure",
    "dissemination.join",
    "dissemination.leave",
    "dissemination.update",
    "event.latency",
    "event.coverage",
    "event.all",
    "query.latency",
    "query.coverage",
    "convergence",
    "false_positives.all",
    "false_positives.healthy",
    "false_positives.subjects",
    "flaps",
    "suspicions",
    "load.bytes",
    "load.packets",
    "queue.depth",
    "members.wrong",
];

/// Left out where variants stand side by side: they repeat others, or explain single runs.
const ASIDE: [&str; 7] = [
    "false_positive_rate.all",
    "false_positive_rate.healthy",
    "false_positive_rate.subjects",
    "load.bytes.busiest",
    "load.packets.busiest",
    "load.headers",
    "join.attempts",
];

/// One metric of one variant against the first variant.
pub(in crate::report) struct Comparison {
    /// The metric with its unit, and the median where it has many samples in a run.
    pub(in crate::report) label: String,
    pub(in crate::report) variant: String,
    pub(in crate::report) paired: Paired,
    pub(in crate::report) ratio: Option<RateRatio>,
}

/// Every variant but the first against the first, by key metrics that have values.
pub(in crate::report) fn comparisons(summary: &Summary) -> Vec<Comparison> {
    let Some((reference, others)) = summary.variants.split_first() else { return Vec::new() };
    let base = summary.runs_of(reference);
    let mut all = Vec::new();
    for metric in KEY.iter().filter_map(|name| metric_named(name)) {
        for other in others {
            all.extend(comparison(metric, &base, other, &summary.runs_of(other)));
        }
    }
    all
}

fn comparison(metric: &Metric, base: &[&RunRecord], other: &str, runs: &[&RunRecord]) -> Option<Comparison> {
    // Runs of both, by seed.
    let both: Vec<(&RunRecord, &RunRecord)> =
        runs.iter().filter_map(|r| Some((*base.iter().find(|b| b.seed == r.seed)?, *r))).collect();
    let pairs: Vec<(Sample, Sample)> =
        both.iter().filter_map(|(a, b)| Some((of_run(metric, a)?, of_run(metric, b)?))).collect();
    let paired = stats::paired(&pairs)?;
    let ratio = (metric.unit == Unit::Count).then(|| {
        let rate = |run: &RunRecord| (run.values.get(metric.name).map_or(0.0, |v| v.value), run.node_hours);
        let (a, b): (Vec<_>, Vec<_>) = both.iter().map(|(a, b)| (rate(a), rate(b))).unzip();
        stats::rate_ratio(&a, &b)
    });
    let statistic = if metric.shape == Shape::Distribution { "p50" } else { "" };
    Some(Comparison { label: named(metric, statistic), variant: other.to_owned(), paired, ratio })
}

fn of_run(metric: &Metric, run: &RunRecord) -> Option<Sample> {
    match metric.shape {
        Shape::Value | Shape::Ratio => tables::of_run(metric, run),
        Shape::Distribution => stats::quantile(run.distributions.get(metric.name)?, 500),
    }
}

/// A signed number.
pub(in crate::report) fn signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", number(x)) } else { number(x) }
}

pub(in crate::report) fn signed_interval(of: Option<Interval>) -> String {
    of.map_or_else(
        || super::NOT_ESTIMABLE.to_owned(),
        |i| format!("{} to {}", signed(i.low.value), signed(i.high.value)),
    )
}

impl Comparison {
    /// The mean difference with its interval.
    pub(in crate::report) fn mean(&self) -> String {
        let interval = match self.paired.mean_interval {
            Some(_) => format!(" ({})", signed_interval(self.paired.mean_interval)),
            None => String::new(),
        };
        format!("{}{interval}", signed(self.paired.mean))
    }

    /// What the difference comes to, in words.
    fn verdict(&self) -> String {
        let p = &self.paired;
        let mut words = if p.differences.iter().all(|d| *d == 0.0) {
            "the same in every seed".to_owned()
        } else {
            match p.covers_zero() {
                None => format!("too few seeds to say (fewer than {})", stats::RUNS_MIN),
                Some(true) => "no difference seen".to_owned(),
                Some(false) if p.mean < 0.0 => "lower".to_owned(),
                Some(false) => "higher".to_owned(),
            }
        };
        if p.left_out > 0 {
            words.push_str(&format!("; {} seeds left out, where it had not happened in time", p.left_out));
        }
        words
    }

    /// What the pairing was worth.
    pub(in crate::report) fn pairing(&self) -> String {
        let (Some(correlation), Some(reduction)) = (self.paired.correlation, self.paired.variance_reduction)
        else {
            return "-".to_owned();
        };
        let helped = if self.paired.pairing_helped() == Some(true) {
            format!("{:.0} % less variance", reduction * 100.0)
        } else {
            "pairing did not help".to_owned()
        };
        format!("r {correlation:.2}, {helped}")
    }

    /// The quotient of rates with its interval.
    pub(in crate::report) fn quotient(&self) -> String {
        let Some(it) = self.ratio else { return String::new() };
        let value = it.ratio.map_or_else(|| "no quotient".to_owned(), number);
        match it.interval {
            Some(range) if range.high.censored => format!("{value} ({} or more)", number(range.low.value)),
            Some(range) => format!("{value} ({})", interval(Some(range))),
            None if it.ratio.is_none() => "none in either".to_owned(),
            None => value,
        }
    }
}

/// Paired differences; `all` columns for the page, fewer for a terminal.
pub(in crate::report) fn differences(summary: &Summary, all: bool) -> Table {
    let reference = summary.variants.first().map_or("", String::as_str);
    let several = summary.variants.len() > 2;
    let rows = comparisons(summary).into_iter().map(|it| {
        let label = if several { format!("{}, {}", it.label, it.variant) } else { it.label.clone() };
        let mut cells = vec![label];
        if all {
            cells.extend([
                it.paired.differences.len().to_string(),
                signed(it.paired.mean),
                signed_interval(it.paired.mean_interval),
                signed(it.paired.median),
                signed_interval(it.paired.median_interval),
            ]);
        } else {
            cells.push(it.mean());
        }
        cells.extend([it.quotient(), it.verdict(), it.pairing()]);
        Row { cells, good: None }
    });
    let mean = match &summary.variants[..] {
        [_, other] => format!("mean of {other} - {reference}"),
        _ => format!("mean less that of {reference}"),
    };
    let head = if all {
        let mut head = heads(["metric", "seeds", "", "95 % interval", "median", "95 % interval"]);
        head[2] = mean;
        head.extend(heads(["quotient of rates (95 %)", "", "pairing"]));
        head
    } else {
        let mut head = heads(["metric", "", "quotient of rates (95 %)", "", "pairing"]);
        head[1] = format!("{mean} (95 %)");
        head
    };
    Table { head, rows: rows.collect() }
}

/// A column per variant: of times p50, p90, p99 and the largest; of values the median of the seeds; of counts their rate, too.
pub(in crate::report) fn side_by_side(summary: &Summary) -> Table {
    let mut head = vec!["metric".to_owned()];
    head.extend(summary.variants.iter().cloned());
    let runs: Vec<Vec<&RunRecord>> = summary.variants.iter().map(|v| summary.runs_of(v)).collect();
    let shown = METRICS.iter().filter(|m| !ASIDE.contains(&m.name));
    let rows = shown.filter_map(|metric| {
        let label = match metric.shape {
            Shape::Distribution => named(metric, "p50 / p90 / p99 / max"),
            Shape::Value | Shape::Ratio => named(metric, ""),
        };
        let cells: Vec<Option<String>> = runs.iter().map(|runs| cell(metric, runs)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let cells = cells.into_iter().map(|c| c.unwrap_or_else(|| "-".to_owned()));
            Row { cells: std::iter::once(label).chain(cells).collect(), good: None }
        })
    });
    Table { head, rows: rows.collect() }
}

fn cell(metric: &Metric, runs: &[&RunRecord]) -> Option<String> {
    if metric.shape == Shape::Distribution {
        let all = pooled(runs, metric.name);
        let most = stats::largest(&all)?;
        let worth = stats::effective_samples(&by_run(runs, metric.name));
        let shares = [500, 900, 990].map(|p| match percentile(&all, worth, p) {
            text if text == super::NOT_ESTIMABLE => "?".to_owned(),
            text => text,
        });
        return Some(format!("{} / {}", shares.join(" / "), sample(most)));
    }
    let having: Vec<(&RunRecord, Sample)> =
        runs.iter().filter_map(|r| Some((*r, of_run(metric, r)?))).collect();
    let values: Vec<Sample> = having.iter().map(|(_, v)| *v).collect();
    let median = sample(stats::median(&values)?);
    Some(match together(metric, &having, true) {
        text if text.is_empty() => median,
        text if metric.unit == Unit::Count || metric.shape == Shape::Ratio => text,
        text => format!("{median}; {text}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};
    use crate::scenario::Variant;
    use rumormill_core::Config;

    fn two(shift: f64) -> Summary {
        let mut scenario = scenario();
        scenario.variants = ["swim", "new"].map(|name| Variant::new(name, Config::lan())).to_vec();
        let runs = (1..=10).flat_map(|seed| {
            let (a, mut b) = (run("swim", seed, 40), run("new", seed, 40));
            b.values.insert(
                "load.bytes".to_owned(),
                stats::seen(843.7 + seed as f64 + shift + 0.1 * (seed % 2) as f64),
            );
            [a, b]
        });
        Summary::new(&scenario, "d", runs.collect())
    }

    fn row_of(table: Table, name: &str) -> Vec<String> {
        table.rows.into_iter().find(|r| r.cells[0].starts_with(name)).unwrap().cells
    }

    #[test]
    fn a_difference_is_told_with_its_interval_and_what_pairing_was_worth() {
        let cells = row_of(differences(&two(20.0), true), "load.bytes");
        assert_eq!((cells[1].as_str(), cells[2].as_str()), ("10", "+20.05"));
        assert_eq!((cells[7].as_str(), cells[8].as_str()), ("higher", "r 1.00, 100 % less variance"));
        assert_eq!(row_of(differences(&two(-20.0), true), "load.bytes")[7], "lower");
        assert_eq!(row_of(differences(&two(-0.05), true), "load.bytes")[7], "no difference seen");
    }

    #[test]
    fn what_is_the_same_or_never_was_is_told_plainly() {
        let cells = row_of(differences(&two(0.0), true), "detection.first p50 (s)");
        assert_eq!((cells[2].as_str(), cells[7].as_str()), ("0", "the same in every seed"));
        assert_eq!(row_of(differences(&two(0.0), false), "flaps")[2], "none in either");
        let few = Summary::new(&scenario(), "d", vec![run("a", 1, 9), run("b", 1, 9)]);
        let mut few_table = differences(&few, true);
        assert_eq!(few_table.rows.swap_remove(0).cells[3], "not estimable");
        assert!(differences(&Summary::new(&scenario(), "d", vec![run("a", 1, 9)]), true).rows.is_empty());
    }

    #[test]
    fn variants_stand_side_by_side() {
        let table = side_by_side(&two(20.0));
        assert_eq!(table.head, ["metric", "swim", "new"]);
        let cells = row_of(table, "load.bytes (");
        assert_eq!(cells[1..], ["849.2", "869.2"]);
        let times = row_of(side_by_side(&two(0.0)), "detection.first");
        assert_eq!(times[1].matches(" / ").count(), 3, "{times:?}");
    }
}
