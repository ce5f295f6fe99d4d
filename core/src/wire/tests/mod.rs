mod golden;
mod properties;
mod refusals;
mod sealing;

use alloc::vec::Vec;

use core::time::Duration;

use super::{
    Accusation, Alive, Clocks, DeltaHead, EventMark, EventPull, FilterList, Filters, Intent, Message, Query,
    Relay, Response, ResponseKind, Spans, SyncHead, SyncRow, UserEvent, VersionSpan, Wire,
};
use crate::id::{EventSeq, Incarnation, LamportTime, Life, ProbeSeq, Versions};
use crate::io::{State, Status};
use crate::{Config, Seed};

/// One message of every kind, in the order of their numbers.
fn one_of_each() -> [Message<'static>; super::KINDS] {
    let ltime = LamportTime(300);
    let (life, seq) = (Life(70_000), EventSeq(9));
    let event =
        UserEvent { ltime, origin: "anna", life, seq, name: "deploy", payload: &[1, 2], coalesce: true };
    let mut filters = FilterList::new();
    filters.nodes(&[crate::id::NodeName::new("bert").unwrap()]);
    filters.tag("role", "^web");
    let filters: &'static FilterList = alloc::boxed::Box::leak(filters.into());
    let response = Response { ltime, id: 77, from: "bert", kind: ResponseKind::Answer, payload: &[3] };
    let clocks = Clocks { member: LamportTime(1), event: ltime, query: LamportTime(2) };

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
        Message::Ack { seq: ProbeSeq(7), coordinate: None },
        Message::Nack { seq: ProbeSeq(u32::MAX) },
        Message::Alive(alive),
        Message::Suspect(accusation),
        Message::Dead(accusation),
        Message::SyncHead(SyncHead { join: true, from: "bert", versions, replay: false }),
        Message::SyncRow(SyncRow {
            alive: row,
            state: State::Left,
            status: Status::Left,
            status_time: LamportTime(0),
        }),
        Message::SyncEnd,
        Message::Refused { reason: "no" },
        Message::JoinIntent(Intent { ltime, name: "anna", prune: false }),
        Message::LeaveIntent(Intent { ltime, name: "anna", prune: true }),
        Message::UserEvent(event),
        Message::Query(Query {
            ltime,
            id: 77,
            from: "anna",
            addr: alive.addr,
            ack: true,
            relay_factor: 2,
            timeout: Duration::from_millis(3200),
            filters: Filters::of(filters),
            name: "uptime",
            payload: &[4],
        }),
        Message::Response(response),
        Message::Relay(Relay { to: alive.addr, response }),
        Message::EventPull(EventPull { origin: "anna", life, spans: Spans::of(&[9, 3, 20, 1]) }),
        Message::EventAgain(event),
        Message::SyncClocks(clocks),
        Message::EventMark(EventMark { origin: "anna", life, complete: seq, highest: EventSeq(12) }),
        Message::DeltaHead(DeltaHead {
            from: "bert",
            versions,
            clocks,
            rows: 1000,
            root: u64::MAX,
            marks: 5,
        }),
        Message::DeltaBuckets { digests: &[7; 64] },
        Message::DeltaWant { buckets: &[0b10] },
    ]
}

fn labelled(label: &str) -> Wire {
    Wire::new(&Config { label: label.into(), ..Config::lan() })
}

fn packet(wire: &Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let (mut wire, mut out) = (wire.fork(&Seed::simulated(1, 0, 0)), Vec::new());
    let start = wire.begin_packet(&mut out);
    messages.iter().for_each(|message| wire.encode(message, &mut out));
    wire.finish_packet(start, &mut out);
    out
}

fn frame(wire: &Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let (mut wire, mut out) = (wire.fork(&Seed::simulated(1, 0, 0)), Vec::new());
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
