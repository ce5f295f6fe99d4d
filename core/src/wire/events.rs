//! What Serf adds to membership, on the wire: intents, user events with their repair, queries with their answers.
//!
//! A query and its answers (an ack says "it reached me", a response is what the application says, or that it will say nothing):
//!
//! ```text
//!   asker              everybody            a relay
//!     | Query (gossiped) -> |                  |
//!     | <---- Response{ack} |                  |     direct, if acks are wanted
//!     | <---------- Response|                  |     direct, when the application answers, or has declined to
//!     |                     | Relay ---------> |     the same again, by relay_factor random members
//!     | <--------------------------- Response  |
//! ```
//!
//! A gap in an origin's numbers, pulled:
//!
//! ```text
//!   receiver           any member, in the end the origin
//!     | EventPull ------------> |
//!     | <------- EventAgain*    |     what it still has; delivered, and not gossiped on
//! ```

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::body::{check_addr, check_name, fields};
use super::error::WireError;
use super::fields::{Reader, put_addr, put_bytes, put_u32, put_u64};
use super::message::Kind;
use crate::id::{EventSeq, LamportTime, Life, NodeName};

/// Longest regular expression in a filter, bytes.
pub const EXPRESSION_BYTES_MAX: usize = 256;
/// Most gaps in one [`EventPull`].
pub const PULL_SPANS_MAX: usize = 32;
/// Largest name and payload of an event or query taken together, bytes (Serf's hard limit on user events).
pub const EVENT_BYTES_HARD_MAX: usize = 9216;

/// That a member wants to join or to leave, with the Lamport time of its wish (Serf's intents).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent<'a> {
    /// Member clock when it was said.
    pub ltime: LamportTime,
    /// Who joins or leaves.
    pub name: &'a str,
    /// Of a leave: whether the member is to be forgotten at once. Always `false` of a join.
    pub prune: bool,
}

/// A user event, once per origin, life and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserEvent<'a> {
    /// Event clock when it was sent.
    pub ltime: LamportTime,
    /// Who sent it.
    pub origin: &'a str,
    /// Which life of that member: its numbers begin again in each.
    pub life: Life,
    /// Its number among the origin's events in that life, from 1.
    pub seq: EventSeq,
    /// The application's name for it.
    pub name: &'a str,
    /// The application's data.
    pub payload: &'a [u8],
    /// Whether a receiver may merge it with others of its name.
    pub coalesce: bool,
}

/// A question to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Query clock when it was asked.
    pub ltime: LamportTime,
    /// Random; tells apart queries with one Lamport time.
    pub id: u32,
    /// Who asks.
    pub from: &'a str,
    /// Where answers go.
    pub addr: SocketAddr,
    /// Whether receivers acknowledge it.
    pub ack: bool,
    /// How many members pass each answer on beside the direct one.
    pub relay_factor: u8,
    /// How long the asker listens, whole milliseconds.
    pub timeout: Duration,
    /// Who is asked.
    pub filters: Filters<'a>,
    /// The application's name for it.
    pub name: &'a str,
    /// The application's data.
    pub payload: &'a [u8],
}

/// What a [`Response`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseKind {
    /// What the application says.
    Answer,
    /// The query has arrived.
    Ack,
    /// The application will not answer: who asks need not wait for it. Serf has nothing like it.
    Declined,
}

/// An answer to a query, the acknowledgement of one, or word that none will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The query's Lamport time.
    pub ltime: LamportTime,
    /// The query's number.
    pub id: u32,
    /// Who answers.
    pub from: &'a str,
    /// Which of the three.
    pub kind: ResponseKind,
    /// What the application says; empty where it says nothing.
    pub payload: &'a [u8],
}

/// An answer on its way through a third member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay<'a> {
    /// Where it goes.
    pub to: SocketAddr,
    /// What goes there.
    pub response: Response<'a>,
}

