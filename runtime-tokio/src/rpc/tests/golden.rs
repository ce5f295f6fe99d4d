//! The server's bytes against those that Debian's serf 0.9.4 sends for the same requests, as recorded once.

use rumormill_core::keyring::{Key, Keyring};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Served, builder, lines, soon};
use crate::rpc::codec::encode;
use crate::rpc::messages::{self, Command, RequestHeader};

/// `members`, of an agent named gold-1 with the tag role=web at 127.0.0.1:29461 (0x7315).
const MEMBER: &[u8] = b"\x8b\xa4Addr\xc4\x04\x7f\x00\x00\x01\xabDelegateCur\x05\xabDelegateMax\x05\xabDelegateMin\x02\xa4Name\xa6gold-1\xa4Port\xcds\x15\xabProtocolCur\x02\xabProtocolMax\x05\xabProtocolMin\x01\xa6Status\xa5alive\xa4Tags\x81\xa4role\xa3web";
const COORDINATE: &[u8] = b"\x82\xa5Coord\x84\xaaAdjustment\xcb\0\0\0\0\0\0\0\0\xa5Error\xcb?\xf8\0\0\0\0\0\0\xa6Height\xcb>\xe4\xf8\xb5\x88\xe3h\xf1\xa3Vec\x98\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xcb\0\0\0\0\0\0\0\0\xa2Ok\xc3";
const NO_COORDINATE: &[u8] = b"\x82\xa5Coord\x84\xaaAdjustment\xcb\0\0\0\0\0\0\0\0\xa5Error\xcb\0\0\0\0\0\0\0\0\xa6Height\xcb\0\0\0\0\0\0\0\0\xa3Vec\xc0\xa2Ok\xc2";

/// A connection that speaks in bytes.
struct Wire {
    stream: TcpStream,
    port: u16,
}

impl Wire {
    async fn new(served: &Served) -> Self {
        let stream = TcpStream::connect(served.at).await.unwrap();
        Self { stream, port: served.agent.addr().port() }
    }

    /// Sends a request, and waits for exactly these pieces, in any order.
    async fn expect(&mut self, command: &str, seq: u64, body: Option<&impl Serialize>, pieces: &[&[u8]]) {
        let mut request = Vec::new();
        encode(&RequestHeader { command: command.into(), seq }, &mut request);
        if let Some(body) = body {
            encode(body, &mut request);
        }
        self.stream.write_all(&request).await.unwrap();
        let mut wanted: Vec<Vec<u8>> = pieces.iter().map(|piece| self.at_this_port(piece)).collect();
        let mut got = vec![0; wanted.iter().map(Vec::len).sum()];
        soon(command, self.stream.read_exact(&mut got)).await.unwrap();
        let mut rest = &got[..];
        while !wanted.is_empty() {
            let found = wanted.iter().position(|piece| rest.starts_with(piece));
            let found =
                found.unwrap_or_else(|| panic!("{command}:\n{}\nwanted\n{}", lines(rest), lines(&wanted[0])));
            rest = &rest[wanted.swap_remove(found).len()..];
        }
    }

    fn at_this_port(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let field = b"\xa4Port\xcd";
        if let Some(at) = bytes.windows(field.len()).position(|window| window == field) {
            bytes[at + field.len()..][..2].copy_from_slice(&self.port.to_be_bytes());
        }
        bytes
    }
}

/// A header without an error.
fn ok(seq: u8) -> Vec<u8> {
    [b"\x82\xa5Error\xa0\xa3Seq", &[seq][..]].concat()
}

fn ok_then(seq: u8, body: &[u8]) -> Vec<u8> {
    [&ok(seq), body].concat()
}

fn members(seq: u8) -> Vec<u8> {
    ok_then(seq, &[b"\x81\xa7Members\x91", MEMBER].concat())
}

const NONE: Option<&()> = None;

