//! What goes into a node and what comes out of it: the vocabulary of [`step`](crate::step).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;

use crate::error::{CommandError, StreamFailure};
use crate::id::{Identity, Incarnation, SharedIdentity};
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::{Kinds, WireError};

/// Pairs a command with its [`Output::Completed`]; chosen by the driver, which uses none twice while its command is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// A stream, and which side gave it its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamId {
    /// Opened by this node ([`StreamAction::Open`]); the core chose the number.
    Ours(u32),
    /// Accepted from a peer ([`StreamInput::Opened`]); the driver chose the number, and uses none twice in a node's life.
    Theirs(u32),
}

/// What happens to a node.
#[derive(Debug)]
pub enum Input<'a> {
    /// Time has passed: the reported deadline is due. Early or repeated ticks do nothing.
    Tick,
    /// A datagram arrived. `bytes` is untrusted.
    Packet {
        /// The sender's address as the socket reports it.
        from: SocketAddr,
        /// The datagram.
        bytes: &'a [u8],
    },
    /// Something happened on a stream.
    Stream {
        /// Which one.
        id: StreamId,
        /// What.
        input: StreamInput<'a>,
    },
    /// The application wants something.
    Command {
        /// Comes back in [`Output::Completed`].
        id: CommandId,
        /// What it wants.
        command: Command,
    },
}

/// What happens on a stream.
#[derive(Debug)]
pub enum StreamInput<'a> {
    /// A stream of ours was connected, or a peer opened one.
    Opened {
        /// The other end's address.
        peer: SocketAddr,
    },
    /// A whole frame arrived, cut out by [`StreamDecoder`](crate::wire::StreamDecoder). Untrusted.
    Frame(&'a [u8]),
    /// The peer closed its sending side, or the connection ended.
    Closed,
    /// The stream could not be opened, or broke.
    Failed(StreamFailure),
}

/// What an application wants of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Exchange member tables with these addresses, one after the other. One attempt each: retrying is the driver's.
    /// Completes with [`Done::Joined`] when at least one answered.
    Join {
        /// Peers' stream addresses.
        addresses: Vec<SocketAddr>,
    },
    /// Tell the cluster, wait until it was told, and be gone. The driver stops the node on completion.
    Leave,
    /// Announce these tags instead of the present ones. Completes when the news has been sent often enough.
    SetTags(Tags),
}

/// How a command ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// So many of the addresses answered.
    Joined {
        /// Addresses that answered.
        reached: u32,
        /// Addresses that did not.
        failed: u32,
    },
    /// The cluster was told, and the node may be stopped.
    Left,
    /// The new tags were sent out.
    TagsSent,
}

/// The failure detector's opinion of a member (SWIM).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Believed reachable.
    Alive = 0,
    /// A probe failed, and a timer runs.
    Suspect = 1,
    /// Suspicion ran out, or somebody else's did.
    Dead = 2,
    /// The member itself said that it leaves.
    Left = 3,
    /// Dead or left for longer than `gossip_to_dead`: the rules for an unknown name apply.
    Forgotten = 4,
}

/// The application's view of a member (Serf).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// In the cluster, suspects included.
    Alive = 1,
    /// Gone after saying so.
    Left = 3,
    /// Gone without a word; dialled again until `reconnect_timeout`.
    Failed = 4,
}

/// Through what a claim about a member came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// This node found out itself: a failed probe, or a suspicion that ran out.
    Own,
    /// A packet.
    Gossip,
    /// A push/pull exchange.
    Sync,
}

