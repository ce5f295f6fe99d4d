//! Rows of the base that differ from it: few in a small table, many side by side.

use alloc::vec::Vec;

use super::{NOWHERE, Rest, Roster, Row, RowMut};
use crate::time::Instant;

/// The share of the base, as one in so many, from which its rows are kept side by side: there the table would take about as
/// much memory.
const DENSE_FROM: usize = 3;
/// Slots of the first table.
const SLOTS_MIN: usize = 8;
/// Rows that share a cache line.
const ROWS_IN_LINE: usize = 64 / size_of::<Row>();
/// Rows up to which all are brought near at once: 4 KiB.
const NEAR_ROWS_MAX: usize = 256;
/// Words of 64 classes of row numbers.
const CLASS_WORDS: usize = 8;

/// A node's own rows in place of base rows, by base row number. Nothing leaves it: what is reaped leaves a vacant row.
///
/// What decides claims lies in one place, the rest of each row in the same place of another.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    rows: Vec<Row>,
    rests: Vec<Rest>,
    /// Rows that were touched.
    touched: u32,
    /// Whether every row of the base is there, in its order; else they are found by the hashes of their names and linear
    /// probing, and the number of slots is a power of two.
    dense: bool,
    /// A bit for each class of row numbers of which one was touched. Most rows are of none: that is known without a look at the
    /// rows, which lie elsewhere in memory.
    classes: [u64; CLASS_WORDS],
}

/// The word and the bit of a row's class. Row numbers are dense and not chosen by anybody: multiplying by an odd constant
/// spreads them.
const fn class(row: u32) -> (usize, u64) {
    let class = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55;
    (class as usize / 64, 1 << (class % 64))
}

/// A row of the base, and the hash of its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) row: u32,
    pub(super) hash: u32,
}

/// What a row keeps of the hash of its name: of rows with another name, one in sixty thousand is looked at.
pub(super) const fn tag(hash: u32) -> u16 {
    (hash >> 16) as u16
}

impl Overlay {
    /// Where a row is, or in a table where it would be.
    #[inline]
    fn place(&self, key: Key) -> usize {
        if self.dense || self.rows.is_empty() {
            return key.row as usize;
        }
        let mask = self.rows.len() - 1;
        let mut place = key.hash as usize & mask;
        while self.rows[place].key != key.row && self.rows[place].key != NOWHERE {
            place = (place + 1) & mask;
        }
        place
    }

    /// The node's own row, if it has one.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&Row> {
        self.rows.get(self.place(key)).filter(|own| own.key == key.row)
    }

    /// Whether a row may have been touched; of most that were not it is known.
    #[inline]
    pub(super) const fn may_have(&self, row: u32) -> bool {
        let (word, bit) = class(row);
        self.classes[word] & bit != 0
    }

    /// The node's own row of a name with this hash, if it has one that is in a table: `is_named` tells whether a row of the base
    /// has the name.
    #[inline(always)]
    pub(super) fn named(&self, hash: u32, is_named: impl Fn(u32) -> bool) -> Option<&Row> {
        if self.dense {
            return None;
        }
        let mask = self.rows.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            let own = &self.rows[place];
            if own.key == NOWHERE {
                return None;
            }
            if own.tag == tag(hash) && is_named(own.key) {
                return Some(own);
            }
            place = (place + 1) & mask;
        }
    }

    /// Reads something of each cache line of the rows, unless they are many: where many of them are to be looked up one after
    /// another, the memory gives all at once what it would give one by one.
    pub(super) fn bring_near(&self) {
        if self.rows.len() <= NEAR_ROWS_MAX {
            let lines = self.rows.chunks(ROWS_IN_LINE).filter_map(<[Row]>::first);
            core::hint::black_box(lines.fold(0, |all, row| all ^ row.key));
        }
    }

    /// Asks for the rows, unless they are many.
    #[inline]
    pub(super) fn prefetch(&self) {
        if self.rows.len() <= NEAR_ROWS_MAX {
            crate::prefetch::ask_for_all(&self.rows, NEAR_ROWS_MAX / ROWS_IN_LINE);
        }
    }

    /// The rest of the node's own row, if it has one.
    pub(super) fn rest(&self, key: Key) -> Option<&Rest> {
        let place = self.place(key);
        self.rows.get(place).filter(|own| own.key == key.row).and(self.rests.get(place))
    }

    /// The node's own row, made from the base when it has none.
    #[inline]
    pub(super) fn touch(&mut self, key: Key, base: &Roster, born: Instant) -> RowMut<'_> {
        let mut place = self.place(key);
        if self.rows.get(place).is_none_or(|own| own.key != key.row) {
            place = self.make(key, base, born);
        }
        RowMut { row: &mut self.rows[place], rest: &mut self.rests[place] }
    }

    /// Makes a row from the base; where it is.
    #[inline(never)]
    fn make(&mut self, key: Key, base: &Roster, born: Instant) -> usize {
        self.make_room(base, born);
        let place = self.place(key);
        if self.rows[place].key == NOWHERE {
            (self.rows[place], self.rests[place]) = of_base(base, key, born);
            self.touched += 1;
            let (word, bit) = class(key.row);
            self.classes[word] |= bit;
        }
        place
    }

    /// Makes sure that one more row finds a vacant slot, and a lookup soon a vacant one.
    fn make_room(&mut self, base: &Roster, born: Instant) {
        let (slots, touched) = (self.rows.len(), self.touched as usize);
        if self.dense || (touched + 1) * 4 <= slots * 3 {
            return;
        }
        let (rows, rests) = (core::mem::take(&mut self.rows), core::mem::take(&mut self.rests));
        let old = rows.into_iter().zip(rests).filter(|(row, _)| row.key != NOWHERE);
        if (touched + 1) * DENSE_FROM > base.len() {
            let all = (0..base.len() as u32).map(|row| of_base(base, base.key(row), born));
            (self.rows, self.rests) = all.unzip();
            self.dense = true;
            self.classes = [u64::MAX; CLASS_WORDS];
        } else {
            let slots = (slots * 2).max(SLOTS_MIN);
            self.rows.resize(slots, Row::VACANT);
            self.rests.resize_with(slots, || Rest::VACANT);
        }
        for (row, rest) in old {
            let place = self.place(base.key(row.key));
            (self.rows[place], self.rests[place]) = (row, rest);
        }
    }
}

