//! What the tests of clusters share. Nothing waits for a time; everything waits for a condition, and fails when it takes too long.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses a part")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::io::{EventRequest, Status};
use rumormill_tokio::agent::{Events, Stopped};
use rumormill_tokio::event::UserEvent;
use rumormill_tokio::{Agent, Builder, Event, Handle, Members};

pub const LONG: Duration = Duration::from_secs(60);

/// Detects a failure in about two seconds.
pub fn quick() -> Config {
    Config {
        probe_interval: Duration::from_millis(400),
        probe_timeout: Duration::from_millis(200),
        gossip_interval: Duration::from_millis(50),
        // Twenty members miss a query, which nobody repeats, once in a million times.
        retransmit_mult: 8,
        push_pull_interval: Duration::from_secs(3),
        leave_propagate_delay: Duration::from_millis(200),
        reconnect_interval: Duration::from_millis(500),
        ..Config::local()
    }
}

pub fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

pub fn builder(name: &str) -> Builder {
    Agent::builder().name(name).bind(loopback()).config(quick())
}

pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, work).await.unwrap_or_else(|_| panic!("{what} took longer than {LONG:?}"))
}

/// Waits until an agent's list is as wanted.
pub async fn sees(agent: &Handle, what: &str, wanted: impl Fn(&Members) -> bool) {
    let mut list = agent.watch_members();
    let waiting = list.wait_for(|members| wanted(members));
    if tokio::time::timeout(LONG, waiting).await.is_err() {
        let of = |member: &rumormill_tokio::Member| format!("{} {:?}", member.name(), member.status);
        let list: Vec<String> = agent.members().iter().map(of).collect();
        panic!("{}: {what} took longer than {LONG:?}: {list:?}", agent.name());
    }
}

pub fn alive(members: &Members) -> usize {
    members.iter().filter(|member| member.status == Status::Alive).count()
}

pub fn is(members: &Members, name: &str, status: Status) -> bool {
    members.get(name).is_some_and(|member| member.status == status)
}

pub async fn user_event(events: &mut Events, name: &str) -> UserEvent {
    soon("an event", async {
        loop {
            match events.next().await.expect("the agent runs") {
                Ok(Event::User(event)) if &*event.name == name => return event,
                Ok(_) => {}
                Err(missed) => panic!("{missed:?}"),
            }
        }
    })
    .await
}

pub fn event(name: &str) -> EventRequest {
    EventRequest { name: name.into(), payload: b"payload".as_slice().into(), coalesce: false }
}

/// So many agents that all know each other, the first of which all others have joined.
pub async fn cluster(n: usize) -> Vec<Handle> {
    cluster_of(n, |builder| builder).await
}

pub async fn cluster_of(n: usize, dress: impl Fn(Builder) -> Builder) -> Vec<Handle> {
    let first = dress(builder("node-00")).start().await.unwrap();
    let peer = first.addr().to_string();
    let mut agents = vec![first];
    for i in 1..n {
        let builder = dress(builder(&format!("node-{i:02}")));
        agents.push(builder.join(vec![peer.clone()]).start().await.unwrap());
    }
    for agent in &agents {
        sees(agent, "forming", |members| alive(members) == n).await;
    }
    agents
}

pub async fn shut_down(agents: Vec<Handle>) {
    for agent in agents {
        soon("shutting down", agent.shutdown()).await;
        assert_eq!(agent.stopped().await, Stopped::Shutdown);
    }
}
