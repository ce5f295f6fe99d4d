//! `rumor-sim replay` and `rumor-sim why` as people run them.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A scenario file of its own for one test, gone when the test ends.
struct File(PathBuf);

impl File {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rumor-sim-{test}-{}.toml", std::process::id()));
        std::fs::write(&path, SCENARIO).expect("a temporary file");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Five nodes, of which one declares a member dead because a cut swallows its pings; in a second variant there is patience.
const SCENARIO: &str = r#"
name = "cut"
seed = 1
duration = "20s"
[cluster]
nodes = 5
[[variant]]
name = "hasty"
config = { suspicion = false, indirect_checks = 0, stream_probe = false, anti_entropy = "off" }
[[variant]]
name = "lan"
[[fault]]
at = "8s"
kind = "partition"
partition = { a = ["node-0"], b = ["node-3"], direction = "a-to-b", traffic = "datagrams" }
for = "4s"
"#;

fn rumor_sim(test: &str, command: &str, args: &[&str]) -> Output {
    let file = File::new(test);
    Command::new(env!("CARGO_BIN_EXE_rumor-sim"))
        .arg(command)
        .arg(&file.0)
        .args(args)
        .output()
        .expect("the program starts")
}

fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn replay_shows_the_window_and_nodes_that_it_is_asked_for() {
    let args = ["--at", "9s", "--around", "1500ms", "--node", "node-0,node-3", "--kinds", "packet,fault"];
    let text = printed(&rumor_sim("window", "replay", &args));
    let lines: Vec<&str> = text.lines().collect();
    let (last, lines) = lines.split_last().expect("some lines");
    assert!(last.starts_with("cut, hasty, seed 1: digest "), "{last}");
    assert!(lines.iter().any(|line| line.contains("fault[0] (partition) begins")), "{text}");
    assert!(lines.iter().any(|line| line.contains("cut by fault[0] (partition)")), "{text}");
    for line in lines {
        let time: f64 = line.split_whitespace().next().and_then(|time| time.parse().ok()).expect("a time");
        assert!((7.5..=10.5).contains(&time), "{line}");
        assert!(line.contains("node-0") || line.contains("node-3"), "{line}");
    }
}

#[test]
fn replay_s_digest_is_that_of_the_run() {
    let text =
        printed(&rumor_sim("digest", "replay", &["--variant", "lan", "--format", "json", "--most", "20"]));
    let replay: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(replay["lines"].as_array().map(Vec::len), Some(20));
    assert!(replay["left_out"].as_u64() > Some(0));
    let folder = std::env::temp_dir().join(format!("rumor-sim-digest-out-{}", std::process::id()));
    let out = folder.display().to_string();
    let text = printed(&rumor_sim("digest-run", "run", &["--format", "json", "--out", &out]));
    let _ = std::fs::remove_dir_all(&folder);
    let summaries: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let runs = summaries[0]["runs"].as_array().expect("runs");
    let run = runs.iter().find(|run| run["variant"] == "lan").expect("the variant");
    assert_eq!(run["digest"], replay["digest"]);
}

#[test]
fn why_lists_and_explains() {
    let text = printed(&rumor_sim("list", "why", &["--list", "--subject", "node-3", "--most", "2"]));
    assert!(text.starts_with("cut, hasty, seed 1: 3 false positives") && text.contains("1 more"), "{text}");
    let args = ["--list", "--subject", "node-3", "--format", "json", "--any"];
    let text = printed(&rumor_sim("list-json", "why", &args));
    let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(list["count"], 4, "who is cut off itself declares it too");
    let text = printed(&rumor_sim("why", "why", &["--observer", "node-2", "--subject", "node-3"]));
    assert!(text.contains("node-2 declared node-3 failed at"), "{text}");
    assert!(text.contains("without fault[0] (partition)") && text.contains("prevented"), "{text}");
    let text = printed(&rumor_sim("why-json", "why", &["--subject", "node-3", "--format", "json"]));
    let why: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&why["subject"], &why["false_positive"]), (&"node-3".into(), &true.into()));
    let text = printed(&rumor_sim("nothing", "why", &["--variant", "lan"]));
    assert!(text.contains("no such verdict"), "{text}");
}

#[test]
fn what_there_is_not_is_named_with_what_there_is() {
    let cases: [(&str, &[&str], &str); 6] = [
        ("replay", &["--node", "node-5"], "--node node-5: the nodes of cut are node-0 to node-4"),
        ("replay", &["--about", "peter"], "--about peter: the nodes of cut are node-0 to node-4"),
        ("replay", &["--at", "21s"], "--at 21s: cut lasts 20 s"),
        ("why", &["--variant", "swim"], "--variant swim: cut has hasty, lan"),
        ("why", &["--observer", "node-9"], "--observer node-9: the nodes of cut are node-0 to node-4"),
        ("replay", &["--kinds", "packets"], "packet"),
    ];
    for (number, (command, args, part)) in cases.into_iter().enumerate() {
        let output = rumor_sim(&format!("wrong-{number}"), command, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{said}");
        assert!(output.stdout.is_empty());
    }
}
