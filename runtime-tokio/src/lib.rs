//! The home of Rumormill's tokio agent. Nothing lives here yet.
//!
//! What will: a library (`Agent::builder()`, one task that owns one `rumormill_core::Node` and moves bytes and time), and the
//! program `rumor`, to be run where people run `serf`. Until then, `rumormill-core` is what an agent is built from: its
//! crate documentation states the contract that a driver keeps, and `rumormill-sim` is a driver to learn from.
