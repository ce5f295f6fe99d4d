//! What lies between nodes: latency, loss and partitions. Nodes are numbers here, moments are nanoseconds.

use rumormill_core::time::nanos;

use crate::draws::{Draws, Purpose, normal, unit};
use crate::scenario::{InFlight, Latency};

/// Length of a slot of send time, in which a link's packets are numbered.
const SLOT: u64 = 1_000_000;
/// First retransmission of a lost segment; each further one waits twice as long.
const RETRANSMIT: u64 = 200_000_000;
/// Transmissions of a segment before the simulator lets it through: the core's stream deadline has passed long before.
const TRANSMISSIONS_MAX: u32 = 10;
/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// A latency distribution, ready to draw from.
#[derive(Clone, Copy, Debug)]
pub enum Delay {
    /// Always so many nanoseconds.
    Constant(u64),
    /// From the first, so many nanoseconds up.
    Uniform(u64, u64),
    /// Median in nanoseconds, sigma of the logarithm.
    Lognormal(f64, f64),
}

impl Delay {
    /// The distribution that a scenario describes.
    #[must_use]
    pub fn new(latency: &Latency) -> Self {
        match latency {
            Latency::Constant { value } => Self::Constant(nanos(*value)),
            Latency::Uniform { min, max } => Self::Uniform(nanos(*min), nanos(max.saturating_sub(*min))),
            Latency::Lognormal { median, p99 } => {
                let median = nanos(*median).max(1) as f64;
                let ratio = nanos(*p99).max(1) as f64 / median;
                Self::Lognormal(median, libm::log(ratio).max(0.0) / NORMAL_P99)
            }
        }
    }

    /// The latency that a word of random bits stands for.
    #[must_use]
    pub fn of(&self, word: u64) -> u64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform(min, span) => min + ((u128::from(word) * (u128::from(span) + 1)) >> 64) as u64,
            // A float beyond the range saturates at the cast: a packet that takes 584 years.
            Self::Lognormal(median, sigma) => (median * libm::exp(sigma * normal(word))) as u64,
        }
    }

    /// A latency that at most one packet in a hundred exceeds, in nanoseconds.
    #[must_use]
    pub fn p99(&self) -> u64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform(min, span) => min + span,
            Self::Lognormal(median, sigma) => (median * libm::exp(sigma * NORMAL_P99)) as u64,
        }
    }
}

/// A link override with its selectors resolved.
#[derive(Clone, Debug)]
pub struct LinkRule {
    /// Which nodes send over it.
    pub from: Vec<bool>,
    /// Which nodes receive over it.
    pub to: Vec<bool>,
    /// Latency, if it says so.
    pub delay: Option<Delay>,
    /// Loss, if it says so.
    pub loss: Option<f64>,
}

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
    /// From when.
    pub from: u64,
    /// Until when; `u64::MAX` while that is not known.
    pub until: u64,
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

impl Cut {
    /// Whether the cut lies in this direction.
    #[must_use]
    pub fn parts(&self, from: u32, to: u32) -> bool {
        match (self.side[from as usize], self.side[to as usize]) {
            (Side::A, Side::B) => true,
            (Side::B, Side::A) => self.both,
            _ => false,
        }
    }
}

/// Numbers a sender's packets per receiver within one slot.
#[derive(Clone, Debug, Default)]
struct Ordinals {
    slot: u64,
    counts: Vec<(u32, u16)>,
}

impl Ordinals {
    fn next(&mut self, slot: u64, to: u32) -> u16 {
        if self.slot != slot {
            self.slot = slot;
            self.counts.clear();
        }
        if let Some((_, count)) = self.counts.iter_mut().find(|(t, _)| *t == to) {
            *count = count.wrapping_add(1);
            return *count;
        }
        self.counts.push((to, 0));
        0
    }
}

/// The network of one run.
#[derive(Debug)]
pub struct Network {
    draws: Draws,
    delay: Delay,
    loss: f64,
    rules: Vec<LinkRule>,
    /// Cuts in force, in order of beginning.
    cuts: Vec<Cut>,
    /// Cuts that ended, for packets that were under way when they began.
    past_cuts: Vec<Cut>,
    last_cut: u64,
    datagrams: Vec<Ordinals>,
    segments: Vec<Ordinals>,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives after so many nanoseconds.
    Arrives(u64),
    /// The network lost it.
    Lost,
    /// This fault cut it off.
    Cut(usize),
}

impl Network {
    /// A network of `nodes` nodes.
    #[must_use]
    pub fn new(draws: Draws, latency: &Latency, loss: f64, rules: Vec<LinkRule>, nodes: usize) -> Self {
        Self {
            draws,
            delay: Delay::new(latency),
            loss,
            rules,
            cuts: Vec::new(),
            past_cuts: Vec::new(),
            last_cut: 0,
            datagrams: vec![Ordinals::default(); nodes],
            segments: vec![Ordinals::default(); nodes],
        }
    }

