//! What the reader of scenario files says about bad ones, and that it reads the good ones as they are meant.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rumormill_core::Config;
use rumormill_sim::scenario::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The smallest scenario, 7 lines long, so that what a test adds begins at line 8.
const SMALL: &str = "name = \"small\"\nseeds = 2\nduration = \"1m\"\n\n[cluster]\nnodes = 100\n\n";

fn with(more: &str) -> String {
    format!("{SMALL}{more}")
}

fn problems(text: &str) -> Diagnostics {
    Scenario::parse(text, "bad.toml", &[]).expect_err("the scenario is bad")
}

/// The text has one problem, at that place and key, and what is said about it has `part` in it.
fn one_problem(text: &str, position: (usize, usize), key: &str, part: &str) -> Result<(), String> {
    let found = problems(text);
    let shown = found.to_string();
    let one = found.iter().next().expect("there is one");
    let as_expected = found.count() == 1 && one.position == Some(position) && one.key == key;
    if as_expected && shown.contains(part) {
        Ok(())
    } else {
        Err(format!("not at {position:?} {key}: {part}, but\n{shown}\n"))
    }
}

#[track_caller]
fn assert_one(text: &str, position: (usize, usize), key: &str, part: &str) {
    one_problem(text, position, key, part).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn each_mistake_is_named_with_its_place_and_what_would_be_right() {
    let crash = "[[fault]]\nat = \"30s\"\nkind = \"crash\"\n";
    let cases: Vec<(String, (usize, usize), &str, &str)> = vec![
        (SMALL.replace("seeds", "sedes"), (2, 1), "sedes", "did you mean \"seeds\"?"),
        (SMALL.replace("\"1m\"", "60"), (3, 12), "duration", "a duration with its unit, not a bare number"),
        (SMALL.replace("\"1m\"", "\"60\""), (3, 12), "duration", "needs a unit: ns, us, ms, s, m, h or d"),
        (SMALL.replace("= 2", "= 0"), (2, 9), "seeds", "must be from 1 to 100000"),
        (SMALL.replace("= 2", "= 100001"), (2, 9), "seeds", "must be from 1 to 100000"),
        (SMALL.replace("= 2", "= -1"), (2, 9), "seeds", "must be 0 or more"),
        (SMALL.replace("100", "100001"), (6, 9), "cluster.nodes", "must be from 1 to 100000"),
        (SMALL.replace("100", "99999999999999999999"), (6, 9), "cluster.nodes", "must be from 1 to 100000"),
        (SMALL.replace("100", "\"many\""), (6, 9), "cluster.nodes", "must be a whole number, not a text"),
        (SMALL.replace("small", "../up"), (1, 8), "name", "letters, digits, `-` or `_`"),
        (SMALL.replace("duration = \"1m\"", ""), (1, 1), "duration", "`duration` is missing"),
        (SMALL.replace("seeds = 2", "warmup = \"1m\""), (2, 10), "warmup", "less than the duration (1m)"),
        (with("[workload]\n"), (8, 2), "workload", "unknown key \"workload\""),
        (
            with("profile = \"lann\"\n"),
            (8, 11),
            "cluster.profile",
            "did you mean \"lan\"? valid: lan, wan, local",
        ),
        (with("start = \"joined\"\n"), (8, 9), "cluster.start", "unknown start \"joined\""),
        (
            with("config = { gosip_nodes = 4 }\n"),
            (8, 12),
            "cluster.config.gosip_nodes",
            "did you mean \"gossip_nodes\"?",
        ),
        (
            with("config = { gossip_nodes = \"x\" }\n"),
            (8, 27),
            "cluster.config.gossip_nodes",
            "for example gossip_nodes = 3",
        ),
        (
            with("config = { gossip_nodes = 65 }\n"),
            (8, 27),
            "cluster.config.gossip_nodes",
            "must be from 0 to 64",
        ),
        (
            with("config = { probe_interval = \"1\" }\n"),
            (8, 29),
            "cluster.config.probe_interval",
            "needs a unit",
        ),
        (
            with("config = { suspicion_confirmations = \"x\" }\n"),
            (8, 38),
            "cluster.config.suspicion_confirmations",
            "= \"auto\"",
        ),
        (
            with("config = { notes = true }\n"),
            (8, 20),
            "cluster.config.notes",
            "the simulator always turns it on",
        ),
        (
            with("zones = [{ name = \"a\", nodes = 99 }]\n"),
            (8, 9),
            "cluster.zones",
            "the zones have 99 nodes, but the cluster has 100",
        ),
        (
            with("zones = [{ name = \"a\", nodes = 50 }, { name = \"a\", nodes = 50 }]\n"),
            (8, 47),
            "cluster.zones[1].name",
            "a zone \"a\" already",
        ),
        (with("[network]\nloss = 1.5\n"), (9, 8), "network.loss", "must be from 0 to 1"),
        (with("[network]\nloss = nan\n"), (9, 8), "network.loss", "must be from 0 to 1"),
        (
            with("[network]\nloss = { kind = \"gilbert\" }\n"),
            (9, 17),
            "network.loss.kind",
            "did you mean \"gilbert-elliott\"?",
        ),
        (
            with("[network]\nlatency = { kind = \"gamma\" }\n"),
            (9, 20),
            "network.latency.kind",
            "valid: constant, uniform, normal, lognormal, pareto, empirical",
        ),
        (
            with("[network]\nlatency = { kind = \"constant\", p99 = \"1s\", value = \"1s\" }\n"),
            (9, 32),
            "network.latency.p99",
            "does not belong to a constant latency",
        ),
        (
            with("[network]\nlatency = { kind = \"uniform\", min = \"2s\", max = \"1s\" }\n"),
            (9, 49),
            "network.latency.max",
            "must be more than min (2s)",
        ),
        (
            with("[[network.link]]\nfrom = { pick = 1 }\nto = { all = true }\nloss = 0.5\n"),
            (9, 8),
            "network.link[0].from",
            "a link cannot draw its nodes",
        ),
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"pauze\"\nnodes = { pick = 1 }\n"),
            (10, 8),
            "fault[0].kind",
            "did you mean \"pause\"?",
        ),
        (
            with(&format!("{crash}nodes = [\"node-1\", \"node-100\"]\n")),
            (11, 20),
            "fault[0].nodes[1]",
            "the last of 100 nodes is node-99",
        ),
        (
            with(&format!("{crash}nodes = [\"node-07\"]\n")),
            (11, 10),
            "fault[0].nodes[0]",
            "\"node-07\" is no node's name",
        ),
        (
            with(&format!("{crash}nodes = {{ zone = \"a\" }}\n")),
            (11, 18),
            "fault[0].nodes.zone",
            "the cluster has no zones",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 0 }}\n")),
            (11, 18),
            "fault[0].nodes.pick",
            "from 1 to the cluster's 100 nodes",
        ),
        (
            with(&format!("{crash}nodes = {{ fraction = 2 }}\n")),
            (11, 22),
            "fault[0].nodes.fraction",
            "more than 0, up to 1",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1, all = true }}\n")),
            (11, 9),
            "fault[0].nodes",
            "exactly one of",
        ),
        (with(crash), (8, 1), "fault[0].nodes", "`nodes` is missing"),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nevry = \"1s\"\n")),
            (12, 1),
            "fault[0].evry",
            "did you mean \"every\"?",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nfor = \"31s\"\n")),
            (12, 7),
            "fault[0].for",
            "ends after the duration (1m)",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nstate = \"lost\"\n")),
            (12, 9),
            "fault[0].state",
            "without `for` they never do",
        ),
        (
            with("[[fault]]\nat = \"1m\"\nkind = \"leave\"\nnodes = { pick = 1 }\n"),
            (9, 6),
            "fault[0].at",
            "less than the duration (1m)",
        ),
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"leave\"\nnodes = { pick = 1 }\nfor = \"1s\"\n"),
            (12, 1),
            "fault[0].for",
            "`for` does not belong to a leave",
        ),
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"join\"\nnodes = [\"node-0\"]\n"),
            (11, 9),
            "fault[0].nodes",
            "node-0 cannot join later",
        ),
        (
            with(
                "[[fault]]\nat = \"1s\"\nkind = \"partition\"\npartition = { a = { all = true }, b = { pick = 1 } }\n",
            ),
            (11, 39),
            "fault[0].partition.b",
            "every node of b is on side a too",
        ),
        (
            with("[[expect]]\nmetric = \"flapz\"\nequals = 0\n"),
            (9, 10),
            "expect[0].metric",
            "did you mean \"flaps\"?",
        ),
        (
            with("[[expect]]\nmetric = \"flaps.p50\"\nequals = 0\n"),
            (9, 10),
            "expect[0].metric",
            "has no statistics",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "a statistic must be named",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all.p98\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "unknown statistic \"p98\"",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all.p99\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "needs a fault of kind crash",
        ),
        (
            with("[[expect]]\nmetric = \"convergence\"\nbelow = 20\n"),
            (10, 9),
            "expect[0].below",
            "a duration with its unit",
        ),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = \"20s\"\n"),
            (10, 9),
            "expect[0].below",
            "flaps is a count, so the bound must be a plain number",
        ),
        (with("[[expect]]\nmetric = \"flaps\"\n"), (8, 1), "expect[0]", "has no bound"),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = 0\n"),
            (10, 9),
            "expect[0].below",
            "must be more than 0",
        ),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = 3\nover = \"all\"\n"),
            (11, 8),
            "expect[0].over",
            "each-seed, median, worst, pooled",
        ),
        (
            with("fault = 3\n").replace("[cluster]\nnodes = 100\n", "cluster = { nodes = 100 }"),
            (6, 9),
            "fault",
            "must be a list, not a whole number",
        ),
        ("name = \n".into(), (1, 8), "", "is not TOML"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| one_problem(text, *position, key, part).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = with("profile = \"moon\"\n[network]\nloss = 7\n").replace("seeds", "sedes");
    let found = problems(&text);
    let keys: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["sedes", "cluster.profile", "network.loss"]);
}

