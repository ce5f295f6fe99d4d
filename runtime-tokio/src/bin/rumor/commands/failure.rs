//! How a command fails: what it says on standard error, and its exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use super::output::without_controls;

/// What a shell reports of a program that a closed pipe has ended: 128 and the number of SIGPIPE.
const PIPE_CLOSED: u8 = 141;

/// How a command ended.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What went wrong; nothing where there is nobody to tell, or all is told.
    message: Option<String>,
    /// What to do next.
    hint: Option<String>,
    /// The exit status.
    code: u8,
}

impl Failure {
    /// It failed, for this reason.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), hint: None, code: 1 }
    }

    /// It failed, and there is nothing to say.
    pub(crate) const fn silent() -> Self {
        Self { message: None, hint: None, code: 1 }
    }

    /// With what to do next.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same after the beginning of a sentence.
    #[must_use]
    pub(crate) fn after(self, begin: &str) -> Self {
        let message = match self.message {
            Some(message) => format!("{begin}: {message}"),
            None => begin.into(),
        };
        Self { message: Some(message), ..self }
    }

    /// What goes to standard error.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(message) = &self.message {
            text.push_str(message.trim_end());
            text.push('\n');
        }
        if let Some(hint) = &self.hint {
            text.push_str("hint: ");
            text.push_str(hint);
            text.push('\n');
        }
        without_controls(&text).into_owned()
    }
}

impl From<io::Error> for Failure {
    /// Standard output could not be written. Whoever closed it (`| head`) has seen enough.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { message: None, hint: None, code: PIPE_CLOSED };
        }
        Self::new(format!("Error writing to standard output: {error}"))
    }
}

/// Tells how a command ended.
pub(crate) fn exit(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            warn(&failure.text());
            ExitCode::from(failure.code)
        }
    }
}

/// Writes to standard error. Where that is closed, there is nobody to tell.
pub(crate) fn warn(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_next() {
        let failure =
            Failure::new("Error joining the cluster: 1 error occurred:\n\t* no\n\n").hint("try another");
        assert_eq!(
            failure.text(),
            "Error joining the cluster: 1 error occurred:\n\t* no\nhint: try another\n"
        );
        assert_eq!(failure.code, 1);
        assert_eq!(Failure::silent().text(), "");
    }

    #[test]
    fn what_an_agent_says_cannot_drive_the_terminal() {
        assert_eq!(Failure::new("no \u{1b}[2Jkey").text(), "no \\u{1b}[2Jkey\n");
    }

    #[test]
    fn a_closed_pipe_is_no_error_to_talk_about() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.text().as_str(), failure.code), ("", PIPE_CLOSED));
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(failure.text().starts_with("Error writing to standard output: "));
    }
}
