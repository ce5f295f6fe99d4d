//! What lies between nodes: latency, loss, and all that can go wrong on the way. Nodes are numbers here, moments are nanoseconds.
//!
//! Every draw is keyed by (purpose, from, to, slot of send time, ordinal in the slot), so that what one packet meets does not depend on
//! which others were sent elsewhere or earlier.

mod cuts;
mod delay;
mod loss;
mod spared;
mod ways;

use std::collections::{BTreeMap, HashMap};

use crate::draws::{Draws, Purpose, unit};
use crate::scenario::Travel;

pub use cuts::{Carried, Cut, Cuts, Side};
pub use delay::Delay;
pub use loss::LossModel;
pub use spared::{Key, Odds, Spare};
pub use ways::{LinkRule, Way, Ways, over};

/// Length of a slot of send time, in which a link's packets are numbered.
const SLOT: u64 = 1_000_000;
/// First retransmission of a lost segment; each further one waits twice as long.
const RETRANSMIT: u64 = 200_000_000;
/// Transmissions of a segment before the simulator lets it through: the core's stream deadline has passed long before.
const TRANSMISSIONS_MAX: u32 = 10;
/// Headers of UDP and IPv4, which take bandwidth too.
const DATAGRAM_HEADERS: u64 = 28;
/// Headers of TCP and IPv4.
const SEGMENT_HEADERS: u64 = 40;
/// Links whose bandwidth is accounted before those that are idle again are forgotten.
const BUSY_LINKS: usize = 4096;

/// Numbers a sender's packets per receiver within one slot.
#[derive(Clone, Debug, Default)]
struct Ordinals {
    slot: u64,
    /// The slot's first receiver, and how many packets it had after its first.
    first: Option<(u32, u16)>,
    others: Vec<(u32, u16)>,
}

impl Ordinals {
    #[inline]
    fn next(&mut self, slot: u64, to: u32) -> u16 {
        if self.slot != slot {
            self.slot = slot;
            self.first = None;
            self.others.clear();
        }
        match &mut self.first {
            None => {
                self.first = Some((to, 0));
                0
            }
            Some((first, count)) if *first == to => {
                *count = count.wrapping_add(1);
                *count
            }
            Some(_) => self.next_of_others(to),
        }
    }

    fn next_of_others(&mut self, to: u32) -> u16 {
        if let Some((_, count)) = self.others.iter_mut().find(|(other, _)| *other == to) {
            *count = count.wrapping_add(1);
            return *count;
        }
        self.others.push((to, 0));
        0
    }

    /// What [`Ordinals::next`] would give.
    fn following(&self, slot: u64, to: u32) -> u16 {
        if self.slot != slot {
            return 0;
        }
        let mut counts = self.first.iter().chain(&self.others);
        counts.find(|(other, _)| *other == to).map_or(0, |(_, count)| count.wrapping_add(1))
    }
}

/// What becomes of something that is sent. Times are nanoseconds from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives {
        /// After so long.
        after: u64,
        /// And once more after so long.
        again: Option<u64>,
        /// Damaged: the number from which the flipped bit follows.
        damage: Option<u64>,
    },
    /// It arrives after so long, because it is excepted from what would have befallen it.
    Spared {
        /// Its own latency, or nothing.
        after: u64,
    },
    /// The network lost it.
    Lost,
    /// This fault cut it off.
    Cut(usize),
}

/// What the network did to packets, for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Datagrams lost by chance.
    pub lost: u64,
    /// Segments that had to be sent again.
    pub retransmitted: u64,
    /// Datagrams that arrived twice.
    pub duplicated: u64,
    /// Datagrams held back.
    pub held_back: u64,
    /// Datagrams damaged.
    pub damaged: u64,
    /// Datagrams longer than the way takes.
    pub too_long: u64,
    /// Datagrams and segments that waited for bandwidth.
    pub waited: u64,
    /// Datagrams for which a receive buffer had no room.
    pub overflowed: u64,
}

impl Deeds {
    /// By name, zeros left out.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let all = [
            ("lost", self.lost),
            ("retransmitted", self.retransmitted),
            ("duplicated", self.duplicated),
            ("held_back", self.held_back),
            ("damaged", self.damaged),
            ("too_long", self.too_long),
            ("waited_for_bandwidth", self.waited),
            ("receive_buffer_overflowed", self.overflowed),
        ];
        all.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect()
    }
}

