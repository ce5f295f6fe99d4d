//! What the way from one node to another is like: what the network says, its link overrides, and the link faults of the moment.

use std::collections::HashMap;
use std::time::Duration;

use rumormill_core::time::nanos;

use super::delay::Delay;
use super::loss::LossModel;
use crate::scenario::{Latency, Travel};

/// Groups of nodes up to which every pair's way is remembered.
const REMEMBERED: usize = 1024;

/// A link override with its selectors resolved.
#[derive(Clone, Debug)]
pub struct LinkRule {
    /// Which nodes send over it.
    pub from: Vec<bool>,
    /// Which nodes receive over it.
    pub to: Vec<bool>,
    /// What differs.
    pub travel: Travel,
    /// The fault that it belongs to, if any.
    pub fault: Option<usize>,
}

/// A way, ready to send over.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// One-way latency.
    pub delay: Delay,
    /// Loss of datagrams.
    pub loss: LossModel,
    /// Loss of segments.
    pub stream_loss: LossModel,
    /// Chance that a datagram arrives twice.
    pub duplicate: f64,
    /// Chance that a datagram is held back, and for how long at most (ns).
    pub reorder: Option<(f64, u64)>,
    /// Chance that a datagram is damaged.
    pub corrupt: f64,
    /// Bytes per second.
    pub bandwidth: Option<u64>,
    /// Longest datagram that gets through.
    pub packet_bytes_max: u32,
    /// Whether nothing befalls a datagram on it: it takes its time and arrives, if it is not too long.
    pub plain: bool,
    /// The link fault that shapes it, if any.
    pub fault: Option<usize>,
}

impl Way {
    fn new(travel: &Travel, fault: Option<usize>) -> Self {
        const LATENCY: Latency = Latency::Constant { value: Duration::from_micros(500) };
        let loss = travel.loss.as_ref().map_or(LossModel::NONE, LossModel::new);
        let mut way = Self {
            delay: Delay::new(travel.latency.as_ref().unwrap_or(&LATENCY)),
            loss,
            stream_loss: travel.stream_loss.as_ref().map_or(loss, LossModel::new),
            duplicate: travel.duplicate.unwrap_or(0.0),
            reorder: travel.reorder.map(|r| (r.chance, nanos(r.extra))),
            corrupt: travel.corrupt.unwrap_or(0.0),
            bandwidth: travel.bandwidth,
            packet_bytes_max: travel.packet_bytes_max.unwrap_or(u32::MAX),
            plain: false,
            fault,
        };
        way.plain = way.loss == LossModel::NONE
            && way.duplicate <= 0.0
            && way.corrupt <= 0.0
            && way.reorder.is_none()
            && way.bandwidth.is_none();
        way
    }
}

/// The first travel's keys, and the second's where the first has none.
#[must_use]
pub fn over(first: &Travel, second: &Travel) -> Travel {
    Travel {
        latency: first.latency.clone().or_else(|| second.latency.clone()),
        // A loss that is overridden takes a wider setting's loss of segments with it.
        stream_loss: first.stream_loss.or(first.loss).or(second.stream_loss),
        loss: first.loss.or(second.loss),
        duplicate: first.duplicate.or(second.duplicate),
        reorder: first.reorder.or(second.reorder),
        corrupt: first.corrupt.or(second.corrupt),
        bandwidth: first.bandwidth.or(second.bandwidth),
        packet_bytes_max: first.packet_bytes_max.or(second.packet_bytes_max),
    }
}

/// All ways. Nodes that no rule tells apart form a group; a way belongs to a pair of groups.
#[derive(Debug)]
pub struct Ways {
    base: Travel,
    /// In order of precedence: link faults, the latest first, then overrides in the scenario's order.
    rules: Vec<LinkRule>,
    group_of: Vec<u32>,
    groups: usize,
    /// The number of each pair's way in `ways`; lazily, `u32::MAX` while it is not known.
    cells: Vec<u32>,
    ways: Vec<Way>,
}

impl Ways {
    /// The ways between `nodes` nodes.
    #[must_use]
    pub fn new(base: Travel, rules: Vec<LinkRule>, nodes: usize) -> Self {
        let mut ways =
            Self { base, rules, group_of: vec![0; nodes], groups: 1, cells: Vec::new(), ways: Vec::new() };
        ways.regroup();
        ways
    }

    /// A link fault begins.
    pub fn begin(&mut self, rule: LinkRule) {
        self.rules.insert(0, rule);
        self.regroup();
    }

    /// The link fault ends.
    pub fn end(&mut self, fault: usize) {
        self.rules.retain(|rule| rule.fault != Some(fault));
        self.regroup();
    }

    fn regroup(&mut self) {
        let mut known: HashMap<Vec<bool>, u32> = HashMap::new();
        for node in 0..self.group_of.len() {
            let place: Vec<bool> = self.rules.iter().flat_map(|r| [r.from[node], r.to[node]]).collect();
            let next = known.len() as u32;
            self.group_of[node] = *known.entry(place).or_insert(next);
        }
        self.groups = known.len().max(1);
        self.ways.clear();
        self.cells.clear();
        if self.groups <= REMEMBERED {
            self.cells.resize(self.groups * self.groups, u32::MAX);
        }
    }

    /// The way from one node to another.
    #[inline]
    pub fn way(&mut self, from: u32, to: u32) -> &Way {
        if self.groups > 1 || self.ways.is_empty() {
            return self.look_up(from, to);
        }
        &self.ways[0]
    }

