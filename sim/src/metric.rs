//! The metrics that a run produces: one catalogue for scenario files, summaries and reports.

/// What a metric's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds; bounds in scenario files are durations (`"20s"`).
    Seconds,
    /// A whole number.
    Count,
    /// Per node and hour.
    PerNodeHour,
    /// Per node and probe interval.
    PerMemberPeriod,
    /// Bytes per node and second.
    BytesPerNodeSecond,
    /// Packets per node and second.
    PacketsPerNodeSecond,
    /// Messages.
    Messages,
    /// Pairs of (live observer, subject).
    NodePairs,
    /// A share, from 0 to 1.
    Ratio,
}

/// How a run carries a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Many samples per run, perhaps censored: expectations name a statistic (`.p50`, `.p90`, `.p99`, `.max`, `.min`, `.mean`).
    Distribution,
    /// One number per run.
    Value,
    /// A count of so many per run: pooled, counts are added before they are divided.
    Ratio,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in scenario files and summaries.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its shape.
    pub shape: Shape,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

/// The statistics of a distribution that an expectation may name.
pub const STATISTICS: [&str; 6] = ["min", "mean", "p50", "p90", "p99", "max"];

use Shape::{Distribution, Ratio, Value};

const fn metric(name: &'static str, unit: Unit, shape: Shape, meaning: &'static str) -> Metric {
    Metric { name, unit, shape, meaning }
}

/// Every metric, in the order reports show them.
pub const METRICS: &[Metric] = &[
    metric(
        "suspicion.first",
        Unit::Seconds,
        Distribution,
        "from the onset (a crash, or the begin of a pause or block-io) to the first suspicion at a live, undisturbed, connected member",
    ),
    metric(
        "detection.first",
        Unit::Seconds,
        Distribution,
        "from the onset to the first report of failure there; what was not reported before a pause or block-io ended is censored",
    ),
    metric(
        "detection.all",
        Unit::Seconds,
        Distribution,
        "from the onset to the last report of failure at all of them",
    ),
    metric(
        "dissemination.failure",
        Unit::Seconds,
        Distribution,
        "from the first to the last report of a failure",
    ),
    metric(
        "dissemination.join",
        Unit::Seconds,
        Distribution,
        "from the first to the last report of a join; one sample per join",
    ),
    metric(
        "dissemination.leave",
        Unit::Seconds,
        Distribution,
        "from the first to the last report of a leave; one sample per leave",
    ),
    metric(
        "dissemination.update",
        Unit::Seconds,
        Distribution,
        "from the first to the last report of a tag change; one sample per change",
    ),
    metric(
        "event.latency",
        Unit::Seconds,
        Distribution,
        "from sending a user event to its delivery, one sample per event and receiver owed; censored where it never came",
    ),
    metric(
        "query.latency",
        Unit::Seconds,
        Distribution,
        "from asking a query to the last answer owed, one sample per query; censored where one never came",
    ),
    metric(
        "keys.rotation",
        Unit::Seconds,
        Distribution,
        "from the first install of a new key until every member that is up holds it alone; one sample per rotation",
    ),
    metric("event.coverage", Unit::Ratio, Ratio, "receivers that user events reached, of those owed them"),
    metric(
        "event.all",
        Unit::Ratio,
        Ratio,
        "user events that reached everybody they were owed to, of all user events",
    ),
    metric("event.duplicates", Unit::Count, Value, "user events delivered again at a node in one life"),
    metric("event.sent", Unit::Count, Value, "user events accepted from applications"),
    metric("event.busy", Unit::Count, Value, "user events refused because the queue was full"),
    metric("event.lost", Unit::Count, Value, "receivers owed a user event that it never reached"),
    metric("query.coverage", Unit::Ratio, Ratio, "answers that reached who asked, of those owed"),
    metric("query.asked", Unit::Count, Value, "queries accepted from applications"),
    metric(
        "convergence",
        Unit::Seconds,
        Value,
        "from the last change of ground truth until every live view equals it and stays so until the end of the run",
    ),
    metric(
        "false_positives.all",
        Unit::Count,
        Value,
        "failures declared about a member that was up, undisturbed and reachable, one per (observer, subject, incarnation)",
    ),
    metric(
        "false_positives.healthy",
        Unit::Count,
        Value,
        "the same, declared by observers that were themselves undisturbed",
    ),
    metric(
        "false_positives.subjects",
        Unit::Count,
        Value,
        "members wronged: (subject, incarnation) pairs of false positives, however many observers declared them",
    ),
    metric(
        "false_positive_rate.all",
        Unit::PerNodeHour,
        Value,
        "false positives per hour that a node was up, disturbed or not",
    ),
    metric(
        "false_positive_rate.healthy",
        Unit::PerNodeHour,
        Value,
        "the same, declared by undisturbed observers",
    ),
    metric(
        "false_positive_rate.subjects",
        Unit::PerNodeHour,
        Value,
        "members wronged, as false_positives.subjects counts them, per hour that a node was up",
    ),
    metric("flaps", Unit::Count, Value, "failed and alive again at one observer within a minute"),
    metric("suspicions", Unit::Count, Value, "suspicions begun, over all observers"),
    metric(
        "false_suspicion_rate",
        Unit::PerMemberPeriod,
        Value,
        "failed probes of members that were up, each a suspicion in SWIM, per node and probe interval",
    ),
    metric("refutations", Unit::Count, Value, "accusations that their subject refuted"),
    metric(
        "load.bytes",
        Unit::BytesPerNodeSecond,
        Value,
        "datagram and stream bytes sent, headers of UDP, TCP and IP apart",
    ),
    metric("load.bytes.busiest", Unit::BytesPerNodeSecond, Value, "the same at the node that sent most"),
    metric(
        "load.packets",
        Unit::PacketsPerNodeSecond,
        Value,
        "datagrams sent; a compound packet counts once",
    ),
    metric(
        "load.received",
        Unit::PacketsPerNodeSecond,
        Value,
        "datagrams that reached a process; a compound packet counts once",
    ),
    metric("load.packets.busiest", Unit::PacketsPerNodeSecond, Value, "the same at the node that sent most"),
    metric(
        "load.headers",
        Unit::BytesPerNodeSecond,
        Value,
        "bytes of UDP, TCP and IP headers, which load.bytes leaves out",
    ),
    metric(
        "load.anti_entropy",
        Unit::BytesPerNodeSecond,
        Value,
        "bytes of periodic exchanges, full and delta, of load.bytes",
    ),
    metric("queue.depth", Unit::Messages, Value, "most broadcasts that waited at one node at one time"),
    metric("queue.depth.members", Unit::Messages, Value, "the same in the queue of news about members alone"),
    metric(
        "queue.depth.intents",
        Unit::Messages,
        Value,
        "the same in the queue of join and leave intents alone",
    ),
    metric("queue.depth.queries", Unit::Messages, Value, "the same in the queue of queries alone"),
    metric("queue.depth.events", Unit::Messages, Value, "the same in the queue of user events alone"),
    metric(
        "members.wrong",
        Unit::NodePairs,
        Value,
        "views that differ from ground truth, averaged over time",
    ),
    metric(
        "members.wrong.end",
        Unit::NodePairs,
        Value,
        "views that differ from ground truth at the end of the measured time",
    ),
    metric("join.attempts", Unit::Count, Value, "join commands issued, retries included"),
];

/// The metric of that name.
#[must_use]
pub fn metric_named(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|m| m.name == name)
}
