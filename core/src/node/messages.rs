//! Packets coming in: each message goes to the rule that answers it.

use core::net::SocketAddr;

use super::Node;
use super::spreading::Opened;
use crate::config::Config;
use crate::coordinate::Quantised;
use crate::deadlines::Due;
use crate::detect::Relay;
use crate::id::ProbeSeq;
use crate::io::{Note, Outbox, ProbePath, Shed, Via};
use crate::time::Instant;
use crate::wire::{Message, Messages, Rally, WireError, WireErrorClass};

/// When a helper sends its nack, in hundredths of `probe_timeout` (Lifeguard IV-A). memberlist waits for all of it, so that
/// with its own defaults every nack comes after the asker's probe has ended, and healthy nodes blame themselves.
const NACK_PERCENT: u32 = 80;

/// Messages longer than this together are about several members, whose rows are asked for at once.
pub(super) const SEVERAL_UPDATES_BYTES: usize = 80;

impl Node {
    #[inline(always)]
    pub(crate) fn on_packet(
        &mut self,
        from: SocketAddr,
        mut messages: Messages<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        while let Some(rally) = messages.next_rally(|rally| self.is_for_me(rally)) {
            match rally {
                Rally::Ping { seq, .. } => self.answer(from, seq, out),
                Rally::Ack { seq, coordinate } => self.on_ack(seq, coordinate, now, out),
            }
        }
        if messages.bytes() > 0
            && let Err(error) = self.on_news(from, &mut messages, now, out)
        {
            // What came before it in the packet was sound and counts.
            self.counters.packets_rejected += 1;
            return self.rejected(from, error, out);
        }
        self.counters.packets_accepted += 1;
        if messages.is_exempt() {
            self.counters.accepted_unsealed += 1;
        }
    }

    /// The messages of a packet from the first on that is no ping or ack of this node.
    #[inline(never)]
    fn on_news(
        &mut self,
        from: SocketAddr,
        messages: &mut Messages<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), WireError> {
        if messages.bytes() > SEVERAL_UPDATES_BYTES {
            self.members.bring_near();
        }
        loop {
            self.pass_over_stale(messages);
            let Some(message) = messages.next() else { return Ok(()) };
            self.on_message(from, &message?, now, out);
        }
    }

    /// Whether it is an ack or a ping of this node: nearly all of a calm cluster's messages, which are not read as [`Message`]s.
    #[inline]
    fn is_for_me(&self, rally: &Rally<'_>) -> bool {
        match *rally {
            Rally::Ping { target, .. } => self.members.is_me(target),
            Rally::Ack { .. } => true,
        }
    }

    #[inline]
    fn answer(&mut self, to: SocketAddr, seq: ProbeSeq, out: &mut Outbox) {
        let here = self.coordinate_for_acks();
        let coordinate = here.as_ref().map(Quantised::bytes);
        let mut packet = Opened::new(&self.wire, out);
        packet.add(&self.wire, &Message::Ack { seq, coordinate }, out);
        self.finish(packet, to, true, out);
    }

    #[inline(never)]
    fn on_message(&mut self, from: SocketAddr, message: &Message<'_>, now: Instant, out: &mut Outbox) {
        match *message {
            Message::Ping { seq, target } => {
                // An address may have changed hands: only the one that is meant answers.
                if self.members.is_me(target.as_bytes()) {
                    self.answer(from, seq, out);
                }
            }
            Message::PingReq { seq, target, addr, nack } => {
                self.on_ping_req(from, seq, (target, addr), nack, now, out);
            }
            Message::Ack { seq, coordinate } => self.on_ack(seq, coordinate, now, out),
            Message::Nack { seq } => self.prober.nacked(seq, from),
            Message::Alive(alive) => self.heard_alive(&alive, Via::Gossip, now, out),
            Message::Suspect(suspect) => self.heard_suspect(&suspect, Via::Gossip, now, out),
            Message::Dead(dead) => self.heard_dead(&dead, Via::Gossip, now, out),
            Message::JoinIntent(intent) => self.heard_join_intent(&intent, Via::Gossip, now, out),
            Message::LeaveIntent(intent) => self.heard_leave_intent(&intent, Via::Gossip, now, out),
            Message::UserEvent(event) => self.heard_event(&event, now, out),
            Message::EventAgain(event) => self.heard_event_again(&event, now, out),
            Message::EventPull(pull) => self.on_event_pull(from, &pull, now, out),
            Message::Query(query) => self.heard_query(&query, now, out),
            Message::Response(response) => self.on_response(&response, now, out),
            Message::Relay(relay) => self.on_relayed_response(&relay, out),
            // The wire refuses these in packets.
            Message::SyncHead(_) | Message::SyncRow(_) | Message::SyncEnd | Message::SyncClocks(_) => {}
            Message::EventMark(_) | Message::DeltaHead(_) | Message::Refused { .. } => {}
            Message::DeltaBuckets { .. } | Message::DeltaWant { .. } => {}
        }
    }

