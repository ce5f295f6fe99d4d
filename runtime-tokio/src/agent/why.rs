//! What an agent knows of a member and of the trouble that it had: the answer to "why is it failed?".
//!
//! [`Why`] is what [`Handle::why`](super::Handle::why) gives, what goes over RPC, and what `rumor debug why --format json` prints.
//! Programs that read it skip fields and kinds that they do not know; [`SCHEMA`] grows when one changes its meaning or goes away.

use serde::{Deserialize, Serialize};

/// The version of [`Why`]'s form.
pub const SCHEMA: u32 = 1;

/// Everything that one agent, the observer, knows of one member. All times are by the observer's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Why {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The agent whose view this is.
    pub observer: Box<str>,
    /// When it was asked, milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// How long the observer has run, milliseconds: it has seen nothing of what was before.
    pub observer_age_ms: u64,
    /// The member's name.
    pub member: Box<str>,
    /// What it is now; `None` where it is no member any more, and only its history is left.
    pub present: Option<Present>,
    /// The trouble it had, the oldest first; none for a member that nobody has suspected.
    pub happenings: Vec<Happening>,
    /// Older happenings that are forgotten.
    pub happenings_forgotten: u64,
    /// How long it took to answer the observer's own probes.
    pub round_trips: RoundTrips,
    /// How well the observer itself is: an unwell one accuses wrongly, and waits longer.
    pub local_health: LocalHealth,
    /// How long the observer's task took from being due to running, at worst in the last minute, milliseconds.
    pub loop_lag_ms: f64,
}

/// A member at present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Present {
    /// What applications are told: `alive`, `leaving`, `left` or `failed`.
    pub status: Box<str>,
    /// What the failure detector thinks: `alive`, `suspect`, `dead`, `left`, or `forgotten` (some time after its death or leave).
    pub state: Box<str>,
    /// Since when it thinks so, milliseconds ago.
    pub for_ms: u64,
    /// Its incarnation.
    pub incarnation: u32,
    /// Where it receives packets and streams.
    pub address: Box<str>,
    /// Whether it is the observer itself.
    pub is_observer: bool,
}

/// Something that happened to a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Happening {
    /// When, milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// The same, milliseconds ago.
    pub ago_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// The observer's own probe of it got no answer in any way: datagram, helpers, stream.
    ProbeFailed {
        /// Its incarnation then.
        incarnation: u32,
        /// Whether the observer accuses it for that; not where it was heard of otherwise meanwhile.
        accuses: bool,
        /// Helpers that had to say that they heard nothing from it either.
        nacks_expected: u8,
        /// Helpers that said so: when they are fewer, the observer's own network is in doubt.
        nacks: u8,
        /// The observer's local health after it; 0 is healthy.
        local_health: u8,
    },
    /// It was suspected from then on.
    Suspected {
        /// Which incarnation of it.
        incarnation: u32,
        /// Who accused it.
        accuser: Box<str>,
        /// How the observer heard.
        through: Through,
        /// How long it has to refute, unless others confirm, milliseconds.
        timeout_ms: u64,
    },
    /// Somebody else suspects it too.
    Confirmed {
        /// Who.
        accuser: Box<str>,
        /// How many confirmations that makes.
        confirmations: u8,
        /// How long it has to refute now, counted from the beginning of the suspicion, milliseconds.
        timeout_ms: u64,
    },
    /// It announced a higher incarnation while it was suspected.
    Refuted {
        /// The new one.
        incarnation: u32,
        /// How the observer heard.
        through: Through,
    },
    /// The observer itself was accused, and refuted.
    Accused {
        /// The incarnation that was accused.
        incarnation: u32,
        /// The one that it announced.
        announced: u32,
        /// How it heard.
        through: Through,
    },
    /// It was taken for failed from then on.
    DeclaredFailed {
        /// Which incarnation of it.
        incarnation: u32,
        /// Who declared it: the observer, when its own timer ran out.
        accuser: Box<str>,
        /// How the observer heard.
        through: Through,
    },
    /// It said that it leaves.
    Left {
        /// Its incarnation.
        incarnation: u32,
        /// How the observer heard.
        through: Through,
    },
    /// It was back after it had failed, left, or been forgotten.
    Returned {
        /// Its new incarnation.
        incarnation: u32,
        /// How the observer heard.
        through: Through,
    },
    /// A kind that a later version has.
    #[default]
    #[serde(other)]
    Unknown,
}

/// How an observer heard of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// It found out itself: a failed probe, a timer that ran out.
    #[default]
    Own,
    /// A packet of somebody.
    Gossip,
    /// The exchange of whole tables with somebody.
    PushPull,
}

/// How long a member took to answer probes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoundTrips {
    /// The last answer.
    pub last: Option<RoundTrip>,
    /// The median of the direct answers that are remembered, milliseconds.
    pub direct_p50_ms: Option<f64>,
    /// How many those are.
    pub direct: u32,
    /// How many answers are remembered that came late, through helpers, or over a stream.
    pub not_direct: u32,
    /// What network coordinates say that it takes, milliseconds.
    pub estimate_ms: Option<f64>,
}

/// One answer to a probe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoundTrip {
    /// From sending the ping to the answer, milliseconds.
    pub ms: f64,
    /// How it came: `direct`, `indirect` (late, or through a helper) or `stream` (over a stream alone).
    pub path: Box<str>,
    /// When, milliseconds ago; to a second.
    pub ago_ms: u64,
}

/// Local health (Lifeguard).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalHealth {
    /// Now: 0 is healthy.
    pub score: u8,
    /// The worst that there is.
    pub worst: u8,
    /// The last changes, the oldest first.
    pub changes: Vec<HealthChange>,
}

/// A change of local health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthChange {
    /// When, milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// The same, milliseconds ago.
    pub ago_ms: u64,
    /// The score before.
    pub from: u8,
    /// The score after.
    pub to: u8,
    /// What changed it, in words.
    pub because: Box<str>,
}

/// A member of which an agent remembers trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Troubled {
    /// Its name.
    pub member: Box<str>,
    /// What it is now: `alive`, `suspect` or another of [`Present::state`]; `None` where it is no member any more.
    pub state: Option<Box<str>>,
    /// Happenings that are remembered of it.
    pub happenings: u32,
    /// The last one.
    pub last: Happening,
}
