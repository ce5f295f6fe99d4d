//! What is known of a case: the recording of all that is about one member, and ways to look things up in it.

use std::collections::HashMap;

use rumormill_core::io::{State, Via};

use super::verdict::Verdict;
use crate::scenario::{FaultKind, Scenario};
use crate::trace::{Cause, Entry, Packet, Recording, Said, What};
use crate::truth::Presence;

/// One verdict, and everything that is about its subject.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) recording: &'a Recording,
    pub(super) verdict: Verdict,
    /// The places of each node's entries.
    by_node: HashMap<u32, Vec<usize>>,
}

/// A time during which a fault held a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grip {
    pub(super) fault: usize,
    pub(super) from: u64,
    /// `None`: until the end of what was observed.
    pub(super) until: Option<u64>,
}

/// How news came to a node.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    /// The entry of the node that found out itself; where that was not seen, of the first that is known to have had the news.
    pub(super) origin: &'a Entry,
    /// The packets that carried it, from there on.
    pub(super) hops: Vec<u32>,
    /// Whether it leads back to who found out.
    pub(super) whole: bool,
}

/// More hops than gossip ever takes.
const HOPS_MAX: usize = 256;

impl<'a> Case<'a> {
    pub(super) fn new(scenario: &'a Scenario, recording: &'a Recording, verdict: Verdict) -> Self {
        let mut by_node: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, entry) in recording.entries.iter().enumerate() {
            if let Some(node) = entry.node {
                by_node.entry(node).or_default().push(place);
            }
        }
        Self { scenario, recording, verdict, by_node }
    }

    /// What happened at a node, in order.
    pub(super) fn at(&self, node: u32) -> impl DoubleEndedIterator<Item = &'a Entry> + '_ {
        let places = self.by_node.get(&node).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(move |place| self.recording.entries.get(*place))
    }

    /// The last of those at a node up to a moment.
    pub(super) fn last(&self, node: u32, until: u64, is: impl Fn(&Entry) -> bool) -> Option<&'a Entry> {
        self.at(node).rev().filter(|entry| entry.time <= until).find(|entry| is(entry))
    }

    /// The packets in order, with their numbers.
    pub(super) fn packets(&self) -> impl DoubleEndedIterator<Item = (u32, &'a Packet)> + '_ {
        self.recording.packets.iter().enumerate().map(|(number, packet)| (number as u32, packet))
    }

    pub(super) fn packet(&self, number: u32) -> Option<&'a Packet> {
        self.recording.packets.get(number as usize)
    }

    /// The suspicion behind a death that its node found out itself.
    pub(super) fn suspicion(&self, death: &Entry) -> Option<&'a Entry> {
        let (node, What::DeclaredDead { incarnation, .. }) = (death.node?, &death.what) else { return None };
        self.last(
            node,
            death.time,
            |entry| matches!(&entry.what, What::Suspected { incarnation: i, .. } if i == incarnation),
        )
    }

    /// The way that news came to where this entry speaks of it: an accusation, a death, or a refutation.
    pub(super) fn way(&self, entry: &'a Entry) -> Way<'a> {
        let mut way = Way { origin: entry, hops: Vec::new(), whole: false };
        while way.hops.len() < HOPS_MAX {
            // A refutation ends the way of what it announces, and is where the way of what it answers is looked for.
            let asked = way.hops.is_empty() && matches!(way.origin.what, What::Refuted { .. });
            if found_out(way.origin) && !asked {
                way.whole = true;
                break;
            }
            let Cause::Packet(number) = way.origin.cause else { break };
            way.hops.push(number);
            let Some(before) = self.packet(number).and_then(|packet| self.holder(packet, way.origin)) else {
                break;
            };
            way.origin = before;
        }
        way.hops.reverse();
        way
    }

    /// The entry by which the sender of a packet came to know what the receiver's entry speaks of.
    fn holder(&self, packet: &Packet, entry: &Entry) -> Option<&'a Entry> {
        let (from, by) = (packet.from, packet.wanted);
        let said = packet
            .said
            .iter()
            .find(|said| said.subject() == Some(self.verdict.subject) && tells(said, entry))?;
        match said {
            Said::Suspect { accuser: by_whom, .. } => {
                let same = |entry: &Entry| match &entry.what {
                    What::Suspected { accuser, .. } | What::Confirmed { accuser, .. } => accuser == by_whom,
                    _ => false,
                };
                // Who warns a suspect itself does so in its own name, whoever accused first.
                let death = |entry: &Entry| matches!(entry.what, What::DeclaredDead { .. });
                let suspicion = self.last(from, by, same).or_else(|| self.last(from, by, is_suspicion));
                suspicion.or_else(|| self.last(from, by, death))
            }
            Said::Dead { accuser: by_whom, .. } => self.last(
                from,
                by,
                |entry| matches!(&entry.what, What::DeclaredDead { accuser, .. } if accuser == by_whom),
            ),
            Said::Row { state: State::Suspect | State::Dead, .. } => {
                let death = |entry: &Entry| matches!(entry.what, What::DeclaredDead { .. });
                let row = self.last(from, by, |entry| is_suspicion(entry) || death(entry))?;
                // A death that it found out itself goes back to what it suspected.
                if death(row) && found_out(row) { self.suspicion(row) } else { Some(row) }
            }
            Said::Alive { incarnation: told, .. } | Said::Row { incarnation: told, .. } => {
                self.last(from, by, |entry| match &entry.what {
                    What::Refuted { announced, .. } => announced == told,
                    What::Applied { state: State::Alive, incarnation, .. } => incarnation == told,
                    _ => false,
                })
            }
            _ => None,
        }
    }

    /// The times during which faults held a node's process or machine, as far as they touch a span.
    pub(super) fn grips(&self, node: u32, from: u64, until: u64) -> Vec<Grip> {
        let mut grips: Vec<Grip> = Vec::new();
        for entry in &self.recording.entries {
            match &entry.what {
                What::FaultBegins { fault, nodes } if nodes.contains(&node) && self.holds(*fault) => {
                    grips.push(Grip { fault: *fault, from: entry.time, until: None });
                }
                What::FaultEnds { fault } => {
                    let open = grips.iter_mut().filter(|grip| grip.fault == *fault && grip.until.is_none());
                    open.for_each(|grip| grip.until = Some(entry.time));
                }
                _ => {}
            }
        }
        grips.retain(|grip| grip.from <= until && grip.until.is_none_or(|end| end >= from));
        grips
    }

    /// Whether a fault is one that takes hold of nodes themselves.
    fn holds(&self, fault: usize) -> bool {
        self.scenario.faults.get(fault).is_some_and(|fault| {
            matches!(
                fault.kind,
                FaultKind::Pause { .. }
                    | FaultKind::BlockIo { .. }
                    | FaultKind::Slow { .. }
                    | FaultKind::Clock { .. }
            )
        })
    }

    /// Where the subject really was at a moment, and since when; `None` while it has not moved since the observation began.
    pub(super) fn presence(&self, until: u64) -> Option<(u64, Presence)> {
        let entry =
            self.last(self.verdict.subject, until, |entry| matches!(entry.what, What::Presence(_)))?;
        match entry.what {
            What::Presence(presence) => Some((entry.time, presence)),
            _ => None,
        }
    }
}

