//! The agent's log: on standard error or in the journal, in the memory that `monitor` reads, and in syslog.

mod journal;
mod line;
mod printer;
mod syslog;

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rumormill_tokio::rpc::log::{Level, LogBuffer};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{LogFormat, LogLevel};
use journal::Journal;
use line::Line;
use printer::Printer;
pub(super) use syslog::Syslog;

/// Where lines go, and from which level on.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) buffer: LogBuffer,
    /// The least severe level that is printed.
    level: Arc<AtomicU8>,
    form: Arc<RwLock<Form>>,
    syslog: Option<Arc<Syslog>>,
    printer: Printer,
}

/// What printed lines look like, and where they go.
#[derive(Clone, Debug)]
enum Form {
    /// Serf's lines, on standard error.
    Text,
    /// An object a line, on standard error.
    Json,
    /// Entries with fields.
    Journal(Arc<Journal>),
}

impl Form {
    /// # Errors
    /// There is no journal, or it takes nothing of this user.
    fn open(format: LogFormat) -> io::Result<Self> {
        match format {
            LogFormat::Text => Ok(Self::Text),
            LogFormat::Json => Ok(Self::Json),
            LogFormat::Journald => Journal::open().map(|journal| Self::Journal(Arc::new(journal))),
            // Standard error leads there too, if less well.
            LogFormat::Auto if journal::is_standard_error() => {
                Ok(Journal::open().map_or(Self::Text, |journal| Self::Journal(Arc::new(journal))))
            }
            LogFormat::Auto => Ok(Self::Text),
        }
    }
}

impl Log {
    /// Takes all that this process logs from now on.
    ///
    /// # Errors
    /// There is no thread to be had, or no journal where lines are to go there.
    pub(super) fn install(level: LogLevel, format: LogFormat, syslog: Option<Syslog>) -> io::Result<Self> {
        let log = Self {
            buffer: LogBuffer::new(),
            level: Arc::new(AtomicU8::new(of_flag(level) as u8)),
            form: Arc::new(RwLock::new(Form::open(format)?)),
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

    /// Prints like this from now on.
    ///
    /// # Errors
    /// There is no journal, or it takes nothing of this user; all stays as it was.
    pub(super) fn set_format(&self, format: LogFormat) -> io::Result<()> {
        let form = Form::open(format)?;
        // Nothing that panics runs under the lock.
        *self.form.write().unwrap_or_else(PoisonError::into_inner) = form;
        Ok(())
    }

    fn print(&self, line: &Line, text: &str) {
        let form = self.form.read().unwrap_or_else(PoisonError::into_inner).clone();
        match form {
            Form::Text => self.printer.print(text.into()),
            Form::Json => self.printer.print(line.json()),
            Form::Journal(journal) => self.printer.enter(journal, line.entry()),
        }
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
        let line = Line::of(event, level);
        let text = line.text();
        self.buffer.push(level, &text);
        if self.prints(level) {
            self.print(&line, &text);
            if let Some(syslog) = &self.syslog {
                syslog.send(level, &line.shown());
            }
        }
    }
}
