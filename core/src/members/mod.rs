//! The member table: one shared immutable base, and over it the rows in which this node differs.
//!
//! The base is a [`Roster`]. A row of it that this node has seen change, and every member met later, is a hot row of the
//! node's own; cold identities are shared by `Arc`. Random choice is O(k) without any list of candidates: it draws row
//! numbers and rejects.
//!
//! A row has two lifetimes. The failure detector's [`State`] is forgotten `gossip_to_dead` after death, and from then on the
//! rules for an unknown name apply; the application's [`Status`] keeps failed members until `reconnect_timeout` and
//! departed ones until `tombstone_timeout`.

mod choose;
mod digest;
mod order;
mod overlay;
mod precedence;
mod roster;
mod rows;
mod status;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};
use smallvec::{SmallVec, smallvec};

use crate::deadlines::Timer;
use crate::id::{Incarnation, LamportTime, SharedIdentity, Slot, Versions};
use crate::io::{State, Status};
use crate::rng::{Purpose, Rng, Seed};
use crate::time::Instant;
use digest::digest_of;
pub(crate) use digest::{digest_with, name_digest};
use order::ProbeOrder;
use overlay::Overlay;
pub(crate) use precedence::{Claim, Verdict, verdict};
pub use roster::Roster;
use roster::{Face, VersionCounts, hash_name, upper_half};
pub(crate) use rows::Known;
use rows::{NOWHERE, Rest, Row, RowMut};
use status::status_after;

/// The member table of one node. What most messages touch comes first.
///
/// Index 0 is the node itself, 1 to `base.len()` are the rows of the base, and what lies beyond was met later.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Members {
    overlay: Overlay,
    base: Arc<Roster>,
    /// The index of the base's row of this node itself, which stands vacant; `NOWHERE` when it has none.
    hole: u32,
    /// Rows by state, the node itself included.
    counts: [u32; 5],
    failed: u32,
    left: u32,
    /// The node itself, near at hand, then the members met later.
    own: SmallVec<[Row; 1]>,
    /// This node's name, near at hand: every ping asks whether it is meant.
    me: Face,
    order: ProbeOrder,
    /// The sum of the digests of all members that are alive or suspect.
    digest: u64,
    /// Grows with every change that an application can see.
    revision: u64,
    /// Members with status alive or leaving, by their version bytes.
    versions: VersionCounts,
    /// When a member's status was last decided by an intent; rows without one have had none. By index, which nobody chooses.
    status_times: HashMap<u32, LamportTime, FixedState>,
    /// When the node was born: the base's rows have been alive since.
    born: Instant,
    /// The rests of `own`.
    own_rests: SmallVec<[Rest; 1]>,
    /// Members in `own`, by name.
    by_name: HashTable<u32>,
    hasher: FixedState,
    /// Vacant rows of `own`, as indices.
    vacant: Vec<u32>,
}

impl Members {
    /// The row of the node itself.
    pub(crate) const ME: Slot = Slot { index: 0, generation: 0 };

