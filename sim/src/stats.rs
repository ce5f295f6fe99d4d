//! Statistics over runs: quantiles that know about censoring, and intervals whose assumptions the data carry.
//!
//! The seed is the unit of replication: samples of one run share their causes, so intervals resample runs, never samples.
//! Everything here is reproducible to the byte: transcendental functions come from `libm`, resampling from a fixed ChaCha stream.

use std::cmp::Ordering;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::record::Sample;

/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 2000;

/// Half of the chance that a two-sided 95 % interval leaves out.
const TAIL: f64 = 0.025;

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A two-sided 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: Sample,
    /// Its upper end; censored where only a lower bound of it is known.
    pub high: Sample,
}

/// A sample that was observed.
#[must_use]
pub const fn seen(value: f64) -> Sample {
    Sample { value, censored: false }
}

/// Orders samples by what is known of them: a censored one is larger than all that were observed.
#[must_use]
pub fn by_size(a: &Sample, b: &Sample) -> Ordering {
    a.censored.cmp(&b.censored).then(a.value.total_cmp(&b.value))
}

/// Orders samples by time, as records keep them; at one time, what happened comes before what was given up on.
#[must_use]
pub fn by_time(a: &Sample, b: &Sample) -> Ordering {
    a.value.total_cmp(&b.value).then(a.censored.cmp(&b.censored))
}

/// A step of a Kaplan-Meier curve: by `value`, this share has happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The time.
    pub value: f64,
    /// Share that has happened, 0 to 1.
    pub share: f64,
}

/// The empirical distribution (Kaplan-Meier where samples are censored) of samples sorted by [`by_time`].
#[must_use]
pub fn distribution(sorted: &[Sample]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut survival = Survival::new(sorted.len() as u64);
    for sample in sorted {
        survival.pass(1, sample.censored);
        if sample.censored {
            continue;
        }
        let share = survival.share();
        match steps.last_mut() {
            Some(last) if last.value == sample.value => last.share = share,
            _ => steps.push(Step { value: sample.value, share }),
        }
    }
    steps
}

/// Kaplan-Meier, sample by sample. Until the first censored sample it counts, so that it is exact.
struct Survival {
    total: u64,
    passed: u64,
    /// What survived the samples before the last censored one, and how many were left after it.
    anchor: Option<(f64, u64)>,
}

impl Survival {
    fn new(total: u64) -> Self {
        Self { total, passed: 0, anchor: None }
    }

    fn pass(&mut self, count: u64, censored: bool) {
        if censored {
            let alive = self.alive();
            self.passed += count;
            self.anchor = Some((alive, self.total - self.passed));
        } else {
            self.passed += count;
        }
    }

    fn alive(&self) -> f64 {
        let left = (self.total - self.passed) as f64;
        match self.anchor {
            None if self.total == 0 => 1.0,
            None => left / self.total as f64,
            Some((alive, 0)) => alive,
            Some((alive, then)) => alive * left / then as f64,
        }
    }

    fn share(&self) -> f64 {
        1.0 - self.alive()
    }

    fn reached(&self, permille: u32) -> bool {
        match self.anchor {
            None => self.passed * 1000 >= u64::from(permille) * self.total,
            // Rounding of the product must not postpone a quantile by a sample.
            Some(_) => self.share() + 1e-12 >= f64::from(permille) / 1000.0,
        }
    }
}

/// The smallest observed value by which `permille` of samples (sorted by [`by_time`]) have happened; censored at the largest
/// known time when so many never did. `None` without samples.
#[must_use]
pub fn quantile(sorted: &[Sample], permille: u32) -> Option<Sample> {
    let mut survival = Survival::new(sorted.len() as u64);
    for sample in sorted {
        survival.pass(1, sample.censored);
        if !sample.censored && survival.reached(permille) {
            return Some(*sample);
        }
    }
    sorted.last().map(|last| Sample { value: last.value, censored: true })
}

/// Whether so many samples say anything about the percentile beyond their own maximum.
#[must_use]
pub fn carries(samples: usize, permille: u32) -> bool {
    samples as u64 * u64::from(1000 - permille.min(1000)) >= 1000
}

/// The largest; censored when any sample is, since that one may be the largest.
#[must_use]
pub fn largest(samples: &[Sample]) -> Option<Sample> {
    let value = samples.iter().map(|s| s.value).max_by(f64::total_cmp)?;
    Some(Sample { value, censored: samples.iter().any(|s| s.censored) })
}

/// The smallest; censored when the smallest known time is.
#[must_use]
pub fn smallest(samples: &[Sample]) -> Option<Sample> {
    samples.iter().copied().min_by(by_time)
}

