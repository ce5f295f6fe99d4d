//! Answers to queries: sent by the application or the node itself, passed on by relays, and heard by who asked.

use core::net::SocketAddr;

use super::Node;
use super::queries::RELAY_FACTOR_MAX;
use crate::error::CommandError;
use crate::events::internal::Internal;
use crate::events::{Purpose, serf_size};
use crate::io::{CommandId, Done, Event, Outbox, QueryId};
use crate::time::Instant;
use crate::wire::{Message, Relay, Response, ResponseKind};

/// Who wants an answer, where, and through how many others beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) from: &'a str,
    pub(super) addr: SocketAddr,
    pub(super) relay_factor: u8,
}

impl Node {
    pub(super) fn respond(
        &mut self,
        id: CommandId,
        query: QueryId,
        payload: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) {
        let result = self.respond_once(query, ResponseKind::Answer, payload, now, out);
        out.completed(id, result.map(|()| Done::Responded));
    }

    pub(super) fn decline(&mut self, id: CommandId, query: QueryId, now: Instant, out: &mut Outbox) {
        let result = self.respond_once(query, ResponseKind::Declined, &[], now, out);
        out.completed(id, result.map(|()| Done::Responded));
    }

    fn respond_once(
        &mut self,
        query: QueryId,
        kind: ResponseKind,
        payload: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), CommandError> {
        let open = self.queries.still_open(query, now).ok_or(CommandError::NoSuchQuery)?.clone();
        let asker = Asker { from: &open.from, addr: open.addr, relay_factor: open.relay_factor };
        let me = self.members.me().clone();
        let response = Response { ltime: query.ltime, id: query.id, from: &me.name, kind, payload };
        let (actual, allowed) = (self.response_size(&response, &asker), self.response_size_max());
        if actual > allowed {
            return Err(CommandError::TooLong { what: "response", actual, allowed });
        }
        self.queries.answered(query);
        self.send_response(&response, &asker, now, out);
        Ok(())
    }

    /// Bytes in Serf's encoding, the relay's header included where the answer is to be relayed.
    pub(super) fn response_size(&self, response: &Response<'_>, asker: &Asker<'_>) -> usize {
        let Response { ltime, id, from, payload, .. } = response;
        let header = match self.relays_for(asker) {
            0 => 0,
            _ => serf_size::relay_header(asker.addr, asker.from.len()),
        };
        header + serf_size::response(ltime.0, *id, from.len(), payload.len())
    }

    /// Our own encoding is shorter than Serf's, so what fits by Serf's fits into a packet too.
    pub(super) fn response_size_max(&self) -> usize {
        usize::from(self.config.response_bytes_max).min(self.wire.packet_room())
    }

    /// How many members pass an answer on: none where the cluster is too small for it (Serf).
    fn relays_for(&self, asker: &Asker<'_>) -> usize {
        let wanted = asker.relay_factor.min(RELAY_FACTOR_MAX);
        if self.members.n_serf() > u32::from(wanted) { wanted.into() } else { 0 }
    }

    /// Sends an answer or an ack to the asker and to its relays, which are never the asker itself. Nothing rides along: an asker's
    /// address may be forged, and then what is sent there is a burden.
    pub(super) fn send_response(
        &mut self,
        response: &Response<'_>,
        asker: &Asker<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        if asker.addr == self.members.me().addr {
            return self.on_response(response, now, out);
        }
        self.send(asker.addr, &[Message::Response(*response)], false, out);
        let relays = self.relays_for(asker);
        if relays == 0 || self.response_size(response, asker) > self.response_size_max() {
            return;
        }
        let except = self.members.find(asker.from);
        for slot in self.members.choose_alive(relays, except, &mut self.rng) {
            if let Some((_, to)) = self.members.whereabouts(slot) {
                let relay = Relay { to: asker.addr, response: *response };
                self.send(to, &[Message::Relay(relay)], false, out);
            }
        }
    }

    pub(super) fn on_relayed_response(&mut self, relay: &Relay<'_>, out: &mut Outbox) {
        if relay.to == self.members.me().addr {
            return self.on_response(&relay.response, self.clock, out);
        }
        if !broken!(self.config, NoRelayedAnswer) {
            self.send(relay.to, &[Message::Response(relay.response)], false, out);
        }
    }

    /// An answer or ack to a query of ours: each counts once per member, and until the deadline.
    pub(super) fn on_response(&mut self, response: &Response<'_>, now: Instant, out: &mut Outbox) {
        let id = QueryId { ltime: response.ltime, id: response.id };
        let Response { from, payload, kind, .. } = *response;
        let (who, here) = (self.members.name_hash(from), self.members.me().addr);
        let question = self.queries.asked.get_mut(&id).filter(|question| now <= question.deadline);
        let Some(question) = question.and_then(|question| question.take(who, kind).map(|_| question)) else {
            self.counters.answers_refused += 1;
            return;
        };
        self.counters.answers += 1;
        match &mut question.purpose {
            _ if kind == ResponseKind::Declined => {}
            Purpose::Application(command) if kind == ResponseKind::Ack => {
                out.event(Event::Ack { command: *command, from });
            }
            Purpose::Application(command) => out.event(Event::Answer { command: *command, from, payload }),
            Purpose::Keys(poll) => poll.take(from, payload),
            Purpose::Vote(vote) => vote.take(payload, here),
        }
        if question.is_complete() || broken!(self.config, QueryEndsEarly) {
            self.end_question(id, out);
        }
    }

    /// A query of the protocol's own: the application does not see it.
    pub(super) fn answer_internal(
        &mut self,
        internal: Internal,
        query: QueryId,
        payload: &[u8],
        asker: &Asker<'_>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let answer = match internal {
            Internal::Ping | Internal::Unknown => return,
            Internal::Conflict => match self.whereabouts_of(payload) {
                Some(answer) => answer,
                None => return,
            },
            Internal::InstallKey | Internal::UseKey | Internal::RemoveKey => {
                self.change_key(internal, payload, out)
            }
            Internal::ListKeys => self.list_keys(query, asker),
        };
        let me = self.members.me().clone();
        let (QueryId { ltime, id }, from) = (query, &*me.name);
        let response = Response { ltime, id, from, kind: ResponseKind::Answer, payload: &answer };
        self.send_response(&response, asker, now, out);
    }
}