    /// Latency and loss from one node to another: the first rule that says so, each on its own.
    fn link(&self, from: u32, to: u32) -> (Delay, f64) {
        if self.rules.is_empty() {
            return (self.delay, self.loss);
        }
        let mut matching = self.rules.iter().filter(|r| r.from[from as usize] && r.to[to as usize]);
        let (mut delay, mut loss) = (None, None);
        while let (true, Some(rule)) = (delay.is_none() || loss.is_none(), matching.next()) {
            delay = delay.or(rule.delay);
            loss = loss.or(rule.loss);
        }
        (delay.unwrap_or(self.delay), loss.unwrap_or(self.loss))
    }

    /// Decides a datagram sent now.
    pub fn datagram(&mut self, from: u32, to: u32, now: u64) -> Fate {
        let slot = now / SLOT;
        let ordinal = self.datagrams[from as usize].next(slot, to);
        if let Some(fault) = self.cut(from, to) {
            return Fate::Cut(fault);
        }
        let (delay, loss) = self.link(from, to);
        if loss > 0.0 && unit(self.draws.word(Purpose::DatagramLoss, from, to, slot, ordinal)) < loss {
            return Fate::Lost;
        }
        if let Delay::Constant(value) = delay {
            return Fate::Arrives(value);
        }
        Fate::Arrives(delay.of(self.draws.word(Purpose::DatagramLatency, from, to, slot, ordinal)))
    }

    /// Decides a segment of a stream sent now: losses delay it, a cut stops it.
    pub fn segment(&mut self, from: u32, to: u32, now: u64) -> Fate {
        let slot = now / SLOT;
        let (delay, loss) = self.link(from, to);
        let mut waited = 0;
        for attempt in 0..TRANSMISSIONS_MAX {
            let ordinal = self.segments[from as usize].next(slot, to);
            if let Some(fault) = self.cut(from, to) {
                return Fate::Cut(fault);
            }
            let lost = unit(self.draws.word(Purpose::SegmentLoss, from, to, slot, ordinal)) < loss;
            if !lost || attempt + 1 == TRANSMISSIONS_MAX {
                let word = self.draws.word(Purpose::SegmentLatency, from, to, slot, ordinal);
                return Fate::Arrives(delay.of(word).saturating_add(waited));
            }
            waited += RETRANSMIT << attempt;
        }
        Fate::Lost
    }

    /// The fault that cuts this direction at present.
    #[must_use]
    pub fn cut(&self, from: u32, to: u32) -> Option<usize> {
        self.cuts.iter().find(|c| c.parts(from, to)).map(|c| c.fault)
    }

    /// Whether something sent at `sent` that arrives now was under way when a cut dropped it, and whose.
    #[must_use]
    pub fn dropped_in_flight(&self, from: u32, to: u32, sent: u64, now: u64) -> Option<usize> {
        if sent >= self.last_cut {
            return None;
        }
        self.cuts
            .iter()
            .chain(&self.past_cuts)
            .find(|c| c.in_flight == InFlight::Drop && c.from > sent && c.from <= now && c.parts(from, to))
            .map(|c| c.fault)
    }

    /// A cut begins.
    pub fn begin_cut(&mut self, cut: Cut) {
        self.last_cut = cut.from;
        self.cuts.push(cut);
    }

    /// The cut of that fault ends.
    pub fn end_cut(&mut self, fault: usize, now: u64) {
        if let Some(at) = self.cuts.iter().position(|c| c.fault == fault) {
            let mut cut = self.cuts.remove(at);
            cut.until = now;
            self.past_cuts.push(cut);
        }
    }

    /// Whether any cut is in force.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Whether a node is on a side of a cut in force.
    #[must_use]
    pub fn disturbed(&self, node: u32) -> bool {
        self.cuts.iter().any(|c| c.side[node as usize] != Side::Neither)
    }

    /// The largest loss of any link.
    #[must_use]
    pub fn worst_loss(&self) -> f64 {
        self.rules.iter().filter_map(|r| r.loss).fold(self.loss, f64::max)
    }

