//! What acks tell about places, and who believes it (facts 2.17; 5.2, 114).

use super::cluster::Cluster;
use super::stage::{Pinged, Stage};
use super::words::Word;
use super::{SECOND, addr, lan, ms, name};
use crate::config::Config;
use crate::coordinate::{Coordinate, Quantised};
use crate::id::ProbeSeq;
use crate::io::{Input, Outbox, Output, StreamAction, StreamId, StreamInput};
use crate::node::Node;
use crate::rng::Seed;
use crate::step;
use crate::time::Instant;
use crate::wire::{Message, Wire};
use alloc::vec::Vec;
use core::time::Duration;

fn off() -> Config {
    Config { coordinates: false, ..lan() }
}

fn packet(message: &Message<'_>) -> Vec<u8> {
    let (mut wire, mut out) = (Wire::new(&lan()), Vec::new());
    let start = wire.begin_packet(&mut out);
    wire.encode(message, &mut out);
    wire.finish_packet(start, &mut out);
    out
}

/// The peer's ack arrives now, and says this of its place.
fn acked(stage: &mut Stage, from: usize, seq: u32, coordinate: Option<&[u8]>) {
    let bytes = packet(&Message::Ack { seq: ProbeSeq(seq), coordinate });
    let input = Input::Packet { from: addr(from), bytes: &bytes };
    let _ = step(&mut stage.node, input, stage.now, &mut Outbox::new());
}

/// Answers the next ping after a while; whom it was for.
fn answer(stage: &mut Stage, after: Duration, coordinate: Option<&[u8]>) -> Pinged {
    let ping = stage.next_ping();
    stage.wait(after);
    acked(stage, ping.target, ping.seq, coordinate);
    ping
}

/// A place so many seconds along the first axis.
fn place(seconds: f64) -> Quantised {
    let mut coordinate = Coordinate { error: 0.1, ..Coordinate::START };
    coordinate.vector[0] = seconds;
    Quantised::of(&coordinate)
}

/// What the node answers to a ping, as bytes.
fn reply(node: &mut Node, bytes: &[u8], now: Instant) -> Vec<u8> {
    let mut outbox = Outbox::new();
    let outputs = step(node, Input::Packet { from: addr(1), bytes }, now, &mut outbox);
    outputs
        .filter_map(|output| match output {
            Output::Packet { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        })
        .next()
        .unwrap()
}

fn coordinate_in(packet: &[u8]) -> Option<Vec<u8>> {
    let wire = Wire::new(&lan());
    let message = wire.open_packet(packet).unwrap().next().unwrap().unwrap();
    let Message::Ack { coordinate, .. } = message else { panic!("{message:?}") };
    coordinate.map(<[u8]>::to_vec)
}

#[test]
fn a_direct_ack_moves_the_node_and_its_peer_is_remembered() {
    let mut stage = Stage::new(3, &lan());
    assert_eq!(*stage.node.coordinate(), Coordinate::START);
    assert_eq!(stage.node.rtt("n0", "n1"), None);
    let ping = answer(&mut stage, ms(20), Some(place(0.001).bytes()));
    let (peer, other) = (name(ping.target), name(3 - ping.target));
    assert_ne!(*stage.node.coordinate(), Coordinate::START);
    assert_eq!(stage.node.coordinate_of(&peer), Some(place(0.001).coordinate()));
    assert_eq!(stage.node.coordinate_of("n0"), Some(*stage.node.coordinate()));
    let distance = stage.node.coordinate().distance(&place(0.001).coordinate());
    assert_eq!(stage.node.rtt("n0", &peer), Some(distance));
    assert_eq!(stage.node.rtt(&peer, "n0"), Some(distance));
    assert_eq!(stage.node.rtt(&peer, &other), None, "that one was never probed");
    assert_eq!(stage.node.rtt("n0", "nobody"), None);
}

#[test]
fn round_trips_are_learned_from_probes_alone() {
    // Two nodes, 30 ms apart, each of which answers the other.
    let mut pair = [Stage::seeded(1, 2, &lan()), Stage::seeded(2, 2, &lan())];
    for _ in 0..100 {
        for (i, j) in [(0, 1), (1, 0)] {
            let here = Quantised::of(pair[j].node.coordinate());
            answer(&mut pair[i], ms(30), Some(here.bytes()));
        }
    }
    for stage in &pair {
        let rtt = stage.node.rtt("n0", "n1").unwrap();
        assert!(rtt.abs_diff(ms(30)) < Duration::from_micros(300), "{rtt:?}");
        assert!(stage.node.coordinate().error < 0.1);
        assert_eq!(stage.node.counters().coordinates_refused, 0);
    }
}

#[test]
fn nodes_that_keep_coordinates_tell_each_other() {
    let mut net = Cluster::converged(4, &lan());
    net.run(30 * SECOND);
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        assert!(net.node(i).coordinate_of(&name(j)).is_some(), "{i} of {j}");
        assert!(net.node(i).rtt(&name(j), "n0").is_some());
    }
}

