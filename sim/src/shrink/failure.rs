//! What failed, and whether something else fails in the same way.

use std::fmt;

use crate::expect::{self, Relation, Verdict};
use crate::record::{FaultEffect, InvariantOutcome, RunRecord, Sample};
use crate::scenario::{Expect, Fault, Scenario};

/// One run of each variant, or the words with which one of them panicked.
pub(super) type Runs = Result<Vec<RunRecord>, String>;

/// In which way an expectation is not met: a shrunk scenario must not swap one for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// There was nothing to observe.
    Nothing,
    /// What was observed does not meet the bound.
    Seen,
    /// It had not happened when the observation ended, and that is known to be too late.
    Never,
    /// It had not happened when the observation ended, which was too soon to say whether the bound would have been met.
    Undecided,
}

/// What failed. Another run fails in the same way if it panics with the same words, digits apart; violates the same invariant; does not meet
/// the same expectation, and that in the same [`Way`]; or has a fault of the same kind, and name where it has one, that touched nothing and
/// had to.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A run panicked.
    Panic {
        /// Its words, on one line.
        message: String,
    },
    /// An invariant was violated.
    Invariant {
        /// Its number in the design.
        number: u8,
        /// Its name.
        name: String,
    },
    /// An expectation was not met.
    Expectation {
        /// It, in words.
        clause: String,
        /// Its metric, without a statistic.
        metric: &'static str,
        /// How it was not met.
        way: Way,
    },
    /// A fault that had to act touched nothing.
    Idle {
        /// Its kind.
        kind: String,
        /// Its name; empty when it has none.
        name: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { message } => write!(f, "a run panics: {message}"),
            Self::Invariant { number, name } => write!(f, "invariant {number} is violated ({name})"),
            Self::Expectation { clause, way, .. } => {
                let why = match way {
                    Way::Nothing => ": there is nothing to observe",
                    Way::Seen => "",
                    Way::Never => ": it does not happen in time",
                    Way::Undecided => ": it has not happened when the observation ends",
                };
                write!(f, "the expectation is not met: {clause}{why}")
            }
            Self::Idle { kind, name } if name.is_empty() => {
                write!(f, "a fault of kind {kind} touches nothing")
            }
            Self::Idle { kind, name } => write!(f, "fault {name} of kind {kind} touches nothing"),
        }
    }
}

/// What fails first, with the scenario cut down to what is needed to see it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) failure: Failure,
    pub(super) scenario: Scenario,
    /// Seconds from t = 0 to the violation, if it is one.
    pub(super) moment: Option<f64>,
}

/// A panic in a run of that variant.
pub(super) fn panicked(scenario: &Scenario, variant: usize, message: String) -> Found {
    let scenario = Scenario { expects: Vec::new(), ..with_variants(scenario, &[variant]) };
    Found { failure: Failure::Panic { message }, scenario, moment: None }
}

/// What fails first in runs of all variants with one seed: invariants by their numbers, then expectations in their order, then idle
/// faults. `only`: in that variant.
pub(super) fn first(scenario: &Scenario, records: &[RunRecord], only: Option<usize>) -> Option<Found> {
    let judged = |variant: &usize| only.is_none_or(|only| only == *variant);
    invariant(scenario, records, judged)
        .or_else(|| expectation(scenario, records, judged))
        .or_else(|| idle(scenario, records, judged))
}

fn invariant(scenario: &Scenario, records: &[RunRecord], judged: impl Fn(&usize) -> bool) -> Option<Found> {
    let violated = |(variant, record): (usize, &RunRecord)| {
        let outcome = record.invariants.iter().find(|outcome| outcome.violations > 0)?;
        Some((outcome.number, variant, outcome.clone()))
    };
    let all = records.iter().enumerate().filter(|(variant, _)| judged(variant)).filter_map(violated);
    let (number, variant, outcome) = all.min_by_key(|(number, variant, _)| (*number, *variant))?;
    let scenario = Scenario { expects: Vec::new(), ..with_variants(scenario, &[variant]) };
    let moment = outcome.first.map(|violation| violation.at);
    Some(Found { failure: Failure::Invariant { number, name: outcome.name }, scenario, moment })
}

