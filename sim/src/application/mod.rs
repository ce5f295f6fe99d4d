//! Applications of your own on simulated nodes: to test what your event handler does when members fail, packets get lost, networks split and
//! processes restart.
//!
//! An [`Application`] is told what its node would tell it (members that join, leave and fail, user events, queries, answers), reads its node's
//! view of the cluster, and gives commands: user events, queries, answers, tags, leaving. It may ask to be called back after a while, and
//! draws random numbers from its node's stream. Nothing else is there, so that a run stays a value: the same scenario, seed and application give
//! the same calls in the same order, on any machine.
//!
//! [`run`] runs one seed. It asks a function of yours for the application of each process that starts, also after a crash: what
//! a process knew dies with it, and what is to outlive it, or to be looked at by a test, belongs into an `Rc<RefCell<...>>` that applications
//! share. `docs/testing.md` has a whole example.
//!
//! # What an application may rely on
//!
//! * Calls take no simulated time; commands are carried out right after the call, in order, before anything else happens.
//! * A process that stands still (a `pause`) is called when it goes on, its timers late, as any process.
//! * Applications run from the start of their process to the end of the measured time ([`Scenario::duration`](crate::Scenario)). The quiet
//!   time after it is without them.
//! * Workloads of the scenario run beside them, on user events named `e` and queries named `q`, which applications neither see nor may use.
//!   Metrics of events and queries are the workloads' alone; those of members, load and queues count everything.
//!
//! # Limits
//!
//! At most [`COMMANDS_MAX`] commands in one call, [`CALLS_MAX`] calls at one moment of one process, [`TIMERS_MAX`] timers of one process at a
//! time, none shorter than [`TIMER_MIN`]. What goes beyond is not done, and is among the [violations](Outcome::violations): an application that
//! answers each event with another one is found, and does not run forever. Joining and changing keys is the scenario's business.

mod context;

use std::time::Duration;

use rumormill_core::error::CommandError;
use rumormill_core::io::{CommandId, Done, Event};

pub use context::Context;
pub(crate) use context::{Desk, Wish, is_applications};

use crate::record::{RunRecord, Violation};
use crate::scenario::Scenario;
use crate::world;

/// Commands that an application gives in one call.
pub const COMMANDS_MAX: usize = 256;
/// Calls of one process at one moment.
pub const CALLS_MAX: u32 = 10_000;
/// Timers of one process that run at the same time.
pub const TIMERS_MAX: u32 = 1024;
/// The shortest timer; shorter ones take as long.
pub const TIMER_MIN: Duration = Duration::from_micros(1);
/// Violations that are kept with their words; more are counted.
pub const VIOLATIONS_MAX: usize = 100;

/// What runs beside a node and is told what happens. One value is one process, from its start to its end.
pub trait Application {
    /// The process has started, and its node with it: [`Context::members`] has whom the node knows already.
    fn started(&mut self, context: &mut Context<'_>) {
        let _ = context;
    }

    /// The node has news.
    fn event(&mut self, event: &Event<'_>, context: &mut Context<'_>);

    /// A command has ended; `id` is what giving it returned.
    fn completed(&mut self, id: CommandId, result: &Result<Done, CommandError>, context: &mut Context<'_>) {
        let _ = (id, result, context);
    }

    /// The time of [`Context::call_back`] has passed; `token` is what was given to it.
    fn called_back(&mut self, token: u32, context: &mut Context<'_>) {
        let _ = (token, context);
    }
}

/// What came of one run with applications.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What every run leaves behind.
    pub record: RunRecord,
    /// The first of what [`Context::check`] found, and of limits that were reached, in order; at most [`VIOLATIONS_MAX`].
    pub violations: Vec<Violation>,
    /// How many there were.
    pub violated: u64,
}

impl Outcome {
    /// Everything that is wrong, a line each, with the seed: what applications and invariants found. Empty when all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let seed = self.record.seed;
        let line = |whose: &str, it: &Violation| {
            format!("seed {seed}, {:.3} s, {}: {}{whose}", it.at, it.node, it.what)
        };
        let mut all: Vec<String> = self.violations.iter().map(|it| line("", it)).collect();
        if self.violated > self.violations.len() as u64 {
            all.push(format!("seed {seed}: and {} more", self.violated - self.violations.len() as u64));
        }
        for invariant in &self.record.invariants {
            let whose = format!(" (invariant {}: {})", invariant.number, invariant.name);
            all.extend(invariant.first.iter().map(|it| line(&whose, it)));
        }
        all
    }
}

/// One run of one variant (its index in [`Scenario::variants`]) with applications: `application` is asked for that of each process that starts, by its
/// node's number; `None`: nothing runs there. Equal arguments, equal outcome, on any machine. Uses one thread.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn run(
    scenario: &Scenario,
    variant: usize,
    seed: u64,
    application: &mut dyn FnMut(u32) -> Option<Box<dyn Application>>,
) -> Outcome {
    let mut desk = Desk::default();
    let record = world::run_with_applications(scenario, variant, seed, application, &mut desk);
    Outcome { record, violations: desk.violations, violated: desk.violated }
}
