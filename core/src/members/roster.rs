//! The base of a member table: who was believed alive at birth, immutable and shared.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{BuildHasher as _, Hasher as _};
use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use super::digest::{name_digest, row_digest};
use super::overlay::Key;
use crate::id::{Incarnation, LamportTime, SharedIdentity, Versions, same_bytes};
use crate::io::Status;
use crate::rng::{Purpose, Seed};

/// Names up to this length lie beside the address, so that finding a member touches nothing else.
const SHORT_NAME_BYTES: usize = 27;

/// What decides most claims about a member: one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Face {
    addr: SocketAddr,
    incarnation: Incarnation,
    /// Bytes of the name that `name` holds; `LONG_NAME` when it does not fit.
    name_bytes: u8,
    name: [u8; SHORT_NAME_BYTES],
}

const LONG_NAME: u8 = u8::MAX;
const _: () = assert!(size_of::<Face>() == 64, "a face is one cache line");

impl Face {
    pub(super) fn new(identity: &SharedIdentity, incarnation: Incarnation) -> Self {
        let mut name = [0; SHORT_NAME_BYTES];
        let bytes = identity.name.as_bytes();
        let name_bytes = match name.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                bytes.len() as u8
            }
            None => LONG_NAME,
        };
        Self { addr: identity.addr, incarnation, name_bytes, name }
    }

    /// Whether this is the face of `name`; `None` when only the identity can tell.
    #[inline]
    pub(super) fn is_named(&self, name: &[u8]) -> Option<bool> {
        let short = self.name.get(..usize::from(self.name_bytes))?;
        Some(same_bytes(short, name))
    }
}

/// A name's hash, from its bytes alone: a name off the wire is looked for before it is known to be text.
#[inline]
pub(super) fn hash_name(hasher: &FixedState, name: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name);
    state.finish()
}

/// As much of a name's hash as is kept.
#[inline]
pub(super) const fn upper_half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// How many members announce each combination of version bytes: a handful in any sane cluster, and nearly always one.
#[derive(Clone, Debug)]
pub(super) struct VersionCounts {
    usual: Versions,
    usual_members: u32,
    others: HashMap<Versions, u32, FixedState>,
}

impl VersionCounts {
    pub(super) fn new(hasher: FixedState) -> Self {
        Self { usual: Versions::CURRENT, usual_members: 0, others: HashMap::with_hasher(hasher) }
    }

    pub(super) fn add(&mut self, versions: Versions) {
        if versions == self.usual {
            self.usual_members += 1;
        } else {
            *self.others.entry(versions).or_insert(0) += 1;
        }
    }

