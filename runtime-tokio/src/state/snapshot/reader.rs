//! Reading a snapshot, whatever is in it.

use std::io::{self, BufRead};

use super::knowledge::{Knowledge, Line};

/// Longest line that is looked at: a name has at most 255 bytes, an address about 60.
const LINE_BYTES_MAX: usize = 1024;
/// Most warnings about one file.
const WARNINGS_MAX: usize = 16;
/// Bytes of a bad line that a warning shows.
const SHOWN_BYTES_MAX: usize = 80;

/// What a file said.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) knowledge: Knowledge,
    /// Bytes up to the end of the last whole line.
    pub(super) whole_bytes: u64,
    pub(super) warnings: Vec<String>,
    unsaid: u64,
}

impl Reading {
    /// Reads to the end. Bad lines are passed over, with a warning; a last line without its end was cut by a crash.
    ///
    /// # Errors
    /// The file could not be read.
    pub(super) fn of(mut file: impl BufRead, keep_after_leave: bool) -> io::Result<Self> {
        let mut reading = Self::default();
        let mut line = Vec::new();
        for number in 1.. {
            let (bytes, ended) = next_line(&mut file, &mut line)?;
            if !ended {
                if bytes > 0 {
                    let shown = shown(&line);
                    reading.warn(format!("line {number} ({shown}) is cut off: passed over"));
                }
                break;
            }
            reading.whole_bytes += bytes;
            let taken = if bytes > LINE_BYTES_MAX as u64 {
                Err("it is too long")
            } else {
                let text = std::str::from_utf8(&line).map_err(|_| "it is no text");
                text.and_then(Line::parse).and_then(|line| reading.knowledge.apply(&line, keep_after_leave))
            };
            if let Err(problem) = taken {
                let shown = shown(&line);
                reading.warn(format!("line {number} ({shown}) is passed over: {problem}"));
            }
        }
        if reading.unsaid > 0 {
            reading.warnings.push(format!("and {} more bad lines", reading.unsaid));
        }
        Ok(reading)
    }

    fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        } else {
            self.unsaid += 1;
        }
    }
}

/// Reads a line without its end into `line`, or as much of it as is looked at; its bytes, and whether it had an end.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<(u64, bool)> {
    line.clear();
    let mut bytes = 0;
    loop {
        let chunk = match file.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let taken = part.len() + usize::from(end.is_some());
        let finished = end.is_some() || chunk.is_empty();
        file.consume(taken);
        bytes += taken as u64;
        if finished {
            return Ok((bytes, end.is_some()));
        }
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)]);
    format!("{text:?}{}", if line.len() > SHOWN_BYTES_MAX { " ..." } else { "" })
}
