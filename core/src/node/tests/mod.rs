//! Stories of whole nodes, named by the rule they pin; `swim` and `lifeguard` by the claims of the papers.

mod cluster;
mod contract;
mod coordinates;
mod delta;
mod detection;
mod exchange;
mod hostile;
mod intents;
mod joining;
mod leaving;
mod lifeguard;
mod pacing;
mod partitions;
mod queries;
mod query_keys;
mod query_votes;
mod sealing;
mod snapshot;
mod stage;
mod stale;
mod swim;
mod timed;
mod user_events;
mod words;

use crate::config::Config;
use crate::id::{Identity, Incarnation, NodeName, SharedIdentity, Versions};
use crate::io::{Event, State};
use crate::keyring::Keyring;
use crate::members::Roster;
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The shortest time there is.
const JUST: Duration = Duration::from_nanos(1);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn lan() -> Config {
    Config::lan()
}

/// Node `i` is called `n<i>` and lives at an address that holds `i`.
fn name(i: usize) -> String {
    format!("n{i}")
}

fn addr(i: usize) -> SocketAddr {
    ([10, 0, (i >> 8) as u8, i as u8], 7946).into()
}

/// `n` members that are alive at incarnation 1.
fn known(n: usize) -> Vec<(SharedIdentity, Incarnation)> {
    (0..n)
        .map(|i| {
            let identity = Identity {
                name: NodeName::new(&name(i)).unwrap(),
                addr: addr(i),
                meta: [].into(),
                versions: Versions::CURRENT,
            };
            (Arc::new(identity), Incarnation(1))
        })
        .collect()
}

fn born(i: usize, config: &Config, members: &[(SharedIdentity, Incarnation)], now: Instant) -> Node {
    born_with(Seed::simulated(9, i as u64, 0), i, config, members, now)
}

fn born_with(
    seed: Seed,
    i: usize,
    config: &Config,
    members: &[(SharedIdentity, Incarnation)],
    now: Instant,
) -> Node {
    let roster = Arc::new(Roster::new(members.iter().cloned(), &seed));
    let restore = Restore { incarnation: Incarnation(0), roster, ..Restore::default() };
    let name = NodeName::new(&name(i)).unwrap();
    Node::new(
        config.clone(),
        Birth { name, addr: addr(i), tags: &Tags::new(), seed, keyring: Keyring::empty(), restore },
        now,
    )
    .unwrap()
}

fn state(node: &Node, of: usize) -> Option<State> {
    node.member(&name(of)).map(|view| view.state)
}

fn told(event: Event<'_>) -> String {
    match event {
        Event::Join { member, .. } => format!("join {}", member.name),
        Event::Leave { member } => format!("leave {}", member.name),
        Event::Failed { member, .. } => format!("failed {}", member.name),
        Event::Update { member } => format!("update {}", member.name),
        Event::Reap { member } => format!("reap {}", member.name),
        Event::Conflict { member, .. } => format!("conflict {}", member.name),
        Event::User { origin, name, .. } => format!("event {name} of {origin}"),
        Event::Query { from, name, .. } => format!("query {name} of {from}"),
        Event::Ack { from, .. } => format!("ack of {from}"),
        Event::Answer { from, .. } => format!("answer of {from}"),
        Event::KeysChanged => "keys changed".into(),
        Event::MustStop { reason } => format!("must stop: {reason}"),
    }
}
