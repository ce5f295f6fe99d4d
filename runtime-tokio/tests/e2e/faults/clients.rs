//! Clients of the control protocol that do not behave.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rumormill_tokio::rpc::codec::encode;
use rumormill_tokio::rpc::messages::{Handshake, Monitor, RequestHeader, Stream};
use socket2::{Domain, Socket, Type};

use super::node::{BRISK, Cluster, Node};
use crate::harness::{PATIENCE, wait_until, wait_within};

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
    encode(&header("monitor", 1), &mut requests);
    encode(&Monitor { log_level: "DEBUG".into() }, &mut requests);
    // Many times the same, so that what the system keeps for it is soon full.
    for seq in 2..60 {
        encode(&header("stream", seq), &mut requests);
        encode(&Stream { r#type: "*".into() }, &mut requests);
    }
    let mut client = TcpStream::from(socket);
    client.write_all(&requests).expect("the agent reads");
    client
}

/// Counts the events that come to a client which reads them, until it is to stop.
fn count_events(node: &Node, stop: &AtomicBool, count: &AtomicUsize) {
    let counted = node.call(async |client| {
        let mut events = client.stream("user").await?;
        while !stop.load(Ordering::Relaxed) {
            let next = tokio::time::timeout(Duration::from_millis(100), events.next()).await;
            if let Ok(Some(event)) = next {
                event?;
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    });
    counted.expect("a client that reads is served");
}

/// Tells things for as long as it takes until the agent says what it said, or the time is up; gives how many were accepted.
fn tell_until(node: &Node, says: &str) -> usize {
    let payload = "x".repeat(400);
    let mut accepted = 0;
    wait_within(Duration::from_secs(60), says, || {
        let sent = node.call(async |client| {
            let mut sent = 0;
            // Busy is an answer, too.
            while sent < 10 && client.event("told", payload.as_bytes(), false).await.is_ok() {
                sent += 1;
            }
            Ok(sent)
        });
        accepted += sent.expect("others are served all the while");
        node.log().contains(says)
    });
    accepted
}

#[test]
fn a_client_that_never_reads_is_cut_off_and_costs_nobody_anything() {
    let cluster = Cluster::start(2, BRISK, &["-event-handler=member-reap=true"]);
    let [node, other] = &cluster.nodes[..] else { panic!("there are two") };
    let before = node.process.resident_kib();
    let mut client = node.host.inside(|| deaf_client(([127, 0, 0, 1], 7373).into()));
    let (stop, counts) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let accepted = thread::scope(|scope| {
        let (stop, counts) = (&stop, &counts);
        scope.spawn(move || count_events(node, stop, &counts[0]));
        scope.spawn(move || count_events(other, stop, &counts[1]));
        let accepted = catch_unwind(AssertUnwindSafe(|| {
            // Its readers are there as soon as they hear something.
            let heard = |least: usize| counts.iter().all(|count| count.load(Ordering::Relaxed) >= least);
            wait_until("all readers hear", || node.tell("are you there?") && heard(1));
            let before: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
            let accepted = tell_until(node, "cut off: it does not read what it is sent");
            wait_until("readers get everything", || {
                let pairs = counts.iter().zip(&before);
                pairs.into_iter().all(|(count, before)| count.load(Ordering::Relaxed) >= before + accepted)
            });
            accepted
        }));
        stop.store(true, Ordering::Relaxed);
        accepted.unwrap_or_else(|panic| resume_unwind(panic))
    });
    // What was on its way comes, and then the end.
    client.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
    let mut rest = Vec::new();
    if let Err(error) = client.read_to_end(&mut rest) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    assert!(!rest.is_empty());
    let after = node.process.resident_kib();
    println!("{accepted} events; {before} KiB before, {after} KiB after");
    assert!(after <= before + GROWTH_MAX, "{before} KiB before, {after} KiB after");
    assert_eq!(cluster.failures(), []);
}
