//! Packets going out, and the gossip tick.

use core::net::SocketAddr;

use super::Node;
use crate::io::Outbox;
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
    pub(super) fn new(wire: &Wire, out: &mut Outbox) -> Self {
        let start = wire.begin_packet(&mut out.bytes);
        Self { start, body: out.bytes.len(), kinds: Kinds::default() }
    }

    pub(super) fn add(&mut self, wire: &Wire, message: &Message<'_>, out: &mut Outbox) {
        wire.encode(message, &mut out.bytes);
        self.kinds.add(message.kind());
    }

    /// Adds a message that was encoded before.
    pub(super) fn add_encoded(&mut self, kind: Kind, bytes: &[u8], out: &mut Outbox) {
        out.bytes.extend_from_slice(bytes);
        self.kinds.add(kind);
    }

    /// Where it begins in the outbox.
    pub(super) const fn start(&self) -> usize {
        self.start
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
    pub(super) fn finish(
        &mut self,
        packet: Opened,
        to: SocketAddr,
        piggyback: bool,
        out: &mut Outbox,
    ) -> Kinds {
        let Opened { start, body, mut kinds } = packet;
        if piggyback && !self.queue.is_empty() {
            let room = self.wire.packet_room().saturating_sub(out.bytes.len() - body);
            let limit = self.queue.members.limit(&self.config, self.members.n_swim());
            self.queue.take(room, &self.config, limit, &mut out.bytes, &mut kinds);
        }
        self.wire.finish_packet(start, &mut out.bytes);
        out.packet(to, start, kinds);
        kinds
    }

    /// Tells a few random members what waits; each gets its own batch (memberlist's gossip tick). When: [`Pace`](crate::spread::Pace).
    pub(crate) fn on_gossip_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.gossip = None;
        let targets = self.members.choose_reachable(usize::from(self.config.gossip_nodes), &mut self.rng);
        let mut batch = 0;
        for slot in targets {
            if self.queue.is_empty() {
                break;
            }
            if let Some(to) = self.members.identity(slot).map(|identity| identity.addr) {
                let packet = Opened::new(&self.wire, out);
                let start = packet.start();
                let sent = self.finish(packet, to, true, out).total() as usize;
                self.pace.pay(out.bytes.len() - start, now, &self.config);
                batch = batch.max(sent);
            }
        }
        self.pace.round_over(now, self.queue.len(), batch, &self.config);
    }
}
