//! Randomness: ChaCha8 streams from one [`Seed`], and the few draws that the protocol needs.
//!
//! The draws are our own, with golden vectors, so that no library release changes a trace.

use core::fmt;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};
use zeroize::Zeroize;

/// Where a node's randomness starts, and where that start comes from. A secret unless it is simulated: never printed, and wiped
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    bytes: [u8; 32],
    simulated: bool,
}

impl Seed {
    /// A seed of 32 bytes that the driver took from the operating system's random source.
    #[must_use]
    pub const fn from_os(bytes: [u8; 32]) -> Self {
        Self { bytes, simulated: false }
    }

    /// The seed of one life of one node in a simulation: equal arguments give equal nodes.
    #[must_use]
    pub fn simulated(run: u64, node: u64, life: u64) -> Self {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip([run, node, life, 0x52_554d_4f52]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        Self { bytes, simulated: true }
    }

    /// Whether the seed was made by [`Seed::simulated`], so that anybody can predict what follows from it.
    #[must_use]
    pub const fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// The bytes themselves, for a recording that is to be replayed: who has them knows every choice of the node.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The stream of draws for one purpose, independent of every other purpose's.
    pub(crate) fn stream(&self, purpose: Purpose) -> Rng {
        let mut inner = ChaCha8Rng::from_seed(self.bytes);
        inner.set_stream(purpose as u64);
        Rng { inner }
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.simulated { "Seed(simulated)" } else { "Seed(secret)" })
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// What a stream of draws is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Every choice of the protocol.
    Protocol = 0,
    /// The hash function of the name index.
    NameIndex = 1,
    /// The phases of periodic work.
    Phases = 2,
    /// The random part of nonces.
    Nonces = 3,
    /// Directions that coordinates are pushed in.
    Coordinates = 4,
    /// The life of its user events, and the hash of their origins.
    Events = 5,
}

/// One stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    inner: ChaCha8Rng,
}

impl Rng {
    pub(crate) fn u32(&mut self) -> u32 {
        self.inner.next_u32()
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.inner.next_u64()
    }

    /// A number below `bound`, each equally likely; 0 when `bound` is 0 (Lemire's multiply-and-reject).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.u32()) * u64::from(bound);
        if (product as u32) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = u64::from(self.u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// A number below `bound`, by 64-bit multiplication; the bias is below 2^-40 for the bounds in use (durations).
    pub(crate) fn below_u64(&mut self, bound: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether an event of probability `numerator / denominator` happens.
    pub(crate) fn chance(&mut self, numerator: u32, denominator: u32) -> bool {
        self.below(denominator.max(1)) < numerator
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::{any, prop_assert, proptest};

    fn rng(run: u64) -> Rng {
        Seed::simulated(run, 2, 3).stream(Purpose::Protocol)
    }

    #[test]
    fn golden_vectors_of_the_draws() {
        let mut r = rng(1);
        let drawn: Vec<u32> = (0..6).map(|_| r.below(1000)).collect();
        let wide: Vec<u64> = (0..2).map(|_| r.below_u64(1_000_000_007)).collect();
        // Recorded once; a change here changes every trace ever published.
        assert_eq!(drawn, [627, 399, 950, 512, 793, 971]);
        assert_eq!(wide, [842_236_694, 853_446_937]);
    }

    #[test]
    fn a_seed_is_not_printed_but_can_be_taken_down() {
        let seed = Seed::from_os([0xAB; 32]);
        assert_eq!(std::format!("{seed:?}"), "Seed(secret)");
        assert_eq!(seed.expose(), &[0xAB; 32]);
    }

    #[test]
    fn purposes_do_not_share_draws() {
        let seed = Seed::simulated(1, 2, 3);
        assert_ne!(seed.stream(Purpose::Protocol).u64(), seed.stream(Purpose::Phases).u64());
        assert_ne!(rng(1).u64(), rng(2).u64());
    }

    #[test]
    fn bounded_draws_are_even() {
        let mut r = rng(7);
        let mut seen = [0u32; 7];
        for _ in 0..70_000 {
            seen[r.below(7) as usize] += 1;
        }
        // Each count is Binomial(70 000, 1/7): sd 92.6, so five of them.
        assert!(seen.iter().all(|n| n.abs_diff(10_000) < 463), "{seen:?}");
    }

    proptest! {
        #[test]
        fn draws_stay_below_their_bound(run in any::<u64>(), bound in any::<u32>(), wide in any::<u64>()) {
            let mut r = rng(run);
            prop_assert!(r.below(bound) < bound.max(1));
            prop_assert!(r.below_u64(wide) < wide.max(1));
        }
    }
}
