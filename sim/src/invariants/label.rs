//! Invariant 5, in a cluster of one label: nobody refuses what another sent, unless the network damaged it; and damage is never accepted.

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct Label {
    /// What was found.
    pub tally: Tally,
    /// Whether what is being given was damaged on the way.
    damaged: bool,
    refused: bool,
}

impl Label {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(corrupts: bool) -> Self {
        let mut tally = Tally::new(5, "nodes of one label accept what each other sends");
        tally.remark(
            if corrupts {
                "all nodes have one label: what the network damaged must be refused, anything else accepted"
            } else {
                "all nodes have one label, and the network corrupts nothing: any refusal is wrong"
            }
            .into(),
        );
        Self { tally, damaged: false, refused: false }
    }

    /// A node is given a packet.
    #[inline]
    pub fn given(&mut self, now: u64, node: u32, damaged: bool) {
        self.tally.check(true, now, node, String::new);
        (self.damaged, self.refused) = (damaged, false);
    }

    /// A node refused one.
    pub fn refused(&mut self, now: u64, node: u32, from: &str, why: &str) {
        self.refused = true;
        self.tally.check(self.damaged, now, node, || format!("it refused bytes from {from}: {why}"));
    }

    /// The node has taken the packet that it was given.
    #[inline]
    pub fn taken(&mut self, now: u64, node: u32) {
        if std::mem::take(&mut self.damaged) {
            self.tally.check(self.refused, now, node, || {
                "it accepted a packet that was damaged on the way".to_owned()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_violation_unless_the_packet_was_damaged() {
        let mut checker = Label::new(true);
        checker.given(0, 0, false);
        checker.taken(0, 0);
        checker.given(0, 0, true);
        checker.refused(0, 0, "10.0.0.1:7946", "checksum");
        checker.taken(0, 0);
        assert_eq!(checker.tally.violations(), 0);
        checker.given(0, 0, false);
        checker.refused(0, 0, "10.0.0.1:7946", "another label");
        assert_eq!(checker.tally.violations(), 1);
    }

    #[test]
    fn a_damaged_packet_that_is_accepted_is_a_violation() {
        let mut checker = Label::new(true);
        checker.given(0, 0, true);
        checker.taken(0, 0);
        assert_eq!(checker.tally.violations(), 1);
    }
}
