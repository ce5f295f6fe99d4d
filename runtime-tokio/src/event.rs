//! What an agent tells its application, and the filters that choose among it.

use std::sync::Arc;
use std::time::Instant;

use rumormill_core::id::LamportTime;
use rumormill_core::io::{Command, QueryId};
use tokio::sync::mpsc::WeakSender;
use tokio::sync::oneshot;

use crate::agent::Order;
use crate::member::Member;

/// News. Cheap to clone: what is long is shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something happened to these members; several at once when the agent coalesces.
    Members(MemberEvent),
    /// Somebody told everybody something.
    User(UserEvent),
    /// Somebody asks; answered with [`Handle::respond`](crate::Handle::respond), and declined by dropping it.
    Query(QueryEvent),
}

/// What happened to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberEventKind {
    /// They joined, or came back.
    Join,
    /// They left gracefully.
    Leave,
    /// They were declared dead.
    Failed,
    /// Their tags changed.
    Update,
    /// They had left or failed, and are forgotten now.
    Reap,
}

impl MemberEventKind {
    /// Serf's name of it: `member-join` and so on.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Join => "member-join",
            Self::Leave => "member-leave",
            Self::Failed => "member-failed",
            Self::Update => "member-update",
            Self::Reap => "member-reap",
        }
    }
}

/// Something happened to members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEvent {
    /// What.
    pub kind: MemberEventKind,
    /// To whom: at least one.
    pub members: Arc<[Member]>,
}

/// A user event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEvent {
    /// Event clock when it was sent.
    pub ltime: LamportTime,
    /// Who sent it.
    pub origin: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its data.
    pub payload: Arc<[u8]>,
    /// Whether it may be merged with others of its name.
    pub coalesce: bool,
}

/// A query. Who asks waits for an answer while this, or a clone of it, exists: when the last one is dropped and none was given,
/// the asker is told that none will come, and need not wait until the deadline.
#[derive(Clone, Debug)]
pub struct QueryEvent {
    /// Which.
    pub id: QueryId,
    /// Who asks.
    pub from: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its data.
    pub payload: Arc<[u8]>,
    /// When answers are no longer taken.
    pub deadline: Instant,
    pub(crate) chance: Chance,
}

impl PartialEq for QueryEvent {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, from, name, payload, deadline, chance: _ } = self;
        (id, from, name, payload, deadline)
            == (&other.id, &other.from, &other.name, &other.payload, &other.deadline)
    }
}

/// As long as one of these is there, a query may be answered by this node.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    _of: Option<Arc<Open>>,
}

#[derive(Debug)]
struct Open {
    query: QueryId,
    orders: WeakSender<Order>,
}

impl Chance {
    pub(crate) fn new(query: QueryId, orders: WeakSender<Order>) -> Self {
        Self { _of: Some(Arc::new(Open { query, orders })) }
    }

    /// Of a query that no agent waits for.
    #[cfg(test)]
    pub(crate) const fn nobodys() -> Self {
        Self { _of: None }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let (reply, _nobody) = oneshot::channel();
        if let Some(orders) = self.orders.upgrade() {
            // A driver that is too busy leaves the asker waiting until its deadline, as Serf does always.
            let _ =
                orders.try_send(Order::Command { command: Command::Decline { query: self.query }, reply });
        }
    }
}
