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

use crate::record::RunRecord;
use crate::scenario::{Scenario, Weight};
use crate::world;
pub use failure::{Failure, Way};
use search::Search;
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
/// What fails is searched in this order: invariants by number, expectations as they stand, faults that touched nothing. Expectations are judged
/// by the one seed alone.
#[must_use]
pub fn shrink(
    scenario: &Scenario,
    seed: u64,
    variant: Option<usize>,
    budget: Budget,
    watch: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Option<Shrunk> {
    let alone = Scenario { seed, seeds: 1, ..scenario.clone() };
    let variants: Vec<usize> = (0..alone.variants.len()).collect();
    let records: Vec<RunRecord> =
        variants.into_par_iter().map(|variant| world::run(&alone, variant, seed)).collect();
    let mut found = failure::first(&alone, &records, variant)?;
    found.scenario.about = format!("Shrunk from {}: {}.", alone.name, found.failure);
    found.scenario.name = short_name(&alone.name);
    found.scenario.weight = Weight::Light;
    let was = Size::of(&alone);
    let first_seen = found.failure.seen(&found.scenario, &records).unwrap_or_default();
    let mut search = Search::new(found, budget, &was, watch);
    cut_all(&mut search, &alone);
    let Search { current, failure, over, runs, .. } = search;
    // What is told is what a whole run shows, as anybody who reruns the file will see it.
    let last = search::records(&current, current.seed, true);
    let seen = failure.seen(&current, &last).unwrap_or(first_seen);
    let now = Size::of(&current);
    let source = if scenario.source.is_empty() { scenario.name.clone() } else { scenario.source.clone() };
    let scenario = Scenario { source: String::new(), ..current };
    Some(Shrunk { scenario, failure, seen, source, seed, was, now, runs, minimal: !over })
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
