//! One run of a campaign, and what came of it.

use super::swarm::{Drawn, Swarm};
use crate::panics::caught;
use crate::record::{InvariantOutcome, RunRecord};
use crate::sightings::Sightings;
use crate::world;

/// One run in so many is run twice, to see whether it is the same.
const TWICE: u64 = 64;

/// What came of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The seed, of the scenario and of its run.
    pub seed: u64,
    /// What was drawn, in a line.
    pub line: String,
    /// The run's digest; empty where it panicked.
    pub digest: String,
    /// Inputs handed to nodes.
    pub steps: u64,
    /// Whether invariant 7 (quiet time) applied.
    pub quiet: bool,
    /// What did not hold, a sentence each; empty when all did.
    pub broken: Vec<String>,
    /// Whether [`shrink`](crate::shrink::shrink) sees it too: an invariant or a panic, and not merely a run that differs when it is repeated.
    pub shrinks: bool,
    /// The states that were reached.
    pub seen: Sightings,
}

/// Draws and runs one seed. A panic is an outcome too.
#[must_use]
pub fn run_one(swarm: &Swarm, seed: u64) -> Outcome {
    run_drawn(swarm.draw(seed), seed)
}

/// Runs what a seed drew.
pub(super) fn run_drawn(drawn: Drawn, seed: u64) -> Outcome {
    let (record, seen) = match caught(|| world::run_seen(&drawn.scenario, 0, seed)) {
        Ok(result) => result,
        Err(words) => return panicked(drawn, seed, &words),
    };
    let mut broken: Vec<String> = record.invariants.iter().filter_map(violation).collect();
    let shrinks = !broken.is_empty();
    if seed.is_multiple_of(TWICE) {
        // Without watching: that must change nothing either.
        let was = &record.digest;
        match caught(|| world::run(&drawn.scenario, 0, seed).digest) {
            Ok(again) if again == *was => {}
            Ok(again) => {
                broken.push(format!("a run is a value: its digest was {was}, and {again} the next time"));
            }
            Err(words) => {
                broken.push(format!(
                    "a run is a value: its digest was {was}, and the next time it panicked: {words}"
                ));
            }
        }
    }
    let quiet = applied(&record);
    Outcome {
        seed,
        line: drawn.line,
        digest: record.digest,
        steps: record.steps,
        quiet,
        broken,
        shrinks,
        seen,
    }
}

fn panicked(drawn: Drawn, seed: u64, words: &str) -> Outcome {
    let broken = vec![format!("it panicked: {words}")];
    let (digest, seen) = (String::new(), Sightings::default());
    Outcome { seed, line: drawn.line, digest, steps: 0, quiet: false, broken, shrinks: true, seen }
}

fn violation(outcome: &InvariantOutcome) -> Option<String> {
    let first = outcome.first.as_ref().filter(|_| outcome.violations > 0)?;
    let InvariantOutcome { number, name, violations, .. } = outcome;
    let times = if *violations == 1 { String::new() } else { format!(", {violations} times; first") };
    Some(format!(
        "invariant {number} ({name}){times}: after {} s at {}: {}",
        first.at, first.node, first.what
    ))
}

fn applied(record: &RunRecord) -> bool {
    record.invariants.iter().any(|outcome| outcome.number == 7 && outcome.not_applicable.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Violation;

    #[test]
    fn a_violation_is_told_with_its_place_and_a_panic_with_its_words() {
        let mut outcome = InvariantOutcome {
            number: 3,
            name: "no event twice".into(),
            checked: 9,
            violations: 0,
            first: None,
            not_applicable: None,
            remark: None,
        };
        assert_eq!(violation(&outcome), None);
        outcome.violations = 2;
        outcome.first = Some(Violation { at: 1.5, node: "node-1".into(), what: "it came again".into() });
        let text = "invariant 3 (no event twice), 2 times; first: after 1.5 s at node-1: it came again";
        assert_eq!(violation(&outcome).as_deref(), Some(text));

        let drawn = Swarm::default().draw(1);
        let told = panicked(drawn, 1, "no way");
        assert_eq!(told.broken, ["it panicked: no way"]);
    }

    #[test]
    fn an_outcome_is_a_value_and_watching_changes_nothing() {
        let swarm = Swarm::default();
        for seed in 1..=6 {
            let outcome = run_one(&swarm, seed);
            assert_eq!(outcome, run_one(&swarm, seed));
            assert_eq!(outcome.digest, world::run(&swarm.draw(seed).scenario, 0, seed).digest);
        }
    }
}
