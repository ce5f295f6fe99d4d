//! Agents as those see them who watch: metrics and health over HTTP, and what is sent to statsd and statsite.
#![cfg(feature = "http")]

mod common;
mod exposition;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{LONG, alive, builder, cluster, event, is, loopback, sees, shut_down, soon};
use exposition::Scrape;
use rumormill_core::io::{QueryRequest, Status};
use rumormill_core::tags::Tags;
use rumormill_tokio::handlers::{Handlers, Limits};
use rumormill_tokio::http;
use rumormill_tokio::metrics::push::{self, Sink};
use rumormill_tokio::metrics::{CONTENT_TYPE, Sources};
use rumormill_tokio::rpc::server::RpcTally;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const PAGE: &str = include_str!("../docs/metrics.md");
const DASHBOARD: &str = include_str!("../docs/grafana.json");

/// Serves an agent's figures; where, and the expectation of it.
async fn watched(sources: Sources, others: bool) -> (SocketAddr, http::Expectation) {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let expects = http::Expectation::of(sources.agent(), others);
    tokio::spawn(http::serve(listener, http::Options { sources, expects: expects.clone() }));
    (addr, expects)
}

/// What is answered to a request: the status, the head, the body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Says something, and reads until the connection ends.
async fn say(addr: SocketAddr, what: &[u8]) -> Answer {
    let text = soon("an answer", async {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        // Of a request that is too long, the end may find nobody who reads it.
        let _ = socket.write_all(what).await;
        let mut text = Vec::new();
        let _ = socket.read_to_end(&mut text).await;
        String::from_utf8(text).unwrap()
    })
    .await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.into() }
}

async fn request(addr: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    say(addr, format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await
}

async fn get(addr: SocketAddr, path: &str) -> Answer {
    request(addr, "GET", path, "").await
}

async fn scrape(addr: SocketAddr) -> Scrape {
    let answer = get(addr, "/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Scrape::read(&answer.body)
}

/// The rows of the page's tables: what stands in backquotes first, and then.
fn rows(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.strip_suffix('`')?, cells.next()?))
    })
}

#[tokio::test]
async fn the_page_and_the_dashboard_name_what_a_scrape_has() {
    let folder = tempfile::tempdir().unwrap();
    let agent = builder("a").snapshot(folder.path().join("snapshot")).start().await.unwrap();
    let handlers = Handlers::new(Vec::new(), Limits::default());
    let sources = Sources::new(agent.clone()).handlers(handlers).rpc(RpcTally::default());
    let (addr, _) = watched(sources, false).await;
    let answer = get(addr, "/metrics").await;
    assert!(answer.head.contains(&format!("\r\ncontent-type: {CONTENT_TYPE}")), "{}", answer.head);
    let scraped = Scrape::read(&answer.body);
    let documented: BTreeMap<String, String> = rows(PAGE)
        .filter(|(name, _)| name.starts_with("rumormill_"))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(|(name, kind)| (name.into(), kind.into()))
        .collect();
    assert_eq!(documented, scraped.families);

    serde_json::from_str::<serde_json::Value>(DASHBOARD).expect("the dashboard is JSON");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = DASHBOARD.split(|c| !is_part(c)).filter(|word| word.starts_with("rumormill_"));
    let mut shown = BTreeSet::new();
    for name in names {
        let family = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(scraped.families.contains_key(family), "the dashboard has {name}");
        let raw = scraped.samples.keys().any(|(sample, _)| sample == name);
        assert!(raw, "the dashboard has {name}, of which there is no sample");
        shown.insert(family);
    }
    assert!(shown.len() > 20, "{shown:?}");
    // Labels of the page's tables are those of the samples, and so are their values where they are all named.
    for line in PAGE.lines().filter(|line| line.starts_with("| `rumormill_")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells.len() != 7 {
            // An expression to be woken by.
            continue;
        }
        let name = cells[1].trim_matches('`');
        for label in cells[4].split("; ").filter(|label| !label.is_empty()) {
            let (key, values) = label.split_once(": ").unwrap_or((label, "..."));
            let key = key.trim_matches('`');
            let found: BTreeSet<&str> = scraped
                .samples
                .keys()
                .filter(|(sample, _)| sample.strip_suffix("_bucket").unwrap_or(sample) == name)
                .flat_map(|(_, labels)| labels.iter().filter(|(known, _)| known == key))
                .map(|(_, value)| value.as_str())
                .collect();
            assert!(!found.is_empty(), "{name} has no label {key}");
            if !values.contains("...") {
                assert_eq!(found, values.split(", ").collect(), "{name}, {key}");
            }
        }
    }
    shut_down(vec![agent]).await;
}

