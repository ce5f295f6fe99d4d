//! What `stats` shows: Serf's sections and keys.

use std::collections::BTreeMap;
use std::thread::available_parallelism;

use rumormill_core::io::Status;
use rumormill_core::wire::Clocks;

use super::ServerOptions;
use crate::agent::{Handle, Stats};
use crate::rpc::messages::{StatsReply, owned_tags};
use crate::{Error, Members};

pub(super) async fn collect(agent: &Handle, options: &ServerOptions) -> Result<StatsReply, Error> {
    let stats = agent.stats().await?;
    let sections = [
        ("agent", map([("name", agent.name().into())])),
        ("runtime", runtime()),
        ("serf", serf(&stats, &agent.members())),
        ("tags", owned_tags(&agent.me().tags())),
        ("event_handlers", options.event_handlers.borrow().clone()),
    ];
    Ok(sections.into_iter().map(|(name, section)| (name.into(), section)).collect())
}

/// The process, in Go's words; tasks stand for goroutines.
fn runtime() -> BTreeMap<String, String> {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        arch => arch,
    };
    let cpus = available_parallelism().map_or(1, Into::into);
    let metrics = tokio::runtime::Handle::current().metrics();
    map([
        ("arch", arch.into()),
        ("cpu_count", cpus.to_string()),
        ("goroutines", metrics.num_alive_tasks().to_string()),
        ("max_procs", metrics.num_workers().to_string()),
        ("os", os.into()),
        ("version", concat!("rumormill ", env!("CARGO_PKG_VERSION")).into()),
    ])
}

fn serf(stats: &Stats, members: &Members) -> BTreeMap<String, String> {
    let Stats {
        clocks: Clocks { member, event, query }, health, queues, encrypted, coordinate_resets, ..
    } = stats;
    let of = |status| members.iter().filter(|member| member.status == status).count().to_string();
    map([
        ("coordinate_resets", coordinate_resets.to_string()),
        ("encrypted", encrypted.to_string()),
        ("event_queue", queues.events.to_string()),
        ("event_time", event.0.to_string()),
        ("failed", of(Status::Failed)),
        ("health_score", health.to_string()),
        ("intent_queue", queues.intents.to_string()),
        ("left", of(Status::Left)),
        ("member_time", member.0.to_string()),
        ("members", members.len().to_string()),
        ("query_queue", queues.queries.to_string()),
        ("query_time", query.0.to_string()),
    ])
}

fn map<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()
}
