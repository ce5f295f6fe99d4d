//! What so many samples carry: percentiles far out need many, and those of one run may be worth little more than one.

use super::TAIL;
use crate::record::Sample;

/// How many independent samples those of some runs are worth (Kish): n / (1 + (m - 1) r), where m is the size of a run's share and
/// r the intraclass correlation (analysis of variance, at least 0). Never fewer than the runs that have samples.
///
/// From a single run its own correlation cannot be told, so its samples count as they are.
#[must_use]
pub fn effective_samples(runs: &[&[Sample]]) -> f64 {
    let filled: Vec<&[Sample]> = runs.iter().copied().filter(|r| !r.is_empty()).collect();
    let sizes: Vec<f64> = filled.iter().map(|r| r.len() as f64).collect();
    let (count, n) = (filled.len() as f64, sizes.iter().sum::<f64>());
    if filled.len() < 2 || n <= count {
        return n;
    }
    let sum = |run: &[Sample]| run.iter().map(|s| s.value).sum::<f64>();
    let grand = filled.iter().map(|r| sum(r)).sum::<f64>() / n;
    let (mut between, mut within) = (0.0, 0.0);
    for (run, size) in filled.iter().zip(&sizes) {
        let mean = sum(run) / size;
        between += size * (mean - grand) * (mean - grand);
        within += run.iter().map(|s| (s.value - mean) * (s.value - mean)).sum::<f64>();
    }
    let squares: f64 = sizes.iter().map(|s| s * s).sum();
    let (between, within) = (between / (count - 1.0), within / (n - count));
    let shared = ((between - within) / ((n - squares / n) / (count - 1.0))).max(0.0);
    // Samples that do not differ at all say nothing of chance: then a run counts once.
    let correlation = if shared + within > 0.0 { shared / (shared + within) } else { 1.0 };
    (n / (1.0 + (squares / n - 1.0) * correlation)).clamp(count, n)
}

/// Whether so many independent samples say anything about the percentile beyond their own maximum: one in them lies above it.
/// A median needs 2, p90 10, p99 100.
#[must_use]
pub fn carries(samples: f64, permille: u32) -> bool {
    samples * f64::from(1000 - permille.min(1000)) >= 1000.0
}

/// Whether so many independent samples bound the percentile from above with 95 % confidence, without a model: that one of them lies
/// above it must be 95 % sure. A median needs 5, p90 29, p99 299, p99.9 2,995.
#[must_use]
pub fn carries_interval(samples: f64, permille: u32) -> bool {
    carries_interval_at(samples, permille, TAIL)
}

/// The same for an interval that leaves out a chance of `tail` (above 0, below one half) on either side.
#[must_use]
pub fn carries_interval_at(samples: f64, permille: u32, tail: f64) -> bool {
    let share = f64::from(permille) / 1000.0;
    samples * -libm::log(share) >= -libm::log(2.0 * tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::seen;

    #[test]
    fn a_percentile_is_not_estimable_from_too_few_samples() {
        assert!(!carries(99.0, 990) && carries(100.0, 990) && carries(2.0, 500) && !carries(1.0, 500));
        for (permille, needed) in [(500, 5.0), (900, 29.0), (990, 299.0), (999, 2995.0)] {
            assert!(carries_interval(needed, permille) && !carries_interval(needed - 1.0, permille));
        }
    }

    #[test]
    fn samples_that_share_their_cause_are_worth_one() {
        let same: Vec<Vec<Sample>> = (0..10).map(|r| vec![seen(f64::from(r)); 1000]).collect();
        let worth =
            |runs: &[Vec<Sample>]| effective_samples(&runs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!((worth(&same) - 10.0).abs() < 1e-6);
        // Runs that all cover the same spread add nothing of their own.
        let mixed: Vec<Vec<Sample>> =
            (0..10).map(|r| (0..100).map(|k| seen(f64::from((k * 7 + r) % 100))).collect()).collect();
        assert!((worth(&mixed) - 1000.0).abs() < 1e-6);
        // Half of the variance between runs: 10 runs of 100 samples, r about 0.5, about 20.
        let half: Vec<Vec<Sample>> = (0..10)
            .map(|r| (0..100).map(|k| seen(f64::from(r) * 2.0 + f64::from(k % 2) * 12.11)).collect())
            .collect();
        assert!((15.0..25.0).contains(&worth(&half)), "{}", worth(&half));
        assert_eq!(worth(&same[..1]), 1000.0);
        assert_eq!(effective_samples(&[]), 0.0);
    }
}
