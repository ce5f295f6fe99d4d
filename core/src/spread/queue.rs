//! The transmit-limited broadcast queue: each message is sent so many times, the least sent first.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::config::LogBase;
use crate::wire::{Kind, Kinds};

/// Times that each broadcast is sent by each node: `mult * ceil(log(n + 1))` (SWIM 4.1, memberlist's rounding).
#[must_use]
pub fn transmit_limit(mult: u32, base: LogBase, n: u32) -> u32 {
    mult.saturating_mul(libm::ceil(base.log(f64::from(n) + 1.0)) as u32)
}

/// Fewest transmissions first; among equals the longest, then the newest.
type Key = (u32, Reverse<usize>, Reverse<u64>);

#[derive(Clone, Debug)]
struct Entry {
    /// The row of the member that the message is about; a newer message about it replaces this one.
    subject: u32,
    kind: Kind,
    bytes: Box<[u8]>,
}

/// Broadcasts that wait, at most one for each member.
#[derive(Clone, Debug)]
pub(crate) struct Broadcasts {
    entries: BTreeMap<Key, Entry>,
    by_subject: HashMap<u32, Key, FixedState>,
    next_id: u64,
    /// Entries of the batch being taken: they go back only when it is complete.
    taken: Vec<(Key, Entry)>,
}

impl Broadcasts {
    pub(crate) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            by_subject: HashMap::with_hasher(FixedState::with_seed(0)),
            next_id: 0,
            taken: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether something waits about a member.
    pub(crate) fn waits_for(&self, subject: u32) -> bool {
        self.by_subject.contains_key(&subject)
    }

    /// Queues an encoded message about a member in place of what waits about it; how many were dropped to stay within `max`.
    pub(crate) fn push(&mut self, subject: u32, kind: Kind, bytes: &[u8], max: usize) -> u32 {
        self.remove(subject);
        let mut shed = 0;
        while self.entries.len() >= max {
            // The end of the order: sent most often already.
            if let Some((_, dropped)) = self.entries.pop_last() {
                self.by_subject.remove(&dropped.subject);
                shed += 1;
            }
        }
        self.next_id += 1;
        let key = (0, Reverse(bytes.len()), Reverse(self.next_id));
        self.insert(key, Entry { subject, kind, bytes: bytes.into() });
        shed
    }

    /// Drops what waits about a member.
    pub(crate) fn remove(&mut self, subject: u32) {
        if let Some(key) = self.by_subject.remove(&subject) {
            self.entries.remove(&key);
        }
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        self.by_subject.insert(entry.subject, key);
        self.entries.insert(key, entry);
    }