#[tokio::test]
async fn figures_move_as_a_member_dies_and_events_are_told() {
    let mut agents = cluster(3).await;
    let victim = agents.pop().unwrap();
    let (addr, _) = watched(Sources::new(agents[0].clone()), false).await;
    let before = scrape(addr).await;
    let members = |scrape: &Scrape, status| scrape.value("rumormill_members", &[("status", status)]);
    assert_eq!((members(&before, "alive"), members(&before, "failed")), (3.0, 0.0));
    assert_eq!(before.value("rumormill_member_events_total", &[("event", "join")]), 2.0);
    assert!(before.value("rumormill_received_bytes_total", &[("transport", "stream")]) > 0.0);

    let name = victim.name().to_owned();
    soon("dying", victim.shutdown()).await;
    sees(&agents[0], "the death", |members| is(members, &name, Status::Failed)).await;
    agents[0].user_event(event("deploy")).await.unwrap();
    let timeout = Some(Duration::from_millis(500));
    let query = QueryRequest { name: "load".into(), ack: true, timeout, ..QueryRequest::default() };
    let mut answers = agents[0].query(query).await.unwrap();
    soon("the query's end", async { while answers.next().await.is_some() {} }).await;

    let after = scrape(addr).await;
    assert_eq!((members(&after, "alive"), members(&after, "failed")), (2.0, 1.0));
    let grown = |name: &str| after.sum(name) - before.sum(name);
    let value = |name: &str, labels: &[(&str, &str)]| after.value(name, labels) - before.value(name, labels);
    assert_eq!(value("rumormill_member_events_total", &[("event", "failed")]), 1.0);
    assert!(grown("rumormill_suspicions_begun_total") >= 1.0);
    assert!(value("rumormill_suspicions_ended_total", &[("outcome", "failed")]) >= 1.0);
    assert_eq!(
        after.sum("rumormill_suspicions_begun_total"),
        after.sum("rumormill_suspicions_ended_total") + after.sum("rumormill_suspicions")
    );
    assert!(after.value("rumormill_probe_rtt_seconds_count", &[("path", "direct")]) >= 1.0);
    assert!(after.sum("rumormill_core_lag_seconds_count") >= 1.0);
    assert_eq!(value("rumormill_user_events_sent_total", &[]), 1.0);
    assert_eq!(value("rumormill_user_events_received_total", &[]), 1.0);
    assert_eq!(value("rumormill_queries_sent_total", &[]), 1.0);
    assert!(value("rumormill_query_responses_total", &[("kind", "ack")]) >= 1.0);
    assert!(value("rumormill_messages_sent_total", &[("kind", "event")]) >= 1.0);
    assert!(value("rumormill_lamport_time", &[("clock", "event")]) >= 1.0);
    for name in ["rumormill_packets_sent_total", "rumormill_sent_bytes_total", "rumormill_decoded_total"] {
        assert!(grown(name) > 0.0, "{name}");
    }
    for (name, kind) in &after.families {
        if kind == "counter" {
            assert!(grown(name) >= 0.0, "{name} went back");
        }
    }
    shut_down(agents).await;
}

