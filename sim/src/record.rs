//! What one run of one variant with one seed leaves behind: raw figures, nothing rounded, nothing drawn.

use std::collections::BTreeMap;

/// One observation of a distribution, in the metric's unit. In JSON a plain number, or `{"over": x}` when censored at x.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(into = "SampleForm", from = "SampleForm")]
pub struct Sample {
    /// The value; for a censored sample the time until which nothing had happened.
    pub value: f64,
    /// Whether the run (or the disturbance) ended before it happened: the true value is larger.
    pub censored: bool,
}

/// How a sample is written: summaries hold thousands of them.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum SampleForm {
    Seen(f64),
    Censored { over: f64 },
}

impl From<Sample> for SampleForm {
    fn from(Sample { value, censored }: Sample) -> Self {
        if censored { Self::Censored { over: value } } else { Self::Seen(value) }
    }
}

impl From<SampleForm> for Sample {
    fn from(form: SampleForm) -> Self {
        match form {
            SampleForm::Seen(value) => Self { value, censored: false },
            SampleForm::Censored { over } => Self { value: over, censored: true },
        }
    }
}

/// A share of counts, which pools exactly. In JSON `[hits, of]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "[u64; 2]", from = "[u64; 2]")]
pub struct Ratio {
    /// What was reached, or answered: at most `of`.
    pub hits: u64,
    /// What was owed. A ratio of nothing is left out of records.
    pub of: u64,
}

impl Ratio {
    /// The share, 0 to 1; `None` where nothing was owed.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }
}

/// Counts of several runs together.
impl std::iter::Sum for Ratio {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { hits: sum.hits + one.hits, of: sum.of + one.of })
    }
}

impl From<Ratio> for [u64; 2] {
    fn from(ratio: Ratio) -> Self {
        [ratio.hits, ratio.of]
    }
}

impl From<[u64; 2]> for Ratio {
    fn from([hits, of]: [u64; 2]) -> Self {
        Self { hits, of }
    }
}

/// Distributions as lists in which equal samples are counted.
mod lists {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{Sample, SampleForm};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Some(SampleForm, u64),
        One(SampleForm),
    }

    pub(super) fn serialize<S: Serializer>(
        of: &BTreeMap<String, Vec<Sample>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let list = |samples: &Vec<Sample>| -> Vec<Entry> {
            let equal = samples.chunk_by(|a, b| a == b);
            equal
                .map(|chunk| match chunk {
                    [one] => Entry::One((*one).into()),
                    some => Entry::Some(some[0].into(), some.len() as u64),
                })
                .collect()
        };
        of.iter()
            .map(|(name, samples)| (name, list(samples)))
            .collect::<BTreeMap<_, _>>()
            .serialize(serializer)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Vec<Sample>>, D::Error> {
        let lists = BTreeMap::<String, Vec<Entry>>::deserialize(deserializer)?;
        let samples = |list: Vec<Entry>| {
            list.into_iter()
                .flat_map(|entry| match entry {
                    Entry::One(one) => std::iter::repeat_n(one.into(), 1),
                    // What does not fit in memory anyway is not tried.
                    Entry::Some(one, n) => std::iter::repeat_n(one.into(), n.min(1 << 30) as usize),
                })
                .collect()
        };
        Ok(lists.into_iter().map(|(name, list)| (name, samples(list))).collect())
    }
}

/// What one run leaves behind. Equal for equal (scenario, seed, variant), on any machine.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunRecord {
    /// The variant's name; `default` when the scenario names none.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// Digest of everything that happened, in order (32 hex digits).
    pub digest: String,
    /// Inputs handed to nodes.
    pub steps: u64,
    /// Metered node-hours: over all nodes, the time they were up between warm-up and the end.
    pub node_hours: f64,
    /// Distributions by metric name; sorted by (value, censored). A metric without a sample has an empty list. In JSON, `[x, n]` stands
    /// for n samples x.
    #[serde(with = "lists")]
    pub distributions: BTreeMap<String, Vec<Sample>>,
    /// Single values by metric name. One that does not apply (convergence without a change) is absent; one that did not happen
    /// (convergence never reached) is present and censored.
    pub values: BTreeMap<String, Sample>,
    /// Shares of counts by metric name; one of nothing is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ratios: BTreeMap<String, Ratio>,
    /// Traffic by message kind, metered time only: messages and bytes sent by all nodes.
    pub load_by_kind: BTreeMap<String, KindLoad>,
    /// What the network did to packets, by name: `lost`, `duplicated`, `held_back`, ...; whole run, zeros left out.
    pub network: BTreeMap<String, u64>,
    /// Figures over time; without a point in summaries of so many runs that they would not fit.
    #[serde(default, skip_serializing_if = "Series::is_empty")]
    pub series: Series,
    /// What each fault did, in the scenario's order.
    pub faults: Vec<FaultEffect>,
    /// What each invariant found.
    pub invariants: Vec<InvariantOutcome>,
}

