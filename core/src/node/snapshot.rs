//! What a node takes along into its next life (facts 2.16, the data; the file is the driver's).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Node, Restore};
use crate::deadlines::Due;
use crate::id::{Incarnation, LamportTime, SharedIdentity};
use crate::io::Status;
use crate::members::{Members, Roster};
use crate::rng::Seed;
use crate::time::Instant;
use crate::wire::Clocks;

/// What a node knows at one moment, as far as a later life of it wants it back: [`Snapshot::restore`].
///
/// Unlike Serf's it keeps the failed members too, so that a node that was cut off for long still knows whom to dial (Serf issue
/// 333), and the node's own incarnation, so that its next life needs no refutation to be believed. Members that left are not in
/// it. Whether a node that left by itself is to rejoin is its driver's to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The node's own incarnation.
    pub incarnation: Incarnation,
    /// Other members that are in the cluster, suspected and leaving ones included.
    pub alive: Vec<(SharedIdentity, Incarnation)>,
    /// Members that failed and are still remembered.
    pub failed: Vec<(SharedIdentity, Incarnation)>,
    /// The largest Lamport times seen; 0 when there were none.
    pub clocks: Clocks,
}

impl Snapshot {
    /// What the next life is born with. `seed` is its seed.
    #[must_use]
    pub fn restore(self, seed: &Seed) -> Restore {
        let Self { incarnation, alive, failed, clocks } = self;
        Restore { incarnation, roster: Arc::new(Roster::new(alive, seed)), failed, clocks }
    }
}

impl Node {
    /// What this node's next life wants to know.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let with = |wanted: fn(Status) -> bool| {
            let rows = self.members.rows().filter(|(slot, ..)| *slot != Members::ME);
            let rows = rows.filter(|(.., known)| wanted(known.status));
            rows.map(|(_, identity, known)| (identity.clone(), known.incarnation)).collect()
        };
        let seen = |standing: LamportTime| LamportTime(standing.0.saturating_sub(1));
        let Clocks { member, event, query } = self.clocks();
        Snapshot {
            incarnation: self.incarnation(),
            alive: with(Status::is_up),
            failed: with(|status| status == Status::Failed),
            clocks: Clocks { member: seen(member), event: seen(event), query: seen(query) },
        }
    }

    /// Takes over members that had failed in an earlier life: remembered for `reconnect_timeout` from now on, and dialled.
    pub(super) fn remember_failed(&mut self, failed: Vec<(SharedIdentity, Incarnation)>, now: Instant) {
        for (identity, incarnation) in failed {
            if self.members.find(&identity.name).is_some() {
                continue;
            }
            if self.members.n_serf() >= self.config.members_max {
                self.counters.members_shed += 1;
                continue;
            }
            let slot = self.members.remember_failed(identity, incarnation, now);
            let timer = self.deadlines.arm(now + self.config.reconnect_timeout, Due::Lifetime(slot));
            self.members.set_timer(slot, timer);
        }
    }
}
