//! What client and agent say to each other: a header, then a body where the command has one.
//!
//! Every structure is a map with the fields' names as keys, in the order of the names, as Go's encoder writes it; on input
//! unknown fields are skipped and missing ones have their defaults.

mod lenient;
mod records;
mod requests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rumormill_core::coordinate::{Coordinate, DIMENSIONS};
use serde::{Deserialize, Serialize};

use crate::agent::why::{Troubled, Why};
use lenient::{ip, or_default, text, text_map, write_floats, write_ip};

pub use records::{
    LogRecord, MemberRecord, QueryEventRecord, QueryReply, ReplyKind, StreamRecord, UserRecord,
};
pub use requests::{
    Auth, CoordinateOf, Event, ForceLeave, Handshake, Join, KeyChange, MembersFiltered, Monitor, Query,
    Respond, Stop, Stream, TagsChange, WhyOf,
};

/// The version of the protocol that the handshake names.
pub const VERSION: i32 = 1;

/// Error texts of the protocol, word for word Serf's: clients compare them.
pub mod errors {
    /// The first command was another one; the connection is closed.
    pub const HANDSHAKE_REQUIRED: &str = "Handshake required";
    /// A second handshake.
    pub const DUPLICATE_HANDSHAKE: &str = "Handshake already performed";
    /// Not [`VERSION`](super::VERSION).
    pub const UNSUPPORTED_VERSION: &str = "Unsupported IPC version";
    /// Not the agent's token.
    pub const INVALID_AUTH_TOKEN: &str = "Invalid authentication token";
    /// The agent has a token, and the client did not give it.
    pub const AUTH_REQUIRED: &str = "Authentication required";
    /// Not a [`Command`](super::Command); the connection is closed.
    pub const UNSUPPORTED_COMMAND: &str = "Unsupported command";
    /// A stream with the number of one that is open.
    pub const STREAM_EXISTS: &str = "Stream with given sequence exists";
    /// One connection has one monitor at most.
    pub const MONITOR_EXISTS: &str = "Monitor already exists";
    /// No [`EventFilter`](crate::rpc::filter::EventFilter).
    pub const INVALID_FILTER: &str = "Invalid event filter";
    /// An answer to what was not asked on this connection, was answered, or is over.
    pub const INVALID_QUERY_ID: &str = "No pending queries matching ID";

    /// Whether such an error comes instead of the command's own answer, so that no body follows.
    #[must_use]
    pub fn is_refusal(error: &str) -> bool {
        [HANDSHAKE_REQUIRED, AUTH_REQUIRED, UNSUPPORTED_COMMAND].contains(&error)
    }
}

/// What a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Says the protocol's version: always first.
    Handshake,
    /// Gives the token.
    Auth,
    /// Sends a user event.
    Event,
    /// Says of a member that it has left.
    ForceLeave,
    /// Joins a cluster.
    Join,
    /// All members.
    Members,
    /// Members by name, status, tags.
    MembersFiltered,
    /// Changes the agent's tags.
    Tags,
    /// Events from now on.
    Stream,
    /// The agent's log.
    Monitor,
    /// Ends a stream or monitor.
    Stop,
    /// Leaves the cluster, and shuts the agent down.
    Leave,
    /// Asks the cluster.
    Query,
    /// Answers a query that came on a stream.
    Respond,
    /// Adds a key to all keyrings.
    InstallKey,
    /// Seals with another key.
    UseKey,
    /// Takes a key out of all keyrings.
    RemoveKey,
    /// Which keys there are.
    ListKeys,
    /// Figures of the agent.
    Stats,
    /// Where a member is in the network.
    GetCoordinate,
    /// What the agent knows of a member's trouble, or whose trouble it remembers. Ours: Serf's agents refuse it as
    /// [`errors::UNSUPPORTED_COMMAND`], and close the connection.
    Why,
}

impl Command {
    /// How many commands there are.
    pub const COUNT: usize = 21;