fn is_suspicion(entry: &Entry) -> bool {
    matches!(entry.what, What::Suspected { .. })
}

/// Whether the node did not need to be told.
fn found_out(entry: &Entry) -> bool {
    match &entry.what {
        What::Suspected { via, .. } | What::DeclaredDead { via, .. } => *via == Via::Own,
        What::Confirmed { accuser, .. } => *accuser == entry.node && matches!(entry.cause, Cause::Tick(_)),
        What::Refuted { .. } => true,
        _ => false,
    }
}

/// Whether a message tells what an entry speaks of.
fn tells(said: &Said, entry: &Entry) -> bool {
    match (&entry.what, said) {
        (
            What::Suspected { accuser, .. } | What::Confirmed { accuser, .. },
            Said::Suspect { accuser: told, .. },
        ) => accuser == told,
        (What::Suspected { .. }, Said::Row { state, .. }) => matches!(state, State::Suspect | State::Dead),
        // What a table says, its reader says in its own name.
        (What::Confirmed { accuser, .. }, Said::Row { state, .. }) => {
            *accuser == entry.node && matches!(state, State::Suspect | State::Dead)
        }
        (What::DeclaredDead { accuser, .. }, Said::Dead { accuser: told, .. }) => accuser == told,
        // Where suspicion is off an accusation is a verdict.
        (What::DeclaredDead { accuser, .. }, Said::Suspect { accuser: told, .. }) => accuser == told,
        (What::Applied { state: State::Alive, incarnation, .. }, Said::Alive { incarnation: told, .. })
        | (What::Applied { state: State::Alive, incarnation, .. }, Said::Row { incarnation: told, .. }) => {
            incarnation == told
        }
        (
            What::Refuted { accused, .. },
            Said::Suspect { incarnation: told, .. } | Said::Dead { incarnation: told, .. },
        ) => accused == told,
        (What::Refuted { accused, .. }, Said::Row { incarnation: told, state, .. }) => {
            accused == told && matches!(state, State::Suspect | State::Dead)
        }
        _ => false,
    }
}
