//! Two variants compared, paired by seed: both met the same network and the same faults, so what they share cancels out.

use super::bootstrap::{RESAMPLES, middle_95, resample, weighted_sum};
use super::exact::clopper_pearson;
use super::{Interval, RUNS_MIN, STORM, dispersion, seen};
use crate::record::Sample;

/// Pairing is worth little below this correlation, and reports say so.
pub const CORRELATION_MIN: f64 = 0.2;

/// Differences of two variants over seeds: other minus reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// One difference per seed that has both values, in the order given.
    pub differences: Vec<f64>,
    /// Pairs that say nothing of their difference because one of their values is censored. Never dropped in silence.
    pub left_out: usize,
    /// Mean difference.
    pub mean: f64,
    /// Its 95 % interval over seeds; `None` below [`RUNS_MIN`] pairs.
    pub mean_interval: Option<Interval>,
    /// Median difference.
    pub median: f64,
    /// Its 95 % interval.
    pub median_interval: Option<Interval>,
    /// Correlation of the two over seeds; `None` below three pairs, or where one does not vary.
    pub correlation: Option<f64>,
    /// Share of the variance of a difference of unpaired runs that the pairing took away; negative when it added some.
    pub variance_reduction: Option<f64>,
}

impl Paired {
    /// Whether the interval of the mean difference covers 0; `None` where there is no interval.
    #[must_use]
    pub fn covers_zero(&self) -> Option<bool> {
        self.mean_interval.map(|i| i.low.value <= 0.0 && 0.0 <= i.high.value)
    }

    /// Whether the pairing did what it is there for; `None` where that cannot be told.
    #[must_use]
    pub fn pairing_helped(&self) -> Option<bool> {
        self.correlation.map(|r| r >= CORRELATION_MIN)
    }
}

/// Compares (reference, other) pairs, one per seed. `None` without a pair whose values are both known.
#[must_use]
pub fn paired(pairs: &[(Sample, Sample)]) -> Option<Paired> {
    let known: Vec<(f64, f64)> =
        pairs.iter().filter(|(a, b)| !a.censored && !b.censored).map(|(a, b)| (a.value, b.value)).collect();
    if known.is_empty() {
        return None;
    }
    let differences: Vec<f64> = known.iter().map(|(a, b)| b - a).collect();
    let n = differences.len() as f64;
    let mut order: Vec<usize> = (0..differences.len()).collect();
    order.sort_by(|a, b| differences[*a].total_cmp(&differences[*b]));
    let mut mean_interval = None;
    let mut median_interval = None;
    if differences.len() >= RUNS_MIN {
        let (mut means, mut medians) = (Vec::with_capacity(RESAMPLES), Vec::with_capacity(RESAMPLES));
        resample(differences.len(), |weights| {
            means.push(seen(weighted_sum(&differences, weights) / n));
            medians.push(seen(weighted_median(&differences, &order, weights)));
        });
        mean_interval = middle_95(means, differences.len());
        median_interval = middle_95(medians, differences.len());
    }
    let (correlation, variance_reduction) = shared_variation(&known);
    Some(Paired {
        left_out: pairs.len() - known.len(),
        mean: differences.iter().sum::<f64>() / n,
        mean_interval,
        median: weighted_median(&differences, &order, &vec![1; differences.len()]),
        median_interval,
        correlation,
        variance_reduction,
        differences,
    })
}

/// The median of values drawn so often; `order` sorts them.
fn weighted_median(values: &[f64], order: &[usize], weights: &[u64]) -> f64 {
    let total: u64 = weights.iter().sum();
    // The value of that rank, counted from 0.
    let ranked = |rank: u64| {
        let mut passed = 0;
        for k in order {
            passed += weights[*k];
            if passed > rank {
                return values[*k];
            }
        }
        0.0
    };
    (ranked(total.saturating_sub(1) / 2) + ranked(total / 2)) / 2.0
}

fn shared_variation(pairs: &[(f64, f64)]) -> (Option<f64>, Option<f64>) {
    if pairs.len() < 3 {
        return (None, None);
    }
    let n = pairs.len() as f64;
    let (mean_a, mean_b) =
        (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    let correlation = (aa > 0.0 && bb > 0.0).then(|| ab / libm::sqrt(aa * bb));
    let reduction = (aa + bb > 0.0).then(|| 2.0 * ab / (aa + bb));
    (correlation, reduction)
}

/// A quotient of two rates: other over reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateRatio {
    /// The quotient; `None` where the reference has no event.
    pub ratio: Option<f64>,
    /// Its 95 % interval, the upper end censored where nothing bounds it. `None` where there are too few seeds for counts in storms, or
    /// no event at all.
    pub interval: Option<Interval>,
    /// Whether the interval is the conditional binomial one, which takes events as independent (rare, not in storms); otherwise it
    /// resamples seeds.
    pub exact: bool,
}

