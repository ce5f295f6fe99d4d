//! Debian's serf reads our snapshots, and we read its.
#![cfg(feature = "e2e")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumormill_tokio::core::id::LamportTime;
use rumormill_tokio::core::wire::Clocks;
use rumormill_tokio::state::SnapshotFile;

const PATIENCE: Duration = Duration::from_secs(30);

struct Serf(Child);

impl Drop for Serf {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serf(args: &[&str]) -> Command {
    let mut command = Command::new("serf");
    command.args(args).stdin(Stdio::null());
    command
}

/// What `serf ARGS` prints, once it says `wanted`.
fn until(args: &[&str], wanted: &str) -> String {
    let started = Instant::now();
    loop {
        let output = serf(args).output().expect("Debian's package `serf` is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains(wanted) {
            return text;
        }
        assert!(started.elapsed() < PATIENCE, "serf {args:?} does not say {wanted:?}: {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn agent(name: &str, ip: &str, snapshot: &Path, join: Option<&str>) -> Serf {
    let (rpc, path) = (format!("-rpc-addr={ip}:7373"), format!("-snapshot={}", snapshot.display()));
    let (name, bind) = (format!("-node={name}"), format!("-bind={ip}:7946"));
    let mut command = serf(&["agent", "-profile=local", &name, &bind, &rpc, &path]);
    command.args(join.map(|addr| format!("-join={addr}")));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Serf(command.spawn().expect("Debian's package `serf` is installed"))
}

#[test]
fn serf_goes_on_with_our_snapshot_and_we_with_its() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (rpc_a, rpc_b) = ("-rpc-addr=127.0.0.91:7373", "-rpc-addr=127.0.0.92:7373");
    let _first = agent("first", "127.0.0.91", &a, None);
    until(&["members", rpc_a], "first");

    // A node of ours knew it, and one that had failed, under clocks of its own.
    let (mut snapshot, _) = SnapshotFile::open(&b, false).unwrap();
    snapshot.member_alive("first", "127.0.0.91:7946".parse().unwrap());
    snapshot.member_failed("lost", "127.0.0.93:7946".parse().unwrap());
    let clocks = Clocks { member: LamportTime(41), event: LamportTime(42), query: LamportTime(43) };
    snapshot.clocks(clocks);
    snapshot.close_blocking();

    // Serf, started with that, rejoins by itself, and its clocks go on from there.
    let second = agent("second one", "127.0.0.92", &b, None);
    let members = until(&["members", rpc_b], "first");
    assert!(!members.contains("lost"), "{members}");
    let info = until(&["info", rpc_b], "event_time");
    assert!(info.contains("event_time = 43") && info.contains("query_time = 44"), "{info}");

    // It flushes with the next record after half a second.
    until(&["members", rpc_a], "second one");
    until(&["event", rpc_a, "tick"], "dispatched");
    let started = Instant::now();
    while !fs::read_to_string(&a).unwrap().contains("alive: second one 127.0.0.92:7946\n") {
        assert!(started.elapsed() < PATIENCE, "{}", fs::read_to_string(&a).unwrap());
        std::thread::sleep(Duration::from_millis(600));
        until(&["event", rpc_a, "tick"], "dispatched");
    }
    drop(second);
    let (snapshot, recovered) = SnapshotFile::open(&a, false).unwrap();
    assert_eq!(recovered.warnings, [""; 0]);
    let second = ("second one".to_owned(), "127.0.0.92:7946".parse().unwrap());
    assert!(recovered.alive.contains(&second), "{recovered:?}");
    assert!(recovered.clocks.event >= LamportTime(43), "{recovered:?}");
    drop(snapshot);
}
