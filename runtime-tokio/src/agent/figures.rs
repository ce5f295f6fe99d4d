//! Figures that the core's counters lack: from its notes, its outputs and the driver's turns.
//!
//! Plain numbers of the driver's own task: counting takes no lock and no memory.

use std::time::Duration;

use rumormill_core::io::{Event, Note, ProbePath, State, Via};
use rumormill_core::wire::{KINDS, Kind, Kinds};

use super::histogram::Histogram;

/// What an agent has counted since its start beside [`Counters`](rumormill_core::counters::Counters). All only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How long members took to answer probes.
    pub round_trips: RoundTrips,
    /// Suspicions that began here, by how the accusation came.
    pub suspicions: ByVia,
    /// Independent confirmations of suspicions.
    pub confirmations: u64,
    /// How suspicions ended. Those that began are as many as those that have ended and those that are open.
    pub suspicions_ended: SuspicionsEnded,
    /// Claims that changed a member's row.
    pub changes: Changes,
    /// Members' events.
    pub members: MemberEvents,
    /// User events of this node that were accepted.
    pub user_events_sent: u64,
    /// Queries of this node that were asked.
    pub queries_sent: u64,
    /// Queries of this node that are over.
    pub queries_over: u64,
    /// Acknowledgements to queries of this node.
    pub acks: u64,
    /// Answers to queries of this node.
    pub answers: u64,
    /// Events told to subscribers, bursts merged.
    pub events_told: u64,
    /// How late the driver came to what was due.
    pub lag: Histogram,
    /// Messages sent, by [`Kind`] in the order of [`Kind::ALL`].
    messages: [u64; KINDS],
}

/// Round trips of probes, from sending the ping to the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Answered before `probe_timeout`.
    pub direct: Histogram,
    /// Answered after it: late, or through a helper.
    pub indirect: Histogram,
    /// Answered over a stream alone.
    pub stream: Histogram,
}

/// A number for each way on which a claim comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByVia {
    /// This node found out itself.
    pub own: u64,
    /// By a packet.
    pub gossip: u64,
    /// By a push/pull exchange.
    pub sync: u64,
}

impl ByVia {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.own + self.gossip + self.sync
    }

    const fn add(&mut self, via: Via) {
        let number = match via {
            Via::Own => &mut self.own,
            Via::Gossip => &mut self.gossip,
            Via::Sync => &mut self.sync,
        };
        *number += 1;
    }
}

/// How suspicions ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuspicionsEnded {
    /// The member said that it is alive.
    pub refuted: u64,
    /// The member was declared dead, here or elsewhere.
    pub failed: u64,
    /// The member said that it leaves.
    pub left: u64,
    /// The member was suspected anew, at a later incarnation.
    pub renewed: u64,
}

impl SuspicionsEnded {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.refuted + self.failed + self.left + self.renewed
    }
}

/// Claims that changed a member's row, by the failure detector's state after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// To alive: new members, refutations, other tags.
    pub alive: ByVia,
    /// To suspect.
    pub suspect: ByVia,
    /// To dead.
    pub dead: ByVia,
    /// To left.
    pub left: ByVia,
}

/// Events about other members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberEvents {
    /// A member appeared, or came back.
    pub join: u64,
    /// A member left.
    pub leave: u64,
    /// A member failed.
    pub failed: u64,
    /// A member's tags changed.
    pub update: u64,
    /// A member was forgotten.
    pub reap: u64,
}

impl Figures {
    /// Messages of this kind that were sent, over whatever transport.
    #[must_use]
    pub const fn messages(&self, kind: Kind) -> u64 {
        self.messages[kind as usize]
    }

    pub(super) fn note(&mut self, note: &Note<'_>) {
        match *note {
            Note::Applied { before, state, via, .. } => self.changed(before, state, via),
            Note::Suspected { via, .. } => self.suspicions.add(via),
            Note::Confirmed { .. } => self.confirmations += 1,
            Note::ProbeAnswered { after, path, .. } => match path {
                ProbePath::Direct => self.round_trips.direct.add(after),
                ProbePath::Indirect => self.round_trips.indirect.add(after),
                ProbePath::Stream => self.round_trips.stream.add(after),
            },
            // The core counts these, and what is declared is applied too.
            Note::DeclaredDead { .. }
            | Note::Refuted { .. }
            | Note::ProbeFailed { .. }
            | Note::Rejected { .. }
            | Note::Shed(_) => {}
        }
    }

