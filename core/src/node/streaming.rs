//! Streams: opening and ending them, what comes in on them, pings whose datagrams had no answer, and dialling the failed.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::{Life, Node};
use crate::config::AntiEntropy;
use crate::deadlines::Due;
use crate::error::StreamFailure;
use crate::io::{Note, Outbox, ProbePath, Shed, StreamId};
use crate::sync::{Purpose, Stage, Stream};
use crate::time::Instant;
use crate::wire::{Intent, Kinds, Message};

/// One in so many streams is kept for this node's own: peers that open streams and fall silent must not keep it from probing and joining.
const OWN_SHARE: usize = 8;

impl Node {
    /// Opens a stream for a purpose, unless too many are open.
    pub(super) fn open_stream(
        &mut self,
        to: SocketAddr,
        purpose: Purpose,
        deadline: Instant,
        out: &mut Outbox,
    ) -> Result<StreamId, StreamFailure> {
        if self.streams.len() >= self.config.streams_max as usize {
            self.shed_stream(out);
            return Err(StreamFailure::TooMany);
        }
        let id = self.streams.mint();
        let late = broken!(self.config, StreamTimeoutIgnored);
        let given_up = if late { deadline + Duration::from_secs(86_400) } else { deadline };
        let timer = self.deadlines.arm(given_up, Due::Stream(id));
        self.streams.insert(id, Stream { purpose, peer: to, stage: Stage::Connecting, timer });
        out.open(id, to, deadline);
        Ok(id)
    }

    fn shed_stream(&mut self, out: &mut Outbox) {
        self.counters.streams_shed += 1;
        out.note(Note::Shed(Shed::Stream));
    }

    pub(crate) fn on_stream_opened(
        &mut self,
        id: StreamId,
        peer: SocketAddr,
        now: Instant,
        out: &mut Outbox,
    ) {
        match (self.streams.get(id), id) {
            (Some(stream), _) if stream.stage == Stage::Connecting => {
                self.streams.set_stage(id, Stage::AwaitHead);
                match stream.purpose {
                    Purpose::Probe(seq) => self.ping_over_stream(id, seq, out),
                    Purpose::Periodic if self.config.anti_entropy == AntiEntropy::Delta => {
                        self.begin_delta(id, out);
                    }
                    purpose => self.begin_exchange(id, purpose, out),
                }
            }
            (None, StreamId::Theirs(_)) => {
                let all = self.config.streams_max as usize;
                let full = self.streams.len() >= all - all / OWN_SHARE;
                if full && !broken!(self.config, StreamsMaxIgnored) {
                    self.shed_stream(out);
                    return out.close(id);
                }
                let timer = self.deadlines.arm(now + self.config.stream_timeout, Due::Stream(id));
                let stage = Stage::AwaitHead;
                self.streams.insert(id, Stream { purpose: Purpose::Inbound, peer, stage, timer });
            }
            // Opened twice, or after we gave it up: the driver closes it when told so.
            _ => {}
        }
    }

    fn ping_over_stream(&mut self, id: StreamId, seq: crate::id::ProbeSeq, out: &mut Outbox) {
        let target = self.prober.current().filter(|probe| probe.seq == seq).map(|probe| probe.slot);
        if let Some(target) = target.and_then(|slot| self.members.identity(slot)).cloned() {
            self.send_frame(id, &Message::Ping { seq, target: &target.name }, out);
        }
    }

    /// Sends one message as a stream's only frame.
    pub(super) fn send_frame(&mut self, id: StreamId, message: &Message<'_>, out: &mut Outbox) {
        let start = self.wire.begin_frame(&mut out.bytes);
        self.wire.encode(message, &mut out.bytes);
        self.wire.finish_frame(start, &mut out.bytes);
        out.frame(id, start, Kinds::one(message.kind()), true);
    }

