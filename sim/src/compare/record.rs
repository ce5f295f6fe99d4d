//! What is compared: the runs of a scenario, from this program or out of a `summary.json` of any version that this one understands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use super::{Refusal, names};
use crate::record::{FaultEffect, RunRecord};
use crate::scenario::Scenario;
use crate::summary::{SCHEMA, ScenarioFacts, Summary};
use crate::world::effects;

/// The oldest schema whose figures mean what they mean today.
const SCHEMA_MIN: u32 = 3;

/// Longest `summary.json` that is read, in bytes; the program itself writes less than one MiB.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where runs come from.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The scenario's name.
    pub name: String,
    /// How a command line names it: file and overrides, or the folder that was read.
    pub source: String,
    /// Version of the program that ran it.
    #[serde(skip)]
    pub version: String,
    /// Digest of the scenario.
    pub digest: String,
    /// Nodes.
    pub nodes: u32,
    /// Profile: `lan`, `wan`, `local`.
    pub profile: String,
    /// How it begins.
    pub start: String,
    /// Seconds left out of metrics.
    pub warmup: f64,
    /// Seconds to the end of metrics.
    pub duration: f64,
    /// By variant, the settings that are not the profile's.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
}

/// The runs of one scenario, ready to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where they come from.
    pub facts: Facts,
    /// The variants, in the scenario's order.
    pub variants: Vec<String>,
    /// Every run.
    pub runs: Vec<RunRecord>,
    /// When which faults begin and end, in the scenario's order: what any summary has of them.
    pub(super) faults: Vec<String>,
    /// Network, faults and workloads to the letter, where the scenario itself is at hand: a summary does not have them all.
    pub(super) experiment: Option<Experiment>,
}

/// What a scenario does to a cluster, apart from its settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Experiment {
    pub(super) zones: String,
    pub(super) network: String,
    pub(super) faults: Vec<String>,
    pub(super) workloads: Vec<String>,
}

/// The part of `summary.json` that is compared. What else there is, is not looked at, so that it may be there or not.
#[derive(serde::Deserialize)]
struct Stored {
    version: String,
    scenario: Facts,
    variants: Vec<String>,
    runs: Vec<RunRecord>,
}

impl Facts {
    /// What a command line calls it, or the name of a scenario that was built in code.
    #[must_use]
    pub fn source_or_name(&self) -> &str {
        if self.source.is_empty() { &self.name } else { &self.source }
    }
}

