//! Judges what a scenario expects against what its runs left behind.

use crate::metric::{Unit, metric_named};
use crate::record::{RunRecord, Sample};
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
    /// The bound, in the metric's unit (seconds).
    pub bound: f64,
    /// What was observed: of each seed on its own, the worst. `None` when there was nothing to observe.
    pub observed: Option<Sample>,
    /// Whether it held.
    pub held: bool,
    /// The seeds that do not meet the bound on their own, or have no value; for expectations over all seeds, only when it did not hold.
    pub failing_seeds: Vec<u64>,
    /// Why it failed where the numbers do not say so.
    pub remark: Option<String>,
}

/// Judges every expectation in every variant that has runs; in the order of `expects`, then of first appearance in `runs`.
#[must_use]
pub fn evaluate(expects: &[Expect], runs: &[RunRecord]) -> Vec<Verdict> {
    let mut variants: Vec<&str> = Vec::new();
    for run in runs {
        if !variants.contains(&run.variant.as_str()) {
            variants.push(&run.variant);
        }
    }
    expects
        .iter()
        .flat_map(|expect| variants.iter().map(move |variant| (expect, *variant)))
        .map(|(expect, variant)| {
            let runs: Vec<&RunRecord> = runs.iter().filter(|r| r.variant == variant).collect();
            judge(expect, variant, &runs)
        })
        .collect()
}

fn judge(expect: &Expect, variant: &str, runs: &[&RunRecord]) -> Verdict {
    let per_seed: Vec<(u64, Option<Sample>)> = runs.iter().map(|r| (r.seed, of_run(expect, r))).collect();
    let known: Vec<Sample> = per_seed.iter().filter_map(|(_, value)| *value).collect();
    let complete = known.len() == per_seed.len();
    let observed = match expect.over {
        Over::EachSeed | Over::Worst => worst(expect.bound, &known),
        Over::Median => stats::median(&known),
        Over::Pooled => pooled(expect, runs, &known),
    };
    // Seeds without a sample have nothing to add to a pool; anywhere else a missing value is a question without an answer.
    let may_miss = expect.over == Over::Pooled && expect.statistic.is_some();
    let held = observed.is_some_and(|o| meets(expect.bound, o)) && (complete || may_miss);
    let failing_seeds = if held {
        Vec::new()
    } else {
        per_seed
            .iter()
            .filter(|(_, value)| !value.is_some_and(|v| meets(expect.bound, v)))
            .map(|(seed, _)| *seed)
            .collect()
    };
    let metric = full_name(expect);
    let (relation, bound) = match expect.bound {
        Bound::Below(bound) => (Relation::Below, bound),
        Bound::Above(bound) => (Relation::Above, bound),
        Bound::Equals(bound) => (Relation::Equals, bound),
        Bound::Near { value, .. } => (Relation::Near, value),
    };
    let remark = remark(&metric, &per_seed, observed, held);
    let clause = clause(expect, &metric, relation, bound);
    let (variant, line) = (variant.to_owned(), expect.line);
    Verdict { variant, clause, metric, line, relation, bound, observed, held, failing_seeds, remark }
}

