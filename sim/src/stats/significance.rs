//! Whether a paired difference is more than chance, whether it is within a margin, and how small a one these seeds would have shown.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::special::{student, student_above};

/// Differences other than 0 up to which every combination of signs is tried.
const EXACT_MAX: usize = 16;
/// Random combinations of signs beyond it: so many that one metric among a thousand can still show a difference.
const FLIPS: usize = 20_000;

/// How often an experiment that is said to show a difference shows it.
pub const POWER: f64 = 0.8;

/// How far from the reference still counts as the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// So much, in the metric's unit.
    Absolute(f64),
    /// Such a share of the reference: 0.05 is 5 %.
    Relative(f64),
}

/// Adjusts p-values for there being many of them (Holm 1979): called by these, the chance of any false alarm among them all stays what
/// one test alone would have, however they hang together. In the order given; none above 1.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]).then(a.cmp(b)));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max((p[index] * (p.len() - rank) as f64).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}

/// Two-sided p-value of "both are the same": in that case each difference might as well have had the other sign (Fisher's permutation test
/// of pairs). Exact up to 16 differences other than 0, by 20,000 random combinations of signs beyond. 1 without a difference.
#[must_use]
pub fn sign_flips(differences: &[f64]) -> f64 {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| *d > 0.0).collect();
    if sizes.is_empty() {
        return 1.0;
    }
    let total: f64 = sizes.iter().sum();
    // Sums of the same numbers in another order differ in their last bits.
    let observed = differences.iter().sum::<f64>().abs() - total * 1e-12;
    if sizes.len() <= EXACT_MAX { all_flips(&sizes, observed) } else { some_flips(&sizes, observed) }
}

/// The share of all combinations of signs whose sum is as far from 0.
fn all_flips(sizes: &[f64], observed: f64) -> f64 {
    // With every combination there is its opposite, so that the last sign may stay.
    let combinations = 1u32 << (sizes.len() - 1);
    let sum = |signs: u32| -> f64 {
        sizes.iter().enumerate().map(|(k, d)| if signs >> k & 1 == 1 { -d } else { *d }).sum()
    };
    let far = (0..combinations).filter(|signs| sum(*signs).abs() >= observed).count();
    far as f64 / f64::from(combinations)
}

/// The same of random combinations, what was observed among them: so it never claims more than an exact test would on average.
fn some_flips(sizes: &[f64], observed: f64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(0x7369_676e);
    let mut far = 1usize;
    for _ in 0..FLIPS {
        let sum: f64 = sizes
            .chunks(64)
            .map(|chunk| {
                let signs = rng.next_u64();
                let signed = chunk.iter().enumerate().map(|(k, d)| if signs >> k & 1 == 1 { -d } else { *d });
                signed.sum::<f64>()
            })
            .sum();
        far += usize::from(sum.abs() >= observed);
    }
    far as f64 / (FLIPS + 1) as f64
}

/// Two-sided p-value of the sign test: in so many pairs the other one was less, in so many more; equal pairs say nothing.
#[must_use]
pub fn sign_test(less: u64, more: u64) -> f64 {
    let n = less + more;
    if n == 0 {
        return 1.0;
    }
    let chance = |k: u64| {
        let (n, k) = (n as f64, k as f64);
        let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        libm::exp(ways - n * std::f64::consts::LN_2)
    };
    (2.0 * (0..=less.min(more)).map(chance).sum::<f64>()).min(1.0)
}

/// The least p-value that [`sign_flips`] can be relied on to give with so many pairs: however many they are, nothing is surer than the
/// combinations tried.
#[must_use]
pub fn least_p(pairs: usize) -> f64 {
    libm::pow(2.0, 1.0 - pairs as f64).clamp(1.0 / (FLIPS + 1) as f64, 1.0)
}

/// P-value of "they differ by the margin or more" from (reference, other) pairs: two one-sided t tests (Schuirmann 1987), the larger of
/// the two. A relative margin is tested as `other - (1 - m) reference > 0` and `other - (1 + m) reference < 0`, which takes the reference
/// as what it is, a measurement. Never below 2^-n: of n pairs no test is surer without a model. 1 below two pairs.
#[must_use]
pub fn equivalence(pairs: &[(f64, f64)], margin: Margin) -> f64 {
    if pairs.len() < 2 {
        return 1.0;
    }
    let edge = |sign: f64| -> Vec<f64> {
        let beyond = |(a, b): &(f64, f64)| match margin {
            Margin::Absolute(margin) => b - a - sign * margin.abs(),
            Margin::Relative(share) => b - (1.0 + sign * share.abs()) * a,
        };
        pairs.iter().map(beyond).collect()
    };
    let above_lower = one_sided(&edge(-1.0), 1.0);
    let below_upper = one_sided(&edge(1.0), -1.0);
    above_lower.max(below_upper).max(libm::pow(2.0, -(pairs.len() as f64)))
}

/// P-value of "the mean is not on that side of 0": `side` is 1 for above, -1 for below.
fn one_sided(values: &[f64], side: f64) -> f64 {
    let (mean, error) = mean_and_error(values);
    if error > 0.0 {
        return student_above(values.len() as f64 - 1.0, side * mean / error);
    }
    f64::from(u8::from(side * mean <= 0.0))
}

