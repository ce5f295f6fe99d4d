//! The order in which members are probed: a keyed permutation of the row numbers, new for each round.

use crate::rng::Rng;

/// Round-robin over a random permutation (SWIM 4.3): every member once a round, so that a dead one is found within
/// `2n - 1` probes. The permutation is computed, not stored: its memory does not grow with the cluster.
#[derive(Clone, Debug)]
pub(crate) struct ProbeOrder {
    key: [u32; 3],
    bits: u32,
    cursor: u32,
}

impl ProbeOrder {
    pub(crate) const fn new() -> Self {
        Self { key: [0; 3], bits: 0, cursor: u32::MAX }
    }

    /// The next row number below `rows`. Rows added during a round wait for the next one when they lie beyond the
    /// power of two that the round covers.
    #[inline]
    pub(crate) fn next(&mut self, rows: u32, rng: &mut Rng) -> u32 {
        loop {
            if self.cursor >> self.bits > 0 {
                self.bits = u32::BITS - rows.saturating_sub(1).leading_zeros();
                self.key = [rng.u32(), rng.u32(), rng.u32()];
                self.cursor = 0;
            }
            let row = self.permuted(self.cursor);
            self.cursor += 1;
            if row < rows {
                return row;
            }
        }
    }

    /// A bijection on `bits` bits: odd multiplications and right-shifted xors, both invertible.
    #[inline]
    fn permuted(&self, position: u32) -> u32 {
        let mask = ((1u64 << self.bits) - 1) as u32;
        let shift = (self.bits / 2).max(1);
        let mut x = position;
        for key in self.key {
            x = x.wrapping_add(key >> 8).wrapping_mul(key | 1) & mask;
            x ^= x >> shift;
            x = x.wrapping_mul(0x9E37_79B1) & mask;
            x ^= x >> shift;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Seed};
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn each_round_visits_every_row_once(seed in any::<u64>(), rows in 1u32..300) {
            let mut rng = Seed::simulated(seed, 0, 0).stream(Purpose::Protocol);
            let mut order = ProbeOrder::new();
            for _round in 0..3 {
                let mut seen: Vec<u32> = (0..rows).map(|_| order.next(rows, &mut rng)).collect();
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..rows).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn positions_are_even_over_rounds() {
        let mut rng = Seed::simulated(5, 0, 0).stream(Purpose::Protocol);
        let mut order = ProbeOrder::new();
        const ROWS: u32 = 50;
        const ROUNDS: u32 = 20_000;
        let mut first_half = vec![0u32; ROWS as usize];
        for _ in 0..ROUNDS {
            for position in 0..ROWS {
                let row = order.next(ROWS, &mut rng);
                first_half[row as usize] += u32::from(position < ROWS / 2);
            }
        }
        // Binomial(20 000, 1/2): sd 71; five of them.
        assert!(first_half.iter().all(|n| n.abs_diff(ROUNDS / 2) < 355), "{first_half:?}");
    }
}
