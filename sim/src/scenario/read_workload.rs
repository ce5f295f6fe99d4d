//! `[[workload]]`: what applications do.

use std::time::Duration;

use super::model::*;
use super::path::Path;
use super::problem::Problem;
use super::read_selector::read_selector;
use super::section::Section;
use super::tree::Item;
use super::workload::{Workload, WorkloadKind};

/// Keys that every workload has.
const COMMON: [&str; 7] = ["kind", "name", "at", "every", "until", "repick", "off"];
/// Keys that only some kinds have.
const OTHERS: [&str; 10] =
    ["from", "to", "nodes", "size", "burst", "answer", "ack", "relay_factor", "timeout", "retry"];

/// What stands in for keys that a file leaves out.
pub(crate) const SIZE: u32 = 64;
pub(super) const BURST: u32 = 1;
pub(crate) const ANSWER: u32 = 16;
pub(crate) const RETRY: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
enum Kind {
    Event,
    Query,
    Tags,
    Keys,
}

const KINDS: [(&str, Kind, &[&str]); 4] = [
    ("event", Kind::Event, &["from", "size", "burst"]),
    ("query", Kind::Query, &["from", "to", "size", "answer", "ack", "relay_factor", "timeout"]),
    ("tags", Kind::Tags, &["nodes", "size"]),
    ("keys", Kind::Keys, &["from", "retry"]),
];

/// Reads one workload, which begins after the warm-up unless it says otherwise; what is wrong is on the list and stands as something
/// harmless.
pub(super) fn workload(
    item: &Item,
    path: &Path,
    cluster: &Cluster,
    warmup: Duration,
    problems: &mut Vec<Problem>,
) -> Workload {
    let keys: Vec<&str> = COMMON.into_iter().chain(OTHERS).collect();
    let mut workload = Section::open(Some(item), path, &keys, problems);
    let at = workload.duration("at", "30s").unwrap_or(warmup);
    let name = workload.text("name").unwrap_or_default().to_owned();
    let every = workload.duration("every", "1s");
    let until = workload.duration("until", "10m");
    let repick = workload.truth("repick").unwrap_or(false);
    let off = workload.truth("off").unwrap_or(false);
    if workload.get("every").is_none() {
        for key in ["until", "repick"] {
            if workload.get(key).is_some() {
                let message = format!("`{key}` is about repetitions, but without `every` there are none");
                workload.report(key, message, "add every = \"1s\"");
            }
        }
    }
    let kinds = KINDS.map(|(name, kind, _)| (name, kind));
    let kind = workload
        .need("kind", "\"event\"")
        .and_then(|_| workload.choice("kind", "kind of workload", &kinds))
        .map_or(harmless(), |kind| read_kind(kind, &mut workload, cluster));
    Workload { name, at, every, until, repick, off, kind }
}

fn harmless() -> WorkloadKind {
    WorkloadKind::Event { from: Selector::All, size: SIZE, burst: BURST }
}

fn read_kind(kind: Kind, workload: &mut Section<'_, '_>, cluster: &Cluster) -> WorkloadKind {
    let (name, _, keys) = KINDS[kind as usize];
    for key in OTHERS.into_iter().filter(|key| !keys.contains(key)) {
        if workload.get(key).is_some() {
            let message = format!("`{key}` does not belong to a workload of kind {name}");
            let problem = Problem::at(&workload.path.key(key), message).key_itself();
            let hint = format!("its keys: {}, {}", COMMON.join(", "), keys.join(", "));
            workload.problems.push(problem.hint(hint));
        }
    }
    match kind {
        Kind::Event => WorkloadKind::Event {
            from: from(workload, cluster),
            size: workload.whole_u32("size", "128").unwrap_or(SIZE),
            burst: workload.whole_u32("burst", "10").unwrap_or(BURST),
        },
        Kind::Query => WorkloadKind::Query {
            from: from(workload, cluster),
            to: selector("to", workload, cluster),
            size: workload.whole_u32("size", "128").unwrap_or(SIZE),
            answer: workload.whole_u32("answer", "16").unwrap_or(ANSWER),
            ack: workload.truth("ack").unwrap_or(false),
            relay_factor: relay_factor(workload),
            timeout: workload.duration("timeout", "10s"),
        },
        Kind::Tags => {
            workload.need("nodes", "{ fraction = 0.1 }");
            WorkloadKind::Tags {
                nodes: selector("nodes", workload, cluster).unwrap_or(Selector::All),
                size: workload.whole_u32("size", "128").unwrap_or(SIZE),
            }
        }
        Kind::Keys => WorkloadKind::Keys {
            from: from(workload, cluster),
            retry: workload.duration("retry", "5s").unwrap_or(RETRY),
        },
    }
}

/// Who acts: one, unless the file says otherwise.
fn from(workload: &mut Section<'_, '_>, cluster: &Cluster) -> Selector {
    selector("from", workload, cluster).unwrap_or(Selector::Pick(1))
}

fn selector(key: &str, workload: &mut Section<'_, '_>, cluster: &Cluster) -> Option<Selector> {
    let item = workload.get(key)?;
    Some(read_selector(item, &workload.path.key(key), cluster, workload.problems))
}

fn relay_factor(workload: &mut Section<'_, '_>) -> u8 {
    let Some(factor) = workload.whole("relay_factor", "3") else { return 0 };
    u8::try_from(factor).unwrap_or_else(|_| {
        let hint = "members that pass each answer on, for example relay_factor = 3";
        workload.report("relay_factor", "must be from 0 to 255".into(), hint);
        0
    })
}
