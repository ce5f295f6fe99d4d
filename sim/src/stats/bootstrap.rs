//! Intervals that resample runs: a run's samples share their causes, so a run is drawn as a whole (cluster bootstrap).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::special::{normal, student};
use super::{
    Interval, RUNS_MIN, Survival, TAIL, by_size, by_time, carries_interval_at, effective_samples, seen,
};
use crate::record::Sample;

/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 2000;

/// 95 % intervals, one per percentile, for pooled quantiles. `None` where runs or samples do not carry it: at least
/// [`RUNS_MIN`] runs with samples, and so many samples, by what they are worth ([`effective_samples`]), that one above the
/// percentile is 95 % sure ([`carries_interval`](super::carries_interval): 299 for p99).
#[must_use]
pub fn cluster_intervals(runs: &[&[Sample]], permilles: &[u32]) -> Vec<Option<Interval>> {
    cluster_intervals_at(runs, permilles, TAIL)
}

/// The same that leaves out a chance of `tail` (from 0.001, below one half) on either side: of several claims, each has its share of the
/// error. The smaller it is, the more samples an interval needs.
#[must_use]
pub fn cluster_intervals_at(runs: &[&[Sample]], permilles: &[u32], tail: f64) -> Vec<Option<Interval>> {
    let filled = runs.iter().filter(|r| !r.is_empty()).count();
    let worth = effective_samples(runs);
    let enough = |permille: u32| filled >= RUNS_MIN && carries_interval_at(worth, permille, tail);
    if !permilles.iter().any(|p| enough(*p)) {
        return vec![None; permilles.len()];
    }
    let pooled = pool(runs);
    let mut draws: Vec<Vec<Sample>> = vec![Vec::with_capacity(RESAMPLES); permilles.len()];
    resample(runs.len(), |weights| {
        weighted_quantiles(&pooled, weights, permilles, &mut draws);
    });
    permilles
        .iter()
        .zip(draws)
        .map(|(permille, draws)| if enough(*permille) { middle(draws, filled, tail) } else { None })
        .collect()
}

/// 95 % interval for a ratio of sums over runs (a rate). `None` below [`RUNS_MIN`] runs.
#[must_use]
pub fn rate_interval(counts: &[f64], exposures: &[f64]) -> Option<Interval> {
    rate_interval_at(counts, exposures, TAIL)
}

/// The same that leaves out a chance of `tail` (from 0.001, below one half) on either side.
#[must_use]
pub fn rate_interval_at(counts: &[f64], exposures: &[f64], tail: f64) -> Option<Interval> {
    if counts.len() < RUNS_MIN {
        return None;
    }
    let mut draws = Vec::with_capacity(RESAMPLES);
    resample(counts.len(), |weights| {
        let exposure = weighted_sum(exposures, weights);
        if exposure > 0.0 {
            draws.push(seen(weighted_sum(counts, weights) / exposure));
        }
    });
    middle(draws, counts.len(), tail)
}

/// Pointwise 95 % band of a Kaplan-Meier curve at some points (rising): lowest and highest share that has happened by each.
/// `None` below [`RUNS_MIN`] runs with samples. Within the gap between two points, what happened counts before what was given up on.
#[must_use]
pub fn curve_band(runs: &[&[Sample]], points: &[f64]) -> Option<Vec<(f64, f64)>> {
    let filled: Vec<&[Sample]> = runs.iter().copied().filter(|r| !r.is_empty()).collect();
    if filled.len() < RUNS_MIN {
        return None;
    }
    let tallies: Vec<Vec<(u64, u64)>> = filled.iter().map(|run| tally(run, points)).collect();
    let mut draws: Vec<Vec<f64>> = vec![Vec::with_capacity(RESAMPLES); points.len()];
    resample(filled.len(), |weights| {
        let mut at_risk: u64 = filled.iter().zip(weights).map(|(run, w)| run.len() as u64 * w).sum();
        let mut alive = 1.0;
        for (k, draws) in draws.iter_mut().enumerate() {
            let (mut happened, mut given_up) = (0, 0);
            for (tally, weight) in tallies.iter().zip(weights) {
                happened += tally[k].0 * weight;
                given_up += tally[k].1 * weight;
            }
            if at_risk > 0 {
                alive *= (at_risk - happened) as f64 / at_risk as f64;
            }
            at_risk -= happened + given_up;
            draws.push(1.0 - alive);
        }
    });
    let cut = cut(filled.len(), TAIL);
    let ends = |mut draws: Vec<f64>| {
        draws.sort_by(f64::total_cmp);
        (draws[cut], draws[draws.len() - 1 - cut])
    };
    Some(draws.into_iter().map(ends).collect())
}

