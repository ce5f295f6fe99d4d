//! A scenario as a value: what a file says, checked, with every default filled in.

use std::time::Duration;

use rumormill_core::Config;

/// A question about a cluster, as an experiment: cluster, network, faults, and what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Short name; the report's folder.
    pub name: String,
    /// The question it answers, in a sentence or two.
    pub about: String,
    /// First seed.
    pub seed: u64,
    /// How many seeds: run k uses `seed + k`.
    pub seeds: u32,
    /// Excluded from metrics; counted from t = 0.
    pub warmup: Duration,
    /// When metrics end, counted from t = 0; the run goes on, fault-free and unmetered, to the bound of invariant 7.
    pub duration: Duration,
    /// Who reruns it.
    pub weight: Weight,
    /// The nodes.
    pub cluster: Cluster,
    /// What is between them.
    pub network: Network,
    /// What happens to them.
    pub faults: Vec<Fault>,
    /// Which settings are compared: each seed runs all of them over the same network and faults. Never empty; a scenario that names none
    /// has one called `default` with the cluster's settings.
    pub variants: Vec<Variant>,
    /// What must hold.
    pub expects: Vec<Expect>,
    /// How a command line names it: its file, and the overrides; empty when it was built in code.
    pub source: String,
}

/// Settings that each seed runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name, unique.
    pub name: String,
    /// The cluster's settings, with the variant's overrides.
    pub config: Config,
}

/// Who reruns a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// CI, at every change.
    Light,
    /// A person, by command.
    Heavy,
}

/// The nodes of a cluster. They are named `node-0` ... `node-{n-1}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// How many, those that a `join` fault starts later included.
    pub nodes: u32,
    /// The settings: a profile's, with the file's overrides.
    pub config: Config,
    /// The profile's name, for reports.
    pub profile: Profile,
    /// How the cluster begins.
    pub start: Start,
    /// Zones in order, covering all nodes from `node-0` on; empty when there are none.
    pub zones: Vec<Zone>,
}

/// A preset of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// [`Config::lan`]
    Lan,
    /// [`Config::wan`]
    Wan,
    /// [`Config::local`]
    Local,
}

/// How a cluster begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Everybody knows everybody, phases randomised.
    Converged,
    /// Everybody starts at t = 0 and joins through the first node.
    Join,
}

/// A run of consecutive nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its first node.
    pub first: u32,
    /// How many nodes.
    pub nodes: u32,
}

/// What lies between nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// One-way latency of every packet, unless a link says otherwise.
    pub latency: Latency,
    /// Chance that a packet is lost, 0 to 1, unless a link says otherwise.
    pub loss: f64,
    /// Overrides; the first that matches wins, each key on its own.
    pub links: Vec<Link>,
}

/// An override for packets from one set of nodes to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Senders.
    pub from: Selector,
    /// Receivers.
    pub to: Selector,
    /// One-way latency.
    pub latency: Option<Latency>,
    /// Chance of loss, 0 to 1.
    pub loss: Option<f64>,
}

/// A distribution of one-way latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Constant {
        /// It.
        value: Duration,
    },
    /// Evenly between two bounds.
    Uniform {
        /// The smallest.
        min: Duration,
        /// The largest.
        max: Duration,
    },
    /// Log-normal.
    Lognormal {
        /// Half are below.
        median: Duration,
        /// 99 in a hundred are below.
        p99: Duration,
    },
}

/// A set of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// Every node.
    All,
    /// So many, drawn from those it makes sense for (a crash from those that are up, ...).
    Pick(u32),
    /// Such a share of those it makes sense for, rounded to the nearest whole number, at least one.
    Fraction(f64),
    /// A zone, by its index in [`Cluster::zones`].
    Zone(usize),
    /// These, by number.
    Nodes(Vec<u32>),
}

/// Something that happens to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// When, from t = 0.
    pub at: Duration,
    /// What.
    pub kind: FaultKind,
    /// Whether it may touch nothing without failing the run.
    pub may_be_idle: bool,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Nodes stop without a word; `restart` says whether, when and how they come back.
    Crash {
        /// Which, of those that are up.
        nodes: Selector,
        /// How long they are down, and how they come back; `None`: for good.
        restart: Option<(Duration, Restart)>,
    },
    /// Nodes come back: those that are up are stopped without a word first.
    Restart {
        /// Which.
        nodes: Selector,
        /// How.
        how: Restart,
    },
    /// Nodes leave gracefully.
    Leave {
        /// Which, of those that are up.
        nodes: Selector,
    },
    /// Nodes that were not there from the start arrive. They are chosen at t = 0.
    Join {
        /// Which; never the first node.
        nodes: Selector,
        /// Through whom: one of these after the other.
        through: Through,
    },
    /// Packets and streams between two sets stop getting through.
    Partition {
        /// One side.
        a: Selector,
        /// The other side; nodes on both count as on `a`.
        b: Selector,
        /// Which way is cut.
        direction: Direction,
        /// What happens to what is under way when the cut begins.
        in_flight: InFlight,
        /// How long; `None`: until the end of the measured time.
        lasts: Option<Duration>,
    },
}

impl FaultKind {
    /// The kind's name in scenario files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::Restart { .. } => "restart",
            Self::Leave { .. } => "leave",
            Self::Join { .. } => "join",
            Self::Partition { .. } => "partition",
        }
    }
}

/// How a node comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Restart {
    /// Whether it keeps its address.
    pub new_address: bool,
    /// Whether it lost what it knew (members and its own incarnation).
    pub lost_state: bool,
    /// Through whom it joins.
    pub through: Through,
}

/// Through whom a node joins.
#[derive(Clone, Debug, PartialEq)]
pub enum Through {
    /// The first node and two that are drawn for each joiner.
    FirstAndTwo,
    /// These.
    Selector(Selector),
}

/// Which way a partition cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only what goes from `a` to `b`.
    AToB,
}

/// What a partition does to what is under way when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// Drops it.
    Drop,
    /// Lets it arrive.
    Deliver,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The metric's name, without a statistic.
    pub metric: &'static str,
    /// The statistic of a distribution; `None` for single values.
    pub statistic: Option<&'static str>,
    /// The bound, in the metric's unit (seconds, not nanoseconds).
    pub bound: Bound,
    /// Over what.
    pub over: Over,
    /// The variant it is about, by its index in [`Scenario::variants`]; `None`: every variant (with `ratio_to`: every other one).
    pub variant: Option<usize>,
    /// What is judged is the quotient by this variant's value of the same seed (pooled: of all seeds).
    pub ratio_to: Option<usize>,
    /// The clause's line in its file, for reports; 0 when built in code.
    pub line: usize,
}

/// A bound. A censored value fails `Below` and `Equals`, and passes `Above` where what is known suffices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Strictly below.
    Below(f64),
    /// Strictly above.
    Above(f64),
    /// Exactly.
    Equals(f64),
    /// At most such a share of `value` away from it: a published or derived figure, with its tolerance.
    Near {
        /// The figure.
        value: f64,
        /// The tolerance, as a share of it (0.03: 3 %).
        within: f64,
    },
}

/// Over what an expectation is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Each seed on its own must hold.
    EachSeed,
    /// The median of the seeds' values.
    Median,
    /// The worst of the seeds' values, for the bound in question.
    Worst,
    /// All seeds' samples together (distributions only; a single value is summed for counts, averaged otherwise).
    Pooled,
}
