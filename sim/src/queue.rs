//! What is going to happen, ordered by (time, sequence), and the reused memory of what is under way.

/// A moment and what happens then; among equal moments what was pushed first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    time: u64,
    sequence: u64,
    what: u32,
}

const CHILDREN: usize = 4;

/// A 4-ary heap of small entries: a node of the heap and its children share a cache line or two.
#[derive(Debug, Default)]
pub struct EventQueue {
    heap: Vec<Entry>,
    pushed: u64,
}

impl EventQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `what` at `time` (nanoseconds).
    pub fn push(&mut self, time: u64, what: u32) {
        let entry = Entry { time, sequence: self.pushed, what };
        self.pushed += 1;
        self.heap.push(entry);
        self.rise(self.heap.len() - 1, entry);
    }

    /// When the next one happens.
    #[must_use]
    pub fn next_time(&self) -> Option<u64> {
        self.heap.first().map(|e| e.time)
    }

    /// Takes the next one out.
    pub fn pop(&mut self) -> Option<(u64, u32)> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first().copied() else { return Some((last.time, last.what)) };
        self.sink(last);
        Some((first.time, first.what))
    }

    fn rise(&mut self, mut hole: usize, entry: Entry) {
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.heap[parent] <= entry {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = entry;
    }

    fn sink(&mut self, entry: Entry) {
        let mut hole = 0;
        loop {
            let from = hole * CHILDREN + 1;
            let to = (from + CHILDREN).min(self.heap.len());
            let Some(least) = (from..to).min_by_key(|&i| (self.heap[i].time, self.heap[i].sequence)) else {
                break;
            };
            if entry <= self.heap[least] {
                break;
            }
            self.heap[hole] = self.heap[least];
            hole = least;
        }
        self.heap[hole] = entry;
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
    pub fn take(&mut self) -> (u32, &mut T) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(T::default());
            self.slots.len() as u32 - 1
        });
        (index, &mut self.slots[index as usize])
    }

    /// What is in a slot.
    pub fn get(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize]
    }

    /// The slot may be used again.
    pub fn give_back(&mut self, index: u32) {
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn the_queue_gives_what_a_sorted_list_gives(ops in proptest::collection::vec((any::<bool>(), 0u64..40), 0..400)) {
            let mut queue = EventQueue::new();
            let mut model: Vec<(u64, u32)> = Vec::new();
            for (what, (push, time)) in ops.into_iter().enumerate() {
                if push {
                    queue.push(time, what as u32);
                    let at = model.partition_point(|e| e.0 <= time);
                    model.insert(at, (time, what as u32));
                } else {
                    let expected = (!model.is_empty()).then(|| model.remove(0));
                    prop_assert_eq!(queue.pop(), expected);
                }
                prop_assert_eq!(queue.next_time(), model.first().map(|e| e.0));
            }
        }
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
