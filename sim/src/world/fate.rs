//! What befalls nodes: deliveries, faults, returns and repeated joins.

use std::sync::Arc;

use rumormill_core::error::StreamFailure;
use rumormill_core::id::Incarnation;
use rumormill_core::io::{Command, Input, State, StreamInput};
use rumormill_core::time::nanos;
use rumormill_core::{Roster, Seed};

use super::feed::{JOIN, Joining, LEAVE, What, socket};
use super::streams::Step;
use super::{Snapshot, World};
use crate::draws::Purpose;
use crate::faults::{choose, end_of, sides};
use crate::metrics::changes::Change;
use crate::network::Cut;
use crate::scenario::{Direction, FaultKind, Restart, Selector, Through};
use crate::truth::{Presence, node_name};

/// How many of a fault's nodes a report names.
const NAMES_MAX: usize = 20;

impl World<'_> {
    /// Something planned or under way is due.
    pub(super) fn parcel(&mut self, index: u32) {
        let parcel = self.stage.parcels.get(index);
        let (what, from, to, sent) = (parcel.what, parcel.from, parcel.to, parcel.sent);
        let (sender, receiver) = (parcel.sender, parcel.receiver);
        let bytes = std::mem::take(&mut parcel.bytes);
        match what {
            What::Datagram | What::Stream { .. } => {
                if let Some(fault) = self.stage.network.dropped_in_flight(from, to, sent, self.stage.now) {
                    if let What::Stream { connection, generation, side, .. } = what {
                        let connection = self.stage.connections.get(connection);
                        connection.stalled[usize::from(side)] |= connection.generation == generation;
                    }
                    self.stage.did(fault, "in_flight_dropped");
                } else if let What::Stream { connection, generation, side, step } = what {
                    self.stream_step(connection, generation, usize::from(side), step, &bytes);
                } else if self.stage.address[to as usize] == receiver && self.nodes[to as usize].is_some() {
                    self.stage.invariants.label.given(self.stage.now, to);
                    self.feed(to, Input::Packet { from: socket(sender), bytes: &bytes });
                }
            }
            What::Fault(fault) => self.begin_fault(fault as usize),
            What::Heal(fault) => self.heal(fault as usize),
            What::Return { fault, life } => {
                let truth = &self.stage.truth;
                let same = truth.presence(to) == Presence::Down && truth.life(to) == life;
                let kind = &self.scenario.faults[fault as usize].kind;
                if let (true, FaultKind::Crash { restart: Some((_, how)), .. }) = (same, kind) {
                    self.come_back(to, how, fault as usize);
                }
            }
            What::Rejoin { life } => {
                if self.stage.truth.is_up(to) && self.stage.truth.life(to) == life {
                    self.try_join(to);
                }
            }
        }
        self.stage.parcels.get(index).bytes = bytes;
        self.stage.parcels.give_back(index);
    }

    fn stream_step(&mut self, index: u32, generation: u32, side: usize, step: Step, bytes: &[u8]) {
        let connection = self.stage.connections.get(index);
        if connection.generation != generation || connection.stalled[side] {
            return;
        }
        let (end, other) = (connection.ends[side], connection.ends[1 - side]);
        if step == Step::Syn {
            if self.nodes[end.node as usize].is_some() {
                self.stage.connections.accept(index);
                self.stage.send(index, 0, Step::Connected, &[]);
            } else {
                self.stage.send(index, 0, Step::Refused, &[]);
            }
            return;
        }
        if !end.open {
            return;
        }
        let peer = socket(self.stage.address[other.node as usize]);
        let input = match step {
            Step::Connected => {
                self.stage.send(index, 1, Step::Accepted, &[]);
                StreamInput::Opened { peer }
            }
            Step::Accepted => StreamInput::Opened { peer },
            Step::Frame => StreamInput::Frame(bytes),
            Step::Closed => {
                self.stage.connections.get(index).ends[side].heard_last = true;
                if end.said_last {
                    self.stage.connections.end(index, side);
                }
                StreamInput::Closed
            }
            Step::Refused | Step::Lost | Step::Syn => {
                self.stage.connections.end(index, side);
                let refused = step == Step::Refused;
                StreamInput::Failed(if refused { StreamFailure::Refused } else { StreamFailure::Lost })
            }
        };
        self.feed(end.node, Input::Stream { id: end.id, input });
    }

    /// Puts every fault that begins within the measured time into the queue.
    pub(super) fn schedule_faults(&mut self) {
        let end = nanos(self.scenario.duration);
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            if nanos(fault.at) <= end {
                self.stage.plan(nanos(fault.at), What::Fault(index as u32), 0, 0, &[]);
            }
        }
    }

    fn begin_fault(&mut self, index: usize) {
        let scenario = self.scenario;
        // A fault that lies after the measured time was never put into the queue.
        let fault = &scenario.faults[index];
        let until = end_of(fault);
        match &fault.kind {
            FaultKind::Crash { nodes, restart } => {
                for node in self.aim(index, nodes, |p| p == Presence::Up) {
                    self.crash(node, index);
                    if let (Some(at), Some(_)) = (until.filter(|t| *t <= nanos(scenario.duration)), restart) {
                        let life = self.stage.truth.life(node);
                        self.stage.plan(at, What::Return { fault: index as u32, life }, node, node, &[]);
                    }
                }
            }
            FaultKind::Restart { nodes, how } => {
                let may = |p| matches!(p, Presence::Up | Presence::Down | Presence::Left);
                for node in self.aim(index, nodes, may) {
                    if self.stage.truth.is_up(node) {
                        self.crash(node, index);
                    }
                    self.come_back(node, how, index);
                }
            }
            FaultKind::Leave { nodes } => {
                for node in self.aim(index, nodes, |p| p == Presence::Up) {
                    self.leave(node, index);
                }
            }
            FaultKind::Join { through, .. } => {
                let joiners = self.plan.joiners[index].clone();
                self.aimed(index, &joiners);
                for node in joiners {
                    self.birth(node, Incarnation(0), &Arc::default(), true);
                    self.stage.did(index, "joined");
                    let through = self.through(through, node, index);
                    self.join(node, through);
                }
            }
            FaultKind::Partition { a, b, direction, in_flight, .. } => {
                let side = sides(a, b, &self.plan.orders[index], &scenario.cluster.zones);
                let touched: Vec<u32> = (0..scenario.cluster.nodes)
                    .filter(|n| side[*n as usize] != crate::network::Side::Neither)
                    .collect();
                self.aimed(index, &touched);
                let both = *direction == Direction::Both;
                let now = self.stage.now;
                let cut = Cut { fault: index, side, both, in_flight: *in_flight, from: now, until: u64::MAX };
                self.stage.network.begin_cut(cut);
                self.stage.truth.changed(now);
                if let Some(at) = until {
                    self.stage.plan(at, What::Heal(index as u32), 0, 0, &[]);
                }
            }
        }
    }

    fn aim(&mut self, index: usize, nodes: &Selector, may: impl Fn(Presence) -> bool) -> Vec<u32> {
        let truth = &self.stage.truth;
        let order = &self.plan.orders[index].first;
        let chosen = choose(nodes, order, &self.scenario.cluster.zones, |n| may(truth.presence(n)));
        self.aimed(index, &chosen);
        chosen
    }

    fn aimed(&mut self, index: usize, nodes: &[u32]) {
        let effect = &mut self.stage.effects[index];
        effect.aimed = nodes.len() as u64;
        effect.nodes = nodes.iter().take(NAMES_MAX).map(|n| node_name(*n)).collect();
    }

    fn crash(&mut self, node: u32, fault: usize) {
        let Some(process) = self.nodes[node as usize].take() else { return };
        let own = node_name(node);
        let members = process
            .members()
            .filter(|m| matches!(m.state, State::Alive | State::Suspect) && *m.identity.name != *own)
            .map(|m| (m.identity.clone(), m.incarnation))
            .collect();
        self.snapshots[node as usize] = Snapshot { incarnation: process.incarnation(), members };
        let stage = &mut self.stage;
        stage.cut_connections(node);
        stage.joining[node as usize] = None;
        stage.truth.set(node, Presence::Down);
        stage.truth.changed(stage.now);
        stage.meter.gone(node, Change::Crash, stage.now);
        stage.did(fault, "crashed");
    }

    fn leave(&mut self, node: u32, fault: usize) {
        let stage = &mut self.stage;
        stage.joining[node as usize] = None;
        stage.truth.set(node, Presence::Leaving);
        stage.truth.changed(stage.now);
        stage.meter.gone(node, Change::Leave, stage.now);
        stage.did(fault, "left");
        self.feed(node, Input::Command { id: LEAVE, command: Command::Leave });
    }

    fn come_back(&mut self, node: u32, how: &Restart, fault: usize) {
        if how.new_address {
            self.stage.address[node as usize] = self.stage.owner.len() as u32;
            self.stage.owner.push(node);
        }
        let snapshot = std::mem::take(&mut self.snapshots[node as usize]);
        let snapshot = if how.lost_state { Snapshot::default() } else { snapshot };
        let seed = Seed::simulated(self.seed, node.into(), self.stage.truth.life(node).into());
        let roster = Arc::new(Roster::new(snapshot.members, &seed));
        self.birth(node, snapshot.incarnation, &roster, true);
        self.stage.did(fault, "restarted");
        let through = self.through(&how.through, node, fault);
        self.join(node, through);
    }

    /// Through whom a node joins: itself never.
    fn through(&self, through: &Through, node: u32, fault: usize) -> Vec<u32> {
        let nodes = self.scenario.cluster.nodes;
        match through {
            Through::Selector(selector) => {
                let order = &self.plan.orders[fault].second;
                choose(selector, order, &self.scenario.cluster.zones, |n| n != node)
            }
            Through::FirstAndTwo => {
                let mut chosen: Vec<u32> = (node != 0).then_some(0).into_iter().collect();
                let wanted = chosen.len() + 2;
                // Draws repeat in small clusters; so many tries find two others unless there are none.
                for attempt in 0..64u16 {
                    let word = self.stage.draws.word(
                        Purpose::Through,
                        fault as u32,
                        node,
                        self.stage.now / 1_000_000,
                        attempt,
                    );
                    let drawn = ((u128::from(word) * u128::from(nodes)) >> 64) as u32;
                    if chosen.len() < wanted && drawn != node && !chosen.contains(&drawn) {
                        chosen.push(drawn);
                    }
                }
                chosen
            }
        }
    }

    /// A node begins to join.
    pub(super) fn join(&mut self, node: u32, through: Vec<u32>) {
        if through.is_empty() {
            return;
        }
        self.stage.joining[node as usize] = Some(Joining { through, attempts: 0 });
        self.try_join(node);
    }

    fn try_join(&mut self, node: u32) {
        let stage = &mut self.stage;
        let Some(joining) = &mut stage.joining[node as usize] else { return };
        joining.attempts += 1;
        let addresses = joining.through.iter().map(|n| socket(stage.address[*n as usize])).collect();
        stage.meter.join_attempts += u64::from(stage.meter.metered(stage.now));
        self.feed(node, Input::Command { id: JOIN, command: Command::Join { addresses } });
    }

    fn heal(&mut self, fault: usize) {
        let now = self.stage.now;
        self.stage.network.end_cut(fault, now);
        self.stage.truth.changed(now);
    }

    /// Measured time is over: partitions end.
    pub(super) fn end_faults(&mut self) {
        for fault in 0..self.scenario.faults.len() {
            self.stage.network.end_cut(fault, self.stage.now);
        }
    }

    /// Why the live nodes cannot find each other, if they cannot: no chain of known present addresses connects them.
    pub(super) fn split_knowledge(&self) -> Option<String> {
        let mut group: Vec<u32> = (0..self.nodes.len() as u32).collect();
        for node in (0..self.nodes.len() as u32).filter(|n| self.stage.truth.is_up(*n)) {
            let Some(process) = &self.nodes[node as usize] else { continue };
            let dialled = self.stage.joining[node as usize].iter().flat_map(|j| j.through.iter().copied());
            let known = process.members().filter(|m| m.state != State::Left).filter_map(|m| {
                let number = crate::truth::node_number(&m.identity.name)?;
                (m.identity.addr == socket(self.stage.address[number as usize])).then_some(number)
            });
            for other in known.chain(dialled).filter(|o| self.stage.truth.is_up(*o)) {
                let (a, b) = (root(&mut group, node), root(&mut group, other));
                group[a as usize] = b;
            }
        }
        let mut live = (0..self.nodes.len() as u32).filter(|n| self.stage.truth.is_up(*n));
        let first = live.next()?;
        let first_root = root(&mut group, first);
        let apart = live.find(|n| root(&mut group, *n) != first_root)?;
        Some(format!("no chain of known addresses leads from {} to {}", node_name(first), node_name(apart)))
    }
}

fn root(group: &mut [u32], mut node: u32) -> u32 {
    while group[node as usize] != node {
        group[node as usize] = group[group[node as usize] as usize];
        node = group[node as usize];
    }
    node
}
