//! From a scenario and a seed on which something fails to a smallest scenario that still fails in the same way.
//!
//! Delta debugging over all that a scenario has: time, nodes, faults, workloads, links, settings, keys of the network, zones, and what each
//! fault and workload says. A smaller scenario is taken when it fails in the same way ([`Failure`]) on the seed, or on one of a few further
//! seeds, and the passes repeat until none of them cuts anything. Equal scenario, seed and budget of runs give an equal result, whatever
//! the number of threads.
//!
//! ```
//! use rumormill_sim::Scenario;
//! use rumormill_sim::shrink::{Budget, shrink};
//!
//! let text = "name = \"crash\"\nduration = \"2m\"\n[cluster]\nnodes = 12\n\
//!     [[fault]]\nat = \"10s\"\nkind = \"crash\"\nnodes = { pick = 3 }\n\
//!     [[fault]]\nat = \"20s\"\nkind = \"leave\"\nnodes = { pick = 1 }\n\
//!     [[expect]]\nmetric = \"detection.all.max\"\nbelow = \"2s\"\n";
//! let scenario = Scenario::parse(text, "crash.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
//! let shrunk = shrink(&scenario, 1, None, Budget::default(), &mut |_| {}).expect("nobody is found within two seconds");
//! assert_eq!(shrunk.scenario.faults.len(), 1);
//! println!("{}", shrunk.to_toml("crash-shrunk.toml"));
//! ```

mod details;
mod failure;
mod names;
mod nodes;
mod output;
mod parts;
mod search;
mod size;
#[cfg(test)]
mod tests;
mod time;

use std::str::FromStr;
use std::time::Duration;

use rayon::prelude::*;
use rumormill_core::config::parse_duration;

use crate::panics::caught;
use crate::record::RunRecord;
use crate::scenario::{Scenario, Weight};
use failure::Found;
pub use failure::{Failure, Way};
use search::{Run, Search};
pub use size::Size;

/// Runs that are tried unless somebody says otherwise.
const RUNS: u64 = 20_000;
/// Longest name of a scenario.
const NAME_MAX: usize = 64;
/// What is added to the name of what was shrunk.
const SUFFIX: &str = "-shrunk";

/// When to stop, whether or not more could be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// After so many runs, of one variant with one seed each. Those of the candidate that uses the last of it are counted, and may go
    /// beyond.
    pub runs: u64,
    /// After so much time; what comes out then depends on the machine.
    pub time: Option<Duration>,
}

impl Default for Budget {
    /// 20,000 runs, however long they take.
    fn default() -> Self {
        Self { runs: RUNS, time: None }
    }
}

impl FromStr for Budget {
    type Err = String;

    /// Reads a number of runs (`500`) or a time (`10m`).
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |what: &str| format!("{what}; write a number of runs, such as 500, or a time, such as 10m");
        if text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty() {
            return match text.parse() {
                Ok(0) => Err(wrong("nothing can be found without a run")),
                Ok(runs) => Ok(Self { runs, time: None }),
                Err(_) => Err(wrong("that many runs never end")),
            };
        }
        match parse_duration(text) {
            Ok(Duration::ZERO) => Err(wrong("nothing can be found in no time")),
            Ok(time) => Ok(Self { runs: u64::MAX, time: Some(time) }),
            Err(error) => Err(wrong(&error.to_string())),
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is being cut at present.
    pub pass: &'static str,
    /// Runs so far.
    pub runs: u64,
    /// The size at the beginning.
    pub was: &'a Size,
    /// The size of the smallest scenario so far that fails.
    pub now: &'a Size,
}

/// A smallest scenario that fails in the same way.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// It: one seed, and the one variant and expectation that matter.
    pub scenario: Scenario,
    /// What fails.
    pub failure: Failure,
    /// What was seen of it in the smallest scenario.
    pub seen: String,
    /// What else does not hold in the smallest scenario, in words. Faults that touch nothing are not among it: all but one that this is about
    /// may be idle in it.
    pub also: Vec<String>,
    /// How a command line names the scenario that was shrunk; its name where it was built in code.
    pub source: String,
    /// The seed on which that failed.
    pub seed: u64,
    /// Its size.
    pub was: Size,
    /// The size of the smallest.
    pub now: Size,
    /// Runs that it took.
    pub runs: u64,
    /// Whether nothing more could be cut; otherwise the budget ended before.
    pub minimal: bool,
}

type Pass = (&'static str, fn(&mut Search<'_>));

