//! The protocol's vocabulary. A [`Message`] borrows from the packet it came in: an update that does not win copies nothing.
//!
//! A probe, with its helpers (SWIM 3.1) and their nacks (Lifeguard IV-A):
//!
//! ```text
//!   prober            helper            target
//!     | Ping ---------------------------> |
//!     | <--------------------------- Ack  |     direct, within probe_timeout
//!     |                                   |
//!     | PingReq ------> |                 |     else, to indirect_checks helpers,
//!     |                 | Ping ---------> |     and a Ping over a stream
//!     |                 | <--------- Ack  |
//!     | <--------- Ack  |                 |     relayed, with the prober's number
//!     | <-------- Nack  |                 |     or: the helper lives, its ping had no answer
//! ```
//!
//! A push/pull exchange, each side's frames flowing as soon as they can:
//!
//! ```text
//!   initiator                                   responder
//!     | SyncHead, SyncClocks, rows, SyncEnd ------->  |   verifies the head, then merges row by row
//!     | <-- SyncHead, SyncClocks, rows, again, SyncEnd|   its own table, as it was before merging
//!     | <----------------------------------- Refused  |   instead, when it may not merge
//!
//!   rows:  SyncRow*      the members that the failure detector knows, the sender first
//!          LeaveIntent*  those that it has forgotten and that left
//!          EventMark*    how far the sender has come with user events
//!   again: EventAgain*   earlier user events, for a joiner that wants them
//! ```

use core::net::SocketAddr;

use super::delta::{Clocks, DeltaHead};
use super::events::{EventMark, EventPull, Intent, Query, Relay, Response, UserEvent};
use crate::id::{Incarnation, LamportTime, ProbeSeq, Versions};
use crate::io::{State, Status};

