//! Delta anti-entropy: equal tables are told in two frames, different ones end as equal as a full exchange makes them.

use super::cluster::Cluster;
use super::words::{Word, packet};
use super::{SECOND, addr, born_with, known, lan, name};
use crate::config::{AntiEntropy, Config};
use crate::id::{Incarnation, LamportTime};
use crate::io::{Input, Outbox, State, Status};
use crate::node::Node;
use crate::rng::Seed;
use crate::spread::Lanes;
use crate::sync::Purpose;
use crate::time::Instant;
use crate::wire::Kind;
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn delta() -> Config {
    // Nothing but exchanges moves anything, and both nodes know only what they are told.
    Config { anti_entropy: AntiEntropy::Delta, gossip_nodes: 0, ..lan() }
}

/// What happened to a member, as one of two nodes has heard it.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Alive(u32),
    Dead(u32),
    Gone(u32),
    Join(u64),
    Leave(u64),
}

fn word(of: usize, heard: Heard) -> Word {
    match heard {
        Heard::Alive(incarnation) => Word::Alive { of, incarnation },
        Heard::Dead(incarnation) => Word::Dead { of, incarnation, by: 2 },
        Heard::Gone(incarnation) => Word::Dead { of, incarnation, by: of },
        Heard::Join(at) => Word::JoinIntent { of, at },
        Heard::Leave(at) => Word::LeaveIntent { of, at, prune: false },
    }
}

/// Of whom what is heard. Intents are about members that both know: what is kept for a name that appears, each node keeps for itself.
fn heard(deaths: bool) -> impl Strategy<Value = (bool, usize, Heard)> {
    let any_of = 0usize..30;
    let known = 0usize..18;
    let heard = prop_oneof![
        4 => (any_of.clone(), (1u32..5).prop_map(Heard::Alive)),
        1 => (any_of.clone(), (1u32..5).prop_map(move |i| if deaths { Heard::Dead(i) } else { Heard::Alive(i) })),
        1 => (any_of, (1u32..5).prop_map(Heard::Gone)),
        2 => (known.clone(), (1u64..6).prop_map(Heard::Join)),
        2 => (known, (1u64..6).prop_map(Heard::Leave)),
    ];
    (any::<bool>(), heard).prop_map(|(first, (of, heard))| (first, of, heard))
}

/// All that waited was gossiped, to nobody who matters here.
fn drop_gossip(net: &mut Cluster) {
    net.nodes.iter_mut().flatten().for_each(|node| node.queue = Lanes::new());
}

/// Two nodes that know each other and `n` others; the first differs from the second in what each has heard.
fn two(config: &Config, n: usize, heard: &[(bool, usize, Heard)]) -> Cluster {
    let one = |i| Some(born_with(Seed::simulated(9, i as u64, 0), i, config, &known(n), Instant::ORIGIN));
    let mut net = Cluster::of(vec![one(0), one(1)]);
    for (first, of, heard) in heard {
        let to = usize::from(!first);
        net.step(to, Input::Packet { from: addr(3), bytes: &packet(&[word(2 + of, *heard)]) });
    }
    net
}

/// All that is settled at a node (nobody is suspect but by the other's word that he is dead): who is there, at which incarnation, and what is known of its wish to stay.
fn settled(node: &Node) -> BTreeMap<String, (u32, Status, u64)> {
    let up = node.members.rows().filter(|(.., known)| known.state == State::Alive);
    up.map(|(slot, who, known)| {
        let time = node.members.status_time(slot).0;
        (String::from(who.name.as_str()), (known.incarnation.0, known.status, time))
    })
    .collect()
}

/// Lets the first node begin one periodic exchange with the second.
fn exchange(net: &mut Cluster) {
    let before = net.node(0).counters().syncs + net.node(0).counters().syncs_failed;
    let node = net.nodes[0].as_mut().unwrap();
    // The exchange itself, whenever it is due and whomever it would choose.
    let id = node.open_stream(addr(1), Purpose::Periodic, net.now + SECOND, &mut Outbox::new()).unwrap();
    net.connect(0, id, 1);
    let after = net.node(0).counters().syncs + net.node(0).counters().syncs_failed;
    assert_eq!(after, before + 1, "the exchange has not ended");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever two nodes have heard: after one delta exchange they agree on all that is settled, and each knows of those that are
    /// there exactly what a full exchange would have taught it.
    #[test]
    fn one_delta_exchange_settles_what_a_full_one_settles(
        heard in prop::collection::vec(heard(true), 0..60),
        first_is_full in any::<bool>(),
    ) {
        let config = delta();
        let full = Config { anti_entropy: AntiEntropy::Full, ..delta() };
        let (mut by_delta, mut by_full) = (two(&config, 20, &heard), two(&full, 20, &heard));
        if first_is_full {
            // A node answers either kind, whatever it would begin itself.
            by_delta.nodes[1].as_mut().unwrap().config = full.into();
        }
        for net in [&mut by_delta, &mut by_full] {
            drop_gossip(net);
            exchange(net);
        }
        let (a, b) = (settled(by_delta.node(0)), settled(by_delta.node(1)));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(&a, &settled(by_full.node(0)));
        prop_assert_eq!(&b, &settled(by_full.node(1)));
        for net in [&by_delta, &by_full] {
            prop_assert_eq!(net.node(0).clocks(), net.node(1).clocks());
        }
    }

    /// What is kept up to date and what is counted afresh are the same, and two equal tables have equal digests whatever led there.
    #[test]
    fn a_second_exchange_finds_all_equal(
        heard in prop::collection::vec(heard(false), 0..60),
    ) {
        let mut net = two(&delta(), 20, &heard);
        drop_gossip(&mut net);
        exchange(&mut net);
        drop_gossip(&mut net);
        let rows = net.node(0).counters().delta_rows;
        exchange(&mut net);
        prop_assert_eq!(net.node(0).counters().delta_rows, rows);
        prop_assert!(net.node(0).counters().syncs_equal >= 1);
        prop_assert_eq!(net.node(0).counters().syncs_equal, net.node(1).counters().syncs_equal);
    }
}

