//! What applications do, as a value.

use std::time::Duration;

use super::model::Selector;

/// Something that applications do, once or again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its name, unique; empty when the file gives none. Draws depend on it as on a fault's.
    pub name: String,
    /// When, from t = 0.
    pub at: Duration,
    /// From start to start, when it repeats.
    pub every: Option<Duration>,
    /// No repetition begins at or after this; `None`: the end of the measured time.
    pub until: Option<Duration>,
    /// Whether nodes are drawn anew for each repetition.
    pub repick: bool,
    /// Whether it is switched off.
    pub off: bool,
    /// What.
    pub kind: WorkloadKind,
}

impl Workload {
    /// A workload that begins once, and has no name.
    #[must_use]
    pub const fn new(at: Duration, kind: WorkloadKind) -> Self {
        Self { name: String::new(), at, every: None, until: None, repick: false, off: false, kind }
    }
}

/// What applications do.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadKind {
    /// Each of these sends user events. What is answered `Busy` is not tried again, and counted.
    Event {
        /// Who, of those that are up.
        from: Selector,
        /// Bytes of payload.
        size: u32,
        /// How many each sends at once.
        burst: u32,
    },
    /// Each of these asks a query; whoever hears it answers at once.
    Query {
        /// Who, of those that are up.
        from: Selector,
        /// Who is asked, by name; `None`: everybody.
        to: Option<Selector>,
        /// Bytes of payload.
        size: u32,
        /// Bytes of the answers.
        answer: u32,
        /// Whether acks are asked for.
        ack: bool,
        /// How many members pass each answer on.
        relay_factor: u8,
        /// How long to listen; `None`: the core's default.
        timeout: Option<Duration>,
    },
    /// Each of these announces a new value of a tag.
    Tags {
        /// Who, of those that are up.
        nodes: Selector,
        /// Bytes of the value.
        size: u32,
    },
    /// One of these changes the cluster's key: installs a new one everywhere, has everybody use it, removes the old one; each step is tried
    /// again, after `retry`, until all members that are up have done it.
    Keys {
        /// Who, of those that are up.
        from: Selector,
        /// Time between two tries of a step.
        retry: Duration,
    },
}

impl WorkloadKind {
    /// The kind's name in scenario files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Query { .. } => "query",
            Self::Tags { .. } => "tags",
            Self::Keys { .. } => "keys",
        }
    }
}
