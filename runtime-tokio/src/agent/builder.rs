//! From settings to a running agent.

use std::net::SocketAddr;
use std::path::PathBuf;

use rumormill_core::Config;
use rumormill_core::coalesce::Times;
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;

use super::{Error, Handle};

/// The way to an agent.
#[derive(Debug)]
pub struct Agent;

impl Agent {
    /// Settings to start from: host name, `0.0.0.0:7946`, no tags, no keys, [`Config::lan`].
    #[must_use]
    pub fn builder() -> Builder {
        todo!()
    }
}

/// An agent's settings.
#[derive(Clone, Debug)]
pub struct Builder {}

impl Builder {
    /// The node's name, unique in the cluster. Default: the host's name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        let _ = name.into();
        todo!()
    }
    /// Where it listens, UDP and TCP. Port 0: one that is free for both.
    #[must_use]
    pub fn bind(self, addr: SocketAddr) -> Self {
        let _ = addr;
        todo!()
    }
    /// Where others reach it. Default: the bound address; where that is unspecified, the address of the first interface that is up and neither loopback nor link-local.
    #[must_use]
    pub fn advertise(self, addr: SocketAddr) -> Self {
        let _ = addr;
        todo!()
    }
    /// Its tags.
    #[must_use]
    pub fn tags(self, tags: Tags) -> Self {
        let _ = tags;
        todo!()
    }
    /// Its keys.
    #[must_use]
    pub fn keyring(self, keyring: Keyring) -> Self {
        let _ = keyring;
        todo!()
    }
    /// The protocol's settings.
    #[must_use]
    pub fn config(self, config: Config) -> Self {
        let _ = config;
        todo!()
    }
    /// A snapshot file: read at the start, kept up to date.
    #[must_use]
    pub fn snapshot(self, path: impl Into<PathBuf>) -> Self {
        let _ = path.into();
        todo!()
    }
    /// Whether a snapshot of a node that left is used to rejoin.
    #[must_use]
    pub fn rejoin_after_leave(self, yes: bool) -> Self {
        let _ = yes;
        todo!()
    }
    /// A keyring file, rewritten when keys change.
    #[must_use]
    pub fn keyring_file(self, path: impl Into<PathBuf>) -> Self {
        let _ = path.into();
        todo!()
    }
    /// A tags file, rewritten when tags change.
    #[must_use]
    pub fn tags_file(self, path: impl Into<PathBuf>) -> Self {
        let _ = path.into();
        todo!()
    }
    /// Join these (`host`, `host:port`, `[v6]:port`; names may have several addresses) before [`Builder::start`] returns.
    #[must_use]
    pub fn join(self, addresses: Vec<String>) -> Self {
        let _ = addresses;
        todo!()
    }
    /// Whether user events sent before the join are delivered.
    #[must_use]
    pub fn replay(self, yes: bool) -> Self {
        let _ = yes;
        todo!()
    }
    /// Merge bursts of events before they are told; `None`: tell each at once.
    #[must_use]
    pub fn coalesce(self, times: Option<Times>) -> Self {
        let _ = times;
        todo!()
    }
    /// Write every input of the core to this new file: [`record`](crate::record).
    #[must_use]
    pub fn record(self, path: impl Into<PathBuf>) -> Self {
        let _ = path.into();
        todo!()
    }
    /// No datagrams: only streams (for networks that drop UDP).
    #[must_use]
    pub fn tcp_only(self, yes: bool) -> Self {
        let _ = yes;
        todo!()
    }

    /// Binds, restores, joins, and runs the agent in tasks of its own on the current tokio runtime.
    ///
    /// # Errors
    /// The settings are not usable, an address cannot be bound, a file not read, or none of the addresses to join answered.
    pub async fn start(self) -> Result<Handle, Error> {
        todo!()
    }
}
