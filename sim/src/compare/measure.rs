//! One metric of paired runs: its values, their differences, and how much they say.

use super::Margins;
use super::names::{Direction, Named, direction, label};
use super::verdict::Verdict;
use crate::expect::statistic_of;
use crate::histogram;
use crate::metric::{Metric, Shape, Unit};
use crate::record::{RunRecord, Sample};
use crate::stats::{self, Margin, Paired, RateRatio};

/// Pairs of which at least one value is only known to be larger than something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Unknown {
    /// Pairs in which B is less all the same, or where both are known.
    pub less: u64,
    /// Pairs in which B is more.
    pub more: u64,
    /// Pairs of which that cannot be told.
    pub untold: u64,
    /// Seeds whose value of A is not known.
    pub of_a: u64,
    /// Seeds whose value of B is not known.
    pub of_b: u64,
}

/// One metric of A and B.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The variant, where several are compared; empty otherwise.
    pub variant: String,
    /// The metric.
    pub metric: &'static Metric,
    /// Its statistic, of a distribution.
    pub statistic: Option<&'static str>,
    /// Which way is the better one.
    pub direction: Direction,
    /// The seeds in which both have a value, in order.
    pub seeds: Vec<u64>,
    /// Seeds in which only one of them has.
    pub one_sided: usize,
    /// The mean of A over these seeds; censored where it is only known to be larger.
    pub a: Sample,
    /// The mean of B.
    pub b: Sample,
    /// Differences, B less A, where both are known.
    pub paired: Option<Paired>,
    /// The quotient, B over A, where the metric is a time, a rate or a count and every value is known.
    pub ratio: Option<RateRatio>,
    /// Pairs with values that are only known to be larger; `None` where there is none.
    pub unknown: Option<Unknown>,
    /// The p-value of "no difference", for this metric alone.
    pub p: f64,
    /// The same, adjusted for all metrics.
    pub p_adjusted: f64,
    /// What counts as the same.
    pub margin: Option<Margin>,
    /// The p-value of "they differ by the margin or more", for this metric alone; `None` without a margin, or with unknown values.
    pub p_margin: Option<f64>,
    /// The same, adjusted for all metrics with a margin.
    pub p_margin_adjusted: Option<f64>,
    /// The smallest mean difference that would have been shown in four of five such comparisons.
    pub detectable: Option<f64>,
    /// Whether so few seeds could not have shown any difference among so many metrics.
    pub too_few: bool,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Row {
    /// `detection.first.p50`.
    #[must_use]
    pub fn name(&self) -> String {
        label((self.metric, self.statistic))
    }

    /// Whether anything differs in any seed: only then can a test be wrong.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.unknown.is_some_and(|unknown| unknown.less + unknown.more > 0)
            || self.paired.as_ref().is_some_and(|paired| paired.differences.iter().any(|d| *d != 0.0))
    }

    /// Whether B is on the whole less than A, or more; `None` where neither.
    #[must_use]
    pub fn is_less(&self) -> Option<bool> {
        let sign = match (&self.unknown, &self.paired) {
            (Some(unknown), _) => unknown.more as f64 - unknown.less as f64,
            (None, Some(paired)) => paired.mean,
            (None, None) => 0.0,
        };
        (sign != 0.0).then_some(sign < 0.0)
    }
}

/// What a seed's runs say of a metric, A first.
type Pair = (Option<Sample>, Option<Sample>);

/// The rows of a pair of variants, and what to know about them.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<String>,
}

/// Measures what both have.
pub(super) fn rows(
    pairs: &[(&RunRecord, &RunRecord)],
    wanted: &[Named],
    variant: &str,
    margins: &Margins,
) -> Measured {
    let (mut rows, mut only_a, mut only_b): (Vec<Row>, Vec<&str>, Vec<&str>) =
        (Vec::new(), Vec::new(), Vec::new());
    for named in wanted {
        let coarse = named.0.shape == Shape::Distribution && is_coarse(pairs, named.0);
        let values: Vec<Pair> =
            pairs.iter().map(|(a, b)| (value(a, *named, coarse), value(b, *named, coarse))).collect();
        let (has_a, has_b) = (values.iter().any(|v| v.0.is_some()), values.iter().any(|v| v.1.is_some()));
        match (has_a, has_b) {
            (true, false) => only_a.push(named.0.name),
            (false, true) => only_b.push(named.0.name),
            _ => rows.extend(row(pairs, *named, &values, variant, margins)),
        }
    }
    without_repeats(&mut rows);
    let mut notes = Vec::new();
    for (side, mut names) in [("A", only_a), ("B", only_b)] {
        names.dedup();
        if !names.is_empty() {
            notes.push(format!("Only {side} has values of {}: not compared.", names.join(", ")));
        }
    }
    Measured { rows, notes }
}

/// Of runs with one sample each, every statistic is that sample, and one row tells it.
fn without_repeats(rows: &mut Vec<Row>) {
    let values = |row: &Row| row.paired.as_ref().map(|paired| paired.differences.clone());
    rows.dedup_by(|later, first| {
        later.metric.name == first.metric.name
            && later.statistic == Some("p99")
            && first.statistic == Some("p50")
            && (later.a, later.b, later.unknown) == (first.a, first.b, first.unknown)
            && values(later) == values(first)
    });
}

