//! Processes that live and die: twenty on one machine, and the README's three.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{Agent, Program, Running, wait_until};

const TWENTY: usize = 20;

fn start(folder: &Path, name: &str, more: &[String]) -> Agent {
    let snapshot = folder.join(format!("{name}.snapshot")).display().to_string();
    let handler = format!("user:deploy=cat >> {}", folder.join(format!("{name}.deploys")).display());
    let own = ["-snapshot".into(), snapshot, "-event-handler".into(), handler];
    let more: Vec<String> = own.into_iter().chain(more.iter().cloned()).collect();
    Agent::start(Program::Rumor, name, folder, &more)
}

#[test]
fn twenty_processes_form_a_cluster_spread_news_and_get_a_killed_one_back_from_its_snapshot() {
    let folder = TempDir::new().unwrap();
    let mut agents = vec![start(folder.path(), "n0", &[])];
    for number in 1..TWENTY {
        let join = ["-join".into(), agents[0].gossip_addr()];
        agents.push(start(folder.path(), &format!("n{number}"), &join));
    }
    for agent in &agents {
        wait_until("everybody knows everybody", || agent.count(" alive") == TWENTY);
    }
    assert_eq!(agents[3].ask(&["event", "-coalesce=false", "deploy", "v1"]).exit, 0);
    for agent in &agents {
        let deploys = folder.path().join(format!("{}.deploys", agent.name));
        wait_until("the event is everywhere", || {
            fs::read_to_string(&deploys).is_ok_and(|text| text == "v1\n")
        });
    }
    let ran = agents[4].ask(&["reachability"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);

    let mut killed = agents.pop().unwrap();
    let bind = format!("-bind={}", killed.gossip_addr());
    killed.process.signal(Signal::KILL);
    killed.process.wait();
    for agent in &agents {
        wait_until("everybody knows who died", || agent.count(" failed") == 1);
    }
    // Nobody tells it whom to join.
    let back = start(folder.path(), &killed.name, &[bind]);
    for agent in agents.iter().chain([&back]) {
        wait_until("everybody knows that it is back", || agent.count(" alive") == TWENTY);
    }
    // What was said before is not said again.
    let deploys = folder.path().join(format!("{}.deploys", back.name));
    assert_eq!(fs::read_to_string(deploys).unwrap(), "v1\n");
}

/// The blocks of the README between two headings that a shell can run.
fn shell_blocks(heading: &str) -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let section = readme.split(&format!("## {heading}\n")).nth(1).expect("the README has that section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_three_commands_of_the_readme_do_what_it_says() {
    let folder = TempDir::new().unwrap();
    let blocks = shell_blocks("Run it where you would run Serf");
    assert_eq!(blocks.len(), 3);
    let program = format!("{} ", Program::Rumor.path().display());
    let wait = "n=0; until [ $(cat deployed.txt 2>/dev/null | wc -l) = 3 ] || [ $n = 300 ]; do n=$((n+1)); sleep 0.1; done; sort deployed.txt";
    // Other ports than those that a user's agent may have.
    let start = "export RUMOR_RPC_ADDR=127.0.0.1:27373";
    let script = [start, &blocks[0], &blocks[1], wait, &blocks[2], "kill -9 $(jobs -p)"].join("\n");
    let script = script.replace("target/release/rumor ", &program).replace("7945 +", "27945 +");
    let script = script.replace("7372 +", "27372 +").replace("127.0.0.1:7946", "127.0.0.1:27946");
    let mut bash = Command::new("bash");
    let ran = Running::start(bash.arg("-c").arg(script).current_dir(folder.path())).finish();
    let expected = "n1 deploys v1.2.3\nn2 deploys v1.2.3\nn3 deploys v1.2.3\n";
    assert!(ran.out.contains(expected), "{}\n{}", ran.out, ran.err);
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    for (name, port, status) in [("n1", 27946, "alive"), ("n2", 27947, "alive"), ("n3", 27948, "failed")] {
        let address = format!("127.0.0.1:{port}");
        assert!(lines.contains(&vec![name, &address, status]), "{}\n{}", ran.out, ran.err);
    }
}