    fn on_ping_req(
        &mut self,
        from: SocketAddr,
        seq: ProbeSeq,
        (target, addr): (&str, SocketAddr),
        nack: bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        if self.members.is_me(target.as_bytes()) {
            return self.send(from, &[Message::Ack { seq, coordinate: None }], true, out);
        }
        if self.relays.len() >= self.config.relays_max as usize {
            self.counters.relays_shed += 1;
            return out.note(Note::Shed(Shed::Relay));
        }
        let ours = self.prober.next_seq();
        let wait = if nack { self.nack_wait() } else { self.config.probe_timeout };
        let timer = self.deadlines.arm(now + wait, Due::Relay(ours));
        self.relays.open(ours, Relay { to: from, seq, nack, timer });
        self.counters.relays += 1;
        self.send(addr, &[Message::Ping { seq: ours, target }], true, out);
    }

    /// 80 % of the time-out, or of what the asker's probe has left by then where that is less (WAN: 5 s, of which 3 s have passed).
    fn nack_wait(&self) -> core::time::Duration {
        let Config { probe_interval, probe_timeout, .. } = *self.config;
        probe_timeout.min(probe_interval.saturating_sub(probe_timeout)) * NACK_PERCENT / 100
    }

    #[inline]
    fn on_ack(&mut self, seq: ProbeSeq, coordinate: Option<&[u8]>, now: Instant, out: &mut Outbox) {
        let answers = if broken!(self.config, AnyAckAnswers) {
            self.prober.current().map_or(seq, |probe| probe.seq)
        } else {
            seq
        };
        if let Some(probe) = self.prober.answered(answers) {
            // The timeout's timer is gone once helpers were asked.
            let path = if probe.timeout.is_some() { ProbePath::Direct } else { ProbePath::Indirect };
            // Only a direct ack has taken the way that it speaks of (memberlist's ping delegate).
            if let (ProbePath::Direct, Some(bytes)) = (path, coordinate) {
                self.measured(probe.slot, bytes, now.since(probe.sent));
            }
            self.probe_succeeded(probe, path, now, out);
        } else if let Some(relay) = self.relays.close(seq) {
            self.deadlines.cancel(relay.timer);
            if !broken!(self.config, NoRelayedAck) {
                self.send(relay.to, &[Message::Ack { seq: relay.seq, coordinate: None }], true, out);
            }
        }
    }

    /// A probe for another has had no ack: the asker is told once, and an ack that still comes is passed on.
    pub(crate) fn on_relay_due(&mut self, ours: ProbeSeq, now: Instant, out: &mut Outbox) {
        let Some(relay) = self.relays.close(ours).filter(|relay| relay.nack) else { return };
        let rest = self.config.probe_timeout.saturating_sub(self.nack_wait());
        let timer = self.deadlines.arm(now + rest, Due::Relay(ours));
        self.relays.open(ours, Relay { nack: false, timer, ..relay });
        if !broken!(self.config, NoNacks) {
            self.send(relay.to, &[Message::Nack { seq: relay.seq }], true, out);
        }
    }

    pub(crate) fn rejected(&mut self, from: SocketAddr, error: WireError, out: &mut Outbox) {
        let counter = match error.class() {
            WireErrorClass::Label => &mut self.counters.rejected_label,
            WireErrorClass::Version => &mut self.counters.rejected_version,
            WireErrorClass::Seal => &mut self.counters.rejected_seal,
            WireErrorClass::Checksum => &mut self.counters.rejected_checksum,
            WireErrorClass::Malformed => &mut self.counters.rejected_malformed,
        };
        *counter += 1;
        out.note(Note::Rejected { from, error });
    }
}
