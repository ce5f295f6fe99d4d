//! What our commands do that Serf's do not, or that no transcript shows. Against Debian's agent: ours speaks the same protocol.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::harness::{Agent, PATIENCE, Program, Ran, command, free_port, wait_until};

fn rumor(args: &[&str]) -> Ran {
    command(Program::Rumor, &args.iter().map(|arg| (*arg).into()).collect::<Vec<_>>()).finish()
}

fn agent(folder: &TempDir, name: &str, more: &[&str]) -> Agent {
    let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
    Agent::start(Program::Serf, name, folder.path(), &more)
}

#[test]
fn wait_returns_when_the_members_are_as_told() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "a", &[]);
    let at = format!("-rpc-addr={}", a.rpc_addr());
    let ran = rumor(&["wait", &at, "-until", "alive>=2", "-timeout=0"]);
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("alive>=2 (alive is 1)"), "{}", ran.err);

    let args = ["wait", &at, "-until", "alive>=2,failed=0", "-timeout=60s"].map(Into::into);
    let waiting = command(Program::Rumor, &args);
    let b = agent(&folder, "b", &["-join", &a.gossip_addr()]);
    let ran = waiting.finish();
    assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (0, "", ""));

    let args = ["wait", &at, "-until", "left=1", "-timeout=60s"].map(Into::into);
    let waiting = command(Program::Rumor, &args);
    assert_eq!(b.ask(&["leave"]).exit, 0);
    assert_eq!(waiting.finish().exit, 0);
}

#[test]
fn wait_waits_for_the_agent_too() {
    let folder = TempDir::new().unwrap();
    let nobody = format!("-rpc-addr=127.0.0.1:{}", free_port());
    let begin = Instant::now();
    let ran = rumor(&["wait", &nobody, "-until", "alive>=1", "-timeout=300ms"]);
    assert!(begin.elapsed() < PATIENCE);
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("Error connecting to Serf agent: 127.0.0.1:"), "{}", ran.err);

    let rpc = free_port();
    let args =
        ["wait", &format!("-rpc-addr=127.0.0.1:{rpc}"), "-until=alive=1", "-timeout=60s"].map(Into::into);
    let waiting = command(Program::Rumor, &args);
    let _a = Agent::start_at(Program::Serf, "late", folder.path(), rpc);
    let ran = waiting.finish();
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

/// What an agent does to its own tags is told to its own clients, as with Serf.
#[test]
fn an_agent_tells_of_its_own_tags() {
    let folder = TempDir::new().unwrap();
    for program in [Program::Serf, Program::Rumor] {
        let a = Agent::start(program, "a", folder.path(), &[]);
        let monitor = command(Program::Serf, &["monitor".into(), format!("-rpc-addr={}", a.rpc_addr())]);
        wait_until("the monitor shows events", || {
            a.ask(&["event", "-coalesce=false", "ready"]);
            monitor.out().contains("\"ready\"")
        });
        a.ask(&["tags", "-set", "rack=7"]);
        wait_until(&format!("{program} tells of its tags"), || monitor.out().contains("\"rack\":\"7\""));
    }
}

#[test]
fn nobody_at_the_other_end_of_the_pipe_is_no_reason_to_talk() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "a", &[]);
    let mut child = Command::new(Program::Rumor.path())
        .args(["members", "-rpc-addr", &a.rpc_addr()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(141), ""));
}

#[test]
fn an_interrupted_query_has_failed_and_its_answers_are_shown() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "a", &[]);
    let at = format!("-rpc-addr={}", a.rpc_addr());
    let query = command(Program::Rumor, &["query", &at, "-timeout=60s", "x"].map(Into::into));
    wait_until("an answer is shown", || query.out().contains("Ack from 'a'\n"));
    query.interrupt();
    let ran = query.finish();
    assert_eq!(
        (ran.exit, ran.out.as_str(), ran.err.as_str()),
        (1, "Query 'x' dispatched\nAck from 'a'\n", "")
    );

    let query = command(Program::Rumor, &["query", &at, "-timeout=60s", "x"].map(Into::into));
    wait_until("an answer is shown", || query.out().contains("Ack from 'a'\n"));
    drop(a);
    let ran = query.finish();
    assert_eq!(ran.exit, 1);
    assert!(ran.out.ends_with("Total Acks: 1\nTotal Responses: 0\n"), "{}", ran.out);
    assert!(ran.err.contains("Error receiving answers: the agent closed the connection"), "{}", ran.err);
}

#[test]
fn a_typing_error_is_told_with_the_nearest_name() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "web-1", &[]);
    let at = format!("-rpc-addr={}", a.rpc_addr());
    let ran = rumor(&["force-leave", &at, "web-l"]);
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    assert_eq!(ran.err, "Error force leaving: no member is named 'web-l'\nhint: did you mean 'web-1'?\n");
}

#[test]
fn the_agent_is_found_by_the_environment() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "a", &[]);
    for name in ["SERF_RPC_ADDR", "RUMOR_RPC_ADDR"] {
        let ran =
            Command::new(Program::Rumor.path()).arg("members").env(name, a.rpc_addr()).output().unwrap();
        assert!(ran.status.success() && ran.stdout.starts_with(b"a  127.0.0.1:"), "{name}: {ran:?}");
    }
}

#[test]
fn versions_and_keys_are_printed_as_serf_does() {
    let lines = |program: Program, arg: &str| {
        let ran = command(program, &[arg.into()]).finish();
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{program} {arg}");
        ran.out.lines().map(Into::into).collect::<Vec<String>>()
    };
    for arg in ["version", "-v", "--version"] {
        let (serf, rumor) = (lines(Program::Serf, arg), lines(Program::Rumor, arg));
        assert_eq!(rumor, [env!("CARGO_PKG_VERSION"), &serf[1]], "{arg}");
    }
    let (serf, rumor) = (lines(Program::Serf, "keygen"), lines(Program::Rumor, "keygen"));
    assert_eq!((rumor.len(), rumor[0].len()), (serf.len(), serf[0].len()));
    assert_ne!(rumor, lines(Program::Rumor, "keygen"));
}
