//! Failures that nodes declared, and which of them were wrong.

use std::collections::HashMap;

use rumormill_core::time::nanos;

use crate::scenario::Scenario;
use crate::trace::{Filter, Kind, Recording, What};
use crate::world::watch::{Part, part};

/// A failure that one node declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When, nanoseconds since t = 0.
    pub time: u64,
    /// Who declared it.
    pub observer: u32,
    /// Who is said to have failed.
    pub subject: u32,
    /// The incarnation that is.
    pub incarnation: u32,
    /// Whose suspicion ran out: the observer's own, or another's, whose word it took.
    pub declarer: Option<u32>,
    /// Whether it counts as a false positive, as [the metrics](crate::metrics) count them.
    pub false_positive: bool,
}

/// The verdicts of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// The verdicts, in order.
    pub list: Vec<Verdict>,
    /// Happenings that were not recorded for want of room: where there are any, verdicts may be missing.
    pub left_out: u64,
}

/// Most happenings that are kept of one run: two for a verdict.
const ENTRIES_MAX: usize = 4_000_000;

/// Every failure that was declared in the measured time of one run, in order. `progress` is told now and then how many seconds have been
/// simulated.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn verdicts(scenario: &Scenario, variant: usize, seed: u64, progress: &mut dyn FnMut(f64)) -> Verdicts {
    let filter = Filter { kinds: vec![Kind::Death], most: ENTRIES_MAX, ..Filter::default() };
    let whole = Part { variant, seed, spared: &[], until: nanos(scenario.duration) };
    let recording = part(scenario, &whole, filter, &|_| false, progress);
    Verdicts { list: read(&recording), left_out: recording.left_out }
}

/// The verdicts of a recording.
fn read(recording: &Recording) -> Vec<Verdict> {
    let mut declarers: HashMap<(u32, u32), Option<u32>> = HashMap::new();
    let mut verdicts = Vec::new();
    for entry in &recording.entries {
        let Some(observer) = entry.node else { continue };
        match entry.what {
            What::DeclaredDead { subject, accuser, .. } => {
                declarers.insert((observer, subject), accuser);
            }
            What::Failed { subject, incarnation, false_positive } => {
                let declarer = declarers.remove(&(observer, subject)).flatten();
                let time = entry.time;
                verdicts.push(Verdict { time, observer, subject, incarnation, declarer, false_positive });
            }
            _ => {}
        }
    }
    verdicts
}
