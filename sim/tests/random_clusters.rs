//! Whole small clusters of many kinds under random faults: every invariant holds in every run.

use std::fmt::Write as _;

use proptest::prelude::*;
use rumormill_sim::{Scenario, world};

/// One cluster: what varies, in the words of a scenario file.
#[derive(Clone, Debug)]
struct Kind {
    nodes: u32,
    profile: &'static str,
    join: bool,
    loss: f64,
    slow_link: bool,
    key: bool,
    config: Vec<&'static str>,
}

fn kind() -> impl Strategy<Value = Kind> {
    let settings = vec![
        "gossip_nodes = 0",
        "awareness = false",
        "buddy = false",
        "nacks = false",
        "stream_probe = false",
        "awareness_scales_timeout = true",
        "suspicion_max_mult = 1",
        "suspicion_confirmations = 3",
        "suspicion_log_base = \"e\"",
        "retransmit_log_base = \"2\"",
        "packet_updates_max = 1",
        "gossip_to_dead = \"1s\"",
        "dead_reclaim = \"500ms\"",
        "streams_max = 4",
        "queue_messages_max = 16",
        "reconnect_timeout = \"2h\"",
        "label = \"x\"",
        "anti_entropy = \"delta\"",
        "pacing = \"tick\"",
        "packing = \"strict\"",
        "event_repair = false",
        "event_origins_max = 16",
        "event_buffer = 16",
        "gossip_bytes_per_second = 2000",
        "coordinates = false",
    ];
    let profile = prop::sample::select(vec!["lan", "local", "wan"]);
    let loss = prop::sample::select(vec![0.0, 0.01, 0.05]);
    let config = prop::sample::subsequence(settings, 0..6);
    (4u32..16, profile, any::<bool>(), loss, any::<bool>(), any::<bool>(), config).prop_map(
        |(nodes, profile, join, loss, slow_link, key, config)| Kind {
            nodes,
            profile,
            join,
            loss,
            slow_link,
            key,
            config,
        },
    )
}

/// Something that applications do, as a table of the file.
fn workload() -> impl Strategy<Value = String> {
    (0u64..100, 0u8..4, 1u32..4, 1u64..9, any::<bool>()).prop_map(|(at, kind, count, every, one)| {
        let many = format!("every = \"{every}s\"\nrepick = {one}");
        let what = match kind {
            0 => format!(
                "kind = \"event\"\nfrom = {{ pick = {count} }}\n{many}\nburst = {}",
                if one { 1 } else { 20 }
            ),
            1 => format!(
                "kind = \"query\"\nfrom = {{ pick = {count} }}\n{many}\nack = {one}\nrelay_factor = 2"
            ),
            2 => format!("kind = \"tags\"\nnodes = {{ pick = {count} }}\n{many}"),
            _ => "kind = \"keys\"".to_owned(),
        };
        format!("[[workload]]\nat = \"{at}s\"\n{what}\n")
    })
}

/// One fault, as a table of the file.
fn fault() -> impl Strategy<Value = String> {
    (0u64..100, 0u8..10, 1u32..4, 1u64..50, any::<bool>(), any::<bool>()).prop_map(
        |(at, kind, count, lasts, one, two)| {
            let nodes = format!("nodes = {{ pick = {count} }}");
            let ends = format!("for = \"{lasts}s\"");
            let state = if one { "lost" } else { "snapshot" };
            let address = if two { "new" } else { "same" };
            let pair = format!("a = {{ pick = {count} }}, b = {{ rest = true }}");
            let what = match kind {
                0 => format!("kind = \"crash\"\n{nodes}"),
                1 => format!("kind = \"crash\"\n{nodes}\n{ends}\nstate = \"{state}\"\naddress = \"{address}\""),
                2 => format!("kind = \"restart\"\n{nodes}\nstate = \"{state}\"\naddress = \"{address}\""),
                3 => format!("kind = \"leave\"\n{nodes}"),
                4 => format!("kind = \"pause\"\n{nodes}\n{ends}"),
                5 => format!("kind = \"block-io\"\n{nodes}\n{ends}"),
                6 => {
                    let ms = if one { 150 } else { 700 };
                    format!(
                        "kind = \"slow\"\n{nodes}\n{ends}\nextra = {{ kind = \"constant\", value = \"{ms}ms\" }}"
                    )
                }
                7 => {
                    let (rate, offset) = (if one { 1.3 } else { 0.7 }, if two { "4s" } else { "-4s" });
                    format!("kind = \"clock\"\n{nodes}\n{ends}\nrate = {rate}\noffset = \"{offset}\"")
                }
                8 => {
                    let more = if one { "corrupt = 0.2, reorder = { chance = 0.3, extra = \"50ms\" }" } else { "duplicate = 0.3" };
                    format!(
                        "kind = \"link\"\n{ends}\nlink = {{ from = {{ pick = {count} }}, to = {{ rest = true }}, loss = 0.6, {more} }}"
                    )
                }
                _ => {
                    let direction = if one { "both" } else { "a-to-b" };
                    let (flight, share) = if two { ("drop", 1.0) } else { ("deliver", 0.4) };
                    format!(
                        "kind = \"partition\"\n{ends}\npartition = {{ {pair}, direction = \"{direction}\", in_flight = \"{flight}\", \
                         share = {share} }}"
                    )
                }
            };
            format!("[[fault]]\nat = \"{at}s\"\n{what}\nmay_be_idle = true\n")
        },
    )
}

fn text(kind: &Kind, faults: &[String], workloads: &[String]) -> String {
    let Kind { nodes, profile, join, loss, slow_link, key, config } = kind;
    let start = if *join { "join" } else { "converged" };
    let config = config.join(", ");
    let key = if *key { "key = \"a\"\n" } else { "" };
    let mut text = format!(
        "name = \"random\"\nduration = \"150s\"\n[cluster]\nnodes = {nodes}\nprofile = \"{profile}\"\nstart = \"{start}\"\n\
         config = {{ {config} }}\n{key}[network]\nlatency = {{ kind = \"lognormal\", median = \"400us\", p99 = \"2ms\" }}\nloss = {loss}\n"
    );
    if *slow_link {
        let link = "[[network.link]]\nfrom = [\"node-0\"]\nto = { all = true }\nlatency = { kind = \"constant\", value = \"30ms\" }\n";
        text.push_str(link);
    }
    for fault in faults {
        let _ = write!(text, "{fault}");
    }
    // Keys can only be changed where there are some.
    for workload in workloads.iter().filter(|workload| !key.is_empty() || !workload.contains("keys")) {
        let _ = write!(text, "{workload}");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_invariant_breaks_in_any_kind_of_cluster(
        seed in any::<u64>(),
        kind in kind(),
        faults in prop::collection::vec(fault(), 0..5),
        workloads in prop::collection::vec(workload(), 0..4),
    ) {
        let text = text(&kind, &faults, &workloads);
        let scenario = Scenario::parse(&text, "random.toml", &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
        for invariant in &world::run(&scenario, 0, seed).invariants {
            prop_assert!(invariant.violations == 0, "{invariant:?}\n{text}");
        }
    }
}
