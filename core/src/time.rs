//! Time as the core knows it: a number of nanoseconds since an origin that the driver chose.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment: nanoseconds since an origin that the driver chose (its start, or the start of a simulation).
///
/// Arithmetic saturates, so that no input can make it panic: the far end is [`Instant::NEVER`], and
/// subtracting a later moment from an earlier one gives [`Duration::ZERO`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The driver's origin.
    pub const ORIGIN: Self = Self(0);
    /// Later than everything that happens (584 years after the origin).
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the origin, for reports (exact to 1 ns up to 104 days).
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time that has passed since `earlier`; zero when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The first point of the grid `offset + k * period` (k = 0, 1, 2, ...) that lies after `self`.
    ///
    /// Periodic work keeps its phase this way although it is armed only when there is something to do.
    /// A period of zero has no grid: the answer is [`Instant::NEVER`].
    #[must_use]
    pub const fn next_on_grid(self, offset: Self, period: Duration) -> Self {
        let period = nanos(period);
        if period == 0 {
            return Self::NEVER;
        }
        if self.0 < offset.0 {
            return offset;
        }
        let passed = (self.0 - offset.0) / period;
        Self(offset.0.saturating_add((passed + 1).saturating_mul(period)))
    }
}

/// A duration in whole nanoseconds, saturating at `u64::MAX` (584 years).
#[must_use]
pub const fn nanos(duration: Duration) -> u64 {
    let n = duration.as_nanos();
    if n > u64::MAX as u128 { u64::MAX } else { n as u64 }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER { f.write_str("never") } else { write!(f, "{:.6}s", self.as_secs_f64()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Instant::NEVER + Duration::from_secs(1), Instant::NEVER);
        assert_eq!(at(1) + Duration::MAX, Instant::NEVER);
        assert_eq!(at(1) - at(5), Duration::ZERO);
        assert_eq!(at(7) - at(5), Duration::from_nanos(2));
    }

    #[test]
    fn the_next_grid_point_lies_strictly_after_now() {
        let period = Duration::from_nanos(10);
        assert_eq!(at(0).next_on_grid(at(3), period), at(3));
        assert_eq!(at(3).next_on_grid(at(3), period), at(13));
        assert_eq!(at(12).next_on_grid(at(3), period), at(13));
        assert_eq!(at(13).next_on_grid(at(3), period), at(23));
        assert_eq!(at(5).next_on_grid(at(3), Duration::ZERO), Instant::NEVER);
        assert_eq!(at(u64::MAX - 1).next_on_grid(at(3), period), Instant::NEVER);
    }
}
