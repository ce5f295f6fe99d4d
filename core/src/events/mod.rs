//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
pub mod coalesce;
mod intents;
mod log;
mod origins;
mod received;
mod size;
mod store;

pub(crate) use clock::{LamportClock, LamportClocks};
pub(crate) use intents::{Early, EarlyIntents, Kept};
pub(crate) use log::{EventLog, PULL_NUMBERS_MAX, PULLS_AT_ONCE, Repair, Verdict, settle_time};
pub(crate) use size::event_bytes;