    pub(crate) fn on_frame(
        &mut self,
        id: StreamId,
        bytes: &[u8],
        opened: &mut Vec<u8>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Some(stream) = self.streams.get(id) else { return };
        let messages = match self.wire.unseal_frame(bytes, opened) {
            Ok(messages) => messages,
            Err(error) => return self.refuse_frame(id, stream.peer, error, out),
        };
        let exempt = messages.is_exempt();
        for message in messages {
            let message = match message {
                Ok(message) => message,
                Err(error) => return self.refuse_frame(id, stream.peer, error, out),
            };
            // A message may have ended the stream.
            let Some(stream) = self.streams.get(id) else { return };
            self.on_stream_message(id, stream, &message, now, out);
        }
        self.counters.frames_accepted += 1;
        self.counters.accepted_unsealed += u64::from(exempt);
    }

    fn refuse_frame(
        &mut self,
        id: StreamId,
        from: SocketAddr,
        error: crate::wire::WireError,
        out: &mut Outbox,
    ) {
        self.counters.frames_rejected += 1;
        self.rejected(from, error, out);
        self.abort_stream(id, StreamFailure::Invalid(error), out);
    }

    fn on_stream_message(
        &mut self,
        id: StreamId,
        stream: Stream,
        message: &Message<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        match (stream.purpose, stream.stage, *message) {
            (Purpose::Inbound, Stage::AwaitHead, Message::Ping { seq, target }) => {
                let meant = self.members.is_me(target.as_bytes());
                self.forget_stream(id);
                let ack = Message::Ack { seq, coordinate: None };
                if meant { self.send_frame(id, &ack, out) } else { out.close(id) }
            }
            (Purpose::Probe(expected), Stage::AwaitHead, Message::Ack { seq, .. }) if seq == expected => {
                self.forget_stream(id);
                if let Some(probe) = self.prober.answered(seq) {
                    self.probe_succeeded(probe, ProbePath::Stream, now, out);
                }
            }
            (Purpose::Probe(_), ..) => self.abort_stream(id, StreamFailure::OutOfOrder, out),
            (_, Stage::AwaitHead, Message::SyncHead(head)) => self.on_sync_head(id, stream, &head, out),
            (Purpose::Inbound, Stage::AwaitHead, Message::DeltaHead(head))
            | (_, Stage::AwaitDelta, Message::DeltaHead(head)) => self.on_delta_head(id, stream, &head, out),
            (purpose, Stage::AwaitHead | Stage::AwaitDelta, Message::Refused { reason })
                if purpose != Purpose::Inbound =>
            {
                self.forget_stream(id);
                self.exchange_failed(purpose, StreamFailure::Refusal(reason.into()), out);
            }
            _ => self.on_exchange_message(id, stream, message, now, out),
        }
    }

    /// A message of an exchange whose heads were accepted.
    fn on_exchange_message(
        &mut self,
        id: StreamId,
        stream: Stream,
        message: &Message<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        match (stream.stage, *message) {
            (Stage::OwnRow, Message::SyncClocks(clocks)) => self.on_sync_clocks(stream, clocks),
            (Stage::OwnRow, Message::SyncRow(row)) => {
                self.note_sender(id, stream, &row);
                self.merge_row(&row, now, out);
            }
            (Stage::Rows, Message::SyncRow(row)) => self.merge_row(&row, now, out),
            (Stage::DeltaRows, Message::SyncRow(row)) => {
                self.counters.delta_rows += 1;
                self.merge_row(&row, now, out);
            }
            (Stage::Rows, Message::LeaveIntent(Intent { ltime, name, .. })) => {
                self.merge_leave(name, None, ltime, now, out);
            }
            (Stage::Rows | Stage::AwaitBuckets { .. } | Stage::AwaitWant, Message::EventMark(mark)) => {
                self.heard_mark(stream, &mark, now, out);
            }
            (Stage::Rows, Message::EventAgain(event)) => {
                // Not asked for by a join without replay.
                if !self.is_baseline(stream) {
                    self.heard_event_again(&event, now, out);
                }
            }
            (Stage::AwaitBuckets { marks }, Message::DeltaBuckets { digests }) => {
                self.on_delta_buckets(id, digests, marks, out);
            }
            (Stage::AwaitBuckets { .. }, Message::SyncEnd) => self.on_delta_equal(id, out),
            (Stage::AwaitWant, Message::DeltaWant { buckets }) => self.on_delta_want(id, buckets, out),
            (Stage::OwnRow | Stage::Rows | Stage::DeltaRows, Message::SyncEnd) => {
                self.forget_stream(id);
                self.counters.syncs += 1;
                self.newcomer = false;
                if let Purpose::Join(command) = stream.purpose {
                    self.join_exchange_over(command, Ok(()), out);
                }
            }
            _ => self.abort_stream(id, StreamFailure::OutOfOrder, out),
        }
    }

