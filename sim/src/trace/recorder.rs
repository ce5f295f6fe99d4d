//! Recording: what the world tells while it runs.

use std::collections::{HashMap, VecDeque};

use rumormill_core::Due;
use rumormill_core::io::{Event, Input, Note};
use rumormill_core::wire::Kinds;

use super::entry::{Carrier, Cause, Entry, Fate, Packet, SAID_MAX, Said, What};
use super::filter::{Filter, Kind};
use super::read::Reader;
use crate::network::Key;
use crate::truth::{Presence, node_number};

/// What was recorded of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// The packets and segments that the entries speak of.
    pub packets: Vec<Packet>,
    /// Happenings that passed the filter, but for which there was no room.
    pub left_out: u64,
}

/// How a packet's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It reaches the process.
    Arrives,
    /// It waits at the machine of a process that does not read.
    Waits,
    /// There is no room for it there.
    Overflows,
    /// A cut dropped it under way.
    Dropped(usize),
    /// The process that should get it is gone.
    Gone,
}

/// Writes down what passes a filter.
#[derive(Debug)]
pub(crate) struct Recorder {
    filter: Filter,
    mask: u16,
    reader: Reader,
    recording: Recording,
    /// The packet that each parcel under way carries.
    under_way: HashMap<u32, u32>,
    /// What each node that cannot send wants to send, in order; `None` for what is not recorded.
    held: HashMap<u32, VecDeque<Option<u32>>>,
    /// The target of each probe, by who waits for its answer and by which number.
    probes: HashMap<(u32, u32), u32>,
    /// The packet that is being sent.
    draft: Option<u32>,
    /// The packet that reaches a process now.
    delivered: Option<u32>,
    cause: Cause,
    health: u8,
}

impl Recorder {
    /// A recorder of nothing yet.
    pub(crate) fn new(filter: Filter, reader: Reader) -> Self {
        Self {
            mask: filter.mask(),
            filter,
            reader,
            recording: Recording::default(),
            under_way: HashMap::new(),
            held: HashMap::new(),
            probes: HashMap::new(),
            draft: None,
            delivered: None,
            cause: Cause::None,
            health: 0,
        }
    }

    /// What was recorded so far.
    pub(crate) const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// What was recorded.
    pub(crate) fn finish(self) -> Recording {
        self.recording
    }

    fn wants(&self, kind: Kind, now: u64) -> bool {
        self.mask & kind.bit() != 0 && now >= self.filter.from && now <= self.filter.until
    }

    fn push(&mut self, time: u64, node: Option<u32>, what: What) {
        if self.recording.entries.len() >= self.filter.most {
            self.recording.left_out += 1;
            return;
        }
        self.recording.entries.push(Entry { time, node, cause: self.cause, health: self.health, what });
    }

    /// A node is given an input.
    pub(crate) fn input(&mut self, now: u64, node: u32, input: &Input<'_>, due: Option<Due>, health: u8) {
        self.health = health;
        self.cause = match input {
            Input::Tick => due.map_or(Cause::None, Cause::Tick),
            Input::Packet { .. } | Input::Stream { .. } => {
                self.delivered.map_or(Cause::OtherPacket, Cause::Packet)
            }
            Input::Command { .. } => Cause::Command,
        };
        if let Cause::Tick(due) = self.cause
            && self.wants(Kind::Tick, now)
            && self.filter.about.is_empty()
            && self.filter.has_node(&[node])
        {
            self.push(now, Some(node), What::Tick(due));
        }
    }

    /// What happens now is no node's doing.
    const fn nobody_s_doing(&mut self) {
        self.cause = Cause::None;
        self.health = 0;
        self.delivered = None;
    }

    /// A node sends a datagram; where it is `held`, it only would.
    pub(crate) fn datagram(&mut self, now: u64, way: (u32, u32), bytes: &[u8], kinds: &Kinds, held: bool) {
        self.draft = None;
        if !held && self.released(now, way.0) {
            return;
        }
        let packet = self.packet(now, way, Carrier::Datagram, bytes, kinds);
        if held {
            self.held.entry(way.0).or_default().push_back(packet);
            if let Some(packet) = packet.filter(|_| self.mask & Kind::Packet.bit() != 0) {
                self.push(now, Some(way.0), What::Held(packet));
            }
        } else if let Some(packet) = packet {
            self.leaves(now, packet);
        }
    }

