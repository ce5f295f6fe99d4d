//! Records of streams, monitors and queries: each follows a header with the number of the request that opened it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RpcMember;
use super::lenient::{bytes, or_default, text};

/// Something happened to members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MemberRecord {
    /// `member-join` and so on.
    pub event: String,
    /// To whom.
    pub members: Vec<RpcMember>,
}

/// A user event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserRecord {
    /// Whether it may be merged with others of its name.
    pub coalesce: bool,
    /// `user`.
    pub event: String,
    /// Event clock when it was sent.
    pub l_time: u64,
    /// Its name.
    pub name: String,
    /// Its data.
    #[serde(serialize_with = "serde_bytes::serialize")]
    pub payload: Vec<u8>,
}

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueryEventRecord {
    /// `query`.
    pub event: String,
    /// Its number on this connection, for `respond`.
    #[serde(rename = "ID")]
    pub id: u64,
    /// Query clock when it was asked.
    pub l_time: u64,
    /// Its name.
    pub name: String,
    /// Its data.
    #[serde(serialize_with = "serde_bytes::serialize")]
    pub payload: Vec<u8>,
}

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamRecord {
    /// Something happened to members.
    Members(MemberRecord),
    /// A user event.
    User(UserRecord),
    /// A query, to be answered with `respond` on the same connection.
    Query(QueryEventRecord),
}

/// Any of the three, as it comes in.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Incoming {
    #[serde(deserialize_with = "or_default")]
    coalesce: bool,
    #[serde(deserialize_with = "text")]
    event: String,
    #[serde(rename = "ID", deserialize_with = "or_default")]
    id: u64,
    #[serde(deserialize_with = "or_default")]
    l_time: u64,
    #[serde(deserialize_with = "or_default")]
    members: Vec<RpcMember>,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "bytes")]
    payload: Vec<u8>,
}

impl<'de> Deserialize<'de> for StreamRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Incoming { coalesce, event, id, l_time, members, name, payload } =
            Incoming::deserialize(deserializer)?;
        Ok(match event.as_str() {
            "user" => Self::User(UserRecord { coalesce, event, l_time, name, payload }),
            "query" => Self::Query(QueryEventRecord { event, id, l_time, name, payload }),
            _ => Self::Members(MemberRecord { event, members }),
        })
    }
}

impl Serialize for StreamRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Members(record) => record.serialize(serializer),
            Self::User(record) => record.serialize(serializer),
            Self::Query(record) => record.serialize(serializer),
        }
    }
}

/// A line of the agent's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogRecord {
    /// The line.
    #[serde(deserialize_with = "text")]
    pub log: String,
}

/// What one record of a query is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyKind {
    /// A member has received it.
    Ack,
    /// A member answers.
    Response,
    /// Nothing follows.
    #[default]
    Done,
}

impl<'de> Deserialize<'de> for ReplyKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = text(deserializer)?;
        match kind.as_str() {
            "ack" => Ok(Self::Ack),
            "response" => Ok(Self::Response),
            "done" => Ok(Self::Done),
            other => Err(D::Error::unknown_variant(other, &["ack", "response", "done"])),
        }
    }
}

/// What a query brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct QueryReply {
    /// Who.
    #[serde(deserialize_with = "text")]
    pub from: String,
    /// What it says.
    #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "bytes")]
    pub payload: Vec<u8>,
    /// What this is.
    pub r#type: ReplyKind,
}
