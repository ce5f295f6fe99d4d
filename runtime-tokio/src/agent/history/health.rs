//! The last changes of the node's own health.

use std::collections::VecDeque;

use rumormill_core::Instant;
use rumormill_core::io::Note;

/// Changes that are kept.
pub(super) const CHANGES_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct Change {
    pub(super) at: Instant,
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) because: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct HealthLog {
    score: u8,
    /// The oldest first.
    pub(super) changes: VecDeque<Change>,
}

impl HealthLog {
    /// Compares with what it was: whatever changes it gives a note too.
    pub(super) fn look(&mut self, note: &Note<'_>, score: u8, now: Instant) {
        if score == self.score {
            return;
        }
        let because = match note {
            Note::ProbeAnswered { subject, .. } => format!("{} answered a probe", subject.name),
            Note::ProbeFailed { subject, nacks_expected: 0, .. } => {
                format!("{} did not answer a probe, and no helper owed a word", subject.name)
            }
            Note::ProbeFailed { subject, nacks_expected, nacks, .. } => {
                let silent = nacks_expected.saturating_sub(*nacks);
                format!("{} did not answer a probe, and {silent} helpers neither", subject.name)
            }
            Note::Refuted { .. } => "this node was accused and had to refute".into(),
            _ => "of several things at once".into(),
        };
        if self.changes.len() == CHANGES_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back(Change { at: now, from: self.score, to: score, because: because.into() });
        self.score = score;
    }
}
