//! A node that comes back with what it knew (numbers are those of facts 5.2).

use super::cluster::Cluster;
use super::{SECOND, addr, born, known, lan, name};
use crate::config::Config;
use crate::id::{Incarnation, LamportTime, NodeName};
use crate::io::{Command, EventRequest, State, Status};
use crate::node::{Birth, Node, Snapshot};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::Clocks;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn reborn(i: usize, snapshot: Snapshot, config: &Config, now: Instant) -> Node {
    let seed = Seed::simulated(9, i as u64, 1);
    let restore = snapshot.restore(&seed);
    let name = NodeName::new(&name(i)).unwrap();
    Node::new(
        config.clone(),
        Birth {
            name,
            addr: addr(i),
            tags: &Tags::new(),
            keyring: crate::keyring::Keyring::empty(),
            seed,
            restore,
        },
        now,
    )
    .unwrap()
}

fn sorted(mut snapshot: Snapshot) -> Snapshot {
    snapshot.alive.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    snapshot.failed.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    snapshot
}

/// Six nodes: one failed, one left, one leaving.
fn after_some_time() -> Cluster {
    let mut net = Cluster::converged(6, &lan());
    net.command(5, 1, Command::Leave);
    net.run(7 * SECOND);
    net.kill(4);
    net.kill(5);
    net.run(60 * SECOND);
    assert_eq!(net.events[0], ["leave n5", "failed n4"]);
    net
}

#[test]
fn a_snapshot_holds_the_living_and_the_failed_and_survives_a_life() {
    let net = after_some_time();
    let snapshot = net.node(0).snapshot();
    let names = |members: &[(crate::id::SharedIdentity, Incarnation)]| {
        members.iter().map(|(who, _)| String::from(who.name.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&snapshot.alive), names(&snapshot.failed)),
        (vec!["n1".into(), "n2".into(), "n3".into()], vec!["n4".into()])
    );
    assert_eq!((snapshot.incarnation, snapshot.clocks.member), (Incarnation(1), LamportTime(1)));

    let again = reborn(0, snapshot.clone(), &lan(), net.now);
    assert_eq!(again.incarnation(), Incarnation(2));
    assert_eq!(again.clocks(), net.node(0).clocks());
    assert_eq!(
        again.member("n4").map(|view| (view.state, view.status)),
        Some((State::Forgotten, Status::Failed))
    );
    let expected = Snapshot { incarnation: Incarnation(2), ..snapshot };
    assert_eq!(sorted(again.snapshot()), sorted(expected));
}

/// 103 and 104: the next incarnation is believed at once, and the failed are dialled until they come back.
#[test]
fn a_node_that_comes_back_knows_its_cluster_and_dials_the_failed() {
    let mut net = after_some_time();
    let snapshot = net.node(0).snapshot();
    net.kill(0);
    net.run(40 * SECOND);
    net.events.iter_mut().for_each(Vec::clear);
    net.nodes[0] = Some(reborn(0, snapshot, &lan(), net.now));
    net.run(SECOND);
    assert_eq!(net.events[0], Vec::<String>::new(), "what was known is no news");
    net.run(60 * SECOND);
    for i in 1..4 {
        assert_eq!(net.events[i], ["join n0"], "node {i}");
        assert_eq!(net.node(i).member("n0").unwrap().incarnation, Incarnation(2));
    }
    assert_eq!(net.node(0).counters().refutations, 0);
    net.nodes[4] = Some(born(4, &lan(), &[], net.now));
    net.run(120 * SECOND);
    for i in 0..4 {
        assert_eq!(net.events[i].last().map(String::as_str), Some("join n4"), "node {i}");
        assert_eq!(net.state(i, 4), Some(State::Alive));
    }
}

/// Serf issue 333: a node that lost everybody still finds its way back.
#[test]
fn a_node_that_has_only_failed_members_rejoins_through_them() {
    let members = known(3);
    let snapshot = Snapshot { failed: members[1..].to_vec(), ..Snapshot::default() };
    let mut net = Cluster::converged(3, &lan());
    net.nodes[0] = Some(reborn(0, snapshot, &lan(), Instant::ORIGIN));
    assert_eq!(net.node(0).others_up(), 0);
    net.run(120 * SECOND);
    assert_eq!(net.node(0).others_up(), 2);
    let mut events = net.events[0].clone();
    events.sort();
    assert_eq!(events, ["join n1", "join n2"]);
}

