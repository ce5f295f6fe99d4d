//! The agent's side of the protocol: a task for each client, over one [`Handle`].
//!
//! What Serf does otherwise: the body of a request that is refused for want of a token is read all the same, so that the stream stays
//! in step; a bad regular expression and a malformed body get an answer instead of a closed connection; a header's
//! missing fields are empty, not those of the request before; a query ends when all have answered, and does not end well when the agent
//! stops before; and a client that does not read is cut off.

mod commands;
pub(super) mod filters;
mod line_budget;
mod outlet;
mod session;
mod stats;
mod streams;
mod tally;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use super::log::LogBuffer;
use crate::agent::Handle;
use line_budget::LineBudget;
use session::Session;

pub use tally::{RpcFigures, RpcTally};

/// How long clients have, once the agent has stopped, to be told how their last command ended.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait where the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Silence after which the system asks whether a client is still there (Go's figure).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// What the server needs beside the agent.
#[derive(Clone)]
pub struct ServerOptions {
    /// The token that clients have to give; `None`: they need none, and must give none (Serf).
    pub auth_key: Option<Zeroizing<String>>,
    /// The log that `monitor` shows.
    pub log: LogBuffer,
    /// What `stats` says of event handlers: `type:name` and the script.
    pub event_handlers: watch::Receiver<BTreeMap<String, String>>,
    /// Most clients at a time; the next ones are turned away.
    pub clients_max: usize,
    /// How long a client may take nothing of what it is sent, before it is cut off.
    pub patience: Duration,
    /// Counts what the server does.
    pub tally: RpcTally,
}

impl ServerOptions {
    /// Default of [`ServerOptions::clients_max`].
    pub const CLIENTS_MAX: usize = 1024;
    /// Default of [`ServerOptions::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Without a token, for an agent without event handlers.
    #[must_use]
    pub fn new(log: LogBuffer) -> Self {
        // The receiver keeps the last value although nobody sends.
        let (_, event_handlers) = watch::channel(BTreeMap::new());
        let (clients_max, patience) = (Self::CLIENTS_MAX, Self::PATIENCE);
        Self { auth_key: None, log, event_handlers, clients_max, patience, tally: RpcTally::default() }
    }
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let auth = self.auth_key.is_some();
        f.debug_struct("ServerOptions")
            .field("auth_key", &auth)
            .field("clients_max", &self.clients_max)
            .finish_non_exhaustive()
    }
}

/// What all clients share.
struct Shared {
    agent: Handle,
    options: ServerOptions,
    /// Tags are read, changed and announced by one client at a time.
    tags: tokio::sync::Mutex<()>,
    /// What clients can make the log say by coming.
    arrivals: LineBudget,
    /// The same by what they do wrong: many that come must not keep that quiet.
    faults: LineBudget,
}

/// Serves clients until the agent has stopped, and then until all of them were told how their last command ended. A program waits
/// for it before it exits, so that the answer to `leave` is sent.
pub async fn serve(listener: TcpListener, agent: Handle, options: ServerOptions) {
    let (arrivals, faults) = <_>::default();
    let shared = Arc::new(Shared { agent, options, tags: tokio::sync::Mutex::default(), arrivals, faults });
    let (closing, _) = watch::channel(false);
    let mut sessions = JoinSet::new();
    let mut strangers = Strangers::default();
    let stopped = shared.agent.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(ended) = sessions.join_next() => {
                if let Err(failure) = ended
                    && shared.faults.allows()
                {
                    error!("agent.ipc: a client's task failed: {failure}");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &shared, &closing, &mut sessions, &mut strangers),
                Err(failure) => {
                    if shared.faults.allows() {
                        warn!("agent.ipc: cannot accept a client: {failure}");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    closing.send_replace(true);
    let farewell = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, farewell).await.is_err() {
        warn!("agent.ipc: {} clients were still busy when the agent stopped", sessions.len());
    }
}

/// Clients that have not said who they are, the oldest first.
#[derive(Default)]
struct Strangers(VecDeque<(Arc<AtomicBool>, AbortHandle)>);

impl Strangers {
    fn push(&mut self, known: Arc<AtomicBool>, task: AbortHandle) {
        self.0.retain(|(known, task)| !known.load(Ordering::Relaxed) && !task.is_finished());
        self.0.push_back((known, task));
    }

    /// Cuts the oldest off; `false` when there is none.
    fn make_room(&mut self) -> bool {
        while let Some((known, task)) = self.0.pop_front() {
            if !known.load(Ordering::Relaxed) && !task.is_finished() {
                task.abort();
                return true;
            }
        }
        false
    }
}

/// Begins to serve a client; where there are as many as may be, in place of one that says nothing.
fn admit(
    stream: TcpStream,
    shared: &Arc<Shared>,
    closing: &watch::Sender<bool>,
    sessions: &mut JoinSet<()>,
    strangers: &mut Strangers,
) {
    let Ok(peer) = stream.peer_addr() else { return };
    if sessions.len() >= shared.options.clients_max && !strangers.make_room() {
        shared.options.tally.refused();
        if shared.faults.allows() {
            warn!("agent.ipc: turned away {peer}: {} clients are connected", sessions.len());
        }
        return;
    }
    // Where the system cannot do it, answers come later, and a client that vanished is noticed later.
    let _ = stream.set_nodelay(true);
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    if shared.arrivals.allows() {
        info!("agent.ipc: Accepted client: {peer}");
    }
    let known = Arc::new(AtomicBool::new(false));
    let session = Session::new(stream, peer, shared.clone(), known.clone());
    let (connected, closing) = (shared.options.tally.connected(), closing.subscribe());
    let run = async move {
        session.run(closing).await;
        drop(connected);
    };
    strangers.push(known, sessions.spawn(run));
}
