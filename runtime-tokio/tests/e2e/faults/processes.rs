//! Processes that stand still, and that are restarted.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::network::{Family, Network};
use super::node::{BRISK, Cluster};
use crate::harness::wait_until;

/// Stops an agent for as long as this, and lets it go on. The length is the fault, and nothing is waited for by it.
fn stand_still(cluster: &Cluster, index: usize, length: Duration, meanwhile: impl FnOnce()) {
    let process = &cluster.nodes[index].process;
    let end = Instant::now() + length;
    process.signal(Signal::STOP);
    meanwhile();
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    process.signal(Signal::CONT);
}

#[test]
fn an_agent_that_stands_still_for_three_seconds_is_not_failed_and_fails_nobody() {
    let cluster = Cluster::start(5, "", &[]);
    stand_still(&cluster, 2, Duration::from_secs(3), || {});
    assert!(cluster.nodes[0].tell("afterwards"));
    Cluster::await_told(&cluster.nodes, "afterwards");
    // Whatever was suspected has come to an end.
    Cluster::await_probes(&cluster.nodes, 12);
    cluster.await_all_alive(Duration::from_secs(10));
    assert_eq!(cluster.failures(), []);
}

#[test]
fn an_agent_that_stands_still_for_twenty_seconds_is_failed_refutes_and_fails_nobody() {
    let cluster = Cluster::start(5, "", &[]);
    let still = &cluster.nodes[2];
    let others = || cluster.nodes.iter().filter(|node| node.name != still.name);
    stand_still(&cluster, 2, Duration::from_secs(20), || {
        for node in others() {
            wait_until("it is failed", || node.sees(&still.name) == "failed");
        }
        assert!(cluster.nodes[0].tell("meanwhile"));
        Cluster::await_told(others(), "meanwhile");
    });
    cluster.await_all_alive(Duration::from_secs(30));
    Cluster::await_told([still], "meanwhile");
    Cluster::await_probes(&cluster.nodes, 12);
    cluster.await_all_alive(Duration::from_secs(10));
    let failures = cluster.failures();
    assert!(failures.iter().all(|(_, failed)| *failed == still.name), "{failures:?}");
    assert!(cluster.nodes.iter().all(|node| node.told() == ["meanwhile"]), "everybody was told once");
}

/// Restarts all, one after the other, and tells something while each is away.
fn restart_all(signal: Signal) {
    let network = Network::new(5, Family::V4);
    let mut cluster = Cluster::start_on(network, 5, BRISK, |folder, index| {
        vec![format!("-snapshot={}", folder.join(format!("snapshot.{index}")).display())]
    });
    cluster.await_all_alive(Duration::from_secs(30));
    assert!(cluster.nodes[0].tell("before"));
    Cluster::await_told(&cluster.nodes, "before");
    let mut told = vec!["before".to_owned()];
    for index in 0..cluster.nodes.len() {
        let name = cluster.nodes[index].name.clone();
        // What a node is killed before it has written, it does not know afterwards.
        let clock = format!("\nevent-clock: {}\n", told.len());
        let snapshot = cluster.folder.path().join(format!("snapshot.{index}"));
        wait_until("the snapshot has what was told", || {
            signal == Signal::TERM || fs::read_to_string(&snapshot).is_ok_and(|text| text.contains(&clock))
        });
        cluster.nodes[index].end(signal);
        let text = format!("without {name}");
        let others = || cluster.nodes.iter().filter(|node| node.name != name);
        assert!(others().next().is_some_and(|node| node.tell(&text)));
        Cluster::await_told(others(), &text);
        told.push(text);
        cluster.nodes[index].start_again();
        cluster.await_all_alive(Duration::from_secs(60));
        Cluster::await_told(&cluster.nodes, told.last().expect("there is one"));
    }
    assert!(cluster.nodes[0].tell("after"));
    Cluster::await_told(&cluster.nodes, "after");
    told.push("after".into());
    for node in &cluster.nodes {
        assert_eq!(node.told(), told, "{} was told everything, in order, and nothing twice", node.name);
    }
}

#[test]
fn agents_restarted_one_by_one_by_a_signal_to_end_come_back_by_themselves_and_repeat_nothing() {
    restart_all(Signal::TERM);
}

#[test]
fn agents_killed_and_started_one_by_one_come_back_by_themselves_and_repeat_nothing() {
    restart_all(Signal::KILL);
}
