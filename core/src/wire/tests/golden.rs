//! The bytes of wire version 1. A change that breaks one of these cannot talk to what is already running.

use std::format;
use std::string::String;

use super::*;
use crate::wire::Kind;

const PACKETS: [(Kind, &str); crate::wire::KINDS] = [
    (Kind::Ping, "d7010003e56c2900060704616e6e61"),
    (Kind::PingReq, "d70100246fe970010fc80104616e6e61000a0102038a3e01"),
    (Kind::Ack, "d7010008d46207020107"),
    (Kind::Nack, "d7010058767b810305ffffffff0f"),
    (Kind::Alive, "d70100554a8df60418ac0204616e6e61000a0102038a3e03010203010502020505"),
    (Kind::Suspect, "d7010086a496de050b0504616e6e610462657274"),
    (Kind::Dead, "d7010048c85c63060b0504616e6e610462657274"),
    (Kind::SyncHead, "d70100349e9512070e0104626572740105020304060708"),
    (
        Kind::SyncRow,
        "d701002189554f0825ac0204616e6e6101fe8000000000000000000000000000018a3e0301020301050202050503",
    ),
    (Kind::SyncEnd, "d70100788889940900"),
    (Kind::Refused, "d7010019f27fb20a03026e6f"),
    (Kind::JoinIntent, "d70100728db4220b07ac0204616e6e61"),
    (Kind::LeaveIntent, "d701002eaf49260c08ac0204616e6e6101"),
    (Kind::UserEvent, "d70100dfd53f6b0d16ac0204616e6e61f0a20409066465706c6f7902010201"),
    (
        Kind::Query,
        "d70100dfac3e6a0e2fac024d04616e6e61000a0102038a3e0102801912000104626572740104726f6c65045e77656206757074696d650104",
    ),
    (Kind::Response, "d70100c109b79d0f0bac024d0462657274000103"),
    (Kind::Relay, "d70100e3aaeb431012000a0102038a3eac024d0462657274000103"),
    (Kind::EventPull, "d701004f82c6e3110d04616e6e61f0a2040409031401"),
    (Kind::EventAgain, "d701002ba141f71216ac0204616e6e61f0a20409066465706c6f7902010201"),
    (Kind::SyncClocks, "d70100fa2ee19e130401ac0202"),
    (Kind::EventMark, "d701003bc5ea13140a04616e6e61f0a204090c"),
    (Kind::DeltaHead, "d70100e35bc5f9151e0462657274010502030406070801ac0202e807ffffffffffffffffff0105"),
    (
        Kind::DeltaBuckets,
        "d70100cb9c45e816414007070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707",
    ),
    (Kind::DeltaWant, "d7010035da0b0117020102"),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn wire_version_1_has_these_packets() {
    let wire = labelled("");
    for (message, (kind, expected)) in one_of_each().iter().zip(PACKETS) {
        assert_eq!(message.kind(), kind);
        assert_eq!(hex(&packet(&wire, &[*message])), expected, "{kind:?}");
    }
}

#[test]
fn wire_version_1_has_these_extensions() {
    let wire = labelled("");
    let all = one_of_each();
    let (Message::SyncHead(head), Message::SyncRow(row)) = (all[7], all[8]) else { unreachable!() };
    let head = Message::SyncHead(SyncHead { replay: true, ..head });
    let row = SyncRow { state: State::Dead, status: Status::Left, status_time: LamportTime(300), ..row };
    let (mut plain, mut extended) = (Vec::new(), Vec::new());
    for (message, added) in [(head, "0100"), (Message::SyncRow(row), "010303ac02")] {
        plain.clear();
        extended.clear();
        wire.encode(&message, &mut extended);
        assert_eq!(hex(&extended[extended.len() - added.len() / 2..]), added);
        let without = match message {
            Message::SyncRow(row) => {
                Message::SyncRow(SyncRow { status: Status::Failed, status_time: LamportTime(0), ..row })
            }
            _ => all[7],
        };
        wire.encode(&without, &mut plain);
        assert_eq!(plain[2..], extended[2..plain.len()], "what stands before the extension stays as it is");
    }
}

#[test]
fn wire_version_1_has_this_labelled_packet() {
    let packet = packet(&labelled("blue"), &[Message::Ack { seq: ProbeSeq(7), coordinate: None }]);
    assert_eq!(hex(&packet), "d7010104626c7565bcb73eeb020107");
}

#[test]
fn wire_version_1_has_this_frame() {
    let frame =
        frame(&labelled(""), &[Message::SyncEnd, Message::Ack { seq: ProbeSeq(7), coordinate: None }]);
    assert_eq!(hex(&frame), "d80c000000d7010025b966460900020107");
}

#[test]
fn a_body_of_128_bytes_has_a_length_of_two_bytes() {
    let mut out = Vec::new();
    let meta = [9; 107];
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    labelled("").encode(&Message::Alive(Alive { meta: &meta, ..alive }), &mut out);
    assert_eq!(out[..3], [4, 0x80 | (out.len() - 3) as u8, 1]);
    assert_eq!(out.len() - 3, 128);
    out.clear();
    labelled("").encode(&Message::Alive(Alive { meta: &meta[1..], ..alive }), &mut out);
    assert_eq!(out[..2], [4, 127]);
    assert_eq!(out.len() - 2, 127);
}

#[test]
fn wire_version_1_has_this_ack_with_a_coordinate() {
    let coordinate: Vec<u8> = (1..24).collect();
    let ack = Message::Ack { seq: ProbeSeq(7), coordinate: Some(&coordinate) };
    let packet = packet(&labelled(""), &[ack]);
    assert_eq!(hex(&packet[7..]), "021a0701170102030405060708090a0b0c0d0e0f1011121314151617");
    assert_eq!(labelled("").open_packet(&packet).unwrap().next(), Some(Ok(ack)));
}

#[test]
fn an_ack_has_its_coordinate_among_other_extensions() {
    let body = [2, 8, 7, 9, 1, 1, 1, 2, 5, 6];
    let packet = sealed(&[0xD7, 1, 0], &body);
    let read = labelled("").open_packet(&packet).unwrap().next();
    assert_eq!(read, Some(Ok(Message::Ack { seq: ProbeSeq(7), coordinate: Some(&[5, 6]) })));
}
