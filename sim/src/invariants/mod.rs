//! What is always true (the design's list), checked in every run at O(1) per fact.

pub mod budgets;
pub mod deadlines;
pub mod incarnations;
pub mod label;
pub mod leavers;
pub mod own_incarnation;
pub mod quiet;
pub mod user_events;

use crate::record::{InvariantOutcome, Violation};
use crate::truth::node_name;

/// One invariant's tally.
#[derive(Debug)]
pub struct Tally {
    outcome: InvariantOutcome,
}

impl Tally {
    /// Nothing checked yet.
    #[must_use]
    pub fn new(number: u8, name: &str) -> Self {
        Self {
            outcome: InvariantOutcome {
                number,
                name: name.to_owned(),
                checked: 0,
                violations: 0,
                first: None,
                not_applicable: None,
                remark: None,
            },
        }
    }

    /// Counts a fact; when it does not hold, a violation seen at `node`.
    #[inline]
    pub fn check(&mut self, holds: bool, now: u64, node: u32, what: impl FnOnce() -> String) {
        self.outcome.checked += 1;
        if !holds {
            self.violated(now, node, what);
        }
    }

    #[cold]
    fn violated(&mut self, now: u64, node: u32, what: impl FnOnce() -> String) {
        self.outcome.violations += 1;
        self.outcome.first.get_or_insert_with(|| Violation {
            at: now as f64 / 1e9,
            node: node_name(node),
            what: what(),
        });
    }

    /// Says what was checked, in this run's numbers.
    pub fn remark(&mut self, text: String) {
        self.outcome.remark = Some(text);
    }

    /// Says why the invariant does not apply to this run.
    pub fn does_not_apply(&mut self, why: String) {
        self.outcome.not_applicable = Some(why);
    }

    /// What was found.
    #[must_use]
    pub fn outcome(&self) -> InvariantOutcome {
        self.outcome.clone()
    }

    /// Violations so far.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.outcome.violations
    }
}

/// All invariants of one run, in the design's order.
#[derive(Debug)]
pub struct Invariants {
    /// 1
    pub incarnations: incarnations::Incarnations,
    /// 2
    pub own: own_incarnation::OwnIncarnation,
    /// 3
    pub user_events: user_events::UserEvents,
    /// 4
    pub budgets: budgets::Budgets,
    /// 5
    pub label: label::Label,
    /// 6
    pub leavers: leavers::Leavers,
    /// 7
    pub quiet: Tally,
    /// 8
    pub deadlines: deadlines::Deadlines,
}

impl Invariants {
    /// Nothing checked yet. The network may damage packets; keys may change.
    #[must_use]
    pub fn new(nodes: usize, config: &rumormill_core::Config, (corrupts, keys_change): (bool, bool)) -> Self {
        Self {
            incarnations: incarnations::Incarnations::new(nodes),
            own: own_incarnation::OwnIncarnation::new(nodes),
            user_events: user_events::UserEvents::new(),
            budgets: budgets::Budgets::new(config),
            label: label::Label::new(corrupts, keys_change),
            leavers: leavers::Leavers::new(),
            quiet: Tally::new(7, "quiet time: all live members agree with ground truth, and stay so"),
            deadlines: deadlines::Deadlines::new(),
        }
    }

    /// What each found.
    #[must_use]
    pub fn outcomes(&self) -> Vec<InvariantOutcome> {
        vec![
            self.incarnations.0.outcome(),
            self.own.0.outcome(),
            self.user_events.tally.outcome(),
            self.budgets.tally.outcome(),
            self.label.tally.outcome(),
            self.leavers.0.outcome(),
            self.quiet.outcome(),
            self.deadlines.0.outcome(),
        ]
    }
}
