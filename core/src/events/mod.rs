//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;
mod intents;

pub(crate) use clock::{LamportClock, LamportClocks};
pub(crate) use intents::{Early, EarlyIntents, Kept};
