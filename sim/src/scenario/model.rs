//! A scenario as a value: what a file says, checked, with every default filled in.

use std::time::Duration;

use rumormill_core::Config;

use super::workload::Workload;

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
    /// What their applications do.
    pub workloads: Vec<Workload>,
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
    /// What differs on the network: the same draws decide, against other thresholds.
    pub travel: Travel,
}

impl Variant {
    /// Settings on the network as it is.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        Self { name: name.to_owned(), config, travel: Travel::default() }
    }
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
    /// The name of the key that all nodes hold at birth; `None`: nothing is sealed. Equal names are equal keys.
    pub key: Option<String>,
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
    /// The first node starts at t = 0, each other one so much later than the one before, and joins through the first.
    JoinStaggered {
        /// Time between two starts.
        gap: Duration,
    },
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
    /// The key that its nodes hold, where it is not the cluster's.
    pub key: Option<String>,
    /// The label of its nodes, where it is not the cluster's.
    pub label: Option<String>,
}

impl Zone {
    /// Nodes from `first` on, with the cluster's key and label.
    #[must_use]
    pub fn new(name: &str, first: u32, nodes: u32) -> Self {
        Self { name: name.to_owned(), first, nodes, key: None, label: None }
    }
}

/// What lies between nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// How packets travel, unless a link says otherwise.
    pub travel: Travel,
    /// Overrides; the first that matches wins, each key on its own.
    pub links: Vec<Link>,
    /// Bytes of datagrams that wait at a node whose process does not read (paused, blocked); more are lost, as in a socket's
    /// receive buffer.
    pub receive_buffer: u32,
}

/// An override for packets from one set of nodes to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Senders.
    pub from: Selector,
    /// Receivers.
    pub to: Selector,
    /// What differs.
    pub travel: Travel,
}

/// How packets travel one way. A key that is absent stands as in the next wider setting: link fault, `[[network.link]]`, `[network]`, and
/// at last the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Travel {
    /// One-way latency. Default 500 us, constant.
    pub latency: Option<Latency>,
    /// Loss of datagrams, and of a stream's segments (which are sent again, later). Default none.
    pub loss: Option<Loss>,
    /// Loss of a stream's segments, where it differs from `loss`.
    pub stream_loss: Option<Loss>,
    /// Chance that a datagram arrives twice, each copy with a latency of its own. Default 0.
    pub duplicate: Option<f64>,
    /// Datagrams that are held back, so that later ones overtake them. Default none.
    pub reorder: Option<Reorder>,
    /// Chance that a datagram has one bit flipped. Default 0. Streams have checksums of their own.
    pub corrupt: Option<f64>,
    /// Bytes per second that the way from one node to another carries, datagrams and streams together: a packet waits for those before it.
    /// Default unlimited.
    pub bandwidth: Option<u64>,
    /// Datagrams beyond so many bytes are lost. Default unlimited.
    pub packet_bytes_max: Option<u32>,
}

/// Datagrams that are held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reorder {
    /// Their share, 0 to 1.
    pub chance: f64,
    /// Longest time that one is held back beyond its latency; evenly distributed from 0.
    pub extra: Duration,
}

/// How packets are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Each on its own, with this chance (0 to 1).
    Bernoulli(f64),
    /// In bursts (Gilbert-Elliott, in continuous time): each link is good or bad, for exponentially distributed times.
    GilbertElliott {
        /// Chance of loss while good.
        good: f64,
        /// Chance of loss while bad.
        bad: f64,
        /// How long a link is good, on average.
        mean_good: Duration,
        /// How long it is bad, on average.
        mean_bad: Duration,
    },
}

