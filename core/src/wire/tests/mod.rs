mod golden;
mod properties;
mod refusals;

use alloc::vec::Vec;

use super::{Accusation, Alive, Message, SyncHead, SyncRow, VersionSpan, Wire};
use crate::Config;
use crate::id::{Incarnation, ProbeSeq, Versions};
use crate::io::State;

/// One message of every kind, in the order of their numbers.
fn one_of_each() -> [Message<'static>; super::KINDS] {
    let alive = Alive {
        incarnation: Incarnation(300),
        name: "anna",
        addr: "10.1.2.3:7946".parse().unwrap(),
        meta: &[1, 2, 3],
        versions: Versions::CURRENT,
    };
    let accusation = Accusation { incarnation: Incarnation(5), name: "anna", from: "bert" };
    let versions = VersionSpan {
        protocol_min: 1,
        protocol_max: 5,
        protocol_spoken_min: 2,
        protocol_spoken_max: 3,
        app_min: 4,
        app_max: 6,
        app_spoken_min: 7,
        app_spoken_max: 8,
    };
    let row = Alive { addr: "[fe80::1]:7946".parse().unwrap(), ..alive };
    [
        Message::Ping { seq: ProbeSeq(7), target: "anna" },
        Message::PingReq { seq: ProbeSeq(200), target: "anna", addr: alive.addr, nack: true },
        Message::Ack { seq: ProbeSeq(7) },
        Message::Nack { seq: ProbeSeq(u32::MAX) },
        Message::Alive(alive),
        Message::Suspect(accusation),
        Message::Dead(accusation),
        Message::SyncHead(SyncHead { join: true, from: "bert", versions }),
        Message::SyncRow(SyncRow { alive: row, state: State::Left }),
        Message::SyncEnd,
        Message::Refused { reason: "no" },
    ]
}

fn labelled(label: &str) -> Wire {
    Wire::new(&Config { label: label.into(), ..Config::lan() })
}

fn packet(wire: &Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = wire.begin_packet(&mut out);
    messages.iter().for_each(|message| wire.encode(message, &mut out));
    wire.finish_packet(start, &mut out);
    out
}

fn frame(wire: &Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = wire.begin_frame(&mut out);
    messages.iter().for_each(|message| wire.encode(message, &mut out));
    wire.finish_frame(start, &mut out);
    out
}

/// A packet of another sender's making: any bytes before the checksum, any after it, the checksum right.
fn sealed(header: &[u8], messages: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(&[header, messages].concat());
    [header, &crc.to_le_bytes(), messages].concat()
}
