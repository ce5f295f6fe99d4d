//! Whole nodes with keys: who joins whom, and what is counted (facts 5.2, 59 to 62).

use super::cluster::Cluster;
use super::{SECOND, addr, known, lan, name};
use crate::config::{Cipher, Config, Packing};
use crate::error::{BirthError, CommandError, StreamFailure};
use crate::id::{Incarnation, NodeName};
use crate::io::{Command, CommandId, Done, Input, Outbox, Output};
use crate::keyring::{Key, Keyring, KeyringError};
use crate::members::Roster;
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::step;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::WireError;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).unwrap()
}

fn ring(bytes: &[u8]) -> Keyring {
    match bytes {
        [] => Keyring::empty(),
        [primary, others @ ..] => {
            Keyring::of(key(*primary), others.iter().map(|&byte| key(byte)).collect()).unwrap()
        }
    }
}

fn simulated() -> Config {
    Config { simulation: true, ..lan() }
}

fn try_born(i: usize, config: &Config, keyring: Keyring, members: usize) -> Result<Node, BirthError> {
    let seed = Seed::simulated(9, i as u64, 0);
    let roster = Arc::new(Roster::new(known(members).iter().cloned(), &seed));
    let restore = Restore { incarnation: Incarnation(0), roster, ..Restore::default() };
    let name = NodeName::new(&name(i)).unwrap();
    let birth = Birth { name, addr: addr(i), tags: &Tags::new(), seed, keyring, restore };
    Node::new(config.clone(), birth, Instant::ORIGIN)
}

fn born(i: usize, config: &Config, keyring: Keyring) -> Option<Node> {
    Some(try_born(i, config, keyring, 0).unwrap())
}

/// `n1` joins `n0`; what each then knows of others, and the command's end.
fn join(n0: Option<Node>, n1: Option<Node>) -> ((u32, u32), Option<Result<Done, CommandError>>, Cluster) {
    let mut net = Cluster::of(vec![n0, n1]);
    net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    net.run(30 * SECOND);
    let ends = net.completed.pop().map(|(_, end)| end);
    ((net.node(0).others_up(), net.node(1).others_up()), ends, net)
}

#[test]
fn a_sealed_cluster_finds_itself_and_stays_healthy() {
    let nodes = (0..5).map(|i| born(i, &simulated(), ring(&[1]))).collect();
    let mut net = Cluster::of(nodes);
    for i in 1..5 {
        net.command(i, i as u64, Command::Join { addresses: vec![addr(0)], replay: false });
    }
    net.run(120 * SECOND);
    for (i, node) in net.live() {
        assert_eq!((node.others_up(), node.health()), (4, 0), "node {i}");
        let counters = node.counters();
        assert_eq!((counters.suspicions, counters.packets_rejected, counters.frames_rejected), (0, 0, 0));
        assert!(counters.packets_accepted > 100 && counters.accepted_unsealed == 0);
    }
}

/// Facts 5.2, 61.
#[test]
fn nodes_with_different_keys_do_not_join_and_both_tables_stay_as_they_were() {
    let (known, end, net) = join(born(0, &simulated(), ring(&[1])), born(1, &simulated(), ring(&[2])));
    assert_eq!(known, (0, 0));
    assert!(matches!(end, Some(Err(CommandError::NotJoined { .. }))), "{end:?}");
    assert_eq!(net.node(0).counters().rejected_seal, 1);
    assert_eq!(net.node(0).counters().frames_rejected, 1);
}

#[test]
fn a_shared_key_is_enough_whichever_is_primary() {
    let (known, end, _) = join(born(0, &simulated(), ring(&[1, 2])), born(1, &simulated(), ring(&[2, 1])));
    assert_eq!((known, end), ((1, 1), Some(Ok(Done::Joined { reached: 1, failed: 0 }))));
    // One that has only the other's second key hears nothing that it can open.
    let (known, ..) = join(born(0, &simulated(), ring(&[1, 2])), born(1, &simulated(), ring(&[2])));
    assert_eq!(known.1, 0);
}

