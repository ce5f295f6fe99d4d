//! A client of an agent's control protocol: of ours, and of Serf's.
//!
//! ```no_run
//! # async fn example() -> Result<(), rumormill_tokio::rpc::client::ClientError> {
//! use rumormill_tokio::rpc::client::Client;
//!
//! let client = Client::connect("127.0.0.1:7373", None).await?;
//! for member in client.members().await? {
//!     println!("{} is {}", member.name, member.status);
//! }
//! # Ok(())
//! # }
//! ```

mod connection;
mod streams;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::messages::{self as messages, Command};
use crate::agent::why::{Troubled, Why};
use connection::{Connection, Reply};

pub use super::messages::{
    KeysReply, LogRecord, MemberRecord, QueryEventRecord, RpcCoordinate, RpcMember, StatsReply, StreamRecord,
    UserRecord,
};
pub use streams::{EventStream, LogStream, QueryRecord, QueryStream};

/// How long connecting, writing a request, and each of handshake and authentication may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Why a command of a client failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection: nobody listens there, or the name is not known.
    #[error("{address}: {reason}")]
    Connect {
        /// Where to.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// What took longer than [`PATIENCE`].
    #[error("{0} took more than {seconds} seconds", seconds = PATIENCE.as_secs())]
    TimedOut(&'static str),
    /// The agent wants a token, or another one: its words.
    #[error("{0}")]
    Auth(String),
    /// The agent refused the command, or it failed: its words.
    #[error("{0}")]
    Remote(String),
    /// The agent closed the connection, or the connection broke.
    #[error("the agent closed the connection{0}")]
    Closed(String),
    /// The other side does not speak this protocol.
    #[error("the answer is not of Serf's RPC protocol: {0}")]
    Protocol(String),
    /// The reader of a stream was so slow that so many records were dropped; the stream goes on.
    #[error("{0} records were dropped, because they were not read in time")]
    Missed(u64),
}

/// A connection to an agent. Clones share it; commands of several tasks may be under way at once (the agent answers them one after
/// the other).
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
}

/// A query to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryParams {
    /// Its name.
    pub name: String,
    /// Its data.
    pub payload: Vec<u8>,
    /// Ask these alone; empty asks everybody.
    pub nodes: Vec<String>,
    /// Ask only members whose tags match these regular expressions, somewhere in the value.
    pub tags: BTreeMap<String, String>,
    /// Whether members acknowledge it.
    pub ack: bool,
    /// How many members pass each answer on beside the direct one.
    pub relay_factor: u8,
    /// How long to listen; `None`: the agent's default.
    pub timeout: Option<Duration>,
}

/// What became of a key command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyReply {
    /// What members said, by name: why they could not do it, or a remark.
    pub messages: BTreeMap<String, String>,
    /// Of a list: each key in base64, and how many members have it.
    pub keys: BTreeMap<String, u32>,
    /// Members that were asked.
    pub num_nodes: u32,
    /// Members that could not do it.
    pub num_err: u32,
    /// Members that answered.
    pub num_resp: u32,
    /// Why it failed, where it did: the agent's words.
    pub error: Option<String>,
}

impl Client {
    /// Connects to `host:port`, and says who is there: handshake, and the token where one is given.
    ///
    /// # Errors
    /// [`ClientError::Connect`], [`ClientError::TimedOut`], [`ClientError::Auth`]; [`ClientError::Protocol`] when somebody else listens
    /// there.
    pub async fn connect(address: &str, auth: Option<&str>) -> Result<Self, ClientError> {
        let client = Self { connection: Arc::new(Connection::open(address).await?) };
        let hello = messages::Handshake { version: messages::VERSION };
        client.hurry("handshake", client.done(Command::Handshake, &hello)).await?;
        if let Some(token) = auth.filter(|token| !token.is_empty()) {
            let token = messages::Auth { auth_key: token.into() };
            client.hurry("authentication", client.done(Command::Auth, &token)).await?;
        }
        Ok(client)
    }

