//! The transmit-limited broadcast queue: each message is sent so many times, the least sent first.

use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use smallvec::SmallVec;

use super::entries::Entries;
use super::rank::Rank;
use crate::config::{Config, LogBase};
use crate::wire::{Kind, Kinds};

/// Times that each broadcast is sent by each node: `mult * ceil(log(n + 1))` (SWIM 4.1, memberlist's rounding).
#[must_use]
pub fn transmit_limit(mult: u32, base: LogBase, n: u32) -> u32 {
    mult.saturating_mul(libm::ceil(base.log(f64::from(n) + 1.0)) as u32)
}

/// A message's rank, where it lies, and the row of the member that it is about: a newer one about it replaces this one.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    rank: Rank,
    slot: u32,
    subject: u32,
}

/// Messages up to which the queue is looked through for one about a member.
const SHORT_QUEUE: usize = if cfg!(test) { 8 } else { 128 };
/// Cache lines of the order, and of a batch, that are asked for ahead.
const NEAR_LINES_MAX: usize = 32;

/// All that waits as one batch, as it goes out again and again while nothing comes or leaves: a gossip tick sends it to
/// several members, and the order stays the same when everything has been sent once more.
#[derive(Clone, Debug, Default)]
struct Whole {
    /// Whether it is what waits.
    valid: bool,
    /// Times that it went out; not yet counted in the ranks.
    times: u32,
    /// Transmissions of what was sent most, without those times.
    most_sent: u32,
    bytes: Vec<u8>,
    kinds: Kinds,
}

/// Broadcasts that wait, at most one for each member.
#[derive(Clone, Debug)]
pub(crate) struct Broadcasts {
    /// By rank, the first to be sent at the end: what is new and what goes out moves little.
    order: Vec<Waiting>,
    whole: Whole,
    entries: Entries,
    /// The members that something waits about, while that is much; a short queue is looked through.
    subjects: HashSet<u32, FixedState>,
    next_id: u64,
    /// Bytes of all messages.
    bytes: usize,
    /// Messages that have not been sent yet.
    unsent: usize,
    /// No message is shorter, so that a batch ends when this does not fit any more.
    shortest: usize,
    /// The cluster's size at the last batch, and the transmissions that it asks for.
    limit: (u32, u32),
}

impl Broadcasts {
    pub(crate) fn new() -> Self {
        Self {
            order: Vec::new(),
            whole: Whole::default(),
            entries: Entries::default(),
            subjects: HashSet::with_hasher(FixedState::with_seed(0)),
            next_id: 0,
            bytes: 0,
            unsent: 0,
            shortest: usize::MAX,
            limit: (0, 0),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.order.len()
    }

    #[cfg(test)]
    pub(crate) const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Asks for what the next batch is made of.
    #[inline]
    pub(crate) fn prefetch(&self) {
        use crate::prefetch::ask_for_all;
        if self.whole.valid {
            ask_for_all(&self.whole.bytes, NEAR_LINES_MAX);
        } else {
            ask_for_all(&self.order, NEAR_LINES_MAX);
            self.entries.prefetch();
        }
    }

    /// Bytes of all messages that wait.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Messages that wait and have not been sent once.
    pub(crate) const fn unsent(&self) -> usize {
        self.unsent
    }

    /// Transmissions that are left of all messages that wait, when each is sent `limit` times. Goes through the queue.
    pub(crate) fn transmissions_left(&self, limit: u32) -> u64 {
        let left = |waiting: &Waiting| limit.saturating_sub(waiting.rank.sent() + self.whole.times).max(1);
        self.order.iter().map(|waiting| u64::from(left(waiting))).sum()
    }

    /// Transmissions of each message in a cluster of `n`. The logarithm is taken only when `n` changes.
    pub(crate) fn limit(&mut self, config: &Config, n: u32) -> u32 {
        if self.limit.0 != n {
            self.limit = (n, transmit_limit(config.retransmit_mult, config.retransmit_log_base, n));
            if broken!(config, SentOnce) {
                self.limit.1 = 1;
            }
            if broken!(config, LimitIgnoresSize) {
                self.limit.1 = config.retransmit_mult;
            }
            if broken!(config, SentWithoutEnd) {
                self.limit.1 = 2000;
            }
        }
        self.limit.1
    }

    /// The members that something waits about, in no order that matters.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = u32> {
        self.order.iter().map(|waiting| waiting.subject)
    }

