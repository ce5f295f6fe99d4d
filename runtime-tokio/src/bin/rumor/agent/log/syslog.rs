//! Lines for the machine's own log (RFC 3164, on the local socket).

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rumormill_tokio::rpc::log::Level;

use crate::config::Facility;

/// Where a machine's log takes lines.
const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/// A way to the machine's log.
#[derive(Debug)]
pub(in crate::agent) struct Syslog {
    socket: UnixDatagram,
    path: &'static str,
    facility: u8,
}

impl Syslog {
    /// # Errors
    /// There is no such log, or it takes nothing of this user.
    pub(in crate::agent) fn open(facility: Facility) -> io::Result<Self> {
        let path = SOCKETS.into_iter().find(|path| Path::new(path).exists());
        let path = path.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("none of {} exists", SOCKETS.join(", ")))
        })?;
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A log that does not read must not hold up the agent.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, path, facility: facility.number })
    }

    /// A line that cannot be sent is lost here; it was printed.
    pub(super) fn send(&self, level: Level, text: &str) {
        let priority = u16::from(self.facility) * 8 + severity(level);
        let now = chrono::Local::now().format("%b %e %H:%M:%S");
        let line = format!("<{priority}>{now} serf[{}]: {text}", std::process::id());
        if self.socket.send(line.as_bytes()).is_err() {
            // The log may have been started anew.
            let _ = self.socket.connect(self.path).and_then(|()| self.socket.send(line.as_bytes()).map(drop));
        }
    }
}

/// Serf's mapping: what happens is a notice.
const fn severity(level: Level) -> u16 {
    match level {
        Level::Trace => 7,
        Level::Debug => 6,
        Level::Info => 5,
        Level::Warn => 4,
        Level::Err => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_priority_and_name_and_a_log_that_is_gone_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let path: &'static str = Box::leak(folder.path().join("log").to_str().unwrap().into());
        let log = UnixDatagram::bind(path).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(path).unwrap();
        let syslog = Syslog { socket, path, facility: 16 };
        syslog.send(Level::Warn, "agent: something");
        let mut line = [0; 200];
        let length = log.recv(&mut line).unwrap();
        let line = std::str::from_utf8(&line[..length]).unwrap();
        assert!(line.starts_with("<132>") && line.ends_with(": agent: something"), "{line}");
        drop(log);
        syslog.send(Level::Err, "nobody reads");
    }
}