/// Facts 5.2, 59.
#[test]
fn labels_keep_clusters_apart_with_keys_as_without() {
    let labelled = |label: &str| Config { label: label.into(), ..simulated() };
    for keyring in [ring(&[]), ring(&[1])] {
        let pair = |a: &str, b: &str| {
            let (a, b) = (labelled(a), labelled(b));
            join(born(0, &a, keyring.clone()), born(1, &b, keyring.clone()))
        };
        assert_eq!(pair("red", "red").0, (1, 1));
        for (a, b) in [("red", "blue"), ("red", ""), ("", "red")] {
            let (known, end, net) = pair(a, b);
            assert_eq!(known, (0, 0), "{a} and {b}");
            assert!(matches!(end, Some(Err(CommandError::NotJoined { .. }))));
            assert_eq!(net.node(0).counters().rejected_label, 1);
        }
    }
}

/// Facts 5.2, 62: none, aware, sending, enforcing. Neighbours in the roll-out live together; its two ends cannot.
#[test]
fn encryption_is_rolled_out_in_four_steps_without_parting_the_cluster() {
    let step = |i: usize, step: usize| {
        let config = Config { verify_incoming: step == 3, verify_outgoing: step >= 2, ..simulated() };
        born(i, &config, if step == 0 { ring(&[]) } else { ring(&[1]) })
    };
    for a in 0..4usize {
        for b in 0..4usize {
            let together = a.abs_diff(b) <= 1 || (a.min(b) == 1 && a.max(b) == 2);
            let (known, end, net) = join(step(0, a), step(1, b));
            let what = format!("{a} and {b}: {end:?}");
            if together {
                assert_eq!(known, (1, 1), "{what}");
                let unsealed: u64 = net.live().map(|(_, node)| node.counters().accepted_unsealed).sum();
                // Those who have keys count what they take without a seal.
                assert_eq!(unsealed > 0, a.min(b) <= 1 && a.max(b) >= 1, "{what}");
                let rejected: u64 = net.live().map(|(_, node)| node.counters().rejected_seal).sum();
                assert_eq!(rejected, 0, "{what}");
            } else {
                assert_ne!(known, (1, 1), "{what}");
            }
        }
    }
}