fn expectation(scenario: &Scenario, records: &[RunRecord], judged: impl Fn(&usize) -> bool) -> Option<Found> {
    let names = names(scenario);
    let place = |name: &str| names.iter().position(|other| other == name);
    for expect in &scenario.expects {
        for verdict in expect::evaluate(std::slice::from_ref(expect), &names, records) {
            let Some(variant) = place(&verdict.variant).filter(|variant| judged(variant) && !verdict.held)
            else {
                continue;
            };
            let alone = Scenario {
                expects: vec![Expect { variant: Some(variant), ..expect.clone() }],
                ..scenario.clone()
            };
            let keep: Vec<usize> = [Some(variant), expect.ratio_to].into_iter().flatten().collect();
            let mut scenario = with_variants(&alone, &keep);
            // Where there is one variant, it need not be named.
            if scenario.variants.len() == 1 {
                scenario.expects.iter_mut().for_each(|expect| expect.variant = None);
            }
            let way = way(&verdict);
            let failure = Failure::Expectation { clause: verdict.clause, metric: expect.metric, way };
            return Some(Found { failure, scenario, moment: None });
        }
    }
    None
}

fn idle(scenario: &Scenario, records: &[RunRecord], judged: impl Fn(&usize) -> bool) -> Option<Found> {
    let runs = records.iter().enumerate().filter(|(variant, _)| judged(variant));
    let (variant, effect) = runs
        .flat_map(|(variant, record)| record.faults.iter().map(move |effect| (variant, effect)))
        .find(|(_, effect)| is_idle(effect))?;
    let failure = Failure::Idle { kind: effect.kind.clone(), name: effect.name.clone() };
    let scenario = Scenario { expects: Vec::new(), ..with_variants(scenario, &[variant]) };
    Some(Found { failure, scenario, moment: None })
}

fn is_idle(effect: &FaultEffect) -> bool {
    !effect.acted() && !effect.may_be_idle
}

/// The scenario with these variants only, in their order, and the expectations that are about them.
pub(super) fn with_variants(scenario: &Scenario, keep: &[usize]) -> Scenario {
    let kept: Vec<usize> = (0..scenario.variants.len()).filter(|variant| keep.contains(variant)).collect();
    let place = |old: usize| kept.iter().position(|variant| *variant == old);
    let mut cut = scenario.clone();
    cut.variants = kept.iter().map(|variant| scenario.variants[*variant].clone()).collect();
    cut.expects.retain_mut(|expect| {
        let (variant, ratio_to) = (expect.variant.map(place), expect.ratio_to.map(place));
        (expect.variant, expect.ratio_to) = (variant.flatten(), ratio_to.flatten());
        variant != Some(None) && ratio_to != Some(None)
    });
    cut
}

fn names(scenario: &Scenario) -> Vec<String> {
    scenario.variants.iter().map(|variant| variant.name.clone()).collect()
}

impl Failure {
    /// Whether it is about that fault: one that touches nothing proves something only as long as it has all that it could touch.
    pub(super) fn is_about(&self, fault: &Fault) -> bool {
        let same =
            |kind: &str, name: &str| kind == fault.kind.name() && (name.is_empty() || name == fault.name);
        matches!(self, Self::Idle { kind, name } if same(kind, name))
    }

    /// What else does not hold in runs of a scenario that has nothing left but what this is about, in words.
    pub(super) fn besides(&self, runs: &Runs) -> Vec<String> {
        let own = |outcome: &InvariantOutcome| matches!(self, Self::Invariant { number, .. } if *number == outcome.number);
        let mut all = Vec::new();
        for outcome in runs.iter().flatten().flat_map(|record| &record.invariants) {
            let told = format!("invariant {} is violated ({})", outcome.number, outcome.name);
            if outcome.violations > 0 && !own(outcome) && !all.contains(&told) {
                all.push(told);
            }
        }
        all
    }

    /// Whether only a whole run shows it, with the quiet time after the measured one.
    pub(super) fn needs_quiet_time(&self, moment: Option<f64>, duration: f64) -> bool {
        // When a run panics is not known.
        matches!(self, Self::Panic { .. } | Self::Invariant { .. }) && moment.is_none_or(|at| at > duration)
    }

    /// Whether runs of a scenario's variants fail in this way.
    pub(super) fn shows(&self, scenario: &Scenario, runs: &Runs) -> bool {
        self.seen(scenario, runs).is_some()
    }

