//! User events: sending, hearing, and closing the gaps that gossip leaves.
//!
//! Serf sends an event by gossip alone: what gossip misses (its residue) and what a slow reader drops is gone. Here events are
//! numbered by their origin. A gap that stays for `event_repair_delay` is asked for, of a random member first and of the
//! origin in the end; push/pull tells how far each side has come, which shows what no later event reveals. So an event that was accepted
//! reaches every member that stays connected, and what could not be kept that long is refused with `Busy` when it is sent.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::Node;
use super::spreading::Opened;
use crate::deadlines::Due;
use crate::error::CommandError;
use crate::events::{EventLog, Gap, Heard, LamportClocks, serf_size};
use crate::id::{EventSeq, LamportTime, NodeName};
use crate::io::{CommandId, Done, Event, EventRequest, Note, Outbox, Shed, State};
use crate::spread::Lane;
use crate::sync::push_pull_period;
use crate::time::{Instant, nanos};
use crate::wire::{
    Clocks, EVENT_BYTES_HARD_MAX, EventMark, EventPull, Kind, Message, PULL_SPANS_MAX, Spans, UserEvent,
};

/// An own event counts as settled after so many `event_repair_delay`s: gossip, and as many tries to repair it as fit in between.
const SETTLED_AFTER_DELAYS: u32 = 12;
/// A gap is given up after so many tries without anything coming.
const TRIES_MAX: u8 = 10;
/// Waiting for an answer doubles so many times.
const DOUBLINGS_MAX: u8 = 3;
/// Gaps that are asked for at one time; more wait for the next.
const PULLS_AT_ONCE_MAX: usize = 64;
/// Packets that answer one pull: whoever forges a sender's address wins no more than this.
const PULL_PACKETS_MAX: usize = 8;
/// Origins in one exchange's marks.
const MARKS_MAX: usize = 1024;
/// A mark this far ahead of what is known is no gap that anybody could fill.
const MARK_AHEAD_MAX: u32 = 1 << 20;

impl Node {
    pub(super) fn send_event(
        &mut self,
        id: CommandId,
        request: &EventRequest,
        now: Instant,
        out: &mut Outbox,
    ) {
        let result = self.accept_own_event(request, now, out);
        out.completed(id, result);
    }

