//! Inputs, as a recording has them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use rumormill_core::Instant;
use rumormill_core::error::StreamFailure;
use rumormill_core::id::{LamportTime, NodeName};
use rumormill_core::io::{
    Command, CommandId, EventRequest, Input, KeyAction, QueryId, QueryRequest, StreamId, StreamInput,
    TagFilter,
};
use rumormill_core::keyring::Key;
use serde::{Deserialize, Serialize};

/// One input and its time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry<'a> {
    pub(super) now: u64,
    #[serde(borrow)]
    pub(super) input: InputRecord<'a>,
}

/// A socket address with all its parts: serde's own form loses the scope of a link-local one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Addr {
    ip: IpAddr,
    port: u16,
    flow: u32,
    scope: u32,
}

impl From<SocketAddr> for Addr {
    fn from(addr: SocketAddr) -> Self {
        let (flow, scope) = match addr {
            SocketAddr::V4(_) => (0, 0),
            SocketAddr::V6(v6) => (v6.flowinfo(), v6.scope_id()),
        };
        Self { ip: addr.ip(), port: addr.port(), flow, scope }
    }
}

impl From<Addr> for SocketAddr {
    fn from(Addr { ip, port, flow, scope }: Addr) -> Self {
        match ip {
            IpAddr::V4(v4) => (v4, port).into(),
            IpAddr::V6(v6) => SocketAddrV6::new(v6, port, flow, scope).into(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum StreamRecord {
    Ours(u32),
    Theirs(u32),
}

impl From<StreamId> for StreamRecord {
    fn from(id: StreamId) -> Self {
        match id {
            StreamId::Ours(n) => Self::Ours(n),
            StreamId::Theirs(n) => Self::Theirs(n),
        }
    }
}

impl From<StreamRecord> for StreamId {
    fn from(id: StreamRecord) -> Self {
        match id {
            StreamRecord::Ours(n) => Self::Ours(n),
            StreamRecord::Theirs(n) => Self::Theirs(n),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum InputRecord<'a> {
    Tick,
    Packet {
        from: Addr,
        #[serde(borrow, with = "serde_bytes")]
        bytes: &'a [u8],
    },
    Opened {
        stream: StreamRecord,
        peer: Addr,
    },
    Frame {
        stream: StreamRecord,
        #[serde(borrow, with = "serde_bytes")]
        bytes: &'a [u8],
    },
    Closed {
        stream: StreamRecord,
    },
    Failed {
        stream: StreamRecord,
        reason: StreamFailure,
    },
    Command {
        id: u64,
        command: CommandRecord,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CommandRecord {
    Join { addresses: Vec<Addr>, replay: bool },
    Leave,
    SetTags(BTreeMap<String, String>),
    ForceLeave { name: String, prune: bool },
    UserEvent { name: String, payload: Box<[u8]>, coalesce: bool },
    Query(QueryRecord),
    Respond { ltime: u64, id: u32, payload: Box<[u8]> },
    Keys { action: KeyRecord, relay_factor: u8 },
    Decline { ltime: u64, id: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct QueryRecord {
    name: String,
    payload: Box<[u8]>,
    nodes: Vec<String>,
    tags: Vec<(String, String)>,
    ack: bool,
    relay_factor: u8,
    timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeyRecord {
    Install(Box<[u8]>),
    Use(Box<[u8]>),
    Remove(Box<[u8]>),
    List,
}

impl<'a> Entry<'a> {
    pub(super) fn of(input: &Input<'a>, now: Instant) -> Self {
        let input = match input {
            Input::Tick => InputRecord::Tick,
            Input::Packet { from, bytes } => InputRecord::Packet { from: (*from).into(), bytes },
            Input::Stream { id, input } => {
                let stream = (*id).into();
                match input {
                    StreamInput::Opened { peer } => InputRecord::Opened { stream, peer: (*peer).into() },
                    StreamInput::Frame(bytes) => InputRecord::Frame { stream, bytes },
                    StreamInput::Closed => InputRecord::Closed { stream },
                    StreamInput::Failed(reason) => InputRecord::Failed { stream, reason: reason.clone() },
                }
            }
            Input::Command { id, command } => InputRecord::Command { id: id.0, command: command.into() },
        };
        Self { now: now.as_nanos(), input }
    }

    /// What the core is given.
    ///
    /// # Errors
    /// It is something that no recorder wrote, and what.
    pub(super) fn input(self) -> Result<Input<'a>, String> {
        let stream = |stream: StreamRecord, input| Input::Stream { id: stream.into(), input };
        Ok(match self.input {
            InputRecord::Tick => Input::Tick,
            InputRecord::Packet { from, bytes } => Input::Packet { from: from.into(), bytes },
            InputRecord::Opened { stream: id, peer } => stream(id, StreamInput::Opened { peer: peer.into() }),
            InputRecord::Frame { stream: id, bytes } => stream(id, StreamInput::Frame(bytes)),
            InputRecord::Closed { stream: id } => stream(id, StreamInput::Closed),
            InputRecord::Failed { stream: id, reason } => stream(id, StreamInput::Failed(reason)),
            InputRecord::Command { id, command } => {
                Input::Command { id: CommandId(id), command: command.command()? }
            }
        })
    }
}

impl InputRecord<'_> {
    /// For people.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Packet { .. } => "packet",
            Self::Opened { .. } => "stream opened",
            Self::Frame { .. } => "stream frame",
            Self::Closed { .. } => "stream closed",
            Self::Failed { .. } => "stream failed",
            Self::Command { command, .. } => match command {
                CommandRecord::Join { .. } => "command join",
                CommandRecord::Leave => "command leave",
                CommandRecord::SetTags(_) => "command set-tags",
                CommandRecord::ForceLeave { .. } => "command force-leave",
                CommandRecord::UserEvent { .. } => "command user-event",
                CommandRecord::Query(_) => "command query",
                CommandRecord::Respond { .. } => "command respond",
                CommandRecord::Keys { .. } => "command keys",
                CommandRecord::Decline { .. } => "command decline",
            },
        }
    }
}

impl From<&Command> for CommandRecord {
    fn from(command: &Command) -> Self {
        match command {
            Command::Join { addresses, replay } => {
                Self::Join { addresses: addresses.iter().copied().map(Addr::from).collect(), replay: *replay }
            }
            Command::Leave => Self::Leave,
            Command::SetTags(tags) => {
                Self::SetTags(tags.iter().map(|(key, value)| (key.into(), value.into())).collect())
            }
            Command::ForceLeave { name, prune } => {
                Self::ForceLeave { name: name.as_str().into(), prune: *prune }
            }
            Command::UserEvent(EventRequest { name, payload, coalesce }) => {
                Self::UserEvent { name: (&**name).into(), payload: payload.clone(), coalesce: *coalesce }
            }
            Command::Query(query) => Self::Query(query.into()),
            Command::Respond { query, payload } => {
                Self::Respond { ltime: query.ltime.0, id: query.id, payload: payload.clone() }
            }
            Command::Keys { action, relay_factor } => {
                Self::Keys { action: action.into(), relay_factor: *relay_factor }
            }
            Command::Decline { query } => Self::Decline { ltime: query.ltime.0, id: query.id },
        }
    }
}

impl CommandRecord {
    fn command(self) -> Result<Command, String> {
        Ok(match self {
            Self::Join { addresses, replay } => {
                Command::Join { addresses: addresses.into_iter().map(SocketAddr::from).collect(), replay }
            }
            Self::Leave => Command::Leave,
            Self::SetTags(tags) => Command::SetTags(tags.into_iter().collect()),
            Self::ForceLeave { name, prune } => Command::ForceLeave { name: node_name(&name)?, prune },
            Self::UserEvent { name, payload, coalesce } => {
                Command::UserEvent(EventRequest { name: name.into(), payload, coalesce })
            }
            Self::Query(query) => Command::Query(query.request()?),
            Self::Respond { ltime, id, payload } => {
                Command::Respond { query: QueryId { ltime: LamportTime(ltime), id }, payload }
            }
            Self::Keys { action, relay_factor } => Command::Keys { action: action.action()?, relay_factor },
            Self::Decline { ltime, id } => {
                Command::Decline { query: QueryId { ltime: LamportTime(ltime), id } }
            }
        })
    }
}

impl From<&QueryRequest> for QueryRecord {
    fn from(query: &QueryRequest) -> Self {
        let QueryRequest { name, payload, nodes, tags, ack, relay_factor, timeout } = query;
        let filter = |filter: &TagFilter| ((&*filter.tag).into(), (&*filter.expression).into());
        Self {
            name: (&**name).into(),
            payload: payload.clone(),
            nodes: nodes.iter().map(|node| node.as_str().into()).collect(),
            tags: tags.iter().map(filter).collect(),
            ack: *ack,
            relay_factor: *relay_factor,
            timeout: *timeout,
        }
    }
}

impl QueryRecord {
    fn request(self) -> Result<QueryRequest, String> {
        let Self { name, payload, nodes, tags, ack, relay_factor, timeout } = self;
        let filter = |(tag, expression): (String, String)| TagFilter {
            tag: tag.into(),
            expression: expression.into(),
        };
        Ok(QueryRequest {
            name: name.into(),
            payload,
            nodes: nodes.iter().map(|node| node_name(node)).collect::<Result<_, _>>()?,
            tags: tags.into_iter().map(filter).collect(),
            ack,
            relay_factor,
            timeout,
        })
    }
}

impl From<&KeyAction> for KeyRecord {
    fn from(action: &KeyAction) -> Self {
        match action {
            KeyAction::Install(key) => Self::Install(key.expose().into()),
            KeyAction::Use(key) => Self::Use(key.expose().into()),
            KeyAction::Remove(key) => Self::Remove(key.expose().into()),
            KeyAction::List => Self::List,
        }
    }
}

impl KeyRecord {
    fn action(self) -> Result<KeyAction, String> {
        let key = |bytes: &[u8]| Key::new(bytes).map_err(|error| error.to_string());
        Ok(match self {
            Self::Install(bytes) => KeyAction::Install(key(&bytes)?),
            Self::Use(bytes) => KeyAction::Use(key(&bytes)?),
            Self::Remove(bytes) => KeyAction::Remove(key(&bytes)?),
            Self::List => KeyAction::List,
        })
    }
}

fn node_name(name: &str) -> Result<NodeName, String> {
    NodeName::new(name).map_err(|error| format!("{name:?}: {error}"))
}
