//! Lines about suspicions and what else the protocol notes: at DEBUG, because a large cluster has many, and limited, because
//! peers can cause them.

use rumormill_core::Instant;
use rumormill_core::io::{Note, ProbePath, Shed, State, Via};
use tracing::debug;

use crate::agent::line_limit::LineLimit;

/// Lines in ten seconds, of all kinds together.
pub(super) const LINES_MAX: u32 = 200;

#[derive(Debug)]
pub(super) struct NoteLines(LineLimit);

impl Default for NoteLines {
    fn default() -> Self {
        Self(LineLimit::new(LINES_MAX))
    }
}

impl NoteLines {
    pub(super) fn log(&mut self, note: &Note<'_>, now: Instant) {
        if !is_worth_a_line(note) || !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let Some(held_back) = self.0.pass(now) else { return };
        if held_back > 0 {
            debug!(
                "memberlist: {held_back} more lines about suspicions, probes and what was refused were not written"
            );
        }
        write(note);
    }
}

/// Whether it says more than what other lines say.
const fn is_worth_a_line(note: &Note<'_>) -> bool {
    match note {
        Note::ProbeAnswered { path, .. } => matches!(path, ProbePath::Stream),
        Note::Applied { before, state, .. } => {
            matches!((before, state), (Some(State::Suspect), State::Alive))
        }
        _ => true,
    }
}

fn write(note: &Note<'_>) {
    match *note {
        Note::ProbeAnswered { subject, after, .. } => debug!(
            member = %subject.name,
            "memberlist: {} answered over TCP only, after {after:.0?}: UDP to it may be blocked", subject.name
        ),
        Note::ProbeFailed { subject, nacks_expected: 0, .. } => {
            debug!(member = %subject.name, "memberlist: No answer to a probe from {}", subject.name);
        }
        Note::ProbeFailed { subject, nacks_expected, nacks, .. } => debug!(
            member = %subject.name,
            "memberlist: No answer to a probe from {}, nor by helpers: {nacks} of {nacks_expected} said so",
            subject.name
        ),
        Note::Suspected { subject, incarnation, accuser, via, timeout } => debug!(
            member = %subject.name, accuser, incarnation = incarnation.0,
            "memberlist: Suspecting {} (incarnation {}), accused by {accuser} {}; it has {timeout:.1?} to refute",
            subject.name, incarnation.0, way(via)
        ),
        Note::Confirmed { subject, accuser, confirmations } => debug!(
            member = %subject.name, accuser,
            "memberlist: {accuser} suspects {} too (confirmation {confirmations})", subject.name
        ),
        Note::DeclaredDead { subject, incarnation, accuser, via } => debug!(
            member = %subject.name, accuser, incarnation = incarnation.0,
            "memberlist: Marking {} (incarnation {}) as failed, declared by {accuser} {}",
            subject.name, incarnation.0, way(via)
        ),
        Note::Refuted { accused, announced, via } => debug!(
            incarnation = announced.0,
            "memberlist: Refuting an accusation of this node (incarnation {}, {}): it is at {} now",
            accused.0,
            way(via),
            announced.0
        ),
        Note::Applied { subject, incarnation, via, .. } => debug!(
            member = %subject.name, incarnation = incarnation.0,
            "memberlist: {} refutes: alive at incarnation {} ({})", subject.name, incarnation.0, way(via)
        ),
        Note::Rejected { from, error } => {
            debug!(from = %from, "memberlist: Refused what {from} sent: {error}");
        }
        Note::Shed(what) => debug!("memberlist: Dropped {}", dropped(what)),
    }
}

const fn way(via: Via) -> &'static str {
    match via {
        Via::Own => "by itself",
        Via::Gossip => "through gossip",
        Via::Sync => "through push/pull",
    }
}

const fn dropped(what: Shed) -> &'static str {
    match what {
        Shed::Broadcast => "a broadcast: queue_messages_max is reached",
        Shed::Member => "news of a new member: members_max is reached",
        Shed::Relay => "a request to probe for another: relays_max is reached",
        Shed::Stream => "a stream: streams_max is reached",
        Shed::Intent => "an intent about an unknown member: intents_max is reached",
        Shed::EventOrigin => "what was known of a member's user events: event_origins_max is reached",
        Shed::EventGap => "a gap in a member's user events, which nobody can fill any more",
        Shed::Query => "a query: queries_max is reached",
    }
}
