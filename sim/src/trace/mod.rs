//! What happened in a run, step by step: `rumor-sim replay`.
//!
//! A run is a value, so nothing has to be kept while it runs for the first time: to look into it, run it again with a [`Filter`] that says
//! which moments, nodes and members matter, and read the [`Recording`]. Recording changes nothing: the digest is the same.
//!
//! ```
//! use rumormill_sim::{Scenario, trace};
//!
//! let text = "name = \"two\"\nduration = \"5s\"\n[cluster]\nnodes = 2\n";
//! let scenario = Scenario::parse(text, "two.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
//! let filter = trace::Filter { until: 2_000_000_000, nodes: vec![1], ..trace::Filter::default() };
//! let (record, recording) = trace::record(&scenario, 0, 1, &filter, &mut |_| {});
//! for line in trace::lines(&scenario, &recording, &filter) {
//!     println!("{}", line.text(6, false));
//! }
//! assert_eq!(record.digest, rumormill_sim::world::run(&scenario, 0, 1).digest);
//! ```

mod entry;
mod filter;
mod lines;
mod read;
mod recorder;
pub(crate) mod words;

pub use entry::{Carrier, Cause, Entry, Fate, Packet, SAID_MAX, Said, What};
pub use filter::{Filter, Kind};
pub use lines::{Line, PacketLine, lines};
pub(crate) use read::Reader;
pub use recorder::Recording;
pub(crate) use recorder::{End, Recorder};

use crate::record::RunRecord;
use crate::scenario::Scenario;
use crate::world;

/// Runs one variant (its index in [`Scenario::variants`]) with one seed and records what passes the filter. `progress` is told now and then
/// how many seconds have been simulated. The record is that of [`world::run`], to the byte.
///
/// # Panics
/// When the scenario has no such variant.
pub fn record(
    scenario: &Scenario,
    variant: usize,
    seed: u64,
    filter: &Filter,
    progress: &mut dyn FnMut(f64),
) -> (RunRecord, Recording) {
    world::watch::run(scenario, variant, seed, filter.clone(), progress)
}

#[cfg(test)]
mod tests;
