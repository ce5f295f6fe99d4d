//! The case in plain words.

use rumormill_core::io::Via;

use super::case::{Case, Grip};
use super::findings::{Arrival, Findings};
use super::probe::{Piece, Probe, Role};
use crate::scenario::FaultKind;
use crate::trace::words::{at, fate, fault, name, span};
use crate::trace::{Cause, Fate, Packet, What};
use crate::truth::{Presence, node_name};

/// A few sentences: what was declared, on whose word, after which probe, and why the answer did not help.
pub(super) fn story(case: &Case<'_>, found: &Findings<'_>) -> Vec<String> {
    let mut paragraphs = vec![format!("{} {}", opening(case), verdict(case, found))];
    paragraphs.push(accusation(case, found));
    if let Some(probe) = &found.probe {
        paragraphs.push(failed(case, probe));
    }
    paragraphs.push(refutation(case, found));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn opening(case: &Case<'_>) -> String {
    let verdict = case.verdict;
    let (observer, subject) = (node_name(verdict.observer), node_name(verdict.subject));
    let said = format!("{observer} declared {subject} failed at {}", at(verdict.time));
    if verdict.false_positive {
        return format!("{said}, although it was up, undisturbed and reachable.");
    }
    let why = match case.presence(verdict.time) {
        Some((since, Presence::Down)) => format!("it had been down since {}", at(since)),
        Some((since, Presence::Leaving | Presence::Left)) => {
            format!("it had begun to leave, or left, at {}", at(since))
        }
        _ => match case.grips(verdict.subject, verdict.time, verdict.time).first() {
            Some(grip) => format!("at that time {}", held(case, verdict.subject, grip)),
            None => "the two could not reach each other, it was not the first such report, or it came during warm-up"
                .to_owned(),
        },
    };
    format!("{said}, which does not count as a false positive: {why}.")
}

fn verdict(case: &Case<'_>, found: &Findings<'_>) -> String {
    let declarer = node_name(found.declarer);
    let declared = found.death.origin.time;
    let mut text = if found.declarer == case.verdict.observer {
        String::new()
    } else {
        format!(
            "It took the word of {declarer}, which had declared the death {} earlier; the news came over {}. ",
            span(case.verdict.time.saturating_sub(declared)),
            hops(found.death.hops.len())
        )
    };
    match found.suspicion {
        Some(began) => {
            let longest = match &began.what {
                What::Suspected { timeout, .. } => span(timeout.as_nanos() as u64),
                _ => String::new(),
            };
            let confirmed = match found.confirmations.len() {
                0 => format!("unconfirmed, it ran its whole time of {longest}"),
                1 => format!("one confirmation shortened it from {longest}"),
                n => format!("{n} confirmations shortened it from {longest}"),
            };
            text.push_str(&format!(
                "{declarer}'s suspicion of incarnation {} had run out {} after it began at {}; {confirmed}.",
                case.verdict.incarnation,
                span(declared.saturating_sub(began.time)),
                at(began.time)
            ));
            for grip in case.grips(found.declarer, began.time, declared) {
                text.push_str(&format!(
                    " Meanwhile {}{}.",
                    held(case, found.declarer, &grip),
                    match case.scenario.faults.get(grip.fault).map(|fault| &fault.kind) {
                        Some(FaultKind::BlockIo { .. }) => {
                            ": its timers fired, but it read nothing of what had arrived, and nothing that it said left"
                        }
                        Some(FaultKind::Pause { .. }) => ": its timers fired as soon as it went on",
                        _ => "",
                    }
                ));
            }
        }
        None => text.push_str(&format!("{declarer} declares a member dead as soon as it is accused.")),
    }
    text
}

/// What a fault did to a node.
pub(super) fn held(case: &Case<'_>, node: u32, grip: &Grip) -> String {
    let did = match case.scenario.faults.get(grip.fault).map(|fault| &fault.kind) {
        Some(FaultKind::Pause { .. }) => "stood still",
        Some(FaultKind::BlockIo { .. }) => "was cut off from its sockets",
        Some(FaultKind::Slow { .. }) => "was slow",
        Some(FaultKind::Clock { .. }) => "had a wrong clock",
        _ => "was disturbed",
    };
    let until = grip.until.map_or_else(|| "on".to_owned(), |until| format!("to {}", at(until)));
    let by = fault(case.scenario, grip.fault);
    format!("{} {did} from {} {until}, by {by}", node_name(node), at(grip.from))
}

fn hops(count: usize) -> String {
    if count == 1 { "one packet".to_owned() } else { format!("{count} packets, one after the other") }
}

fn accusation(case: &Case<'_>, found: &Findings<'_>) -> String {
    let accuser = node_name(found.accuser);
    let subject = node_name(case.verdict.subject);
    let Some(way) = &found.accusation else {
        return format!("{accuser} accused {subject} itself.");
    };
    let mut text = if found.accuser == found.declarer {
        format!("{accuser} had accused {subject} itself.")
    } else if let Some(began) = found.suspicion {
        let took = span(began.time.saturating_sub(way.origin.time));
        format!(
            "The accusation was {accuser}'s; it reached {} over {}, {took} later.",
            name(began.node),
            hops(way.hops.len())
        )
    } else {
        String::new()
    };
    if !way.whole {
        text.push_str(" Where it began lies outside of what was recorded.");
    } else if let What::Suspected { via: Via::Sync, .. } = way.origin.what {
        text.push_str(" It stood in a table that was exchanged.");
    }
    text
}

fn failed(case: &Case<'_>, probe: &Probe<'_>) -> String {
    let (prober, subject) = (node_name(probe.prober), node_name(case.verdict.subject));
    let (began, ended) = (probe.began, probe.failed.time);
    let mut text =
        format!("{prober} probed {subject} at {}, and had no answer by {}: ", at(began), at(ended));
    let mut reasons = Vec::new();
    for grip in case.grips(probe.prober, began, ended) {
        reasons.push(held(case, probe.prober, &grip));
    }
    for grip in case.grips(case.verdict.subject, began, ended) {
        reasons.push(held(case, case.verdict.subject, &grip));
    }
    reasons.push(direct(case, probe));
    reasons.extend(probe.helpers().into_iter().map(|helper| through(case, probe, helper)));
    reasons.extend(stream(case, probe));
    text.push_str(&reasons.join("; "));
    text.push('.');
    text
}

fn direct(case: &Case<'_>, probe: &Probe<'_>) -> String {
    let packet = |role| probe.piece(role).and_then(|piece| case.packet(piece.packet));
    match (packet(Role::Ack), packet(Role::Ping)) {
        (Some(ack), _) => format!("the ack {}", went(case, ack)),
        (None, Some(ping)) => format!("the ping {}", went(case, ping)),
        (None, None) => "no ping was seen".to_owned(),
    }
}

/// Where the help of one node ended.
fn through(case: &Case<'_>, probe: &Probe<'_>, helper: u32) -> String {
    let who = node_name(helper);
    let Some(piece) = probe.last_of(helper) else { return format!("nothing came of asking {who}") };
    let Some(packet) = case.packet(piece.packet) else { return String::new() };
    let nacked = probe.pieces.iter().any(|other| other.role == Role::Nack && other.helper == Some(helper));
    let nack = if nacked { ", which said that it had no answer either" } else { "" };
    let what = match piece.role {
        Role::Request => "the request to",
        Role::HelperPing => "the ping of",
        Role::HelperAck => "the ack to",
        _ => "the ack passed on by",
    };
    format!("{what} helper {who}{nack} {}", went(case, packet))
}

fn stream(case: &Case<'_>, probe: &Probe<'_>) -> Option<String> {
    let segments: Vec<(Piece, &Packet)> = probe
        .pieces
        .iter()
        .filter(|piece| piece.role == Role::Stream)
        .filter_map(|piece| Some((*piece, case.packet(piece.packet)?)))
        .collect();
    let (_, last) = segments.last()?;
    // What stopped it, or made it so late; else the last segment before time was up.
    let worst = segments.iter().map(|(_, packet)| *packet).find(|packet| super::probe::suffered(packet));
    let packet = worst.unwrap_or(last);
    Some(format!("over a stream, a segment of {} {}", node_name(packet.from), went(case, packet)))
}

/// What became of a packet, as the end of a sentence.
fn went(case: &Case<'_>, packet: &Packet) -> String {
    let held = match packet.sent {
        None => return "never left".to_owned(),
        Some(sent) if sent > packet.wanted => format!("left {} late and ", span(sent - packet.wanted)),
        Some(_) => String::new(),
    };
    let what = match packet.fate {
        Fate::Arrives(when) => match (packet.arrived, packet.waited) {
            (Some(read), Some(waited)) => {
                format!("arrived at {}, but was not read before {}", at(waited), at(read))
            }
            (None, Some(waited)) => format!("arrived at {}, but was never read", at(waited)),
            _ => format!("arrived at {}", at(when)),
        },
        Fate::Lost { .. } | Fate::Cut(_) | Fate::DroppedInFlight(_) => {
            format!("was {}", fate(case.scenario, packet))
        }
        Fate::TooLong | Fate::Overflowed => format!("was {}", fate(case.scenario, packet)),
        _ => format!("did not get there: {}", fate(case.scenario, packet)),
    };
    format!("{held}{what}")
}

fn refutation(case: &Case<'_>, found: &Findings<'_>) -> String {
    let subject = node_name(case.verdict.subject);
    let answer = &found.refutation;
    let failed_to_come = answer
        .accusations
        .iter()
        .filter_map(|number| case.packet(*number))
        .filter(|packet| packet.arrived.is_none_or(|arrived| arrived > case.verdict.time))
        .count();
    let missing = match failed_to_come {
        0 => String::new(),
        1 => " One packet that carried it there did not arrive in time.".to_owned(),
        n => format!(" {n} packets that carried it there did not arrive in time."),
    };
    let Some(announced) = answer.announced else {
        if case.presence(case.verdict.time).is_some_and(|(_, presence)| presence != Presence::Up) {
            return String::new();
        }
        return format!("{subject} did not answer the accusation while it was watched.{missing}");
    };
    let What::Refuted { announced: incarnation, .. } = announced.what else { return String::new() };
    let from = answer.heard.as_ref().and_then(|way| way.hops.last()).and_then(|hop| case.packet(*hop));
    let from = match (from, announced.cause) {
        (Some(packet), _) => format!(", from {}", node_name(packet.from)),
        (None, Cause::OtherPacket) => ", from a packet that was not recorded".to_owned(),
        _ => String::new(),
    };
    let mut text = format!(
        "{subject} heard of it at {}{from}, and announced incarnation {incarnation} at once.{missing}",
        at(announced.time)
    );
    for arrival in &answer.arrivals {
        text.push(' ');
        text.push_str(&came(case, announced.time, arrival));
    }
    text
}

/// When and how the answer came to one that judged.
fn came(case: &Case<'_>, announced: u64, arrival: &Arrival<'_>) -> String {
    let node = node_name(arrival.node);
    let lost = arrival.packets.len();
    let lost = match lost {
        0 => String::new(),
        1 => "; one packet that carried it there before that did not arrive in time".to_owned(),
        n => format!("; {n} packets that carried it there before that did not arrive in time"),
    };
    if announced > arrival.verdict {
        return format!("By then {node} had judged, {} before{lost}.", span(announced - arrival.verdict));
    }
    match &arrival.heard {
        Some((entry, way)) => format!(
            "That reached {node} at {}, over {}: {} too late{lost}.",
            at(entry.time),
            hops(way.hops.len()),
            span(entry.time.saturating_sub(arrival.verdict))
        ),
        None => format!("That did not reach {node} while it was watched{lost}."),
    }
}