/// Traffic of one message kind. In JSON `[messages, packets, bytes]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(into = "[u64; 3]", from = "[u64; 3]")]
pub struct KindLoad {
    /// Messages sent.
    pub messages: u64,
    /// Packets (or frames) that carried at least one.
    pub packets: u64,
    /// Their share of bytes: a packet's bytes split evenly over its messages.
    pub bytes: u64,
}

impl From<KindLoad> for [u64; 3] {
    fn from(load: KindLoad) -> Self {
        [load.messages, load.packets, load.bytes]
    }
}

impl From<[u64; 3]> for KindLoad {
    fn from([messages, packets, bytes]: [u64; 3]) -> Self {
        Self { messages, packets, bytes }
    }
}

/// Figures sampled at a fixed step from t = 0 to the end of the measured time (warm-up included, so that it can be seen).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    /// Seconds between two points; point k stands at k * step.
    pub step: f64,
    /// Nodes that are up.
    pub up: Vec<u32>,
    /// (live observer, subject) pairs whose view differs from ground truth.
    pub wrong: Vec<u64>,
    /// Open suspicions over all observers.
    pub suspects: Vec<u64>,
    /// False positives so far, warm-up apart.
    pub false_positives: Vec<u64>,
    /// Datagram bytes sent since the previous point, all nodes.
    pub packet_bytes: Vec<u64>,
    /// Stream bytes sent since the previous point, all nodes.
    pub stream_bytes: Vec<u64>,
    /// Datagrams sent since the previous point, all nodes.
    pub packets: Vec<u64>,
    /// Most broadcasts waiting at one node since the previous point.
    pub queue_depth: Vec<u32>,
    /// The same of the queue of news about members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue_members: Vec<u32>,
    /// The same of the queue of join and leave intents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue_intents: Vec<u32>,
    /// The same of the queue of queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue_queries: Vec<u32>,
    /// The same of the queue of user events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue_events: Vec<u32>,
}

impl Series {
    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.up.is_empty()
    }

    /// Leaves out the columns of queues in which nothing ever waited.
    pub(crate) fn without_idle_queues(&mut self) {
        let queues = [
            &mut self.queue_members,
            &mut self.queue_intents,
            &mut self.queue_queries,
            &mut self.queue_events,
        ];
        for queue in queues {
            if queue.iter().all(|depth| *depth == 0) {
                queue.clear();
            }
        }
    }
}

/// What a fault did: a fault must be seen to act.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FaultEffect {
    /// Position in the scenario, from 0.
    pub index: usize,
    /// Its kind, as the scenario names it.
    pub kind: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// How often it began.
    pub times: u64,
    /// Seconds from t = 0.
    pub at: f64,
    /// Seconds from t = 0 at which it ended for the last time, if it ends within the run.
    pub until: Option<f64>,
    /// The nodes it was aimed at, by name, over all repetitions; at most 20, then only their number counts.
    pub nodes: Vec<String>,
    /// How many nodes it was aimed at; a node counts once per repetition.
    pub aimed: u64,
    /// What it did, by name: `crashed`, `restarted`, `left`, `joined`, `packets_dropped`, `streams_cut`, ...
    pub did: BTreeMap<String, u64>,
    /// Whether it may touch nothing without failing the run.
    pub may_be_idle: bool,
}

impl FaultEffect {
    /// Whether the fault touched anything.
    #[must_use]
    pub fn acted(&self) -> bool {
        self.did.values().any(|n| *n > 0)
    }
}

/// What an invariant found.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct InvariantOutcome {
    /// Its number in the design.
    pub number: u8,
    /// Its name; empty where a long summary has it with the variant's first run alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Facts checked; an invariant that checked nothing proves nothing.
    pub checked: u64,
    /// Violations seen.
    pub violations: u64,
    /// The first violation: when, where, what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Violation>,
    /// Why the invariant does not apply to this run, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// What was checked, in this run's numbers: a bound in seconds, a limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A violated invariant.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    /// Seconds from t = 0.
    pub at: f64,
    /// The node at which it was seen.
    pub node: String,
    /// What was seen, and what would have been right.
    pub what: String,
}
