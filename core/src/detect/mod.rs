//! Failure detection: the probe cycle, the helpers' side of it, suspicion timers and local health.

mod health;
mod probe;
mod relay;
mod suspicion;

pub(crate) use health::Health;
pub(crate) use probe::{InFlight, Prober};
pub(crate) use relay::{Relay, Relays};
pub(crate) use suspicion::Suspicions;
pub use suspicion::{SuspicionTimes, suspicion_times};
