//! Digests of a member table, for delta anti-entropy: two tables that agree have equal ones.
//!
//! What is digested of a table is what every table should agree on: each member that is alive or suspect, with its incarnation,
//! its status and the status's Lamport time. Suspicions are left out, because they end by themselves; members that are gone,
//! because a node that joined later never hears of them. A leave that a peer has missed still shows, as a row that
//! only the peer has.
//!
//! The digest of a set of rows is the sum of the rows' digests, so that it is kept up to date by one subtraction and one
//! addition when a row changes, and the rows of a node that waits with its news are taken out again as cheaply.
//!
//! A row's digest is 64 bits of multiplications, the same on every node and platform. Two tables that differ have equal ones once
//! in 2^64 by chance; a member may also choose its own name so. What that costs: the difference is missed until one of the rows
//! changes, or until the next full exchange, at a join or a reconnect. Gossip and probes do not depend on it.

use alloc::vec;
use alloc::vec::Vec;

use super::{Known, Members};
use crate::id::{Incarnation, LamportTime, SharedIdentity, Slot};
use crate::io::{State, Status};

/// Digits of pi, for want of better.
const KEYS: [u64; 3] = [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D1];

/// Both halves of a product folded into one: each bit of either factor moves all of it.
const fn mix(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// A name's digest; it also says into which bucket the name belongs.
pub(crate) fn name_digest(name: &[u8]) -> u64 {
    let (words, rest) = name.as_chunks::<8>();
    let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let seeded = KEYS[0] ^ name.len() as u64;
    let digest = words.iter().fold(seeded, |digest, word| mix(digest ^ u64::from_le_bytes(*word), KEYS[1]));
    mix(mix(digest ^ last, KEYS[1]), KEYS[2])
}

/// Takes one more number into a digest.
pub(crate) const fn digest_with(digest: u64, number: u64) -> u64 {
    mix(digest ^ KEYS[1], number ^ KEYS[2])
}

/// The digest of a row that is alive or suspect.
pub(super) const fn row_digest(
    name: u64,
    incarnation: Incarnation,
    status: Status,
    time: LamportTime,
) -> u64 {
    let leaving = matches!(status, Status::Leaving) as u64;
    digest_with(digest_with(name, (incarnation.0 as u64) << 1 | leaving), time.0)
}

/// The bucket of a name among `buckets`.
pub(crate) const fn bucket_of(name: u64, buckets: usize) -> usize {
    ((name as u128 * buckets as u128) >> 64) as usize
}

impl Members {
    /// The digest of the name at an index.
    pub(super) fn name_digest_at(&self, index: u32) -> u64 {
        match self.base_row(index) {
            Some(row) => self.base.name_digest(row),
            None => {
                let identity =
                    self.own_rests.get(self.own_place(index)).and_then(|rest| rest.identity.as_ref());
                identity.map_or(0, |identity| name_digest(identity.name.as_bytes()))
            }
        }
    }

    /// What the row at an index adds to the table's digest.
    pub(super) fn digest_part(&self, index: u32) -> u64 {
        match self.at(index) {
            Some((_, known)) => digest_of(&known, self.name_digest_at(index), self.status_time_at(index)),
            None => 0,
        }
    }

    /// The row at an index has changed; it added `before` until now.
    pub(super) fn redigest(&mut self, index: u32, before: u64) {
        let after = self.digest_part(index);
        self.digest = self.digest.wrapping_sub(before).wrapping_add(after);
    }

    /// How many rows are settled, and their digest: all that are digested, without those about which news still `waits` to be
    /// gossiped, because these differ only until it arrives.
    pub(crate) fn settled(&self, waits: impl Iterator<Item = u32>) -> (u32, u64) {
        let all = self.counts[State::Alive as usize] + self.counts[State::Suspect as usize];
        waits.fold((all, self.digest), |(rows, digest), index| match self.at(index) {
            Some((_, known)) if is_digested(&known) => {
                (rows - 1, digest.wrapping_sub(self.digest_part(index)))
            }
            _ => (rows, digest),
        })
    }

    /// The digests of the settled rows by bucket.
    pub(crate) fn bucket_digests(&self, buckets: usize, waits: impl Iterator<Item = u32>) -> Vec<u64> {
        let mut digests = vec![0u64; buckets];
        let mut add = |index: u32, part: u64| {
            let digest = &mut digests[bucket_of(self.name_digest_at(index), buckets)];
            *digest = digest.wrapping_add(part);
        };
        (0..self.end()).for_each(|index| add(index, self.digest_part(index)));
        waits.for_each(|index| add(index, self.digest_part(index).wrapping_neg()));
        digests
    }

    /// Every member whose bucket is wanted, with where it stands.
    pub(crate) fn rows_in(
        &self,
        buckets: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (Slot, &SharedIdentity, Known)> {
        (0..self.end())
            .filter(move |index| wanted(bucket_of(self.name_digest_at(*index), buckets)))
            .filter_map(|index| self.row(index))
    }

    /// The member at an index, with all that is known of it.
    pub(super) fn row(&self, index: u32) -> Option<(Slot, &SharedIdentity, Known)> {
        if index == self.hole {
            return None;
        }
        match self.stored(index) {
            Some(row) => {
                let identity = match row.renamed {
                    true => self.rest(index)?.identity.as_ref()?,
                    false => self.base.identity(self.base_row(index)?),
                };
                Some((Slot { index, generation: row.generation }, identity, row.known()?))
            }
            None => {
                let row = self.base_row(index)?;
                Some((Slot { index, generation: 0 }, self.base.identity(row), self.base_known(row)))
            }
        }
    }

    /// Every member, the node itself first, with where it stands.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Slot, &SharedIdentity, Known)> {
        (0..self.end()).filter_map(|index| self.row(index))
    }
}

/// What a member adds to the table's digest.
pub(super) const fn digest_of(known: &Known, name: u64, time: LamportTime) -> u64 {
    if is_digested(known) { row_digest(name, known.incarnation, known.status, time) } else { 0 }
}

const fn is_digested(known: &Known) -> bool {
    matches!(known.state, State::Alive | State::Suspect)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of different builds must agree: a change here needs a new wire version. Computed apart from this program.
    #[test]
    fn digests_are_the_same_everywhere() {
        let names: [&[u8]; 4] = [b"", b"n1", b"12345678", b"a longer name than one word"];
        assert_eq!(names.map(name_digest), GOLDEN_NAMES);
        let rows =
            [(1, Status::Alive, 0), (1, Status::Leaving, 0), (2, Status::Alive, 0), (1, Status::Alive, 1)];
        let digests = rows.map(|(incarnation, status, time)| {
            row_digest(GOLDEN_NAMES[1], Incarnation(incarnation), status, LamportTime(time))
        });
        assert_eq!(digests, GOLDEN_ROWS);
    }

    const GOLDEN_NAMES: [u64; 4] =
        [0xE7BC_A4BE_E022_6346, 0xF889_2427_B783_9F39, 0x7F7E_5B18_4D98_A4AF, 0xECFA_16AA_B849_5742];
    const GOLDEN_ROWS: [u64; 4] =
        [0xE236_86C6_A945_1EF6, 0x800A_5AE3_1755_3545, 0xA7DA_B6F4_28B9_F38E, 0x1037_EA70_45A0_2FB1];

    /// Names like those of a real cluster fall evenly into buckets.
    #[test]
    fn buckets_are_even() {
        let mut counts = [0u32; 128];
        for i in 0..12_800 {
            counts[bucket_of(name_digest(alloc::format!("node-{i}").as_bytes()), 128)] += 1;
        }
        // Binomial(12 800, 1/128): sd 10; five and a half of them.
        assert!(counts.iter().all(|n| n.abs_diff(100) < 55), "{counts:?}");
    }
}
