//! Many nodes and a network with latency and loss, for stories about user events: who got which, when, at what price.

use super::{addr, known};
use crate::config::Config;
use crate::error::{CommandError, StreamFailure};
use crate::io::{
    Command, CommandId, Done, Event, EventRequest, Input, Outbox, Output, StreamAction, StreamId, StreamInput,
};
use crate::keyring::Keyring;
use crate::members::Roster;
use crate::node::{Birth, Node, Restore};
use crate::rng::{Purpose, Rng, Seed};
use crate::step;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::{KINDS, Kind};
use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeSet;

/// An event as an application got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) at: Instant,
    pub(super) origin: String,
    pub(super) name: String,
}

pub(super) struct Timed {
    pub(super) nodes: Vec<Node>,
    pub(super) now: Instant,
    pub(super) delivered: Vec<Vec<Delivered>>,
    pub(super) completed: Vec<Result<Done, CommandError>>,
    /// Bytes of all packets, and messages by kind.
    pub(super) bytes: u64,
    pub(super) sent: [u64; KINDS],
    /// Datagrams lost, of a thousand.
    pub(super) loss: u32,
    latency: Duration,
    under_way: BinaryHeap<Reverse<(Instant, u64, usize, Arrival)>>,
    due: BTreeSet<(Instant, usize)>,
    deadlines: Vec<Option<Instant>>,
    number: u64,
    draws: Rng,
    outbox: Outbox,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Packet(SocketAddr, Vec<u8>),
    Failed(StreamId),
}

impl Timed {
    /// `n` nodes that know each other, in a network with a latency of 1 ms. Streams do not exist.
    pub(super) fn converged(n: usize, config: &Config) -> Self {
        let (config, members) = (Arc::new(config.clone()), known(n));
        let roster = Arc::new(Roster::new(members.iter().cloned(), &Seed::simulated(9, 0, 0)));
        let one = |i: usize| {
            let restore = Restore { roster: roster.clone(), ..Restore::default() };
            let seed = Seed::simulated(9, i as u64, 0);
            let name = members[i].0.name.clone();
            let birth =
                Birth { name, addr: addr(i), tags: &Tags::new(), keyring: Keyring::empty(), seed, restore };
            Node::new(config.clone(), birth, Instant::ORIGIN).unwrap()
        };
        Self::of((0..n).map(one).collect())
    }

    pub(super) fn of(nodes: Vec<Node>) -> Self {
        let deadlines: Vec<Option<Instant>> =
            nodes.iter().map(|node| node.deadline().map(|due| due.0)).collect();
        let due = deadlines.iter().enumerate().filter_map(|(i, at)| Some(((*at)?, i))).collect();
        Self {
            delivered: nodes.iter().map(|_| Vec::new()).collect(),
            nodes,
            now: Instant::ORIGIN,
            completed: Vec::new(),
            bytes: 0,
            sent: [0; KINDS],
            loss: 0,
            latency: Duration::from_millis(1),
            under_way: BinaryHeap::new(),
            due,
            deadlines,
            number: 0,
            draws: Seed::simulated(12, 0, 0).stream(Purpose::Protocol),
            outbox: Outbox::new(),
        }
    }

    pub(super) fn sent(&self, kind: Kind) -> u64 {
        self.sent[kind as usize]
    }

    /// Sends a user event at a node; whether it was accepted.
    pub(super) fn say(&mut self, i: usize, name: &str, payload: usize) -> bool {
        let request =
            EventRequest { name: name.into(), payload: alloc::vec![7; payload].into(), coalesce: false };
        self.step(i, Input::Command { id: CommandId(1), command: Command::UserEvent(request) });
        self.completed.last().unwrap().is_ok()
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.under_way.peek().map(|Reverse((at, ..))| *at);
            let due = self.due.first().map(|(at, _)| *at);
            let Some(at) = arrival.into_iter().chain(due).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            if arrival == Some(at) {
                let Some(Reverse((_, _, to, arrival))) = self.under_way.pop() else { break };
                match arrival {
                    Arrival::Packet(from, bytes) => self.step(to, Input::Packet { from, bytes: &bytes }),
                    Arrival::Failed(id) => {
                        let input = StreamInput::Failed(StreamFailure::Refused);
                        self.step(to, Input::Stream { id, input });
                    }
                }
            } else if let Some(&(_, i)) = self.due.first() {
                self.step(i, Input::Tick);
                let deadline = self.nodes[i].deadline();
                assert!(deadline.is_none_or(|(at, _)| at > self.now), "{deadline:?} at {:?}", self.now);
            }
        }
        self.now = end;
    }

    fn reschedule(&mut self, i: usize) {
        let next = self.nodes[i].deadline().map(|due| due.0);
        if next != self.deadlines[i] {
            if let Some(at) = self.deadlines[i] {
                self.due.remove(&(at, i));
            }
            self.due.extend(next.map(|at| (at, i)));
            self.deadlines[i] = next;
        }
    }

    fn step(&mut self, i: usize, input: Input<'_>) {
        for output in step(&mut self.nodes[i], input, self.now, &mut self.outbox) {
            match output {
                Output::Packet { to, bytes, kinds } => {
                    assert!(bytes.len() <= 1400);
                    self.bytes += bytes.len() as u64;
                    for (kind, count) in kinds.iter() {
                        self.sent[kind as usize] += u64::from(count);
                    }
                    let SocketAddr::V4(v4) = to else { panic!("{to}") };
                    let [.., high, low] = v4.ip().octets();
                    let to = usize::from(high) << 8 | usize::from(low);
                    if to < self.delivered.len() && !self.draws.chance(self.loss, 1000) {
                        self.number += 1;
                        let arrival = Arrival::Packet(addr(i), bytes.to_vec());
                        self.under_way.push(Reverse((self.now + self.latency, self.number, to, arrival)));
                    }
                }
                Output::Stream { id, action: StreamAction::Open { .. } } => {
                    self.number += 1;
                    let at = self.now + self.latency;
                    self.under_way.push(Reverse((at, self.number, i, Arrival::Failed(id))));
                }
                Output::Event(Event::User { origin, name, .. }) => {
                    let (origin, name) = (origin.into(), name.into());
                    self.delivered[i].push(Delivered { at: self.now, origin, name });
                }
                Output::Completed { result, .. } => self.completed.push(result),
                Output::Stream { .. } | Output::Event(_) | Output::Note(_) => {}
            }
        }
        self.reschedule(i);
    }
}
