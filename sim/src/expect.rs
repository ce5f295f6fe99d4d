//! Judges what a scenario expects against what its runs left behind.

use crate::metric::{Shape, Unit, metric_named};
use crate::record::{Ratio, RunRecord, Sample};
use crate::scenario::{Bound, Expect, Over};
use crate::stats;

/// How an observed value relates to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Strictly below.
    Below,
    /// Strictly above.
    Above,
    /// Exactly.
    Equals,
    /// Within a tolerance of it.
    Near,
    /// As far as chance allows: the 99 % Wilson interval contains it.
    WilsonContains,
}

/// What became of one expectation in one variant.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// The variant it is about.
    pub variant: String,
    /// The expectation in words: `detection.all.p99 below 20 s, each seed`.
    pub clause: String,
    /// The metric, with its statistic.
    pub metric: String,
    /// The clause's line in its file; 0 when built in code.
    pub line: usize,
    /// What the observed value must be to the bound.
    pub relation: Relation,
    /// The bound, in the metric's unit (seconds); a plain number where a quotient is judged.
    pub bound: f64,
    /// How far from the bound it may be, as a share of it: of `near` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// The variant whose value it is divided by, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_to: Option<String>,
    /// What was observed: of each seed on its own, the worst. `None` when there was nothing to observe.
    pub observed: Option<Sample>,
    /// The counts behind a share of all seeds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Ratio>,
    /// Its 99 % Wilson interval, where that is what was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Whether it held.
    pub held: bool,
    /// The seeds that do not meet the bound on their own, or have no value; for expectations over all seeds, only when it did not hold.
    pub failing_seeds: Vec<u64>,
    /// Why it failed where the numbers do not say so.
    pub remark: Option<String>,
}

/// Judges every expectation, in the order of `expects`: in the variant it names (`names` are the scenario's variants), otherwise in every
/// variant that has runs, in the order of first appearance in `runs`.
#[must_use]
pub fn evaluate(expects: &[Expect], names: &[String], runs: &[RunRecord]) -> Vec<Verdict> {
    let mut present: Vec<&str> = Vec::new();
    for run in runs {
        if !present.contains(&run.variant.as_str()) {
            present.push(&run.variant);
        }
    }
    let named = |index: usize| names.get(index).map_or("", String::as_str);
    let of = |variant: &str| runs.iter().filter(|r| r.variant == variant).collect::<Vec<&RunRecord>>();
    let mut verdicts = Vec::new();
    for expect in expects {
        let reference = expect.ratio_to.map(|index| Reference { name: named(index), runs: of(named(index)) });
        let judged: Vec<&str> = match expect.variant {
            Some(index) => vec![named(index)],
            None => {
                let others = |v: &&str| reference.as_ref().is_none_or(|r| r.name != *v);
                present.iter().copied().filter(others).collect()
            }
        };
        verdicts.extend(judged.into_iter().map(|v| judge(expect, v, &of(v), reference.as_ref())));
    }
    verdicts
}

/// The variant whose values others are divided by.
struct Reference<'a> {
    name: &'a str,
    runs: Vec<&'a RunRecord>,
}

/// A value, or why there is none.
type Known = Result<Sample, String>;

fn judge(expect: &Expect, variant: &str, runs: &[&RunRecord], reference: Option<&Reference<'_>>) -> Verdict {
    let per_seed: Vec<(u64, Known)> = runs.iter().map(|r| (r.seed, of_seed(expect, r, reference))).collect();
    let known: Vec<Sample> = per_seed.iter().filter_map(|(_, value)| value.as_ref().ok()).copied().collect();
    let complete = known.len() == per_seed.len();
    let mut why = None;
    let observed = match expect.over {
        Over::EachSeed | Over::Worst => worst(expect.bound, &known),
        Over::Median => stats::median(&known),
        Over::Pooled => match pooled_of(expect, runs, reference) {
            Ok(value) => Some(value),
            Err(reason) => {
                why = Some(reason);
                None
            }
        },
    };
    // Seeds without a sample have nothing to add to a pool, nor has one that divides by nothing; anywhere else a missing value is a
    // question without an answer.
    let ratio = is_ratio(expect);
    let adds_up = expect.statistic.is_some() || reference.is_some() || ratio;
    let may_miss = expect.over == Over::Pooled && adds_up;
    let counts: Option<Ratio> = (ratio && expect.over == Over::Pooled && reference.is_none())
        .then(|| runs.iter().filter_map(|r| r.ratios.get(expect.metric)).copied().sum());
    let held = observed.is_some_and(|o| meets(expect.bound, o, counts)) && (complete || may_miss);
    let fails = |run: &RunRecord, value: &Known| {
        let counts = run.ratios.get(expect.metric).copied();
        !value.as_ref().is_ok_and(|v| meets(expect.bound, *v, counts))
    };
    let failing = runs.iter().zip(&per_seed).filter(|(run, (_, value))| !held && fails(run, value));
    let failing_seeds = failing.map(|(run, _)| run.seed).collect();
    let metric = full_name(expect);
    let (relation, bound, within) = match expect.bound {
        Bound::Below(bound) => (Relation::Below, bound, None),
        Bound::Above(bound) => (Relation::Above, bound, None),
        Bound::Equals(bound) => (Relation::Equals, bound, None),
        Bound::Near { value, within } => (Relation::Near, value, Some(within)),
        Bound::WilsonContains(share) => (Relation::WilsonContains, share, None),
    };
    let interval = counts.filter(|_| relation == Relation::WilsonContains);
    Verdict {
        variant: variant.to_owned(),
        clause: clause(expect, &metric, reference.map(|r| r.name)),
        remark: if held { None } else { remark(&metric, &per_seed, observed, why) },
        metric,
        line: expect.line,
        relation,
        bound,
        within,
        ratio_to: reference.map(|r| r.name.to_owned()),
        observed,
        counts: counts.filter(|counts| counts.of > 0),
        interval: interval.map(|counts| stats::wilson_99(counts.hits, counts.of)),
        held,
        failing_seeds,
    }
}

