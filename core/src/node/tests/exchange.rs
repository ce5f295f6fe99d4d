//! Full push/pull with Serf's part: clocks, statuses, those that left (facts 1.14 and 2.13; numbers are those of 5.2).

use super::cluster::Cluster;
use super::words::{Word, packet};
use super::{SECOND, addr, born, lan, ms, name};
use crate::config::{AntiEntropy, Config};
use crate::id::{Incarnation, LamportTime, NodeName, Versions};
use crate::io::{Command, CommandId, Done, EventRequest, Input, State, Status, StreamId, StreamInput};
use crate::node::Node;
use crate::time::Instant;
use crate::wire::{Alive, Clocks, DeltaHead, Intent, Message, SyncHead, SyncRow, VersionSpan, Wire};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn status(node: &Node, of: usize) -> Option<(Status, u64)> {
    let slot = node.members.find(&name(of))?;
    Some((node.members.known(slot)?.status, node.members.status_time(slot).0))
}

fn word(net: &mut Cluster, to: usize, word: Word) {
    net.step(to, Input::Packet { from: addr(9), bytes: &packet(&[word]) });
}

const SPAN: VersionSpan = VersionSpan {
    protocol_min: 1,
    protocol_max: 5,
    protocol_spoken_min: 2,
    protocol_spoken_max: 2,
    app_min: 2,
    app_max: 5,
    app_spoken_min: 5,
    app_spoken_max: 5,
};

/// A peer `n1` opens a stream to node 0 and says this.
fn push(net: &mut Cluster, messages: &[Message<'_>]) {
    let id = StreamId::Theirs(700);
    let (mut wire, mut bytes) = (Wire::new(&lan()), Vec::new());
    let start = wire.begin_frame(&mut bytes);
    let head = Message::SyncHead(SyncHead { join: false, from: "n1", versions: SPAN, replay: false });
    [head]
        .iter()
        .chain(messages)
        .chain([&Message::SyncEnd])
        .for_each(|message| wire.encode(message, &mut bytes));
    wire.finish_frame(start, &mut bytes);
    net.listen_to(0, id);
    let before = net.node(0).counters().syncs;
    net.step(0, Input::Stream { id, input: StreamInput::Opened { peer: addr(1) } });
    net.step(0, Input::Stream { id, input: StreamInput::Frame(&bytes) });
    assert_eq!(net.node(0).counters().syncs, before + 1);
}

fn row(of: &str, state: State, status: Status, time: u64) -> SyncRow<'_> {
    let i = of[1..].parse().unwrap();
    let (incarnation, versions) = (Incarnation(1), Versions::CURRENT);
    let alive = Alive { incarnation, name: of, addr: addr(i), meta: &[], versions };
    SyncRow { alive, state, status, status_time: LamportTime(time) }
}

/// 95. The leave is kept with its own time, not with one more: a rejoin stamped right after it must count.
#[test]
fn a_table_brings_clocks_and_intents_about_unknown_members() {
    let mut net = Cluster::strangers(1, &lan());
    let clocks = Clocks { member: LamportTime(42), event: LamportTime(50), query: LamportTime(100) };
    push(
        &mut net,
        &[
            Message::SyncClocks(clocks),
            Message::SyncRow(row("n20", State::Suspect, Status::Alive, 20)),
            Message::SyncRow(row("n15", State::Left, Status::Left, 15)),
        ],
    );
    assert_eq!(net.node(0).clocks(), clocks);
    assert_eq!(net.node(0).early_intents(), 2);
    for of in [20, 15] {
        word(&mut net, 0, Word::Alive { of, incarnation: 2 });
    }
    assert_eq!(status(net.node(0), 20), Some((Status::Alive, 20)));
    assert_eq!(status(net.node(0), 15), Some((Status::Leaving, 15)));
    word(&mut net, 0, Word::JoinIntent { of: 15, at: 16 });
    assert_eq!(status(net.node(0), 15), Some((Status::Alive, 16)));
}

