//! Doing a recorded run again.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use rumormill_core::io::{Outbox, Output};
use rumormill_core::{Instant, Node, step};

use super::birth::BirthRecord;
use super::codec::Entry;
use super::digest::{Answer, Digester};
use super::frames::{self, Next};
use super::{MAGIC, MAGIC_START};

/// Outputs that a difference shows at most.
const SHOWN_MAX: usize = 20;

/// How a replay went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayReport {
    /// The version of this crate that recorded.
    pub version: String,
    /// The node's name.
    pub name: String,
    /// Inputs from the start on whose answers were the same.
    pub identical: u64,
    /// From birth to the last of them.
    pub lasted: std::time::Duration,
    /// Whether the recording ends within an entry, as after a crash; that entry does not count.
    pub cut_off: bool,
    /// The first answer that was another.
    pub difference: Option<Difference>,
}

/// An input that was answered otherwise than when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its number; the first is 1.
    pub number: u64,
    /// Its time.
    pub at: Instant,
    /// What it was: `tick`, `packet`, `command join` and so on.
    pub kind: &'static str,
    /// What was recorded.
    pub expected: Answer,
    /// What it was now.
    pub actual: Answer,
    /// The outputs of now, in words; the first twenty.
    pub shown: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, at, kind, expected, actual, .. } = self;
        write!(f, "input {number} ({kind}, at {at:?}): recorded {expected}; now {actual}")
    }
}

/// Why a recording was not replayed, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The file could not be read.
    #[error("reading recording {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("this is no recording: one begins with \"{MAGIC_START}\"")]
    NoRecording,
    /// It was written by a later program.
    #[error("this recording has another format than version 1: {0:?}")]
    Version(String),
    /// It ends before the node is born.
    #[error("the recording ends before the node is born: there is nothing to replay")]
    NoBirth,
    /// The node cannot be born as it says.
    #[error("the recorded birth of the node is not usable: {0}")]
    Birth(String),
    /// An entry is not what was written.
    #[error("input {number} of the recording is damaged ({problem}); the {} before it were answered as recorded", number - 1)]
    Damaged {
        /// Its number; the first is 1.
        number: u64,
        /// What is wrong.
        problem: String,
    },
}

/// Makes the node that was recorded, gives it the recorded inputs, and compares its answers, up to the first that differs. Opens no
/// socket, starts nothing.
///
/// # Errors
/// The file could not be read, is no recording, or is damaged. That it ends within an entry is no error.
pub fn replay(path: &Path) -> Result<ReplayReport, ReplayError> {
    let io = |source| ReplayError::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    replay_from(BufReader::with_capacity(1 << 16, file), io)
}

/// [`replay`] of anything; `io` names it in errors.
pub(super) fn replay_from(
    mut file: impl Read,
    io: impl Fn(io::Error) -> ReplayError,
) -> Result<ReplayReport, ReplayError> {
    check_start(&mut file, &io)?;
    let mut body = Vec::new();
    match frames::next(&mut file, &mut body).map_err(&io)? {
        Next::Body => {}
        Next::End | Next::CutOff => return Err(ReplayError::NoBirth),
        Next::Damaged(problem) => return Err(ReplayError::Birth(problem.into())),
    }
    let birth = match postcard::take_from_bytes::<BirthRecord>(&body) {
        Ok((birth, [])) => birth,
        _ => return Err(ReplayError::Birth("it is no birth".into())),
    };
    zeroize::Zeroize::zeroize(&mut body);
    let mut node = birth.node()?;
    let mut report = ReplayReport {
        version: birth.version.clone(),
        name: birth.name.clone(),
        identical: 0,
        lasted: std::time::Duration::ZERO,
        cut_off: false,
        difference: None,
    };
    let (mut outbox, mut digester) = (Outbox::new(), Digester::default());
    loop {
        let number = report.identical + 1;
        match frames::next(&mut file, &mut body).map_err(&io)? {
            Next::Body => {}
            Next::End => return Ok(report),
            Next::CutOff => return Ok(ReplayReport { cut_off: true, ..report }),
            Next::Damaged(problem) => return Err(ReplayError::Damaged { number, problem: problem.into() }),
        }
        let damaged = |problem: String| ReplayError::Damaged { number, problem };
        match replay_one(&mut node, &body, number, &mut outbox, &mut digester).map_err(damaged)? {
            Ok(at) => report.lasted = at.since(birth.now()),
            Err(difference) => return Ok(ReplayReport { difference: Some(*difference), ..report }),
        }
        report.identical = number;
    }
}

fn check_start(file: &mut impl Read, io: impl Fn(io::Error) -> ReplayError) -> Result<(), ReplayError> {
    let mut start = [0; MAGIC.len()];
    let filled = frames::fill(file, &mut start).map_err(io)?;
    let start = &start[..filled];
    if start == MAGIC.as_bytes() {
        return Ok(());
    }
    if !start.is_empty() && MAGIC.as_bytes().starts_with(start) {
        return Err(ReplayError::NoBirth);
    }
    match start.strip_prefix(MAGIC_START.as_bytes()) {
        Some(rest) => {
            let version = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            Err(ReplayError::Version(String::from_utf8_lossy(&version[..version.len().min(20)]).into()))
        }
        None => Err(ReplayError::NoRecording),
    }
}

/// Does one step; its time if it was answered as recorded.
///
/// # Errors
/// The entry is no entry.
fn replay_one(
    node: &mut Node,
    body: &[u8],
    number: u64,
    outbox: &mut Outbox,
    digester: &mut Digester,
) -> Result<Result<Instant, Box<Difference>>, String> {
    let wrong = |error: postcard::Error| format!("it is no entry: {error}");
    let (entry, rest) = postcard::take_from_bytes::<Entry<'_>>(body).map_err(wrong)?;
    let (expected, rest) = postcard::take_from_bytes::<Answer>(rest).map_err(wrong)?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow it", rest.len()));
    }
    let (at, kind) = (Instant::from_nanos(entry.now), entry.input.kind());
    let outputs = step(node, entry.input()?, at, outbox);
    let actual = digester.digest(outputs.clone(), node.deadline());
    if actual == expected {
        return Ok(Ok(at));
    }
    let shown = outputs.take(SHOWN_MAX).map(|output| in_words(&output)).collect();
    Ok(Err(Box::new(Difference { number, at, kind, expected, actual, shown })))
}

fn in_words(output: &Output<'_>) -> String {
    match output {
        Output::Packet { to, bytes, kinds } => format!("packet of {} bytes to {to}: {kinds:?}", bytes.len()),
        Output::Stream { id, action } => match action {
            rumormill_core::io::StreamAction::Frame { bytes, kinds, last } => {
                format!("frame of {} bytes on {id:?} (last: {last}): {kinds:?}", bytes.len())
            }
            action => format!("{id:?}: {action:?}"),
        },
        output => format!("{output:?}"),
    }
}
