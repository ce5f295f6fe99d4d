//! User events that a node has heard: which were delivered, which are missing, and the last ones, for those that missed them.
//!
//! Serf tells repeats apart by Lamport time, name and payload in a ring of 512 times. Here each event has its origin's number, so
//! that a repeat is known for certain, and a gap is seen.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::runs::Runs;
use crate::id::{EventSeq, LamportTime, Life, NodeName};
use crate::time::Instant;

/// A gap in what has come from an origin, and what is done about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// When it is asked for next.
    pub(crate) due: Instant,
    /// How often it has been asked for without anything coming.
    pub(crate) tries: u8,
    /// Who is known to have more.
    pub(crate) source: Option<SocketAddr>,
}

/// One life of one member, as a source of events.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) name: NodeName,
    pub(crate) life: Life,
    pub(crate) runs: Runs,
    pub(crate) gap: Option<Gap>,
    /// It may have been known before, and what is stamped up to this been delivered then.
    floor: LamportTime,
    /// The largest Lamport time that was delivered of it.
    newest: LamportTime,
    /// When something new was last heard of it.
    pub(crate) heard: Instant,
    /// Order of hearing: the smallest is forgotten first.
    turn: u64,
}

/// An event as it is sent again: a whole encoded message.
#[derive(Clone, Debug)]
struct Stored {
    origin: u32,
    life: Life,
    seq: EventSeq,
    message: Box<[u8]>,
}

/// An event of our own that somebody may still miss.
#[derive(Clone, Debug)]
struct Own {
    seq: EventSeq,
    sent: Instant,
    message: Box<[u8]>,
}

/// What became of an event that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is new, and to be delivered; so many earlier ones were given up for it.
    New { lost: u32 },
    /// It has come before.
    Repeated,
    /// It was sent before this node's time.
    Old,
}

/// The log of user events. Bounded: origins by `event_origins_max`, events kept by `event_buffer`, own and others' each.
#[derive(Clone, Debug)]
pub(crate) struct EventLog {
    origins: Vec<Origin>,
    by_name: HashTable<u32>,
    hasher: FixedState,
    recent: VecDeque<Stored>,
    own: VecDeque<Own>,
    turn: u64,
    /// Events stamped before this are not delivered.
    min_time: LamportTime,
    /// Events of origins that are not known, stamped up to this, may have been delivered before they were forgotten.
    forgotten: LamportTime,
    /// Our own life, and the number of our last event.
    life: Life,
    last: EventSeq,
}

fn hash(hasher: &FixedState, name: &str, life: Life) -> u64 {
    core::hash::BuildHasher::hash_one(hasher, (name.as_bytes(), life))
}

impl EventLog {
    pub(crate) fn new(life: Life, hasher: FixedState, seen: LamportTime) -> Self {
        let min_time = if seen.0 == 0 { LamportTime(0) } else { seen.next() };
        Self {
            origins: Vec::new(),
            by_name: HashTable::new(),
            hasher,
            recent: VecDeque::new(),
            own: VecDeque::new(),
            turn: 0,
            min_time,
            forgotten: LamportTime(0),
            life,
            last: EventSeq(0),
        }
    }

    /// Whether an earlier life of this node has delivered events: then what lies before the first that it hears of an origin is past.
    pub(crate) const fn has_past(&self) -> bool {
        self.min_time.0 > 0
    }

    pub(crate) const fn life(&self) -> Life {
        self.life
    }

    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    pub(crate) fn origin_mut(&mut self, place: usize) -> &mut Origin {
        &mut self.origins[place]
    }

    pub(crate) fn find(&self, name: &str, life: Life) -> Option<usize> {
        let same = |&place: &u32| {
            let origin = &self.origins[place as usize];
            origin.life == life && &*origin.name == name
        };
        self.by_name.find(hash(&self.hasher, name, life), same).map(|place| *place as usize)
    }