/// What a node wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<'o> {
    /// Send this datagram. One that cannot be sent is simply lost.
    Packet {
        /// Destination.
        to: SocketAddr,
        /// The datagram.
        bytes: &'o [u8],
        /// How many messages of each kind it carries.
        kinds: Kinds,
    },
    /// Do this with a stream.
    Stream {
        /// Which one.
        id: StreamId,
        /// What.
        action: StreamAction<'o>,
    },
    /// News for the application.
    Event(Event<'o>),
    /// A command has ended. Each command ends exactly once.
    Completed {
        /// The driver's number of it.
        id: CommandId,
        /// How it ended.
        result: Result<Done, CommandError>,
    },
    /// What happened inside, and why; only when [`Config::notes`](crate::Config::notes) is on.
    Note(Note<'o>),
}

/// What to do with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamAction<'o> {
    /// Connect; report [`StreamInput::Opened`] or [`StreamInput::Failed`]. Give up at the deadline.
    Open {
        /// The peer's stream address.
        to: SocketAddr,
        /// When the whole exchange has to have ended; the core watches it too.
        deadline: Instant,
    },
    /// Send these bytes, a whole frame with its length in front.
    Frame {
        /// The bytes.
        bytes: &'o [u8],
        /// How many messages of each kind it carries.
        kinds: Kinds,
        /// Nothing follows: close the sending side after it.
        last: bool,
    },
    /// Forget the stream, and drop what has not been sent. The node takes no more input from it.
    Close,
}

/// News for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'o> {
    /// A member appeared, or came back.
    Join {
        /// Who.
        member: &'o SharedIdentity,
        /// Its incarnation.
        incarnation: Incarnation,
    },
    /// A member left gracefully.
    Leave {
        /// Who.
        member: &'o SharedIdentity,
    },
    /// A member was declared dead.
    Failed {
        /// Who.
        member: &'o SharedIdentity,
        /// The incarnation that was declared dead.
        incarnation: Incarnation,
    },
    /// A member's tags (its meta data) changed.
    Update {
        /// Who, with the new ones.
        member: &'o SharedIdentity,
    },
    /// A member that had left or failed was forgotten.
    Reap {
        /// Who.
        member: &'o SharedIdentity,
    },
    /// Somebody claims a member's name from another address. The table is unchanged.
    Conflict {
        /// Who has the name.
        member: &'o SharedIdentity,
        /// Who claims it.
        claimed: SocketAddr,
    },
}

/// What happened inside a node and why. Feeds invariants, metrics and explanations; never changes behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'o> {
    /// A member's row changed: a claim won against what was known.
    Applied {
        /// Who.
        subject: &'o SharedIdentity,
        /// The state before; `None` when the name was unknown.
        before: Option<State>,
        /// The state now.
        state: State,
        /// The incarnation now.
        incarnation: Incarnation,
        /// Through what the claim came.
        via: Via,
    },
    /// A suspicion began here; its timer runs.
    Suspected {
        /// Who.
        subject: &'o SharedIdentity,
        /// The incarnation that is suspected.
        incarnation: Incarnation,
        /// Who accuses; this node's own name after its own failed probe.
        accuser: &'o str,
        /// Through what the accusation came.
        via: Via,
        /// How long the timer runs unless confirmations come.
        timeout: Duration,
    },
    /// A suspicion was confirmed independently, which shortens its timer.
    Confirmed {
        /// Who is suspected.
        subject: &'o SharedIdentity,
        /// Who confirms.
        accuser: &'o str,
        /// Confirmations now.
        confirmations: u8,
    },
    /// This node was accused and announced a higher incarnation.
    Refuted {
        /// The incarnation that was accused.
        accused: Incarnation,
        /// The one announced.
        announced: Incarnation,
        /// Through what the accusation came.
        via: Via,
    },
    /// A probe ended without an answer.
    ProbeFailed {
        /// The member probed.
        subject: &'o SharedIdentity,
        /// Its incarnation when it was picked.
        incarnation: Incarnation,
        /// Whether the probe makes an accusation (not when the member's row changed meanwhile).
        accuses: bool,
        /// Nacks that helpers owed.
        nacks_expected: u8,
        /// Nacks that came.
        nacks: u8,
    },
    /// The member probed answered.
    ProbeAnswered {
        /// The member probed.
        subject: &'o SharedIdentity,
        /// From sending the ping to the answer.
        after: Duration,
        /// How it answered.
        path: ProbePath,
    },
    /// A packet or frame was refused.
    Rejected {
        /// Who sent it.
        from: SocketAddr,
        /// Why.
        error: WireError,
    },
    /// Load was dropped because a bound was reached.
    Shed(Shed),
}

/// How a probed member answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbePath {
    /// An ack before `probe_timeout`.
    Direct,
    /// An ack after it: late, or through a helper.
    Indirect,
    /// Over a stream alone.
    Stream,
}

