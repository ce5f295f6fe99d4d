//! Disks that are full or take nothing: an agent says so, stays up, and loses nothing that lasted. Needs root, for disks of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Agent, Program, wait_until};

/// What a disk in memory gives at once.
const PAGE: usize = 4096;

/// A disk in memory, gone with this value.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], folder.path());
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let filler = vec![0; 4096];
        let path = self.file("filler");
        fs::write(&path, "").unwrap();
        while append(&path, &filler).is_ok() {}
    }

    fn is_writable(&self, yes: bool) {
        mount(&["-o", if yes { "remount,rw" } else { "remount,ro" }], self.folder.path());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

fn append(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

fn mount(options: &[&str], at: &Path) {
    let status = Command::new("mount").args(options).arg(at).status().expect("there is mount");
    assert!(status.success(), "mount {options:?} needs root");
}

fn start(name: &str, folder: &Path, more: &[&str]) -> Agent {
    let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
    Agent::start(Program::Rumor, name, folder, &more)
}

fn says(path: &Path, what: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.contains(what))
}

#[test]
fn a_full_disk_costs_an_agent_nothing_that_lasted() {
    let (logs, disk) = (TempDir::new().unwrap(), Disk::new());
    let snapshot = disk.file("snapshot");
    let path = snapshot.display().to_string();
    // What an earlier life knew, and no room behind it: a disk gives room by the page.
    let before = "alive: old 127.0.0.1:1\n";
    let comment = format!("# {}\n", "x".repeat(PAGE - 2 - before.len() - 3));
    fs::write(&snapshot, [before, &comment].concat()).unwrap();
    disk.fill();
    let a = start("a", logs.path(), &["-snapshot", &path]);
    let b = start("b", logs.path(), &["-join", &a.gossip_addr()]);
    wait_until("they are two", || a.count(" alive") == 2);
    wait_until("the log says what is wrong", || {
        let log = a.log();
        log.contains("[ERR]") && log.contains(&path) && log.contains("No space left")
    });
    assert!(says(&snapshot, before), "what lasted is there");
    assert_eq!(a.count(" alive"), 2, "it is up, and in its cluster");
    fs::remove_file(disk.file("filler")).unwrap();
    let known = format!("alive: b {}", b.gossip_addr());
    wait_until("what could not be written is written", || says(&snapshot, &known));
    assert!(says(&snapshot, before));
}

#[test]
fn a_read_only_disk_costs_an_agent_nothing_that_lasted() {
    let (logs, disk) = (TempDir::new().unwrap(), Disk::new());
    let (snapshot, keys) = (disk.file("snapshot"), disk.file("keys.json"));
    fs::write(&keys, "[\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"]").unwrap();
    let (path, keys_path) = (snapshot.display().to_string(), keys.display().to_string());
    let mut a = start("a", logs.path(), &["-snapshot", &path, "-keyring-file", &keys_path]);
    wait_until("the snapshot is there", || snapshot.exists());
    let ran = a.ask(&["leave"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    a.process.wait();
    disk.is_writable(false);
    // It cannot even begin to write: that is said at once, with the file and the reason.
    let refused = [
        "agent",
        "-bind=127.0.0.1:0",
        "-rpc-addr=127.0.0.1:0",
        "-snapshot",
        &path,
        "-keyring-file",
        &keys_path,
    ];
    let ran = crate::harness::command(Program::Rumor, &refused.map(Into::into)).finish();
    assert_eq!(ran.exit, 1, "{}", ran.err);
    assert!(ran.err.contains(&path) && ran.err.contains("Read-only file system"), "{}", ran.err);

    // Keys that change while nothing can be written: the command says so, and the agent goes on.
    let a = start("a", logs.path(), &["-keyring-file", &keys_path]);
    let ran = a.ask(&["keys", "-install", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="]);
    assert_ne!(ran.exit, 0, "{}", ran.out);
    assert!(ran.out.contains("file"), "{}", ran.out);
    assert_eq!(a.count(" alive"), 1);
    disk.is_writable(true);
    wait_until("the keys are written after all", || says(&keys, "AQEB"));
}
