//! `[[fault]]`: what happens to the cluster.

use std::time::Duration;

use super::model::{Cluster, Direction, Fault, FaultKind, InFlight, Restart, Selector, Through};
use super::path::Path;
use super::problem::Problem;
use super::read_selector::read_selector;
use super::section::Section;
use super::tree::Item;

const KEYS: [&str; 9] =
    ["at", "kind", "nodes", "for", "address", "state", "join", "partition", "may_be_idle"];
const RETURN_KEYS: [&str; 3] = ["address", "state", "join"];

#[derive(Clone, Copy)]
enum Kind {
    Crash,
    Restart,
    Leave,
    Join,
    Partition,
}

const KINDS: [(&str, Kind); 5] = [
    ("crash", Kind::Crash),
    ("restart", Kind::Restart),
    ("leave", Kind::Leave),
    ("join", Kind::Join),
    ("partition", Kind::Partition),
];

impl Kind {
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Crash => &["nodes", "for", "address", "state", "join"],
            Self::Restart => &["nodes", "address", "state", "join"],
            Self::Leave => &["nodes"],
            Self::Join => &["nodes", "join"],
            Self::Partition => &["partition", "for"],
        }
    }
}

/// Reads one fault; what is wrong is on the list and stands as something harmless.
pub(super) fn fault(item: &Item, path: &Path, cluster: &Cluster, problems: &mut Vec<Problem>) -> Fault {
    let mut fault = Section::open(Some(item), path, &KEYS, problems);
    let at = fault.need("at", "\"30s\"").and_then(|_| fault.duration("at", "30s")).unwrap_or_default();
    let may_be_idle = fault.truth("may_be_idle").unwrap_or(false);
    let kind = fault.need("kind", "\"crash\"").and_then(|_| fault.choice("kind", "kind of fault", &KINDS));
    let kind = match kind {
        Some(kind) => read_kind(kind, &mut fault, cluster),
        None => FaultKind::Leave { nodes: Selector::All },
    };
    Fault { at, kind, may_be_idle }
}

fn read_kind(kind: Kind, fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let name = KINDS[kind as usize].0;
    let foreign = |key: &&str| !["at", "kind", "may_be_idle"].contains(key) && !kind.keys().contains(key);
    for key in KEYS.into_iter().filter(foreign) {
        if fault.get(key).is_some() {
            let message = format!("`{key}` does not belong to a {name}");
            let problem = Problem::at(&fault.path.key(key), message).key_itself();
            fault.problems.push(problem.hint(format!("its keys: at, kind, {}", kind.keys().join(", "))));
        }
    }
    match kind {
        Kind::Partition => read_partition(fault, cluster),
        Kind::Leave => FaultKind::Leave { nodes: nodes(fault, cluster) },
        Kind::Join => FaultKind::Join { nodes: nodes(fault, cluster), through: through(fault, cluster) },
        Kind::Restart => FaultKind::Restart { nodes: nodes(fault, cluster), how: how(fault, cluster) },
        Kind::Crash => {
            FaultKind::Crash { nodes: nodes(fault, cluster), restart: read_return(fault, cluster) }
        }
    }
}

fn nodes(fault: &mut Section<'_, '_>, cluster: &Cluster) -> Selector {
    let item = fault.need("nodes", "{ pick = 10 }");
    selector(item, "nodes", fault, cluster)
}

fn selector(item: Option<&Item>, key: &str, table: &mut Section<'_, '_>, cluster: &Cluster) -> Selector {
    let path = table.path.key(key);
    item.map_or(Selector::All, |item| read_selector(item, &path, cluster, table.problems))
}

fn through(fault: &mut Section<'_, '_>, cluster: &Cluster) -> Through {
    match fault.get("join") {
        None => Through::FirstAndTwo,
        some => Through::Selector(selector(some, "join", fault, cluster)),
    }
}

fn how(fault: &mut Section<'_, '_>, cluster: &Cluster) -> Restart {
    let addresses = [("same", false), ("new", true)];
    let states = [("snapshot", false), ("lost", true)];
    Restart {
        new_address: fault.choice("address", "address", &addresses).unwrap_or(false),
        lost_state: fault.choice("state", "state", &states).unwrap_or(false),
        through: through(fault, cluster),
    }
}

/// How crashed nodes come back, when they do.
fn read_return(fault: &mut Section<'_, '_>, cluster: &Cluster) -> Option<(Duration, Restart)> {
    if fault.get("for").is_none() {
        for key in RETURN_KEYS.into_iter().filter(|key| fault.get(key).is_some()).collect::<Vec<_>>() {
            let message = format!("`{key}` says how nodes come back, but without `for` they never do");
            fault.report(key, message, "add for = \"20s\"");
        }
        return None;
    }
    let down = fault.duration("for", "20s").unwrap_or_default();
    Some((down, how(fault, cluster)))
}

fn read_partition(fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let lasts = fault.duration("for", "30s");
    let item = fault.need("partition", "{ a = { zone = \"a\" }, b = { zone = \"b\" } }");
    let path = fault.path.key("partition");
    if item.is_none() {
        // Sides that cut something, so that no rule about them adds to what has been said.
        let (a, b) = (Selector::Pick(1), Selector::All);
        return FaultKind::Partition { a, b, direction: Direction::Both, in_flight: InFlight::Drop, lasts };
    }
    let mut cut = Section::open(item, &path, &["a", "b", "direction", "in_flight"], fault.problems);
    let directions = [("both", Direction::Both), ("a-to-b", Direction::AToB)];
    let direction = cut.choice("direction", "direction", &directions).unwrap_or(Direction::Both);
    let flights = [("drop", InFlight::Drop), ("deliver", InFlight::Deliver)];
    let in_flight = cut.choice("in_flight", "treatment", &flights).unwrap_or(InFlight::Drop);
    let a = cut.need("a", "{ zone = \"a\" }");
    let a = selector(a, "a", &mut cut, cluster);
    let b = cut.need("b", "{ zone = \"b\" }");
    let b = selector(b, "b", &mut cut, cluster);
    FaultKind::Partition { a, b, direction, in_flight, lasts }
}
