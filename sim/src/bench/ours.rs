//! Our core in the bare event loop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rumormill_core::id::{Identity, Incarnation, NodeName, SharedIdentity};
use rumormill_core::io::{Event, Input, Outbox, Output};
use rumormill_core::keyring::Keyring;
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step, tags::Tags};

use super::arena::{Arena, Peer};
use super::{KILL_END, Run, Stopwatch, UNMEASURED, chosen_victims, cpu_seconds};
use crate::truth::{node_name, node_number};

const FIRST: u32 = 0x0a00_0001;

fn address(node: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(FIRST + node)), 7946)
}

fn node_at(address: SocketAddr) -> Option<u32> {
    let IpAddr::V4(v4) = address.ip() else { return None };
    v4.to_bits().checked_sub(FIRST)
}

/// Who a node of a measured cluster is.
fn identity(node: u32) -> Option<SharedIdentity> {
    let name = NodeName::new(&node_name(node)).ok()?;
    let versions = rumormill_core::id::Versions::CURRENT;
    Some(Arc::new(Identity { name, addr: address(node), meta: Box::default(), versions }))
}

struct Cluster {
    nodes: Vec<Node>,
    outbox: Outbox,
    /// The wake-up that counts, for each node.
    armed: Vec<u64>,
    /// Each node's deadline, so that a wake-up that came to nothing need not look at the node.
    due: Vec<u64>,
}

/// The first `count` nodes of a converged cluster of `nodes`.
pub(super) fn converged(config: &Config, nodes: u32, seed: u64, count: usize) -> Vec<Node> {
    let config = Arc::new(config.clone());
    let members = (0..nodes).filter_map(identity).map(|who| (who, Incarnation(1)));
    let roster = Arc::new(Roster::new(members, &Seed::simulated(seed, u64::MAX, 0)));
    let born = |(node, who): (u64, &SharedIdentity)| {
        let birth = Birth {
            name: who.name.clone(),
            addr: who.addr,
            tags: &Tags::new(),
            seed: Seed::simulated(seed, node, 0),
            keyring: Keyring::empty(),
            restore: Restore { incarnation: Incarnation(0), roster: roster.clone(), ..Restore::default() },
        };
        Node::new(config.clone(), birth, Instant::ORIGIN).ok()
    };
    (0..).zip(roster.iter().map(|(who, _)| who)).take(count).filter_map(born).collect()
}

impl Cluster {
    fn new(config: &Config, nodes: u32, seed: u64) -> Self {
        let nodes = converged(config, nodes, seed, nodes as usize);
        let (armed, due) = (vec![u64::MAX; nodes.len()], vec![u64::MAX; nodes.len()]);
        Self { nodes, outbox: Outbox::new(), armed, due }
    }

    fn feed(&mut self, arena: &mut Arena<()>, node: u32, input: Input<'_>) {
        let process = &mut self.nodes[node as usize];
        for output in step(process, input, Instant::from_nanos(arena.now), &mut self.outbox) {
            match output {
                Output::Packet { to, bytes, .. } => {
                    if let Some(to) = node_at(to) {
                        arena.send(node, to, bytes);
                    }
                }
                Output::Event(Event::Failed { member, .. }) => {
                    if let Some(subject) = node_number(&member.name) {
                        arena.reported(subject);
                    }
                }
                _ => {}
            }
        }
        self.look(arena, node);
    }

    /// After a step: the node's deadline may be another one.
    fn look(&mut self, arena: &mut Arena<()>, node: u32) {
        let deadline = self.nodes[node as usize].deadline();
        self.due[node as usize] = deadline.map_or(u64::MAX, |(at, _)| at.as_nanos());
        self.arm(arena, node);
    }

    fn arm(&mut self, arena: &mut Arena<()>, node: u32) {
        let at = self.due[node as usize];
        if at < self.armed[node as usize] {
            self.armed[node as usize] = at;
            arena.wake(node, at, ());
        }
    }
}

impl Peer for Cluster {
    type Wake = ();

    fn packet(&mut self, arena: &mut Arena<()>, node: u32, from: u32, bytes: &[u8]) {
        self.feed(arena, node, Input::Packet { from: address(from), bytes });
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        self.nodes[node as usize].prefetch();
    }

    #[inline]
    fn prefetch_tables(&self, node: u32, packet: Option<&[u8]>) {
        self.nodes[node as usize].prefetch_tables(packet);
    }

    fn wake(&mut self, arena: &mut Arena<()>, node: u32, (): ()) {
        if self.armed[node as usize] != arena.now {
            return;
        }
        self.armed[node as usize] = u64::MAX;
        if self.due[node as usize] <= arena.now {
            self.feed(arena, node, Input::Tick);
        } else {
            self.arm(arena, node);
        }
    }
}

/// One run: streams are not carried, so only settings that open none say anything about the protocol.
pub(super) fn run(config: &Config, nodes: u32, idle: u64, seed: u64) -> Run {
    let began = cpu_seconds();
    let mut cluster = Cluster::new(config, nodes, seed);
    let mut arena = Arena::new(nodes);
    for node in 0..nodes {
        cluster.look(&mut arena, node);
    }
    let set_up = cpu_seconds() - began;
    arena.run(&mut cluster, UNMEASURED, |_| false);
    let watch = Stopwatch::start(arena.now, arena.messages);
    arena.run(&mut cluster, UNMEASURED + idle, |_| false);
    let idle_phase = watch.stop(arena.now, arena.messages);
    arena.kill(&chosen_victims(seed, nodes));
    let watch = Stopwatch::start(arena.now, arena.messages);
    arena.run(&mut cluster, UNMEASURED + idle + KILL_END, Arena::all_reported);
    let killed = watch.stop(arena.now, arena.messages);
    Run { set_up, idle: idle_phase, killed, complete: arena.all_reported() }
}
