//! User events: sending, hearing, repairing.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::Node;
use super::spreading::Opened;
use crate::deadlines::Due;
use crate::error::CommandError;
use crate::events::{PULL_NUMBERS_MAX, PULLS_AT_ONCE, Repair, Verdict, event_bytes, settle_time};
use crate::id::LamportTime;
use crate::io::{CommandId, Done, Event, EventRequest, Note, Outbox, Shed, State};
use crate::spread::Lane;
use crate::time::Instant;
use crate::wire::{EventMark, EventPull, Message, Spans, UserEvent};

/// Packets that answer one pull at most: its sender may not be who it says.
const ANSWER_PACKETS_MAX: usize = 8;

impl Node {
    /// Sends a user event (Serf). The limits hold before and after encoding, as Serf has it; beyond that, an event has to
    /// fit into one packet, and is refused while those sent before could not be repaired any more: Serf takes it and drops it.
    pub(super) fn send_event(
        &mut self,
        id: CommandId,
        request: &EventRequest,
        now: Instant,
        out: &mut Outbox,
    ) {
        let result = self.accept_event(request, now, out);
        out.completed(id, result);
    }

    fn accept_event(
        &mut self,
        request: &EventRequest,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Done, CommandError> {
        let EventRequest { name, payload, coalesce } = request;
        let ltime = self.clocks.event.time();
        let allowed = usize::from(self.config.user_event_bytes_max);
        let plain = name.len() + payload.len();
        let encoded = event_bytes(ltime, name, payload);
        for actual in [plain, encoded] {
            if actual > allowed {
                return Err(CommandError::TooLong { what: "event", actual, allowed });
            }
        }
        let life = self.user_events.life();
        let Some(seq) = self.user_events.next_seq().filter(|_| self.has_room_for_event(now)) else {
            self.counters.busy += 1;
            return Err(CommandError::Busy("events"));
        };
        let me = self.members.me().clone();
        let event = UserEvent { ltime, origin: &me.name, life, seq, name, payload, coalesce: *coalesce };
        self.keep_event(0, &event, now, out)?;
        self.clocks.event.stamp();
        self.user_events.sent(seq);
        self.user_events.met = true;
        self.deliver_event(&event, out);
        // Alone there is nobody to tell; who joins later may ask for what is kept.
        if self.members.reachable() > 0 {
            self.spread(Lane::OwnEvents, &Message::UserEvent(event), out);
        }
        Ok(Done::EventSent { ltime, seq })
    }

    /// Whether an event sent now stays long enough where repair finds it. Events of others fill the same rings, so they count.
    fn has_room_for_event(&mut self, now: Instant) -> bool {
        if self.members.reachable() == 0 {
            return true;
        }
        let Self { config, user_events, queue, .. } = self;
        let waiting = queue.lane(Lane::OwnEvents).len();
        let young = user_events.store.young(settle_time(config), now);
        // A quarter is left for what others send at the same moment.
        let ring = config.event_buffer as usize / 4 * 3;
        waiting.max(young) < ring && waiting < config.queue_messages_max as usize
    }

    /// Keeps an event for others. One that no packet of ours can hold is kept by nobody.
    fn keep_event(
        &mut self,
        origin: u32,
        event: &UserEvent<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), CommandError> {
        // The end of the outbox serves as scratch memory.
        let start = out.bytes.len();
        self.wire.encode(&Message::EventAgain(*event), &mut out.bytes);
        let (actual, allowed) = (out.bytes.len() - start, self.wire.packet_room());
        if actual <= allowed {
            self.user_events.keep((origin, event.seq.0), &out.bytes[start..], now, &self.config);
        }
        out.bytes.truncate(start);
        if actual <= allowed { Ok(()) } else { Err(CommandError::TooLong { what: "event", actual, allowed }) }
    }

    fn deliver_event(&mut self, event: &UserEvent<'_>, out: &mut Outbox) {
        self.counters.events_delivered += 1;
        let UserEvent { ltime, origin, name, payload, coalesce, .. } = *event;
        out.event(Event::User { ltime, origin, name, payload, coalesce });
    }

    /// An event came by gossip: a new one is delivered and passed on (Serf).
    pub(super) fn heard_event(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) {
        if self.take_event(event, now, out) {
            self.spread(Lane::Events, &Message::UserEvent(*event), out);
        }
    }

    /// An event came that was asked for: a new one is delivered, but not passed on, as nearly everybody has it.
    pub(super) fn heard_event_again(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) {
        let delivered = self.counters.events_delivered;
        self.take_event(event, now, out);
        self.counters.events_repaired += self.counters.events_delivered - delivered;
    }

    /// Delivers an event if it is new; whether it is to be passed on.
    fn take_event(&mut self, event: &UserEvent<'_>, now: Instant, out: &mut Outbox) -> bool {
        if self.is_no_audience() {
            self.counters.events_old += 1;
            return false;
        }
        self.clocks.event.witness(event.ltime);
        let (hash, mine) = (self.members.name_hash(event.origin), self.members.is_me(event.origin));
        let Self { user_events, config, rng, clocks, .. } = self;
        let heard = user_events.hear(hash, mine, event, clocks.event.time(), config, now, rng);
        self.note_lost_events(heard.lost, out);
        self.note_shed_origin(heard.shed, out);
        self.arm_repair(now);
        match heard.verdict {
            Verdict::New => {}
            Verdict::Repeated => {
                self.counters.events_repeated += 1;
                return false;
            }
            Verdict::Old => {
                self.counters.events_old += 1;
                return false;
            }
        }
        self.user_events.met = true;
        self.deliver_event(event, out);
        let origin = self.user_events.kept_under(hash, mine, event.origin, event.life);
        origin.is_some_and(|origin| self.keep_event(origin, event, now, out).is_ok())
    }

    /// Whether what is heard was not meant for this node: it is no member yet, or only becoming one that wants no past.
    /// What it misses between, it finds missing later.
    fn is_no_audience(&self) -> bool {
        let joining = !self.user_events.met && self.joins.iter().any(|join| !join.replay);
        joining || self.members.n_serf() <= 1
    }

    fn note_lost_events(&mut self, lost: u32, out: &mut Outbox) {
        if lost > 0 {
            self.counters.events_lost += u64::from(lost);
            out.note(Note::Shed(Shed::EventGap));
        }
    }

    fn note_shed_origin(&mut self, shed: bool, out: &mut Outbox) {
        if shed {
            self.counters.event_origins_shed += 1;
            out.note(Note::Shed(Shed::EventOrigin));
        }
    }

    /// Sets the one timer for all gaps to the first that is due.
    fn arm_repair(&mut self, now: Instant) {
        let Self { user_events, deadlines, config, .. } = self;
        match (user_events.next_repair(), user_events.timer) {
            // Too many were due at once; the rest is not asked for earlier.
            (Some(due), Some((_, at))) if due >= at || at <= now + config.event_repair_delay / 8 => {}
            (Some(due), Some((timer, _))) => {
                let at = due.max(now);
                deadlines.move_to(timer, at);
                user_events.timer = Some((timer, at));
            }
            (Some(due), None) => {
                let at = due.max(now);
                user_events.timer = Some((deadlines.arm(at, Due::Repair), at));
            }
            (None, Some((timer, _))) => {
                deadlines.cancel(timer);
                user_events.timer = None;
            }
            (None, None) => {}
        }
    }

    pub(crate) fn on_repair_due(&mut self, now: Instant, out: &mut Outbox) {
        self.user_events.timer = None;
        let mut pulls = 0;
        while pulls < PULLS_AT_ONCE {
            let Self { user_events, config, rng, .. } = self;
            match user_events.repair(config, now, rng) {
                Some(Repair::Ask { place, tries, witness }) => {
                    pulls += 1;
                    self.pull(place, tries, witness, out);
                }
                Some(Repair::GaveUp(lost)) => self.note_lost_events(lost, out),
                None => break,
            }
        }
        if let Some(due) = self.user_events.next_repair() {
            let at = due.max(now + self.config.event_repair_delay / 8);
            self.user_events.timer = Some((self.deadlines.arm(at, Due::Repair), at));
        }
    }

    /// Asks for missing events: who says that they exist, then anybody, and after two tries in vain every second time the origin.
    fn pull(&mut self, place: u32, tries: u8, witness: Option<SocketAddr>, out: &mut Outbox) {
        let origin = || {
            let slot = self.members.find(self.user_events.origin_of(place))?;
            let up = self.members.known(slot).is_some_and(|known| known.state <= State::Suspect);
            if up { self.members.identity(slot).map(|identity| identity.addr) } else { None }
        };
        let from_origin = if tries >= 2 && tries.is_multiple_of(2) { origin() } else { None };
        let to = match witness.or(from_origin) {
            Some(to) => to,
            None => {
                let chosen = self.members.choose_alive(1, None, &mut self.rng);
                let chosen = chosen.first().and_then(|&slot| self.members.identity(slot));
                // Without company nothing can be asked for, and nothing is given up.
                let Some(chosen) = chosen else { return };
                chosen.addr
            }
        };
        let mut spans = Vec::new();
        let mut packet = Opened::new(&self.wire, out);
        let (origin, life) = self.user_events.ask(place, &mut spans);
        let pull = EventPull { origin, life, spans: Spans::of(&spans) };
        packet.add(&self.wire, &Message::EventPull(pull), out);
        self.finish(packet, to, true, out);
    }

    /// A peer misses events: it gets what is still here, a bounded number of packets within the byte rate of gossip.
    pub(super) fn on_event_pull(
        &mut self,
        from: SocketAddr,
        pull: &EventPull<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let (hash, mine) = (self.members.name_hash(pull.origin), self.members.is_me(pull.origin));
        let Some(origin) = self.user_events.kept_under(hash, mine, pull.origin, pull.life) else { return };
        let room = self.wire.packet_room();
        let wanted = pull
            .spans
            .iter()
            .flat_map(|(first, count)| (0..count).rev().filter_map(move |i| first.0.checked_add(i)))
            .take(PULL_NUMBERS_MAX as usize);
        let mut packets = 0;
        let mut open: Option<(Opened, usize)> = None;
        for seq in wanted {
            let Some(bytes) = self.user_events.store.get((origin, seq)) else { continue };
            if let Some((packet, body)) =
                open.take_if(|(_, body)| out.bytes.len() - *body + bytes.len() > room)
            {
                debug_assert!(out.bytes.len() > body);
                self.finish_answer(packet, from, now, out);
                packets += 1;
            }
            if open.is_none() {
                if packets == ANSWER_PACKETS_MAX || self.pace.allowed(&self.config) > now {
                    break;
                }
                let packet = Opened::new(&self.wire, out);
                open = Some((packet, out.bytes.len()));
            }
            let Some(bytes) = self.user_events.store.get((origin, seq)) else { continue };
            if let Some((packet, _)) = &mut open {
                packet.add_encoded(crate::wire::Kind::EventAgain, bytes, out);
            }
        }
        if let Some((packet, _)) = open {
            self.finish_answer(packet, from, now, out);
        }
    }

    fn finish_answer(&mut self, packet: Opened, to: SocketAddr, now: Instant, out: &mut Outbox) {
        let before = out.bytes.len();
        let start = packet.start();
        self.finish(packet, to, false, out);
        debug_assert!(before <= out.bytes.len());
        self.pace.pay(out.bytes.len() - start, now, &self.config);
    }

    /// How far this node has come with its own events and those of the origins that it heard of last, at most 256: what a
    /// push/pull exchange tells the partner.
    pub fn event_marks(&self) -> impl Iterator<Item = EventMark<'_>> {
        self.user_events.marks(&self.members.me().name)
    }