impl Record {
    /// Of runs that were just made.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        let Summary { version, scenario, variants, runs, .. } = summary;
        let ScenarioFacts { name, source, digest, nodes, profile, start, warmup, duration, settings, .. } =
            scenario;
        let facts = Facts {
            name: name.clone(),
            source: source.clone(),
            version: version.clone(),
            digest: digest.clone(),
            nodes: *nodes,
            profile: profile.clone(),
            start: start.clone(),
            warmup: *warmup,
            duration: *duration,
            settings: settings.clone(),
        };
        let faults = faults(runs.first().map_or(&[][..], |run| &run.faults[..]));
        Self { facts, variants: variants.clone(), runs: runs.clone(), faults, experiment: None }
    }

    /// Of a scenario before it is run: enough to see whether it [could be compared](super::check).
    #[must_use]
    pub fn planned(scenario: &Scenario) -> Self {
        let summary = Summary::new(scenario, &scenario.digest(), Vec::new());
        let variants = scenario.variants.iter().map(|variant| variant.name.clone()).collect();
        Self { variants, faults: faults(&effects(scenario)), ..Self::of_scenario(&summary, scenario) }
    }

    /// The same with the scenario that was run: then its network, faults and workloads are compared to the letter.
    #[must_use]
    pub fn of_scenario(summary: &Summary, scenario: &Scenario) -> Self {
        let experiment = Experiment {
            zones: format!("{:?}", scenario.cluster.zones),
            network: format!("{:?}", scenario.network),
            faults: scenario.faults.iter().map(|fault| format!("{fault:?}")).collect(),
            workloads: scenario.workloads.iter().map(|workload| format!("{workload:?}")).collect(),
        };
        Self { experiment: Some(experiment), ..Self::of(summary) }
    }

    /// Reads a `summary.json`, or the one of an output folder.
    ///
    /// # Errors
    /// When there is none, it is too long, no summary, or of a version whose figures this program does not know.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let file = if path.is_dir() { path.join("summary.json") } else { path.to_owned() };
        let shown = file.display().to_string();
        let refuse = |why: String| Refusal::Unreadable(shown.clone(), why);
        let unreadable = |error: std::io::Error| {
            let hint = if path.is_dir() {
                "; give the folder of one scenario, such as rumor-out/lan-1000"
            } else {
                ""
            };
            refuse(format!("cannot be read: {error}{hint}"))
        };
        let bytes = fs::metadata(&file).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(refuse(format!("has {bytes} bytes; a summary has at most {FILE_BYTES_MAX}")));
        }
        let text = fs::read_to_string(&file).map_err(unreadable)?;
        Self::parse(&text, &path.display().to_string()).map_err(refuse)
    }

    /// Reads the text of a `summary.json`; `source` is what a command line calls it.
    ///
    /// # Errors
    /// Why it cannot be compared.
    pub fn parse(text: &str, source: &str) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Head {
            schema: Option<u32>,
            version: Option<String>,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|error| format!("is no summary.json of rumor-sim: {error}"))?;
        let Some(schema) = head.schema else {
            return Err("is no summary.json of rumor-sim: there is no \"schema\"".to_owned());
        };
        let by =
            head.version.map(|version| format!(", written by rumormill-sim {version}")).unwrap_or_default();
        if schema > SCHEMA {
            return Err(format!(
                "has schema {schema}{by}; this program knows up to {SCHEMA}: compare with the later program"
            ));
        }
        if schema < SCHEMA_MIN {
            return Err(format!(
                "has schema {schema}{by}; its figures mean something else than those of schema {SCHEMA_MIN}: run it again"
            ));
        }
        let stored: Stored = serde_json::from_str(text)
            .map_err(|error| format!("is not a summary of schema {schema}{by}: {error}"))?;
        if stored.runs.is_empty() {
            return Err("has no runs".to_owned());
        }
        let facts = Facts { version: stored.version, source: source.to_owned(), ..stored.scenario };
        let faults = faults(stored.runs.first().map_or(&[][..], |run| &run.faults[..]));
        Ok(Self { facts, variants: stored.variants, runs: stored.runs, faults, experiment: None })
    }

    /// The seeds that were run.
    #[must_use]
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.runs.iter().map(|run| run.seed).collect()
    }

    /// Leaves out all other seeds than these.
    ///
    /// # Errors
    /// When it has not all of these.
    pub fn restrict(&mut self, seeds: &RangeInclusive<u64>) -> Result<(), Refusal> {
        let has = self.seeds();
        let (first, last) = (*seeds.start(), *seeds.end());
        // Counted in numbers that hold all seeds there are.
        let wanted = (u128::from(last) + 1).saturating_sub(u128::from(first));
        let found = has.iter().filter(|seed| seeds.contains(*seed)).count() as u128;
        if found < wanted {
            let (source, wanted, has) =
                (self.facts.source_or_name(), names::range(first, last), names::ranges(has));
            return Err(Refusal::Lacking(format!(
                "{source} has not all of the seeds asked for, {wanted}; it has {has}"
            )));
        }
        self.runs.retain(|run| seeds.contains(&run.seed));
        Ok(())
    }

    /// The runs of a variant by seed.
    pub(super) fn runs_of(&self, variant: &str) -> BTreeMap<u64, &RunRecord> {
        self.runs.iter().filter(|run| run.variant == variant).map(|run| (run.seed, run)).collect()
    }
}

/// What a scenario says of its faults, and every run repeats; nothing of it is drawn.
fn faults(effects: &[FaultEffect]) -> Vec<String> {
    let one = |fault: &FaultEffect| {
        let until = fault.until.map(|until| format!(" until {until} s")).unwrap_or_default();
        let name = if fault.name.is_empty() { String::new() } else { format!(" {:?}", fault.name) };
        format!("{}{name} at {} s{until}", fault.kind, fault.at)
    };
    effects.iter().map(one).collect()
}
