//! Packets going out, and the gossip tick.

use core::net::SocketAddr;

use smallvec::SmallVec;

use super::Node;
use crate::config::Config;
use crate::id::ProbeSeq;
use crate::io::{Outbox, State};
use crate::time::Instant;
use crate::wire::{Kind, Kinds, Message, Wire};

/// A packet being written at the end of the outbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    start: usize,
    body: usize,
    kinds: Kinds,
}

impl Opened {
    #[inline(always)]
    pub(super) fn new(wire: &Wire, out: &mut Outbox) -> Self {
        let start = wire.begin_packet(&mut out.bytes);
        Self { start, body: out.bytes.len(), kinds: Kinds::default() }
    }

    #[inline]
    pub(super) fn add(&mut self, wire: &Wire, message: &Message<'_>, out: &mut Outbox) {
        wire.encode(message, &mut out.bytes);
        self.kinds.add(message.kind());
    }

    /// Adds a message that lies encoded, as one of this kind, which has the same fields.
    pub(super) fn add_encoded(&mut self, kind: Kind, message: &[u8], out: &mut Outbox) {
        if let Some((_, rest)) = message.split_first() {
            out.bytes.push(kind as u8);
            out.bytes.extend_from_slice(rest);
            self.kinds.add(kind);
        }
    }

    /// Bytes of the messages in it.
    pub(super) const fn bytes(&self, out: &Outbox) -> usize {
        out.bytes.len() - self.body
    }

    /// Sends it as it is.
    pub(super) fn send(self, wire: &mut Wire, to: SocketAddr, out: &mut Outbox) {
        wire.finish_packet(self.start, &mut out.bytes);
        out.packet(to, self.start, self.kinds);
    }

    /// Adds a ping of a member that this node knows.
    #[inline]
    pub(super) fn add_ping(&mut self, wire: &Wire, seq: ProbeSeq, target: &[u8], out: &mut Outbox) {
        wire.encode_ping(seq, target, &mut out.bytes);
        self.kinds.add(Kind::Ping);
    }
}

impl Node {
    /// Sends messages in one packet, and with `piggyback` as much waiting news as fits.
    pub(super) fn send(
        &mut self,
        to: SocketAddr,
        messages: &[Message<'_>],
        piggyback: bool,
        out: &mut Outbox,
    ) {
        let mut packet = Opened::new(&self.wire, out);
        for message in messages {
            packet.add(&self.wire, message, out);
        }
        self.finish(packet, to, piggyback, out);
    }

    /// Sends a packet that has been begun; with `piggyback` with as much waiting news as fits.
    #[inline(always)]
    pub(super) fn finish(&mut self, packet: Opened, to: SocketAddr, piggyback: bool, out: &mut Outbox) {
        let Opened { start, body, mut kinds } = packet;
        if piggyback && !self.queue.is_empty() {
            let room = self.wire.packet_room().saturating_sub(out.bytes.len() - body)
                + usize::from(broken!(self.config, PacketOneTooLong));
            let limit = self.transmissions();
            let Config { packing, packet_updates_max, .. } = *self.config;
            self.queue.take(packing, room, packet_updates_max, limit, &mut out.bytes, &mut kinds);
        }
        self.wire.finish_packet(start, &mut out.bytes);
        out.packet(to, start, kinds);
    }

    /// Tells a few random members what waits; each gets its own batch (memberlist's gossip tick), or all the same where
    /// everything fits.
    pub(crate) fn on_gossip_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.gossip = None;
        let sent = self.gossip(out);
        let bytes = if broken!(self.config, ByteRateIgnored) { 0 } else { sent };
        self.pace.sent(bytes, &self.config, now);
    }

    /// The bytes that were sent.
    fn gossip(&mut self, out: &mut Outbox) -> usize {
        if broken!(self.config, NoGossip) {
            return 0;
        }
        let targets = self.members.choose_reachable(usize::from(self.config.gossip_nodes), &mut self.rng);
        // All at once, because each lies elsewhere in memory.
        let addresses: SmallVec<[SocketAddr; 8]> = targets
            .into_iter()
            .filter(|slot| {
                let is_dead = || self.members.known(*slot).is_some_and(|known| known.state == State::Dead);
                !(broken!(self.config, DeadHearNothing) && is_dead())
            })
            .filter_map(|slot| self.members.addr(slot))
            .collect();
        let limit = self.transmissions();
        let (mut sent, mut last) = (0, 0);
        for to in addresses {
            if self.queue.is_empty() {
                break;
            }
            // What is sealed has a nonce of its own each time.
            if last > 0 && !self.wire.seals() && self.queue.take_again(limit) {
                out.packet_again(to);
            } else {
                let before = out.bytes.len();
                self.send(to, &[], true, out);
                last = out.bytes.len() - before;
            }
            sent += last;
        }
        sent
    }

    /// Transmissions of each piece of news.
    pub(super) fn transmissions(&mut self) -> u32 {
        self.queue.members.limit(&self.config, self.members.n_swim())
    }
}
