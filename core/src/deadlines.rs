//! Everything that is due, and why. A node has one deadline: the first of it.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use smallvec::SmallVec;

use crate::id::{ProbeSeq, Slot};
use crate::io::StreamId;
use crate::time::Instant;

/// Why a node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The next member is to be probed.
    Probe,
    /// A ping had no direct ack: helpers and the stream are tried.
    ProbeTimeout,
    /// A probe ends, answered or not.
    ProbeEnd,
    /// A probe for another member had no ack.
    Relay(ProbeSeq),
    /// A suspicion runs out.
    Suspicion(Slot),
    /// A dead member is forgotten by the failure detector, or a forgotten one is reaped.
    Lifetime(Slot),
    /// Waiting broadcasts are gossiped.
    Gossip,
    /// A push/pull exchange with a random member is begun.
    Sync,
    /// A failed member may be dialled.
    Reconnect,
    /// A stream has taken too long.
    Stream(StreamId),
    /// Gaps in user events are asked for.
    Repair,
    /// A leave or an update has waited long enough.
    Broadcast,
    /// The oldest intent about an unknown member is dropped.
    Intents,
    /// A query of ours has been listened for long enough; its number here.
    Query(u32),
    /// A force-leave has waited long enough; the number of its intent in its queue.
    ForceLeave(u32),
}

impl Due {
    /// Whether a node waits for it all the time or nearly, and for few such things at once.
    const fn is_usual(self) -> bool {
        match self {
            Self::Probe | Self::ProbeTimeout | Self::ProbeEnd | Self::Gossip | Self::Sync => true,
            Self::Reconnect | Self::Repair | Self::Broadcast | Self::Intents => true,
            Self::Relay(_) | Self::Suspicion(_) | Self::Lifetime(_) => false,
            Self::Stream(_) | Self::Query(_) | Self::ForceLeave(_) => false,
        }
    }
}

/// A place that its owner can move or cancel. Owners give it up when its [`Due`] has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timer(NonZeroU32);

/// Where a timer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Usual(usize),
    Other(usize),
}

impl Timer {
    /// The lowest bit says which; 0 is kept free, so that an optional timer takes no more room.
    const fn of(place: Place) -> Self {
        let number = match place {
            Place::Usual(place) => 2 * place as u32,
            Place::Other(place) => 2 * place as u32 + 1,
        };
        Self(NonZeroU32::MIN.saturating_add(number))
    }

    const fn place(self) -> Place {
        let number = self.0.get() - 1;
        let place = number as usize / 2;
        if number.is_multiple_of(2) { Place::Usual(place) } else { Place::Other(place) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    /// Order among equal times: first armed, first fired.
    seq: u64,
    /// Where the heap notes its position.
    timer: u32,
    due: Due,
}

impl Entry {
    const fn before(&self, other: &Self) -> bool {
        let (at, other_at) = (self.at.as_nanos(), other.at.as_nanos());
        at < other_at || at == other_at && self.seq < other.seq
    }
}

/// Usual deadlines of a node: its next probe, the one under way, its end, gossip. They need no memory elsewhere.
const FEW: usize = 4;

/// Everything that is due, and why.
///
/// What comes again and again is looked through, as it is little; what there can be much of is in a heap, which lies
/// elsewhere in memory and is left alone meanwhile.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub(crate) struct Deadlines {
    /// The first of all: what every step asks.
    first: Option<(Instant, Due)>,
    /// Where that is kept.
    first_place: Option<Place>,
    /// The first of the heap, if there is one: the heap itself lies elsewhere.
    first_other: Option<Entry>,
    seq: u64,
    /// By place; vacant places are used again.
    usual: SmallVec<[Option<Entry>; FEW]>,
    others: Heap,
}

impl Deadlines {
    #[inline]
    pub(crate) const fn next(&self) -> Option<(Instant, Due)> {
        self.first
    }

    /// Asks for what lies behind the beginning.
    #[inline]
    pub(crate) fn prefetch(&self) {
        crate::prefetch::ask(&self.usual);
    }

