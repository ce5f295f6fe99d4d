//! Small failures, shrunk in moments.

use std::time::Duration;

use super::*;
use crate::scenario::{Bound, FaultKind, Selector, Traffic};
use crate::world;

/// Somebody crashes for good and is not found within two seconds; the rest is beside the point.
const LATE: &str = "name = \"late\"\nseeds = 5\nwarmup = \"5s\"\nduration = \"2m\"\nweight = \"heavy\"\n[cluster]\nnodes = 24\n\
    config = { gossip_nodes = 4, buddy = false }\nzones = [{ name = \"a\", nodes = 20 }, { name = \"b\", nodes = 4 }]\n\
    [network]\nloss = 0.01\nlatency = { kind = \"uniform\", min = \"1ms\", max = \"2ms\" }\n\
    [[network.link]]\nfrom = { zone = \"a\" }\nto = { zone = \"b\" }\nloss = 0.02\n\
    [[fault]]\nat = \"20s\"\nkind = \"slow\"\nnodes = { pick = 2 }\nextra = { kind = \"constant\", value = \"5ms\" }\nfor = \"1s\"\nevery = \"10s\"\n\
    [[fault]]\nat = \"30s\"\nkind = \"leave\"\nnodes = { zone = \"b\" }\n\
    [[fault]]\nat = \"45s\"\nkind = \"crash\"\nnodes = { pick = 3 }\nmay_be_idle = true\n\
    [[fault]]\nat = \"60s\"\nkind = \"clock\"\nnodes = { fraction = 0.5 }\noffset = \"100ms\"\nfor = \"9s\"\n\
    [[variant]]\nname = \"swim\"\nconfig = { awareness = false }\n[[variant]]\nname = \"lifeguard\"\nnetwork = { duplicate = 0.1 }\n\
    [[workload]]\nkind = \"event\"\nevery = \"2s\"\nburst = 3\n\
    [[expect]]\nmetric = \"event.duplicates\"\nequals = 0\n\
    [[expect]]\nmetric = \"detection.all.max\"\nbelow = \"2s\"\nvariant = \"lifeguard\"\n";

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "late.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn with_threads(threads: usize, text: &str, budget: Budget) -> Shrunk {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let scenario = scenario(text);
    pool.install(|| shrink(&scenario, 7, None, budget, &mut |_| {})).expect("it fails")
}

/// With runs that something was done to.
fn with_runs(run: Run, text: &str) -> Shrunk {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let scenario = scenario(text);
    pool.install(|| shrink_by(run, &scenario, 7, None, Budget::default(), &mut |_| {})).expect("it fails")
}

fn has(scenario: &Scenario, kind: &str) -> bool {
    scenario.faults.iter().any(|fault| fault.kind.name() == kind)
}

#[test]
fn a_panic_is_shrunk_like_anything_else_and_its_test_merely_runs() {
    let run: Run = |scenario, variant, seed, whole| {
        let nodes = scenario.cluster.nodes;
        match (has(scenario, "leave"), has(scenario, "crash")) {
            (true, true) => panic!("node-{nodes}\nis gone twice"),
            (true, false) => panic!("quite another way"),
            _ => search::run(scenario, variant, seed, whole),
        }
    };
    let shrunk = with_runs(run, LATE);
    assert_eq!(shrunk.failure, Failure::Panic { message: "node-24 is gone twice".to_owned() });
    let toml = shrunk.to_toml("x.toml");
    assert_eq!(
        (shrunk.now.faults, shrunk.now.nodes, shrunk.now.expects, shrunk.now.variants),
        (2, 2, 0, 1),
        "{toml}"
    );
    assert!(
        toml.starts_with(
            "# Here a run panics: node-24 is gone twice\n# (its words: node-2 is gone twice).\n"
        ),
        "{toml}"
    );
    let test = shrunk.to_test("x.toml");
    assert!(
        test.contains("use rumormill_sim::{Scenario, run};\n") && test.contains("let _ = run(&scenario);\n}"),
        "{test}"
    );
    assert!(!test.contains("report"), "{test}");
}

