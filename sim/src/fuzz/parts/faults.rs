//! Faults of every kind, at any time, for any time, once or again and again.

use std::time::Duration;

use super::{Kind, beat, beats, some_nodes};
use crate::fuzz::words::Words;
use crate::scenario::{
    Direction, Fault, FaultKind, InFlight, Latency, Loss, Reorder, Restart, Scenario, Selector, Through,
    Traffic, Travel,
};

/// The kinds of faults that are drawn.
pub(crate) const FAULTS: [Kind; 14] = [
    Kind { name: "crash", add: crash },
    Kind { name: "restart", add: restart },
    Kind { name: "leave", add: leave },
    Kind { name: "join", add: join },
    Kind { name: "pause", add: pause },
    Kind { name: "block-io", add: block_io },
    Kind { name: "slow", add: slow },
    Kind { name: "clock", add: clock },
    Kind { name: "partition", add: |s, w| partition(s, w, Direction::Both, Traffic::All) },
    Kind { name: "one-way partition", add: |s, w| partition(s, w, Direction::AToB, Traffic::All) },
    Kind { name: "partition of datagrams", add: |s, w| partition(s, w, Direction::Both, Traffic::Datagrams) },
    Kind { name: "partition of streams", add: |s, w| partition(s, w, Direction::Both, Traffic::Streams) },
    Kind { name: "link", add: link },
    Kind { name: "move", add: relocate },
];

/// Adds a fault of this kind at some time. `ends`: one that lasts has an end, or goes on until the end of the measured time.
fn happen(scenario: &mut Scenario, words: &mut Words<'_>, kind: FaultKind, ends: bool) {
    let (beat, all) = (beat(scenario), beats(scenario));
    let at = words.below(all / 10 * 9);
    let lasts = (ends && !words.chance(10)).then(|| words.within(1, (all - at).min(all / 3)));
    let gap = words.within(10, 300);
    let again = words.chance(25) && (lasts.is_some() || !ends);
    let repick = words.chance(60);
    scenario.faults.push(Fault {
        lasts: lasts.map(|lasts| beat * lasts),
        every: again.then(|| beat * (gap + lasts.unwrap_or(0))),
        repick: again && repick,
        may_be_idle: true,
        ..Fault::new(beat * at, kind)
    });
}

fn through(scenario: &Scenario, words: &mut Words<'_>) -> Through {
    match words.below(4) {
        0 | 1 => Through::FirstAndTwo,
        2 => Through::Selector(some_nodes(scenario, words)),
        _ => Through::Selector(Selector::All),
    }
}

fn back(scenario: &Scenario, words: &mut Words<'_>) -> Restart {
    let (lost_state, new_address) = (words.chance(50), words.chance(35));
    Restart { new_address, lost_state, through: through(scenario, words) }
}

/// Nodes crash, and most of the time come back.
fn crash(scenario: &mut Scenario, words: &mut Words<'_>) {
    let (nodes, returns) = (some_nodes(scenario, words), words.chance(65));
    let never = Restart { new_address: false, lost_state: false, through: Through::FirstAndTwo };
    let back = if returns { back(scenario, words) } else { never.clone() };
    happen(scenario, words, FaultKind::Crash { nodes, back }, returns);
    // Without an end nobody comes back, and nothing says how.
    if let Some(Fault { lasts: None, kind: FaultKind::Crash { back, .. }, .. }) = scenario.faults.last_mut() {
        *back = never;
    }
}

fn restart(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    let how = back(scenario, words);
    happen(scenario, words, FaultKind::Restart { nodes, how }, false);
}

/// One node comes back at another address at once, while the others still believe in the old one.
fn relocate(scenario: &mut Scenario, words: &mut Words<'_>) {
    let (lost_state, through) = (words.chance(50), through(scenario, words));
    let how = Restart { new_address: true, lost_state, through };
    happen(scenario, words, FaultKind::Restart { nodes: Selector::Pick(1), how }, false);
}