/// "I miss these events": answered by [`Message::EventAgain`](super::Message::EventAgain), as far as they are still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPull<'a> {
    /// Whose events.
    pub origin: &'a str,
    /// Of which life.
    pub life: Life,
    /// Which numbers.
    pub spans: Spans<'a>,
}

/// How far a node has come with one origin's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMark<'a> {
    /// Whose events.
    pub origin: &'a str,
    /// Of which life.
    pub life: Life,
    /// It has all up to this number.
    pub complete: EventSeq,
    /// The largest number that it has heard of.
    pub highest: EventSeq,
}

/// Who is asked, as a query carries it: a list of conditions that all have to hold. Checked when it was decoded or built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filters<'a>(&'a [u8]);

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// The member is one of these.
    Nodes(Names<'a>),
    /// The member's tag (empty where it has none) is matched somewhere by a regular expression.
    Tag {
        /// The tag's key.
        tag: &'a str,
        /// The expression.
        expression: &'a str,
    },
}

/// A list of node names within a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    count: u32,
    rest: Reader<'a>,
}

const FILTER_NODES: u8 = 0;
const FILTER_TAG: u8 = 1;

impl<'a> Filters<'a> {
    /// Filters that [`FilterList`] has built.
    #[must_use]
    pub fn of(list: &'a FilterList) -> Self {
        Self(&list.0)
    }

    /// Whether everybody is asked.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The conditions.
    pub fn iter(self) -> impl Iterator<Item = Filter<'a>> {
        let mut reader = Reader { rest: self.0 };
        core::iter::from_fn(move || if reader.rest.is_empty() { None } else { filter(&mut reader) })
    }

    fn check(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader { rest: bytes };
        while !reader.rest.is_empty() {
            match filter(&mut reader).ok_or(WireError::Malformed(Kind::Query))? {
                Filter::Nodes(names) => {
                    for name in names.iter() {
                        check_name(Kind::Query, name)?;
                    }
                }
                Filter::Tag { expression, .. } if expression.len() > EXPRESSION_BYTES_MAX => {
                    return Err(WireError::ExpressionTooLong(expression.len()));
                }
                Filter::Tag { .. } => {}
            }
        }
        Ok(Self(bytes))
    }
}

fn filter<'a>(reader: &mut Reader<'a>) -> Option<Filter<'a>> {
    match reader.u8()? {
        FILTER_NODES => {
            let count = reader.u32()?;
            let names = Names { count, rest: *reader };
            for _ in 0..count {
                reader.str()?;
            }
            Some(Filter::Nodes(names))
        }
        FILTER_TAG => Some(Filter::Tag { tag: reader.str()?, expression: reader.str()? }),
        _ => None,
    }
}

impl<'a> Names<'a> {
    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let mut reader = self.rest;
        (0..self.count).map_while(move |_| reader.str())
    }
}

/// Builds [`Filters`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterList(Vec<u8>);

impl FilterList {
    /// Everybody.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds the condition that the member is one of these.
    pub fn nodes(&mut self, names: &[NodeName]) {
        self.0.push(FILTER_NODES);
        put_u32(names.len() as u32, &mut self.0);
        for name in names {
            put_bytes(name.as_bytes(), &mut self.0);
        }
    }

    /// Adds the condition that a tag is matched by an expression of at most [`EXPRESSION_BYTES_MAX`] bytes.
    pub fn tag(&mut self, tag: &str, expression: &str) {
        self.0.push(FILTER_TAG);
        put_bytes(tag.as_bytes(), &mut self.0);
        put_bytes(expression.as_bytes(), &mut self.0);
    }
}

/// Runs of missing numbers, as a pull carries them; at most [`PULL_SPANS_MAX`]. Checked when it was decoded or built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans<'a>(&'a [u8]);

