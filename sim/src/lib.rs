//! The simulator of Rumormill: runs thousands of protocol cores over a simulated network and measures them.
//!
//! One run is one thread, one ordered queue of events, and as many real [`rumormill_core::Node`]s as the scenario says:
//! the bytes on the simulated wire are the bytes on the real one. **A run is a value: the same [`Scenario`] and seed give
//! the same [`RunRecord`] and the same trace digest, on any machine, with any number of jobs, debug or release.**
//!
//! In a test of your own:
//!
//! ```
//! use rumormill_sim::{Scenario, report, run};
//!
//! let text = r#"
//!     name = "one-of-ten"
//!     about = "One of ten nodes crashes; does everybody notice?"
//!     seed = 1
//!     seeds = 2
//!     warmup = "1s"
//!     duration = "60s"
//!     [cluster]
//!     nodes = 10
//!     [[fault]]
//!     at = "5s"
//!     kind = "crash"
//!     nodes = { pick = 1 }
//!     [[expect]]
//!     metric = "detection.all.max"
//!     below = "30s"
//! "#;
//! let scenario = Scenario::parse(text, "one-of-ten.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
//! let summary = run(&scenario);
//! assert!(summary.holds(), "{}", report::text(&summary, false, 100));
//! ```
//!
//! [`run`] runs all seeds of all variants; [`world::run`] runs one of them. The [`Summary`] has every figure of every run, and
//! [`stats`] has the statistics that reports use. On top of that, each with a page in `docs/` beside the crate's sources:
//!
//! * [`compare`](mod@compare) tells two settings, scenarios or versions apart, seed by seed.
//! * [`sweep`] runs many settings of one scenario and finds which no other beats; [`advise`] searches for settings that meet targets, and
//!   confirms them on seeds that no choice has seen.
//! * [`fuzz`] draws clusters, settings and faults from seeds, and says which states a campaign has reached (`strategy` has the same as strategies
//!   of proptest, with the feature `proptest`); [`shrink`](shrink::shrink) cuts a
//!   scenario that fails down to a smallest one that still fails in the same way, and [`Scenario::to_toml`] writes any scenario as a file.
//! * [`trace`] records what happened in a run, [`why`] explains a verdict from it, and [`film`] and [`player`] show it.
//! * [`application`] runs event handlers of your own on simulated nodes.
//!
//! # What is simulated, and what is not
//!
//! Datagrams have latency, are lost (evenly or in bursts), doubled, held back, damaged, and wait for bandwidth; streams take round trips
//! to connect, keep their order, and break when an end dies; partitions cut either or both ([`network`]). Nodes crash, restart, leave and
//! arrive; processes stand still or are cut off from their sockets, machines are slow, clocks drift and jump ([`scenario`]). Ground truth is
//! the simulator's ([`truth`]), views are the nodes'; [`metrics`] compares the two as events happen, and [`invariants`] checks what
//! must hold in every run. Processing takes no simulated time. That each of these checks can fail is shown by breaking the rules one by one:
//! `sim/docs/sabotage.md`.
//!
//! A run can be looked into: [`trace`] records what happened at which moments, nodes and members, and [`why`] follows a wrong verdict
//! back to the packets that were missing, and finds out by running again which of them would have prevented it.
//!
//! Every draw of the network is a pure function of who sends to whom and when ([`draws`]): two variants that send different
//! packets meet the same bad moments.
#![forbid(unsafe_code)]

pub mod advise;
pub mod application;
mod batch;
pub mod bench;
pub mod compare;
pub mod digest;
pub mod draws;
pub mod expect;
mod faults;
pub mod film;
pub mod fuzz;
pub mod histogram;
pub mod invariants;
pub mod metric;
pub mod metrics;
pub mod network;
pub mod over_time;
mod panics;
pub mod player;
pub mod queue;
pub mod record;
pub mod report;
pub mod scenario;
pub mod shrink;
pub mod sightings;
pub mod stats;
pub mod steady;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod summary;
pub mod sweep;
pub mod theory;
pub mod trace;
pub mod truth;
mod whole_file;
pub mod why;
pub mod world;

pub use batch::{jobs_that_fit, run, run_with, seconds};
pub use record::RunRecord;
pub use scenario::Scenario;
pub use summary::Summary;
pub use whole_file::write_whole;