/// The mean; censored (a lower bound) when any sample is.
#[must_use]
pub fn mean(samples: &[Sample]) -> Option<Sample> {
    if samples.is_empty() {
        return None;
    }
    let sum: f64 = samples.iter().map(|s| s.value).sum();
    Some(Sample { value: sum / samples.len() as f64, censored: samples.iter().any(|s| s.censored) })
}

/// The median of one value per run: the middle one, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[Sample]) -> Option<Sample> {
    let mut sorted = values.to_vec();
    sorted.sort_by(by_size);
    let high = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(high);
    }
    let low = sorted[sorted.len() / 2 - 1];
    Some(Sample { value: (low.value + high.value) / 2.0, censored: low.censored || high.censored })
}

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
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, hits as f64 / n as f64);
    let scale = 1.0 + Z * Z / n;
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
    let low = if p == 0.0 { 0.0 } else { (centre - half) / scale };
    let high = if p == 1.0 { 1.0 } else { (centre + half) / scale };
    (low.max(0.0), high.min(1.0))
}

/// Garwood's exact 95 % interval for the mean of a Poisson count.
#[must_use]
pub fn garwood(count: u64) -> (f64, f64) {
    let k = count as f64;
    let low = if count == 0 { 0.0 } else { solve_gamma(k, TAIL) };
    (low, solve_gamma(k + 1.0, 1.0 - TAIL))
}

