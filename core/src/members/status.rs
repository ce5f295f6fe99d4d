//! Serf's statuses: what the failure detector's state makes of one, and the Lamport time at which an intent decided it.

use super::{Members, RowMut};
use crate::id::{Incarnation, LamportTime, SharedIdentity, Slot};
use crate::io::{State, Status};
use crate::time::Instant;

/// A member's status once the failure detector's state is `state` (facts 2.3).
///
/// Whoever comes back is alive, whatever it was; a refutation alone does not end a leave. Whoever dies after saying that it
/// leaves has left. Unlike Serf's, a leave that the member itself tells through the failure detector is one
/// without an intent too.
pub(super) const fn status_after(state: State, before: Status) -> Status {
    match (state, before) {
        (State::Forgotten, _) | (State::Alive | State::Suspect, Status::Leaving) => before,
        (State::Alive | State::Suspect, _) => Status::Alive,
        (State::Dead, Status::Alive | Status::Failed) => Status::Failed,
        (State::Dead, Status::Leaving | Status::Left) | (State::Left, _) => Status::Left,
    }
}

impl Members {
    /// A member that had failed in an earlier life of this node: forgotten by the failure detector, not by the application.
    /// The caller has made sure that the name is new.
    pub(crate) fn remember_failed(
        &mut self,
        identity: SharedIdentity,
        incarnation: Incarnation,
        now: Instant,
    ) -> Slot {
        let slot = self.insert(identity, incarnation, now);
        self.set(slot, State::Dead, incarnation, now);
        self.set(slot, State::Forgotten, incarnation, now);
        slot
    }

    /// The Lamport time of the last intent that decided a member's status; 0 when there was none.
    pub(crate) fn status_time(&self, slot: Slot) -> LamportTime {
        if self.known(slot).is_some() { self.status_time_at(slot.index) } else { LamportTime::default() }
    }

    pub(super) fn status_time_at(&self, index: u32) -> LamportTime {
        self.status_times.get(&index).copied().unwrap_or_default()
    }

    /// An intent decides a member's status. It moves between alive and leaving, or from failed to left: the failure
    /// detector's state, which says whether the member is there, stays.
    pub(crate) fn set_status(&mut self, slot: Slot, status: Status, time: LamportTime) {
        let digested = self.digest_part(slot.index);
        let Some(RowMut { row, .. }) = self.touch(slot) else { return };
        let before = row.status;
        debug_assert_eq!(before.is_up(), status.is_up(), "an intent neither kills nor revives");
        row.status = status;
        self.count_status(before, status);
        self.revision += u64::from(before != status);
        if time == LamportTime::default() {
            self.status_times.remove(&slot.index);
        } else {
            self.status_times.insert(slot.index, time);
        }
        self.redigest(slot.index, digested);
    }
}
