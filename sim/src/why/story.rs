//! The case in plain words.

use super::case::{Case, Grip};
use super::findings::{Arrival, Findings};
use super::probe::{Probe, Role, suffered};
use crate::scenario::FaultKind;
use crate::trace::words::{at, fate, fault, name, span};
use crate::trace::{Cause, Fate, Packet, What};
use crate::truth::{Presence, node_name};

/// A few sentences: what was declared, on whose word, after which probe, and why the answer did not help.
pub(super) fn story(case: &Case<'_>, found: &Findings<'_>) -> Vec<String> {
    let mut told = Vec::new();
    let mut paragraphs = vec![format!("{} {}", opening(case), verdict(case, found, &mut told))];
    let probe = found.probe.as_ref().map_or_else(String::new, |probe| failed(case, probe, &told));
    paragraphs.push(format!("{} {probe}", accusation(found)).trim().to_owned());
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

/// Whose word it was, and how long the suspicion behind it ran; `told` gets the disturbances that are mentioned.
fn verdict(case: &Case<'_>, found: &Findings<'_>, told: &mut Vec<(u32, Grip)>) -> String {
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
            text.push_str(&echoes(found));
            for grip in case.grips(found.declarer, began.time, declared) {
                told.push((found.declarer, grip));
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
        None => text.push_str("Suspicion is off: whom a probe accuses is dead at once."),
    }
    text
}

/// Confirmations should come of other probes. Some only say again what was said.
fn echoes(found: &Findings<'_>) -> String {
    let mut who: Vec<String> = found
        .echoes()
        .filter_map(|(entry, _)| match entry.what {
            What::Confirmed { accuser, .. } => Some(name(accuser)),
            _ => None,
        })
        .collect();
    who.dedup();
    if who.is_empty() {
        return String::new();
    }
    let (who, accuser) = (who.join(" and "), node_name(found.accuser));
    format!(
        " The word of {who} was no second opinion: it goes back to {accuser}'s own accusation, which an exchange of tables \
         made them say in their own name."
    )
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

fn accusation(found: &Findings<'_>) -> String {
    let accuser = node_name(found.accuser);
    let Some(way) = &found.accusation else { return String::new() };
    let mut text = if found.accuser == found.declarer {
        String::new()
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
    }
    text
}

fn failed(case: &Case<'_>, probe: &Probe<'_>, told: &[(u32, Grip)]) -> String {
    let (prober, subject) = (node_name(probe.prober), node_name(case.verdict.subject));
    let (began, ended) = (probe.began, probe.failed.time);
    let mut text =
        format!("{prober} probed {subject} at {}, and had no answer by {}: ", at(began), at(ended));
    let mut reasons = Vec::new();
    for node in [probe.prober, case.verdict.subject] {
        let news = case.grips(node, began, ended).into_iter().filter(|grip| !told.contains(&(node, *grip)));
        reasons.extend(news.map(|grip| held(case, node, &grip)));
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
    let nack = if nacked { ", and it sent a nack" } else { "" };
    let what = match piece.role {
        Role::Request => "the request",
        Role::HelperPing => "its ping",
        Role::HelperAck => "the ack to it",
        _ => "the ack that it passed on",
    };
    format!("helper {who}: {what} {}{nack}", went(case, packet))
}

/// What became of the stream that was tried beside the helpers.
fn stream(case: &Case<'_>, probe: &Probe<'_>) -> Option<String> {
    let pieces = probe.pieces.iter().filter(|piece| piece.role == Role::Stream);
    let segments: Vec<&Packet> = pieces.filter_map(|piece| case.packet(piece.packet)).collect();
    let suffering: Vec<&Packet> = segments.iter().copied().filter(|packet| suffered(packet)).collect();
    if let Some(stopped) = suffering.iter().find(|packet| !matches!(packet.fate, Fate::Arrives(_))) {
        return Some(format!(
            "over a stream, a segment of {} {}",
            node_name(stopped.from),
            went(case, stopped)
        ));
    }
    if suffering.is_empty() {
        return (!segments.is_empty()).then(|| "over a stream no answer came in time either".to_owned());
    }
    let lost: u64 = suffering.iter().map(|packet| packet.extra).sum();
    Some(format!(
        "the stream beside was too slow: {} of its {} segments were held up or sent again, {} in all",
        suffering.len(),
        segments.len(),
        span(lost)
    ))
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
        text.push_str(&came(announced.time, arrival));
    }
    text
}

/// When and how the answer came to one that judged.
fn came(announced: u64, arrival: &Arrival<'_>) -> String {
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
