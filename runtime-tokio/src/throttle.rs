//! Log lines about what happens again and again: one, and then how many more there were.

use std::time::{Duration, Instant};

/// Lets the first of many through, and then one each period, with the number of those that it held back.
#[derive(Debug)]
pub(crate) struct Throttle {
    period: Duration,
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// One each `period`.
    pub(crate) const fn new(period: Duration) -> Self {
        Self { period, last: None, held_back: 0 }
    }

    /// Whether to say it now; if so, how many were held back since the last time.
    pub(crate) fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < self.period) {
            self.held_back = self.held_back.saturating_add(1);
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held_back))
    }

    /// Forgets the past: the next one is said at once.
    pub(crate) fn reset(&mut self) {
        self.last = None;
        self.held_back = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_each_period_tells_how_many_were_held_back() {
        let mut throttle = Throttle::new(Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let passed: Vec<_> = [0, 1, 9, 10, 11, 30].map(|s| throttle.pass(at(s))).into();
        assert_eq!(passed, [Some(0), None, None, Some(2), None, Some(1)]);
        throttle.reset();
        assert_eq!(throttle.pass(at(30)), Some(0));
    }
}