/// A message of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// "Are you there?" Answered by [`Message::Ack`] when `target` is the receiver's name, else not at all.
    Ping {
        /// Comes back in the ack.
        seq: ProbeSeq,
        /// Whom the sender means: an address may have changed hands.
        target: &'a str,
    },
    /// "Ask that one for me." Answered by an ack when the target answered, by a nack when it did not and nacks are wanted.
    PingReq {
        /// Comes back in the ack or nack.
        seq: ProbeSeq,
        /// Whom to ask.
        target: &'a str,
        /// Where.
        addr: SocketAddr,
        /// Whether a nack is wanted.
        nack: bool,
    },
    /// "I am here", or "that one is".
    Ack {
        /// The ping's or ping request's number.
        seq: ProbeSeq,
        /// Where the sender is in the network, from a node that keeps coordinates and was pinged directly: bytes that nobody
        /// has looked at, so that one who does not keep coordinates need not.
        coordinate: Option<&'a [u8]>,
    },
    /// "I am here, but that one did not answer me" (Lifeguard).
    Nack {
        /// The ping request's number.
        seq: ProbeSeq,
    },
    /// A member announces itself, or its refutation.
    Alive(Alive<'a>),
    /// Somebody's probe of a member failed.
    Suspect(Accusation<'a>),
    /// Somebody's suspicion of a member ran out; from the member itself: it leaves.
    Dead(Accusation<'a>),
    /// Begins one side's table in a push/pull exchange.
    SyncHead(SyncHead<'a>),
    /// One row of a table.
    SyncRow(SyncRow<'a>),
    /// Ends one side's table.
    SyncEnd,
    /// Instead of a table: the exchange is refused, in words for people (at most 255 bytes).
    Refused {
        /// Why.
        reason: &'a str,
    },
    /// A member has joined.
    JoinIntent(Intent<'a>),
    /// A member leaves, or an operator says that a failed one has left.
    LeaveIntent(Intent<'a>),
    /// Something that the application tells everybody.
    UserEvent(UserEvent<'a>),
    /// Something that the application asks.
    Query(Query<'a>),
    /// An answer to a query, to the asker.
    Response(Response<'a>),
    /// An answer to a query, to a member that passes it on.
    Relay(Relay<'a>),
    /// Asks for events that gossip did not bring.
    EventPull(EventPull<'a>),
    /// An event that was asked for, or is replayed to a joiner.
    EventAgain(UserEvent<'a>),
    /// The sender's clocks, after the head of a full exchange.
    SyncClocks(Clocks),
    /// How far the sender has come with one origin's events.
    EventMark(EventMark<'a>),
    /// Begins a delta exchange.
    DeltaHead(DeltaHead<'a>),
    /// Digests by bucket: a power of two of them, 8 bytes each, little-endian.
    DeltaBuckets {
        /// The digests.
        digests: &'a [u8],
    },
    /// The buckets that differ: a bit for each, the lowest first.
    DeltaWant {
        /// The bits.
        buckets: &'a [u8],
    },
}

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alive<'a> {
    /// Raised by the member whenever it announces something new or refutes.
    pub incarnation: Incarnation,
    /// Its name.
    pub name: &'a str,
    /// Where it receives packets and streams.
    pub addr: SocketAddr,
    /// Its application data.
    pub meta: &'a [u8],
    /// Its version bytes.
    pub versions: Versions,
}

/// What one member says against another (or of itself, when it leaves).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accusation<'a> {
    /// The incarnation that is accused.
    pub incarnation: Incarnation,
    /// Who is accused.
    pub name: &'a str,
    /// Who accuses.
    pub from: &'a str,
}

/// The head of one side's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncHead<'a> {
    /// Whether the exchange is a join; the responder answers with the initiator's value.
    pub join: bool,
    /// The sender's name.
    pub from: &'a str,
    /// The version ranges of all the table's rows, so that a receiver can refuse before it merges anything.
    pub versions: VersionSpan,
    /// Whether the sender wants earlier user events again: a join with `replay`. An extension, absent when false.
    pub replay: bool,
}

/// What the rows of a table have in common in versions (memberlist's verification, over aggregates).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VersionSpan {
    /// Largest `protocol_min` of alive members.
    pub protocol_min: u8,
    /// Smallest `protocol_max` of alive members.
    pub protocol_max: u8,
    /// Smallest protocol version spoken, of alive members.
    pub protocol_spoken_min: u8,
    /// Largest protocol version spoken, of alive members.
    pub protocol_spoken_max: u8,
    /// Largest `app_min` of alive members.
    pub app_min: u8,
    /// Smallest `app_max` of alive members.
    pub app_max: u8,
    /// Smallest application version spoken, of alive members.
    pub app_spoken_min: u8,
    /// Largest application version spoken, of alive members.
    pub app_spoken_max: u8,
}

/// One row of a table on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncRow<'a> {
    /// Who.
    pub alive: Alive<'a>,
    /// What the sender thinks of it; never [`State::Forgotten`].
    pub state: State,
    /// The application's view of it: one that goes with the state. An extension, with the time; absent when the time is 0
    /// and the status is [`SyncRow::usual_status`].
    pub status: Status,
    /// The Lamport time of the last intent that decided the status; 0 when there was none.
    pub status_time: LamportTime,
}

impl SyncRow<'_> {
    /// The status of a member in that state about which no intents were heard.
    #[must_use]
    pub const fn usual_status(state: State) -> Status {
        match state {
            State::Alive | State::Suspect => Status::Alive,
            State::Dead | State::Forgotten => Status::Failed,
            State::Left => Status::Left,
        }
    }
}

/// Number of message kinds.
pub const KINDS: usize = 24;

/// The kind of a message; its number is the native wire's type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// [`Message::Ping`]
    Ping = 0,
    /// [`Message::PingReq`]
    PingReq = 1,
    /// [`Message::Ack`]
    Ack = 2,
    /// [`Message::Nack`]
    Nack = 3,
    /// [`Message::Alive`]
    Alive = 4,
    /// [`Message::Suspect`]
    Suspect = 5,
    /// [`Message::Dead`]
    Dead = 6,
    /// [`Message::SyncHead`]
    SyncHead = 7,
    /// [`Message::SyncRow`]
    SyncRow = 8,
    /// [`Message::SyncEnd`]
    SyncEnd = 9,
    /// [`Message::Refused`]
    Refused = 10,
    /// [`Message::JoinIntent`]
    JoinIntent = 11,
    /// [`Message::LeaveIntent`]
    LeaveIntent = 12,
    /// [`Message::UserEvent`]
    UserEvent = 13,
    /// [`Message::Query`]
    Query = 14,
    /// [`Message::Response`]
    Response = 15,
    /// [`Message::Relay`]
    Relay = 16,
    /// [`Message::EventPull`]
    EventPull = 17,
    /// [`Message::EventAgain`]
    EventAgain = 18,
    /// [`Message::SyncClocks`]
    SyncClocks = 19,
    /// [`Message::EventMark`]
    EventMark = 20,
    /// [`Message::DeltaHead`]
    DeltaHead = 21,
    /// [`Message::DeltaBuckets`]
    DeltaBuckets = 22,
    /// [`Message::DeltaWant`]
    DeltaWant = 23,
}

impl Kind {
    /// Every kind, by number.
    pub const ALL: [Self; KINDS] = [
        Self::Ping,
        Self::PingReq,
        Self::Ack,
        Self::Nack,
        Self::Alive,
        Self::Suspect,
        Self::Dead,
        Self::SyncHead,
        Self::SyncRow,
        Self::SyncEnd,
        Self::Refused,
        Self::JoinIntent,
        Self::LeaveIntent,
        Self::UserEvent,
        Self::Query,
        Self::Response,
        Self::Relay,
        Self::EventPull,
        Self::EventAgain,
        Self::SyncClocks,
        Self::EventMark,
        Self::DeltaHead,
        Self::DeltaBuckets,
        Self::DeltaWant,
    ];

    /// Whether it belongs on a stream and is refused in a packet.
    #[must_use]
    pub const fn is_for_streams(self) -> bool {
        match self {
            Self::SyncHead | Self::SyncRow | Self::SyncEnd | Self::Refused | Self::SyncClocks => true,
            Self::EventMark | Self::DeltaHead | Self::DeltaBuckets | Self::DeltaWant => true,
            Self::Ping | Self::PingReq | Self::Ack | Self::Nack => false,
            Self::Alive | Self::Suspect | Self::Dead | Self::JoinIntent | Self::LeaveIntent => false,
            Self::UserEvent | Self::Query | Self::Response | Self::Relay => false,
            Self::EventPull | Self::EventAgain => false,
        }
    }

    /// The kind's name in metrics and traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::PingReq => "ping-req",
            Self::Ack => "ack",
            Self::Nack => "nack",
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::SyncHead => "sync-head",
            Self::SyncRow => "sync-row",
            Self::SyncEnd => "sync-end",
            Self::Refused => "refused",
            Self::JoinIntent => "join-intent",
            Self::LeaveIntent => "leave-intent",
            Self::UserEvent => "event",
            Self::Query => "query",
            Self::Response => "response",
            Self::Relay => "relay",
            Self::EventPull => "event-pull",
            Self::EventAgain => "event-again",
            Self::SyncClocks => "sync-clocks",
            Self::EventMark => "event-mark",
            Self::DeltaHead => "delta-head",
            Self::DeltaBuckets => "delta-buckets",
            Self::DeltaWant => "delta-want",
        }
    }
}

impl Message<'_> {
    /// The message's kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Ping { .. } => Kind::Ping,
            Self::PingReq { .. } => Kind::PingReq,
            Self::Ack { .. } => Kind::Ack,
            Self::Nack { .. } => Kind::Nack,
            Self::Alive(_) => Kind::Alive,
            Self::Suspect(_) => Kind::Suspect,
            Self::Dead(_) => Kind::Dead,
            Self::SyncHead(_) => Kind::SyncHead,
            Self::SyncRow(_) => Kind::SyncRow,
            Self::SyncEnd => Kind::SyncEnd,
            Self::Refused { .. } => Kind::Refused,
            Self::JoinIntent(_) => Kind::JoinIntent,
            Self::LeaveIntent(_) => Kind::LeaveIntent,
            Self::UserEvent(_) => Kind::UserEvent,
            Self::Query(_) => Kind::Query,
            Self::Response(_) => Kind::Response,
            Self::Relay(_) => Kind::Relay,
            Self::EventPull(_) => Kind::EventPull,
            Self::EventAgain(_) => Kind::EventAgain,
            Self::SyncClocks(_) => Kind::SyncClocks,
            Self::EventMark(_) => Kind::EventMark,
            Self::DeltaHead(_) => Kind::DeltaHead,
            Self::DeltaBuckets { .. } => Kind::DeltaBuckets,
            Self::DeltaWant { .. } => Kind::DeltaWant,
        }
    }
}

/// How many messages of each kind a packet or frame carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// The kinds that there are any of, a bit each: few, so that a reader need not look at the others.
    present: u32,
    counts: [u16; KINDS],
}

const _: () = assert!(KINDS <= u32::BITS as usize, "each kind has a bit");

impl Kinds {
    /// One message of this kind.
    #[must_use]
    pub fn one(kind: Kind) -> Self {
        let mut kinds = Self::default();
        kinds.add(kind);
        kinds
    }

    /// Counts one more message of this kind.
    #[inline]
    pub const fn add(&mut self, kind: Kind) {
        self.present |= 1 << kind as u32;
        self.counts[kind as usize] = self.counts[kind as usize].saturating_add(1);
    }

    /// Counts as many more messages as others are.
    #[inline]
    pub fn add_all(&mut self, others: &Self) {
        self.present |= others.present;
        for (kind, count) in others.iter() {
            self.counts[kind as usize] = self.counts[kind as usize].saturating_add(count);
        }
    }

    /// Messages of this kind.
    #[must_use]
    pub const fn count(&self, kind: Kind) -> u16 {
        self.counts[kind as usize]
    }

    /// Messages of every kind, with their number, zeros left out.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u16)> {
        let mut left = self.present;
        core::iter::from_fn(move || {
            let kind = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            Some((*Kind::ALL.get(kind)?, self.counts[kind]))
        })
    }
}
