//! What an agent keeps in files: the snapshot of its cluster, its keys, its tags.
//!
//! None of these files is ever half written: each is replaced as a whole by [`rename`](std::fs::rename), the snapshot apart, which
//! grows line by line and may be cut anywhere.

mod atomic;
pub mod keyring_file;
#[cfg(any(test, fuzzing))]
pub(crate) mod property;
pub mod snapshot;
pub mod tags_file;

use std::io;
use std::path::{Path, PathBuf};

pub use snapshot::{Recovered, SnapshotFigures, SnapshotFile};

/// Why a file of keys or tags was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system said no.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was tried: `reading keyring file` and so on.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else than it should.
    #[error("{what} {}: {problem}", path.display())]
    Content {
        /// What it should be: `keyring file` and so on.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong, where, and what would be right.
        problem: String,
    },
}

impl From<FileError> for crate::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { doing, path, source } => {
                Self::Io { what: format!("{doing} {}", path.display()), source }
            }
            content @ FileError::Content { .. } => Self::Setting(content.to_string()),
        }
    }
}

/// Says of an error which file it is about.
fn about(what: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}
