//! The top of a scenario file, its cluster and its network.

use std::time::Duration;

use super::model::*;
use super::path::Path;
use super::problem::Problem;
use super::read_config;
use super::read_expect;
use super::read_fault;
use super::read_selector::read_selector;
use super::read_variant;
use super::section::Section;
use super::tree::Item;

const KEYS: [&str; 12] = [
    "name", "about", "seed", "seeds", "warmup", "duration", "weight", "cluster", "network", "fault",
    "variant", "expect",
];
/// The latency of a network that does not say.
pub(super) const LATENCY: Latency = Latency::Constant { value: Duration::from_micros(500) };

/// Reads all of it. What is wrong is on the list, and stands in the result as some harmless value.
pub(super) fn scenario(root: &Item, problems: &mut Vec<Problem>) -> Scenario {
    let mut top = Section::open(Some(root), &Path::root(), &KEYS, problems);
    let name = top.need("name", "\"lan-1000\"").and_then(|_| top.text("name")).unwrap_or_default();
    let about = top.text("about").unwrap_or_default();
    let seed = top.whole("seed", "1").unwrap_or(1);
    let seeds = top.whole_u32("seeds", "10").unwrap_or(1);
    let warmup = top.duration("warmup", "10s").unwrap_or_default();
    let duration =
        top.need("duration", "\"2m\"").and_then(|_| top.duration("duration", "2m")).unwrap_or_default();
    let weights = [("light", Weight::Light), ("heavy", Weight::Heavy)];
    let weight = top.choice("weight", "weight", &weights).unwrap_or(Weight::Light);
    let fault_items = top.list("fault", "[[fault]]");
    let variant_items = top.list("variant", "[[variant]]");
    let expect_items = top.list("expect", "[[expect]]");
    let cluster_item = top.get("cluster");
    let network_item = top.get("network");

    let cluster = read_cluster(cluster_item, problems);
    let network = read_network(network_item, &cluster, problems);
    let faults = fault_items.iter().map(|(path, i)| read_fault::fault(i, path, &cluster, problems)).collect();
    let variants = read_variant::variants(&variant_items, &cluster.config, problems);
    let expects =
        expect_items.iter().map(|(path, i)| read_expect::expect(i, path, &variants, problems)).collect();
    Scenario {
        name: name.into(),
        about: about.into(),
        seed,
        seeds,
        warmup,
        duration,
        weight,
        cluster,
        network,
        faults,
        variants,
        expects,
        source: String::new(),
    }
}

fn read_cluster(item: Option<&Item>, problems: &mut Vec<Problem>) -> Cluster {
    let keys = ["nodes", "profile", "start", "config", "zones"];
    let mut cluster = Section::open(item, &Path::root().key("cluster"), &keys, problems);
    let nodes = cluster.need("nodes", "1000").and_then(|_| cluster.whole_u32("nodes", "1000")).unwrap_or(1);
    let profiles = [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];
    let profile = cluster.choice("profile", "profile", &profiles).unwrap_or(Profile::Lan);
    let starts = [("converged", Start::Converged), ("join", Start::Join)];
    let start = cluster.choice("start", "start", &starts).unwrap_or(Start::Converged);
    let zone_items = cluster.list("zones", "[{ name = \"a\", nodes = 500 }, { name = \"b\", nodes = 500 }]");
    let config_item = cluster.get("config");
    let config_path = cluster.path.key("config");

    let config = read_config::config(config_item, &config_path, &profile.config(), problems);
    let mut first: u32 = 0;
    let mut zones = Vec::new();
    for (path, item) in zone_items {
        let mut zone = Section::open(Some(item), &path, &["name", "nodes"], problems);
        let name = zone.need("name", "\"a\"").and_then(|_| zone.text("name")).unwrap_or_default();
        let nodes = zone.need("nodes", "500").and_then(|_| zone.whole_u32("nodes", "500")).unwrap_or(1);
        zones.push(Zone { name: name.into(), first, nodes });
        first = first.saturating_add(nodes);
    }
    Cluster { nodes, config, profile, start, zones }
}

fn read_network(item: Option<&Item>, cluster: &Cluster, problems: &mut Vec<Problem>) -> Network {
    let path = Path::root().key("network");
    let mut network = Section::open(item, &path, &["latency", "loss", "link"], problems);
    let loss = network.number("loss", "0.01").unwrap_or(0.0);
    let latency_item = network.get("latency");
    let link_items = network.list("link", "[[network.link]]");
    let latency = latency_item.map_or(LATENCY, |item| read_latency(item, &path.key("latency"), problems));
    let mut links = Vec::new();
    for (path, item) in link_items {
        let mut link = Section::open(Some(item), &path, &["from", "to", "latency", "loss"], problems);
        let from = link.need("from", "{ zone = \"a\" }");
        let to = link.need("to", "{ zone = \"b\" }");
        let loss = link.number("loss", "0.01");
        let latency = link.get("latency");
        let mut side = |item: Option<&Item>, key: &str| {
            item.map_or(Selector::All, |item| read_selector(item, &path.key(key), cluster, problems))
        };
        let (from, to) = (side(from, "from"), side(to, "to"));
        let latency = latency.map(|item| read_latency(item, &path.key("latency"), problems));
        links.push(Link { from, to, latency, loss });
    }
    Network { latency, loss, links }
}

#[derive(Clone, Copy)]
enum LatencyKind {
    Constant,
    Uniform,
    Lognormal,
}

fn read_latency(item: &Item, path: &Path, problems: &mut Vec<Problem>) -> Latency {
    use LatencyKind::{Constant, Lognormal, Uniform};
    let kinds = [("constant", Constant), ("uniform", Uniform), ("lognormal", Lognormal)];
    // The kind says which keys there are, so it is read before them, and its own problems with it.
    let mut all =
        Section::open(Some(item), path, &["kind", "value", "min", "max", "median", "p99"], problems);
    let named = all.need("kind", "\"constant\"").and_then(|_| all.choice("kind", "kind of latency", &kinds));
    let Some(kind) = named else {
        return LATENCY;
    };
    let keys: &[&str] = match kind {
        Constant => &["value"],
        Uniform => &["min", "max"],
        Lognormal => &["median", "p99"],
    };
    for key in ["value", "min", "max", "median", "p99"] {
        if all.get(key).is_some() && !keys.contains(&key) {
            let name = kinds[kind as usize].0;
            let message = format!("`{key}` does not belong to a {name} latency");
            let problem = Problem::at(&path.key(key), message).key_itself();
            all.problems.push(problem.hint(format!("its keys: kind, {}", keys.join(", "))));
        }
    }
    let mut duration = |key: &str, example: &str| {
        let quoted = format!("\"{example}\"");
        all.need(key, &quoted).and_then(|_| all.duration(key, example)).unwrap_or_default()
    };
    match kind {
        Constant => Latency::Constant { value: duration("value", "500us") },
        Uniform => Latency::Uniform { min: duration("min", "200us"), max: duration("max", "1ms") },
        Lognormal => Latency::Lognormal { median: duration("median", "400us"), p99: duration("p99", "2ms") },
    }
}