#[tokio::test]
async fn replies_are_serfs_byte_for_byte() {
    let served = Served::new("gold-1").await;
    let mut wire = Wire::new(&served).await;
    let hello = messages::Handshake { version: 1 };
    wire.expect("handshake", 1, Some(&hello), &[&ok(1)]).await;
    let again: &[u8] = b"\x82\xa5Error\xbbHandshake already performed\xa3Seq\x02";
    wire.expect("handshake", 2, Some(&hello), &[again]).await;
    wire.expect("members", 3, NONE, &[&members(3)]).await;
    let filter = |status: &str, name: &str| messages::MembersFiltered {
        name: name.into(),
        status: status.into(),
        tags: [("role".into(), "we.".into())].into(),
    };
    wire.expect("members-filtered", 4, Some(&filter("none", "")), &[&ok_then(4, b"\x81\xa7Members\x90")])
        .await;
    wire.expect("members-filtered", 5, Some(&filter("alive", "gold-[0-9]")), &[&members(5)]).await;
    wire.expect("join", 9, Some(&messages::Join::default()), &[&ok_then(9, b"\x81\xa3Num\x00")]).await;
    let node = |node: &str| messages::CoordinateOf { node: node.into() };
    wire.expect("get-coordinate", 12, Some(&node("gold-1")), &[&ok_then(12, COORDINATE)]).await;
    wire.expect("get-coordinate", 13, Some(&node("nobody")), &[&ok_then(13, NO_COORDINATE)]).await;
    let respond = messages::Respond { id: 7, payload: Vec::new() };
    let none: &[u8] = b"\x82\xa5Error\xbeNo pending queries matching ID\xa3Seq\x11";
    wire.expect("respond", 17, Some(&respond), &[none]).await;
    wire.expect("stop", 18, Some(&messages::Stop { stop: 77 }), &[&ok(18)]).await;
    let long = messages::TagsChange { tags: [("a".into(), "x".repeat(600))].into(), ..Default::default() };
    let too_long: &[u8] = b"\x82\xa5Error\xd91Encoded length of tags exceeds limit of 512 bytes\xa3Seq\x13";
    wire.expect("tags", 19, Some(&long), &[too_long]).await;
    let level = |level: &str| messages::Monitor { log_level: level.into() };
    let unknown: &[u8] = b"\x82\xa5Error\xb8Unknown log level: BOGUS\xa3Seq\x20";
    wire.expect("monitor", 32, Some(&level("bogus")), &[unknown]).await;
    served.log.push(crate::rpc::log::Level::Warn, "2026/11/25 08:49:52 [WARN] serf: x");
    let line = ok_then(33, b"\x81\xa3Log\xd9\x222026/11/25 08:49:52 [WARN] serf: x");
    wire.expect("monitor", 33, Some(&level("warn")), &[&ok(33), &line]).await;
    let exists: &[u8] = b"\x82\xa5Error\xb6Monitor already exists\xa3Seq\x22";
    wire.expect("monitor", 34, Some(&level("warn")), &[exists]).await;
    let version = messages::Handshake { version: 9 };
    let unsupported: &[u8] = b"\x82\xa5Error\xb7Unsupported IPC version\xa3Seq\x25";
    wire.expect("handshake", 37, Some(&version), &[unsupported]).await;
    let last: &[u8] = b"\x82\xa5Error\xb3Unsupported command\xa3Seq\x26";
    wire.expect("dance", 38, NONE, &[last]).await;
    assert_eq!(soon("the end", wire.stream.read(&mut [0])).await.unwrap(), 0, "the connection is closed");
    served.end().await;
}