    /// A partner has come so far with an origin's events. With `baseline` (a join that wants no past) all of that counts as
    /// known; else what is missing here is asked for, from that partner first.
    pub(super) fn on_event_mark(
        &mut self,
        from: SocketAddr,
        mark: &EventMark<'_>,
        baseline: bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        let (hash, mine) = (self.members.name_hash(mark.origin), self.members.is_me(mark.origin));
        let Self { user_events, config, rng, .. } = self;
        let shed = user_events.hear_mark(hash, mine, mark, baseline, from, config, now, rng);
        self.note_shed_origin(shed, out);
        self.arm_repair(now);
    }

    /// A join that wants no past has met a partner whose event clock stands there: events stamped before are old (Serf).
    pub(super) fn ignore_events_before(&mut self, clock: LamportTime) {
        self.user_events.ignore_before(clock);
        self.user_events.met = true;
    }

    /// The events that are kept, the oldest first: what a joiner that wants the past is given as
    /// [`Message::EventAgain`]. Serf's replay loses the flag `coalesce`; ours keeps it.
    pub fn replay_events(&self) -> impl Iterator<Item = UserEvent<'_>> {
        self.user_events.store.iter().flat_map(|bytes| self.wire.read_back(bytes)).filter_map(|message| {
            match message {
                Ok(Message::EventAgain(event)) => Some(event),
                _ => None,
            }
        })
    }
}
