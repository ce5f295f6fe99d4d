//! Swarm testing: random clusters under random faults, in which every invariant has to hold, and of which a campaign has to have seen enough.
//!
//! [`Swarm::draw`] makes a scenario of a seed; [`run_one`] runs it, with everything that can go wrong turned into an [`Outcome`];
//! [`Campaign`] runs many and keeps the tally. `rumor-sim fuzz` is the command.
//!
//! ```
//! use rumormill_sim::fuzz::{Campaign, Swarm};
//!
//! let campaign = Campaign { first_seed: 1, swarm: Swarm { nodes_min: 3, nodes_max: 5 } };
//! let tally = campaign.run(8, &|_| {});
//! assert!(tally.failures.is_empty(), "{:?}", tally.failures);
//! ```

mod campaign;
mod draft;
mod outcome;
mod parts;
mod swarm;
mod words;

#[cfg(feature = "proptest")]
pub(crate) use draft::{Draft, Part, add_faults};
#[cfg(feature = "proptest")]
pub(crate) use parts::{faults::FAULTS, network::FEATURES, settings::SETTINGS, workloads::WORKLOADS};
#[cfg(feature = "proptest")]
pub(crate) use words::WORDS;

pub use campaign::{Campaign, Seen, Tally, Told};
pub use outcome::{Outcome, run_one};
pub use swarm::{Drawn, Swarm};