#[test]
fn a_panic_in_the_quiet_time_needs_whole_runs() {
    let run: Run = |scenario, variant, seed, whole| {
        assert!(!(whole && has(scenario, "leave")), "it is late");
        search::run(scenario, variant, seed, whole)
    };
    let shrunk = with_runs(run, LATE);
    assert_eq!(shrunk.failure, Failure::Panic { message: "it is late".to_owned() });
    assert_eq!((shrunk.now.faults, shrunk.now.nodes), (1, 2), "{}", shrunk.to_toml("x.toml"));
}

#[test]
fn a_candidate_that_panics_does_not_fail_in_the_same_way() {
    let run: Run = |scenario, variant, seed, whole| {
        assert!(scenario.cluster.nodes >= 6, "too few");
        search::run(scenario, variant, seed, whole)
    };
    let shrunk = with_runs(run, LATE);
    assert!(matches!(shrunk.failure, Failure::Expectation { way: Way::Seen, .. }), "{}", shrunk.failure);
    assert_eq!((shrunk.now.faults, shrunk.now.nodes), (1, 6), "{}", shrunk.to_toml("x.toml"));
}

#[test]
fn what_comes_out_is_the_smallest_that_a_whole_run_shows() {
    let run: Run = |scenario, variant, seed, whole| {
        let mut record = search::run(scenario, variant, seed, whole);
        if whole && scenario.faults.len() < 2 {
            record.distributions.remove("detection.all");
        }
        record
    };
    let shrunk = with_runs(run, LATE);
    let toml = shrunk.to_toml("x.toml");
    assert!(shrunk.now.faults >= 2 && shrunk.seen.starts_with("observed "), "{toml}");
    assert_eq!(shrunk.now, Size::of(&shrunk.scenario));
    assert!(!crate::run(&scenario(&toml)).holds(), "{toml}");
}

#[test]
fn what_else_fails_is_told_and_idle_faults_do_not_count() {
    let run: Run = |scenario, variant, seed, whole| {
        let mut record = search::run(scenario, variant, seed, whole);
        record.invariants[0].violations += u64::from(scenario.faults.len() < 2);
        record
    };
    let late = LATE.replace("may_be_idle = true\n", "");
    let shrunk = with_runs(run, &late);
    assert!(matches!(shrunk.failure, Failure::Expectation { .. }), "{}", shrunk.failure);
    let toml = shrunk.to_toml("x.toml");
    assert!(toml.contains("# Besides, invariant 1 is violated ("), "{toml}");
    assert!(shrunk.scenario.faults.iter().all(|fault| fault.may_be_idle), "{toml}");
    assert!(with_threads(2, &late, Budget::default()).also.is_empty());
}

#[test]
fn all_that_is_beside_the_point_goes() {
    let shrunk = with_threads(2, LATE, Budget::default());
    let toml = shrunk.to_toml("late-shrunk.toml");
    assert!(shrunk.minimal, "{toml}");
    let Size { nodes, seconds, faults, workloads, variants, settings, network, links, zones, expects } =
        shrunk.now;
    assert_eq!(
        (faults, workloads, variants, settings, network, links, zones, expects),
        (1, 0, 1, 0, 0, 0, 0, 1),
        "{toml}"
    );
    assert!(nodes <= 3 && seconds <= 20.0, "{toml}");
    let fault = &shrunk.scenario.faults[0];
    assert!(matches!(fault.kind, FaultKind::Crash { nodes: Selector::Pick(1), .. }), "{toml}");
    assert_eq!(shrunk.scenario.expects[0].bound, Bound::Below(2.0));
    assert!(matches!(shrunk.failure, Failure::Expectation { way: Way::Seen, .. }), "late stays late: {toml}");
    // The file is the scenario, and fails by itself.
    let again = scenario(&toml);
    let (source, line) = (String::new(), 0);
    let mut bare = Scenario { source, ..again.clone() };
    bare.expects.iter_mut().for_each(|expect| expect.line = line);
    assert_eq!(bare.expects[0].metric, shrunk.scenario.expects[0].metric);
    assert_eq!(bare.digest(), shrunk.scenario.digest());
    assert!(!crate::run(&again).holds());
    assert!(
        toml.starts_with("# Here the expectation is not met: detection.all.max below 2 s, each seed\n"),
        "{toml}"
    );
    assert!(toml.contains("# Shrunk from late.toml, seed 7:\n# faults 4 -> 1, nodes 24 -> "), "{toml}");
    assert!(toml.contains("# To rerun it: rumor-sim run late-shrunk.toml\n"), "{toml}");
    let test = shrunk.to_test("late-shrunk.toml");
    assert!(
        test.contains("fn it_holds_late_shrunk() {") && test.contains(&shrunk.scenario.to_toml()),
        "{test}"
    );
}

