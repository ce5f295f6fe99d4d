//! The finalists on seeds that no choice has seen.

use super::finalists::FINALISTS;
use super::question::Question;
use super::space::Settings;
use super::stress::{Length, crashes, text};
use super::tune::{Search, figures, objectives};
use super::verdict::{Advice, Finalist, Verdict};
use super::{EXPOSURE_MAX, Tell, trial};
use crate::record::RunRecord;
use crate::stats;
use crate::sweep::{Estimate, TAIL, front};

/// From the first tuning seed to the first held-out one.
const APART: u64 = 1_000_000;
/// Runs at least.
const RUNS_MIN: u32 = 12;
/// Runs at most.
const RUNS_MAX: u32 = 2000;
/// Longest run, simulated seconds: beyond, more runs say more than longer ones.
const SECONDS_MAX: u64 = 1800;

/// False positives that may be seen, and the target still be shown.
const EVENTS: u64 = 5;
/// Most node-hours that are watched unless more are asked for.
const HOURS_MAX: f64 = 5000.0;

/// How the finalists are run.
struct Design {
    runs: u32,
    length: Length,
    /// The chance that each interval leaves out on either side.
    tail: f64,
}

impl Design {
    fn new(question: &Question) -> Self {
        // The profile's own settings are one more.
        let tail = TAIL / (FINALISTS + 1) as f64;
        let base = Length::tuning(question);
        // So many independent crashes that the percentile has an interval, and a fifth more, as crashes of a run share it.
        let share = f64::from(question.targets.permille) / 1000.0;
        let crashes = libm::log(2.0 * tail) / libm::log(share) * 1.2 / f64::from(crashes(question));
        let mut runs = (libm::ceil(crashes) as u32).clamp(RUNS_MIN, RUNS_MAX);
        let shown =
            question.targets.false_positives_below.map(|below| stats::garwood_at(EVENTS, tail).1 / below);
        let hours = question.exposure.or(shown.map(|hours| hours.min(HOURS_MAX))).unwrap_or(0.0);
        let mut length = base;
        let missing = hours - base.node_hours(question) * f64::from(runs);
        if missing > 0.0 {
            let more = libm::ceil(missing * 3600.0 / f64::from(question.nodes) / f64::from(runs)) as u64;
            length = base.longer(more.min(SECONDS_MAX.saturating_sub(base.duration.as_secs())));
            runs = runs.max((libm::ceil(hours / length.node_hours(question)) as u32).min(RUNS_MAX));
        }
        Self { runs, length, tail }
    }

    /// Most node-hours for which a finalist can be watched, as runs and their length are bounded.
    fn most(question: &Question) -> f64 {
        let base = Length::tuning(question);
        let longest = base.longer(SECONDS_MAX.saturating_sub(base.duration.as_secs()));
        libm::floor(longest.node_hours(question) * f64::from(RUNS_MAX)).min(f64::from(EXPOSURE_MAX))
    }
}

/// Runs the finalists and the profile's settings, and judges them.
pub(super) fn confirm(
    question: &Question,
    candidates: &[Settings],
    search: &Search,
    chosen: &[usize],
    tell: &(dyn Fn(Tell) + Sync),
) -> Result<Advice, String> {
    let design = Design::new(question);
    let first = question.seed.wrapping_add(APART);
    let settings: Vec<&Settings> =
        std::iter::once(&0).chain(chosen).filter_map(|number| candidates.get(*number)).collect();
    let seeds = u64::from(design.runs);
    let cells: Vec<(&Settings, u64)> = settings
        .iter()
        .flat_map(|settings| (0..seeds).map(move |k| (*settings, first.wrapping_add(k))))
        .collect();
    let name = format!("confirming {} settings on {} other seeds", chosen.len(), design.runs);
    tell(Tell::Stage { name, seconds: cells.len() as u64 * design.length.duration.as_secs() });
    let records = trial(question, &cells, &design.length, tell)?;
    let mut finalists: Vec<Finalist> = records
        .chunks(design.runs as usize)
        .zip(&settings)
        .map(|(runs, settings)| judge(question, settings, &runs.iter().collect::<Vec<_>>(), design.tail))
        .collect();
    mark_front(question, &mut finalists);
    let recommended = recommended(&finalists);
    let advised = recommended.and_then(|k| finalists.get(k)).map(|finalist| finalist.settings.clone());
    let shown = advised.unwrap_or_default();
    let mut variants = vec![("profile", &candidates[0])];
    if !shown.0.is_empty() {
        variants.push(("advised", &shown));
    }
    Ok(Advice {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        question: question.words(),
        profile: super::stress::profile_name(question.profile).to_owned(),
        targets: question.targets.given(),
        permille: question.targets.permille,
        tried: search.tried,
        search_runs: search.runs,
        search_seeds: (question.seed, question.seed.wrapping_add(8)),
        confirm_runs: design.runs,
        confirm_seeds: (first, first.wrapping_add(seeds - 1)),
        exposure_asked: question.exposure,
        exposure_max: Design::most(question),
        confidence: 1.0 - 2.0 * design.tail,
        scenario: text(question, &variants, &design.length, (first, design.runs)),
        recommended,
        finalists,
    })
}

fn judge(question: &Question, settings: &Settings, runs: &[&RunRecord], tail: f64) -> Finalist {
    let figures = figures(question, runs, tail);
    let verdicts = super::Target::ALL.into_iter().zip(&figures).map(|(target, figure)| {
        question.targets.bound(target).map(|bound| Verdict::of(target, bound, figure))
    });
    Finalist {
        settings: settings.clone(),
        verdicts: verdicts.flatten().collect(),
        figures,
        front: false,
        unsound: runs
            .iter()
            .filter(|run| run.invariants.iter().any(|i| i.violations > 0))
            .map(|run| run.seed)
            .collect(),
    }
}

/// Marks the finalists that no other beats in all three figures.
fn mark_front(question: &Question, finalists: &mut [Finalist]) {
    let figures: Vec<Vec<Estimate>> = finalists.iter().map(|finalist| finalist.figures.to_vec()).collect();
    for (finalist, on) in finalists.iter_mut().zip(front(&objectives(question), &figures)) {
        finalist.front = on;
    }
}

/// The cheapest of those that are shown to meet all targets; the profile's own settings are the first, and need no change.
fn recommended(finalists: &[Finalist]) -> Option<usize> {
    let bytes = |finalist: &Finalist| finalist.figures[2].value.map_or(f64::INFINITY, |v| v.value);
    let meeting = finalists.iter().enumerate().filter(|(_, finalist)| finalist.meets_all());
    meeting.min_by(|a, b| bytes(a.1).total_cmp(&bytes(b.1)).then(a.0.cmp(&b.0))).map(|(k, _)| k)
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::*;

    #[test]
    fn the_most_that_can_be_watched_is_watched_when_it_is_asked_for() {
        for (nodes, permille) in [(3, 990), (10, 900), (200, 500), (10_000, 990)] {
            let mut asked = Question { nodes, ..question() };
            asked.targets.permille = permille;
            let most = Design::most(&asked);
            for share in [0.1, 0.5, 1.0] {
                asked.exposure = Some(most * share);
                let design = Design::new(&asked);
                let watched = design.length.node_hours(&asked) * f64::from(design.runs);
                assert!(watched >= most * share && design.runs <= RUNS_MAX, "{nodes}: {watched} of {most}");
            }
            asked.exposure = Some(most * 2.0);
            let design = Design::new(&asked);
            assert!(design.runs <= RUNS_MAX && design.length.duration.as_secs() <= SECONDS_MAX);
        }
    }
}
