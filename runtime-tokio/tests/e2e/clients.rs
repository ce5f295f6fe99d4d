//! Clients that others wrote for Serf: what they print of Serf's agent, they have to print of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use tempfile::TempDir;

use crate::harness::{Agent, PATIENCE, Program, Ran, Running, handler, wait_until};
use crate::transcript::{Kind, Normaliser};

const TOKEN: &str = "sesame";

pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e")
}

/// The folder with the clients; they are installed where they are missing.
pub(crate) fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-tools");
        let tools = std::env::var_os("RUMOR_E2E_TOOLS").map_or(beside, PathBuf::from);
        let installed = Command::new("sh").arg(here().join("install.sh")).arg(&tools).status();
        assert!(installed.expect("there is a shell").success(), "install.sh failed");
        tools
    })
}

/// What a client prints of a cluster of two agents.
fn seen(program: Program, client: &mut Command) -> Vec<String> {
    let folder = TempDir::new().expect("there is room for a folder");
    let file = folder.path().join("auth.json");
    fs::write(&file, format!("{{\"rpc_auth\": \"{TOKEN}\"}}")).expect("the folder is writable");
    let handler = handler(folder.path());
    let start = |name: &str, more: &[&str]| {
        let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
        Agent::start(program, name, folder.path(), &more)
    };
    let config = file.display().to_string();
    let a = start(
        "a",
        &["-tag", "role=web", "-tag", "zone=x", "-event-handler", &handler, "-config-file", &config],
    );
    let b = start("b", &["-join", &a.gossip_addr()]);
    for pair in [["b", "a"], ["a", "b"]] {
        wait_until("they know each other, and how far they are apart", || {
            b.ask(&["rtt", pair[0], pair[1]]).exit == 0
        });
    }
    let mut names = Normaliser::default();
    names.name_port(a.gossip, "<a>".into());
    names.name_port(b.gossip, "<b>".into());
    let port = a.rpc.to_string();
    let ran = Running::start(client.args(["127.0.0.1", &port, TOKEN, &b.gossip_addr()])).finish();
    let Ran { exit, out, err } = &ran;
    assert!(*exit == 0 && out.ends_with("done\n"), "{program}: status {exit}\n{out}\n{err}");
    names.normalise(Program::Serf, Kind::Exact, &ran).lines().map(Into::into).collect()
}

fn compare(client: impl Fn() -> Command) {
    let (serf, rumor) = (seen(Program::Serf, &mut client()), seen(Program::Rumor, &mut client()));
    let differences: Vec<String> = serf
        .iter()
        .zip(&rumor)
        .filter(|(serf, rumor)| serf != rumor)
        .map(|(serf, rumor)| format!("serf:  {serf}\nrumor: {rumor}"))
        .collect();
    assert!(differences.is_empty() && serf.len() == rumor.len(), "{}", differences.join("\n"));
}

#[test]
fn pythons_serfclient() {
    compare(|| {
        let mut command = Command::new(tools().join("python/bin/python"));
        command.arg(here().join("check_serfclient.py"));
        command
    });
}

#[test]
fn node_serf() {
    compare(|| {
        let mut command = Command::new("node");
        command.env("NODE_PATH", tools().join("node/node_modules")).arg(here().join("check_node_serf.js"));
        command
    });
}

/// Our agent ends a query when all have answered; Serf's command would lose an answer that comes together with the end.
#[test]
fn serfs_query_shows_every_answer_though_the_query_ends_early() {
    let folder = TempDir::new().expect("there is room for a folder");
    let handler = handler(folder.path());
    let start = |name: &str, more: &[&str]| {
        let more: Vec<String> =
            ["-event-handler", &handler].iter().chain(more).map(|arg| (*arg).into()).collect();
        Agent::start(Program::Rumor, name, folder.path(), &more)
    };
    let a = start("a", &[]);
    let b = start("b", &["-join", &a.gossip_addr()]);
    wait_until("both know each other", || [&a, &b].iter().all(|agent| agent.count(" alive") == 2));
    for round in 0..100 {
        let began = Instant::now();
        let ran = a.ask(&["query", "-timeout=60s", "-no-ack", "-format=json", "load"]);
        assert!(
            ran.out.contains("a has") && ran.out.contains("b has"),
            "round {round}: {}{}",
            ran.out,
            ran.err
        );
        assert!(began.elapsed() < PATIENCE / 2, "round {round} took all of its time");
    }
}
