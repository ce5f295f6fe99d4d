//! Many runs, and the tally of what they found and reached.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::outcome::{Outcome, run_drawn};
use super::swarm::Swarm;
use crate::sightings::Sight;

/// Runs between two looks at the clock, and between two foldings into the tally.
const BATCH: u64 = 256;

/// Failing runs that are kept with all that is known of them; more are only counted.
const FAILURES_MAX: usize = 100;

/// What is told of a campaign while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A seed has been drawn, and is run now: what it drew, in a line.
    Begins(u64, &'a str),
    /// A run has ended.
    Ended(&'a Outcome),
}

/// Runs from one seed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// The first seed; run k has `first_seed + k`.
    pub first_seed: u64,
    /// What is drawn from.
    pub swarm: Swarm,
}

/// In how many runs a state was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// So many.
    pub runs: u64,
    /// The first of them.
    pub first: Option<u64>,
}

/// What a campaign found and reached. Equal for equal campaigns, whatever the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Inputs handed to nodes, over all runs.
    pub steps: u64,
    /// Runs in which invariant 7 applied.
    pub quiet: u64,
    /// Runs in which something did not hold.
    pub failed: u64,
    /// The first hundred of them, by seed.
    pub failures: Vec<Outcome>,
    seen: [Seen; Sight::COUNT],
    digest: u128,
}

impl Tally {
    /// The tally of these outcomes.
    #[must_use]
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut tally = Self::new();
        outcomes.into_iter().for_each(|outcome| tally.add(outcome));
        tally
    }

    fn new() -> Self {
        Self {
            runs: 0,
            steps: 0,
            quiet: 0,
            failed: 0,
            failures: Vec::new(),
            seen: [Seen::default(); Sight::COUNT],
            digest: 0,
        }
    }

    fn add(&mut self, outcome: Outcome) {
        self.runs += 1;
        self.steps += outcome.steps;
        self.quiet += u64::from(outcome.quiet);
        self.digest = xxh3_128(format!("{:032x} {}", self.digest, outcome.digest).as_bytes());
        for (sight, seen) in Sight::ALL.into_iter().zip(&mut self.seen) {
            if outcome.seen.count(sight) > 0 {
                seen.runs += 1;
                seen.first.get_or_insert(outcome.seed);
            }
        }
        if !outcome.broken.is_empty() {
            self.failed += 1;
            if self.failures.len() < FAILURES_MAX {
                self.failures.push(outcome);
            }
        }
    }

    /// In how many runs this state was reached.
    #[must_use]
    pub const fn seen(&self, sight: Sight) -> Seen {
        self.seen[sight as usize]
    }

    /// The states that no run reached.
    pub fn unseen(&self) -> impl Iterator<Item = Sight> {
        Sight::ALL.into_iter().filter(|sight| self.seen(*sight).runs == 0)
    }

    /// Digest of all runs in order (32 hex digits).
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:032x}", self.digest)
    }
}

impl Campaign {
    /// So many runs, in the current rayon thread pool. `progress` is told of each, from any thread.
    #[must_use]
    pub fn run(&self, runs: u64, progress: &(dyn Fn(Told<'_>) + Sync)) -> Tally {
        self.run_while(progress, &mut |done| runs.saturating_sub(done).min(BATCH))
    }

    /// Runs in batches. `more` is told how many runs there were, and says how many the next batch has; with 0 the campaign ends.
    pub fn run_while(&self, progress: &(dyn Fn(Told<'_>) + Sync), more: &mut dyn FnMut(u64) -> u64) -> Tally {
        let mut tally = Tally::new();
        loop {
            let batch = more(tally.runs);
            if batch == 0 {
                return tally;
            }
            let first = self.first_seed.wrapping_add(tally.runs);
            let outcomes: Vec<Outcome> = (0..batch)
                .into_par_iter()
                .map(|k| {
                    let seed = first.wrapping_add(k);
                    let drawn = self.swarm.draw(seed);
                    progress(Told::Begins(seed, &drawn.line));
                    let outcome = run_drawn(drawn, seed);
                    progress(Told::Ended(&outcome));
                    outcome
                })
                .collect();
            outcomes.into_iter().for_each(|outcome| tally.add(outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::sightings::Sightings;

    #[test]
    fn any_number_of_threads_gives_the_same_tally() {
        let campaign = Campaign { first_seed: 5, swarm: Swarm { nodes_min: 2, nodes_max: 6 } };
        let told = AtomicU64::new(0);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let progress = |of: Told<'_>| {
                told.fetch_add(u64::from(matches!(of, Told::Ended(_))), Ordering::Relaxed);
            };
            pool.install(|| campaign.run(12, &progress))
        };
        assert_eq!(with(1), with(3));
        assert_eq!(told.load(Ordering::Relaxed), 24);
    }

    #[test]
    fn a_tally_counts_runs_and_not_how_often_each_saw_something() {
        let outcome = |seed: u64, refutations: u64, broken: Vec<String>| {
            let mut seen = Sightings::default();
            seen.add(Sight::Refutation, refutations);
            let (line, digest) = (String::new(), seed.to_string());
            let shrinks = !broken.is_empty();
            Outcome { seed, line, digest, steps: 10, quiet: seed == 4, broken, shrinks, seen }
        };
        let broken = || vec!["invariant 1".to_owned()];
        let mut tally =
            Tally::of([outcome(3, 0, Vec::new()), outcome(4, 7, Vec::new()), outcome(5, 1, broken())]);
        assert_eq!((tally.runs, tally.steps, tally.quiet, tally.failed), (3, 30, 1, 1));
        assert_eq!(tally.seen(Sight::Refutation), Seen { runs: 2, first: Some(4) });
        assert_eq!(tally.unseen().count(), Sight::COUNT - 1);
        assert_eq!(tally.failures[0].seed, 5);
        for seed in 6..300 {
            tally.add(outcome(seed, 0, broken()));
        }
        assert_eq!((tally.failed, tally.failures.len()), (295, FAILURES_MAX));
    }
}
