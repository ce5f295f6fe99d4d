//! What became of members that were in trouble, for [`Handle::why`](super::Handle::why): filled from the core's notes.
//!
//! All of it is bounded, whatever peers do. A member that nobody accuses has no story, so that a cluster without trouble costs
//! nothing here but the round trips of the last probes.

mod health;
mod lines;
mod round_trips;
mod stories;
#[cfg(test)]
mod tests;
mod view;

use rumormill_core::io::{Note, State, Via};
use rumormill_core::{Config, Instant, Node};

use super::why::{Through, What};
use health::HealthLog;
use lines::NoteLines;
use round_trips::Answers;
use stories::Stories;

/// The memory of one agent.
pub(super) struct History {
    born: Instant,
    stories: Stories,
    answers: Answers,
    health: HealthLog,
    lines: NoteLines,
}

impl History {
    /// Empty, at an agent's birth.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            born: now,
            stories: Stories::default(),
            answers: Answers::new(now),
            health: HealthLog::default(),
            lines: NoteLines::default(),
        }
    }

    /// Takes a note of the node, which is as it is after the step that gave it: writes a line about it, and remembers it.
    pub(super) fn note(&mut self, note: &Note<'_>, node: &Node, now: Instant) {
        self.lines.log(note, now);
        self.health.look(note, node.health(), now);
        self.remember(note, node, now);
    }

    fn remember(&mut self, note: &Note<'_>, node: &Node, now: Instant) {
        let (name, what) = match *note {
            Note::ProbeAnswered { subject, after, path } => {
                return self.answers.add(subject.name.as_str(), after, path, now);
            }
            Note::ProbeFailed { subject, incarnation, accuses, nacks_expected, nacks } => {
                let (incarnation, local_health) = (incarnation.0, node.health());
                let what = What::ProbeFailed { incarnation, accuses, nacks_expected, nacks, local_health };
                (&subject.name, what)
            }
            Note::Suspected { subject, incarnation, accuser, via, timeout } => {
                let (accuser, through, timeout_ms) = (accuser.into(), via.into(), timeout.as_millis() as u64);
                (&subject.name, What::Suspected { incarnation: incarnation.0, accuser, through, timeout_ms })
            }
            Note::Confirmed { subject, accuser, confirmations } => {
                let began_with = self.stories.last_timeout(subject.name.as_str());
                let timeout_ms = shortened(began_with, confirmations, node.config());
                (&subject.name, What::Confirmed { accuser: accuser.into(), confirmations, timeout_ms })
            }
            Note::DeclaredDead { subject, incarnation, accuser, via } => {
                let (accuser, through) = (accuser.into(), via.into());
                (&subject.name, What::DeclaredFailed { incarnation: incarnation.0, accuser, through })
            }
            Note::Refuted { accused, announced, via } => {
                let (incarnation, announced) = (accused.0, announced.0);
                (&node.identity().name, What::Accused { incarnation, announced, through: via.into() })
            }
            Note::Applied { subject, before, state, incarnation, via } => {
                let (incarnation, through) = (incarnation.0, via.into());
                let what = match (before, state) {
                    (Some(State::Suspect), State::Alive) => What::Refuted { incarnation, through },
                    (Some(State::Dead | State::Left | State::Forgotten), State::Alive) => {
                        What::Returned { incarnation, through }
                    }
                    // To join and to leave is no trouble: they belong to the story of a member that had some.
                    (None, State::Alive) if self.stories.has(subject.name.as_str()) => {
                        What::Returned { incarnation, through }
                    }
                    (_, State::Left) if self.stories.has(subject.name.as_str()) => {
                        What::Left { incarnation, through }
                    }
                    _ => return,
                };
                (&subject.name, what)
            }
            Note::Rejected { .. } | Note::Shed(_) => return,
        };
        self.stories.add(name.as_str(), what, now);
    }
}

/// How long a suspicion runs with so many confirmations, of which the timer that it began with says how large the cluster was.
fn shortened(began_with_ms: u64, confirmations: u8, config: &Config) -> u64 {
    // A cluster of any size that can confirm hopes for the same number.
    let wanted = rumormill_core::suspicion_times(config, u32::MAX).confirmations;
    let max = std::time::Duration::from_millis(began_with_ms);
    let min = max / config.suspicion_max_mult.max(1);
    let times = rumormill_core::SuspicionTimes { min, max, confirmations: wanted };
    times.after(confirmations).as_millis() as u64
}

impl From<Via> for Through {
    fn from(via: Via) -> Self {
        match via {
            Via::Own => Self::Own,
            Via::Gossip => Self::Gossip,
            Via::Sync => Self::PushPull,
        }
    }
}
