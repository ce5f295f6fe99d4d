//! Records that keep coming.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::connection::{Connection, Records};
use super::{ClientError, value};
use crate::rpc::messages::{LogRecord, QueryReply, ReplyKind, StreamRecord};

/// One answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryRecord {
    /// A member has received it.
    Ack {
        /// Who.
        from: String,
    },
    /// A member answers.
    Response {
        /// Who.
        from: String,
        /// What it says.
        payload: Vec<u8>,
    },
}

/// The answers to a query.
#[derive(Debug)]
pub struct QueryStream(Feed);

/// Events of an agent.
#[derive(Debug)]
pub struct EventStream(Feed);

/// Lines of an agent's log.
#[derive(Debug)]
pub struct LogStream(Feed);

impl QueryStream {
    pub(super) fn new(connection: Arc<Connection>, seq: u64, records: Records) -> Self {
        Self(Feed::new(connection, seq, records))
    }

    /// The next answer; `None` when the query is over, or after an error.
    pub async fn next(&mut self) -> Option<Result<QueryRecord, ClientError>> {
        loop {
            let QueryReply { from, payload, r#type } = match self.0.next().await? {
                Ok(reply) => reply,
                Err(error) => return Some(Err(error)),
            };
            match r#type {
                ReplyKind::Done => {
                    self.0.finish();
                    return None;
                }
                // At the deadline Serf's agent may make some up, from nobody.
                _ if from.is_empty() => {}
                ReplyKind::Ack => return Some(Ok(QueryRecord::Ack { from })),
                ReplyKind::Response => return Some(Ok(QueryRecord::Response { from, payload })),
            }
        }
    }
}

impl EventStream {
    pub(super) fn new(connection: Arc<Connection>, seq: u64, records: Records) -> Self {
        Self(Feed::new(connection, seq, records))
    }

    /// The next event; `None` after an error that ended the stream. [`ClientError::Missed`] does not end it.
    pub async fn next(&mut self) -> Option<Result<StreamRecord, ClientError>> {
        self.0.next().await
    }

    /// Tells the agent to send no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stop(self) -> Result<(), ClientError> {
        self.0.stop().await
    }
}

impl LogStream {
    pub(super) fn new(connection: Arc<Connection>, seq: u64, records: Records) -> Self {
        Self(Feed::new(connection, seq, records))
    }

    /// The next line; `None` after an error that ended the stream. [`ClientError::Missed`] does not end it.
    pub async fn next(&mut self) -> Option<Result<String, ClientError>> {
        let record = self.0.next::<LogRecord>().await?;
        Some(record.map(|record| record.log))
    }

    /// Tells the agent to send no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stop(self) -> Result<(), ClientError> {
        self.0.stop().await
    }
}

/// The records of one request. Keeps the connection open.
#[derive(Debug)]
struct Feed {
    connection: Arc<Connection>,
    seq: u64,
    records: Records,
    over: bool,
}

impl Feed {
    const fn new(connection: Arc<Connection>, seq: u64, records: Records) -> Self {
        Self { connection, seq, records, over: false }
    }

    /// The next record; `None` after an error that ended the stream.
    async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, ClientError>> {
        if self.over {
            return None;
        }
        let record = match self.records.next().await {
            Some(record) => record.and_then(|body| value(&body)),
            None => Err(self.connection.ended()),
        };
        self.over = record.as_ref().is_err_and(|error| !matches!(error, ClientError::Missed(_)));
        Some(record)
    }

    /// The agent has said that nothing follows.
    fn finish(&mut self) {
        self.over = true;
        self.connection.forget(self.seq);
    }

    async fn stop(self) -> Result<(), ClientError> {
        self.connection.stop(self.seq).await
    }
}
