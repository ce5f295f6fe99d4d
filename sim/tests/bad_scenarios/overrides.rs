//! `--set KEY=VALUE`.

use std::time::Duration;

use rumormill_core::Config;
use rumormill_sim::scenario::{Diagnostics, Loss, Override, Scenario};

use super::SMALL;

fn set(texts: &[&str]) -> Result<Scenario, Diagnostics> {
    let overrides: Result<Vec<_>, _> = texts.iter().map(|text| Override::parse(text)).collect();
    Scenario::parse(SMALL, "small.toml", &overrides.expect("the overrides can be read"))
}

#[test]
fn an_override_replaces_or_adds_a_key() {
    let sets = ["cluster.config.gossip_nodes=5", "duration=2m", "cluster.profile=wan", "network.loss = 0.5"];
    let scenario = set(&sets).expect("the overrides are good");
    assert_eq!(scenario.cluster.config, Config { gossip_nodes: 5, ..Config::wan() });
    assert_eq!(scenario.duration, Duration::from_secs(120));
    assert_eq!(scenario.network.travel.loss, Some(Loss::Bernoulli(0.5)));
    let listed = ["fault=[{ at = \"1s\", kind = \"leave\", nodes = { pick = 1 } }]", "fault[0].at=3s"];
    assert_eq!(set(&listed).expect("the overrides are good").faults[0].at, Duration::from_secs(3));
}

#[test]
fn a_bad_override_is_named_as_it_was_given() {
    let cases = [
        ("cluster.nodes=0", "--set cluster.nodes=0: cluster.nodes: must be from 1 to 100000"),
        ("cluster.noodles=4", "--set cluster.noodles=4: cluster.noodles: unknown key \"noodles\""),
        (
            "cluster.config.gossip_nodes=x",
            "--set cluster.config.gossip_nodes=x: cluster.config.gossip_nodes: ",
        ),
        ("duration=9", "--set duration=9: duration: must be a duration with its unit"),
        ("name.x=1", "--set name.x=1: name.x: \"x\" cannot be in a text"),
        ("fault[0].at=1s", "--set fault[0].at=1s: fault[0].at: element 0 cannot be in a table"),
    ];
    for (given, said) in cases {
        let shown = set(&[given]).expect_err("the override is bad").to_string();
        assert!(shown.starts_with(said), "{shown}");
    }
    for unreadable in ["", "x", "=1", "a=", "a..b=1", "a[x]=1", "a[0=1", "a=[1", "a=\"x", &"a.".repeat(99)] {
        let said = Override::parse(unreadable).expect_err("it cannot be read");
        assert!(said.starts_with("--set ") && said.contains("KEY=VALUE"), "{said}");
    }
}
