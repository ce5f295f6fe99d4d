//! Partitions: who cannot reach whom at present, and what was under way when a cut began.

use crate::draws::{Draws, Purpose, unit};
use crate::scenario::{InFlight, Traffic};

/// A cut between two sets of nodes.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Which fault it is.
    pub fault: usize,
    /// For each node: whether it is on the first side, on the second, or on neither.
    pub side: Vec<Side>,
    /// Whether the way from the second side to the first is cut too.
    pub both: bool,
    /// What happens to what is under way when it begins.
    pub in_flight: InFlight,
    /// What is cut.
    pub traffic: Traffic,
    /// The share of pairs that is cut, and what tells this fault's draw of them from others'.
    pub share: (f64, u64),
    /// From when.
    pub from: u64,
}

/// Where a node is with respect to a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On neither side.
    Neither,
    /// On the first.
    A,
    /// On the second.
    B,
}

/// A datagram or a segment of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carried {
    /// A datagram.
    Datagram,
    /// A segment.
    Segment,
}

impl Cut {
    fn stops(&self, carried: Carried) -> bool {
        match self.traffic {
            Traffic::All => true,
            Traffic::Datagrams => carried == Carried::Datagram,
            Traffic::Streams => carried == Carried::Segment,
        }
    }

    /// Whether the cut lies in this direction. A pair is drawn for both directions together.
    fn parts(&self, draws: &Draws, from: u32, to: u32) -> bool {
        let sides = match (self.side[from as usize], self.side[to as usize]) {
            (Side::A, Side::B) => true,
            (Side::B, Side::A) => self.both,
            _ => false,
        };
        let (share, about) = self.share;
        let drawn = || unit(draws.word(Purpose::Pair, from.min(to), from.max(to), about >> 24, 0)) < share;
        sides && (share >= 1.0 || drawn())
    }
}

/// The cuts of one run.
#[derive(Debug)]
pub struct Cuts {
    draws: Draws,
    /// In force, in order of beginning.
    present: Vec<Cut>,
    /// Ended, for what was under way when they began.
    past: Vec<Cut>,
    last_begin: u64,
}

/// How long an ended cut may still matter: nothing is under way for longer (a latency is at most a minute, but for tails).
const REMEMBERED: u64 = 600_000_000_000;

impl Cuts {
    /// None yet.
    #[must_use]
    pub const fn new(draws: Draws) -> Self {
        Self { draws, present: Vec::new(), past: Vec::new(), last_begin: 0 }
    }

    /// The fault that stops this at present.
    #[must_use]
    pub fn stopping(&self, from: u32, to: u32, carried: Carried) -> Option<usize> {
        self.present.iter().find(|c| c.stops(carried) && c.parts(&self.draws, from, to)).map(|c| c.fault)
    }

    /// Whether anything is stopped at present from one node to the other, or back.
    #[must_use]
    pub fn apart(&self, a: u32, b: u32) -> bool {
        self.present.iter().any(|c| c.parts(&self.draws, a, b) || c.parts(&self.draws, b, a))
    }

    /// Whether something sent at `sent` that arrives now was under way when a cut dropped it, and whose.
    #[must_use]
    #[inline]
    pub fn dropped_in_flight(
        &self,
        (from, to): (u32, u32),
        sent: u64,
        now: u64,
        carried: Carried,
    ) -> Option<usize> {
        if sent >= self.last_begin {
            return None;
        }
        let began = |c: &&Cut| c.in_flight == InFlight::Drop && c.from > sent && c.from <= now;
        self.present
            .iter()
            .chain(&self.past)
            .filter(began)
            .find(|c| c.stops(carried) && c.parts(&self.draws, from, to))
            .map(|c| c.fault)
    }

    /// A cut begins.
    pub fn begin(&mut self, cut: Cut) {
        self.last_begin = cut.from;
        self.past.retain(|past| past.from.saturating_add(REMEMBERED) > cut.from);
        self.present.push(cut);
    }

    /// The cut of that fault ends.
    pub fn end(&mut self, fault: usize) {
        if let Some(at) = self.present.iter().position(|c| c.fault == fault) {
            self.past.push(self.present.remove(at));
        }
    }

    /// Whether any cut is in force.
    #[must_use]
    pub const fn any(&self) -> bool {
        !self.present.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn cut(both: bool, in_flight: InFlight, traffic: Traffic) -> Cut {
        let side = vec![Side::A, Side::B, Side::Neither, Side::B];
        Cut { fault: 7, side, both, in_flight, traffic, share: (1.0, 0), from: 10 * MS }
    }

    fn with(cut: Cut) -> Cuts {
        let mut cuts = Cuts::new(Draws::new(1));
        cuts.begin(cut);
        cuts
    }

    use Carried::{Datagram, Segment};

    #[test]
    fn a_one_way_cut_stops_one_way_only() {
        let mut cuts = with(cut(false, InFlight::Deliver, Traffic::All));
        assert_eq!(cuts.stopping(0, 1, Datagram), Some(7));
        assert_eq!(cuts.stopping(1, 0, Datagram), None);
        assert_eq!(cuts.stopping(0, 2, Datagram), None);
        assert!(cuts.apart(1, 0) && !cuts.apart(1, 3));
        cuts.end(7);
        assert_eq!(cuts.stopping(0, 1, Datagram), None);
    }

    #[test]
    fn datagrams_and_streams_can_be_cut_apart() {
        let cuts = with(cut(true, InFlight::Drop, Traffic::Datagrams));
        assert_eq!((cuts.stopping(0, 1, Datagram), cuts.stopping(0, 1, Segment)), (Some(7), None));
        let cuts = with(cut(true, InFlight::Drop, Traffic::Streams));
        assert_eq!((cuts.stopping(0, 1, Datagram), cuts.stopping(0, 1, Segment)), (None, Some(7)));
    }

    #[test]
    fn what_is_under_way_is_dropped_only_where_the_cut_says_so() {
        let mut cuts = with(cut(true, InFlight::Drop, Traffic::All));
        let dropped =
            |cuts: &Cuts, way, sent, now| cuts.dropped_in_flight(way, sent * MS, now * MS, Datagram);
        assert_eq!(dropped(&cuts, (0, 1), 9, 10), Some(7));
        assert_eq!(dropped(&cuts, (0, 1), 10, 11), None);
        assert_eq!(dropped(&cuts, (1, 3), 9, 10), None);
        cuts.end(7);
        assert_eq!(dropped(&cuts, (1, 0), 9, 12), Some(7));
        let cuts = with(cut(true, InFlight::Deliver, Traffic::All));
        assert_eq!(dropped(&cuts, (0, 1), 9, 10), None);
    }

    #[test]
    fn a_partial_cut_parts_its_share_of_pairs_in_both_directions() {
        let side = (0..200).map(|n| if n < 100 { Side::A } else { Side::B }).collect();
        let partial = Cut { side, share: (0.3, 99 << 24), ..cut(true, InFlight::Drop, Traffic::All) };
        let cuts = with(partial);
        let mut parted = 0u32;
        for a in 0..100 {
            for b in 100..200 {
                let there = cuts.stopping(a, b, Datagram).is_some();
                assert_eq!(there, cuts.stopping(b, a, Datagram).is_some());
                parted += u32::from(there);
            }
        }
        // Binomial(10 000, 0.3): sd 46, so five of them.
        assert!(parted.abs_diff(3000) < 230, "{parted}");
    }
}
