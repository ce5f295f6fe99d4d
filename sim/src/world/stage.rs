//! Carrying out what nodes want: packets and streams onto the network, joins that are retried.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rumormill_core::Node;
use rumormill_core::io::{CommandId, Output, StreamAction, StreamId};
use rumormill_core::wire::Kinds;

use super::WAKE;
use super::conditions::{Conditions, Held};
use super::lookout::Lookout;
use super::streams::{Connections, Step};
use super::work::Work;
use crate::digest::TraceDigest;
use crate::draws::{Draws, Purpose, unit};
use crate::invariants::Invariants;
use crate::metrics::Meter;
use crate::metrics::views::View;
use crate::network::{Carried, Fate, Network};
use crate::queue::{EventQueue, Slab};
use crate::record::FaultEffect;
use crate::trace::Recorder;
use crate::truth::Truth;

const PORT: u16 = 7946;
/// The number of a join command; a leave has the next one.
pub(super) const JOIN: CommandId = CommandId(1);
pub(super) const LEAVE: CommandId = CommandId(2);

/// Address number `n`: 10.0.0.1 is number 0.
#[inline]
pub(super) fn socket(number: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + number)), PORT)
}

#[inline]
pub(super) fn number_of(socket: SocketAddr) -> Option<u32> {
    let IpAddr::V4(v4) = socket.ip() else { return None };
    v4.to_bits().checked_sub(0x0a00_0001)
}

/// What is under way, or planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum What {
    /// A datagram.
    #[default]
    Datagram,
    /// Something on a connection, at one side of it.
    Stream { connection: u32, generation: u32, side: u8, step: Step },
    /// A process was told to leave while it stood still.
    Leave,
    /// A node starts, and joins through the first.
    Start,
    /// A workload begins, or begins again.
    Work(u32),
    /// A step of a change of keys is tried again.
    Rekey(u32),
    /// An application asked to be called back, if its process still is in this life.
    CallBack { life: u32, token: u32 },
    /// A fault begins, or begins again.
    Fault(u32),
    /// A fault ends.
    End(u32),
    /// A node comes back after this fault's crash, if it still is in this life.
    Return { fault: u32, life: u32 },
    /// A failed join is tried again, if the node still is in this life.
    Rejoin { life: u32 },
}

/// A slot of what is under way; its buffer is reused.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) what: What,
    pub(super) from: u32,
    /// The receiving node.
    pub(super) to: u32,
    /// The address numbers of both.
    pub(super) sender: u32,
    pub(super) receiver: u32,
    pub(super) sent: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether the network flipped one of its bits.
    pub(super) damaged: bool,
}

/// A join that is not done yet.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    pub(super) through: Vec<u32>,
    pub(super) attempts: u32,
    /// Exchanges that the node had had as the attempt under way began; `None` while it waits for the next one.
    pub(super) before: Option<u64>,
}

/// Everything of a run but the nodes themselves.
pub(super) struct Stage {
    pub(super) now: u64,
    pub(super) draws: Draws,
    pub(super) queue: EventQueue,
    pub(super) parcels: Slab<Parcel>,
    pub(super) network: Network,
    pub(super) truth: Truth,
    pub(super) meter: Meter,
    pub(super) invariants: Invariants,
    pub(super) digest: TraceDigest,
    pub(super) connections: Connections,
    pub(super) conditions: Conditions,
    /// Bytes of datagrams that wait at a node whose process does not read.
    pub(super) receive_buffer: usize,
    /// Each node's present address number.
    pub(super) address: Vec<u32>,
    /// Each address number's node.
    pub(super) owner: Vec<u32>,
    /// Link faults at present.
    pub(super) link_faults: u32,
    /// The wake-up that counts, for each node.
    pub(super) armed: Vec<u64>,
    /// Each node's deadline, so that a wake-up that came to nothing need not look at the node.
    pub(super) due: Vec<u64>,
    pub(super) joining: Vec<Option<Joining>>,
    pub(super) stopping: Vec<u32>,
    pub(super) effects: Vec<FaultEffect>,
    /// What applications do.
    pub(super) work: Work,
    /// Writes down what happens, where somebody wants to read it.
    pub(super) recorder: Option<Box<Recorder>>,
    /// Whether there are some besides the workloads'.
    pub(super) applications: bool,
    /// What is looked out for, if anything is.
    pub(super) lookout: Option<Box<Lookout>>,
}

