//! Special functions, from `libm` alone so that they give the same bits everywhere.

/// The x at which the regularised lower incomplete gamma function P(a, x) is `target`.
pub(super) fn lower_gamma_inverse(a: f64, target: f64) -> f64 {
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

/// The x at which the regularised incomplete beta function I(x; a, b) is `target`.
pub(super) fn beta_inverse(a: f64, b: f64, target: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if incomplete_beta(a, b, middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Regularised incomplete beta function, by Lentz's continued fraction on the side where it converges fast.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return f64::from(u8::from(x >= 1.0));
    }
    let ways = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = libm::exp(ways + a * libm::log(x) + b * libm::log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TERMS: u32 = 100_000;
    const TINY: f64 = 1e-300;
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0), TINY);
    let mut fraction = d;
    for m in 1..TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d, TINY);
            c = away_from_zero(1.0 + numerator / c, TINY);
            change = d * c;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// Share of the normal distribution below z.
pub(super) fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The t that Student's distribution exceeds with a chance of `tail` (below one half).
pub(super) fn student(freedom: f64, tail: f64) -> f64 {
    let x = beta_inverse(freedom / 2.0, 0.5, 2.0 * tail);
    libm::sqrt(freedom * (1.0 - x) / x)
}

/// Share of Student's distribution above t.
pub(super) fn student_above(freedom: f64, t: f64) -> f64 {
    let tail = incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)) / 2.0;
    if t > 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_a_quantile_is_its_tail() {
        for (freedom, tail) in [(1.0, 0.025), (4.0, 0.1), (19.0, 0.001), (300.0, 0.2)] {
            let t = student(freedom, tail);
            assert!((student_above(freedom, t) - tail).abs() < 1e-10, "{freedom} {tail}");
            assert!((student_above(freedom, -t) - (1.0 - tail)).abs() < 1e-10, "{freedom} {tail}");
        }
        assert_eq!(student_above(7.0, 0.0), 0.5);
    }

    #[test]
    fn student_and_normal_give_the_published_quantiles() {
        for (freedom, t) in [(1.0, 12.706), (5.0, 2.571), (9.0, 2.262), (30.0, 2.042), (1000.0, 1.962)] {
            assert!((student(freedom, 0.025) - t).abs() < 6e-4, "{freedom}: {}", student(freedom, 0.025));
        }
        assert!((normal(1.96) - 0.975_002).abs() < 1e-6 && (normal(-1.0) - 0.158_655).abs() < 1e-6);
    }
}
