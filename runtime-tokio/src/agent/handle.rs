//! How an application speaks to its agent.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rumormill_core::Node;
use rumormill_core::coordinate::Coordinate;
use rumormill_core::error::CommandError;
use rumormill_core::id::{LamportTime, META_BYTES_MAX};
use rumormill_core::io::{Command, Done, EventRequest, KeyAction, KeyReport, QueryId, QueryRequest};
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{info, warn};

use super::lag::Lag;
use super::memory::KeysWritten;
use super::order::Order;
use super::why::{Troubled, Why};
use super::{Answers, Error, Events, Stats, memory};
use crate::event::Event;
use crate::member::{Member, Members};
use crate::net::{Resolved, TrafficCounters, resolve};

/// Speaks to a running agent; cloneable, and usable from any task. The agent runs on when all handles are gone.
#[derive(Clone, Debug)]
pub struct Handle {
    common: Arc<Common>,
}

/// What all handles of an agent share.
pub(super) struct Common {
    /// As it was born; its name and address do not change.
    pub(super) me: Member,
    /// The bound port, which is that of an address to join that names none.
    pub(super) port: u16,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) list: watch::Receiver<Members>,
    pub(super) events: broadcast::WeakSender<Event>,
    /// A subscription from the agent's birth, for who asks first.
    pub(super) first_events: Mutex<Option<broadcast::Receiver<Event>>>,
    pub(super) stopped: watch::Receiver<Option<Stopped>>,
    pub(super) lag: Arc<Lag>,
    pub(super) traffic: Arc<TrafficCounters>,
    /// Whether it was told of others, by its settings or its snapshot.
    pub(super) knows_of_others: bool,
    pub(super) settings: BTreeMap<&'static str, String>,
    pub(super) keys_written: KeysWritten,
    pub(super) tags_file: Option<PathBuf>,
    /// Tags are written and announced in one order.
    pub(super) tags_turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("name", &self.me.name())
            .field("addr", &self.me.addr())
            .finish_non_exhaustive()
    }
}

/// How a join went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Addresses that answered.
    pub reached: u32,
    /// Addresses that did not.
    pub failed: u32,
}

/// Why an agent has stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It left the cluster ([`Handle::leave`]).
    Left,
    /// It was told to stop without leaving ([`Handle::shutdown`]).
    Shutdown,
    /// The core said that it must not go on (lost name conflict), in words for people.
    MustStop(String),
}

impl Handle {
    pub(super) fn new(common: Common) -> Self {
        Self { common: Arc::new(common) }
    }