    fn look_up(&mut self, from: u32, to: u32) -> &Way {
        let cell = self.group_of[from as usize] as usize * self.groups + self.group_of[to as usize] as usize;
        let number = self.cells.get(cell).copied().unwrap_or(u32::MAX);
        if number != u32::MAX {
            return &self.ways[number as usize];
        }
        let way = self.resolve(from, to);
        let number = self.ways.iter().position(|w| *w == way).unwrap_or_else(|| {
            self.ways.push(way);
            self.ways.len() - 1
        });
        if let Some(cell) = self.cells.get_mut(cell) {
            *cell = number as u32;
        }
        &self.ways[number]
    }

    fn resolve(&self, from: u32, to: u32) -> Way {
        let matching = self.rules.iter().filter(|r| r.from[from as usize] && r.to[to as usize]);
        let fault = matching.clone().find_map(|rule| rule.fault);
        let travel = matching.fold(Travel::default(), |travel, rule| over(&travel, &rule.travel));
        Way::new(&over(&travel, &self.base), fault)
    }

    /// The worst of what the network and its overrides say, link faults apart: the largest average loss (of datagrams, those that are
    /// damaged and so refused among them, or of segments), and the largest 99th percentile of latency (ns) with what reordering adds.
    #[must_use]
    pub fn worst(&self) -> (f64, u64) {
        let rules = self.rules.iter().filter(|r| r.fault.is_none()).map(|r| over(&r.travel, &self.base));
        rules.chain([self.base.clone()]).map(|travel| Way::new(&travel, None)).fold(
            (0.0, 0),
            |(loss, late), way| {
                let held = way.reorder.map_or(0, |(_, extra)| extra);
                let lost = way.loss.average();
                let datagrams = lost + (1.0 - lost) * way.corrupt;
                (datagrams.max(way.stream_loss.average()).max(loss), (way.delay.p99() + held).max(late))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Loss;

    fn only(node: usize) -> Vec<bool> {
        (0..4).map(|i| i == node).collect()
    }

    fn constant(value: u64) -> Travel {
        Travel {
            latency: Some(Latency::Constant { value: Duration::from_nanos(value) }),
            ..Travel::default()
        }
    }

    fn loss(chance: f64) -> Travel {
        Travel { loss: Some(Loss::Bernoulli(chance)), ..Travel::default() }
    }

    #[test]
    fn the_first_rule_that_says_so_wins_for_each_key() {
        let both = Travel { loss: Some(Loss::Bernoulli(0.0)), ..constant(9) };
        let rules = vec![
            LinkRule { from: only(0), to: vec![true; 4], travel: loss(1.0), fault: None },
            LinkRule { from: vec![true; 4], to: only(1), travel: both, fault: None },
        ];
        let mut ways = Ways::new(constant(1), rules, 4);
        let mut seen = |from, to| {
            let way = ways.way(from, to);
            (way.delay.clone(), way.loss, way.stream_loss)
        };
        let (sure, never) = (LossModel::Bernoulli(1.0), LossModel::NONE);
        assert_eq!(seen(0, 1), (Delay::Constant(9), sure, sure));
        assert_eq!(seen(2, 1), (Delay::Constant(9), never, never));
        assert_eq!(seen(2, 3), (Delay::Constant(1), never, never));
        assert_eq!(seen(0, 3), (Delay::Constant(1), sure, sure));
        assert_eq!(ways.worst(), (1.0, 9));
    }

    #[test]
    fn what_is_damaged_counts_as_lost() {
        let corrupt = |chance| Travel { corrupt: Some(chance), ..Travel::default() };
        let worst = |travel| Ways::new(travel, Vec::new(), 2).worst().0;
        assert_eq!((worst(corrupt(0.2)), worst(corrupt(0.0))), (0.2, 0.0));
        assert_eq!(worst(Travel { loss: Some(Loss::Bernoulli(0.5)), ..corrupt(0.2) }), 0.6);
        assert_eq!(worst(Travel { stream_loss: Some(Loss::Bernoulli(0.7)), ..corrupt(0.2) }), 0.7);
    }

    #[test]
    fn a_link_fault_overrides_everything_while_it_lasts() {
        let rules = vec![LinkRule { from: only(0), to: only(1), travel: constant(5), fault: None }];
        let mut ways = Ways::new(constant(1), rules, 4);
        assert_eq!(ways.way(0, 1).delay, Delay::Constant(5));
        let of = |ways: &mut Ways, from, to| {
            let way = ways.way(from, to);
            (way.delay.clone(), way.fault)
        };
        let mut all = vec![true; 4];
        all[3] = false;
        ways.begin(LinkRule { from: all.clone(), to: all, travel: constant(7), fault: Some(2) });
        assert_eq!(of(&mut ways, 0, 1), (Delay::Constant(7), Some(2)));
        assert_eq!(of(&mut ways, 0, 3), (Delay::Constant(1), None));
        assert_eq!(ways.worst().1, 5, "faults end before quiet time");
        ways.end(2);
        assert_eq!(ways.way(0, 1).delay, Delay::Constant(5));
        assert_eq!(ways.way(1, 2).delay, Delay::Constant(1));
    }

    #[test]
    fn a_wider_loss_of_segments_does_not_outlive_an_overridden_loss() {
        let base = Travel { stream_loss: Some(Loss::Bernoulli(0.5)), ..loss(0.1) };
        let rules = vec![LinkRule { from: only(0), to: only(1), travel: loss(0.0), fault: None }];
        let mut ways = Ways::new(base, rules, 4);
        assert_eq!(ways.way(0, 1).stream_loss, LossModel::NONE);
        assert_eq!(ways.way(1, 0).stream_loss, LossModel::Bernoulli(0.5));
    }
}