#[test]
fn equal_tables_take_a_hundredth_of_the_bytes_and_one_difference_a_tenth() {
    let n = 1000;
    let bytes = |config: &Config, heard: &[(bool, usize, Heard)]| {
        let mut net = two(config, n, heard);
        drop_gossip(&mut net);
        exchange(&mut net);
        (net.frame_bytes, net.node(0).counters().delta_rows)
    };
    let full = Config { anti_entropy: AntiEntropy::Full, ..delta() };
    let (whole, none) = bytes(&full, &[]);
    let (equal, still_none) = bytes(&delta(), &[]);
    let (one, rows) = bytes(&delta(), &[(true, 1, Heard::Alive(7))]);
    assert!(equal * 100 < whole, "{equal} of {whole} bytes");
    assert!(one * 10 < whole, "{one} of {whole} bytes");
    assert_eq!((none, still_none), (0, 0));
    assert!((2..60).contains(&rows), "{rows} rows");
}

#[test]
fn a_difference_is_found_although_the_table_is_large_and_frames_are_small() {
    let config = Config { frame_bytes_max: 4096, ..delta() };
    let mut net = two(&config, 5000, &[(true, 1, Heard::Alive(7)), (false, 70, Heard::Alive(9))]);
    drop_gossip(&mut net);
    exchange(&mut net);
    for i in 0..2 {
        assert_eq!(net.node(i).member(&name(3)).unwrap().incarnation, Incarnation(7));
        assert_eq!(net.node(i).member(&name(72)).unwrap().incarnation, Incarnation(9));
    }
}

/// A row that one side gossips about is no reason to compare tables.
#[test]
fn what_is_still_gossiped_is_left_out() {
    let mut net = two(&delta(), 100, &[(true, 1, Heard::Alive(7)), (false, 1, Heard::Alive(7))]);
    net.nodes[1].as_mut().unwrap().queue = Lanes::new();
    exchange(&mut net);
    assert_eq!(net.node(0).counters().syncs_equal, 0, "one of the two counts it");
    net.step(1, Input::Packet { from: addr(3), bytes: &packet(&[word(3, Heard::Alive(8))]) });
    net.step(0, Input::Packet { from: addr(3), bytes: &packet(&[word(3, Heard::Alive(9))]) });
    exchange(&mut net);
    assert_eq!(net.node(0).counters().syncs_equal, 1, "neither counts it");
    assert_eq!(net.node(1).member(&name(3)).unwrap().incarnation, Incarnation(8));
}

#[test]
fn a_death_that_a_peer_has_heard_is_only_a_suspicion_here() {
    let mut net = two(&delta(), 20, &[(true, 3, Heard::Dead(1))]);
    exchange(&mut net);
    assert_eq!((net.state(0, 5), net.state(1, 5)), (Some(State::Dead), Some(State::Suspect)));
}

#[test]
fn versions_are_verified_before_anything_is_taken() {
    let mut future = Config { anti_entropy: AntiEntropy::Delta, ..lan() };
    (future.versions.app_min, future.versions.app_max, future.versions.app) = (6, 9, 9);
    let members = known(3);
    let one = |i, config: &Config, members| {
        Some(born_with(Seed::simulated(9, i as u64, 0), i, config, members, Instant::ORIGIN))
    };
    let mut net = Cluster::of(vec![one(0, &future, &[]), one(1, &lan(), &members)]);
    exchange(&mut net);
    assert_eq!((net.node(0).others_up(), net.node(0).counters().syncs_failed), (0, 1));
    assert_eq!(net.node(1).counters().syncs_refused, 1);
}

/// A cluster without gossip learns everything by periodic exchanges, as with full ones.
#[test]
fn missed_updates_are_repaired_by_periodic_exchanges_as_fast_as_by_full_ones() {
    let repaired = |anti_entropy| {
        let config = Config { anti_entropy, push_pull_interval: 5 * SECOND, gossip_nodes: 0, ..lan() };
        let mut net = Cluster::converged(20, &config);
        for (to, of) in [(1, 3), (7, 11), (15, 12)] {
            net.step(to, Input::Packet { from: addr(3), bytes: &packet(&[Word::JoinIntent { of, at: 4 }]) });
            // No piggyback either.
            drop_gossip(&mut net);
        }
        let time = |node: &Node, of: usize| node.members.status_time(node.members.find(&name(of)).unwrap());
        let mut seconds = 0;
        while net.live().any(|(_, node)| [3, 11, 12].iter().any(|of| time(node, *of) != LamportTime(4))) {
            net.run(SECOND);
            seconds += 1;
            assert!(seconds < 120, "not repaired after {seconds} s");
        }
        assert!(net.live().all(|(_, node)| node.clocks().member == LamportTime(5)));
        seconds
    };
    let (delta, full) = (repaired(AntiEntropy::Delta), repaired(AntiEntropy::Full));
    assert!(delta <= full + 5, "delta {delta} s, full {full} s");
}

/// Frames of each kind are where the drawing has them.
#[test]
fn an_exchange_of_equal_tables_is_one_head_each() {
    let mut net = two(&delta(), 20, &[]);
    net.tracing = true;
    exchange(&mut net);
    let frames = net.trace.iter().filter(|line| line.contains("Frame")).count();
    assert_eq!(frames, 2);
    assert_eq!(net.frame_kinds, BTreeMap::from([(Kind::DeltaHead, 2), (Kind::SyncEnd, 1)]));
}
