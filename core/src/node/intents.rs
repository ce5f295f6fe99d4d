//! Join and leave intents.

use super::Node;
use crate::id::NodeName;
use crate::io::{CommandId, Outbox, Via};
use crate::time::Instant;
use crate::wire::Intent;

impl Node {
    pub(super) fn force_leave(
        &mut self,
        _id: CommandId,
        _name: &NodeName,
        _prune: bool,
        _now: Instant,
        _out: &mut Outbox,
    ) {
        unimplemented!()
    }

    pub(super) fn heard_join_intent(
        &mut self,
        _intent: &Intent<'_>,
        _via: Via,
        _now: Instant,
        _out: &mut Outbox,
    ) {
    }

    pub(super) fn heard_leave_intent(
        &mut self,
        _intent: &Intent<'_>,
        _via: Via,
        _now: Instant,
        _out: &mut Outbox,
    ) {
    }
}
