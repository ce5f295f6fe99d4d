//! Good scenarios, from files and built in code, the project's own and the reference's examples.

use std::fs;
use std::time::Duration;

use rumormill_core::Config;
use rumormill_sim::scenario::*;

use super::root;

#[test]
fn a_good_scenario_is_read_as_it_is_meant() {
    let text = r#"
        name = "good"
        about = "All of it."
        seed = 7
        seeds = 3
        warmup = "5s"
        duration = "3m"
        weight = "heavy"
        [cluster]
        nodes = 10
        profile = "local"
        start = "join"
        config = { suspicion_confirmations = 2, label = "x" }
        zones = [{ name = "a", nodes = 4 }, { name = "b", nodes = 6 }]
        [network]
        latency = { kind = "uniform", min = "1ms", max = "2ms" }
        loss = 0.25
        [[network.link]]
        from = { zone = "b" }
        to = ["node-1"]
        loss = 1
        [[fault]]
        at = "20s"
        kind = "crash"
        nodes = { fraction = 0.5 }
        for = "10s"
        address = "new"
        state = "lost"
        join = { zone = "a" }
        may_be_idle = true
        [[fault]]
        at = "60s"
        kind = "partition"
        partition = { a = { zone = "a" }, b = { all = true }, direction = "a-to-b", in_flight = "deliver" }
        [[expect]]
        metric = "detection.all.p90"
        below = "1m30s"
        over = "worst"
        [[expect]]
        metric = "false_positives.all"
        equals = 0
    "#;
    let scenario = Scenario::parse(text, "good.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(scenario, good());
    scenario.check().unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn what_shapes_a_run_shapes_the_digest_and_nothing_else_does() {
    let text = "name = \"x\"\nduration = \"9s\"\n[cluster]\nnodes = 3\n";
    let digest = |text: &str| Scenario::parse(text, "x", &[]).unwrap_or_else(|e| panic!("{e}")).digest();
    let work = format!("{text}[[workload]]\nkind = \"event\"\nevery = \"1s\"\nfrom = {{ pick = 1 }}\n");
    assert_ne!(digest(text), digest(&work));
    assert_ne!(digest(&work), digest(&work.replace("1s", "2s")));
    assert_ne!(digest(text), digest(&text.replace("= 3", "= 4")));
    assert_eq!(digest(text), digest(&text.replace("\"x\"", "\"y\"\nseeds = 4")));
}

fn good() -> Scenario {
    let config = Config {
        suspicion_confirmations: rumormill_core::config::Confirmations::Exactly(2),
        label: "x".into(),
        ..Config::local()
    };
    let how = Restart { new_address: true, lost_state: true, through: Through::Selector(Selector::Zone(0)) };
    let crash = FaultKind::Crash { nodes: Selector::Fraction(0.5), back: how };
    let cut = FaultKind::Partition {
        a: Selector::Zone(0),
        b: Selector::All,
        direction: Direction::AToB,
        in_flight: InFlight::Deliver,
        share: 1.0,
        traffic: Traffic::All,
    };
    let expect = |metric, statistic, bound, over, line| Expect {
        metric,
        statistic,
        bound,
        over,
        variant: None,
        ratio_to: None,
        line,
    };
    let variants = vec![Variant::new("default", config.clone())];
    let fault = |at, lasts, kind, may_be_idle| Fault {
        lasts,
        may_be_idle,
        ..Fault::new(Duration::from_secs(at), kind)
    };
    Scenario {
        name: "good".into(),
        about: "All of it.".into(),
        seed: 7,
        seeds: 3,
        warmup: Duration::from_secs(5),
        duration: Duration::from_secs(180),
        weight: Weight::Heavy,
        cluster: Cluster {
            nodes: 10,
            config,
            profile: Profile::Local,
            start: Start::Join,
            key: None,
            zones: vec![Zone::new("a", 0, 4), Zone::new("b", 4, 6)],
        },
        network: Network {
            travel: Travel {
                latency: Some(Latency::Uniform {
                    min: Duration::from_millis(1),
                    max: Duration::from_millis(2),
                }),
                loss: Some(Loss::Bernoulli(0.25)),
                ..Travel::default()
            },
            links: vec![Link {
                from: Selector::Zone(1),
                to: Selector::Nodes(vec![1]),
                travel: Travel { loss: Some(Loss::Bernoulli(1.0)), ..Travel::default() },
            }],
            receive_buffer: 2 << 20,
        },
        faults: vec![fault(20, Some(Duration::from_secs(10)), crash, true), fault(60, None, cut, false)],
        workloads: Vec::new(),
        variants,
        expects: vec![
            expect("detection.all", Some("p90"), Bound::Below(90.0), Over::Worst, 35),
            expect("false_positives.all", None, Bound::Equals(0.0), Over::EachSeed, 39),
        ],
        source: "good.toml".to_owned(),
    }
}

#[test]
fn a_scenario_built_in_code_is_held_to_the_same_rules() {
    let mut scenario = good();
    scenario.seeds = 0;
    scenario.faults[0].kind = FaultKind::Leave { nodes: Selector::Zone(2) };
    let shown = scenario.check().expect_err("two things are wrong").to_string();
    assert!(shown.contains("scenario \"good\": seeds: must be"), "{shown}");
    assert!(shown.contains("fault[0].nodes.zone: there is no zone number 2"), "{shown}");
}

#[test]
fn every_scenario_of_the_project_can_be_read_and_is_named_as_its_file() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("scenarios")).expect("the scenarios are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let scenario = Scenario::load(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(path.file_stem().and_then(|s| s.to_str()), Some(scenario.name.as_str()));
            assert!(!scenario.about.is_empty() && !scenario.expects.is_empty(), "{}", scenario.name);
            count += 1;
        }
    }
    assert!(count >= 4, "only {count} scenarios");
}

/// The code blocks of the reference: whole scenarios have a name, others are parts that go into the small one.
#[test]
fn every_example_of_the_reference_can_be_read() {
    let text = fs::read_to_string(root().join("scenarios/README.md")).expect("the reference is there");
    let blocks: Vec<&str> =
        text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 8, "only {} examples", blocks.len());
    let base = "name = \"part\"\nduration = \"10m\"\n";
    let zones = "zones = [{ name = \"a\", nodes = 500 }, { name = \"b\", nodes = 500 }]\n";
    for block in blocks {
        let whole = if block.contains("name = \"") && block.contains("duration = ") {
            block.to_string()
        } else if block.contains("[cluster]") {
            format!("{base}{block}")
        } else {
            format!("{base}[cluster]\nnodes = 1000\n{zones}{block}")
        };
        Scenario::parse(&whole, "scenarios/README.md", &[]).unwrap_or_else(|e| panic!("{e}\n{whole}"));
    }
}

#[test]
fn the_reference_names_every_metric_and_statistic() {
    let text = fs::read_to_string(root().join("scenarios/README.md")).expect("the reference is there");
    for metric in rumormill_sim::metric::METRICS {
        assert!(text.contains(&format!("| `{}` |", metric.name)), "{} is not in the reference", metric.name);
    }
    for statistic in rumormill_sim::metric::STATISTICS {
        assert!(text.contains(&format!("`{statistic}`")), "{statistic} is not in the reference");
    }
}
