//! `rumor replay`: a recording once more through the protocol, without a socket.

use std::path::Path;
use std::process::ExitCode;

use rumormill_tokio::record::replay;

/// Replays a recording, and tells whether what came out was the same.
pub(crate) fn run(file: &Path) -> ExitCode {
    match replay(file) {
        Ok(report) => {
            anstream::println!("{report}");
            if report.difference.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            anstream::eprintln!("Error replaying {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
