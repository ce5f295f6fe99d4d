//! Where a snapshot's bytes go.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::super::atomic;

/// What a snapshot needs of a disk: three deeds, each of which may fail, and may have been done in part when it fails or
/// when the machine stops.
pub(super) trait Store: Send + 'static {
    /// Adds bytes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was added last.
    fn sync(&mut self) -> io::Result<()>;
    /// Puts other contents in place of all, so that they last. When it fails, the old contents or the new ones are there, whole,
    /// and what is appended follows them.
    fn replace(&mut self, contents: &[u8]) -> io::Result<()>;
    /// For messages.
    fn name(&self) -> String;
}

/// A file, open for appending.
#[derive(Debug)]
pub(super) struct FileStore {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Store for FileStore {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        self.file = atomic::replace(&self.path, "compact", contents)?;
        atomic::sync_folder(&self.path)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}
