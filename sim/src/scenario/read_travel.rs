//! How packets travel: `[network]`, `[[network.link]]`, the fault `link`, and a variant's `network` share these keys.

use std::time::Duration;

use super::model::{Cluster, Latency, Link, Loss, Network, Reorder, Selector, Travel};
use super::path::Path;
use super::problem::Problem;
use super::read_selector::read_selector;
use super::section::Section;
use super::tree::{Item, Value};

/// The keys of a way.
pub(super) const TRAVEL_KEYS: [&str; 8] =
    ["latency", "loss", "stream_loss", "duplicate", "reorder", "corrupt", "bandwidth", "packet_bytes_max"];
/// The receive buffer of a network that does not say: what memberlist asks its system for.
pub(crate) const RECEIVE_BUFFER: u32 = 2 << 20;

/// The keys of a table that has those of a way beside its own.
fn with_own<'k>(own: &[&'k str]) -> Vec<&'k str> {
    own.iter().copied().chain(TRAVEL_KEYS).collect()
}

pub(super) fn network(item: Option<&Item>, cluster: &Cluster, problems: &mut Vec<Problem>) -> Network {
    let path = Path::root().key("network");
    let keys = with_own(&["link", "receive_buffer"]);
    let mut network = Section::open(item, &path, &keys, problems);
    let receive_buffer = network.whole_u32("receive_buffer", "2097152").unwrap_or(RECEIVE_BUFFER);
    let travel = travel(&mut network);
    let links = network.list("link", "[[network.link]]");
    let links = links.into_iter().map(|(path, item)| link(item, &path, cluster, problems)).collect();
    Network { travel, links, receive_buffer }
}

fn link(item: &Item, path: &Path, cluster: &Cluster, problems: &mut Vec<Problem>) -> Link {
    let mut link = Section::open(Some(item), path, &with_own(&["from", "to"]), problems);
    let travel = travel(&mut link);
    let (from, to) = ends(&mut link, cluster);
    Link { from, to, travel }
}

/// The table of a fault `link`.
pub(super) fn link_fault(table: &mut Section<'_, '_>, item: &Item, cluster: &Cluster) -> Link {
    link(item, &table.path.key("link"), cluster, table.problems)
}

/// `from` and `to`, both required.
fn ends(table: &mut Section<'_, '_>, cluster: &Cluster) -> (Selector, Selector) {
    let mut end = |key: &str, example: &str| {
        let item = table.need(key, example);
        let path = table.path.key(key);
        item.map_or(Selector::All, |item| read_selector(item, &path, cluster, table.problems))
    };
    (end("from", "{ zone = \"a\" }"), end("to", "{ zone = \"b\" }"))
}

/// A variant's `network`: what differs for it.
pub(super) fn of_variant(item: &Item, path: &Path, problems: &mut Vec<Problem>) -> Travel {
    travel(&mut Section::open(Some(item), path, &TRAVEL_KEYS, problems))
}

fn item<'t>(table: &Section<'t, '_>, key: &str) -> Option<(&'t Item, Path)> {
    table.get(key).map(|item| (item, table.path.key(key)))
}

