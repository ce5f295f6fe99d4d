//! What happened, as it is kept: small values, and numbers instead of names.

use std::time::Duration;

use rumormill_core::Due;
use rumormill_core::io::{ProbePath, Shed, State, Via};
use rumormill_core::wire::Kind as MessageKind;

use super::Kind;
use crate::network::Key;
use crate::truth::Presence;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, nanoseconds since t = 0.
    pub time: u64,
    /// At which node; `None`: to the cluster.
    pub node: Option<u32>,
    /// Why.
    pub cause: Cause,
    /// The node's local health just before: 0 is healthy.
    pub health: u8,
    /// What.
    pub what: What,
}

/// What made a node do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing that a node was given: the machine, or the scenario.
    None,
    /// A packet or segment, by its place in [`Recording::packets`](super::Recording::packets).
    Packet(u32),
    /// One that was not recorded.
    OtherPacket,
    /// A deadline: the first of those that were due.
    Tick(Due),
    /// The application.
    Command,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A packet or segment left; its place in [`Recording::packets`](super::Recording::packets).
    Sent(u32),
    /// A packet should have left, but the node could not send.
    Held(u32),
    /// A packet or segment reached the process.
    Arrived(u32),
    /// A deadline was due.
    Tick(Due),
    /// A suspicion began: its timer runs.
    Suspected {
        /// Who is suspected.
        subject: u32,
        /// The incarnation that is suspected.
        incarnation: u32,
        /// Who accuses.
        accuser: Option<u32>,
        /// Through what the accusation came.
        via: Via,
        /// How long the timer runs unless confirmations come.
        timeout: Duration,
    },
    /// A suspicion was confirmed, which shortens its timer.
    Confirmed {
        /// Who is suspected.
        subject: u32,
        /// Who confirms.
        accuser: Option<u32>,
        /// Confirmations now.
        confirmations: u8,
    },
    /// A member is taken for dead from now on.
    DeclaredDead {
        /// Who.
        subject: u32,
        /// The incarnation that is dead.
        incarnation: u32,
        /// Whose suspicion ran out.
        accuser: Option<u32>,
        /// Through what the declaration came.
        via: Via,
    },
    /// The application was told of a failure.
    Failed {
        /// Whose.
        subject: u32,
        /// The incarnation that failed.
        incarnation: u32,
        /// Whether it counts as a false positive: the subject is up, undisturbed and reachable, and it is the first
        /// report of this observer about this incarnation.
        false_positive: bool,
    },
    /// The node outbid an accusation.
    Refuted {
        /// The incarnation that was accused.
        accused: u32,
        /// The one announced.
        announced: u32,
        /// Through what the accusation came.
        via: Via,
    },
    /// A probe ended without an answer.
    ProbeFailed {
        /// The member probed.
        subject: u32,
        /// Its incarnation when it was picked.
        incarnation: u32,
        /// Whether the probe makes an accusation.
        accuses: bool,
        /// Nacks that helpers owed.
        nacks_expected: u8,
        /// Nacks that came.
        nacks: u8,
    },
    /// A probe was answered.
    ProbeAnswered {
        /// The member probed.
        subject: u32,
        /// From the ping to the answer.
        after: Duration,
        /// How.
        path: ProbePath,
    },
    /// A row of the member table changed.
    Applied {
        /// Whose.
        subject: u32,
        /// The state before; `None`: unknown.
        before: Option<State>,
        /// The state now.
        state: State,
        /// The incarnation now.
        incarnation: u32,
        /// Through what the claim came.
        via: Via,
    },
    /// A packet or frame was refused, for this reason.
    Rejected(Box<str>),
    /// Load was dropped because a bound was reached.
    Shed(Shed),
    /// The application was told something else than a failure.
    Event {
        /// What.
        name: &'static str,
        /// Whom it is about.
        subject: Option<u32>,
    },
    /// A fault begins, or begins again, at these nodes.
    FaultBegins {
        /// Its place in the scenario.
        fault: usize,
        /// At whom it is aimed.
        nodes: Box<[u32]>,
    },
    /// A fault ends.
    FaultEnds {
        /// Its place in the scenario.
        fault: usize,
    },
    /// A node is somewhere else now.
    Presence(Presence),
}

impl What {
    /// Its kind. That of a packet depends on what carries it, see [`Packet::kind`].
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Sent(_) | Self::Held(_) => Kind::Packet,
            Self::Arrived(_) => Kind::Arrival,
            Self::Tick(_) => Kind::Tick,
            Self::Suspected { .. } | Self::Confirmed { .. } => Kind::Suspicion,
            Self::DeclaredDead { .. } | Self::Failed { .. } => Kind::Death,
            Self::Refuted { .. } => Kind::Refutation,
            Self::ProbeFailed { .. } | Self::ProbeAnswered { .. } => Kind::Probe,
            Self::Applied { .. } => Kind::Row,
            Self::Rejected(_) => Kind::Rejected,
            Self::Shed(_) => Kind::Shed,
            Self::Event { .. } => Kind::Event,
            Self::FaultBegins { .. } | Self::FaultEnds { .. } => Kind::Fault,
            Self::Presence(_) => Kind::Truth,
        }
    }

    /// The member that it is about; of a refutation that is who refutes, which the entry's node says.
    #[must_use]
    pub const fn subject(&self) -> Option<u32> {
        match self {
            Self::Suspected { subject, .. }
            | Self::Confirmed { subject, .. }
            | Self::DeclaredDead { subject, .. }
            | Self::Failed { subject, .. }
            | Self::ProbeFailed { subject, .. }
            | Self::ProbeAnswered { subject, .. }
            | Self::Applied { subject, .. } => Some(*subject),
            Self::Event { subject, .. } => *subject,
            _ => None,
        }
    }
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A datagram.
    Datagram,
    /// A segment of a stream, and what it is there for: `syn`, `connected`, `accepted`, `frame`, `closed`, `refused`, `lost`.
    Segment(&'static str),
}

