//! The ring of recent events: what others that missed some are given, and a joiner that wants the past.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::time::Instant;

/// Which event: its origin's number in [`Origins`](super::origins::Origins), and its own.
pub(crate) type Key = (u32, u32);

#[derive(Clone, Debug)]
struct Kept {
    key: Key,
    since: Instant,
    /// The event as it is sent again, exactly as long as it is.
    bytes: Box<[u8]>,
}

/// Recent events in the order in which they were delivered, at most `event_buffer`. Grows by use.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    ring: VecDeque<Kept>,
    /// Events that have left the ring: place 0 of the ring is the event after as many.
    gone: u64,
    /// How many events, from the first one ever kept, have been here for longer than the last `young` asked for.
    settled: u64,
    places: HashMap<Key, u64, FixedState>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            ring: VecDeque::new(),
            gone: 0,
            settled: 0,
            places: HashMap::with_hasher(FixedState::with_seed(0)),
        }
    }

    /// Keeps an event; the oldest goes when there would be more than `max`.
    pub(crate) fn keep(&mut self, key: Key, bytes: &[u8], now: Instant, max: usize) {
        while self.ring.len() >= max.max(1) {
            if let Some(oldest) = self.ring.pop_front() {
                // Its key is free for a new event when an origin's number was given again.
                if self.places.get(&oldest.key) == Some(&self.gone) {
                    self.places.remove(&oldest.key);
                }
                self.gone += 1;
            }
        }
        self.places.insert(key, self.gone + self.ring.len() as u64);
        self.ring.push_back(Kept { key, since: now, bytes: bytes.into() });
    }

    /// An event as it is sent again.
    pub(crate) fn get(&self, key: Key) -> Option<&[u8]> {
        let place = self.places.get(&key)?.checked_sub(self.gone)?;
        self.ring.get(usize::try_from(place).ok()?).map(|kept| &*kept.bytes)
    }

    /// All events, the oldest first, as they are sent again.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ring.iter().map(|kept| &*kept.bytes)
    }

    /// How many events are here for less than `age`. Takes constant time on average when `now` never goes back.
    pub(crate) fn young(&mut self, age: Duration, now: Instant) -> usize {
        self.settled = self.settled.max(self.gone);
        while let Some(kept) = self.ring.get((self.settled - self.gone) as usize)
            && now.since(kept.since) >= age
        {
            self.settled += 1;
        }
        self.ring.len() - (self.settled - self.gone) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_oldest_makes_room_and_the_rest_is_found() {
        let mut store = Store::new();
        for number in 1..=5 {
            store.keep((1, number), &[number as u8], Instant::from_nanos(number.into()), 3);
        }
        assert_eq!(store.get((1, 2)), None);
        assert_eq!(store.get((1, 3)), Some(&[3][..]));
        assert_eq!(store.iter().collect::<Vec<_>>(), [[3], [4], [5]]);
        assert_eq!(store.young(Duration::from_nanos(2), Instant::from_nanos(6)), 1);
        assert_eq!(store.young(Duration::from_nanos(2), Instant::from_nanos(7)), 0);
    }
}
