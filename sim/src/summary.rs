//! What all runs of one scenario found: the value behind `summary.json`, from which every report is made.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::expect::{self, Verdict};
use crate::histogram;
use crate::over_time::OverTime;
use crate::record::{RunRecord, Series};
use crate::scenario::{Profile, Scenario, Start, Variant};
use crate::steady::Steady;
use crate::theory::FirstDetection;

/// The version of `summary.json`'s schema.
pub const SCHEMA: u32 = 3;

/// Samples of one distribution in one run, beyond which it is kept as a [`histogram`].
pub const SAMPLES_MAX: usize = 2000;

/// What `summary.json` may have; more, and these are given up, in this order, until it fits: names and remarks of invariants that
/// repeat those of the variant's first run, series of runs, names of nodes, single samples.
const BYTES_MAX: usize = 450_000;

/// What all runs of one scenario found. Its serde form is `summary.json`: distributions are sorted lists in which a plain number
/// was observed, `{"over": x}` had not happened after x, and `[x, n]` stands for n times x; times are seconds.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the crate that ran it.
    pub version: String,
    /// What was run.
    pub scenario: ScenarioFacts,
    /// Whether everything held: see [`Summary::holds`].
    pub holds: bool,
    /// The variants, in the scenario's order; the others are compared with the first.
    pub variants: Vec<String>,
    /// The seeds, sorted.
    pub seeds: Vec<u64>,
    /// What became of the expectations.
    pub expectations: Vec<Verdict>,
    /// Figures over time by variant, all its seeds together.
    pub over_time: BTreeMap<String, OverTime>,
    /// By variant where the quiet time before the first fault is long enough: whether it had settled after the warm-up.
    pub steady: BTreeMap<String, Steady>,
    /// Every run, by variant and seed.
    pub runs: Vec<RunRecord>,
}

/// What a report says of the scenario.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScenarioFacts {
    /// Its name.
    pub name: String,
    /// How a command line names it: file and overrides.
    pub source: String,
    /// The question it answers.
    pub about: String,
    /// Digest of the scenario.
    pub digest: String,
    /// Nodes.
    pub nodes: u32,
    /// Profile: `lan`, `wan`, `local`.
    pub profile: String,
    /// How it begins: `converged`, `join`.
    pub start: String,
    /// Seconds left out of metrics.
    pub warmup: f64,
    /// Seconds from t = 0 to the end of metrics.
    pub duration: f64,
    /// By variant, the settings that are not the profile's.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// By variant, the closed form of first detection, where it applies.
    pub first_detection: BTreeMap<String, FirstDetection>,
}

impl Summary {
    /// Gathers runs and judges the scenario's expectations. The order of `runs` does not matter.
    #[must_use]
    pub fn new(scenario: &Scenario, scenario_digest: &str, mut runs: Vec<RunRecord>) -> Self {
        runs.iter_mut().for_each(|run| run.series.without_idle_queues());
        let named: Vec<String> = scenario.variants.iter().map(|v| v.name.clone()).collect();
        let rank =
            |run: &RunRecord| named.iter().position(|name| *name == run.variant).unwrap_or(named.len());
        runs.sort_by(|a, b| (rank(a), &a.variant, a.seed).cmp(&(rank(b), &b.variant, b.seed)));
        let mut variants: Vec<String> = runs.iter().map(|r| r.variant.clone()).collect();
        variants.dedup();
        let mut seeds: Vec<u64> = runs.iter().map(|r| r.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        // Judged by every sample, before anything is made smaller.
        let expectations = expect::evaluate(&scenario.expects, &named, &runs);
        let over_time = |name: &String| {
            let runs: Vec<&RunRecord> = runs.iter().filter(|r| r.variant == *name).collect();
            (name.clone(), OverTime::of(&runs))
        };
        // Of a cluster that is just forming, nothing is steady.
        let settles = scenario.cluster.start == Start::Converged;
        let steady = |name: &String| {
            let runs: Vec<&RunRecord> = runs.iter().filter(|r| r.variant == *name).collect();
            let (warmup, quiet) = (scenario.warmup.as_secs_f64(), same_until(scenario).as_secs_f64());
            Some((name.clone(), Steady::of(&runs, warmup, quiet).filter(|_| settles)?))
        };
        let mut summary = Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: ScenarioFacts::new(scenario, scenario_digest),
            holds: false,
            over_time: variants.iter().map(over_time).collect(),
            steady: variants.iter().filter_map(steady).collect(),
            variants,
            seeds,
            expectations,
            runs,
        };
        summary.holds = summary.holds();
        summary.fit();
        summary
    }

