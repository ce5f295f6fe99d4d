//! The vote about a name that two nodes have (facts 2.11).

use super::cluster::Cluster;
use super::{SECOND, addr, born, known, lan, name};
use crate::config::{AntiEntropy, Config};
use crate::id::{Identity, Incarnation, NodeName, Versions};
use crate::io::Command;
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use crate::{Roster, keyring::Keyring};
use alloc::sync::Arc;
use alloc::vec::Vec;

fn quiet() -> Config {
    Config { anti_entropy: AntiEntropy::Off, ..lan() }
}

/// A node called `n0` at the address of node `at`, which knows these members.
fn impostor(at: usize, members: &[usize], config: &Config) -> Node {
    let member = |i: &usize| Identity {
        name: NodeName::new(&name(*i)).unwrap(),
        addr: addr(*i),
        meta: [].into(),
        versions: Versions::CURRENT,
    };
    let seed = Seed::simulated(9, at as u64, 0);
    let all = members.iter().map(|i| (Arc::new(member(i)), Incarnation(1)));
    let restore = Restore { roster: Arc::new(Roster::new(all, &seed)), ..Restore::default() };
    let name = NodeName::new(&name(0)).unwrap();
    let birth = Birth { name, addr: addr(at), tags: &Tags::new(), seed, keyring: Keyring::empty(), restore };
    Node::new(config.clone(), birth, Instant::ORIGIN).unwrap()
}

/// `n` nodes that know each other, and another `n0` at address `n` that knows some of them.
fn with_impostor(n: usize, knows: &[usize], config: &Config) -> Cluster {
    let members = known(n);
    let mut all: Vec<_> = (0..n).map(|i| Some(born(i, config, &members, Instant::ORIGIN))).collect();
    all.push(Some(impostor(n, knows, config)));
    Cluster::of(all)
}

/// Brings both the other's claim to the name.
fn join(at: &[usize]) -> Command {
    Command::Join { addresses: at.iter().map(|i| addr(*i)).collect(), replay: false }
}

fn stops(net: &Cluster) -> Vec<usize> {
    (0..net.events.len())
        .filter(|&i| net.events[i].iter().any(|told| told.starts_with("must stop")))
        .collect()
}

/// serf 100: the minority's holder of the name stops, the others stay.
#[test]
fn of_two_nodes_with_one_name_the_one_that_the_majority_does_not_know_stops() {
    let mut net = with_impostor(3, &[1, 2], &quiet());
    // Both hear of the other: both ask.
    net.command(3, 1, join(&[1, 0]));
    net.run(10 * SECOND);
    assert_eq!(stops(&net), [3]);
    let reason = net.events[3].iter().find(|told| told.starts_with("must stop")).unwrap();
    assert_eq!(
        reason,
        "must stop: another node has this node's name: of 2 members, 0 know it at this address"
    );
    assert_eq!(net.node(0).counters().answers, 2, "the other has asked too, and won");
    net.run(200 * SECOND);
    net.command(3, 1, join(&[1]));
    net.run(10 * SECOND);
    let told = net.events[3].iter().filter(|told| told.starts_with("must stop")).count();
    assert_eq!(told, 1, "once");
}

#[test]
fn without_the_setting_nobody_asks() {
    let mut net = with_impostor(3, &[1, 2], &Config { name_conflict_vote: false, ..quiet() });
    net.command(3, 1, join(&[1]));
    net.run(10 * SECOND);
    assert!(stops(&net).is_empty());
    assert!(net.events[3].iter().any(|told| told == "conflict n0"));
    assert_eq!(net.node(3).clocks().query.0, 1);
}

/// Serf's would stop (Q22).
#[test]
fn no_answer_is_no_verdict() {
    let mut net = with_impostor(3, &[1, 2], &quiet());
    net.command(3, 1, join(&[1]));
    for i in 0..3 {
        net.cut_packets.push((3, i));
    }
    net.run(10 * SECOND);
    assert!(stops(&net).is_empty());
    assert!(net.node(3).clocks().query.0 > 1, "it did ask");
}

/// A claim comes with every exchange; one vote in a minute is enough.
#[test]
fn votes_are_a_minute_apart() {
    let mut net = with_impostor(3, &[1, 2], &quiet());
    for i in 0..3 {
        net.cut_packets.push((3, i));
    }
    let votes = |net: &Cluster| net.node(3).clocks().query.0 - 1;
    for (seconds, expected) in [(0, 1), (20, 1), (38, 1), (2, 2)] {
        net.run(SECOND * seconds);
        net.command(3, 1, join(&[1]));
        net.run(SECOND / 2);
        assert_eq!(votes(&net), expected, "at {:?}", net.now);
        assert!(net.events[3].iter().filter(|told| *told == "conflict n0").count() >= expected as usize);
    }
}
