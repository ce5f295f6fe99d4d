//! Anti-entropy over streams: full push/pull for joins and now and then, and dialling the failed.

mod streams;
mod versions;

use core::time::Duration;

pub(crate) use streams::{Purpose, Stage, Stream, Streams};
pub(crate) use versions::{span, verify};

/// Time between two exchanges that a node initiates in a cluster of `n`: the configured one up to 32 members, then
/// `ceil(log2 n - 5) + 1` times that, so that the cluster's load per node stays bounded (memberlist).
#[must_use]
pub fn push_pull_period(interval: Duration, n: u32) -> Duration {
    if n <= 32 {
        return interval;
    }
    let doublings = libm::ceil(libm::log2(f64::from(n)) - 5.0) as u32;
    interval.saturating_mul(doublings + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_scale_of_the_push_pull_interval() {
        let expected = [
            (1, 1),
            (32, 1),
            (33, 2),
            (64, 2),
            (65, 3),
            (128, 3),
            (256, 4),
            (512, 5),
            (1024, 6),
            (4096, 8),
            (10_000, 10),
        ];
        for (n, times) in expected {
            assert_eq!(push_pull_period(Duration::from_secs(1), n), Duration::from_secs(times), "n = {n}");
        }
    }
}
