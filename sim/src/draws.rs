//! Randomness of a run that is not a node's own.
//!
//! Network draws are common random numbers: a pure keyed function of what is drawn for, so that two variants of a scenario that
//! send different packets still meet the same bad moments. Faults have streams, one each.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

/// What a keyed draw is for. The number is part of every published trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Whether a datagram is lost.
    DatagramLoss = 1,
    /// How long a datagram takes.
    DatagramLatency = 2,
    /// Whether a segment of a stream is lost.
    SegmentLoss = 3,
    /// How long a segment of a stream takes.
    SegmentLatency = 4,
    /// How far a repeated join is moved in time.
    JoinJitter = 5,
    /// Through whom a node joins.
    Through = 6,
    /// Whether a datagram arrives twice.
    Duplicate = 7,
    /// How long the second copy takes.
    DuplicateLatency = 8,
    /// Whether a datagram is held back.
    Reorder = 9,
    /// How long it is held back.
    ReorderExtra = 10,
    /// Whether a datagram is damaged.
    Corrupt = 11,
    /// Which of its bits flips.
    CorruptBit = 12,
    /// How many moments a link's burst process has in a cell of time.
    BurstCount = 13,
    /// Where in the cell such a moment lies.
    BurstMoment = 14,
    /// Which state begins at it.
    BurstState = 15,
    /// How much later a slow sender's message leaves.
    SlowSend = 16,
    /// How much later a slow receiver takes a message.
    SlowReceive = 17,
    /// Whether a partial partition cuts a pair.
    Pair = 18,
}

/// The keyed function of one run.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    keys: [u64; 3],
}

/// Folds the 128-bit product of two words: every bit of the result depends on every bit of both.
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// The next word of a SplitMix64 sequence, which turns seeds that differ in one bit into unrelated keys.
const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Draws {
    /// The function of the run with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let mut state = seed;
        Self { keys: [split_mix(&mut state), split_mix(&mut state), split_mix(&mut state)] }
    }

    /// 64 even bits for (purpose, from, to, slot, ordinal): equal arguments, equal bits.
    #[must_use]
    pub const fn word(&self, purpose: Purpose, from: u32, to: u32, slot: u64, ordinal: u16) -> u64 {
        let link = ((from as u64) << 32) | to as u64;
        let moment = (slot << 24) | ((ordinal as u64) << 8) | purpose as u64;
        let mixed = fold(link ^ self.keys[0], moment ^ self.keys[1]);
        fold(mixed ^ self.keys[2], link.rotate_left(29) ^ moment ^ 0xa076_1d64_78bd_642f)
    }
}

/// A word as a number from 0 up to below 1.
#[must_use]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Two independent numbers in (0, 1) from one word make one standard normal (Box and Muller).
#[must_use]
pub fn normal(word: u64) -> f64 {
    let first = ((word >> 32) as f64 + 0.5) * (1.0 / 4_294_967_296.0);
    let second = ((word as u32) as f64 + 0.5) * (1.0 / 4_294_967_296.0);
    libm::sqrt(-2.0 * libm::log(first)) * libm::cos(core::f64::consts::TAU * second)
}

/// A stream's number for what it is about: equal texts, equal streams.
#[must_use]
pub fn stream_of(about: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(about.as_bytes())
}

/// Every node in the order in which the selectors of one thing take them: a shuffle on a stream of the thing's own, whatever
/// else the scenario has.
#[must_use]
pub fn order(seed: u64, about: &str, nodes: u32) -> Vec<u32> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(b"selector");
    let mut rng = ChaCha8Rng::from_seed(bytes);
    rng.set_stream(stream_of(about));
    let mut order: Vec<u32> = (0..nodes).collect();
    for last in (1..order.len()).rev() {
        let pick = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, pick as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vectors_of_the_draws() {
        let draws = Draws::new(1);
        let words = [
            draws.word(Purpose::DatagramLoss, 0, 1, 0, 0),
            draws.word(Purpose::DatagramLatency, 0, 1, 0, 0),
            draws.word(Purpose::DatagramLoss, 1, 0, 77, 3),
        ];
        // Recorded once; a change here changes every trace ever published.
        assert_eq!(words, GOLDEN_WORDS);
        assert_eq!(order(1, "crash 0", 8), GOLDEN_ORDER);
    }

    const GOLDEN_WORDS: [u64; 3] =
        [7_801_188_854_246_507_971, 1_566_966_856_088_213_013, 3_112_682_019_813_850_245];
    const GOLDEN_ORDER: [u32; 8] = [7, 0, 2, 6, 4, 1, 3, 5];

    #[test]
    fn draws_are_even_and_every_argument_matters() {
        let draws = Draws::new(7);
        let mut ones = 0u64;
        for slot in 0..1000 {
            for to in 0..10 {
                ones += u64::from(draws.word(Purpose::DatagramLoss, 3, to, slot, 0).count_ones());
            }
        }
        // Binomial(640 000, 1/2): sd 400, so five of them.
        assert!(ones.abs_diff(320_000) < 2000, "{ones}");
        let base = draws.word(Purpose::DatagramLoss, 1, 2, 3, 4);
        assert_ne!(base, draws.word(Purpose::SegmentLoss, 1, 2, 3, 4));
        assert_ne!(base, draws.word(Purpose::DatagramLoss, 2, 1, 3, 4));
        assert_ne!(base, draws.word(Purpose::DatagramLoss, 1, 2, 4, 4));
        assert_ne!(base, draws.word(Purpose::DatagramLoss, 1, 2, 3, 5));
        assert_ne!(base, Draws::new(8).word(Purpose::DatagramLoss, 1, 2, 3, 4));
    }

    #[test]
    fn a_selector_stream_is_untouched_by_other_streams() {
        let alone = order(5, "crash 1", 100);
        let _ = order(5, "crash 0", 100);
        assert_eq!(alone, order(5, "crash 1", 100));
        assert_ne!(alone, order(5, "crash 0", 100));
        assert_ne!(alone, order(6, "crash 1", 100));
    }
}
