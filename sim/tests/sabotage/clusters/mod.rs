//! The checks that are small clusters: a scenario with what it expects, and every invariant.

mod applications;
mod coming_and_going;
mod detection;
mod news;

use rumormill_core::Sabotage;
use rumormill_sim::record::RunRecord;
use rumormill_sim::{Scenario, expect, world};

/// A small cluster, and what must come of it.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) asks: &'static str,
    /// The scenario, but for its name.
    text: &'static str,
    /// What its expectations cannot say.
    more: fn(&RunRecord) -> Result<(), String>,
}

impl Cluster {
    /// Runs it with a rule broken; the first thing that does not hold.
    pub(crate) fn run(&self, rule: Sabotage, seed: u64) -> Result<(), String> {
        let text = format!("name = \"{}\"\n{}", self.name, self.text);
        let mut scenario = Scenario::parse(&text, self.name, &[]).map_err(|problems| problems.to_string())?;
        let names: Vec<String> = scenario.variants.iter().map(|variant| variant.name.clone()).collect();
        scenario.variants.iter_mut().for_each(|variant| variant.config.sabotage = rule);
        let record = world::run(&scenario, 0, seed);
        if let Some(invariant) = record.invariants.iter().find(|invariant| invariant.violations > 0) {
            let what = invariant.first.as_ref().map_or("", |first| &first.what);
            return Err(format!("invariant {}: {what}", invariant.number));
        }
        if let Some(idle) = record.faults.iter().find(|fault| !fault.acted()) {
            return Err(format!("the fault {} touched nothing", idle.kind));
        }
        let verdicts = expect::evaluate(&scenario.expects, &names, std::slice::from_ref(&record));
        if let Some(verdict) = verdicts.iter().find(|verdict| !verdict.held) {
            return Err(format!("{}: {:?}", verdict.clause, verdict.observed));
        }
        (self.more)(&record)
    }
}

fn nothing_more(_: &RunRecord) -> Result<(), String> {
    Ok(())
}

/// Messages of a kind that were sent in measured time.
fn sent(record: &RunRecord, kind: &str) -> u64 {
    record.load_by_kind.get(kind).map_or(0, |load| load.messages)
}

fn at_most(record: &RunRecord, kind: &str, most: u64) -> Result<(), String> {
    let count = sent(record, kind);
    if count <= most {
        Ok(())
    } else {
        Err(format!("{count} messages of kind {kind}, at most {most} are right"))
    }
}

fn at_least(record: &RunRecord, kind: &str, least: u64) -> Result<(), String> {
    let count = sent(record, kind);
    if count >= least {
        Ok(())
    } else {
        Err(format!("{count} messages of kind {kind}, at least {least} are right"))
    }
}

/// Quiet time is judged: nothing about the cluster excuses views that stay wrong.
fn is_judged(record: &RunRecord) -> Result<(), String> {
    match record.invariants.iter().find_map(|invariant| invariant.not_applicable.clone()) {
        None => Ok(()),
        Some(why) => Err(format!("invariant 7 does not apply: {why}")),
    }
}

/// The clusters, in the order in which they are asked.
pub(crate) fn all() -> impl Iterator<Item = &'static Cluster> {
    [detection::ALL, news::ALL, coming_and_going::ALL, applications::ALL].into_iter().flatten()
}
