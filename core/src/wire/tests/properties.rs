use alloc::boxed::Box;
use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::id::{META_BYTES_MAX, NAME_BYTES_MAX, canonical};
use crate::wire::{KINDS, StreamDecoder, WireError};

/// A message that owns what a [`Message`] borrows.
#[derive(Clone, Debug)]
struct Parts {
    kind: usize,
    number: u32,
    name: String,
    from: String,
    addr: SocketAddr,
    meta: Vec<u8>,
    small: [u8; 8],
    flag: bool,
    state: State,
    filters: FilterList,
    spans: Vec<u8>,
    digests: [u8; 64],
}

impl Parts {
    fn message(&self) -> Message<'_> {
        let [protocol_min, protocol_max, protocol, app_min, app_max, app, x, y] = self.small;
        let incarnation = Incarnation(self.number);
        let seq = ProbeSeq(self.number);
        let alive = Alive {
            incarnation,
            name: &self.name,
            addr: self.addr,
            meta: &self.meta,
            versions: Versions { protocol_min, protocol_max, protocol, app_min, app_max, app },
        };
        let accusation = Accusation { incarnation, name: &self.name, from: &self.from };
        let versions = VersionSpan {
            protocol_min,
            protocol_max,
            protocol_spoken_min: protocol,
            protocol_spoken_max: x,
            app_min,
            app_max,
            app_spoken_min: app,
            app_spoken_max: y,
        };
        let ltime = LamportTime(u64::from(self.number) << 20);
        let (life, event_seq) = (Life(self.number), EventSeq(self.number.max(1)));
        let event = UserEvent {
            ltime,
            origin: &self.from,
            life,
            seq: event_seq,
            name: &self.name,
            payload: &self.meta,
            coalesce: self.flag,
        };
        let kind = if self.flag { ResponseKind::Ack } else { ResponseKind::Declined };
        let response = Response { ltime, id: self.number, from: &self.from, kind, payload: &self.meta };
        let clocks = Clocks { member: ltime, event: LamportTime(0), query: LamportTime::MAX };
        match self.kind {
            0 => Message::Ping { seq, target: &self.name },
            1 => Message::PingReq { seq, target: &self.name, addr: self.addr, nack: self.flag },
            2 => Message::Ack { seq, coordinate: self.flag.then_some(&self.meta) },
            3 => Message::Nack { seq },
            4 => Message::Alive(alive),
            5 => Message::Suspect(accusation),
            6 => Message::Dead(accusation),
            7 => Message::SyncHead(SyncHead {
                join: self.flag,
                from: &self.from,
                versions,
                replay: x % 2 == 0,
            }),
            8 => Message::SyncRow(SyncRow {
                alive,
                state: self.state,
                status: match (self.state, self.flag) {
                    (State::Alive | State::Suspect, true) => Status::Leaving,
                    (State::Dead, true) => Status::Left,
                    (state, _) => SyncRow::usual_status(state),
                },
                status_time: if x % 2 == 0 { LamportTime(0) } else { ltime },
            }),
            9 => Message::SyncEnd,
            10 => Message::Refused { reason: &self.from },
            11 => Message::JoinIntent(Intent { ltime, name: &self.name, prune: false }),
            12 => Message::LeaveIntent(Intent { ltime, name: &self.name, prune: self.flag }),
            13 => Message::UserEvent(event),
            14 => Message::Query(Query {
                ltime,
                id: self.number,
                from: &self.from,
                addr: self.addr,
                ack: self.flag,
                relay_factor: x,
                timeout: Duration::from_millis(self.number.into()),
                filters: Filters::of(&self.filters),
                name: &self.name,
                payload: &self.meta,
            }),
            15 => Message::Response(response),
            16 => Message::Relay(Relay { to: self.addr, response }),
            17 => Message::EventPull(EventPull { origin: &self.name, life, spans: Spans::of(&self.spans) }),
            18 => Message::EventAgain(event),
            19 => Message::SyncClocks(clocks),
            20 => Message::EventMark(EventMark {
                origin: &self.from,
                life,
                complete: EventSeq(self.number / 2),
                highest: EventSeq(self.number),
            }),
            21 => Message::DeltaHead(DeltaHead {
                from: &self.from,
                versions,
                clocks,
                rows: self.number,
                root: u64::from_le_bytes(self.small),
                marks: self.number.into(),
            }),
            22 => Message::DeltaBuckets { digests: &self.digests },
            _ => Message::DeltaWant { buckets: &self.small },
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z0-9.äß日-]{1,24}",
        1 => (1..=NAME_BYTES_MAX).prop_map(|length| "x".repeat(length)),
    ]
}

fn addr() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), 1..=u16::MAX)
        .prop_map(|(ip, port)| canonical(SocketAddr::new(ip, port)))
        .prop_filter("unspecified addresses are refused", |addr| !addr.ip().is_unspecified())
}

fn parts(kinds: core::ops::Range<usize>) -> impl Strategy<Value = Parts> {
    let state = prop_oneof![Just(State::Alive), Just(State::Suspect), Just(State::Dead), Just(State::Left)];
    let meta = prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 0..=META_BYTES_MAX)];
    let rest = (any::<[u8; 8]>(), any::<bool>(), state);
    (kinds, any::<u32>(), name(), name(), addr(), meta, rest).prop_map(
        |(kind, number, name, from, addr, meta, (small, flag, state))| Parts {
            digests: [small[0]; 64],
            filters: {
                let mut list = FilterList::new();
                if flag {
                    list.nodes(&[crate::id::NodeName::new(&name).unwrap()]);
                }
                list.tag(&from, &name);
                list
            },
            spans: {
                let mut runs = Vec::new();
                for run in 0..=u32::from(small[0]) % 32 {
                    Spans::encode(EventSeq(number.wrapping_mul(run)), run, &mut runs);
                }
                runs
            },
            kind,
            number,
            name,
            from,
            addr,
            meta,
            small,
            flag,
            state,
        },
    )
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,12}", Just("y".repeat(255))]
}

