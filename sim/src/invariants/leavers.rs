//! Invariant 6: who heard that a member leaves does not report it failed.

use super::Tally;
use crate::metrics::views::View;
use crate::truth::node_name;

/// The checker.
#[derive(Debug)]
pub struct Leavers(pub Tally);

impl Default for Leavers {
    fn default() -> Self {
        Self::new()
    }
}

impl Leavers {
    /// Nobody left yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Tally::new(6, "a member that was heard to leave is not reported failed"))
    }

    /// An observer heard that a subject leaves.
    pub fn heard(&mut self, now: u64, observer: u32) {
        self.0.check(true, now, observer, String::new);
    }

    /// An observer reported a subject failed, and believed this of it before.
    pub fn failed(&mut self, now: u64, observer: u32, subject: u32, before: View) {
        self.0.check(before != View::Left, now, observer, || {
            format!("it reported {} failed after it had heard that it leaves", node_name(subject))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_after_a_leave_is_a_violation() {
        let mut checker = Leavers::new();
        checker.heard(0, 0);
        checker.failed(0, 0, 1, View::Suspect);
        assert_eq!(checker.0.violations(), 0);
        checker.failed(0, 0, 1, View::Left);
        assert_eq!(checker.0.violations(), 1);
    }
}
