//! Queries: asking, answering, passing on.

use super::Node;
use crate::io::{CommandId, Outbox, QueryId, QueryRequest};
use crate::time::Instant;
use crate::wire::{Query, Relay, Response};

impl Node {
    pub(super) fn ask(&mut self, _id: CommandId, _request: &QueryRequest, _now: Instant, _out: &mut Outbox) {
        unimplemented!()
    }

    pub(super) fn respond(
        &mut self,
        _id: CommandId,
        _query: QueryId,
        _payload: &[u8],
        _now: Instant,
        _out: &mut Outbox,
    ) {
        unimplemented!()
    }

    pub(super) fn heard_query(&mut self, _query: &Query<'_>, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn on_response(&mut self, _response: &Response<'_>, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn on_relayed_response(&mut self, _relay: &Relay<'_>, _out: &mut Outbox) {}
}
