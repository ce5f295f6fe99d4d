//! The search: all settings on few seeds, the better third on more of them, and so on (successive halving, by thirds).

use super::question::{Question, Target};
use super::space::Settings;
use super::stress::Length;
use super::{Tell, trial};
use crate::record::{RunRecord, Sample};
use crate::stats;
use crate::sweep::{Better, Estimate, Objective, TAIL};

/// Seeds by the end of each round: a third of the settings stays from one to the next.
const ROUNDS: [u64; 3] = [1, 3, 9];
/// On tuning seeds a target counts as met with so much to spare.
const TO_SPARE: f64 = 0.9;

/// Settings with what their runs said.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    /// Which of all settings.
    pub(super) number: usize,
    runs: Vec<RunRecord>,
    /// By [`Target::ALL`].
    pub(super) figures: [Estimate; 3],
}

/// What a search came to.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// Runs made.
    pub(super) runs: u64,
    /// Settings that were tried.
    pub(super) tried: usize,
    /// Those of the last round, the best first.
    pub(super) last_round: Vec<Tried>,
}

/// Tries settings.
pub(super) fn tune(
    question: &Question,
    candidates: &[Settings],
    tell: &(dyn Fn(Tell) + Sync),
) -> Result<Search, String> {
    let length = Length::tuning(question);
    let mut left: Vec<Tried> = (0..candidates.len())
        .map(|number| Tried { number, runs: Vec::new(), figures: [Estimate::default(); 3] })
        .collect();
    let mut runs = 0;
    for (round, seeds) in ROUNDS.into_iter().enumerate() {
        if round > 0 {
            left.truncate(left.len().div_ceil(3));
        }
        let done = left.first().map_or(0, |tried| tried.runs.len() as u64);
        let cells: Vec<(usize, u64)> = (0..left.len())
            .flat_map(|k| (done..seeds).map(move |seed| (k, seed)))
            .map(|(k, seed)| (k, question.seed.wrapping_add(seed)))
            .collect();
        let name = format!("search, round {} of {}: {} settings", round + 1, ROUNDS.len(), left.len());
        tell(Tell::Stage { name, seconds: cells.len() as u64 * length.duration.as_secs() });
        let jobs: Vec<(&Settings, u64)> =
            cells.iter().map(|(k, seed)| (&candidates[left[*k].number], *seed)).collect();
        let records = trial(question, &jobs, &length, tell)?;
        runs += records.len() as u64;
        for ((k, _), record) in cells.iter().zip(records) {
            left[*k].runs.push(record);
        }
        for tried in &mut left {
            tried.figures = figures(question, &tried.runs.iter().collect::<Vec<_>>(), TAIL);
        }
        left.sort_by(|a, b| rank(question, a).order(&rank(question, b)).then(a.number.cmp(&b.number)));
    }
    Ok(Search { runs, tried: candidates.len(), last_round: left })
}

/// What is looked at, by [`Target::ALL`].
pub(super) fn objectives(question: &Question) -> [Objective; 3] {
    let statistic = match question.targets.permille {
        500 => "p50",
        990 => "p99",
        _ => "p90",
    };
    let min = |metric, statistic| Objective { metric, statistic, better: Better::Min };
    [min("detection.all", Some(statistic)), min("false_positive_rate.all", None), min("load.bytes", None)]
}

/// The figures of some runs, by [`Target::ALL`].
pub(super) fn figures(question: &Question, runs: &[&RunRecord], tail: f64) -> [Estimate; 3] {
    let [detection, wrong, load] = objectives(question);
    let mut known = Estimate::at(&detection, runs, tail);
    // A search has few samples, and what they say is better than nothing.
    if known.value.is_none() {
        let samples = runs.iter().filter_map(|run| run.distributions.get(detection.metric)).flatten();
        let mut samples: Vec<Sample> = samples.copied().collect();
        samples.sort_by(stats::by_time);
        known.value = stats::quantile(&samples, question.targets.permille);
    }
    [known, Estimate::at(&wrong, runs, tail), Estimate::mean(load.metric, runs, tail)]
}

/// How far a figure is from its target: 1 is just met. A figure that is not known, or only known to be larger, is far away.
pub(super) fn excess(figure: &Estimate, bound: f64) -> f64 {
    match figure.value {
        Some(value) if !value.censored => value.value / bound,
        _ => f64::INFINITY,
    }
}

/// Small is good: first how far the worst target is missed, then what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    missed: f64,
    bytes: f64,
}

impl Rank {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.missed.total_cmp(&other.missed).then(self.bytes.total_cmp(&other.bytes))
    }
}

fn rank(question: &Question, tried: &Tried) -> Rank {
    Rank { missed: missed(question, tried), bytes: bytes(tried) }
}

/// How far the worst target is missed; 1 when all are met with something to spare.
pub(super) fn missed(question: &Question, tried: &Tried) -> f64 {
    let of = |(target, figure): (Target, &Estimate)| {
        question.targets.bound(target).map_or(0.0, |bound| excess(figure, bound) / TO_SPARE)
    };
    Target::ALL.into_iter().zip(&tried.figures).map(of).fold(1.0, f64::max)
}

pub(super) fn bytes(tried: &Tried) -> f64 {
    tried.figures[2].value.map_or(f64::INFINITY, |value| value.value)
}

#[cfg(test)]
impl Tried {
    pub(super) fn made_up(number: usize, values: [f64; 3]) -> Self {
        let one = |value| Estimate { value: Some(stats::seen(value)), ..Estimate::default() };
        Self { number, runs: Vec::new(), figures: values.map(one) }
    }
}
