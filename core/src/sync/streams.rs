//! The streams that are open at one node, and what each is for.

use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::deadlines::Timer;
use crate::id::ProbeSeq;
use crate::io::{CommandId, StreamId};

/// Why a stream is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An exchange for a join command.
    Join(CommandId),
    /// A periodic exchange.
    Periodic,
    /// An exchange with a member that had failed.
    Reconnect,
    /// A ping whose datagram had no answer.
    Probe(ProbeSeq),
    /// A peer opened it, and will say why.
    Inbound,
}

impl Purpose {
    /// Whether the exchange is a join in memberlist's sense.
    pub(crate) const fn is_join(self) -> bool {
        matches!(self, Self::Join(_) | Self::Reconnect)
    }
}

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Ours, not yet connected.
    Connecting,
    /// Connected; the peer's first message is awaited.
    AwaitHead,
    /// The peer's head was accepted; its clocks and its own row follow.
    OwnRow,
    /// The rest of the peer's table follows.
    Rows,
    /// Ours, for a delta exchange: the peer's head is awaited.
    AwaitDelta,
    /// Ours: the peer's digests by bucket are awaited, or the word that all is equal. `marks`: the peer wants our event marks.
    AwaitBuckets { marks: bool },
    /// The peer's: it will say which buckets differ.
    AwaitWant,
    /// The peer's rows that differ follow.
    DeltaRows,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) purpose: Purpose,
    pub(crate) peer: SocketAddr,
    pub(crate) stage: Stage,
    pub(crate) timer: Timer,
}

/// Open streams, at most `streams_max`.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    open: HashMap<StreamId, Stream, FixedState>,
    next: u32,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self { open: HashMap::with_hasher(FixedState::with_seed(0)), next: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether a failed member is being dialled.
    pub(crate) fn reconnecting(&self) -> bool {
        self.open.values().any(|stream| stream.purpose == Purpose::Reconnect)
    }

    /// A number for a stream of ours.
    pub(crate) fn mint(&mut self) -> StreamId {
        self.next = self.next.wrapping_add(1);
        StreamId::Ours(self.next)
    }

    pub(crate) fn insert(&mut self, id: StreamId, stream: Stream) {
        self.open.insert(id, stream);
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<Stream> {
        self.open.get(&id).copied()
    }

    pub(crate) fn set_stage(&mut self, id: StreamId, stage: Stage) {
        if let Some(stream) = self.open.get_mut(&id) {
            stream.stage = stage;
        }
    }

    /// Where the peer is to be asked, once it has said so.
    pub(crate) fn set_peer(&mut self, id: StreamId, peer: SocketAddr) {
        if let Some(stream) = self.open.get_mut(&id) {
            stream.peer = peer;
        }
    }

    pub(crate) fn remove(&mut self, id: StreamId) -> Option<Stream> {
        self.open.remove(&id)
    }
}
