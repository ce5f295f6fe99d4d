//! Clients that send nonsense, nothing, or do not read: they hurt nobody but themselves.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Served, builder, soon};
use crate::rpc::client::{Client, ClientError};
use crate::rpc::codec::encode;
use crate::rpc::messages::{self as messages, Command, RequestHeader};

/// Connections at a time.
const AT_ONCE: usize = 16;

fn hello() -> Vec<u8> {
    request(Command::Handshake, &messages::Handshake { version: 1 })
}

fn request(command: Command, body: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&RequestHeader { command: command.name().into(), seq: 5 }, &mut bytes);
    if command.has_body() {
        encode(body, &mut bytes);
    }
    bytes
}

/// Real requests of every kind, but for the one that ends the agent.
fn real() -> Vec<Vec<u8>> {
    let node = || messages::ForceLeave { node: "nobody".into(), prune: true };
    let tags = || [("role".to_owned(), "we.".to_owned())].into();
    vec![
        hello(),
        request(Command::Auth, &messages::Auth { auth_key: "x".into() }),
        request(Command::Event, &messages::Event { coalesce: true, name: "e".into(), payload: vec![1; 40] }),
        request(Command::ForceLeave, &node()),
        request(Command::Join, &messages::Join::default()),
        request(Command::Members, &()),
        request(
            Command::MembersFiltered,
            &messages::MembersFiltered { name: "a.*".into(), status: "alive".into(), tags: tags() },
        ),
        request(Command::Tags, &messages::TagsChange { delete_tags: vec!["x".into()], tags: tags() }),
        request(Command::Stream, &messages::Stream { r#type: "user:x,query".into() }),
        request(Command::Monitor, &messages::Monitor { log_level: "INFO".into() }),
        request(Command::Stop, &messages::Stop { stop: 5 }),
        request(
            Command::Query,
            &messages::Query {
                name: "q".into(),
                timeout: 1_000_000,
                filter_tags: tags(),
                request_ack: true,
                ..Default::default()
            },
        ),
        request(Command::Respond, &messages::Respond { id: 1, payload: vec![2; 10] }),
        request(Command::InstallKey, &messages::KeyChange { key: "AQEBAQEBAQEBAQEBAQEBAQ==".into() }),
        request(Command::ListKeys, &()),
        request(Command::Stats, &()),
        request(Command::GetCoordinate, &messages::CoordinateOf { node: "a".into() }),
    ]
}

fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

fn random_stream(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = vec![0; below(rng, 200)];
    rng.fill_bytes(&mut bytes);
    // Half of them where commands are taken.
    if rng.next_u32() & 1 == 0 { bytes } else { [hello(), bytes].concat() }
}

fn mutated_stream(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let real = real();
    let mut bytes = Vec::new();
    for _ in 0..1 + below(rng, 4) {
        bytes.extend_from_slice(&real[below(rng, real.len())]);
    }
    for _ in 0..1 + below(rng, 4) {
        let at = below(rng, bytes.len());
        match rng.next_u32() % 4 {
            0 => bytes[at] = rng.next_u32() as u8,
            1 => bytes[at] ^= 1 << (rng.next_u32() % 8),
            2 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, rng.next_u32() as u8),
        }
    }
    [hello(), bytes].concat()
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

async fn send_all(served: &Served, count: usize, mut stream: impl FnMut() -> Vec<u8>) {
    let (at, mut sending) = (served.at, JoinSet::new());
    for _ in 0..count {
        let bytes = stream();
        if sending.len() == AT_ONCE {
            soon("a hostile client", sending.join_next()).await.unwrap().unwrap();
        }
        sending.spawn(async move {
            let mut socket = TcpStream::connect(at).await.unwrap();
            // The server may close at once: then the rest is not taken, which is its right.
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
        });
    }
    while let Some(done) = soon("a hostile client", sending.join_next()).await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_and_mutated_requests_hurt_nobody() {
    let served = Served::new("a").await;
    let client = served.client().await;
    let mut before = 0;
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        send_all(&served, 2_500, || random_stream(&mut rng)).await;
        send_all(&served, 2_500, || mutated_stream(&mut rng)).await;
        assert_eq!(soon("members", client.members()).await.unwrap().len(), 1);
        // The first round fills what is kept at all: logs, events, queries.
        match seed {
            0 => before = resident(),
            _ => assert!(resident() < before + (64 << 20), "{before} bytes became {}", resident()),
        }
    }
    served.end().await;
}

#[tokio::test]
async fn claims_that_cannot_be_kept_close_the_connection_and_take_no_memory() {
    let served = Served::new("a").await;
    let before = resident();
    // A header whose body the claim stands for.
    let mut event = [hello(), request(Command::Event, &())].concat();
    event.pop();
    let mut open = Vec::new();
    for claim in
        [&b"\xdd\xff\xff\xff\xff"[..], b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", &[0x91; 200_000]]
    {
        for place in [&b""[..], &hello(), &event] {
            let mut socket = TcpStream::connect(served.at).await.unwrap();
            let _ = socket.write_all(&[place, claim].concat()).await;
            let _ = soon("the end", socket.read_to_end(&mut Vec::new())).await;
            open.push(socket);
        }
    }
    assert!(resident() < before + (64 << 20));
    assert_eq!(served.client().await.members().await.unwrap().len(), 1);
    served.end().await;
}

#[tokio::test]
async fn silent_and_half_open_clients_make_room_for_those_that_say_who_they_are() {
    const PLACES: usize = 20;
    let served = Served::with(builder("a"), |options| options.clients_max = PLACES).await;
    let mut silent = Vec::new();
    let hello = hello();
    for n in 0..3 * PLACES {
        let mut socket = TcpStream::connect(served.at).await.unwrap();
        // In the midst of a header, of a body, or before anything.
        socket.write_all(&hello[..n % hello.len()]).await.unwrap();
        silent.push(socket);
    }
    let mut clients = Vec::new();
    for _ in 0..PLACES {
        clients.push(soon("a client", served.client()).await);
    }
    for client in &clients {
        assert_eq!(client.members().await.unwrap().len(), 1);
    }
    // All places are taken by clients that may stay: the next one is turned away, and let in when somebody goes.
    let turned_away = soon("an answer", Client::connect(&served.at.to_string(), None)).await.unwrap_err();
    assert!(matches!(turned_away, ClientError::Closed(_)), "{turned_away:?}");
    drop(clients.pop());
    soon("a free place", async {
        while Client::connect(&served.at.to_string(), None).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    served.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_others_are_served() {
    let patience = Duration::from_millis(300);
    let served = Served::with(builder("a"), |options| options.patience = patience).await;
    let mut deaf = TcpStream::connect(served.at).await.unwrap();
    let stream = request(Command::Stream, &messages::Stream { r#type: "*".into() });
    deaf.write_all(&[hello(), stream].concat()).await.unwrap();
    // It asks until nothing more is taken: the server has stopped to read, because it cannot answer.
    let asking = async {
        let ask = request(Command::Stats, &()).repeat(100);
        while deaf.write_all(&ask).await.is_ok() {}
    };
    let client = served.client().await;
    let served_meanwhile = async {
        for _ in 0..100 {
            client.event("x", b"", false).await.unwrap();
            assert_eq!(client.members().await.unwrap().len(), 1);
        }
    };
    soon("the cut", async { tokio::join!(asking, served_meanwhile) }).await;
    served.end().await;
}