    /// Whether what the node sends now is what it wanted to send first while it could not.
    fn released(&mut self, now: u64, node: u32) -> bool {
        let Some(waiting) = self.held.get_mut(&node) else { return false };
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.held.remove(&node);
        }
        if let Some(Some(packet)) = first {
            self.leaves(now, packet);
        }
        first.is_some()
    }

    fn leaves(&mut self, now: u64, packet: u32) {
        self.draft = Some(packet);
        if let Some(it) = self.recording.packets.get_mut(packet as usize) {
            it.sent = Some(now);
            it.fate = Fate::Nobody;
            let (from, kind) = (it.from, it.kind());
            if self.mask & kind.bit() != 0 {
                self.push(now, Some(from), What::Sent(packet));
            }
        }
    }

    /// What a node wanted to send while it could not is gone with its process.
    pub(crate) fn forget_held(&mut self, node: u32) {
        self.held.remove(&node);
    }

    /// A segment of a stream is sent.
    pub(crate) fn segment(&mut self, now: u64, way: (u32, u32), purpose: &'static str, bytes: &[u8]) {
        self.draft = None;
        let packet = self.packet(now, way, Carrier::Segment(purpose), bytes, &Kinds::default());
        if let Some(packet) = packet {
            self.leaves(now, packet);
        }
    }

    /// Keeps a packet, if it passes; its number.
    fn packet(
        &mut self,
        now: u64,
        (from, to): (u32, u32),
        carrier: Carrier,
        bytes: &[u8],
        kinds: &Kinds,
    ) -> Option<u32> {
        let kind = if carrier == Carrier::Datagram { Kind::Packet } else { Kind::Stream };
        let wanted = self.wants(kind, now) || self.wants(Kind::Arrival, now);
        if !wanted || !self.filter.has_node(&[from, to]) {
            return None;
        }
        let (said, sealed) = self.read((from, to), carrier, bytes);
        if !self.filter.about.is_empty() && said.is_empty() {
            // A segment without a frame is about its ends.
            let control = carrier != Carrier::Datagram && bytes.is_empty();
            let ends = [from, to].iter().any(|node| self.filter.about.contains(node));
            if !(control && ends) {
                return None;
            }
        }
        if self.recording.entries.len().max(self.recording.packets.len()) >= self.filter.most {
            self.recording.left_out += 1;
            return None;
        }
        for one in &said {
            if let Said::Ping { seq, target: Some(target) } | Said::PingReq { seq, target: Some(target) } =
                one
            {
                self.probes.insert((from, *seq), *target);
            }
        }
        let packet = Packet {
            wanted: now,
            sent: None,
            from,
            to,
            carrier,
            key: None,
            bytes: bytes.len() as u32,
            kinds: kinds.iter().collect(),
            said,
            sealed,
            cause: self.cause,
            fate: Fate::Waiting,
            extra: 0,
            doubled: false,
            waited: None,
            arrived: None,
        };
        self.recording.packets.push(packet);
        Some(self.recording.packets.len() as u32 - 1)
    }

    /// What the messages of a packet say that is of interest, and whether it could not be read.
    fn read(&mut self, (from, to): (u32, u32), carrier: Carrier, bytes: &[u8]) -> (Vec<Said>, bool) {
        let mut kept = Vec::new();
        if bytes.is_empty() {
            return (kept, false);
        }
        let (filter, probes) = (&self.filter, &self.probes);
        let sound = self.reader.read(from, carrier, bytes, |mut said| {
            // An answer says to which probe, and only its asker knows of whom that was.
            if let Said::Ack { seq, target } | Said::Nack { seq, target } = &mut said {
                *target = probes.get(&(to, *seq)).copied();
            }
            if filter.has_subject(said.subject()) && kept.len() < SAID_MAX {
                kept.push(said);
            }
        });
        (kept, !sound)
    }

    /// Whether what is being sent is recorded.
    pub(crate) const fn is_sending(&self) -> bool {
        self.draft.is_some()
    }

    fn draft(&mut self) -> Option<&mut Packet> {
        self.draft.and_then(|draft| self.recording.packets.get_mut(draft as usize))
    }

    /// The network knows what is being sent by this key.
    pub(crate) fn knows(&mut self, key: Key) {
        if let Some(packet) = self.draft() {
            packet.key = Some(key);
        }
    }

    /// The key of what is being sent.
    pub(crate) fn key(&mut self) -> Option<Key> {
        self.draft().and_then(|packet| packet.key)
    }

    /// The network has decided about what is being sent: its fate, how much later than its own latency says it arrives (ns), and whether
    /// a copy does too.
    pub(crate) fn decided(&mut self, fate: Fate, extra: u64, doubled: bool) {
        if let Some(packet) = self.draft() {
            packet.fate = fate;
            packet.extra = extra;
            packet.doubled = doubled;
        }
    }

    /// What was sent just now travels in this parcel.
    pub(crate) fn travels(&mut self, parcel: u32) {
        if let Some(packet) = self.draft {
            self.under_way.insert(parcel, packet);
        }
    }

    /// A parcel's way ends, or it waits.
    pub(crate) fn ends(&mut self, now: u64, parcel: u32, end: End) {
        self.nobody_s_doing();
        let number = match end {
            End::Waits => self.under_way.get(&parcel).copied(),
            _ => self.under_way.remove(&parcel),
        };
        let Some(number) = number else { return };
        let Some(packet) = self.recording.packets.get_mut(number as usize) else { return };
        match end {
            End::Waits => packet.waited = Some(now),
            // Of two copies the first counts.
            End::Overflows if packet.arrived.is_none() => packet.fate = Fate::Overflowed,
            End::Dropped(fault) if packet.arrived.is_none() => packet.fate = Fate::DroppedInFlight(fault),
            End::Gone if packet.arrived.is_none() => packet.fate = Fate::Gone,
            End::Overflows | End::Dropped(_) | End::Gone => {}
            End::Arrives => {
                packet.arrived.get_or_insert(now);
                let to = packet.to;
                self.delivered = Some(number);
                if self.mask & Kind::Arrival.bit() != 0 {
                    self.push(now, Some(to), What::Arrived(number));
                }
            }
        }
    }

    /// A node tells what happened inside it.
    pub(crate) fn note(&mut self, now: u64, node: u32, note: &Note<'_>) {
        let Some(what) = noted(note) else { return };
        let subject = if matches!(what, What::Refuted { .. }) { Some(node) } else { what.subject() };
        self.happens(now, node, what, subject);
    }

    /// A node tells its application something.
    pub(crate) fn event(&mut self, now: u64, node: u32, event: &Event<'_>) {
        let (name, subject) = match event {
            Event::Join { member, .. } => ("join", node_number(&member.name)),
            Event::Leave { member } => ("leave", node_number(&member.name)),
            Event::Update { member } => ("update", node_number(&member.name)),
            Event::Reap { member } => ("reap", node_number(&member.name)),
            Event::Conflict { member, .. } => ("conflict", node_number(&member.name)),
            Event::User { origin, .. } => ("user event", node_number(origin)),
            Event::Query { from, .. } => ("query", node_number(from)),
            Event::Ack { from, .. } => ("query ack", node_number(from)),
            Event::Answer { from, .. } => ("query answer", node_number(from)),
            Event::KeysChanged => ("keys changed", None),
            Event::MustStop { .. } => ("must stop", None),
            // Told with what it counts for, see `failed`.
            Event::Failed { .. } => return,
        };
        self.happens(now, node, What::Event { name, subject }, subject);
    }

    /// A node tells its application that a member failed.
    pub(crate) fn failed(
        &mut self,
        now: u64,
        (node, subject): (u32, u32),
        incarnation: u32,
        false_positive: bool,
    ) {
        self.happens(now, node, What::Failed { subject, incarnation, false_positive }, Some(subject));
    }

    /// A node comes, goes, or begins to.
    pub(crate) fn presence(&mut self, now: u64, node: u32, presence: Presence) {
        self.nobody_s_doing();
        self.happens(now, node, What::Presence(presence), Some(node));
    }

    fn happens(&mut self, now: u64, node: u32, what: What, subject: Option<u32>) {
        if self.wants(what.kind(), now) && self.filter.has_node(&[node]) && self.filter.has_subject(subject) {
            self.push(now, Some(node), what);
        }
    }

    /// A fault takes hold of these nodes.
    pub(crate) fn fault_begins(&mut self, now: u64, fault: usize, nodes: &[u32]) {
        self.nobody_s_doing();
        if now <= self.filter.until {
            self.push(now, None, What::FaultBegins { fault, nodes: nodes.into() });
        }
    }

    /// A fault lets go.
    pub(crate) fn fault_ends(&mut self, now: u64, fault: usize) {
        self.nobody_s_doing();
        if now <= self.filter.until {
            self.push(now, None, What::FaultEnds { fault });
        }
    }
}

