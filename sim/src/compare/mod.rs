//! Two settings, two scenarios or two versions of the program compared over the same seeds: what is better, what is worse, what is the same
//! within a margin, and what these seeds cannot tell.
//!
//! The seed is the unit: values of one seed are subtracted from each other, so that what both met cancels out. Of each metric:
//!
//! * the mean difference with a 95 % interval that resamples seeds, and the quotient where the metric is a time, a rate or a count;
//! * whether it is more than chance: flipping signs ([`stats::sign_flips`]), adjusted for all metrics compared ([`stats::holm`]). What is the same in
//!   every seed cannot give a false alarm and takes no part in the adjustment;
//! * whether it is the same within a stated margin: two one-sided tests ([`stats::equivalence`]), adjusted among themselves. Without a margin nothing
//!   is called the same;
//! * where nothing is shown, the smallest difference that would have been ([`stats::detectable`]).
//!
//! Where a value is only known to be larger than something (what had not happened when the observation ended), a pair still tells which
//! side was sooner if the other one was sooner than that; then the sign test judges, and no mean is claimed.
//!
//! ```
//! use rumormill_sim::compare::{Question, Record, Verdict, compare};
//! use rumormill_sim::{Scenario, run};
//!
//! let text = "name = \"two\"\nseeds = 8\nduration = \"40s\"\n[cluster]\nnodes = 8\n\
//!     [[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = { pick = 1 }\n";
//! let with = |settings: &str| {
//!     let text = format!("{text}[[variant]]\nname = \"it\"\nconfig = {{ {settings} }}\n");
//!     Record::of(&run(&Scenario::parse(&text, "two.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))))
//! };
//! let (slow, fast) = (with("suspicion_mult = 8"), with("suspicion_mult = 4"));
//! let question = Question { metrics: vec!["detection.first.p50".into()], ..Question::default() };
//! let comparison = compare(&slow, &fast, &question).unwrap();
//! assert_eq!(comparison.rows[0].verdict, Verdict::Better);
//! ```

mod experiment;
mod json;
mod margin;
mod measure;
mod names;
mod record;
mod refusal;
mod verdict;

pub use margin::Margins;
pub use measure::{Row, Unknown};
pub use names::{Direction, direction};
pub use record::{Facts, Record};
pub use refusal::Refusal;
pub use verdict::{FailOn, Verdict};

use crate::record::RunRecord;
use crate::stats;

/// The chance of a false alarm, and of a false claim of equality, over all metrics compared.
pub const ALPHA: f64 = 0.05;

/// What is asked about two [`Record`]s.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The metrics, a distribution's with or without its statistic; none: all that both have.
    pub metrics: Vec<String>,
    /// Which variant of A stands against which of B; `None` on a side: its only one. With neither, and several on both sides: each against that
    /// of its name.
    pub variants: (Option<String>, Option<String>),
    /// What counts as the same.
    pub margins: Margins,
    /// Compare clusters of other sizes, other faults, other lengths, too: then pairs of seeds share nothing, and the comparison says so.
    pub anyway: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What the reference is.
    pub a: Facts,
    /// What is compared with it.
    pub b: Facts,
    /// The variants that stand against each other.
    pub variants: Vec<(String, String)>,
    /// The seeds that both have, sorted.
    pub seeds: Vec<u64>,
    /// Pairs of runs, and how many of them were the same byte for byte.
    pub runs: usize,
    /// How many pairs of runs had the same trace.
    pub identical: usize,
    /// What to know before reading figures: what differs, what was left out.
    pub notes: Vec<String>,
    /// One row per metric, statistic and pair of variants.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// Whether every run of B was the run of A, byte for byte.
    #[must_use]
    pub fn is_identical(&self) -> bool {
        self.runs > 0 && self.identical == self.runs
    }

    /// The rows that fail a comparison which must not be so.
    #[must_use]
    pub fn failing(&self, on: FailOn) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.fails(on)).collect()
    }

    /// The rows that would have to fail such a comparison, or not, but of which so few seeds could not have shown it: a comparison that
    /// passes with them says nothing.
    #[must_use]
    pub fn blind(&self, on: FailOn) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is_blind(on)).collect()
    }

    /// Rows of one verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.verdict == verdict).collect()
    }

    /// Seeds with which a difference could show among so many metrics: with fewer, not even one of the same sign in every seed is enough.
    /// `None` where there are so many metrics (more than a thousand that vary) that no number of seeds is.
    #[must_use]
    pub fn seeds_needed(&self) -> Option<usize> {
        let family = self.rows.iter().filter(|row| row.varies()).count().max(1);
        let pairs = (1..64).find(|pairs| stats::least_p(*pairs) * family as f64 <= ALPHA)?;
        Some(pairs.max(stats::RUNS_MIN))
    }

    /// The whole comparison as JSON; `docs/compare.md` describes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(self)
    }
}

