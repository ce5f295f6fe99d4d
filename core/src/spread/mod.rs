//! Spreading news: the transmit-limited queue that every packet takes along what it has room for.

mod entries;
mod lanes;
mod pace;
mod queue;
mod rank;

pub use lanes::QueueDepths;
pub(crate) use lanes::{Lane, Lanes};
pub(crate) use pace::Pace;

pub use queue::transmit_limit;
