//! The queues of news side by side: about members, and one for each kind of Serf's messages.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::queue::Broadcasts;
use crate::wire::{Kind, Kinds};

/// Which queue a message of Serf's layer waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Intents,
    Queries,
    Events,
}

/// What waits to be told, in a queue for each kind of news.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) members: Broadcasts,
    /// Messages waiting in the queues of Serf's layer: while there are none, nobody looks at them.
    serf_waiting: usize,
    serf: Box<Serf>,
    /// Messages of Serf's layer replace nothing: each gets a number of its own.
    next: u32,
}

/// The queues of Serf's layer, in the order in which they are served.
#[derive(Clone, Debug)]
struct Serf {
    intents: Broadcasts,
    queries: Broadcasts,
    events: Broadcasts,
}

impl Serf {
    #[inline]
    const fn len(&self) -> usize {
        self.intents.len() + self.queries.len() + self.events.len()
    }
}

impl Lanes {
    pub(crate) fn new() -> Self {
        let serf = Serf { intents: Broadcasts::new(), queries: Broadcasts::new(), events: Broadcasts::new() };
        Self { members: Broadcasts::new(), serf_waiting: 0, serf: Box::new(serf), next: 0 }
    }

    pub(crate) fn lane(&self, lane: Lane) -> &Broadcasts {
        match lane {
            Lane::Intents => &self.serf.intents,
            Lane::Queries => &self.serf.queries,
            Lane::Events => &self.serf.events,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut Broadcasts {
        match lane {
            Lane::Intents => &mut self.serf.intents,
            Lane::Queries => &mut self.serf.queries,
            Lane::Events => &mut self.serf.events,
        }
    }

    /// Messages waiting in all queues.
    pub(crate) const fn len(&self) -> usize {
        self.members.len() + self.serf_waiting
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queues a message; its number, by which [`Broadcasts::waits_for`] finds it, and how many others were dropped for it.
    pub(crate) fn push(&mut self, lane: Lane, kind: Kind, bytes: &[u8], max: usize) -> (u32, u32) {
        self.next = self.next.wrapping_add(1);
        let number = self.next;
        let shed = self.lane_mut(lane).push(number, kind, bytes, max);
        self.serf_waiting = self.serf.len();
        (number, shed)
    }

    /// Appends as much as fits, membership first (Serf).
    pub(crate) fn take(
        &mut self,
        room: usize,
        count_max: u8,
        limit: u32,
        out: &mut Vec<u8>,
        kinds: &mut Kinds,
    ) {
        let start = out.len();
        if !self.members.is_empty() {
            self.members.take(room, count_max, limit, out, kinds);
        }
        if self.serf_waiting == 0 {
            return;
        }
        let Serf { intents, queries, events } = &mut *self.serf;
        for queue in [intents, queries, events] {
            let left = room.saturating_sub(out.len() - start);
            if !queue.is_empty() {
                queue.take(left, count_max, limit, out, kinds);
            }
        }
        self.serf_waiting = self.serf.len();
    }
}
