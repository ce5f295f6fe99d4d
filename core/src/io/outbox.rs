//! Memory for outputs, and the outputs as a driver reads them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;

use super::{
    CommandId, Done, Event, Note, Output, ProbePath, QueryId, Shed, State, StreamAction, StreamId, Via,
};
use crate::error::CommandError;
use crate::id::{Identity, Incarnation, LamportTime, SharedIdentity};
use crate::time::Instant;
use crate::wire::{Kinds, WireError};

/// Memory for outputs, reused from step to step so that steady state allocates nothing. One serves any number of nodes.
#[derive(Debug, Default)]
pub struct Outbox {
    pub(crate) bytes: Vec<u8>,
    items: Vec<Item>,
    notes: bool,
    /// Whether the driver has no use for notes of answered probes.
    answers_unwanted: bool,
    /// Where what was sealed is opened: memory to reuse, at most a packet or frame long.
    pub(crate) opened: Vec<u8>,
}

/// An output that owns what it refers to, or points into `Outbox::bytes`.
#[derive(Debug)]
enum Item {
    Packet {
        to: SocketAddr,
        bytes: Range<usize>,
        kinds: Kinds,
    },
    Open {
        id: StreamId,
        to: SocketAddr,
        deadline: Instant,
    },
    Frame {
        id: StreamId,
        bytes: Range<usize>,
        kinds: Kinds,
        last: bool,
    },
    Close {
        id: StreamId,
    },
    Completed {
        id: CommandId,
        result: Result<Done, CommandError>,
    },
    Join {
        member: SharedIdentity,
        incarnation: Incarnation,
    },
    Leave {
        member: SharedIdentity,
    },
    Failed {
        member: SharedIdentity,
        incarnation: Incarnation,
    },
    Update {
        member: SharedIdentity,
    },
    Reap {
        member: SharedIdentity,
    },
    Conflict {
        member: SharedIdentity,
        claimed: SocketAddr,
    },
    User {
        ltime: LamportTime,
        origin: Range<usize>,
        name: Range<usize>,
        payload: Range<usize>,
        coalesce: bool,
    },
    Query {
        query: QueryId,
        from: Range<usize>,
        name: Range<usize>,
        payload: Range<usize>,
        deadline: Instant,
    },
    Ack {
        command: CommandId,
        from: Range<usize>,
    },
    Answer {
        command: CommandId,
        from: Range<usize>,
        payload: Range<usize>,
    },
    KeysChanged,
    MustStop {
        reason: Range<usize>,
    },
    Note(OwnedNote),
}

/// A [`Note`] whose text lies in `Outbox::bytes`.
#[derive(Debug)]
enum OwnedNote {
    Applied {
        subject: Arc<Identity>,
        before: Option<State>,
        state: State,
        incarnation: Incarnation,
        via: Via,
    },
    Suspected {
        subject: Arc<Identity>,
        incarnation: Incarnation,
        accuser: Range<usize>,
        via: Via,
        timeout: Duration,
    },
    Confirmed {
        subject: Arc<Identity>,
        accuser: Range<usize>,
        confirmations: u8,
    },
    DeclaredDead {
        subject: Arc<Identity>,
        incarnation: Incarnation,
        accuser: Range<usize>,
        via: Via,
    },
    Refuted {
        accused: Incarnation,
        announced: Incarnation,
        via: Via,
    },
    ProbeFailed {
        subject: Arc<Identity>,
        incarnation: Incarnation,
        accuses: bool,
        nacks_expected: u8,
        nacks: u8,
    },
    ProbeAnswered {
        subject: Arc<Identity>,
        after: Duration,
        path: ProbePath,
    },
    Rejected {
        from: SocketAddr,
        error: WireError,
    },
    Shed(Shed),
}

impl Outbox {
    /// An empty outbox; it grows to the largest step it has seen and stays there.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same without [`Note::ProbeAnswered`], by far the most frequent note: for a driver that does not read it.
    #[must_use]
    pub fn without_answered_probes(self) -> Self {
        Self { answers_unwanted: true, ..self }
    }

    #[inline]
    pub(crate) fn begin(&mut self, notes: bool) {
        self.bytes.clear();
        self.items.clear();
        self.notes = notes;
    }

    /// Whether notes are wanted, so that a caller can save itself making one.
    pub(crate) const fn notes(&self) -> bool {
        self.notes
    }

    /// Whether [`Note::ProbeAnswered`] is wanted.
    pub(crate) const fn notes_answered_probes(&self) -> bool {
        self.notes && !self.answers_unwanted
    }

    #[inline]
    pub(crate) fn packet(&mut self, to: SocketAddr, start: usize, kinds: Kinds) {
        let bytes = start..self.bytes.len();
        self.items.push(Item::Packet { to, bytes, kinds });
    }

