use super::*;
use crate::id::NameError;
use crate::wire::{Kind, WireError, WireErrorClass};

const PING: Message<'static> = Message::Ping { seq: ProbeSeq(7), target: "anna" };

/// The error that the messages of a sound frame end with.
fn refusal(messages: &[u8]) -> Option<WireError> {
    let packet = sealed(&[0xD7, 1, 0], messages);
    let mut frame = Vec::from([0xD8]);
    frame.extend_from_slice(&(packet.len() as u32).to_le_bytes());
    frame.extend_from_slice(&packet);
    let mut found = labelled("").open_frame(&frame).unwrap().skip_while(Result::is_ok);
    let error = found.next().map(Result::unwrap_err);
    assert_eq!(found.next(), None, "nothing comes after an error");
    error
}

fn refusal_of(message: &Message<'_>) -> Option<WireError> {
    let mut bytes = Vec::new();
    labelled("").encode(message, &mut bytes);
    refusal(&bytes)
}

#[test]
fn a_packet_or_frame_with_any_bit_flipped_is_refused() {
    let messages = one_of_each();
    for wire in [labelled(""), labelled("blue")] {
        let (packet, frame) = (packet(&wire, &messages[..7]), frame(&wire, &messages));
        for bit in 0..packet.len() * 8 {
            let mut damaged = packet.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(wire.open_packet(&damaged).is_err(), "bit {bit}");
        }
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(wire.open_frame(&damaged).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_packet_or_frame_that_lost_its_end_is_refused() {
    let wire = labelled("blue");
    let (packet, frame) = (packet(&wire, &[PING]), frame(&wire, &[PING]));
    for length in 0..packet.len() {
        assert!(wire.open_packet(&packet[..length]).is_err());
    }
    for length in 0..frame.len() {
        assert!(wire.open_frame(&frame[..length]).is_err());
    }
    assert_eq!(wire.open_packet(&[]).unwrap_err(), WireError::TooShort(0));
}

#[test]
fn a_label_that_differs_is_missing_or_is_one_too_many_is_refused_as_a_label() {
    for (ours, theirs) in [("blue", "blux"), ("blue", "blues"), ("blue", "blu"), ("blue", ""), ("", "blue")] {
        let (ours, theirs) = (labelled(ours), labelled(theirs));
        let error = ours.open_packet(&packet(&theirs, &[PING])).unwrap_err();
        assert_eq!((error, error.class()), (WireError::Label, WireErrorClass::Label));
        assert_eq!(ours.open_frame(&frame(&theirs, &[PING])).unwrap_err(), WireError::Label);
    }
}

#[test]
fn another_wire_version_is_refused_as_a_version() {
    let error = labelled("").open_packet(&sealed(&[0xD7, 2, 0], &[])).unwrap_err();
    assert_eq!((error, error.class()), (WireError::Version { found: 2 }, WireErrorClass::Version));
}

#[test]
fn damage_is_refused_as_a_checksum() {
    let mut packet = packet(&labelled(""), &[PING]);
    *packet.last_mut().unwrap() ^= 1;
    let error = labelled("").open_packet(&packet).unwrap_err();
    assert_eq!((error, error.class()), (WireError::Checksum, WireErrorClass::Checksum));
}

#[test]
fn a_packet_of_the_serf_wire_is_refused_by_its_first_byte() {
    for found in (0..=13).chain([244]) {
        let error = labelled("").open_packet(&[found, 1, 0, 0, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(error, WireError::Magic { found, expected: 0xD7 });
        assert_eq!(error.class(), WireErrorClass::Malformed);
    }
}

#[test]
fn undefined_flags_and_malformed_header_extensions_are_refused() {
    let headers: [&[u8]; 5] =
        [&[0xD7, 1, 8], &[0xD7, 1, 0x80], &[0xD7, 1, 1, 0], &[0xD7, 1, 2, 2, 9, 5], &[0xD7, 1, 2, 0xFF]];
    for header in headers {
        assert_eq!(
            labelled("").open_packet(&sealed(header, &[])).unwrap_err(),
            WireError::Header,
            "{header:?}"
        );
    }
}

#[test]
fn header_extensions_are_skipped_with_and_without_a_label() {
    let ping = |header: &[u8], wire: &Wire| {
        let mut encoded = Vec::new();
        wire.encode(&PING, &mut encoded);
        let packet = sealed(header, &encoded);
        let mut messages = wire.open_packet(&packet).unwrap();
        assert_eq!(messages.next(), Some(Ok(PING)));
        assert_eq!(messages.next(), None);
    };
    ping(&[0xD7, 1, 2, 0], &labelled(""));
    ping(&[0xD7, 1, 2, 7, 9, 2, 8, 8, 1, 1, 0], &labelled(""));
    ping(&[0xD7, 1, 3, 4, b'b', b'l', b'u', b'e', 4, 9, 2, 8, 8], &labelled("blue"));
}

#[test]
fn message_extensions_are_skipped_in_every_kind() {
    for message in one_of_each() {
        let mut bytes = Vec::new();
        labelled("").encode(&message, &mut bytes);
        bytes[1] += 7;
        bytes.extend_from_slice(&[200, 3, 1, 2, 3, 201, 0]);
        let frame_bytes = {
            let mut wire = labelled("");
            let mut out = Vec::new();
            let start = wire.begin_frame(&mut out);
            out.extend_from_slice(&bytes);
            wire.finish_frame(start, &mut out);
            out
        };
        let read: Vec<_> = labelled("").open_frame(&frame_bytes).unwrap().collect();
        assert_eq!(read, [Ok(message)]);
        // Without its last byte, what follows the fields is no list any more.
        bytes[1] -= 1;
        bytes.pop();
        assert_eq!(refusal(&bytes), Some(WireError::Extension(message.kind())));
    }
}

#[test]
fn an_unknown_kind_is_refused() {
    assert_eq!(refusal(&[200, 0]), Some(WireError::UnknownKind(200)));
    assert_eq!(refusal(&[255, 0]), Some(WireError::UnknownKind(255)));
}

#[test]
fn a_message_that_claims_more_than_there_is_is_refused() {
    assert_eq!(refusal(&[2]), Some(WireError::Truncated));
    assert_eq!(refusal(&[2, 2, 0]), Some(WireError::Truncated));
    assert_eq!(refusal(&[2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]), Some(WireError::Truncated));
    assert_eq!(refusal(&[2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), Some(WireError::Truncated));
    assert_eq!(refusal(&[0, 3, 7, 0x7F, b'a']), Some(WireError::Malformed(Kind::Ping)));
}

#[test]
fn fields_cut_short_are_refused_in_every_kind() {
    for message in one_of_each().into_iter().filter(|message| message.kind() != Kind::SyncEnd) {
        let mut bytes = Vec::new();
        labelled("").encode(&message, &mut bytes);
        bytes[1] -= 1;
        bytes.pop();
        assert_eq!(refusal(&bytes), Some(WireError::Malformed(message.kind())));
    }
}

#[test]
fn a_packet_carries_no_part_of_an_exchange() {
    for message in one_of_each() {
        let packet = packet(&labelled(""), &[message]);
        let read = labelled("").open_packet(&packet).unwrap().next();
        let kind = message.kind();
        let sync = matches!(kind, Kind::SyncHead | Kind::SyncRow | Kind::SyncEnd | Kind::Refused);
        let marks = matches!(kind, Kind::SyncClocks | Kind::EventMark);
        let stream_only =
            sync || marks || matches!(kind, Kind::DeltaHead | Kind::DeltaBuckets | Kind::DeltaWant);
        let expected = if stream_only { Err(WireError::NestedInPacket(kind)) } else { Ok(message) };
        assert_eq!(read, Some(expected));
    }
}

#[test]
fn the_messages_before_a_bad_one_are_read_and_none_after_it() {
    let mut bytes = Vec::new();
    labelled("").encode(&PING, &mut bytes);
    bytes.extend_from_slice(&[99, 0]);
    labelled("").encode(&PING, &mut bytes);
    let packet = sealed(&[0xD7, 1, 0], &bytes);
    let read: Vec<_> = labelled("").open_packet(&packet).unwrap().collect();
    assert_eq!(read, [Ok(PING), Err(WireError::UnknownKind(99))]);
}

#[test]
fn bad_names_are_refused_wherever_a_name_stands() {
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    let Message::SyncHead(head) = one_of_each()[7] else { unreachable!() };
    let accusation = Accusation { incarnation: Incarnation(1), name: "anna", from: "bert" };
    let long = "x".repeat(256);
    let bad = [
        ("", NameError::Empty),
        ("a\nb", NameError::ControlCharacter),
        (long.as_str(), NameError::TooLong(256)),
    ];
    for (name, error) in bad {
        for message in [
            Message::Ping { seq: ProbeSeq(1), target: name },
            Message::PingReq { seq: ProbeSeq(1), target: name, addr: alive.addr, nack: false },
            Message::Alive(Alive { name, ..alive }),
            Message::Suspect(Accusation { name, ..accusation }),
            Message::Suspect(Accusation { from: name, ..accusation }),
            Message::Dead(Accusation { name, ..accusation }),
            Message::Dead(Accusation { from: name, ..accusation }),
            Message::SyncHead(SyncHead { from: name, ..head }),
            Message::SyncRow(row(Alive { name, ..alive }, State::Dead)),
        ] {
            assert_eq!(refusal_of(&message), Some(WireError::Name { kind: message.kind(), error }));
        }
    }
}

#[test]
fn addresses_that_nothing_can_be_sent_to_are_refused() {
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    for addr in ["10.0.0.1:0", "0.0.0.0:7946", "[::]:7946", "[::ffff:0.0.0.0]:7946"] {
        let alive = Alive { addr: addr.parse().unwrap(), ..alive };
        for message in [
            Message::PingReq { seq: ProbeSeq(1), target: "anna", addr: alive.addr, nack: false },
            Message::Alive(alive),
            Message::SyncRow(row(alive, State::Alive)),
        ] {
            assert_eq!(refusal_of(&message), Some(WireError::Address(message.kind())), "{addr}");
        }
    }
}

#[test]
fn an_ipv4_mapped_address_is_read_as_ipv4() {
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    let mapped = Alive { addr: "[::ffff:10.1.2.3]:7946".parse().unwrap(), ..alive };
    let packet = packet(&labelled(""), &[Message::Alive(mapped)]);
    let read: Vec<_> = labelled("").open_packet(&packet).unwrap().collect();
    assert_eq!(read, [Ok(Message::Alive(alive))]);
}

#[test]
fn too_much_meta_too_long_a_reason_and_a_forgotten_row_are_refused() {
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    let meta = [0; 513];
    let much = Alive { meta: &meta, ..alive };
    let full = Alive { meta: &meta[1..], ..alive };
    let reason = "x".repeat(256);
    assert_eq!(refusal_of(&Message::Alive(full)), None);
    assert_eq!(refusal_of(&Message::Alive(much)), Some(WireError::MetaTooLong(513)));
    let too_much = Message::SyncRow(row(much, State::Alive));
    assert_eq!(refusal_of(&too_much), Some(WireError::MetaTooLong(513)));
    assert_eq!(refusal_of(&Message::Refused { reason: &reason[1..] }), None);
    assert_eq!(refusal_of(&Message::Refused { reason: &reason }), Some(WireError::ReasonTooLong(256)));
    let forgotten = Message::SyncRow(row(alive, State::Forgotten));
    assert_eq!(refusal_of(&forgotten), Some(WireError::State(4)));
}

fn row(alive: Alive<'_>, state: State) -> SyncRow<'_> {
    SyncRow { alive, state, status: SyncRow::usual_status(state), status_time: LamportTime(0) }
}

#[test]
fn a_status_that_does_not_go_with_the_state_or_at_an_impossible_time_is_refused() {
    let Message::Alive(alive) = one_of_each()[4] else { unreachable!() };
    let (alive_row, dead, left) =
        (row(alive, State::Alive), row(alive, State::Dead), row(alive, State::Left));
    let of = |row, status| Message::SyncRow(SyncRow { status, ..row });
    for sound in [of(alive_row, Status::Leaving), of(dead, Status::Left)] {
        assert_eq!(refusal_of(&sound), None);
    }
    for (row, status) in [
        (alive_row, Status::Left),
        (alive_row, Status::Failed),
        (dead, Status::Alive),
        (dead, Status::Leaving),
        (left, Status::Failed),
    ] {
        assert_eq!(refusal_of(&of(row, status)), Some(WireError::Malformed(Kind::SyncRow)));
    }
    let late = SyncRow { status_time: LamportTime::MAX.next(), ..alive_row };
    assert_eq!(refusal_of(&Message::SyncRow(late)), Some(WireError::LamportTime(Kind::SyncRow)));
}

#[test]
fn digests_and_wishes_are_a_power_of_two_of_buckets() {
    assert!(refusal_of(&Message::DeltaWant { buckets: &[0; 1024] }).is_some());
    for (buckets, sound) in [(0, false), (4, false), (8, true), (12, false), (4096, true)] {
        let (digests, bits) = (std::vec![1; buckets * 8], std::vec![1; buckets / 8]);
        assert_eq!(refusal_of(&Message::DeltaBuckets { digests: &digests }).is_none(), sound, "{buckets}");
        let sound = sound || buckets == 12;
        assert_eq!(refusal_of(&Message::DeltaWant { buckets: &bits }).is_none(), sound, "{buckets}");
    }
}

/// A later version's extension is skipped, before and behind the one that is known.
#[test]
fn unknown_extensions_of_a_row_are_skipped() {
    let Message::SyncRow(plain) = one_of_each()[8] else { unreachable!() };
    let mut body = Vec::new();
    labelled("").encode(&Message::SyncRow(plain), &mut body);
    let bare = body.split_off(2);
    for extensions in [&[9u8, 2, 1, 1, 1, 2, 3, 5][..], &[1, 4, 3, 5, 0, 0, 7, 0]] {
        let mut message = std::vec![Kind::SyncRow as u8, (bare.len() + extensions.len()) as u8];
        message.extend_from_slice(&bare);
        message.extend_from_slice(extensions);
        let packet = sealed(&[0xD7, 1, 0], &message);
        let mut frame = std::vec![0xD8];
        frame.extend_from_slice(&(packet.len() as u32).to_le_bytes());
        frame.extend_from_slice(&packet);
        let read: Vec<_> = labelled("").open_frame(&frame).unwrap().collect();
        let expected = SyncRow { status_time: LamportTime(5), ..plain };
        assert_eq!(read, [Ok(Message::SyncRow(expected))]);
    }
}

#[test]
fn a_frame_that_is_or_claims_to_be_too_long_is_refused() {
    let wire = labelled("");
    let error = wire.open_frame(&[0xD8, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap_err();
    assert_eq!(error, WireError::FrameTooLong { bytes: 0x1_0000_0004, max: 65_536 });
    let mut frame = frame(&wire, &[PING]);
    frame.push(0);
    let (found, claimed) = (frame.len(), frame.len() as u64 - 1);
    assert_eq!(wire.open_frame(&frame).unwrap_err(), WireError::FrameLength { found, claimed });
}