/// Opens and reads bytes that may be anything; gives whether they were taken whole.
fn read_all(wire: &Wire, bytes: &[u8]) -> bool {
    let packet = wire.open_packet(bytes).is_ok_and(|mut messages| messages.all(|message| message.is_ok()));
    let frame = wire.open_frame(bytes).is_ok_and(|mut messages| messages.all(|message| message.is_ok()));
    packet || frame
}

/// All that a decoder gives for pieces pushed one by one.
fn cut(pieces: &[&[u8]]) -> Vec<Result<Box<[u8]>, WireError>> {
    let mut decoder = StreamDecoder::new(&Config::lan());
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame() {
            frames.push(frame.map(Box::from));
        }
    }
    frames
}

proptest! {
    #[test]
    fn every_message_comes_back_from_a_packet(label in label(), parts in vec(parts(0..KINDS).prop_filter("for packets", |parts| !parts.message().kind().is_for_streams()), 0..6)) {
        let wire = labelled(&label);
        let messages: Vec<_> = parts.iter().map(Parts::message).collect();
        let bytes = packet(&wire, &messages);
        let back: Result<Vec<_>, _> = wire.open_packet(&bytes).unwrap().collect();
        prop_assert_eq!(back, Ok(messages));
    }

    #[test]
    fn every_message_comes_back_from_a_frame(label in label(), parts in vec(parts(0..KINDS), 0..6)) {
        let wire = labelled(&label);
        let messages: Vec<_> = parts.iter().map(Parts::message).collect();
        let bytes = frame(&wire, &messages);
        let back: Result<Vec<_>, _> = wire.open_frame(&bytes).unwrap().collect();
        prop_assert_eq!(back, Ok(messages));
    }

    #[test]
    fn a_packet_filled_to_the_byte_has_exactly_its_budget(label in label(), parts in parts(4..5)) {
        let mut wire = labelled(&label);
        let (mut packet, mut frame) = (Vec::from([1, 2, 3]), Vec::from([4, 5]));
        let (packet_start, frame_start) = (wire.begin_packet(&mut packet), wire.begin_frame(&mut frame));
        let mut encoded = Vec::new();
        wire.encode(&parts.message(), &mut encoded);
        let fill = |room: usize| encoded.iter().copied().cycle().take(room);
        packet.extend(fill(wire.packet_room()));
        frame.extend(fill(wire.frame_room()));
        wire.finish_packet(packet_start, &mut packet);
        wire.finish_frame(frame_start, &mut frame);
        prop_assert_eq!(packet.len() - 3, 1400);
        prop_assert_eq!(frame.len() - 2, 65_536);
        prop_assert!(wire.open_packet(&packet[3..]).is_ok());
        prop_assert!(wire.open_frame(&frame[2..]).is_ok());
    }

    #[test]
    fn arbitrary_bytes_never_panic(label in label(), bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(!read_all(&labelled(&label), &bytes));
    }

    /// The checksum would hide the message decoder from arbitrary bytes, so here it is right.
    #[test]
    fn arbitrary_bytes_in_sound_packets_and_frames_never_panic(
        flags in 0_u8..4,
        header in vec(any::<u8>(), 0..8),
        body in vec(any::<u8>(), 0..120),
        kind in 0_u8..12,
    ) {
        let wire = labelled("");
        let mut message = Vec::from([kind, body.len() as u8]);
        message.extend_from_slice(&body);
        for messages in [&message[..], &body] {
            let packet = sealed(&[0xD7, 1, 0], messages);
            wire.open_packet(&packet).unwrap().for_each(drop);
            let mut frame = Vec::from([0xD8, packet.len() as u8, 0, 0, 0]);
            frame.extend_from_slice(&packet);
            wire.open_frame(&frame).unwrap().for_each(drop);
            let header = [&[0xD7, 1, flags], &header[..]].concat();
            read_all(&wire, &sealed(&header, messages));
        }
    }

    #[test]
    fn a_stream_gives_the_same_frames_however_it_is_cut(
        parts in vec(vec(parts(0..KINDS), 0..3), 0..5),
        garbage in prop_oneof![Just(Vec::new()), vec(any::<u8>(), 0..20)],
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let wire = labelled("");
        let mut stream = Vec::new();
        let mut frames = Vec::new();
        for parts in &parts {
            let messages: Vec<_> = parts.iter().map(Parts::message).collect();
            let bytes = frame(&wire, &messages);
            stream.extend_from_slice(&bytes);
            frames.push(Ok(bytes.into_boxed_slice()));
        }
        stream.extend_from_slice(&garbage);
        let mut cuts: Vec<_> = cuts.iter().map(|at| at.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect();
        let whole = cut(&[&stream]);
        prop_assert_eq!(&whole[..frames.len()], &frames[..]);
        prop_assert_eq!(cut(&pieces), whole);
    }

    #[test]
    fn no_packet_or_frame_begins_as_the_serf_wire_does(label in label(), parts in parts(0..KINDS)) {
        let wire = labelled(&label);
        for first in [packet(&wire, &[parts.message()])[0], frame(&wire, &[parts.message()])[0]] {
            prop_assert!(first > 13 && first != 244);
        }
    }
}
