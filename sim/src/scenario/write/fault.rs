//! `[[fault]]`.

use std::time::Duration;

use rumormill_core::config::format_duration;

use super::super::model::*;
use super::lines::Lines;
use super::values::{number, quoted, selector, table};

pub(super) fn write(fault: &Fault, cluster: &Cluster, lines: &mut Lines) {
    lines.open("[[fault]]");
    lines.duration("at", fault.at);
    if !fault.name.is_empty() {
        lines.key("name", &quoted(&fault.name));
    }
    lines.key("kind", &format!("\"{}\"", fault.kind.name()));
    write_kind(&fault.kind, fault.lasts, cluster, lines);
    if let Some(every) = fault.every {
        lines.duration("every", every);
        if let Some(until) = fault.until {
            lines.duration("until", until);
        }
        lines.flag("repick", fault.repick);
    }
    lines.flag("off", fault.off);
    lines.flag("may_be_idle", fault.may_be_idle);
}

/// The keys of the kind, and how long it lasts where it has an end.
fn write_kind(kind: &FaultKind, lasts: Option<Duration>, cluster: &Cluster, lines: &mut Lines) {
    match kind {
        FaultKind::Crash { nodes, .. }
        | FaultKind::Restart { nodes, .. }
        | FaultKind::Leave { nodes }
        | FaultKind::Join { nodes, .. }
        | FaultKind::Pause { nodes }
        | FaultKind::Slow { nodes, .. }
        | FaultKind::BlockIo { nodes }
        | FaultKind::Clock { nodes, .. } => lines.selector("nodes", nodes, cluster),
        FaultKind::Partition { .. } => lines.key("partition", &partition(kind, cluster)),
        FaultKind::Link { from, to, travel } => {
            let mut keys = vec![("from", selector(from, cluster)), ("to", selector(to, cluster))];
            keys.extend(travel.keys());
            lines.key("link", &table(&keys));
        }
    }
    match kind {
        FaultKind::Slow { extra, .. } => {
            let way = Travel { latency: Some(extra.clone()), ..Travel::default() };
            way.keys().into_iter().for_each(|(_, latency)| lines.key("extra", &latency));
        }
        FaultKind::Clock { rate, offset, .. } => write_clock(*rate, *offset, lines),
        _ => {}
    }
    let ends = !matches!(kind, FaultKind::Restart { .. } | FaultKind::Leave { .. } | FaultKind::Join { .. });
    if let Some(lasts) = lasts.filter(|_| ends) {
        lines.duration("for", lasts);
    }
    match kind {
        FaultKind::Crash { back, .. } if lasts.is_some() => write_return(back, cluster, lines),
        FaultKind::Restart { how, .. } => write_return(how, cluster, lines),
        FaultKind::Join { through, .. } => write_through(through, cluster, lines),
        _ => {}
    }
}

/// The sides of a partition, and what it cuts; nothing of another kind.
fn partition(kind: &FaultKind, cluster: &Cluster) -> String {
    let FaultKind::Partition { a, b, direction, in_flight, share, traffic } = kind else {
        return String::new();
    };
    let mut keys = vec![("a", selector(a, cluster)), ("b", selector(b, cluster))];
    let mut word = |key, word: Option<&str>| keys.extend(word.map(|word| (key, format!("\"{word}\""))));
    word("direction", (*direction == Direction::AToB).then_some("a-to-b"));
    word("in_flight", (*in_flight == InFlight::Deliver).then_some("deliver"));
    let traffic = match traffic {
        Traffic::All => None,
        Traffic::Datagrams => Some("datagrams"),
        Traffic::Streams => Some("streams"),
    };
    word("traffic", traffic);
    if *share != 1.0 {
        keys.push(("share", number(*share)));
    }
    table(&keys)
}

fn write_clock(rate: f64, offset: i64, lines: &mut Lines) {
    // A clock fault says at least one of the two.
    if rate != 1.0 || offset == 0 {
        lines.key("rate", &number(rate));
    }
    if offset != 0 {
        let sign = if offset < 0 { "-" } else { "" };
        let size = format_duration(Duration::from_nanos(offset.unsigned_abs()));
        lines.key("offset", &format!("\"{sign}{size}\""));
    }
}

fn write_return(how: &Restart, cluster: &Cluster, lines: &mut Lines) {
    if how.new_address {
        lines.key("address", "\"new\"");
    }
    if how.lost_state {
        lines.key("state", "\"lost\"");
    }
    write_through(&how.through, cluster, lines);
}

fn write_through(through: &Through, cluster: &Cluster, lines: &mut Lines) {
    if let Through::Selector(selector) = through {
        lines.selector("join", selector, cluster);
    }
}
