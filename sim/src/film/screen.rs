//! How things stand at one moment of a film.

use super::{Change, Film, What};
use crate::metrics::views::{View, Views};
use crate::truth::Presence;

/// What a film shows at one moment; time goes forward only.
#[derive(Debug)]
pub struct Screen<'f> {
    film: &'f Film,
    next: usize,
    views: Views,
    presence: Vec<Presence>,
    /// For each node: faults by which it is paused, blocked, slow, or has a wrong clock.
    conditions: Vec<[u16; 4]>,
    /// For each node: live observers that suspect it.
    suspected: Vec<u32>,
    /// For each node: live observers that hold it to be failed.
    failed: Vec<u32>,
    counts: Counts,
}

/// How many, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Nodes that are up.
    pub up: u32,
    /// (live observer, subject) pairs: the observer suspects the subject.
    pub suspected: u64,
    /// The observer holds the subject to be failed, rightly or not.
    pub failed: u64,
    /// The observer's view differs from ground truth.
    pub wrong: u64,
    /// False positives so far, warm-up apart.
    pub false_positives: u64,
}

impl<'f> Screen<'f> {
    pub(super) fn new(film: &'f Film) -> Self {
        let nodes = film.nodes as usize;
        let mut views = Views::new(nodes);
        views.divide(film.group.clone());
        Self {
            film,
            next: 0,
            views,
            presence: vec![Presence::Absent; nodes],
            conditions: vec![[0; 4]; nodes],
            suspected: vec![0; nodes],
            failed: vec![0; nodes],
            counts: Counts::default(),
        }
    }

    /// Goes on to a moment, microseconds from t = 0: what changed at it is to be seen. A moment that is past already changes nothing.
    pub fn advance(&mut self, to: u64) {
        while let Some(change) = self.film.changes.get(self.next).filter(|change| change.at <= to) {
            self.next += 1;
            self.apply(change);
        }
    }

    /// Goes on by one change.
    pub(super) fn step(&mut self) -> Option<&'f Change> {
        let change = self.film.changes.get(self.next)?;
        self.next += 1;
        self.apply(change);
        Some(change)
    }

    fn apply(&mut self, change: &Change) {
        let node = change.node;
        match change.what {
            What::View { subject, view } => {
                let was = self.views.set(node, subject, view);
                if self.views.is_live(node) {
                    self.forget(subject, was);
                    self.count(subject, view);
                }
            }
            What::Born(birth) => {
                self.forget_all(node);
                let known = self.film.births[birth as usize].iter().flat_map(|span| span.nodes());
                self.counts.up += u32::from(!self.views.is_live(node));
                self.views.born(node, known);
                self.presence[node as usize] = Presence::Up;
            }
            What::Gone(presence) => {
                self.forget_all(node);
                self.counts.up -= u32::from(self.views.is_live(node));
                self.views.gone(node);
                self.presence[node as usize] = presence;
            }
            What::Condition { condition, on } => {
                let faults = &mut self.conditions[node as usize][condition as usize];
                *faults = if on { faults.saturating_add(1) } else { faults.saturating_sub(1) };
            }
            What::FalsePositive { .. } => self.counts.false_positives += 1,
        }
        self.counts.wrong = self.views.wrong();
    }

    fn count(&mut self, subject: u32, view: View) {
        match view {
            View::Suspect => {
                self.suspected[subject as usize] += 1;
                self.counts.suspected += 1;
            }
            View::Failed => {
                self.failed[subject as usize] += 1;
                self.counts.failed += 1;
            }
            View::Unknown | View::Alive | View::Left => {}
        }
    }

    fn forget(&mut self, subject: u32, view: View) {
        match view {
            View::Suspect => {
                self.suspected[subject as usize] -= 1;
                self.counts.suspected -= 1;
            }
            View::Failed => {
                self.failed[subject as usize] -= 1;
                self.counts.failed -= 1;
            }
            View::Unknown | View::Alive | View::Left => {}
        }
    }

    /// What a live observer believed of all others counts no more.
    fn forget_all(&mut self, observer: u32) {
        if self.views.is_live(observer) {
            for subject in 0..self.film.nodes {
                self.forget(subject, self.views.get(observer, subject));
            }
        }
    }

    /// How many are up, suspected, ...
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What the observer believes of the subject; of itself it believes nothing.
    #[must_use]
    pub fn view(&self, observer: u32, subject: u32) -> View {
        self.views.get(observer, subject)
    }

    /// Where a node really is.
    #[must_use]
    pub fn presence(&self, node: u32) -> Presence {
        self.presence[node as usize]
    }

    /// Whether a fault has hold of a node that goes on living.
    #[must_use]
    pub fn is_disturbed(&self, node: u32) -> bool {
        self.conditions[node as usize].iter().any(|faults| *faults > 0)
    }

    /// Live observers that suspect the node.
    #[must_use]
    pub fn suspected_by(&self, node: u32) -> u32 {
        self.suspected[node as usize]
    }

    /// Live observers that hold the node to be failed.
    #[must_use]
    pub fn failed_at(&self, node: u32) -> u32 {
        self.failed[node as usize]
    }

    /// Live observers of its group that see the node present, suspected or not.
    #[must_use]
    pub fn present_at(&self, node: u32) -> u64 {
        self.views.present(node)
    }

    /// Live observers of its group, itself apart.
    #[must_use]
    pub fn others(&self, node: u32) -> u64 {
        self.views.others(node)
    }
}