fn row(
    pairs: &[(&RunRecord, &RunRecord)],
    named: Named,
    values: &[Pair],
    variant: &str,
    margins: &Margins,
) -> Option<Row> {
    let (runs, samples): (Vec<_>, Vec<_>) =
        pairs.iter().zip(values).filter_map(|(runs, (a, b))| Some((*runs, ((*a)?, (*b)?)))).unzip();
    let side = |of: fn(&(Sample, Sample)) -> Sample| samples.iter().map(of).collect::<Vec<Sample>>();
    let (a, b) = (stats::mean(&side(|s| s.0))?, stats::mean(&side(|s| s.1))?);
    let unknown = unknown(&samples);
    let paired = stats::paired(&samples);
    let margin = margins.of(named);
    let known: Vec<(f64, f64)> = samples.iter().map(|(a, b)| (a.value, b.value)).collect();
    let p = match (&unknown, &paired) {
        (Some(unknown), _) => stats::sign_test(unknown.less, unknown.more),
        (None, Some(paired)) => stats::sign_flips(&paired.differences),
        (None, None) => 1.0,
    };
    Some(Row {
        variant: variant.to_owned(),
        metric: named.0,
        statistic: named.1,
        direction: direction(named.0),
        seeds: runs.iter().map(|(a, _)| a.seed).collect(),
        one_sided: values.iter().filter(|(a, b)| a.is_some() != b.is_some()).count(),
        a,
        b,
        ratio: if unknown.is_none() { ratio(named.0, &runs, &known) } else { None },
        paired,
        unknown,
        p,
        p_adjusted: p,
        margin,
        p_margin: margin.filter(|_| unknown.is_none()).map(|margin| stats::equivalence(&known, margin)),
        p_margin_adjusted: None,
        detectable: None,
        too_few: true,
        verdict: Verdict::TooFew,
    })
}

/// What a run says of a metric.
fn value(run: &RunRecord, (metric, statistic): Named, coarse: bool) -> Option<Sample> {
    match (metric.shape, statistic) {
        (Shape::Ratio, _) => run.ratios.get(metric.name)?.share().map(stats::seen),
        (Shape::Distribution, Some(statistic)) => {
            let samples = run.distributions.get(metric.name)?;
            if !coarse {
                return statistic_of(samples, statistic);
            }
            let mut samples = samples.clone();
            histogram::bucket(&mut samples);
            statistic_of(&samples, statistic)
        }
        _ => run.values.get(metric.name).copied(),
    }
}

/// Whether of some runs samples were moved to the middle of their buckets, to be fewer in a file, and of others not: then all are, so that
/// none differs for that reason alone.
fn is_coarse(pairs: &[(&RunRecord, &RunRecord)], metric: &Metric) -> bool {
    let runs = || pairs.iter().flat_map(|(a, b)| [*a, *b]);
    let moved = |run: &RunRecord| is_bucketed(run.distributions.get(metric.name)?);
    runs().any(|run| moved(run) == Some(true)) && runs().any(|run| moved(run) == Some(false))
}

/// Whether samples were moved; `None` where there is none between the smallest and the largest, which stay.
fn is_bucketed(sorted: &[Sample]) -> Option<bool> {
    let (first, last) = (sorted.first()?, sorted.last()?);
    let inner = sorted.iter().find(|s| s.value > first.value && s.value < last.value)?;
    let mut again = [*first, *inner, *last];
    histogram::bucket(&mut again);
    Some(again[1] == *inner)
}

/// What is known of the order of pairs, where not every value is known.
fn unknown(samples: &[(Sample, Sample)]) -> Option<Unknown> {
    let mut it = Unknown::default();
    for (a, b) in samples {
        it.of_a += u64::from(a.censored);
        it.of_b += u64::from(b.censored);
        match (a.censored, b.censored) {
            (false, false) => {
                it.less += u64::from(b.value < a.value);
                it.more += u64::from(b.value > a.value);
            }
            // The true value lies beyond what is known of it.
            (true, false) if b.value <= a.value => it.less += 1,
            (false, true) if a.value <= b.value => it.more += 1,
            _ => it.untold += 1,
        }
    }
    (it.of_a + it.of_b > 0).then_some(it)
}

/// The quotient of what has a zero: times, rates, loads; of counts by exposure.
fn ratio(metric: &Metric, runs: &[(&RunRecord, &RunRecord)], values: &[(f64, f64)]) -> Option<RateRatio> {
    match metric.unit {
        Unit::Ratio => None,
        Unit::Count => {
            let rates =
                runs.iter().zip(values).map(|((a, b), (x, y))| ((*x, a.node_hours), (*y, b.node_hours)));
            let (a, b): (Vec<_>, Vec<_>) = rates.unzip();
            Some(stats::rate_ratio(&a, &b))
        }
        _ => Some(stats::ratio_of_means(values)),
    }
}
