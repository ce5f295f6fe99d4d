//! The queues of news side by side: about members, and one for each kind of Serf's messages.

use alloc::vec::Vec;

use super::queue::Broadcasts;
use crate::config::{Config, Packing};
use crate::members::Members;
use crate::wire::{Kind, Kinds};

/// Which queue a message of Serf's layer waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Intents,
    Queries,
    /// Events of this node: accepted only while there is room, so that none is ever dropped for another.
    OwnEvents,
    Events,
}

/// Queues: members, intents, queries, own events, others' events.
const QUEUES: usize = 5;
/// What each queue may be sure of, in sixtieths of a packet: half for members, the rest in equal parts.
const SHARES: [usize; QUEUES] = [30, 10, 10, 5, 5];
const SHARES_ALL: usize = 60;

/// Messages waiting, by queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepths {
    /// News about members.
    pub members: usize,
    /// Join and leave intents.
    pub intents: usize,
    /// Queries.
    pub queries: usize,
    /// User events, this node's own included.
    pub events: usize,
}

/// What waits to be told, in a queue for each kind of news.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) members: Broadcasts,
    intents: Broadcasts,
    queries: Broadcasts,
    own_events: Broadcasts,
    events: Broadcasts,
    /// Messages of Serf's layer replace nothing: each gets a number of its own.
    next: u32,
    /// Room that each queue was due and could not use yet, in bytes: for a message longer than the queue's share.
    carry: [usize; QUEUES],
    /// Whose turn it is among those that have waited equally long.
    turn: usize,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self {
            members: Broadcasts::new(),
            intents: Broadcasts::new(),
            queries: Broadcasts::new(),
            own_events: Broadcasts::new(),
            events: Broadcasts::new(),
            next: 0,
            carry: [0; QUEUES],
            turn: 0,
        }
    }

    pub(crate) const fn lane(&self, lane: Lane) -> &Broadcasts {
        match lane {
            Lane::Intents => &self.intents,
            Lane::Queries => &self.queries,
            Lane::OwnEvents => &self.own_events,
            Lane::Events => &self.events,
        }
    }

    const fn lane_mut(&mut self, lane: Lane) -> &mut Broadcasts {
        match lane {
            Lane::Intents => &mut self.intents,
            Lane::Queries => &mut self.queries,
            Lane::OwnEvents => &mut self.own_events,
            Lane::Events => &mut self.events,
        }
    }

    const fn queues(&mut self) -> [&mut Broadcasts; QUEUES] {
        let Self { members, intents, queries, own_events, events, .. } = self;
        [members, intents, queries, own_events, events]
    }

    /// Messages waiting in all queues.
    pub(crate) const fn len(&self) -> usize {
        self.members.len() + self.serf_len()
    }

    const fn serf_len(&self) -> usize {
        self.intents.len() + self.queries.len() + self.own_events.len() + self.events.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Messages waiting, by queue.
    pub(crate) const fn depths(&self) -> QueueDepths {
        QueueDepths {
            members: self.members.len(),
            intents: self.intents.len(),
            queries: self.queries.len(),
            events: self.own_events.len() + self.events.len(),
        }
    }

    /// Queues a message; its number, by which [`Broadcasts::waits_for`] finds it, and how many others were dropped for it.
    pub(crate) fn push(&mut self, lane: Lane, kind: Kind, bytes: &[u8], max: usize) -> (u32, u32) {
        self.next = self.next.wrapping_add(1);
        let number = self.next;
        (number, self.lane_mut(lane).push(number, kind, bytes, max))
    }

    /// Appends as much as fits into `room` bytes, as [`Packing`] says, at most `packet_updates_max` messages.
    pub(crate) fn take(
        &mut self,
        room: usize,
        config: &Config,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        let count = config.packet_updates_max;
        let mut batch = Batch { room, count: if count == 0 { None } else { Some(count) }, limit, out, kinds };
        match config.packing {
            // Membership first (Serf).
            Packing::Strict => {
                for queue in self.queues() {
                    batch.take(queue, usize::MAX, u8::MAX);
                }
            }
            Packing::Fair => self.take_fairly(&mut batch),
        }
    }

    /// What this node says of itself, a refutation above all, goes first. Then each queue has its share, and what it saved up
    /// for a long message, and what others leave.
    fn take_fairly(&mut self, batch: &mut Batch<'_>) {
        let me = Members::ME.index;
        let about_me = if batch.count == Some(0) {
            None
        } else {
            self.members.lift(me, batch.room, batch.out, batch.kinds)
        };
        if let Some(lifted) = &about_me {
            batch.spend(lifted.length());
        }
        if self.serf_len() == 0 {
            batch.take(&mut self.members, usize::MAX, u8::MAX);
        } else {
            self.share_out(batch);
        }
        if let Some(lifted) = about_me {
            self.members.put_down(lifted, batch.limit);
        }
    }

    fn share_out(&mut self, batch: &mut Batch<'_>) {
        let all = batch.room;
        let mut carry = self.carry;
        let queues = self.queues();
        let demand = core::array::from_fn::<_, QUEUES, _>(|i| queues[i].demand(all));
        let due: [usize; QUEUES] = core::array::from_fn(|i| carry[i] + all * SHARES[i] / SHARES_ALL);
        // Who has waited longest first: only then is there sure to be room for a message longer than a share.
        self.turn = (self.turn + 1) % QUEUES;
        let mut turn: [usize; QUEUES] = core::array::from_fn(|i| (self.turn + i) % QUEUES);
        turn.sort_by_key(|&i| core::cmp::Reverse(carry[i]));
        let mut spare = all.saturating_sub((0..QUEUES).map(|i| due[i].min(demand[i])).sum());
        let mut askers = demand.iter().filter(|demand| **demand > 0).count();
        for i in turn {
            if demand[i] == 0 {
                carry[i] = 0;
                continue;
            }
            let own = due[i].min(demand[i]);
            let budget = (own + spare).min(batch.room);
            let count = batch.count.map_or(u8::MAX, |count| count.div_ceil(askers as u8));
            askers -= 1;
            // A long message at the head saves up for itself, or shorter ones behind it would use up the share for ever.
            let head = self.queue(i).head();
            let waits = head <= all && head > budget;
            let used = if waits { 0 } else { batch.take(self.queue(i), budget, count) };
            spare = (own + spare).saturating_sub(used).min(batch.room);
            carry[i] = due[i].saturating_sub(used).min(all);
            if self.queue(i).is_empty() {
                carry[i] = 0;
            }
        }
        self.carry = carry;
    }

    const fn queue(&mut self, i: usize) -> &mut Broadcasts {
        match i {
            0 => &mut self.members,
            1 => &mut self.intents,
            2 => &mut self.queries,
            3 => &mut self.own_events,
            _ => &mut self.events,
        }
    }
}

