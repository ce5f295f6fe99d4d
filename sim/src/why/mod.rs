//! Why did a node declare a member failed? `rumor-sim why`.
//!
//! A run is deterministic, so a verdict can be followed back at leisure: the run is made again with a [recording](crate::trace) of
//! all that is about the accused member, the chain is read off it (whose suspicion ran out, who accused, which probe failed and for
//! want of which packets, and why the answer came too late), and then the run is made once more for each packet that was lost or late and
//! for each fault that had a hand in it, without just that. Up to the changed thing such a run is the same, so its answer is exact.
//!
//! ```
//! use rumormill_sim::{Scenario, why};
//!
//! let text = r#"
//!     name = "cut"
//!     duration = "30s"
//!     [cluster]
//!     nodes = 5
//!     [[fault]]
//!     at = "5s"
//!     kind = "crash"
//!     nodes = ["node-3"]
//! "#;
//! let scenario = Scenario::parse(text, "cut.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
//! let all = why::verdicts(&scenario, 0, 1, &mut |_| {}).list;
//! assert!(all.iter().all(|verdict| verdict.subject == 3 && !verdict.false_positive));
//! let question = why::Question { variant: 0, seed: 1, verdict: all[0], reruns: 4 };
//! let explanation = why::explain(&scenario, &question, &mut |_, _| {}).unwrap();
//! println!("{}", why::text(&explanation, false, 100));
//! ```

mod case;
mod findings;
mod probe;
mod reruns;
mod steps;
mod story;
mod text;
mod verdict;

pub use reruns::{How, Probed, Rerun};
pub use steps::Step;
pub use text::{list, not_recorded, text};
pub use verdict::{Verdict, Verdicts, verdicts};

use rumormill_core::time::nanos;

use crate::scenario::Scenario;
use crate::trace::{Filter, Kind};
use crate::truth::node_name;
use crate::world::watch::{Part, part};
use case::Case;

/// Which verdict is to be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The variant's index in [`Scenario::variants`].
    pub variant: usize,
    /// The seed.
    pub seed: u64,
    /// One of [`verdicts`].
    pub verdict: Verdict,
    /// The most runs that are made to find out what would have prevented it; 0: none.
    pub reruns: u32,
}

/// A verdict explained.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// When the verdict was given, seconds since t = 0.
    pub time: f64,
    /// Who gave it.
    pub observer: String,
    /// About whom.
    pub subject: String,
    /// About which incarnation.
    pub incarnation: u32,
    /// Whether it counts as a false positive.
    pub false_positive: bool,
    /// What happened, in words: a paragraph each.
    pub story: Vec<String>,
    /// The same as a timeline.
    pub steps: Vec<Step>,
    /// What was changed to see whether it would have prevented the verdict.
    pub reruns: Vec<Rerun>,
    /// Changes that were not tried for want of runs.
    pub not_tried: usize,
    /// Happenings that were not recorded for want of room: where there are any, the chain may have gaps.
    pub left_out: u64,
}

/// How long before a verdict the observation begins, beyond the longest suspicion: gossip, a probe stretched by bad health, a pause.
const BEFORE: u64 = 60_000_000_000;
/// How long after it it ends: an answer that was too late still comes.
const AFTER: u64 = 30_000_000_000;
/// Most happenings that an observation keeps.
const ENTRIES_MAX: usize = 2_000_000;

/// Explains a verdict. `progress` is told now and then how many runs have begun, and how many seconds of the present one have been simulated.
///
/// `None` when that run has no such verdict.
///
/// # Panics
/// When the scenario has no such variant.
pub fn explain(
    scenario: &Scenario,
    question: &Question,
    progress: &mut dyn FnMut(u32, f64),
) -> Option<Explanation> {
    let Question { variant, seed, verdict, .. } = *question;
    let mut ran = Ran { runs: 0, progress };
    let times = rumormill_core::suspicion_times(&scenario.variants[variant].config, scenario.cluster.nodes);
    let longest = nanos(times.max).saturating_add(BEFORE);
    let until = verdict.time.saturating_add(AFTER);
    let filter = Filter {
        from: verdict.time.saturating_sub(longest),
        until,
        about: vec![verdict.subject],
        kinds: Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Tick | Kind::Arrival)).collect(),
        most: ENTRIES_MAX,
        ..Filter::default()
    };
    let observed = Part { variant, seed, spared: &[], until };
    ran.begin();
    let recording = part(scenario, &observed, filter, &|_| false, &mut |seconds| ran.tell(seconds));
    let case = Case::new(scenario, &recording, verdict);
    let found = findings::findings(&case)?;
    let (reruns, not_tried) = reruns::reruns(&case, &found, question, &mut ran);
    Some(Explanation {
        scenario: scenario.name.clone(),
        variant: scenario.variants[variant].name.clone(),
        seed,
        time: verdict.time as f64 / 1e9,
        observer: node_name(verdict.observer),
        subject: node_name(verdict.subject),
        incarnation: verdict.incarnation,
        false_positive: verdict.false_positive,
        story: story::story(&case, &found),
        steps: steps::steps(&case, &found),
        reruns,
        not_tried,
        left_out: recording.left_out,
    })
}

/// The runs that were made, and who wants to know.
struct Ran<'p> {
    runs: u32,
    progress: &'p mut dyn FnMut(u32, f64),
}

impl Ran<'_> {
    fn begin(&mut self) {
        self.runs += 1;
    }

    fn tell(&mut self, seconds: f64) {
        (self.progress)(self.runs, seconds);
    }
}

#[cfg(test)]
mod tests;