#[test]
fn any_number_of_threads_and_a_small_budget_too_give_the_same() {
    for runs in [1, 20, 60] {
        let budget = Budget { runs, time: None };
        let [one, three] = [1, 3].map(|threads| with_threads(threads, LATE, budget));
        assert_eq!(one.to_toml("x.toml"), three.to_toml("x.toml"));
        assert_eq!((one.runs, one.minimal), (three.runs, three.minimal));
        assert!(!one.minimal, "{runs} runs are too few: {}", one.was.cut(&one.now));
        assert!(one.to_toml("x.toml").contains("# The budget ended before"), "{}", one.to_toml("x.toml"));
    }
}

#[test]
fn what_holds_is_not_shrunk_nor_what_fails_in_another_variant() {
    let scenario = scenario(LATE);
    let none = |variant| shrink(&scenario, 7, variant, Budget { runs: 5, time: None }, &mut |_| {}).is_none();
    assert!(none(Some(0)), "swim has no bound");
    assert!(!none(Some(1)));
}

#[test]
fn never_stays_never_and_the_time_that_shows_it_stays() {
    let text = "name = \"apart\"\nduration = \"3m\"\n[cluster]\nnodes = 6\nconfig = { reconnect = false }\n\
        [[fault]]\nat = \"10s\"\nkind = \"partition\"\npartition = { a = { pick = 2 }, b = { rest = true } }\nfor = \"60s\"\n\
        [[fault]]\nat = \"12s\"\nkind = \"pause\"\nnodes = { pick = 1 }\nfor = \"1s\"\n\
        [[expect]]\nmetric = \"convergence\"\nbelow = \"30s\"\n";
    let shrunk = with_threads(2, text, Budget::default());
    assert!(matches!(shrunk.failure, Failure::Expectation { way: Way::Never, .. }), "{}", shrunk.failure);
    let toml = shrunk.to_toml("x.toml");
    let [partition] = &shrunk.scenario.faults[..] else { panic!("{toml}") };
    let end = partition.at + partition.lasts.expect("it ends, or nothing could be expected after it");
    assert!(shrunk.scenario.duration >= end + Duration::from_secs(30), "{toml}");
    assert!(shrunk.scenario.duration <= Duration::from_secs(80), "{toml}");
    assert!(!shrunk.scenario.cluster.config.reconnect, "{toml}");
    assert!(partition.may_be_idle, "{toml}");
}

#[test]
fn an_idle_fault_keeps_what_leaves_it_nothing_to_do() {
    let text = "name = \"idle\"\nduration = \"90s\"\n[cluster]\nnodes = 30\n\
        [[fault]]\nat = \"5s\"\nkind = \"pause\"\nnodes = { pick = 3 }\nfor = \"2s\"\n\
        [[fault]]\nat = \"10s\"\nkind = \"leave\"\nnodes = [\"node-17\", \"node-3\"]\n\
        [[fault]]\nat = \"20s\"\nkind = \"crash\"\nnodes = { pick = 3 }\n\
        [[fault]]\nat = \"60s\"\nkind = \"crash\"\nname = \"late\"\nnodes = [\"node-17\"]\n";
    let shrunk = with_threads(2, text, Budget::default());
    assert_eq!(shrunk.failure, Failure::Idle { kind: "crash".to_owned(), name: "late".to_owned() });
    let toml = shrunk.to_toml("x.toml");
    let kinds: Vec<&str> = shrunk.scenario.faults.iter().map(|fault| fault.kind.name()).collect();
    assert!(matches!(kinds[..], ["leave" | "crash", "crash"]), "{toml}");
    assert!(shrunk.now.nodes <= 3 && shrunk.now.seconds < 10.0, "{toml}");
    let may_be_idle: Vec<bool> = shrunk.scenario.faults.iter().map(|fault| fault.may_be_idle).collect();
    assert_eq!(may_be_idle, [true, false], "{toml}");
}

