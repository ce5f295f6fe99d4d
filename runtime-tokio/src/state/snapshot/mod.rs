//! The snapshot: who was in the cluster, and how far its clocks had come, for the node's next life.
//!
//! Serf's line format (`alive: NAME ADDR`, `not-alive: NAME`, `clock: N`, `event-clock: N`, `query-clock: N`, `leave`): its files are
//! read as they are, and it reads ours. Failed members and the node's own incarnation are kept too, in lines that Serf takes
//! for comments (`# failed: NAME ADDR`, `# gone: NAME`, `# incarnation: N`).
//!
//! A thread of its own writes the file; the driver hands it what is new, and never waits for the disk. What is written is
//! synced within two seconds; a file cut anywhere, by a crash at any moment, still says what was true at some moment not before the
//! last sync. When the disk is full or broken the agent goes on, the news are kept in memory, and all is written afresh as soon as
//! that works.

mod deeds;
mod knowledge;
#[cfg(any(test, fuzzing))]
pub(super) mod property;
mod reader;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::OpenOptions;
use std::io::{self, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rumormill_core::id::{Incarnation, NodeName};
use rumormill_core::wire::Clocks;
use tracing::{debug, error};

use super::{about, atomic};
use deeds::Deeds;
use knowledge::{Fate, MEMBERS_MAX};
use reader::Reading;
use store::{FileStore, Store};
use writer::{Batch, COMPACT_BYTES_MIN, Writer};

pub use deeds::SnapshotFigures;

/// News wait this long for more, so that a burst is one write (Serf's flush interval).
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// What a snapshot told of the node's last life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Members that were in the cluster, by name; a file of Serf's has the node itself among them.
    pub alive: Vec<(String, SocketAddr)>,
    /// Members that had failed, by name.
    pub failed: Vec<(String, SocketAddr)>,
    /// The largest Lamport times seen; 0 where none was.
    pub clocks: Clocks,
    /// The node's own incarnation; 0 when it is not known.
    pub incarnation: Incarnation,
    /// Whether the node left. Then nothing but the incarnation is known, unless it is to rejoin after a leave.
    pub left: bool,
    /// What was wrong with the file, in words for people; a few lines at most.
    pub warnings: Vec<String>,
}

/// A snapshot file that is kept up to date.
///
/// The methods take news and return at once. The driver calls [`SnapshotFile::flush`] when [`SnapshotFile::flush_due`] says so, and
/// [`SnapshotFile::close`] in the end; one that is dropped writes what it has been told, but nobody waits for it.
#[derive(Debug)]
pub struct SnapshotFile {
    pending: Batch,
    due: Option<Instant>,
    /// `None` once it is closed, or the thread is gone.
    sender: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<()>>,
    deeds: Arc<Deeds>,
}