impl Stage {
    /// After a step: the next wake-up, and what is always true.
    #[inline(always)]
    pub(super) fn after(&mut self, node: u32, process: &Node, tick: bool) {
        let (now, incarnation) = (self.now, process.incarnation());
        if self.invariants.own.stands(now, node, incarnation) {
            self.invariants.incarnations.announced(node, incarnation);
        }
        if process.queue_depth() > 0 {
            let depths = process.queue_depths();
            self.invariants.budgets.queues(now, node, &depths);
            self.meter.queues(&depths, now);
        }
        if tick {
            self.invariants.own.clocks(now, node, process.clocks());
            let local = self.conditions.local(node, now).as_nanos();
            let deadline = process.deadline().map(|(at, _)| at.as_nanos());
            self.invariants.deadlines.after_tick(local, node, deadline);
        }
        self.arm(node, process);
    }

    #[inline(always)]
    pub(super) fn arm(&mut self, node: u32, process: &Node) {
        let at = process.deadline().map(|(at, _)| self.conditions.global(node, at).max(self.now));
        self.due[node as usize] = at.unwrap_or(u64::MAX);
        self.arm_again(node);
    }

    /// A node's deadline is as it was, but nothing wakes it up any more.
    #[inline(always)]
    pub(super) fn arm_again(&mut self, node: u32) {
        let at = self.due[node as usize];
        if at < self.armed[node as usize] {
            self.armed[node as usize] = at;
            self.queue.push(at, node | WAKE);
        }
    }

