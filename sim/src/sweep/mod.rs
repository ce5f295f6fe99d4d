//! Many settings of one scenario, over the same seeds: planned as a file, run in shares anywhere, merged into one answer.
//!
//! A [`Plan`] names every run. [`Share`]s of it are run by as many processes as there are, each result a file of a [`Store`] that is whole or
//! not there; [`Sweep::merge`] puts them together, with the same bytes whatever the number of shares. The answer is a trade-off: which
//! settings no other beats in all [`Objective`]s at once (the Pareto front), and which of the others chance alone may have put behind.

mod axis;
mod estimate;
mod front;
mod marginal;
mod merge;
mod number;
mod objective;
mod plan;
mod points;
mod shard;
mod share;
mod store;

pub use axis::Axis;
pub use estimate::{Estimate, TAIL};
pub use front::{Standing, front, standings};
pub use marginal::{Group, Marginal, marginals};
pub use merge::{Missing, Outcome, Sweep};
pub use objective::{Better, DEFAULTS, Objective};
pub use plan::{Cell, Choice, POINTS_MAX, Plan, Point, RUNS_MAX, SCHEMA, read};
pub use points::{Problems, Wishes, make};
pub use shard::{SHARDS_MAX, Shard};
pub use share::Share;
pub use store::{Found, Store};

#[cfg(test)]
mod tests;
