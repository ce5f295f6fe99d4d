//! Event handlers: scripts that are started when something happens (facts 4.4).
//!
//! A handler is `[filter[,filter...]=]script`. Its script runs in `/bin/sh -c`, gets what happened in environment variables and on
//! standard input, and answers a query by what it prints. Nothing that came over the network becomes text of the shell: it is
//! in variables and on standard input alone.
//!
//! Unlike Serf, which runs one script at a time in its only event loop, each handler has a queue of its own: one handler sees events
//! one after the other and in order, several run at once, and none that hangs holds up anything but itself, until its time is
//! up. Each run is a process group, and is stopped as one; what leaves its group (`setsid`) is on its own.

mod invocation;
mod lanes;
mod process;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rumormill_core::error::CommandError;
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::{debug, warn};

use crate::agent::{Error, Events, Handle, Missed};
use crate::throttle::Throttle;
use lanes::{Answer, Lanes};

pub use spec::{HandlerSpec, SpecError};

/// Answers that may wait for the agent to send them.
const ANSWERS_MAX: usize = 64;
/// How often a warning that remote input can cause is said again.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// How much handlers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Scripts that run at once; at least 1. Default 16.
    pub concurrent: usize,
    /// Events that wait for one handler; more are dropped and counted. At least 1. Default 1024.
    pub queue: usize,
    /// How long a script may run; for a query, at most until the query is over. Default 60 s.
    pub timeout: Duration,
    /// How long a script whose time is up has between the signals TERM and KILL. Default 5 s.
    pub grace: Duration,
    /// How long handlers may go on when the agent has stopped. Default 5 s.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent: 16,
            queue: 1024,
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// What handlers have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scripts that were started.
    pub started: u64,
    /// Scripts that could not be started, or ended otherwise than with status 0.
    pub failed: u64,
    /// Scripts that run now.
    pub running: u64,
    /// Scripts that were stopped because their time was up.
    pub timed_out: u64,
    /// Events that no handler got, because its queue was full or the agent's subscription was.
    pub dropped: u64,
}

/// Scripts that may run at once.
fn concurrent(limits: &Limits) -> usize {
    limits.concurrent.clamp(1, Semaphore::MAX_PERMITS)
}

/// What all handlers share.
#[derive(Debug)]
struct Shared {
    limits: Limits,
    permits: Semaphore,
    started: AtomicU64,
    failed: AtomicU64,
    timed_out: AtomicU64,
    dropped: AtomicU64,
}

/// The event handlers of an agent. Clones are the same handlers.
#[derive(Clone, Debug)]
pub struct Handlers {
    specs: Arc<watch::Sender<Vec<HandlerSpec>>>,
    shared: Arc<Shared>,
}

impl Handlers {
    /// These handlers, not running yet.
    #[must_use]
    pub fn new(specs: Vec<HandlerSpec>, limits: Limits) -> Self {
        let shared = Shared {
            limits,
            permits: Semaphore::new(concurrent(&limits)),
            started: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            timed_out: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        };
        Self { specs: Arc::new(watch::Sender::new(specs)), shared: Arc::new(shared) }
    }

    /// Other handlers from now on. One that stays keeps its queue; one that goes finishes what it has.
    pub fn replace(&self, specs: Vec<HandlerSpec>) {
        self.specs.send_replace(specs);
    }

    /// The handlers as they are now.
    #[must_use]
    pub fn specs(&self) -> Vec<HandlerSpec> {
        self.specs.borrow().clone()
    }

    /// What they have done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            started: read(&self.shared.started),
            running: (concurrent(&self.shared.limits) - self.shared.permits.available_permits()) as u64,
            failed: read(&self.shared.failed),
            timed_out: read(&self.shared.timed_out),
            dropped: read(&self.shared.dropped),
        }
    }

    /// Starts the matching handlers for each event, and sends what they answer, until the agent has stopped; then what runs has
    /// [`Limits::shutdown`] to end. Dropped, it kills what runs.
    pub async fn run(self, agent: Handle, mut events: Events) {
        let mut specs = self.specs.subscribe();
        let (answers, mut answered) = mpsc::channel(ANSWERS_MAX);
        let mut lanes = Lanes::new(self.shared.clone(), answers);
        lanes.replace(&specs.borrow_and_update());
        let (mut missing, mut unsent) = (Throttle::new(WARN_EVERY), Throttle::new(WARN_EVERY));
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        let me = agent.me();
                        lanes.dispatch(&event, me.name(), &me.tags());
                    }
                    Some(Err(Missed(count))) => {
                        self.shared.dropped.fetch_add(count, Ordering::Relaxed);
                        if missing.pass(Instant::now()).is_some() {
                            warn!("agent: event handlers missed {count} events: they came too fast");
                        }
                    }
                    None => break,
                },
                Some(answer) = answered.recv() => send(&agent, answer, &mut unsent).await,
                // It cannot fail: `self` has the sender.
                Ok(()) = specs.changed() => lanes.replace(&specs.borrow_and_update()),
            }
        }
        drop(answered);
        lanes.finish().await;
    }
}

async fn send(agent: &Handle, answer: Answer, unsent: &mut Throttle) {
    let Answer { query, name, script, output, _chance } = answer;
    match agent.respond(query, &output).await {
        Ok(()) => debug!("agent: answered query {name:?} with {} bytes of script {script:?}", output.len()),
        Err(Error::Command(CommandError::NoSuchQuery)) => {
            debug!("agent: query {name:?} is over or answered: the output of script {script:?} is of no use");
        }
        Err(error) => {
            if let Some(more) = unsent.pass(Instant::now()) {
                warn!(
                    "agent: query {name:?} is not answered by script {script:?}: {error} (and {more} more before it)"
                );
            }
        }
    }
}
