//! What is going to happen, ordered by (time, sequence), and the reused memory of what is under way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A moment and what happens then; among equal moments what was pushed first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    time: u64,
    sequence: u64,
    what: u32,
    /// The next entry of its bucket's list, or of the free ones.
    next: u32,
}

/// Nanoseconds of a bucket, as a power of two: 0.26 ms.
const BUCKET_BITS: u32 = 18;
/// Buckets of the ring: 2.1 s, so that latencies and probe intervals lie within it.
const BUCKETS: u64 = 8192;
/// The end of a list of entries.
const NIL: u32 = u32::MAX;

/// A ring of buckets, each sorted when its turn comes; what lies beyond the ring waits in a heap.
///
/// Pushing and popping cost O(1) for what lies within the ring, and memory grows with the most entries that were ever in the
/// queue at once.
#[derive(Debug)]
pub struct EventQueue {
    pushed: u64,
    /// The bucket of what was taken last, counted from time 0. The ring holds the buckets behind it.
    bucket: u64,
    /// Its entries that were there when its turn came, the last one first.
    sorted: Vec<Entry>,
    /// What was pushed since for this bucket or an earlier one.
    late: BinaryHeap<Reverse<Entry>>,
    /// The first entry of each bucket's list.
    ring: Vec<u32>,
    /// Which buckets of the ring have a list.
    occupied: Vec<u64>,
    /// The entries in the ring; the lists of all buckets share one memory.
    linked: Vec<Entry>,
    free: u32,
    in_ring: usize,
    /// What lies beyond the ring.
    far: BinaryHeap<Reverse<Entry>>,
}

impl Default for EventQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl EventQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pushed: 0,
            bucket: 0,
            sorted: Vec::new(),
            late: BinaryHeap::new(),
            ring: vec![NIL; BUCKETS as usize],
            occupied: vec![0; BUCKETS as usize / 64],
            linked: Vec::new(),
            free: NIL,
            in_ring: 0,
            far: BinaryHeap::new(),
        }
    }

    /// Adds `what` at `time` (nanoseconds).
    #[inline]
    pub fn push(&mut self, time: u64, what: u32) {
        let entry = Entry { time, sequence: self.pushed, what, next: NIL };
        self.pushed += 1;
        let bucket = time >> BUCKET_BITS;
        if bucket <= self.bucket {
            self.late.push(Reverse(entry));
        } else if bucket - self.bucket < BUCKETS {
            self.link(entry);
        } else {
            self.far.push(Reverse(entry));
        }
    }

    /// Takes the next one out, unless it happens after `end`.
    #[inline(always)]
    pub fn pop_until(&mut self, end: u64) -> Option<(u64, u32)> {
        if self.sorted.is_empty() && self.late.is_empty() {
            let place = self.turn()?;
            let index = self.ring[place];
            let first = self.linked[index as usize];
            // In a small cluster most buckets have one entry.
            if first.next == NIL && first.time <= end {
                self.clear(place);
                self.vacate(index);
                return Some((first.time, first.what));
            }
            self.take_bucket(place);
        }
        let entry = match (self.sorted.last(), self.late.peek()) {
            (Some(sorted), None) if sorted.time <= end => self.sorted.pop(),
            (Some(sorted), Some(Reverse(late))) if sorted < late && sorted.time <= end => self.sorted.pop(),
            (_, Some(Reverse(late))) if late.time <= end => self.late.pop().map(|Reverse(entry)| entry),
            _ => None,
        }?;
        Some((entry.time, entry.what))
    }

    /// What happens so many events after the next one, as far as that is known without looking for it.
    #[inline(always)]
    #[must_use]
    pub fn ahead(&self, events: usize) -> Option<u32> {
        let place = self.sorted.len().checked_sub(1 + events)?;
        Some(self.sorted[place].what)
    }

    #[inline(always)]
    fn link(&mut self, entry: Entry) {
        let place = ((entry.time >> BUCKET_BITS) % BUCKETS) as usize;
        let entry = Entry { next: self.ring[place], ..entry };
        let index = match self.linked.get_mut(self.free as usize) {
            Some(vacant) => std::mem::replace(&mut self.free, std::mem::replace(vacant, entry).next),
            None => {
                self.linked.push(entry);
                self.linked.len() as u32 - 1
            }
        };
        self.ring[place] = index;
        self.occupied[place / 64] |= 1 << (place % 64);
        self.in_ring += 1;
    }

    /// Turns the ring to the bucket of the next entry, if there is one; its place.
    #[inline]
    fn turn(&mut self) -> Option<usize> {
        if self.in_ring > 0 {
            // What is far away lies behind all that is in the ring.
            self.bucket = self.next_occupied();
        } else {
            self.bucket = self.far.peek()?.0.time >> BUCKET_BITS;
        }
        while let Some(Reverse(entry)) = self.far.peek()
            && (entry.time >> BUCKET_BITS) - self.bucket < BUCKETS
        {
            let entry = *entry;
            self.far.pop();
            self.link(entry);
        }
        Some((self.bucket % BUCKETS) as usize)
    }

    /// Moves the entries of the present bucket from its list, and sorts them.
    fn take_bucket(&mut self, place: usize) {
        let mut index = self.ring[place];
        self.clear(place);
        while let Some(entry) = self.linked.get(index as usize).copied() {
            self.sorted.push(entry);
            self.vacate(index);
            index = entry.next;
        }
        if self.sorted.len() > 1 {
            self.sorted.sort_unstable_by_key(|entry| Reverse((entry.time, entry.sequence)));
        }
    }

    /// A bucket has no list any more.
    #[inline]
    fn clear(&mut self, place: usize) {
        self.ring[place] = NIL;
        self.occupied[place / 64] &= !(1 << (place % 64));
    }

    /// An entry has left its list.
    #[inline]
    fn vacate(&mut self, index: u32) {
        self.linked[index as usize].next = std::mem::replace(&mut self.free, index);
        self.in_ring -= 1;
    }

    /// The first bucket behind the present one that has a list. There is one.
    #[inline]
    fn next_occupied(&self) -> u64 {
        let mut bucket = self.bucket + 1;
        loop {
            let place = (bucket % BUCKETS) as usize;
            let ahead = self.occupied[place / 64] >> (place % 64);
            if ahead != 0 {
                return bucket + u64::from(ahead.trailing_zeros());
            }
            // On to the next word's first bucket.
            bucket += 64 - place as u64 % 64;
        }
    }
}

