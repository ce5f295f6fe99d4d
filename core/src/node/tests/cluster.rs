//! A few nodes in memory: a network without latency, and a clock.

use super::words::{Word, read};
use super::{addr, born, born_with, known, state, told};
use crate::config::Config;
use crate::error::{CommandError, StreamFailure};
use crate::io::{
    Command, CommandId, Done, Event, Input, Outbox, Output, QueryId, State, StreamAction, StreamId,
    StreamInput,
};
use crate::node::Node;
use crate::rng::{Purpose, Rng, Seed};
use crate::step;
use crate::time::Instant;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

/// A few nodes, a network without latency, and a clock. Verbs: `cut`, `run`, `command`, `kill`.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) now: Instant,
    outbox: Outbox,
    /// Datagrams and streams between these do not get through.
    pub(super) cut_packets: Vec<(usize, usize)>,
    pub(super) cut_streams: Vec<(usize, usize)>,
    /// What is under way: to which node, and what.
    wires: VecDeque<(usize, Delivery)>,
    /// The other end of each stream.
    ends: BTreeMap<(usize, StreamId), (usize, StreamId)>,
    minted: u32,
    pub(super) events: Vec<Vec<String>>,
    /// Queries delivered, and where, in order.
    pub(super) queries: Vec<(usize, QueryId)>,
    pub(super) completed: Vec<(CommandId, Result<Done, CommandError>)>,
    /// Every packet sent, when `listening`.
    pub(super) log: Vec<Sent>,
    pub(super) listening: bool,
    /// Datagrams lost, of a thousand.
    pub(super) loss: u32,
    draws: Rng,
    /// Whether each step gets an outbox that was never used before.
    pub(super) clean_outbox: bool,
    /// Every output, in order, when `tracing`.
    pub(super) trace: Vec<String>,
    pub(super) tracing: bool,
}

/// A packet on the wire, lost or not.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) words: Vec<Word>,
}

enum Delivery {
    Packet(SocketAddr, Vec<u8>),
    Opened(StreamId, SocketAddr),
    Frame(StreamId, Vec<u8>),
    Failed(StreamId),
}

impl Cluster {
    /// `n` nodes that know each other.
    pub(super) fn converged(n: usize, config: &Config) -> Self {
        Self::seeded(9, n, config)
    }

    pub(super) fn seeded(run: u64, n: usize, config: &Config) -> Self {
        let members = known(n);
        let one = |i| born_with(Seed::simulated(run, i as u64, 0), i, config, &members, Instant::ORIGIN);
        Self::of((0..n).map(|i| Some(one(i))).collect())
    }

    /// `n` nodes that know nobody.
    pub(super) fn strangers(n: usize, config: &Config) -> Self {
        Self::of((0..n).map(|i| Some(born(i, config, &[], Instant::ORIGIN))).collect())
    }

    pub(super) fn of(nodes: Vec<Option<Node>>) -> Self {
        let events = nodes.iter().map(|_| Vec::new()).collect();
        Self {
            nodes,
            now: Instant::ORIGIN,
            outbox: Outbox::new(),
            cut_packets: Vec::new(),
            cut_streams: Vec::new(),
            wires: VecDeque::new(),
            ends: BTreeMap::new(),
            minted: 0,
            events,
            queries: Vec::new(),
            completed: Vec::new(),
            log: Vec::new(),
            listening: false,
            loss: 0,
            draws: Seed::simulated(11, 0, 0).stream(Purpose::Protocol),
            clean_outbox: false,
            trace: Vec::new(),
            tracing: false,
        }
    }

    pub(super) fn node(&self, i: usize) -> &Node {
        self.nodes[i].as_ref().unwrap()
    }

    pub(super) fn state(&self, at: usize, of: usize) -> Option<State> {
        state(self.node(at), of)
    }

    /// The nodes that run.
    pub(super) fn live(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter_map(|(i, node)| Some((i, node.as_ref()?)))
    }

    pub(super) fn mend(&mut self) {
        self.cut_packets.clear();
        self.cut_streams.clear();
    }

