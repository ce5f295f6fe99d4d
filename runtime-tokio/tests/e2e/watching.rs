//! Those who watch agents: Prometheus' own parser reads a scrape, and statsd gets from us what it gets from Serf.

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::clients::{here, tools};
use crate::harness::{Agent, PATIENCE, Program, Running, free_port, handler, wait_until};

fn start(program: Program, folder: &TempDir, name: &str, more: &[&str]) -> Agent {
    let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
    Agent::start(program, name, folder.path(), &more)
}

#[test]
fn prometheus_parser_reads_every_metric() {
    let folder = TempDir::new().unwrap();
    let port = free_port().to_string();
    let (http, snapshot) =
        (format!("127.0.0.1:{port}"), folder.path().join("snapshot").display().to_string());
    let handler = handler(folder.path());
    let a = start(
        Program::Rumor,
        &folder,
        "a",
        &["-http-addr", &http, "-snapshot", &snapshot, "-event-handler", &handler],
    );
    wait_until("it says where it is watched", || a.log().contains(&format!("HTTP addr: '{http}'")));
    let b = start(Program::Rumor, &folder, "b", &["-join", &a.gossip_addr()]);
    wait_until("both are there", || a.count("alive") == 2);
    assert_eq!(b.ask(&["query", "-timeout=5s", "load"]).exit, 0);
    let mut python = Command::new(tools().join("python/bin/python"));
    let ran = Running::start(python.arg(here().join("check_metrics.py")).args(["127.0.0.1", &port])).finish();
    assert!(ran.exit == 0 && ran.out.ends_with("done\n"), "status {}\n{}\n{}", ran.exit, ran.out, ran.err);
    // What it read is what the page has.
    let page = include_str!("../../docs/metrics.md");
    let names: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `rumormill_")?.split('`').next()).collect();
    let documented = names.iter().filter(|name| !name.contains(['{', '(', ' ']));
    for name in documented {
        let starts = |line: &str| line.starts_with(&format!("rumormill_{name}"));
        assert!(ran.out.lines().any(starts), "{name} was not read:\n{}", ran.out);
    }
}

/// What an agent's statsd gets while the same things happen: the names and their types.
fn sent(program: Program) -> BTreeMap<String, String> {
    let folder = TempDir::new().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let file = folder.path().join("statsd.json");
    fs::write(&file, format!("{{\"statsd_addr\": \"{}\"}}", socket.local_addr().unwrap())).unwrap();
    let a = start(program, &folder, "a", &["-config-file", &file.display().to_string()]);
    let _b = start(program, &folder, "b", &["-join", &a.gossip_addr()]);
    wait_until("both are there", || a.count("alive") == 2);
    assert_eq!(a.ask(&["event", "deploy"]).exit, 0);
    assert_eq!(a.ask(&["query", "-timeout=1s", "load"]).exit, 0);
    let mut names = BTreeMap::new();
    let mut datagram = [0; 65_536];
    let deadline = Instant::now() + PATIENCE;
    while !BOTH.iter().all(|name| names.contains_key(&format!("serf-agent.{name}")))
        || gauge(&names).is_none()
    {
        assert!(Instant::now() < deadline, "{program}: {names:?}");
        let Ok(length) = socket.recv(&mut datagram) else { continue };
        assert!(length <= 1400, "{program}: {length} bytes");
        for line in std::str::from_utf8(&datagram[..length]).unwrap().lines() {
            let (name, rest) = line.split_once(':').expect(line);
            let (value, kind) = rest.split_once('|').expect(line);
            value.parse::<f64>().expect(line);
            names.insert(name.to_owned(), kind.to_owned());
        }
    }
    names
}

/// What either program's agent counts when another joins, tells and is asked something.
const BOTH: [&str; 9] = [
    "agent.ipc.accept",
    "agent.ipc.command",
    "memberlist.msg.alive",
    "memberlist.udp.received",
    "memberlist.udp.sent",
    "serf.events",
    "serf.member.join",
    "serf.queries",
    "serf.query_acks",
];

/// The name of a gauge, which has the host's name in it.
fn gauge(names: &BTreeMap<String, String>) -> Option<&String> {
    names.keys().find(|name| name.ends_with(".runtime.num_goroutines"))
}

#[test]
fn statsd_gets_serfs_names_and_types() {
    let (serf, rumor) = (sent(Program::Serf), sent(Program::Rumor));
    for (name, kind) in &rumor {
        if let Some(serfs) = serf.get(name) {
            assert_eq!(kind, serfs, "{name}");
        }
    }
    assert_eq!(gauge(&rumor), gauge(&serf));
}