/// The x at which the regularised lower incomplete gamma function P(a, x) is `target`.
fn solve_gamma(a: f64, target: f64) -> f64 {
    let (mut low, mut high) = (0.0, a + 10.0 * libm::sqrt(a) + 20.0);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if lower_gamma(a, middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Regularised lower incomplete gamma function: its series below a + 1, its continued fraction above.
fn lower_gamma(a: f64, x: f64) -> f64 {
    const TERMS: u32 = 100_000;
    const TINY: f64 = 1e-300;
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return front * sum;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..TERMS {
        let n = f64::from(n);
        let numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b, TINY);
        c = away_from_zero(b + numerator / c, TINY);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * fraction
}

fn away_from_zero(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
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

/// 95 % intervals, one per percentile, for pooled quantiles: percentile bootstrap that resamples runs. `None` where runs or samples
/// do not carry it: at least six runs, and so many samples that one above the percentile is 95 % sure.
#[must_use]
pub fn cluster_intervals(runs: &[&[Sample]], permilles: &[u32]) -> Vec<Option<Interval>> {
    let mut pooled: Vec<(Sample, usize)> =
        runs.iter().enumerate().flat_map(|(run, samples)| samples.iter().map(move |s| (*s, run))).collect();
    pooled.sort_by(|a, b| by_time(&a.0, &b.0).then(a.1.cmp(&b.1)));
    let samples = pooled.len();
    let filled = runs.iter().filter(|r| !r.is_empty()).count();
    let enough = |permille: u32| {
        let p = f64::from(permille) / 1000.0;
        filled >= 6 && samples as f64 * -libm::log(p) >= -libm::log(0.05)
    };
    if !permilles.iter().any(|p| enough(*p)) {
        return vec![None; permilles.len()];
    }
    let mut draws: Vec<Vec<Sample>> = vec![Vec::with_capacity(RESAMPLES); permilles.len()];
    resample(runs.len(), |weights| {
        weighted_quantiles(&pooled, weights, permilles, &mut draws);
    });
    permilles
        .iter()
        .zip(draws)
        .map(|(permille, draws)| if enough(*permille) { middle_95(draws) } else { None })
        .collect()
}

/// 95 % interval for a ratio of sums over runs (a rate): percentile bootstrap over runs. `None` below six runs.
#[must_use]
pub fn rate_interval(counts: &[f64], exposures: &[f64]) -> Option<Interval> {
    if counts.len() < 6 {
        return None;
    }
    let mut draws = Vec::with_capacity(RESAMPLES);
    resample(counts.len(), |weights| {
        let sum = |of: &[f64]| of.iter().zip(weights).map(|(x, w)| x * *w as f64).sum::<f64>();
        let exposure = sum(exposures);
        if exposure > 0.0 {
            draws.push(seen(sum(counts) / exposure));
        }
    });
    middle_95(draws)
}

/// Calls `with` once per resample, with how often each run was drawn.
fn resample(runs: usize, mut with: impl FnMut(&[u64])) {
    let mut rng = ChaCha8Rng::seed_from_u64(0x72_75_6d_6f_72);
    let mut weights = vec![0u64; runs];
    for _ in 0..RESAMPLES {
        weights.fill(0);
        for _ in 0..runs {
            let drawn = (u128::from(rng.next_u64()) * runs as u128) >> 64;
            weights[drawn as usize] += 1;
        }
        with(&weights);
    }
}

fn weighted_quantiles(
    pooled: &[(Sample, usize)],
    weights: &[u64],
    permilles: &[u32],
    into: &mut [Vec<Sample>],
) {
    let total: u64 = pooled.iter().map(|(_, run)| weights[*run]).sum();
    let mut survival = Survival::new(total);
    let mut found = 0;
    let mut last = None;
    for (sample, run) in pooled.iter().filter(|(_, run)| weights[*run] > 0) {
        survival.pass(weights[*run], sample.censored);
        last = Some(sample.value);
        while !sample.censored && found < permilles.len() && survival.reached(permilles[found]) {
            into[found].push(*sample);
            found += 1;
        }
        if found == permilles.len() {
            return;
        }
    }
    if let Some(value) = last {
        for draws in &mut into[found..] {
            draws.push(Sample { value, censored: true });
        }
    }
}

fn middle_95(mut draws: Vec<Sample>) -> Option<Interval> {
    draws.sort_by(by_size);
    let cut = draws.len() * 25 / 1000;
    Some(Interval { low: *draws.get(cut)?, high: *draws.get(draws.len() - 1 - cut)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: u32) -> Vec<Sample> {
        (1..=n).map(|v| seen(f64::from(v))).collect()
    }

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    #[test]
    fn wilson_gives_the_published_limits() {
        close(wilson(0, 30).1, 0.113_5, 5e-5);
        close(wilson(0, 1000).1, 0.003_827, 1e-6);
        let (low, high) = wilson(81, 263);
        close(low, 0.255_3, 1e-4);
        close(high, 0.366_2, 1e-4);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert_eq!(wilson(5, 5).1, 1.0);
    }

    #[test]
    fn garwood_gives_the_published_limits() {
        for (count, low, high) in
            [(0, 0.0, 3.688_9), (1, 0.025_3, 5.571_6), (10, 4.795_4, 18.390_4), (100, 81.363_7, 121.627_2)]
        {
            close(garwood(count).0, low, 1e-3);
            close(garwood(count).1, high, 1e-3);
        }
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
    fn a_quantile_is_the_smallest_value_that_its_share_does_not_exceed() {
        let ten = values(10);
        for (permille, want) in
            [(0, 1.0), (100, 1.0), (101, 2.0), (500, 5.0), (900, 9.0), (990, 10.0), (1000, 10.0)]
        {
            assert_eq!(quantile(&ten, permille), Some(seen(want)), "{permille}");
        }
        assert_eq!(quantile(&[], 500), None);
    }

    #[test]
    fn censored_samples_count_among_those_at_risk_and_are_never_dropped() {
        let c = |value| Sample { value, censored: true };
        // Freireich's 6-MP arm, the textbook example of Kaplan-Meier: median 23, S(10) = 0.753.
        let mut arm: Vec<Sample> = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|v| seen(f64::from(v))).to_vec();
        arm.extend([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|v| c(f64::from(v))));
        arm.sort_by(by_time);
        assert_eq!(quantile(&arm, 500), Some(seen(23.0)));
        let at_ten = distribution(&arm).into_iter().find(|s| s.value == 10.0).unwrap();
        close(at_ten.share, 1.0 - 0.752_9, 1e-3);
        assert_eq!(quantile(&arm, 900), Some(c(35.0)));
        assert_eq!(largest(&[seen(1.0), c(0.5)]), Some(c(1.0)));
        assert_eq!(smallest(&[seen(1.0), c(0.5)]), Some(c(0.5)));
        assert_eq!(mean(&[seen(1.0), c(3.0)]), Some(c(2.0)));
        assert_eq!(median(&[c(1.0), seen(5.0), seen(4.0)]), Some(seen(5.0)));
        assert_eq!(median(&[c(1.0), seen(5.0)]), Some(c(3.0)));
    }

    #[test]
    fn a_percentile_is_not_estimable_from_too_few_samples() {
        assert!(!carries(99, 990) && carries(100, 990) && carries(2, 500) && !carries(1, 500));
    }

    #[test]
    fn the_bootstrap_resamples_runs_not_samples() {
        // Within a run all samples agree: a thousand samples per run carry no more than one would.
        let runs: Vec<Vec<Sample>> = (0..10).map(|r| vec![seen(f64::from(r)); 1000]).collect();
        let runs: Vec<&[Sample]> = runs.iter().map(Vec::as_slice).collect();
        let interval = cluster_intervals(&runs, &[500])[0].unwrap();
        assert!(interval.low.value <= 2.0 && interval.high.value >= 6.0, "{interval:?}");
        assert_eq!(cluster_intervals(&runs, &[500]), cluster_intervals(&runs, &[500]));
        assert_eq!(cluster_intervals(&runs[..5], &[500]), [None]);
    }

    #[test]
    fn storms_show_in_the_index_of_dispersion() {
        assert_eq!(dispersion(&[0.0, 0.0, 0.0, 40.0]), Some(40.0));
        assert_eq!(dispersion(&[0.0, 0.0]), None);
        assert_eq!(dispersion(&[5.0]), None);
    }
}