/// In the order in which they make the next ones cheaper.
const PASSES: [Pass; 12] = [
    ("nodes", nodes::roughly),
    ("time", time::sooner),
    ("faults", parts::faults),
    ("workloads", parts::workloads),
    ("links", parts::links),
    ("nodes", nodes::fewer),
    ("settings", parts::settings),
    ("network", parts::network),
    ("cluster", nodes::cluster),
    ("waits", time::waits),
    ("what faults do", details::faults),
    ("what applications do", details::workloads),
];

/// Shrinks a scenario that fails with a seed, in the current rayon thread pool. `variant`: only what fails in that one, by its index.
/// `watch` is told how far it is. `None` when nothing fails with that seed.
///
/// What fails is searched in this order: panics, invariants by number, expectations as they stand, faults that touched nothing. Expectations are
/// judged by the one seed alone. A panic of the first run is told by the panic hook; those of the search are not.
#[must_use]
pub fn shrink(
    scenario: &Scenario,
    seed: u64,
    variant: Option<usize>,
    budget: Budget,
    watch: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Option<Shrunk> {
    shrink_by(search::run, scenario, seed, variant, budget, watch)
}

fn shrink_by(
    run: Run,
    scenario: &Scenario,
    seed: u64,
    variant: Option<usize>,
    budget: Budget,
    watch: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Option<Shrunk> {
    let alone = Scenario { seed, seeds: 1, ..scenario.clone() };
    let (mut found, first_seen) = find(run, &alone, variant)?;
    found.scenario.about = format!("Shrunk from {}: {}.", alone.name, found.failure);
    found.scenario.name = short_name(&alone.name);
    found.scenario.weight = Weight::Light;
    let was = Size::of(&alone);
    let uncut = found.scenario.clone();
    let mut search = Search::new(run, found, budget, &was, watch);
    cut_all(&mut search, &alone);
    let Search { current, taken, failure, over, runs, .. } = search;
    // What is told is what a whole run shows, as anybody who reruns the file will see it: the latest that does.
    let latest = std::iter::once(current).chain(taken.into_iter().rev());
    let shown = latest.into_iter().find_map(|scenario| {
        let last = search::records(run, &scenario, scenario.seed, true);
        Some((failure.seen(&scenario, &last)?, failure.besides(&last), scenario))
    });
    // Whole runs are what it was seen in at first.
    let (seen, also, mut smallest) = shown.unwrap_or_else(|| (first_seen, Vec::new(), uncut));
    // With the defect mended, a fault that touches nothing is no reason to fail.
    for fault in smallest.faults.iter_mut().filter(|fault| !failure.is_about(fault)) {
        fault.may_be_idle = true;
    }
    let now = Size::of(&smallest);
    let source = if scenario.source.is_empty() { scenario.name.clone() } else { scenario.source.clone() };
    let scenario = Scenario { source: String::new(), ..smallest };
    Some(Shrunk { scenario, failure, seen, also, source, seed, was, now, runs, minimal: !over })
}

/// What fails first in whole runs of all variants, and what is seen of it.
fn find(run: Run, alone: &Scenario, only: Option<usize>) -> Option<(Found, String)> {
    let variants: Vec<usize> = (0..alone.variants.len()).collect();
    let runs: Vec<Result<RunRecord, String>> =
        variants.into_par_iter().map(|variant| caught(|| run(alone, variant, alone.seed, true))).collect();
    let (mut records, mut sound) = (Vec::new(), Vec::new());
    for (variant, result) in runs.into_iter().enumerate() {
        match result {
            Ok(record) => {
                records.push(record);
                sound.push(variant);
            }
            Err(message) if only.is_none_or(|only| only == variant) => {
                let seen = format!("its words: {message}");
                return Some((failure::panicked(alone, variant, message), seen));
            }
            // Nobody asks for what that variant does.
            Err(_) => {}
        }
    }
    let rest = failure::with_variants(alone, &sound);
    let only = only.map(|only| sound.iter().filter(|variant| **variant < only).count());
    let found = failure::first(&rest, &records, only)?;
    let runs = Ok(records);
    let seen = found.failure.seen(&found.scenario, &runs).unwrap_or_default();
    Some((found, seen))
}

fn cut_all(search: &mut Search<'_>, own: &Scenario) {
    search.pass = "names";
    names::give(search);
    loop {
        let before = search.cuts;
        for (name, pass) in PASSES {
            search.pass = name;
            pass(search);
        }
        if search.cuts == before || search.over {
            break;
        }
    }
    search.pass = "names";
    names::take_back(search, own);
}

/// What the scenario of that name is called when it has been shrunk.
#[must_use]
pub fn short_name(name: &str) -> String {
    let room = NAME_MAX - SUFFIX.len();
    let stem = name.strip_suffix(SUFFIX).unwrap_or(name);
    let stem: String = stem.chars().take(room).collect();
    format!("{stem}{SUFFIX}")
}
