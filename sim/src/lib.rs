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
//! [`stats`] has the statistics that reports use.
//!
//! Random clusters for property tests are in [`fuzz`], and as strategies of proptest in `strategy` (with the feature `proptest`).
//!
//! # What is simulated, and what is not
//!
//! Datagrams have latency, are lost (evenly or in bursts), doubled, held back, damaged, and wait for bandwidth; streams take round trips
//! to connect, keep their order, and break when an end dies; partitions cut either or both ([`network`]). Nodes crash, restart, leave and
//! arrive; processes stand still or are cut off from their sockets, machines are slow, clocks drift and jump ([`scenario`]). Ground truth is
//! the simulator's ([`truth`]), views are the nodes'; [`metrics`] compares the two as events happen, and [`invariants`] checks what
//! must hold in every run. Processing takes no simulated time.
//!
//! Every draw of the network is a pure function of who sends to whom and when ([`draws`]): two variants that send different
//! packets meet the same bad moments.
#![forbid(unsafe_code)]

mod batch;
pub mod bench;
pub mod digest;
pub mod draws;
pub mod expect;
mod faults;
pub mod fuzz;
pub mod histogram;
pub mod invariants;
pub mod metric;
pub mod metrics;
pub mod network;
pub mod over_time;
pub mod queue;
pub mod record;
pub mod report;
pub mod scenario;
pub mod sightings;
pub mod stats;
pub mod steady;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod summary;
pub mod theory;
pub mod truth;
pub mod world;

pub use batch::{jobs_that_fit, run, run_with, seconds};
pub use record::RunRecord;
pub use scenario::Scenario;
pub use summary::Summary;
