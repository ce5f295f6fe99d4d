//! The tokio agent of Rumormill: one protocol core ([`rumormill_core`]) on real sockets.
#![forbid(unsafe_code)]

pub mod agent;
pub mod discovery;
pub mod event;
pub mod handlers;
pub mod member;
mod net;
pub mod record;
pub mod rpc;
pub mod state;
mod throttle;

pub use agent::{Agent, Builder, Error, Handle};
pub use event::Event;
pub use member::{Member, Members};
pub use net::{DEFAULT_PORT, Traffic, interface_address, interface_addresses};
pub use rumormill_core as core;