/// Compares B with the reference A.
///
/// # Errors
/// When the two cannot be compared, a variant or metric is unknown, or they have no seed in common.
pub fn compare(a: &Record, b: &Record, question: &Question) -> Result<Comparison, Refusal> {
    let wanted = names::wanted(&question.metrics)?;
    let variants = names::variants(a, b, &question.variants)?;
    let seeds = common_seeds(a, b)?;
    let mut notes = experiment::differences(a, b, question.anyway)?;
    notes.extend(experiment::seeds(a, b, &seeds));
    let (mut rows, mut runs, mut identical) = (Vec::new(), 0, 0);
    for (of_a, of_b) in &variants {
        let pairs = pairs(a, b, (of_a, of_b), &seeds);
        if pairs.is_empty() {
            return Err(Refusal::NoSeeds(format!("variants {of_a:?} and {of_b:?} have no seed in common")));
        }
        runs += pairs.len();
        identical += pairs.iter().filter(|(a, b)| a.digest == b.digest).count();
        notes.extend(experiment::settings(a, b, (of_a, of_b)));
        notes.extend(experiment::met(&pairs));
        let label = if variants.len() > 1 { of_b.as_str() } else { "" };
        let measured = measure::rows(&pairs, &wanted, label, &question.margins);
        notes.extend(measured.notes);
        rows.extend(measured.rows);
    }
    if rows.is_empty() {
        return Err(Refusal::Nothing(question.metrics.join(", ")));
    }
    notes.dedup();
    let same = runs > 0 && identical == runs;
    verdict::judge(&mut rows, same);
    Ok(Comparison { a: a.facts.clone(), b: b.facts.clone(), variants, seeds, runs, identical, notes, rows })
}

/// Whether two [planned](Record::planned) records could be compared: what [`compare`] would refuse before it looks at any run.
///
/// # Errors
/// As [`compare`].
pub fn check(a: &Record, b: &Record, question: &Question) -> Result<(), Refusal> {
    names::wanted(&question.metrics)?;
    names::variants(a, b, &question.variants)?;
    experiment::differences(a, b, question.anyway).map(drop)
}

fn common_seeds(a: &Record, b: &Record) -> Result<Vec<u64>, Refusal> {
    let (of_a, of_b) = (a.seeds(), b.seeds());
    let both: Vec<u64> = of_a.intersection(&of_b).copied().collect();
    if both.is_empty() {
        let (a_has, b_has) = (names::ranges(of_a), names::ranges(of_b));
        return Err(Refusal::NoSeeds(format!("A has seeds {a_has}, B has seeds {b_has}")));
    }
    Ok(both)
}

/// Runs of both by seed.
fn pairs<'r>(
    a: &'r Record,
    b: &'r Record,
    (of_a, of_b): (&str, &str),
    seeds: &[u64],
) -> Vec<(&'r RunRecord, &'r RunRecord)> {
    let (a, b) = (a.runs_of(of_a), b.runs_of(of_b));
    seeds.iter().filter_map(|seed| Some((*a.get(seed)?, *b.get(seed)?))).collect()
}

#[cfg(test)]
mod tests;
