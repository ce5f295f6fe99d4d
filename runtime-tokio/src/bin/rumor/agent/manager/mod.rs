//! The service manager that started this program, as systemd does: it hears when the agent is ready, reloads and stops, and how its
//! cluster does (`sd_notify(3)`). Without `NOTIFY_SOCKET` there is nobody to tell, and nothing is done.

mod environment;
mod telling;

use std::io::ErrorKind;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

/// How often a message is tried while the manager's queue is full, and the pause between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Whom to tell; cloneable.
#[derive(Clone, Debug, Default)]
pub(super) struct Manager(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    /// Looked up anew by each message: the manager may have been started again.
    address: SocketAddr,
    /// How long the manager waits for a sign of life.
    watchdog: Option<Duration>,
    stage: AtomicU8,
    /// Whether the last message was lost, so that the log has one line about it and not thousands.
    is_deaf: AtomicBool,
}

/// What the manager believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Ready,
    Stopping,
}

impl Manager {
    /// The one that the environment names.
    ///
    /// # Errors
    /// It names none that can be told anything, in words for the log.
    pub(super) fn from_environment() -> Result<Self, String> {
        let Some(found) = environment::read(|name| std::env::var_os(name), std::process::id())? else {
            return Ok(Self(None));
        };
        let socket = UnixDatagram::unbound().and_then(|socket| {
            // A manager that does not read must not hold up the agent.
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.map_err(|error| format!("no socket to tell the service manager: {error}"))?;
        let (stage, is_deaf) = (AtomicU8::new(Stage::Starting as u8), AtomicBool::new(false));
        let line = Line { socket, address: found.address, watchdog: found.watchdog, stage, is_deaf };
        Ok(Self(Some(Arc::new(line))))
    }

    /// The agent serves.
    pub(super) async fn ready(&self) {
        if self.advance(Stage::Starting, Stage::Ready) {
            self.say("READY=1").await;
        }
    }

    /// Settings are being read again; [`Manager::reloaded`] ends it.
    pub(super) async fn reloading(&self) {
        if self.is(Stage::Ready) {
            let now = clock_gettime(ClockId::Monotonic);
            let micros = now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1000;
            self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}")).await;
        }
    }

    /// What was read again holds, or was refused.
    pub(super) async fn reloaded(&self) {
        if self.is(Stage::Ready) {
            self.say("READY=1").await;
        }
    }

    /// The agent is about to end, whatever it had come to.
    pub(super) async fn stopping(&self) {
        if self.advance(Stage::Starting, Stage::Stopping) || self.advance(Stage::Ready, Stage::Stopping) {
            self.say("STOPPING=1").await;
        }
    }

    /// A line for people.
    pub(super) async fn status(&self, text: &str) {
        self.say(&format!("STATUS={}", text.replace('\n', " "))).await;
    }

    fn is(&self, stage: Stage) -> bool {
        self.0.as_ref().is_some_and(|line| line.stage.load(Ordering::Relaxed) == stage as u8)
    }

    fn advance(&self, from: Stage, to: Stage) -> bool {
        let exchange = |line: &Arc<Line>| {
            line.stage.compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        self.0.as_ref().is_some_and(exchange)
    }

    async fn say(&self, message: &str) {
        let Some(line) = &self.0 else { return };
        match line.send(message).await {
            Ok(()) => line.is_deaf.store(false, Ordering::Relaxed),
            Err(error) => {
                if !line.is_deaf.swap(true, Ordering::Relaxed) {
                    warn!("agent: the service manager does not hear: {error}");
                }
            }
        }
    }
}

impl Line {
    /// Sends a message, and waits a moment where the manager is behind.
    async fn send(&self, message: &str) -> std::io::Result<()> {
        let mut tries = 0;
        loop {
            match self.socket.send_to_addr(message.as_bytes(), &self.address) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && tries < TRIES => tries += 1,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                done => return done.map(drop),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
