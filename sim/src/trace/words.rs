//! What is recorded, in words.

use rumormill_core::Due;
use rumormill_core::io::{ProbePath, Shed, State, Via};

use super::entry::{Carrier, Cause, Fate, Packet, Said, What};
use crate::scenario::Scenario;
use crate::truth::{Presence, node_name};

/// A moment: seconds since t = 0, to the microsecond.
pub(crate) fn moment(time: u64) -> String {
    format!("{:.6}", time as f64 / 1e9)
}

/// A moment for running text: seconds, to the millisecond.
pub(crate) fn at(time: u64) -> String {
    format!("{:.3} s", time as f64 / 1e9)
}

/// A span of time, in the unit that suits it.
pub(crate) fn span(nanos: u64) -> String {
    if nanos >= 1_000_000_000 {
        format!("{:.3} s", nanos as f64 / 1e9)
    } else {
        format!("{:.3} ms", nanos as f64 / 1e6)
    }
}

fn percent(chance: f64) -> String {
    format!("{} %", (chance * 1000.0).round() / 10.0)
}

/// A node's name, or that of somebody whom the scenario does not know.
pub(crate) fn name(node: Option<u32>) -> String {
    node.map_or_else(|| "somebody".to_owned(), node_name)
}

/// A fault as a scenario file counts it: `fault[1] (block-io "two-sick")`.
pub(crate) fn fault(scenario: &Scenario, index: usize) -> String {
    match scenario.faults.get(index) {
        Some(fault) if fault.name.is_empty() => format!("fault[{index}] ({})", fault.kind.name()),
        Some(fault) => format!("fault[{index}] ({} {:?})", fault.kind.name(), fault.name),
        None => format!("fault[{index}]"),
    }
}

/// What a message says.
pub(crate) fn said(said: &Said) -> String {
    let of = |target: &Option<u32>| target.map_or_else(String::new, |t| format!(" for {}", node_name(t)));
    match said {
        Said::Ping { seq, target } => format!("ping {seq}{}", of(target)),
        Said::PingReq { seq, target } => format!("ping-req {seq}{}", of(target)),
        Said::Ack { seq, target } => format!("ack {seq}{}", of(target)),
        Said::Nack { seq, target } => format!("nack {seq}{}", of(target)),
        Said::Alive { subject, incarnation } => format!("alive {}/{incarnation}", name(*subject)),
        Said::Suspect { subject, incarnation, accuser } => {
            format!("suspect {}/{incarnation} (says {})", name(*subject), name(*accuser))
        }
        Said::Dead { subject, incarnation, accuser } if subject == accuser => {
            format!("leaves {}/{incarnation}", name(*subject))
        }
        Said::Dead { subject, incarnation, accuser } => {
            format!("dead {}/{incarnation} (says {})", name(*subject), name(*accuser))
        }
        Said::Row { subject, incarnation, state } => {
            format!("row {}/{incarnation} {}", name(*subject), state_name(*state))
        }
        Said::Other(kind) => kind.name().to_owned(),
    }
}

/// What a packet carries: the messages that were kept, and how many more there are.
pub(crate) fn load(packet: &Packet) -> String {
    let mut parts: Vec<String> = packet.said.iter().map(said).collect();
    let all: usize = packet.kinds.iter().map(|(_, count)| usize::from(*count)).sum();
    if packet.sealed {
        parts = packet.kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        parts.push("sealed with a later key".into());
    } else if all > packet.said.len() {
        parts.push(format!("{} more", all - packet.said.len()));
    }
    match packet.carrier {
        Carrier::Datagram => parts.join(", "),
        Carrier::Segment(purpose) if parts.is_empty() => format!("stream {purpose}"),
        Carrier::Segment(purpose) => format!("stream {purpose}: {}", parts.join(", ")),
    }
}

/// A segment that is later than its own latency by so much was sent again, or waited for one before it that was (ns).
const SENT_AGAIN: u64 = 150_000_000;

