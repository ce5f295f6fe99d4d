//! Invariant 1: an incarnation of X that anybody holds was announced by X.

use rumormill_core::id::Incarnation;

use super::Tally;
use crate::truth::node_name;

/// The checker: what each node has announced in any life, and its tally.
#[derive(Debug)]
pub struct Incarnations(pub Tally, Vec<u32>);

impl Incarnations {
    /// Nobody has announced anything.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self(Tally::new(1, "an incarnation that anybody holds was announced by its owner"), vec![0; nodes])
    }

    /// A node stands at this incarnation itself.
    pub fn announced(&mut self, node: u32, incarnation: Incarnation) {
        let highest = &mut self.1[node as usize];
        *highest = (*highest).max(incarnation.0);
    }

    /// An observer's row of a subject says this incarnation.
    pub fn held(&mut self, now: u64, observer: u32, subject: u32, incarnation: Incarnation) {
        let highest = self.1[subject as usize];
        self.0.check(incarnation.0 <= highest, now, observer, || {
            let name = node_name(subject);
            format!("holds incarnation {} of {name}, which has announced {highest} at most", incarnation.0)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_nobody_announced_is_a_violation() {
        let mut checker = Incarnations::new(2);
        checker.announced(1, Incarnation(3));
        checker.held(0, 0, 1, Incarnation(3));
        assert_eq!(checker.0.violations(), 0);
        checker.held(0, 0, 1, Incarnation(4));
        assert_eq!(checker.0.violations(), 1);
    }
}
