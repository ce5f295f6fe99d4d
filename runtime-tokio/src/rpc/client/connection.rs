//! One connection: requests go out, and a task tells the answers that come in apart by their numbers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{ClientError, PATIENCE, accepted};
use crate::rpc::codec::{ReadError, Reader, encode};
use crate::rpc::messages::{Command, RequestHeader, ResponseHeader, Stop, errors};

/// Longest answer: some hundred thousand members.
const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Records that wait for a stream's reader; a query's reader is waited for.
const RECORDS_MAX: usize = 1024;

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) error: String,
    /// As it came: whoever asked knows its type.
    pub(super) body: Option<Box<[u8]>>,
}

/// What comes for one request.
enum Waiting {
    /// One answer.
    Answer { command: Command, to: oneshot::Sender<Result<Reply, ClientError>> },
    /// One answer, then records.
    Opening { to: oneshot::Sender<Result<Reply, ClientError>>, records: Sink },
    /// Records. Stays even where nobody listens: each has a body that must be skipped.
    Open(Sink),
}

/// Where records go.
struct Sink {
    to: mpsc::Sender<Result<Box<[u8]>, ClientError>>,
    /// Whether the reader is waited for.
    patient: bool,
    missed: u64,
}

impl Sink {
    async fn put(&mut self, body: Box<[u8]>) {
        if self.patient {
            // Nobody listens any more: skipped.
            let _ = self.to.send(Ok(body)).await;
            return;
        }
        if self.missed > 0
            && self.to.capacity() > 1
            && self.to.try_send(Err(ClientError::Missed(self.missed))).is_ok()
        {
            self.missed = 0;
        }
        if self.missed > 0 || self.to.try_send(Ok(body)).is_err() {
            self.missed += 1;
        }
    }
}

/// The records of a request, on their way to the reader.
#[derive(Debug)]
pub(super) struct Records(mpsc::Receiver<Result<Box<[u8]>, ClientError>>);

impl Records {
    /// The next one; `None` after the connection's end was told.
    pub(super) async fn next(&mut self) -> Option<Result<Box<[u8]>, ClientError>> {
        self.0.recv().await
    }
}

#[derive(Default)]
struct Table {
    waiting: HashMap<u64, Waiting>,
    /// Why nothing more will come.
    ended: Option<ClientError>,
}

/// Shared by the connection and its reading task. The lock is never held across a wait.
type SharedTable = Arc<Mutex<Table>>;

fn lock(table: &SharedTable) -> MutexGuard<'_, Table> {
    // Nothing that panics runs under the lock.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection to an agent. Closed when the last of client and streams is dropped.
pub(super) struct Connection {
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    table: SharedTable,
    seq: AtomicU64,
    reading: AbortHandle,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Connection {
    pub(super) async fn open(address: &str) -> Result<Self, ClientError> {
        let failed = |error: std::io::Error| {
            let reason = match error.kind() {
                std::io::ErrorKind::ConnectionRefused => "connection refused (does the agent run?)".into(),
                _ => error.to_string(),
            };
            ClientError::Connect { address: address.into(), reason }
        };
        let dialled = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
        let stream = dialled.await.map_err(|_| ClientError::TimedOut("connecting"))?.map_err(failed)?;
        // Requests are small and answers are waited for. A socket that cannot do it is only slower.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let table = SharedTable::default();
        let reading = tokio::spawn(read_all(Reader::new(reader, OBJECT_BYTES_MAX), table.clone()));
        let writer = tokio::sync::Mutex::new(writer);
        Ok(Self { writer, table, seq: AtomicU64::new(0), reading: reading.abort_handle() })
    }

    /// Sends a request, and waits for its answer.
    pub(super) async fn call(&self, command: Command, body: &impl Serialize) -> Result<Reply, ClientError> {
        let (to, answer) = oneshot::channel();
        self.send(command, body, Waiting::Answer { command, to }).await?;
        self.wait(answer).await
    }

    /// Sends a request that opens a stream of records.
    pub(super) async fn open_stream(
        &self,
        command: Command,
        body: &impl Serialize,
    ) -> Result<(u64, Reply, Records), ClientError> {
        let (to, answer) = oneshot::channel();
        let (sink, records) = mpsc::channel(RECORDS_MAX);
        let sink = Sink { to: sink, patient: command == Command::Query, missed: 0 };
        let seq = self.send(command, body, Waiting::Opening { to, records: sink }).await?;
        Ok((seq, self.wait(answer).await?, Records(records)))
    }

    /// Ends a stream of records.
    pub(super) async fn stop(&self, seq: u64) -> Result<(), ClientError> {
        accepted(self.call(Command::Stop, &Stop { stop: seq }).await?).map(|_| ())
    }

    /// No record of this number follows.
    pub(super) fn forget(&self, seq: u64) {
        lock(&self.table).waiting.remove(&seq);
    }

    async fn wait(
        &self,
        answer: oneshot::Receiver<Result<Reply, ClientError>>,
    ) -> Result<Reply, ClientError> {
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Why nothing more comes.
    pub(super) fn ended(&self) -> ClientError {
        lock(&self.table).ended.clone().unwrap_or(ClientError::Closed(String::new()))
    }

    /// Writes a request whole, whatever happens to the future that asked: half of one would spoil all that follow.
    async fn send(
        &self,
        command: Command,
        body: &impl Serialize,
        waiting: Waiting,
    ) -> Result<u64, ClientError> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = Vec::new();
        encode(&RequestHeader { command: command.name().into(), seq }, &mut bytes);
        if command.has_body() {
            encode(body, &mut bytes);
        }
        let mut writer = self.writer.lock().await;
        {
            let mut table = lock(&self.table);
            if let Some(ended) = &table.ended {
                return Err(ended.clone());
            }
            table.waiting.insert(seq, waiting);
        }
        let mut unfinished = Unfinished { connection: self, finished: false };
        let written = tokio::time::timeout(PATIENCE, writer.write_all(&bytes)).await;
        let Ok(written) = written else { return Err(ClientError::TimedOut("writing a request")) };
        // A connection that broke takes no other requests; what the agent said last is still read.
        unfinished.finished = true;
        written.map_err(|error| ClientError::Closed(format!(": {error}")))?;
        Ok(seq)
    }
}

/// A request that was not written whole ends the connection.
struct Unfinished<'a> {
    connection: &'a Connection,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            end(&self.connection.table, &ClientError::Closed(": a request was not sent whole".into()));
            self.connection.reading.abort();
        }
    }
}

