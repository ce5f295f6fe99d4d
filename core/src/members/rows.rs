//! The rows of the table: what decides claims, and the rest.

use crate::deadlines::Timer;
use crate::id::{Incarnation, SharedIdentity};
use crate::io::{State, Status};
use crate::time::Instant;

/// The key of no row of the base.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What is known of one member now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) incarnation: Incarnation,
    pub(crate) status: Status,
}

/// What is touched by every message about a member: 16 bytes, whatever the size of its name and meta data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) incarnation: Incarnation,
    /// Its number in the base, where it stands for a row of the base.
    pub(super) key: u32,
    pub(super) generation: u16,
    /// A part of the hash of its name, where it stands for a row of the base.
    pub(super) tag: u16,
    /// `None`: the row is vacant.
    pub(super) state: Option<State>,
    pub(super) status: Status,
    /// Whether the identity is the node's own; else it is the base's.
    pub(super) renamed: bool,
}

const _: () = assert!(size_of::<Row>() <= 16, "four hot rows share a cache line");

/// What of a row is looked at only when it changes.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// When the state changed last.
    pub(super) changed: Instant,
    /// `None`: the base's, or vacant.
    pub(super) identity: Option<SharedIdentity>,
    /// The timer of its suspicion or lifetime.
    pub(super) timer: Option<Timer>,
}

/// A whole row to change.
pub(super) struct RowMut<'a> {
    pub(super) row: &'a mut Row,
    pub(super) rest: &'a mut Rest,
}

impl Row {
    pub(super) const VACANT: Self = Self {
        incarnation: Incarnation(0),
        key: NOWHERE,
        generation: 0,
        tag: 0,
        state: None,
        status: Status::Alive,
        renamed: false,
    };

    /// Of a member whose identity is the node's own to keep.
    pub(super) const fn alive(incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            key: NOWHERE,
            generation: 0,
            tag: 0,
            state: Some(State::Alive),
            status: Status::Alive,
            renamed: true,
        }
    }

    pub(super) fn known(&self) -> Option<Known> {
        let Self { incarnation, status, .. } = *self;
        Some(Known { state: self.state?, incarnation, status })
    }
}

impl Rest {
    pub(super) const VACANT: Self = Self { changed: Instant::ORIGIN, identity: None, timer: None };

    pub(super) const fn alive(identity: SharedIdentity, now: Instant) -> Self {
        Self { changed: now, identity: Some(identity), timer: None }
    }
}