impl<'a> Spans<'a> {
    /// Runs that were encoded by [`Spans::encode`].
    #[must_use]
    pub const fn of(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    /// Appends a run: its first number and how many there are.
    pub fn encode(first: EventSeq, count: u32, out: &mut Vec<u8>) {
        put_u32(first.0, out);
        put_u32(count, out);
    }

    /// The runs.
    pub fn iter(self) -> impl Iterator<Item = (EventSeq, u32)> {
        let mut reader = Reader { rest: self.0 };
        core::iter::from_fn(move || Some((EventSeq(reader.u32()?), reader.u32()?)))
    }

    fn check(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes };
        let mut runs = 0;
        while !reader.rest.is_empty() {
            let (_first, _count) = (reader.u32()?, reader.u32()?);
            runs += 1;
        }
        (1..=PULL_SPANS_MAX).contains(&runs).then_some(Self(bytes))
    }
}

pub(super) fn put_intent(intent: &Intent<'_>, leave: bool, out: &mut Vec<u8>) {
    put_u64(intent.ltime.0, out);
    put_bytes(intent.name.as_bytes(), out);
    if leave {
        out.push(intent.prune.into());
    }
}

pub(super) fn intent(kind: Kind, body: &[u8]) -> Result<Intent<'_>, WireError> {
    let intent = fields(kind, body, |f| {
        let (ltime, name) = (LamportTime(f.u64()?), f.str()?);
        Some(Intent { ltime, name, prune: kind == Kind::LeaveIntent && f.bool()? })
    })?;
    check_ltime(kind, intent.ltime)?;
    check_name(kind, intent.name)?;
    Ok(intent)
}

pub(super) fn put_event(event: &UserEvent<'_>, out: &mut Vec<u8>) {
    put_u64(event.ltime.0, out);
    put_bytes(event.origin.as_bytes(), out);
    put_u32(event.life.0, out);
    put_u32(event.seq.0, out);
    put_bytes(event.name.as_bytes(), out);
    put_bytes(event.payload, out);
    out.push(event.coalesce.into());
}

pub(super) fn event(kind: Kind, body: &[u8]) -> Result<UserEvent<'_>, WireError> {
    let event = fields(kind, body, |f| {
        Some(UserEvent {
            ltime: LamportTime(f.u64()?),
            origin: f.str()?,
            life: Life(f.u32()?),
            seq: EventSeq(f.u32()?),
            name: f.str()?,
            payload: f.bytes()?,
            coalesce: f.bool()?,
        })
    })?;
    check_ltime(kind, event.ltime)?;
    check_name(kind, event.origin)?;
    check_content(kind, event.name, event.payload)?;
    if event.seq.0 == 0 { Err(WireError::Malformed(kind)) } else { Ok(event) }
}

pub(super) fn put_query(query: &Query<'_>, out: &mut Vec<u8>) {
    put_u64(query.ltime.0, out);
    put_u32(query.id, out);
    put_bytes(query.from.as_bytes(), out);
    put_addr(query.addr, out);
    out.push(query.ack.into());
    out.push(query.relay_factor);
    put_u32(u32::try_from(query.timeout.as_millis()).unwrap_or(u32::MAX), out);
    put_bytes(query.filters.0, out);
    put_bytes(query.name.as_bytes(), out);
    put_bytes(query.payload, out);
}

pub(super) fn query(kind: Kind, body: &[u8]) -> Result<Query<'_>, WireError> {
    let (query, filters) = fields(kind, body, |f| {
        let (ltime, id, from, addr) = (LamportTime(f.u64()?), f.u32()?, f.str()?, f.addr()?);
        let (ack, relay_factor) = (f.bool()?, f.u8()?);
        let (timeout, list) = (Duration::from_millis(f.u32()?.into()), f.bytes()?);
        let (name, payload) = (f.str()?, f.bytes()?);
        let filters = Filters::default();
        Some((Query { ltime, id, from, addr, ack, relay_factor, timeout, filters, name, payload }, list))
    })?;
    check_ltime(kind, query.ltime)?;
    check_name(kind, query.from)?;
    check_content(kind, query.name, query.payload)?;
    Ok(Query { addr: check_addr(kind, query.addr)?, filters: Filters::check(filters)?, ..query })
}

