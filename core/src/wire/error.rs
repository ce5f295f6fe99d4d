//! Why bytes from a peer were refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::message::Kind;
use crate::id::{META_BYTES_MAX, NameError};

/// Why bytes from a peer were refused: the peer's or the network's fault; counted, never fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WireError {
    /// Fewer bytes than a header has.
    #[error("{0} bytes are too short for a packet")]
    TooShort(usize),
    /// The first byte is not that of a packet, or of a frame where a frame is due.
    #[error("the first byte is {found:#04x}, but {expected:#04x} begins what is due here")]
    Magic {
        /// The first byte.
        found: u8,
        /// What would be right.
        expected: u8,
    },
    /// Another version of the wire.
    #[error("wire version {found}, but only version {} is spoken here", super::native::VERSION)]
    Version {
        /// The sender's version.
        found: u8,
    },
    /// The header has flags that this wire version does not define, an empty label, or extensions that are no list.
    #[error("the packet's header is malformed")]
    Header,
    /// The packet's label is not ours, or is missing, or we have none.
    #[error("the cluster label is not ours")]
    Label,
    /// It is sealed, and there are no keys here.
    #[error("it is sealed, but there are no keys here")]
    Sealed,
    /// It is not sealed, and there are keys here, so that it must be (`verify_incoming`).
    #[error("it is not sealed, but must be")]
    Unsealed,
    /// No key of ours opens it: it was sealed with another, or damaged or forged.
    #[error("none of our keys opens it")]
    Seal,
    /// The bytes are not those that were sent.
    #[error("the checksum does not match")]
    Checksum,
    /// A frame is, or claims to be, longer than `frame_bytes_max`.
    #[error("a frame of {bytes} bytes, its length prefix included, but at most {max} are taken")]
    FrameTooLong {
        /// The frame's length, its prefix included, bytes.
        bytes: u64,
        /// `frame_bytes_max`.
        max: usize,
    },
    /// A frame does not have the length that its prefix says.
    #[error("a frame of {found} bytes whose prefix says {claimed}")]
    FrameLength {
        /// The frame's length, its prefix included, bytes.
        found: usize,
        /// What the prefix says, the prefix itself included, bytes.
        claimed: u64,
    },
    /// A message of a kind that this wire version does not have.
    #[error("message kind {0} is unknown")]
    UnknownKind(u8),
    /// The bytes end within a message.
    #[error("the bytes end within a message")]
    Truncated,
    /// A message's fields are not what its kind has.
    #[error("the fields of the {} message are malformed", .0.name())]
    Malformed(Kind),
    /// What follows a message's fields is no list of extensions.
    #[error("what follows the fields of the {} message is no list of extensions", .0.name())]
    Extension(Kind),
    /// A message of a push/pull exchange in a packet; it belongs on a stream.
    #[error("a {} message in a packet, but it belongs on a stream", .0.name())]
    NestedInPacket(Kind),
    /// A name that no node can have.
    #[error("the {} message has a bad name: {error}", kind.name())]
    Name {
        /// The message's kind.
        kind: Kind,
        /// The rule that the name breaks.
        error: NameError,
    },
    /// An address that nothing can be sent to.
    #[error("the address in the {} message is unspecified or has port 0", .0.name())]
    Address(Kind),
    /// More application data than a member may announce.
    #[error("{0} bytes of application data, but at most {META_BYTES_MAX} are taken")]
    MetaTooLong(usize),
    /// A state that no row of a table is sent in.
    #[error("state {0} in a table's row, but 0 (alive) to 3 (left) are the states that are sent")]
    State(u8),
    /// A refusal in more words than are taken.
    #[error("{0} bytes of reason in a refusal, but at most {max} are taken", max = super::body::REASON_BYTES_MAX)]
    ReasonTooLong(usize),
    /// A regular expression in a query's filter that is longer than is taken.
    #[error("{0} bytes of regular expression in a filter, but at most {max} are taken", max = super::EXPRESSION_BYTES_MAX)]
    ExpressionTooLong(usize),
    /// More name and payload than an event, query or answer may have.
    #[error("the {} message has {bytes} bytes of name and payload, but at most {max} are taken", kind.name(), max = super::EVENT_BYTES_HARD_MAX)]
    ContentTooLong {
        /// The message's kind.
        kind: Kind,
        /// Bytes of name and payload together.
        bytes: usize,
    },
    /// A Lamport time so far ahead that no clock could count on from it.
    #[error("the Lamport time of the {} message is beyond 2^63", .0.name())]
    LamportTime(Kind),
}

/// The classes of [`WireError`] that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireErrorClass {
    /// Another cluster's label.
    Label,
    /// Another version of the wire.
    Version,
    /// Sealed with another key, or damaged or forged after that; or sealed on one side only.
    Seal,
    /// Damaged on the way.
    Checksum,
    /// Any other rule of the wire.
    Malformed,
}

impl WireError {
    /// The class the error is counted in.
    #[must_use]
    pub const fn class(self) -> WireErrorClass {
        match self {
            Self::Label => WireErrorClass::Label,
            Self::Version { .. } => WireErrorClass::Version,
            Self::Sealed | Self::Unsealed | Self::Seal => WireErrorClass::Seal,
            Self::Checksum => WireErrorClass::Checksum,
            _ => WireErrorClass::Malformed,
        }
    }
}