#[test]
fn without_coordinates_nothing_is_sent_or_kept() {
    let mut stage = Stage::new(3, &off());
    let ping = packet(&Message::Ping { seq: ProbeSeq(7), target: "n0" });
    let ack = reply(&mut stage.node, &ping, stage.now);
    assert_eq!(ack, packet(&Message::Ack { seq: ProbeSeq(7), coordinate: None }));
    for _ in 0..4 {
        answer(&mut stage, ms(5), Some(place(0.1).bytes()));
        answer(&mut stage, ms(5), Some(&[9; 3]));
    }
    assert_eq!(*stage.node.coordinate(), Coordinate::START);
    assert_eq!((stage.node.coordinate_of("n0"), stage.node.coordinate_of("n1")), (None, None));
    assert_eq!(stage.node.rtt("n0", "n1"), None);
    assert_eq!(stage.node.counters().coordinates_refused, 0);
    assert_eq!(stage.node.counters().probes_failed, 0);
    assert!(stage.node.coordinates.is_none());
}

#[test]
fn peers_with_and_without_coordinates_live_together() {
    let nodes = (0..3).map(|i| {
        let config = if i == 0 { off() } else { lan() };
        Some(super::born(i, &config, &super::known(3), Instant::ORIGIN))
    });
    let mut net = Cluster::of(nodes.collect());
    net.run(30 * SECOND);
    for (_, node) in net.live() {
        assert_eq!((node.counters().probes_failed, node.counters().coordinates_refused), (0, 0));
    }
    assert!(net.node(1).coordinate_of("n2").is_some() && net.node(1).coordinate_of("n0").is_none());
}

#[test]
fn what_makes_no_sense_is_counted_and_the_probe_counts_all_the_same() {
    let mut stage = Stage::new(2, &lan());
    let mut other = *place(0.1).bytes().first_chunk::<23>().unwrap();
    other[0] = 2;
    let mut far = other;
    (far[0], far[1], far[2]) = (1, 0xFF, 0x7F);
    for (n, bytes) in [&other[..], &far, &other[..22], &[], &[1; 40]].into_iter().enumerate() {
        answer(&mut stage, ms(5), Some(bytes));
        assert_eq!(stage.node.counters().coordinates_refused, n as u64 + 1);
    }
    answer(&mut stage, ms(5), None);
    assert_eq!(stage.node.counters().coordinates_refused, 5, "none is no nonsense");
    assert_eq!((*stage.node.coordinate(), stage.node.coordinate_of("n1")), (Coordinate::START, None));
    stage.wait(SECOND);
    assert_eq!((stage.node.health(), stage.node.counters().suspicions), (0, 0));
}

#[test]
fn a_round_trip_of_more_than_ten_seconds_moves_nobody() {
    let config = Config { probe_timeout: 12 * SECOND, probe_interval: 20 * SECOND, ..lan() };
    let mut stage = Stage::new(2, &config);
    answer(&mut stage, ms(10_001), Some(place(0.1).bytes()));
    assert_eq!(stage.node.counters().coordinates_refused, 1);
    assert_eq!((*stage.node.coordinate(), stage.node.coordinate_of("n1")), (Coordinate::START, None));
    answer(&mut stage, ms(10_000), Some(place(0.1).bytes()));
    assert_eq!(stage.node.counters().coordinates_refused, 1);
    assert!(stage.node.coordinate_of("n1").is_some());
}

#[test]
fn an_ack_that_came_after_helpers_were_asked_or_comes_twice_says_nothing_about_places() {
    let mut stage = Stage::new(3, &lan());
    let ping = stage.next_ping();
    stage.wait(ms(600));
    assert!(!stage.helpers_since(ping).is_empty());
    acked(&mut stage, ping.target, ping.seq, Some(place(0.1).bytes()));
    assert_eq!(stage.node.counters().probes_failed, 0);
    assert_eq!(stage.node.coordinate_of(&name(ping.target)), None);
    let ping = answer(&mut stage, ms(5), Some(place(0.1).bytes()));
    let moved = *stage.node.coordinate();
    acked(&mut stage, ping.target, ping.seq, Some(place(0.2).bytes()));
    acked(&mut stage, ping.target, ping.seq.wrapping_add(40), Some(place(0.2).bytes()));
    assert_eq!(*stage.node.coordinate(), moved);
}