/// A distribution of one-way latency.
#[derive(Clone, Debug, PartialEq)]
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
    /// Normal, what would be negative counts as 0.
    Normal {
        /// Mean.
        mean: Duration,
        /// Standard deviation.
        sd: Duration,
    },
    /// Log-normal.
    Lognormal {
        /// Half are below.
        median: Duration,
        /// 99 in a hundred are below.
        p99: Duration,
    },
    /// Pareto: the chance to exceed x is `(min / x)^shape`.
    Pareto {
        /// The smallest.
        min: Duration,
        /// The tail's exponent, above 0; below 1 even the mean is infinite.
        shape: f64,
    },
    /// A measured distribution: values at rising shares from 0 to 1, straight lines between.
    Empirical {
        /// (share at or below, value), both rising; the first share is 0, the last 1.
        table: Vec<(f64, Duration)>,
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
    /// Every node that the other selector of the same link or partition does not mean.
    Rest,
    /// A zone, by its index in [`Cluster::zones`].
    Zone(usize),
    /// These, by number.
    Nodes(Vec<u32>),
}

/// Something that happens to the cluster, once or again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its name, unique; empty when the file gives none. What is drawn for a fault depends on its name, or without one on its kind and
    /// its place among the unnamed faults of that kind: on no other fault.
    pub name: String,
    /// When, from t = 0.
    pub at: Duration,
    /// How long, where the kind has an end; `None`: until the end of the measured time (a crash: for good).
    pub lasts: Option<Duration>,
    /// From start to start, when it repeats.
    pub every: Option<Duration>,
    /// No repetition begins at or after this; `None`: the end of the measured time.
    pub until: Option<Duration>,
    /// Whether nodes are drawn anew for each repetition.
    pub repick: bool,
    /// Whether it is switched off: nothing happens, and nothing else changes.
    pub off: bool,
    /// What.
    pub kind: FaultKind,
    /// Whether it may touch nothing without failing the run.
    pub may_be_idle: bool,
}

impl Fault {
    /// A fault that begins once, is never idle, and has no name and no end of its own.
    #[must_use]
    pub const fn new(at: Duration, kind: FaultKind) -> Self {
        Self {
            name: String::new(),
            at,
            lasts: None,
            every: None,
            until: None,
            repick: false,
            off: false,
            kind,
            may_be_idle: false,
        }
    }
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Nodes stop without a word; with [`Fault::lasts`] they come back after it.
    Crash {
        /// Which, of those that are up.
        nodes: Selector,
        /// How they come back, if they do.
        back: Restart,
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
    /// A process stands still (stop-the-world, SIGSTOP): it receives nothing, sends nothing, and its timers are late. What arrives waits
    /// in the receive buffer.
    Pause {
        /// Which, of those that are up.
        nodes: Selector,
    },
    /// Every message of a node is late by this much more, both those it sends and those it receives.
    Slow {
        /// Which, of those that are up.
        nodes: Selector,
        /// By how much.
        extra: Latency,
    },
    /// Lifeguard's anomaly: a node's messages are held before they are sent and after they arrive, and released in a burst; its
    /// timers run.
    BlockIo {
        /// Which, of those that are up.
        nodes: Selector,
    },
    /// A node's clock is wrong. When the fault ends, it runs right again and its jump is undone; what it gained or lost by its rate stays, as
    /// on a monotonic clock.
    Clock {
        /// Which, of those that are up.
        nodes: Selector,
        /// Local seconds per second; 1.0 is right.
        rate: f64,
        /// Nanoseconds by which the clock jumps at once; negative: back.
        offset: i64,
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
        /// The share of pairs (one of each side) that are cut, drawn for each pair; 1.0: all.
        share: f64,
        /// What is cut.
        traffic: Traffic,
    },
    /// Packets from one set of nodes to another travel otherwise.
    Link {
        /// Senders.
        from: Selector,
        /// Receivers.
        to: Selector,
        /// What differs.
        travel: Travel,
    },
}

/// What a partition cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Datagrams and streams.
    All,
    /// Datagrams only.
    Datagrams,
    /// Streams only.
    Streams,
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
            Self::Pause { .. } => "pause",
            Self::Slow { .. } => "slow",
            Self::BlockIo { .. } => "block-io",
            Self::Clock { .. } => "clock",
            Self::Partition { .. } => "partition",
            Self::Link { .. } => "link",
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
    /// The 99 % Wilson interval of the pooled ratio contains this figure; for ratios of counts, such as `event.all`.
    WilsonContains(f64),
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