    const ALL: [(Self, &'static str); Self::COUNT] = [
        (Self::Handshake, "handshake"),
        (Self::Auth, "auth"),
        (Self::Event, "event"),
        (Self::ForceLeave, "force-leave"),
        (Self::Join, "join"),
        (Self::Members, "members"),
        (Self::MembersFiltered, "members-filtered"),
        (Self::Tags, "tags"),
        (Self::Stream, "stream"),
        (Self::Monitor, "monitor"),
        (Self::Stop, "stop"),
        (Self::Leave, "leave"),
        (Self::Query, "query"),
        (Self::Respond, "respond"),
        (Self::InstallKey, "install-key"),
        (Self::UseKey, "use-key"),
        (Self::RemoveKey, "remove-key"),
        (Self::ListKeys, "list-keys"),
        (Self::Stats, "stats"),
        (Self::GetCoordinate, "get-coordinate"),
        (Self::Why, "rumormill-why"),
    ];

    /// All commands.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(command, _)| *command)
    }

    /// The command of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(command, _)| *command)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        // Every command stands in the table: a test reads it both ways.
        Self::ALL.iter().find(|(command, _)| *command == self).map_or("", |(_, name)| name)
    }

    /// Whether a request has a body.
    #[must_use]
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::Members | Self::Leave | Self::ListKeys | Self::Stats)
    }

    /// Whether an answer has a body, also beside an error: Go's client waits for it, unless the error is a refusal
    /// ([`errors::is_refusal`]).
    #[must_use]
    pub const fn has_answer_body(self) -> bool {
        use Command::{
            GetCoordinate, InstallKey, Join, ListKeys, Members, MembersFiltered, RemoveKey, Stats, UseKey,
            Why,
        };
        matches!(
            self,
            GetCoordinate
                | InstallKey
                | Join
                | ListKeys
                | Members
                | MembersFiltered
                | RemoveKey
                | Stats
                | UseKey
                | Why
        )
    }
}

/// Begins a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RequestHeader {
    /// Which command.
    #[serde(deserialize_with = "text")]
    pub command: String,
    /// The client's number for it; comes back in the answer.
    #[serde(deserialize_with = "or_default")]
    pub seq: u64,
}

/// Begins an answer, and each record of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResponseHeader {
    /// Why it was not done; empty when it was.
    #[serde(deserialize_with = "text")]
    pub error: String,
    /// The request's number.
    #[serde(deserialize_with = "or_default")]
    pub seq: u64,
}

/// A member as RPC shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RpcMember {
    /// Its address: 4 bytes or 16.
    #[serde(serialize_with = "write_ip", deserialize_with = "ip")]
    pub addr: IpAddr,
    /// Serf's version that it speaks.
    #[serde(deserialize_with = "or_default")]
    pub delegate_cur: u8,
    /// The highest that it understands.
    #[serde(deserialize_with = "or_default")]
    pub delegate_max: u8,
    /// The lowest.
    #[serde(deserialize_with = "or_default")]
    pub delegate_min: u8,
    /// Its name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Its gossip port.
    #[serde(deserialize_with = "or_default")]
    pub port: u16,
    /// The gossip protocol's version that it speaks.
    #[serde(deserialize_with = "or_default")]
    pub protocol_cur: u8,
    /// The highest that it understands.
    #[serde(deserialize_with = "or_default")]
    pub protocol_max: u8,
    /// The lowest.
    #[serde(deserialize_with = "or_default")]
    pub protocol_min: u8,
    /// `alive`, `leaving`, `left` or `failed`.
    #[serde(deserialize_with = "text")]
    pub status: String,
    /// Its tags.
    #[serde(deserialize_with = "text_map")]
    pub tags: BTreeMap<String, String>,
}

impl Default for RpcMember {
    fn default() -> Self {
        let (name, status, tags) = Default::default();
        Self {
            addr: Ipv4Addr::UNSPECIFIED.into(),
            delegate_cur: 0,
            delegate_max: 0,
            delegate_min: 0,
            name,
            port: 0,
            protocol_cur: 0,
            protocol_max: 0,
            protocol_min: 0,
            status,
            tags,
        }
    }
}

impl RpcMember {
    /// Where it receives packets and streams.
    #[must_use]
    pub const fn socket_addr(&self) -> SocketAddr {
        SocketAddr::new(self.addr, self.port)
    }
}

