//! How nodes begin, end and come back, and how they find the others.

use std::time::Duration;

use rumormill_core::io::{Command, Input, State, Status};
use rumormill_core::{Restore, Seed, Snapshot};

use super::World;
use super::stage::{JOIN, Joining, LEAVE, What, socket};
use crate::draws::Purpose;
use crate::faults::choose;
use crate::metrics::changes::Change;
use crate::scenario::{Restart, Through};
use crate::sightings::Sight;
use crate::truth::{Presence, node_name, node_number};

impl World<'_> {
    /// A process stops without a word.
    pub(super) fn crash(&mut self, node: u32, fault: usize) {
        let Some(process) = self.nodes[node as usize].take() else { return };
        self.application_ends(node);
        self.snapshots[node as usize] = process.snapshot();
        self.keyrings[node as usize] = Some(process.keyring().clone());
        self.drop_waiting(node);
        let stage = &mut self.stage;
        if let Some(lookout) = &mut stage.lookout {
            lookout.ended(&process);
        }
        stage.cut_connections(node);
        stage.joining[node as usize] = None;
        stage.set_presence(node, Presence::Down);
        stage.truth.changed(stage.now);
        stage.meter.gone(node, Change::Crash, stage.now);
        stage.did(fault, "crashed");
    }

    /// A fault tells a process to leave.
    pub(super) fn leave(&mut self, node: u32, fault: usize) {
        self.stage.did(fault, "left");
        self.tell_to_leave(node);
    }

    /// A process is told to leave; one that stands still hears it when it goes on.
    pub(super) fn tell_to_leave(&mut self, node: u32) {
        let stage = &mut self.stage;
        stage.joining[node as usize] = None;
        stage.set_presence(node, Presence::Leaving);
        stage.truth.changed(stage.now);
        stage.meter.gone(node, Change::Leave, stage.now);
        if stage.conditions.is_paused(node) {
            let (index, parcel) = stage.parcels.take();
            (parcel.what, parcel.from, parcel.to) = (What::Leave, node, node);
            parcel.bytes.clear();
            let waits = stage.conditions.receive(node, index, 0, usize::MAX);
            debug_assert!(waits, "what takes no room finds some");
        } else {
            self.feed(node, Input::Command { id: LEAVE, command: Command::Leave });
        }
    }

    /// A process ends because it has left, or was outvoted about its name. It keeps its keys, which are in a file; when it is started again it is told
    /// whom to join, and knows nobody else.
    #[cold]
    pub(super) fn stop(&mut self, node: u32) {
        let Some(process) = self.nodes[node as usize].take() else { return };
        if let Some(lookout) = &mut self.stage.lookout {
            lookout.ended(&process);
        }
        self.keyrings[node as usize] = Some(process.keyring().clone());
        self.application_ends(node);
        self.drop_waiting(node);
        self.stage.cut_connections(node);
        self.stage.set_presence(node, Presence::Left);
        if let Some(film) = &mut self.stage.meter.film {
            film.gone(self.stage.now, node, Presence::Left);
        }
    }

    /// A process starts again.
    pub(super) fn come_back(&mut self, node: u32, how: &Restart, fault: usize) {
        if how.new_address {
            self.stage.address[node as usize] = self.stage.owner.len() as u32;
            self.stage.owner.push(node);
        }
        let snapshot = std::mem::take(&mut self.snapshots[node as usize]);
        let snapshot = if how.lost_state { Snapshot::default() } else { snapshot };
        if how.lost_state {
            self.keyrings[node as usize] = None;
        }
        let seed = Seed::simulated(self.seed, node.into(), self.stage.truth.life(node).into());
        let restore = snapshot.restore(&seed);
        let believed: Vec<u32> =
            restore.roster.iter().filter_map(|(member, _)| node_number(&member.name)).collect();
        self.birth(node, restore, &believed, true);
        self.stage.did(fault, "restarted");
        if let Some(lookout) = &mut self.stage.lookout {
            lookout.restarted(how);
        }
        self.join_through(&how.through, node, fault);
    }

    /// A process starts for the first time, and joins.
    pub(super) fn arrive(&mut self, node: u32, through: &Through, fault: usize) {
        self.birth(node, Restore::default(), &[], true);
        self.stage.did(fault, "joined");
        self.join_through(through, node, fault);
    }

    fn join_through(&mut self, through: &Through, node: u32, fault: usize) {
        let through = self.through(through, node, fault);
        if through.is_empty() {
            // A selector may mean nobody but the joiner itself, and the report shows it.
            self.stage.did(fault, "had_nobody_to_join");
        }
        self.join(node, through);
    }

    /// A process of a cluster that starts one by one.
    pub(super) fn start_late(&mut self, node: u32) {
        self.birth(node, Restore::default(), &[], true);
        if node != 0 {
            self.join(node, vec![0]);
        }
    }

    /// Through whom a node joins: itself never.
    fn through(&self, through: &Through, node: u32, fault: usize) -> Vec<u32> {
        let nodes = self.scenario.cluster.nodes;
        match through {
            Through::Selector(selector) => {
                let order = self.plan.orders(fault, 0).second;
                choose(selector, &order, &self.scenario.cluster.zones, |n| n != node)
            }
            Through::FirstAndTwo => {
                let mut chosen: Vec<u32> = (node != 0).then_some(0).into_iter().collect();
                let wanted = chosen.len() + 2;
                // Draws repeat in small clusters; so many tries find two others unless there are none.
                for attempt in 0..64u16 {
                    let word = self.stage.draws.word(
                        Purpose::Through,
                        self.plan.number(fault) as u32,
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
        self.stage.joining[node as usize] = Some(Joining { through, attempts: 0, before: None });
        self.try_join(node);
    }

    /// A node tries to join, once.
    pub(super) fn try_join(&mut self, node: u32) {
        let stage = &mut self.stage;
        let Some(joining) = &mut stage.joining[node as usize] else { return };
        joining.attempts += 1;
        joining.before = self.nodes[node as usize].as_ref().map(|process| process.counters().syncs);
        if let Some(lookout) = stage.lookout.as_mut().filter(|_| joining.attempts > 1) {
            lookout.saw(Sight::JoinRetried);
        }
        let addresses = joining.through.iter().map(|n| socket(stage.address[*n as usize])).collect();
        stage.meter.join_attempts += u64::from(stage.meter.metered(stage.now));
        self.feed(node, Input::Command { id: JOIN, command: Command::Join { addresses, replay: false } });
    }

    /// Why the live nodes cannot find each other within `bound`, if they cannot: no chain of known present addresses connects them.
    pub(super) fn split_knowledge(&self, bound: Duration) -> Option<String> {
        let mut parts: Vec<u32> = (0..self.nodes.len() as u32).collect();
        let live: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|node| self.stage.truth.is_up(*node)).collect();
        for node in &live {
            for other in self.known_by(*node, bound) {
                unite(&mut parts, *node, other);
            }
        }
        while self.unite_joining(&live, &mut parts) {}
        // Nodes of different groups have nothing to find in each other.
        let mut first_of: Vec<Option<u32>> = vec![None; self.groups.len()];
        for node in live {
            let first = *first_of[usize::from(self.group[node as usize])].get_or_insert(node);
            if root(&mut parts, node) != root(&mut parts, first) {
                let (first, node) = (node_name(first), node_name(node));
                return Some(format!("no chain of known addresses leads from {first} to {node}"));
            }
        }
        None
    }

    /// The live members that a node knows at their present addresses, and will for `bound`. Nobody dials a member that left, forgotten by the
    /// failure detector or not; and one that failed may be forgotten before its turn to be dialled.
    fn known_by(&self, node: u32, bound: Duration) -> Vec<u32> {
        let forgets = self.config.reconnect_timeout < bound;
        let gone = |status| status == Status::Left || (forgets && status == Status::Failed);
        let Some(process) = &self.nodes[node as usize] else { return Vec::new() };
        let known = process.members().filter(|member| !gone(member.status)).filter_map(|member| {
            let number = node_number(&member.identity.name)?;
            let present = member.identity.addr == socket(self.stage.address[number as usize]);
            (present && self.stage.truth.is_up(number)).then_some(number)
        });
        known.collect()
    }

    /// Nodes that are still joining belong to whom they dial; whether that made any parts one. A join ends with the first exchange that
    /// goes well, whichever it is: so all whom it dials have to be of one part, and to take each other's announcements. Who has had an
    /// exchange since its attempt began may have had that one, and dials the others only to the end of its list.
    fn unite_joining(&self, live: &[u32], parts: &mut [u32]) -> bool {
        let mut united = false;
        for node in live.iter().copied() {
            let open = |joining: &&Joining| {
                let had = self.nodes[node as usize].as_ref().map_or(0, |process| process.counters().syncs);
                joining.before.is_none_or(|before| had == before)
            };
            let joining = self.stage.joining[node as usize].iter().filter(open);
            let joining = joining.flat_map(|joining| &joining.through);
            // Who has no label or key in common with a node is no help to it, and no hindrance.
            let ours = |other: &u32| self.group[node as usize] == self.group[*other as usize];
            let answering = joining.copied().filter(|other| self.stage.truth.is_up(*other)).filter(ours);
            let answering: Vec<u32> = answering.collect();
            let Some(first) = answering.first().copied() else { continue };
            let part = root(parts, first);
            let takes = |other: u32| self.accepts(node, other) || self.accepts(other, node);
            if answering.into_iter().all(|other| root(parts, other) == part && takes(other)) {
                united |= unite(parts, node, first);
            }
        }
        united
    }

    /// Why the live nodes cannot open what others seal, if they cannot: whoever is away while keys change has not got the new one (facts
    /// 2.10), and needs an operator's hand.
    pub(super) fn split_keys(&self) -> Option<String> {
        let live = || self.nodes.iter().flatten().filter(|node| !node.keyring().is_empty());
        for node in live() {
            for other in live().filter(|other| other.config().label == node.config().label) {
                let lacks = |key| !node.keyring().iter().any(|own| own == key);
                if other.keyring().primary().is_some_and(lacks) {
                    let (node, other) = (&node.identity().name, &other.identity().name);
                    return Some(format!("{node} has not got the key that {other} seals with"));
                }
            }
        }
        None
    }

    /// Whether one node would take another's announcement from its present address: not where it still holds the name to be in use at
    /// another one.
    fn accepts(&self, at: u32, of: u32) -> bool {
        let held = self.nodes[at as usize].as_ref().and_then(|process| process.member(&node_name(of)));
        held.is_none_or(|m| {
            m.status == Status::Left
                || m.state == State::Forgotten
                || m.identity.addr == socket(self.stage.address[of as usize])
        })
    }
}

/// Makes the parts of two nodes one; whether they were two.
fn unite(parts: &mut [u32], one: u32, other: u32) -> bool {
    let (one, other) = (root(parts, one), root(parts, other));
    parts[one as usize] = other;
    one != other
}

/// The node that stands for a node's part.
fn root(group: &mut [u32], mut node: u32) -> u32 {
    while group[node as usize] != node {
        group[node as usize] = group[group[node as usize] as usize];
        node = group[node as usize];
    }
    node
}