#[test]
fn failed_members_are_reaped_in_time_counted_from_the_new_life() {
    let config = Config { reconnect_timeout: 100 * SECOND, ..lan() };
    let snapshot = Snapshot { failed: known(3)[1..].to_vec(), ..Snapshot::default() };
    let mut net = Cluster::of(vec![Some(reborn(0, snapshot, &config, Instant::ORIGIN))]);
    // Whoever is dialled refuses.
    net.events.resize(3, Vec::new());
    net.run(99 * SECOND);
    assert_eq!(net.node(0).members.n_failed(), 2);
    net.run(2 * SECOND);
    assert_eq!((net.events[0].len(), net.node(0).members().count()), (2, 1));
}

#[test]
fn a_restored_table_has_each_member_once_and_no_more_than_allowed() {
    let mut members = known(30);
    let twice = members[..12].to_vec();
    let snapshot =
        Snapshot { alive: members.split_off(20), failed: [twice, members].concat(), ..Snapshot::default() };
    let node = reborn(0, snapshot, &Config { members_max: 25, ..lan() }, Instant::ORIGIN);
    assert_eq!((node.members().count(), node.members.n_failed()), (25, 14));
    assert_eq!(node.counters().members_shed, 5);
}

#[test]
fn clocks_go_on_where_they_stood_even_at_their_end() {
    for standing in [0, 1, 41, LamportTime::MAX.0] {
        let time = LamportTime(standing);
        let clocks = Clocks { member: time, event: time, query: time };
        let node = reborn(0, Snapshot { clocks, ..Snapshot::default() }, &lan(), Instant::ORIGIN);
        let next = time.next().min(LamportTime::MAX);
        assert_eq!(node.clocks(), Clocks { member: next, event: next, query: next });
    }
}

/// A replay is what the former life missed, and nothing that it has delivered; also where other members' exchanges come first, or
/// in between.
#[test]
fn a_node_that_comes_back_and_asks_for_a_replay_gets_what_it_missed() {
    let event = |name: &str| {
        Command::UserEvent(EventRequest { name: name.into(), payload: vec![7; 10].into(), coalesce: false })
    };
    for (before, meanwhile) in [(0, 0), (1, 0), (0, 2), (1, 2)] {
        let mut net = Cluster::converged(4, &lan());
        net.command(0, 1, event("before-0"));
        net.run(SECOND);
        net.command(1, 1, event("before-1"));
        net.run(5 * SECOND);
        let clocks = net.node(3).snapshot().clocks;
        net.kill(3);
        for (k, sender) in [0, 1, 0, 2].into_iter().enumerate() {
            net.command(sender, 10 + k as u64, event(&alloc::format!("missed-{k}")));
            net.run(SECOND);
        }
        net.run(30 * SECOND);
        net.events.iter_mut().for_each(Vec::clear);
        // As an agent comes back: with its clocks, and whom to ask.
        let snapshot = Snapshot { clocks, alive: Vec::new(), ..net.node(0).snapshot() };
        net.nodes[3] = Some(reborn(3, snapshot, &lan(), net.now));
        let find = || Command::Join { addresses: vec![addr(3)], replay: false };
        for finder in 0..before {
            net.command(finder, 30, find());
            net.run(SECOND);
        }
        net.command(3, 1, Command::Join { addresses: vec![addr(0)], replay: true });
        for finder in 0..meanwhile {
            net.command(1 + finder, 31, find());
        }
        net.run(90 * SECOND);
        net.command(1, 20, event("after"));
        net.run(5 * SECOND);
        let names = net.events[3].iter().filter_map(|told| told.strip_prefix("event ")?.split(' ').next());
        let mut names: Vec<_> = names.collect();
        assert_eq!(names.pop(), Some("after"));
        names.sort_unstable();
        let missed = ["missed-0", "missed-1", "missed-2", "missed-3"];
        assert_eq!(names, missed, "found {before} times before, {meanwhile} times meanwhile");
    }
}
