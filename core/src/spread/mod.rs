//! Spreading news: the transmit-limited queue that every packet takes along what it has room for.

mod queue;

pub(crate) use queue::Broadcasts;
pub use queue::transmit_limit;
