//! What outlives the agent: the snapshot, the keyring file, the tags file. None of them is written by the driver's own task, so that
//! a slow disk never holds up the protocol.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rumormill_core::id::{Identity, Incarnation, LamportTime, NodeName, Versions};
use rumormill_core::io::Event;
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;
use rumormill_core::wire::Clocks;
use rumormill_core::{Instant, Node, Restore};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing::{error, warn};

use super::Error;
use super::clock::Clock;
use crate::state::{FileError, Recovered, SnapshotFigures, SnapshotFile, keyring_file, tags_file};

/// What was read at the start.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    pub(super) snapshot: Option<SnapshotFile>,
    pub(super) recovered: Recovered,
    /// Of the keyring file, where there is one.
    pub(super) keyring: Option<Keyring>,
    /// Of the tags file, where there is one and it exists.
    pub(super) tags: Option<Tags>,
}

/// Which files to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) snapshot: Option<PathBuf>,
    pub(super) rejoin_after_leave: bool,
    pub(super) keyring: Option<PathBuf>,
    pub(super) tags: Option<PathBuf>,
}

impl Recalled {
    pub(super) async fn read(files: Files) -> Result<Self, Error> {
        blocking(move || {
            let mut recalled = Self {
                keyring: files.keyring.as_deref().map(keyring_file::load).transpose()?,
                tags: files.tags.as_deref().map(tags_file::load).transpose()?.flatten(),
                ..Self::default()
            };
            if let Some(path) = &files.snapshot {
                let opened = SnapshotFile::open(path, files.rejoin_after_leave);
                // The error names the file.
                let (snapshot, recovered) = opened
                    .map_err(|source| Error::Io { what: "reading what the node knew".into(), source })?;
                for line in &recovered.warnings {
                    warn!("serf: snapshot {}: {line}", path.display());
                }
                (recalled.snapshot, recalled.recovered) = (Some(snapshot), recovered);
            }
            Ok(recalled)
        })
        .await
    }
}

/// What the node is born with: its clocks, and those whom it had seen fail. Those who were there are asked, not believed to be there still.
pub(super) fn restore(me: &str, recovered: &Recovered) -> Restore {
    let failed = recovered.failed.iter().filter(|(name, _)| name != me).filter_map(|(name, addr)| {
        let name = NodeName::new(name).ok()?;
        let identity = Identity { name, addr: *addr, meta: Box::default(), versions: Versions::CURRENT };
        Some((Arc::new(identity), Incarnation(0)))
    });
    Restore {
        incarnation: recovered.incarnation,
        failed: failed.collect(),
        clocks: recovered.clocks,
        ..Restore::default()
    }
}

/// Whom to ask for the cluster again: those who were there in random order, then those who had failed, and never the node itself.
pub(super) fn former_peers(me: &str, addr: SocketAddr, recovered: &Recovered) -> Vec<(String, SocketAddr)> {
    let shuffled = |list: &[(String, SocketAddr)]| {
        let mut list: Vec<_> = list.iter().filter(|(name, at)| name != me && *at != addr).cloned().collect();
        // Without random numbers the order by name does as well.
        list.sort_by_cached_key(|_| getrandom::u64().unwrap_or(0));
        list
    };
    let mut peers = shuffled(&recovered.alive);
    peers.extend(shuffled(&recovered.failed));
    peers
}

/// Rewrites the tags file.
pub(super) async fn save_tags(path: PathBuf, tags: Tags) -> Result<(), Error> {
    blocking(move || Ok(tags_file::save(&path, &tags)?)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.unwrap_or(Err(Error::Stopped))
}

/// The driver's part of it: hands over what is new.
#[derive(Debug)]
pub(super) struct Memory {
    snapshot: Option<SnapshotFile>,
    keyring: Option<KeyringWriter>,
    /// What the snapshot was told last.
    told: (Clocks, Incarnation),
    clock: Clock,
}

impl Memory {
    pub(super) fn new(snapshot: Option<SnapshotFile>, keyring_file: Option<&Path>, clock: Clock) -> Self {
        let keyring = keyring_file.map(KeyringWriter::start);
        Self { snapshot, keyring, told: <_>::default(), clock }
    }

    pub(super) fn keys(&self, keyring: &Keyring) {
        if let Some(writer) = &self.keyring {
            writer.latest.send_modify(|latest| *latest = (latest.0 + 1, keyring.clone()));
        }
    }

    pub(super) fn keys_written(&self) -> KeysWritten {
        KeysWritten(self.keyring.as_ref().map(|writer| (writer.latest.subscribe(), writer.written.clone())))
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let Some(snapshot) = &mut self.snapshot else { return };
        match event {
            Event::Join { member, .. } | Event::Update { member } => {
                snapshot.member_alive(&member.name, member.addr);
            }
            Event::Failed { member, .. } => snapshot.member_failed(&member.name, member.addr),
            Event::Leave { member } | Event::Reap { member } => snapshot.member_gone(&member.name),
            _ => {}
        }
    }

    /// The node is about to leave: should it not live to the end of that, it has left all the same.
    pub(super) fn leaving(&mut self) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.leave();
        }
    }

    /// Those whom an earlier life knew, and whom the cluster has long forgotten.
    pub(super) fn forget(&mut self, names: &[String]) {
        if let Some(snapshot) = &mut self.snapshot {
            names.iter().for_each(|name| snapshot.member_gone(name));
        }
    }

    pub(super) fn end_turn(&mut self, node: &Node) {
        let Some(snapshot) = &mut self.snapshot else { return };
        let now = (seen(node.clocks()), node.incarnation());
        if now != self.told {
            snapshot.clocks(now.0);
            snapshot.incarnation(now.1);
            self.told = now;
        }
        let system_now = std::time::Instant::now();
        if snapshot.flush_due().is_some_and(|due| due <= system_now) {
            snapshot.flush(system_now);
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = self.snapshot.as_ref()?.flush_due()?;
        Some(self.clock.core(due))
    }

    /// What became of the snapshot so far.
    pub(super) fn snapshot_figures(&self) -> Option<SnapshotFigures> {
        self.snapshot.as_ref().map(SnapshotFile::figures)
    }

    /// Returns when everything is written.
    pub(super) async fn close(self) {
        if let Some(snapshot) = self.snapshot {
            snapshot.close().await;
        }
        if let Some(writer) = self.keyring {
            writer.close().await;
        }
    }
}

