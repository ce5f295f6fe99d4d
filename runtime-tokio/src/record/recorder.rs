//! Writing a recording, beside the agent's work.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rumormill_core::io::{Input, Outputs};
use rumormill_core::{Instant, Node};
use tracing::error;

use super::birth::{BirthRecord, Header};
use super::codec::Entry;
use super::digest::Digester;
use super::{MAGIC, frames};

/// What waits is written at the latest after this.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// So much is written at once.
const WRITE_BYTES: usize = 256 << 10;
/// When so much waits, the disk is too slow, and the recording ends.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Writes down what goes into a core, and a digest of what comes out.
///
/// For each input [`Recorder::before`] and then, with what [`step`](rumormill_core::step) gave, [`Recorder::after`]. A thread of its own
/// writes; when it cannot, or not fast enough, the recording ends there, which is logged, and the agent goes on.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    /// The input under way, encoded.
    entry: Vec<u8>,
    frame: Vec<u8>,
    digester: Digester,
    recording: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
    /// Nothing more is written.
    failed: bool,
}

impl Shared {
    /// The lock is held for copying only, and nobody panics with it.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// Begins a recording in a new file that only its owner may read.
    ///
    /// # Errors
    /// The file is there already, or could not be written; the error names it.
    pub fn create(path: &Path, header: &Header<'_>) -> io::Result<Self> {
        let named = |error: io::Error| {
            let text = match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    format!(
                        "recording to {}: the file is there already, and is not overwritten",
                        path.display()
                    )
                }
                _ => format!("recording to {}: {error}", path.display()),
            };
            io::Error::new(error.kind(), text)
        };
        let mut start = MAGIC.as_bytes().to_vec();
        let birth = BirthRecord::of(header).map_err(|error| named(io::Error::other(error)))?;
        let body = zeroize::Zeroizing::new(
            postcard::to_stdvec(&birth).map_err(|error| named(io::Error::other(error)))?,
        );
        frames::put(&body, &mut start).map_err(named)?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(named)?;
        file.write_all(&start).map_err(named)?;
        Self::writing_to(file, path).map_err(named)
    }

    /// A recorder that writes its entries to `file`; `path` names it.
    pub(super) fn writing_to(file: File, path: &Path) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, name) = (shared.clone(), path.to_owned());
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || write(&file, &theirs, &name))?;
        Ok(Self {
            shared,
            thread: Some(thread),
            path: path.into(),
            entry: Vec::new(),
            frame: Vec::new(),
            digester: Digester::default(),
            recording: true,
        })
    }

    /// Whether inputs are still recorded.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.recording
    }

    /// An input that the core is about to be given, and when.
    pub fn before(&mut self, input: &Input<'_>, now: Instant) {
        if !self.recording {
            return;
        }
        let mut room = std::mem::take(&mut self.entry);
        room.clear();
        match postcard::to_extend(&Entry::of(input, now), room) {
            Ok(entry) => self.entry = entry,
            Err(error) => self.end(&format!("an input cannot be encoded: {error}")),
        }
    }

    /// What the core answered to it.
    pub fn after(&mut self, outputs: Outputs<'_>, node: &Node) {
        if !self.recording {
            return;
        }
        let answer = self.digester.digest(outputs, node.deadline());
        self.frame.clear();
        let entry = postcard::to_extend(&answer, std::mem::take(&mut self.entry));
        let put = match entry {
            Ok(entry) => {
                self.entry = entry;
                frames::put(&self.entry, &mut self.frame)
            }
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = put {
            return self.end(&error.to_string());
        }
        let mut waiting = self.shared.lock();
        if waiting.failed {
            // The thread has said why.
            self.recording = false;
            return;
        }
        let before = waiting.bytes.len();
        if before + self.frame.len() > WAITING_BYTES_MAX {
            drop(waiting);
            return self.end("the disk is too slow");
        }
        waiting.bytes.extend_from_slice(&self.frame);
        let enough = before < WRITE_BYTES && waiting.bytes.len() >= WRITE_BYTES;
        drop(waiting);
        if enough {
            self.shared.wake.notify_one();
        }
    }

    fn end(&mut self, why: &str) {
        error!("agent: recording to {} ends here: {why}", self.path.display());
        self.recording = false;
    }

    /// Writes what waits, and closes the file. Waits for the disk, on a thread that may wait.
    pub async fn close(self) {
        // It fails only when the runtime shuts down or the closure panics: there is nobody to tell then.
        let _ = tokio::task::spawn_blocking(move || self.close_blocking()).await;
    }

    /// [`Self::close`] for a thread that may wait.
    pub fn close_blocking(mut self) {
        self.say_ended();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("agent: the writer of recording {} has panicked", self.path.display());
        }
    }

    fn say_ended(&self) {
        self.shared.lock().ended = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.say_ended();
    }
}

/// The thread: writes what waits, until nothing more comes.
fn write(mut file: &File, shared: &Shared, path: &Path) {
    let mut bytes = Vec::new();
    loop {
        let waiting = shared.lock();
        let idle = |waiting: &mut Waiting| !waiting.ended && waiting.bytes.len() < WRITE_BYTES;
        let waited = shared.wake.wait_timeout_while(waiting, WRITE_EVERY, idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.bytes, &mut bytes);
        let ended = waiting.ended;
        drop(waiting);
        let mut written = file.write_all(&bytes);
        bytes.clear();
        if ended {
            written = written.and_then(|()| file.sync_all());
        }
        if let Err(error) = written {
            error!("agent: recording to {} ends here: {error}", path.display());
            let mut waiting = shared.lock();
            waiting.failed = true;
            waiting.bytes = Vec::new();
            return;
        }
        if ended {
            return;
        }
    }
}