    /// Gives up what does not fit into [`BYTES_MAX`], so that a summary and its file are the same, and reports made from either.
    fn fit(&mut self) {
        let lists = |run: &mut RunRecord, more_than: usize| {
            for list in run.distributions.values_mut().filter(|list| list.len() > more_than) {
                histogram::bucket(list);
            }
        };
        self.runs.iter_mut().for_each(|run| lists(run, SAMPLES_MAX));
        if self.to_json().len() > BYTES_MAX {
            self.tell_invariants_once();
        }
        let no_names = |run: &mut RunRecord| run.faults.iter_mut().for_each(|fault| fault.nodes.clear());
        let steps: [&dyn Fn(&mut RunRecord); 3] =
            [&|run| run.series = Series::default(), &no_names, &|run| lists(run, 2)];
        for step in steps {
            if self.to_json().len() > BYTES_MAX {
                self.runs.iter_mut().for_each(step);
            }
        }
    }

    /// Leaves out names and remarks of invariants that repeat those of the variant's first run.
    fn tell_invariants_once(&mut self) {
        for of_variant in self.runs.chunk_by_mut(|a, b| a.variant == b.variant) {
            let Some((first, others)) = of_variant.split_first_mut() else { continue };
            for invariant in others.iter_mut().flat_map(|run| &mut run.invariants) {
                let Some(told) = first.invariants.iter().find(|told| told.number == invariant.number) else {
                    continue;
                };
                if told.name == invariant.name {
                    invariant.name.clear();
                }
                if told.remark == invariant.remark {
                    invariant.remark = None;
                }
            }
        }
    }

    /// Whether something was run, every expectation and invariant held, and every fault acted in every run unless it may be idle.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.runs.is_empty()
            && self.expectations.iter().all(|e| e.held)
            && self.runs.iter().all(|r| r.invariants.iter().all(|i| i.violations == 0))
            && self.runs.iter().all(|r| r.faults.iter().all(|f| f.acted() || f.may_be_idle))
    }

    /// `summary.json`: one line per run, so that it stays small and differences stay readable.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\n");
        let mut field = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(out, "  \"{name}\": {value},");
        };
        field("schema", self.schema.to_string());
        field("version", json(&self.version));
        field("scenario", json(&self.scenario));
        field("holds", self.holds.to_string());
        field("variants", json(&self.variants));
        field("seeds", json(&self.seeds));
        field("expectations", lines(&self.expectations));
        field("over_time", json(&self.over_time));
        field("steady", json(&self.steady));
        let _ = writeln!(out, "  \"runs\": {}\n}}", lines(&self.runs));
        out
    }

    /// The seeds in which something did not hold, in any variant: what a person reruns first.
    #[must_use]
    pub fn failing_seeds(&self) -> Vec<u64> {
        let bad_run = |r: &RunRecord| {
            r.invariants.iter().any(|i| i.violations > 0)
                || r.faults.iter().any(|f| !f.acted() && !f.may_be_idle)
        };
        let mut seeds: Vec<u64> = self.runs.iter().filter(|r| bad_run(r)).map(|r| r.seed).collect();
        seeds.extend(self.expectations.iter().flat_map(|e| e.failing_seeds.iter().copied()));
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }

    /// The runs of one variant, by seed.
    #[must_use]
    pub fn runs_of(&self, variant: &str) -> Vec<&RunRecord> {
        self.runs.iter().filter(|r| r.variant == variant).collect()
    }
}