pub(super) fn put_response(response: &Response<'_>, out: &mut Vec<u8>) {
    put_u64(response.ltime.0, out);
    put_u32(response.id, out);
    put_bytes(response.from.as_bytes(), out);
    out.push(match response.kind {
        ResponseKind::Answer => 0,
        ResponseKind::Ack => 1,
        ResponseKind::Declined => 2,
    });
    put_bytes(response.payload, out);
}

fn response_fields<'a>(f: &mut Reader<'a>) -> Option<Response<'a>> {
    let (ltime, id, from) = (LamportTime(f.u64()?), f.u32()?, f.str()?);
    let kind = match f.u8()? {
        0 => ResponseKind::Answer,
        1 => ResponseKind::Ack,
        2 => ResponseKind::Declined,
        _ => return None,
    };
    Some(Response { ltime, id, from, kind, payload: f.bytes()? })
}

fn check_response(kind: Kind, response: Response<'_>) -> Result<Response<'_>, WireError> {
    check_name(kind, response.from)?;
    check_content(kind, "", response.payload)?;
    Ok(response)
}

pub(super) fn response(kind: Kind, body: &[u8]) -> Result<Response<'_>, WireError> {
    check_response(kind, fields(kind, body, response_fields)?)
}

pub(super) fn put_relay(relay: &Relay<'_>, out: &mut Vec<u8>) {
    put_addr(relay.to, out);
    put_response(&relay.response, out);
}

pub(super) fn relay(kind: Kind, body: &[u8]) -> Result<Relay<'_>, WireError> {
    let (to, response) = fields(kind, body, |f| Some((f.addr()?, response_fields(f)?)))?;
    Ok(Relay { to: check_addr(kind, to)?, response: check_response(kind, response)? })
}

pub(super) fn put_pull(pull: &EventPull<'_>, out: &mut Vec<u8>) {
    put_bytes(pull.origin.as_bytes(), out);
    put_u32(pull.life.0, out);
    put_bytes(pull.spans.0, out);
}

pub(super) fn pull(kind: Kind, body: &[u8]) -> Result<EventPull<'_>, WireError> {
    let (origin, life, spans) = fields(kind, body, |f| Some((f.str()?, Life(f.u32()?), f.bytes()?)))?;
    check_name(kind, origin)?;
    Ok(EventPull { origin, life, spans: Spans::check(spans).ok_or(WireError::Malformed(kind))? })
}

pub(super) fn put_mark(mark: &EventMark<'_>, out: &mut Vec<u8>) {
    put_bytes(mark.origin.as_bytes(), out);
    put_u32(mark.life.0, out);
    put_u32(mark.complete.0, out);
    put_u32(mark.highest.0, out);
}

pub(super) fn mark(kind: Kind, body: &[u8]) -> Result<EventMark<'_>, WireError> {
    let mark = fields(kind, body, |f| {
        let (origin, life) = (f.str()?, Life(f.u32()?));
        Some(EventMark { origin, life, complete: EventSeq(f.u32()?), highest: EventSeq(f.u32()?) })
    })?;
    check_name(kind, mark.origin)?;
    if mark.complete > mark.highest { Err(WireError::Malformed(kind)) } else { Ok(mark) }
}

/// A clock that would leave no room to count on is an attack, not a time.
pub(super) fn check_ltime(kind: Kind, ltime: LamportTime) -> Result<(), WireError> {
    if ltime <= LamportTime::MAX { Ok(()) } else { Err(WireError::LamportTime(kind)) }
}

fn check_content(kind: Kind, name: &str, payload: &[u8]) -> Result<(), WireError> {
    let bytes = name.len() + payload.len();
    if bytes > EVENT_BYTES_HARD_MAX { Err(WireError::ContentTooLong { kind, bytes }) } else { Ok(()) }
}
