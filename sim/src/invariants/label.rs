//! Invariant 5, in a cluster of one label: nobody refuses what another sent, unless the network damaged it; and damage is never accepted.

use rumormill_core::wire::{WireError, WireErrorClass};

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct Label {
    /// What was found.
    pub tally: Tally,
    /// Whether what is being given was damaged on the way, or comes from a node of another label or key.
    to_refuse: Option<&'static str>,
    refused: bool,
    /// Whether keys change during the run: then a node may not have the key yet, or not any more.
    keys_change: bool,
}

impl Label {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(corrupts: bool, keys_change: bool) -> Self {
        let mut tally = Tally::new(
            5,
            "nodes with a label and a key in common accept what each other sends, others nothing",
        );
        tally.remark(
            if corrupts {
                "what the network damaged must be refused, anything else accepted"
            } else if keys_change {
                "keys change: what no key opens may be refused, and nothing else"
            } else {
                "the network corrupts nothing: between nodes with a label and a key in common any refusal is wrong"
            }
            .into(),
        );
        Self { tally, to_refuse: None, refused: false, keys_change }
    }

    /// A node is given a packet.
    #[inline]
    pub fn given(&mut self, now: u64, node: u32, damaged: bool, foreign: bool) {
        self.tally.check(true, now, node, String::new);
        self.to_refuse = match (damaged, foreign) {
            (true, _) => Some("that was damaged on the way"),
            (_, true) => Some("from a node with which it has no label or no key in common"),
            (false, false) => None,
        };
        self.refused = false;
    }

    /// A node refused one.
    pub fn refused(&mut self, now: u64, node: u32, from: &str, error: &WireError, foreign: bool) {
        self.refused = true;
        let key = self.keys_change && error.class() == WireErrorClass::Seal;
        let right = self.to_refuse.is_some() || foreign || key;
        self.tally.check(right, now, node, || format!("it refused bytes from {from}: {error}"));
    }

    /// The node has taken the packet that it was given.
    #[inline]
    pub fn taken(&mut self, now: u64, node: u32) {
        if let Some(what) = self.to_refuse.take() {
            self.tally.check(self.refused, now, node, || format!("it accepted a packet {what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_violation_unless_the_packet_was_damaged() {
        let mut checker = Label::new(true, false);
        checker.given(0, 0, false, false);
        checker.taken(0, 0);
        checker.given(0, 0, true, false);
        checker.refused(0, 0, "10.0.0.1:7946", &WireError::Checksum, false);
        checker.taken(0, 0);
        checker.given(0, 0, false, true);
        checker.refused(0, 0, "10.0.0.1:7946", &WireError::Label, true);
        checker.taken(0, 0);
        assert_eq!(checker.tally.violations(), 0);
        checker.given(0, 0, false, false);
        checker.refused(0, 0, "10.0.0.1:7946", &WireError::Label, false);
        assert_eq!(checker.tally.violations(), 1);
    }

    #[test]
    fn a_damaged_or_foreign_packet_that_is_accepted_is_a_violation() {
        let mut checker = Label::new(true, false);
        checker.given(0, 0, true, false);
        checker.taken(0, 0);
        checker.given(0, 0, false, true);
        checker.taken(0, 0);
        assert_eq!(checker.tally.violations(), 2);
    }

    #[test]
    fn while_keys_change_what_no_key_opens_may_be_refused() {
        for (keys_change, violations) in [(true, 0), (false, 1)] {
            let mut checker = Label::new(false, keys_change);
            checker.given(0, 0, false, false);
            checker.refused(0, 0, "10.0.0.1:7946", &WireError::Seal, false);
            assert_eq!(checker.tally.violations(), violations);
        }
    }
}