/// How many samples happened, and how many were given up on, after the point before and up to each point.
fn tally(run: &[Sample], points: &[f64]) -> Vec<(u64, u64)> {
    let mut tally = vec![(0, 0); points.len()];
    for sample in run {
        if let Some((happened, given_up)) = tally.get_mut(points.partition_point(|p| *p < sample.value)) {
            *(if sample.censored { given_up } else { happened }) += 1;
        }
    }
    tally
}

/// Calls `with` once per resample, with how often each run was drawn.
pub(super) fn resample(runs: usize, mut with: impl FnMut(&[u64])) {
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

pub(super) fn weighted_sum(of: &[f64], weights: &[u64]) -> f64 {
    of.iter().zip(weights).map(|(x, w)| x * *w as f64).sum()
}

/// The middle of resampled values; from so many runs.
pub(super) fn middle_95(draws: Vec<Sample>, runs: usize) -> Option<Interval> {
    middle(draws, runs, TAIL)
}

fn middle(mut draws: Vec<Sample>, runs: usize, tail: f64) -> Option<Interval> {
    draws.sort_by(by_size);
    let cut = cut(runs, tail).min(draws.len().saturating_sub(1) / 2);
    Some(Interval { low: *draws.get(cut)?, high: *draws.get(draws.len() - 1 - cut)? })
}

/// Resamples that are cut off at either end. Plain 2.5 % would be too narrow by a factor sqrt((n - 1) / n) and by the tails of
/// Student's distribution, which matters with few runs: the expanded percentile interval (Hesterberg 2015) cuts off less.
fn cut(runs: usize, tail: f64) -> usize {
    let n = runs.max(2) as f64;
    let tail = normal(-student(n - 1.0, tail) * libm::sqrt(n / (n - 1.0)));
    (RESAMPLES as f64 * tail) as usize
}

/// A sample, its run, and how many of the run are the same.
type Pooled = (Sample, usize, u64);

fn pool(runs: &[&[Sample]]) -> Vec<Pooled> {
    let mut all: Vec<(Sample, usize)> =
        runs.iter().enumerate().flat_map(|(run, samples)| samples.iter().map(move |s| (*s, run))).collect();
    all.sort_by(|a, b| by_time(&a.0, &b.0).then(a.1.cmp(&b.1)));
    let mut pooled: Vec<Pooled> = Vec::new();
    for (sample, run) in all {
        match pooled.last_mut() {
            Some((last, of, count)) if *last == sample && *of == run => *count += 1,
            _ => pooled.push((sample, run, 1)),
        }
    }
    pooled
}

fn weighted_quantiles(pooled: &[Pooled], weights: &[u64], permilles: &[u32], into: &mut [Vec<Sample>]) {
    let total: u64 = pooled.iter().map(|(_, run, count)| weights[*run] * count).sum();
    let mut survival = Survival::new(total);
    let mut found = 0;
    let mut last = None;
    for (sample, run, count) in pooled.iter().filter(|(_, run, _)| weights[*run] > 0) {
        survival.pass(weights[*run] * count, sample.censored);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{distribution, quantile};

    fn refs(runs: &[Vec<Sample>]) -> Vec<&[Sample]> {
        runs.iter().map(Vec::as_slice).collect()
    }

    /// Exponential samples with mean 1, sorted; those of one run share an offset of that size.
    fn exponential(rng: &mut ChaCha8Rng, runs: usize, samples: usize, shared: f64) -> Vec<Vec<Sample>> {
        let mut draw = || -libm::log(1.0 - (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64);
        (0..runs)
            .map(|_| {
                let offset = shared * draw();
                let mut run: Vec<Sample> = (0..samples).map(|_| seen(offset + draw())).collect();
                run.sort_by(by_time);
                run
            })
            .collect()
    }

    #[test]
    fn the_bootstrap_resamples_runs_not_samples() {
        // Within a run all samples agree: a thousand samples per run carry no more than one would.
        let runs: Vec<Vec<Sample>> = (0..10).map(|r| vec![seen(f64::from(r)); 1000]).collect();
        let interval = cluster_intervals(&refs(&runs), &[500])[0].unwrap();
        assert!(interval.low.value <= 2.0 && interval.high.value >= 6.0, "{interval:?}");
        assert_eq!(cluster_intervals(&refs(&runs), &[500]), cluster_intervals(&refs(&runs), &[500]));
        assert_eq!(cluster_intervals(&refs(&runs[..5]), &[500]), [None]);
        // Ten runs that agree within themselves are ten samples: a median, but no p90 and no p99.
        assert_eq!(cluster_intervals(&refs(&runs), &[900, 990]), [None, None]);
    }

    #[test]
    fn p99_has_an_interval_from_299_independent_samples_on() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let runs = exponential(&mut rng, 400, 1, 0.0);
        assert!(cluster_intervals(&refs(&runs[..299]), &[990])[0].is_some());
        assert!(cluster_intervals(&refs(&runs[..298]), &[990])[0].is_none());
    }

    #[test]
    fn intervals_of_a_median_cover_it_as_often_as_they_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        // The median of E1 + E2 solves (1 + x) e^-x = 1/2.
        for (shared, truth) in [(0.0, std::f64::consts::LN_2), (1.0, 1.678_347)] {
            let trials = 120;
            let covered = (0..trials)
                .filter(|_| {
                    let runs = exponential(&mut rng, 12, 8, shared);
                    let interval = cluster_intervals(&refs(&runs), &[500])[0].unwrap();
                    interval.low.value <= truth && truth <= interval.high.value
                })
                .count();
            assert!(covered * 100 >= trials * 89, "{covered} of {trials} with {shared}");
            assert!(covered < trials, "an interval that always covers says nothing");
        }
    }

    #[test]
    fn the_band_of_a_curve_holds_the_curve_and_tightens_with_runs() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut runs = exponential(&mut rng, 60, 10, 0.5);
        for run in &mut runs {
            run[9].censored = true;
        }
        let points: Vec<f64> = (1..40).map(|k| f64::from(k) * 0.1).collect();
        let width = |runs: &[Vec<Sample>]| {
            let mut all: Vec<Sample> = runs.iter().flatten().copied().collect();
            all.sort_by(by_time);
            let curve = distribution(&all);
            let band = curve_band(&refs(runs), &points).unwrap();
            for (point, (low, high)) in points.iter().zip(&band) {
                let share = curve.iter().rfind(|s| s.value <= *point).map_or(0.0, |s| s.share);
                // The gap's order of happening and giving up moves the curve by a little.
                assert!(*low - 0.02 <= share && share <= *high + 0.02, "{point}: {low} {share} {high}");
            }
            band.iter().map(|(low, high)| high - low).fold(0.0, f64::max)
        };
        assert!(width(&runs) < 0.75 * width(&runs[..10]));
        assert_eq!(curve_band(&refs(&runs[..5]), &points), None);
    }

    #[test]
    fn equal_samples_weigh_as_many() {
        let runs: Vec<Vec<Sample>> =
            (0..8).map(|r| [1.0, 1.0, 1.0, f64::from(r)].map(seen).to_vec()).collect();
        let mut all: Vec<Sample> = runs.iter().flatten().copied().collect();
        all.sort_by(by_time);
        assert_eq!(quantile(&all, 500), Some(seen(1.0)));
        let interval = cluster_intervals(&refs(&runs), &[500])[0].unwrap();
        assert_eq!((interval.low, interval.high), (seen(1.0), seen(1.0)));
        assert!(pool(&refs(&runs)).len() < all.len());
    }
}
