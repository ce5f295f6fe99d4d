//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
mod intents;
mod log;
mod runs;
pub(crate) mod serf_size;

pub(crate) use clock::{LamportClock, LamportClocks};
pub(crate) use intents::{Early, EarlyIntents, Kept};
pub(crate) use log::{EventLog, Gap, Heard};
