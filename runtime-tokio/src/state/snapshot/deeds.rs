//! What the thread that writes a snapshot has done, for whoever looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What became of a snapshot file since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotFigures {
    /// Times that lines were appended.
    pub appends: u64,
    /// Times that all was written afresh: compactions, and attempts after an error that succeeded.
    pub rewrites: u64,
    /// Times that the disk refused something.
    pub errors: u64,
    /// The file's length in bytes, as of the last write.
    pub bytes: u64,
    /// Whether the disk does not take what it should.
    pub failing: bool,
}

/// The same, as it is counted.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    appends: AtomicU64,
    rewrites: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    failing: AtomicBool,
}

impl Deeds {
    pub(super) fn wrote(&self, bytes: u64) {
        self.appends.fetch_add(1, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    pub(super) fn wrote_afresh(&self, bytes: u64) {
        self.rewrites.fetch_add(1, Relaxed);
        self.bytes.store(bytes, Relaxed);
        self.failing.store(false, Relaxed);
    }

    pub(super) fn error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    pub(super) fn failing(&self) {
        self.failing.store(true, Relaxed);
    }

    pub(super) fn opened(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    pub(super) fn read(&self) -> SnapshotFigures {
        SnapshotFigures {
            appends: self.appends.load(Relaxed),
            rewrites: self.rewrites.load(Relaxed),
            errors: self.errors.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            failing: self.is_failing(),
        }
    }
}
