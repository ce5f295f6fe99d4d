//! The agent's log: Serf's lines on standard error, in the memory that `monitor` reads, and in syslog.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use rumormill_tokio::rpc::log::{Level, LogBuffer};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::syslog::Syslog;
use crate::args::LogLevel;

/// Where lines go, and from which level on.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) buffer: LogBuffer,
    /// The least severe level that is printed.
    level: Arc<AtomicU8>,
    syslog: Option<Arc<Syslog>>,
    printer: Printer,
}

/// Lines that wait for standard error.
const WAITING_MAX: usize = 4096;
/// How long standard error has at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Writes to standard error on a thread of its own: a pipe that nobody reads must not hold up the protocol.
#[derive(Clone, Debug)]
struct Printer {
    lines: SyncSender<Print>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Print {
    Line(String),
    /// Say when all before it is written.
    Flush(SyncSender<()>),
}

impl Printer {
    fn start() -> std::io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = lost.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || {
            for print in waiting {
                let mut out = std::io::stderr().lock();
                // Where standard error is closed, there is nobody to tell.
                let _ = match print {
                    Print::Line(line) => writeln!(out, "{line}"),
                    Print::Flush(done) => {
                        let _ = done.try_send(());
                        Ok(())
                    }
                };
                let lost = counter.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ =
                        writeln!(out, "==> {lost} lines of the log were lost: standard error was not read");
                }
            }
        })?;
        Ok(Self { lines, lost })
    }

    fn print(&self, line: String) {
        if self.lines.try_send(Print::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let (done, all) = sync_channel(1);
        if self.lines.try_send(Print::Flush(done)).is_ok() {
            let _ = all.recv_timeout(LAST_WORDS);
        }
    }
}

impl Log {
    /// Takes all that this process logs from now on.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn install(level: LogLevel, syslog: Option<Syslog>) -> std::io::Result<Self> {
        let log = Self {
            buffer: LogBuffer::new(),
            level: Arc::new(AtomicU8::new(of_flag(level) as u8)),
            syslog: syslog.map(Arc::new),
            printer: Printer::start()?,
        };
        // Where somebody else has taken it already, the agent runs all the same.
        let _ = tracing_subscriber::registry().with(log.clone()).try_init();
        Ok(log)
    }

    /// Waits a moment until what was logged is printed.
    pub(super) fn flush(&self) {
        self.printer.flush();
    }

    /// Prints from this level on.
    pub(super) fn set_level(&self, level: LogLevel) {
        self.level.store(of_flag(level) as u8, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }

    fn prints(&self, level: Level) -> bool {
        level as u8 >= self.level.load(Ordering::Relaxed)
    }

    /// What is too slight to be printed is kept for `monitor`, down to DEBUG.
    fn takes(&self, level: Level) -> bool {
        level >= Level::Debug || self.prints(level)
    }
}

fn of_flag(level: LogLevel) -> Level {
    match level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Err => Level::Err,
    }
}

fn of_event(level: tracing::Level) -> Level {
    match level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Err,
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("rumor") && self.takes(of_event(*metadata.level()))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if self.prints(Level::Trace) { LevelFilter::TRACE } else { LevelFilter::DEBUG })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = of_event(*event.metadata().level());
        let mut text = Text(String::new());
        event.record(&mut text);
        let Text(text) = text;
        let line = format!("{} [{}] {text}", chrono::Local::now().format("%Y/%m/%d %H:%M:%S"), level.name());
        self.buffer.push(level, &line);
        if self.prints(level) {
            self.printer.print(line);
            if let Some(syslog) = &self.syslog {
                syslog.send(level, &text);
            }
        }
    }
}

/// An event's message, then its fields. Control characters are escaped: what peers send must not drive a terminal.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut raw = String::new();
        // A string takes everything.
        let _ = match field.name() {
            "message" => write!(raw, "{value:?}"),
            name => write!(raw, " {name}={value:?}"),
        };
        for c in raw.chars() {
            if c.is_control() {
                self.0.extend(c.escape_default());
            } else {
                self.0.push(c);
            }
        }
    }
}
