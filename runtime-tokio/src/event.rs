//! What an agent tells its application, and the filters that choose among it.

use std::sync::Arc;
use std::time::Instant;

use rumormill_core::id::LamportTime;
use rumormill_core::io::QueryId;

use crate::member::Member;

/// News. Cheap to clone: what is long is shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something happened to these members; several at once when the agent coalesces.
    Members(MemberEvent),
    /// Somebody told everybody something.
    User(UserEvent),
    /// Somebody asks; answered with [`Handle::respond`](crate::Handle::respond).
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

/// A query.
#[derive(Clone, Debug, PartialEq)]
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
}
