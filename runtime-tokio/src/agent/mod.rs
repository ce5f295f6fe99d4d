//! An agent: one task that owns one node and its sockets, and the handle by which an application speaks to it.

mod builder;
mod error;
mod handle;

pub use builder::{Agent, Builder};
pub use error::Error;
pub use handle::{Answer, Answers, Events, Handle, Joined, Missed, Stats, Stopped};