#[test]
fn a_mistake_is_told_once_and_not_again_by_what_rests_on_it() {
    let zones = "zones = [{ name = \"a\", nodes = 100 }]\n";
    assert_one(
        &with(zones).replace("nodes = 100\n", "nodes = true\n"),
        (6, 9),
        "cluster.nodes",
        "not true or false",
    );
    let fault = "[[fault]]\nat = \"2m\"\nkind = \"leave\"\nnodes = { pick = 1 }\n";
    assert_one(&with(fault).replace("\"1m\"", "1"), (3, 12), "duration", "bare number");
}

#[test]
fn a_problem_shows_its_line_with_a_caret() {
    let shown = problems(&SMALL.replace("= 2", "= 0")).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "bad.toml:2:9: seeds: must be from 1 to 100000");
    assert_eq!(lines[1], "    2 | seeds = 0");
    assert_eq!(lines[2], "      |         ^");
    assert_eq!(lines[3], "  hint: for example seeds = 10");
    assert_eq!(lines.len(), 4);
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = SMALL
        .replace("seeds = 2", "about = \"ä\"\nseeds = 2")
        .replace("[cluster]\nnodes = 100", "cluster = { \"ä\" = 1, nodes = 1 }");
    assert_one(&text, (6, 13), "cluster.ä", "unknown key");
}

