//! From settings to what starts.

use std::net::SocketAddr;

use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _, alphabet};
use rumormill_tokio::core::Config;
use rumormill_tokio::core::error::ConfigError;
use rumormill_tokio::core::id::Versions;
use rumormill_tokio::core::keyring::{Key, Keyring};
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::discovery::Options;
use rumormill_tokio::metrics::push::Sink;
use rumormill_tokio::{Agent, Builder, DEFAULT_PORT, interface_addresses};
use zeroize::Zeroizing;

use super::{AgentConfig, DEFAULT_HTTP_PORT, DEFAULT_RPC_PORT, DEFAULT_STATSD_PORT, Endpoint};

/// Settings that were well written, but that this machine cannot do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// Out of the protocol's bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A host's name that could not be looked up.
    #[error("{key}: cannot look up {endpoint}: {source}")]
    Lookup {
        /// The key.
        key: &'static str,
        /// What it says.
        endpoint: Endpoint,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no such interface, or it has no address to use.
    #[error("interface: {0}")]
    Interface(#[from] rumormill_tokio::Error),
    /// `bind` and `interface` do not go together.
    #[error("bind: {bind} is no address of the interface {interface}, which has {has}")]
    OtherInterface {
        /// What `bind` says.
        bind: SocketAddr,
        /// What `interface` says.
        interface: String,
        /// Its addresses.
        has: String,
    },
    /// A key that is none; checked when it was read.
    #[error("encrypt_key: {0}")]
    Key(String),
}

impl AgentConfig {
    /// The protocol's settings.
    ///
    /// # Errors
    /// One of them is out of bounds.
    pub(crate) fn core_config(&self) -> Result<Config, ConfigError> {
        let versions = Versions { app: self.protocol, ..Versions::CURRENT };
        let config = Config { versions, ..self.core.clone() };
        config.check()?;
        Ok(config)
    }

    /// The keys that files, environment or flags gave; none where a keyring file has them.
    ///
    /// # Errors
    /// The key is none.
    pub(crate) fn keyring(&self) -> Result<Keyring, BuildError> {
        let Some(text) = &self.encrypt_key else { return Ok(Keyring::empty()) };
        let wrong = |error: &dyn std::fmt::Display| BuildError::Key(error.to_string());
        let bytes = key_bytes(text.expose()).map_err(|error| wrong(&error))?;
        let key = Key::new(&bytes).map_err(|error| wrong(&error))?;
        Keyring::of(key, Vec::new()).map_err(|error| wrong(&error))
    }

    /// Where commands are taken. Blocks while a name is looked up.
    ///
    /// # Errors
    /// The name has no address.
    pub(crate) fn rpc_socket(&self) -> Result<SocketAddr, BuildError> {
        resolve("rpc_addr", &self.rpc_addr, DEFAULT_RPC_PORT)
    }

    /// Where metrics and health are asked for; `None`: nowhere. Blocks while a name is looked up.
    ///
    /// # Errors
    /// The name has no address.
    pub(crate) fn http_socket(&self) -> Result<Option<SocketAddr>, BuildError> {
        self.http_addr.as_ref().map(|endpoint| resolve("http_addr", endpoint, DEFAULT_HTTP_PORT)).transpose()
    }

    /// Where metrics are sent.
    pub(crate) fn sinks(&self) -> Vec<Sink> {
        let address = |endpoint: &Endpoint| endpoint.to_dial(DEFAULT_STATSD_PORT);
        let statsite = self.statsite_addr.as_ref().map(|endpoint| Sink::Statsite(address(endpoint)));
        let statsd = self.statsd_addr.as_ref().map(|endpoint| Sink::Statsd(address(endpoint)));
        statsite.into_iter().chain(statsd).collect()
    }

    /// Whether somebody is to be joined.
    pub(crate) fn expects_others(&self) -> bool {
        !self.start_join.is_empty() || !self.retry_join.is_empty() || self.discover.is_some()
    }

    /// Where the node listens: with an interface and no certain address in `bind`, that interface's. Blocks while a name is
    /// looked up.
    ///
    /// # Errors
    /// The name has no address, or the interface has none or others.
    pub(crate) fn bind_socket(&self) -> Result<SocketAddr, BuildError> {
        let bind = resolve("bind", &self.bind, DEFAULT_PORT)?;
        let Some(interface) = &self.interface else { return Ok(bind) };
        let addresses = interface_addresses(interface)?;
        let found = match bind.ip().is_unspecified() {
            // [::] asks for the interface's IPv6 address where it has one.
            true if bind.is_ipv6() => addresses.iter().find(|ip| ip.is_ipv6()).or(addresses.first()),
            true => addresses.first(),
            false => addresses.iter().find(|ip| **ip == bind.ip()),
        };
        match found {
            Some(ip) => Ok(SocketAddr::new(*ip, bind.port())),
            None => Err(BuildError::OtherInterface {
                bind,
                interface: interface.clone(),
                has: addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// What is announced and looked for by mDNS, for a node of that name and address; `None`: nothing.
    pub(crate) fn discovery(&self, node: &str, addr: SocketAddr) -> Option<Options> {
        let cluster = self.discover.as_deref()?;
        Some(Options {
            interface: self.mdns.interface.clone().or_else(|| self.interface.clone()),
            disable_ipv4: self.mdns.disable_ipv4,
            disable_ipv6: self.mdns.disable_ipv6,
            ..Options::new(cluster, node, addr)
        })
    }

    /// The agent, not started: everything but what `rumor agent` does around it (commands, handlers, mDNS, retries, the log).
    /// Blocks while names are looked up.
    ///
    /// # Errors
    /// [`BuildError`].
    pub(crate) fn builder(&self) -> Result<Builder, BuildError> {
        let bind = self.bind_socket()?;
        let mut builder = Agent::builder()
            .bind(bind)
            .config(self.core_config()?)
            .keyring(self.keyring()?)
            .tags(self.tags.clone().into_iter().collect::<Tags>())
            .join(self.start_join.clone())
            .replay(self.replay_on_join)
            .rejoin_after_leave(self.rejoin_after_leave)
            .tcp_only(self.tcp_only);
        if let Some(name) = &self.node_name {
            builder = builder.name(name.as_str());
        }
        if let Some(advertise) = &self.advertise {
            builder = builder.advertise(resolve("advertise", advertise, bind.port())?);
        }
        if let Some(path) = &self.snapshot_path {
            builder = builder.snapshot(path);
        }
        if let Some(path) = &self.keyring_file {
            builder = builder.keyring_file(path);
        }
        if let Some(path) = &self.tags_file {
            builder = builder.tags_file(path);
        }
        if let Some(path) = &self.record {
            builder = builder.record(path);
        }
        Ok(builder)
    }
}

/// The bytes of a key in base64; bits that are left over are ignored, as Go does.
pub(super) fn key_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, DecodeError> {
    const LIKE_GO: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    LIKE_GO.decode(text).map(Zeroizing::new)
}

fn resolve(key: &'static str, endpoint: &Endpoint, default_port: u16) -> Result<SocketAddr, BuildError> {
    let lookup = |source| BuildError::Lookup { key, endpoint: endpoint.clone(), source };
    endpoint.resolve(default_port).map_err(lookup)
}
