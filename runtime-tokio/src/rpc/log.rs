//! The last lines of an agent's log, and those to come: what `monitor` shows.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::agent::Missed;

/// Lines that are kept, and that wait for a reader.
pub const LINES_MAX: usize = 512;

/// Longest line, bytes; the rest is cut off.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// How much a line matters: Serf's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer looks for.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warn,
    /// What failed.
    Err,
}

/// A text is no log level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unknown log level: {0}")]
pub struct LevelError(pub String);

impl Level {
    const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Err];

    /// Its name, as it stands in lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Err => "ERR",
        }
    }
}

impl FromStr for Level {
    type Err = LevelError;

    /// In upper or lower case.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        let found = Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| LevelError(text.to_ascii_uppercase()))
    }
}

#[derive(Clone, Debug)]
struct Line {
    level: Level,
    text: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    last: Mutex<VecDeque<Line>>,
    news: broadcast::Sender<Line>,
}

/// The last [`LINES_MAX`] lines of a log. Clones share them.
#[derive(Clone, Debug)]
pub struct LogBuffer(Arc<Inner>);

impl Default for LogBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl LogBuffer {
    /// Without lines.
    #[must_use]
    pub fn new() -> Self {
        let last = Mutex::new(VecDeque::new());
        Self(Arc::new(Inner { last, news: broadcast::Sender::new(LINES_MAX) }))
    }

    /// A line, without its end. What runs here must not log: it would wait for itself.
    pub fn push(&self, level: Level, line: &str) {
        let text = line[..line.floor_char_boundary(LINE_BYTES_MAX)].into();
        let line = Line { level, text };
        let mut last = self.lock();
        if last.len() == LINES_MAX {
            last.pop_front();
        }
        last.push_back(line.clone());
        // Under the lock, so that a new reader has each line once. Without a reader it goes nowhere.
        let _ = self.0.news.send(line);
    }

    /// The lines of at least this level that are kept, and those to come.
    #[must_use]
    pub fn subscribe(&self, level: Level) -> (Vec<Arc<str>>, LogLines) {
        let last = self.lock();
        let kept = last.iter().filter(|line| line.level >= level).map(|line| line.text.clone()).collect();
        (kept, LogLines { level, news: self.0.news.subscribe() })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Line>> {
        // Nothing that panics runs under the lock.
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines to come.
#[derive(Debug)]
pub struct LogLines {
    level: Level,
    news: broadcast::Receiver<Line>,
}

impl LogLines {
    /// The next line; an error where the reader was so slow that lines were dropped; `None` when the log has ended.
    /// Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<Arc<str>, Missed>> {
        loop {
            match self.news.recv().await {
                Ok(line) if line.level >= self.level => return Some(Ok(line.text)),
                Ok(_) => {}
                Err(RecvError::Lagged(lines)) => return Some(Err(Missed(lines))),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Arc<str>]) -> Vec<&str> {
        lines.iter().map(|line| &**line).collect()
    }

    #[tokio::test]
    async fn a_reader_gets_the_last_lines_of_its_level_and_then_the_new_ones_each_once() {
        let log = LogBuffer::new();
        for n in 0..LINES_MAX + 10 {
            log.push(if n % 2 == 0 { Level::Warn } else { Level::Debug }, &n.to_string());
        }
        let (kept, mut lines) = log.subscribe(Level::Info);
        assert_eq!((kept.len(), &*kept[0], &*kept[255]), (256, "10", "520"));
        assert_eq!(log.subscribe(Level::Trace).0.len(), LINES_MAX);
        log.push(Level::Debug, "too low");
        log.push(Level::Err, "new");
        assert_eq!(lines.next().await, Some(Ok("new".into())));
        drop(log);
        assert_eq!(lines.next().await, None);
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed() {
        let log = LogBuffer::new();
        let (kept, mut lines) = log.subscribe(Level::Info);
        assert!(texts(&kept).is_empty());
        for n in 0..LINES_MAX + 7 {
            log.push(Level::Info, &n.to_string());
        }
        assert_eq!(lines.next().await, Some(Err(Missed(7))));
        assert_eq!(lines.next().await, Some(Ok("7".into())));
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let log = LogBuffer::new();
        log.push(Level::Info, &"ä".repeat(LINE_BYTES_MAX));
        log.push(Level::Info, &format!("x{}", "ä".repeat(LINE_BYTES_MAX)));
        let (kept, _) = log.subscribe(Level::Info);
        assert_eq!((kept[0].len(), kept[1].len()), (LINE_BYTES_MAX, LINE_BYTES_MAX - 1));
    }

    #[test]
    fn levels_are_read_in_any_case_and_ordered() {
        for level in Level::ALL {
            assert_eq!(level.name().to_lowercase().parse(), Ok(level));
        }
        assert!(Level::Trace < Level::Debug && Level::Info < Level::Warn && Level::Warn < Level::Err);
        assert_eq!("bogus".parse::<Level>().unwrap_err().to_string(), "Unknown log level: BOGUS");
    }
}