/// Why an expectation does not hold, where the numbers do not say so.
fn remark(
    metric: &str,
    per_seed: &[(u64, Known)],
    observed: Option<Sample>,
    why: Option<String>,
) -> Option<String> {
    if per_seed.is_empty() {
        return Some("nothing was run".to_owned());
    }
    if why.is_some() {
        return why;
    }
    let nothing = format!("no value of {metric}");
    if per_seed.iter().all(|(_, v)| v.as_ref().is_err_and(|reason| *reason == nothing)) {
        return Some(format!("no seed has a value of {metric}: nothing happened that it measures"));
    }
    let missing: Vec<(u64, &String)> =
        per_seed.iter().filter_map(|(seed, v)| Some((*seed, v.as_ref().err()?))).collect();
    if let Some((_, reason)) = missing.first() {
        let alike: Vec<String> =
            missing.iter().filter(|(_, r)| r == reason).map(|(seed, _)| seed.to_string()).collect();
        let more = if alike.len() > 10 { format!(" and {} more", alike.len() - 10) } else { String::new() };
        return Some(format!("{reason} in seed {}{more}", alike[..alike.len().min(10)].join(", ")));
    }
    let censored = observed.is_some_and(|o| o.censored);
    censored.then(|| "it had not happened when the observation ended".to_owned())
}

fn full_name(expect: &Expect) -> String {
    match expect.statistic {
        Some(statistic) => format!("{}.{statistic}", expect.metric),
        None => expect.metric.to_owned(),
    }
}

/// The expectation in words.
fn clause(expect: &Expect, metric: &str, reference: Option<&str>) -> String {
    let unit = match metric_named(expect.metric).map(|m| m.unit) {
        _ if reference.is_some() => "",
        Some(Unit::Seconds) => " s",
        Some(Unit::PerNodeHour) => " per node-hour",
        Some(Unit::PerMemberPeriod) => " per member-period",
        Some(Unit::BytesPerNodeSecond) => " B per node-second",
        Some(Unit::PacketsPerNodeSecond) => " packets per node-second",
        Some(Unit::Messages) => " messages",
        Some(Unit::NodePairs) => " pairs",
        Some(Unit::Count | Unit::Ratio) | None => "",
    };
    let bound = match expect.bound {
        Bound::Below(bound) => format!("below {bound}{unit}"),
        Bound::Above(bound) => format!("above {bound}{unit}"),
        Bound::Equals(bound) => format!("equals {bound}{unit}"),
        // 0.03 * 100 is not quite 3.
        Bound::Near { value, within } => {
            format!("near {value}{unit} (within {} %)", libm::round(within * 1e6) / 1e4)
        }
        Bound::WilsonContains(share) => format!("within chance of {share} (99 % Wilson interval)"),
    };
    let over = match expect.over {
        Over::EachSeed => "each seed",
        Over::Median => "median of seeds",
        Over::Worst => "worst seed",
        Over::Pooled => "all seeds pooled",
    };
    let of = reference.map(|name| format!(" / that of {name}")).unwrap_or_default();
    format!("{metric}{of} {bound}, {over}")
}

/// What an expectation judges in one seed: its value, or the quotient by the reference's value of the same seed.
fn of_seed(expect: &Expect, run: &RunRecord, reference: Option<&Reference<'_>>) -> Known {
    let missing = || format!("no value of {}", full_name(expect));
    let value = of_run(expect, run).ok_or_else(missing)?;
    let Some(reference) = reference else { return Ok(value) };
    let other = reference.runs.iter().find(|r| r.seed == run.seed);
    let other = other.ok_or_else(|| format!("{} was not run", reference.name))?;
    quotient(value, of_run(expect, other).ok_or_else(missing)?, reference.name)
}

