//! The core's time: nanoseconds since the agent started.

use std::time::{Duration, Instant};

use rumormill_core::Instant as CoreInstant;

/// Later than anything an agent waits for, and still within what the system's clock can express.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(super) fn starting_now() -> Self {
        Self { origin: Instant::now() }
    }

    pub(super) fn now(self) -> CoreInstant {
        CoreInstant::ORIGIN + self.origin.elapsed()
    }

    /// A moment of the system's in the core's terms; the start, for earlier ones.
    pub(super) fn core(self, at: Instant) -> CoreInstant {
        CoreInstant::ORIGIN + at.saturating_duration_since(self.origin)
    }

    /// A moment of the core's in the system's terms.
    pub(super) fn system(self, at: CoreInstant) -> Instant {
        self.origin + at.since(CoreInstant::ORIGIN).min(FAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_time_is_far_away_and_no_panic() {
        let clock = Clock::starting_now();
        assert!(clock.system(CoreInstant::NEVER) > Instant::now() + Duration::from_secs(1 << 30));
        let now = clock.now();
        assert!(clock.system(now) <= Instant::now());
        assert_eq!(clock.core(clock.system(now)), now);
    }
}
