//! A film of one run: everything that changed in what nodes believe of each other and in what is true of them, moment by moment.
//!
//! [`record`] runs one variant with one seed, as [`world::run`] does and with the same result, and keeps the changes; a
//! [`Screen`] shows how things stood at any moment; [`Film::events`] are the moments worth looking at. [`player`](crate::player) makes a page of it.
//!
//! ```
//! use rumormill_sim::{Scenario, film};
//!
//! let text = r#"
//!     name = "one-of-five"
//!     duration = "40s"
//!     [cluster]
//!     nodes = 5
//!     [[fault]]
//!     at = "5s"
//!     kind = "crash"
//!     nodes = ["node-3"]
//! "#;
//! let scenario = Scenario::parse(text, "one-of-five.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
//! let film = film::record(&scenario, 0, 1);
//! let mut screen = film.screen();
//! screen.advance(4_000_000);
//! assert_eq!((screen.counts().up, screen.counts().wrong), (5, 0));
//! screen.advance(5_000_000);
//! assert_eq!((screen.counts().up, screen.counts().wrong), (4, 4));
//! ```

mod events;
mod recorder;
mod screen;

use rumormill_core::time::nanos;

pub use events::{Event, EventKind};
pub(crate) use recorder::Recorder;
pub use screen::{Counts, Screen};

use crate::metrics::views::View;
use crate::record::RunRecord;
use crate::scenario::{Scenario, Zone};
use crate::truth::Presence;
use crate::world;

/// Most changes that a film holds; the runs of nodes in births and faults count too. What happens later is not in it.
pub const CHANGES_MAX: usize = 4_000_000;

/// What happened in one run, from t = 0 to the end of its measured time.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// The scenario's name.
    pub name: String,
    /// The question it answers.
    pub about: String,
    /// How a command line names the scenario; empty when it was built in code.
    pub source: String,
    /// The variant's name.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// How many nodes.
    pub nodes: u32,
    /// Zones in order; empty when there are none.
    pub zones: Vec<Zone>,
    /// Each node's group: nodes of different groups have no label or key in common, and should not see each other.
    pub group: Vec<u16>,
    /// Where it ends, microseconds from t = 0.
    pub end: u64,
    /// Whether it ends before the run does, because there were more than [`CHANGES_MAX`] changes.
    pub cut_short: bool,
    /// What changed, in order.
    pub changes: Vec<Change>,
    /// What nodes were born with: [`What::Born`] names one of these.
    pub births: Vec<Vec<Span>>,
    /// What faults there were, in the order in which they began; one that repeats is there once for each time.
    pub faults: Vec<FaultSpan>,
    /// What else came of the run.
    pub run: RunRecord,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, microseconds from t = 0, rounded up.
    pub at: u64,
    /// At which node.
    pub node: u32,
    /// What.
    pub what: What,
}

/// What changed at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It believes something else of another node.
    View {
        /// Of whom.
        subject: u32,
        /// What.
        view: View,
    },
    /// Its process started, believing in the members of this entry of [`Film::births`], and in nobody else.
    Born(u32),
    /// It is gone, or going: down, leaving, or left.
    Gone(Presence),
    /// A fault takes hold of it, or lets go.
    Condition {
        /// In which way.
        condition: Condition,
        /// Whether it takes hold.
        on: bool,
    },
    /// It declared a node dead that was up and within reach: a false positive, as the metric counts them.
    FalsePositive {
        /// Whom.
        subject: u32,
    },
}

/// What a fault does to a node that goes on living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Condition {
    /// Its process stands still.
    Paused = 0,
    /// It is cut off from its sockets.
    Blocked = 1,
    /// Its messages are late.
    Slow = 2,
    /// Its clock is wrong.
    Clock = 3,
}

/// Consecutive nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: u32,
    /// How many; at least one.
    pub count: u32,
}

impl Span {
    /// The nodes.
    pub fn nodes(self) -> impl Iterator<Item = u32> {
        self.first..self.first.saturating_add(self.count)
    }

    /// Nodes as spans; they come in rising order.
    #[must_use]
    pub fn of(nodes: impl Iterator<Item = u32>) -> Vec<Self> {
        let mut spans: Vec<Self> = Vec::new();
        for node in nodes {
            match spans.last_mut() {
                Some(last) if last.first + last.count == node => last.count += 1,
                _ => spans.push(Self { first: node, count: 1 }),
            }
        }
        spans
    }
}

/// One time that a fault was there.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpan {
    /// Its position in the scenario, from 0.
    pub fault: usize,
    /// Its kind, as the scenario names it.
    pub kind: &'static str,
    /// Its name; empty when it has none.
    pub name: String,
    /// When it began, microseconds from t = 0.
    pub at: u64,
    /// When it ended, for those that end within the run.
    pub until: Option<u64>,
    /// Whether it lasts until the run's end: a cut or a pause without an end of its own.
    pub lasts: bool,
    /// The nodes it was aimed at.
    pub nodes: Vec<Span>,
}

impl FaultSpan {
    /// How a person calls it: `crash`, or `ap-cut-off (partition)`.
    #[must_use]
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.kind.to_owned() } else { format!("{} ({})", self.name, self.kind) }
    }

    /// How many nodes it was aimed at.
    #[must_use]
    pub fn aimed(&self) -> u64 {
        self.nodes.iter().map(|span| u64::from(span.count)).sum()
    }
}

/// Films one run of one variant (its index in [`Scenario::variants`]): equal arguments, equal films. Uses one thread; costs little more than the
/// run itself.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn record(scenario: &Scenario, variant: usize, seed: u64) -> Film {
    record_with(scenario, variant, seed, &mut |_| {})
}

/// The same, telling now and then how many seconds have been simulated.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn record_with(scenario: &Scenario, variant: usize, seed: u64, progress: &mut dyn FnMut(f64)) -> Film {
    let (run, recorder) = world::run_filmed(scenario, variant, seed, CHANGES_MAX, progress);
    recorder.develop(scenario, nanos(scenario.duration) / 1000, run)
}

impl Film {
    /// The screen before the first change.
    #[must_use]
    pub fn screen(&self) -> Screen<'_> {
        Screen::new(self)
    }

    /// The moments worth looking at, in order: at most a few hundred, those of one kind that follow each other closely as one.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        events::of(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