#[test]
fn a_node_without_keys_takes_nothing_that_is_sealed() {
    let mut sealing = try_born(1, &simulated(), ring(&[1]), 2).unwrap();
    let mut plain = try_born(0, &lan(), ring(&[]), 2).unwrap();
    let mut outbox = Outbox::new();
    let at = sealing.deadline().unwrap().0;
    let packets: Vec<_> = step(&mut sealing, Input::Tick, at, &mut outbox)
        .filter_map(|output| match output {
            Output::Packet { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        })
        .collect();
    assert!(!packets.is_empty());
    for bytes in &packets {
        let input = Input::Packet { from: addr(1), bytes };
        assert_eq!(step(&mut plain, input, at, &mut outbox).count(), 0);
    }
    assert_eq!(plain.counters().rejected_seal, packets.len() as u64);
    assert_eq!(plain.counters().packets_rejected, packets.len() as u64);
}

#[test]
fn keys_are_changed_one_node_at_a_time_and_nobody_is_lost() {
    let mut net =
        Cluster::of((0..4).map(|i| Some(try_born(i, &simulated(), ring(&[1]), 4).unwrap())).collect());
    net.run(5 * SECOND);
    type Change = fn(&mut Keyring) -> Result<(), KeyringError>;
    let changes: [Change; 3] =
        [|ring| ring.install(key(2)), |ring| ring.use_key(&key(2)), |ring| ring.remove(&key(1))];
    for change in changes {
        for i in 0..4 {
            net.nodes[i].as_mut().unwrap().wire.change_keys(change).unwrap();
            net.run(3 * SECOND);
        }
    }
    for (_, node) in net.live() {
        assert_eq!(*node.keyring(), ring(&[2]));
        assert_eq!((node.others_up(), node.counters().rejected_seal, node.counters().suspicions), (3, 0, 0));
    }
}

#[test]
fn a_refused_frame_ends_the_join_with_the_reason() {
    let mut joiner = try_born(1, &simulated(), ring(&[1]), 0).unwrap();
    let mut outbox = Outbox::new();
    let command = Command::Join { addresses: vec![addr(0)], replay: false };
    let mut open =
        step(&mut joiner, Input::Command { id: CommandId(1), command }, Instant::ORIGIN, &mut outbox);
    let Some(Output::Stream { id, .. }) = open.next() else { panic!("a join opens a stream") };
    let opened = crate::io::StreamInput::Opened { peer: addr(0) };
    let _ = step(&mut joiner, Input::Stream { id, input: opened }, Instant::ORIGIN, &mut outbox);
    let frame = [0xD8, 7, 0, 0, 0, 0xD7, 1, 0, 0, 0, 0, 0];
    let crc = crc32fast::hash(&frame[5..8]).to_le_bytes();
    let frame = [&frame[..8], &crc].concat();
    let input = Input::Stream { id, input: crate::io::StreamInput::Frame(&frame) };
    let end = step(&mut joiner, input, Instant::ORIGIN, &mut outbox).find_map(|output| match output {
        Output::Completed { result, .. } => Some(result),
        _ => None,
    });
    let Some(Err(CommandError::NotJoined { reason, .. })) = end else { panic!("{end:?}") };
    assert_eq!(reason, StreamFailure::Invalid(WireError::Unsealed));
}

#[test]
fn keys_with_a_seed_that_anybody_can_predict_are_for_simulations() {
    assert_eq!(try_born(0, &lan(), ring(&[1]), 0).unwrap_err(), BirthError::SimulatedSeed);
    assert!(try_born(0, &simulated(), ring(&[1]), 0).is_ok());
    assert!(try_born(0, &lan(), ring(&[]), 0).is_ok());
}

#[test]
fn a_key_that_the_cipher_does_not_take_is_refused_at_birth() {
    let config = Config { cipher: Cipher::ChaCha20Poly1305, ..simulated() };
    let short = Keyring::of(Key::new(&[1; 16]).unwrap(), vec![]).unwrap();
    let error = try_born(0, &config, short.clone(), 0).unwrap_err();
    assert_eq!(error, BirthError::Keyring(KeyringError::Unfit(16)));
    assert!(try_born(0, &simulated(), short, 0).is_ok());
}

#[test]
fn a_fork_shares_no_nonce_with_its_original() {
    let mut node = try_born(0, &simulated(), ring(&[1]), 3).unwrap();
    let mut fork = node.fork(Seed::simulated(77, 0, 0));
    let nonces = |node: &mut Node| -> Vec<Vec<u8>> {
        let mut outbox = Outbox::new();
        let at = node.deadline().unwrap().0;
        let packets = step(node, Input::Tick, at, &mut outbox);
        packets
            .filter_map(|output| match output {
                Output::Packet { bytes, .. } => Some(bytes[3..15].to_vec()),
                _ => None,
            })
            .collect()
    };
    let (ours, theirs) = (nonces(&mut node), nonces(&mut fork));
    assert!(!ours.is_empty() && !theirs.is_empty());
    assert!(ours.iter().all(|nonce| !theirs.contains(nonce)));
}

/// What a gossip tick tells several members is one packet without keys, and has a nonce of its own each time with them.
#[test]
fn a_gossip_tick_seals_each_packet_anew() {
    for (keyring, distinct) in [(Keyring::empty(), 1), (ring(&[1]), 3)] {
        let config = Config { packing: Packing::Strict, ..simulated() };
        let mut node = try_born(0, &config, keyring, 9).unwrap();
        let mut outbox = Outbox::new();
        let command = Command::SetTags(Tags::from_iter([("role", "web")]));
        let _ = step(&mut node, Input::Command { id: CommandId(1), command }, Instant::ORIGIN, &mut outbox);
        let mut told: Vec<Vec<u8>> = Vec::new();
        while told.len() < 3 {
            let (now, due) = node.deadline().unwrap();
            for output in step(&mut node, Input::Tick, now, &mut outbox) {
                if let (Output::Packet { bytes, .. }, crate::Due::Gossip) = (output, due) {
                    told.push(bytes.to_vec());
                }
            }
        }
        told.sort();
        told.dedup();
        assert_eq!(told.len(), distinct);
    }
}

#[test]
fn a_node_does_not_print_its_keys() {
    let keyring = Keyring::of(Key::new(b"ABCDEFGHIJKLMNOP").unwrap(), vec![]).unwrap();
    let node = try_born(0, &simulated(), keyring, 0).unwrap();
    let printed = format!("{node:?}");
    assert!(printed.contains("Keyring(1 keys)"));
    assert!(!printed.contains("65, 66, 67") && !printed.contains("ABCD"));
}