fn remark(
    metric: &str,
    per_seed: &[(u64, Option<Sample>)],
    observed: Option<Sample>,
    held: bool,
) -> Option<String> {
    let missing: Vec<String> =
        per_seed.iter().filter(|(_, v)| v.is_none()).map(|(seed, _)| seed.to_string()).collect();
    if held {
        return None;
    }
    if per_seed.is_empty() {
        return Some("nothing was run".to_owned());
    }
    if observed.is_none() {
        return Some(format!("no seed has a value of {metric}: nothing happened that it measures"));
    }
    if !missing.is_empty() {
        return Some(format!("no value of {metric} in seed {}", missing.join(", ")));
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

fn clause(expect: &Expect, metric: &str, relation: Relation, bound: f64) -> String {
    let relation = match relation {
        Relation::Below => "below",
        Relation::Above => "above",
        Relation::Equals => "equals",
        Relation::Near => "near",
    };
    let unit = match metric_named(expect.metric).map(|m| m.unit) {
        Some(Unit::Seconds) => " s",
        Some(Unit::PerNodeHour) => " per node-hour",
        Some(Unit::PerMemberPeriod) => " per member-period",
        Some(Unit::BytesPerNodeSecond) => " B per node-second",
        Some(Unit::PacketsPerNodeSecond) => " packets per node-second",
        Some(Unit::Messages) => " messages",
        Some(Unit::NodePairs) => " pairs",
        Some(Unit::Count) | None => "",
    };
    let over = match expect.over {
        Over::EachSeed => "each seed",
        Over::Median => "median of seeds",
        Over::Worst => "worst seed",
        Over::Pooled => "all seeds pooled",
    };
    format!("{metric} {relation} {bound}{unit}, {over}")
}

/// The expectation's value in one run.
fn of_run(expect: &Expect, run: &RunRecord) -> Option<Sample> {
    match expect.statistic {
        None => run.values.get(expect.metric).copied(),
        Some(statistic) => statistic_of(run.distributions.get(expect.metric)?, statistic),
    }
}

/// The named statistic of samples sorted by time; `None` without samples.
fn statistic_of(sorted: &[Sample], statistic: &str) -> Option<Sample> {
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

fn pooled(expect: &Expect, runs: &[&RunRecord], known: &[Sample]) -> Option<Sample> {
    if let Some(statistic) = expect.statistic {
        let mut samples: Vec<Sample> =
            runs.iter().filter_map(|r| r.distributions.get(expect.metric)).flatten().copied().collect();
        samples.sort_by(stats::by_time);
        return statistic_of(&samples, statistic);
    }
    let mean = stats::mean(known)?;
    let counts = metric_named(expect.metric).is_some_and(|m| m.unit == Unit::Count);
    let value = if counts { known.iter().map(|s| s.value).sum() } else { mean.value };
    Some(Sample { value, censored: mean.censored })
}

/// The value that is hardest on the bound.
fn worst(bound: Bound, values: &[Sample]) -> Option<Sample> {
    match bound {
        Bound::Below(_) => values.iter().copied().max_by(stats::by_size),
        Bound::Above(_) => values.iter().copied().min_by(stats::by_time),
        Bound::Equals(to) | Bound::Near { value: to, .. } => values.iter().copied().max_by(|a, b| {
            let distance = |s: &Sample| (s.value - to).abs();
            a.censored.cmp(&b.censored).then(distance(a).total_cmp(&distance(b)))
        }),
    }
}

/// Whether a value meets a bound. A censored one is only known to be larger than it says.
fn meets(bound: Bound, sample: Sample) -> bool {
    match bound {
        Bound::Below(limit) => !sample.censored && sample.value < limit,
        Bound::Above(limit) => sample.value > limit || (sample.censored && sample.value >= limit),
        Bound::Equals(to) => !sample.censored && sample.value == to,
        Bound::Near { value, within } => {
            !sample.censored && (sample.value - value).abs() <= within * value.abs()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::run;

    const CENSORED: Sample = Sample { value: 5.0, censored: true };

    fn value(bound: Bound, over: Over) -> Expect {
        Expect { metric: "flaps", statistic: None, bound, over, variant: None, ratio_to: None, line: 7 }
    }

    fn with_values(values: &[Option<Sample>]) -> Vec<RunRecord> {
        let put = |(seed, value): (usize, &Option<Sample>)| {
            let mut run = run("default", seed as u64 + 1, 0);
            run.values.clear();
            run.values.extend(value.map(|v| ("flaps".to_owned(), v)));
            run
        };
        values.iter().enumerate().map(put).collect()
    }

    fn verdict(expect: &Expect, runs: &[RunRecord]) -> Verdict {
        evaluate(std::slice::from_ref(expect), runs).remove(0)
    }

    #[test]
    fn each_seed_must_hold_on_its_own_and_the_failing_ones_are_named() {
        let runs = with_values(&[1.0, 9.0, 2.0, 8.0].map(|v| Some(stats::seen(v))));
        let it = verdict(&value(Bound::Below(8.0), Over::EachSeed), &runs);
        assert_eq!((it.held, it.observed, it.failing_seeds), (false, Some(stats::seen(9.0)), vec![2, 4]));
        assert_eq!(it.clause, "flaps below 8, each seed");
        assert!(verdict(&value(Bound::Below(9.5), Over::EachSeed), &runs).held);
        assert_eq!(verdict(&value(Bound::Above(1.0), Over::EachSeed), &runs).failing_seeds, [1]);
    }

    #[test]
    fn median_worst_and_pooled_take_the_seeds_together() {
        let runs = with_values(&[1.0, 9.0, 2.0].map(|v| Some(stats::seen(v))));
        let observed = |bound, over| verdict(&value(bound, over), &runs).observed.unwrap().value;
        assert_eq!(observed(Bound::Below(3.0), Over::Median), 2.0);
        assert_eq!(observed(Bound::Below(3.0), Over::Worst), 9.0);
        assert_eq!(observed(Bound::Above(3.0), Over::Worst), 1.0);
        assert_eq!(observed(Bound::Equals(2.0), Over::Worst), 9.0);
        assert_eq!(observed(Bound::Below(3.0), Over::Pooled), 12.0);
        assert!(verdict(&value(Bound::Below(3.0), Over::Median), &runs).held);
    }

    #[test]
    fn pooled_distributions_merge_samples_and_pooled_rates_average() {
        let runs = [run("default", 1, 10), run("default", 2, 90), run("default", 3, 0)];
        let expect = Expect {
            metric: "detection.first",
            statistic: Some("p99"),
            bound: Bound::Below(60.0),
            over: Over::Pooled,
            variant: None,
            ratio_to: None,
            line: 0,
        };
        let mut pool: Vec<Sample> =
            runs.iter().flat_map(|r| r.distributions["detection.first"].clone()).collect();
        pool.sort_by(stats::by_time);
        let it = verdict(&expect, &runs);
        assert_eq!(it.observed, stats::quantile(&pool, 990));
        let rate = Expect { metric: "load.bytes", statistic: None, ..expect.clone() };
        assert!((verdict(&rate, &runs).observed.unwrap().value - 845.7).abs() < 1e-9);
        assert!(it.held, "a seed without samples has nothing to add");
        assert!(!verdict(&Expect { over: Over::EachSeed, ..expect }, &runs).held);
    }

    #[test]
    fn a_censored_value_fails_below_and_equals_and_passes_above_only_where_what_is_known_suffices() {
        let runs = with_values(&[Some(stats::seen(6.0)), Some(CENSORED)]);
        for over in [Over::EachSeed, Over::Worst, Over::Pooled, Over::Median] {
            let it = verdict(&value(Bound::Below(1000.0), over), &runs);
            assert!(!it.held && it.observed.unwrap().censored && it.remark.is_some(), "{over:?}");
        }
        assert!(!verdict(&value(Bound::Equals(5.0), Over::EachSeed), &with_values(&[Some(CENSORED)])).held);
        assert!(verdict(&value(Bound::Above(5.0), Over::EachSeed), &runs).held);
        assert!(!verdict(&value(Bound::Above(5.5), Over::EachSeed), &runs).held);
    }

    #[test]
    fn a_missing_value_fails_and_says_so() {
        let runs = with_values(&[Some(stats::seen(1.0)), None]);
        let it = verdict(&value(Bound::Below(8.0), Over::EachSeed), &runs);
        assert_eq!((it.held, it.failing_seeds.as_slice()), (false, [2].as_slice()));
        assert_eq!(it.remark.unwrap(), "no value of flaps in seed 2");
        let it = verdict(&value(Bound::Above(0.0), Over::Median), &with_values(&[None]));
        assert!(!it.held && it.observed.is_none() && it.remark.unwrap().contains("nothing happened"));
    }

    #[test]
    fn every_variant_is_judged_apart() {
        let runs = [run("a", 1, 3), run("b", 1, 3)];
        let verdicts = evaluate(&[value(Bound::Below(1e9), Over::EachSeed)], &runs);
        assert_eq!(verdicts.iter().map(|v| v.variant.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
