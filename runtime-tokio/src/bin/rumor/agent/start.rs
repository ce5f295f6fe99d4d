//! From settings to a running agent with its surroundings.
//!
//! The order is Serf's: the node, its handlers, mDNS, commands, and then the joins, so that handlers hear of everybody.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use rumormill_tokio::core::coalesce::Times;
use rumormill_tokio::core::error::{CommandError, StreamFailure};
use rumormill_tokio::discovery::{Discovery, DiscoveryError};
use rumormill_tokio::handlers::{HandlerSpec, Handlers};
use rumormill_tokio::metrics::{Sources, push};
use rumormill_tokio::rpc::server::{ServerOptions, serve};
use rumormill_tokio::{Error, Handle, http};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::joining::{Wanted, join_found, keep_joining};
use super::log::Log;
use crate::config::{AgentConfig, BuildError};

/// Why there is no agent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Settings that this machine cannot do.
    #[error("{0}")]
    Build(#[from] BuildError),
    /// The node did not start.
    #[error("Failed to start the Serf agent: {0}")]
    Start(Error),
    /// A start-up join failed.
    #[error("Failed to join the cluster: {0}{hint}", hint = why_closed(.0))]
    Join(Error),
    /// A signal came first.
    #[error("Caught a signal while joining")]
    Signalled,
    /// Commands cannot be taken.
    #[error("Error starting RPC listener on {0}: {1}")]
    Rpc(SocketAddr, std::io::Error),
    /// Metrics and health cannot be asked for.
    #[error("Error starting HTTP listener on {0}: {1}")]
    Http(SocketAddr, std::io::Error),
    /// mDNS does not start.
    #[error("Error starting mDNS listener: {0}")]
    Discovery(#[from] DiscoveryError),
    /// Signals cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// A peer that cannot open what it is sent closes the connection without a word.
fn why_closed(error: &Error) -> &'static str {
    let Error::Command(CommandError::NotJoined { reason: StreamFailure::Lost, .. }) = error else {
        return "";
    };
    "\n  hint: the other side closed at once: have both the same key and the same label, and does it speak this version of the wire?"
}

/// An agent and what belongs to it.
pub(super) struct Running {
    pub(super) agent: Handle,
    pub(super) log: Log,
    pub(super) rpc_addr: SocketAddr,
    /// How long a leave may take by the node's own settings.
    pub(super) leave_within: Duration,
    pub(super) handlers: Handlers,
    /// What `info` says of the handlers.
    pub(super) shown_handlers: watch::Sender<BTreeMap<String, String>>,
    pub(super) wanted: watch::Sender<Wanted>,
    pub(super) signals: super::signals::Signals,
    /// True once what is to be joined in the background was tried.
    pub(super) tried: watch::Receiver<bool>,
    /// Ends when joining was tried too often.
    pub(super) joining: JoinHandle<()>,
    pub(super) rpc: JoinHandle<()>,
    pub(super) handling: JoinHandle<()>,
    pub(super) searching: Option<Search>,
    pub(super) watched: Watched,
}

/// What shows how the agent does.
pub(super) struct Watched {
    /// Where figures come from.
    pub(super) sources: Sources,
    /// Where metrics and health are asked for.
    pub(super) http_addr: Option<SocketAddr>,
    /// Whether the agent is to join somebody before it is ready.
    pub(super) expects: http::Expectation,
    tasks: JoinSet<()>,
}

/// The search by mDNS: how to stop it, and its task.
type Search = (watch::Sender<bool>, JoinHandle<()>);

/// Starts everything.
pub(super) async fn start(config: &AgentConfig, log: Log) -> Result<Running, Failure> {
    let core = config.core_config().map_err(BuildError::from)?;
    let leave_within = 2 * core.broadcast_timeout + core.leave_propagate_delay;
    let mut signals = super::signals::Signals::listen().map_err(Failure::Signals)?;
    let builder = config.builder()?.join(Vec::new()).coalesce(Some(Times::default()));
    let rpc_addr = config.rpc_socket()?;
    // Before the node: where commands cannot be taken, the cluster need not see it come and go.
    let listener = TcpListener::bind(rpc_addr).await.map_err(|error| Failure::Rpc(rpc_addr, error))?;
    let rpc_addr = listener.local_addr().map_err(|error| Failure::Rpc(rpc_addr, error))?;
    let http = listen_http(config).await?;
    let agent = builder.start().await.map_err(Failure::Start)?;
    // Nothing has run since the node started, so that nothing is missed.
    let events = agent.events();
    let handlers = Handlers::new(config.event_handlers.clone(), config.handler_limits);
    let handling = tokio::spawn(handlers.clone().run(agent.clone(), events));
    let searching = match search(config, &agent) {
        Ok(searching) => searching,
        Err(error) => {
            agent.shutdown().await;
            return Err(error.into());
        }
    };
    let (shown_handlers, event_handlers) = watch::channel(shown(&config.event_handlers));
    let auth_key = config.rpc_auth.as_ref().map(|secret| secret.expose().to_owned().into());
    let clients_max = config.rpc_clients_max as usize;
    let options =
        ServerOptions { auth_key, event_handlers, clients_max, ..ServerOptions::new(log.buffer.clone()) };
    let sources = Sources::new(agent.clone()).handlers(handlers.clone()).rpc(options.tally.clone());
    let watched = watch(config, http, sources);
    let rpc = tokio::spawn(serve(listener, agent.clone(), options));
    if !config.start_join.is_empty() {
        let joined = tokio::select! {
            joined = agent.join(&config.start_join, config.replay_on_join) => joined.map_err(Failure::Join),
            () = signals.another() => Err(Failure::Signalled),
        };
        if let Err(failure) = joined {
            agent.shutdown().await;
            return Err(failure);
        }
    }
    let (wanted, wants) = watch::channel(wanted(config));
    let (trying, tried) = watch::channel(false);
    let joining = tokio::spawn(keep_joining(agent.clone(), wants, trying));
    Ok(Running {
        agent,
        log,
        rpc_addr,
        leave_within,
        handlers,
        shown_handlers,
        wanted,
        signals,
        tried,
        joining,
        rpc,
        handling,
        searching,
        watched,
    })
}

async fn listen_http(config: &AgentConfig) -> Result<Option<(TcpListener, SocketAddr)>, Failure> {
    let Some(addr) = config.http_socket()? else { return Ok(None) };
    let failed = |error| Failure::Http(addr, error);
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, addr)))
}

