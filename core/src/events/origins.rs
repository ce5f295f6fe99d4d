//! Who sends user events: one entry for each life of each origin, the one heard of longest ago forgotten first.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use hashbrown::HashTable;

use super::received::Received;
use crate::id::{LamportTime, Life};
use crate::time::Instant;

/// No entry.
const NONE: u32 = u32::MAX;

/// What is known of one life of one origin.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) name: Box<str>,
    pub(crate) life: Life,
    /// Tells it apart from all others that this node has known: a place may be given again, a number is not.
    pub(crate) number: u32,
    pub(crate) received: Received,
    /// Events stamped at or below are old: they may have been delivered before an origin was forgotten.
    pub(crate) floor: LamportTime,
    /// The largest stamp that was delivered.
    pub(crate) delivered: LamportTime,
    /// While numbers are missing.
    pub(crate) gap: Option<Box<Gap>>,
    hash: u64,
    older: u32,
    newer: u32,
}

/// Missing numbers of an origin, and what is done about them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// When they are asked for.
    pub(crate) due: Instant,
    /// Numbers up to this one are missing for long enough; later ones may still be on their way.
    pub(crate) horizon: u32,
    /// How often they were asked for in vain.
    pub(crate) tries: u8,
    /// Numbers asked for that have not come.
    pub(crate) asked: u32,
    /// How many were missing when they were asked for.
    pub(crate) missing: u32,
    /// Who says that they exist.
    pub(crate) witness: Option<SocketAddr>,
}

/// The origins of user events.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    entries: Vec<Origin>,
    index: HashTable<u32>,
    oldest: u32,
    newest: u32,
    /// Of the next one; 0 is this node's own.
    next_number: u32,
    /// The largest stamp delivered of any origin that was forgotten.
    floor: LamportTime,
}

const fn mix(hash: u64, life: Life) -> u64 {
    (hash ^ life.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Origins {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: HashTable::new(),
            oldest: NONE,
            newest: NONE,
            next_number: 1,
            floor: LamportTime(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) const fn floor(&self) -> LamportTime {
        self.floor
    }

    pub(crate) fn find(&self, hash: u64, name: &str, life: Life) -> Option<u32> {
        let is = |&place: &u32| {
            let entry = &self.entries[place as usize];
            entry.life == life && *entry.name == *name
        };
        self.index.find(mix(hash, life), is).copied()
    }

    pub(crate) fn get(&self, place: u32) -> &Origin {
        &self.entries[place as usize]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Origin {
        &mut self.entries[place as usize]
    }

    /// A new entry, heard of just now. Its place must be vacant: see [`Origins::forget_oldest`].
    pub(crate) fn insert(&mut self, hash: u64, name: &str, life: Life, vacant: Option<u32>) -> u32 {
        let entry = Origin {
            name: name.into(),
            life,
            number: self.next_number,
            received: Received::default(),
            floor: self.floor,
            delivered: LamportTime(0),
            gap: None,
            hash: mix(hash, life),
            older: NONE,
            newer: NONE,
        };
        self.next_number = self.next_number.checked_add(1).unwrap_or(1);
        let place = match vacant {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        let Self { entries, index, .. } = self;
        index.insert_unique(mix(hash, life), place, |&place| entries[place as usize].hash);
        self.link(place);
        place
    }

    /// Forgets the one heard of longest ago; its place, and what it was.
    pub(crate) fn forget_oldest(&mut self) -> Option<u32> {
        let place = self.oldest;
        let entry = self.entries.get(place as usize)?;
        self.floor = self.floor.max(entry.delivered).max(entry.floor);
        let hash = entry.hash;
        if let Ok(found) = self.index.find_entry(hash, |&at| at == place) {
            found.remove();
        }
        self.unlink(place);
        Some(place)
    }

    /// It was heard of just now.
    pub(crate) fn touch(&mut self, place: u32) {
        if self.newest != place {
            self.unlink(place);
            self.link(place);
        }
    }

    /// Those heard of last first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Origin> {
        let mut next = self.newest;
        core::iter::from_fn(move || {
            let entry = self.entries.get(next as usize)?;
            next = entry.older;
            Some(entry)
        })
    }

    fn link(&mut self, place: u32) {
        let newest = self.newest;
        let entry = &mut self.entries[place as usize];
        (entry.older, entry.newer) = (newest, NONE);
        match self.entries.get_mut(newest as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }

    fn unlink(&mut self, place: u32) {
        let Origin { older, newer, .. } = self.entries[place as usize];
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entries.get_mut(newer as usize) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }
}
