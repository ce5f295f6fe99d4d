//! Queries: asking, and hearing what others ask.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::Node;
use super::responses::Asker;
use crate::deadlines::Due;
use crate::error::CommandError;
use crate::events::filters::{FILTERS_MAX, compile};
use crate::events::internal::{Internal, is_reserved};
use crate::events::{Open, Purpose, Question, Seen, serf_size};
use crate::io::{CommandId, Done, Event, Note, Outbox, QueryId, QueryRequest, Shed, State};
use crate::spread::Lane;
use crate::time::Instant;
use crate::wire::{EVENT_BYTES_HARD_MAX, FilterList, Filters, Message, Query, Response, ResponseKind};

/// Most members that pass on one answer: whoever forges an asker's address wins no more packets than this and one.
pub(super) const RELAY_FACTOR_MAX: u8 = 8;
/// Longest time that a query is open; longer ones are cut to it, wherever they come from. Forged ones would hold their places for ever.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// A query before it has its time and number.
pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) filters: Filters<'a>,
    pub(super) ack: bool,
    pub(super) relay_factor: u8,
    /// `None` and zero: the default.
    pub(super) timeout: Option<Duration>,
}

impl<'a> Draft<'a> {
    /// To everybody, without acks.
    pub(super) fn internal(internal: Internal, payload: &'a [u8]) -> Self {
        let (name, filters) = (internal.name(), Filters::default());
        Self { name, payload, filters, ack: false, relay_factor: 0, timeout: None }
    }
}

impl Node {
    pub(super) fn ask(&mut self, id: CommandId, request: &QueryRequest, now: Instant, out: &mut Outbox) {
        if let Err(error) = self.ask_for_application(id, request, now, out) {
            out.completed(id, Err(error));
        }
    }

    fn ask_for_application(
        &mut self,
        id: CommandId,
        request: &QueryRequest,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), CommandError> {
        let QueryRequest { name, payload, ack, relay_factor, timeout, .. } = request;
        if is_reserved(name, payload) {
            return Err(CommandError::ReservedName);
        }
        let list = filter_list(request)?;
        let draft = Draft {
            name,
            payload,
            filters: Filters::of(&list),
            ack: *ack,
            relay_factor: *relay_factor,
            timeout: *timeout,
        };
        self.pose(Purpose::Application(id), &draft, now, out)
    }

    /// Asks: this node itself first, without a packet (Serf sends itself one), then by gossip.
    pub(super) fn pose(
        &mut self,
        purpose: Purpose,
        draft: &Draft<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), CommandError> {
        let waiting = self.queue.lane(Lane::Queries).len();
        if self.queries.asked.len() >= self.config.queries_max as usize
            || waiting >= self.config.queue_messages_max as usize / 2
        {
            self.counters.busy += 1;
            return Err(CommandError::Busy("queries"));
        }
        let me = self.members.me().clone();
        let query = Query {
            ltime: self.clocks.query.time(),
            // As many bits as Serf's.
            id: self.rng.u32() >> 1,
            from: &me.name,
            addr: me.addr,
            ack: draft.ack,
            relay_factor: draft.relay_factor.min(RELAY_FACTOR_MAX),
            timeout: self.query_timeout(draft.timeout),
            filters: draft.filters,
            name: draft.name,
            payload: draft.payload,
        };
        self.check_query_size(&query)?;
        let expected = self.expected_to_answer(&purpose, query.filters);
        let (number, deadline) = (self.queries.next_number(), now + query.timeout);
        let late = broken!(self.config, QueryNeverEnds);
        let end = if late { deadline + Duration::from_secs(86_400) } else { deadline };
        let timer = self.deadlines.arm(end, Due::Query(number));
        let question = Question::new((number, timer), deadline, purpose, query.ack, expected);
        let key = QueryId { ltime: query.ltime, id: query.id };
        self.queries.asked.insert(key, question);
        self.heard_query(&query, now, out);
        // Nobody is asked, or this node was alone and has answered.
        if self.queries.asked.get(&key).is_some_and(Question::is_complete) {
            self.end_question(key, out);
        }
        Ok(())
    }

    /// Serf's formula; n counts members that are not dead. In whole milliseconds, as the wire has it, and at least one.
    fn query_timeout(&self, wanted: Option<Duration>) -> Duration {
        let n = u64::from(self.members.others_up()) + 1;
        let digits = (1..20).find(|digits| 10u64.pow(*digits) > n).unwrap_or(20);
        let default = self.config.gossip_interval.saturating_mul(self.config.query_timeout_mult * digits);
        let timeout = wanted.filter(|wanted| !wanted.is_zero()).unwrap_or(default).min(TIMEOUT_MAX);
        let millis =
            timeout.as_millis() as u64 + u64::from(!timeout.subsec_nanos().is_multiple_of(1_000_000));
        Duration::from_millis(millis)
    }

    fn check_query_size(&self, query: &Query<'_>) -> Result<(), CommandError> {
        // Our own encoding is shorter than Serf's, so what that leaves room for in a packet has room in it.
        let allowed =
            usize::from(self.config.query_bytes_max).min(self.wire.packet_room()).min(EVENT_BYTES_HARD_MAX);
        let actual = serf_size::query(query);
        if actual > allowed { Err(CommandError::TooLong { what: "query", actual, allowed }) } else { Ok(()) }
    }

