//! Bodies of requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient::{bytes, or_default, text, text_map, texts};

/// Of `handshake`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Handshake {
    /// The protocol's version.
    #[serde(deserialize_with = "or_default")]
    pub version: i32,
}

/// Of `auth`. Holds a secret, so it is not printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Auth {
    /// The token.
    #[serde(deserialize_with = "text")]
    pub auth_key: String,
}

/// Of `event`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Event {
    /// Whether receivers may merge it with others of its name.
    #[serde(deserialize_with = "or_default")]
    pub coalesce: bool,
    /// Its name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Its data.
    #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "bytes")]
    pub payload: Vec<u8>,
}

/// Of `force-leave`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ForceLeave {
    /// Whom.
    #[serde(deserialize_with = "text")]
    pub node: String,
    /// Whether it is forgotten at once.
    #[serde(deserialize_with = "or_default")]
    pub prune: bool,
}

/// Of `join`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Join {
    /// Addresses of members.
    #[serde(deserialize_with = "texts")]
    pub existing: Vec<String>,
    /// Whether earlier user events are delivered.
    #[serde(deserialize_with = "or_default")]
    pub replay: bool,
}

/// Of `members-filtered`: regular expressions that match the whole value; an empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MembersFiltered {
    /// For the name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// For the status.
    #[serde(deserialize_with = "text")]
    pub status: String,
    /// For tags, by key.
    #[serde(deserialize_with = "text_map")]
    pub tags: BTreeMap<String, String>,
}

/// Of `tags`: first some are deleted, then some are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagsChange {
    /// Keys to delete.
    #[serde(deserialize_with = "texts")]
    pub delete_tags: Vec<String>,
    /// Tags to set.
    #[serde(deserialize_with = "text_map")]
    pub tags: BTreeMap<String, String>,
}

/// Of `stream`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Stream {
    /// A list of event filters.
    #[serde(deserialize_with = "text")]
    pub r#type: String,
}

/// Of `monitor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Monitor {
    /// The least level wanted.
    #[serde(deserialize_with = "text")]
    pub log_level: String,
}

/// Of `stop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Stop {
    /// The number of the request that opened the stream or monitor.
    #[serde(deserialize_with = "or_default")]
    pub stop: u64,
}

/// Of `query`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Query {
    /// Ask these alone; empty asks everybody.
    #[serde(deserialize_with = "texts")]
    pub filter_nodes: Vec<String>,
    /// Ask only members whose tags match these regular expressions.
    #[serde(deserialize_with = "text_map")]
    pub filter_tags: BTreeMap<String, String>,
    /// Its name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Its data.
    #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "bytes")]
    pub payload: Vec<u8>,
    /// How many members pass each answer on beside the direct one.
    #[serde(deserialize_with = "or_default")]
    pub relay_factor: u8,
    /// Whether receivers acknowledge it.
    #[serde(deserialize_with = "or_default")]
    pub request_ack: bool,
    /// Nanoseconds to listen; 0: the agent's default.
    #[serde(deserialize_with = "or_default")]
    pub timeout: i64,
}

/// Of `respond`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Respond {
    /// The number that the query had on the stream.
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub id: u64,
    /// The answer.
    #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "bytes")]
    pub payload: Vec<u8>,
}

/// Of `install-key`, `use-key` and `remove-key`. Holds a secret, so it is not printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct KeyChange {
    /// The key in base64.
    #[serde(deserialize_with = "text")]
    pub key: String,
}

/// Of `get-coordinate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CoordinateOf {
    /// Whose.
    #[serde(deserialize_with = "text")]
    pub node: String,
}

/// Of `rumormill-why`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WhyOf {
    /// Whom; empty: whoever had trouble.
    #[serde(deserialize_with = "text")]
    pub node: String,
}