/// Compares the rates of two variants: (count, exposure) of each, one pair per seed. Counts that do not come in storms (both indices of
/// dispersion at most [`STORM`]) have the conditional binomial interval, as have counts of which one side has none; others a bootstrap
/// over seeds of the quotient of sums, in logarithms where it is not 0.
#[must_use]
pub fn rate_ratio(reference: &[(f64, f64)], other: &[(f64, f64)]) -> RateRatio {
    let sum = |of: &[(f64, f64)]| of.iter().fold((0.0, 0.0), |sum, x| (sum.0 + x.0, sum.1 + x.1));
    let ((a, time_a), (b, time_b)) = (sum(reference), sum(other));
    let sound = time_a > 0.0 && time_b > 0.0;
    let ratio = (a > 0.0 && sound).then(|| (b / time_b) / (a / time_a));
    if !sound || a + b <= 0.0 {
        return RateRatio { ratio, interval: None, exact: true };
    }
    let counts = |of: &[(f64, f64)]| of.iter().map(|x| x.0).collect::<Vec<f64>>();
    let stormy = |of: &[(f64, f64)]| dispersion(&counts(of)).is_some_and(|d| d > STORM);
    if a == 0.0 || b == 0.0 || (!stormy(reference) && !stormy(other)) {
        let (low, high) = clopper_pearson(b as u64, (a + b) as u64);
        let of_share = |share: f64| share / (1.0 - share) * time_a / time_b;
        let high =
            if high < 1.0 { seen(of_share(high)) } else { Sample { value: of_share(low), censored: true } };
        return RateRatio { ratio, interval: Some(Interval { low: seen(of_share(low)), high }), exact: true };
    }
    let interval =
        if reference.len().min(other.len()) < RUNS_MIN { None } else { resampled_ratio(reference, other) };
    RateRatio { ratio, interval, exact: false }
}

/// Compares the means of (reference, other) pairs, one per seed, of something that is no count: a time, a rate. The interval resamples seeds.
#[must_use]
pub fn ratio_of_means(pairs: &[(f64, f64)]) -> RateRatio {
    let side = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(|p| (of(p), 1.0)).collect::<Vec<_>>();
    let (reference, other) = (side(|p| p.0), side(|p| p.1));
    let sum = |of: &[(f64, f64)]| of.iter().map(|x| x.0).sum::<f64>();
    let ratio = (sum(&reference) > 0.0).then(|| sum(&other) / sum(&reference));
    let enough = ratio.is_some() && pairs.len() >= RUNS_MIN;
    RateRatio {
        ratio,
        interval: if enough { resampled_ratio(&reference, &other) } else { None },
        exact: false,
    }
}

