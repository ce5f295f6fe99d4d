//! Delta anti-entropy: digests first, then only the rows that differ (the exchange is drawn in `wire/delta.rs`).
//!
//! In a quiet cluster two tables are equal and an exchange is two short frames, where a full one is two tables. Rows about
//! which this node still gossips are left out of its digests: everybody will have them in a moment. What differs is
//! settled by the rules of a full exchange, over whole buckets of rows; joins and reconnects are always full.

use alloc::vec;
use alloc::vec::Vec;

use super::Node;
use super::exchange::{Frames, row_of};
use crate::io::{Outbox, State, StreamId};
use crate::sync::{Purpose, Stage, Stream};
use crate::wire::{BUCKETS_MAX, BUCKETS_MIN, DIGEST_BYTES, DeltaHead, Message};

/// What two tables are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digests {
    rows: u32,
    root: u64,
    marks: u64,
}

impl Node {
    fn digests(&self) -> Digests {
        let (rows, root) = self.members.settled(self.queue.members.subjects());
        Digests { rows, root, marks: self.marks_digest() }
    }

    fn say_delta_head(&mut self, frames: &mut Frames, digests: Digests, out: &mut Outbox) {
        let Digests { rows, root, marks } = digests;
        let (versions, clocks) = (self.version_span(), self.clocks.now());
        let from = &self.members.me().name;
        let head = DeltaHead { from, versions, clocks, rows, root, marks };
        frames.say(&mut self.wire, &Message::DeltaHead(head), out);
    }

    /// Begins a delta exchange on a stream of ours.
    pub(super) fn begin_delta(&mut self, id: StreamId, out: &mut Outbox) {
        let mut frames = Frames::begin(id, &self.wire, out);
        self.say_delta_head(&mut frames, self.digests(), out);
        frames.end(&mut self.wire, false, out);
        self.streams.set_stage(id, Stage::AwaitDelta);
    }

    pub(super) fn on_delta_head(
        &mut self,
        id: StreamId,
        stream: Stream,
        head: &DeltaHead<'_>,
        out: &mut Outbox,
    ) {
        if !self.accepts_versions(id, stream, &head.versions, out) {
            return;
        }
        self.clocks.witness(head.clocks);
        let theirs = Digests { rows: head.rows, root: head.root, marks: head.marks };
        if stream.purpose != Purpose::Inbound {
            let marks = theirs.marks != self.marks_digest();
            return self.streams.set_stage(id, Stage::AwaitBuckets { marks });
        }
        if let Some((_, addr)) = self.members.find(head.from).and_then(|slot| self.members.whereabouts(slot))
        {
            self.streams.set_peer(id, addr);
        }
        self.answer_delta(id, theirs, out);
    }

    /// The responder's word: that all is equal, or what to compare.
    fn answer_delta(&mut self, id: StreamId, theirs: Digests, out: &mut Outbox) {
        let ours = self.digests();
        let mut frames = Frames::begin(id, &self.wire, out);
        self.say_delta_head(&mut frames, ours, out);
        if ours == theirs || broken!(self.config, DeltaAlwaysEqual) {
            frames.say(&mut self.wire, &Message::SyncEnd, out);
            frames.end(&mut self.wire, true, out);
            return self.delta_was_equal(id);
        }
        if ours.marks != theirs.marks {
            self.say_marks(&mut frames, out);
        }
        let digests = self.bucket_bytes(self.buckets_for(ours.rows.max(theirs.rows)));
        frames.say(&mut self.wire, &Message::DeltaBuckets { digests: &digests }, out);
        frames.end(&mut self.wire, false, out);
        self.streams.set_stage(id, Stage::AwaitWant);
    }

    fn delta_was_equal(&mut self, id: StreamId) {
        self.forget_stream(id);
        self.counters.syncs += 1;
        self.counters.syncs_equal += 1;
    }

    /// The responder found all equal.
    pub(super) fn on_delta_equal(&mut self, id: StreamId, out: &mut Outbox) {
        self.delta_was_equal(id);
        out.close(id);
    }

    /// A power of two of buckets, such that a few differing rows cost about as much as the digests: `4 sqrt(rows)`, and no more
    /// than one frame takes.
    fn buckets_for(&self, rows: u32) -> usize {
        let wanted = (16 * u64::from(rows)).isqrt() as usize;
        // The largest power of two of which the digests fit, with their kind and length.
        let room = self.wire.frame_room().saturating_sub(16) / DIGEST_BYTES;
        let fits = 1 << room.max(BUCKETS_MIN).ilog2();
        wanted.next_power_of_two().clamp(BUCKETS_MIN, BUCKETS_MAX.min(fits))
    }

    /// Our digests by bucket, as they are sent.
    fn bucket_bytes(&self, buckets: usize) -> Vec<u8> {
        let digests = self.members.bucket_digests(buckets, self.queue.members.subjects());
        digests.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    /// The initiator compares, says what differs, and sends its rows of that.
    pub(super) fn on_delta_buckets(&mut self, id: StreamId, theirs: &[u8], marks: bool, out: &mut Outbox) {
        let buckets = theirs.len() / DIGEST_BYTES;
        let ours = self.bucket_bytes(buckets.max(BUCKETS_MIN));
        let mut wanted = vec![0u8; buckets.div_ceil(8)];
        for (bucket, (ours, theirs)) in ours.chunks(DIGEST_BYTES).zip(theirs.chunks(DIGEST_BYTES)).enumerate()
        {
            wanted[bucket / 8] |= u8::from(ours != theirs) << (bucket % 8);
        }
        let mut frames = Frames::begin(id, &self.wire, out);
        if marks {
            self.say_marks(&mut frames, out);
        }
        frames.say(&mut self.wire, &Message::DeltaWant { buckets: &wanted }, out);
        self.say_wanted(frames, &wanted, out);
        self.streams.set_stage(id, Stage::DeltaRows);
    }

    /// The responder hears what differs, and sends its rows of that, before it merges theirs.
    pub(super) fn on_delta_want(&mut self, id: StreamId, wanted: &[u8], out: &mut Outbox) {
        let frames = Frames::begin(id, &self.wire, out);
        self.say_wanted(frames, wanted, out);
        self.streams.set_stage(id, Stage::DeltaRows);
    }

    /// Says our rows of the wanted buckets, those that gossip still carries and those that are gone included, and the end.
    fn say_wanted(&mut self, mut frames: Frames, wanted: &[u8], out: &mut Outbox) {
        let Self { wire, members, counters, .. } = self;
        let is_wanted = |bucket: usize| wanted[bucket / 8] >> (bucket % 8) & 1 == 1;
        if wanted.iter().any(|bits| *bits != 0) {
            for (slot, identity, known) in members.rows_in(wanted.len() * 8, is_wanted) {
                if known.state != State::Forgotten && !broken!(self.config, DeltaWithoutRows) {
                    let row = row_of(identity, &known, members.status_time(slot));
                    frames.say(wire, &Message::SyncRow(row), out);
                    counters.delta_rows += 1;
                }
            }
        }
        frames.say(wire, &Message::SyncEnd, out);
        frames.end(wire, true, out);
    }
}
