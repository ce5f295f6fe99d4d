//! What comes in in many forms, and what goes out in one.

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

use super::*;
use crate::rpc::codec::{decode, encode};

fn encoded(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes);
    bytes
}

fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    assert_eq!(decode::<T>(&encoded(value)).as_ref(), Ok(value));
}

#[test]
fn every_command_has_one_name() {
    for (command, name) in Command::ALL {
        assert_eq!((Command::named(name), command.name()), (Some(command), name));
    }
    assert_eq!((Command::named("dance"), Command::named("")), (None, None));
}

#[test]
fn strings_and_bytes_come_in_as_str_as_bin_or_as_nil() {
    let event = Event { coalesce: true, name: "deploy".into(), payload: b"now".into() };
    let form = |name: &[u8], payload: &[u8]| {
        [b"\x83\xA8Coalesce\xC3\xA4Name", name, b"\xA7Payload", payload].concat()
    };
    for name in [&b"\xA6deploy"[..], b"\xD9\x06deploy", b"\xDA\x00\x06deploy", b"\xC4\x06deploy"] {
        for payload in [&b"\xA3now"[..], b"\xC4\x03now", b"\xC5\x00\x03now", b"\xDB\x00\x00\x00\x03now"] {
            assert_eq!(decode::<Event>(&form(name, payload)), Ok(event.clone()));
        }
    }
    let nothing = Event { coalesce: true, ..Event::default() };
    assert_eq!(decode::<Event>(&form(b"\xC0", b"\xC0")), Ok(nothing));
    let odd = decode::<Event>(&form(b"\xA2\xFFx", b"\xA2\xFFx")).unwrap();
    assert_eq!((&*odd.name, &odd.payload[..]), ("\u{FFFD}x", &b"\xFFx"[..]));
}

#[test]
fn unknown_fields_are_skipped_and_missing_ones_have_their_defaults() {
    let bytes = b"\x83\xA5Extra\x81\xA1a\x92\x01\xC0\xA3Seq\xCD\x01\x00\xC4\x07Command\xC4\x05stats";
    assert_eq!(decode(bytes), Ok(RequestHeader { command: "stats".into(), seq: 256 }));
    assert_eq!(decode(b"\x80"), Ok(RequestHeader::default()));
    assert_eq!(decode(b"\x80"), Ok(Query::default()));
    assert_eq!(decode(b"\x82\xABFilterNodes\xC0\xAAFilterTags\xC0"), Ok(Query::default()));
    assert_eq!(decode(b"\x81\xA7Members\xC0"), Ok(MembersReply::default()));
    assert!(decode::<RequestHeader>(b"\xA5stats").is_err());
    assert!(decode::<RequestHeader>(b"\x81\xA3Seq\xFF").is_err(), "a number below 0");
    assert!(decode::<Event>(b"\x81\xA4Name\x07").is_err());
}

#[test]
fn addresses_have_4_or_16_bytes() {
    let at = |addr: &[u8]| decode::<RpcMember>(&[b"\x81\xA4Addr", addr].concat()).map(|member| member.addr);
    let v4 = Ok("10.0.0.1".parse().unwrap());
    assert_eq!(at(b"\xC4\x04\x0A\x00\x00\x01"), v4);
    assert_eq!(at(b"\xA4\x0A\x00\x00\x01"), v4);
    assert_eq!(at(b"\xC4\x10\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x0A\x00\x00\x01"), v4);
    assert_eq!(at(b"\xC4\x10\xFE\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), Ok("fe80::1".parse().unwrap()));
    assert!(at(b"\xC4\x03abc").unwrap_err().to_string().contains("4 or 16 bytes, not 3"));
    let member = RpcMember { addr: "fe80::1".parse().unwrap(), port: 7946, ..RpcMember::default() };
    round_trips(&member);
    assert_eq!(member.socket_addr().to_string(), "[fe80::1]:7946");
}

#[test]
fn coordinates_come_back_as_the_core_has_them() {
    let place = Coordinate { vector: [0.25; DIMENSIONS], error: 1.5, adjustment: -0.5, height: 1e-5 };
    let shown = RpcCoordinate::from(place);
    round_trips(&CoordinateReply { coord: shown.clone(), ok: true });
    assert_eq!(shown.to_core(), Some(place));
    assert_eq!(RpcCoordinate::default().to_core(), None);
    // As msgpack-lite writes numbers that happen to be whole.
    assert_eq!(decode::<RpcCoordinate>(b"\x81\xA5Error\x01").map(|at| at.error), Ok(1.0));
}

proptest! {
    #[test]
    fn messages_survive_their_encoding(
        name in ".{0,40}",
        payload in prop::collection::vec(any::<u8>(), 0..300),
        tags in prop::collection::btree_map(".{0,5}", ".{0,40}", 0..4),
        names in prop::collection::vec(".{0,20}", 0..4),
        (number, small, flag) in (any::<u64>(), any::<i32>(), any::<bool>()),
    ) {
        let (relay_factor, timeout) = (number as u8, number.cast_signed());
        round_trips(&RequestHeader { command: name.clone(), seq: number });
        round_trips(&ResponseHeader { error: name.clone(), seq: number });
        round_trips(&Event { coalesce: flag, name: name.clone(), payload: payload.clone() });
        round_trips(&Join { existing: names.clone(), replay: flag });
        round_trips(&MembersFiltered { name: name.clone(), status: name.clone(), tags: tags.clone() });
        round_trips(&TagsChange { delete_tags: names.clone(), tags: tags.clone() });
        round_trips(&Respond { id: number, payload: payload.clone() });
        round_trips(&JoinReply { num: small });
        round_trips(&LogRecord { log: name.clone() });
        let (filter_nodes, filter_tags, request_ack) = (names, tags.clone(), flag);
        round_trips(&Query { filter_nodes, filter_tags, name: name.clone(), payload: payload.clone(), relay_factor, request_ack, timeout });
        let counts = flag.then(|| tags.keys().map(|key| (key.clone(), small)).collect());
        round_trips(&KeysReply { keys: counts, messages: tags.clone(), num_err: small, num_nodes: 1, num_resp: 0 });
        for kind in [ReplyKind::Ack, ReplyKind::Response, ReplyKind::Done] {
            round_trips(&QueryReply { from: name.clone(), payload: payload.clone(), r#type: kind });
        }
        let member = RpcMember { name: name.clone(), status: "left".into(), tags, ..RpcMember::default() };
        round_trips(&StreamRecord::Members(MemberRecord { event: "member-leave".into(), members: vec![member] }));
        let (event, l_time) = ("user".into(), number);
        round_trips(&StreamRecord::User(UserRecord { coalesce: flag, event, l_time, name: name.clone(), payload: payload.clone() }));
        let event = "query".into();
        round_trips(&StreamRecord::Query(QueryEventRecord { event, id: number, l_time, name, payload }));
    }
}