/// What became of a packet.
pub(crate) fn fate(scenario: &Scenario, packet: &Packet) -> String {
    let sent = packet.sent.unwrap_or(packet.wanted);
    let mut text = match packet.fate {
        Fate::Waiting => "never left".to_owned(),
        Fate::Nobody => "nobody has that address any more".to_owned(),
        Fate::Arrives(at) => format!("arrives +{}", span(at.saturating_sub(sent))),
        Fate::Spared(at) => format!("arrives +{}, as an exception", span(at.saturating_sub(sent))),
        Fate::Lost { chance, burst, fault: by } => {
            let by = by.map_or_else(String::new, |index| format!(", {}", fault(scenario, index)));
            let burst = if burst { " in a burst" } else { "" };
            format!("lost{burst} (loss {}{by})", percent(chance))
        }
        Fate::TooLong => "lost: longer than the way takes".to_owned(),
        Fate::Cut(index) => format!("cut by {}", fault(scenario, index)),
        Fate::DroppedInFlight(index) => format!("dropped under way by {}", fault(scenario, index)),
        Fate::Overflowed => "lost: the receive buffer was full".to_owned(),
        Fate::Gone => "arrived where the process was gone".to_owned(),
    };
    let segment = matches!(packet.carrier, Carrier::Segment(_));
    if segment && packet.extra >= SENT_AGAIN {
        text.push_str(", sent again after a loss");
    } else if packet.extra >= 1_000_000 {
        text.push_str(&format!(", {} of it held up", span(packet.extra)));
    }
    match (packet.waited, packet.arrived) {
        (Some(waited), Some(read)) => {
            text.push_str(&format!(", read after waiting {}", span(read.saturating_sub(waited))));
        }
        (Some(_), None) if matches!(packet.fate, Fate::Arrives(_) | Fate::Spared(_)) => {
            text.push_str(", but was not read");
        }
        _ => {}
    }
    if packet.doubled {
        text.push_str(", and a copy of it");
    }
    text
}

/// The name of a reason to wake up.
pub(crate) const fn due(due: Due) -> &'static str {
    match due {
        Due::Probe => "next probe",
        Due::ProbeTimeout => "no direct ack",
        Due::ProbeEnd => "end of a probe",
        Due::Relay(_) => "no ack for a helper",
        Due::Suspicion(_) => "a suspicion runs out",
        Due::Lifetime(_) => "a dead member is forgotten",
        Due::Gossip => "gossip",
        Due::Sync => "anti-entropy",
        Due::Reconnect => "reconnect",
        Due::Stream(_) => "a stream takes too long",
        Due::Repair => "event repair",
        Due::Broadcast => "a leave or update has waited",
        Due::Intents => "an old intent",
        Due::Query(_) => "end of a query",
        Due::ForceLeave(_) => "a force-leave has waited",
    }
}

/// A cause, for the end of a line.
pub(crate) fn cause(cause: Cause, packets: &[Packet]) -> Option<String> {
    match cause {
        Cause::None => None,
        Cause::Packet(number) => {
            packets.get(number as usize).map(|packet| format!("from {}", node_name(packet.from)))
        }
        Cause::OtherPacket => Some("a packet".into()),
        Cause::Tick(why) => Some(format!("timer: {}", due(why))),
        Cause::Command => Some("the application".into()),
    }
}

/// The name of a failure detector's opinion.
pub(crate) const fn state_name(state: State) -> &'static str {
    match state {
        State::Alive => "alive",
        State::Suspect => "suspect",
        State::Dead => "dead",
        State::Left => "left",
        State::Forgotten => "forgotten",
    }
}

/// Through what news came.
pub(crate) const fn via(via: Via) -> &'static str {
    match via {
        Via::Own => "found out itself",
        Via::Gossip => "by packet",
        Via::Sync => "by anti-entropy",
    }
}

