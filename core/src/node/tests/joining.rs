//! Joining: by address, by label and version, under a name that is free.

use super::cluster::Cluster;
use super::{SECOND, addr, born, lan};
use crate::config::Config;
use crate::error::CommandError;
use crate::id::{Incarnation, NodeName};
use crate::io::{Command, CommandId, Done, State};
use crate::keyring::Keyring;
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

#[test]
fn a_join_makes_strangers_known_to_everybody() {
    let mut net = Cluster::strangers(4, &lan());
    for i in 1..4 {
        net.command(i, i as u64, Command::Join { addresses: vec![addr(0)], replay: false });
    }
    net.run(2 * SECOND);
    for i in 0..4 {
        assert_eq!(net.node(i).others_up(), 3, "node {i}");
    }
    assert!(net.completed.iter().all(|(_, result)| *result == Ok(Done::Joined { reached: 1, failed: 0 })));
    assert_eq!(net.events[0], ["join n1", "join n2", "join n3"]);
}

#[test]
fn a_join_that_nobody_answers_says_why() {
    let mut net = Cluster::strangers(2, &lan());
    net.cut(0, 1);
    net.command(1, 7, Command::Join { addresses: vec![addr(0)], replay: false });
    let (id, result) = net.completed.pop().unwrap();
    assert_eq!(id, CommandId(7));
    let error = result.unwrap_err().to_string();
    assert_eq!(error, "none of 1 addresses could be joined; the last, 10.0.0.0:7946: connection refused");
    net.command(1, 8, Command::Join { addresses: vec![], replay: false });
    assert_eq!(net.completed.pop(), Some((CommandId(8), Err(CommandError::NoAddress))));
}

#[test]
fn labels_keep_clusters_apart_and_it_is_counted() {
    let red = Config { label: "red".into(), ..lan() };
    let mut net = Cluster::of(vec![
        Some(born(0, &lan(), &[], Instant::ORIGIN)),
        Some(born(1, &red, &[], Instant::ORIGIN)),
    ]);
    net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    net.run(30 * SECOND);
    assert_eq!((net.node(0).others_up(), net.node(1).others_up()), (0, 0));
    assert_eq!(net.node(0).counters().rejected_label, 1);
    assert!(matches!(net.completed[0].1, Err(CommandError::NotJoined { .. })));
}

#[test]
fn incompatible_versions_are_refused_before_anything_is_merged() {
    let mut future = lan();
    (future.versions.app_min, future.versions.app_max, future.versions.app) = (6, 9, 9);
    let mut net = Cluster::of(vec![
        Some(born(0, &lan(), &[], Instant::ORIGIN)),
        Some(born(1, &future, &[], Instant::ORIGIN)),
    ]);
    net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    assert_eq!((net.node(0).others_up(), net.node(1).others_up()), (0, 0));
    let error = net.completed[0].1.clone().unwrap_err().to_string();
    assert!(error.contains("the peer refused: application versions 5 to 9"), "{error}");
}

#[test]
fn a_restarted_node_outbids_its_earlier_life() {
    let mut net = Cluster::converged(4, &lan());
    net.kill(1);
    net.run(30 * SECOND);
    assert_eq!(net.state(0, 1), Some(State::Dead));
    net.nodes[1] = Some(born(1, &lan(), &[], net.now));
    net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    net.run(5 * SECOND);
    for i in [0, 2, 3] {
        assert_eq!(net.state(i, 1), Some(State::Alive), "node {i}");
        assert_eq!(net.events[i], ["failed n1", "join n1"]);
    }
    assert_eq!(net.node(1).incarnation(), Incarnation(2));
}

#[test]
fn a_name_in_use_cannot_be_taken_by_another_address() {
    let mut net = Cluster::converged(3, &lan());
    let thief = Birth {
        name: NodeName::new("n1").unwrap(),
        addr: addr(3),
        tags: &Tags::new(),
        seed: Seed::simulated(9, 77, 0),
        keyring: Keyring::empty(),
        restore: Restore::default(),
    };
    let thief = Node::new(lan(), thief, Instant::ORIGIN).unwrap();
    net.nodes.push(Some(thief));
    net.events.push(Vec::new());
    net.command(3, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    assert!(net.events[0].contains(&"conflict n1".into()));
    assert_eq!(net.node(0).member("n1").unwrap().identity.addr, addr(1));
    assert!(net.node(0).counters().conflicts > 0);
}
