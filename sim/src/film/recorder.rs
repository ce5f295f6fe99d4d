//! What writes a run down while it happens. It watches, and changes nothing.

use super::{Change, Condition, FaultSpan, Film, Span, What};
use crate::metrics::views::View;
use crate::record::RunRecord;
use crate::scenario::{Fault, FaultKind, Scenario};
use crate::truth::Presence;

/// The changes of a run so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Each node's group.
    group: Vec<u16>,
    changes: Vec<Change>,
    births: Vec<Vec<Span>>,
    faults: Vec<FaultSpan>,
    /// How much room is left.
    room: usize,
    /// Since when it has been full, microseconds.
    full: Option<u64>,
    /// Whether the film is at its end.
    over: bool,
}

/// A moment of the run, nanoseconds, on the film. What happened up to a whole microsecond is there at that microsecond.
fn micros(now: u64) -> u64 {
    now.div_ceil(1000)
}

impl Recorder {
    /// A recorder that holds so many changes of nodes of these groups.
    pub(crate) fn new(group: Vec<u16>, changes_max: usize) -> Self {
        Self {
            group,
            changes: Vec::new(),
            births: Vec::new(),
            faults: Vec::new(),
            room: changes_max,
            full: None,
            over: false,
        }
    }

    /// Nothing that happens from now on is on it.
    pub(crate) const fn end(&mut self) {
        self.over = true;
    }

    /// Whether there is room for something of this size; once there was not, nothing more is taken.
    fn takes(&mut self, now: u64, size: usize) -> bool {
        if self.over {
            return false;
        }
        if self.full.is_none() {
            match self.room.checked_sub(size) {
                Some(room) => self.room = room,
                None => self.full = Some(micros(now)),
            }
        }
        self.full.is_none()
    }

    fn add(&mut self, now: u64, node: u32, what: What) {
        if self.takes(now, 1) {
            self.changes.push(Change { at: micros(now), node, what });
        }
    }

    pub(crate) fn view(&mut self, now: u64, observer: u32, subject: u32, view: View) {
        self.add(now, observer, What::View { subject, view });
    }

    /// A process started, believing in those for whom `believes` holds.
    pub(crate) fn born(&mut self, now: u64, node: u32, believes: impl Fn(u32) -> bool) {
        // With itself, everybody is one span.
        let known = (0..self.group.len() as u32).filter(|other| *other == node || believes(*other));
        let spans = Span::of(known);
        if self.takes(now, 1 + spans.len()) {
            let birth = self.births.len() as u32;
            self.births.push(spans);
            self.changes.push(Change { at: micros(now), node, what: What::Born(birth) });
        }
    }

    pub(crate) fn gone(&mut self, now: u64, node: u32, presence: Presence) {
        self.add(now, node, What::Gone(presence));
    }

    pub(crate) fn condition(&mut self, now: u64, node: u32, kind: &FaultKind, on: bool) {
        let condition = match kind {
            FaultKind::Pause { .. } => Condition::Paused,
            FaultKind::BlockIo { .. } => Condition::Blocked,
            FaultKind::Slow { .. } => Condition::Slow,
            FaultKind::Clock { .. } => Condition::Clock,
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Leave { .. }
            | FaultKind::Join { .. }
            | FaultKind::Partition { .. }
            | FaultKind::Link { .. } => return,
        };
        self.add(now, node, What::Condition { condition, on });
    }

    pub(crate) fn false_positive(&mut self, now: u64, observer: u32, subject: u32) {
        self.add(now, observer, What::FalsePositive { subject });
    }

    /// A fault began; it ends at `until` (ns), if it does within the run.
    pub(crate) fn fault(&mut self, now: u64, index: usize, fault: &Fault, until: Option<u64>) {
        if !self.takes(now, 1) {
            return;
        }
        let kind = &fault.kind;
        let ends = !matches!(
            kind,
            FaultKind::Crash { .. }
                | FaultKind::Restart { .. }
                | FaultKind::Leave { .. }
                | FaultKind::Join { .. }
        );
        self.faults.push(FaultSpan {
            fault: index,
            kind: kind.name(),
            name: fault.name.clone(),
            at: micros(now),
            until: until.map(micros),
            lasts: ends && until.is_none(),
            nodes: Vec::new(),
        });
    }

    /// The fault that began last is aimed at these nodes.
    pub(crate) fn aimed(&mut self, now: u64, index: usize, nodes: &[u32]) {
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        let spans = Span::of(nodes.into_iter());
        if self.takes(now, spans.len())
            && let Some(last) = self.faults.last_mut().filter(|last| last.fault == index)
        {
            last.nodes = spans;
        }
    }

    /// The film of a run that ended at `end` (microseconds).
    pub(crate) fn develop(mut self, scenario: &Scenario, end: u64, run: RunRecord) -> Film {
        // A moment of which something is missing is left out as a whole.
        let cut = self.full.filter(|full| *full <= end);
        if let Some(cut) = cut {
            let whole = self.changes.partition_point(|change| change.at < cut);
            self.changes.truncate(whole);
            self.faults.retain(|fault| fault.at < cut);
        }
        Film {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            source: scenario.source.clone(),
            variant: run.variant.clone(),
            seed: run.seed,
            nodes: self.group.len() as u32,
            zones: scenario.cluster.zones.clone(),
            group: self.group,
            end: cut.map_or(end, |cut| cut.saturating_sub(1)),
            cut_short: cut.is_some(),
            changes: self.changes,
            births: self.births,
            faults: self.faults,
            run,
        }
    }
}
