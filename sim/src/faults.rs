//! Who a scenario's selectors mean. Every selector that draws has an order of all nodes, shuffled at t = 0 on a stream of its own, and takes
//! the first that are eligible when its moment comes.

use crate::draws::order;
use crate::network::{Delay, LinkRule, Side};
use crate::scenario::{Fault, FaultKind, Scenario, Selector, Zone};

/// Streams of link selectors lie apart from those of faults.
const LINK_STREAMS: u64 = 1 << 32;

/// A selector's nodes, in the order in which `order` has them, among those that are eligible.
#[must_use]
pub(crate) fn choose(
    selector: &Selector,
    order: &[u32],
    zones: &[Zone],
    eligible: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let take = |count: usize| order.iter().copied().filter(|n| eligible(*n)).take(count).collect();
    match selector {
        Selector::All => (0..order.len() as u32).filter(|n| eligible(*n)).collect(),
        Selector::Pick(count) => take(*count as usize),
        Selector::Fraction(share) => {
            let of = (0..order.len() as u32).filter(|n| eligible(*n)).count();
            take(((of as f64 * share).round() as usize).max(1))
        }
        Selector::Zone(zone) => zones.get(*zone).map_or_else(Vec::new, |z| {
            (z.first..z.first.saturating_add(z.nodes).min(order.len() as u32))
                .filter(|n| eligible(*n))
                .collect()
        }),
        Selector::Nodes(nodes) => {
            nodes.iter().copied().filter(|n| (*n as usize) < order.len() && eligible(*n)).collect()
        }
    }
}

/// A fault's orders: of its nodes (or side `a`), of whom it goes through (or side `b`).
#[derive(Debug)]
pub(crate) struct Orders {
    /// For `nodes` or `a`.
    pub(crate) first: Vec<u32>,
    /// For `through` or `b`.
    pub(crate) second: Vec<u32>,
}

/// What is drawn at t = 0.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each fault.
    pub(crate) orders: Vec<Orders>,
    /// For each fault: the nodes of a join; empty for other kinds.
    pub(crate) joiners: Vec<Vec<u32>>,
}

impl Plan {
    /// Draws everything that the scenario's faults may need.
    #[must_use]
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let nodes = scenario.cluster.nodes;
        let orders: Vec<Orders> = (0..scenario.faults.len() as u64)
            .map(|k| Orders { first: order(seed, 2 * k, nodes), second: order(seed, 2 * k + 1, nodes) })
            .collect();
        let mut taken = vec![false; nodes as usize];
        let joiners = scenario.faults.iter().zip(&orders).map(|(fault, orders)| {
            let FaultKind::Join { nodes, .. } = &fault.kind else { return Vec::new() };
            let free = |n: u32| n != 0 && !taken[n as usize];
            let chosen = choose(nodes, &orders.first, &scenario.cluster.zones, free);
            chosen.iter().for_each(|n| taken[*n as usize] = true);
            chosen
        });
        let joiners = joiners.collect();
        Self { orders, joiners }
    }
}

/// The sides of a partition.
#[must_use]
pub(crate) fn sides(a: &Selector, b: &Selector, orders: &Orders, zones: &[Zone]) -> Vec<Side> {
    let mut side = vec![Side::Neither; orders.first.len()];
    for node in choose(a, &orders.first, zones, |_| true) {
        side[node as usize] = Side::A;
    }
    for node in choose(b, &orders.second, zones, |n| side[n as usize] != Side::A) {
        side[node as usize] = Side::B;
    }
    side
}

/// The scenario's link overrides, with their selectors resolved.
#[must_use]
pub(crate) fn link_rules(scenario: &Scenario, seed: u64) -> Vec<LinkRule> {
    let nodes = scenario.cluster.nodes;
    let set = |selector: &Selector, stream: u64| {
        let mut set = vec![false; nodes as usize];
        let order = order(seed, LINK_STREAMS + stream, nodes);
        for node in choose(selector, &order, &scenario.cluster.zones, |_| true) {
            set[node as usize] = true;
        }
        set
    };
    let links = scenario.network.links.iter().zip(0u64..);
    links
        .map(|(link, k)| LinkRule {
            from: set(&link.from, 2 * k),
            to: set(&link.to, 2 * k + 1),
            delay: link.latency.as_ref().map(Delay::new),
            loss: link.loss,
        })
        .collect()
}

/// When a fault ends (ns from t = 0), if it does.
#[must_use]
pub(crate) fn end_of(fault: &Fault) -> Option<u64> {
    let lasts = match &fault.kind {
        FaultKind::Crash { restart, .. } => restart.as_ref().map(|(down, _)| *down),
        FaultKind::Partition { lasts, .. } => *lasts,
        FaultKind::Restart { .. } | FaultKind::Leave { .. } | FaultKind::Join { .. } => None,
    };
    lasts.map(|d| rumormill_core::time::nanos(fault.at.saturating_add(d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_take_the_first_eligible_of_their_order() {
        let order = [3, 1, 0, 2];
        let zones = [Zone { name: "a".into(), first: 1, nodes: 2 }];
        let odd_out = |n: u32| n != 3;
        assert_eq!(choose(&Selector::Pick(2), &order, &zones, odd_out), [1, 0]);
        assert_eq!(choose(&Selector::Fraction(0.1), &order, &zones, odd_out), [1]);
        assert_eq!(choose(&Selector::All, &order, &zones, odd_out), [0, 1, 2]);
        assert_eq!(choose(&Selector::Zone(0), &order, &zones, odd_out), [1, 2]);
        assert_eq!(choose(&Selector::Nodes(vec![3, 2, 9]), &order, &zones, odd_out), [2]);
    }

    #[test]
    fn a_node_on_both_sides_of_a_partition_counts_as_on_the_first() {
        let orders = Orders { first: vec![0, 1, 2], second: vec![2, 1, 0] };
        let side = sides(&Selector::Pick(1), &Selector::All, &orders, &[]);
        assert_eq!(side, [Side::A, Side::B, Side::B]);
    }
}