/// The keys of a way in a table.
fn travel(table: &mut Section<'_, '_>) -> Travel {
    let latency = item(table, "latency").map(|(item, path)| latency(item, &path, table.problems));
    let losses = ["loss", "stream_loss"];
    let [loss, stream_loss] =
        losses.map(|key| item(table, key).and_then(|(item, path)| loss(item, key, &path, table)));
    let reorder = item(table, "reorder").map(|(item, path)| reorder(item, &path, table.problems));
    Travel {
        latency,
        loss,
        stream_loss,
        duplicate: table.number("duplicate", "0.01"),
        reorder,
        corrupt: table.number("corrupt", "0.001"),
        bandwidth: table.whole("bandwidth", "1250000"),
        packet_bytes_max: table.whole_u32("packet_bytes_max", "1472"),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    Uniform,
    Normal,
    Lognormal,
    Pareto,
    Empirical,
}

const KINDS: [(&str, Kind, &[&str]); 6] = [
    ("constant", Kind::Constant, &["value"]),
    ("uniform", Kind::Uniform, &["min", "max"]),
    ("normal", Kind::Normal, &["mean", "sd"]),
    ("lognormal", Kind::Lognormal, &["median", "p99"]),
    ("pareto", Kind::Pareto, &["min", "shape"]),
    ("empirical", Kind::Empirical, &["table"]),
];

/// A latency, at `path`.
pub(super) fn latency(item: &Item, path: &Path, problems: &mut Vec<Problem>) -> Latency {
    let mut all: Vec<&str> = vec!["kind"];
    for key in KINDS.iter().flat_map(|(_, _, keys)| keys.iter()) {
        if !all.contains(key) {
            all.push(key);
        }
    }
    // The kind says which keys there are, so it is read before them, and its own problems with it.
    let mut table = Section::open(Some(item), path, &all, problems);
    let kinds = KINDS.map(|(name, kind, _)| (name, kind));
    let named =
        table.need("kind", "\"constant\"").and_then(|_| table.choice("kind", "kind of latency", &kinds));
    let Some(kind) = named else {
        return Latency::Constant { value: Duration::from_micros(500) };
    };
    let (name, _, keys) = KINDS[kind as usize];
    foreign_keys(&mut table, &all, keys, &format!("a {name} latency"));
    let mut duration = |key: &str, example: &str| {
        let quoted = format!("\"{example}\"");
        table.need(key, &quoted).and_then(|_| table.duration(key, example)).unwrap_or_default()
    };
    match kind {
        Kind::Constant => Latency::Constant { value: duration("value", "500us") },
        Kind::Uniform => Latency::Uniform { min: duration("min", "200us"), max: duration("max", "1ms") },
        Kind::Normal => Latency::Normal { mean: duration("mean", "500us"), sd: duration("sd", "100us") },
        Kind::Lognormal => {
            Latency::Lognormal { median: duration("median", "400us"), p99: duration("p99", "2ms") }
        }
        Kind::Pareto => {
            let min = duration("min", "200us");
            let shape = table.need("shape", "2.5").and_then(|_| table.number("shape", "2.5"));
            Latency::Pareto { min, shape: shape.unwrap_or(1.0) }
        }
        Kind::Empirical => Latency::Empirical { table: empirical(&mut table) },
    }
}

/// What is said of a table's kind must belong to it.
fn foreign_keys(table: &mut Section<'_, '_>, all: &[&str], keys: &[&str], what: &str) {
    for key in all.iter().filter(|key| **key != "kind" && !keys.contains(key)) {
        if table.get(key).is_some() {
            let message = format!("`{key}` does not belong to {what}");
            let problem = Problem::at(&table.path.key(key), message).key_itself();
            table.problems.push(problem.hint(format!("its keys: kind, {}", keys.join(", "))));
        }
    }
}

const TABLE_EXAMPLE: &str = "[[0.0, \"100us\"], [0.5, \"400us\"], [0.99, \"2ms\"], [1.0, \"20ms\"]]";

/// Pairs of share and duration.
fn empirical(section: &mut Section<'_, '_>) -> Vec<(f64, Duration)> {
    if section.need("table", TABLE_EXAMPLE).is_none() {
        return Vec::new();
    }
    let rows = section.list("table", TABLE_EXAMPLE);
    let pair = |(path, row): (Path, &Item), problems: &mut Vec<Problem>| {
        if let Value::List(cells) = &row.value
            && let [Item { value: share, .. }, Item { value: Value::Text(text), .. }] = &cells[..]
            && let Some(share) = match share {
                Value::Whole(whole) => Some(*whole as f64),
                Value::Number(number) => Some(*number),
                _ => None,
            }
        {
            match rumormill_core::config::parse_duration(text) {
                Ok(value) => return (share, value),
                Err(error) => problems.push(Problem::at(&path.index(1), error.to_string())),
            }
        } else {
            let message = "must be a share and the latency there";
            problems.push(Problem::at(&path, message).hint(format!("write {TABLE_EXAMPLE}")));
        }
        (0.0, Duration::ZERO)
    };
    rows.into_iter().map(|row| pair(row, section.problems)).collect()
}

/// A loss: a share, or bursts.
fn loss(item: &Item, key: &str, path: &Path, table: &mut Section<'_, '_>) -> Option<Loss> {
    let Value::Table(_) = item.value else {
        return table.number(key, "0.01").map(Loss::Bernoulli);
    };
    let keys = ["good", "bad", "mean_good", "mean_bad"];
    let all = ["kind", "good", "bad", "mean_good", "mean_bad"];
    let mut bursts = Section::open(Some(item), path, &all, table.problems);
    let named = bursts
        .need("kind", "\"gilbert-elliott\"")
        .and_then(|_| bursts.choice("kind", "kind of loss", &[("gilbert-elliott", ())]));
    named?;
    let good = bursts.number("good", "0.0").unwrap_or(0.0);
    let bad = bursts.need("bad", "0.5").and_then(|_| bursts.number("bad", "0.5")).unwrap_or(0.0);
    let mut mean = |key: &str, example: &str| {
        bursts.need(key, &format!("\"{example}\"")).and_then(|_| bursts.duration(key, example))
    };
    let (mean_good, mean_bad) = (mean(keys[2], "9s"), mean(keys[3], "1s"));
    let second = Duration::from_secs(1);
    Some(Loss::GilbertElliott {
        good,
        bad,
        mean_good: mean_good.unwrap_or(second),
        mean_bad: mean_bad.unwrap_or(second),
    })
}

fn reorder(item: &Item, path: &Path, problems: &mut Vec<Problem>) -> Reorder {
    let mut table = Section::open(Some(item), path, &["chance", "extra"], problems);
    let chance = table.need("chance", "0.01").and_then(|_| table.number("chance", "0.01")).unwrap_or(0.0);
    let extra = table.need("extra", "\"5ms\"").and_then(|_| table.duration("extra", "5ms"));
    Reorder { chance, extra: extra.unwrap_or(Duration::from_millis(1)) }
}
