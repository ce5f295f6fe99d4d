//! Who a scenario's selectors mean, and when its faults begin. Everything that is drawn for a fault depends on the seed and the fault's key
//! alone: its name, or its kind and its place among the unnamed of that kind.

use rumormill_core::time::nanos;

use crate::draws::{order, stream_of};
use crate::network::{LinkRule, Side};
use crate::scenario::{Fault, FaultKind, Scenario, Selector, Zone};

/// A selector's nodes, in the order in which `order` has them, among those that are eligible. `Rest` is for pairs: see [`choose_pair`].
#[must_use]
pub(crate) fn choose(
    selector: &Selector,
    order: &[u32],
    zones: &[Zone],
    eligible: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let take = |count: usize| order.iter().copied().filter(|n| eligible(*n)).take(count).collect();
    match selector {
        Selector::All | Selector::Rest => (0..order.len() as u32).filter(|n| eligible(*n)).collect(),
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

/// Two sets of nodes; `Rest` is what the other one leaves.
#[must_use]
pub(crate) fn choose_pair(
    (a, b): (&Selector, &Selector),
    orders: &Orders,
    zones: &[Zone],
) -> (Vec<bool>, Vec<bool>) {
    let set = |selector: &Selector, order: &[u32]| {
        let mut set = vec![false; order.len()];
        for node in choose(selector, order, zones, |_| true) {
            set[node as usize] = true;
        }
        set
    };
    let others = |set: &[bool]| set.iter().map(|there| !there).collect::<Vec<bool>>();
    match (a, b) {
        (Selector::Rest, _) => {
            let b = set(b, &orders.second);
            (others(&b), b)
        }
        (_, Selector::Rest) => {
            let a = set(a, &orders.first);
            let b = others(&a);
            (a, b)
        }
        _ => (set(a, &orders.first), set(b, &orders.second)),
    }
}

/// A fault's orders: of its nodes (or side `a`, or `from`), of whom it goes through (or side `b`, or `to`).
#[derive(Debug)]
pub(crate) struct Orders {
    /// For `nodes`, `a` or `from`.
    pub(crate) first: Vec<u32>,
    /// For `join`, `b` or `to`.
    pub(crate) second: Vec<u32>,
}

/// What is drawn for the faults of one run.
#[derive(Debug)]
pub(crate) struct Plan {
    seed: u64,
    nodes: u32,
    keys: Vec<String>,
    /// For each fault: the nodes of a join; empty for other kinds.
    pub(crate) joiners: Vec<Vec<u32>>,
}

impl Plan {
    /// The plan of the run with this seed.
    #[must_use]
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let keys = keys(&scenario.faults);
        let mut plan = Self { seed, nodes: scenario.cluster.nodes, keys, joiners: Vec::new() };
        let mut taken = vec![false; scenario.cluster.nodes as usize];
        // A join that is switched off keeps its nodes: nobody else gets them.
        for (index, fault) in scenario.faults.iter().enumerate() {
            let FaultKind::Join { nodes, .. } = &fault.kind else {
                plan.joiners.push(Vec::new());
                continue;
            };
            let order = plan.order(index, "nodes", 0);
            let free = |n: u32| n != 0 && !taken[n as usize];
            let chosen = choose(nodes, &order, &scenario.cluster.zones, free);
            chosen.iter().for_each(|n| taken[*n as usize] = true);
            plan.joiners.push(chosen);
        }
        plan
    }

    fn order(&self, fault: usize, role: &str, repetition: u32) -> Vec<u32> {
        order(self.seed, &format!("{} {role} {repetition}", self.keys[fault]), self.nodes)
    }

    /// The orders of a fault's selectors. `repetition` counts only where nodes are drawn anew for each.
    #[must_use]
    pub(crate) fn orders(&self, fault: usize, repetition: u32) -> Orders {
        Orders {
            first: self.order(fault, "nodes", repetition),
            second: self.order(fault, "others", repetition),
        }
    }

    /// What tells a fault's keyed draws from those of others.
    #[must_use]
    pub(crate) fn number(&self, fault: usize) -> u64 {
        stream_of(&self.keys[fault])
    }
}

fn keys(faults: &[Fault]) -> Vec<String> {
    let key = |(index, fault): (usize, &Fault)| {
        if !fault.name.is_empty() {
            return format!("fault {}", fault.name);
        }
        let same = |other: &&Fault| other.name.is_empty() && other.kind.name() == fault.kind.name();
        let place = faults[..index].iter().filter(same).count();
        // A name has no space, so no name makes the same key.
        format!("fault {} {place}", fault.kind.name())
    };
    faults.iter().enumerate().map(key).collect()
}

/// The sides of a partition. A node on both counts as on the first.
#[must_use]
pub(crate) fn sides(a: &Selector, b: &Selector, orders: &Orders, zones: &[Zone]) -> Vec<Side> {
    // What the first side took is not there for the second to draw.
    let (a, b) = match (a, b) {
        (Selector::Rest, _) | (_, Selector::Rest) => choose_pair((a, b), orders, zones),
        _ => {
            let (first, _) = choose_pair((a, &Selector::Rest), orders, zones);
            let mut second = vec![false; first.len()];
            for node in choose(b, &orders.second, zones, |n| !first[n as usize]) {
                second[node as usize] = true;
            }
            (first, second)
        }
    };
    let side = |(a, b)| match (a, b) {
        (true, _) => Side::A,
        (false, true) => Side::B,
        (false, false) => Side::Neither,
    };
    a.into_iter().zip(b).map(side).collect()
}

/// The scenario's link overrides, with their selectors resolved: none of them draws.
#[must_use]
pub(crate) fn link_rules(scenario: &Scenario) -> Vec<LinkRule> {
    let all: Vec<u32> = (0..scenario.cluster.nodes).collect();
    let orders = Orders { first: all.clone(), second: all };
    let rule = |link: &crate::scenario::Link| {
        let (from, to) = choose_pair((&link.from, &link.to), &orders, &scenario.cluster.zones);
        LinkRule { from, to, travel: link.travel.clone(), fault: None }
    };
    scenario.network.links.iter().map(rule).collect()
}

/// When a fault that begins at `begin` (ns) ends, if it does within the run.
#[must_use]
pub(crate) fn end_of(fault: &Fault, begin: u64, run_end: u64) -> Option<u64> {
    fault.lasts.map(|lasts| begin.saturating_add(nanos(lasts))).filter(|end| *end <= run_end)
}

/// When a fault begins again after it began at `begin` (ns), if it does within the run.
#[must_use]
pub(crate) fn next_of(fault: &Fault, begin: u64, run_end: u64) -> Option<u64> {
    let until = fault.until.map_or(run_end, nanos).min(run_end);
    fault.every.map(|every| begin.saturating_add(nanos(every))).filter(|next| *next < until)
}

/// Whether the pause between two repetitions is so short (shorter than the fault itself) that its nodes count as disturbed
/// throughout: Lifeguard's anomalies with a millisecond between them are one long anomaly to whoever suffers it.
#[must_use]
pub(crate) fn gap_is_short(fault: &Fault) -> bool {
    let lasts = fault.lasts.unwrap_or_default();
    !fault.repick && fault.every.is_some_and(|every| every.saturating_sub(lasts) < lasts)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn selectors_take_the_first_eligible_of_their_order() {
        let order = [3, 1, 0, 2];
        let zones = [Zone::new("a", 1, 2)];
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
        let side = sides(&Selector::Rest, &Selector::Pick(1), &orders, &[]);
        assert_eq!(side, [Side::A, Side::A, Side::B]);
        let side = sides(&Selector::Pick(1), &Selector::Pick(3), &orders, &[]);
        assert_eq!(side, [Side::A, Side::B, Side::B]);
    }

    fn fault(name: &str, kind: FaultKind) -> Fault {
        Fault {
            name: name.into(),
            lasts: Some(Duration::from_secs(2)),
            every: Some(Duration::from_secs(5)),
            until: Some(Duration::from_secs(25)),
            ..Fault::new(Duration::from_secs(10), kind)
        }
    }

    #[test]
    fn a_fault_s_draws_hang_on_its_name_or_on_its_place_among_its_kind() {
        let leave = || FaultKind::Leave { nodes: Selector::All };
        let pause = || FaultKind::Pause { nodes: Selector::All };
        let before = keys(&[fault("", leave()), fault("", pause()), fault("x", leave()), fault("", leave())]);
        let after = keys(&[fault("", leave()), fault("x", leave()), fault("", leave())]);
        assert_eq!([&before[0], &before[2], &before[3]], [&after[0], &after[1], &after[2]]);
        assert_eq!(before.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }

    #[test]
    fn repetitions_stop_before_until_and_what_ends_after_the_run_has_no_end() {
        const S: u64 = 1_000_000_000;
        let it = fault("", FaultKind::Pause { nodes: Selector::All });
        assert_eq!(next_of(&it, 10 * S, 100 * S), Some(15 * S));
        assert_eq!(next_of(&it, 20 * S, 100 * S), None);
        assert_eq!(next_of(&it, 10 * S, 15 * S), None);
        assert_eq!(end_of(&it, 10 * S, 100 * S), Some(12 * S));
        assert_eq!(end_of(&it, 10 * S, 11 * S), None);
        assert!(!gap_is_short(&it));
        assert!(gap_is_short(&Fault { lasts: Some(Duration::from_secs(4)), ..it }));
    }
}