/// Percentiles do not change under a logarithm, so quotients stand for theirs, and one of 0 needs no special case.
fn resampled_ratio(reference: &[(f64, f64)], other: &[(f64, f64)]) -> Option<Interval> {
    let columns = |of: &[(f64, f64)]| -> (Vec<f64>, Vec<f64>) { of.iter().copied().unzip() };
    let ((a, time_a), (b, time_b)) = (columns(reference), columns(other));
    let mut draws = Vec::with_capacity(RESAMPLES);
    resample(a.len().min(b.len()), |weights| {
        let below = weighted_sum(&a, weights) * weighted_sum(&time_b, weights);
        let above = weighted_sum(&b, weights) * weighted_sum(&time_a, weights);
        if below > 0.0 {
            draws.push(seen(above / below));
        } else if above > 0.0 {
            draws.push(Sample { value: 0.0, censored: true });
        }
    });
    let mut interval = middle_95(draws, a.len())?;
    if interval.high.censored {
        interval.high.value = interval.low.value;
    }
    Some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng, SeedableRng};

    /// About normal: the sum of twelve uniform numbers.
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0
    }

    fn pairs(rng: &mut ChaCha8Rng, n: usize, shared: f64, shift: f64) -> Vec<(Sample, Sample)> {
        (0..n)
            .map(|_| {
                let common = shared * normal(rng);
                (seen(common + normal(rng)), seen(common + normal(rng) + shift))
            })
            .collect()
    }

    #[test]
    fn intervals_of_a_mean_difference_cover_it_as_often_as_they_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let trials = 150;
        for n in [6, 12] {
            let covered = (0..trials)
                .filter(|_| {
                    let interval = paired(&pairs(&mut rng, n, 3.0, 0.5)).unwrap().mean_interval.unwrap();
                    interval.low.value <= 0.5 && 0.5 <= interval.high.value
                })
                .count();
            assert!(covered * 100 >= trials * 89, "{covered} of {trials} with {n} seeds");
            assert!(covered < trials, "an interval that always covers says nothing");
        }
    }

    #[test]
    fn pairing_takes_away_what_both_share() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let it = paired(&pairs(&mut rng, 200, 3.0, 1.0)).unwrap();
        // Shared variance 9 of 10: correlation 0.9, and a tenth of the variance is left.
        assert!((it.correlation.unwrap() - 0.9).abs() < 0.05, "{:?}", it.correlation);
        assert!((it.variance_reduction.unwrap() - 0.9).abs() < 0.05);
        assert_eq!((it.pairing_helped(), it.covers_zero()), (Some(true), Some(false)));
        let apart = paired(&pairs(&mut rng, 200, 0.0, 0.0)).unwrap();
        assert_eq!((apart.pairing_helped(), apart.covers_zero()), (Some(false), Some(true)));
        let interval = |p: &Paired| p.mean_interval.map(|i| i.high.value - i.low.value).unwrap();
        assert!((interval(&it) / interval(&apart) - 1.0).abs() < 0.25, "what is shared does not widen it");
    }

    #[test]
    fn what_is_not_known_is_counted_and_not_guessed() {
        let censored = Sample { value: 9.0, censored: true };
        let it = paired(&[(seen(1.0), seen(3.0)), (seen(1.0), censored), (seen(2.0), seen(3.0))]).unwrap();
        assert_eq!((it.left_out, it.mean, it.median), (1, 1.5, 1.5));
        assert_eq!((it.mean_interval, it.correlation), (None, None));
        assert_eq!(paired(&[(seen(1.0), censored)]), None);
        let equal = paired(&[(seen(2.0), seen(2.0)); 8]).unwrap();
        assert_eq!((equal.mean, equal.correlation, equal.covers_zero()), (0.0, None, Some(true)));
    }

    #[test]
    fn rare_counts_have_the_published_conditional_interval() {
        // Lifeguard, table IV: 25 false positives at healthy members against SWIM's 1326, in as many runs.
        let spread = |total: u64, runs: u64| -> Vec<(f64, f64)> {
            (0..runs).map(|k| ((total * (k + 1) / runs - total * k / runs) as f64, 2.0)).collect()
        };
        let it = rate_ratio(&spread(1326, 50), &spread(25, 50));
        let interval = it.interval.unwrap();
        assert!(it.exact && (it.ratio.unwrap() - 0.018_85).abs() < 1e-5);
        assert!(
            (interval.low.value - 0.0122).abs() < 2e-4 && (interval.high.value - 0.0280).abs() < 2e-4,
            "{interval:?}"
        );
        let none = rate_ratio(&spread(0, 10), &spread(3, 10));
        assert!(none.ratio.is_none() && none.interval.unwrap().high.censored);
        assert_eq!(rate_ratio(&spread(0, 10), &spread(0, 10)).interval, None);
        assert_eq!(rate_ratio(&spread(30, 10), &spread(0, 10)).interval.unwrap().low, seen(0.0));
    }

    #[test]
    fn a_ratio_of_means_keeps_what_pairs_share_out_of_its_interval() {
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let pairs: Vec<(f64, f64)> = (0..40)
            .map(|_| {
                let common = 10.0 + normal(&mut rng);
                (common, 1.2 * common + 0.01 * normal(&mut rng))
            })
            .collect();
        let it = ratio_of_means(&pairs);
        let interval = it.interval.unwrap();
        assert!(!it.exact && (it.ratio.unwrap() - 1.2).abs() < 0.002, "{it:?}");
        assert!(interval.low.value > 1.197 && interval.high.value < 1.203, "{interval:?}");
        assert_eq!(ratio_of_means(&pairs[..5]).interval, None);
        assert_eq!(ratio_of_means(&[(0.0, 1.0); 9]), RateRatio { ratio: None, interval: None, exact: false });
    }

    #[test]
    fn storms_widen_the_interval_of_a_ratio() {
        let storm: Vec<(f64, f64)> = (0..20).map(|k| (if k % 5 == 0 { 100.0 } else { 0.0 }, 1.0)).collect();
        let calm = vec![(10.0, 1.0); 20];
        let it = rate_ratio(&calm, &storm);
        let interval = it.interval.unwrap();
        assert!(!it.exact && it.ratio == Some(2.0));
        assert!(interval.low.value < 0.7 && interval.high.value > 3.4, "{interval:?}");
        assert_eq!(rate_ratio(&calm[..5], &storm[..5]).interval, None);
    }
}
