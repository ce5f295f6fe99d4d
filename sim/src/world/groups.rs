//! Who can talk to whom at all: nodes with one label and one key are a group.

use std::sync::Arc;

use rumormill_core::Config;
use rumormill_core::keyring::Keyring;

use super::work::key_named;
use crate::scenario::{Scenario, Variant};

/// What the nodes of a group have in common.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) config: Arc<Config>,
    pub(super) keyring: Keyring,
}

/// The groups of a scenario, and each node's.
pub(super) fn groups(scenario: &Scenario, variant: &Variant) -> (Vec<Group>, Vec<u16>) {
    let mut named: Vec<(&str, Option<&str>)> = Vec::new();
    let mut of = vec![0; scenario.cluster.nodes as usize];
    let cluster = (variant.config.label.as_str(), scenario.cluster.key.as_deref());
    let mut place = |name| {
        let place = named.iter().position(|other| *other == name).unwrap_or_else(|| {
            named.push(name);
            named.len() - 1
        });
        place as u16
    };
    if scenario.cluster.zones.is_empty() {
        place(cluster);
    }
    for zone in &scenario.cluster.zones {
        let label = zone.label.as_deref().unwrap_or(cluster.0);
        let group = place((label, zone.key.as_deref().or(cluster.1)));
        of.iter_mut().skip(zone.first as usize).take(zone.nodes as usize).for_each(|node| *node = group);
    }
    let group = |(label, key): (&str, Option<&str>)| Group {
        config: Arc::new(Config {
            notes: true,
            label: label.to_owned(),
            // A simulated seed's nonces are no secret, and neither are the keys.
            simulation: key.is_some(),
            ..variant.config.clone()
        }),
        keyring: key
            .and_then(|name| Keyring::of(key_named(name, 0), Vec::new()).ok())
            .unwrap_or_else(Keyring::empty),
    };
    (named.into_iter().map(group).collect(), of)
}
