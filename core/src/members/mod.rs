//! The member table: hot rows, cold identities shared by `Arc`, an index by name, random choice in O(k).
//!
//! A row has two lifetimes. The failure detector's [`State`] is forgotten `gossip_to_dead` after death, and from then on the
//! rules for an unknown name apply; the application's [`Status`] keeps failed members until `reconnect_timeout` and
//! departed ones until `tombstone_timeout`.

mod choose;
mod order;
mod precedence;

use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::deadlines::Timer;
use crate::id::{Incarnation, SharedIdentity, Slot};
use crate::io::{State, Status};
use crate::rng::{Purpose, Rng, Seed};
use crate::time::Instant;
use order::ProbeOrder;
pub(crate) use precedence::{Claim, Verdict, verdict};

/// What is touched by every message about a member: 32 bytes at most, whatever the size of its name and meta data.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// When the state changed last.
    changed: Instant,
    /// The timer of its suspicion or lifetime.
    timer: Option<Timer>,
    incarnation: Incarnation,
    /// Position in `Members::reachable`, or `NOWHERE`.
    place: u32,
    generation: u16,
    state: State,
    status: Status,
}

const _: () = assert!(size_of::<Row>() <= 32, "hot rows are at most 32 bytes");

const NOWHERE: u32 = u32::MAX;

/// What is known of one member now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) incarnation: Incarnation,
    pub(crate) changed: Instant,
    pub(crate) status: Status,
}

/// The member table of one node. Row 0 is the node itself.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    rows: Vec<Row>,
    /// Beside each row; `None` where the row is vacant.
    identities: Vec<Option<SharedIdentity>>,
    by_name: HashTable<u32>,
    hasher: FixedState,
    /// Rows that gossip may go to: alive, suspect, or dead but not forgotten; never the node itself.
    reachable: Vec<u32>,
    vacant: Vec<u32>,
    /// Rows by state, row 0 included.
    counts: [u32; 5],
    failed: u32,
    left: u32,
    order: ProbeOrder,
}

impl Members {
    /// The row of the node itself.
    pub(crate) const ME: Slot = Slot { index: 0, generation: 0 };

    pub(crate) fn new(
        me: SharedIdentity,
        incarnation: Incarnation,
        seed: &Seed,
        capacity: usize,
        now: Instant,
    ) -> Self {
        let mut members = Self {
            rows: Vec::with_capacity(capacity),
            identities: Vec::with_capacity(capacity),
            by_name: HashTable::with_capacity(capacity),
            hasher: FixedState::with_seed(seed.stream(Purpose::NameIndex).u64()),
            reachable: Vec::with_capacity(capacity),
            vacant: Vec::new(),
            counts: [0; 5],
            failed: 0,
            left: 0,
            order: ProbeOrder::new(),
        };
        members.insert(me, incarnation, now);
        members.unplace(0);
        members
    }

    /// Members that the failure detector knows, the node itself and the recently dead included: `n` in its formulas.
    pub(crate) fn n_swim(&self) -> u32 {
        self.counts[..State::Forgotten as usize].iter().sum()
    }