    fn accept_own_event(
        &mut self,
        request: &EventRequest,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Done, CommandError> {
        let ltime = self.clocks.event.time();
        let (name, payload) = (request.name.len(), request.payload.len());
        let allowed = usize::from(self.config.user_event_bytes_max).min(EVENT_BYTES_HARD_MAX);
        for actual in [name + payload, serf_size::user_event(ltime.0, name, payload)] {
            if actual > allowed {
                return Err(CommandError::TooLong { what: "event", actual, allowed });
            }
        }
        let settled = self.config.event_repair_delay * SETTLED_AFTER_DELAYS;
        let settled_before = Instant::ORIGIN + now.since(Instant::ORIGIN).saturating_sub(settled);
        let room = self.events.has_room(settled_before, self.config.event_buffer as usize);
        if (!room || self.event_queue_is_busy()) && !broken!(self.config, NeverBusy) {
            self.counters.busy += 1;
            return Err(CommandError::Busy("events"));
        }
        let me = self.members.me().clone();
        let seq = self.events.next_seq();
        let event = UserEvent {
            ltime,
            origin: &me.name,
            life: self.events.life(),
            seq,
            name: &request.name,
            payload: &request.payload,
            coalesce: request.coalesce,
        };
        let start = out.bytes.len();
        self.wire.encode(&Message::UserEvent(event), &mut out.bytes);
        let (actual, allowed) = (out.bytes.len() - start, self.wire.packet_room());
        if actual > allowed {
            out.bytes.truncate(start);
            return Err(CommandError::TooLong { what: "event", actual, allowed });
        }
        self.events.keep_own(seq, &out.bytes[start..], now);
        out.bytes.truncate(start);
        self.clocks.event.witness(ltime);
        self.deliver(&event, out);
        if self.members.others_up() > 0 && !broken!(self.config, EventNotQueued) {
            self.spread(Lane::Events, &Message::UserEvent(event), out);
        }
        Ok(Done::EventSent { ltime, seq })
    }

    /// Whether as much waits as half a full queue of fresh messages asks to be sent, or three quarters of its places are taken: the
    /// rest is for what others send meanwhile, which must not be dropped. A queue whose messages have nearly all been sent often enough
    /// is long, and has room soon.
    fn event_queue_is_busy(&mut self) -> bool {
        let max = self.config.queue_messages_max as usize;
        let limit = self.transmissions();
        let lane = self.queue.lane(Lane::Events);
        lane.len() >= max / 2
            && (lane.len() >= max / 4 * 3
                || lane.transmissions_left(limit) >= max as u64 / 2 * u64::from(limit))
    }

    fn deliver(&mut self, event: &UserEvent<'_>, out: &mut Outbox) {
        let UserEvent { ltime, origin, name, payload, coalesce, .. } = *event;
        self.counters.events_delivered += 1;
        out.event(Event::User { ltime, origin, name, payload, coalesce });
    }

    /// An event that is being gossiped; what is new is gossiped on (Serf).
    pub(super) fn heard_event(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) {
        if self.take_event(event, now, out) {
            self.spread(Lane::Events, &Message::UserEvent(*event), out);
        }
    }

    /// An event that was asked for, or is replayed to us: everybody else has it.
    pub(super) fn heard_event_again(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) {
        if self.take_event(event, now, out) {
            self.counters.events_repaired += 1;
        }
    }

    /// Whether the event is new here; then it has been delivered.
    fn take_event(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) -> bool {
        if !broken!(self.config, EventClockIgnoresOthers) {
            self.clocks.event.witness(event.ltime);
        }
        if broken!(self.config, EventClockGoesBack) {
            let seen = Clocks { event: event.ltime, ..Clocks::default() };
            self.clocks.event = LamportClocks::restored(seen).event;
        }
        if self.members.is_me(event.origin.as_bytes()) && event.life == self.events.life() {
            self.counters.events_repeated += 1;
            return false;
        }
        let known = match self.events.find(event.origin, event.life) {
            Some(place) => Some(place),
            None if self.events.is_past(event.ltime) => None,
            None => {
                let past = if self.is_joining_newcomer() {
                    event.seq.0
                } else if self.events.has_past() {
                    event.seq.0 - 1
                } else {
                    0
                };
                self.meet_origin(event.origin, event.life, past, now, out)
            }
        };
        let Some(place) = known else {
            self.counters.events_old += 1;
            return false;
        };
        // Without numbers to go by, Serf takes what is so far behind its clock for a repeat.
        let window_from = if self.config.event_repair {
            LamportTime(0)
        } else {
            LamportTime(self.clocks.event.time().0.saturating_sub(self.config.event_buffer.into()))
        };
        let max = self.config.event_buffer as usize;
        let heard = self.events.take(place, event.seq, event.ltime, window_from, max, now);
        match heard {
            Heard::New { lost } => {
                self.note_lost(lost, out);
                self.deliver(event, out);
                let start = out.bytes.len();
                self.wire.encode(&Message::UserEvent(*event), &mut out.bytes);
                self.events.keep(place, event.seq, &out.bytes[start..], max);
                out.bytes.truncate(start);
            }
            Heard::Repeated => {
                if broken!(self.config, EventsTwice) {
                    self.deliver(event, out);
                }
                self.counters.events_repeated += 1;
            }
            Heard::Old => self.counters.events_old += 1,
        }
        if heard != Heard::Repeated {
            self.watch_gap(place, None, now);
        }
        matches!(heard, Heard::New { .. })
    }

    /// What was sent before a newcomer's join is not for it, unless it asks for a replay: until the exchange tells what that is, it takes what it hears of for past.
    fn is_joining_newcomer(&self) -> bool {
        self.newcomer && self.joins_without_replay()
    }

    fn meet_origin(
        &mut self,
        name: &str,
        life: crate::id::Life,
        past: u32,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<usize> {
        // The wire has checked the name.
        let name = NodeName::new(name).ok()?;
        let max = self.config.event_origins_max as usize;
        let (place, shed) = self.events.meet(name, life, past, max, now);
        if shed {
            self.counters.event_origins_shed += 1;
            out.note(Note::Shed(Shed::EventOrigin));
        }
        Some(place)
    }

    fn note_lost(&mut self, lost: u32, out: &mut Outbox) {
        if lost > 0 {
            self.counters.events_lost += u64::from(lost);
            out.note(Note::Shed(Shed::EventGap));
        }
    }

    /// Sees to it that a gap of an origin is asked for, if gossip does not close it.
    fn watch_gap(&mut self, place: usize, source: Option<SocketAddr>, now: Instant) {
        let origin = self.events.origin_mut(place);
        if !self.config.event_repair || !origin.runs.has_gap() || broken!(self.config, NoRepair) {
            return;
        }
        if let Some(gap) = &mut origin.gap {
            gap.source = source.or(gap.source);
            return;
        }
        let delay = self.config.event_repair_delay;
        let due = now + delay + Duration::from_nanos(self.rng.below_u64(nanos(delay)));
        origin.gap = Some(Gap { due, tries: 0, source });
        self.arm_repair(due);
    }

    fn arm_repair(&mut self, due: Instant) {
        match self.periodic.repair {
            None => self.periodic.repair = Some(self.deadlines.arm(due, Due::Repair)),
            Some(timer) if self.deadlines.at(timer) > due => self.deadlines.move_to(timer, due),
            Some(_) => {}
        }
    }

    /// Gaps have stayed long enough: they are asked for.
    pub(crate) fn on_repair_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.repair = None;
        let mut asked = 0;
        let mut next = Instant::NEVER;
        for place in 0..self.events.origins().len() {
            let origin = &self.events.origins()[place];
            let Some(gap) = origin.gap else { continue };
            if !origin.runs.has_gap() {
                // What was missing turned out to be past.
                self.events.origin_mut(place).gap = None;
                continue;
            }
            let mut due = gap.due;
            if due <= now {
                asked += 1;
                due = if asked > PULLS_AT_ONCE_MAX {
                    now + self.config.event_repair_delay
                } else if gap.tries >= TRIES_MAX {
                    let origin = self.events.origin_mut(place);
                    origin.gap = None;
                    let lost = origin.runs.give_up();
                    self.note_lost(lost, out);
                    continue;
                } else {
                    self.pull(place, gap, now, out)
                };
                if let Some(gap) = &mut self.events.origin_mut(place).gap {
                    gap.due = due;
                }
            }
            next = next.min(due);
        }
        if next < Instant::NEVER {
            self.arm_repair(next);
        }
    }

    /// Asks for what is missing of an origin; when to ask again.
    fn pull(&mut self, place: usize, gap: Gap, now: Instant, out: &mut Outbox) -> Instant {
        let delay = self.config.event_repair_delay;
        let wait = delay * (1 << gap.tries.min(DOUBLINGS_MAX));
        let again = now + wait + Duration::from_nanos(self.rng.below_u64(nanos(delay)));
        let origin = &self.events.origins()[place];
        let source = self.members.find(&origin.name).filter(|slot| {
            self.members
                .known(*slot)
                .is_some_and(|known| matches!(known.state, State::Alive | State::Suspect))
        });
        let slot = match gap.tries {
            0 if gap.source.is_some() => None,
            // Random members first, so that a burst's origin is not asked by everybody at once.
            tries if tries >= 2 && tries % 2 == 0 => source,
            _ => None,
        };
        let slot = slot.or_else(|| self.members.choose_alive(1, None, &mut self.rng).first().copied());
        let to = if gap.tries == 0 { gap.source } else { None };
        let to = to.or_else(|| Some(self.members.whereabouts(slot?)?.1));
        let mut spans: Vec<u8> = Vec::new();
        let origin = self.events.origin_mut(place);
        for (first, count) in origin.runs.missing().take(PULL_SPANS_MAX) {
            Spans::encode(EventSeq(first), count, &mut spans);
        }
        if let Some(gap) = &mut origin.gap {
            gap.tries += 1;
        }
        let (name, life) = (origin.name.clone(), origin.life);
        if let Some(to) = to {
            let pull = EventPull { origin: &name, life, spans: Spans::of(&spans) };
            self.send(to, &[Message::EventPull(pull)], false, out);
        }
        again
    }

    /// A member misses events: it gets what is still here, a few packets at a time, at the expense of gossip.
    pub(super) fn on_event_pull(
        &mut self,
        from: SocketAddr,
        pull: &EventPull<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let before = out.bytes.len();
        self.send_missed(from, pull, out);
        self.pace.pay(out.bytes.len() - before, &self.config, now);
    }

    fn send_missed(&mut self, from: SocketAddr, pull: &EventPull<'_>, out: &mut Outbox) {
        if broken!(self.config, PullsUnanswered) {
            return;
        }
        let wanted =
            |seq: EventSeq| pull.spans.iter().any(|(first, count)| seq.0.wrapping_sub(first.0) < count);
        let Self { wire, events, members, .. } = self;
        let room = wire.packet_room();
        let mut packet: Option<Opened> = None;
        let mut packets = 0;
        for message in events.kept(pull.origin, &members.me().name, pull.life, wanted) {
            if let Some(full) = packet.take_if(|packet| packet.bytes(out) + message.len() > room) {
                full.send(wire, from, out);
                packets += 1;
            }
            if packets == PULL_PACKETS_MAX {
                return;
            }
            packet.get_or_insert_with(|| Opened::new(wire, out)).add_encoded(Kind::EventAgain, message, out);
        }
        if let Some(last) = packet {
            last.send(wire, from, out);
        }
    }

    /// Origins heard of since then are in an exchange's marks.
    pub(super) fn marks_since(&self) -> Instant {
        let period = push_pull_period(self.config.push_pull_interval, self.members.n_swim());
        let lately = period.saturating_mul(2) + Duration::from_secs(60);
        Instant::ORIGIN + self.clock.since(Instant::ORIGIN).saturating_sub(lately)
    }

    /// A peer tells how far it has come with an origin. `baseline`: this node has just joined, and all that is past it.
    pub(super) fn on_event_mark(
        &mut self,
        source: Option<SocketAddr>,
        mark: &EventMark<'_>,
        baseline: bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        if self.members.is_me(mark.origin.as_bytes()) && mark.life == self.events.life() {
            return;
        }
        let highest = mark.highest.0;
        let place = match self.events.find(mark.origin, mark.life) {
            Some(place) => place,
            None => {
                let past =
                    if baseline || self.events.has_past() || highest > MARK_AHEAD_MAX { highest } else { 0 };
                let Some(place) = self.meet_origin(mark.origin, mark.life, past, now, out) else { return };
                place
            }
        };
        let runs = &mut self.events.origin_mut(place).runs;
        if highest.saturating_sub(runs.complete()) > MARK_AHEAD_MAX {
            return;
        }
        if baseline {
            runs.skip_to(highest);
        } else {
            runs.heard_of(highest);
        }
        self.watch_gap(place, source, now);
    }

    /// A join without replay has reached a peer whose event clock stands there. With numbers, its marks say what is past; without, the clock has to (Serf).
    pub(super) fn joined_without_replay(&mut self, clock: LamportTime) {
        if !self.config.event_repair {
            self.events.raise_min_time(clock);
        }
    }
}

/// How far a node has come with the origins that were heard of lately, itself first, for the other side of an exchange.
pub(super) fn event_marks<'a>(
    events: &'a EventLog,
    me: &'a str,
    since: Instant,
) -> impl Iterator<Item = EventMark<'a>> {
    let last = EventSeq(events.next_seq().0 - 1);
    let own = events.last_sent().filter(|sent| *sent >= since).map(|_| EventMark {
        origin: me,
        life: events.life(),
        complete: last,
        highest: last,
    });
    let others = events.origins().iter().filter(move |origin| origin.heard >= since).map(|origin| {
        let (complete, highest) = (EventSeq(origin.runs.complete()), EventSeq(origin.runs.highest()));
        EventMark { origin: &origin.name, life: origin.life, complete, highest }
    });
    own.into_iter().chain(others.take(MARKS_MAX))
}