    pub(super) fn remove(&mut self, versions: Versions) {
        if versions == self.usual {
            self.usual_members -= 1;
        } else if let Some(count) = self.others.get_mut(&versions) {
            *count -= 1;
            if *count == 0 {
                self.others.remove(&versions);
            }
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Versions> {
        (self.usual_members > 0).then_some(&self.usual).into_iter().chain(self.others.keys())
    }
}

/// Members believed alive, with an index by name: what a snapshot knew, or a simulator's converged start.
///
/// It never changes. Every node keeps its own differences from it, so any number of nodes can share one roster, and a node's
/// memory grows with what it has seen change, not with the cluster. Making one takes time proportional to its length;
/// giving it to a node takes none.
#[derive(Clone)]
pub struct Roster {
    faces: Vec<Face>,
    identities: Vec<SharedIdentity>,
    /// The upper halves of the hashes of the names.
    hashes: Vec<u32>,
    /// The digests of the names.
    digests: Vec<u64>,
    /// The digest of all rows.
    digest: u64,
    by_name: HashTable<u32>,
    hasher: FixedState,
    versions: VersionCounts,
}

impl Roster {
    /// A roster of these members; of two with the same name the first counts.
    ///
    /// `seed` starts the hash function of the names. An agent gives the seed that its node gets, from the operating system,
    /// so that nobody can choose names that collide.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = (SharedIdentity, Incarnation)>, seed: &Seed) -> Self {
        let members = members.into_iter();
        let room = members.size_hint().0;
        let hasher = FixedState::with_seed(seed.stream(Purpose::NameIndex).u64());
        let mut roster = Self {
            faces: Vec::with_capacity(room),
            identities: Vec::with_capacity(room),
            hashes: Vec::with_capacity(room),
            digests: Vec::with_capacity(room),
            digest: 0,
            by_name: HashTable::with_capacity(room),
            versions: VersionCounts::new(hasher.clone()),
            hasher,
        };
        for (identity, incarnation) in members {
            roster.add(identity, incarnation);
        }
        roster
    }

    fn add(&mut self, identity: SharedIdentity, incarnation: Incarnation) {
        if self.find(identity.name.as_bytes()).is_some() {
            return;
        }
        let hash = self.hash_of(identity.name.as_bytes());
        self.hashes.push(upper_half(hash));
        self.faces.push(Face::new(&identity, incarnation));
        self.versions.add(identity.versions);
        self.digests.push(name_digest(identity.name.as_bytes()));
        self.identities.push(identity);
        self.digest = self.digest.wrapping_add(self.row_digest(self.digests.len() as u32 - 1));
        let Self { by_name, identities, hasher, .. } = self;
        by_name.insert_unique(hash, identities.len() as u32 - 1, |&row| {
            hash_name(hasher, identities[row as usize].name.as_bytes())
        });
    }

    /// Members in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Its members, in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&SharedIdentity, Incarnation)> {
        self.identities.iter().zip(self.faces.iter().map(|face| face.incarnation))
    }

    /// The row of a name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        self.find_hashed(name, self.hash_of(name))
    }

    /// The same, given the name's hash.
    #[inline]
    pub(super) fn find_hashed(&self, name: &[u8], hash: u64) -> Option<u32> {
        self.by_name.find(hash, |&row| self.is_named(row, name)).copied()
    }

    /// A name's hash here.
    #[inline(always)]
    pub(super) fn hash_of(&self, name: &[u8]) -> u64 {
        hash_name(&self.hasher, name)
    }

    /// By what nodes find what they keep of a row.
    #[inline]
    pub(super) fn key(&self, row: u32) -> Key {
        Key { row, hash: self.hashes[row as usize] }
    }

    #[inline(always)]
    pub(super) fn is_named(&self, row: u32, name: &[u8]) -> bool {
        let long = || self.identities[row as usize].name.as_bytes() == name;
        self.faces[row as usize].is_named(name).unwrap_or_else(long)
    }

    pub(super) const fn versions(&self) -> &VersionCounts {
        &self.versions
    }

    pub(super) const fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn name_digest(&self, row: u32) -> u64 {
        self.digests[row as usize]
    }

    /// The digest of a row as it stands here: alive, without an intent.
    pub(super) fn row_digest(&self, row: u32) -> u64 {
        row_digest(self.name_digest(row), self.incarnation(row), Status::Alive, LamportTime(0))
    }

    pub(super) fn identity(&self, row: u32) -> &SharedIdentity {
        &self.identities[row as usize]
    }

    /// The bytes of a name, and its address.
    pub(super) fn whereabouts(&self, row: u32) -> (&[u8], SocketAddr) {
        let face = &self.faces[row as usize];
        let short = face.name.get(..usize::from(face.name_bytes));
        (short.unwrap_or_else(|| self.identities[row as usize].name.as_bytes()), face.addr)
    }

    pub(super) fn incarnation(&self, row: u32) -> Incarnation {
        self.faces[row as usize].incarnation
    }
}

impl Default for Roster {
    /// Nobody.
    fn default() -> Self {
        Self {
            faces: Vec::new(),
            identities: Vec::new(),
            hashes: Vec::new(),
            digests: Vec::new(),
            digest: 0,
            by_name: HashTable::new(),
            hasher: FixedState::with_seed(0),
            versions: VersionCounts::new(FixedState::with_seed(0)),
        }
    }
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Face({}, {:?})", self.addr, self.incarnation)
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roster({} members)", self.len())
    }
}