fn pooled_of(expect: &Expect, runs: &[&RunRecord], reference: Option<&Reference<'_>>) -> Known {
    let missing =
        || format!("no seed has a value of {}: nothing happened that it measures", full_name(expect));
    let value = pooled(expect, runs).ok_or_else(missing)?;
    let Some(reference) = reference else { return Ok(value) };
    quotient(value, pooled(expect, &reference.runs).ok_or_else(missing)?, reference.name)
}

/// A quotient. What is censored is only known to be larger: as the value it makes the quotient larger still, as the value to divide by
/// it leaves nothing to be said.
fn quotient(value: Sample, by: Sample, name: &str) -> Known {
    if by.censored {
        return Err(format!("no quotient: that of {name} had not happened when the observation ended,"));
    }
    if by.value == 0.0 {
        return Err(format!("no quotient: that of {name} is 0"));
    }
    Ok(Sample { value: value.value / by.value, censored: value.censored })
}

/// The expectation's value in one run.
fn of_run(expect: &Expect, run: &RunRecord) -> Option<Sample> {
    match expect.statistic {
        None if is_ratio(expect) => run.ratios.get(expect.metric)?.share().map(stats::seen),
        None => run.values.get(expect.metric).copied(),
        Some(statistic) => statistic_of(run.distributions.get(expect.metric)?, statistic),
    }
}

/// Whether the metric is a share of counts.
fn is_ratio(expect: &Expect) -> bool {
    metric_named(expect.metric).is_some_and(|m| m.shape == Shape::Ratio)
}

/// The named statistic of samples sorted by time; `None` without samples.
pub(crate) fn statistic_of(sorted: &[Sample], statistic: &str) -> Option<Sample> {
    match statistic {
        "min" => stats::smallest(sorted),
        "mean" => stats::mean(sorted),
        "p50" => stats::quantile(sorted, 500),
        "p90" => stats::quantile(sorted, 900),
        "p99" => stats::quantile(sorted, 990),
        "max" => stats::largest(sorted),
        _ => None,
    }
}

fn pooled(expect: &Expect, runs: &[&RunRecord]) -> Option<Sample> {
    if let Some(statistic) = expect.statistic {
        let mut samples: Vec<Sample> =
            runs.iter().filter_map(|r| r.distributions.get(expect.metric)).flatten().copied().collect();
        samples.sort_by(stats::by_time);
        return statistic_of(&samples, statistic);
    }
    if is_ratio(expect) {
        let all: Ratio = runs.iter().filter_map(|r| r.ratios.get(expect.metric)).copied().sum();
        return all.share().map(stats::seen);
    }
    let known: Vec<Sample> = runs.iter().filter_map(|r| of_run(expect, r)).collect();
    let mean = stats::mean(&known)?;
    let counts = metric_named(expect.metric).is_some_and(|m| m.unit == Unit::Count);
    let value = if counts { known.iter().map(|s| s.value).sum() } else { mean.value };
    Some(Sample { value, censored: mean.censored })
}

/// The value that is hardest on the bound.
fn worst(bound: Bound, values: &[Sample]) -> Option<Sample> {
    match bound {
        Bound::Below(_) => values.iter().copied().max_by(stats::by_size),
        Bound::Above(_) => values.iter().copied().min_by(stats::by_time),
        Bound::Equals(to) | Bound::Near { value: to, .. } | Bound::WilsonContains(to) => {
            values.iter().copied().max_by(|a, b| {
                let distance = |s: &Sample| (s.value - to).abs();
                a.censored.cmp(&b.censored).then(distance(a).total_cmp(&distance(b)))
            })
        }
    }
}

/// Whether a value meets a bound. A censored one is only known to be larger than it says. A share has the counts that it is made of.
fn meets(bound: Bound, sample: Sample, counts: Option<Ratio>) -> bool {
    match bound {
        Bound::Below(limit) => !sample.censored && sample.value < limit,
        Bound::Above(limit) => sample.value > limit || (sample.censored && sample.value >= limit),
        Bound::Equals(to) => !sample.censored && sample.value == to,
        Bound::Near { value, within } => {
            !sample.censored && (sample.value - value).abs() <= within * value.abs()
        }
        Bound::WilsonContains(share) => counts.is_some_and(|counts| {
            let (low, high) = stats::wilson_99(counts.hits, counts.of);
            counts.of > 0 && low <= share && share <= high
        }),
    }
}

#[cfg(test)]
mod tests;
