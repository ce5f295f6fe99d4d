//! Agents and their bad neighbours: floods of connections and datagrams, peers that are silent, and networks that drop UDP.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{alive, builder, cluster, cluster_of, event, sees, shut_down, soon, user_event};
use rumormill_core::io::Status;
use rumormill_tokio::{Handle, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Pseudo-random bytes, the same in every run.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

async fn traffic(agent: &Handle) -> Traffic {
    agent.stats().await.unwrap().traffic
}

/// The cluster is as it was, nobody suspects anybody, and news gets through.
async fn is_well(agents: &[Handle], name: &str) {
    for agent in agents {
        assert!(agent.members().iter().all(|member| member.status == Status::Alive), "{:?}", agent.members());
        assert_eq!(agent.members().len(), agents.len());
    }
    let mut events = agents[0].events();
    agents[1].user_event(event(name)).await.unwrap();
    user_event(&mut events, name).await;
}

#[tokio::test]
async fn connections_of_garbage_and_of_silence_hurt_only_themselves() {
    let agents = cluster(3).await;
    let victim = agents[0].addr();
    let mut bytes = Bytes(1);
    // Some thousand connections, of which none ends by itself: garbage, nothing, half a frame, a link that says nothing.
    let mut open = Vec::new();
    for i in 0..1000 {
        let Ok(mut socket) = soon("connecting", TcpStream::connect(victim)).await else { continue };
        let words = match i % 5 {
            0 => bytes.take(100),
            1 => Vec::new(),
            2 => vec![0xD8, 200, 0, 0, 0, 0xD7, 1],
            3 => vec![0xD9, 1],
            _ => [&[0xD8, 40, 0, 0, 0][..], &bytes.take(40)].concat(),
        };
        let _ = socket.write_all(&words).await;
        open.push(socket);
        // While they are open, a newcomer gets in all the same.
        if i == 600 {
            let newcomer =
                soon("joining", builder("newcomer").join(vec![victim.to_string()]).start()).await.unwrap();
            for agent in &agents {
                sees(agent, "the newcomer", |members| members.len() == 4).await;
            }
            newcomer.leave().await.unwrap();
            for agent in &agents {
                sees(agent, "the newcomer's leave", |members| {
                    members.get("newcomer").is_some_and(|member| member.status == Status::Left)
                })
                .await;
            }
            agents[1].force_leave("newcomer", true).await.unwrap();
            for agent in &agents {
                sees(agent, "its end", |members| members.len() == 3).await;
            }
        }
    }
    is_well(&agents, "during").await;
    let seen = traffic(&agents[0]).await;
    assert!(seen.accepted > 500 && seen.garbage > 100, "{seen:?}");
    // All of the first hundred, garbage or silent, have been ended; links, which may be idle for a while, apart.
    let mut rest = Vec::new();
    for (_, socket) in open.iter_mut().enumerate().take(100).filter(|(i, _)| i % 5 != 3) {
        let _ = soon("the end of a connection", socket.read_to_end(&mut rest)).await;
    }
    drop(open);
    is_well(&agents, "after").await;
    shut_down(agents).await;
}

#[tokio::test]
async fn datagrams_of_garbage_are_counted_and_change_nothing() {
    let agents = cluster(2).await;
    let victim = agents[0].addr();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut bytes = Bytes(7);
    let mut sent = 0;
    for i in 0..10_000 {
        let length = (bytes.next() % 1500) as usize;
        let mut datagram = bytes.take(length);
        if i % 2 == 0 && length > 2 {
            datagram[..2].copy_from_slice(&[0xD7, 1]);
        }
        sent += u64::from(socket.send_to(&datagram, victim).await.is_ok());
        if i % 100 == 99 {
            // No faster than they are taken, or the system drops them.
            soon("taking datagrams", async {
                while traffic(&agents[0]).await.datagrams_in < sent {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
    }
    let counters = agents[0].stats().await.unwrap().counters;
    assert!(counters.packets_rejected >= sent, "{counters:?}");
    is_well(&agents, "after").await;
    shut_down(agents).await;
}

#[tokio::test]
async fn a_cluster_lives_without_udp() {
    let mut agents = cluster_of(4, |builder| builder.tcp_only(true)).await;
    is_well(&agents, "hello").await;
    // One that uses UDP understands them, and they it.
    let mixed = builder("mixed").join(vec![agents[0].addr().to_string()]).start().await.unwrap();
    agents.push(mixed);
    for agent in &agents {
        sees(agent, "the fifth", |members| alive(members) == 5).await;
    }
    is_well(&agents, "mixed").await;
    // Who is gone is found out, over TCP alone.
    let gone = agents.remove(3);
    gone.shutdown().await;
    for agent in &agents {
        sees(agent, "the failure", |members| {
            members.get("node-03").is_some_and(|member| member.status == Status::Failed)
        })
        .await;
    }
    for agent in &agents[..3] {
        let seen = traffic(agent).await;
        assert!(seen.datagrams_out == 0 && seen.tcp_packets_out > 10, "{seen:?}");
    }
    let counters = agents[0].stats().await.unwrap().counters;
    assert!(
        counters.probes > counters.probes_failed + counters.probes_saved_by_stream,
        "packets answer: {counters:?}"
    );
    shut_down(agents).await;
}

#[tokio::test]
async fn a_peer_that_never_reads_keeps_nobody_waiting() {
    let agents = cluster(2).await;
    // It accepts, and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute: SocketAddr = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(one) = listener.accept().await {
            held.push(one);
        }
    });
    let started = std::time::Instant::now();
    let mute = [mute.to_string()];
    let join = agents[0].join(&mute, false);
    let (joined, ()) = tokio::join!(join, is_well(&agents, "meanwhile"));
    let error = joined.unwrap_err().to_string();
    assert!(error.contains("timed out") && error.contains(&mute[0]), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    accepting.abort();
    shut_down(agents).await;
}
