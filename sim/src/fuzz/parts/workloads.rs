//! What applications do while all that happens.

use std::time::Duration;

use super::{Kind, beat, beats, some_nodes};
use crate::fuzz::words::Words;
use crate::scenario::{Scenario, Selector, Workload, WorkloadKind};

/// The kinds of workloads that are drawn.
pub(crate) const WORKLOADS: [Kind; 5] = [
    Kind { name: "events", add: events },
    Kind { name: "bursts", add: bursts },
    Kind { name: "queries", add: queries },
    Kind { name: "tags", add: tags },
    Kind { name: "keys", add: keys },
];

/// Members that a query names: each takes room in it.
const NAMES_MAX: u32 = 20;

/// Adds a workload that begins at some time and, most of the time, again every `min` to `max` beats.
fn work(scenario: &mut Scenario, words: &mut Words<'_>, kind: WorkloadKind, (min, max): (u32, u32)) {
    let (beat, all) = (beat(scenario), beats(scenario));
    let at = words.below(all / 2);
    let every = (!words.chance(10)).then(|| words.within(min, max));
    let repick = words.chance(50);
    scenario.workloads.push(Workload {
        every: every.map(|every| beat * every),
        repick: every.is_some() && repick,
        ..Workload::new(beat * at, kind)
    });
}

fn from(words: &mut Words<'_>) -> Selector {
    if words.chance(30) { Selector::All } else { Selector::Pick(1) }
}

fn events(scenario: &mut Scenario, words: &mut Words<'_>) {
    let kind = WorkloadKind::Event { from: from(words), size: words.one_of([8, 64, 448]), burst: 1 };
    work(scenario, words, kind, (5, 100));
}

fn bursts(scenario: &mut Scenario, words: &mut Words<'_>) {
    let burst = words.one_of([10, 30, 100]);
    let from = Selector::Pick(words.within(1, 2));
    let kind = WorkloadKind::Event { from, size: words.one_of([8, 200]), burst };
    work(scenario, words, kind, (100, 400));
}

fn queries(scenario: &mut Scenario, words: &mut Words<'_>) {
    let to = words
        .chance(30)
        .then(|| Selector::Pick(words.within(1, (scenario.cluster.nodes / 2).clamp(1, NAMES_MAX))));
    let (size, answer) = (words.one_of([8, 200]), words.one_of([16, 600]));
    let (ack, relay_factor) = (words.chance(50), words.one_of([0, 0, 2, 5]));
    let timeout = words.chance(30).then(|| Duration::from_millis(words.one_of([300, 3000])));
    let kind = WorkloadKind::Query { from: from(words), to, size, answer, ack, relay_factor, timeout };
    work(scenario, words, kind, (10, 200));
}

fn tags(scenario: &mut Scenario, words: &mut Words<'_>) {
    let kind = WorkloadKind::Tags { nodes: some_nodes(scenario, words), size: words.one_of([8, 100, 480]) };
    work(scenario, words, kind, (10, 300));
}

/// Changes of the cluster's key, where it has one.
fn keys(scenario: &mut Scenario, words: &mut Words<'_>) {
    let cluster = &scenario.cluster;
    if cluster.key.is_none() || cluster.zones.iter().any(|zone| zone.key.is_some()) {
        return;
    }
    let retry = Duration::from_millis(words.one_of([5000, 1000]));
    let kind = WorkloadKind::Keys { from: from(words), retry };
    work(scenario, words, kind, (200, 600));
}