/// A row of the base as it was at birth.
fn of_base(base: &Roster, key: Key, born: Instant) -> (Row, Rest) {
    let row = Row::alive(base.incarnation(key.row));
    let rest = Rest { changed: born, ..Rest::VACANT };
    (Row { key: key.row, tag: tag(key.hash), renamed: false, ..row }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Identity, Incarnation, NodeName, Versions};
    use crate::rng::Seed;
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::sync::Arc;

    fn roster(names: &[&str]) -> Roster {
        let identity = |name: &&str| {
            let name = NodeName::new(name).unwrap();
            let (addr, versions) = (([10, 0, 0, 1], 7946).into(), Versions::CURRENT);
            (Arc::new(Identity { name, addr, meta: Box::default(), versions }), Incarnation(1))
        };
        Roster::new(names.iter().map(identity), &Seed::simulated(1, 1, 1))
    }

    /// Rows whose hashes are the same all over are told apart by their names.
    #[test]
    fn rows_with_equal_hashes_are_found_by_their_names() {
        let long = String::from_iter(core::iter::repeat_n('x', 40));
        let names = ["one", "two", &long, "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
        let base = roster(&names);
        let mut overlay = Overlay::default();
        for row in [2, 0, 1] {
            overlay.touch(Key { row, hash: 7 }, &base, Instant::ORIGIN);
        }
        for (row, name) in names.iter().enumerate() {
            let found = overlay.named(7, |row| base.is_named(row, name.as_bytes())).map(|own| own.key);
            assert_eq!(found, (row < 3).then_some(row as u32), "{name}");
            assert_eq!(overlay.get(Key { row: row as u32, hash: 7 }).map(|own| own.key), found);
        }
    }

    /// No row that was touched is taken for one that was not.
    #[test]
    fn a_touched_row_may_be_there() {
        let names: Vec<String> = (0..300).map(|i| alloc::format!("m{i}")).collect();
        let base = roster(&names.iter().map(|name| &**name).collect::<Vec<_>>());
        let mut overlay = Overlay::default();
        for row in (0..300).step_by(7) {
            overlay.touch(base.key(row), &base, Instant::ORIGIN);
        }
        assert!((0..300).step_by(7).all(|row| overlay.may_have(row)));
        let others = (0..300).filter(|row| row % 7 > 0 && overlay.may_have(*row)).count();
        assert!(others < 50, "{others} of 257 are said to be there");
    }
}
