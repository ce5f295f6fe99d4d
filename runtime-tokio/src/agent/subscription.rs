//! What comes back to an application: events, and answers to queries.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rumormill_core::io::QueryTally;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::event::Event;
use crate::net::TrafficCounters;

/// What a subscriber that was too slow did not get: so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(pub u64);

/// A subscription to an agent's events. It holds those of which its reader is behind, up to [`Events::CAPACITY`].
#[derive(Debug)]
pub struct Events {
    /// `None`: the agent had stopped before.
    receiver: Option<broadcast::Receiver<Event>>,
    traffic: Arc<TrafficCounters>,
}

impl Events {
    /// Events that wait for a slow reader; of more, the oldest are dropped.
    pub const CAPACITY: usize = 2048;

    pub(super) const fn new(
        receiver: Option<broadcast::Receiver<Event>>,
        traffic: Arc<TrafficCounters>,
    ) -> Self {
        Self { receiver, traffic }
    }

    /// The next event; `Some(Err(Missed(n)))` where the reader was so slow that `n` were dropped; `None` when the agent has stopped.
    ///
    /// May be dropped before it is done (in `select!`) without losing an event.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        match self.receiver.as_mut()?.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(missed)) => {
                self.traffic.missed.fetch_add(missed, Ordering::Relaxed);
                Some(Err(Missed(missed)))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

/// One answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A member has received it.
    Ack {
        /// Who.
        from: Arc<str>,
    },
    /// A member answers.
    Response {
        /// Who.
        from: Arc<str>,
        /// What it says.
        payload: Arc<[u8]>,
    },
}

/// The answers to a query, as they come in. All that members may give have room, however slowly they are read.
#[derive(Debug)]
pub struct Answers {
    answers: mpsc::Receiver<Answer>,
    ending: oneshot::Receiver<QueryTally>,
    tally: Option<QueryTally>,
}

impl Answers {
    pub(super) const fn new(answers: mpsc::Receiver<Answer>, ending: oneshot::Receiver<QueryTally>) -> Self {
        Self { answers, ending, tally: None }
    }

    /// The next one; `None` when the query is over (all expected answers came, or its deadline passed) or the agent has stopped.
    ///
    /// May be dropped before it is done (in `select!`) without losing an answer.
    pub async fn next(&mut self) -> Option<Answer> {
        let answer = self.answers.recv().await;
        if answer.is_none() && self.tally.is_none() {
            self.tally = self.ending.try_recv().ok();
        }
        answer
    }

    /// How it ended, once [`Answers::next`] gave `None`; `None` where the agent stopped before.
    #[must_use]
    pub const fn tally(&self) -> Option<QueryTally> {
        self.tally
    }
}
