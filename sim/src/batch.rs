//! All runs of a scenario, on several cores, with the same result whatever their number.

use rayon::prelude::*;

use crate::record::RunRecord;
use crate::scenario::{Scenario, Start};
use crate::summary::Summary;
use crate::world;

/// Runs every seed of every variant and sums up what came out: what `rumor-sim run` does, for anybody's `#[test]`.
///
/// Uses as many threads as there are cores and as memory holds runs; the summary does not depend on it. A scenario that was built in code
/// should be [checked](Scenario::check) first. [`Summary::holds`] is the answer, [`report::text`](crate::report::text) says why,
/// and [`report::write`](crate::report::write) leaves the plots.
#[must_use]
pub fn run(scenario: &Scenario) -> Summary {
    // Without threads of its own, which is not worth a failure, the runs share those of the process.
    match rayon::ThreadPoolBuilder::new().num_threads(jobs_that_fit(scenario)).build() {
        Ok(pool) => pool.install(|| run_with(scenario, &|_| {})),
        Err(_) => run_with(scenario, &|_| {}),
    }
}

/// The same in the current rayon thread pool. `progress` is told, from any thread, how many more seconds have been simulated:
/// in the end [`seconds`] of them.
#[must_use]
pub fn run_with(scenario: &Scenario, progress: &(dyn Fn(u64) + Sync)) -> Summary {
    let seeds = (0..u64::from(scenario.seeds)).map(|k| scenario.seed.wrapping_add(k));
    let variants = scenario.variants.len();
    // A seed's variants come one after the other, so that what is done at any time is nearly all variants of some seeds.
    let cells: Vec<(u64, usize)> = seeds.flat_map(|seed| (0..variants).map(move |v| (seed, v))).collect();
    let total = scenario.duration.as_secs();
    let runs: Vec<RunRecord> = cells
        .par_iter()
        .map(|&(seed, variant)| {
            let mut shown = 0;
            let record = world::run_with(scenario, variant, seed, &mut |seconds| {
                let now = (seconds as u64).min(total);
                progress(now.saturating_sub(shown));
                shown = shown.max(now);
            });
            progress(total.saturating_sub(shown));
            record
        })
        .collect();
    Summary::new(scenario, &scenario.digest(), runs)
}

/// Simulated seconds of all runs, quiet times apart.
#[must_use]
pub fn seconds(scenario: &Scenario) -> u64 {
    scenario.duration.as_secs() * u64::from(scenario.seeds) * scenario.variants.len() as u64
}

/// As many runs at once as there are cores, and no more than two thirds of the free memory hold.
#[must_use]
pub fn jobs_that_fit(scenario: &Scenario) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // The simulator's own byte about a pair and, where tables differ, an entry of a member table with its shares of index and identity.
    // Those of a converged start are one shared roster and what has changed since: by experience an entry in ten.
    let bytes_per_pair = if scenario.cluster.start == Start::Converged { 10 } else { 100 };
    const BYTES_PER_NODE: u64 = 8192;
    let nodes = u64::from(scenario.cluster.nodes);
    let run = nodes * nodes * bytes_per_pair + nodes * BYTES_PER_NODE;
    let fits = free_memory().map_or(cores as u64, |free| free * 2 / 3 / run.max(1));
    cores.min(usize::try_from(fits).unwrap_or(usize::MAX)).max(1)
}

/// Bytes of memory that can be had without swapping, where the system says.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const TWO: &str = "name = \"two\"\nseed = 3\nseeds = 3\nduration = \"20s\"\n[cluster]\nnodes = 8\n\
        [[fault]]\nat = \"2s\"\nkind = \"crash\"\nnodes = { pick = 1 }\n\
        [[variant]]\nname = \"slow\"\nconfig = { gossip_interval = \"1s\" }\n[[variant]]\nname = \"lan\"\n";

    #[test]
    fn any_number_of_threads_gives_the_same_bytes_and_tells_of_every_second() {
        let scenario = Scenario::parse(TWO, "two.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
        let told = AtomicU64::new(0);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                run_with(&scenario, &|seconds| {
                    told.fetch_add(seconds, Ordering::Relaxed);
                })
            })
        };
        let one = with(1);
        assert_eq!(told.load(Ordering::Relaxed), seconds(&scenario));
        assert_eq!(one.to_json(), with(3).to_json());
        assert_eq!(one.to_json(), run(&scenario).to_json());
        assert_eq!(
            (one.variants.as_slice(), one.seeds.as_slice()),
            (["slow", "lan"].map(String::from).as_slice(), [3, 4, 5].as_slice())
        );
        assert_eq!(one.runs.len(), 6);
    }
}