    fn changed(&mut self, before: Option<State>, state: State, via: Via) {
        let changes = match state {
            State::Alive => &mut self.changes.alive,
            State::Suspect => &mut self.changes.suspect,
            State::Dead => &mut self.changes.dead,
            State::Left => &mut self.changes.left,
            State::Forgotten => return,
        };
        changes.add(via);
        if before == Some(State::Suspect) {
            let ended = &mut self.suspicions_ended;
            match state {
                State::Alive => ended.refuted += 1,
                State::Dead => ended.failed += 1,
                State::Left => ended.left += 1,
                State::Suspect => ended.renewed += 1,
                State::Forgotten => {}
            }
        }
    }

    /// Messages leave, in a packet or a frame.
    #[inline]
    pub(super) fn sent(&mut self, kinds: &Kinds) {
        for (kind, count) in kinds.iter() {
            self.messages[kind as usize] += u64::from(count);
        }
    }

    pub(super) const fn event(&mut self, event: &Event<'_>) {
        let number = match event {
            Event::Join { .. } => &mut self.members.join,
            Event::Leave { .. } => &mut self.members.leave,
            Event::Failed { .. } => &mut self.members.failed,
            Event::Update { .. } => &mut self.members.update,
            Event::Reap { .. } => &mut self.members.reap,
            Event::Ack { .. } => &mut self.acks,
            Event::Answer { .. } => &mut self.answers,
            Event::Conflict { .. }
            | Event::User { .. }
            | Event::Query { .. }
            | Event::KeysChanged
            | Event::MustStop { .. } => return,
        };
        *number += 1;
    }

    pub(super) fn lagged(&mut self, lag: Duration) {
        self.lag.add(lag);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rumormill_core::id::{Identity, Incarnation, NodeName, Versions};

    use super::*;

    #[test]
    fn every_suspicion_that_began_has_ended_or_is_open() {
        let name = NodeName::new("a").unwrap();
        let identity =
            Identity { name, addr: ([10, 0, 0, 1], 1).into(), meta: [].into(), versions: Versions::CURRENT };
        let subject = Arc::new(identity);
        let mut figures = Figures::default();
        let incarnation = Incarnation(1);
        let mut open = 0u64;
        let mut state = State::Alive;
        let timeout = Duration::from_secs(1);
        for (next, via) in [
            (State::Suspect, Via::Own),
            (State::Alive, Via::Gossip),
            (State::Suspect, Via::Gossip),
            (State::Suspect, Via::Gossip),
            (State::Dead, Via::Own),
            (State::Alive, Via::Sync),
            (State::Suspect, Via::Sync),
            (State::Left, Via::Gossip),
            (State::Alive, Via::Gossip),
            (State::Dead, Via::Sync),
            (State::Alive, Via::Gossip),
            (State::Suspect, Via::Own),
        ] {
            let before = Some(state);
            figures.note(&Note::Applied { subject: &subject, before, state: next, incarnation, via });
            if next == State::Suspect {
                figures.note(&Note::Suspected { subject: &subject, incarnation, accuser: "b", via, timeout });
            }
            open = u64::from(next == State::Suspect);
            state = next;
            assert_eq!(figures.suspicions.total(), figures.suspicions_ended.total() + open);
        }
        assert_eq!(open, 1);
        assert_eq!(figures.suspicions, ByVia { own: 2, gossip: 2, sync: 1 });
        assert_eq!(figures.suspicions_ended, SuspicionsEnded { refuted: 1, failed: 1, left: 1, renewed: 1 });
        assert_eq!(figures.changes.dead, ByVia { own: 1, gossip: 0, sync: 1 });
    }

    #[test]
    fn messages_are_counted_by_kind() {
        let mut figures = Figures::default();
        let mut kinds = Kinds::one(Kind::Ping);
        kinds.add(Kind::Alive);
        kinds.add(Kind::Alive);
        figures.sent(&kinds);
        figures.sent(&kinds);
        assert_eq!(figures.messages(Kind::Ping), 2);
        assert_eq!(figures.messages(Kind::Alive), 4);
        let all: u64 = Kind::ALL.into_iter().map(|kind| figures.messages(kind)).sum();
        assert_eq!(all, 6);
    }
}
