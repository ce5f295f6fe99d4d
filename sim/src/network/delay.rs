//! Latency distributions: a word of random bits in, nanoseconds out.

use std::sync::Arc;

use rumormill_core::time::nanos;

use crate::draws::{normal, unit};
use crate::scenario::Latency;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// A latency distribution, ready to draw from; nanoseconds. A float beyond the range saturates: a packet that takes 584 years.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Constant(u64),
    /// From the first, so much up.
    Uniform(u64, u64),
    /// Mean and standard deviation; what would be negative counts as 0.
    Normal(f64, f64),
    /// Median, and sigma of the logarithm.
    Lognormal(f64, f64),
    /// The smallest, and one over the tail's exponent.
    Pareto(f64, f64),
    /// Share at or below, and value there; straight lines between.
    Empirical(Arc<[(f64, f64)]>),
}

impl Delay {
    /// The distribution that a scenario describes.
    #[must_use]
    pub fn new(latency: &Latency) -> Self {
        let float = |duration: std::time::Duration| nanos(duration) as f64;
        match latency {
            Latency::Constant { value } => Self::Constant(nanos(*value)),
            Latency::Uniform { min, max } => Self::Uniform(nanos(*min), nanos(max.saturating_sub(*min))),
            Latency::Normal { mean, sd } => Self::Normal(float(*mean), float(*sd)),
            Latency::Lognormal { median, p99 } => {
                let median = float(*median).max(1.0);
                Self::Lognormal(median, libm::log(float(*p99).max(1.0) / median).max(0.0) / NORMAL_P99)
            }
            Latency::Pareto { min, shape } => Self::Pareto(float(*min), 1.0 / shape),
            Latency::Empirical { table } => {
                Self::Empirical(table.iter().map(|(share, value)| (*share, float(*value))).collect())
            }
        }
    }

    /// The latency that a word of random bits stands for.
    #[must_use]
    pub fn of(&self, word: u64) -> u64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform(min, span) => min + ((u128::from(word) * (u128::from(*span) + 1)) >> 64) as u64,
            Self::Normal(mean, sd) => (mean + sd * normal(word)) as u64,
            Self::Lognormal(median, sigma) => (median * libm::exp(sigma * normal(word))) as u64,
            Self::Pareto(min, exponent) => (min * libm::pow(1.0 - unit(word), -exponent)) as u64,
            Self::Empirical(table) => at_share(table, unit(word)) as u64,
        }
    }

    /// A latency that at most one packet in a hundred exceeds, in nanoseconds.
    #[must_use]
    pub fn p99(&self) -> u64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform(min, span) => min + span,
            Self::Normal(mean, sd) => (mean + sd * NORMAL_P99) as u64,
            Self::Lognormal(median, sigma) => (median * libm::exp(sigma * NORMAL_P99)) as u64,
            Self::Pareto(min, exponent) => (min * libm::pow(0.01, -exponent)) as u64,
            Self::Empirical(table) => at_share(table, 0.99) as u64,
        }
    }
}

/// The value of an empirical table at a share.
fn at_share(table: &[(f64, f64)], share: f64) -> f64 {
    let above = table.partition_point(|(at, _)| *at <= share).clamp(1, table.len().saturating_sub(1).max(1));
    match (table.get(above - 1), table.get(above)) {
        (Some((from, low)), Some((to, high))) if to > from => {
            low + (high - low) * (share - from) / (to - from)
        }
        (Some((_, value)), _) => *value,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::draws::{Draws, Purpose};

    fn drawn(latency: &Latency) -> Vec<u64> {
        let delay = Delay::new(latency);
        let draws = Draws::new(3);
        let mut drawn: Vec<u64> =
            (0..100_000).map(|slot| delay.of(draws.word(Purpose::DatagramLatency, 0, 1, slot, 0))).collect();
        drawn.sort_unstable();
        drawn
    }

    #[track_caller]
    fn near(value: u64, want: f64) {
        assert!((value as f64 / want - 1.0).abs() < 0.02, "{value} is not near {want}");
    }

    const US: fn(u64) -> Duration = Duration::from_micros;

    #[test]
    fn a_lognormal_latency_has_the_median_and_p99_it_was_given() {
        let drawn = drawn(&Latency::Lognormal { median: US(400), p99: US(2000) });
        near(drawn[50_000], 400e3);
        near(drawn[99_000], 2e6);
    }

    #[test]
    fn a_normal_latency_has_its_mean_and_deviation_and_is_never_negative() {
        let wide = drawn(&Latency::Normal { mean: US(1000), sd: US(200) });
        near(wide[50_000], 1e6);
        near(wide[84_134], 1.2e6);
        let cut = drawn(&Latency::Normal { mean: US(100), sd: US(100) });
        // A normal deviate is below -1 with probability 0.1587.
        assert!((15_500..16_250).contains(&cut.partition_point(|v| *v == 0)));
    }

    #[test]
    fn a_pareto_latency_exceeds_x_with_probability_min_over_x_to_the_shape() {
        let drawn = drawn(&Latency::Pareto { min: US(100), shape: 2.0 });
        assert!(drawn[0] >= 100_000);
        near(drawn[50_000], 100e3 * 2f64.sqrt());
        near(drawn[99_000], 1e6);
        near(Delay::new(&Latency::Pareto { min: US(100), shape: 2.0 }).p99(), 1e6);
    }

    #[test]
    fn an_empirical_latency_follows_its_table() {
        let table = vec![(0.0, US(100)), (0.5, US(200)), (0.99, US(1000)), (1.0, US(5000))];
        let drawn = drawn(&Latency::Empirical { table });
        near(drawn[25_000], 150e3);
        assert!((195_000..210_000).contains(&drawn[50_000]), "{}", drawn[50_000]);
        assert!((950_000..1_100_000).contains(&drawn[99_000]), "{}", drawn[99_000]);
        assert!(drawn[0] >= 100_000 && drawn[99_999] <= 5_000_000);
    }
}
