//! Figures for programs that watch: as Prometheus reads them, and as Serf sends them to statsd and statsite.
//!
//! [`Sources`] says where figures come from, [`Sources::read`] reads them at one moment, and [`Readings`] are written as
//! [Prometheus' text](Readings::to_prometheus). [`push`] sends them on, every ten seconds. Names, units and meaning are stable, and stand in
//! `docs/metrics.md`. A program that exports them its own way reads [`Handle::stats`], [`Handlers::counts`] and [`RpcTally::read`] itself.
//!
//! ```no_run
//! # async fn run(agent: rumormill_tokio::Handle) -> Result<(), rumormill_tokio::Error> {
//! use rumormill_tokio::metrics::Sources;
//!
//! let readings = Sources::new(agent).read().await?;
//! println!("{} members are alive", readings.stats.members.alive);
//! print!("{}", readings.to_prometheus());
//! # Ok(())
//! # }
//! ```

mod prometheus;
pub mod push;
mod serf;
mod text;

use std::time::SystemTime;

use crate::agent::{Error, Handle, Stats};
use crate::handlers::{Counts, Handlers};
use crate::rpc::server::{RpcFigures, RpcTally};

pub use text::CONTENT_TYPE;

/// Where figures come from: an agent, and what runs around it.
#[derive(Clone, Debug)]
pub struct Sources {
    agent: Handle,
    handlers: Option<Handlers>,
    rpc: Option<RpcTally>,
    started: SystemTime,
}

/// Figures of one moment.
#[derive(Clone, Debug)]
pub struct Readings {
    /// The agent's.
    pub stats: Stats,
    /// Those of its event handlers, where it has any.
    pub handlers: Option<Counts>,
    /// Those of its RPC server, where it has one.
    pub rpc: Option<RpcFigures>,
    /// When the process, or whoever made the [`Sources`], started.
    pub started: SystemTime,
}

impl Sources {
    /// An agent that has started just now, alone.
    #[must_use]
    pub fn new(agent: Handle) -> Self {
        Self { agent, handlers: None, rpc: None, started: SystemTime::now() }
    }

    /// With its event handlers.
    #[must_use]
    pub fn handlers(self, handlers: Handlers) -> Self {
        Self { handlers: Some(handlers), ..self }
    }

    /// With its RPC server.
    #[must_use]
    pub fn rpc(self, tally: RpcTally) -> Self {
        Self { rpc: Some(tally), ..self }
    }

    /// The agent.
    #[must_use]
    pub const fn agent(&self) -> &Handle {
        &self.agent
    }

    /// Reads all of them. It takes as long as the driver takes to come to it.
    ///
    /// # Errors
    /// The agent has stopped.
    pub async fn read(&self) -> Result<Readings, Error> {
        Ok(Readings {
            stats: self.agent.stats().await?,
            handlers: self.handlers.as_ref().map(Handlers::counts),
            rpc: self.rpc.as_ref().map(RpcTally::read),
            started: self.started,
        })
    }
}

impl Readings {
    /// As Prometheus reads them ([`CONTENT_TYPE`]).
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        prometheus::write(self)
    }
}
