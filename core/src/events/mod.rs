//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
mod log;
mod runs;
pub(crate) mod serf_size;

pub(crate) use clock::LamportClocks;
pub(crate) use log::{EventLog, Gap, Heard};