/// Events are asked for where a member listens, not where its stream comes from.
#[test]
fn the_sender_of_a_table_is_known_by_its_own_row_or_by_its_name() {
    let first = row("n1", State::Alive, Status::Alive, 0);
    let clocks = Clocks::default();
    let delta = DeltaHead { from: "n2", versions: SPAN, clocks, rows: 0, root: 0, marks: 0 };
    let head = SyncHead { join: false, from: "n1", versions: SPAN, replay: false };
    let second = row("n3", State::Alive, Status::Alive, 0);
    for (messages, peer) in [
        (vec![Message::SyncHead(head), Message::SyncRow(first), Message::SyncRow(second)], addr(1)),
        (vec![Message::DeltaHead(delta)], addr(2)),
        (vec![Message::DeltaHead(DeltaHead { from: "n99", ..delta })], addr(50)),
    ] {
        let mut net = Cluster::converged(4, &lan());
        let id = StreamId::Theirs(700);
        let (mut wire, mut bytes) = (Wire::new(&lan()), Vec::new());
        let start = wire.begin_frame(&mut bytes);
        messages.iter().for_each(|message| wire.encode(message, &mut bytes));
        wire.finish_frame(start, &mut bytes);
        net.listen_to(0, id);
        net.step(0, Input::Stream { id, input: StreamInput::Opened { peer: addr(50) } });
        net.step(0, Input::Stream { id, input: StreamInput::Frame(&bytes) });
        assert_eq!(net.node(0).streams.get(id).unwrap().peer, peer);
    }
}

/// What of a row counts against what is known.
#[test]
fn the_later_status_of_two_tables_counts() {
    use Status::{Alive, Failed, Leaving, Left};
    let cases = [
        ((Alive, 5), row("n2", State::Alive, Leaving, 6), (Leaving, 6)),
        ((Alive, 5), row("n2", State::Alive, Leaving, 5), (Alive, 5)),
        ((Leaving, 5), row("n2", State::Alive, Alive, 5), (Alive, 5)),
        ((Leaving, 5), row("n2", State::Alive, Alive, 4), (Leaving, 5)),
        ((Leaving, 5), row("n2", State::Suspect, Alive, 6), (Alive, 6)),
        ((Alive, 5), row("n2", State::Dead, Left, 6), (Leaving, 6)),
        ((Alive, 5), row("n2", State::Dead, Failed, 6), (Alive, 6)),
        ((Alive, 5), row("n2", State::Left, Left, 2), (Left, 5)),
        ((Failed, 5), row("n2", State::Dead, Left, 5), (Left, 5)),
        ((Failed, 5), row("n2", State::Dead, Left, 4), (Failed, 5)),
        ((Failed, 5), row("n2", State::Dead, Failed, 7), (Failed, 7)),
        ((Left, 5), row("n2", State::Left, Left, 9), (Left, 9)),
    ];
    for (known, row, expected) in cases {
        let mut net = Cluster::converged(4, &lan());
        word(&mut net, 0, Word::JoinIntent { of: 2, at: known.1 });
        match known.0 {
            Leaving => word(&mut net, 0, Word::LeaveIntent { of: 2, at: known.1, prune: false }),
            Failed => word(&mut net, 0, Word::Dead { of: 2, incarnation: 1, by: 3 }),
            Left => word(&mut net, 0, Word::Dead { of: 2, incarnation: 1, by: 2 }),
            Alive => {}
        }
        if known.0 == Leaving {
            // Decided at that very time.
            let slot = net.node(0).members.find("n2").unwrap();
            net.nodes[0].as_mut().unwrap().members.set_status(slot, Leaving, LamportTime(known.1));
        }
        push(&mut net, &[Message::SyncRow(row)]);
        assert_eq!(status(net.node(0), 2), Some(expected), "{known:?} and {row:?}");
    }
}

/// One that is forgotten by the failure detector has a status all the same, and a peer that missed its leave hears of it.
#[test]
fn those_that_left_long_ago_are_told_by_name() {
    let mut net = Cluster::converged(3, &lan());
    word(&mut net, 0, Word::Dead { of: 2, incarnation: 1, by: 1 });
    push(
        &mut net,
        &[
            Message::SyncRow(row("n1", State::Alive, Status::Alive, 0)),
            Message::LeaveIntent(Intent { ltime: LamportTime(8), name: "n2", prune: false }),
            Message::LeaveIntent(Intent { ltime: LamportTime(8), name: "n77", prune: false }),
            // It has no say about those that are there.
            Message::LeaveIntent(Intent { ltime: LamportTime(8), name: "n1", prune: false }),
        ],
    );
    assert_eq!(
        (status(net.node(0), 2), status(net.node(0), 1)),
        (Some((Status::Left, 8)), Some((Status::Alive, 0)))
    );
    assert_eq!(net.events[0], ["failed n2", "leave n2"]);
    assert_eq!((net.node(0).early_intents(), net.node(0).clocks().member), (0, LamportTime(9)));
}

