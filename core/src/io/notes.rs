//! Notes: what happened inside a node and why.

use core::net::SocketAddr;
use core::time::Duration;

use super::{State, Via};
use crate::id::{Incarnation, SharedIdentity};
use crate::wire::WireError;

/// What happened inside a node and why. Feeds invariants, metrics and explanations; never changes behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'o> {
    /// A member's row changed: a claim won against what was known.
    Applied {
        /// Who.
        subject: &'o SharedIdentity,
        /// The state before; `None` when the name was unknown.
        before: Option<State>,
        /// The state now.
        state: State,
        /// The incarnation now.
        incarnation: Incarnation,
        /// Through what the claim came.
        via: Via,
    },
    /// A suspicion began here; its timer runs.
    Suspected {
        /// Who.
        subject: &'o SharedIdentity,
        /// The incarnation that is suspected.
        incarnation: Incarnation,
        /// Who accuses; this node's own name after its own failed probe.
        accuser: &'o str,
        /// Through what the accusation came.
        via: Via,
        /// How long the timer runs unless confirmations come.
        timeout: Duration,
    },
    /// A suspicion was confirmed independently, which shortens its timer.
    Confirmed {
        /// Who is suspected.
        subject: &'o SharedIdentity,
        /// Who confirms.
        accuser: &'o str,
        /// Confirmations now.
        confirmations: u8,
    },
    /// A member is taken for dead from now on.
    DeclaredDead {
        /// Who.
        subject: &'o SharedIdentity,
        /// The incarnation that is dead.
        incarnation: Incarnation,
        /// Who declares it; this node's own name where its own suspicion ran out.
        accuser: &'o str,
        /// Through what the declaration came.
        via: Via,
    },
    /// This node was accused and announced a higher incarnation.
    Refuted {
        /// The incarnation that was accused.
        accused: Incarnation,
        /// The one announced.
        announced: Incarnation,
        /// Through what the accusation came.
        via: Via,
    },
    /// A probe ended without an answer.
    ProbeFailed {
        /// The member probed.
        subject: &'o SharedIdentity,
        /// Its incarnation when it was picked.
        incarnation: Incarnation,
        /// Whether the probe makes an accusation (not when the member's row changed meanwhile).
        accuses: bool,
        /// Nacks that helpers owed.
        nacks_expected: u8,
        /// Nacks that came.
        nacks: u8,
    },
    /// The member probed answered.
    ProbeAnswered {
        /// The member probed.
        subject: &'o SharedIdentity,
        /// From sending the ping to the answer.
        after: Duration,
        /// How it answered.
        path: ProbePath,
    },
    /// A packet or frame was refused.
    Rejected {
        /// Who sent it.
        from: SocketAddr,
        /// Why.
        error: WireError,
    },
    /// Load was dropped because a bound was reached.
    Shed(Shed),
}

/// How a probed member answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbePath {
    /// An ack before `probe_timeout`.
    Direct,
    /// An ack after it: late, or through a helper.
    Indirect,
    /// Over a stream alone.
    Stream,
}

/// What was dropped at a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shed {
    /// A broadcast (`queue_messages_max`).
    Broadcast,
    /// An alive claim of an unknown member (`members_max`).
    Member,
    /// A request to probe for another (`relays_max`).
    Relay,
    /// A stream (`streams_max`).
    Stream,
    /// An intent about a member that is not known (`intents_max`).
    Intent,
    /// What was known of an origin's user events (`event_origins_max`).
    EventOrigin,
    /// A gap in an origin's user events that cannot be closed any more.
    EventGap,
    /// A query that came in (`queries_max`).
    Query,
}
