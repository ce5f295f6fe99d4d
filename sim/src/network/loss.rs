//! Loss: each packet on its own, or in bursts that belong to a link and a moment, not to a packet.

use rumormill_core::time::nanos;

use crate::draws::{Draws, Purpose, unit};
use crate::scenario::Loss;

/// How packets of one link are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossModel {
    /// With this chance.
    Bernoulli(f64),
    /// Gilbert-Elliott: with one chance while the link is good, with another while it is bad.
    Bursts {
        /// Chance of loss while good.
        good: f64,
        /// Chance of loss while bad.
        bad: f64,
        /// Share of time that is bad.
        bad_share: f64,
        /// Mean time between two moments at which the state is drawn anew, nanoseconds.
        cell: u64,
    },
}

/// Most moments that are looked for in one cell; a Poisson count of mean 1 exceeds it once in 10^15.
const MOMENTS_MAX: u16 = 16;

impl LossModel {
    /// No loss.
    pub const NONE: Self = Self::Bernoulli(0.0);

    /// The model that a scenario describes.
    #[must_use]
    pub fn new(loss: &Loss) -> Self {
        match loss {
            Loss::Bernoulli(chance) => Self::Bernoulli(*chance),
            Loss::GilbertElliott { good, bad, mean_good, mean_bad } => {
                let (stay_good, stay_bad) = (nanos(*mean_good) as f64, nanos(*mean_bad) as f64);
                let cell = stay_good * stay_bad / (stay_good + stay_bad);
                Self::Bursts {
                    good: *good,
                    bad: *bad,
                    bad_share: stay_bad / (stay_good + stay_bad),
                    cell: (cell as u64).max(1),
                }
            }
        }
    }

    /// The chance that a packet sent now from one node to another is lost.
    #[must_use]
    pub fn chance(&self, draws: &Draws, from: u32, to: u32, now: u64) -> f64 {
        match self {
            Self::Bernoulli(chance) => *chance,
            Self::Bursts { good, bad, bad_share, cell } => {
                if is_bad(draws, (from, to), now, *bad_share, *cell) { *bad } else { *good }
            }
        }
    }

    /// The chance over all time.
    #[must_use]
    pub fn average(&self) -> f64 {
        match self {
            Self::Bernoulli(chance) => *chance,
            Self::Bursts { good, bad, bad_share, .. } => bad * bad_share + good * (1.0 - bad_share),
        }
    }
}

/// The state of a link's two-state Markov process at a moment: a pure function of link and time.
///
/// Such a process, with stays of mean `g` and `b`, is the same in law as one whose state is drawn anew, bad with probability
/// `b / (g + b)`, at the moments of a Poisson process of rate `1/g + 1/b`. So the last such moment decides, and it is found in a
/// step or two, whatever the time.
fn is_bad(draws: &Draws, (from, to): (u32, u32), now: u64, bad_share: f64, cell: u64) -> bool {
    let mut number = now / cell;
    let mut until = now % cell;
    loop {
        let count = poisson_of_mean_1(unit(draws.word(Purpose::BurstCount, from, to, number, 0)));
        let moments = (0..count).map(|k| {
            let word = draws.word(Purpose::BurstMoment, from, to, number, k);
            (((u128::from(word) * u128::from(cell)) >> 64) as u64, k)
        });
        let last = moments.filter(|(at, _)| *at <= until).max();
        if let Some((_, k)) = last {
            return unit(draws.word(Purpose::BurstState, from, to, number, k)) < bad_share;
        }
        if number == 0 {
            return unit(draws.word(Purpose::BurstState, from, to, 0, u16::MAX)) < bad_share;
        }
        number -= 1;
        until = cell;
    }
}

/// A Poisson count of mean 1, by its distribution function.
fn poisson_of_mean_1(uniform: f64) -> u16 {
    let mut term = 0.367_879_441_171_442_33;
    let mut sum = term;
    let mut count = 0;
    while uniform >= sum && count < MOMENTS_MAX {
        count += 1;
        term /= f64::from(count);
        sum += term;
    }
    count
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MS: u64 = 1_000_000;

    fn bursts() -> LossModel {
        LossModel::new(&Loss::GilbertElliott {
            good: 0.0,
            bad: 1.0,
            mean_good: Duration::from_millis(900),
            mean_bad: Duration::from_millis(100),
        })
    }

    #[test]
    fn a_link_is_bad_for_its_share_of_time_and_for_as_long_as_it_should_be() {
        let model = bursts();
        let draws = Draws::new(4);
        // 20,000 s in steps of 1 ms: about 20,000 bursts of 100 ms.
        let (mut bad, mut bursts, mut before) = (0u32, 0u32, false);
        for k in 0..20_000_000 {
            let now = model.chance(&draws, 1, 2, k * MS) == 1.0;
            bad += u32::from(now);
            bursts += u32::from(now && !before);
            before = now;
        }
        let share = f64::from(bad) / 20e6;
        assert!((share - 0.1).abs() < 0.003, "{share}");
        let length = f64::from(bad) / f64::from(bursts);
        assert!((length - 100.0).abs() < 4.0, "{length} ms");
        assert!((model.average() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_state_is_a_function_of_link_and_time_alone() {
        let model = bursts();
        let draws = Draws::new(4);
        let states = |from, to| -> Vec<f64> {
            (0..2000).map(|k| model.chance(&draws, from, to, k * 7 * MS)).collect()
        };
        let forward = states(1, 2);
        let mut backward: Vec<f64> =
            (0..2000).rev().map(|k| model.chance(&draws, 1, 2, k * 7 * MS)).collect();
        backward.reverse();
        assert_eq!(forward, backward, "asked in any order");
        assert_ne!(forward, states(2, 1), "each way has its own");
        assert_ne!(forward, states(1, 3));
    }
}
