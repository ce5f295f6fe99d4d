//! What can go wrong with an agent.

use rumormill_core::error::{BirthError, CommandError};

/// Why an agent could not start, or did not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings, name, tags or keys are not usable.
    #[error(transparent)]
    Birth(#[from] BirthError),
    /// The core refused the command, or it failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A socket could not be bound, or a name not resolved, or a file not read or written: what was tried, and why not.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the address or path.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The agent has stopped.
    #[error("the agent has stopped")]
    Stopped,
    /// A setting that is not usable: what it is, and what would be.
    #[error("{0}")]
    Setting(String),
}
