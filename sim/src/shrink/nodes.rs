//! Fewer nodes, fewer zones.

use super::search::Search;
use crate::scenario::{FaultKind, Scenario, Selector, Start, Through, Variant, WorkloadKind};

/// Zones of so many nodes are written as a list of them.
const LISTED_MAX: u32 = 4;

/// With all its faults a cluster is not made smaller than this at first: in a very small one many faults do much harm together, whatever
/// the one was that is looked for.
const ROUGH: u32 = 10;

/// Fewer nodes, while there may be many faults: what comes after is tried sooner.
pub(super) fn roughly(search: &mut Search<'_>) {
    down_to(search, ROUGH);
}

/// Fewer nodes.
pub(super) fn fewer(search: &mut Search<'_>) {
    down_to(search, 2);
}

/// The smallest clusters first, which are the quickest to try.
fn down_to(search: &mut Search<'_>, least: u32) {
    loop {
        let now = search.current.clone();
        let sizes = sizes(now.cluster.nodes).into_iter().filter(|nodes| *nodes >= least);
        let smaller =
            sizes.flat_map(|nodes| [Picks::Share, Picks::Same].into_iter().map(move |picks| (nodes, picks)));
        if !search.first(smaller.filter_map(|(nodes, picks)| with_nodes(&now, nodes, picks))) {
            return;
        }
    }
}

/// Sizes below that of a cluster: small ones one by one, then each a quarter larger than the one before.
fn sizes(nodes: u32) -> Vec<u32> {
    const ONE_BY_ONE: u32 = 16;
    let next = |n: &u32| Some(if *n < ONE_BY_ONE { n + 1 } else { n + n / 4 });
    let mut all: Vec<u32> = std::iter::successors(Some(2), next).take_while(|n| *n < nodes).collect();
    if nodes > 2 && all.last() != Some(&(nodes - 1)) {
        all.push(nodes - 1);
    }
    all
}

/// What becomes of the number of nodes that a selector draws.
#[derive(Clone, Copy, Debug)]
enum Picks {
    /// The same share of the cluster, rounded up.
    Share,
    /// The same, as far as there are so many.
    Same,
}

/// The scenario with fewer nodes: those that it names stay as long as there is room, zones keep their shares. `None` where a zone or a
/// list would have nobody.
fn with_nodes(scenario: &Scenario, nodes: u32, picks: Picks) -> Option<Scenario> {
    let was = scenario.cluster.nodes;
    let stay = survivors(scenario, nodes);
    let number = |old: u32| stay.binary_search(&old).ok().map(|place| place as u32);
    let mut small = scenario.clone();
    small.cluster.nodes = nodes;
    let mut first = 0;
    for zone in &mut small.cluster.zones {
        let range = zone.first..zone.first.saturating_add(zone.nodes);
        let left = stay.iter().filter(|node| range.contains(node)).count() as u32;
        (zone.first, zone.nodes) = (first, left);
        first += left;
    }
    let mut somebody = small.cluster.zones.iter().all(|zone| zone.nodes > 0);
    each_selector(&mut small, &mut |selector| match selector {
        Selector::Pick(count) => {
            *count = match picks {
                Picks::Share => {
                    (u64::from(*count) * u64::from(nodes)).div_ceil(u64::from(was.max(1))).max(1) as u32
                }
                Picks::Same => (*count).min(nodes),
            };
        }
        Selector::Nodes(numbers) => {
            *numbers = numbers.iter().filter_map(|old| number(*old)).collect();
            somebody &= !numbers.is_empty();
        }
        Selector::All | Selector::Fraction(_) | Selector::Rest | Selector::Zone(_) => {}
    });
    somebody.then_some(small)
}

