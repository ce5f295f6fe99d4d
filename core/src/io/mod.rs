//! What goes into a node and what comes out of it: the vocabulary of [`step`](crate::step).

mod notes;
mod outbox;
mod requests;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::error::{CommandError, StreamFailure};
use crate::id::{EventSeq, Incarnation, LamportTime, NodeName, SharedIdentity};
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::Kinds;

pub use notes::{Note, ProbePath, Shed};
pub use outbox::{Outbox, Outputs};
pub use requests::{EventRequest, KeyAction, KeyReport, QueryId, QueryRequest, QueryTally, TagFilter};

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
        /// Whether user events that were sent before the join are delivered, as far as peers still have them.
        replay: bool,
    },
    /// Tell the cluster, wait until it was told, and be gone. The driver stops the node on completion.
    Leave,
    /// Announce these tags instead of the present ones. Completes when the news has been sent often enough.
    SetTags(Tags),
    /// Say of a member that it has left: a failed one is no longer dialled. A live one refutes it.
    ForceLeave {
        /// Whom.
        name: NodeName,
        /// Whether it is forgotten at once, instead of after `tombstone_timeout`.
        prune: bool,
    },
    /// Tell everybody. Completes at once: with [`Done::EventSent`] when every member that stays connected will get it, with
    /// [`CommandError::Busy`] when the node has more to repeat than it can keep.
    UserEvent(EventRequest),
    /// Ask the cluster. Answers come as [`Event::Answer`] and [`Event::Ack`]; completes with [`Done::QueryOver`] at the deadline,
    /// or as soon as every member asked has answered or declined.
    Query(QueryRequest),
    /// Answer a query that [`Event::Query`] brought: once, before its deadline.
    Respond {
        /// Which.
        query: QueryId,
        /// The answer.
        payload: Box<[u8]>,
    },
    /// Say that no answer will be given to a query that [`Event::Query`] brought, so that who asks need not wait until its deadline.
    Decline {
        /// Which.
        query: QueryId,
    },
    /// Change or list the keys of all members. Completes with [`Done::Keys`].
    Keys {
        /// What to do.
        action: KeyAction,
        /// As in [`QueryRequest::relay_factor`].
        relay_factor: u8,
    },
}

/// How a command ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The cluster was told that the member has left.
    ForceLeft,
    /// The event is on its way.
    EventSent {
        /// Its Lamport time.
        ltime: LamportTime,
        /// Its number among this node's events.
        seq: EventSeq,
    },
    /// The query has ended.
    QueryOver(QueryTally),
    /// The answer was sent.
    Responded,
    /// What the members said.
    Keys(Box<KeyReport>),
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
    /// In the cluster, but it has said that it leaves.
    Leaving = 2,
    /// Gone after saying so.
    Left = 3,
    /// Gone without a word; dialled again until `reconnect_timeout`.
    Failed = 4,
}

impl Status {
    /// Whether the member is in the cluster: alive or leaving.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Alive | Self::Leaving)
    }
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
        kinds: &'o Kinds,
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
        kinds: &'o Kinds,
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
    /// Another application told everybody something; so did this one, if the origin is this node.
    User {
        /// Event clock when it was sent.
        ltime: LamportTime,
        /// Who sent it.
        origin: &'o str,
        /// The application's name for it.
        name: &'o str,
        /// The application's data.
        payload: &'o [u8],
        /// Whether it may be merged with others of its name.
        coalesce: bool,
    },
    /// Another application asks; answer with [`Command::Respond`].
    Query {
        /// Which query.
        query: QueryId,
        /// Who asks.
        from: &'o str,
        /// The application's name for it.
        name: &'o str,
        /// The application's data.
        payload: &'o [u8],
        /// When answers are no longer taken.
        deadline: Instant,
    },
    /// A member acknowledged a query of ours.
    Ack {
        /// The command that asked.
        command: CommandId,
        /// Who.
        from: &'o str,
    },
    /// A member answered a query of ours.
    Answer {
        /// The command that asked.
        command: CommandId,
        /// Who.
        from: &'o str,
        /// What it says.
        payload: &'o [u8],
    },
    /// The node's keys are others now ([`Node::keyring`](crate::Node::keyring)): a driver with a keyring file rewrites it.
    KeysChanged,
    /// The node must not go on: the driver stops it.
    MustStop {
        /// Why, in words for people.
        reason: &'o str,
    },
}