    /// The largest 99th percentile of one-way latency of any link, in nanoseconds.
    #[must_use]
    pub fn worst_latency(&self) -> u64 {
        self.rules.iter().filter_map(|r| r.delay).map(|d| d.p99()).fold(self.delay.p99(), u64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MS: u64 = 1_000_000;

    fn constant(value: u64) -> Latency {
        Latency::Constant { value: Duration::from_nanos(value) }
    }

    fn network(loss: f64) -> Network {
        Network::new(Draws::new(1), &constant(MS), loss, Vec::new(), 4)
    }

    fn cut(both: bool, in_flight: InFlight) -> Cut {
        let side = vec![Side::A, Side::B, Side::Neither, Side::B];
        Cut { fault: 7, side, both, in_flight, from: 10 * MS, until: u64::MAX }
    }

    #[test]
    fn a_lognormal_latency_has_the_median_and_p99_it_was_given() {
        let latency =
            Latency::Lognormal { median: Duration::from_micros(400), p99: Duration::from_millis(2) };
        let delay = Delay::new(&latency);
        let draws = Draws::new(3);
        let mut drawn: Vec<u64> =
            (0..100_000).map(|slot| delay.of(draws.word(Purpose::DatagramLatency, 0, 1, slot, 0))).collect();
        drawn.sort_unstable();
        let near = |value: u64, want: f64| (value as f64 / want - 1.0).abs() < 0.02;
        assert!(near(drawn[50_000], 400e3), "{}", drawn[50_000]);
        assert!(near(drawn[99_000], 2e6), "{}", drawn[99_000]);
    }

    #[test]
    fn a_one_way_cut_stops_one_way_only() {
        let mut net = network(0.0);
        net.begin_cut(cut(false, InFlight::Deliver));
        assert_eq!(net.datagram(0, 1, 11 * MS), Fate::Cut(7));
        assert_eq!(net.datagram(1, 0, 11 * MS), Fate::Arrives(MS));
        assert_eq!(net.datagram(0, 2, 11 * MS), Fate::Arrives(MS));
        net.end_cut(7, 20 * MS);
        assert_eq!(net.datagram(0, 1, 21 * MS), Fate::Arrives(MS));
    }

    #[test]
    fn what_is_under_way_is_dropped_only_where_the_cut_says_so() {
        let mut net = network(0.0);
        net.begin_cut(cut(true, InFlight::Drop));
        assert_eq!(net.dropped_in_flight(0, 1, 9 * MS, 10 * MS), Some(7));
        assert_eq!(net.dropped_in_flight(0, 1, 10 * MS, 11 * MS), None);
        assert_eq!(net.dropped_in_flight(1, 3, 9 * MS, 10 * MS), None);
        net.end_cut(7, 11 * MS);
        assert_eq!(net.dropped_in_flight(1, 0, 9 * MS, 12 * MS), Some(7));
        let mut net = network(0.0);
        net.begin_cut(cut(true, InFlight::Deliver));
        assert_eq!(net.dropped_in_flight(0, 1, 9 * MS, 10 * MS), None);
    }

    #[test]
    fn the_first_rule_that_says_so_wins_for_each_key() {
        let only = |n: usize| (0..4).map(|i| i == n).collect::<Vec<_>>();
        let all = vec![true; 4];
        let rules = vec![
            LinkRule { from: only(0), to: all.clone(), delay: None, loss: Some(1.0) },
            LinkRule { from: all.clone(), to: only(1), delay: Some(Delay::Constant(9)), loss: Some(0.0) },
        ];
        let mut net = Network::new(Draws::new(1), &constant(MS), 0.0, rules, 4);
        assert_eq!(net.datagram(0, 1, 0), Fate::Lost);
        assert_eq!(net.datagram(2, 1, 0), Fate::Arrives(9));
        assert_eq!(net.datagram(2, 3, 0), Fate::Arrives(MS));
    }

    #[test]
    fn loss_drops_datagrams_and_delays_segments() {
        let mut net = network(0.3);
        let (mut lost, mut late) = (0, 0);
        for k in 0..10_000 {
            lost += u32::from(net.datagram(0, 1, k * MS) == Fate::Lost);
            late += u32::from(net.segment(0, 1, k * MS) != Fate::Arrives(MS));
        }
        // Binomial(10 000, 0.3): sd 46, so five of them.
        assert!(lost.abs_diff(3000) < 230, "{lost}");
        assert!(late.abs_diff(3000) < 230, "{late}");
    }

    #[test]
    fn packets_of_one_slot_are_drawn_apart() {
        let mut net = Network::new(
            Draws::new(1),
            &Latency::Uniform { min: Duration::ZERO, max: Duration::from_secs(1) },
            0.0,
            Vec::new(),
            4,
        );
        let first = net.datagram(0, 1, 0);
        assert_ne!(first, net.datagram(0, 1, 1));
        let mut again = Network::new(
            Draws::new(1),
            &Latency::Uniform { min: Duration::ZERO, max: Duration::from_secs(1) },
            0.0,
            Vec::new(),
            4,
        );
        let _ = again.segment(0, 1, 0);
        assert_eq!(first, again.datagram(0, 1, 5));
    }
}