/// The same between whole nodes, by exchanges alone.
#[test]
fn a_force_leave_that_a_partition_missed_is_learned_when_it_heals() {
    for anti_entropy in [AntiEntropy::Full, AntiEntropy::Delta] {
        let config = Config { anti_entropy, ..lan() };
        let mut net = Cluster::converged(5, &config);
        net.kill(4);
        net.run(60 * SECOND);
        for i in 0..3 {
            net.cut(i, 3);
        }
        net.command(0, 1, Command::ForceLeave { name: NodeName::new("n4").unwrap(), prune: false });
        net.run(60 * SECOND);
        assert_eq!(status(net.node(3), 4), Some((Status::Failed, 0)));
        net.mend();
        net.run(200 * SECOND);
        for i in 0..4 {
            assert_eq!(status(net.node(i), 4), Some((Status::Left, 1)), "{anti_entropy:?}: node {i}");
            assert_eq!(net.node(i).others_up(), 3);
        }
    }
}

/// Serf issue 359: there a node whose refutation was lost is shown as leaving for ever.
#[test]
fn a_node_that_is_shown_as_leaving_says_again_that_it_stays() {
    for anti_entropy in [AntiEntropy::Full, AntiEntropy::Delta] {
        let config = Config { anti_entropy, push_pull_interval: 5 * SECOND, ..lan() };
        let mut net = Cluster::converged(5, &config);
        // n4 alone hears that n2 leaves; n2 does not.
        word(&mut net, 4, Word::LeaveIntent { of: 2, at: 50, prune: false });
        net.nodes[4].as_mut().unwrap().queue = crate::spread::Lanes::new();
        assert_eq!(status(net.node(4), 2), Some((Status::Leaving, 50)));
        net.run(60 * SECOND);
        for i in 0..5 {
            let (now, time) = status(net.node(i), 2).unwrap();
            assert!(now == Status::Alive && time > 50, "{anti_entropy:?}: node {i}: {now:?} {time}");
            assert_eq!(net.events[i], Vec::<String>::new());
        }
    }
}

#[test]
fn an_older_leave_is_answered_by_the_same_word_and_a_newer_one_by_a_newer() {
    let mut net = Cluster::converged(4, &lan());
    word(&mut net, 0, Word::LeaveIntent { of: 0, at: 5, prune: false });
    assert_eq!(status(net.node(0), 0), Some((Status::Alive, 6)));
    for (time, own) in [(5, 6), (6, 7), (9, 10)] {
        let mut net = Cluster::converged(4, &lan());
        word(&mut net, 0, Word::LeaveIntent { of: 0, at: 5, prune: false });
        net.nodes[0].as_mut().unwrap().queue = crate::spread::Lanes::new();
        let first = row("n1", State::Alive, Status::Alive, 0);
        push(
            &mut net,
            &[Message::SyncRow(first), Message::SyncRow(row("n0", State::Alive, Status::Leaving, time))],
        );
        assert_eq!(status(net.node(0), 0), Some((Status::Alive, own)), "leaving at {time}");
        net.listening = true;
        net.run(ms(1000));
        let said = |sent: &super::cluster::Sent| sent.words.contains(&Word::JoinIntent { of: 0, at: own });
        assert!(net.log.iter().any(said), "leaving at {time}");
    }
}

/// A version that a later release adds to, one that does not overlap, and what is in between.
#[test]
fn a_cluster_of_two_version_ranges_works_and_a_version_outside_is_refused_with_its_reason() {
    let mut newer = lan();
    (newer.versions.app_min, newer.versions.app_max) = (3, 7);
    let mut net = Cluster::of(vec![
        Some(born(0, &lan(), &[], Instant::ORIGIN)),
        Some(born(1, &newer, &[], Instant::ORIGIN)),
        Some(born(2, &newer, &[], Instant::ORIGIN)),
    ]);
    for i in 1..3 {
        net.command(i, i as u64, Command::Join { addresses: vec![addr(0)], replay: false });
    }
    net.run(5 * SECOND);
    for i in 0..3 {
        assert_eq!(net.node(i).others_up(), 2, "node {i}");
    }
    // All could speak 5; one that speaks 6 is not understood by n0.
    let mut ahead = newer.clone();
    ahead.versions.app = 6;
    let mut old = lan();
    (old.versions.app_min, old.versions.app_max, old.versions.app) = (1, 2, 2);
    for (config, reason) in [
        (ahead, "application versions 5 to 6 are spoken, but all understand 3 to 5"),
        (old, "application versions 2 to 5 are spoken, but all understand 3 to 2"),
    ] {
        let stranger = born(3, &config, &[], net.now);
        net.nodes.truncate(3);
        net.events.truncate(3);
        net.nodes.push(Some(stranger));
        net.events.push(Vec::new());
        // Refused whoever is asked, also one whose own range would do.
        for to in [0, 1] {
            net.completed.clear();
            net.command(3, 9, Command::Join { addresses: vec![addr(to)], replay: false });
            let error = alloc::format!("{:?}", net.completed);
            assert!(error.contains(reason), "{error}");
        }
        net.run(60 * SECOND);
        assert_eq!((net.node(3).others_up(), net.node(0).others_up()), (0, 2));
    }
    net.completed.clear();
    net.command(0, 5, Command::Join { addresses: vec![addr(1)], replay: false });
    assert_eq!(net.completed, [(CommandId(5), Ok(Done::Joined { reached: 1, failed: 0 }))]);
}