#[tokio::test]
async fn an_agent_that_is_to_join_others_is_ready_when_it_has() {
    let agents = [builder("a").start().await.unwrap(), builder("b").start().await.unwrap()];
    let (alone, _) = watched(Sources::new(agents[0].clone()), false).await;
    let (addr, expects) = watched(Sources::new(agents[0].clone()), true).await;
    for addr in [alone, addr] {
        let answer = get(addr, "/healthz").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "alive\n"));
    }
    let answer = get(alone, "/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ready\n"));
    let answer = get(addr, "/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "the agent has not joined anybody yet\n"));
    let answer = request(addr, "GET", "/readyz", "Accept: application/json\r\n").await;
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &document["ready"]), (503, &false.into()));
    assert_eq!(document["reasons"], serde_json::json!(["the agent has not joined anybody yet"]));
    assert_eq!(document["figures"]["members_alive"], 1);

    // A reload may take back that somebody is to be joined.
    expects.set(false);
    assert_eq!(get(addr, "/readyz").await.status, 200);
    expects.set(true);
    assert_eq!(get(addr, "/readyz").await.status, 503);
    agents[0].join(&[agents[1].addr().to_string()], false).await.unwrap();
    sees(&agents[0], "the other", |members| alive(members) == 2).await;
    assert_eq!(get(addr, "/readyz").await.status, 200);
    // Who has met others stays joined when they are gone.
    let [a, b] = agents;
    b.leave().await.unwrap();
    sees(&a, "the leave", |members| is(members, "b", Status::Left)).await;
    let answer = request(addr, "GET", "/readyz", "Accept: application/json\r\n").await;
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        (answer.status, &document["ready"], &document["reasons"]),
        (200, &true.into(), &serde_json::json!([]))
    );
    shut_down(vec![a]).await;
}

#[tokio::test]
async fn an_agent_whose_snapshot_knows_others_is_ready_when_it_has_met_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let other = builder("other").start().await.unwrap();
    std::fs::write(&path, format!("alive: other {}\n", other.addr())).unwrap();
    other.shutdown().await;
    let agent = builder("a").snapshot(&path).start().await.unwrap();
    assert!(agent.knows_of_others());
    let (addr, _) = watched(Sources::new(agent.clone()), false).await;
    assert_eq!(get(addr, "/readyz").await.body, "the agent has not joined anybody yet\n");
    shut_down(vec![agent]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_core_that_does_not_answer_is_not_healthy_and_one_that_lags_not_ready() {
    // A worker that is held keeps the task that it woke last; it must not be one of those who watch.
    let elsewhere =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let agents = elsewhere.spawn(cluster(2)).await.unwrap();
    let (addr, _) = watched(Sources::new(agents[0].clone()), true).await;
    assert_eq!(get(addr, "/readyz").await.status, 200);
    // What is borrowed keeps the driver from renewing its list, which other tags make it do.
    let list = agents[0].watch_members();
    let (held, holding) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let borrowed = list.borrow();
        held.send(()).unwrap();
        released.recv_timeout(LONG).unwrap();
        drop(borrowed);
    });
    soon("holding", holding).await.unwrap();
    let agent = agents[0].clone();
    let tagging = tokio::spawn(async move { agent.set_tags(Tags::from_iter([("role", "web")])).await });
    let began = Instant::now();
    loop {
        let answer = get(addr, "/healthz").await;
        if answer.status == 503 {
            assert_eq!(answer.body, "the core did not answer within 1s\n");
            break;
        }
        assert!(began.elapsed() < LONG, "the driver is not held");
    }
    for path in ["/metrics", "/readyz"] {
        assert_eq!(get(addr, path).await.status, 503, "{path}");
    }
    release.send(()).unwrap();
    holder.join().unwrap();
    soon("tagging", tagging).await.unwrap().unwrap();
    assert_eq!(get(addr, "/healthz").await.status, 200);
    let answer = get(addr, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.starts_with("the core lags: it came "), "{}", answer.body);
    let late = scrape(addr).await;
    assert!(late.value("rumormill_core_lag_recent_seconds", &[]) >= 1.0);
    assert!(
        late.value("rumormill_core_lag_seconds_bucket", &[("le", "0.5")])
            < late.sum("rumormill_core_lag_seconds_count")
    );
    shut_down(agents).await;
    elsewhere.shutdown_background();
}

