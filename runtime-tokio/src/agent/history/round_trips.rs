//! The round trips of the last probes, of all members together.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use rumormill_core::Instant;
use rumormill_core::io::ProbePath;

use crate::agent::why::{RoundTrip, RoundTrips};

/// Answers that are kept: 32 KiB. A node probes one member each interval, so these are the last ones of all members alike.
pub(super) const ANSWERS_MAX: usize = 2048;

/// An answer to a probe, in 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// A hash of who answered: two members that are taken for one are rarer than one in 10^12 agents.
    who: u64,
    micros: u32,
    /// Seconds since the agent's birth, and in the two lowest bits how it came.
    stamp: u32,
}

impl Answer {
    const fn path(self) -> ProbePath {
        match self.stamp & 3 {
            0 => ProbePath::Direct,
            1 => ProbePath::Indirect,
            _ => ProbePath::Stream,
        }
    }

    fn at(self, born: Instant) -> Instant {
        born + Duration::from_secs(u64::from(self.stamp >> 2))
    }
}

#[derive(Debug)]
pub(super) struct Answers {
    born: Instant,
    hasher: RandomState,
    /// The oldest first.
    last: VecDeque<Answer>,
}

impl Answers {
    pub(super) fn new(now: Instant) -> Self {
        Self { born: now, hasher: RandomState::new(), last: VecDeque::new() }
    }

    pub(super) fn add(&mut self, name: &str, after: Duration, path: ProbePath, now: Instant) {
        let path = match path {
            ProbePath::Direct => 0,
            ProbePath::Indirect => 1,
            ProbePath::Stream => 2,
        };
        if self.last.len() == ANSWERS_MAX {
            self.last.pop_front();
        }
        self.last.push_back(Answer {
            who: self.hasher.hash_one(name),
            micros: u32::try_from(after.as_micros()).unwrap_or(u32::MAX),
            stamp: (now.since(self.born).as_secs() as u32) << 2 | path,
        });
    }

    /// Those of one member, without the estimate.
    pub(super) fn of(&self, name: &str, now: Instant) -> RoundTrips {
        let who = self.hasher.hash_one(name);
        let all: Vec<Answer> = self.last.iter().filter(|answer| answer.who == who).copied().collect();
        let mut direct: Vec<u32> =
            all.iter().filter(|a| a.path() == ProbePath::Direct).map(|a| a.micros).collect();
        direct.sort_unstable();
        let last = all.last().map(|answer| RoundTrip {
            ms: ms(answer.micros),
            path: path_name(answer.path()).into(),
            ago_ms: now.since(answer.at(self.born)).as_millis() as u64,
        });
        RoundTrips {
            last,
            direct_p50_ms: (!direct.is_empty()).then(|| median(&direct)),
            direct: direct.len() as u32,
            not_direct: (all.len() - direct.len()) as u32,
            estimate_ms: None,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.last.len()
    }
}

const fn path_name(path: ProbePath) -> &'static str {
    match path {
        ProbePath::Direct => "direct",
        ProbePath::Indirect => "indirect",
        ProbePath::Stream => "stream",
    }
}

fn ms(micros: u32) -> f64 {
    f64::from(micros) / 1e3
}

/// Of sorted values, at least one.
fn median(sorted: &[u32]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        ms(sorted[half])
    } else {
        f64::midpoint(ms(sorted[half - 1]), ms(sorted[half]))
    }
}
