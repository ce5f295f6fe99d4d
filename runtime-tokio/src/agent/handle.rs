//! How an application speaks to its agent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumormill_core::QueueDepths;
use rumormill_core::coordinate::Coordinate;
use rumormill_core::counters::Counters;
use rumormill_core::id::LamportTime;
use rumormill_core::io::{EventRequest, KeyAction, KeyReport, QueryId, QueryRequest, QueryTally};
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;
use rumormill_core::wire::Clocks;
use tokio::sync::watch;

use super::Error;
use crate::event::Event;
use crate::member::{Member, Members};

/// Speaks to a running agent; cloneable, and usable from any task. The agent runs on when all handles are gone.
#[derive(Clone, Debug)]
pub struct Handle {}

/// How a join went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Addresses that answered.
    pub reached: u32,
    /// Addresses that did not.
    pub failed: u32,
}

/// Why an agent has stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It left the cluster ([`Handle::leave`]).
    Left,
    /// It was told to stop without leaving ([`Handle::shutdown`]).
    Shutdown,
    /// The core said that it must not go on (lost name conflict), in words for people.
    MustStop(String),
}

/// What a subscriber that was too slow did not get: so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

/// A subscription to an agent's events.
#[derive(Debug)]
pub struct Events {}

impl Events {
    /// The next event; `Some(Err(Missed(n)))` where the reader was so slow that `n` were dropped; `None` when the agent has stopped.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        todo!()
    }
}

/// One answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A member has received it.
    Ack {
        /// Who.
        from: Arc<str>,
    },
    /// A member answers.
    Response {
        /// Who.
        from: Arc<str>,
        /// What it says.
        payload: Arc<[u8]>,
    },
}

/// The answers to a query, as they come in.
#[derive(Debug)]
pub struct Answers {}

impl Answers {
    /// The next one; `None` when the query is over (all expected answers came, or its deadline passed).
    pub async fn next(&mut self) -> Option<Answer> {
        todo!()
    }
    /// How it ended, once [`Answers::next`] gave `None`.
    #[must_use]
    pub fn tally(&self) -> Option<QueryTally> {
        todo!()
    }
}

/// Figures of a node.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Counters since birth.
    pub counters: Counters,
    /// Lamport clocks.
    pub clocks: Clocks,
    /// Local health (awareness): 0 is healthy.
    pub health: u8,
    /// Queue lengths.
    pub queues: QueueDepths,
    /// Whether packets are sealed.
    pub encrypted: bool,
    /// Open suspicions.
    pub suspicions: usize,
    /// Estimated coordinate error resets.
    pub coordinate_resets: u64,
}

impl Handle {
    /// This node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        todo!()
    }
    /// Where others reach this node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        todo!()
    }
    /// All members as of now.
    #[must_use]
    pub fn members(&self) -> Members {
        todo!()
    }
    /// This node itself.
    #[must_use]
    pub fn me(&self) -> Member {
        todo!()
    }
    /// The members, to be waited for ([`watch::Receiver::wait_for`]).
    #[must_use]
    pub fn watch_members(&self) -> watch::Receiver<Members> {
        todo!()
    }
    /// A new subscription: what happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        todo!()
    }
    /// Joins these: `host`, `host:port`, `[v6]:port`. # Errors: none answered.
    pub async fn join(&self, addresses: &[String], replay: bool) -> Result<Joined, Error> {
        let _ = (addresses, replay);
        todo!()
    }
    /// Leaves the cluster gracefully and stops the agent.
    pub async fn leave(&self) -> Result<(), Error> {
        todo!()
    }
    /// Stops the agent without a word; its peers will find it failed.
    pub async fn shutdown(&self) {
        todo!()
    }
    /// Waits until the agent has stopped: files are written, sockets closed.
    pub async fn stopped(&self) -> Stopped {
        todo!()
    }
    /// Says of a member that it has left. # Errors: unknown name.
    pub async fn force_leave(&self, name: &str, prune: bool) -> Result<(), Error> {
        let _ = (name, prune);
        todo!()
    }
    /// Announces these tags instead of the present ones, and rewrites the tags file.
    pub async fn set_tags(&self, tags: Tags) -> Result<(), Error> {
        let _ = tags;
        todo!()
    }
    /// Tells everybody; its Lamport time.
    pub async fn user_event(&self, event: EventRequest) -> Result<LamportTime, Error> {
        let _ = event;
        todo!()
    }
    /// Asks the cluster.
    pub async fn query(&self, query: QueryRequest) -> Result<Answers, Error> {
        let _ = query;
        todo!()
    }
    /// Answers a query.
    pub async fn respond(&self, query: QueryId, payload: &[u8]) -> Result<(), Error> {
        let _ = (query, payload);
        todo!()
    }
    /// Changes or lists keys. # Errors: [`rumormill_core::error::CommandError::KeysFailed`] and `KeysUnanswered` carry the report too.
    pub async fn keys(&self, action: KeyAction, relay_factor: u8) -> Result<KeyReport, Error> {
        let _ = (action, relay_factor);
        todo!()
    }
    /// Figures.
    pub async fn stats(&self) -> Result<Stats, Error> {
        todo!()
    }
    /// This node's keys.
    pub async fn keyring(&self) -> Result<Keyring, Error> {
        todo!()
    }
    /// Where a member is in the network's coordinate space; `None`: not known.
    pub async fn coordinate(&self, name: &str) -> Result<Option<Coordinate>, Error> {
        let _ = name;
        todo!()
    }
    /// How long the agent's task took from being due to running, at worst in the last minute.
    #[must_use]
    pub fn lag(&self) -> Duration {
        todo!()
    }
    /// Settings of the running node, for display.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<&'static str, String> {
        todo!()
    }
}
