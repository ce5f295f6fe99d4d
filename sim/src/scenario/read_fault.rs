//! `[[fault]]`: what happens to the cluster.

use std::time::Duration;

use super::model::*;
use super::path::Path;
use super::problem::Problem;
use super::read_selector::read_selector;
use super::read_travel;
use super::section::Section;
use super::tree::Item;

/// Keys that every fault has.
const COMMON: [&str; 8] = ["at", "kind", "name", "every", "until", "repick", "off", "may_be_idle"];
/// Keys that only some kinds have.
const OTHERS: [&str; 10] =
    ["nodes", "for", "address", "state", "join", "partition", "link", "extra", "rate", "offset"];
const RETURN_KEYS: [&str; 3] = ["address", "state", "join"];

#[derive(Clone, Copy)]
enum Kind {
    Crash,
    Restart,
    Leave,
    Join,
    Pause,
    Slow,
    BlockIo,
    Clock,
    Partition,
    Link,
}

const KINDS: [(&str, Kind, &[&str]); 10] = [
    ("crash", Kind::Crash, &["nodes", "for", "address", "state", "join"]),
    ("restart", Kind::Restart, &["nodes", "address", "state", "join"]),
    ("leave", Kind::Leave, &["nodes"]),
    ("join", Kind::Join, &["nodes", "join"]),
    ("pause", Kind::Pause, &["nodes", "for"]),
    ("slow", Kind::Slow, &["nodes", "for", "extra"]),
    ("block-io", Kind::BlockIo, &["nodes", "for"]),
    ("clock", Kind::Clock, &["nodes", "for", "rate", "offset"]),
    ("partition", Kind::Partition, &["partition", "for"]),
    ("link", Kind::Link, &["link", "for"]),
];

/// Reads one fault; what is wrong is on the list and stands as something harmless.
pub(super) fn fault(item: &Item, path: &Path, cluster: &Cluster, problems: &mut Vec<Problem>) -> Fault {
    let keys: Vec<&str> = COMMON.into_iter().chain(OTHERS).collect();
    let mut fault = Section::open(Some(item), path, &keys, problems);
    let at = fault.need("at", "\"30s\"").and_then(|_| fault.duration("at", "30s")).unwrap_or_default();
    let name = fault.text("name").unwrap_or_default().to_owned();
    let every = fault.duration("every", "60s");
    let until = fault.duration("until", "10m");
    let repick = fault.truth("repick").unwrap_or(false);
    let off = fault.truth("off").unwrap_or(false);
    let may_be_idle = fault.truth("may_be_idle").unwrap_or(false);
    let lasts = fault.duration("for", "20s");
    if every.is_none() {
        for key in ["until", "repick"] {
            if fault.get(key).is_some() && fault.get("every").is_none() {
                let message = format!("`{key}` is about repetitions, but without `every` there are none");
                fault.report(key, message, "add every = \"60s\"");
            }
        }
    }
    let kinds = KINDS.map(|(name, kind, _)| (name, kind));
    let kind = fault.need("kind", "\"crash\"").and_then(|_| fault.choice("kind", "kind of fault", &kinds));
    let kind = match kind {
        Some(kind) => read_kind(kind, &mut fault, cluster),
        None => FaultKind::Leave { nodes: Selector::All },
    };
    Fault { name, at, lasts, every, until, repick, off, kind, may_be_idle }
}

