//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
pub mod coalesce;
mod intents;
mod log;
mod runs;
pub(crate) mod serf_size;

pub(crate) use clock::LamportClocks;
pub(crate) use intents::{Early, EarlyIntents, Kept};
pub(crate) use log::{EventLog, Gap, Heard};