    pub(crate) fn new(
        me: SharedIdentity,
        incarnation: Incarnation,
        seed: &Seed,
        base: Arc<Roster>,
        now: Instant,
    ) -> Self {
        let hasher = FixedState::with_seed(seed.stream(Purpose::NameIndex).u64());
        // An empty roster may have a hash function that anybody knows.
        let mut versions =
            if base.is_empty() { VersionCounts::new(hasher.clone()) } else { base.versions().clone() };
        versions.add(me.versions);
        let hole = base.find(me.name.as_bytes()).map_or(NOWHERE, |row| row + 1);
        let alive = base.len() as u32 + u32::from(hole == NOWHERE);
        if hole != NOWHERE {
            versions.remove(base.identity(hole - 1).versions);
        }
        let mut members = Self {
            me: Face::new(&me, incarnation),
            base,
            overlay: Overlay::default(),
            hole,
            born: now,
            own: smallvec![Row::alive(incarnation)],
            own_rests: smallvec![Rest::alive(me, now)],
            by_name: HashTable::new(),
            hasher,
            vacant: Vec::new(),
            counts: [alive, 0, 0, 0, 0],
            failed: 0,
            left: 0,
            versions,
            status_times: HashMap::with_hasher(FixedState::with_seed(0)),
            digest: 0,
            revision: 0,
            order: ProbeOrder::new(),
        };
        let mut digest = members.base.digest();
        if hole == NOWHERE {
            members.index_name(Self::ME.index);
        } else {
            digest = digest.wrapping_sub(members.base.row_digest(hole - 1));
        }
        members.digest = digest.wrapping_add(members.digest_part(Self::ME.index));
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
    #[inline]
    pub(crate) fn others_up(&self) -> u32 {
        let own = u32::from(matches!(self.own[0].state, Some(State::Alive | State::Suspect)));
        self.counts[State::Alive as usize] + self.counts[State::Suspect as usize] - own
    }

    /// Other members that gossip may go to: alive, suspect, or dead but not forgotten.
    pub(crate) fn reachable(&self) -> u32 {
        let own = u32::from(self.own[0].state.is_some_and(is_reachable));
        self.counts[..=State::Dead as usize].iter().sum::<u32>() - own
    }

    /// Members that are suspect.
    pub(crate) const fn n_suspect(&self) -> u32 {
        self.counts[State::Suspect as usize]
    }

    /// The version bytes of members with status alive or leaving, the node itself included, each once and in no order.
    pub(crate) fn versions_alive(&self) -> impl Iterator<Item = Versions> {
        self.versions.keys().copied()
    }

    /// Members with status failed.
    pub(crate) const fn n_failed(&self) -> u32 {
        self.failed
    }

    /// Members with status left.
    pub(crate) const fn n_left(&self) -> u32 {
        self.left
    }

    /// Grows whenever a member is added or removed, or its identity, incarnation or status changes.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// A number for a name that an attacker cannot aim at: to tell accusers apart without keeping their names.
    pub(crate) fn name_hash(&self, name: &str) -> u64 {
        hash_name(&self.hasher, name.as_bytes())
    }

    /// One more than the largest index.
    fn end(&self) -> u32 {
        (self.base.len() + self.own.len()) as u32
    }

    /// The base's row of an index, if it is one.
    #[inline]
    fn base_row(&self, index: u32) -> Option<u32> {
        (index.wrapping_sub(1) < self.base.len() as u32).then(|| index - 1)
    }

    /// The place in `own` of an index that is no row of the base.
    #[inline]
    fn own_place(&self, index: u32) -> usize {
        if index == 0 { 0 } else { index as usize - self.base.len() }
    }

    /// The node's own row of an index; `None` where the base's stands.
    #[inline]
    fn stored(&self, index: u32) -> Option<&Row> {
        match self.base_row(index) {
            Some(row) => self.overlay.get(self.base.key(row)),
            None => self.own.get(self.own_place(index)),
        }
    }

    /// The rest of the node's own row of an index; `None` where the base's stands.
    fn rest(&self, index: u32) -> Option<&Rest> {
        match self.base_row(index) {
            Some(row) => self.overlay.rest(self.base.key(row)),
            None => self.own_rests.get(self.own_place(index)),
        }
    }

    /// The node's own row of a member, made from the base's if need be.
    #[inline]
    fn touch(&mut self, slot: Slot) -> Option<RowMut<'_>> {
        if slot.index == self.hole {
            return None;
        }
        let whole = match self.base_row(slot.index) {
            Some(row) => self.touch_base(row),
            None => {
                let place = self.own_place(slot.index);
                let (row, rest) = self.own.get_mut(place).zip(self.own_rests.get_mut(place))?;
                RowMut { row, rest }
            }
        };
        (whole.row.generation == slot.generation && whole.row.state.is_some()).then_some(whole)
    }