/// The network of one run.
#[derive(Debug)]
pub struct Network {
    draws: Draws,
    ways: Ways,
    /// Who cannot reach whom.
    pub cuts: Cuts,
    /// What each slow node adds, by fault.
    slow: Vec<Vec<(usize, Delay)>>,
    slow_nodes: u32,
    /// Until when a way's bandwidth is taken.
    busy: HashMap<(u32, u32), u64>,
    datagrams: Vec<Ordinals>,
    segments: Vec<Ordinals>,
    /// What is excepted from all that befalls packets.
    spared: HashMap<Key, Spare>,
    /// What it did so far.
    pub deeds: Deeds,
}

impl Network {
    /// A network of `nodes` nodes.
    #[must_use]
    pub fn new(draws: Draws, travel: Travel, rules: Vec<LinkRule>, nodes: usize) -> Self {
        Self {
            draws,
            ways: Ways::new(travel, rules, nodes),
            cuts: Cuts::new(draws),
            slow: vec![Vec::new(); nodes],
            slow_nodes: 0,
            busy: HashMap::new(),
            datagrams: vec![Ordinals::default(); nodes],
            segments: vec![Ordinals::default(); nodes],
            spared: HashMap::new(),
            deeds: Deeds::default(),
        }
    }

    /// Decides a datagram of so many bytes sent now.
    #[inline]
    pub fn datagram(&mut self, from: u32, to: u32, bytes: usize, now: u64) -> Fate {
        let slot = now / SLOT;
        let ordinal = self.datagrams[from as usize].next(slot, to);
        if !self.spared.is_empty()
            && let Some(fate) = self.fate_if_spared(Carried::Datagram, (from, to), slot, ordinal)
        {
            return fate;
        }
        if self.cuts.any()
            && let Some(fault) = self.cuts.stopping(from, to, Carried::Datagram)
        {
            return Fate::Cut(fault);
        }
        let draws = self.draws;
        let word = |purpose| draws.word(purpose, from, to, slot, ordinal);
        let way = self.ways.way(from, to);
        if bytes > way.packet_bytes_max as usize {
            self.deeds.too_long += 1;
            return Fate::Lost;
        }
        if way.plain && self.slow_nodes == 0 {
            let after = match way.delay {
                Delay::Constant(value) => value,
                ref delay => delay.of(word(Purpose::DatagramLatency)),
            };
            return Fate::Arrives { after, again: None, damage: None };
        }
        if way.loss != LossModel::NONE
            && unit(word(Purpose::DatagramLoss)) < way.loss.chance(&draws, from, to, now)
        {
            self.deeds.lost += 1;
            return Fate::Lost;
        }
        let mut after = way.delay.of(word(Purpose::DatagramLatency));
        let mut again = None;
        if way.duplicate > 0.0 && unit(word(Purpose::Duplicate)) < way.duplicate {
            self.deeds.duplicated += 1;
            again = Some(way.delay.of(word(Purpose::DuplicateLatency)));
        }
        if let Some((chance, extra)) = way.reorder
            && unit(word(Purpose::Reorder)) < chance
        {
            self.deeds.held_back += 1;
            after = after.saturating_add((unit(word(Purpose::ReorderExtra)) * extra as f64) as u64);
        }
        let mut damage = None;
        if way.corrupt > 0.0 && unit(word(Purpose::Corrupt)) < way.corrupt {
            self.deeds.damaged += 1;
            damage = Some(word(Purpose::CorruptBit));
        }
        let bandwidth = way.bandwidth;
        let mut wait = self.slowness(from, to, slot, ordinal);
        if let Some(bandwidth) = bandwidth {
            wait = wait.saturating_add(self.serialise(
                (from, to),
                bytes as u64 + DATAGRAM_HEADERS,
                bandwidth,
                now,
            ));
        }
        let add = |time: u64| time.saturating_add(wait);
        Fate::Arrives { after: add(after), again: again.map(add), damage }
    }

    /// Decides a segment of a stream sent now: losses delay it, a cut stops it.
    pub fn segment(&mut self, from: u32, to: u32, bytes: usize, now: u64) -> Fate {
        if !self.spared.is_empty()
            && let Some(fate) = self.segment_if_spared((from, to), bytes, now)
        {
            return fate;
        }
        self.transmissions(from, to, bytes, now)
    }

