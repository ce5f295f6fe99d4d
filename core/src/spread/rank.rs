//! In which order waiting messages are sent.

/// A message's place in the order, as one number: the larger, the sooner it is sent. What goes before everything else first,
/// then what has the fewest transmissions; among equals the longest, then the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u64);

impl Rank {
    const FIRST: u64 = 1 << 63;
    const SENT_SHIFT: u32 = 51;
    const LENGTH_SHIFT: u32 = 35;
    pub(super) const LENGTH_MAX: usize = 0xFFFF;
    /// `Config` allows at most 2400 transmissions.
    const SENT_MAX: u64 = 0xFFF;

    /// Of a message never sent; `first`: it goes before everything that is not. Ids are used again after 34 thousand million
    /// messages: a tie then goes to the older.
    pub(super) const fn fresh(length: usize, id: u64, first: bool) -> Self {
        let length = if length > Self::LENGTH_MAX { Self::LENGTH_MAX } else { length } as u64;
        let id = id & ((1 << Self::LENGTH_SHIFT) - 1);
        let first = if first { Self::FIRST } else { 0 };
        Self(first | Self::SENT_MAX << Self::SENT_SHIFT | length << Self::LENGTH_SHIFT | id)
    }

    pub(super) const fn is_first(self) -> bool {
        self.0 & Self::FIRST != 0
    }

    /// Transmissions so far.
    pub(super) const fn sent(self) -> u32 {
        (Self::SENT_MAX - (self.0 >> Self::SENT_SHIFT & Self::SENT_MAX)) as u32
    }

    pub(super) const fn length(self) -> usize {
        (self.0 >> Self::LENGTH_SHIFT) as usize & Self::LENGTH_MAX
    }

    /// After so many more transmissions, with which it stays within what `Config` allows.
    pub(super) const fn sent_again(self, times: u32) -> Self {
        Self(self.0 - ((times as u64) << Self::SENT_SHIFT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a rank says of a message is so, and the order is the one that is described.
        #[test]
        fn ranks_order_messages_as_described(
            [one, other] in prop::array::uniform2((any::<bool>(), 0u32..=2400, 0usize..3, 0u64..3)),
        ) {
            let rank = |(first, sent, length, id)| Rank::fresh(length, id, first).sent_again(sent);
            let sooner = |(first, sent, length, id)| (first, core::cmp::Reverse(sent), length, id);
            prop_assert_eq!(rank(one).cmp(&rank(other)), sooner(one).cmp(&sooner(other)));
            let (first, sent, length, _) = one;
            let said = (rank(one).is_first(), rank(one).sent(), rank(one).length());
            prop_assert_eq!(said, (first, sent, length));
        }
    }
}