    #[inline]
    pub(crate) fn arm(&mut self, at: Instant, due: Due) -> Timer {
        self.seq += 1;
        let entry = Entry { at, seq: self.seq, timer: 0, due };
        let place = if due.is_usual() {
            self.keep(entry)
        } else {
            let timer = self.others.push(entry);
            self.first_other = self.others.first();
            Place::Other(timer)
        };
        // Among equal times the one that was there is the first.
        if self.first.is_none_or(|(first, _)| at < first) {
            (self.first, self.first_place) = (Some((at, due)), Some(place));
        }
        Timer::of(place)
    }

    #[inline]
    fn keep(&mut self, entry: Entry) -> Place {
        let vacant = self.usual.iter().position(Option::is_none).unwrap_or_else(|| {
            self.usual.push(None);
            self.usual.len() - 1
        });
        self.usual[vacant] = Some(entry);
        Place::Usual(vacant)
    }

    pub(crate) fn move_to(&mut self, timer: Timer, at: Instant) {
        self.seq += 1;
        match timer.place() {
            Place::Usual(place) => {
                if let Some(entry) = &mut self.usual[place] {
                    (entry.at, entry.seq) = (at, self.seq);
                }
            }
            Place::Other(place) => {
                self.others.move_to(place, at, self.seq);
                self.first_other = self.others.first();
            }
        }
        self.find_first();
    }

    /// When a timer fires.
    pub(crate) fn at(&self, timer: Timer) -> Instant {
        match timer.place() {
            Place::Usual(place) => self.usual[place].as_ref().map_or(Instant::NEVER, |entry| entry.at),
            Place::Other(place) => self.others.at(place),
        }
    }

    #[inline]
    pub(crate) fn cancel(&mut self, timer: Timer) {
        self.take_out(timer.place());
    }

    /// The first thing that is due at `now`, taken out.
    #[inline]
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        let (_, due) = self.first.filter(|(at, _)| *at <= now)?;
        self.take_out(self.first_place?);
        Some(due)
    }

    #[inline]
    fn take_out(&mut self, place: Place) {
        match place {
            Place::Usual(place) => self.usual[place] = None,
            Place::Other(place) => {
                self.others.remove(place);
                self.first_other = self.others.first();
            }
        }
        if self.first_place == Some(place) {
            self.find_first();
        }
    }

    fn find_first(&mut self) {
        // Of the usual ones only time and number are looked at until one is chosen.
        let other = self.first_other.as_ref();
        let (mut key, mut first) = (other.map(|entry| (entry.at, entry.seq)), None);
        for (place, entry) in self.usual.iter().enumerate() {
            if let Some(Entry { at, seq, .. }) = entry
                && key.is_none_or(|key| (*at, *seq) < key)
            {
                (key, first) = (Some((*at, *seq)), Some(place));
            }
        }
        let (entry, place) = match first {
            Some(place) => (self.usual[place].as_ref(), Some(Place::Usual(place))),
            None => (other, other.map(|entry| Place::Other(entry.timer as usize))),
        };
        (self.first, self.first_place) = (entry.map(|entry| (entry.at, entry.due)), place);
    }
}

/// An indexed heap.
#[derive(Clone, Debug, Default)]
struct Heap {
    entries: Vec<Entry>,
    /// Where among the entries each timer's is.
    positions: Vec<u32>,
    vacant: Vec<u32>,
}

impl Heap {
    fn first(&self) -> Option<Entry> {
        self.entries.first().copied()
    }

    fn at(&self, timer: usize) -> Instant {
        self.entries[self.positions[timer] as usize].at
    }

    fn push(&mut self, entry: Entry) -> usize {
        let timer = self.vacant.pop().unwrap_or_else(|| {
            self.positions.push(0);
            self.positions.len() as u32 - 1
        });
        let entry = Entry { timer, ..entry };
        self.entries.push(entry);
        self.rise(self.entries.len() - 1, entry);
        timer as usize
    }

    fn move_to(&mut self, timer: usize, at: Instant, seq: u64) {
        let position = self.positions[timer] as usize;
        let entry = Entry { at, seq, ..self.entries[position] };
        self.settle(position, entry);
    }

    fn remove(&mut self, timer: usize) {
        let position = self.positions[timer] as usize;
        self.vacant.push(timer as u32);
        let Some(last) = self.entries.pop() else { return };
        if position < self.entries.len() {
            self.settle(position, last);
        }
    }

