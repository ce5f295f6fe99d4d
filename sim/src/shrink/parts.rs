//! Doing without parts: faults, workloads, links, settings, keys of the network.

use std::ops::Range;

use super::failure::Failure;
use super::search::Search;
use crate::scenario::{FaultKind, RECEIVE_BUFFER, Scenario, Travel, settings};

/// Tries to do without parts of a list: all of them, halves, quarters, ... single ones (delta debugging).
fn cut(
    search: &mut Search<'_>,
    count: impl Fn(&Scenario) -> usize,
    without: impl Fn(&mut Scenario, Range<usize>),
) {
    let mut size = count(&search.current);
    while size > 0 {
        let now = search.current.clone();
        let all = count(&now);
        let candidates = (0..all).step_by(size).map(|from| {
            let mut candidate = now.clone();
            without(&mut candidate, from..(from + size).min(all));
            candidate
        });
        size = if search.first(candidates) { size.min(count(&search.current)) } else { size / 2 };
    }
}

/// Faults.
pub(super) fn faults(search: &mut Search<'_>) {
    cut(search, |s| s.faults.len(), |s, range| drop(s.faults.drain(range)));
}

/// Workloads.
pub(super) fn workloads(search: &mut Search<'_>) {
    cut(search, |s| s.workloads.len(), |s, range| drop(s.workloads.drain(range)));
}

/// Links.
pub(super) fn links(search: &mut Search<'_>) {
    cut(search, |s| s.network.links.len(), |s, range| drop(s.network.links.drain(range)));
}

/// Settings, back to the profile's; a variant's, back to the cluster's.
pub(super) fn settings(search: &mut Search<'_>) {
    cut(search, |s| differing(s).len(), |s, range| differing(s)[range].iter().for_each(|one| reset(s, one)));
}

/// A setting of the cluster, or of the variant with that index.
type Setting = (Option<usize>, String);

fn differing(scenario: &Scenario) -> Vec<Setting> {
    let cluster = &scenario.cluster;
    let names = |of, config, base| {
        settings::differing(config, base)
            .into_iter()
            .map(move |(name, _)| (of, name))
            .collect::<Vec<Setting>>()
    };
    let profile = cluster.profile.config();
    let mut all = names(None, &cluster.config, &profile);
    for (index, variant) in scenario.variants.iter().enumerate() {
        all.extend(names(Some(index), &variant.config, &cluster.config));
    }
    all
}

fn reset(scenario: &mut Scenario, (of, name): &Setting) {
    let old = scenario.cluster.config.clone();
    if let Some(index) = of {
        if let Some(variant) = scenario.variants.get_mut(*index) {
            variant.config = settings::reset(&variant.config, &old, name);
        }
        return;
    }
    let base = scenario.cluster.profile.config();
    scenario.cluster.config = settings::reset(&old, &base, name);
    // Variants that have it from the cluster follow.
    for variant in &mut scenario.variants {
        if !settings::differing(&variant.config, &old).iter().any(|(own, _)| own == name) {
            variant.config = settings::reset(&variant.config, &base, name);
        }
    }
}

/// Keys that say how packets travel, and the receive buffer.
pub(super) fn network(search: &mut Search<'_>) {
    let failure = search.failure.clone();
    let keys = |s: &Scenario| keys(s, &failure);
    cut(search, |s| keys(s).len(), |s, range| keys(s)[range].iter().for_each(|one| forget(s, one)));
}

/// Where a key stands.
#[derive(Clone, Copy, Debug)]
enum Table {
    Network,
    Link(usize),
    Fault(usize),
    Variant(usize),
}

/// The receive buffer's key; a way has none of that name.
const BUFFER: &str = "receive_buffer";

/// All of them, but those of a fault of which it matters that it touches nothing.
fn keys(scenario: &Scenario, failure: &Failure) -> Vec<(Table, &'static str)> {
    let mut all = Vec::new();
    let mut add =
        |table: Table, travel: &Travel| all.extend(travel.keys().into_iter().map(|(key, _)| (table, key)));
    let network = &scenario.network;
    add(Table::Network, &network.travel);
    network.links.iter().enumerate().for_each(|(index, link)| add(Table::Link(index), &link.travel));
    for (index, fault) in scenario.faults.iter().enumerate().filter(|(_, fault)| !failure.is_about(fault)) {
        if let FaultKind::Link { travel, .. } = &fault.kind {
            add(Table::Fault(index), travel);
        }
    }
    scenario.variants.iter().enumerate().for_each(|(index, v)| add(Table::Variant(index), &v.travel));
    if network.receive_buffer != RECEIVE_BUFFER {
        all.push((Table::Network, BUFFER));
    }
    all
}

fn forget(scenario: &mut Scenario, (table, key): &(Table, &'static str)) {
    let network = &mut scenario.network;
    if *key == BUFFER {
        network.receive_buffer = RECEIVE_BUFFER;
        return;
    }
    let travel = match table {
        Table::Network => Some(&mut network.travel),
        Table::Link(index) => network.links.get_mut(*index).map(|link| &mut link.travel),
        Table::Variant(index) => scenario.variants.get_mut(*index).map(|variant| &mut variant.travel),
        Table::Fault(index) => scenario.faults.get_mut(*index).and_then(|fault| match &mut fault.kind {
            FaultKind::Link { travel, .. } => Some(travel),
            _ => None,
        }),
    };
    let Some(travel) = travel else { return };
    match *key {
        "latency" => travel.latency = None,
        "loss" => travel.loss = None,
        "stream_loss" => travel.stream_loss = None,
        "duplicate" => travel.duplicate = None,
        "reorder" => travel.reorder = None,
        "corrupt" => travel.corrupt = None,
        "bandwidth" => travel.bandwidth = None,
        "packet_bytes_max" => travel.packet_bytes_max = None,
        _ => {}
    }
}