/// Tells everybody who waits that nothing more comes.
fn end(table: &SharedTable, why: &ClientError) {
    let waiting = {
        let mut table = lock(table);
        table.ended.get_or_insert(why.clone());
        std::mem::take(&mut table.waiting)
    };
    for waiting in waiting.into_values() {
        // Readers of records see that their channel ends.
        if let Waiting::Answer { to, .. } | Waiting::Opening { to, .. } = waiting {
            // Who no longer waits needs no reason.
            let _ = to.send(Err(why.clone()));
        }
    }
}

async fn read_all(mut reader: Reader<OwnedReadHalf>, table: SharedTable) {
    let why = loop {
        match read_one(&mut reader, &table).await {
            Ok(()) => {}
            Err(why) => break why,
        }
    };
    end(&table, &why);
}

/// Reads one answer or record, and passes it on.
async fn read_one(reader: &mut Reader<OwnedReadHalf>, table: &SharedTable) -> Result<(), ClientError> {
    let Some(ResponseHeader { error, seq }) = reader.read().await.map_err(broken)? else {
        return Err(ClientError::Closed(String::new()));
    };
    let waiting = lock(table).waiting.remove(&seq);
    match waiting {
        None => Err(ClientError::Protocol(format!("a record with the number {seq}, which nobody asked for"))),
        Some(Waiting::Answer { command, to }) => {
            let follows = command.has_answer_body() && !errors::is_refusal(&error);
            let body = if follows { Some(reader.require_raw().await.map_err(broken)?) } else { None };
            // Nobody waits any more: dropped.
            let _ = to.send(Ok(Reply { error, body }));
            Ok(())
        }
        Some(Waiting::Opening { to, records, .. }) => {
            if error.is_empty() {
                keep(table, seq, records);
            }
            let _ = to.send(Ok(Reply { error, body: None }));
            Ok(())
        }
        Some(Waiting::Open(mut sink)) => {
            let body = reader.require_raw().await.map_err(broken)?;
            sink.put(body).await;
            keep(table, seq, sink);
            Ok(())
        }
    }
}

/// More records will come; not where the connection has ended meanwhile, so that the reader sees it.
fn keep(table: &SharedTable, seq: u64, sink: Sink) {
    let mut table = lock(table);
    if table.ended.is_none() {
        table.waiting.insert(seq, Waiting::Open(sink));
    }
}

fn broken(error: ReadError) -> ClientError {
    match error {
        ReadError::Decode(error) => ClientError::Protocol(error.to_string()),
        ReadError::Io(error) => ClientError::Closed(format!(": {error}")),
        ReadError::Cut => ClientError::Closed(" in the midst of an answer".into()),
    }
}