/// What happened, without packets.
pub(crate) fn what(scenario: &Scenario, health: u8, what: &What) -> String {
    let sick = if health > 0 { format!(", local health {health}") } else { String::new() };
    match what {
        What::Sent(_) | What::Held(_) | What::Arrived(_) => String::new(),
        What::Tick(why) => format!("timer: {}", due(*why)),
        What::Suspected { subject, incarnation, accuser, via: by, timeout } => format!(
            "suspects {}/{incarnation} for {} at most: says {}, {}{sick}",
            node_name(*subject),
            span(timeout.as_nanos() as u64),
            name(*accuser),
            via(*by)
        ),
        What::Confirmed { subject, accuser, confirmations } => format!(
            "suspicion of {} confirmed by {}: {confirmations} by now",
            node_name(*subject),
            name(*accuser)
        ),
        What::DeclaredDead { subject, incarnation, accuser, via: by } => format!(
            "takes {}/{incarnation} for dead: says {}, {}",
            node_name(*subject),
            name(*accuser),
            via(*by)
        ),
        What::Failed { subject, incarnation, false_positive } => {
            let wrong = if *false_positive { ", a false positive" } else { "" };
            format!("tells its application: {}/{incarnation} failed{wrong}", node_name(*subject))
        }
        What::Refuted { accused, announced, via: by } => {
            format!("refutes incarnation {accused}, accused {}: announces {announced}{sick}", via(*by))
        }
        What::ProbeFailed { subject, incarnation, accuses, nacks_expected, nacks } => {
            let accuses = if *accuses { "accuses it" } else { "accuses nobody: its row has changed" };
            let subject = node_name(*subject);
            format!(
                "probe of {subject}/{incarnation} failed, {nacks} of {nacks_expected} nacks; {accuses}{sick}"
            )
        }
        What::ProbeAnswered { subject, after, path } => {
            let path = match path {
                ProbePath::Direct => "directly",
                ProbePath::Indirect => "late or through a helper",
                ProbePath::Stream => "over a stream alone",
            };
            format!("{} answers {path}, after {}", node_name(*subject), span(after.as_nanos() as u64))
        }
        What::Applied { subject, before, state, incarnation, via: by } => format!(
            "{}/{incarnation} is {} (was {}), {}",
            node_name(*subject),
            state_name(*state),
            before.map_or("unknown", state_name),
            via(*by)
        ),
        What::Rejected(why) => format!("refuses a packet: {why}"),
        What::Shed(what) => format!("sheds {}", shed(*what)),
        What::Event { name: event, subject: None } => format!("tells its application: {event}"),
        What::Event { name: event, subject } => format!("tells its application: {event}, {}", name(*subject)),
        What::FaultBegins { fault: index, nodes } => {
            format!("{} begins: {}", fault(scenario, *index), some(nodes))
        }
        What::FaultEnds { fault: index } => format!("{} ends", fault(scenario, *index)),
        What::Presence(presence) => match presence {
            Presence::Absent => "is not there yet".to_owned(),
            Presence::Up => "is up".to_owned(),
            Presence::Leaving => "begins to leave".to_owned(),
            Presence::Left => "has left".to_owned(),
            Presence::Down => "is down".to_owned(),
        },
    }
}

const fn shed(what: Shed) -> &'static str {
    match what {
        Shed::Broadcast => "a broadcast",
        Shed::Member => "a member",
        Shed::Relay => "a request to probe for another",
        Shed::Stream => "a stream",
        Shed::Intent => "an intent",
        Shed::EventOrigin => "an origin of user events",
        Shed::EventGap => "a gap in user events",
        Shed::Query => "a query",
    }
}

/// The first few names of some nodes.
pub(crate) fn some(nodes: &[u32]) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> = nodes.iter().take(SHOWN).map(|node| node_name(*node)).collect();
    if nodes.is_empty() {
        names.push("nobody".into());
    } else if nodes.len() > SHOWN {
        names.push(format!("{} more", nodes.len() - SHOWN));
    }
    names.join(", ")
}