/// A note with numbers for names; `None` where a name is not one of the simulator's.
fn noted(note: &Note<'_>) -> Option<What> {
    Some(match note {
        Note::Applied { subject, before, state, incarnation, via } => What::Applied {
            subject: node_number(&subject.name)?,
            before: *before,
            state: *state,
            incarnation: incarnation.0,
            via: *via,
        },
        Note::Suspected { subject, incarnation, accuser, via, timeout } => What::Suspected {
            subject: node_number(&subject.name)?,
            incarnation: incarnation.0,
            accuser: node_number(accuser),
            via: *via,
            timeout: *timeout,
        },
        Note::Confirmed { subject, accuser, confirmations } => What::Confirmed {
            subject: node_number(&subject.name)?,
            accuser: node_number(accuser),
            confirmations: *confirmations,
        },
        Note::DeclaredDead { subject, incarnation, accuser, via } => What::DeclaredDead {
            subject: node_number(&subject.name)?,
            incarnation: incarnation.0,
            accuser: node_number(accuser),
            via: *via,
        },
        Note::Refuted { accused, announced, via } => {
            What::Refuted { accused: accused.0, announced: announced.0, via: *via }
        }
        Note::ProbeFailed { subject, incarnation, accuses, nacks_expected, nacks } => What::ProbeFailed {
            subject: node_number(&subject.name)?,
            incarnation: incarnation.0,
            accuses: *accuses,
            nacks_expected: *nacks_expected,
            nacks: *nacks,
        },
        Note::ProbeAnswered { subject, after, path } => {
            What::ProbeAnswered { subject: node_number(&subject.name)?, after: *after, path: *path }
        }
        Note::Rejected { error, .. } => What::Rejected(error.to_string().into()),
        Note::Shed(what) => What::Shed(*what),
    })
}
