//! Trying smaller scenarios: which of them is the first that still fails.

use std::collections::HashMap;
use std::time::Instant;

use rayon::prelude::*;

use super::failure::{Failure, Found, Runs};
use super::size::Size;
use super::{Budget, Progress};
use crate::panics::caught_quietly;
use crate::record::RunRecord;
use crate::scenario::Scenario;
use crate::world;

/// Seeds on which a scenario is tried where it holds on its own: what is drawn depends on the number of nodes, and chance on everything.
const FURTHER: u64 = 3;

/// How a variant is run with a seed: the whole run, or the measured time alone.
pub(super) type Run = fn(&Scenario, usize, u64, bool) -> RunRecord;

/// Runs it.
pub(super) fn run(scenario: &Scenario, variant: usize, seed: u64, whole: bool) -> RunRecord {
    if whole { world::run(scenario, variant, seed) } else { world::run_measured(scenario, variant, seed) }
}

/// What came of a scenario.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// The first seed that fails in the same way.
    seed: Option<u64>,
    /// Runs that it took.
    runs: u64,
    /// Whether they have been counted: what several threads try ahead counts when its turn comes.
    counted: bool,
}

/// A scenario that fails, and what is known of smaller ones.
pub(super) struct Search<'p> {
    pub(super) current: Scenario,
    pub(super) failure: Failure,
    /// When the violation was seen, until somebody has made use of it.
    pub(super) moment: Option<f64>,
    /// What is being cut, for whoever watches.
    pub(super) pass: &'static str,
    /// How often something was cut.
    pub(super) cuts: u64,
    /// Whether the budget is used up.
    pub(super) over: bool,
    pub(super) runs: u64,
    /// What was current before, the latest last.
    pub(super) taken: Vec<Scenario>,
    run: Run,
    whole: bool,
    seeds: Vec<u64>,
    tried: HashMap<u128, Outcome>,
    budget: Budget,
    began: Instant,
    was: &'p Size,
    watch: &'p mut (dyn FnMut(&Progress<'_>) + Send),
}

impl<'p> Search<'p> {
    pub(super) fn new(
        run: Run,
        found: Found,
        budget: Budget,
        was: &'p Size,
        watch: &'p mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Self {
        let Found { failure, scenario, moment } = found;
        let mut whole = failure.needs_quiet_time(moment, scenario.duration.as_secs_f64());
        if whole && matches!(failure, Failure::Panic { .. }) {
            whole = !failure.shows(&scenario, &records(run, &scenario, scenario.seed, false));
        }
        let seeds = (0..=FURTHER).map(|k| scenario.seed.wrapping_add(k)).collect();
        let (pass, cuts, over, runs) = ("", 0, false, 0);
        let (taken, tried, began) = (Vec::new(), HashMap::new(), Instant::now());
        Self {
            current: scenario,
            failure,
            moment,
            pass,
            cuts,
            over,
            runs,
            taken,
            run,
            whole,
            seeds,
            tried,
            budget,
            began,
            was,
            watch,
        }
    }

    /// Goes on with the first of these that is sound and still fails; whether there is one. They should come in the order of what is
    /// wished for.
    pub(super) fn first(&mut self, candidates: impl IntoIterator<Item = Scenario>) -> bool {
        let current = self.current.clone();
        let mut waiting = candidates.into_iter().filter(|one| *one != current && one.check().is_ok()).fuse();
        loop {
            let ahead = rayon::current_num_threads().max(1);
            let batch: Vec<(u128, Scenario)> =
                waiting.by_ref().take(ahead).map(|one| (fingerprint(&one), one)).collect();
            if batch.is_empty() || self.over {
                return false;
            }
            for (print, outcome) in self.outcomes(&batch) {
                self.tried.entry(print).or_insert(outcome);
            }
            for (print, candidate) in batch {
                if let Some(seed) = self.count(print) {
                    self.cuts += 1;
                    let before = std::mem::replace(&mut self.current, Scenario { seed, ..candidate });
                    self.taken.push(before);
                    self.tell();
                    return true;
                }
                if self.over {
                    return false;
                }
            }
            self.tell();
        }
    }

    /// What comes of those that have not been tried, in any order, with the same result.
    fn outcomes(&self, batch: &[(u128, Scenario)]) -> Vec<(u128, Outcome)> {
        let (failure, seeds, how) = (&self.failure, &self.seeds[..], (self.run, self.whole));
        let untried: Vec<&(u128, Scenario)> =
            batch.iter().filter(|(print, _)| !self.tried.contains_key(print)).collect();
        untried.into_par_iter().map(|(print, one)| (*print, attempt(one, failure, seeds, how))).collect()
    }

    /// Its turn has come: counts its runs, and gives the seed on which it fails.
    fn count(&mut self, print: u128) -> Option<u64> {
        let outcome = self.tried.get_mut(&print)?;
        if !std::mem::replace(&mut outcome.counted, true) {
            self.runs += outcome.runs;
        }
        let seed = outcome.seed;
        self.over |=
            self.runs > self.budget.runs || self.budget.time.is_some_and(|time| self.began.elapsed() >= time);
        // What the budget does not cover has not been found.
        seed.filter(|_| self.runs <= self.budget.runs)
    }

    fn tell(&mut self) {
        let now = Size::of(&self.current);
        (self.watch)(&Progress { pass: self.pass, runs: self.runs, was: self.was, now: &now });
    }
}

/// What a scenario is, name and seed included.
fn fingerprint(scenario: &Scenario) -> u128 {
    xxhash_rust::xxh3::xxh3_128(format!("{scenario:?}").as_bytes())
}

/// Runs a scenario on its own seed and, where it holds, on further ones.
fn attempt(scenario: &Scenario, failure: &Failure, seeds: &[u64], (run, whole): (Run, bool)) -> Outcome {
    let further = seeds.iter().copied().filter(|seed| *seed != scenario.seed);
    let mut runs = 0;
    for seed in std::iter::once(scenario.seed).chain(further) {
        let records = records(run, scenario, seed, whole);
        runs += scenario.variants.len() as u64;
        if failure.shows(scenario, &records) {
            return Outcome { seed: Some(seed), runs, counted: false };
        }
    }
    Outcome { seed: None, runs, counted: false }
}

/// One run of each variant. What panics here does so again and again, so that nobody wants to read it.
pub(super) fn records(run: Run, scenario: &Scenario, seed: u64, whole: bool) -> Runs {
    let variants = 0..scenario.variants.len();
    variants.map(|variant| caught_quietly(|| run(scenario, variant, seed, whole))).collect()
}
