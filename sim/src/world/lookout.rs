//! Watching a run for the states that it reaches ([`Sight`]).

use std::net::SocketAddr;

use rumormill_core::Node;
use rumormill_core::io::{Event, Note, ProbePath, State, Via};
use rumormill_core::wire::{Kind, Kinds};

use super::stage::number_of;
use crate::scenario::Restart;
use crate::sightings::{Sight, Sightings};
use crate::truth::node_number;

/// What is seen, and what has to be remembered for it: four bytes for each pair of nodes.
#[derive(Debug)]
pub(super) struct Lookout {
    seen: Sightings,
    nodes: usize,
    /// By observer and subject: the address at which the observer knows the subject, its number plus one; 0 while it knows none.
    addresses: Vec<u32>,
    /// The failed member that each node dialled last, while nothing has come of it.
    dialled: Vec<Option<u32>>,
}

impl Lookout {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            seen: Sightings::default(),
            nodes,
            addresses: vec![0; nodes * nodes],
            dialled: vec![None; nodes],
        }
    }

    pub(super) const fn saw(&mut self, sight: Sight) {
        self.seen.add(sight, 1);
    }

    /// A process starts, knowing these members.
    pub(super) fn born<'m>(&mut self, node: u32, known: impl Iterator<Item = (&'m str, SocketAddr)>) {
        let row = node as usize * self.nodes;
        if let Some(addresses) = self.addresses.get_mut(row..row + self.nodes) {
            addresses.fill(0);
        }
        self.dialled[node as usize] = None;
        for (name, addr) in known {
            if let Some(subject) = node_number(name) {
                self.moved(node, subject, addr);
            }
        }
    }

    /// The observer knows the subject at this address from now on; whether it knew it at another one.
    fn moved(&mut self, observer: u32, subject: u32, addr: SocketAddr) -> bool {
        let place = observer as usize * self.nodes + subject as usize;
        let (Some(known), Some(number)) = (self.addresses.get_mut(place), number_of(addr)) else {
            return false;
        };
        let before = std::mem::replace(known, number + 1);
        before != 0 && before != number + 1
    }

    /// After a step.
    pub(super) fn stepped(&mut self, process: &Node) {
        if process.health() > 0 {
            self.saw(Sight::HealthWorse);
        }
    }

    /// A process is gone, or the run is over.
    pub(super) fn ended(&mut self, process: &Node) {
        self.seen.add_life(process.counters());
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let sight = match event {
            Event::Leave { .. } => Sight::LeaveHeard,
            Event::Reap { .. } => Sight::MemberReaped,
            Event::Conflict { .. } => Sight::NameClaimed,
            Event::MustStop { .. } => Sight::Outvoted,
            Event::Answer { .. } => Sight::QueryAnswered,
            Event::Ack { .. } => Sight::QueryAcked,
            _ => return,
        };
        self.saw(sight);
    }

    pub(super) fn note(&mut self, observer: u32, note: &Note<'_>) {
        match note {
            Note::Applied { subject, before, state: State::Alive, via, .. } => {
                let Some(number) = node_number(&subject.name).filter(|n| *n != observer) else { return };
                let moved = self.moved(observer, number, subject.addr);
                self.alive(observer, number, *before, moved, *via);
            }
            Note::DeclaredDead { via: Via::Own, .. } => self.saw(Sight::SuspicionRanOut),
            Note::Confirmed { .. } => self.saw(Sight::SuspicionConfirmed),
            Note::Refuted { .. } => self.saw(Sight::Refutation),
            Note::ProbeAnswered { path: ProbePath::Indirect, .. } => self.saw(Sight::IndirectProbe),
            Note::ProbeFailed { nacks_expected, nacks, .. } if nacks < nacks_expected => {
                self.saw(Sight::NacksMissed);
            }
            _ => {}
        }
    }

    /// An observer takes a subject for alive that it held to be something else, or at another address.
    fn alive(&mut self, observer: u32, subject: u32, before: Option<State>, moved: bool, via: Via) {
        if before == Some(State::Dead) {
            self.saw(Sight::DeathUndone);
        }
        if before == Some(State::Forgotten) {
            self.saw(Sight::ForgottenMet);
        }
        if !matches!(before, Some(State::Dead | State::Left | State::Forgotten)) {
            return;
        }
        if moved {
            self.saw(Sight::NameReclaimed);
        }
        if self.dialled[observer as usize].take_if(|dialled| *dialled == subject).is_some()
            && via == Via::Sync
        {
            self.saw(Sight::Reconnected);
        }
    }

    /// A node sends a packet to another, which it suspects or does not.
    pub(super) fn packet(&mut self, kinds: &Kinds, suspected: bool) {
        if suspected && kinds.count(Kind::Ping) > 0 && kinds.count(Kind::Suspect) > 0 {
            self.saw(Sight::BuddyPing);
        }
        if kinds.count(Kind::Relay) > 0 {
            self.saw(Sight::AnswerRelayed);
        }
    }

    /// A node dials a member that it holds to be failed.
    pub(super) fn dialled(&mut self, node: u32, failed: u32) {
        self.dialled[node as usize] = Some(failed);
        self.saw(Sight::FailedDialled);
    }

    /// A node comes back.
    pub(super) fn restarted(&mut self, how: &Restart) {
        self.saw(if how.lost_state { Sight::RestartLost } else { Sight::RestartSnapshot });
        if how.new_address {
            self.saw(Sight::RestartMoved);
        }
    }

    /// The run is over; receive buffers had no room for so many datagrams.
    pub(super) fn over(mut self, overflowed: u64) -> Sightings {
        self.seen.add(Sight::BufferOverflowed, overflowed);
        self.seen
    }
}