#[test]
fn an_idle_fault_keeps_all_the_time_in_which_it_could_do_something() {
    let text = "name = \"idle\"\nduration = \"100s\"\n[cluster]\nnodes = 12\n\
        config = { anti_entropy = \"off\", reconnect = false, stream_probe = false, gossip_nodes = 4 }\n\
        [network]\nloss = 0.2\n\
        [[fault]]\nat = \"5s\"\nkind = \"pause\"\nnodes = { pick = 3 }\nfor = \"2s\"\n\
        [[fault]]\nat = \"10s\"\nkind = \"partition\"\nfor = \"60s\"\n\
        partition = { a = { pick = 4 }, b = { rest = true }, traffic = \"streams\" }\n\
        [[fault]]\nat = \"15s\"\nkind = \"crash\"\nnodes = { pick = 2 }\n";
    let shrunk = with_threads(2, text, Budget::default());
    assert_eq!(shrunk.failure, Failure::Idle { kind: "partition".to_owned(), name: String::new() });
    let toml = shrunk.to_toml("x.toml");
    let [partition] = &shrunk.scenario.faults[..] else { panic!("{toml}") };
    assert_eq!(partition.lasts, Some(Duration::from_secs(60)), "{toml}");
    assert!(matches!(partition.kind, FaultKind::Partition { traffic: Traffic::Streams, .. }), "{toml}");
    assert!(shrunk.scenario.duration >= partition.at + Duration::from_secs(60 + 30), "{toml}");
    assert!(!partition.may_be_idle, "{toml}");
    // Without crashes and loss nobody dials a failed member or probes over a stream: one setting is what it takes.
    let config = &shrunk.scenario.cluster.config;
    assert_eq!(config.anti_entropy, rumormill_core::config::AntiEntropy::Off, "{toml}");
}

#[test]
fn the_measured_time_alone_gives_the_figures_of_a_whole_run() {
    let scenario = scenario(LATE);
    for variant in 0..2 {
        let [whole, measured] =
            [world::run(&scenario, variant, 3), world::run_measured(&scenario, variant, 3)];
        assert_eq!((&whole.values, &whole.ratios), (&measured.values, &measured.ratios));
        assert_eq!((&whole.distributions, &whole.faults), (&measured.distributions, &measured.faults));
        assert!(whole.steps > measured.steps, "quiet time is left out");
    }
}

#[test]
fn a_budget_is_a_number_of_runs_or_a_time() {
    assert_eq!("500".parse(), Ok(Budget { runs: 500, time: None }));
    assert_eq!("10m".parse(), Ok(Budget { runs: u64::MAX, time: Some(Duration::from_secs(600)) }));
    for wrong in ["", "0", "0s", "ten", "-3", "99999999999999999999", "1.5"] {
        let message = wrong.parse::<Budget>().expect_err(wrong);
        assert!(
            message.ends_with("write a number of runs, such as 500, or a time, such as 10m"),
            "{message}"
        );
    }
}

#[test]
fn names_stay_names_however_long() {
    assert_eq!(short_name("lan-1000"), "lan-1000-shrunk");
    assert_eq!(short_name("lan-1000-shrunk"), "lan-1000-shrunk");
    assert_eq!(short_name(&"x".repeat(64)).len(), 64);
}
