//! Invariant 8: after a tick the deadline lies in the future, so that no node loops at one instant.

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct Deadlines(pub Tally);

impl Default for Deadlines {
    fn default() -> Self {
        Self::new()
    }
}

impl Deadlines {
    /// No tick yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Tally::new(8, "after a tick the deadline lies in the future"))
    }

    /// A node's deadline (ns) after a tick.
    #[inline]
    pub fn after_tick(&mut self, now: u64, node: u32, deadline: Option<u64>) {
        self.0.check(deadline.is_none_or(|d| d > now), now, node, || {
            "after a tick its deadline was not in the future".to_owned()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_at_the_present_is_a_violation() {
        let mut checker = Deadlines::new();
        checker.after_tick(5, 0, Some(6));
        checker.after_tick(5, 0, None);
        assert_eq!(checker.0.violations(), 0);
        checker.after_tick(5, 0, Some(5));
        assert_eq!(checker.0.violations(), 1);
    }
}