    /// A segment is sent until it gets through; each transmission takes a number.
    fn transmissions(&mut self, from: u32, to: u32, bytes: usize, now: u64) -> Fate {
        let slot = now / SLOT;
        let draws = self.draws;
        let (stream_loss, bandwidth) = {
            let way = self.ways.way(from, to);
            (way.stream_loss, way.bandwidth)
        };
        let mut waited = 0;
        for attempt in 0..TRANSMISSIONS_MAX {
            let ordinal = self.segments[from as usize].next(slot, to);
            if self.cuts.any()
                && let Some(fault) = self.cuts.stopping(from, to, Carried::Segment)
            {
                return Fate::Cut(fault);
            }
            // A burst that is over by the time of a retransmission does not hit it.
            let chance = stream_loss.chance(&draws, from, to, now + waited);
            let lost =
                chance > 0.0 && unit(draws.word(Purpose::SegmentLoss, from, to, slot, ordinal)) < chance;
            if !lost || attempt + 1 == TRANSMISSIONS_MAX {
                let word = draws.word(Purpose::SegmentLatency, from, to, slot, ordinal);
                let mut after = self.ways.way(from, to).delay.of(word).saturating_add(waited);
                after = after.saturating_add(self.slowness(from, to, slot, ordinal));
                if let Some(bandwidth) = bandwidth {
                    let size = bytes as u64 + SEGMENT_HEADERS;
                    after = after.saturating_add(self.serialise((from, to), size, bandwidth, now));
                }
                return Fate::Arrives { after, again: None, damage: None };
            }
            self.deeds.retransmitted += 1;
            waited += RETRANSMIT << attempt;
        }
        Fate::Lost
    }

    /// How long it takes until the last of these bytes is on the way: what was sent before goes first.
    fn serialise(&mut self, link: (u32, u32), bytes: u64, bandwidth: u64, now: u64) -> u64 {
        if self.busy.len() >= BUSY_LINKS {
            self.busy.retain(|_, until| *until > now);
        }
        let until = self.busy.entry(link).or_insert(0);
        self.deeds.waited += u64::from(*until > now);
        let takes = u128::from(bytes) * 1_000_000_000 / u128::from(bandwidth.max(1));
        *until = (*until).max(now).saturating_add(takes as u64);
        *until - now
    }

    fn slowness(&self, from: u32, to: u32, slot: u64, ordinal: u16) -> u64 {
        if self.slow_nodes == 0 {
            return 0;
        }
        let extra = |node: u32, purpose| {
            let word = self.draws.word(purpose, from, to, slot, ordinal);
            self.slow[node as usize].iter().map(|(_, delay)| delay.of(word)).fold(0, u64::saturating_add)
        };
        extra(from, Purpose::SlowSend).saturating_add(extra(to, Purpose::SlowReceive))
    }

    /// A node's messages are late from now on, by this much more.
    pub fn begin_slow(&mut self, node: u32, fault: usize, delay: Delay) {
        self.slow_nodes += u32::from(self.slow[node as usize].is_empty());
        self.slow[node as usize].push((fault, delay));
    }

    /// That fault slows the node no more.
    pub fn end_slow(&mut self, node: u32, fault: usize) {
        let slow = &mut self.slow[node as usize];
        if !slow.is_empty() {
            slow.retain(|(by, _)| *by != fault);
            self.slow_nodes -= u32::from(slow.is_empty());
        }
    }

    /// A link fault begins.
    pub fn begin_link(&mut self, rule: LinkRule) {
        self.ways.begin(rule);
    }

    /// That link fault ends.
    pub fn end_link(&mut self, fault: usize) {
        self.ways.end(fault);
    }

    /// The link fault that shapes the way from one node to another at present.
    pub fn link_fault(&mut self, from: u32, to: u32) -> Option<usize> {
        self.ways.way(from, to).fault
    }