    /// Puts an entry where it belongs, given a position that is free for it.
    fn settle(&mut self, position: usize, entry: Entry) {
        if position > 0 && entry.before(&self.entries[(position - 1) / 2]) {
            self.rise(position, entry);
        } else {
            self.sink(position, entry);
        }
    }

    /// Puts an entry into a free position, or above.
    fn rise(&mut self, mut position: usize, entry: Entry) {
        let (heap, positions) = (&mut *self.entries, &mut *self.positions);
        while position > 0 {
            let parent = (position - 1) / 2;
            let above = heap[parent];
            if !entry.before(&above) {
                break;
            }
            heap[position] = above;
            positions[above.timer as usize] = position as u32;
            position = parent;
        }
        heap[position] = entry;
        positions[entry.timer as usize] = position as u32;
    }

    /// Puts an entry into a free position, or below.
    fn sink(&mut self, mut position: usize, entry: Entry) {
        let (heap, positions) = (&mut *self.entries, &mut *self.positions);
        loop {
            let left = 2 * position + 1;
            let Some(first) = heap.get(left) else { break };
            let smaller = match heap.get(left + 1) {
                Some(second) if second.before(first) => left + 1,
                _ => left,
            };
            let below = heap[smaller];
            if !below.before(&entry) {
                break;
            }
            heap[position] = below;
            positions[below.timer as usize] = position as u32;
            position = smaller;
        }
        heap[position] = entry;
        positions[entry.timer as usize] = position as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a sorted map: whatever is armed, moved and cancelled, things fire in order of (time, arming).
        #[test]
        fn deadlines_fire_like_a_sorted_map(ops in prop::collection::vec((0u8..6, 0u64..50, any::<prop::sample::Index>()), 0..200)) {
            let mut deadlines = Deadlines::default();
            let mut model: BTreeMap<(u64, u64), Due> = BTreeMap::new();
            let mut held: Vec<(Timer, (u64, u64), Due)> = Vec::new();
            let mut seq = 0;
            for (op, at, index) in ops {
                match op {
                    0 | 1 => {
                        seq += 1;
                        // Usual deadlines carry no number; here there may be many.
                        let due = if at % 3 == 0 { Due::Gossip } else { Due::Relay(ProbeSeq(seq as u32)) };
                        let timer = deadlines.arm(Instant::from_nanos(at), due);
                        model.insert((at, seq), due);
                        held.push((timer, (at, seq), due));
                    }
                    2 if !held.is_empty() => {
                        seq += 1;
                        let position = index.index(held.len());
                        let entry = &mut held[position];
                        deadlines.move_to(entry.0, Instant::from_nanos(at));
                        model.remove(&entry.1);
                        entry.1 = (at, seq);
                        model.insert(entry.1, entry.2);
                    }
                    3 if !held.is_empty() => {
                        let entry = held.swap_remove(index.index(held.len()));
                        deadlines.cancel(entry.0);
                        model.remove(&entry.1);
                    }
                    4 => {
                        let due = deadlines.pop(Instant::from_nanos(at));
                        let first = model.first_key_value().filter(|(key, _)| key.0 <= at);
                        let expected = first.map(|(key, due)| (*key, *due));
                        prop_assert_eq!(due, expected.map(|(_, due)| due));
                        if let Some((key, _)) = expected {
                            model.remove(&key);
                            held.retain(|entry| entry.1 != key);
                        }
                    }
                    _ => {}
                }
                let first = model.first_key_value().map(|((at, _), due)| (Instant::from_nanos(*at), *due));
                prop_assert_eq!(deadlines.next(), first);
                for (timer, (at, _), _) in &held {
                    prop_assert_eq!(deadlines.at(*timer), Instant::from_nanos(*at));
                }
            }
            while let Some(due) = deadlines.pop(Instant::NEVER) {
                prop_assert_eq!(Some(due), model.pop_first().map(|(_, due)| due));
            }
            prop_assert!(model.is_empty());
        }
    }

    #[test]
    fn nothing_fires_before_its_time() {
        let mut deadlines = Deadlines::default();
        deadlines.arm(Instant::from_nanos(5), Due::Probe);
        assert_eq!(deadlines.pop(Instant::from_nanos(4)), None);
        assert_eq!(deadlines.pop(Instant::from_nanos(5)), Some(Due::Probe));
    }
}
