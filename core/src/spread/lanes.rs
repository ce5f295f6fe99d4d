//! The queues of news side by side: about members, and one for each kind of Serf's messages; and how they share a packet.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::queue::Broadcasts;
use crate::config::Packing;
use crate::wire::{Kind, Kinds};

/// Which queue a message of Serf's layer waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Intents,
    Queries,
    Events,
}

const LANES: usize = 4;
/// A full packet's shares for membership, intents, queries and events, in twelfths (`Packing::Fair`).
const SHARES: [usize; LANES] = [6, 2, 2, 2];
const SHARES_SUM: usize = 12;

/// Messages waiting, by queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepths {
    /// News about members.
    pub members: usize,
    /// Join and leave intents.
    pub intents: usize,
    /// Queries.
    pub queries: usize,
    /// User events.
    pub events: usize,
}

/// What waits to be told, in a queue for each kind of news.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) members: Broadcasts,
    /// Messages waiting in the queues of Serf's layer: while there are none, nobody looks at them.
    serf_waiting: usize,
    /// Whether there was none at the last batch.
    members_only: bool,
    serf: Box<Serf>,
}

/// The queues of Serf's layer.
#[derive(Clone, Debug)]
struct Serf {
    /// Intents, queries, events.
    lanes: [Broadcasts; LANES - 1],
    /// Its messages replace nothing: each gets a number of its own.
    next: u32,
    /// Bytes of its share that each queue has not used: what is longer than one packet's share gets room after a few packets.
    credit: [usize; LANES],
}

impl Lanes {
    pub(crate) fn new() -> Self {
        let lanes = [Broadcasts::new(), Broadcasts::new(), Broadcasts::new()];
        let serf = Box::new(Serf { lanes, next: 0, credit: [0; LANES] });
        Self { members: Broadcasts::new(), serf_waiting: 0, members_only: false, serf }
    }

    pub(crate) fn lane(&self, lane: Lane) -> &Broadcasts {
        &self.serf.lanes[lane as usize]
    }

    /// Messages waiting, by queue.
    #[inline]
    pub(crate) fn depths(&self) -> QueueDepths {
        // The other queues lie elsewhere in memory.
        if self.serf_waiting == 0 {
            return QueueDepths { members: self.members.len(), ..QueueDepths::default() };
        }
        let [intents, queries, events] = self.serf.lanes.each_ref().map(Broadcasts::len);
        QueueDepths { members: self.members.len(), intents, queries, events }
    }