/// The mean and its standard error; at least two values.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, libm::sqrt(squares / (n - 1.0) / n))
}

/// The smallest mean difference that a two-sided test at `alpha` would have shown in [`POWER`] of such experiments, given how much these
/// differences vary. `None` where they do not vary, or where so few pairs cannot show any difference at all at that level.
#[must_use]
pub fn detectable(differences: &[f64], alpha: f64) -> Option<f64> {
    let n = differences.len();
    if n < 2 || least_p(n) > alpha {
        return None;
    }
    let (_, error) = mean_and_error(differences);
    let freedom = n as f64 - 1.0;
    (error > 0.0).then(|| (student(freedom, alpha / 2.0) + student(freedom, 1.0 - POWER)) * error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::close;

    /// Darwin's fifteen pairs of maize, in eighths of an inch: the example by which Fisher explained the test (The Design of Experiments,
    /// 1935). Of 2^15 combinations of signs, 1,726 have a sum as far from 0.
    const DARWIN: [f64; 15] =
        [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];

    #[test]
    fn signs_are_flipped_as_fisher_did() {
        assert_eq!(sign_flips(&DARWIN), 1726.0 / 32768.0);
        // What is 0 has no sign.
        assert_eq!(sign_flips(&[&DARWIN[..], &[0.0; 9]].concat()), 1726.0 / 32768.0);
        assert_eq!(sign_flips(&[1.0; 6]), 2.0 / 64.0);
        assert_eq!(sign_flips(&[3.0, -1.0]), 1.0, "3 - 1 = 2 is nearer than 4 and as near as -2");
        assert_eq!((sign_flips(&[]), sign_flips(&[0.0, 0.0])), (1.0, 1.0));
        // Sums in another order have other last bits.
        assert_eq!(sign_flips(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), 2.0 / 64.0);
    }

    #[test]
    fn many_pairs_give_nearly_what_all_combinations_would() {
        let seventeen: Vec<f64> = DARWIN.into_iter().chain([20.0, -30.0]).collect();
        let all = all_flips(&seventeen.iter().map(|d| d.abs()).collect::<Vec<_>>(), 304.0 - 1e-9);
        close(sign_flips(&seventeen), all, 0.006);
        let sure = sign_flips(&[1.0; 100]);
        assert!(
            (1.0 / 20_001.0 - sure).abs() < 1e-12,
            "{sure}: nothing is surer than the combinations tried"
        );
    }

    #[test]
    fn the_sign_test_counts_as_coins_do() {
        // Ten coins, at most one of the other side: 2 (1 + 10) / 1024.
        close(sign_test(1, 9), 22.0 / 1024.0, 1e-12);
        close(sign_test(0, 6), 2.0 / 64.0, 1e-12);
        assert_eq!((sign_test(0, 0), sign_test(5, 5)), (1.0, 1.0));
        close(least_p(6), 2.0 / 64.0, 1e-15);
        close(sign_test(20, 0), libm::pow(2.0, -19.0), 1e-12);
    }

    #[test]
    fn many_pairs_are_as_sure_as_few_however_many_metrics_there_are() {
        let sure = sign_flips(&[1.0; 2500]);
        close(sure, least_p(2500), 1e-12);
        assert_eq!((least_p(17), least_p(0)), (least_p(100_000), 1.0));
        // Holm over 500 metrics, of which one differs in every pair.
        let mut p = vec![0.5; 499];
        p.push(sure);
        assert!(holm(&p)[499] <= 0.05, "{sure}");
        let differences: Vec<f64> = (0..2500).map(|k| f64::from(k % 5) - 2.0).collect();
        assert!(detectable(&differences, 0.05 / 500.0).is_some());
        assert_eq!(detectable(&differences, 0.05 / 5000.0), None, "nothing would have shown among so many");
    }

    #[test]
    fn holm_steps_down() {
        // By hand: 0.01 x 4; 0.02 x 3; 0.03 x 2 = 0.06; 0.04 x 1, but not below the one before.
        let adjusted = holm(&[0.03, 0.01, 0.04, 0.02]);
        for (adjusted, want) in adjusted.into_iter().zip([0.06, 0.04, 0.06, 0.06]) {
            close(adjusted, want, 1e-12);
        }
        // 0.005 x 3 = 0.015; 0.5 x 2 = 1; 0.9.
        let adjusted = holm(&[0.9, 0.005, 0.5]);
        close(adjusted[1], 0.015, 1e-12);
        assert_eq!((adjusted[0], adjusted[2]), (1.0, 1.0));
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.2]), [0.2]);
    }

    #[test]
    fn two_one_sided_tests_as_by_hand() {
        // Differences 1, 2, 3, 4, 5: mean 3, standard error sqrt(2.5 / 5) = 0.7071, 4 degrees of freedom. To +5: t = 2.828; the upper tail
        // of Student's distribution there is 0.02371 (tables: 2.776 has 0.025, 3.747 has 0.01). To -5: t = 11.3.
        close(one_sided(&[-4.0, -3.0, -2.0, -1.0, 0.0], -1.0), 0.023_71, 1e-5);
        let pairs: Vec<(f64, f64)> = (1..=5).map(|d| (10.0, 10.0 + f64::from(d))).collect();
        assert_eq!(
            equivalence(&pairs, Margin::Absolute(5.0)),
            1.0 / 32.0,
            "five pairs are no surer than this"
        );
        let pairs: Vec<(f64, f64)> = (0..20).map(|k| (10.0, 13.0 + f64::from(k % 5) - 2.0)).collect();
        // Four times the same five: squares 40, standard error sqrt(40 / 19 / 20) = 0.3244; to +3.8: t = 2.466 with 19, tail 0.01168.
        close(equivalence(&pairs, Margin::Absolute(3.8)), 0.011_68, 2e-5);
        // 38 % of a reference that is always 10 is the same margin.
        close(equivalence(&pairs, Margin::Relative(0.38)), 0.011_68, 2e-5);
        assert!(equivalence(&pairs, Margin::Absolute(3.0)) > 0.49, "the mean itself is at the margin");
        assert!(equivalence(&pairs, Margin::Absolute(0.0)) > 0.9);
        assert!(equivalence(&[(0.0, 0.0); 10], Margin::Relative(0.05)) > 0.9, "5 % of nothing is no margin");
        close(equivalence(&[(7.0, 7.1); 10], Margin::Absolute(0.2)), 1.0 / 1024.0, 1e-12);
        assert_eq!(equivalence(&[(7.0, 7.1); 10], Margin::Absolute(0.05)), 1.0);
        assert_eq!(equivalence(&pairs[..1], Margin::Absolute(9.0)), 1.0);
    }

    #[test]
    fn what_could_have_been_seen_follows_from_the_spread() {
        // Twenty differences of spread 1.451, standard error 0.3244: (2.093 + 0.861) x 0.3244.
        let differences: Vec<f64> = (0..20).map(|k| f64::from(k % 5) - 2.0).collect();
        close(detectable(&differences, 0.05).unwrap(), 0.958_4, 1e-3);
        assert!(detectable(&differences, 0.001).unwrap() > 1.3, "the more is asked, the larger");
        assert_eq!(detectable(&differences[..5], 0.05), None, "five pairs show nothing at 5 %");
        assert_eq!(detectable(&[2.0; 10], 0.05), None);
    }

    /// About normal: the sum of twelve uniform numbers.
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0
    }

    /// How often something happens in so many samples of so many pairs whose differences have this mean and spread 1.
    fn happens(
        seed: u64,
        trials: usize,
        pairs: usize,
        mean: f64,
        what: impl Fn(&[(f64, f64)]) -> bool,
    ) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut sample = || {
            (0..pairs)
                .map(|_| {
                    let a = 20.0 + normal(&mut rng);
                    (a, a + mean + normal(&mut rng))
                })
                .collect::<Vec<_>>()
        };
        (0..trials).filter(|_| what(&sample())).count() as f64 / trials as f64
    }

    fn differences(pairs: &[(f64, f64)]) -> Vec<f64> {
        pairs.iter().map(|(a, b)| b - a).collect()
    }

    #[test]
    fn tests_err_as_often_as_they_say() {
        // Three standard errors of a share of 0.05 in 3,000 trials are 0.012.
        for pairs in [8, 15, 30] {
            let alarms =
                happens(1, 3000 / (1 + pairs / 20), pairs, 0.0, |it| sign_flips(&differences(it)) <= 0.05);
            assert!((0.03..=0.065).contains(&alarms), "{alarms} of {pairs}");
            // At the margin itself a claim of equality is false.
            for margin in [Margin::Absolute(1.5), Margin::Relative(0.075)] {
                let claims = happens(2, 3000, pairs, 1.5, |it| equivalence(it, margin) <= 0.05);
                assert!((0.03..=0.065).contains(&claims), "{claims} of {pairs}, {margin:?}");
            }
        }
        assert!(happens(3, 500, 30, 0.0, |it| equivalence(it, Margin::Absolute(1.5)) <= 0.05) > 0.99);
    }

    #[test]
    fn what_would_have_been_seen_is_seen_four_times_in_five() {
        for pairs in [10, 20] {
            // For a spread of 1 that is known.
            let n = pairs as f64;
            let least = (student(n - 1.0, 0.025) + student(n - 1.0, 0.2)) / libm::sqrt(n);
            let share = happens(4, 2000, pairs, least, |it| sign_flips(&differences(it)) <= 0.05);
            assert!((share - POWER).abs() < 0.04, "{share} of {pairs}");
            let told: f64 = (0..200)
                .map(|k| {
                    let mut rng = ChaCha8Rng::seed_from_u64(k);
                    detectable(&(0..pairs).map(|_| normal(&mut rng)).collect::<Vec<_>>(), 0.05).unwrap_or(0.0)
                })
                .sum::<f64>()
                / 200.0;
            assert!((told / least - 1.0).abs() < 0.1, "{told} {least}");
        }
    }
}
