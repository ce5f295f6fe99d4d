//! An agent: one task that owns one node and its sockets, and the handle by which an application speaks to it.
//!
//! ```no_run
//! # async fn run() -> Result<(), rumormill_tokio::Error> {
//! use rumormill_tokio::Agent;
//!
//! let agent = Agent::builder().name("web-1").join(vec!["10.0.0.7".into()]).start().await?;
//! let mut events = agent.events();
//! while let Some(event) = events.next().await {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The driver's task ([`Builder::start`] spawns it) owns the [`Node`](rumormill_core::Node) and everything that its outputs need, without a lock. What
//! it waits for comes in by bounded ways: datagrams in batches, frames from the streams' small tasks, orders from handles. It never waits for
//! any of those, nor for a disk: files are written by a thread of their own.

mod builder;
mod clock;
mod driver;
mod error;
mod feed;
mod figures;
mod handle;
mod hands;
mod histogram;
mod history;
mod lag;
mod line_limit;
mod memory;
mod order;
mod rejoin;
mod start;
mod stats;
mod streams;
mod subscription;
mod waiting;
pub mod why;

pub use builder::{Agent, Builder, deployed};
pub use error::Error;
pub use figures::{ByVia, Changes, Figures, MemberEvents, RoundTrips, SuspicionsEnded};
pub use handle::{Handle, Joined, Stopped};
pub use histogram::Histogram;
pub(crate) use order::Order;
pub use stats::{MemberCounts, Stats};
pub use subscription::{Answer, Answers, Events, Missed};
