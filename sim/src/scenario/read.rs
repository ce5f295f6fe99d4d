//! The top of a scenario file, and its cluster.

use std::time::Duration;

use super::model::*;
use super::path::Path;
use super::problem::Problem;
use super::read_config;
use super::read_expect;
use super::read_fault;
use super::read_travel;
use super::read_variant;
use super::read_workload;
use super::section::Section;
use super::tree::Item;

const KEYS: [&str; 13] = [
    "name", "about", "seed", "seeds", "warmup", "duration", "weight", "cluster", "network", "fault",
    "workload", "variant", "expect",
];

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
    let workload_items = top.list("workload", "[[workload]]");
    let variant_items = top.list("variant", "[[variant]]");
    let expect_items = top.list("expect", "[[expect]]");
    let cluster_item = top.get("cluster");
    let network_item = top.get("network");

    let cluster = read_cluster(cluster_item, problems);
    let network = read_travel::network(network_item, &cluster, problems);
    let faults = fault_items.iter().map(|(path, i)| read_fault::fault(i, path, &cluster, problems)).collect();
    let workload = |(path, i): &(Path, &Item)| read_workload::workload(i, path, &cluster, warmup, problems);
    let workloads = workload_items.iter().map(workload).collect();
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
        workloads,
        variants,
        expects,
        source: String::new(),
    }
}

fn read_cluster(item: Option<&Item>, problems: &mut Vec<Problem>) -> Cluster {
    let keys = ["nodes", "profile", "start", "gap", "config", "key", "zones"];
    let mut cluster = Section::open(item, &Path::root().key("cluster"), &keys, problems);
    let nodes = cluster.need("nodes", "1000").and_then(|_| cluster.whole_u32("nodes", "1000")).unwrap_or(1);
    let profiles = [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];
    let profile = cluster.choice("profile", "profile", &profiles).unwrap_or(Profile::Lan);
    let start = read_start(&mut cluster);
    let zone_items = cluster.list("zones", "[{ name = \"a\", nodes = 500 }, { name = \"b\", nodes = 500 }]");
    let key = cluster.text("key").map(str::to_owned);
    let config_item = cluster.get("config");
    let config_path = cluster.path.key("config");

    let config = read_config::config(config_item, &config_path, &profile.config(), problems);
    let mut first: u32 = 0;
    let mut zones = Vec::new();
    for (path, item) in zone_items {
        let mut zone = Section::open(Some(item), &path, &["name", "nodes", "key", "label"], problems);
        let name = zone.need("name", "\"a\"").and_then(|_| zone.text("name")).unwrap_or_default();
        let nodes = zone.need("nodes", "500").and_then(|_| zone.whole_u32("nodes", "500")).unwrap_or(1);
        let [key, label] = ["key", "label"].map(|key| zone.text(key).map(str::to_owned));
        zones.push(Zone { name: name.into(), first, nodes, key, label });
        first = first.saturating_add(nodes);
    }
    Cluster { nodes, config, profile, start, key, zones }
}

fn read_start(cluster: &mut Section<'_, '_>) -> Start {
    let staggered = Start::JoinStaggered { gap: Duration::ZERO };
    let starts = [("converged", Start::Converged), ("join", Start::Join), ("join-staggered", staggered)];
    let start = cluster.choice("start", "start", &starts).unwrap_or(Start::Converged);
    if start != staggered {
        if cluster.get("gap").is_some() {
            let message = "`gap` lies between the starts of a cluster that starts one by one";
            cluster.report("gap", message.into(), "add start = \"join-staggered\", or leave it out");
        }
        return start;
    }
    let gap = cluster.need("gap", "\"100ms\"").and_then(|_| cluster.duration("gap", "100ms"));
    Start::JoinStaggered { gap: gap.unwrap_or(Duration::from_millis(100)) }
}