impl ScenarioFacts {
    fn new(scenario: &Scenario, digest: &str) -> Self {
        let profile = match scenario.cluster.profile {
            Profile::Lan => "lan",
            Profile::Wan => "wan",
            Profile::Local => "local",
        };
        let start = match scenario.cluster.start {
            Start::Converged => "converged",
            Start::Join => "join",
            Start::JoinStaggered { .. } => "join-staggered",
        };
        Self {
            name: scenario.name.clone(),
            source: scenario.source.clone(),
            about: scenario.about.clone(),
            digest: digest.to_owned(),
            nodes: scenario.cluster.nodes,
            profile: profile.to_owned(),
            start: start.to_owned(),
            warmup: scenario.warmup.as_secs_f64(),
            duration: scenario.duration.as_secs_f64(),
            settings: scenario.variants.iter().map(|v| (v.name.clone(), settings(scenario, v))).collect(),
            first_detection: scenario
                .variants
                .iter()
                .filter_map(|v| Some((v.name.clone(), FirstDetection::of(scenario, v)?)))
                .collect(),
        }
    }
}

/// A workload that begins again within this time is a stream, and its beginnings are no events of their own.
const STREAM_MAX: Duration = Duration::from_secs(10);

/// Until when applications do the same as at the end of the warm-up.
fn same_until(scenario: &Scenario) -> Duration {
    let changes = scenario.workloads.iter().filter(|workload| !workload.off).map(|workload| {
        if workload.at > scenario.warmup || workload.every.is_none_or(|every| every > STREAM_MAX) {
            workload.at.max(scenario.warmup)
        } else {
            workload.until.unwrap_or(scenario.duration)
        }
    });
    changes.fold(scenario.duration, Duration::min)
}

/// A variant's settings that are not the profile's, and what it changes on the network, as a file would write them.
pub(crate) fn settings(scenario: &Scenario, variant: &Variant) -> BTreeMap<String, String> {
    let table = |config| toml::Table::try_from(config).unwrap_or_default();
    let (profile, own) = (table(&scenario.cluster.profile.config()), table(&variant.config));
    let differs = |(key, value): &(String, toml::Value)| profile.get(key) != Some(value);
    let network = variant.travel.keys().into_iter().map(|(key, value)| (format!("network.{key}"), value));
    own.into_iter().filter(differs).map(|(key, value)| (key, value.to_string())).chain(network).collect()
}

