//! How long the news of one change takes: from its onset to the first and the last report.

use crate::record::Sample;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A node stopped without a word.
    Crash,
    /// A node started.
    Join,
    /// A node left.
    Leave,
    /// A node's process stands still or is cut off from its sockets.
    Anomaly,
}

/// A change whose news is still on its way.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// What.
    pub change: Change,
    /// Since when (ns).
    pub onset: u64,
    /// Whether somebody was there to be told.
    pub owed: bool,
    /// The first suspicion.
    pub suspected: Option<u64>,
    /// The first report.
    pub first: Option<u64>,
    /// The last report.
    pub last: Option<u64>,
}

/// Finished distributions.
#[derive(Debug, Default)]
pub struct Distributions {
    /// `suspicion.first`
    pub suspicion_first: Vec<Sample>,
    /// `detection.first`
    pub detection_first: Vec<Sample>,
    /// `detection.all`
    pub detection_all: Vec<Sample>,
    /// `dissemination.failure`
    pub failure: Vec<Sample>,
    /// `dissemination.join`
    pub join: Vec<Sample>,
    /// `dissemination.leave`
    pub leave: Vec<Sample>,
}

impl Open {
    /// A change that begins now.
    #[must_use]
    pub const fn new(change: Change, onset: u64, owed: bool) -> Self {
        Self { change, onset, owed, suspected: None, first: None, last: None }
    }

    /// Somebody reported it.
    pub fn report(&mut self, now: u64) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// The change is known everywhere (`complete`), or its observation ends now.
    pub fn close(self, now: u64, complete: bool, into: &mut Distributions) {
        if !self.owed {
            return;
        }
        let since_onset = |at: Option<u64>| sample(self.onset, at, now);
        let all = self.last.filter(|_| complete);
        let spread = self.first.map(|first| sample(first, all, now));
        match self.change {
            Change::Crash | Change::Anomaly => {
                into.suspicion_first.push(since_onset(self.suspected));
                into.detection_first.push(since_onset(self.first));
                into.detection_all.push(since_onset(all));
                into.failure.extend(spread);
            }
            Change::Join => into.join.extend(spread),
            Change::Leave => into.leave.extend(spread),
        }
    }
}

fn sample(from: u64, at: Option<u64>, now: u64) -> Sample {
    Sample { value: at.unwrap_or(now).saturating_sub(from) as f64 / 1e9, censored: at.is_none() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_crash_that_not_all_reported_is_censored_at_the_end() {
        let mut open = Open::new(Change::Crash, 10 * S, true);
        open.suspected = Some(11 * S);
        open.report(13 * S);
        open.report(14 * S);
        let mut done = Distributions::default();
        open.close(20 * S, false, &mut done);
        assert_eq!(done.suspicion_first, [Sample { value: 1.0, censored: false }]);
        assert_eq!(done.detection_first, [Sample { value: 3.0, censored: false }]);
        assert_eq!(done.detection_all, [Sample { value: 10.0, censored: true }]);
        assert_eq!(done.failure, [Sample { value: 7.0, censored: true }]);
        open.close(20 * S, true, &mut done);
        assert_eq!(done.detection_all[1], Sample { value: 4.0, censored: false });
        assert_eq!(done.failure[1], Sample { value: 1.0, censored: false });
    }

    #[test]
    fn a_change_nobody_is_owed_leaves_no_sample() {
        let mut done = Distributions::default();
        Open::new(Change::Crash, 0, false).close(S, false, &mut done);
        assert!(done.detection_all.is_empty());
    }
}