/// A datagram or a segment of a stream, from the wish to send it to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// When the process wanted to send it (ns).
    pub wanted: u64,
    /// When it left (ns): later than that where the node's sends were held; `None`: it never left.
    pub sent: Option<u64>,
    /// Who sent it.
    pub from: u32,
    /// To whom.
    pub to: u32,
    /// As what.
    pub carrier: Carrier,
    /// What the network knows it by; `None` until it leaves.
    pub key: Option<Key>,
    /// Its length, bytes.
    pub bytes: u32,
    /// Messages of each kind, as the sender counted them.
    pub kinds: Vec<(MessageKind, u16)>,
    /// What its messages say: those that the recording is about, at most [`SAID_MAX`].
    pub said: Vec<Said>,
    /// Whether its messages could not be read: it is sealed with a key that came up during the run.
    pub sealed: bool,
    /// What made the node send it.
    pub cause: Cause,
    /// What the network did with it.
    pub fate: Fate,
    /// How much later it arrives than its own latency says (ns): held back, a slow node, bandwidth, segments sent again.
    pub extra: u64,
    /// Whether a second copy is under way.
    pub doubled: bool,
    /// When it waited at its receiver's machine because the process did not read (ns).
    pub waited: Option<u64>,
    /// When it first reached the process (ns).
    pub arrived: Option<u64>,
}

/// Messages that are kept of one packet or frame.
pub const SAID_MAX: usize = 64;

impl Packet {
    /// The kind of its sending.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.carrier {
            Carrier::Datagram => Kind::Packet,
            Carrier::Segment(_) => Kind::Stream,
        }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It has not left.
    Waiting,
    /// Nobody has this address any more.
    Nobody,
    /// It arrives at this moment (ns).
    Arrives(u64),
    /// It arrives because this run excepts it from its fate.
    Spared(u64),
    /// Lost by chance.
    Lost {
        /// That chance.
        chance: f64,
        /// Whether the link was in its bad state.
        burst: bool,
        /// The link fault that shaped the way.
        fault: Option<usize>,
    },
    /// It is longer than the way takes.
    TooLong,
    /// This fault cut it off.
    Cut(usize),
    /// This fault's cut dropped it under way.
    DroppedInFlight(usize),
    /// The receive buffer had no room.
    Overflowed,
    /// It arrived where no process of that address runs any more.
    Gone,
}

/// What a message says, as far as a reader of traces wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// "Are you there?"
    Ping {
        /// The number of the probe.
        seq: u32,
        /// Who is meant.
        target: Option<u32>,
    },
    /// "Ask that one for me."
    PingReq {
        /// The number of the probe.
        seq: u32,
        /// Who is to be asked.
        target: Option<u32>,
    },
    /// "I am here", or "that one is".
    Ack {
        /// The number of the probe.
        seq: u32,
        /// Who is there, where the ping was recorded.
        target: Option<u32>,
    },
    /// "That one did not answer me."
    Nack {
        /// The number of the probe.
        seq: u32,
        /// Who did not answer, where the request was recorded.
        target: Option<u32>,
    },
    /// A member announces itself.
    Alive {
        /// Who.
        subject: Option<u32>,
        /// Its incarnation.
        incarnation: u32,
    },
    /// An accusation.
    Suspect {
        /// Who is accused.
        subject: Option<u32>,
        /// The incarnation accused.
        incarnation: u32,
        /// Who accuses.
        accuser: Option<u32>,
    },
    /// A declaration of death; by the member itself: it leaves.
    Dead {
        /// Who is dead.
        subject: Option<u32>,
        /// The incarnation that is.
        incarnation: u32,
        /// Who says so.
        accuser: Option<u32>,
    },
    /// A row of a table.
    Row {
        /// Whose.
        subject: Option<u32>,
        /// Its incarnation.
        incarnation: u32,
        /// What the sender thinks of it.
        state: State,
    },
    /// Something else.
    Other(MessageKind),
}

impl Said {
    /// The member that it is about.
    #[must_use]
    pub const fn subject(&self) -> Option<u32> {
        match self {
            Self::Ping { target, .. }
            | Self::PingReq { target, .. }
            | Self::Ack { target, .. }
            | Self::Nack { target, .. } => *target,
            Self::Alive { subject, .. }
            | Self::Suspect { subject, .. }
            | Self::Dead { subject, .. }
            | Self::Row { subject, .. } => *subject,
            Self::Other(_) => None,
        }
    }
}