    /// Whether something waits about a member.
    pub(crate) fn waits_for(&self, subject: u32) -> bool {
        if self.subjects.is_empty() { self.find(subject).is_some() } else { self.subjects.contains(&subject) }
    }

    /// The place in the order of what waits about a member.
    fn find(&self, subject: u32) -> Option<usize> {
        if !self.subjects.is_empty() && !self.subjects.contains(&subject) {
            return None;
        }
        self.order.iter().position(|waiting| waiting.subject == subject)
    }

    /// Queues an encoded message about a member in place of what waits about it; how many were dropped to stay within `max`.
    pub(crate) fn push(&mut self, subject: u32, kind: Kind, bytes: &[u8], max: usize) -> u32 {
        self.push_ranked(subject, kind, bytes, max, false)
    }

    /// The same; `first`: it goes before what is not, and is dropped after it.
    pub(crate) fn push_ranked(
        &mut self,
        subject: u32,
        kind: Kind,
        bytes: &[u8],
        max: usize,
        first: bool,
    ) -> u32 {
        self.end_whole();
        self.remove(subject);
        // At most one too many, unless the bound sank. What has been sent most often goes.
        let shed = (self.order.len() + 1).saturating_sub(max).min(self.order.len());
        self.drop_most_sent(shed);
        self.next_id += 1;
        debug_assert!(bytes.len() <= Rank::LENGTH_MAX, "a message fits a packet");
        self.bytes += bytes.len();
        self.unsent += 1;
        self.shortest = if self.order.is_empty() { bytes.len() } else { self.shortest.min(bytes.len()) };
        let slot = self.entries.put(kind, bytes);
        let rank = Rank::fresh(bytes.len(), self.next_id, first);
        let place = self.order.partition_point(|waiting| waiting.rank < rank);
        self.order.insert(place, Waiting { rank, slot, subject });
        if !self.subjects.is_empty() {
            self.subjects.insert(subject);
        } else if self.order.len() > SHORT_QUEUE {
            self.subjects.extend(self.order.iter().map(|waiting| waiting.subject));
        }
        shed as u32
    }

    /// Drops so many messages from where the order says what is sent last.
    fn drop_most_sent(&mut self, count: usize) {
        for place in 0..count {
            self.vacate(self.order[place]);
        }
        self.order.drain(..count);
        if self.order.is_empty() {
            self.whole.bytes = Vec::new();
        }
    }

    /// A message leaves the queue.
    fn vacate(&mut self, Waiting { rank, slot, subject }: Waiting) {
        self.subjects.remove(&subject);
        self.bytes -= rank.length();
        self.unsent -= usize::from(rank.sent() == 0);
        self.entries.vacate(slot);
    }

    /// Drops what waits about a member.
    pub(crate) fn remove(&mut self, subject: u32) {
        if let Some(place) = self.find(subject) {
            self.end_whole();
            let waiting = self.order.remove(place);
            self.vacate(waiting);
        }
    }

    /// Appends as many messages as fit into `room` bytes, at most `count_max` (0: no limit). Each counts as sent once, and
    /// leaves the queue when it has been sent `limit` times. No message is taken twice in one batch.
    pub(crate) fn take(
        &mut self,
        room: usize,
        count_max: u8,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        let count_max = if count_max == 0 { usize::MAX } else { count_max.into() };
        if self.bytes <= room && self.order.len() <= count_max && self.begin_whole() {
            self.take_whole(limit, out, kinds);
        } else {
            self.end_whole();
            self.take_some(room, count_max, limit, out, kinds);
        }
    }

    /// Makes sure that what waits lies there as one batch; not while something goes first, whose place in the order does not
    /// tell how often it was sent.
    fn begin_whole(&mut self) -> bool {
        if self.whole.valid {
            return true;
        }
        let (Some(last), Some(first)) = (self.order.first(), self.order.last()) else { return false };
        if first.rank.is_first() {
            return false;
        }
        self.entries.bring_near();
        let (most_sent, mut kinds) = (last.rank.sent(), Kinds::default());
        let mut bytes = core::mem::take(&mut self.whole.bytes);
        bytes.clear();
        bytes.reserve_exact(self.bytes + Entries::BEYOND);
        for waiting in self.order.iter().rev() {
            kinds.add(self.entries.append(waiting.slot, &mut bytes));
        }
        self.whole = Whole { valid: true, times: 0, most_sent, bytes, kinds };
        true
    }

