//! One indexed heap of everything that is due, and why. A node has one deadline: the head of this heap.

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

/// A place in the heap that its owner can move or cancel. Owners give it up when its [`Due`] has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timer(NonZeroU32);

impl Timer {
    /// The timer of a place; 0 is kept free, so that an optional timer takes no more room.
    const fn of(place: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(place))
    }

    const fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    /// Order among equal times: first armed, first fired.
    seq: u64,
    timer: u32,
    due: Due,
}

impl Entry {
    fn before(&self, other: &Self) -> bool {
        (self.at, self.seq) < (other.at, other.seq)
    }
}

/// Deadlines of a node in peace: its next probe, the one under way, an exchange. They need no memory elsewhere.
const FEW: usize = 3;

#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    /// When the first of the heap is due, if there is one: what every step asks, without a look at a heap that lies elsewhere.
    first: Instant,
    heap: SmallVec<[Entry; FEW]>,
    /// Where in the heap each timer's entry is.
    positions: SmallVec<[u32; FEW]>,
    vacant: SmallVec<[u32; FEW]>,
    seq: u64,
}

impl Deadlines {
    #[inline]
    pub(crate) fn next(&self) -> Option<(Instant, Due)> {
        self.heap.first().map(|entry| (self.first, entry.due))
    }

    /// The heap has another first entry, perhaps.
    #[inline]
    fn set_first(&mut self) {
        self.first = self.heap.first().map_or(Instant::NEVER, |entry| entry.at);
    }

    #[inline]
    pub(crate) fn arm(&mut self, at: Instant, due: Due) -> Timer {
        let position = self.heap.len();
        let timer = self.vacant.pop().unwrap_or_else(|| {
            self.positions.push(0);
            self.positions.len() as u32 - 1
        });
        self.seq += 1;
        let entry = Entry { at, seq: self.seq, timer, due };
        self.heap.push(entry);
        if position > 0 && entry.before(&self.heap[(position - 1) / 2]) {
            self.rise(position, entry);
        } else {
            self.positions[timer as usize] = position as u32;
        }
        if position == 0 || at < self.first {
            self.first = at;
        }
        Timer::of(timer)
    }

    pub(crate) fn move_to(&mut self, timer: Timer, at: Instant) {
        let position = self.positions[timer.place()] as usize;
        self.seq += 1;
        let entry = Entry { at, seq: self.seq, ..self.heap[position] };
        self.settle(position, entry);
        self.set_first();
    }

    /// When a timer fires.
    pub(crate) fn at(&self, timer: Timer) -> Instant {
        self.heap[self.positions[timer.place()] as usize].at
    }

    #[inline]
    pub(crate) fn cancel(&mut self, timer: Timer) {
        let position = self.positions[timer.place()] as usize;
        self.remove(position);
    }

    /// The first thing that is due at `now`, taken out.
    #[inline]
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        if self.first > now {
            return None;
        }
        let due = self.heap.first()?.due;
        self.remove(0);
        Some(due)
    }

    #[inline]
    fn remove(&mut self, position: usize) {
        self.vacant.push(self.heap[position].timer);
        let Some(last) = self.heap.pop() else { return };
        if position < self.heap.len() {
            self.settle(position, last);
        }
        if position == 0 {
            self.set_first();
        }
    }

    /// Puts an entry where it belongs, given a position that is free for it.
    #[inline]
    fn settle(&mut self, position: usize, entry: Entry) {
        if position > 0 && entry.before(&self.heap[(position - 1) / 2]) {
            self.rise(position, entry);
        } else {
            self.sink(position, entry);
        }
    }

    /// Puts an entry into a free position, or above.
    fn rise(&mut self, mut position: usize, entry: Entry) {
        let (heap, positions) = (&mut *self.heap, &mut *self.positions);
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
        let (heap, positions) = (&mut *self.heap, &mut *self.positions);
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
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a sorted map: whatever is armed, moved and cancelled, things fire in order of (time, arming).
        #[test]
        fn the_heap_fires_like_a_sorted_map(ops in prop::collection::vec((0u8..4, 0u64..50, any::<prop::sample::Index>()), 0..200)) {
            let mut heap = Deadlines::default();
            let mut model: BTreeMap<(u64, u64), u32> = BTreeMap::new();
            let mut held: Vec<(Timer, (u64, u64), u32)> = Vec::new();
            let mut seq = 0;
            for (op, at, index) in ops {
                match op {
                    0 | 1 => {
                        seq += 1;
                        let mark = ProbeSeq(seq as u32);
                        let timer = heap.arm(Instant::from_nanos(at), Due::Relay(mark));
                        model.insert((at, seq), mark.0);
                        held.push((timer, (at, seq), mark.0));
                    }
                    2 if !held.is_empty() => {
                        seq += 1;
                        let position = index.index(held.len());
                        let entry = &mut held[position];
                        heap.move_to(entry.0, Instant::from_nanos(at));
                        model.remove(&entry.1);
                        entry.1 = (at, seq);
                        model.insert(entry.1, entry.2);
                    }
                    3 if !held.is_empty() => {
                        let entry = held.swap_remove(index.index(held.len()));
                        heap.cancel(entry.0);
                        model.remove(&entry.1);
                    }
                    _ => {}
                }
                let first = model.first_key_value().map(|((at, _), mark)| (Instant::from_nanos(*at), Due::Relay(ProbeSeq(*mark))));
                prop_assert_eq!(heap.next(), first);
            }
            while let Some(due) = heap.pop(Instant::NEVER) {
                let (_, mark) = model.pop_first().unwrap();
                prop_assert_eq!(due, Due::Relay(ProbeSeq(mark)));
            }
            prop_assert!(model.is_empty());
        }
    }

    #[test]
    fn nothing_fires_before_its_time() {
        let mut heap = Deadlines::default();
        heap.arm(Instant::from_nanos(5), Due::Probe);
        assert_eq!(heap.pop(Instant::from_nanos(4)), None);
        assert_eq!(heap.pop(Instant::from_nanos(5)), Some(Due::Probe));
    }
}
