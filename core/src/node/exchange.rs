//! Full push/pull: one side's whole table on its way, and what the other side makes of it (facts 1.14 and 2.13).

use super::user_events::event_marks;
use super::{Life, Node};
use crate::error::StreamFailure;
use crate::id::{Identity, Incarnation, LamportTime};
use crate::io::{Outbox, State, Status, StreamId, Via};
use crate::members::{Known, Members, digest_with, name_digest};
use crate::spread::Lane;
use crate::sync::{Purpose, Stage, Stream, span, verify};
use crate::time::Instant;
use crate::wire::{
    Accusation, Alive, Clocks, EventMark, Intent, Kind, Kinds, Message, REASON_BYTES_MAX, SyncHead, SyncRow,
    VersionSpan, Wire,
};

/// Frames being written at the end of the outbox: as many as the messages take.
pub(super) struct Frames {
    id: StreamId,
    start: usize,
    body: usize,
    kinds: Kinds,
}

impl Frames {
    pub(super) fn begin(id: StreamId, wire: &Wire, out: &mut Outbox) -> Self {
        let start = wire.begin_frame(&mut out.bytes);
        Self { id, start, body: out.bytes.len(), kinds: Kinds::default() }
    }

    pub(super) fn say(&mut self, wire: &mut Wire, message: &Message<'_>, out: &mut Outbox) {
        let before = out.bytes.len();
        wire.encode(message, &mut out.bytes);
        if out.bytes.len() - self.body > wire.frame_room() && before > self.body {
            // Full without this one: it begins the next frame.
            out.bytes.truncate(before);
            wire.finish_frame(self.start, &mut out.bytes);
            out.frame(self.id, self.start, self.kinds, false);
            *self = Self::begin(self.id, wire, out);
            wire.encode(message, &mut out.bytes);
        }
        self.kinds.add(message.kind());
    }

    /// Says a message that lies encoded, as one of this kind, which has the same fields.
    fn say_encoded(&mut self, wire: &mut Wire, kind: Kind, message: &[u8], out: &mut Outbox) {
        let Some((_, rest)) = message.split_first() else { return };
        let used = out.bytes.len() - self.body;
        if used + message.len() > wire.frame_room() && used > 0 {
            wire.finish_frame(self.start, &mut out.bytes);
            out.frame(self.id, self.start, self.kinds, false);
            *self = Self::begin(self.id, wire, out);
        }
        out.bytes.push(kind as u8);
        out.bytes.extend_from_slice(rest);
        self.kinds.add(kind);
    }

    /// Ends them; with `last` nothing follows on this side of the stream.
    pub(super) fn end(self, wire: &mut Wire, last: bool, out: &mut Outbox) {
        wire.finish_frame(self.start, &mut out.bytes);
        out.frame(self.id, self.start, self.kinds, last);
    }
}

/// What a row carries of a member.
pub(super) fn row_of<'a>(identity: &'a Identity, known: &Known, status_time: LamportTime) -> SyncRow<'a> {
    let alive = Alive {
        incarnation: known.incarnation,
        name: &identity.name,
        addr: identity.addr,
        meta: &identity.meta,
        versions: identity.versions,
    };
    SyncRow { alive, state: known.state, status: known.status, status_time }
}

impl Node {
    pub(super) fn version_span(&self) -> VersionSpan {
        span(self.members.versions_alive())
    }

    /// Begins an exchange on a stream of ours.
    pub(super) fn begin_exchange(&mut self, id: StreamId, purpose: Purpose, out: &mut Outbox) {
        let replay = match purpose {
            Purpose::Join(command) => self.joins_with_replay(command),
            _ => false,
        };
        self.send_table(id, purpose.is_join(), replay, false, out);
    }

    /// Sends the whole table, in as many frames as it takes; with `again` earlier events too.
    fn send_table(&mut self, id: StreamId, join: bool, replay: bool, again: bool, out: &mut Outbox) {
        let versions = self.version_span();
        let Self { wire, members, clocks, .. } = self;
        let from = &members.me().name;
        let mut frames = Frames::begin(id, wire, out);
        frames.say(wire, &Message::SyncHead(SyncHead { join, from, versions, replay }), out);
        frames.say(wire, &Message::SyncClocks(clocks.now()), out);
        for (slot, identity, known) in members.rows() {
            let left_out = broken!(self.config, RowsLeftOut) && slot.index % 2 == 1;
            if known.state != State::Forgotten && !left_out {
                let row = row_of(identity, &known, members.status_time(slot));
                frames.say(wire, &Message::SyncRow(row), out);
            }
        }
        if members.n_left() > 0 {
            for (slot, identity, known) in members.rows() {
                if (known.state, known.status) == (State::Forgotten, Status::Left) {
                    let (ltime, name) = (members.status_time(slot), &*identity.name);
                    frames.say(wire, &Message::LeaveIntent(Intent { ltime, name, prune: false }), out);
                }
            }
        }
        self.say_marks(&mut frames, out);
        if again {
            self.say_events_again(&mut frames, out);
        }
        frames.say(&mut self.wire, &Message::SyncEnd, out);
        frames.end(&mut self.wire, true, out);
    }