fn event(of: &str) -> Command {
    Command::UserEvent(EventRequest { name: of.into(), payload: [].into(), coalesce: false })
}

fn heard(net: &Cluster, i: usize) -> Vec<String> {
    net.events[i].iter().filter(|event| event.starts_with("event")).cloned().collect()
}

/// 94.
#[test]
fn a_joiner_gets_earlier_events_when_it_wants_them_and_only_then() {
    for replay in [false, true] {
        for events_back in [1, 5] {
            let mut net = Cluster::strangers(3, &lan());
            net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
            for id in 0..events_back {
                net.command(0, 10 + id, event(&alloc::format!("early-{id}")));
                net.run(SECOND);
            }
            net.command(2, 2, Command::Join { addresses: vec![addr(1)], replay });
            net.run(90 * SECOND);
            let expected = if replay { events_back as usize } else { 0 };
            assert_eq!(heard(&net, 2).len(), expected, "replay: {replay}, {:?}", heard(&net, 2));
            net.command(0, 99, event("late"));
            net.run(2 * SECOND);
            for i in 0..3 {
                assert_eq!(heard(&net, i).last().map(String::as_str), Some("event late of n0"), "node {i}");
            }
            assert_eq!(heard(&net, 2).len(), expected + 1);
        }
    }
}

/// Q39: somebody who joins us while we join somebody else is no reason to skip what that one has not told us.
#[test]
fn only_the_answer_to_its_own_join_makes_earlier_events_old() {
    let mut net = Cluster::converged(4, &lan());
    net.command(0, 1, event("before"));
    net.run(2 * SECOND);
    let clocks = Clocks { event: LamportTime(900), ..Clocks::default() };
    push(
        &mut net,
        &[Message::SyncClocks(clocks), Message::SyncRow(row("n1", State::Alive, Status::Alive, 0))],
    );
    net.command(1, 2, event("after"));
    net.run(2 * SECOND);
    assert_eq!(heard(&net, 0), ["event before of n0", "event after of n1"]);
}

/// What gossip has lost is closed by exchanges: their marks show it, and it is asked for.
#[test]
fn events_that_gossip_did_not_bring_come_by_marks() {
    for anti_entropy in [AntiEntropy::Full, AntiEntropy::Delta] {
        let config = Config { anti_entropy, push_pull_interval: 5 * SECOND, ..lan() };
        let mut net = Cluster::converged(4, &config);
        for i in 0..3 {
            net.cut_packets.push((i, 3));
        }
        net.command(0, 1, event("missed"));
        net.command(1, 2, event("missed-too"));
        net.run(3 * SECOND);
        assert_eq!(heard(&net, 3), Vec::<String>::new());
        net.mend();
        net.run(40 * SECOND);
        let mut came = heard(&net, 3);
        came.sort();
        assert_eq!(came, ["event missed of n0", "event missed-too of n1"], "{anti_entropy:?}");
        // From then on all have the same, and marks need not be told.
        let count = |net: &Cluster| -> (u64, u64) {
            net.live().fold((0, 0), |(syncs, equal), (_, node)| {
                (syncs + node.counters().syncs, equal + node.counters().syncs_equal)
            })
        };
        let before = count(&net);
        net.run(40 * SECOND);
        let after = count(&net);
        let (all, equal) = (after.0 - before.0, after.1 - before.1);
        // Origins that have been silent for long leave the marks, a little sooner here than there.
        let right = if anti_entropy == AntiEntropy::Delta { equal * 10 >= all * 9 } else { equal == 0 };
        assert!(all > 0 && right, "{anti_entropy:?}: {before:?} {after:?}");
    }
}
