//! The systemd journal, by its native protocol: entries with fields, a datagram each.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the journal takes entries.
const SOCKET: &str = "/run/systemd/journal/socket";
/// How long it may take nothing before an entry is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// A way to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// # Errors
    /// There is no journal, or it takes nothing of this user.
    pub(super) fn open() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        socket.connect(path).map_err(named)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, path: path.into() })
    }

    /// Sends an entry; tried once more where the journal has been started anew.
    ///
    /// # Errors
    /// It was not taken.
    pub(super) fn send(&self, entry: &[u8]) -> io::Result<()> {
        match self.socket.send(entry) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                self.socket.connect(&self.path)?;
                self.socket.send(entry).map(drop)
            }
            sent => sent.map(drop),
        }
    }
}

/// Adds a field to an entry. A value with new lines has its length before it.
pub(super) fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

/// Whether standard error leads to the journal: systemd says so by device and inode in `JOURNAL_STREAM`, which a redirection leaves
/// behind.
pub(super) fn is_standard_error() -> bool {
    let stated = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let Some((device, inode)) = numbers(&stated) else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|file| (file.dev(), file.ino()) == (device, inode))
}

fn numbers(stated: &str) -> Option<(u64, u64)> {
    let (device, inode) = stated.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_as_they_are_also_after_the_journal_was_started_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(Journal::at(&path).unwrap_err().to_string().starts_with(&path.display().to_string()));
        let there = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::at(&path).unwrap();
        let mut entry = Vec::new();
        put(&mut entry, "MESSAGE", "one line");
        put(&mut entry, "TWO", "a\nb");
        let heard = |there: &UnixDatagram| {
            let mut bytes = [0; 200];
            let length = there.recv(&mut bytes).unwrap();
            bytes[..length].to_vec()
        };
        journal.send(&entry).unwrap();
        assert_eq!(heard(&there), b"MESSAGE=one line\nTWO\n\x03\0\0\0\0\0\0\0a\nb\n");
        drop(there);
        std::fs::remove_file(&path).unwrap();
        assert!(journal.send(&entry).is_err());
        let there = UnixDatagram::bind(&path).unwrap();
        journal.send(&entry).unwrap();
        assert_eq!(heard(&there), entry);
    }

    #[test]
    fn a_stream_is_stated_by_two_numbers() {
        assert_eq!(numbers("9:12345"), Some((9, 12345)));
        for wrong in ["", "9", "9:", ":1", "a:b", "9:1:2"] {
            assert_eq!(numbers(wrong), None, "{wrong}");
        }
    }
}