#[tokio::test]
async fn what_is_not_there_or_not_done_is_said() {
    let agent = builder("a").start().await.unwrap();
    let (addr, _) = watched(Sources::new(agent.clone()), false).await;
    for path in ["/", "/metrics/", "/healthz2", "*"] {
        let answer = get(addr, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body, "nothing is here; there are /metrics, /healthz and /readyz\n");
    }
    for method in ["POST", "DELETE", "BREW"] {
        let answer = request(addr, method, "/metrics", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (405, "only GET and HEAD are answered here\n"));
        assert!(answer.head.contains("allow: get, head"), "{}", answer.head);
    }
    let answer = request(addr, "HEAD", "/metrics", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(get(addr, "/metrics?x=y").await.status, 200);
    // A client that closes its sending side with its request is answered.
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    soon("an answer", socket.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nalive\n"), "{answer}");
    assert!(get(addr, "/healthz").await.head.contains("connection: close"));
    shut_down(vec![agent]).await;
    // With the agent ends its server.
    soon("the server's end", async { while TcpStream::connect(addr).await.is_ok() {} }).await;
}

#[tokio::test]
async fn hostile_clients_hold_up_nobody() {
    let agent = builder("a").start().await.unwrap();
    let (addr, _) = watched(Sources::new(agent.clone()), false).await;
    // Many that say nothing, or begin to: whoever asks is answered all the same.
    let mut silent = Vec::new();
    for i in 0..4 * http::CONNECTIONS_MAX {
        let mut socket = soon("connecting", TcpStream::connect(addr)).await.unwrap();
        let words: &[u8] = match i % 3 {
            0 => b"",
            1 => b"GET /met",
            _ => b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        };
        // Those that made room may be closed already.
        let _ = socket.write_all(words).await;
        silent.push(socket);
    }
    assert_eq!(get(addr, "/metrics").await.status, 200);
    // One that has been let in is dropped when its time is up, however slowly it goes on.
    let mut slow = silent.pop().unwrap();
    let began = Instant::now();
    let ended = soon("the end of a slow client", async {
        let mut piece = [0; 64];
        loop {
            if slow.write_all(b"x").await.is_err() {
                return;
            }
            let read = tokio::time::timeout(Duration::from_millis(100), slow.read(&mut piece)).await;
            if let Ok(Ok(0) | Err(_)) = read {
                return;
            }
        }
    });
    ended.await;
    assert!(began.elapsed() < 2 * http::CONNECTION_TIME_MAX, "{:?}", began.elapsed());
    drop(silent);

    let long = format!("GET /metrics HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(4 * http::HEAD_BYTES_MAX));
    let answer = say(addr, long.as_bytes()).await;
    assert!(matches!(answer.status, 0 | 431), "{}", answer.head);
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(500));
    let answer = say(addr, many.as_bytes()).await;
    assert!(matches!(answer.status, 0 | 431), "{}", answer.head);
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\0\0\0\0\r\n\r\n", b"hello\r\n\r\n"]
    {
        let answer = say(addr, garbage).await;
        assert!(matches!(answer.status, 0 | 400), "{}", answer.head);
    }
    // A body that nobody wants is not read.
    let answer = request(addr, "POST", "/metrics", "Content-Length: 1000000000\r\n").await;
    assert_eq!(answer.status, 405);
    assert_eq!(get(addr, "/readyz").await.status, 200);
    shut_down(vec![agent]).await;
}

/// Lines by name: their type, and the sum of their values.
#[derive(Debug, Default)]
struct Received(BTreeMap<String, (String, f64)>);

impl Received {
    fn take(&mut self, text: &str) {
        for line in text.lines() {
            let (name, rest) = line.split_once(':').expect(line);
            let (value, kind) = rest.split_once('|').expect(line);
            let entry = self.0.entry(name.into()).or_insert_with(|| (kind.into(), 0.0));
            assert_eq!(entry.0, kind, "{line}");
            entry.1 += value.parse::<f64>().expect(line);
        }
    }

    fn sum(&self, name: &str) -> f64 {
        self.0.get(name).map_or(0.0, |(_, sum)| *sum)
    }
}

const QUICK: Duration = Duration::from_millis(50);

#[tokio::test]
async fn statsd_gets_serfs_names_in_small_datagrams() {
    let socket = UdpSocket::bind(loopback()).await.unwrap();
    let agents = cluster(2).await;
    let sink = Sink::Statsd(socket.local_addr().unwrap().to_string());
    let sources = Sources::new(agents[0].clone()).rpc(RpcTally::default());
    let pushing = tokio::spawn(push::run(sink, sources, QUICK));
    for name in ["one", "two", "three"] {
        agents[1].user_event(event(name)).await.unwrap();
    }
    let mut received = Received::default();
    let mut buffer = [0; 65_536];
    soon("three events and a probe", async {
        while received.sum("serf-agent.serf.events") < 3.0
            || received.sum("serf-agent.memberlist.probeNode") == 0.0
        {
            let length = socket.recv(&mut buffer).await.unwrap();
            assert!(length <= 1400, "{length}");
            received.take(std::str::from_utf8(&buffer[..length]).unwrap());
        }
    })
    .await;
    assert_eq!(received.sum("serf-agent.serf.events"), 3.0);
    assert_eq!(received.sum("serf-agent.serf.member.join"), 1.0);
    assert!(received.sum("serf-agent.memberlist.udp.sent") > 0.0);
    // Each name is one of the page's, of the type that stands there; gauges have the host's name before them.
    let page = PAGE.split_once("## statsd and statsite").expect("the section").1;
    let documented: BTreeMap<&str, &str> = rows(page).collect();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for (name, (kind, _)) in &received.0 {
        let short = name.strip_prefix("serf-agent.").expect(name);
        let short = if kind == "g" { short.strip_prefix(&format!("{host}.")).expect(name) } else { short };
        let general =
            short.strip_prefix("memberlist.node.instances.").map(|_| "memberlist.node.instances.STATE");
        assert_eq!(documented.get(general.unwrap_or(short)), Some(&kind.as_str()), "{name}");
    }
    shut_down(agents).await;
    soon("the end of pushing", pushing).await.unwrap();
}

#[tokio::test]
async fn statsite_gets_later_what_it_missed_while_it_was_gone() {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let agents = cluster(2).await;
    let pushing =
        tokio::spawn(push::run(Sink::Statsite(addr.to_string()), Sources::new(agents[0].clone()), QUICK));
    agents[1].user_event(event("while nobody listens")).await.unwrap();
    let mut told = 1.0;
    // It comes, goes, and comes again.
    for round in ["first", "second"] {
        let listener = soon("listening", async {
            loop {
                if let Ok(listener) = TcpListener::bind(addr).await {
                    return listener;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        let mut socket = soon("a connection", listener.accept()).await.unwrap().0;
        drop(listener);
        let (mut received, mut text) = (Received::default(), String::new());
        let mut piece = [0; 4096];
        soon("the event", async {
            while received.sum("serf-agent.serf.events") < told {
                let length = socket.read(&mut piece).await.unwrap();
                assert!(length > 0, "the agent ended the connection");
                text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
                let whole = text.rfind('\n').map_or(0, |at| at + 1);
                received.take(&text.drain(..whole).collect::<String>());
            }
        })
        .await;
        assert_eq!(received.sum("serf-agent.serf.events"), told, "{round}");
        told = 1.0;
        drop(socket);
        if round == "first" {
            agents[1].user_event(event("while it is gone")).await.unwrap();
        }
    }
    shut_down(agents).await;
    soon("the end of pushing", pushing).await.unwrap();
}
