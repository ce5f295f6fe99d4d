//! What Serf adds to membership: Lamport clocks, intents, user events, queries, keys.

mod clock;

pub(crate) use clock::{LamportClock, LamportClocks};
