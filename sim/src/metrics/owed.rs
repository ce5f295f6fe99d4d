//! Who is owed something that was sent: whoever was up, undisturbed and connected to its sender then, and has been ever since.

/// A set of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
    count: u32,
}

impl NodeSet {
    /// The nodes of `0..nodes` that are meant.
    #[must_use]
    pub fn of(nodes: u32, meant: impl Fn(u32) -> bool) -> Self {
        let mut set = Self { words: vec![0; (nodes as usize).div_ceil(64)], count: 0 };
        for node in (0..nodes).filter(|node| meant(*node)) {
            set.insert(node);
        }
        set
    }

    /// Adds a node; whether it is new.
    pub fn insert(&mut self, node: u32) -> bool {
        let (word, bit) = (node as usize / 64, 1 << (node % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u32::from(new);
        new
    }

    /// Takes a node out; whether it was there.
    pub fn remove(&mut self, node: u32) -> bool {
        let Some(word) = self.words.get_mut(node as usize / 64) else { return false };
        let bit = 1 << (node % 64);
        let there = *word & bit != 0;
        *word &= !bit;
        self.count -= u32::from(there);
        there
    }

    /// How many nodes.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.words.clear();
        self.count = 0;
    }

    /// The nodes.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(place, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some(place as u32 * 64 + bit)
            })
        })
    }
}

/// When each node last went down, came up, was disturbed or cut off: what was sent before that is not owed to it any more.
#[derive(Debug)]
pub struct Claims {
    lost: Vec<u64>,
}

impl Claims {
    /// Nothing has happened to any node.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { lost: vec![0; nodes] }
    }

    /// Something happens to a node.
    pub fn lose(&mut self, node: u32, now: u64) {
        self.lost[node as usize] = now;
    }

    /// Whether nothing has happened to a node since `sent`.
    #[must_use]
    pub fn stand(&self, node: u32, sent: u64) -> bool {
        self.lost[node as usize] <= sent
    }

    /// How many of those that are still owed something sent then have a claim to it.
    #[must_use]
    pub fn standing(&self, owed: &NodeSet, sent: u64) -> u64 {
        owed.iter().filter(|node| self.stand(*node, sent)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_befalls_a_node_ends_its_claim_to_what_was_sent_before() {
        let mut claims = Claims::new(3);
        let owed = NodeSet::of(3, |node| node != 0);
        claims.lose(2, 10);
        assert_eq!((claims.standing(&owed, 9), claims.standing(&owed, 10)), (1, 2));
    }

    proptest! {
        #[test]
        fn a_node_set_is_a_set(ops in prop::collection::vec((any::<bool>(), 0u32..200), 0..100)) {
            let (mut set, mut model) = (NodeSet::default(), BTreeSet::new());
            for (add, node) in ops {
                if add {
                    prop_assert_eq!(set.insert(node), model.insert(node));
                } else {
                    prop_assert_eq!(set.remove(node), model.remove(&node));
                }
                prop_assert_eq!(set.len() as usize, model.len());
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
        }
    }
}
