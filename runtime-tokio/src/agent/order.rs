//! What handles ask of the driver.

use rumormill_core::Node;
use rumormill_core::error::CommandError;
use rumormill_core::io::{Command, Done, QueryRequest};
use tokio::sync::oneshot;

use super::why::{Troubled, Why};
use super::{Answers, Stats};

/// Orders that wait for the driver.
pub(super) const ORDERS_WAITING: usize = 256;

/// Where a command's end is told.
pub(super) type Reply = oneshot::Sender<Result<Done, CommandError>>;
/// Where it is told whether a query was asked.
pub(super) type AnswersReply = oneshot::Sender<Result<Answers, CommandError>>;

pub(crate) enum Order {
    /// Do this.
    Command { command: Command, reply: Reply },
    /// Ask this.
    Query { request: QueryRequest, reply: AnswersReply },
    /// Show the node to this, between two steps.
    Look(Box<dyn FnOnce(&Node) + Send>),
    /// Tell what is known of a member's trouble, if it is known at all.
    Why { name: Box<str>, reply: oneshot::Sender<Option<Why>> },
    /// Tell who had trouble.
    Troubled { reply: oneshot::Sender<Vec<Troubled>> },
    /// Say how the agent is doing.
    Stats(oneshot::Sender<Box<Stats>>),
    /// The snapshot need not know these any more.
    Forget(Vec<String>),
    /// Stop without a word.
    Stop,
}