    pub(crate) fn on_stream_closed(&mut self, id: StreamId, out: &mut Outbox) {
        self.on_stream_failed(id, StreamFailure::Lost, out);
    }

    pub(crate) fn on_stream_failed(&mut self, id: StreamId, reason: StreamFailure, out: &mut Outbox) {
        if let Some(stream) = self.forget_stream(id) {
            self.exchange_failed(stream.purpose, reason, out);
        }
    }

    pub(crate) fn on_stream_deadline(&mut self, id: StreamId, out: &mut Outbox) {
        // Its timer has just fired, so it is not cancelled.
        if let Some(stream) = self.streams.remove(id) {
            out.close(id);
            self.exchange_failed(stream.purpose, StreamFailure::TimedOut, out);
        }
    }

    pub(super) fn abort_stream(&mut self, id: StreamId, reason: StreamFailure, out: &mut Outbox) {
        out.close(id);
        self.on_stream_failed(id, reason, out);
    }

    /// Gives up a stream that is no longer wanted.
    pub(super) fn drop_stream(&mut self, id: StreamId, out: &mut Outbox) {
        if self.forget_stream(id).is_some() {
            out.close(id);
        }
    }

    pub(super) fn forget_stream(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.streams.remove(id)?;
        self.deadlines.cancel(stream.timer);
        Some(stream)
    }

    fn exchange_failed(&mut self, purpose: Purpose, reason: StreamFailure, out: &mut Outbox) {
        match purpose {
            // The probe itself ends by its own deadline.
            Purpose::Probe(_) => {}
            Purpose::Join(command) => {
                self.counters.syncs_failed += 1;
                self.join_exchange_over(command, Err(reason), out);
            }
            Purpose::Periodic | Purpose::Reconnect | Purpose::Inbound => self.counters.syncs_failed += 1,
        }
    }

    /// A periodic exchange with one random member that is alive.
    pub(crate) fn on_sync_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.sync = None;
        if broken!(self.config, NoExchange) {
            return;
        }
        let partner = self.members.choose_alive(1, None, &mut self.rng).first().copied();
        if let Some(to) = partner.and_then(|slot| self.members.identity(slot)).map(|identity| identity.addr) {
            // Refused only when too many streams are open, which is counted; the next period tries again.
            let _ = self.open_stream(to, Purpose::Periodic, now + self.config.stream_timeout, out);
        }
    }

    /// Dials one failed member with such a chance that the cluster together dials each about once an interval (Serf). One dial at a time: members
    /// that stay silent must not take all the streams that there are.
    pub(crate) fn on_reconnect_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.reconnect = None;
        let failed = self.members.n_failed();
        let rest = self.members.n_serf().saturating_sub(failed + self.members.n_left());
        let dials =
            self.life == Life::Running && !self.streams.reconnecting() && !broken!(self.config, NoReconnect);
        if !dials || !self.rng.chance(failed, rest) {
            return;
        }
        let target = self.members.choose_failed(&mut self.rng);
        if let Some(to) = target.and_then(|slot| self.members.identity(slot)).map(|identity| identity.addr) {
            let _ = self.open_stream(to, Purpose::Reconnect, now + self.config.stream_timeout, out);
        }
    }
}
