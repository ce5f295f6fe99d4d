//! Distributions with too many samples to be kept one by one: every sample moves to the middle of its bucket.
//!
//! Buckets have a fixed ratio of 1.005 and fixed places (bucket k holds 1.005^k up to 1.005^(k+1)), so histograms of the same metric
//! always fit together: merging two is putting their samples together, exactly what the histogram of all samples would be. The
//! smallest and the largest sample stay as they are; censored samples have buckets of their own. A percentile is off by at most
//! 0.25 %, plus 0.005 % by which middles are rounded to be short in files.

use crate::record::Sample;
use crate::stats::by_time;

/// Upper end of a bucket over its lower end.
pub const RATIO: f64 = 1.005;

/// Moves samples (sorted by time) into their buckets, the smallest and the largest apart.
pub fn bucket(samples: &mut [Sample]) {
    let (Some(first), Some(last)) = (samples.first().copied(), samples.last().copied()) else { return };
    let inner = samples.len().saturating_sub(1);
    for sample in samples.iter_mut().take(inner).skip(1) {
        // The middle of the bucket that holds an extreme may lie beyond it; both ends stay in that bucket.
        sample.value = middle(sample.value).clamp(first.value, last.value);
    }
    samples.sort_by(by_time);
}

/// The middle of a value's bucket. What is 0 or less has no bucket and stays as it is.
fn middle(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let number = libm::floor(libm::log(value) / libm::log(RATIO));
    let middle = libm::exp((number + 0.5) * libm::log(RATIO));
    format!("{middle:.4e}").parse().unwrap_or(middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{quantile, seen};
    use proptest::prelude::*;

    fn sorted(mut samples: Vec<Sample>) -> Vec<Sample> {
        samples.sort_by(by_time);
        samples
    }

    fn bucketed(samples: Vec<Sample>) -> Vec<Sample> {
        let mut samples = sorted(samples);
        bucket(&mut samples);
        samples
    }

    proptest! {
        #[test]
        fn merging_histograms_gives_the_histogram_of_all(
            a in prop::collection::vec((1e-6..1e6, any::<bool>()), 1..60),
            b in prop::collection::vec((0.5..2.0, any::<bool>()), 1..60),
        ) {
            let list = |of: &[(f64, bool)]| of.iter().map(|(value, censored)| Sample { value: *value, censored: *censored }).collect::<Vec<_>>();
            let (a, b) = (list(&a), list(&b));
            let all = bucketed([a.clone(), b.clone()].concat());
            let merged = bucketed([bucketed(a), bucketed(b)].concat());
            prop_assert_eq!(all, merged);
        }

        #[test]
        fn a_sample_moves_by_less_than_half_a_bucket(value in 1e-9f64..1e9) {
            let moved = middle(value);
            prop_assert!((moved / value - 1.0).abs() < 0.002_6, "{} {}", value, moved);
            prop_assert_eq!(middle(moved), moved);
        }
    }

    #[test]
    fn extremes_stay_exact_and_percentiles_nearly_so() {
        let samples: Vec<Sample> = (0..5000).map(|k| seen(10.0 + f64::from(k) * 0.001_234_5)).collect();
        let (exact, moved) = (sorted(samples.clone()), bucketed(samples));
        assert_eq!((exact[0], exact[4999]), (moved[0], moved[4999]));
        for permille in [10, 500, 900, 990] {
            let (a, b) =
                (quantile(&exact, permille).unwrap().value, quantile(&moved, permille).unwrap().value);
            assert!((a / b - 1.0).abs() < 0.002_6, "{permille}: {a} {b}");
        }
        let distinct = moved.chunk_by(|a, b| a == b).count();
        assert!(distinct < 100, "{distinct} buckets");
        assert_eq!(middle(0.0), 0.0);
    }
}
