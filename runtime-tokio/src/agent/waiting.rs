//! Commands under way, and who waits for their end.

use std::collections::HashMap;
use std::sync::Arc;

use rumormill_core::error::CommandError;
use rumormill_core::io::{CommandId, Done, QueryTally};
use tokio::sync::{mpsc, oneshot};

use super::order::{AnswersReply, Reply};
use super::subscription::{Answer, Answers};
use crate::net::{TrafficCounters, add};

/// Commands under way at once; more are told to try again later.
const COMMANDS_MAX: usize = 16_384;

enum Waiter {
    Plain(Reply),
    Query {
        answers: mpsc::Sender<Answer>,
        tally: oneshot::Sender<QueryTally>,
        /// Until the asker has its end: a query may be refused, or over, in the step that asks it.
        asker: Option<(AnswersReply, Answers)>,
    },
}

pub(super) struct Waiting {
    commands: HashMap<CommandId, Waiter>,
    next: u64,
    /// Commands that have ended, and are told so when what they changed can be seen.
    ended: Vec<(Waiter, Result<Done, CommandError>)>,
    traffic: Arc<TrafficCounters>,
}

impl Waiting {
    pub(super) fn new(traffic: Arc<TrafficCounters>) -> Self {
        Self { commands: HashMap::new(), next: 0, ended: Vec::new(), traffic }
    }

    /// A number for a command; `None`, and its caller told, when too many are under way.
    pub(super) fn begin(&mut self, reply: Reply) -> Option<CommandId> {
        if self.commands.len() >= COMMANDS_MAX {
            let _ = reply.send(Err(CommandError::Busy("commands")));
            return None;
        }
        Some(self.enter(Waiter::Plain(reply)))
    }

    /// The same for a query, to which at most `most` answers come.
    pub(super) fn begin_query(&mut self, reply: AnswersReply, most: usize) -> Option<CommandId> {
        if self.commands.len() >= COMMANDS_MAX {
            let _ = reply.send(Err(CommandError::Busy("commands")));
            return None;
        }
        let (answers, far_answers) = mpsc::channel(most);
        let (tally, far_tally) = oneshot::channel();
        let asker = Some((reply, Answers::new(far_answers, far_tally)));
        Some(self.enter(Waiter::Query { answers, tally, asker }))
    }

    fn enter(&mut self, waiter: Waiter) -> CommandId {
        self.next += 1;
        let id = CommandId(self.next);
        self.commands.insert(id, waiter);
        id
    }

    /// The step that asked a query is over: unless it was refused, its asker gets the answers.
    ///
    /// Whether it is under way.
    pub(super) fn asked(&mut self, id: CommandId) -> bool {
        if let Some(Waiter::Query { asker, .. }) = self.commands.get_mut(&id)
            && let Some((reply, answers)) = asker.take()
        {
            let _ = reply.send(Ok(answers));
            return true;
        }
        false
    }

    pub(super) fn answer(&self, id: CommandId, answer: Answer) {
        if let Some(Waiter::Query { answers, .. }) = self.commands.get(&id)
            && answers.try_send(answer).is_err()
        {
            add(&self.traffic.missed, 1);
        }
    }

    pub(super) fn completed(&mut self, id: CommandId, result: Result<Done, CommandError>) {
        if let Some(waiter) = self.commands.remove(&id) {
            self.ended.push((waiter, result));
        }
    }

    /// Tells those whose commands have ended.
    pub(super) fn tell(&mut self) {
        for (waiter, result) in self.ended.drain(..) {
            match (waiter, result) {
                (Waiter::Plain(reply), result) => {
                    let _ = reply.send(result);
                }
                (Waiter::Query { tally, asker, answers }, Ok(done)) => {
                    if let Done::QueryOver(how) = done {
                        let _ = tally.send(how);
                    }
                    drop(answers);
                    if let Some((reply, answers)) = asker {
                        let _ = reply.send(Ok(answers));
                    }
                }
                (Waiter::Query { asker, .. }, Err(error)) => {
                    if let Some((reply, _)) = asker {
                        let _ = reply.send(Err(error));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Waiting {
        Waiting::new(Arc::default())
    }

    #[tokio::test]
    async fn a_refused_query_is_an_error_and_one_that_ends_at_once_is_not() {
        let mut waiting = waiting();
        let (reply, refused) = oneshot::channel();
        let id = waiting.begin_query(reply, 4).unwrap();
        waiting.completed(id, Err(CommandError::ReservedName));
        waiting.asked(id);
        waiting.tell();
        assert_eq!(refused.await.unwrap().unwrap_err(), CommandError::ReservedName);

        let (reply, asked) = oneshot::channel();
        let id = waiting.begin_query(reply, 4).unwrap();
        waiting.answer(id, Answer::Ack { from: "a".into() });
        let over = QueryTally { acks: 1, responses: 0, complete: true };
        waiting.completed(id, Ok(Done::QueryOver(over)));
        waiting.asked(id);
        waiting.tell();
        let mut answers = asked.await.unwrap().unwrap();
        assert_eq!(answers.next().await, Some(Answer::Ack { from: "a".into() }));
        assert_eq!(answers.tally(), None);
        assert_eq!(answers.next().await, None);
        assert_eq!(answers.tally(), Some(over));
    }

    #[tokio::test]
    async fn answers_to_an_asker_that_is_gone_are_dropped_and_counted() {
        let mut waiting = waiting();
        let (reply, asked) = oneshot::channel();
        let id = waiting.begin_query(reply, 4).unwrap();
        waiting.asked(id);
        drop(asked.await.unwrap().unwrap());
        waiting.answer(id, Answer::Ack { from: "a".into() });
        assert_eq!(waiting.traffic.read().missed, 1);
    }

    #[tokio::test]
    async fn more_commands_than_can_be_kept_are_told_to_try_again() {
        let mut waiting = waiting();
        let mut far_ends = Vec::new();
        for _ in 0..COMMANDS_MAX {
            let (reply, end) = oneshot::channel();
            assert!(waiting.begin(reply).is_some());
            far_ends.push(end);
        }
        let (reply, end) = oneshot::channel();
        assert_eq!(waiting.begin(reply), None);
        assert_eq!(end.await.unwrap(), Err(CommandError::Busy("commands")));
    }
}