/// Which nodes stay, in order: the first of all and of each zone, those that are named, and others evenly spread.
fn survivors(scenario: &Scenario, nodes: u32) -> Vec<u32> {
    let mut stay = vec![0];
    let mut add = |node: u32| {
        if stay.len() < nodes as usize && !stay.contains(&node) {
            stay.push(node);
        }
    };
    let mut named = Vec::new();
    each_selector(&mut scenario.clone(), &mut |selector| {
        if let Selector::Nodes(numbers) = selector {
            named.extend_from_slice(numbers);
        }
    });
    for zone in &scenario.cluster.zones {
        let range = zone.first..zone.first.saturating_add(zone.nodes);
        add(named.iter().copied().find(|node| range.contains(node)).unwrap_or(zone.first));
    }
    named.into_iter().for_each(&mut add);
    let others: Vec<u32> = (0..scenario.cluster.nodes).filter(|node| !stay.contains(node)).collect();
    let wanted = (nodes as usize).saturating_sub(stay.len());
    stay.extend((0..wanted).filter_map(|k| others.get(k * others.len() / wanted)));
    stay.sort_unstable();
    stay
}

/// Shows every set of nodes that a scenario names, for a change.
fn each_selector(scenario: &mut Scenario, change: &mut dyn FnMut(&mut Selector)) {
    for link in &mut scenario.network.links {
        change(&mut link.from);
        change(&mut link.to);
    }
    for fault in &mut scenario.faults {
        match &mut fault.kind {
            FaultKind::Leave { nodes }
            | FaultKind::Pause { nodes }
            | FaultKind::Slow { nodes, .. }
            | FaultKind::BlockIo { nodes }
            | FaultKind::Clock { nodes, .. } => change(nodes),
            FaultKind::Crash { nodes, back: how } | FaultKind::Restart { nodes, how } => {
                change(nodes);
                each_through(&mut how.through, change);
            }
            FaultKind::Join { nodes, through } => {
                change(nodes);
                each_through(through, change);
            }
            FaultKind::Partition { a, b, .. } | FaultKind::Link { from: a, to: b, .. } => {
                change(a);
                change(b);
            }
        }
    }
    for workload in &mut scenario.workloads {
        match &mut workload.kind {
            WorkloadKind::Event { from, .. } | WorkloadKind::Keys { from, .. } => change(from),
            WorkloadKind::Tags { nodes, .. } => change(nodes),
            WorkloadKind::Query { from, to, .. } => {
                change(from);
                to.iter_mut().for_each(&mut *change);
            }
        }
    }
}

fn each_through(through: &mut Through, change: &mut dyn FnMut(&mut Selector)) {
    if let Through::Selector(selector) = through {
        change(selector);
    }
}

/// A simpler cluster: without zones, or their keys and labels; without a key; everybody known from the start; one variant's settings as
/// the cluster's.
pub(super) fn cluster(search: &mut Search<'_>) {
    loop {
        let now = search.current.clone();
        let mut simpler = Vec::new();
        if let Some(folded) = folded(&now) {
            simpler.push(folded);
        }
        if !now.cluster.zones.is_empty() {
            simpler.push(without_zones(&now));
        }
        for zone in 0..now.cluster.zones.len() {
            let mut plain = now.clone();
            plain.cluster.zones[zone].key = None;
            plain.cluster.zones[zone].label = None;
            simpler.push(plain);
        }
        let mut change = |change: fn(&mut Scenario)| {
            let mut changed = now.clone();
            change(&mut changed);
            simpler.push(changed);
        };
        change(|s| s.cluster.start = Start::Converged);
        change(|s| s.cluster.key = None);
        if !search.first(simpler) {
            return;
        }
    }
}

/// Without zones: who was in one is drawn, or named where they are few.
fn without_zones(scenario: &Scenario) -> Scenario {
    let mut plain = scenario.clone();
    let zones = std::mem::take(&mut plain.cluster.zones);
    let of = |index: usize, draws: bool| {
        let zone = zones.get(index)?;
        Some(if zone.nodes > LISTED_MAX && draws {
            Selector::Pick(zone.nodes)
        } else {
            Selector::Nodes((zone.first..zone.first.saturating_add(zone.nodes)).collect())
        })
    };
    let links = plain.network.links.len();
    let mut seen = 0;
    each_selector(&mut plain, &mut |selector| {
        // Links come first, and draw nothing.
        seen += 1;
        if let Selector::Zone(index) = selector
            && let Some(other) = of(*index, seen > 2 * links)
        {
            *selector = other;
        }
    });
    plain
}