    /// Enters an origin of which everything up to `known` is past; the one heard of longest ago makes room, and is told.
    pub(crate) fn meet(
        &mut self,
        name: NodeName,
        life: Life,
        known: u32,
        max: usize,
        now: Instant,
    ) -> (usize, bool) {
        self.turn += 1;
        let runs = Runs::after(known);
        let hash_of = hash(&self.hasher, &name, life);
        let full = self.origins.len() >= max.max(1);
        let place = if full {
            let oldest = (0..self.origins.len()).min_by_key(|place| self.origins[*place].turn).unwrap_or(0);
            self.forget(oldest);
            oldest
        } else {
            self.origins.len()
        };
        let (floor, turn) = (self.forgotten, self.turn);
        let origin = Origin { name, life, runs, gap: None, floor, newest: LamportTime(0), heard: now, turn };
        if full {
            self.origins[place] = origin;
        } else {
            self.origins.push(origin);
        }
        let Self { by_name, origins, hasher, .. } = self;
        by_name.insert_unique(hash_of, place as u32, |place| {
            let origin = &origins[*place as usize];
            hash(hasher, &origin.name, origin.life)
        });
        (place, full)
    }

    fn forget(&mut self, place: usize) {
        let Origin { name, life, newest, .. } = &self.origins[place];
        self.forgotten = self.forgotten.max(*newest);
        if let Ok(entry) =
            self.by_name.find_entry(hash(&self.hasher, name, *life), |at| *at as usize == place)
        {
            entry.remove();
        }
        self.recent.retain(|stored| stored.origin as usize != place);
    }

    /// Whether an event of an origin that is not known may be delivered at all.
    pub(crate) fn is_past(&self, ltime: LamportTime) -> bool {
        ltime <= self.forgotten
    }

    /// Events stamped before `time` are past from now on.
    pub(crate) fn raise_min_time(&mut self, time: LamportTime) {
        self.min_time = self.min_time.max(time);
    }

    /// Takes an event of a known origin; `window_from`: without repair, what is stamped before it is too old (Serf's event buffer). An
    /// origin keeps at most `max` events for those that miss them, so that there are never more gaps that can be closed than half of it.
    pub(crate) fn take(
        &mut self,
        place: usize,
        seq: EventSeq,
        ltime: LamportTime,
        window_from: LamportTime,
        max: usize,
        now: Instant,
    ) -> Heard {
        let origin = &mut self.origins[place];
        let Some(lost) = origin.runs.take(seq.0, max / 2 + 1) else { return Heard::Repeated };
        self.turn += 1;
        (origin.turn, origin.heard) = (self.turn, now);
        if !origin.runs.has_gap() {
            origin.gap = None;
        } else if let Some(gap) = &mut origin.gap {
            // Something comes, so that it is worth asking for the rest.
            gap.tries = 0;
        }
        if ltime < self.min_time || ltime < window_from || ltime <= origin.floor {
            return Heard::Old;
        }
        origin.newest = origin.newest.max(ltime);
        Heard::New { lost }
    }

    /// Keeps an encoded event for those that miss it.
    pub(crate) fn keep(&mut self, place: usize, seq: EventSeq, message: &[u8], max: usize) {
        while self.recent.len() >= max {
            self.recent.pop_front();
        }
        let life = self.origins[place].life;
        self.recent.push_back(Stored { origin: place as u32, life, seq, message: message.into() });
    }

    /// Room for an event of our own: what everybody has had time to get makes way for it.
    pub(crate) fn has_room(&mut self, settled_before: Instant, max: usize) -> bool {
        while self.own.len() >= max && self.own.front().is_some_and(|own| own.sent <= settled_before) {
            self.own.pop_front();
        }
        self.own.len() < max
    }

    /// The next number of our own events.
    pub(crate) const fn next_seq(&self) -> EventSeq {
        EventSeq(self.last.0.saturating_add(1))
    }

    /// Keeps an event of our own.
    pub(crate) fn keep_own(&mut self, seq: EventSeq, message: &[u8], now: Instant) {
        self.last = seq;
        self.own.push_back(Own { seq, sent: now, message: message.into() });
    }

