//! From settings to a running agent, step by step.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use rumormill_core::config::format_duration;
use rumormill_core::id::NodeName;
use rumormill_core::io::Outbox;
use rumormill_core::keyring::Keyring;
use rumormill_core::{Birth, Node, Seed};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::warn;

use super::clock::Clock;
use super::driver::{Core, Driver};
use super::feed::{self, Feed};
use super::figures::Figures;
use super::handle::Common;
use super::hands::{Hands, Losses};
use super::history::History;
use super::lag::Lag;
use super::memory::{self, Files, Memory, Recalled};
use super::order::ORDERS_WAITING;
use super::rejoin::rejoin;
use super::streams::Streams;
use super::waiting::Waiting;
use super::{Builder, Error, Events, Handle};
use crate::member::Member;
use crate::net::{self, Acceptor, Away, Bound, Limits, Links, TrafficCounters};
use crate::record::{Header, Recorder};

/// Binds, restores, starts the driver, joins.
pub(super) async fn start(mut builder: Builder) -> Result<Handle, Error> {
    let name = name(builder.name.as_deref())?;
    builder.config.check().map_err(rumormill_core::error::BirthError::from)?;
    // What the agent counts and explains comes from them.
    builder.config.notes = true;
    let bound = net::bind(builder.bind)?;
    let addr = net::advertised(builder.advertise, bound.addr)?;
    let recalled = Recalled::read(files_to_read(&builder)).await?;
    let keyring = or_else(std::mem::take(&mut builder.keyring), Keyring::is_empty, recalled.keyring);
    let tags = or_else(std::mem::take(&mut builder.tags), |tags| tags.iter().next().is_none(), recalled.tags);
    warn_of_eavesdroppers(addr, &keyring);

    let settings = settings(&builder, &name, bound.addr, addr, &keyring);
    let peers = memory::former_peers(&name, addr, &recalled.recovered);
    let restore = memory::restore(&name, &recalled.recovered);
    let clock = Clock::starting_now();
    let birth = Birth { name, addr, tags: &tags, seed: seed()?, keyring, restore };
    let now = clock.now();
    let node = Node::new(builder.config.clone(), birth.clone(), now)?;
    let recorder = builder.record.as_deref().map(|path| {
        // The error names the file.
        let header = Header { config: &builder.config, birth: &birth, now };
        Recorder::create(path, &header)
            .map_err(|source| Error::Io { what: "starting to record".into(), source })
    });
    let core = Core { node, outbox: Outbox::new(), clock, recorder: recorder.transpose()? };
    drop(birth);
    let memory = Memory::new(recalled.snapshot, builder.keyring_file.as_deref(), clock);
    let knows_of_others = !(peers.is_empty() && builder.join.is_empty());
    let handle = spawn(core, bound, memory, &builder, knows_of_others, settings).await?;
    if !peers.is_empty() {
        tokio::spawn(rejoin(handle.clone(), peers, builder.config.reconnect_interval));
    }
    if !builder.join.is_empty() {
        let unless_joined = StopUnlessKept(Some(handle.clone()));
        let joined = handle.join(&builder.join, builder.replay).await;
        unless_joined.keep();
        if let Err(error) = joined {
            handle.shutdown().await;
            return Err(error);
        }
    }
    Ok(handle)
}

/// Stops an agent that nobody will get a handle of: its start was given up while it was joining.
struct StopUnlessKept(Option<Handle>);

impl StopUnlessKept {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for StopUnlessKept {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { handle.shutdown().await });
        }
    }
}

/// Keys and tags that were given count for more than those in files.
fn files_to_read(builder: &Builder) -> Files {
    Files {
        snapshot: builder.snapshot.clone(),
        rejoin_after_leave: builder.rejoin_after_leave,
        keyring: builder.keyring_file.clone().filter(|_| builder.keyring.is_empty()),
        tags: builder.tags_file.clone().filter(|_| builder.tags.iter().next().is_none()),
    }
}

fn or_else<T>(given: T, is_empty: impl Fn(&T) -> bool, recalled: Option<T>) -> T {
    if is_empty(&given) { recalled.unwrap_or(given) } else { given }
}

fn name(given: Option<&str>) -> Result<NodeName, Error> {
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = given.map_or_else(host, str::to_owned);
    NodeName::new(&name)
        .map_err(|error| Error::Setting(format!("the node name \"{}\": {error}", name.escape_debug())))
}

fn seed() -> Result<Seed, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::Io {
        what: "asking the system for random numbers".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(Seed::from_os(bytes))
}

fn warn_of_eavesdroppers(addr: SocketAddr, keyring: &Keyring) {
    let public = match addr.ip() {
        IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    };
    if public && keyring.is_empty() {
        warn!(
            "memberlist: advertising the public address {addr} without encryption: anybody can read, and join"
        );
    }
}

