//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
pub mod coalesce;
pub(crate) mod filters;
mod intents;
pub(crate) mod internal;
mod log;
mod query_window;
mod questions;
mod runs;
pub(crate) mod serf_size;

pub(crate) use clock::{LamportClock, LamportClocks};
pub(crate) use intents::{Early, EarlyIntents, Kept};
pub(crate) use log::{EventLog, Gap, Heard};
pub(crate) use query_window::Seen;
pub(crate) use questions::{Open, Purpose, Queries, Question};