    /// Appends as many messages as fit into `room` bytes, at most `count_max` (0: no limit). Each counts as sent once, and
    /// leaves the queue when it has been sent `limit` times. No message is taken twice in one batch.
    pub(crate) fn take(
        &mut self,
        mut room: usize,
        count_max: u8,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        if self.entries.is_empty() {
            return;
        }
        let mut tier = 0;
        while count_max == 0 || self.taken.len() < usize::from(count_max) {
            // The first of this tier that fits: the order puts longer ones first.
            let from = (tier, Reverse(room), Reverse(u64::MAX));
            let Some((&key, _)) = self.entries.range(from..).next() else { break };
            if key.1.0 > room {
                tier = key.0;
                continue;
            }
            let Some(entry) = self.entries.remove(&key) else { break };
            out.extend_from_slice(&entry.bytes);
            kinds.add(entry.kind);
            room -= entry.bytes.len();
            tier = key.0;
            self.taken.push((key, entry));
        }
        while let Some(((sent, length, id), entry)) = self.taken.pop() {
            if sent + 1 < limit {
                self.insert((sent + 1, length, id), entry);
            } else {
                self.by_subject.remove(&entry.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn take(queue: &mut Broadcasts, room: usize, limit: u32) -> Vec<u8> {
        let mut out = Vec::new();
        queue.take(room, 0, limit, &mut out, &mut Kinds::default());
        out
    }

    #[test]
    fn the_published_transmit_limits() {
        let expected = [(0, 0), (1, 4), (9, 4), (10, 8), (99, 8), (100, 12), (999, 12), (1000, 16)];
        for (n, limit) in expected {
            assert_eq!(transmit_limit(4, LogBase::Ten, n), limit, "n = {n}");
        }
        assert_eq!(transmit_limit(3, LogBase::E, 19), 9);
        assert_eq!(transmit_limit(3, LogBase::E, 55), 15);
    }

    #[test]
    fn less_sent_then_longer_then_newer_goes_first() {
        let mut queue = Broadcasts::new();
        queue.push(1, Kind::Alive, b"a", 10);
        queue.push(2, Kind::Alive, b"bb", 10);
        queue.push(3, Kind::Alive, b"c", 10);
        assert_eq!(take(&mut queue, 100, 9), b"bbca");
        queue.push(4, Kind::Alive, b"d", 10);
        assert_eq!(take(&mut queue, 1, 9), b"d", "the one not yet sent");
        assert_eq!(take(&mut queue, 2, 9), b"bb", "then the longest that fits");
    }

    #[test]
    fn a_message_leaves_after_its_last_transmission() {
        let mut queue = Broadcasts::new();
        queue.push(1, Kind::Alive, b"x", 10);
        for _ in 0..3 {
            assert_eq!(take(&mut queue, 10, 3), b"x");
        }
        assert!(queue.is_empty() && !queue.waits_for(1));
    }

    #[test]
    fn a_newer_message_about_a_member_replaces_the_older() {
        let mut queue = Broadcasts::new();
        queue.push(1, Kind::Suspect, b"old", 10);
        take(&mut queue, 10, 9);
        queue.push(1, Kind::Alive, b"new", 10);
        assert_eq!(queue.len(), 1);
        assert_eq!(take(&mut queue, 10, 9), b"new");
    }

    #[test]
    fn a_full_queue_drops_what_was_sent_most() {
        let mut queue = Broadcasts::new();
        queue.push(1, Kind::Alive, b"a", 2);
        take(&mut queue, 10, 9);
        assert_eq!(queue.push(2, Kind::Alive, b"b", 2), 0);
        assert_eq!(queue.push(3, Kind::Alive, b"c", 2), 1);
        assert!(!queue.waits_for(1) && queue.waits_for(2) && queue.waits_for(3));
    }

    #[test]
    fn updates_per_packet_can_be_limited() {
        let mut queue = Broadcasts::new();
        for subject in 0..5 {
            queue.push(subject, Kind::Alive, b"x", 10);
        }
        let (mut out, mut kinds) = (Vec::new(), Kinds::default());
        queue.take(100, 2, 9, &mut out, &mut kinds);
        assert_eq!((out.len(), kinds.count(Kind::Alive)), (2, 2));
    }

    proptest! {
        /// Whatever is queued and however it is taken: the budget holds, and each message is sent exactly `limit` times.
        #[test]
        fn every_message_is_sent_exactly_the_limit(
            lengths in prop::collection::vec(1usize..40, 1..30),
            rooms in prop::collection::vec(1usize..120, 1..20),
            limit in 1u32..6,
        ) {
            let mut queue = Broadcasts::new();
            for (subject, &length) in lengths.iter().enumerate() {
                let bytes = alloc::vec![subject as u8; length];
                queue.push(subject as u32, Kind::Alive, &bytes, 1000);
            }
            let mut sent = alloc::vec![0usize; lengths.len()];
            for room in rooms.iter().copied().chain(core::iter::repeat(120)) {
                if queue.is_empty() {
                    break;
                }
                let batch = take(&mut queue, room, limit);
                prop_assert!(batch.len() <= room);
                for (subject, sent) in sent.iter_mut().enumerate() {
                    *sent += batch.iter().filter(|&&b| usize::from(b) == subject).count();
                }
            }
            for (subject, &length) in lengths.iter().enumerate() {
                prop_assert_eq!(sent[subject], length * limit as usize);
            }
        }
    }
}
