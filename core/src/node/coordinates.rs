//! Network coordinates: this node's own, moved by each ack of a direct probe, and those of the members it has probed.

use alloc::boxed::Box;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::Node;
use crate::coordinate::{Coordinate, LatencyFilter, Moved, Quantised, Vivaldi};
use crate::id::Slot;
use crate::members::Members;
use crate::rng::{Purpose, Rng, Seed};

/// What a node with `coordinates` knows about places.
#[derive(Clone, Debug)]
pub(super) struct Coordinates {
    vivaldi: Vivaldi,
    /// `vivaldi`'s coordinate as acks carry it: it moves once a probe, and each ping asks for it.
    here: Quantised,
    rng: Rng,
    /// By index of the member table, which bounds them.
    peers: HashMap<u32, Peer, FixedState>,
}

/// A member that has answered a probe of ours.
#[derive(Clone, Copy, Debug)]
struct Peer {
    generation: u16,
    filter: LatencyFilter,
    there: Quantised,
}

impl Coordinates {
    pub(super) fn new(seed: &Seed) -> Self {
        let vivaldi = Vivaldi::new();
        Self {
            here: Quantised::of(vivaldi.here()),
            vivaldi,
            rng: seed.stream(Purpose::Coordinates),
            peers: HashMap::with_hasher(FixedState::with_seed(0)),
        }
    }

    /// A copy that draws from another seed.
    pub(super) fn fork(&self, seed: &Seed) -> Self {
        Self { rng: seed.stream(Purpose::Coordinates), ..self.clone() }
    }

    fn peer(&self, slot: Slot) -> Option<&Peer> {
        self.peers.get(&slot.index).filter(|peer| peer.generation == slot.generation)
    }

    /// Takes what the ack of a probe says and how long it took.
    fn measure(&mut self, slot: Slot, there: Quantised, rtt: Duration) -> Moved {
        let Self { vivaldi, here, rng, peers } = self;
        let place = there.coordinate();
        let known = peers.get_mut(&slot.index).filter(|peer| peer.generation == slot.generation);
        let mut fresh = LatencyFilter::default();
        let moved = match known {
            Some(peer) => {
                let moved = vivaldi.update(&mut peer.filter, &place, rtt, rng);
                if moved != Moved::Refused {
                    peer.there = there;
                }
                moved
            }
            None => {
                let moved = vivaldi.update(&mut fresh, &place, rtt, rng);
                if moved != Moved::Refused {
                    let peer = Peer { generation: slot.generation, filter: fresh, there };
                    peers.insert(slot.index, peer);
                }
                moved
            }
        };
        // One that is sure of itself may have become less so, even where it did not move.
        *here = Quantised::of(vivaldi.here());
        moved
    }
}

impl Node {
    /// Where this node believes it is, learned from the acks of its probes; [`Coordinate::START`] without `coordinates`.
    #[must_use]
    pub fn coordinate(&self) -> &Coordinate {
        self.coordinates.as_ref().map_or(&Coordinate::START, |coordinates| coordinates.vivaldi.here())
    }

    /// Where a member said it is when this node last probed it, to 0.05 %; this node's own coordinate for its own name. `None`
    /// for one that is unknown or has not answered a probe since it (re)joined, and without `coordinates`.
    #[must_use]
    pub fn coordinate_of(&self, name: &str) -> Option<Coordinate> {
        let coordinates = self.coordinates.as_ref()?;
        let slot = self.members.find(name)?;
        if slot == Members::ME {
            return Some(*coordinates.vivaldi.here());
        }
        coordinates.peer(slot).map(|peer| peer.there.coordinate())
    }

    /// The estimated round trip between two members, of which either may be this node. `None` where the place of one is not
    /// known ([`Node::coordinate_of`]).
    #[must_use]
    pub fn rtt(&self, a: &str, b: &str) -> Option<Duration> {
        Some(self.coordinate_of(a)?.distance(&self.coordinate_of(b)?))
    }

    /// This node's coordinate as its acks carry it.
    pub(super) fn coordinate_for_acks(&self) -> Option<Quantised> {
        self.coordinates.as_ref().map(|coordinates| coordinates.here)
    }

    /// A member has answered a direct ping after `rtt`, and says with these bytes where it is.
    pub(super) fn measured(&mut self, slot: Slot, bytes: &[u8], rtt: Duration) {
        let Some(coordinates) = self.coordinates.as_deref_mut() else { return };
        if self.members.known(slot).is_none() {
            return;
        }
        let moved = match Quantised::read(bytes) {
            Ok(there) => coordinates.measure(slot, there, rtt),
            Err(_) => Moved::Refused,
        };
        match moved {
            Moved::Yes => {}
            Moved::Refused => self.counters.coordinates_refused += 1,
            Moved::Reset => self.counters.coordinate_resets += 1,
        }
    }

    /// Forgets where a member was: it is gone, or came back, perhaps elsewhere.
    pub(super) fn forget_coordinate(&mut self, slot: Slot) {
        if let Some(coordinates) = &mut self.coordinates {
            coordinates.peers.remove(&slot.index);
        }
    }
}

/// The coordinates of a newborn node, if it keeps any.
pub(super) fn born(on: bool, seed: &Seed) -> Option<Box<Coordinates>> {
    on.then(|| Box::new(Coordinates::new(seed)))
}
