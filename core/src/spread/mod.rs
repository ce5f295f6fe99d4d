//! Spreading news: the transmit-limited queue that every packet takes along what it has room for.

mod lanes;
mod queue;

pub(crate) use lanes::{Lane, Lanes};

pub use queue::transmit_limit;
