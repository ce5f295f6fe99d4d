//! Intervals that follow from a model of chance: binomial ranks, Wilson, Clopper and Pearson, Garwood.

use super::special::{beta_inverse, lower_gamma_inverse};
use super::{Interval, TAIL, by_size};
use crate::record::Sample;

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// The 99.5th.
const Z_99: f64 = 2.575_829_303_548_901;

/// Distribution-free 95 % interval for a quantile, from one value per run: order statistics whose ranks are binomial.
/// `None` where so few runs do not carry it (a median needs 6).
#[must_use]
pub fn order_interval(values: &[Sample], permille: u32) -> Option<Interval> {
    let n = values.len();
    let p = f64::from(permille) / 1000.0;
    let mut sorted = values.to_vec();
    sorted.sort_by(by_size);
    let mut below = 0.0;
    let (mut low, mut high) = (None, None);
    for k in 0..n {
        // `below` is the chance of at most k values under the quantile.
        below += binomial(n, k, p);
        if below <= TAIL {
            low = Some(k);
        }
        if high.is_none() && 1.0 - below <= TAIL {
            high = Some(k);
        }
    }
    Some(Interval { low: sorted[low?], high: sorted[high?] })
}

/// Chance of k successes in n trials.
fn binomial(n: usize, k: usize, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return f64::from(u8::from((p <= 0.0 && k == 0) || (p >= 1.0 && k == n)));
    }
    let (n, k) = (n as f64, k as f64);
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    libm::exp(ways + k * libm::log(p) + (n - k) * libm::log1p(-p))
}

/// Wilson's 95 % interval for a proportion: `hits` of `n`. The whole range when there is nothing to go by.
#[must_use]
pub fn wilson(hits: u64, n: u64) -> (f64, f64) {
    wilson_at(hits, n, Z)
}

/// Wilson's 99 % interval, which expectations are judged by: of a hundred of them that hold, one fails by chance.
#[must_use]
pub fn wilson_99(hits: u64, n: u64) -> (f64, f64) {
    wilson_at(hits, n, Z_99)
}

fn wilson_at(hits: u64, n: u64, z: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, hits as f64 / n as f64);
    let scale = 1.0 + z * z / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    let low = if p == 0.0 { 0.0 } else { (centre - half) / scale };
    let high = if p == 1.0 { 1.0 } else { (centre + half) / scale };
    (low.max(0.0), high.min(1.0))
}

/// Garwood's exact 95 % interval for the mean of a Poisson count.
#[must_use]
pub fn garwood(count: u64) -> (f64, f64) {
    garwood_at(count, TAIL)
}

/// The same that leaves out a chance of `tail` (above 0, below one half) on either side: of several claims, each has its share of the error.
#[must_use]
pub fn garwood_at(count: u64, tail: f64) -> (f64, f64) {
    let k = count as f64;
    let low = if count == 0 { 0.0 } else { lower_gamma_inverse(k, tail) };
    (low, lower_gamma_inverse(k + 1.0, 1.0 - tail))
}

/// Variance over mean: 1 for independent events, more when they come in storms. `None` below two runs, or without events.
#[must_use]
pub fn dispersion(counts: &[f64]) -> Option<f64> {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    if counts.len() < 2 || mean <= 0.0 {
        return None;
    }
    let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / (n - 1.0);
    Some(variance / mean)
}

/// Clopper and Pearson's exact 95 % interval for a proportion: `hits` of `n`. The whole range when there is nothing to go by.
#[must_use]
pub fn clopper_pearson(hits: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (k, n) = (hits.min(n) as f64, n as f64);
    let low = if k == 0.0 { 0.0 } else { beta_inverse(k, n - k + 1.0, TAIL) };
    let high = if k == n { 1.0 } else { beta_inverse(k + 1.0, n - k, 1.0 - TAIL) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::{close, values};

    #[test]
    fn wilson_gives_the_published_limits() {
        close(wilson(0, 30).1, 0.113_5, 5e-5);
        close(wilson(0, 1000).1, 0.003_827, 1e-6);
        let (low, high) = wilson(81, 263);
        close(low, 0.255_3, 1e-4);
        close(high, 0.366_2, 1e-4);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert_eq!(wilson(5, 5).1, 1.0);
        // 2914 of 3000: from the formula, by hand.
        let (low, high) = wilson_99(2914, 3000);
        close(low, 0.962_386, 1e-6);
        close(high, 0.978_201, 1e-6);
        close(wilson_99(300, 300).0, 0.978_362, 1e-6);
        assert_eq!(wilson_99(0, 10).0, 0.0);
    }

    #[test]
    fn garwood_gives_the_published_limits() {
        for (count, low, high) in
            [(0, 0.0, 3.688_9), (1, 0.025_3, 5.571_6), (10, 4.795_4, 18.390_4), (100, 81.363_7, 121.627_2)]
        {
            close(garwood(count).0, low, 1e-3);
            close(garwood(count).1, high, 1e-3);
        }
        // Nothing seen: -ln(tail).
        close(garwood_at(0, 0.005).1, 5.298_3, 1e-3);
        assert_eq!(garwood_at(7, 0.025), garwood(7));
        let (low, high) = garwood(1_000_000);
        close(low, 998_041.0, 2.0);
        close(high, 1_001_962.0, 2.0);
    }

    #[test]
    fn order_statistics_give_the_published_ranks() {
        for (n, low, high) in [(6, 1.0, 6.0), (10, 2.0, 9.0), (20, 6.0, 15.0), (30, 10.0, 21.0)] {
            let interval = order_interval(&values(n), 500).unwrap();
            assert_eq!((interval.low.value, interval.high.value), (low, high), "n = {n}");
        }
        assert_eq!(order_interval(&values(5), 500), None);
        assert_eq!(order_interval(&values(100), 990), None);
        assert_eq!(order_interval(&[], 500), None);
    }

    #[test]
    fn storms_show_in_the_index_of_dispersion() {
        assert_eq!(dispersion(&[0.0, 0.0, 0.0, 40.0]), Some(40.0));
        assert_eq!(dispersion(&[0.0, 0.0]), None);
        assert_eq!(dispersion(&[5.0]), None);
    }

    #[test]
    fn clopper_pearson_gives_the_published_limits() {
        for (hits, n, low, high) in [
            (0, 10, 0.0, 0.308_5),
            (5, 10, 0.187_1, 0.812_9),
            (10, 100, 0.049_0, 0.176_2),
            (1, 1, 0.025, 1.0),
        ] {
            close(clopper_pearson(hits, n).0, low, 5e-5);
            close(clopper_pearson(hits, n).1, high, 5e-5);
        }
        let (low, high) = clopper_pearson(500_000, 1_000_000);
        close(low, 0.499_02, 1e-5);
        close(high, 0.500_98, 1e-5);
    }
}
