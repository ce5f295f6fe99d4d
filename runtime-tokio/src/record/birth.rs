//! A node's birth, as a recording has it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rumormill_core::id::{Identity, Incarnation, NodeName, SharedIdentity, Versions};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::tags::Tags;
use rumormill_core::wire::Clocks;
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::codec::Addr;
use super::replay::ReplayError;

/// Everything that [`Node::new`] was given.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The settings.
    pub config: &'a Config,
    /// Who the node is, and what it knew.
    pub birth: &'a Birth<'a>,
    /// When it was born.
    pub now: Instant,
}

/// The same, in a form that lasts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BirthRecord {
    /// Of the crate that recorded.
    pub(super) version: String,
    /// As JSON: a config file's names and forms outlive the order of fields.
    config: String,
    pub(super) name: String,
    addr: Addr,
    tags: BTreeMap<String, String>,
    seed: [u8; 32],
    seed_is_simulated: bool,
    /// The primary first.
    keys: Vec<Vec<u8>>,
    incarnation: Incarnation,
    alive: Vec<MemberRecord>,
    failed: Vec<MemberRecord>,
    clocks: Clocks,
    now: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct MemberRecord {
    name: String,
    addr: Addr,
    #[serde(with = "serde_bytes")]
    meta: Vec<u8>,
    versions: Versions,
    incarnation: Incarnation,
}

impl MemberRecord {
    fn of(identity: &SharedIdentity, incarnation: Incarnation) -> Self {
        let Identity { name, addr, meta, versions } = &**identity;
        Self {
            name: name.as_str().into(),
            addr: (*addr).into(),
            meta: meta.to_vec(),
            versions: *versions,
            incarnation,
        }
    }

    fn restore(&self) -> Result<(SharedIdentity, Incarnation), ReplayError> {
        let Self { addr, meta, versions, incarnation, .. } = self;
        let identity = Identity {
            name: name(&self.name)?,
            addr: (*addr).into(),
            meta: meta.as_slice().into(),
            versions: *versions,
        };
        Ok((Arc::new(identity), *incarnation))
    }
}

impl BirthRecord {
    pub(super) fn of(header: &Header<'_>) -> Result<Self, serde_json::Error> {
        let Header { config, birth, now } = header;
        let Restore { incarnation, roster, failed, clocks } = &birth.restore;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            config: serde_json::to_string(config)?,
            name: birth.name.as_str().into(),
            addr: birth.addr.into(),
            tags: birth.tags.iter().map(|(key, value)| (key.into(), value.into())).collect(),
            seed: *birth.seed.expose(),
            seed_is_simulated: birth.seed.is_simulated(),
            keys: birth.keyring.iter().map(|key| key.expose().to_vec()).collect(),
            incarnation: *incarnation,
            alive: roster.iter().map(|(identity, inc)| MemberRecord::of(identity, inc)).collect(),
            failed: failed.iter().map(|(identity, inc)| MemberRecord::of(identity, *inc)).collect(),
            clocks: *clocks,
            now: now.as_nanos(),
        })
    }

    /// The node as it was born.
    pub(super) fn node(&self) -> Result<Node, ReplayError> {
        let config: Config = serde_json::from_str(&self.config)
            .map_err(|error| ReplayError::Birth(format!("its settings are not usable: {error}")))?;
        let seed = self.seed()?;
        let members = |records: &[MemberRecord]| {
            records.iter().map(MemberRecord::restore).collect::<Result<Vec<_>, _>>()
        };
        let restore = Restore {
            incarnation: self.incarnation,
            roster: Arc::new(Roster::new(members(&self.alive)?, &seed)),
            failed: members(&self.failed)?,
            clocks: self.clocks,
        };
        let tags: Tags = self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let birth = Birth {
            name: name(&self.name)?,
            addr: SocketAddr::from(self.addr),
            tags: &tags,
            seed,
            keyring: self.keyring()?,
            restore,
        };
        Node::new(config, birth, self.now()).map_err(|error| ReplayError::Birth(error.to_string()))
    }

    pub(super) const fn now(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    fn keyring(&self) -> Result<Keyring, ReplayError> {
        let mut keyring = Keyring::empty();
        for key in &self.keys {
            let key = Key::new(key).map_err(|error| ReplayError::Birth(error.to_string()))?;
            keyring.install(key).map_err(|error| ReplayError::Birth(error.to_string()))?;
        }
        Ok(keyring)
    }

    /// The seed; a simulated one is made again from its three numbers.
    fn seed(&self) -> Result<Seed, ReplayError> {
        if !self.seed_is_simulated {
            return Ok(Seed::from_os(self.seed));
        }
        let [run, node, life, _] = *self.seed.as_chunks::<8>().0 else {
            return Err(ReplayError::Birth("its seed is too short".into()));
        };
        let seed =
            Seed::simulated(u64::from_le_bytes(run), u64::from_le_bytes(node), u64::from_le_bytes(life));
        if seed.expose() == &self.seed {
            Ok(seed)
        } else {
            Err(ReplayError::Birth("its seed is no simulated one, though it says so".into()))
        }
    }
}

impl Drop for BirthRecord {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.keys.zeroize();
    }
}

pub(super) fn name(name: &str) -> Result<NodeName, ReplayError> {
    NodeName::new(name).map_err(|error| ReplayError::Birth(error.to_string()))
}