    pub(super) fn on_sync_head(
        &mut self,
        id: StreamId,
        stream: Stream,
        head: &SyncHead<'_>,
        out: &mut Outbox,
    ) {
        if !self.accepts_versions(id, stream, &head.versions, out) {
            return;
        }
        self.streams.set_stage(id, Stage::OwnRow);
        if stream.purpose == Purpose::Inbound {
            // Our table as it is before we merge theirs.
            self.send_table(id, head.join, false, head.replay, out);
        }
    }

    /// Verifies a peer's versions before anything of it is taken; if they do not match, the exchange has ended.
    pub(super) fn accepts_versions(
        &mut self,
        id: StreamId,
        stream: Stream,
        theirs: &VersionSpan,
        out: &mut Outbox,
    ) -> bool {
        let Err(reason) = verify(&self.version_span(), theirs) else { return true };
        self.counters.syncs_refused += 1;
        if stream.purpose == Purpose::Inbound {
            // Unlike memberlist's responder, we say so instead of answering with a table.
            self.forget_stream(id);
            self.send_frame(id, &Message::Refused { reason: cut(&reason) }, out);
        } else {
            self.abort_stream(id, StreamFailure::Versions(reason), out);
        }
        false
    }

    /// The peer's clocks stand there. The answer to a join of ours that wants no earlier events also says which are earlier: unlike
    /// Serf's, only that answer does (Q39).
    pub(super) fn on_sync_clocks(&mut self, stream: Stream, clocks: Clocks) {
        self.clocks.witness(clocks);
        if self.is_baseline(stream) {
            self.joined_without_replay(clocks.event);
        }
    }

    /// Whether what a peer says of events is what this node begins with, and not what it has missed.
    pub(super) fn is_baseline(&self, stream: Stream) -> bool {
        matches!(stream.purpose, Purpose::Join(command) if !self.joins_with_replay(command))
    }

    /// The first row of a table is its sender's: there, and not where the stream came from, it can be asked.
    pub(super) fn note_sender(&mut self, id: StreamId, stream: Stream, row: &SyncRow<'_>) {
        if stream.purpose == Purpose::Inbound {
            self.streams.set_peer(id, row.alive.addr);
        }
        self.streams.set_stage(id, Stage::Rows);
    }

    /// Takes one row of a peer's table: what is alive or left as it is, what is dead as a suspicion, so that a member that
    /// lives can refute (memberlist's merge).
    pub(super) fn merge_row(&mut self, row: &SyncRow<'_>, now: Instant, out: &mut Outbox) {
        if broken!(self.config, RowsNotMerged) {
            return;
        }
        let alive = &row.alive;
        let accusation = |from| Accusation { incarnation: alive.incarnation, name: alive.name, from };
        match row.state {
            State::Alive => self.heard_alive(alive, Via::Sync, now, out),
            State::Dead if broken!(self.config, DeadRowsKill) => {
                let me = self.members.me().clone();
                self.heard_dead(&accusation(&me.name), Via::Sync, now, out);
            }
            State::Suspect | State::Dead => {
                // In our own name: a table tells what its owner heard, which is no independent voice.
                let me = self.members.me().clone();
                self.heard_suspect(&accusation(&me.name), Via::Sync, now, out);
            }
            State::Left => self.heard_dead(&accusation(alive.name), Via::Sync, now, out),
            // The wire refuses it.
            State::Forgotten => {}
        }
        self.merge_status(row, now, out);
    }