/// Values under way, in slots that are reused, so that steady state allocates nothing.
#[derive(Debug)]
pub struct Slab<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Default> Slab<T> {
    /// An empty slab.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// A slot to fill: its number and what its last user left in it.
    #[inline]
    pub fn take(&mut self) -> (u32, &mut T) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(T::default());
            self.slots.len() as u32 - 1
        });
        (index, &mut self.slots[index as usize])
    }

    /// What is in a slot, to look at.
    #[inline]
    #[must_use]
    pub fn peek(&self, index: u32) -> &T {
        &self.slots[index as usize]
    }

    /// Asks the processor for a slot.
    #[inline]
    pub fn prefetch(&self, index: u32) {
        prefetch_index::prefetch_index(&self.slots, index as usize);
    }

    /// What is in a slot.
    #[inline]
    pub fn get(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize]
    }

    /// The slot may be used again.
    #[inline]
    pub fn give_back(&mut self, index: u32) {
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

    /// Moments close together, in several buckets, beyond the ring, and far beyond it.
    fn moment() -> impl Strategy<Value = u64> {
        prop_oneof![
            3 => 0u64..40,
            3 => 0u64..4_000_000,
            2 => 0u64..5_000_000_000,
            1 => prop_oneof![Just(u64::MAX), 0u64..1_000_000_000_000],
        ]
    }

    proptest! {
        #[test]
        fn the_queue_gives_what_a_sorted_list_gives(ops in proptest::collection::vec((0u8..5, moment()), 0..400)) {
            let mut queue = EventQueue::new();
            let mut model: Vec<(u64, u32)> = Vec::new();
            let mut now = 0;
            for (what, (op, moment)) in ops.into_iter().enumerate() {
                // Mostly as a simulation does it: from now on; sometimes earlier than what was taken last.
                if op < 3 {
                    let time = if op == 0 { moment } else { moment.saturating_add(now) };
                    queue.push(time, what as u32);
                    let at = model.partition_point(|e| e.0 <= time);
                    model.insert(at, (time, what as u32));
                } else {
                    // Sometimes only up to a moment before the next one.
                    let end = if op == 3 { u64::MAX } else { moment.saturating_add(now) };
                    let due = model.first().is_some_and(|(time, _)| *time <= end);
                    let expected = due.then(|| model.remove(0));
                    let ahead: Vec<_> = (0..4).map_while(|events| queue.ahead(events)).collect();
                    prop_assert_eq!(queue.pop_until(end), expected);
                    // Told ahead are some of those that come, in their order.
                    let mut coming = expected.iter().chain(&model).map(|(_, what)| *what);
                    prop_assert!(ahead.iter().all(|what| coming.any(|next| next == *what)), "{:?}", ahead);
                    now = expected.map_or(now, |(time, _)| time);
                }
            }
        }
    }

    #[test]
    fn memory_grows_with_what_waits_at_once() {
        let mut queue = EventQueue::new();
        for time in 0..100_000u64 {
            queue.push(time * 300_000 + 1_000_000, 7);
            if time >= 10 {
                assert_eq!(queue.pop_until(u64::MAX), Some(((time - 10) * 300_000 + 1_000_000, 7)));
            }
        }
        assert!(queue.linked.capacity() + queue.sorted.capacity() + queue.late.capacity() < 100);
    }

    #[test]
    fn keys_stay_small_and_slots_are_reused() {
        assert!(size_of::<Entry>() <= 24);
        let mut slab = Slab::<Vec<u8>>::new();
        let (a, buffer) = slab.take();
        buffer.extend_from_slice(b"abc");
        let room = buffer.capacity();
        slab.give_back(a);
        let (b, buffer) = slab.take();
        assert_eq!((a, room), (b, buffer.capacity()));
    }
}