    /// The encoded events of an origin among those kept, of these numbers.
    pub(crate) fn kept<'a>(
        &'a self,
        name: &str,
        me: &str,
        life: Life,
        wanted: impl Fn(EventSeq) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = &'a [u8]> {
        let mine = (name == me && life == self.life).then_some(&self.own);
        let place = if mine.is_some() { None } else { self.find(name, life) };
        let own = mine.into_iter().flatten().filter(move |own| wanted(own.seq)).map(|own| &*own.message);
        let others = self.recent.iter().filter(move |stored| {
            place == Some(stored.origin as usize) && stored.life == life && wanted(stored.seq)
        });
        own.chain(others.map(|stored| &*stored.message))
    }

    /// All encoded events that are kept, others' before our own, each oldest first.
    pub(crate) fn all_kept(&self) -> impl Iterator<Item = &[u8]> {
        self.recent.iter().map(|stored| &*stored.message).chain(self.own.iter().map(|own| &*own.message))
    }

    /// When our last event was sent.
    pub(crate) fn last_sent(&self) -> Option<Instant> {
        self.own.back().map(|own| own.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::String;
    use core::time::Duration;
    use proptest::prelude::*;

    const ALWAYS: LamportTime = LamportTime(0);

    fn log() -> EventLog {
        EventLog::new(Life(1), FixedState::with_seed(1), LamportTime(0))
    }

    fn hear(log: &mut EventLog, origin: &str, life: u32, seq: u32, ltime: u64, max: usize) -> Heard {
        let place = match log.find(origin, Life(life)) {
            Some(place) => place,
            None if log.is_past(LamportTime(ltime)) => return Heard::Old,
            None => log.meet(NodeName::new(origin).unwrap(), Life(life), 0, max, Instant::ORIGIN).0,
        };
        log.take(place, EventSeq(seq), LamportTime(ltime), ALWAYS, 128, Instant::ORIGIN)
    }

    #[test]
    fn events_stamped_before_a_former_life_ended_are_old_and_leave_no_gap() {
        let mut log = EventLog::new(Life(1), FixedState::with_seed(1), LamportTime(41));
        assert_eq!(hear(&mut log, "a", 1, 1, 41, 9), Heard::Old);
        assert_eq!(hear(&mut log, "a", 1, 2, 42, 9), Heard::New { lost: 0 });
        assert!(!log.origins()[0].runs.has_gap());
    }

    #[test]
    fn own_events_are_kept_until_they_are_settled_and_the_room_is_needed() {
        let mut log = log();
        let at = |ms| Instant::ORIGIN + Duration::from_millis(ms);
        for k in 0..4 {
            assert!(log.has_room(at(0), 4));
            let seq = log.next_seq();
            log.keep_own(seq, &[k], at(10 * u64::from(k)));
        }
        assert!(log.has_room(at(15), 4), "the first two are settled, and one of them makes room");
        assert_eq!(log.kept("me", "me", Life(1), |_| true).count(), 3);
        log.keep_own(log.next_seq(), &[4], at(40));
        assert!(log.has_room(at(15), 4));
        log.keep_own(log.next_seq(), &[5], at(50));
        assert!(!log.has_room(at(15), 4), "what is left is younger");
    }

    #[test]
    fn the_ring_of_others_events_is_bounded() {
        let mut log = log();
        for seq in 1..100 {
            assert_eq!(hear(&mut log, "a", 1, seq, seq.into(), 9), Heard::New { lost: 0 });
            log.keep(0, EventSeq(seq), &[seq as u8], 16);
        }
        let kept: Vec<u8> = log.kept("a", "me", Life(1), |_| true).map(|message| message[0]).collect();
        assert_eq!(kept, (84..100).collect::<Vec<u8>>());
    }

    proptest! {
        /// Whatever comes in whatever order, however often, from however many origins and lives: nothing is delivered twice, and while no origin was
        /// forgotten everything is delivered that comes.
        #[test]
        fn each_event_is_delivered_at_most_once(
            arrivals in prop::collection::vec((0u8..6, 0u32..2, 1u32..30), 0..300),
            max in 1usize..8,
        ) {
            let mut log = log();
            let mut delivered: BTreeMap<(u8, u32, u32), u32> = BTreeMap::new();
            for (origin, life, seq) in arrivals {
                let name: String = format!("n{origin}");
                // A later event of an origin has a later stamp.
                let ltime = u64::from(seq) * 8 + u64::from(origin) + 1;
                let heard = hear(&mut log, &name, life, seq, ltime, max);
                let known = delivered.entry((origin, life, seq)).or_default();
                if matches!(heard, Heard::New { .. }) {
                    *known += 1;
                }
                prop_assert!(*known <= 1, "delivered twice");
                if log.origins().len() < max {
                    prop_assert_eq!(*known, 1);
                }
                prop_assert!(log.origins().len() <= max);
            }
        }
    }
}