    /// This node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.common.me.name()
    }

    /// Where others reach this node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.common.me.addr()
    }

    /// All members as of now.
    #[must_use]
    pub fn members(&self) -> Members {
        self.common.list.borrow().clone()
    }

    /// This node itself.
    #[must_use]
    pub fn me(&self) -> Member {
        self.members().get(self.name()).unwrap_or(&self.common.me).clone()
    }

    /// The members, to be waited for ([`watch::Receiver::wait_for`]). What [`watch::Receiver::borrow`] gives keeps the agent waiting:
    /// clone it, and do not hold it across an `await`.
    #[must_use]
    pub fn watch_members(&self) -> watch::Receiver<Members> {
        self.common.list.clone()
    }

    /// A new subscription: the first one has what has happened since the agent was born (its own join, and those of [`Builder::join`](super::Builder::join)),
    /// the others what happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        // Nothing that panics runs under the lock.
        let first = self.common.first_events.lock().unwrap_or_else(PoisonError::into_inner).take();
        let events = first.or_else(|| self.common.events.upgrade().map(|events| events.subscribe()));
        Events::new(events, self.common.traffic.clone())
    }

    /// Joins these: `host`, `host:port`, `[v6]:port`; without a port, this node's own. All addresses of a name are tried, and user
    /// events that were sent before are delivered with `replay`.
    ///
    /// # Errors
    /// None answered, or none of the names has an address.
    pub async fn join(&self, addresses: &[String], replay: bool) -> Result<Joined, Error> {
        info!("agent: joining: {addresses:?} replay: {replay}");
        let outcome = self.resolve_and_join(addresses, replay).await;
        match &outcome {
            Ok(joined) => info!("agent: joined: {} nodes", joined.reached),
            Err(error) => warn!("agent: error joining: {error}"),
        }
        outcome
    }

    async fn resolve_and_join(&self, addresses: &[String], replay: bool) -> Result<Joined, Error> {
        let Resolved { addresses, mut failed } = resolve(addresses, self.common.port).await;
        if addresses.is_empty()
            && let Some(error) = failed.pop()
        {
            return Err(error);
        }
        for error in &failed {
            warn!("agent: joining: {error}");
        }
        // A node is no way to its cluster, unless nobody else is named.
        let (own, others): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|addr| *addr == self.addr());
        let addresses = if others.is_empty() { own } else { others };
        let mut joined = self.join_addresses(addresses, replay).await?;
        joined.failed += failed.len() as u32;
        Ok(joined)
    }

    pub(super) async fn join_addresses(
        &self,
        addresses: Vec<SocketAddr>,
        replay: bool,
    ) -> Result<Joined, Error> {
        match self.command(Command::Join { addresses, replay }).await? {
            Done::Joined { reached, failed } => Ok(Joined { reached, failed }),
            _ => Ok(Joined { reached: 0, failed: 0 }),
        }
    }

    /// Leaves the cluster gracefully and stops the agent.
    ///
    /// # Errors
    /// The agent is leaving already, or has stopped.
    pub async fn leave(&self) -> Result<(), Error> {
        self.command(Command::Leave).await?;
        self.stopped().await;
        Ok(())
    }

    /// Stops the agent without a word; its peers will find it failed.
    pub async fn shutdown(&self) {
        // Where the order cannot be given, the agent has stopped, or is about to.
        let _ = self.common.orders.send(Order::Stop).await;
        self.stopped().await;
    }

    /// Waits until the agent has stopped: files are written, sockets closed.
    pub async fn stopped(&self) -> Stopped {
        let mut stopped = self.common.stopped.clone();
        let reason = stopped.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| Stopped::MustStop("the agent's task was ended from outside".into()))
    }

    pub(super) fn watch_stopped(&self) -> watch::Receiver<Option<Stopped>> {
        self.common.stopped.clone()
    }

    /// Says of a member that it has left; with `prune` it is forgotten at once.
    ///
    /// # Errors
    /// Nobody of that name is known.
    pub async fn force_leave(&self, name: &str, prune: bool) -> Result<(), Error> {
        let known = self.members().get(name).map(|member| member.identity.name.clone());
        let Some(name) = known else {
            return Err(Error::Setting(format!("there is no member \"{}\"", name.escape_debug())));
        };
        info!("agent: Force leaving node: {name}");
        self.command(Command::ForceLeave { name, prune }).await.map(drop)
    }

    /// Announces these tags instead of the present ones, and rewrites the tags file.
    ///
    /// # Errors
    /// The tags are too long, the file cannot be written (nothing has changed then), or the news could not be sent often enough in time.
    pub async fn set_tags(&self, tags: Tags) -> Result<(), Error> {
        let actual = tags.to_meta().len();
        if actual > META_BYTES_MAX {
            return Err(CommandError::TagsTooLong { actual, allowed: META_BYTES_MAX }.into());
        }
        let turn = self.common.tags_turn.lock().await;
        if let Some(path) = self.common.tags_file.clone() {
            memory::save_tags(path, tags.clone()).await?;
        }
        let done = self.order(Command::SetTags(tags)).await?;
        drop(turn);
        done.await.map_err(|_| Error::Stopped)??;
        Ok(())
    }

    /// Tells everybody; its Lamport time.
    ///
    /// # Errors
    /// The event is too long, or the node has more to repeat than it can keep ([`CommandError::Busy`]).
    pub async fn user_event(&self, event: EventRequest) -> Result<LamportTime, Error> {
        match self.command(Command::UserEvent(event)).await? {
            Done::EventSent { ltime, .. } => Ok(ltime),
            _ => Ok(LamportTime::default()),
        }
    }

    /// Asks the cluster.
    ///
    /// # Errors
    /// The query is too long or its name reserved, a filter is not usable, or too many are open.
    pub async fn query(&self, request: QueryRequest) -> Result<Answers, Error> {
        let (reply, asked) = oneshot::channel();
        self.give(Order::Query { request, reply }).await?;
        Ok(asked.await.map_err(|_| Error::Stopped)??)
    }

    /// Answers a query, once. To decline, drop its [`QueryEvent`](crate::event::QueryEvent).
    ///
    /// # Errors
    /// There is no such query (any more), or the answer is too long.
    pub async fn respond(&self, query: QueryId, payload: &[u8]) -> Result<(), Error> {
        self.command(Command::Respond { query, payload: payload.into() }).await.map(drop)
    }

    /// Changes or lists keys; this node's keyring file is written when it returns.
    ///
    /// # Errors
    /// [`CommandError::KeysFailed`] and [`CommandError::KeysUnanswered`] carry the report too; or the keys have changed, but the
    /// file could not be written, which is tried again.
    pub async fn keys(&self, action: KeyAction, relay_factor: u8) -> Result<KeyReport, Error> {
        let outcome = self.command(Command::Keys { action, relay_factor }).await;
        let written = self.common.keys_written.wait().await;
        let done = outcome?;
        written.map_err(|error| {
            Error::Setting(format!("the keys have changed, but this node's file of them has not: {error}"))
        })?;
        match done {
            Done::Keys(report) => Ok(*report),
            _ => Ok(KeyReport::default()),
        }
    }

    /// How the agent is doing, in figures. It takes as long as the members take to be counted.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let (reply, stats) = oneshot::channel();
        self.give(Order::Stats(reply)).await?;
        Ok(*stats.await.map_err(|_| Error::Stopped)?)
    }

    /// This node's keys.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn keyring(&self) -> Result<Keyring, Error> {
        self.look(|node| node.keyring().clone()).await
    }

    /// Where a member is in the network's coordinate space; `None`: not known.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn coordinate(&self, name: &str) -> Result<Option<Coordinate>, Error> {
        let name = name.to_owned();
        self.look(move |node| node.coordinate_of(&name)).await
    }

    /// What this node knows of a member, and of the trouble that it had: who suspected it and when, who confirmed, when it was
    /// declared failed, how its probes went, and how well this node itself is. `None` for a name that neither a member has nor
    /// anything is remembered of. What is remembered is bounded: the last 32 happenings of a member, of 1024 members, 4096 happenings
    /// in all, the round trips of this node's last 2048 probes; of members that nobody suspects there is nothing to remember.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn why(&self, name: &str) -> Result<Option<Why>, Error> {
        let (reply, told) = oneshot::channel();
        self.give(Order::Why { name: name.into(), reply }).await?;
        let why = told.await.map_err(|_| Error::Stopped)?;
        let loop_lag_ms = self.lag().as_secs_f64() * 1e3;
        Ok(why.map(|why| Why { loop_lag_ms, ..why }))
    }

    /// The members of whose trouble something is remembered ([`Handle::why`]), to whom something happened last first.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn troubled(&self) -> Result<Vec<Troubled>, Error> {
        let (reply, told) = oneshot::channel();
        self.give(Order::Troubled { reply }).await?;
        told.await.map_err(|_| Error::Stopped)
    }

    /// How long the agent's task took from being due to running, at worst in the last minute.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.common.lag.worst(std::time::Instant::now())
    }

    /// Whether the agent was told of others when it started, to join ([`Builder::join`](super::Builder::join)) or by its snapshot.
    #[must_use]
    pub fn knows_of_others(&self) -> bool {
        self.common.knows_of_others
    }

    /// Settings of the running node, for display.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<&'static str, String> {
        self.common.settings.clone()
    }

    /// Rids the snapshot of these.
    pub(super) async fn forget(&self, names: Vec<String>) {
        if !names.is_empty() {
            info!(
                "serf: the snapshot forgets {} members that the cluster does not know any more",
                names.len()
            );
            // An agent that has stopped needs no telling.
            let _ = self.give(Order::Forget(names)).await;
        }
    }

    async fn give(&self, order: Order) -> Result<(), Error> {
        self.common.orders.send(order).await.map_err(|_| Error::Stopped)
    }

    async fn order(&self, command: Command) -> Result<oneshot::Receiver<Result<Done, CommandError>>, Error> {
        let (reply, done) = oneshot::channel();
        self.give(Order::Command { command, reply }).await?;
        Ok(done)
    }

    async fn command(&self, command: Command) -> Result<Done, Error> {
        let done = self.order(command).await?;
        Ok(done.await.map_err(|_| Error::Stopped)??)
    }

    /// Reads something of the node, between two steps.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, seen) = oneshot::channel();
        let look = move |node: &Node| {
            // Who asked may be gone.
            let _ = reply.send(read(node));
        };
        self.give(Order::Look(Box::new(look))).await?;
        seen.await.map_err(|_| Error::Stopped)
    }
}