#[test]
fn files_that_are_no_scenarios_are_told_apart() {
    let folder = std::env::temp_dir().join(format!("rumormill-bad-scenarios-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let said = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).expect("a temporary file");
        }
        let found = Scenario::load(&path, &[]).expect_err("the file is bad");
        assert_eq!(found.count(), 1, "{found}");
        let shown = found.to_string();
        assert!(shown.starts_with(&path.display().to_string()), "{shown}");
        shown
    };
    let noise: Vec<u8> = (0u32..2_000_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(said("missing.toml", None).contains("cannot be read"));
    assert!(said("empty.toml", Some(b"")).contains("the file is empty"));
    assert!(said("blank.toml", Some(b" \n\n")).contains("the file is empty"));
    assert!(said("latin.toml", Some(b"name = \"\xe4\"")).contains("is not UTF-8 text from byte 8 on"));
    assert!(said("noise.toml", Some(&noise)).contains("longer than 1048576 bytes"));
    assert!(Scenario::load(&folder, &[]).is_err(), "a folder is no file");
    fs::remove_dir_all(&folder).expect("the temporary folder goes away");
}

#[test]
fn noise_gives_a_bounded_answer() {
    let found = problems(&"]=\u{7}[ \n".repeat(10_000));
    assert!(found.iter().count() <= 50);
    let shown = found.to_string();
    assert!(shown.len() < 50_000);
    assert!(!shown.contains('\u{7}'));
    let long = problems(&format!("{SMALL}{} = 1", "x".repeat(500_000))).to_string();
    assert!(long.len() < 1000, "{} bytes", long.len());
}

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

fn good() -> Scenario {
    let config = Config {
        suspicion_confirmations: rumormill_core::config::Confirmations::Exactly(2),
        label: "x".into(),
        ..Config::local()
    };
    let zone = |name: &str, first, nodes| Zone { name: name.into(), first, nodes };
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
            zones: vec![zone("a", 0, 4), zone("b", 4, 6)],
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

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = Scenario::parse(&text, "noise.toml", &[]).map_err(|e| e.to_string());
    }

    #[test]
    fn no_damaged_scenario_panics(cut in 0usize..2000, length in 0usize..40, patch in "[a-z0-9\"\\[\\]{}=,.\n -]{0,20}") {
        let text = fs::read_to_string(root().join("scenarios/partition-heal.toml")).expect("the scenario is there");
        let start = text.floor_char_boundary(cut.min(text.len()));
        let end = text.floor_char_boundary((start + length).min(text.len()));
        let damaged = format!("{}{patch}{}", &text[..start], &text[end..]);
        let _ = Scenario::parse(&damaged, "damaged.toml", &[]).map_err(|e| e.to_string());
    }

    #[test]
    fn no_override_panics(text in "[a-z.]{0,20}(\\[[0-9]{0,3}\\])?=?.{0,30}") {
        if let Ok(one) = Override::parse(&text) {
            let _ = Scenario::parse(SMALL, "small.toml", &[one]).map_err(|e| e.to_string());
        }
    }

    #[test]
    fn a_number_anywhere_never_panics(number in any::<i64>(), key in 0usize..8) {
        let keys = ["seed", "seeds", "cluster.nodes", "network.loss", "warmup", "cluster.config.packet_bytes_max",
            "cluster.config.members_max", "cluster.config.suspicion_confirmations"];
        let one = Override::parse(&format!("{}={number}", keys[key])).expect("a key and a number");
        let _ = Scenario::parse(SMALL, "small.toml", &[one]).map_err(|e| e.to_string());
    }
}