    /// The largest average loss, and the largest 99th percentile of one-way latency (ns), link faults apart.
    #[must_use]
    pub fn worst(&self) -> (f64, u64) {
        self.ways.worst()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::{Latency, Loss, Reorder};

    const MS: u64 = 1_000_000;

    fn arrives(after: u64) -> Fate {
        Fate::Arrives { after, again: None, damage: None }
    }

    fn travel() -> Travel {
        Travel { latency: Some(Latency::Constant { value: Duration::from_millis(1) }), ..Travel::default() }
    }

    fn network(travel: Travel) -> Network {
        Network::new(Draws::new(1), travel, Vec::new(), 4)
    }

    #[test]
    fn loss_drops_datagrams_and_delays_segments() {
        let mut net = network(Travel { loss: Some(Loss::Bernoulli(0.3)), ..travel() });
        let (mut lost, mut late) = (0, 0);
        for k in 0..10_000 {
            lost += u32::from(net.datagram(0, 1, 100, k * MS) == Fate::Lost);
            late += u32::from(net.segment(0, 1, 100, k * MS) != arrives(MS));
        }
        // Binomial(10 000, 0.3): sd 46, so five of them.
        assert!(lost.abs_diff(3000) < 230, "{lost}");
        assert!(late.abs_diff(3000) < 230, "{late}");
        assert_eq!(net.deeds.lost, u64::from(lost));
    }

    #[test]
    fn datagrams_and_segments_can_have_losses_of_their_own() {
        let mut net = network(Travel {
            loss: Some(Loss::Bernoulli(1.0)),
            stream_loss: Some(Loss::Bernoulli(0.0)),
            ..travel()
        });
        assert_eq!((net.datagram(0, 1, 1, 0), net.segment(0, 1, 1, 0)), (Fate::Lost, arrives(MS)));
    }

    #[test]
    fn packets_of_one_slot_are_drawn_apart_and_do_not_depend_on_others() {
        let wide = || Travel {
            latency: Some(Latency::Uniform { min: Duration::ZERO, max: Duration::from_secs(1) }),
            ..travel()
        };
        let mut net = network(wide());
        let first = net.datagram(0, 1, 1, 0);
        assert_ne!(first, net.datagram(0, 1, 1, 1));
        let mut again = network(wide());
        let _ = again.segment(0, 1, 1, 0);
        let _ = again.datagram(0, 2, 1, 0);
        let _ = again.datagram(1, 0, 1, 0);
        assert_eq!(first, again.datagram(0, 1, 1, 5));
    }

    #[test]
    fn datagrams_are_duplicated_held_back_and_damaged_at_their_rates() {
        let mut net = network(Travel {
            duplicate: Some(0.1),
            reorder: Some(Reorder { chance: 0.2, extra: Duration::from_millis(50) }),
            corrupt: Some(0.3),
            ..travel()
        });
        let (mut twice, mut damaged, mut late, mut latest) = (0u32, 0u32, 0u32, 0);
        for k in 0..10_000 {
            let Fate::Arrives { after, again, damage } = net.datagram(0, 1, 100, k * MS) else { panic!() };
            twice += u32::from(again.is_some());
            damaged += u32::from(damage.is_some());
            late += u32::from(after > MS);
            latest = latest.max(after);
        }
        // Five standard deviations of each binomial.
        assert!(twice.abs_diff(1000) < 150 && late.abs_diff(2000) < 200, "{twice} {late}");
        assert!(damaged.abs_diff(3000) < 230, "{damaged}");
        assert!(latest > 45 * MS && latest <= 51 * MS, "{latest}");
        assert_eq!((net.deeds.duplicated, net.deeds.held_back), (u64::from(twice), u64::from(late)));
    }

    #[test]
    fn a_packet_waits_for_those_before_it_on_a_narrow_way() {
        let mut net = network(Travel { bandwidth: Some(128_000), ..travel() });
        // 100 bytes and 28 of headers: a millisecond at 128 000 B/s.
        assert_eq!(net.datagram(0, 1, 100, 0), arrives(2 * MS));
        assert_eq!(net.datagram(0, 1, 100, 0), arrives(3 * MS));
        assert_eq!(net.datagram(1, 0, 100, 0), arrives(2 * MS), "each way has its own");
        assert_eq!(net.segment(0, 1, 88, 0), arrives(4 * MS), "streams share it");
        assert_eq!(net.datagram(0, 1, 100, 60 * MS), arrives(2 * MS));
    }

    #[test]
    fn a_datagram_longer_than_the_way_takes_is_lost() {
        let mut net = network(Travel { packet_bytes_max: Some(1000), ..travel() });
        assert_eq!(net.datagram(0, 1, 1000, 0), arrives(MS));
        assert_eq!(net.datagram(0, 1, 1001, 0), Fate::Lost);
        assert_eq!(net.segment(0, 1, 5000, 0), arrives(MS));
        assert_eq!(net.deeds.too_long, 1);
    }

    #[test]
    fn a_slow_node_is_late_with_what_it_sends_and_what_it_gets() {
        let mut net = network(travel());
        net.begin_slow(1, 3, Delay::Constant(5 * MS));
        assert_eq!(net.datagram(0, 1, 1, 0), arrives(6 * MS));
        assert_eq!(net.segment(1, 0, 1, 0), arrives(6 * MS));
        assert_eq!(net.datagram(0, 2, 1, 0), arrives(MS));
        net.end_slow(1, 3);
        assert_eq!(net.datagram(0, 1, 1, 0), arrives(MS));
    }
}