/// These types have string keys and finite numbers only, so they always serialise.
fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn lines<T: serde::Serialize>(items: &[T]) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let lines: Vec<String> = items.iter().map(|item| format!("    {}", json(item))).collect();
    format!("[\n{}\n  ]", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};
    use crate::scenario::{Workload, WorkloadKind};
    use rumormill_core::Config;

    #[test]
    fn a_summary_survives_its_json_and_does_not_depend_on_the_order_of_runs() {
        let runs = vec![run("b", 2, 20), run("a", 2, 20), run("a", 1, 20)];
        let summary = Summary::new(&scenario(), "d1", runs.clone());
        let read: Summary = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(read, summary);
        let order: Vec<(&str, u64)> = summary.runs.iter().map(|r| (r.variant.as_str(), r.seed)).collect();
        assert_eq!(order, [("a", 1), ("a", 2), ("b", 2)]);
        let reversed = Summary::new(&scenario(), "d1", runs.into_iter().rev().collect());
        assert_eq!(reversed.to_json(), summary.to_json());
    }

    #[test]
    fn variants_keep_the_scenario_s_order_and_its_facts() {
        let mut scenario = scenario();
        let swim = Config { suspicion_max_mult: 1, ..Config::lan() };
        scenario.variants = vec![Variant::new("swim", swim), Variant::new("lifeguard", Config::lan())];
        let runs = vec![run("lifeguard", 1, 3), run("swim", 1, 3)];
        let summary = Summary::new(&scenario, "d", runs);
        assert_eq!(summary.variants, ["swim", "lifeguard"]);
        let differing = &summary.scenario.settings["swim"];
        assert_eq!(
            differing.iter().collect::<Vec<_>>(),
            [(&"suspicion_max_mult".to_owned(), &"1".to_owned())]
        );
        assert!(summary.scenario.settings["lifeguard"].is_empty());
        assert_eq!(summary.over_time["swim"].runs, 1);
    }

    #[test]
    fn a_hundred_seeds_of_two_variants_and_very_many_samples_stay_below_a_megabyte() {
        let mut scenario = scenario();
        scenario.variants = ["a", "b"].map(|name| Variant::new(name, Config::lan())).to_vec();
        for samples in [10, 60] {
            let runs = (1..=100).flat_map(|s| [run("a", s, samples), run("b", s, samples)]).collect();
            let summary = Summary::new(&scenario, "d", runs);
            let text = summary.to_json();
            assert!(text.len() < 1_000_000, "{} bytes with {samples} samples", text.len());
            assert!(summary.runs.iter().all(|r| r.series.is_empty() && !r.digest.is_empty()));
            let told = |has: fn(&crate::record::InvariantOutcome) -> bool| {
                summary.runs.iter().filter(|run| has(&run.invariants[0])).count()
            };
            let counts = (told(|i| !i.name.is_empty()), told(|i| i.remark.is_some()));
            assert_eq!(counts, (2, 2), "once per variant");
            assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
        }
        let many = Summary::new(&scenario, "d", (1..=3).map(|s| run("a", s, 20_000)).collect());
        let text = many.to_json();
        assert!(text.len() < 300_000, "{} bytes", text.len());
        assert_eq!(many.runs[0].distributions["detection.first"].len(), 20_000, "no sample is lost");
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), many);
    }

    #[test]
    fn nothing_is_steady_while_applications_change_what_they_do() {
        let seconds = Duration::from_secs;
        let stream = |from: u64, until: Option<u64>| Workload {
            every: Some(seconds(1)),
            until: until.map(seconds),
            ..Workload::new(
                seconds(from),
                WorkloadKind::Event { from: crate::scenario::Selector::Pick(1), size: 64, burst: 1 },
            )
        };
        let until = |workloads: &[Workload]| {
            same_until(&Scenario { workloads: workloads.to_vec(), ..scenario() }).as_secs()
        };
        assert_eq!((until(&[]), until(&[stream(10, None)]), until(&[stream(5, Some(60))])), (180, 180, 60));
        assert_eq!((until(&[stream(10, None), stream(40, None)]), until(&[stream(99, Some(120))])), (40, 99));
        let once = Workload { every: None, ..stream(5, None) };
        assert_eq!(until(std::slice::from_ref(&once)), 10, "something rare is an event of its own");
        assert_eq!(until(&[Workload { off: true, ..once }]), 180);
    }

    #[test]
    fn it_holds_only_if_expectations_invariants_and_faults_all_do() {
        let good = Summary::new(&scenario(), "d", vec![run("default", 1, 20)]);
        assert!(good.holds() && good.failing_seeds().is_empty(), "{:?}", good.expectations);
        assert!(!Summary::new(&scenario(), "d", Vec::new()).holds());

        let mut violated = good.clone();
        violated.runs[0].invariants[0].violations = 1;
        assert!(!violated.holds());
        assert_eq!(violated.failing_seeds(), [1]);

        let mut idle = good.clone();
        idle.runs[0].faults[0].did.clear();
        assert!(!idle.holds());
        idle.runs[0].faults[0].may_be_idle = true;
        assert!(idle.holds());

        let mut missed = good;
        missed.expectations[0].held = false;
        assert!(!missed.holds());
    }
}
