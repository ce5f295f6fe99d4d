//! The client on Debian's `serf agent`, and Debian's `serf` on our server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Served, soon};
use crate::rpc::client::{Client, ClientError, QueryParams, QueryRecord, StreamRecord};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is only waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that is free, because it was bound a moment ago.
fn free() -> SocketAddr {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

async fn debians() -> (Running, Client) {
    let (bind, rpc) = (free(), free());
    let mut command = Command::new("serf");
    command.args(["agent", "-node=peer", "-tag", "role=web"]);
    command.arg(format!("-bind={bind}")).arg(format!("-rpc-addr={rpc}"));
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let client = soon("serf's start", async {
        loop {
            match Client::connect(&rpc.to_string(), None).await {
                Ok(client) => return client,
                Err(ClientError::Connect { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    });
    (running, client.await)
}

#[tokio::test]
async fn the_client_speaks_to_debians_agent() {
    let (_running, client) = debians().await;
    let members = client.members().await.unwrap();
    assert_eq!((&*members[0].name, &*members[0].status, members[0].delegate_cur), ("peer", "alive", 5));
    let none = BTreeMap::new();
    assert_eq!(client.members_filtered(&none, "failed", "").await, Ok(Vec::new()));
    let mut events = client.stream("user,query,member-update").await.unwrap();
    client.event("deploy", b"x", false).await.unwrap();
    let Some(Ok(StreamRecord::User(event))) = soon("an event", events.next()).await else {
        panic!("no event")
    };
    assert_eq!((&*event.name, &event.payload[..]), ("deploy", &b"x"[..]));
    let timeout = Some(Duration::from_millis(500));
    let load = QueryParams { name: "load".into(), ack: true, timeout, ..QueryParams::default() };
    let mut answers = client.query(load).await.unwrap();
    let Some(Ok(StreamRecord::Query(query))) = soon("a query", events.next()).await else {
        panic!("no query")
    };
    client.respond(query.id, b"fine").await.unwrap();
    let mut found = Vec::new();
    while let Some(record) = soon("an answer", answers.next()).await {
        found.push(record.unwrap());
    }
    // In the order in which Serf happens to give them.
    found.sort_by_key(|record| matches!(record, QueryRecord::Response { .. }));
    let from = || "peer".to_owned();
    assert_eq!(
        found,
        [QueryRecord::Ack { from: from() }, QueryRecord::Response { from: from(), payload: b"fine".into() }]
    );
    client.tags(&[("a".into(), "b".into())].into(), &["role".into()]).await.unwrap();
    let Some(Ok(StreamRecord::Members(news))) = soon("an update", events.next()).await else {
        panic!("no update")
    };
    assert_eq!(news.members[0].tags, [("a".into(), "b".into())].into());
    events.stop().await.unwrap();
    let refused = client.join(&[free().to_string()], false).await.unwrap_err();
    assert!(refused.to_string().contains("connection refused"), "{refused}");
    let keys = client.list_keys().await.unwrap();
    assert_eq!((keys.error.as_deref(), keys.num_err), (Some("1/1 nodes reported failure"), 1));
    assert!(client.install_key("AAAAAAAAAAAAAAAAAAAAAA==").await.unwrap().error.is_some());
    assert_eq!(client.stats().await.unwrap()["serf"]["members"], "1");
    assert!(client.coordinate("peer").await.unwrap().is_some_and(|place| place.to_core().is_some()));
    assert_eq!(client.coordinate("nobody").await, Ok(None));
    client.force_leave("nobody", true).await.unwrap();
    let mut log = client.monitor("debug").await.unwrap();
    assert!(soon("a line", log.next()).await.unwrap().unwrap().contains("agent"));
    let closed = client.members_filtered(&none, "", "(").await.unwrap_err();
    assert!(matches!(closed, ClientError::Closed(_)), "{closed:?}");
}

#[tokio::test]
async fn debians_agent_leaves_when_it_is_told() {
    let (mut running, client) = debians().await;
    soon("leaving", client.leave()).await.unwrap();
    let status = tokio::task::spawn_blocking(move || running.0.wait().unwrap()).await.unwrap();
    assert!(status.success());
}

/// What Debian's `serf` prints.
async fn serf(served: &Served, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("serf");
    command.arg(args[0]).arg(format!("-rpc-addr={}", served.at)).args(&args[1..]);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = soon(args[0], ended).await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debians_commands_speak_to_our_server() {
    let served = Served::new("ours").await;
    let (_, listed) = serf(&served, &["members"]).await;
    let words: Vec<_> = listed.split_whitespace().collect();
    assert_eq!(words, ["ours", &served.agent.addr().to_string(), "alive", "role=web"]);
    let (_, said) = serf(&served, &["event", "deploy", "x"]).await;
    assert!(said.contains("Event 'deploy' dispatched! Coalescing enabled: true"), "{said}");
    let (_, said) = serf(&served, &["query", "-timeout=300ms", "load"]).await;
    assert!(said.contains("Ack from 'ours'") && said.contains("Total Acks: 1"), "{said}");
    let (fine, said) = serf(&served, &["reachability"]).await;
    assert!(fine && said.contains("Successfully contacted all live nodes"), "{said}");
    let (_, said) = serf(&served, &["info"]).await;
    let keys: BTreeSet<_> =
        said.lines().filter_map(|line| line.trim().split_once(" = ")).map(|(key, _)| key).collect();
    assert!(
        ["name", "members", "query_time", "coordinate_resets", "role"].iter().all(|key| keys.contains(key)),
        "{said}"
    );
    let (_, said) = serf(&served, &["tags", "-set", "a=b", "-delete", "role"]).await;
    assert!(said.contains("Successfully updated agent tags"), "{said}");
    let (fine, said) = serf(&served, &["members", "-name=("]).await;
    assert!(!fine && said.contains("no usable regular expression: unclosed group"), "{said}");
    let (_, said) = serf(&served, &["rtt", "ours", "ours"]).await;
    assert!(said.contains("Estimated ours <-> ours rtt:"), "{said}");
    let (fine, said) = serf(&served, &["keys", "-list"]).await;
    assert!(!fine && said.contains("1/1 nodes reported failure"), "{said}");
    let (fine, said) = serf(&served, &["force-leave", "nobody"]).await;
    assert!(!fine && said.contains("nobody"), "{said}");
    let (fine, said) = serf(&served, &["leave"]).await;
    assert!(fine && said.contains("Graceful leave complete"), "{said}");
    soon("the server's end", served.serving).await.unwrap();
}
