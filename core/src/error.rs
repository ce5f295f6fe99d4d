//! Errors that say whose fault it is: a peer's ([`WireError`](crate::wire::WireError)), the caller's
//! ([`CommandError`]) or the operator's ([`ConfigError`], [`BirthError`]).

use core::net::SocketAddr;

use alloc::boxed::Box;
use alloc::string::String;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use crate::config::ConfigError;
pub use crate::keyring::KeyringError;

/// Why a node could not be made: the operator's mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BirthError {
    /// A setting is out of bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node would advertise an address that no peer can reach.
    #[error("the advertised address is {0}, but must be a specified address with a port above 0")]
    Address(SocketAddr),
    /// More application data than an alive message may carry.
    #[error("the member's meta data has {actual} bytes, but may have at most {allowed}")]
    Meta {
        /// Bytes given.
        actual: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// A key that the configured cipher does not take.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Keys with a seed that anybody can predict, so that nonces would repeat; [`Config::simulation`](crate::Config) allows it.
    #[error("a node with keys needs a seed from the operating system's random source, this one is simulated")]
    SimulatedSeed,
}

/// Why a command was not carried out: the caller's mistake, or the state of the node or the network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The node is leaving or has left; it takes no more commands.
    #[error("the node is leaving the cluster")]
    Leaving,
    /// A join without an address.
    #[error("join needs at least one address")]
    NoAddress,
    /// No address answered; the reason is that of the last one.
    #[error("none of {tried} addresses could be joined; the last, {last}: {reason}")]
    NotJoined {
        /// Addresses tried.
        tried: u32,
        /// The last address tried.
        last: SocketAddr,
        /// Why that one failed.
        reason: StreamFailure,
    },
    /// The meta data is too long.
    #[error("tags take {actual} bytes encoded, but may take at most {allowed}")]
    TagsTooLong {
        /// Bytes needed.
        actual: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// The broadcast was not sent often enough within `broadcast_timeout`.
    #[error("the broadcast was not sent in time")]
    BroadcastTimeout,
    /// An event, query or answer is too long, in Serf's encoding.
    #[error("the {what} takes {actual} bytes encoded, but may take at most {allowed}")]
    TooLong {
        /// What: `event`, `query` or `response`.
        what: &'static str,
        /// Bytes needed.
        actual: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// More has been accepted than can be kept until everybody has it; try again later.
    #[error("busy: {0} are waiting already")]
    Busy(&'static str),
    /// A name that the protocol keeps to itself.
    #[error("names that begin with _rumor_ are reserved")]
    ReservedName,
    /// A filter's expression is no regular expression, or too long or too large.
    #[error("the filter on tag {tag} is no usable expression: {reason}")]
    BadFilter {
        /// The tag.
        tag: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// No such query came in, it was answered, or its deadline has passed.
    #[error("there is no open query of that number: it is unknown, answered, or over")]
    NoSuchQuery,
    /// A key command failed at some members.
    #[error("{}/{} nodes reported failure", .0.failed.len(), .0.asked)]
    KeysFailed(Box<crate::io::KeyReport>),
    /// A key command had no answer from some members.
    #[error("{}/{} nodes reported success", .0.answered, .0.asked)]
    KeysUnanswered(Box<crate::io::KeyReport>),
}

/// Why a stream ended without having served its purpose.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum StreamFailure {
    /// The peer's machine answered that nobody listens there.
    #[error("connection refused")]
    Refused,
    /// No answer, or not all of it, before the deadline.
    #[error("timed out")]
    TimedOut,
    /// The connection broke, or the peer closed it early.
    #[error("connection lost")]
    Lost,
    /// `streams_max` streams are open already.
    #[error("too many open streams")]
    TooMany,
    /// The peer sent something that is not this protocol, or of another version or label.
    #[error("the peer sent an invalid frame: {0}")]
    Invalid(crate::wire::WireError),
    /// The peer sent a frame that does not belong there.
    #[error("the peer sent a message out of order")]
    OutOfOrder,
    /// The peer refused, with these words.
    #[error("the peer refused: {0}")]
    Refusal(Box<str>),
    /// The peer's members speak versions that ours do not, or the other way round.
    #[error("incompatible versions: {0}")]
    Versions(String),
    /// This machine has no way to that address, such as none to any IPv6 address.
    #[error("this machine has no route to that address")]
    Unreachable,
}