    pub(super) fn cut(&mut self, a: usize, b: usize) {
        for pair in [(a, b), (b, a)] {
            self.cut_packets.push(pair);
            self.cut_streams.push(pair);
        }
    }

    pub(super) fn kill(&mut self, i: usize) {
        self.nodes[i] = None;
    }

    pub(super) fn command(&mut self, i: usize, id: u64, command: Command) {
        self.step(i, Input::Command { id: CommandId(id), command });
        self.deliver();
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = (0..self.nodes.len())
                .filter_map(|i| Some((self.nodes[i].as_ref()?.deadline()?.0, i)))
                .min()
                .filter(|(at, _)| *at <= end);
            let Some((at, i)) = due else { break };
            self.now = at.max(self.now);
            self.step(i, Input::Tick);
            let deadline = self.node(i).deadline();
            assert!(
                deadline.is_none_or(|(at, _)| at > self.now),
                "{deadline:?} is not after a tick at {:?}",
                self.now
            );
            self.deliver();
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        while let Some((to, delivery)) = self.wires.pop_front() {
            if self.nodes[to].is_none() {
                continue;
            }
            match delivery {
                Delivery::Packet(from, bytes) => self.step(to, Input::Packet { from, bytes: &bytes }),
                Delivery::Opened(id, peer) => {
                    self.step(to, Input::Stream { id, input: StreamInput::Opened { peer } });
                }
                Delivery::Frame(id, bytes) => {
                    self.step(to, Input::Stream { id, input: StreamInput::Frame(&bytes) });
                }
                Delivery::Failed(id) => {
                    let input = StreamInput::Failed(StreamFailure::Refused);
                    self.step(to, Input::Stream { id, input });
                }
            }
        }
    }

    pub(super) fn step(&mut self, i: usize, input: Input<'_>) {
        let node = self.nodes[i].as_mut().unwrap();
        let budget = usize::from(node.config.packet_bytes_max);
        if self.clean_outbox {
            self.outbox = Outbox::new();
        }
        for output in step(node, input, self.now, &mut self.outbox) {
            if self.tracing {
                self.trace.push(format!("{i} {output:?}"));
            }
            match output {
                Output::Packet { to, bytes, .. } => {
                    assert!(bytes.len() <= budget, "a packet of {} bytes", bytes.len());
                    let to = (0..self.events.len()).find(|&j| addr(j) == to);
                    if let Some(to) = to.filter(|_| self.listening) {
                        self.log.push(Sent { from: i, to, words: read(bytes) });
                    }
                    let lost = self.draws.chance(self.loss, 1000);
                    if let Some(to) = to.filter(|&to| !lost && !self.cut_packets.contains(&(i, to))) {
                        self.wires.push_back((to, Delivery::Packet(addr(i), bytes.to_vec())));
                    }
                }
                Output::Stream { id, action: StreamAction::Open { to, .. } } => {
                    let to = (0..self.events.len()).find(|&j| addr(j) == to).unwrap();
                    if self.nodes.len() <= to || self.cut_streams.contains(&(i, to)) {
                        self.wires.push_back((i, Delivery::Failed(id)));
                        continue;
                    }
                    self.minted += 1;
                    let theirs = StreamId::Theirs(self.minted);
                    self.ends.insert((i, id), (to, theirs));
                    self.ends.insert((to, theirs), (i, id));
                    self.wires.push_back((to, Delivery::Opened(theirs, addr(i))));
                    self.wires.push_back((i, Delivery::Opened(id, addr(to))));
                }
                Output::Stream { id, action: StreamAction::Frame { bytes, .. } } => {
                    let (to, end) = self.ends[&(i, id)];
                    self.wires.push_back((to, Delivery::Frame(end, bytes.to_vec())));
                }
                Output::Stream { action: StreamAction::Close, .. } | Output::Note(_) => {}
                Output::Event(event) => {
                    if let Event::Query { query, .. } = event {
                        self.queries.push((i, query));
                    }
                    self.events[i].push(told(event));
                }
                Output::Completed { id, result } => self.completed.push((id, result)),
            }
        }
    }
}
