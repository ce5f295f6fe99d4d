//! The tokio agent of Rumormill: one protocol core ([`rumormill_core`]) on real sockets.
//!
//! [`Agent::builder`] makes an agent, its [`Handle`] speaks to it: commands, a subscription to its [`Event`]s that says what a slow
//! reader missed, and a view of its [`Members`] that can be waited for. One task owns the node; there is no lock around it, and
//! all that comes in or waits is bounded.
//!
//! Around the agent, each usable by itself:
//!
//! | module | holds |
//! | --- | --- |
//! | [`rpc`] | Serf's control protocol: a server over a [`Handle`], and a client for either program's agents |
//! | [`handlers`] | scripts that run on events and answer queries |
//! | [`state`] | snapshot, keyring and tags files |
//! | [`record`] | recordings of everything that a core was given, and their replay |
//! | [`discovery`] | mDNS |
//! | [`metrics`] | figures for programs that watch: Prometheus' text, statsd, statsite |
//! | `http` (feature `http`) | metrics and health over HTTP |
//!
//! The program `rumor` is built from these (feature `program`, on by default; a library does without: `default-features = false`).
//! `examples/minimal.rs` is an agent in thirty lines, `examples/two_nodes.rs` two of them in one test.
#![forbid(unsafe_code)]

pub mod agent;
pub mod discovery;
pub mod event;
pub mod handlers;
#[cfg(feature = "http")]
pub mod http;
pub mod member;
pub mod metrics;
mod net;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod property;
pub mod record;
pub mod rpc;
pub mod state;
mod throttle;

pub use agent::{Agent, Builder, Error, Handle};
pub use event::Event;
pub use member::{Member, Members};
pub use net::{DEFAULT_PORT, Traffic, interface_address, interface_addresses};
pub use rumormill_core as core;
