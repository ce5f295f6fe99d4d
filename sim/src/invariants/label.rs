//! Invariant 5, in a cluster of one label: nobody refuses what another sent, as nothing here corrupts bytes.

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct Label(pub Tally);

impl Default for Label {
    fn default() -> Self {
        Self::new()
    }
}

impl Label {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Self {
        let mut tally = Tally::new(5, "nodes of one label accept what each other sends");
        tally.remark(
            "all nodes have one label, and the network corrupts nothing: any refusal is wrong".into(),
        );
        Self(tally)
    }

    /// A node was given a packet or frame.
    pub fn given(&mut self, now: u64, node: u32) {
        self.0.check(true, now, node, String::new);
    }

    /// A node refused one.
    pub fn refused(&mut self, now: u64, node: u32, from: &str, why: &str) {
        self.0.check(false, now, node, || format!("it refused bytes from {from}: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_violation() {
        let mut checker = Label::new();
        checker.given(0, 0);
        assert_eq!(checker.0.violations(), 0);
        checker.refused(0, 0, "10.0.0.1:7946", "another label");
        assert_eq!(checker.0.violations(), 1);
    }
}
