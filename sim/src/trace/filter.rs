//! Which happenings are recorded.

/// Kinds of happenings, as `rumor-sim replay --kinds` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Datagrams sent, or held back by a node that cannot send.
    Packet,
    /// Datagrams and segments that reach a process.
    Arrival,
    /// Segments of streams sent.
    Stream,
    /// Deadlines that were due.
    Tick,
    /// Probes that were answered, or not.
    Probe,
    /// Suspicions that begin or are confirmed.
    Suspicion,
    /// Refutations.
    Refutation,
    /// Members that are declared dead.
    Death,
    /// Rows of member tables that change.
    Row,
    /// Packets and frames that are refused.
    Rejected,
    /// Load that is shed.
    Shed,
    /// What applications are told.
    Event,
    /// Faults that begin and end.
    Fault,
    /// Nodes that come and go.
    Truth,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Packet,
        Self::Arrival,
        Self::Stream,
        Self::Tick,
        Self::Probe,
        Self::Suspicion,
        Self::Refutation,
        Self::Death,
        Self::Row,
        Self::Rejected,
        Self::Shed,
        Self::Event,
        Self::Fault,
        Self::Truth,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Packet => "packet",
            Self::Arrival => "arrival",
            Self::Stream => "stream",
            Self::Tick => "tick",
            Self::Probe => "probe",
            Self::Suspicion => "suspicion",
            Self::Refutation => "refutation",
            Self::Death => "death",
            Self::Row => "row",
            Self::Rejected => "rejected",
            Self::Shed => "shed",
            Self::Event => "event",
            Self::Fault => "fault",
            Self::Truth => "truth",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What is recorded of a run: all that passes every one of these. What faults do is recorded whatever the window and the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// From when on, nanoseconds since t = 0.
    pub from: u64,
    /// Until when (ns), this moment included.
    pub until: u64,
    /// At which nodes it happens; of packets either end counts. Empty: all.
    pub nodes: Vec<u32>,
    /// About which members it is: packets with a message about one of them, the probes of them, and what others believe of them.
    /// Empty: whatever it is about.
    pub about: Vec<u32>,
    /// Kinds; empty: all.
    pub kinds: Vec<Kind>,
    /// The most happenings that are kept; the first ones are.
    pub most: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            from: 0,
            until: u64::MAX,
            nodes: Vec::new(),
            about: Vec::new(),
            kinds: Vec::new(),
            most: 1_000_000,
        }
    }
}

impl Filter {
    /// The kinds as a set of bits.
    pub(super) fn mask(&self) -> u16 {
        if self.kinds.is_empty() {
            return u16::MAX;
        }
        self.kinds.iter().fold(0, |mask, kind| mask | kind.bit())
    }

    /// Whether what happens at one of these nodes passes.
    pub(super) fn has_node(&self, nodes: &[u32]) -> bool {
        self.nodes.is_empty() || nodes.iter().any(|node| self.nodes.contains(node))
    }

    /// Whether what is about this member passes.
    pub(super) fn has_subject(&self, subject: Option<u32>) -> bool {
        self.about.is_empty() || subject.is_some_and(|subject| self.about.contains(&subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_bits_of_their_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        let all = Filter { kinds: Kind::ALL.to_vec(), ..Filter::default() };
        assert_eq!(all.mask().count_ones() as usize, Kind::ALL.len());
        assert_eq!(Filter { kinds: vec![Kind::Death], ..Filter::default() }.mask(), Kind::Death.bit());
    }
}
