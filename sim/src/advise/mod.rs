//! Settings that meet targets: searched on some seeds, confirmed on others.
//!
//! A [`Question`] says what the cluster is like and what is asked of it. Settings are drawn around the profile's, tried on tuning seeds with
//! less and less of them left (successive halving), and a few finalists run on seeds that no choice has seen, beside the profile's own
//! settings. A target counts as met only when the whole interval of the held-out figure meets it; the finalists share the chance of
//! error (Bonferroni), so that with 95 % confidence none that is said to meet all targets misses one.

mod confirm;
mod finalists;
mod question;
mod space;
mod stress;
mod tune;
mod verdict;

use std::time::Duration;

use rayon::prelude::*;
use rumormill_core::config::format_duration;

pub use question::{Latencies, Question, Rate, Target, Targets};
pub use space::Settings;
pub use verdict::{Advice, Finalist, Met, Verdict, hours_to_show};

use crate::record::{RunRecord, Series};
use crate::scenario::Scenario;
use crate::stats;
use crate::world;

/// What is told while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// A stage begins that simulates so many seconds.
    Stage {
        /// What it is.
        name: String,
        /// Its simulated seconds, quiet times apart.
        seconds: u64,
    },
    /// So many more seconds have been simulated.
    Seconds(u64),
}

/// Searches and confirms, in the current rayon thread pool. The advice does not depend on the number of threads.
///
/// # Errors
/// When the question makes no sound scenario: too large a loss, ...
pub fn advise(question: &Question, tell: &(dyn Fn(Tell) + Sync)) -> Result<Advice, String> {
    let candidates = space::draw(question);
    let ranked = tune::tune(question, &candidates, tell)?;
    let finalists = finalists::choose(question, &ranked.last_round);
    confirm::confirm(question, &candidates, &ranked, &finalists, tell)
}

/// As many runs at once as there are cores, and no more than the free memory holds.
///
/// # Errors
/// As [`advise`].
pub fn jobs_that_fit(question: &Question) -> Result<usize, String> {
    let scenario = stress::scenario(question, &Settings::default(), &stress::Length::tuning(question))?;
    Ok(crate::batch::jobs_that_fit(&scenario))
}

/// Most node-hours that may be asked for.
pub const EXPOSURE_MAX: u32 = 1_000_000;

/// Runs settings over seeds; every wrong declaration of a run counts as a false positive.
fn trial(
    question: &Question,
    cells: &[(&Settings, u64)],
    length: &stress::Length,
    tell: &(dyn Fn(Tell) + Sync),
) -> Result<Vec<RunRecord>, String> {
    let run = |(settings, seed): &(&Settings, u64)| {
        let scenario = stress::scenario(question, settings, length)?;
        Ok(one(&scenario, *seed, tell))
    };
    cells.par_iter().map(run).collect()
}

fn one(scenario: &Scenario, seed: u64, tell: &(dyn Fn(Tell) + Sync)) -> RunRecord {
    let total = scenario.duration.as_secs();
    let mut shown = 0;
    let mut record = world::run_with(scenario, 0, seed, &mut |seconds| {
        let now = (seconds as u64).min(total);
        tell(Tell::Seconds(now.saturating_sub(shown)));
        shown = shown.max(now);
    });
    tell(Tell::Seconds(total.saturating_sub(shown)));
    record.series = Series::default();
    // A slow member that is declared failed comes back: that is no false positive by the book, but it is one to whom the cluster belongs.
    // Which flaps are false positives too is not known, so the sum is the safe side: some count twice, none is missing.
    let count = |metric: &str| record.values.get(metric).map_or(0.0, |sample| sample.value);
    let wrong = count("false_positives.all") + count("flaps");
    record.values.insert("false_positives.all".to_owned(), stats::seen(wrong));
    record
}

/// A duration to the millisecond, as scenarios write it.
fn written(duration: Duration) -> String {
    let ms = libm::round(duration.as_secs_f64() * 1000.0);
    format_duration(Duration::from_millis(ms as u64))
}

#[cfg(test)]
mod tests;
