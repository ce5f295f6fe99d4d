//! Rows of the base that differ from it: few in a small table, many side by side.

use alloc::vec::Vec;

use super::{NOWHERE, Rest, Row, RowMut};

/// The share of the base, as one in so many, from which its rows are kept side by side: there the table would take about as
/// much memory.
const DENSE_FROM: usize = 3;
/// Slots of the first table.
const SLOTS_MIN: usize = 8;
/// Rows that share a cache line.
const ROWS_IN_LINE: usize = 64 / size_of::<Row>();
/// Rows up to which all are brought near at once: 4 KiB.
const NEAR_ROWS_MAX: usize = 256;

/// A node's own rows in place of base rows, by base row number. Nothing leaves it: what is reaped leaves a vacant row.
///
/// What decides claims lies in one place, the rest of each row in the same place of another.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    rows: Vec<Row>,
    rests: Vec<Rest>,
    /// Rows that were touched.
    touched: u32,
    /// Whether every row of the base is there, in its order; else they are found by linear probing, and the number of slots is
    /// a power of two.
    dense: bool,
    /// A bit for each class of row numbers of which one was touched. Most rows are of none: that is known without a look at the
    /// rows, which lie elsewhere in memory.
    classes: [u64; CLASS_WORDS],
}

/// Words of 64 classes of row numbers.
const CLASS_WORDS: usize = 8;

/// The word and the bit of a row's class.
const fn class(row: u32) -> (usize, u64) {
    let class = hash(row) >> 55;
    (class as usize / 64, 1 << (class % 64))
}

/// Row numbers are dense and not chosen by anybody: multiplying by an odd constant spreads them.
const fn hash(row: u32) -> u64 {
    (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Overlay {
    /// Where a row is, or in a table where it would be.
    #[inline]
    fn place(&self, row: u32) -> usize {
        if self.dense || self.rows.is_empty() {
            return row as usize;
        }
        let mask = self.rows.len() - 1;
        let mut place = (hash(row) >> 32) as usize & mask;
        while self.rows[place].key != row && self.rows[place].key != NOWHERE {
            place = (place + 1) & mask;
        }
        place
    }

    /// The node's own row, if it has one.
    #[inline]
    pub(super) fn get(&self, row: u32) -> Option<&Row> {
        self.rows.get(self.place(row)).filter(|own| own.key == row)
    }

    /// The same of a row that was probably not touched.
    #[inline]
    pub(super) fn get_rare(&self, row: u32) -> Option<&Row> {
        let (word, bit) = class(row);
        if self.classes[word] & bit == 0 { None } else { self.get(row) }
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
    #[cfg(feature = "prefetch")]
    #[inline]
    pub(super) fn prefetch(&self) {
        if self.rows.len() <= NEAR_ROWS_MAX {
            crate::prefetch::ask_for_all(&self.rows, NEAR_ROWS_MAX / ROWS_IN_LINE);
        }
    }

    /// The rest of the node's own row, if it has one.
    pub(super) fn rest(&self, row: u32) -> Option<&Rest> {
        let place = self.place(row);
        self.rows.get(place).filter(|own| own.key == row).and(self.rests.get(place))
    }

    pub(super) fn rest_mut(&mut self, row: u32) -> Option<&mut Rest> {
        let place = self.place(row);
        self.rows.get(place).filter(|own| own.key == row).and(self.rests.get_mut(place))
    }

    /// The node's own row, made from the base when it has none. `base` has `len` rows.
    pub(super) fn touch(&mut self, row: u32, len: usize, base: impl Fn(u32) -> (Row, Rest)) -> RowMut<'_> {
        if self.get(row).is_none() {
            self.make_room(len, &base);
            let place = self.place(row);
            if self.rows[place].key == NOWHERE {
                (self.rows[place], self.rests[place]) = base(row);
                self.touched += 1;
                let (word, bit) = class(row);
                self.classes[word] |= bit;
            }
        }
        let place = self.place(row);
        RowMut { row: &mut self.rows[place], rest: &mut self.rests[place] }
    }

    /// Makes sure that one more row finds a vacant slot, and a lookup soon a vacant one.
    fn make_room(&mut self, len: usize, base: impl Fn(u32) -> (Row, Rest)) {
        let slots = self.rows.len();
        let touched = self.touched as usize;
        if self.dense || (touched + 1) * 4 <= slots * 3 {
            return;
        }
        let (rows, rests) = (core::mem::take(&mut self.rows), core::mem::take(&mut self.rests));
        let (rows, rests) = (rows.into_iter(), rests.into_iter());
        let old = rows.zip(rests).filter(|(row, _)| row.key != NOWHERE);
        if (touched + 1) * DENSE_FROM > len {
            (self.rows, self.rests) = (0..len as u32).map(base).unzip();
            self.dense = true;
            self.classes = [u64::MAX; CLASS_WORDS];
        } else {
            let slots = (slots * 2).max(SLOTS_MIN);
            self.rows.resize(slots, Row::VACANT);
            self.rests.resize_with(slots, || Rest::VACANT);
        }
        for (row, rest) in old {
            let place = self.place(row.key);
            (self.rows[place], self.rests[place]) = (row, rest);
        }
    }
}