    /// Members that should answer, as hashes of their names: alive or suspect, and let through by the filters as far as this
    /// node knows their tags; itself too, unless it asks about its own name.
    fn expected_to_answer(&mut self, purpose: &Purpose, filters: Filters<'_>) -> Vec<u64> {
        let asks_itself = !matches!(purpose, Purpose::Vote(_));
        let Self { members, queries, .. } = self;
        let up = members.iter().filter(|(_, known)| matches!(known.state, State::Alive | State::Suspect));
        up.filter(|(member, _)| asks_itself || !members.is_me(member.name.as_bytes()))
            .filter(|(member, _)| {
                filters.is_empty() || queries.expressions.let_through(filters, member) == Ok(true)
            })
            .map(|(member, _)| members.name_hash(&member.name))
            .collect()
    }

    /// Somebody asks, or this node itself (facts 2.9).
    pub(super) fn heard_query(&mut self, query: &Query<'_>, now: Instant, out: &mut Outbox) {
        let id = QueryId { ltime: query.ltime, id: query.id };
        self.clocks.query.witness(query.ltime);
        match self.queries.window.see(id, self.clocks.query, self.config.query_buffer) {
            Seen::New => {}
            Seen::Before => {
                self.counters.queries_repeated += 1;
                if broken!(self.config, AnsweredTwice) {
                    self.deliver_query(id, query, now, out);
                }
                return;
            }
            Seen::Crowded => return self.shed_query(out),
        }
        if self.members.others_up() > 0 {
            self.spread(Lane::Queries, &Message::Query(*query), out);
        }
        let me = self.members.me().clone();
        match self.queries.expressions.let_through(query.filters, &me) {
            Ok(true) => {}
            Ok(false) if broken!(self.config, FiltersIgnored) => {}
            Ok(false) => return,
            Err(_) => {
                self.counters.filters_refused += 1;
                return;
            }
        }
        let asker = Asker { from: query.from, addr: query.addr, relay_factor: query.relay_factor };
        if query.ack {
            let (kind, from) = (ResponseKind::Ack, &*me.name);
            let ack = Response { ltime: id.ltime, id: id.id, from, kind, payload: &[] };
            self.send_response(&ack, &asker, now, out);
        }
        match Internal::of(query.name) {
            Some(internal) => self.answer_internal(internal, id, query.payload, &asker, now, out),
            None => self.deliver_query(id, query, now, out),
        }
    }

    fn deliver_query(&mut self, id: QueryId, query: &Query<'_>, now: Instant, out: &mut Outbox) {
        let deadline = now + query.timeout.min(TIMEOUT_MAX);
        let Query { from, addr, relay_factor, name, payload, .. } = *query;
        let open = Open { from: from.into(), addr, relay_factor, deadline };
        if !self.queries.open(id, open, self.config.queries_max as usize, now) {
            return self.shed_query(out);
        }
        self.counters.queries_delivered += 1;
        out.event(Event::Query { query: id, from, name, payload, deadline });
    }

    fn shed_query(&mut self, out: &mut Outbox) {
        self.counters.queries_shed += 1;
        out.note(Note::Shed(Shed::Query));
    }

    pub(crate) fn on_query_due(&mut self, number: u32, out: &mut Outbox) {
        if let Some(id) = self.queries.numbered(number) {
            self.close_question(id, out);
        }
    }

    /// All has come that was expected.
    pub(super) fn end_question(&mut self, id: QueryId, out: &mut Outbox) {
        if let Some(question) = self.queries.asked.get(&id) {
            self.deadlines.cancel(question.timer);
            self.close_question(id, out);
        }
    }

    fn close_question(&mut self, id: QueryId, out: &mut Outbox) {
        let Some(question) = self.queries.asked.remove(&id) else { return };
        let (asked, missing, tally) = (question.asked(), question.responses_missing(), question.tally());
        match question.purpose {
            Purpose::Application(command) => out.completed(command, Ok(Done::QueryOver(tally))),
            Purpose::Keys(poll) => Self::end_key_command(*poll, asked, missing, out),
            Purpose::Vote(vote) => self.end_vote(vote, out),
        }
    }
}

/// The request's filters; or which of them cannot be.
fn filter_list(request: &QueryRequest) -> Result<FilterList, CommandError> {
    let mut list = FilterList::new();
    if !request.nodes.is_empty() {
        list.nodes(&request.nodes);
    }
    for (number, filter) in (1 + usize::from(!request.nodes.is_empty())..).zip(&request.tags) {
        let bad = |reason: Box<str>| CommandError::BadFilter { tag: filter.tag.clone(), reason };
        if number > FILTERS_MAX {
            return Err(bad(alloc::format!("a query has at most {FILTERS_MAX} filters").into()));
        }
        compile(&filter.expression).map_err(bad)?;
        list.tag(&filter.tag, &filter.expression);
    }
    Ok(list)
}
