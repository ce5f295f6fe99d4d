//! The queues of news side by side: about members, and one for each kind of Serf's messages.

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
    intents: Broadcasts,
    queries: Broadcasts,
    events: Broadcasts,
    /// Messages of Serf's layer replace nothing: each gets a number of its own.
    next: u32,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self {
            members: Broadcasts::new(),
            intents: Broadcasts::new(),
            queries: Broadcasts::new(),
            events: Broadcasts::new(),
            next: 0,
        }
    }

    pub(crate) const fn lane(&self, lane: Lane) -> &Broadcasts {
        match lane {
            Lane::Intents => &self.intents,
            Lane::Queries => &self.queries,
            Lane::Events => &self.events,
        }
    }

    const fn lane_mut(&mut self, lane: Lane) -> &mut Broadcasts {
        match lane {
            Lane::Intents => &mut self.intents,
            Lane::Queries => &mut self.queries,
            Lane::Events => &mut self.events,
        }
    }

    /// Messages waiting in all queues.
    pub(crate) const fn len(&self) -> usize {
        self.members.len() + self.intents.len() + self.queries.len() + self.events.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queues a message; its number, by which [`Broadcasts::waits_for`] finds it, and how many others were dropped for it.
    pub(crate) fn push(&mut self, lane: Lane, kind: Kind, bytes: &[u8], max: usize) -> (u32, u32) {
        self.next = self.next.wrapping_add(1);
        let number = self.next;
        (number, self.lane_mut(lane).push(number, kind, bytes, max))
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
        for queue in [&mut self.members, &mut self.intents, &mut self.queries, &mut self.events] {
            let left = room.saturating_sub(out.len() - start);
            if !queue.is_empty() {
                queue.take(left, count_max, limit, out, kinds);
            }
        }
    }
}