    fn touch_base(&mut self, row: u32) -> RowMut<'_> {
        let Self { base, overlay, born, .. } = self;
        overlay.touch(base.key(row), base, *born)
    }

    /// What stands at an index, unless it is vacant.
    #[inline]
    fn at(&self, index: u32) -> Option<(Slot, Known)> {
        if index == self.hole {
            return None;
        }
        // Of most rows it is known that they were never touched.
        if let Some(row) = self.base_row(index)
            && !self.overlay.may_have(row)
        {
            return Some((Slot { index, generation: 0 }, self.base_known(row)));
        }
        match self.stored(index) {
            Some(row) => Some((Slot { index, generation: row.generation }, row.known()?)),
            None => Some((Slot { index, generation: 0 }, self.base_known(self.base_row(index)?))),
        }
    }

    #[inline]
    fn base_known(&self, row: u32) -> Known {
        Known { state: State::Alive, incarnation: self.base.incarnation(row), status: Status::Alive }
    }

    /// Finds a member, and what decides a claim about it. A name that is found is sound, whatever was known of it.
    #[inline(always)]
    pub(crate) fn look_up(&self, name: &[u8]) -> Option<(Slot, Known)> {
        let hash = self.base.hash_of(name);
        // Whoever is talked about has changed, as a rule.
        match self.overlay.named(upper_half(hash), |row| self.base.is_named(row, name)) {
            Some(row) => Some((Slot { index: row.key + 1, generation: row.generation }, row.known()?)),
            None => self.at(self.index_of(name, hash)?),
        }
    }

    /// The index of a name with this hash, vacant or not, but not of one whose row may get another name.
    #[inline(never)]
    fn index_of(&self, name: &[u8], hash: u64) -> Option<u32> {
        if let Some(row) = self.base.find_hashed(name, hash) {
            let index = row + 1;
            return Some(if index == self.hole { Self::ME.index } else { index });
        }
        if self.by_name.is_empty() {
            return None;
        }
        self.by_name.find(hash_name(&self.hasher, name), |&index| self.name_is(index, name)).copied()
    }

    /// Whether a member in `own` has this name.
    fn name_is(&self, index: u32, name: &[u8]) -> bool {
        let identity = &self.own_rests[self.own_place(index)].identity;
        identity.as_ref().is_some_and(|identity| identity.name.as_bytes() == name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Slot> {
        self.look_up(name.as_bytes()).map(|(slot, _)| slot)
    }

    /// Asks for what most messages touch.
    #[inline]
    pub(crate) fn prefetch(&self) {
        use crate::prefetch::ask;
        ask(&self.overlay);
        ask(&self.base);
        ask(&self.counts);
        ask(&self.me);
    }

    /// Asks for the rows that differ from the base.
    #[inline]
    pub(crate) fn prefetch_rows(&self) {
        self.overlay.prefetch();
    }

    /// Many members are going to be looked up.
    pub(crate) fn bring_near(&self) {
        self.overlay.bring_near();
    }

    #[inline]
    pub(crate) fn known(&self, slot: Slot) -> Option<Known> {
        let (present, known) = self.at(slot.index)?;
        (present == slot).then_some(known)
    }

    pub(crate) fn identity(&self, slot: Slot) -> Option<&SharedIdentity> {
        match self.own_identity(slot)? {
            Some(identity) => Some(identity),
            None => self.base_row(slot.index).map(|row| self.base.identity(row)),
        }
    }

    /// A member's identity where the node has one of its own; `Some(None)` where the base's stands.
    #[inline]
    fn own_identity(&self, slot: Slot) -> Option<Option<&SharedIdentity>> {
        match self.stored(slot.index) {
            Some(row) => (row.generation == slot.generation && row.state.is_some())
                .then(|| row.renamed.then(|| self.rest(slot.index)?.identity.as_ref()).flatten()),
            None => (slot.generation == 0 && slot.index != self.hole).then_some(None),
        }
    }

    /// When a member's state changed last.
    pub(crate) fn changed(&self, slot: Slot) -> Instant {
        self.rest(slot.index).map_or(self.born, |rest| rest.changed)
    }

    /// The bytes of a member's name, and its address, from where they lie nearest.
    #[inline]
    pub(crate) fn whereabouts(&self, slot: Slot) -> Option<(&[u8], SocketAddr)> {
        if let Some(row) = self.base_row(slot.index)
            && slot.generation == 0
            && slot.index != self.hole
            && !self.overlay.may_have(row)
        {
            return Some(self.base.whereabouts(row));
        }
        match self.own_identity(slot)? {
            Some(identity) => Some((identity.name.as_bytes(), identity.addr)),
            None => self.base_row(slot.index).map(|row| self.base.whereabouts(row)),
        }
    }

    /// A member's address.
    #[inline]
    pub(crate) fn addr(&self, slot: Slot) -> Option<SocketAddr> {
        self.whereabouts(slot).map(|(_, addr)| addr)
    }

    /// Whether these are the bytes of this node's name.
    #[inline]
    pub(crate) fn is_me(&self, name: &[u8]) -> bool {
        self.me.is_named(name).unwrap_or_else(|| self.me().name.as_bytes() == name)
    }

    #[inline]
    pub(crate) fn me(&self) -> &SharedIdentity {
        self.own_rests[0].identity.as_ref().expect("the node's own row is never vacated")
    }

    #[inline]
    pub(crate) fn my_incarnation(&self) -> Incarnation {
        self.own[0].incarnation
    }

    /// Every member, the node itself first, in the order of indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SharedIdentity, Known)> {
        self.rows().map(|(_, identity, known)| (identity, known))
    }

    /// Adds a member that is alive. The caller has made sure that the name is new.
    pub(crate) fn insert(
        &mut self,
        identity: SharedIdentity,
        incarnation: Incarnation,
        now: Instant,
    ) -> Slot {
        self.revision += 1;
        self.counts[State::Alive as usize] += 1;
        self.versions.add(identity.versions);
        if let Some(row) = self.base.find(identity.name.as_bytes()) {
            // It stood there once, and was reaped.
            let vacant = self.touch_base(row);
            let generation = vacant.row.generation.wrapping_add(1);
            let tag = vacant.row.tag;
            *vacant.row = Row { key: row, generation, tag, ..Row::alive(incarnation) };
            *vacant.rest = Rest::alive(identity, now);
            self.redigest(row + 1, 0);
            return Slot { index: row + 1, generation };
        }
        let (row, rest) = (Row::alive(incarnation), Rest::alive(identity, now));
        let (index, generation) = match self.vacant.pop() {
            Some(index) => {
                let place = self.own_place(index);
                let generation = self.own[place].generation.wrapping_add(1);
                self.own[place] = Row { generation, ..row };
                self.own_rests[place] = rest;
                (index, generation)
            }
            None => {
                self.own.push(row);
                self.own_rests.push(rest);
                (self.end() - 1, 0)
            }
        };
        self.index_name(index);
        self.redigest(index, 0);
        Slot { index, generation }
    }

    /// Enters a member in `own` into the index of names.
    fn index_name(&mut self, index: u32) {
        let Self { by_name, own_rests, hasher, base, .. } = self;
        let name_hash = |index: u32| {
            let place = if index == 0 { 0 } else { index as usize - base.len() };
            // The index holds occupied rows only.
            own_rests[place]
                .identity
                .as_ref()
                .map_or(0, |identity| hash_name(hasher, identity.name.as_bytes()))
        };
        by_name.insert_unique(name_hash(index), index, |&index| name_hash(index));
    }

    /// Sets a member's state and incarnation; the time of change moves when the state does.
    pub(crate) fn set(&mut self, slot: Slot, state: State, incarnation: Incarnation, now: Instant) {
        let (name, time) = (self.name_digest_at(slot.index), self.status_time_at(slot.index));
        let Some(RowMut { row, rest }) = self.touch(slot) else { return };
        let Some(before) = row.known() else { return };
        let status = status_after(state, before.status);
        let after = Known { state, incarnation, status };
        if before.state != state {
            row.state = Some(state);
            // Forgetting is not news about the member: reaping counts from its death.
            if state != State::Forgotten {
                rest.changed = now;
            }
        }
        (row.incarnation, row.status) = (incarnation, status);
        self.digest = self
            .digest
            .wrapping_sub(digest_of(&before, name, time))
            .wrapping_add(digest_of(&after, name, time));
        self.counts[before.state as usize] -= 1;
        self.counts[state as usize] += 1;
        self.revision += u64::from(before.incarnation != incarnation || before.status != status);
        let status_before = before.status;
        if status != status_before {
            self.count_status(status_before, status);
            let versions = self.identity(slot).map(|identity| identity.versions);
            match (status_before.is_up(), status.is_up(), versions) {
                (true, false, Some(versions)) => self.versions.remove(versions),
                (false, true, Some(versions)) => self.versions.add(versions),
                _ => {}
            }
        }
    }

    fn count_status(&mut self, before: Status, after: Status) {
        match before {
            Status::Failed => self.failed -= 1,
            Status::Left => self.left -= 1,
            Status::Alive | Status::Leaving => {}
        }
        match after {
            Status::Failed => self.failed += 1,
            Status::Left => self.left += 1,
            Status::Alive | Status::Leaving => {}
        }
    }

    /// Replaces what a member announced of itself; its name stays.
    pub(crate) fn set_identity(&mut self, slot: Slot, identity: SharedIdentity) {
        let Some((known, before)) = self.known(slot).zip(self.identity(slot).map(|old| old.versions)) else {
            return;
        };
        if known.status.is_up() && before != identity.versions {
            self.versions.remove(before);
            self.versions.add(identity.versions);
        }
        self.revision += 1;
        if let Some(RowMut { row, rest }) = self.touch(slot) {
            row.renamed = true;
            rest.identity = Some(identity);
        }
    }

    /// Removes a member for good; what it was.
    pub(crate) fn reap(&mut self, slot: Slot) -> Option<SharedIdentity> {
        let known = self.known(slot)?;
        let identity = self.identity(slot)?.clone();
        self.digest = self.digest.wrapping_sub(self.digest_part(slot.index));
        let RowMut { row, rest } = self.touch(slot)?;
        (row.state, row.renamed, rest.identity) = (None, false, None);
        self.revision += 1;
        self.status_times.remove(&slot.index);
        self.counts[known.state as usize] -= 1;
        self.count_status(known.status, Status::Alive);
        if known.status.is_up() {
            self.versions.remove(identity.versions);
        }
        if self.base_row(slot.index).is_none() {
            let hash = self.name_hash(&identity.name);
            if let Ok(entry) = self.by_name.find_entry(hash, |&index| index == slot.index) {
                entry.remove();
            }
            self.vacant.push(slot.index);
        }
        Some(identity)
    }

    /// The timer of a member's suspicion or lifetime, taken out.
    pub(crate) fn take_timer(&mut self, slot: Slot) -> Option<Timer> {
        match self.base_row(slot.index) {
            // An untouched row has none.
            Some(row) if !self.overlay.may_have(row) => None,
            _ => self.touch(slot)?.rest.timer.take(),
        }
    }

    pub(crate) fn set_timer(&mut self, slot: Slot, timer: Timer) {
        if let Some(RowMut { rest, .. }) = self.touch(slot) {
            rest.timer = Some(timer);
        }
    }

    pub(crate) fn timer(&self, slot: Slot) -> Option<Timer> {
        self.known(slot)?;
        self.rest(slot.index)?.timer
    }

    /// The next member to probe: round-robin in random order over those that are alive or suspect. `None` when there are none.
    #[inline]
    pub(crate) fn next_probe(&mut self, rng: &mut Rng) -> Option<(Slot, Known)> {
        if self.others_up() == 0 {
            return None;
        }
        let rows = self.end();
        // What remains of this round and one whole round meet every row.
        for _ in 0..2 * rows {
            let index = self.order.next(rows, rng);
            if index == Self::ME.index {
                continue;
            }
            if let Some((slot, known)) = self.at(index)
                && matches!(known.state, State::Alive | State::Suspect)
            {
                return Some((slot, known));
            }
        }
        None
    }
}

/// Whether gossip may go to a member in this state: the dead are told too, so that they can refute.
const fn is_reachable(state: State) -> bool {
    matches!(state, State::Alive | State::Suspect | State::Dead)
}

#[cfg(test)]
mod tests;
