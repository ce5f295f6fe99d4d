//! From settings to a running agent.

use std::net::SocketAddr;
use std::path::PathBuf;

use rumormill_core::Config;
use rumormill_core::coalesce::Times;
use rumormill_core::config::AntiEntropy;
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;

use super::{Error, Handle, start};
use crate::net::DEFAULT_PORT;

/// The way to an agent.
#[derive(Debug)]
pub struct Agent;

impl Agent {
    /// Settings to start from: host name, `0.0.0.0:7946`, no tags, no keys, [`deployed`] with [`Config::lan`].
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// A profile as agents run it: with anti-entropy that compares digests and sends what differs, which costs an idle cluster a small part of
/// what exchanging whole tables does (memberlist). A member answers both. To simulate it, write `anti_entropy = "delta"` into the scenario.
#[must_use]
pub fn deployed(profile: Config) -> Config {
    Config { anti_entropy: AntiEntropy::Delta, ..profile }
}

/// An agent's settings.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) name: Option<String>,
    pub(super) bind: SocketAddr,
    pub(super) advertise: Option<SocketAddr>,
    pub(super) tags: Tags,
    pub(super) keyring: Keyring,
    pub(super) config: Config,
    pub(super) snapshot: Option<PathBuf>,
    pub(super) rejoin_after_leave: bool,
    pub(super) keyring_file: Option<PathBuf>,
    pub(super) tags_file: Option<PathBuf>,
    pub(super) join: Vec<String>,
    pub(super) replay: bool,
    pub(super) coalesce: Option<Times>,
    pub(super) record: Option<PathBuf>,
    pub(super) tcp_only: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            name: None,
            bind: SocketAddr::from(([0, 0, 0, 0], DEFAULT_PORT)),
            advertise: None,
            tags: Tags::new(),
            keyring: Keyring::empty(),
            config: deployed(Config::lan()),
            snapshot: None,
            rejoin_after_leave: false,
            keyring_file: None,
            tags_file: None,
            join: Vec::new(),
            replay: false,
            coalesce: None,
            record: None,
            tcp_only: false,
        }
    }
}

impl Builder {
    /// The node's name, unique in the cluster. Default: the host's name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }
    /// Where it listens, UDP and TCP. Port 0: one that is free for both.
    #[must_use]
    pub fn bind(self, addr: SocketAddr) -> Self {
        Self { bind: addr, ..self }
    }
    /// Where others reach it; port 0: the bound one. Default: the bound address; where that is unspecified, the address of the first interface that is up and neither loopback nor link-local.
    #[must_use]
    pub fn advertise(self, addr: SocketAddr) -> Self {
        Self { advertise: Some(addr), ..self }
    }
    /// Its tags. Without any, those of the tags file.
    #[must_use]
    pub fn tags(self, tags: Tags) -> Self {
        Self { tags, ..self }
    }
    /// Its keys. Without any, those of the keyring file.
    #[must_use]
    pub fn keyring(self, keyring: Keyring) -> Self {
        Self { keyring, ..self }
    }
    /// The protocol's settings. Notes are always on: the agent's own log and [`Handle::why`] live on them.
    #[must_use]
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }
    /// A snapshot file: read at the start, kept up to date.
    #[must_use]
    pub fn snapshot(self, path: impl Into<PathBuf>) -> Self {
        Self { snapshot: Some(path.into()), ..self }
    }
    /// Whether a snapshot of a node that left is used to rejoin.
    #[must_use]
    pub fn rejoin_after_leave(self, yes: bool) -> Self {
        Self { rejoin_after_leave: yes, ..self }
    }
    /// A keyring file, read when no keys are given, and rewritten when keys change.
    #[must_use]
    pub fn keyring_file(self, path: impl Into<PathBuf>) -> Self {
        Self { keyring_file: Some(path.into()), ..self }
    }
    /// A tags file, read when no tags are given and it exists, and rewritten when tags change.
    #[must_use]
    pub fn tags_file(self, path: impl Into<PathBuf>) -> Self {
        Self { tags_file: Some(path.into()), ..self }
    }
    /// Join these (`host`, `host:port`, `[v6]:port`; names may have several addresses) before [`Builder::start`] returns.
    #[must_use]
    pub fn join(self, addresses: Vec<String>) -> Self {
        Self { join: addresses, ..self }
    }
    /// Whether user events sent before the join are delivered.
    #[must_use]
    pub fn replay(self, yes: bool) -> Self {
        Self { replay: yes, ..self }
    }
    /// Merge bursts of events before they are told; `None`: tell each at once.
    #[must_use]
    pub fn coalesce(self, times: Option<Times>) -> Self {
        Self { coalesce: times, ..self }
    }
    /// Write every input of the core to this new file: [`record`](crate::record).
    #[must_use]
    pub fn record(self, path: impl Into<PathBuf>) -> Self {
        Self { record: Some(path.into()), ..self }
    }
    /// Sends nothing by UDP: packets go over TCP too, for networks that drop UDP. Every agent understands both, whatever it sends itself.
    #[must_use]
    pub fn tcp_only(self, yes: bool) -> Self {
        Self { tcp_only: yes, ..self }
    }

    /// Binds, restores, joins, and runs the agent in tasks of its own on the current tokio runtime.
    ///
    /// # Errors
    /// The settings are not usable, an address cannot be bound, a file not read, or none of the addresses to join answered.
    pub async fn start(self) -> Result<Handle, Error> {
        start::start(self).await
    }
}
