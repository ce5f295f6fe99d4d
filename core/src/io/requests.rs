//! What an application says to the whole cluster, and what comes back: events, queries, keys.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use crate::id::{LamportTime, NodeName};
use crate::keyring::Key;

/// A user event to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRequest {
    /// The application's name for it.
    pub name: Box<str>,
    /// The application's data. With the name at most `user_event_bytes_max` bytes, counted in Serf's encoding.
    pub payload: Box<[u8]>,
    /// Whether receivers may merge it with others of its name.
    pub coalesce: bool,
}

/// A query to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryRequest {
    /// The application's name for it. Names that begin with `_rumor_` are the protocol's own; of those an application may
    /// use `_rumor_ping`, without payload: members acknowledge it, and nobody else sees it.
    pub name: Box<str>,
    /// The application's data.
    pub payload: Box<[u8]>,
    /// Ask these alone; empty asks everybody.
    pub nodes: Vec<NodeName>,
    /// Ask only members whose tags are matched, all of them.
    pub tags: Vec<TagFilter>,
    /// Whether receivers acknowledge it.
    pub ack: bool,
    /// How many members pass each answer on beside the direct one: for lossy networks.
    pub relay_factor: u8,
    /// How long to listen; `None`: `gossip_interval * query_timeout_mult * ceil(log10(n + 1))`.
    pub timeout: Option<Duration>,
}

/// A condition on a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    /// The tag's key. A member without it counts as having an empty value.
    pub tag: Box<str>,
    /// A regular expression, at most 256 bytes, that has to match somewhere in the value.
    pub expression: Box<str>,
}

/// Which query: its Lamport time and its random number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryId {
    /// Query clock when it was asked.
    pub ltime: LamportTime,
    /// Tells apart queries with one Lamport time.
    pub id: u32,
}

/// What to do with the keys of all members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// Add a key to every keyring, for opening only.
    Install(Key),
    /// Seal with this key from now on; every member has to have it.
    Use(Key),
    /// Take a key out of every keyring; nobody may seal with it.
    Remove(Key),
    /// Which keys there are.
    List,
}

/// How a query ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryTally {
    /// Members that acknowledged it.
    pub acks: u32,
    /// Members that answered.
    pub responses: u32,
    /// Whether every answer that was expected had come before the deadline.
    pub complete: bool,
}

/// What became of a key command, member by member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyReport {
    /// Members that were asked: those not known to be dead.
    pub asked: u32,
    /// Members that answered.
    pub answered: u32,
    /// Members that could not do it, with their reason.
    pub failed: Vec<(NodeName, Box<str>)>,
    /// What members said besides, such as that their list was cut.
    pub remarks: Vec<(NodeName, Box<str>)>,
    /// Of a list: each key and how many members have it.
    pub keys: Vec<(Key, u32)>,
    /// Of a list: each key that somebody seals with, and how many do.
    pub primaries: Vec<(Key, u32)>,
}
