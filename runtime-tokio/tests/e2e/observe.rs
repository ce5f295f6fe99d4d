//! Looking into agents: why a member is what it is, and the forms of the log.

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Agent, Program, Ran, command, wait_until};

fn rumor(args: &[&str]) -> Ran {
    command(Program::Rumor, &args.iter().map(|arg| (*arg).into()).collect::<Vec<_>>()).finish()
}

fn agent(folder: &TempDir, name: &str, more: &[&str]) -> Agent {
    let more: Vec<String> = ["-profile=local"].iter().chain(more).map(|arg| (*arg).into()).collect();
    Agent::start(Program::Rumor, name, folder.path(), &more)
}

#[test]
fn a_killed_member_is_explained() {
    let folder = TempDir::new().unwrap();
    let a = agent(&folder, "web-1", &[]);
    let others = ["web-2", "web-3", "web-4"].map(|name| agent(&folder, name, &["-join", &a.gossip_addr()]));
    wait_until("all are there", || a.count("alive") == 4);
    let at = format!("-rpc-addr={}", a.rpc_addr());
    let healthy = rumor(&["debug", "why", &at, "web-2"]);
    assert_eq!((healthy.exit, healthy.err.as_str()), (0, ""));
    assert!(healthy.out.contains(&format!("web-2 at {} is ", others[0].gossip_addr())), "{}", healthy.out);

    others[2].process.signal(Signal::KILL);
    wait_until("the death is noticed", || a.count("failed") == 1);
    let told = rumor(&["debug", "why", "web-4", &at]);
    assert_eq!((told.exit, told.err.as_str()), (0, ""));
    let place = |text: &str| told.out.find(text).unwrap_or_else(|| panic!("{text}: {}", told.out));
    assert!(place(" is failed, as web-1 sees it: dead") < place("suspected (incarnation "));
    assert!(place("suspected (incarnation ") < place("declared failed (incarnation "));
    assert!(told.out.contains("\nLocal health of web-1: ") && told.out.contains("\nLag of web-1: "));

    let json = rumor(&["debug", "why", "-format=json", &at, "web-4"]);
    let read: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&read["schema"], &read["present"]["status"]), (&1.into(), &"failed".into()));
    let whats: Vec<&str> =
        read["happenings"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(whats.contains(&"suspected") && whats.contains(&"declared_failed"), "{whats:?}");

    let list = rumor(&["debug", "why", &at]);
    let line = list.out.lines().find(|line| line.starts_with("web-4  dead  "));
    assert!(line.is_some(), "{}", list.out);

    let ran = rumor(&["debug", "why", &at, "web-l"]);
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.starts_with("Error asking the agent: no member is named \"web-l\"")
            && ran.err.contains("hint: did you mean 'web-"),
        "{}",
        ran.err
    );
}

#[test]
fn serfs_agent_cannot_tell_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    let serf = Agent::start(Program::Serf, "a", folder.path(), &[]);
    let at = format!("-rpc-addr={}", serf.rpc_addr());
    for line in [&["debug", "why", &at, "a"][..], &["debug", "why", &at]] {
        let ran = rumor(line);
        assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
        let wanted =
            format!("Error asking the agent: the one at {} cannot tell\nhint: it is Serf's", serf.rpc_addr());
        assert!(ran.err.starts_with(&wanted), "{}", ran.err);
    }
}

const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const TOKEN: &str = "a-token-that-nobody-logs";

#[test]
fn the_log_is_json_until_a_reload_says_text_and_holds_no_secret() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("agent.json");
    let settings = |format: &str| {
        let text = format!(
            r#"{{"encrypt_key": "{KEY}", "rpc_auth": "{TOKEN}", "log_level": "trace", "log_format": "{format}"}}"#
        );
        std::fs::write(&file, text).unwrap();
    };
    settings("json");
    let a = agent(&folder, "a", &["-config-file", file.to_str().unwrap()]);
    let token = format!("-rpc-auth={TOKEN}");
    assert_eq!(a.ask(&["event", &token, "deploy", "v1"]).exit, 0);
    assert_ne!(a.ask(&["members", "-rpc-auth=another"]).exit, 0);
    let lines = |log: &str| -> Vec<Value> {
        let lines = log.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
    };
    wait_until("lines are there", || lines(&a.log()).iter().any(|line| line["part"] == "agent.ipc"));
    let join =
        lines(&a.log()).into_iter().find(|line| line["fields"]["member"] == "a").expect("its own join");
    assert_eq!((&join["level"], &join["part"]), (&"INFO".into(), &"serf".into()));
    assert!(join["message"].as_str().unwrap().starts_with("EventMemberJoin: a 127.0.0.1"), "{join}");

    let args = ["monitor", "-log-level=debug", &token, &format!("-rpc-addr={}", a.rpc_addr())];
    let monitor = command(Program::Serf, &args.map(Into::into));
    wait_until("the monitor shows text", || monitor.out().contains("[INFO] serf: EventMemberJoin: a "));
    settings("text");
    a.process.signal(Signal::HUP);
    wait_until("text is printed", || a.log().contains("[INFO] agent: log format is text now"));
    wait_until("the monitor shows it too", || monitor.out().contains("log format is text now"));
    let log = a.log();
    assert!(!log.contains(KEY) && !log.contains(TOKEN), "{log}");
}
