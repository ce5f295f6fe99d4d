//! The parts that scenarios are drawn of: settings, features of the network, faults, workloads.
//!
//! Each part is made of words alone, so that the swarm and the property tests' strategy share one description of what there is.

pub(super) mod faults;
pub(super) mod network;
pub(super) mod settings;
pub(super) mod workloads;

use std::time::Duration;

use super::words::Words;
use crate::scenario::{Scenario, Selector};

/// A kind of part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its name, for the line that says what was drawn.
    pub(super) name: &'static str,
    /// Adds one to a scenario that has its cluster, and the parts before this one. One for which there is no room adds nothing.
    pub(super) add: fn(&mut Scenario, &mut Words<'_>),
}

/// A tenth of the profile's probe interval: the unit in which things happen.
pub(super) fn beat(scenario: &Scenario) -> Duration {
    scenario.cluster.profile.config().probe_interval / 10
}

/// The length of the measured time in beats.
pub(super) fn beats(scenario: &Scenario) -> u32 {
    let beats = scenario.duration.as_nanos() / beat(scenario).as_nanos().max(1);
    u32::try_from(beats).unwrap_or(u32::MAX)
}

/// Some nodes: few of them, more rarely a share, a certain one, a zone, or all.
pub(super) fn some_nodes(scenario: &Scenario, words: &mut Words<'_>) -> Selector {
    let nodes = scenario.cluster.nodes;
    let (kind, number) = (words.below(100), words.below(1 << 16));
    let of = |count: u32| ((u64::from(number) * u64::from(count)) >> 16) as u32;
    match kind {
        0..60 => Selector::Pick(1 + of((nodes / 3).clamp(1, 4))),
        60..75 => Selector::Nodes(vec![of(nodes)]),
        75..85 => Selector::Fraction(f64::from(1 + of(6)) / 10.0),
        85..95 if !scenario.cluster.zones.is_empty() => {
            Selector::Zone(of(scenario.cluster.zones.len() as u32) as usize)
        }
        85..95 => Selector::Pick(1 + of(nodes)),
        _ => Selector::All,
    }
}