/// The only variant's settings as the cluster's own; `None` where there are several, or it says nothing of its own.
fn folded(scenario: &Scenario) -> Option<Scenario> {
    let [only] = &scenario.variants[..] else { return None };
    let mut folded = scenario.clone();
    folded.cluster.config = only.config.clone();
    folded.network.travel = crate::network::over(&only.travel, &scenario.network.travel);
    folded.variants = vec![Variant::new("default", only.config.clone())];
    Some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Scenario {
        let text = "name = \"t\"\nduration = \"5m\"\n[cluster]\nnodes = 100\n\
            zones = [{ name = \"a\", nodes = 80 }, { name = \"b\", nodes = 20 }]\n\
            [[network.link]]\nfrom = { zone = \"b\" }\nto = { rest = true }\nloss = 0.1\n\
            [[fault]]\nat = \"30s\"\nkind = \"pause\"\nnodes = { pick = 30 }\nfor = \"20s\"\n\
            [[fault]]\nat = \"30s\"\nkind = \"crash\"\nnodes = [\"node-97\", \"node-3\"]\nfor = \"5s\"\njoin = [\"node-50\"]\n\
            [[fault]]\nat = \"40s\"\nkind = \"partition\"\npartition = { a = { zone = \"b\" }, b = { rest = true } }\n";
        Scenario::parse(text, "t.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn sound(scenario: &Scenario) {
        assert!(scenario.check().is_ok(), "{}", scenario.check().unwrap_err());
    }

    #[test]
    fn zones_keep_their_shares_and_named_nodes_stay() {
        let small = with_nodes(&scenario(), 10, Picks::Share).unwrap();
        sound(&small);
        let zones: Vec<(u32, u32)> =
            small.cluster.zones.iter().map(|zone| (zone.first, zone.nodes)).collect();
        assert_eq!(zones, [(0, 8), (8, 2)]);
        let FaultKind::Pause { nodes: Selector::Pick(3) } = small.faults[0].kind else {
            panic!("{:?}", small.faults[0])
        };
        let FaultKind::Crash { nodes: Selector::Nodes(crashed), back } = &small.faults[1].kind else {
            panic!("{:?}", small.faults[1])
        };
        assert_eq!(crashed.len(), 2);
        assert!(crashed[0] >= 8 && crashed[1] < 8, "each in its zone: {crashed:?}");
        assert!(matches!(&back.through, Through::Selector(Selector::Nodes(one)) if one.len() == 1));
        let same = with_nodes(&scenario(), 10, Picks::Same).unwrap();
        assert!(matches!(same.faults[0].kind, FaultKind::Pause { nodes: Selector::Pick(10) }));
    }

    #[test]
    fn every_size_is_sound_or_refused() {
        let large = scenario();
        let tried: Vec<u32> = sizes(100)
            .into_iter()
            .filter(|nodes| {
                let small = with_nodes(&large, *nodes, Picks::Share);
                small.as_ref().into_iter().for_each(sound);
                small.is_some()
            })
            .collect();
        assert_eq!(tried.first(), Some(&4), "node-0, node-97, node-3, node-50");
        assert_eq!(sizes(100).last(), Some(&99));
        assert_eq!((sizes(2), sizes(3)), (vec![], vec![2]));
    }

    #[test]
    fn without_zones_a_link_names_nodes_and_a_fault_draws_them() {
        let plain = without_zones(&scenario());
        sound(&plain);
        assert!(matches!(&plain.network.links[0].from, Selector::Nodes(nodes) if nodes.len() == 20));
        assert!(matches!(plain.faults[2].kind, FaultKind::Partition { a: Selector::Pick(20), .. }));
    }
}