    /// What was seen of it in runs of a scenario's variants, in words; `None` when they do not fail in this way.
    pub(super) fn seen(&self, scenario: &Scenario, runs: &Runs) -> Option<String> {
        match (self, runs) {
            (Self::Panic { message }, Err(words)) => {
                let same = without_digits(message) == without_digits(words);
                same.then(|| format!("its words: {words}"))
            }
            (_, Ok(records)) => self.seen_in(scenario, records),
            (_, Err(_)) => None,
        }
    }

    fn seen_in(&self, scenario: &Scenario, records: &[RunRecord]) -> Option<String> {
        match self {
            Self::Panic { .. } => None,
            Self::Invariant { number, .. } => {
                let violated =
                    |outcome: &&InvariantOutcome| outcome.number == *number && outcome.violations > 0;
                let outcome = records.iter().flat_map(|record| &record.invariants).find(violated)?;
                Some(match &outcome.first {
                    Some(first) => format!("at {} s, at {}: {}", first.at, first.node, first.what),
                    None => format!("{} times", outcome.violations),
                })
            }
            Self::Expectation { way: wanted, .. } => {
                let verdicts = expect::evaluate(&scenario.expects, &names(scenario), records);
                let verdict = verdicts.iter().find(|verdict| !verdict.held && way(verdict) == *wanted)?;
                Some(match verdict.observed {
                    Some(Sample { value, censored: false }) => format!("observed {value}"),
                    Some(Sample { value, censored: true }) => format!("observed more than {value}"),
                    None => verdict.remark.clone().unwrap_or_else(|| "nothing observed".to_owned()),
                })
            }
            Self::Idle { kind, name } => {
                let same = |effect: &&FaultEffect| {
                    is_idle(effect) && effect.kind == *kind && (name.is_empty() || effect.name == *name)
                };
                let effect = records.iter().flat_map(|record| &record.faults).find(same)?;
                Some(format!("it began {} times, and was aimed at {} nodes", effect.times, effect.aimed))
            }
        }
    }
}