impl From<&crate::Member> for RpcMember {
    fn from(member: &crate::Member) -> Self {
        let (addr, versions) = (member.addr(), member.versions());
        Self {
            addr: addr.ip(),
            delegate_cur: versions.app,
            delegate_max: versions.app_max,
            delegate_min: versions.app_min,
            name: member.name().into(),
            port: addr.port(),
            protocol_cur: versions.protocol,
            protocol_max: versions.protocol_max,
            protocol_min: versions.protocol_min,
            status: status_name(member.status).into(),
            tags: owned_tags(&member.tags()),
        }
    }
}

/// Serf's word for a status.
#[must_use]
pub const fn status_name(status: rumormill_core::io::Status) -> &'static str {
    use rumormill_core::io::Status;
    match status {
        Status::Alive => "alive",
        Status::Leaving => "leaving",
        Status::Left => "left",
        Status::Failed => "failed",
    }
}

/// Tags as a map of its own.
pub(super) fn owned_tags(tags: &rumormill_core::tags::Tags) -> BTreeMap<String, String> {
    tags.iter().map(|(key, value)| (key.into(), value.into())).collect()
}

/// The answer to `members` and `members-filtered`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MembersReply {
    /// The members.
    #[serde(deserialize_with = "or_default")]
    pub members: Vec<RpcMember>,
}

/// The answer to `join`, also where it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JoinReply {
    /// Addresses that answered.
    #[serde(deserialize_with = "or_default")]
    pub num: i32,
}

/// The answer to the four key commands, also where they failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct KeysReply {
    /// Of a list: each key in base64, and how many members have it; nil where keys were changed.
    pub keys: Option<BTreeMap<String, i32>>,
    /// What members said, by name: why they could not do it, or a remark.
    #[serde(deserialize_with = "text_map")]
    pub messages: BTreeMap<String, String>,
    /// Members that could not do it.
    #[serde(deserialize_with = "or_default")]
    pub num_err: i32,
    /// Members that were asked.
    #[serde(deserialize_with = "or_default")]
    pub num_nodes: i32,
    /// Members that answered.
    #[serde(deserialize_with = "or_default")]
    pub num_resp: i32,
}

/// The answer to `stats`: sections of keys and values.
pub type StatsReply = BTreeMap<String, BTreeMap<String, String>>;

/// A network coordinate as RPC shows it; seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RpcCoordinate {
    /// What distances come out too short by.
    #[serde(deserialize_with = "or_default")]
    pub adjustment: f64,
    /// How sure the member is of it: 0 is certain.
    #[serde(deserialize_with = "or_default")]
    pub error: f64,
    /// The way to the plane.
    #[serde(deserialize_with = "or_default")]
    pub height: f64,
    /// The place in the plane.
    #[serde(serialize_with = "write_floats", deserialize_with = "or_default")]
    pub vec: Vec<f64>,
}

impl RpcCoordinate {
    /// As the core computes with it; `None` where it has another number of dimensions.
    #[must_use]
    pub fn to_core(&self) -> Option<Coordinate> {
        let vector = <[f64; DIMENSIONS]>::try_from(&self.vec[..]).ok()?;
        Some(Coordinate { vector, error: self.error, adjustment: self.adjustment, height: self.height })
    }
}

impl From<Coordinate> for RpcCoordinate {
    fn from(at: Coordinate) -> Self {
        Self { adjustment: at.adjustment, error: at.error, height: at.height, vec: at.vector.into() }
    }
}

/// The answer to `get-coordinate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CoordinateReply {
    /// Where the member is; means nothing unless `ok`.
    #[serde(deserialize_with = "or_default")]
    pub coord: RpcCoordinate,
    /// Whether it is known.
    #[serde(deserialize_with = "or_default")]
    pub ok: bool,
}

/// The answer to `rumormill-why`: the one or the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WhyReply {
    /// Members of which trouble is remembered, where none was named.
    #[serde(deserialize_with = "or_default")]
    pub troubled: Vec<Troubled>,
    /// What is known of the member that was named. Its own fields are written in small letters, as in JSON.
    #[serde(deserialize_with = "or_default")]
    pub why: Option<Why>,
}

#[cfg(test)]
mod tests;