fn leave(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    happen(scenario, words, FaultKind::Leave { nodes }, false);
}

/// Nodes arrive that were not there from the start; half of the cluster at most.
fn join(scenario: &mut Scenario, words: &mut Words<'_>) {
    let joiners = scenario.faults.iter().map(|fault| match fault.kind {
        FaultKind::Join { nodes: Selector::Pick(count), .. } => count,
        _ => 0,
    });
    let room = (scenario.cluster.nodes / 2).saturating_sub(joiners.sum());
    if room == 0 {
        return;
    }
    let nodes = Selector::Pick(words.within(1, room.min(4)));
    let through = through(scenario, words);
    happen(scenario, words, FaultKind::Join { nodes, through }, false);
    if let Some(fault) = scenario.faults.last_mut() {
        // A node arrives once.
        (fault.every, fault.repick) = (None, false);
    }
}

fn pause(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    happen(scenario, words, FaultKind::Pause { nodes }, true);
}

fn block_io(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    happen(scenario, words, FaultKind::BlockIo { nodes }, true);
}

fn slow(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    let timeout = scenario.cluster.profile.config().probe_timeout;
    let extra = match words.below(3) {
        0 => Latency::Constant { value: timeout * words.one_of([1, 2, 6]) / 4 },
        1 => Latency::Uniform { min: timeout / 100, max: timeout * words.one_of([1, 3]) },
        _ => Latency::Pareto { min: timeout / 20, shape: words.one_of([1.5, 0.8]) },
    };
    happen(scenario, words, FaultKind::Slow { nodes, extra }, true);
}

fn clock(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    let second = 1_000_000_000;
    let rate = words.one_of([1.001, 1.3, 0.7, 4.0, 0.2]);
    let offset = words.one_of([0, 4 * second, -4 * second, 20 * second, -20 * second]);
    happen(scenario, words, FaultKind::Clock { nodes, rate, offset }, true);
}

fn partition(scenario: &mut Scenario, words: &mut Words<'_>, direction: Direction, traffic: Traffic) {
    let side = match scenario.cluster.zones.len() {
        zones if zones > 0 && words.chance(40) => Selector::Zone(words.below(zones as u32) as usize),
        _ => Selector::Pick(words.within(1, (scenario.cluster.nodes / 2).max(1))),
    };
    let (a, b) = if words.chance(50) { (Selector::Rest, side) } else { (side, Selector::Rest) };
    let in_flight = words.one_of([InFlight::Drop, InFlight::Deliver]);
    let share = words.one_of([1.0, 1.0, 0.5, 0.2]);
    happen(scenario, words, FaultKind::Partition { a, b, direction, in_flight, share, traffic }, true);
}

fn link(scenario: &mut Scenario, words: &mut Words<'_>) {
    let nodes = some_nodes(scenario, words);
    let mut travel = Travel::default();
    let ms = Duration::from_millis;
    match words.below(7) {
        0 => travel.loss = Some(Loss::Bernoulli(words.one_of([0.1, 0.5, 0.9]))),
        1 => travel.corrupt = Some(words.one_of([0.05, 0.5])),
        2 => travel.duplicate = Some(words.one_of([0.3, 1.0])),
        3 => travel.reorder = Some(Reorder { chance: 0.3, extra: ms(words.one_of([50, 700])) }),
        4 => travel.stream_loss = Some(Loss::Bernoulli(words.one_of([0.3, 0.8]))),
        5 => travel.bandwidth = Some(words.one_of([20_000, 2000])),
        _ => travel.latency = Some(Latency::Constant { value: ms(words.one_of([100, 400, 2000])) }),
    }
    let (from, to) = if words.chance(50) { (nodes, Selector::All) } else { (Selector::All, nodes) };
    happen(scenario, words, FaultKind::Link { from, to, travel }, true);
}
