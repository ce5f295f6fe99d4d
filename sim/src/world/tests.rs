use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, proptest};

use super::*;
use crate::scenario::{
    Cluster, Direction, Fault, FaultKind, InFlight, Latency, Profile, Restart, Selector, Through, Weight,
};

fn scenario(nodes: u32, start: Start, faults: Vec<(u64, FaultKind)>) -> Scenario {
    let fault = |(at, kind)| Fault { at: Duration::from_secs(at), kind, may_be_idle: true };
    Scenario {
        name: "test".into(),
        about: String::new(),
        seed: 1,
        seeds: 1,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(120),
        weight: Weight::Light,
        cluster: Cluster { nodes, config: Config::lan(), profile: Profile::Lan, start, zones: Vec::new() },
        network: crate::scenario::Network {
            latency: Latency::Uniform { min: Duration::from_micros(200), max: Duration::from_millis(2) },
            loss: 0.01,
            links: Vec::new(),
        },
        faults: faults.into_iter().map(fault).collect(),
        variants: vec![Variant { name: "default".into(), config: Config::lan() }],
        expects: Vec::new(),
        source: String::new(),
    }
}

fn crash(nodes: Selector) -> FaultKind {
    FaultKind::Crash { nodes, restart: None }
}

fn partition(size: u32, direction: Direction, lasts: u64) -> FaultKind {
    FaultKind::Partition {
        a: Selector::Pick(size),
        b: Selector::All,
        direction,
        in_flight: InFlight::Drop,
        lasts: Some(Duration::from_secs(lasts)),
    }
}

fn holds(record: &RunRecord) {
    for invariant in &record.invariants {
        assert_eq!(invariant.violations, 0, "{invariant:?}");
    }
}

#[test]
fn equal_seeds_give_equal_records_and_others_do_not() {
    let scenario = scenario(8, Start::Converged, vec![(10, crash(Selector::Pick(1)))]);
    let first = run(&scenario, 0, 5);
    assert_eq!(first, run(&scenario, 0, 5));
    assert_ne!(first.digest, run(&scenario, 0, 6).digest);
    holds(&first);
}

#[test]
fn a_crash_is_detected_by_all() {
    let record = run(&scenario(10, Start::Converged, vec![(10, crash(Selector::Pick(1)))]), 0, 1);
    holds(&record);
    let all = &record.distributions["detection.all"];
    assert!(all.len() == 1 && !all[0].censored, "{all:?}");
    assert_eq!(record.values["members.wrong.end"].value, 0.0);
    assert_eq!(record.faults[0].did["crashed"], 1);
}

#[test]
fn a_cluster_that_starts_by_joining_converges() {
    let record = run(&scenario(20, Start::Join, Vec::new()), 0, 1);
    holds(&record);
    assert!(!record.values["convergence"].censored);
    assert!(record.values["join.attempts"].value >= 19.0);
}

#[test]
fn a_leaver_is_known_to_have_left_and_is_not_reported_failed() {
    let faults = vec![(10, FaultKind::Leave { nodes: Selector::Nodes(vec![3]) })];
    let record = run(&scenario(10, Start::Converged, faults), 0, 1);
    holds(&record);
    assert_eq!(record.values["members.wrong.end"].value, 0.0);
    assert_eq!(record.distributions["dissemination.leave"].len(), 1);
    let leavers = record.invariants.iter().find(|i| i.number == 6).unwrap();
    assert!(leavers.checked >= 9, "{leavers:?}");
}

#[test]
fn a_healed_partition_converges() {
    let record = run(&scenario(10, Start::Converged, vec![(10, partition(5, Direction::Both, 60))]), 0, 1);
    holds(&record);
    assert!(record.faults[0].did["packets_dropped"] > 0);
    let quiet = record.invariants.iter().find(|i| i.number == 7).unwrap();
    assert_eq!((quiet.checked, &quiet.not_applicable), (1, &None));
}

fn any_fault() -> impl Strategy<Value = (u64, FaultKind)> {
    let restart = (any::<bool>(), any::<bool>()).prop_map(|(new_address, lost_state)| Restart {
        new_address,
        lost_state,
        through: Through::FirstAndTwo,
    });
    let kind = (0u8..4, 1u32..4, 1u64..50, restart, any::<bool>());
    (0u64..100, kind).prop_map(|(at, (kind, count, lasts, restart, both))| {
        let nodes = Selector::Pick(count);
        let kind = match kind {
            0 => crash(nodes),
            1 => FaultKind::Crash { nodes, restart: Some((Duration::from_secs(lasts), restart)) },
            2 => FaultKind::Leave { nodes },
            _ => partition(count, if both { Direction::Both } else { Direction::AToB }, lasts),
        };
        (at, kind)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_invariant_breaks_under_random_faults(
        seed in any::<u64>(),
        nodes in 5u32..14,
        faults in proptest::collection::vec(any_fault(), 0..5),
    ) {
        let record = run(&scenario(nodes, Start::Converged, faults), 0, seed);
        for invariant in &record.invariants {
            prop_assert!(invariant.violations == 0, "{invariant:?}");
        }
    }
}

/// Invariant 7 bites: a process that stops behind the back of ground truth leaves views that never agree with it.
#[test]
fn quiet_time_that_does_not_end_in_agreement_is_a_violation() {
    let scenario = scenario(6, Start::Converged, Vec::new());
    let mut world = World::new(&scenario, &scenario.variants[0], 1);
    world.start();
    world.nodes[2] = None;
    let end = nanos(scenario.duration);
    world.metered(end, &mut |_| {});
    world.stage.now = end;
    world.quiet_time(end, &mut |_| {});
    let outcomes = world.stage.invariants.outcomes();
    let quiet = outcomes.iter().find(|outcome| outcome.number == 7).unwrap();
    assert_eq!((quiet.violations, &quiet.not_applicable), (1, &None), "{quiet:?}");
    assert!(quiet.first.as_ref().unwrap().what.contains("node-2"), "{quiet:?}");
}
