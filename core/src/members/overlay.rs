//! Rows of the base that differ from it: few in a hash table, many side by side.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::Row;

/// The share of the base, as one in so many, from which its rows are kept side by side: there the table would take about as
/// much memory.
const DENSE_FROM: usize = 3;

/// A node's own rows in place of base rows, by base row number.
#[derive(Clone, Debug)]
pub(super) enum Overlay {
    /// Rows that were touched.
    Sparse(HashTable<Row>),
    /// Every row of the base, touched or not.
    Dense(Vec<Row>),
}

/// Row numbers are dense and not chosen by anybody: multiplying by an odd constant spreads them.
const fn hash(row: u32) -> u64 {
    (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Overlay {
    pub(super) const fn new() -> Self {
        Self::Sparse(HashTable::new())
    }

    /// The node's own row, if it has one.
    #[inline]
    pub(super) fn get(&self, row: u32) -> Option<&Row> {
        match self {
            Self::Sparse(rows) if rows.is_empty() => None,
            Self::Sparse(rows) => rows.find(hash(row), |own| own.key == row),
            Self::Dense(rows) => rows.get(row as usize),
        }
    }

    pub(super) fn get_mut(&mut self, row: u32) -> Option<&mut Row> {
        match self {
            Self::Sparse(rows) => rows.find_mut(hash(row), |own| own.key == row),
            Self::Dense(rows) => rows.get_mut(row as usize),
        }
    }

    /// The node's own row, made from the base when it has none. `base` has `len` rows.
    pub(super) fn touch(&mut self, row: u32, len: usize, base: impl Fn(u32) -> Row) -> &mut Row {
        if let Self::Sparse(rows) = self
            && (rows.len() + 1) * DENSE_FROM > len
        {
            let sparse = core::mem::take(rows);
            let mut dense: Vec<Row> = (0..len as u32).map(&base).collect();
            for own in sparse {
                let place = own.key as usize;
                dense[place] = own;
            }
            *self = Self::Dense(dense);
        }
        match self {
            Self::Sparse(rows) => rows
                .entry(hash(row), |own| own.key == row, |own| hash(own.key))
                .or_insert_with(|| base(row))
                .into_mut(),
            Self::Dense(rows) => &mut rows[row as usize],
        }
    }
}