/// The largest times seen, of clocks that say what comes next.
const fn seen(clocks: Clocks) -> Clocks {
    const fn before(next: LamportTime) -> LamportTime {
        LamportTime(next.0.saturating_sub(1))
    }
    Clocks { member: before(clocks.member), event: before(clocks.event), query: before(clocks.query) }
}

/// The keys with the number of their change.
type Numbered = (u64, Keyring);

/// How often a keyring file that could not be written is tried again.
const KEYS_AGAIN: Duration = Duration::from_secs(30);

/// The number of the keys that were written last, or why they could not be.
type Written = (u64, Option<String>);

/// Tells when the keyring file has what the node has.
#[derive(Debug)]
pub(super) struct KeysWritten(Option<(watch::Receiver<Numbered>, watch::Receiver<Written>)>);

impl KeysWritten {
    /// Waits until the keys that the node has now were written.
    ///
    /// # Errors
    /// They could not be, with what is wrong.
    pub(super) async fn wait(&self) -> Result<(), String> {
        let Some((latest, written)) = &self.0 else { return Ok(()) };
        let wanted = latest.borrow().0;
        let mut written = written.clone();
        let outcome = written.wait_for(|(number, _)| *number >= wanted).await;
        // An error means that the agent has stopped.
        match outcome.ok().and_then(|written| written.1.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Writes the keyring file whenever the keys change, and again while it cannot be written; only the latest keys count.
#[derive(Debug)]
struct KeyringWriter {
    latest: watch::Sender<Numbered>,
    written: watch::Receiver<Written>,
    task: JoinHandle<()>,
}

impl KeyringWriter {
    fn start(path: &Path) -> Self {
        let path = path.to_owned();
        let (latest, mut keys) = watch::channel((0, Keyring::empty()));
        let (done, written) = watch::channel((0, None));
        let task = tokio::spawn(async move {
            let mut failing = false;
            loop {
                let open = match failing {
                    false => keys.changed().await.is_ok(),
                    // Time that is up is a reason to try again, and so is the end.
                    true => match timeout(KEYS_AGAIN, keys.changed()).await {
                        Ok(changed) => changed.is_ok(),
                        Err(_) => true,
                    },
                };
                if !open && !failing {
                    return;
                }
                let (path, (number, keyring)) = (path.clone(), keys.borrow_and_update().clone());
                let saved: Result<Result<(), FileError>, _> =
                    spawn_blocking(move || keyring_file::save(&path, &keyring)).await;
                let error = match saved {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                if let Some(error) = error.as_ref().filter(|_| !failing) {
                    error!(
                        "serf: the keys have changed, but their file has not, and is tried again: {error}"
                    );
                }
                failing = error.is_some();
                done.send_replace((number, error));
                if !open {
                    return;
                }
            }
        });
        Self { latest, written, task }
    }

    async fn close(self) {
        // What was sent last is still seen.
        drop(self.latest);
        let _ = self.task.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn recovered() -> Recovered {
        Recovered {
            alive: vec![
                ("me".into(), at("10.0.0.1:1")),
                ("a".into(), at("10.0.0.2:1")),
                ("b".into(), at("10.0.0.3:1")),
            ],
            failed: vec![
                ("c".into(), at("10.0.0.4:1")),
                ("me".into(), at("10.0.0.9:1")),
                ("old-me".into(), at("10.0.0.1:2")),
            ],
            incarnation: Incarnation(7),
            ..Recovered::default()
        }
    }

    #[test]
    fn the_node_itself_is_neither_restored_nor_asked() {
        let restored = restore("me", &recovered());
        assert_eq!(restored.incarnation, Incarnation(7));
        let names: Vec<&str> = restored.failed.iter().map(|(identity, _)| identity.name.as_str()).collect();
        assert_eq!(names, ["c", "old-me"]);
        let peers = former_peers("me", at("10.0.0.1:2"), &recovered());
        let mut names: Vec<&str> = peers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.pop(), Some("c"));
        names.sort_unstable();
        assert_eq!(names, ["a", "b"]);
    }

    #[tokio::test]
    async fn the_latest_keys_are_in_the_file_when_the_agent_has_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let memory = Memory::new(None, Some(&path), Clock::starting_now());
        let key = |byte| rumormill_core::keyring::Key::new(&[byte; 16]).unwrap();
        for byte in 1..=9 {
            memory.keys(&Keyring::of(key(byte), vec![key(100)]).unwrap());
        }
        memory.close().await;
        assert!(keyring_file::load(&path).unwrap() == Keyring::of(key(9), vec![key(100)]).unwrap());
    }
}