    /// Takes everything, as it lies there.
    fn take_whole(&mut self, limit: u32, out: &mut Vec<u8>, kinds: &mut Kinds) {
        let Whole { bytes, kinds: all, .. } = &self.whole;
        out.extend_from_slice(bytes);
        kinds.add_all(all);
        self.whole_sent(limit);
    }

    /// Takes the batch before once more, if it was everything and is still.
    pub(crate) fn take_again(&mut self, limit: u32) -> bool {
        let same = self.whole.valid;
        if same {
            self.whole_sent(limit);
        }
        same
    }

    /// Everything has been sent once more.
    fn whole_sent(&mut self, limit: u32) {
        let Whole { times, most_sent, .. } = &mut self.whole;
        *times += 1;
        self.unsent = 0;
        if *most_sent + *times >= limit {
            self.end_whole();
            let over = self.order.iter().take_while(|waiting| waiting.rank.sent() >= limit).count();
            self.drop_most_sent(over);
        }
    }

    /// Something comes or leaves: what went out as one batch is counted in the ranks.
    fn end_whole(&mut self) {
        let Whole { valid, times, .. } = &mut self.whole;
        if *times > 0 {
            for waiting in &mut self.order {
                waiting.rank = waiting.rank.sent_again(*times);
            }
        }
        (*valid, *times) = (false, 0);
    }

    fn take_some(
        &mut self,
        mut room: usize,
        count_max: usize,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        self.entries.bring_near();
        let mut taken: SmallVec<[Waiting; 64]> = SmallVec::new();
        // What is looked at and does not fit moves up, so that the gap that the taken ones leave stays in one piece.
        let (mut unseen, mut kept) = (self.order.len(), self.order.len());
        while unseen > 0 && room >= self.shortest && taken.len() < count_max {
            unseen -= 1;
            let waiting = self.order[unseen];
            if waiting.rank.length() > room {
                kept -= 1;
                self.order[kept] = waiting;
                continue;
            }
            let before = out.len();
            kinds.add(self.entries.append(waiting.slot, out));
            room -= out.len() - before;
            taken.push(waiting);
        }
        self.order.copy_within(kept.., unseen);
        self.put_back(&mut taken, limit);
    }

