//! Expectations of every bound, over every way to take seeds together.

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

fn names() -> Vec<String> {
    ["swim", "lifeguard"].map(String::from).to_vec()
}

fn verdict(expect: &Expect, runs: &[RunRecord]) -> Verdict {
    evaluate(std::slice::from_ref(expect), &names(), runs).remove(0)
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
    let verdicts = evaluate(&[value(Bound::Below(1e9), Over::EachSeed)], &names(), &runs);
    assert_eq!(verdicts.iter().map(|v| v.variant.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}
/// Runs of swim and lifeguard with these values, from seed 1 on.
fn two(swim: &[Option<f64>], lifeguard: &[Option<f64>]) -> Vec<RunRecord> {
    let name = |variant: &str, values: &[Option<f64>]| {
        let mut runs = with_values(&values.iter().map(|v| v.map(stats::seen)).collect::<Vec<_>>());
        runs.iter_mut().for_each(|r| r.variant = variant.to_owned());
        runs
    };
    [name("swim", swim), name("lifeguard", lifeguard)].concat()
}

fn ratio(bound: Bound, over: Over) -> Expect {
    Expect { variant: Some(1), ratio_to: Some(0), ..value(bound, over) }
}

#[test]
fn a_ratio_is_paired_by_seed_and_pooled_counts_are_summed_first() {
    let runs = two(&[Some(10.0), Some(100.0), Some(40.0)], &[Some(1.0), Some(30.0), Some(8.0)]);
    let it = |bound, over| verdict(&ratio(bound, over), &runs);
    let each = it(Bound::Below(0.25), Over::EachSeed);
    assert_eq!((each.held, each.observed, each.failing_seeds), (false, Some(stats::seen(0.3)), vec![2]));
    assert_eq!(each.clause, "flaps / that of swim below 0.25, each seed");
    assert_eq!((each.variant.as_str(), each.ratio_to.as_deref()), ("lifeguard", Some("swim")));
    assert_eq!(it(Bound::Below(1.0), Over::Median).observed, Some(stats::seen(0.2)));
    assert_eq!(it(Bound::Above(0.0), Over::Worst).observed, Some(stats::seen(0.1)));
    assert_eq!(it(Bound::Below(1.0), Over::Pooled).observed, Some(stats::seen(39.0 / 150.0)));
    // Without a variant, every other one is judged.
    let all = evaluate(&[Expect { variant: None, ..ratio(Bound::Below(1.0), Over::Worst) }], &names(), &runs);
    assert_eq!(all.iter().map(|v| v.variant.as_str()).collect::<Vec<_>>(), ["lifeguard"]);
}

#[test]
fn division_by_nothing_is_no_value_and_says_so() {
    let runs = two(&[Some(0.0), Some(50.0), None], &[Some(1.0), Some(4.0), Some(2.0)]);
    let it = |over| verdict(&ratio(Bound::Below(1.0), over), &runs);
    for over in [Over::EachSeed, Over::Median, Over::Worst] {
        assert_eq!((it(over).held, it(over).failing_seeds), (false, vec![1, 3]), "{over:?}");
        assert_eq!(it(over).remark.unwrap(), "no quotient: that of swim is 0 in seed 1");
    }
    assert_eq!((it(Over::Pooled).held, it(Over::Pooled).observed), (true, Some(stats::seen(7.0 / 50.0))));
    let never = two(&[Some(0.0)], &[Some(3.0)]);
    let pooled = verdict(&ratio(Bound::Below(1.0), Over::Pooled), &never);
    assert_eq!((pooled.held, pooled.remark.as_deref()), (false, Some("no quotient: that of swim is 0")));
    let alone = verdict(&ratio(Bound::Below(1.0), Over::EachSeed), &two(&[], &[Some(3.0)]));
    assert_eq!(alone.remark.unwrap(), "swim was not run in seed 1");
    let nobody = verdict(&ratio(Bound::Below(1.0), Over::EachSeed), &two(&[Some(3.0)], &[]));
    assert_eq!((nobody.held, nobody.remark.as_deref()), (false, Some("nothing was run")));
}

#[test]
fn a_censored_value_to_divide_by_leaves_nothing_to_be_said() {
    let mut runs = two(&[Some(2.0)], &[Some(3.0)]);
    runs[1].values.insert("flaps".to_owned(), CENSORED);
    let over = verdict(&ratio(Bound::Above(2.0), Over::EachSeed), &runs);
    assert_eq!((over.held, over.observed), (true, Some(Sample { value: 2.5, censored: true })));
    runs[0].values.insert("flaps".to_owned(), CENSORED);
    assert!(verdict(&ratio(Bound::Above(0.0), Over::EachSeed), &runs).observed.is_none());
}

fn shares(shares: &[(u64, u64)]) -> Vec<RunRecord> {
    let put = |(seed, (hits, of)): (usize, &(u64, u64))| {
        let mut run = run("default", seed as u64 + 1, 0);
        run.ratios.clear();
        if *of > 0 {
            run.ratios.insert("event.all".to_owned(), Ratio { hits: *hits, of: *of });
        }
        run
    };
    shares.iter().enumerate().map(put).collect()
}

fn share(bound: Bound, over: Over) -> Expect {
    Expect { metric: "event.all", ..value(bound, over) }
}

#[test]
fn shares_are_pooled_by_their_counts() {
    let runs = shares(&[(9, 10), (990, 990), (0, 0)]);
    let it = verdict(&share(Bound::Above(0.995), Over::Pooled), &runs);
    assert_eq!((it.held, it.observed), (true, Some(stats::seen(0.999))));
    assert_eq!((it.counts, it.interval), (Some(Ratio { hits: 999, of: 1000 }), None));
    let each = verdict(&share(Bound::Equals(1.0), Over::EachSeed), &runs);
    assert_eq!((each.held, each.failing_seeds.as_slice()), (false, [1, 3].as_slice()));
    assert_eq!(each.remark.as_deref(), Some("no value of event.all in seed 3"));
    assert_eq!(verdict(&share(Bound::Above(0.8), Over::Median), &runs[..2]).observed.unwrap().value, 0.95);
    let none = verdict(&share(Bound::Above(0.8), Over::Pooled), &runs[2..]);
    assert!(!none.held && none.observed.is_none() && none.remark.unwrap().contains("nothing happened"));
}

#[test]
fn chance_allows_what_the_wilson_interval_of_all_seeds_together_contains() {
    let of = |hits, of, share_of| {
        let runs = shares(&[(hits, of), (hits, of)]);
        verdict(&share(Bound::WilsonContains(share_of), Over::Pooled), &runs)
    };
    let it = of(1457, 1500, 0.971);
    assert!(it.held && it.interval.is_some_and(|(low, high)| low < 0.963 && high > 0.978), "{it:?}");
    assert_eq!(it.clause, "event.all within chance of 0.971 (99 % Wilson interval), all seeds pooled");
    assert!(!of(1440, 1500, 0.971).held && !of(1475, 1500, 0.971).held);
    assert!(of(1500, 1500, 1.0).held && !of(1499, 1500, 1.0).held);
    assert_eq!(of(1400, 1500, 0.971).failing_seeds, [1, 2]);
}

#[test]
fn quotients_of_shares_are_of_all_counts_together() {
    let mut runs = shares(&[(50, 100), (100, 100), (99, 100), (100, 100)]);
    for (k, run) in runs.iter_mut().enumerate() {
        run.variant = ["swim", "lifeguard"][k / 2].to_owned();
        run.seed = k as u64 % 2 + 1;
    }
    let quotient = |over| Expect { metric: "event.all", ..ratio(Bound::Above(1.3), over) };
    let it = verdict(&quotient(Over::Pooled), &runs);
    assert_eq!((it.held, it.observed, it.counts), (true, Some(stats::seen(0.995 / 0.75)), None));
    assert_eq!(verdict(&quotient(Over::EachSeed), &runs).failing_seeds, [2]);
}

#[test]
fn near_has_a_tolerance_and_a_named_variant_is_judged_alone() {
    let near = Bound::Near { value: 12.5, within: 0.03 };
    let runs = two(&[Some(12.13), Some(12.87)], &[Some(1.0), Some(1.0)]);
    let swim = Expect { variant: Some(0), ..value(near, Over::EachSeed) };
    let it = verdict(&swim, &runs);
    assert_eq!((it.held, it.variant.as_str(), it.within), (true, "swim", Some(0.03)));
    assert_eq!(it.clause, "flaps near 12.5 (within 3 %), each seed");
    assert!(!verdict(&swim, &two(&[Some(12.88)], &[])).held);
    assert!(!verdict(&swim, &two(&[Some(12.12)], &[])).held);
}
