//! What befalls nodes and the network between them: faults begin, end, and begin again.

use rumormill_core::time::nanos;

use super::World;
use super::stage::What;
use crate::faults::{choose, choose_pair, end_of, gap_is_short, next_of, sides};
use crate::network::{Cut, Delay, LinkRule, Side};
use crate::scenario::{Direction, Fault, FaultKind, InFlight, Selector, Traffic};
use crate::truth::{Presence, node_name};

/// How many of a fault's nodes a report names.
const NAMES_MAX: usize = 20;

/// Where one fault stands.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// How often it has begun.
    times: u32,
    /// The nodes that were drawn once and for all.
    drawn: Option<Vec<u32>>,
    /// The nodes that it has in its grip at present.
    gripped: Vec<u32>,
    /// The nodes that count as disturbed because of it.
    disturbed: Vec<u32>,
    /// Whether it is in force.
    on: bool,
}

impl World<'_> {
    /// Puts the first begin of every fault into the queue.
    pub(super) fn schedule_faults(&mut self) {
        let end = nanos(self.scenario.duration);
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            if !fault.off && nanos(fault.at) <= end {
                self.stage.plan(nanos(fault.at), What::Fault(index as u32), 0, 0, &[]);
            }
        }
    }

    pub(super) fn begin_fault(&mut self, index: usize) {
        let scenario = self.scenario;
        let fault = &scenario.faults[index];
        let (now, run_end) = (self.stage.now, nanos(scenario.duration));
        let until = end_of(fault, now, run_end);
        // An end comes before the next begin at the same moment.
        if let Some(at) = until.filter(|_| !matches!(fault.kind, FaultKind::Crash { .. })) {
            self.stage.plan(at, What::End(index as u32), 0, 0, &[]);
        }
        if let Some(at) = next_of(fault, now, run_end) {
            self.stage.plan(at, What::Fault(index as u32), 0, 0, &[]);
        }
        if let Some(film) = &mut self.stage.meter.film {
            film.fault(now, index, fault, until);
        }
        self.stage.effects[index].times += 1;
        self.stage.effects[index].until = until.map(|at| at as f64 / 1e9);
        self.courses[index].on = true;
        self.take_hold(index, fault, until);
        self.courses[index].times += 1;
    }

    fn take_hold(&mut self, index: usize, fault: &Fault, until: Option<u64>) {
        match &fault.kind {
            FaultKind::Crash { nodes, .. } => {
                for node in self.aim(index, nodes, |p| p == Presence::Up) {
                    self.crash(node, index);
                    if let Some(at) = until {
                        let life = self.stage.truth.life(node);
                        self.stage.plan(at, What::Return { fault: index as u32, life }, node, node, &[]);
                    }
                }
            }
            FaultKind::Restart { nodes, how } => {
                for node in self.aim(index, nodes, |p| p != Presence::Absent) {
                    self.crash(node, index);
                    self.come_back(node, how, index);
                }
            }
            FaultKind::Leave { nodes } => {
                for node in self.aim(index, nodes, |p| p == Presence::Up) {
                    self.leave(node, index);
                }
            }
            FaultKind::Join { through, .. } => {
                let mut joiners = self.plan.joiners[index].clone();
                joiners.retain(|n| self.stage.truth.life(*n) == 0);
                self.aimed(index, &joiners);
                for node in joiners {
                    self.arrive(node, through, index);
                }
            }
            FaultKind::Pause { nodes } | FaultKind::Slow { nodes, .. } => self.grip(index, nodes),
            FaultKind::BlockIo { nodes } | FaultKind::Clock { nodes, .. } => self.grip(index, nodes),
            FaultKind::Partition { a, b, direction, in_flight, share, traffic } => {
                let (way, share) = ((*direction, *in_flight, *traffic), *share);
                self.part(index, (a, b), way, share);
            }
            FaultKind::Link { from, to, travel } => {
                let orders = self.plan.orders(index, self.repetition(index));
                let (from_set, to_set) = choose_pair((from, to), &orders, &self.scenario.cluster.zones);
                let narrow = |s: &Selector| !matches!(s, Selector::All | Selector::Rest);
                let (mut touched, mut disturbed) = (Vec::new(), Vec::new());
                for node in 0..self.scenario.cluster.nodes {
                    let (sends, gets) = (from_set[node as usize], to_set[node as usize]);
                    touched.extend((sends || gets).then_some(node));
                    disturbed.extend((sends && narrow(from) || gets && narrow(to)).then_some(node));
                }
                self.aimed(index, &touched);
                self.disturb(index, &disturbed);
                let travel = travel.clone();
                let rule = LinkRule { from: from_set, to: to_set, travel, fault: Some(index) };
                self.stage.network.begin_link(rule);
                self.stage.link_faults += 1;
                self.stage.truth.changed(self.stage.now);
            }
        }
    }

    fn part(
        &mut self,
        index: usize,
        (a, b): (&Selector, &Selector),
        (direction, in_flight, traffic): (Direction, InFlight, Traffic),
        share: f64,
    ) {
        let repetition = self.repetition(index);
        let orders = self.plan.orders(index, repetition);
        let side = sides(a, b, &orders, &self.scenario.cluster.zones);
        let touched: Vec<u32> =
            (0..self.scenario.cluster.nodes).filter(|n| side[*n as usize] != Side::Neither).collect();
        self.aimed(index, &touched);
        let both = direction == Direction::Both;
        let now = self.stage.now;
        let share = (share, self.plan.number(index).rotate_left(repetition));
        for node in &touched {
            self.stage.meter.said.claims.lose(*node, now);
        }
        self.stage.network.cuts.begin(Cut { fault: index, side, both, in_flight, traffic, share, from: now });
        self.stage.truth.changed(now);
    }

    /// The number of the repetition, where each draws anew; else 0.
    fn repetition(&self, index: usize) -> u32 {
        if self.scenario.faults[index].repick { self.courses[index].times } else { 0 }
    }

    /// The nodes a fault is aimed at now, of those for which it makes sense. Drawn once, unless each repetition draws anew.
    fn aim(&mut self, index: usize, nodes: &Selector, may: impl Fn(Presence) -> bool) -> Vec<u32> {
        let truth = &self.stage.truth;
        let eligible = |n: u32| may(truth.presence(n));
        let chosen = match &self.courses[index].drawn {
            Some(drawn) => drawn.iter().copied().filter(|n| eligible(*n)).collect(),
            None => {
                let order = self.plan.orders(index, self.repetition(index)).first;
                choose(nodes, &order, &self.scenario.cluster.zones, eligible)
            }
        };
        if !self.scenario.faults[index].repick {
            self.courses[index].drawn.get_or_insert_with(|| chosen.clone());
        }
        self.aimed(index, &chosen);
        chosen
    }

    fn aimed(&mut self, index: usize, nodes: &[u32]) {
        if let Some(film) = &mut self.stage.meter.film {
            film.aimed(self.stage.now, index, nodes);
        }
        if let Some(recorder) = &mut self.stage.recorder {
            recorder.fault_begins(self.stage.now, index, nodes);
        }
        let effect = &mut self.stage.effects[index];
        effect.aimed += nodes.len() as u64;
        for name in nodes.iter().map(|n| node_name(*n)) {
            if effect.nodes.len() < NAMES_MAX && !effect.nodes.contains(&name) {
                effect.nodes.push(name);
            }
        }
    }

    /// A fault takes hold of processes that are up, until it ends.
    fn grip(&mut self, index: usize, nodes: &Selector) {
        let gripped = self.aim(index, nodes, |p| p == Presence::Up);
        self.disturb(index, &gripped);
        let now = self.stage.now;
        for node in gripped.iter().copied() {
            let stage = &mut self.stage;
            let kind = &self.scenario.faults[index].kind;
            if let Some(film) = &mut stage.meter.film {
                film.condition(now, node, kind, true);
            }
            match kind {
                FaultKind::Pause { .. } => {
                    stage.conditions.pause(node);
                    stage.meter.anomaly(node, now);
                    stage.did(index, "paused");
                }
                FaultKind::BlockIo { .. } => {
                    stage.conditions.block(node);
                    stage.meter.anomaly(node, now);
                    stage.did(index, "blocked");
                }
                FaultKind::Slow { extra, .. } => {
                    stage.network.begin_slow(node, index, Delay::new(extra));
                    stage.did(index, "slowed");
                }
                FaultKind::Clock { rate, offset, .. } => {
                    stage.conditions.turn_clock(node, now, *rate, *offset);
                    stage.did(index, "clocks_turned");
                    self.rewind(node);
                }
                _ => {}
            }
        }
        self.stage.truth.changed(now);
        self.courses[index].gripped = gripped;
    }

    /// A clock was turned: the wake-up that counts is another now.
    fn rewind(&mut self, node: u32) {
        self.stage.armed[node as usize] = u64::MAX;
        if let Some(process) = &self.nodes[node as usize] {
            self.stage.arm(node, process);
        }
    }

    pub(super) fn end_fault(&mut self, index: usize) {
        if !std::mem::take(&mut self.courses[index].on) {
            return;
        }
        let now = self.stage.now;
        if let Some(recorder) = &mut self.stage.recorder {
            recorder.fault_ends(now, index);
        }
        match &self.scenario.faults[index].kind {
            FaultKind::Partition { .. } => self.stage.network.cuts.end(index),
            FaultKind::Link { .. } => {
                self.stage.network.end_link(index);
                self.stage.link_faults -= 1;
            }
            FaultKind::Pause { .. }
            | FaultKind::BlockIo { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Clock { .. } => {
                for node in std::mem::take(&mut self.courses[index].gripped) {
                    self.let_go(index, node);
                }
            }
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Leave { .. }
            | FaultKind::Join { .. } => return,
        }
        self.stage.truth.changed(now);
        let fault = &self.scenario.faults[index];
        let begins_again = next_of(
            fault,
            now - now.min(nanos(fault.lasts.unwrap_or_default())),
            nanos(self.scenario.duration),
        );
        if !(gap_is_short(fault) && begins_again.is_some()) {
            for node in std::mem::take(&mut self.courses[index].disturbed) {
                self.stage.truth.leave_alone(node);
            }
        }
    }

    /// Nodes count as disturbed until the fault is over for good.
    fn disturb(&mut self, index: usize, nodes: &[u32]) {
        let disturbed = &mut self.courses[index].disturbed;
        for node in nodes {
            if !disturbed.contains(node) {
                disturbed.push(*node);
                self.stage.truth.disturb(*node);
                self.stage.meter.said.claims.lose(*node, self.stage.now);
            }
        }
    }

    fn let_go(&mut self, index: usize, node: u32) {
        let now = self.stage.now;
        let stage = &mut self.stage;
        let kind = &self.scenario.faults[index].kind;
        if let Some(film) = &mut stage.meter.film {
            film.condition(now, node, kind, false);
        }
        match kind {
            FaultKind::Pause { .. } => stage.conditions.resume(node),
            FaultKind::BlockIo { .. } => stage.conditions.unblock(node),
            FaultKind::Slow { .. } => return stage.network.end_slow(node, index),
            FaultKind::Clock { offset, .. } => {
                stage.conditions.turn_clock(node, now, 1.0, -offset);
                return self.rewind(node);
            }
            _ => return,
        }
        stage.meter.recovered(node, now);
        if !self.stage.conditions.holds_sends(node) {
            self.stage.release_sends(node);
        }
        if !self.stage.conditions.holds_receipts(node) {
            self.release_receipts(node);
        }
        if !self.stage.conditions.is_paused(node) {
            self.rewind(node);
        }
    }

    /// Measured time is over: faults end.
    pub(super) fn end_faults(&mut self) {
        for index in 0..self.scenario.faults.len() {
            self.end_fault(index);
            for node in std::mem::take(&mut self.courses[index].disturbed) {
                self.stage.truth.leave_alone(node);
            }
        }
    }
}
