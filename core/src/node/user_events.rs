//! User events: sending, hearing, repairing.

use core::net::SocketAddr;

use super::Node;
use crate::io::{CommandId, EventRequest, Outbox};
use crate::time::Instant;
use crate::wire::{EventPull, UserEvent};

impl Node {
    pub(super) fn send_event(
        &mut self,
        _id: CommandId,
        _request: &EventRequest,
        _now: Instant,
        _out: &mut Outbox,
    ) {
        unimplemented!()
    }

    pub(super) fn heard_event(&mut self, _event: &UserEvent<'_>, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn heard_event_again(&mut self, _event: &UserEvent<'_>, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn on_event_pull(&mut self, _from: SocketAddr, _pull: &EventPull<'_>, _out: &mut Outbox) {}
}