/// Makes all parts, and sets them going.
async fn spawn(
    core: Core,
    bound: Bound,
    memory: Memory,
    builder: &Builder,
    knows_of_others: bool,
    settings: BTreeMap<&'static str, String>,
) -> Result<Handle, Error> {
    let Core { node, clock, .. } = &core;
    let clock = *clock;
    let config = Arc::new(node.config().clone());
    let traffic = Arc::new(TrafficCounters::default());
    let sockets = net::split(bound.udp, traffic.clone()).await;
    let (udp, udp_out) =
        sockets.map_err(|source| Error::Io { what: format!("starting UDP {}", bound.addr), source })?;
    let (to_streams, streams) = mpsc::channel(net::FRAMES_WAITING);
    let (to_links, links) = mpsc::channel(net::PACKETS_WAITING);
    let (to_orders, orders) = mpsc::channel(ORDERS_WAITING);
    let (to_events, first_events) = broadcast::channel(Events::CAPACITY);
    let (to_list, list) = watch::channel(feed::list(node));
    let (to_stopped, stopped) = watch::channel(None);
    let lag = Arc::new(Lag::new());
    let away = Away { config: config.clone(), driver: to_streams, traffic: traffic.clone() };
    let limits = Limits { streams: config.streams_max as usize, links: net::ACCEPTED_MAX };

    let me = Member {
        identity: node.identity().clone(),
        incarnation: node.incarnation(),
        status: rumormill_core::io::Status::Alive,
    };
    let common = Common {
        me,
        port: bound.addr.port(),
        orders: to_orders.clone(),
        list,
        events: to_events.downgrade(),
        first_events: Mutex::new(Some(first_events)),
        stopped,
        lag: lag.clone(),
        traffic: traffic.clone(),
        knows_of_others,
        settings,
        keys_written: memory.keys_written(),
        tags_file: builder.tags_file.clone(),
        tags_turn: tokio::sync::Mutex::new(()),
    };
    let hands = Hands {
        udp: udp_out,
        links: Links::new(to_links.clone(), traffic.clone()),
        tcp_only: builder.tcp_only,
        streams: Streams::new(away.clone(), clock),
        waiting: Waiting::new(traffic.clone()),
        feed: Feed::new(node, to_events, to_list, builder.coalesce, clock, to_orders.downgrade()),
        memory,
        losses: Losses::default(),
        history: History::new(clock.now()),
        figures: Figures::default(),
        traffic,
        stop: None,
    };
    let driver = Driver {
        core,
        hands,
        udp,
        orders,
        _orders: to_orders,
        streams,
        links,
        acceptor: Acceptor::start(bound.tcp, away, to_links, limits),
        lag,
        stopped: to_stopped,
    };
    tokio::spawn(driver.run());
    Ok(Handle::new(common))
}

/// The settings of a node, as they are shown.
fn settings(
    builder: &Builder,
    name: &NodeName,
    bound: SocketAddr,
    advertised: SocketAddr,
    keyring: &Keyring,
) -> BTreeMap<&'static str, String> {
    let Builder { config, .. } = builder;
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map_or_else(String::new, |path| path.display().to_string())
    };
    let shown = |key, value: String| (key, value);
    BTreeMap::from([
        shown("name", name.to_string()),
        shown("bind", bound.to_string()),
        shown("advertise", advertised.to_string()),
        shown("encrypted", (!keyring.is_empty()).to_string()),
        shown("snapshot", path(&builder.snapshot)),
        shown("rejoin_after_leave", builder.rejoin_after_leave.to_string()),
        shown("keyring_file", path(&builder.keyring_file)),
        shown("tags_file", path(&builder.tags_file)),
        shown("record", path(&builder.record)),
        shown("tcp_only", builder.tcp_only.to_string()),
        shown("coalesce", builder.coalesce.is_some().to_string()),
        shown("label", config.label.clone()),
        shown("probe_interval", format_duration(config.probe_interval)),
        shown("probe_timeout", format_duration(config.probe_timeout)),
        shown("suspicion_mult", config.suspicion_mult.to_string()),
        shown("gossip_interval", format_duration(config.gossip_interval)),
        shown("gossip_nodes", config.gossip_nodes.to_string()),
        shown("push_pull_interval", format_duration(config.push_pull_interval)),
        shown("reconnect_interval", format_duration(config.reconnect_interval)),
        shown("reconnect_timeout", format_duration(config.reconnect_timeout)),
        shown("tombstone_timeout", format_duration(config.tombstone_timeout)),
        shown("broadcast_timeout", format_duration(config.broadcast_timeout)),
        shown("user_event_bytes_max", config.user_event_bytes_max.to_string()),
        shown("query_bytes_max", config.query_bytes_max.to_string()),
        shown("response_bytes_max", config.response_bytes_max.to_string()),
    ])
}
