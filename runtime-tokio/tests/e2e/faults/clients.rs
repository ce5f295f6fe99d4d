//! Clients of the control protocol that do not behave.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rumormill_tokio::rpc::codec::encode;
use rumormill_tokio::rpc::messages::{Handshake, Monitor, RequestHeader, Stream};
use socket2::{Domain, Socket, Type};

use super::node::{BRISK, Cluster};
use crate::harness::wait_within;

/// What a client that reads nothing may cost, KiB.
const GROWTH_MAX: u64 = 8 * 1024;

/// Asks for all events and all of the log, and will read none of it.
fn deaf_client(rpc: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
    socket.set_recv_buffer_size(4096).expect("a buffer may be small");
    socket.connect(&rpc.into()).expect("the agent takes commands");
    let mut requests = Vec::new();
    let header = |command: &str, seq| RequestHeader { command: command.into(), seq };
    encode(&header("handshake", 0), &mut requests);
    encode(&Handshake { version: 1 }, &mut requests);
    encode(&header("stream", 1), &mut requests);
    encode(&Stream { r#type: "*".into() }, &mut requests);
    encode(&header("monitor", 2), &mut requests);
    encode(&Monitor { log_level: "DEBUG".into() }, &mut requests);
    let mut client = TcpStream::from(socket);
    client.write_all(&requests).expect("the agent reads");
    client
}

#[test]
fn a_client_that_never_reads_is_cut_off_and_costs_nobody_anything() {
    let cluster = Cluster::start(2, BRISK, &[]);
    let [node, other] = &cluster.nodes[..] else { panic!("there are two") };
    assert!(node.tell("0"));
    Cluster::await_told(&cluster.nodes, "0");
    let before = node.process.resident_kib();
    let mut client = node.host.inside(|| deaf_client(([127, 0, 0, 1], 7373).into()));
    let payload = "x".repeat(400);
    let mut accepted = 1;
    wait_within(Duration::from_secs(60), "it is cut off", || {
        let sent = node.call(async |client| {
            for number in 0..50 {
                let text = format!("{} {payload}\n", accepted + number);
                if client.event("told", text.as_bytes(), false).await.is_err() {
                    return Ok(number);
                }
            }
            Ok(50)
        });
        accepted += sent.expect("others are served all the while");
        node.log().contains("cut off: it does not read what it is sent")
    });
    // It is told, too: what was on its way comes, and then the end.
    client.set_read_timeout(Some(Duration::from_secs(10))).expect("it is a socket");
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(!rest.is_empty());
    for node in &cluster.nodes {
        wait_within(Duration::from_secs(60), "all accepted events are delivered", || {
            node.told().len() == accepted
        });
    }
    let after = node.process.resident_kib();
    println!("{accepted} events; {before} KiB before, {after} KiB after");
    assert!(after <= before + GROWTH_MAX, "{before} KiB before, {after} KiB after");
    assert!(node.tell("still there"));
    Cluster::await_told([node, other], "still there");
    assert_eq!(cluster.failures(), []);
}
