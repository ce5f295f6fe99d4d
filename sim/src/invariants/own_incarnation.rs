//! Invariant 2: within one life a node's incarnation never goes back, and a refutation lies above what was accused.

use rumormill_core::id::{Incarnation, LamportTime};
use rumormill_core::wire::Clocks;

use super::Tally;

/// The checker: its tally, and of each node in its present life the incarnation, the clocks, and the latest stamp of a user event that it was given.
#[derive(Debug)]
pub struct OwnIncarnation(pub Tally, Vec<u32>, Vec<Clocks>, Vec<LamportTime>);

impl OwnIncarnation {
    /// Nobody lives yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        let name = "within one life an incarnation and the Lamport clocks only rise, the former by its owner";
        Self(Tally::new(2, name), vec![0; nodes], vec![Clocks::default(); nodes], vec![LamportTime(0); nodes])
    }

    /// A new life begins.
    pub fn born(&mut self, node: u32, incarnation: Incarnation) {
        self.1[node as usize] = incarnation.0;
        self.2[node as usize] = Clocks::default();
        self.3[node as usize] = LamportTime(0);
    }

    /// A node's application was given a user event with this stamp: its clock stands behind it from now on.
    pub fn heard(&mut self, node: u32, ltime: LamportTime) {
        let latest = &mut self.3[node as usize];
        *latest = ltime.max(*latest);
    }

    /// A node's Lamport clocks stand there.
    pub fn clocks(&mut self, now: u64, node: u32, clocks: Clocks) {
        let before = std::mem::replace(&mut self.2[node as usize], clocks);
        let rises =
            clocks.member >= before.member && clocks.event >= before.event && clocks.query >= before.query;
        let latest = self.3[node as usize];
        self.0.check(rises && clocks.event > latest, now, node, || {
            if rises {
                format!(
                    "its event clock stands at {}, but it was given an event stamped {}",
                    clocks.event.0, latest.0
                )
            } else {
                format!("its clocks went from {before:?} back to {clocks:?}")
            }
        });
    }

    /// A node stands at this incarnation after a step; whether it is another one than before.
    #[inline]
    pub fn stands(&mut self, now: u64, node: u32, incarnation: Incarnation) -> bool {
        let before = std::mem::replace(&mut self.1[node as usize], incarnation.0);
        self.0.check(incarnation.0 >= before, now, node, || {
            format!("its own incarnation went from {before} back to {}", incarnation.0)
        });
        before != incarnation.0
    }

    /// A node refuted.
    pub fn refuted(&mut self, now: u64, node: u32, accused: Incarnation, announced: Incarnation) {
        let rises = announced > accused || accused == Incarnation(u32::MAX);
        self.0.check(rises, now, node, || {
            format!("it refuted an accusation of incarnation {} with {}", accused.0, announced.0)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_and_weak_refutations_are_violations() {
        let mut checker = OwnIncarnation::new(1);
        checker.born(0, Incarnation(4));
        checker.stands(0, 0, Incarnation(5));
        checker.refuted(0, 0, Incarnation(5), Incarnation(6));
        assert_eq!(checker.0.violations(), 0);
        checker.stands(0, 0, Incarnation(4));
        checker.refuted(0, 0, Incarnation(5), Incarnation(5));
        assert_eq!(checker.0.violations(), 2);
        checker.born(0, Incarnation(1));
        checker.stands(0, 0, Incarnation(1));
        assert_eq!(checker.0.violations(), 2);
    }

    #[test]
    fn clocks_that_go_back_are_a_violation_within_a_life() {
        let mut checker = OwnIncarnation::new(1);
        let at = |event| Clocks { event: LamportTime(event), ..Clocks::default() };
        checker.born(0, Incarnation(1));
        checker.clocks(0, 0, at(5));
        checker.clocks(0, 0, at(5));
        assert_eq!(checker.0.violations(), 0);
        checker.clocks(0, 0, at(4));
        assert_eq!(checker.0.violations(), 1);
        checker.born(0, Incarnation(1));
        checker.clocks(0, 0, at(1));
        assert_eq!(checker.0.violations(), 1);
    }

    #[test]
    fn a_clock_that_does_not_stand_behind_what_was_heard_is_a_violation() {
        let mut checker = OwnIncarnation::new(1);
        let at = |event| Clocks { event: LamportTime(event), ..Clocks::default() };
        checker.born(0, Incarnation(1));
        checker.heard(0, LamportTime(7));
        checker.heard(0, LamportTime(3));
        checker.clocks(0, 0, at(8));
        assert_eq!(checker.0.violations(), 0);
        checker.heard(0, LamportTime(8));
        checker.clocks(0, 0, at(8));
        assert_eq!(checker.0.violations(), 1);
        checker.born(0, Incarnation(1));
        checker.clocks(0, 0, at(1));
        assert_eq!(checker.0.violations(), 1);
    }
}