/// What was dropped at a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shed {
    /// A broadcast (`queue_messages_max`).
    Broadcast,
    /// An alive claim of an unknown member (`members_max`).
    Member,
    /// A request to probe for another (`relays_max`).
    Relay,
    /// A stream (`streams_max`).
    Stream,
}

/// Memory for outputs, reused from step to step so that steady state allocates nothing. One serves any number of nodes.
#[derive(Debug, Default)]
pub struct Outbox {
    pub(crate) bytes: Vec<u8>,
    items: Vec<Item>,
    notes: bool,
}

/// An output that owns what it refers to, or points into `Outbox::bytes`.
#[derive(Debug)]
enum Item {
    Packet { to: SocketAddr, bytes: Range<usize>, kinds: Kinds },
    Open { id: StreamId, to: SocketAddr, deadline: Instant },
    Frame { id: StreamId, bytes: Range<usize>, kinds: Kinds, last: bool },
    Close { id: StreamId },
    Completed { id: CommandId, result: Result<Done, CommandError> },
    Join { member: SharedIdentity, incarnation: Incarnation },
    Leave { member: SharedIdentity },
    Failed { member: SharedIdentity, incarnation: Incarnation },
    Update { member: SharedIdentity },
    Reap { member: SharedIdentity },
    Conflict { member: SharedIdentity, claimed: SocketAddr },
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

    pub(crate) fn begin(&mut self, notes: bool) {
        self.bytes.clear();
        self.items.clear();
        self.notes = notes;
    }

    /// Whether notes are wanted, so that a caller can save itself making one.
    pub(crate) const fn notes(&self) -> bool {
        self.notes
    }

    pub(crate) fn packet(&mut self, to: SocketAddr, start: usize, kinds: Kinds) {
        let bytes = start..self.bytes.len();
        self.items.push(Item::Packet { to, bytes, kinds });
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
        self.items.push(match event {
            Event::Join { member, incarnation } => Item::Join { member: member.clone(), incarnation },
            Event::Leave { member } => Item::Leave { member: member.clone() },
            Event::Failed { member, incarnation } => Item::Failed { member: member.clone(), incarnation },
            Event::Update { member } => Item::Update { member: member.clone() },
            Event::Reap { member } => Item::Reap { member: member.clone() },
            Event::Conflict { member, claimed } => Item::Conflict { member: member.clone(), claimed },
        });
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
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        start..self.bytes.len()
    }

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

    fn next(&mut self) -> Option<Output<'o>> {
        self.items.next().map(|item| view(self.bytes, item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl ExactSizeIterator for Outputs<'_> {}

fn view<'o>(bytes: &'o [u8], item: &'o Item) -> Output<'o> {
    match item {
        Item::Packet { to, bytes: range, kinds } => {
            Output::Packet { to: *to, bytes: &bytes[range.clone()], kinds: *kinds }
        }
        Item::Open { id, to, deadline } => {
            Output::Stream { id: *id, action: StreamAction::Open { to: *to, deadline: *deadline } }
        }
        Item::Frame { id, bytes: range, kinds, last } => Output::Stream {
            id: *id,
            action: StreamAction::Frame { bytes: &bytes[range.clone()], kinds: *kinds, last: *last },
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
        Item::Note(note) => Output::Note(note_view(bytes, note)),
    }
}

fn note_view<'o>(bytes: &'o [u8], note: &'o OwnedNote) -> Note<'o> {
    // Text was copied from a `str` by `keep`, so it is UTF-8; an empty accuser would only be less informative.
    let text = |range: &Range<usize>| core::str::from_utf8(&bytes[range.clone()]).unwrap_or_default();
    match note {
        OwnedNote::Applied { subject, before, state, incarnation, via } => {
            Note::Applied { subject, before: *before, state: *state, incarnation: *incarnation, via: *via }
        }
        OwnedNote::Suspected { subject, incarnation, accuser, via, timeout } => Note::Suspected {
            subject,
            incarnation: *incarnation,
            accuser: text(accuser),
            via: *via,
            timeout: *timeout,
        },
        OwnedNote::Confirmed { subject, accuser, confirmations } => {
            Note::Confirmed { subject, accuser: text(accuser), confirmations: *confirmations }
        }
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