#[test]
fn only_acks_to_direct_pings_carry_a_place() {
    let mut stage = Stage::new(3, &lan());
    let now = stage.now;
    let direct = reply(&mut stage.node, &packet(&Message::Ping { seq: ProbeSeq(7), target: "n0" }), now);
    assert_eq!(coordinate_in(&direct).as_deref(), Some(Quantised::of(&Coordinate::START).bytes()));
    let request = Message::PingReq { seq: ProbeSeq(8), target: "n0", addr: addr(0), nack: true };
    assert_eq!(coordinate_in(&reply(&mut stage.node, &packet(&request), now)), None);

    // As a helper: what it passes on is not its own way.
    stage.hears(1, &[Word::PingReq { seq: 70, target: 2, nack: false }]);
    let Some(Word::Ping { seq, .. }) = stage.said.last().unwrap().words.first().copied() else { panic!() };
    let bytes = packet(&Message::Ack { seq: ProbeSeq(seq), coordinate: Some(place(0.1).bytes()) });
    let relayed = reply(&mut stage.node, &bytes, now);
    assert_eq!(coordinate_in(&relayed), None);
    assert_eq!(stage.node.coordinate_of("n2"), None);

    // Over a stream.
    let (id, mut outbox) = (StreamId::Theirs(1), Outbox::new());
    let opened = Input::Stream { id, input: StreamInput::Opened { peer: addr(1) } };
    let _ = step(&mut stage.node, opened, now, &mut outbox);
    let (mut wire, mut frame) = (Wire::new(&lan()), Vec::new());
    let start = wire.begin_frame(&mut frame);
    wire.encode(&Message::Ping { seq: ProbeSeq(9), target: "n0" }, &mut frame);
    wire.finish_frame(start, &mut frame);
    let input = Input::Stream { id, input: StreamInput::Frame(&frame) };
    let answer = step(&mut stage.node, input, now, &mut outbox).find_map(|output| match output {
        Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } => Some(bytes.to_vec()),
        _ => None,
    });
    assert_eq!(coordinate_in(&answer.unwrap()[5..]), None);
}

#[test]
fn a_member_that_comes_back_has_no_place_until_it_is_probed_again() {
    let mut stage = Stage::new(2, &lan());
    answer(&mut stage, ms(5), Some(place(0.1).bytes()));
    assert!(stage.node.coordinate_of("n1").is_some());
    stage.hears(1, &[Word::Dead { of: 1, incarnation: 1, by: 1 }]);
    assert!(stage.node.coordinate_of("n1").is_some(), "a departed member's place is still of interest");
    stage.hears(1, &[Word::Alive { of: 1, incarnation: 2 }]);
    assert_eq!(stage.node.coordinate_of("n1"), None);
}

#[test]
fn a_reaped_member_is_forgotten_and_its_row_s_next_member_does_not_inherit() {
    let config = Config { tombstone_timeout: 60 * SECOND, ..lan() };
    let mut stage = Stage::new(1, &config);
    stage.hears(1, &[Word::Alive { of: 1, incarnation: 1 }]);
    answer(&mut stage, ms(5), Some(place(0.1).bytes()));
    stage.hears(1, &[Word::Dead { of: 1, incarnation: 1, by: 1 }]);
    stage.wait(120 * SECOND);
    assert!(stage.node.member("n1").is_none(), "it was reaped");
    assert_eq!(stage.node.coordinate_of("n1"), None);
    stage.hears(2, &[Word::Alive { of: 2, incarnation: 1 }]);
    assert!(stage.node.member("n2").is_some());
    assert_eq!(stage.node.coordinate_of("n2"), None);
}

#[test]
fn one_peer_with_a_wild_place_does_not_drag_a_node_that_is_sure() {
    let mut stage = Stage::new(6, &lan());
    let wild = Quantised::of(&Coordinate { vector: [9.0; 8], error: 0.0, adjustment: 9.0, height: 9.0 });
    for n in 0..400 {
        let ping = stage.next_ping();
        stage.wait(ms(5));
        // The honest sit around the origin, each on an axis of its own.
        let mut honest = Coordinate { error: 0.05, height: 0.0025, ..Coordinate::START };
        honest.vector[ping.target] = 0.001;
        let claim = if ping.target == 5 && n > 100 { wild } else { Quantised::of(&honest) };
        acked(&mut stage, ping.target, ping.seq, Some(claim.bytes()));
    }
    assert!(stage.node.counters().coordinates_refused > 20);
    for i in 1..5 {
        let rtt = stage.node.rtt("n0", &name(i)).unwrap();
        assert!(rtt.abs_diff(ms(5)) < ms(1), "n{i}: {rtt:?}");
    }
}

#[test]
fn forks_of_one_seed_go_the_same_way() {
    let mut stage = Stage::new(3, &lan());
    answer(&mut stage, ms(5), Some(place(0.0).bytes()));
    let fork = |run| {
        let mut fork = Stage::new(3, &lan());
        (fork.node, fork.now) = (stage.node.fork(Seed::simulated(run, 0, 0)), stage.now);
        let here = Quantised::of(fork.node.coordinate());
        answer(&mut fork, ms(5), Some(here.bytes()));
        *fork.node.coordinate()
    };
    assert_eq!(fork(1), fork(1));
    assert_ne!(fork(1), fork(2), "places that coincide part in a direction that is drawn");
}