/// Numbers of nodes, places and moments are others in a smaller scenario.
fn without_digits(words: &str) -> String {
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// In which way an expectation that did not hold was not met.
fn way(verdict: &Verdict) -> Way {
    match verdict.observed {
        None => Way::Nothing,
        Some(Sample { censored: false, .. }) => Way::Seen,
        Some(Sample { value, censored: true }) => {
            let too_late = match verdict.relation {
                Relation::Below => value >= verdict.bound,
                Relation::Equals => value > verdict.bound,
                Relation::Near => value > verdict.bound * (1.0 + verdict.within.unwrap_or(0.0)),
                // More than enough is not known to be missed by what may still grow.
                Relation::Above | Relation::WilsonContains => false,
            };
            if too_late { Way::Never } else { Way::Undecided }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};
    use crate::scenario::{Bound, Over, Variant};
    use rumormill_core::Config;

    fn expect(bound: Bound) -> Expect {
        let statistic = None;
        Expect {
            metric: "convergence",
            statistic,
            bound,
            over: Over::EachSeed,
            variant: None,
            ratio_to: None,
            line: 0,
        }
    }

    fn with(bound: Bound, observed: Option<Sample>) -> (Scenario, Vec<RunRecord>) {
        let scenario = Scenario { expects: vec![expect(bound)], ..scenario() };
        let mut record = run("default", 1, 20);
        record.values.remove("convergence");
        record.values.extend(observed.map(|sample| ("convergence".to_owned(), sample)));
        (scenario, vec![record])
    }

    #[test]
    fn late_never_undecided_and_nothing_are_four_ways_to_fail() {
        let sample = |value, censored| Some(Sample { value, censored });
        let below = Bound::Below(20.0);
        let cases = [
            (below, sample(30.0, false), Some(Way::Seen)),
            (below, sample(30.0, true), Some(Way::Never)),
            (below, sample(10.0, true), Some(Way::Undecided)),
            (below, None, Some(Way::Nothing)),
            (below, sample(10.0, false), None),
            (Bound::Above(20.0), sample(10.0, true), Some(Way::Undecided)),
        ];
        for (bound, observed, wanted) in cases {
            let (scenario, records) = with(bound, observed);
            let found = first(&scenario, &records, None).map(|found| found.failure);
            let way = found.as_ref().map(|failure| match failure {
                Failure::Expectation { way, .. } => *way,
                other => panic!("{other}"),
            });
            assert_eq!(way, wanted, "{observed:?}");
            for (other_bound, other, other_way) in cases {
                let (scenario, records) = with(other_bound, other);
                let shows = found.as_ref().is_some_and(|failure| failure.shows(&scenario, &Ok(records)));
                assert_eq!(shows, way.is_some() && other_way == way, "{observed:?} {other:?}");
            }
        }
    }

    #[test]
    fn invariants_come_first_then_expectations_then_idle_faults() {
        let (scenario, mut records) = with(Bound::Below(20.0), None);
        records[0].faults[0].did.clear();
        let number = records[0].invariants[0].number;
        records[0].invariants[0].violations = 2;
        let kind = |records: &[RunRecord]| first(&scenario, records, None).map(|found| found.failure);
        assert!(matches!(kind(&records), Some(Failure::Invariant { number: n, .. }) if n == number));
        records[0].invariants[0].violations = 0;
        assert!(matches!(kind(&records), Some(Failure::Expectation { .. })));
        records[0].values.insert("convergence".to_owned(), Sample { value: 1.0, censored: false });
        assert!(matches!(kind(&records), Some(Failure::Idle { .. })));
        records[0].faults[0].may_be_idle = true;
        assert_eq!(kind(&records), None);
    }

    #[test]
    fn a_panic_is_the_same_with_other_numbers_and_nothing_else_is() {
        let scenario = scenario();
        let panic = panicked(&scenario, 0, "index 7 of node-12".to_owned()).failure;
        assert_eq!(panic.to_string(), "a run panics: index 7 of node-12");
        let says = |words: &str| panic.seen(&scenario, &Err(words.to_owned()));
        assert_eq!(says("index 12 of node-3").as_deref(), Some("its words: index 12 of node-3"));
        assert_eq!(says("no index"), None);
        assert_eq!(panic.seen(&scenario, &Ok(vec![run("default", 1, 20)])), None);
        let idle = Failure::Idle { kind: "crash".to_owned(), name: String::new() };
        assert_eq!(idle.seen(&scenario, &Err("index 7 of node-12".to_owned())), None);
    }

    #[test]
    fn what_else_is_violated_is_told_once() {
        let mut records = vec![run("a", 1, 20), run("b", 1, 20)];
        let (number, name) = (records[0].invariants[0].number, records[0].invariants[0].name.clone());
        records.iter_mut().for_each(|record| record.invariants[0].violations = 2);
        let runs = Ok(records);
        let idle = Failure::Idle { kind: "crash".to_owned(), name: String::new() };
        assert_eq!(idle.besides(&runs), [format!("invariant {number} is violated ({name})")]);
        assert!(Failure::Invariant { number, name }.besides(&runs).is_empty());
        assert!(idle.besides(&Err("no way".to_owned())).is_empty());
    }

    #[test]
    fn only_what_the_measured_time_does_not_show_needs_the_whole_run() {
        let violated = Failure::Invariant { number: 7, name: "quiet time".to_owned() };
        assert!(violated.needs_quiet_time(None, 60.0) && violated.needs_quiet_time(Some(61.0), 60.0));
        assert!(!violated.needs_quiet_time(Some(59.0), 60.0));
        let idle = Failure::Idle { kind: "crash".to_owned(), name: String::new() };
        assert!(!idle.needs_quiet_time(None, 60.0));
    }

    #[test]
    fn a_quotient_keeps_both_its_variants_and_anything_else_one() {
        let mut scenario = scenario();
        scenario.variants = ["a", "b", "c", "d"].map(|name| Variant::new(name, Config::lan())).to_vec();
        let ratio = Expect { ratio_to: Some(1), variant: Some(3), ..expect(Bound::Below(0.5)) };
        let plain = Expect { variant: Some(2), ..expect(Bound::Below(20.0)) };
        let records: Vec<RunRecord> = scenario.variants.iter().map(|v| run(&v.name, 1, 20)).collect();
        scenario.expects = vec![ratio.clone(), plain.clone()];
        let found = first(&scenario, &records, None).unwrap().scenario;
        assert_eq!(found.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(found.expects, [Expect { ratio_to: Some(0), variant: Some(1), ..ratio }]);

        let late = Expect { bound: Bound::Below(1.0), ..plain };
        scenario.expects = vec![late.clone()];
        let found = first(&scenario, &records, None).unwrap().scenario;
        assert_eq!((found.variants.len(), found.variants[0].name.as_str()), (1, "c"));
        assert_eq!(found.expects, [Expect { variant: None, ..late }]);
        assert!(first(&scenario, &records, Some(0)).is_none(), "that variant holds");
    }
}