    /// The packet before, to somebody else too.
    pub(crate) fn packet_again(&mut self, to: SocketAddr) {
        if let Some(Item::Packet { bytes, kinds, .. }) = self.items.last() {
            let (bytes, kinds) = (bytes.clone(), *kinds);
            self.items.push(Item::Packet { to, bytes, kinds });
        }
    }

    pub(crate) fn open(&mut self, id: StreamId, to: SocketAddr, deadline: Instant) {
        self.items.push(Item::Open { id, to, deadline });
    }

    pub(crate) fn frame(&mut self, id: StreamId, start: usize, kinds: Kinds, last: bool) {
        let bytes = start..self.bytes.len();
        self.items.push(Item::Frame { id, bytes, kinds, last });
    }

    pub(crate) fn close(&mut self, id: StreamId) {
        self.items.push(Item::Close { id });
    }

    pub(crate) fn completed(&mut self, id: CommandId, result: Result<Done, CommandError>) {
        self.items.push(Item::Completed { id, result });
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        let item = match event {
            Event::Join { member, incarnation } => Item::Join { member: member.clone(), incarnation },
            Event::Leave { member } => Item::Leave { member: member.clone() },
            Event::Failed { member, incarnation } => Item::Failed { member: member.clone(), incarnation },
            Event::Update { member } => Item::Update { member: member.clone() },
            Event::Reap { member } => Item::Reap { member: member.clone() },
            Event::Conflict { member, claimed } => Item::Conflict { member: member.clone(), claimed },
            Event::User { ltime, origin, name, payload, coalesce } => {
                let (origin, name) = (self.keep(origin), self.keep(name));
                Item::User { ltime, origin, name, payload: self.keep_bytes(payload), coalesce }
            }
            Event::Query { query, from, name, payload, deadline } => {
                let (from, name) = (self.keep(from), self.keep(name));
                Item::Query { query, from, name, payload: self.keep_bytes(payload), deadline }
            }
            Event::Ack { command, from } => Item::Ack { command, from: self.keep(from) },
            Event::Answer { command, from, payload } => {
                let from = self.keep(from);
                Item::Answer { command, from, payload: self.keep_bytes(payload) }
            }
            Event::KeysChanged => Item::KeysChanged,
            Event::MustStop { reason } => Item::MustStop { reason: self.keep(reason) },
        };
        self.items.push(item);
    }

    pub(crate) fn note(&mut self, note: Note<'_>) {
        if !self.notes {
            return;
        }
        let owned = match note {
            Note::Applied { subject, before, state, incarnation, via } => {
                OwnedNote::Applied { subject: subject.clone(), before, state, incarnation, via }
            }
            Note::Suspected { subject, incarnation, accuser, via, timeout } => {
                let accuser = self.keep(accuser);
                OwnedNote::Suspected { subject: subject.clone(), incarnation, accuser, via, timeout }
            }
            Note::Confirmed { subject, accuser, confirmations } => {
                let accuser = self.keep(accuser);
                OwnedNote::Confirmed { subject: subject.clone(), accuser, confirmations }
            }
            Note::DeclaredDead { subject, incarnation, accuser, via } => {
                let accuser = self.keep(accuser);
                OwnedNote::DeclaredDead { subject: subject.clone(), incarnation, accuser, via }
            }
            Note::Refuted { accused, announced, via } => OwnedNote::Refuted { accused, announced, via },
            Note::ProbeFailed { subject, incarnation, accuses, nacks_expected, nacks } => {
                OwnedNote::ProbeFailed {
                    subject: subject.clone(),
                    incarnation,
                    accuses,
                    nacks_expected,
                    nacks,
                }
            }
            Note::ProbeAnswered { subject, after, path } => {
                OwnedNote::ProbeAnswered { subject: subject.clone(), after, path }
            }
            Note::Rejected { from, error } => OwnedNote::Rejected { from, error },
            Note::Shed(what) => OwnedNote::Shed(what),
        };
        self.items.push(Item::Note(owned));
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        self.keep_bytes(text.as_bytes())
    }

    fn keep_bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    #[inline]
    pub(crate) fn outputs(&self) -> Outputs<'_> {
        Outputs { bytes: &self.bytes, items: self.items.iter() }
    }
}

/// What one step wants done, in order; borrows the [`Outbox`].
#[derive(Clone, Debug)]
#[must_use = "outputs that are not carried out are lost"]
pub struct Outputs<'o> {
    bytes: &'o [u8],
    items: core::slice::Iter<'o, Item>,
}

impl<'o> Iterator for Outputs<'o> {
    type Item = Output<'o>;