    /// Members that the application knows, the node itself included.
    pub(crate) fn n_serf(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Other members that are alive or suspect.
    pub(crate) fn others_up(&self) -> u32 {
        let own = u32::from(matches!(self.rows[0].state, State::Alive | State::Suspect));
        self.counts[State::Alive as usize] + self.counts[State::Suspect as usize] - own
    }

    /// Whether there is anybody to gossip to.
    pub(crate) const fn any_reachable(&self) -> bool {
        !self.reachable.is_empty()
    }

    /// Members with status failed.
    pub(crate) const fn n_failed(&self) -> u32 {
        self.failed
    }

    /// Members with status left.
    pub(crate) const fn n_left(&self) -> u32 {
        self.left
    }

    /// A number for a name that an attacker cannot aim at: to tell accusers apart without keeping their names.
    pub(crate) fn name_hash(&self, name: &str) -> u64 {
        self.hasher.hash_one(name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Slot> {
        let hash = self.name_hash(name);
        let index = *self.by_name.find(hash, |&i| self.name_is(i, name))?;
        Some(self.slot(index))
    }

    fn name_is(&self, index: u32, name: &str) -> bool {
        self.identities[index as usize].as_ref().is_some_and(|identity| identity.name.as_str() == name)
    }

    fn slot(&self, index: u32) -> Slot {
        Slot { index, generation: self.rows[index as usize].generation }
    }

    /// The row of a slot, unless the row has another occupant by now.
    fn row(&self, slot: Slot) -> Option<&Row> {
        let row = self.rows.get(slot.index as usize)?;
        (row.generation == slot.generation && self.identities[slot.index as usize].is_some()).then_some(row)
    }

    pub(crate) fn known(&self, slot: Slot) -> Option<Known> {
        self.row(slot).map(|row| Known {
            state: row.state,
            incarnation: row.incarnation,
            changed: row.changed,
            status: row.status,
        })
    }

    pub(crate) fn identity(&self, slot: Slot) -> Option<&SharedIdentity> {
        self.row(slot)?;
        self.identities[slot.index as usize].as_ref()
    }

    pub(crate) fn me(&self) -> &SharedIdentity {
        self.identities[0].as_ref().expect("row 0 is never vacated")
    }

    pub(crate) fn my_incarnation(&self) -> Incarnation {
        self.rows[0].incarnation
    }

    /// Every occupied row, in the order of rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SharedIdentity, Known)> {
        self.identities.iter().enumerate().filter_map(|(index, identity)| {
            let known = self.known(self.slot(index as u32))?;
            Some((identity.as_ref()?, known))
        })
    }

    /// Adds a member that is alive. The caller has made sure that the name is new.
    pub(crate) fn insert(
        &mut self,
        identity: SharedIdentity,
        incarnation: Incarnation,
        now: Instant,
    ) -> Slot {
        let hash = self.name_hash(&identity.name);
        let row = Row {
            changed: now,
            timer: None,
            incarnation,
            place: NOWHERE,
            generation: 0,
            state: State::Alive,
            status: Status::Alive,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                let generation = self.rows[index as usize].generation.wrapping_add(1);
                self.rows[index as usize] = Row { generation, ..row };
                self.identities[index as usize] = Some(identity);
                index
            }
            None => {
                self.rows.push(row);
                self.identities.push(Some(identity));
                self.rows.len() as u32 - 1
            }
        };
        self.counts[State::Alive as usize] += 1;
        self.place(index);
        let Self { by_name, identities, hasher, .. } = self;
        by_name.insert_unique(hash, index, |&i| {
            // The index holds occupied rows only.
            identities[i as usize].as_ref().map_or(0, |identity| hasher.hash_one(identity.name.as_str()))
        });
        self.slot(index)
    }

    /// Sets a member's state and incarnation; the time of change moves when the state does.
    pub(crate) fn set(&mut self, slot: Slot, state: State, incarnation: Incarnation, now: Instant) {
        let index = slot.index;
        let Some(before) = self.row(slot).map(|row| (row.state, row.status)) else { return };
        let status = match state {
            State::Alive | State::Suspect => Status::Alive,
            State::Dead => Status::Failed,
            State::Left => Status::Left,
            State::Forgotten => before.1,
        };
        self.count_status(before.1, status);
        self.counts[before.0 as usize] -= 1;
        self.counts[state as usize] += 1;
        let row = &mut self.rows[index as usize];
        row.incarnation = incarnation;
        row.status = status;
        if row.state != state {
            row.state = state;
            // Forgetting is not news about the member: reaping counts from its death.
            if state != State::Forgotten {
                row.changed = now;
            }
        }
        if index != Self::ME.index {
            match state {
                State::Alive | State::Suspect | State::Dead => self.place(index),
                State::Left | State::Forgotten => self.unplace(index),
            }
        }
    }

    fn count_status(&mut self, before: Status, after: Status) {
        match before {
            Status::Failed => self.failed -= 1,
            Status::Left => self.left -= 1,
            Status::Alive => {}
        }
        match after {
            Status::Failed => self.failed += 1,
            Status::Left => self.left += 1,
            Status::Alive => {}
        }
    }

    /// Replaces what a member announced of itself; its name stays.
    pub(crate) fn set_identity(&mut self, slot: Slot, identity: SharedIdentity) {
        if self.row(slot).is_some() {
            self.identities[slot.index as usize] = Some(identity);
        }
    }

    /// Removes a member for good; what it was.
    pub(crate) fn reap(&mut self, slot: Slot) -> Option<SharedIdentity> {
        let (state, status) = self.row(slot).map(|row| (row.state, row.status))?;
        let identity = self.identities[slot.index as usize].take()?;
        let hash = self.name_hash(&identity.name);
        if let Ok(entry) = self.by_name.find_entry(hash, |&i| i == slot.index) {
            entry.remove();
        }
        self.counts[state as usize] -= 1;
        self.count_status(status, Status::Alive);
        self.unplace(slot.index);
        self.vacant.push(slot.index);
        Some(identity)
    }

    /// The timer of a member's suspicion or lifetime, taken out.
    pub(crate) fn take_timer(&mut self, slot: Slot) -> Option<Timer> {
        self.row(slot)?;
        self.rows[slot.index as usize].timer.take()
    }

    pub(crate) fn set_timer(&mut self, slot: Slot, timer: Timer) {
        if self.row(slot).is_some() {
            self.rows[slot.index as usize].timer = Some(timer);
        }
    }

    pub(crate) fn timer(&self, slot: Slot) -> Option<Timer> {
        self.row(slot)?.timer
    }

    /// The next member to probe: round-robin in random order over those that are alive or suspect. `None` when there are none.
    pub(crate) fn next_probe(&mut self, rng: &mut Rng) -> Option<Slot> {
        if self.others_up() == 0 {
            return None;
        }
        // What remains of this round and one whole round meet every row.
        for _ in 0..2 * self.rows.len() {
            let index = self.order.next(self.rows.len() as u32, rng);
            let row = &self.rows[index as usize];
            let up = matches!(row.state, State::Alive | State::Suspect);
            if index != Self::ME.index && up && self.identities[index as usize].is_some() {
                return Some(self.slot(index));
            }
        }
        None
    }

    fn place(&mut self, index: u32) {
        if self.rows[index as usize].place == NOWHERE {
            self.rows[index as usize].place = self.reachable.len() as u32;
            self.reachable.push(index);
        }
    }

    fn unplace(&mut self, index: u32) {
        let place = core::mem::replace(&mut self.rows[index as usize].place, NOWHERE);
        if place != NOWHERE {
            self.reachable.swap_remove(place as usize);
            if let Some(moved) = self.reachable.get(place as usize) {
                self.rows[*moved as usize].place = place;
            }
        }
    }
}

#[cfg(test)]
mod tests;