/// Shows figures to who asks, and sends them to who wants them sent.
fn watch(config: &AgentConfig, http: Option<(TcpListener, SocketAddr)>, sources: Sources) -> Watched {
    let mut tasks = JoinSet::new();
    let expects = http::Expectation::of(sources.agent(), config.expects_others());
    let http_addr = http.as_ref().map(|(_, addr)| *addr);
    if let Some((listener, _)) = http {
        let options = http::Options { sources: sources.clone(), expects: expects.clone() };
        tasks.spawn(http::serve(listener, options));
    }
    for sink in config.sinks() {
        tasks.spawn(push::run(sink, sources.clone(), push::INTERVAL));
    }
    Watched { sources, http_addr, expects, tasks }
}

impl Watched {
    /// Ends it.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

fn search(config: &AgentConfig, agent: &Handle) -> Result<Option<Search>, DiscoveryError> {
    let Some(options) = config.discovery(agent.name(), agent.addr()) else { return Ok(None) };
    let (search, found) = Discovery::start(options)?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(join_found(agent.clone(), search, found, config.replay_on_join, stopped));
    Ok(Some((stop, task)))
}

/// What is to be joined in the background.
pub(super) fn wanted(config: &AgentConfig) -> Wanted {
    Wanted {
        addresses: config.retry_join.clone(),
        replay: config.replay_on_join,
        interval: config.retry_interval,
        tries: config.retry_max_attempts,
    }
}

/// As `info` shows handlers: `type:name` and the script.
pub(super) fn shown(handlers: &[HandlerSpec]) -> BTreeMap<String, String> {
    let each = handlers.iter().flat_map(|handler| {
        handler.filters.iter().map(move |filter| {
            let key = format!("{}:{}", filter.kind(), filter.name().unwrap_or_default());
            (key, handler.script.clone())
        })
    });
    each.collect()
}

/// Says on standard output what runs.
pub(super) fn announce(running: &Running, config: &AgentConfig) {
    let settings = running.agent.settings();
    let setting = |key: &str| settings.get(key).cloned().unwrap_or_default();
    let line = |label: &str, value: &dyn fmt::Display| say!("    {label:>14}: {value}");
    say!("==> rumor agent running!");
    line("Node name", &format_args!("'{}'", running.agent.name()));
    line("Bind addr", &format_args!("'{}'", setting("bind")));
    if setting("advertise") != setting("bind") {
        line("Advertise addr", &format_args!("'{}'", setting("advertise")));
    }
    line("RPC addr", &format_args!("'{}'", running.rpc_addr));
    if let Some(addr) = running.watched.http_addr {
        line("HTTP addr", &format_args!("'{addr}'"));
    }
    line("Encrypted", &setting("encrypted"));
    line("Snapshot", &config.snapshot_path.is_some());
    line("Profile", &config.profile.name());
    if let Some(cluster) = &config.discover {
        line("mDNS cluster", &cluster);
    }
    if let Some(path) = &config.record {
        line("Recording to", &format_args!("{} (it holds secrets)", path.display()));
    }
    say!("\n==> Log data will now stream in as it occurs (on standard error):\n");
}