/// The part of a packet that waiting news is written to.
struct Batch<'a> {
    room: usize,
    /// How many more messages may go in, where that is limited.
    count: Option<u8>,
    limit: u32,
    out: &'a mut Vec<u8>,
    kinds: &'a mut Kinds,
}

impl Batch<'_> {
    /// Takes from a queue at most so many bytes and messages; how many bytes it took.
    fn take(&mut self, queue: &mut Broadcasts, bytes: usize, count: u8) -> usize {
        let count = self.count.map_or(0, |left| left.min(count));
        if queue.is_empty() || self.count == Some(0) || self.count.is_some() && count == 0 {
            return 0;
        }
        let (before, waiting) = (self.out.len(), self.total());
        queue.take(bytes.min(self.room), count, self.limit, self.out, self.kinds);
        let used = self.out.len() - before;
        self.room -= used;
        if self.count.is_some() {
            let taken = self.total() - waiting;
            self.count = self.count.map(|left| left.saturating_sub(taken as u8));
        }
        used
    }

    fn spend(&mut self, bytes: usize) {
        self.room -= bytes;
        self.count = self.count.map(|left| left.saturating_sub(1));
    }

    fn total(&self) -> u32 {
        if self.count.is_some() { self.kinds.total() } else { 0 }
    }
}

#[cfg(test)]
mod tests;
