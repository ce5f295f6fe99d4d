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
fn wire_version_1_has_this_labelled_packet() {
    let packet = packet(&labelled("blue"), &[Message::Ack { seq: ProbeSeq(7) }]);
    assert_eq!(hex(&packet), "d7010104626c7565bcb73eeb020107");
}

#[test]
fn wire_version_1_has_this_frame() {
    let frame = frame(&labelled(""), &[Message::SyncEnd, Message::Ack { seq: ProbeSeq(7) }]);
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