    #[inline]
    fn next(&mut self) -> Option<Output<'o>> {
        // Nearly all are packets, which a driver then reads where they lie.
        Some(match self.items.next()? {
            Item::Packet { to, bytes, kinds } => {
                Output::Packet { to: *to, bytes: &self.bytes[bytes.clone()], kinds }
            }
            item => view(self.bytes, item),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl ExactSizeIterator for Outputs<'_> {}

fn view<'o>(bytes: &'o [u8], item: &'o Item) -> Output<'o> {
    match item {
        Item::Packet { to, bytes: range, kinds } => {
            Output::Packet { to: *to, bytes: &bytes[range.clone()], kinds }
        }
        Item::Open { id, to, deadline } => {
            Output::Stream { id: *id, action: StreamAction::Open { to: *to, deadline: *deadline } }
        }
        Item::Frame { id, bytes: range, kinds, last } => Output::Stream {
            id: *id,
            action: StreamAction::Frame { bytes: &bytes[range.clone()], kinds, last: *last },
        },
        Item::Close { id } => Output::Stream { id: *id, action: StreamAction::Close },
        Item::Completed { id, result } => Output::Completed { id: *id, result: result.clone() },
        Item::Join { member, incarnation } => {
            Output::Event(Event::Join { member, incarnation: *incarnation })
        }
        Item::Leave { member } => Output::Event(Event::Leave { member }),
        Item::Failed { member, incarnation } => {
            Output::Event(Event::Failed { member, incarnation: *incarnation })
        }
        Item::Update { member } => Output::Event(Event::Update { member }),
        Item::Reap { member } => Output::Event(Event::Reap { member }),
        Item::Conflict { member, claimed } => Output::Event(Event::Conflict { member, claimed: *claimed }),
        Item::User { ltime, origin, name, payload, coalesce } => Output::Event(Event::User {
            ltime: *ltime,
            origin: text(bytes, origin),
            name: text(bytes, name),
            payload: &bytes[payload.clone()],
            coalesce: *coalesce,
        }),
        Item::Query { query, from, name, payload, deadline } => Output::Event(Event::Query {
            query: *query,
            from: text(bytes, from),
            name: text(bytes, name),
            payload: &bytes[payload.clone()],
            deadline: *deadline,
        }),
        Item::Ack { command, from } => {
            Output::Event(Event::Ack { command: *command, from: text(bytes, from) })
        }
        Item::Answer { command, from, payload } => {
            let (from, payload) = (text(bytes, from), &bytes[payload.clone()]);
            Output::Event(Event::Answer { command: *command, from, payload })
        }
        Item::KeysChanged => Output::Event(Event::KeysChanged),
        Item::MustStop { reason } => Output::Event(Event::MustStop { reason: text(bytes, reason) }),
        Item::Note(note) => Output::Note(note_view(bytes, note)),
    }
}

/// Text was copied from a `str` by `keep`, so it is UTF-8; an empty one would only be less informative.
fn text<'o>(bytes: &'o [u8], range: &Range<usize>) -> &'o str {
    core::str::from_utf8(&bytes[range.clone()]).unwrap_or_default()
}

fn note_view<'o>(bytes: &'o [u8], note: &'o OwnedNote) -> Note<'o> {
    match note {
        OwnedNote::Applied { subject, before, state, incarnation, via } => {
            Note::Applied { subject, before: *before, state: *state, incarnation: *incarnation, via: *via }
        }
        OwnedNote::Suspected { subject, incarnation, accuser, via, timeout } => Note::Suspected {
            subject,
            incarnation: *incarnation,
            accuser: text(bytes, accuser),
            via: *via,
            timeout: *timeout,
        },
        OwnedNote::Confirmed { subject, accuser, confirmations } => {
            Note::Confirmed { subject, accuser: text(bytes, accuser), confirmations: *confirmations }
        }
        OwnedNote::DeclaredDead { subject, incarnation, accuser, via } => Note::DeclaredDead {
            subject,
            incarnation: *incarnation,
            accuser: text(bytes, accuser),
            via: *via,
        },
        OwnedNote::Refuted { accused, announced, via } => {
            Note::Refuted { accused: *accused, announced: *announced, via: *via }
        }
        OwnedNote::ProbeFailed { subject, incarnation, accuses, nacks_expected, nacks } => {
            Note::ProbeFailed {
                subject,
                incarnation: *incarnation,
                accuses: *accuses,
                nacks_expected: *nacks_expected,
                nacks: *nacks,
            }
        }
        OwnedNote::ProbeAnswered { subject, after, path } => {
            Note::ProbeAnswered { subject, after: *after, path: *path }
        }
        OwnedNote::Rejected { from, error } => Note::Rejected { from: *from, error: *error },
        OwnedNote::Shed(what) => Note::Shed(*what),
    }
}
