//! Durations, counted by how long they are.

use std::time::Duration;

/// How many durations were how long: buckets of fixed bounds, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Durations in each bucket alone; the last one is for those beyond all bounds.
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// The buckets' upper bounds, each within its bucket, in microseconds: from a round trip within a host to a probe that was nearly too late.
    pub const BOUNDS: [u64; 15] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000,
    ];

    /// Counts a duration.
    pub fn add(&mut self, duration: Duration) {
        let micros = duration.as_micros();
        let bucket = Self::BOUNDS.partition_point(|bound| u128::from(*bound) < micros);
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Durations counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// Each upper bound with the number of durations up to it; those beyond all bounds are in [`Histogram::count`] only.
    pub fn up_to(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut all = 0;
        Self::BOUNDS.into_iter().zip(self.counts).map(move |(bound, count)| {
            all += count;
            (Duration::from_micros(bound), all)
        })
    }

    /// The mean of what was counted since an earlier reading; `None` when that is nothing.
    #[must_use]
    pub fn mean_since(&self, before: &Self) -> Option<Duration> {
        let count = self.count().saturating_sub(before.count());
        let sum = self.sum.saturating_sub(before.sum);
        (count > 0).then(|| Duration::from_secs_f64(sum.as_secs_f64() / count as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_what_is_beyond_all_is_counted_too() {
        let mut histogram = Histogram::default();
        let durations = [0, 100, 101, 250, 5_000_000, 5_000_001, 60_000_000].map(Duration::from_micros);
        durations.iter().for_each(|duration| histogram.add(*duration));
        let up_to: Vec<u64> = histogram.up_to().map(|(_, count)| count).collect();
        assert_eq!(up_to, [2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
        assert_eq!(histogram.count(), 7);
        assert_eq!(histogram.sum(), durations.iter().sum());
        assert!(Histogram::BOUNDS.is_sorted());
        // Less than a microsecond beyond a bound is within it.
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_nanos(100_999));
        assert_eq!(histogram.up_to().next(), Some((Duration::from_micros(100), 1)));
    }

    #[test]
    fn a_sum_beyond_all_time_stays_at_its_end() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::MAX);
        histogram.add(Duration::MAX);
        assert_eq!((histogram.count(), histogram.sum()), (2, Duration::MAX));
    }

    #[test]
    fn a_mean_is_that_of_what_came_since() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_secs(100));
        let before = histogram;
        assert_eq!(histogram.mean_since(&before), None);
        histogram.add(Duration::from_millis(2));
        histogram.add(Duration::from_millis(4));
        assert_eq!(histogram.mean_since(&before), Some(Duration::from_millis(3)));
    }
}