    /// Messages waiting in all queues.
    pub(crate) const fn len(&self) -> usize {
        self.members.len() + self.serf_waiting
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes waiting in all queues.
    pub(crate) fn bytes(&self) -> usize {
        self.members.bytes() + self.serf.lanes.iter().map(Broadcasts::bytes).sum::<usize>()
    }

    /// Whether something has not been sent once.
    pub(crate) fn has_unsent(&self) -> bool {
        let serf = || self.serf.lanes.iter().any(|queue| queue.unsent() > 0);
        self.members.unsent() > 0 || self.serf_waiting > 0 && serf()
    }

    /// Queues a message; its number, by which [`Broadcasts::waits_for`] finds it, and how many others were dropped for it.
    pub(crate) fn push(&mut self, lane: Lane, kind: Kind, bytes: &[u8], max: usize) -> (u32, u32) {
        let Serf { lanes, next, .. } = &mut *self.serf;
        *next = next.wrapping_add(1);
        let shed = lanes[lane as usize].push(*next, kind, bytes, max);
        let number = *next;
        self.count_waiting();
        (number, shed)
    }

    /// Appends as much as fits, each message once, at most `count_max` from each queue (0: no limit).
    pub(crate) fn take(
        &mut self,
        packing: Packing,
        room: usize,
        count_max: u8,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        self.members_only = self.serf_waiting == 0;
        if self.members_only {
            return self.members.take(room, count_max, limit, out, kinds);
        }
        let shares = match packing {
            Packing::Strict => None,
            Packing::Fair => Some(self.fair_shares(room)),
        };
        let (mut left, mut unused) = (room, 0);
        for lane in 0..LANES {
            // What one leaves goes to the next; strictly, that is all of it (Serf).
            let allowed = shares.map_or(left, |shares| (shares[lane] + unused).min(left));
            let before = out.len();
            self.queue_mut(lane).take(allowed, count_max, limit, out, kinds);
            let used = out.len() - before;
            (left, unused) = (left - used, allowed - used);
            self.serf.credit[lane] = self.serf.credit[lane].saturating_sub(used);
        }
        self.count_waiting();
    }

    /// Takes the batch before once more, if the next one is the same: it was everything, it is still, and Serf's layer had and has
    /// no part in it.
    pub(crate) fn take_again(&mut self, limit: u32) -> bool {
        self.members_only && self.serf_waiting == 0 && self.members.take_again(limit)
    }

    fn count_waiting(&mut self) {
        self.serf_waiting = self.serf.lanes.iter().map(Broadcasts::len).sum();
        if self.serf_waiting == 0 {
            self.serf.credit = [0; LANES];
        }
    }

    /// How much of a packet each queue may take: at least what it has saved up of its shares, as far as it needs it, and of what then is left as much
    /// as it needs, in order.
    fn fair_shares(&mut self, room: usize) -> [usize; LANES] {
        let mut needs = [0; LANES];
        for (lane, need) in needs.iter_mut().enumerate() {
            *need = self.queue_mut(lane).bytes();
            let share = room * SHARES[lane] / SHARES_SUM;
            self.serf.credit[lane] = if *need == 0 { 0 } else { (self.serf.credit[lane] + share).min(room) };
        }
        let mut by_credit: [usize; LANES] = core::array::from_fn(|lane| lane);
        by_credit.sort_by_key(|lane| core::cmp::Reverse(self.serf.credit[*lane]));
        let (mut left, mut shares) = (room, [0; LANES]);
        for lane in by_credit {
            shares[lane] = needs[lane].min(self.serf.credit[lane]).min(left);
            left -= shares[lane];
        }
        for lane in 0..LANES {
            let more = (needs[lane] - shares[lane]).min(left);
            shares[lane] += more;
            left -= more;
        }
        shares
    }

    fn queue_mut(&mut self, lane: usize) -> &mut Broadcasts {
        match lane {
            0 => &mut self.members,
            _ => &mut self.serf.lanes[lane - 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS_BY_LANE: [Kind; LANES] = [Kind::Suspect, Kind::LeaveIntent, Kind::Query, Kind::UserEvent];

    fn push(lanes: &mut Lanes, lane: usize, number: u32, length: usize) {
        let bytes = alloc::vec![lane as u8; length];
        match lane {
            0 => drop(lanes.members.push(number, KINDS_BY_LANE[0], &bytes, 10_000)),
            1 => drop(lanes.push(Lane::Intents, KINDS_BY_LANE[1], &bytes, 10_000)),
            2 => drop(lanes.push(Lane::Queries, KINDS_BY_LANE[2], &bytes, 10_000)),
            _ => drop(lanes.push(Lane::Events, KINDS_BY_LANE[3], &bytes, 10_000)),
        }
    }

    /// Bytes that each queue got of a packet.
    fn packet(lanes: &mut Lanes, packing: Packing, room: usize) -> [usize; LANES] {
        let (mut out, mut kinds) = (Vec::new(), Kinds::default());
        lanes.take(packing, room, 0, 1000, &mut out, &mut kinds);
        assert!(out.len() <= room);
        core::array::from_fn(|lane| out.iter().filter(|&&byte| usize::from(byte) == lane).count())
    }

    #[test]
    fn strictly_packed_churn_starves_everything_else() {
        let mut lanes = Lanes::new();
        (0..100).for_each(|number| push(&mut lanes, 0, number, 30));
        push(&mut lanes, 3, 0, 300);
        assert_eq!(packet(&mut lanes, Packing::Strict, 1200), [1200, 0, 0, 0]);
    }

    #[test]
    fn a_queue_alone_gets_all_the_room() {
        for lane in 0..LANES {
            let mut lanes = Lanes::new();
            (0..100).for_each(|number| push(&mut lanes, lane, number, 30));
            assert_eq!(packet(&mut lanes, Packing::Fair, 1200)[lane], 1200);
        }
    }

    proptest! {
        /// Whatever waits, and however long: over some packets each queue gets its share, to within one message.
        #[test]
        fn fairly_packed_nobody_starves(
            lengths in prop::array::uniform4(prop::collection::vec(10usize..700, 60..90)),
            room in 800usize..1400,
        ) {
            let mut lanes = Lanes::new();
            for (lane, lengths) in lengths.iter().enumerate() {
                for (number, length) in lengths.iter().enumerate() {
                    push(&mut lanes, lane, number as u32, *length);
                }
            }
            let packets = 24;
            let mut sent = [0; LANES];
            for _ in 0..packets {
                for (sum, got) in sent.iter_mut().zip(packet(&mut lanes, Packing::Fair, room)) {
                    *sum += got;
                }
            }
            for lane in 0..LANES {
                let share = packets * (room * SHARES[lane] / SHARES_SUM);
                // What does not fit beside the others waits for the next packet: up to one message is owed.
                prop_assert!(sent[lane] + 2 * 700 >= share, "queue {lane} got {} of {share}", sent[lane]);
            }
        }

        /// A batch that is taken again is the batch that would have been taken, whatever waits and however often it went out.
        #[test]
        fn a_batch_taken_again_is_the_next_batch(
            waiting in prop::collection::vec((0usize..LANES, 1usize..60), 0..12),
            takes in 1usize..20,
            limit in 1u32..8,
            fair in any::<bool>(),
            room in 100usize..700,
        ) {
            let packing = if fair { Packing::Fair } else { Packing::Strict };
            let mut lanes = Lanes::new();
            for (number, (lane, length)) in waiting.into_iter().enumerate() {
                push(&mut lanes, lane, number as u32, length);
            }
            let take = |lanes: &mut Lanes| {
                let (mut out, mut kinds) = (Vec::new(), Kinds::default());
                lanes.take(packing, room, 0, limit, &mut out, &mut kinds);
                (out, kinds)
            };
            let mut last = take(&mut lanes);
            for _ in 0..takes {
                let mut other = lanes.clone();
                let next = take(&mut other);
                if lanes.take_again(limit) {
                    prop_assert_eq!(&next, &last);
                } else {
                    prop_assert_eq!(&take(&mut lanes), &next);
                }
                prop_assert_eq!(lanes.depths(), other.depths());
                prop_assert_eq!(lanes.bytes(), other.bytes());
                last = next;
            }
        }

        /// What fits goes: no packet leaves room for a message of its size that waits.
        #[test]
        fn no_packet_is_left_emptier_than_it_need_be(counts in prop::array::uniform4(0u32..40)) {
            let mut lanes = Lanes::new();
            for (lane, count) in counts.into_iter().enumerate() {
                (0..count).for_each(|number| push(&mut lanes, lane, number, 20));
            }
            let waiting = counts.iter().sum::<u32>() as usize * 20;
            let sent: usize = packet(&mut lanes, Packing::Fair, 1000).iter().sum();
            prop_assert!(sent + 20 * LANES > waiting.min(1000), "{sent} of {waiting}");
        }
    }
}