    pub(super) fn did(&mut self, fault: usize, what: &str) {
        let did = &mut self.effects[fault].did;
        match did.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(did.insert(what.to_owned(), 1)),
        }
    }

    /// Puts something into the queue; its parcel.
    #[inline]
    pub(super) fn plan(&mut self, at: u64, what: What, from: u32, to: u32, bytes: &[u8]) -> u32 {
        let (index, parcel) = self.parcels.take();
        parcel.damaged = false;
        parcel.what = what;
        (parcel.from, parcel.to, parcel.sent) = (from, to, self.now);
        parcel.bytes.clear();
        parcel.bytes.extend_from_slice(bytes);
        (parcel.sender, parcel.receiver) = (self.address[from as usize], self.address[to as usize]);
        self.queue.push(at, index);
        index
    }

    #[inline]
    pub(super) fn carry_out(&mut self, node: u32, output: Output<'_>) {
        let holds = self.conditions.holds_sends(node);
        match output {
            Output::Packet { to, bytes, kinds } if holds => {
                if self.recorder.is_some() {
                    self.watch_datagram((node, to), bytes, kinds, true);
                }
                self.conditions.hold(node, Held::Packet { to, bytes: bytes.to_vec(), kinds: *kinds });
            }
            Output::Packet { to, bytes, kinds } => self.packet(node, to, bytes, kinds),
            Output::Stream { id, action } if holds => self.conditions.hold(node, Held::of(id, action)),
            Output::Stream { id, action } => self.stream(node, id, action),
            Output::Event(event) => self.event(node, &event),
            Output::Note(note) => self.note(node, &note),
            Output::Completed { id, result } if id.0 > LEAVE.0 => self.work.ended.push((node, id.0, result)),
            Output::Completed { id, result } => self.completed(node, id, result.is_ok()),
        }
    }

    /// What a node wanted to send while it was blocked goes out in one burst.
    pub(super) fn release_sends(&mut self, node: u32) {
        for held in self.conditions.take_held(node) {
            match held {
                Held::Packet { to, bytes, kinds } => self.packet(node, to, &bytes, &kinds),
                Held::Open { id, to, deadline } => self.stream(node, id, StreamAction::Open { to, deadline }),
                Held::Frame { id, bytes, kinds, last } => {
                    self.stream(node, id, StreamAction::Frame { bytes: &bytes, kinds: &kinds, last });
                }
                Held::Close { id } => self.stream(node, id, StreamAction::Close),
            }
        }
    }

    #[inline]
    fn packet(&mut self, node: u32, to: SocketAddr, bytes: &[u8], kinds: &Kinds) {
        let metered = self.meter.metered(self.now);
        self.meter.load.datagram(node, bytes.len() as u64, kinds, metered);
        self.invariants.budgets.packet(self.now, node, bytes.len());
        if self.recorder.is_some() {
            self.watch_datagram((node, to), bytes, kinds, false);
        }
        if self.lookout.is_some() {
            self.look_at_packet(node, to, kinds);
        }
        self.datagram(node, to, bytes);
    }

    #[cold]
    fn look_at_packet(&mut self, node: u32, to: SocketAddr, kinds: &Kinds) {
        let suspected = self.node_at(to).is_some_and(|to| self.meter.views.get(node, to) == View::Suspect);
        if let Some(lookout) = &mut self.lookout {
            lookout.packet(kinds, suspected);
        }
    }

    /// A stream is opened: a member that is held to be failed is dialled, but for a join.
    fn look_at_dial(&mut self, node: u32, peer: Option<u32>) {
        let failed = peer.filter(|peer| self.meter.views.get(node, *peer) == View::Failed);
        let (Some(lookout), Some(failed)) = (&mut self.lookout, failed) else { return };
        if self.joining[node as usize].is_none() {
            lookout.dialled(node, failed);
        }
    }

    /// The node that has this address at present.
    #[inline]
    pub(super) fn node_at(&self, to: SocketAddr) -> Option<u32> {
        let number = number_of(to)?;
        let node = *self.owner.get(number as usize)?;
        (self.address[node as usize] == number).then_some(node)
    }

    /// The node that has this address, or had it: what was sent from there may still be under way.
    pub(super) fn owner_of(&self, from: SocketAddr) -> Option<u32> {
        self.owner.get(number_of(from)? as usize).copied()
    }

    #[inline]
    fn datagram(&mut self, from: u32, to: SocketAddr, bytes: &[u8]) {
        let Some(to) = self.node_at(to) else { return };
        let now = self.now;
        self.count_link_fault(from, to, "packets_carried");
        let fate = self.network.datagram(from, to, bytes.len(), now);
        if self.recorder.is_some() {
            self.watch_fate(Carried::Datagram, (from, to), bytes.len(), fate);
        }
        match fate {
            Fate::Arrives { after, again, damage } => {
                let parcel = self.plan(now.saturating_add(after), What::Datagram, from, to, bytes);
                self.watch_travel(parcel);
                if let Some(word) = damage {
                    self.damage(parcel, word);
                }
                if let Some(after) = again {
                    let copy = self.plan(now.saturating_add(after), What::Datagram, from, to, bytes);
                    self.watch_travel(copy);
                }
            }
            Fate::Spared { after } => {
                let parcel = self.plan(now.saturating_add(after), What::Datagram, from, to, bytes);
                self.watch_travel(parcel);
                self.never_dropped(parcel);
            }
            Fate::Cut(fault) => self.did(fault, "packets_dropped"),
            Fate::Lost => self.count_link_fault(from, to, "packets_lost"),
        }
    }

    /// Flips one bit of a datagram under way.
    fn damage(&mut self, parcel: u32, word: u64) {
        let parcel = self.parcels.get(parcel);
        let bits = parcel.bytes.len() as u64 * 8;
        if bits > 0 {
            let bit = word % bits;
            parcel.bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
            parcel.damaged = true;
        }
    }

    #[inline]
    fn count_link_fault(&mut self, from: u32, to: u32, what: &str) {
        if self.link_faults > 0
            && let Some(fault) = self.network.link_fault(from, to)
        {
            self.did(fault, what);
        }
    }

    fn stream(&mut self, node: u32, id: StreamId, action: StreamAction<'_>) {
        match action {
            StreamAction::Open { to, .. } => {
                self.meter.load.opened(self.meter.metered(self.now));
                // An address that nobody has any more stays silent: the core's deadline ends the attempt.
                let peer = self.node_at(to);
                if self.lookout.is_some() {
                    self.look_at_dial(node, peer);
                }
                let connection = self.connections.open(node, id, peer.unwrap_or(node));
                if peer.is_some() {
                    self.send(connection, 1, Step::Syn, &[]);
                }
            }
            StreamAction::Frame { bytes, kinds, last } => {
                let metered = self.meter.metered(self.now);
                self.meter.load.frame(node, bytes.len() as u64, kinds, metered);
                self.invariants.budgets.frame(self.now, node, bytes.len());
                let Some((connection, side)) = self.connections.find(node, id) else { return };
                self.send(connection, 1 - side, Step::Frame, bytes);
                if last {
                    self.send(connection, 1 - side, Step::Closed, &[]);
                    let end = &mut self.connections.get(connection).ends[side];
                    end.said_last = true;
                    if end.heard_last {
                        self.connections.end(connection, side);
                    }
                }
            }
            StreamAction::Close => {
                let Some((connection, side)) = self.connections.find(node, id) else { return };
                if !self.connections.get(connection).ends[side].said_last {
                    self.send(connection, 1 - side, Step::Closed, &[]);
                }
                self.connections.end(connection, side);
            }
        }
    }

    /// Sends something to one side of a connection. What a cut swallows stops everything behind it.
    pub(super) fn send(&mut self, index: u32, side: usize, step: Step, bytes: &[u8]) {
        let now = self.now;
        let connection = self.connections.get(index);
        let (from, to) = (connection.ends[1 - side].node, connection.ends[side].node);
        if connection.stalled[side] {
            return;
        }
        self.count_link_fault(from, to, "segments_carried");
        if self.recorder.is_some() {
            self.watch_segment((from, to), step, bytes);
        }
        let fate = self.network.segment(from, to, bytes.len(), now);
        if self.recorder.is_some() {
            self.watch_fate(Carried::Segment, (from, to), bytes.len(), fate);
        }
        match fate {
            Fate::Arrives { after, .. } | Fate::Spared { after } => {
                let connection = self.connections.get(index);
                let at = now.saturating_add(after).max(connection.arrival[side]);
                connection.arrival[side] = at;
                let generation = connection.generation;
                let parcel = self.plan(
                    at,
                    What::Stream { connection: index, generation, side: side as u8, step },
                    from,
                    to,
                    bytes,
                );
                self.watch_travel(parcel);
                if matches!(fate, Fate::Spared { .. }) {
                    self.never_dropped(parcel);
                }
            }
            Fate::Cut(fault) => {
                self.connections.get(index).stalled[side] = true;
                self.did(fault, "streams_cut");
            }
            Fate::Lost => self.connections.get(index).stalled[side] = true,
        }
    }

    /// A process is gone: the other ends of its connections learn it.
    pub(super) fn cut_connections(&mut self, node: u32) {
        while let Some((connection, side)) = self.connections.any_of(node) {
            if self.connections.get(connection).ends[1 - side].open {
                self.send(connection, 1 - side, Step::Lost, &[]);
            }
            self.connections.end(connection, side);
        }
    }

    fn completed(&mut self, node: u32, id: CommandId, well: bool) {
        if id == LEAVE {
            self.stopping.push(node);
            return;
        }
        if well {
            self.joining[node as usize] = None;
            self.meter.said.claims.lose(node, self.now);
            return;
        }
        let life = self.truth.life(node);
        let Some(joining) = self.joining[node as usize].as_mut().filter(|_| self.truth.is_up(node)) else {
            return;
        };
        joining.before = None;
        // 1 s doubling to 30 s, moved by up to a quarter either way, so that a crowd does not come back as one.
        let base = 1_000_000_000u64 << joining.attempts.saturating_sub(1).min(5);
        let word = self.draws.word(Purpose::JoinJitter, node, life, 0, joining.attempts as u16);
        let wait = base.min(30_000_000_000) as f64 * (0.75 + 0.5 * unit(word));
        self.plan(self.now.saturating_add(wait as u64), What::Rejoin { life }, node, node, &[]);
    }

    /// Whether all views are right.
    pub(super) fn is_calm(&self) -> bool {
        self.meter.views.wrong() == 0
    }

    /// Invariant 7, at the end of quiet time.
    pub(super) fn check_quiet(&mut self) {
        let wrong = self.meter.views.first_wrong();
        let (observer, what) = match wrong {
            None => (0, String::new()),
            Some((observer, subject, view)) => {
                let presence = self.truth.presence(subject);
                let name = crate::truth::node_name(subject);
                (observer, format!("it believes {name} {view:?}, which is {presence:?}"))
            }
        };
        self.invariants.quiet.check(wrong.is_none(), self.now, observer, || what);
    }
}
