//! A recording says what happened, all of it and nothing else, and changes nothing.

use std::collections::HashMap;

use super::*;
use crate::world;

/// Ten nodes on a bad network, to which much happens: sealed packets, loss, a cut, a pause, blocked sockets, a crash, a leave.
const EVENTFUL: &str = r#"
    name = "eventful"
    duration = "40s"
    [cluster]
    nodes = 10
    key = "k"
    [network]
    latency = { kind = "uniform", min = "200us", max = "30ms" }
    loss = 0.1
    duplicate = 0.05
    receive_buffer = 600
    [[fault]]
    at = "4s"
    kind = "block-io"
    nodes = ["node-1"]
    for = "5s"
    [[fault]]
    at = "6s"
    kind = "pause"
    nodes = ["node-2"]
    for = "4s"
    [[fault]]
    at = "12s"
    kind = "partition"
    partition = { a = ["node-3"], b = { rest = true } }
    for = "5s"
    [[fault]]
    at = "20s"
    kind = "crash"
    nodes = ["node-4"]
    for = "8s"
    [[fault]]
    at = "30s"
    kind = "leave"
    nodes = ["node-5"]
"#;

fn eventful() -> Scenario {
    Scenario::parse(EVENTFUL, "eventful.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn all(filter: &Filter) -> (RunRecord, Recording) {
    record(&eventful(), 0, 3, filter, &mut |_| {})
}

#[test]
fn a_recorded_run_is_the_same_run() {
    let plain = world::run(&eventful(), 0, 3);
    let (recorded, recording) = all(&Filter::default());
    assert_eq!(plain, recorded);
    assert!(recording.entries.len() > 1000 && recording.left_out == 0);
}

#[test]
fn packets_are_counted_as_the_report_counts_them() {
    let (record, recording) = all(&Filter::default());
    let count = |is: &dyn Fn(&Packet) -> bool| recording.packets.iter().filter(|p| is(p)).count() as u64;
    let datagrams = |fate: &dyn Fn(Fate) -> bool| count(&|p| p.carrier == Carrier::Datagram && fate(p.fate));
    assert_eq!(datagrams(&|fate| matches!(fate, Fate::Lost { .. })), record.network["lost"]);
    assert_eq!(count(&|packet| packet.doubled), record.network["duplicated"]);
    assert!(datagrams(&|fate| fate == Fate::Overflowed) > 0);
    let cut = |name: &str| record.faults[2].did.get(name).copied().unwrap_or(0);
    assert_eq!(datagrams(&|fate| fate == Fate::Cut(2)), cut("packets_dropped"));
    // What was left unread when the run ended has no end.
    let open = count(&|p| matches!(p.fate, Fate::Waiting | Fate::Arrives(_)) && p.arrived.is_none());
    assert!(open < 100, "{open}");
}

#[test]
fn sealed_packets_are_read_and_answers_belong_to_their_pings() {
    let (_, recording) = all(&Filter::default());
    assert!(recording.packets.iter().all(|packet| !packet.sealed));
    let acks = recording.packets.iter().filter(|p| p.said.iter().any(|s| matches!(s, Said::Ack { .. })));
    let (mut direct, mut passed_on) = (0, 0);
    for packet in acks {
        for said in &packet.said {
            if let Said::Ack { target, .. } = said {
                let target = target.expect("its ping was recorded");
                *(if target == packet.from { &mut direct } else { &mut passed_on }) += 1;
            }
        }
    }
    assert!(direct > 100 && passed_on > 0, "{direct} {passed_on}");
}

#[test]
fn what_a_blocked_node_wants_to_send_leaves_when_it_is_released() {
    const S: u64 = 1_000_000_000;
    let (_, recording) = all(&Filter { nodes: vec![1], ..Filter::default() });
    let held: Vec<&Packet> = recording
        .packets
        .iter()
        .filter(|p| p.from == 1 && p.carrier == Carrier::Datagram && p.wanted > 4 * S && p.wanted < 9 * S)
        .collect();
    assert!(held.len() > 5);
    assert!(held.iter().all(|packet| packet.sent == Some(9 * S)), "{held:?}");
    let entries = recording.entries.iter().filter(|entry| matches!(entry.what, What::Held(_)));
    assert_eq!(entries.count(), held.len());
    let waited = recording.packets.iter().filter(|p| p.to == 1 && p.waited.is_some());
    assert!(waited.clone().count() > 5);
    assert!(waited.filter_map(|packet| packet.arrived).all(|read| read == 9 * S));
}

#[test]
fn a_cause_comes_before_its_effect_and_at_the_right_node() {
    let (_, recording) = all(&Filter::default());
    let mut by_packet = 0;
    for entry in &recording.entries {
        if let Cause::Packet(number) = entry.cause {
            let packet = &recording.packets[number as usize];
            assert_eq!(entry.node, Some(packet.to), "{entry:?} {packet:?}");
            assert!(packet.arrived.is_some_and(|arrived| arrived <= entry.time), "{entry:?} {packet:?}");
            by_packet += 1;
        }
    }
    assert!(by_packet > 500);
}

#[test]
fn a_filter_keeps_what_it_says_and_no_less() {
    let (_, whole) = all(&Filter::default());
    let (from, until) = (5_000_000_000, 35_000_000_000);
    let filter = Filter { from, until, about: vec![4], ..Filter::default() };
    let (_, part) = all(&filter);
    let said = |recording: &Recording, limit: bool| -> Vec<(u64, Option<u32>, What)> {
        let about = |entry: &&Entry| match entry.what {
            What::Refuted { .. } | What::Presence(_) => entry.node == Some(4),
            ref what => what.subject() == Some(4),
        };
        let inside = |entry: &&Entry| !limit || entry.time >= from && entry.time <= until;
        let kept = recording.entries.iter().filter(about).filter(inside);
        kept.map(|entry| (entry.time, entry.node, entry.what.clone())).collect()
    };
    let inside = said(&part, false);
    assert_eq!(inside, said(&whole, true));
    assert!(inside.len() > 50);
    for packet in &part.packets {
        let control = packet.carrier != Carrier::Datagram && (packet.from == 4 || packet.to == 4);
        assert!(control || packet.said.iter().any(|said| said.subject() == Some(4)), "{packet:?}");
    }
    let pings = |recording: &Recording| {
        let about = |said: &Said| matches!(said, Said::Ping { target: Some(4), .. });
        let packets = recording.packets.iter().filter(|p| p.wanted >= from && p.wanted <= until);
        packets.filter(|packet| packet.said.iter().any(about)).count()
    };
    assert_eq!(pings(&part), pings(&whole));
}

#[test]
fn only_so_much_is_kept_and_the_rest_is_counted() {
    let (_, recording) = all(&Filter { most: 50, ..Filter::default() });
    assert_eq!(recording.entries.len(), 50);
    assert!(recording.packets.len() <= 50 && recording.left_out > 1000);
}

#[test]
fn lines_name_what_happened_and_json_is_sound() {
    let scenario = eventful();
    let filter = Filter::default();
    let (_, recording) = all(&filter);
    let lines: Vec<Line> = lines(&scenario, &recording, &filter).collect();
    assert_eq!(lines.len(), recording.entries.len());
    let text: Vec<String> = lines.iter().map(|line| line.text(6, false)).collect();
    for part in [
        "lost (loss 10 %)",
        "cut by fault[2] (partition)",
        "the receive buffer was full",
        "cannot send",
        "fault[0] (block-io) begins: node-1",
        "is down",
        "arrives +",
        "[timer: next probe]",
    ] {
        assert!(text.iter().any(|line| line.contains(part)), "{part}");
    }
    assert!(!text.iter().any(|line| line.contains('\u{1b}')));
    let kinds = lines.iter().fold(HashMap::<&str, u32>::new(), |mut kinds, line| {
        *kinds.entry(line.kind).or_default() += 1;
        kinds
    });
    for kind in Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Rejected | Kind::Shed)) {
        assert!(kinds.contains_key(kind.name()), "nothing of kind {}", kind.name());
    }
    for line in &lines {
        let json = serde_json::to_value(line).expect("a line is JSON");
        assert_eq!(json["kind"], line.kind);
    }
}