#[tokio::test]
async fn records_are_serfs_byte_for_byte() {
    let served = Served::new("gold-1").await;
    let mut wire = Wire::new(&served).await;
    wire.expect("handshake", 1, Some(&messages::Handshake { version: 1 }), &[&ok(1)]).await;
    let filter = |filter: &str| messages::Stream { r#type: filter.into() };
    let invalid: &[u8] = b"\x82\xa5Error\xb4Invalid event filter\xa3Seq\x13";
    wire.expect("stream", 19, Some(&filter("bogus")), &[invalid]).await;
    wire.expect("stream", 20, Some(&filter("user,query")), &[&ok(20)]).await;
    let exists: &[u8] = b"\x82\xa5Error\xd9!Stream with given sequence exists\xa3Seq\x14";
    wire.expect("stream", 20, Some(&filter("*")), &[exists]).await;
    let event = |name: &str, payload: &[u8], coalesce| messages::Event {
        coalesce,
        name: name.into(),
        payload: payload.into(),
    };
    // Serf's clock stood at 2 when this was recorded.
    served
        .agent
        .user_event(rumormill_core::io::EventRequest {
            name: "x".into(),
            payload: [].into(),
            coalesce: false,
        })
        .await
        .unwrap();
    let first: &[u8] = b"\x85\xa8Coalesce\xc2\xa5Event\xa4user\xa5LTime\x01\xa4Name\xa1x\xa7Payload\xc0";
    let deploy: &[u8] =
        b"\x85\xa8Coalesce\xc2\xa5Event\xa4user\xa5LTime\x02\xa4Name\xa6deploy\xa7Payload\xc4\x07payload";
    wire.expect(
        "event",
        22,
        Some(&event("deploy", b"payload", false)),
        &[&ok_then(20, first), &ok(22), &ok_then(20, deploy)],
    )
    .await;
    let nopay: &[u8] = b"\x85\xa8Coalesce\xc3\xa5Event\xa4user\xa5LTime\x03\xa4Name\xa5nopay\xa7Payload\xc0";
    wire.expect("event", 23, Some(&event("nopay", b"", true)), &[&ok(23), &ok_then(20, nopay)]).await;
    let query = |name: &str, payload: &[u8]| messages::Query {
        name: name.into(),
        payload: payload.into(),
        request_ack: true,
        timeout: 30_000_000_000,
        ..Default::default()
    };
    let asked: &[u8] = b"\x85\xa5Event\xa5query\xa2ID\x01\xa5LTime\x01\xa4Name\xa4load\xa7Payload\xc4\x02hi";
    let ack: &[u8] = b"\x83\xa4From\xa6gold-1\xa7Payload\xc0\xa4Type\xa3ack";
    let pieces: &[&[u8]] = &[&ok(24), &ok_then(20, asked), &ok_then(24, ack)];
    wire.expect("query", 24, Some(&query("load", b"hi")), pieces).await;
    let answer: &[u8] = b"\x83\xa4From\xa6gold-1\xa7Payload\xc4\x06answer\xa4Type\xa8response";
    let done: &[u8] = b"\x83\xa4From\xa0\xa7Payload\xc0\xa4Type\xa4done";
    let respond = messages::Respond { id: 1, payload: b"answer".into() };
    let pieces: &[&[u8]] = &[&ok(25), &ok_then(24, answer), &ok_then(24, done)];
    wire.expect("respond", 25, Some(&respond), pieces).await;
    for (seq, name, payload) in [(27, "_serf_x", &b""[..]), (28, "_serf_ping", b"p")] {
        let refused =
            [b"\x82\xa5Error\xd9\x2aQueries cannot contain the '_serf_' prefix\xa3Seq", &[seq][..]].concat();
        wire.expect("query", seq.into(), Some(&query(name, payload)), &[&refused]).await;
    }
    let pieces: &[&[u8]] = &[&ok(29), &ok_then(29, ack), &ok_then(29, done)];
    wire.expect("query", 29, Some(&query("_serf_ping", b"")), pieces).await;
    let mut long = query("q", b"");
    long.filter_nodes = vec!["x".repeat(255); 5];
    let too_long: &[u8] = b"\x82\xa5Error\xd9!query exceeds limit of 1024 bytes\xa3Seq\x1e";
    wire.expect("query", 30, Some(&long), &[too_long]).await;
    wire.expect("stop", 31, Some(&messages::Stop { stop: 20 }), &[&ok(31)]).await;
    let other = Served::new("gold-2").await;
    wire.port = other.agent.addr().port();
    wire.expect("stream", 32, Some(&filter("member-join")), &[&ok(32)]).await;
    let mut joined = [b"\x82\xa5Event\xabmember-join\xa7Members\x91", MEMBER].concat();
    let name = joined.windows(6).position(|window| window == b"gold-1").unwrap();
    joined[name + 5] = b'2';
    let join = messages::Join { existing: vec![other.agent.addr().to_string()], replay: false };
    let pieces: &[&[u8]] = &[&ok_then(35, b"\x81\xa3Num\x01"), &ok_then(32, &joined)];
    wire.expect("join", 35, Some(&join), pieces).await;
    other.end().await;
    served.end().await;
}

#[tokio::test]
async fn replies_about_tokens_and_keys_are_serfs_byte_for_byte() {
    let keyring = Keyring::of(Key::new(&[0; 16]).unwrap(), Vec::new()).unwrap();
    let token = Some(zeroize::Zeroizing::new("sesame".into()));
    let served = Served::with(builder("gold-1").keyring(keyring), |options| options.auth_key = token).await;
    let mut wire = Wire::new(&served).await;
    wire.expect("handshake", 2, Some(&messages::Handshake { version: 1 }), &[&ok(2)]).await;
    let required = |seq| [b"\x82\xa5Error\xb7Authentication required\xa3Seq", &[seq][..]].concat();
    wire.expect("members", 3, NONE, &[&required(3)]).await;
    // Serf does not read this body, and is out of step from here.
    wire.expect("event", 4, Some(&messages::Event::default()), &[&required(4)]).await;
    let auth = |token: &str| messages::Auth { auth_key: token.into() };
    let invalid = |seq| [b"\x82\xa5Error\xbcInvalid authentication token\xa3Seq", &[seq][..]].concat();
    wire.expect("auth", 5, Some(&auth("wrong")), &[&invalid(5)]).await;
    wire.expect("auth", 6, Some(&auth("sesame")), &[&ok(6)]).await;
    wire.expect("auth", 7, Some(&auth("wrong")), &[&invalid(7)]).await;
    let listed: &[u8] = b"\x85\xa4Keys\x81\xb8AAAAAAAAAAAAAAAAAAAAAA==\x01\xa8Messages\x80\xa6NumErr\x00\xa8NumNodes\x01\xa7NumResp\x01";
    wire.expect(Command::ListKeys.name(), 8, NONE, &[&ok_then(8, listed)]).await;
    let key = |key: &str| messages::KeyChange { key: key.into() };
    let installed: &[u8] = b"\x85\xa4Keys\xc0\xa8Messages\x80\xa6NumErr\x00\xa8NumNodes\x01\xa7NumResp\x01";
    wire.expect("install-key", 9, Some(&key("AQEBAQEBAQEBAQEBAQEBAQ==")), &[&ok_then(9, installed)]).await;
    // The member's own words begin with a small letter.
    let failed: &[u8] = b"\x82\xa5Error\xba1/1 nodes reported failure\xa3Seq\x0a\x85\xa4Keys\xc0\xa8Messages\x81\xa6gold-1\xd9\x27the requested key is not in the keyring\xa6NumErr\x01\xa8NumNodes\x01\xa7NumResp\x01";
    wire.expect("use-key", 10, Some(&key("AgICAgICAgICAgICAgICAg==")), &[failed]).await;
    served.end().await;
}
