//! Packets going out, and the gossip tick.

use core::net::SocketAddr;

use super::Node;
use crate::io::Outbox;
use crate::wire::{Kinds, Message};

impl Node {
    /// Sends messages in one packet, and with `piggyback` as much waiting news as fits.
    pub(super) fn send(
        &mut self,
        to: SocketAddr,
        messages: &[Message<'_>],
        piggyback: bool,
        out: &mut Outbox,
    ) {
        let start = self.wire.begin_packet(&mut out.bytes);
        let body = out.bytes.len();
        let mut kinds = Kinds::default();
        for message in messages {
            self.wire.encode(message, &mut out.bytes);
            kinds.add(message.kind());
        }
        if piggyback && !self.queue.is_empty() {
            let room = self.wire.packet_room().saturating_sub(out.bytes.len() - body);
            let limit = self.queue.limit(&self.config, self.members.n_swim());
            self.queue.take(room, self.config.packet_updates_max, limit, &mut out.bytes, &mut kinds);
        }
        self.wire.finish_packet(start, &mut out.bytes);
        out.packet(to, start, kinds);
    }

    /// Tells a few random members what waits; each gets its own batch (memberlist's gossip tick).
    pub(crate) fn on_gossip_due(&mut self, out: &mut Outbox) {
        self.periodic.gossip = None;
        let targets = self.members.choose_reachable(usize::from(self.config.gossip_nodes), &mut self.rng);
        for slot in targets {
            if self.queue.is_empty() {
                return;
            }
            if let Some(to) = self.members.identity(slot).map(|identity| identity.addr) {
                self.send(to, &[], true, out);
            }
        }
    }
}
