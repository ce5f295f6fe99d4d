//! Writes lines on a thread of its own: a pipe that nobody reads, or a journal that hangs, must not hold up the protocol.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::journal::Journal;

/// Lines that wait.
const WAITING_MAX: usize = 4096;
/// How long the rest of them has at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Printer {
    lines: SyncSender<Print>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Print {
    /// On standard error.
    Line(String),
    /// Into the journal.
    Entry(Arc<Journal>, Vec<u8>),
    /// Say when all before it is written.
    Flush(SyncSender<()>),
}

impl Printer {
    pub(super) fn start() -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = lost.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || {
            for print in waiting {
                carry_out(print, &counter);
                let lost = counter.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    // Where standard error is closed, there is nobody to tell.
                    let _ = writeln!(
                        io::stderr(),
                        "==> {lost} lines of the log were lost: they were not taken as fast as they came"
                    );
                }
            }
        })?;
        Ok(Self { lines, lost })
    }

    pub(super) fn print(&self, line: String) {
        self.give(Print::Line(line));
    }

    pub(super) fn enter(&self, journal: Arc<Journal>, entry: Vec<u8>) {
        self.give(Print::Entry(journal, entry));
    }

    fn give(&self, print: Print) {
        if self.lines.try_send(print).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits a moment until what was given is written.
    pub(super) fn flush(&self) {
        let (done, all) = sync_channel(1);
        if self.lines.try_send(Print::Flush(done)).is_ok() {
            let _ = all.recv_timeout(LAST_WORDS);
        }
    }
}

fn carry_out(print: Print, lost: &AtomicU64) {
    match print {
        Print::Line(line) => {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
        Print::Entry(journal, entry) => {
            if journal.send(&entry).is_err() {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        Print::Flush(done) => {
            let _ = done.try_send(());
        }
    }
}
