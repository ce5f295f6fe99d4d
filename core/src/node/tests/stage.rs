//! One node on a stage: the test plays its peers, hears all that it says, and decides what it hears.

use super::words::{Word, packet, read};
use super::{addr, born_with, known, told};
use crate::config::Config;
use crate::io::{Input, Outbox, Output, StreamAction, StreamId};
use crate::node::Node;
use crate::rng::Seed;
use crate::step;
use crate::time::Instant;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A packet that the node sent.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) at: Instant,
    pub(super) to: usize,
    pub(super) words: Vec<Word>,
}

/// A direct ping that the node sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pinged {
    pub(super) at: Instant,
    pub(super) target: usize,
    pub(super) seq: u32,
}

pub(super) struct Stage {
    /// `n0`.
    pub(super) node: Node,
    pub(super) now: Instant,
    /// Whether peers answer pings at once; those in `silent` do not.
    pub(super) answers: bool,
    pub(super) silent: Vec<usize>,
    pub(super) said: Vec<Said>,
    pub(super) dialled: Vec<(Instant, usize, StreamId)>,
    pub(super) events: Vec<(Instant, String)>,
    outbox: Outbox,
}

impl Stage {
    /// `n0`, which knows `n - 1` peers. They do not answer.
    pub(super) fn new(n: usize, config: &Config) -> Self {
        Self::seeded(9, n, config)
    }

    pub(super) fn seeded(seed: u64, n: usize, config: &Config) -> Self {
        let seed = Seed::simulated(seed, 0, 0);
        Self {
            node: born_with(seed, 0, config, &known(n), Instant::ORIGIN),
            now: Instant::ORIGIN,
            answers: false,
            silent: Vec::new(),
            said: Vec::new(),
            dialled: Vec::new(),
            events: Vec::new(),
            outbox: Outbox::new(),
        }
    }

    /// The same, and the peers answer pings.
    pub(super) fn answering(n: usize, config: &Config) -> Self {
        Self { answers: true, ..Self::new(n, config) }
    }

    pub(super) fn hears(&mut self, from: usize, words: &[Word]) {
        let bytes = packet(words);
        self.step(Input::Packet { from: addr(from), bytes: &bytes });
    }

    pub(super) fn until(&mut self, end: Instant) {
        while let Some((at, _)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.step(Input::Tick);
        }
        self.now = end;
    }

    /// Up to a nanosecond before that moment; `wait(JUST)` then brings it.
    pub(super) fn until_just_before(&mut self, end: Instant) {
        self.until(Instant::from_nanos(end.as_nanos() - 1));
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.until(self.now + time);
    }

    /// Waits for the next direct ping.
    pub(super) fn next_ping(&mut self) -> Pinged {
        let heard = self.said.len();
        loop {
            let (at, _) = self.node.deadline().expect("a node with peers probes");
            self.now = at;
            self.step(Input::Tick);
            if let Some(ping) = self.pings_since(heard).first() {
                return *ping;
            }
        }
    }

    /// Waits for the next direct ping of one member.
    pub(super) fn next_ping_to(&mut self, target: usize) -> Pinged {
        let pings = (0..1000).map(|_| self.next_ping());
        pings
            .into_iter()
            .find(|ping| ping.target == target)
            .expect("every member is probed within two rounds")
    }

    /// Every direct ping so far.
    pub(super) fn pings(&self) -> Vec<Pinged> {
        self.pings_since(0)
    }

    fn pings_since(&self, first: usize) -> Vec<Pinged> {
        let ping = |said: &Said| {
            said.words.iter().find_map(|word| match *word {
                Word::Ping { seq, target } => Some(Pinged { at: said.at, target, seq }),
                _ => None,
            })
        };
        self.said[first..].iter().filter_map(ping).collect()
    }

    /// Members asked to probe for the node since a ping, with the number they were given.
    pub(super) fn helpers_since(&self, ping: Pinged) -> Vec<(usize, u32)> {
        let asked = |said: &Said| match said.words.first() {
            Some(&Word::PingReq { seq, target, .. }) if target == ping.target => Some((said.to, seq)),
            _ => None,
        };
        self.said.iter().filter(|said| said.at >= ping.at).filter_map(asked).collect()
    }

    /// How often the node has said something.
    pub(super) fn times_said(&self, word: Word) -> usize {
        self.said.iter().map(|said| said.words.iter().filter(|w| **w == word).count()).sum()
    }

    fn step(&mut self, input: Input<'_>) {
        let first = self.said.len();
        for output in step(&mut self.node, input, self.now, &mut self.outbox) {
            match output {
                Output::Packet { to, bytes, .. } => {
                    let to = (0..1000).find(|&i| addr(i) == to).unwrap();
                    self.said.push(Said { at: self.now, to, words: read(bytes) });
                }
                Output::Stream { id, action: StreamAction::Open { to, .. } } => {
                    let to = (0..1000).find(|&i| addr(i) == to).unwrap();
                    self.dialled.push((self.now, to, id));
                }
                Output::Event(event) => self.events.push((self.now, told(event))),
                Output::Stream { .. } | Output::Completed { .. } | Output::Note(_) => {}
            }
        }
        if self.answers {
            for ping in self.pings_since(first) {
                if !self.silent.contains(&ping.target) {
                    self.hears(ping.target, &[Word::Ack(ping.seq)]);
                }
            }
        }
    }
}