    /// All members that the agent knows, itself included.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn members(&self) -> Result<Vec<RpcMember>, ClientError> {
        let reply: messages::MembersReply = self.ask(Command::Members, &()).await?;
        Ok(reply.members)
    }

    /// Members whose tags, status and name match regular expressions as a whole; an empty expression matches everything.
    ///
    /// # Errors
    /// [`ClientError`]. Serf closes the connection on a bad expression, Rumormill says what is wrong with it.
    pub async fn members_filtered(
        &self,
        tags: &BTreeMap<String, String>,
        status: &str,
        name: &str,
    ) -> Result<Vec<RpcMember>, ClientError> {
        let body = messages::MembersFiltered { name: name.into(), status: status.into(), tags: tags.clone() };
        let reply: messages::MembersReply = self.ask(Command::MembersFiltered, &body).await?;
        Ok(reply.members)
    }

    /// Sends a user event.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn event(&self, name: &str, payload: &[u8], coalesce: bool) -> Result<(), ClientError> {
        let body = messages::Event { coalesce, name: name.into(), payload: payload.into() };
        self.done(Command::Event, &body).await
    }

    /// Says of a member that it has left; with `prune` it is forgotten at once.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn force_leave(&self, node: &str, prune: bool) -> Result<(), ClientError> {
        self.done(Command::ForceLeave, &messages::ForceLeave { node: node.into(), prune }).await
    }

    /// Joins the cluster of these addresses; how many answered.
    ///
    /// # Errors
    /// [`ClientError`]; none answered.
    pub async fn join(&self, addresses: &[String], replay: bool) -> Result<u32, ClientError> {
        let body = messages::Join { existing: addresses.into(), replay };
        let reply: messages::JoinReply = self.ask(Command::Join, &body).await?;
        Ok(reply.num.max(0).cast_unsigned())
    }

    /// Leaves the cluster; the agent then shuts down.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn leave(&self) -> Result<(), ClientError> {
        self.done(Command::Leave, &()).await
    }

    /// Deletes tags of the agent, and then sets some.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tags(&self, set: &BTreeMap<String, String>, delete: &[String]) -> Result<(), ClientError> {
        let body = messages::TagsChange { delete_tags: delete.into(), tags: set.clone() };
        self.done(Command::Tags, &body).await
    }

    /// Adds a key, in base64, to all keyrings.
    ///
    /// # Errors
    /// [`ClientError`]; where members could not do it, that stands in [`KeyReply::error`].
    pub async fn install_key(&self, key: &str) -> Result<KeyReply, ClientError> {
        self.keys(Command::InstallKey, &messages::KeyChange { key: key.into() }).await
    }

    /// Makes a key the one that everybody seals with.
    ///
    /// # Errors
    /// As [`Client::install_key`].
    pub async fn use_key(&self, key: &str) -> Result<KeyReply, ClientError> {
        self.keys(Command::UseKey, &messages::KeyChange { key: key.into() }).await
    }

    /// Takes a key out of all keyrings.
    ///
    /// # Errors
    /// As [`Client::install_key`].
    pub async fn remove_key(&self, key: &str) -> Result<KeyReply, ClientError> {
        self.keys(Command::RemoveKey, &messages::KeyChange { key: key.into() }).await
    }

    /// Which keys there are, and how many members have each.
    ///
    /// # Errors
    /// As [`Client::install_key`].
    pub async fn list_keys(&self) -> Result<KeyReply, ClientError> {
        self.keys(Command::ListKeys, &()).await
    }

    /// Figures of the agent, by section.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stats(&self) -> Result<StatsReply, ClientError> {
        self.ask(Command::Stats, &()).await
    }

    /// Where a member is in the network; `None`: not known.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn coordinate(&self, node: &str) -> Result<Option<RpcCoordinate>, ClientError> {
        let body = messages::CoordinateOf { node: node.into() };
        let reply: messages::CoordinateReply = self.ask(Command::GetCoordinate, &body).await?;
        Ok(reply.ok.then_some(reply.coord))
    }

    /// What the agent knows of a member and of the trouble that it had. Only agents of Rumormill can tell.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Remote`] with [`messages::errors::UNSUPPORTED_COMMAND`] where the agent is Serf's, or older.
    pub async fn why(&self, node: &str) -> Result<Why, ClientError> {
        let reply: messages::WhyReply =
            self.ask(Command::Why, &messages::WhyOf { node: node.into() }).await?;
        let missing = || ClientError::Protocol("it says nothing of the member that was asked for".into());
        reply.why.ok_or_else(missing)
    }

    /// The members of whose trouble the agent remembers something, the latest first.
    ///
    /// # Errors
    /// As [`Client::why`].
    pub async fn troubled(&self) -> Result<Vec<Troubled>, ClientError> {
        let reply: messages::WhyReply = self.ask(Command::Why, &messages::WhyOf::default()).await?;
        Ok(reply.troubled)
    }

    /// Asks the cluster. Other commands on this client wait while nobody reads the answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn query(&self, query: QueryParams) -> Result<QueryStream, ClientError> {
        let QueryParams { name, payload, nodes, tags, ack, relay_factor, timeout } = query;
        let timeout = timeout.map_or(0, |timeout| i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX));
        let (filter_nodes, filter_tags, request_ack) = (nodes, tags, ack);
        let body =
            messages::Query { filter_nodes, filter_tags, name, payload, relay_factor, request_ack, timeout };
        let (seq, records) = self.open(Command::Query, &body).await?;
        Ok(QueryStream::new(self.connection.clone(), seq, records))
    }

    /// Answers a query that came on a stream of this client.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn respond(&self, id: u64, payload: &[u8]) -> Result<(), ClientError> {
        self.done(Command::Respond, &messages::Respond { id, payload: payload.into() }).await
    }

    /// Events from now on, as a list of filters chooses ([`EventFilter`](super::filter::EventFilter)); `*` for all.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stream(&self, filter: &str) -> Result<EventStream, ClientError> {
        let (seq, records) = self.open(Command::Stream, &messages::Stream { r#type: filter.into() }).await?;
        Ok(EventStream::new(self.connection.clone(), seq, records))
    }

    /// The agent's log of at least this level (`DEBUG`, ...): its last lines, and then new ones.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn monitor(&self, level: &str) -> Result<LogStream, ClientError> {
        let (seq, records) =
            self.open(Command::Monitor, &messages::Monitor { log_level: level.into() }).await?;
        Ok(LogStream::new(self.connection.clone(), seq, records))
    }

    async fn keys(&self, command: Command, body: &impl Serialize) -> Result<KeyReply, ClientError> {
        let reply = self.connection.call(command, body).await?;
        let error = (!reply.error.is_empty()).then(|| reply.error.clone());
        let Some(body) = reply.body else { return Err(refusal(reply.error)) };
        let KeysReply { keys, messages, num_err, num_nodes, num_resp } = value(&body)?;
        let [num_err, num_nodes, num_resp] =
            [num_err, num_nodes, num_resp].map(|count| count.max(0).cast_unsigned());
        let keys =
            keys.into_iter().flatten().map(|(key, count)| (key, count.max(0).cast_unsigned())).collect();
        Ok(KeyReply { messages, keys, num_nodes, num_err, num_resp, error })
    }

    /// A command without an answer's body.
    async fn done(&self, command: Command, body: &impl Serialize) -> Result<(), ClientError> {
        accepted(self.connection.call(command, body).await?).map(|_| ())
    }

    /// A command with one.
    async fn ask<T: DeserializeOwned>(
        &self,
        command: Command,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let reply = accepted(self.connection.call(command, body).await?)?;
        value(&reply.body.unwrap_or_default())
    }

    /// A command that opens a stream of records.
    async fn open(
        &self,
        command: Command,
        body: &impl Serialize,
    ) -> Result<(u64, connection::Records), ClientError> {
        let (seq, reply, records) = self.connection.open_stream(command, body).await?;
        accepted(reply)?;
        Ok((seq, records))
    }

    /// What must not take long.
    async fn hurry(
        &self,
        what: &'static str,
        step: impl Future<Output = Result<(), ClientError>>,
    ) -> Result<(), ClientError> {
        tokio::time::timeout(PATIENCE, step).await.unwrap_or(Err(ClientError::TimedOut(what)))
    }
}

/// An answer without an error.
fn accepted(reply: Reply) -> Result<Reply, ClientError> {
    if reply.error.is_empty() { Ok(reply) } else { Err(refusal(reply.error)) }
}

/// The agent's words as an error.
fn refusal(error: String) -> ClientError {
    use messages::errors::{AUTH_REQUIRED, INVALID_AUTH_TOKEN};
    if [AUTH_REQUIRED, INVALID_AUTH_TOKEN].contains(&error.as_str()) {
        ClientError::Auth(error)
    } else {
        ClientError::Remote(error)
    }
}

/// A body's value.
fn value<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    super::codec::decode(body).map_err(|error| ClientError::Protocol(error.to_string()))
}
