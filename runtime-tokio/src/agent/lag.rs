//! How late the driver's task runs: a sign of a machine, or a process, that has too much to do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds that one bucket covers; seven cover the last minute and the bucket that is being filled.
const BUCKET_SECS: u64 = 10;
const BUCKETS: u64 = 7;
/// The bits of a bucket that hold its largest lag in microseconds (12 days); the rest say which ten seconds it is about.
const LAG_BITS: u32 = 40;

/// The largest lags of the last minute, written by the driver alone.
#[derive(Debug)]
pub(super) struct Lag {
    start: Instant,
    buckets: [AtomicU64; BUCKETS as usize],
}

impl Lag {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), buckets: Default::default() }
    }

    /// Which ten seconds it is, counted from 1, so that an empty bucket is about none.
    fn epoch(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_secs() / BUCKET_SECS + 1
    }

    pub(super) fn note(&self, lag: Duration, now: Instant) {
        let epoch = self.epoch(now);
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX).min((1 << LAG_BITS) - 1);
        let bucket = &self.buckets[(epoch % BUCKETS) as usize];
        // An older epoch is smaller, so that the largest is the newest epoch's largest.
        bucket.fetch_max(epoch << LAG_BITS | micros, Ordering::Relaxed);
    }

    /// The largest of the last minute.
    pub(super) fn worst(&self, now: Instant) -> Duration {
        self.worst_of(BUCKETS, now)
    }

    /// The largest of the last 10 to 20 seconds.
    pub(super) fn recent(&self, now: Instant) -> Duration {
        self.worst_of(2, now)
    }

    fn worst_of(&self, buckets: u64, now: Instant) -> Duration {
        let epoch = self.epoch(now);
        let values = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let recent = values.filter(|value| value >> LAG_BITS != 0 && (value >> LAG_BITS) + buckets > epoch);
        Duration::from_micros(recent.map(|value| value & ((1 << LAG_BITS) - 1)).max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_the_last_minute_is_told_and_then_forgotten() {
        let lag = Lag::new();
        let at = |secs| lag.start + Duration::from_secs(secs);
        assert_eq!(lag.worst(at(0)), Duration::ZERO);
        lag.note(Duration::from_millis(5), at(1));
        lag.note(Duration::from_millis(2), at(2));
        lag.note(Duration::from_millis(1), at(35));
        assert_eq!(lag.worst(at(59)), Duration::from_millis(5));
        assert_eq!(lag.recent(at(39)), Duration::from_millis(1));
        assert_eq!(lag.recent(at(49)), Duration::from_millis(1));
        assert_eq!(lag.recent(at(50)), Duration::ZERO);
        assert_eq!(lag.worst(at(75)), Duration::from_millis(1));
        assert_eq!(lag.worst(at(1000)), Duration::ZERO);
        // The bucket of the first ten seconds is used again.
        lag.note(Duration::from_micros(3), at(71));
        assert_eq!(lag.worst(at(130)), Duration::from_micros(3));
    }
}