fn read_kind(kind: Kind, fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let (name, _, keys) = KINDS[kind as usize];
    for key in OTHERS.into_iter().filter(|key| !keys.contains(key)) {
        if fault.get(key).is_some() {
            let message = format!("`{key}` does not belong to a {name}");
            let problem = Problem::at(&fault.path.key(key), message).key_itself();
            let hint = format!("its keys: {}, {}", COMMON.join(", "), keys.join(", "));
            fault.problems.push(problem.hint(hint));
        }
    }
    match kind {
        Kind::Partition => read_partition(fault, cluster),
        Kind::Leave => FaultKind::Leave { nodes: nodes(fault, cluster) },
        Kind::Join => FaultKind::Join { nodes: nodes(fault, cluster), through: through(fault, cluster) },
        Kind::Restart => FaultKind::Restart { nodes: nodes(fault, cluster), how: how(fault, cluster) },
        Kind::Crash => FaultKind::Crash { nodes: nodes(fault, cluster), back: read_return(fault, cluster) },
        Kind::Pause => FaultKind::Pause { nodes: nodes(fault, cluster) },
        Kind::BlockIo => FaultKind::BlockIo { nodes: nodes(fault, cluster) },
        Kind::Slow => {
            let item = fault.need("extra", "{ kind = \"constant\", value = \"200ms\" }");
            let path = fault.path.key("extra");
            let extra = match item {
                Some(item) => read_travel::latency(item, &path, fault.problems),
                None => Latency::Constant { value: Duration::from_millis(1) },
            };
            FaultKind::Slow { nodes: nodes(fault, cluster), extra }
        }
        Kind::Clock => read_clock(fault, cluster),
        Kind::Link => read_link(fault, cluster),
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
fn read_return(fault: &mut Section<'_, '_>, cluster: &Cluster) -> Restart {
    if fault.get("for").is_none() {
        for key in RETURN_KEYS.into_iter().filter(|key| fault.get(key).is_some()).collect::<Vec<_>>() {
            let message = format!("`{key}` says how nodes come back, but without `for` they never do");
            fault.report(key, message, "add for = \"20s\"");
        }
    }
    how(fault, cluster)
}

fn read_clock(fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let rate = fault.number("rate", "1.0001");
    let offset = fault.text("offset").map(|text| {
        let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
        let size = size.strip_prefix('+').unwrap_or(size);
        (sign, rumormill_core::config::parse_duration(size))
    });
    let offset = match offset {
        None => 0,
        Some((sign, Ok(size))) => sign * i64::try_from(size.as_nanos()).unwrap_or(i64::MAX),
        Some((_, Err(error))) => {
            let hint = "a jump ahead or back, for example offset = \"-2s\"";
            fault.report("offset", error.to_string(), hint);
            1
        }
    };
    if fault.get("rate").is_none() && fault.get("offset").is_none() {
        let problem = Problem::at(&fault.path, "a clock fault without `rate` and `offset` changes nothing");
        fault.problems.push(problem.hint("add rate = 1.0001 or offset = \"-2s\""));
    }
    FaultKind::Clock { nodes: nodes(fault, cluster), rate: rate.unwrap_or(1.0), offset }
}

fn read_link(fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let item = fault.need("link", "{ from = { zone = \"a\" }, to = { zone = \"b\" }, loss = 0.2 }");
    match item {
        Some(item) => {
            let Link { from, to, travel } = read_travel::link_fault(fault, item, cluster);
            FaultKind::Link { from, to, travel }
        }
        // Something that changes something, so that no rule adds to what has been said.
        None => FaultKind::Link {
            from: Selector::All,
            to: Selector::All,
            travel: Travel { loss: Some(Loss::Bernoulli(0.0)), ..Travel::default() },
        },
    }
}

fn read_partition(fault: &mut Section<'_, '_>, cluster: &Cluster) -> FaultKind {
    let item = fault.need("partition", "{ a = { zone = \"a\" }, b = { zone = \"b\" } }");
    let path = fault.path.key("partition");
    if item.is_none() {
        // Sides that cut something, so that no rule about them adds to what has been said.
        return FaultKind::Partition {
            a: Selector::Pick(1),
            b: Selector::All,
            direction: Direction::Both,
            in_flight: InFlight::Drop,
            share: 1.0,
            traffic: Traffic::All,
        };
    }
    let keys = ["a", "b", "direction", "in_flight", "share", "traffic"];
    let mut cut = Section::open(item, &path, &keys, fault.problems);
    let directions = [("both", Direction::Both), ("a-to-b", Direction::AToB)];
    let direction = cut.choice("direction", "direction", &directions).unwrap_or(Direction::Both);
    let flights = [("drop", InFlight::Drop), ("deliver", InFlight::Deliver)];
    let in_flight = cut.choice("in_flight", "treatment", &flights).unwrap_or(InFlight::Drop);
    let traffics = [("all", Traffic::All), ("datagrams", Traffic::Datagrams), ("streams", Traffic::Streams)];
    let traffic = cut.choice("traffic", "traffic", &traffics).unwrap_or(Traffic::All);
    let share = cut.number("share", "0.3").unwrap_or(1.0);
    let a = cut.need("a", "{ zone = \"a\" }");
    let a = selector(a, "a", &mut cut, cluster);
    let b = cut.need("b", "{ zone = \"b\" }");
    let b = selector(b, "b", &mut cut, cluster);
    FaultKind::Partition { a, b, direction, in_flight, share, traffic }
}