    /// Puts a batch back behind what has been sent less; the order has that many places too many at its end.
    fn put_back(&mut self, taken: &mut SmallVec<[Waiting; 64]>, limit: u32) {
        let mut left = self.order.len() - taken.len();
        taken.retain(|waiting| {
            let stays = waiting.rank.sent() + 1 < limit;
            if stays {
                self.unsent -= usize::from(waiting.rank.sent() == 0);
                waiting.rank = waiting.rank.sent_again(1);
            } else {
                self.vacate(*waiting);
            }
            stays
        });
        // Both are ordered, so this merges them, from the end on.
        let mut place = left + taken.len();
        self.order.truncate(place);
        for again in taken.iter() {
            while left > 0 && self.order[left - 1].rank > again.rank {
                (left, place) = (left - 1, place - 1);
                self.order[place] = self.order[left];
            }
            place -= 1;
            self.order[place] = *again;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cmp::Reverse;
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
    fn what_is_left_to_send_is_counted_in_transmissions() {
        let mut queue = Broadcasts::new();
        queue.push(1, Kind::Alive, b"aa", 10);
        queue.push_ranked(2, Kind::Alive, b"b", 10, true);
        assert_eq!(queue.transmissions_left(3), 6);
        take(&mut queue, 1, 3);
        assert_eq!(queue.transmissions_left(3), 5);
        take(&mut queue, 10, 3);
        take(&mut queue, 10, 3);
        assert_eq!((queue.len(), queue.transmissions_left(3)), (1, 1));
        assert_eq!(queue.transmissions_left(1), 1, "the cluster has shrunk: once more all the same");
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
    fn what_goes_first_goes_first_however_often_it_was_sent() {
        let mut queue = Broadcasts::new();
        queue.push_ranked(0, Kind::Alive, b"me", 10, true);
        for round in 1..4 {
            queue.push(round, Kind::Alive, b"long news", 10);
            assert_eq!(take(&mut queue, 2, 4), b"me");
        }
        assert_eq!(take(&mut queue, 2, 4), b"me");
        assert!(!queue.waits_for(0));
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

    /// The queue as it is described: a list, sorted before every use.
    #[derive(Default)]
    struct Naive {
        waiting: Vec<Message>,
        id: u64,
    }

    #[derive(Clone)]
    struct Message {
        first: bool,
        sent: u32,
        bytes: Vec<u8>,
        id: u64,
        subject: u32,
        kind: Kind,
        over: bool,
    }

    impl Naive {
        fn sort(&mut self) {
            let order = |m: &Message| (Reverse(m.first), m.sent, Reverse(m.bytes.len()), Reverse(m.id));
            self.waiting.sort_by_key(order);
        }

        fn push(&mut self, subject: u32, kind: Kind, bytes: &[u8], max: usize, first: bool) -> u32 {
            self.waiting.retain(|waiting| waiting.subject != subject);
            self.sort();
            let shed = (self.waiting.len() + 1).saturating_sub(max);
            self.waiting.truncate(self.waiting.len() - shed);
            self.id += 1;
            let id = self.id;
            self.waiting.push(Message {
                first,
                sent: 0,
                bytes: bytes.into(),
                id,
                subject,
                kind,
                over: false,
            });
            shed as u32
        }

        fn take(&mut self, mut room: usize, count_max: u8, limit: u32) -> (Vec<u8>, Kinds) {
            self.sort();
            let (mut out, mut kinds, mut count) = (Vec::new(), Kinds::default(), 0);
            for waiting in &mut self.waiting {
                if waiting.bytes.len() <= room && (count_max == 0 || count < count_max) {
                    out.extend_from_slice(&waiting.bytes);
                    kinds.add(waiting.kind);
                    room -= waiting.bytes.len();
                    waiting.sent += 1;
                    count += 1;
                    waiting.over = waiting.sent >= limit;
                }
            }
            // Only what was taken leaves, even if the limit has sunk below what others were sent.
            self.waiting.retain(|waiting| !waiting.over);
            (out, kinds)
        }
    }

    proptest! {
        /// Whatever is queued, replaced, dropped and taken, with limits that change: the same bytes in the same order as a sorted
        /// list gives.
        #[test]
        fn the_queue_agrees_with_a_sorted_list(
            ops in prop::collection::vec((0u8..12, 0u32..30, 1usize..70, 0u8..5, 1u32..6), 0..200),
            max in 3usize..40,
            firsts in any::<bool>(),
        ) {
            let (mut queue, mut model) = (Broadcasts::new(), Naive::default());
            for (index, (op, subject, length, count_max, limit)) in ops.into_iter().enumerate() {
                let bytes = alloc::vec![index as u8; length];
                let kind = if subject % 2 == 0 { Kind::Alive } else { Kind::Dead };
                match op {
                    0..=4 => {
                        let first = firsts && subject == 0;
                        let shed = queue.push_ranked(subject, kind, &bytes, max, first);
                        prop_assert_eq!(shed, model.push(subject, kind, &bytes, max, first));
                    }
                    5 => {
                        queue.remove(subject);
                        model.waiting.retain(|waiting| waiting.subject != subject);
                    }
                    _ => {
                        // Often everything fits.
                        let room = if op > 8 { 10_000 } else { length * 4 };
                        let count_max = if op > 8 { 0 } else { count_max };
                        let (mut out, mut kinds) = (Vec::new(), Kinds::default());
                        queue.take(room, count_max, limit, &mut out, &mut kinds);
                        prop_assert_eq!((out, kinds), model.take(room, count_max, limit));
                    }
                }
                let waiting = &model.waiting;
                prop_assert_eq!(queue.len(), waiting.len());
                prop_assert_eq!(queue.bytes(), waiting.iter().map(|m| m.bytes.len()).sum::<usize>());
                prop_assert_eq!(queue.unsent(), waiting.iter().filter(|m| m.sent == 0).count());
                let left = |m: &Message| u64::from(limit.saturating_sub(m.sent).max(1));
                prop_assert_eq!(queue.transmissions_left(limit), waiting.iter().map(left).sum::<u64>());
                for subject in 0..30 {
                    prop_assert_eq!(queue.waits_for(subject), waiting.iter().any(|m| m.subject == subject));
                }
            }
        }
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