    /// Takes what a row says of a member's status.
    ///
    /// Serf's tables carry Lamport times alone, so that a leaving member arrives as one that joined; and they say of those that left
    /// that they did so one tick later, so that two tables push each other's times up for ever. Here the status comes along: of
    /// two tables the later time counts, and at the same time a member that is there is rather alive than leaving, and one
    /// that is gone has rather left than failed. So tables agree after one exchange.
    fn merge_status(&mut self, row: &SyncRow<'_>, now: Instant, out: &mut Outbox) {
        let (name, time) = (row.alive.name, row.status_time);
        self.clocks.member.witness(time);
        let Some((slot, status)) = self.member_status(name) else {
            // It may become known in a moment, and by another member: then this counts (facts 2.13).
            if time.0 > 0 {
                self.keep_early(name, time, !matches!(row.status, Status::Alive | Status::Failed), now);
            }
            return;
        };
        if slot == Members::ME && matches!(row.status, Status::Leaving | Status::Left) {
            return self.heard_that_i_leave(time, out);
        }
        if row.status == Status::Left {
            return self.merge_leave(name, Some(row.alive.incarnation), time, now, out);
        }
        let ours = self.members.status_time(slot);
        if row.status == Status::Leaving {
            if time > ours {
                self.decide_leave(slot, status, time, now, out);
            }
        } else if time > ours || (time == ours && status == Status::Leaving) {
            self.decide_join(slot, status, time);
        }
    }

    /// A peer has a member as left. `incarnation` is `None` when its failure detector has forgotten the member.
    pub(super) fn merge_leave(
        &mut self,
        name: &str,
        incarnation: Option<Incarnation>,
        time: LamportTime,
        now: Instant,
        out: &mut Outbox,
    ) {
        self.clocks.member.witness(time);
        let Some(slot) = self.members.find(name) else { return };
        let Some(known) = self.members.known(slot).filter(|_| slot != Members::ME) else { return };
        let ours = self.members.status_time(slot);
        match known.status {
            Status::Left if time > ours => self.members.set_status(slot, Status::Left, time),
            Status::Failed if time >= ours => {
                self.decide_leave(slot, known.status, time, now, out);
                // Digests leave out those that are gone, so others may wait long for this.
                let leave = Message::LeaveIntent(Intent { ltime: time, name, prune: false });
                self.spread(Lane::Intents, &leave, out);
            }
            // Dead there, and said to have left; here it is there in that life.
            Status::Alive | Status::Leaving if time > ours && incarnation >= Some(known.incarnation) => {
                self.decide_leave(slot, known.status, time, now, out);
            }
            // It came back since, and is alive as soon as the peer hears so.
            Status::Alive | Status::Leaving
                if time >= ours && incarnation.is_some_and(|theirs| theirs < known.incarnation) =>
            {
                self.decide_join(slot, known.status, time);
            }
            _ => {}
        }
    }

    /// A peer shows this node as leaving. If it has missed our word, it is said again (Serf issue 359: there a lost refutation
    /// leaves a live node as leaving for ever).
    fn heard_that_i_leave(&mut self, time: LamportTime, out: &mut Outbox) {
        if self.life != Life::Running {
            return;
        }
        if time < self.members.status_time(Members::ME) {
            self.repeat_join(out);
        } else {
            self.refute_leave(time, out);
        }
    }
}

/// The part that user events have in an exchange.
impl Node {
    /// Says how far this node has come with each origin's events.
    pub(super) fn say_marks(&mut self, frames: &mut Frames, out: &mut Outbox) {
        if broken!(self.config, NoMarks) {
            return;
        }
        let since = self.marks_since();
        let Self { wire, events, members, .. } = self;
        for mark in event_marks(events, &members.me().name, since) {
            frames.say(wire, &Message::EventMark(mark), out);
        }
    }

    /// Says the earlier events that this node still has.
    fn say_events_again(&mut self, frames: &mut Frames, out: &mut Outbox) {
        let Self { wire, events, .. } = self;
        for event in events.all_kept() {
            frames.say_encoded(wire, Kind::EventAgain, event, out);
        }
    }

    /// A digest of all that [`Node::say_marks`] would say: a sum, so that the order does not count.
    pub(super) fn marks_digest(&self) -> u64 {
        let digest = |mark: EventMark<'_>| {
            let name = digest_with(name_digest(mark.origin.as_bytes()), mark.life.0.into());
            digest_with(digest_with(name, mark.complete.0.into()), mark.highest.0.into())
        };
        event_marks(&self.events, &self.members.me().name, self.marks_since())
            .map(digest)
            .fold(0, u64::wrapping_add)
    }

    /// How far the peer has come with an origin's events: what is missing here is asked for, or was before our join.
    pub(super) fn heard_mark(
        &mut self,
        stream: Stream,
        mark: &EventMark<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        // To a node with a former life a mark of an unknown origin says what is past, but not before and while it asks for a replay: then the
        // events themselves come, and their Lamport times tell what that life has delivered, and what it missed.
        let may_replay = !self.is_baseline(stream) && (self.newcomer || self.asks_for_replay());
        if may_replay && self.events.has_past() && self.events.find(mark.origin, mark.life).is_none() {
            return;
        }
        self.on_event_mark(Some(stream.peer), mark, self.is_baseline(stream), now, out);
    }
}

/// A reason as long as the wire takes it.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}
