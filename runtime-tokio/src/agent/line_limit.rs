//! How many lines of the log others can cause.

use std::time::Duration;

use rumormill_core::Instant;

/// Lets so many lines through in each period, and counts the rest.
#[derive(Debug)]
pub(super) struct LineLimit {
    most: u32,
    /// When the present period began.
    since: Instant,
    said: u32,
    held_back: u64,
}

impl LineLimit {
    const PERIOD: Duration = Duration::from_secs(10);

    /// At most so many lines in ten seconds.
    pub(super) const fn new(most: u32) -> Self {
        Self { most, since: Instant::ORIGIN, said: 0, held_back: 0 }
    }

    /// Whether a line may be written now; if so, how many were not in the period before, which is told once.
    pub(super) fn pass(&mut self, now: Instant) -> Option<u64> {
        let mut held_back = 0;
        if now.since(self.since) >= Self::PERIOD {
            held_back = self.held_back;
            *self = Self { since: now, ..Self::new(self.most) };
        }
        if self.said < self.most {
            self.said += 1;
            return Some(held_back);
        }
        self.held_back = self.held_back.saturating_add(1);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_cut_and_the_next_period_has_room_again_and_says_how_many_there_were() {
        let mut limit = LineLimit::new(1000);
        let at = |secs| Instant::ORIGIN + Duration::from_secs(secs);
        let passed = (0..5000).filter(|_| limit.pass(at(3)) == Some(0)).count();
        assert_eq!(passed, 1000);
        assert_eq!(limit.pass(at(9)), None);
        assert_eq!(limit.pass(at(13)), Some(4001));
        assert_eq!(limit.pass(at(13)), Some(0));
    }
}
