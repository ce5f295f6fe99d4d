//! What is measured on one hot node: prepared inputs, and the calls that answer them.

pub(crate) mod foca_node;
pub(crate) mod ours;

/// Members of which packets come and about which updates tell, at most: the rest of the table is there to be searched.
pub(crate) const PEERS: u32 = 256;
/// Bytes of a full packet.
pub(crate) const PACKET_BYTES: usize = 1400;

/// One batch of calls on a fresh node; what it returns keeps the work from being optimised away.
pub(crate) type Batch = Box<dyn FnMut() -> u64>;

/// One operation of one implementation at one table size.
pub(crate) struct Case {
    pub(crate) operation: Operation,
    pub(crate) peer: &'static str,
    pub(crate) members: u32,
    /// Operations in a batch.
    pub(crate) per_batch: u64,
    /// Makes a node and everything else that is not measured.
    pub(crate) prepare: Box<dyn Fn() -> Batch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A ping is decoded and answered.
    Ping,
    /// One update of a packet full of updates that the node has.
    Stale,
    /// A packet with one update that is news.
    Fresh,
    /// A ping is answered by a packet full of waiting news.
    FullPacket,
}

impl Operation {
    pub(crate) const ALL: [Self; 4] = [Self::Ping, Self::Stale, Self::Fresh, Self::FullPacket];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping answered",
            Self::Stale => "stale update dismissed",
            Self::Fresh => "fresh update taken",
            Self::FullPacket => "full packet answered",
        }
    }
}

/// All cases, in the order of the table.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in Operation::ALL {
        for members in [100, 1000, 10_000, 100_000] {
            if members <= 1000 {
                cases.push(foca_node::case(operation, members));
            }
            cases.push(ours::case(operation, members));
        }
    }
    cases
}

/// Members in an order without neighbours: a fixed stride through the table, so that caches are not helped.
pub(crate) fn scattered(members: u32) -> impl Iterator<Item = u32> + Clone {
    // 1 to `members`: number 0 is the node itself. The stride has no factor in common with a power of ten.
    (0..members).map(move |k| 1 + (u64::from(k) * 61_803 % u64::from(members)) as u32)
}