impl SnapshotFile {
    /// Opens a snapshot, or makes one that only its owner may read, and says what it knows.
    ///
    /// `rejoin_after_leave`: a leave forgets nothing. A last line that was cut off is taken away; other bad lines are passed over with
    /// a warning.
    ///
    /// # Errors
    /// The file could not be opened for reading and appending, is no regular file, or another agent has it; the error names it.
    pub fn open(path: &Path, rejoin_after_leave: bool) -> io::Result<(Self, Recovered)> {
        let path = atomic::behind_links(path);
        let fail = |error: &io::Error| about("opening snapshot", &path, error);
        if path.metadata().is_ok_and(|meta| !meta.is_file()) {
            return Err(fail(&io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")));
        }
        let options = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let file = options.map_err(|error| fail(&error))?;
        store::lock(&file).map_err(|error| fail(&error))?;
        // Were it new and its folder not synced, a crash could take it away with all that was synced in it.
        let synced = atomic::sync_folder(&path);
        let mut reading = Reading::of(BufReader::new(&file), rejoin_after_leave)
            .map_err(|error| about("reading snapshot", &path, &error))?;
        if file.metadata().map_err(|error| fail(&error))?.len() > reading.whole_bytes {
            // What is appended must not continue the line that was cut off.
            file.set_len(reading.whole_bytes).map_err(|error| about("repairing snapshot", &path, &error))?;
        }
        if let Err(error) = synced.and_then(|()| folder_takes_files(&path)) {
            reading
                .warnings
                .push(format!("its folder takes no files, so that it cannot be compacted: {error}"));
        }
        let recovered = Recovered {
            alive: reading.knowledge.alive.clone().into_iter().collect(),
            failed: reading.knowledge.failed.clone().into_iter().collect(),
            clocks: reading.knowledge.clocks,
            incarnation: reading.knowledge.incarnation,
            left: reading.knowledge.left,
            warnings: std::mem::take(&mut reading.warnings),
        };
        let snapshot = Self::start(FileStore { path, file }, reading, COMPACT_BYTES_MIN)?;
        Ok((snapshot, recovered))
    }

    fn start(store: impl Store, reading: Reading, compact_bytes_min: u64) -> io::Result<Self> {
        let deeds = Arc::new(Deeds::default());
        let left = reading.knowledge.left;
        let Reading { knowledge, whole_bytes, .. } = reading;
        let mut writer = Writer::new(store, knowledge, whole_bytes, compact_bytes_min, deeds.clone());
        deeds.opened(whole_bytes);
        let (sender, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new().name("snapshot".into()).spawn(move || {
            if left {
                writer.begin_anew(Instant::now());
            }
            write_until_closed(&mut writer, &receiver);
        })?;
        Ok(Self { pending: Batch::default(), due: None, sender: Some(sender), thread: Some(thread), deeds })
    }

    /// A member is in the cluster, with this address.
    pub fn member_alive(&mut self, name: &str, addr: SocketAddr) {
        self.note(name, Fate::Alive(addr));
    }

    /// A member has failed; it is remembered, so that the next life can dial it.
    pub fn member_failed(&mut self, name: &str, addr: SocketAddr) {
        self.note(name, Fate::Failed(addr));
    }

    /// A member has left, or is forgotten.
    pub fn member_gone(&mut self, name: &str) {
        self.note(name, Fate::Gone);
    }

    fn note(&mut self, name: &str, fate: Fate) {
        let full = self.pending.members.len() >= MEMBERS_MAX && !self.pending.members.contains_key(name);
        if full || NodeName::check(name).is_err() {
            debug!("serf: the snapshot does not take {name:?}: {fate:?}");
            return;
        }
        self.pending.members.insert(name.into(), fate);
        self.wake();
    }

    /// The largest Lamport times seen, 0 for none; what is not larger than before is no news.
    pub fn clocks(&mut self, clocks: Clocks) {
        self.pending.witness(clocks);
        self.wake();
    }

    /// The node announced this incarnation.
    pub fn incarnation(&mut self, incarnation: Incarnation) {
        self.pending.incarnation = self.pending.incarnation.max(incarnation);
        self.wake();
    }

    /// The node has left gracefully: what comes after this is no news any more.
    pub fn leave(&mut self) {
        self.pending.leave = true;
        let now = Instant::now();
        self.flush(now);
    }

    /// Whether the disk does not take what it should: a matter for health checks.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.deeds.is_failing()
    }

    /// What became of the file so far.
    #[must_use]
    pub fn figures(&self) -> SnapshotFigures {
        self.deeds.read()
    }

    /// When [`Self::flush`] is next wanted; `None` while there is no news.
    #[must_use]
    pub const fn flush_due(&self) -> Option<Instant> {
        self.due
    }

    /// Hands the news to the thread that writes; while that is busy they wait here, and are merged.
    pub fn flush(&mut self, now: Instant) {
        self.due = None;
        let Some(sender) = &self.sender else { return };
        match sender.try_send(std::mem::take(&mut self.pending)) {
            Ok(()) => {}
            Err(TrySendError::Full(batch)) => {
                self.pending = batch;
                self.due = Some(now + FLUSH_AFTER);
            }
            Err(TrySendError::Disconnected(_)) => {
                error!("serf: the snapshot's writer is gone: nothing is recorded any more");
                self.sender = None;
            }
        }
    }

    fn wake(&mut self) {
        if self.due.is_none() && self.sender.is_some() {
            self.due = Some(Instant::now() + FLUSH_AFTER);
        }
    }

    /// Writes and syncs what is left, and closes the file. Waits for the disk, on a thread that may wait.
    pub async fn close(self) {
        // It fails only when the runtime shuts down or the closure panics: there is nobody to tell then.
        let _ = tokio::task::spawn_blocking(move || self.close_blocking()).await;
    }

    /// [`Self::close`] for a thread that may wait.
    pub fn close_blocking(mut self) {
        if let Some(sender) = self.sender.take() {
            // An error means that the thread is gone, which was said.
            let _ = sender.send(std::mem::take(&mut self.pending));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("serf: the snapshot's writer has panicked");
        }
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            // Dropping must not wait: what a busy disk does not take now is lost.
            let _ = sender.try_send(std::mem::take(&mut self.pending));
        }
    }
}

fn write_until_closed<S: Store>(writer: &mut Writer<S>, news: &Receiver<Batch>) {
    loop {
        let received = match writer.due() {
            Some(due) => news.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => news.recv().map_err(RecvTimeoutError::from),
        };
        let now = Instant::now();
        match received {
            Ok(batch) => writer.take(&batch, now),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return writer.finish(now),
        }
        writer.tend(now);
    }
}

/// Compaction needs a new file beside the old one.
fn folder_takes_files(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}
