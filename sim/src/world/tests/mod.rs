mod faults;
mod islands;
mod pairing;
mod sights;

use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, proptest};

use super::*;
use crate::scenario::{
    Cluster, Direction, Fault, FaultKind, InFlight, Latency, Loss, Profile, Restart, Selector, Through,
    Traffic, Travel, Weight,
};

fn scenario(nodes: u32, start: Start, faults: Vec<(u64, FaultKind)>) -> Scenario {
    let faults = faults.into_iter().map(|(at, kind)| fault(at, None, kind)).collect();
    Scenario {
        name: "test".into(),
        about: String::new(),
        seed: 1,
        seeds: 1,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(120),
        weight: Weight::Light,
        cluster: Cluster {
            nodes,
            config: Config::lan(),
            profile: Profile::Lan,
            start,
            key: None,
            zones: Vec::new(),
        },
        network: crate::scenario::Network {
            travel: Travel {
                latency: Some(Latency::Uniform {
                    min: Duration::from_micros(200),
                    max: Duration::from_millis(2),
                }),
                loss: Some(Loss::Bernoulli(0.01)),
                ..Travel::default()
            },
            links: Vec::new(),
            receive_buffer: 2 << 20,
        },
        faults,
        workloads: Vec::new(),
        variants: vec![Variant::new("default", Config::lan())],
        expects: Vec::new(),
        source: String::new(),
    }
}

/// A fault at so many seconds, for so many.
fn fault(at: u64, lasts: Option<u64>, kind: FaultKind) -> Fault {
    let lasts = lasts.map(Duration::from_secs);
    Fault { lasts, may_be_idle: true, ..Fault::new(Duration::from_secs(at), kind) }
}

fn back(new_address: bool, lost_state: bool) -> Restart {
    Restart { new_address, lost_state, through: Through::FirstAndTwo }
}

fn crash(nodes: Selector) -> FaultKind {
    FaultKind::Crash { nodes, back: back(false, false) }
}

fn partition(size: u32, direction: Direction, share: f64) -> FaultKind {
    FaultKind::Partition {
        a: Selector::Pick(size),
        b: Selector::Rest,
        direction,
        in_flight: InFlight::Drop,
        share,
        traffic: Traffic::All,
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

/// Each probe of a live member fails with probability (1 - q^2)(1 - q^4)^k, q being the chance that a packet arrives.
#[test]
fn failed_probes_of_live_members_come_at_swim_s_rate_and_what_is_lost_is_not_received() {
    let mut scenario = scenario(20, Start::Converged, Vec::new());
    scenario.duration = Duration::from_secs(600);
    scenario.network.travel.loss = Some(Loss::Bernoulli(0.3));
    scenario.variants[0].config = Config {
        indirect_checks: 1,
        stream_probe: false,
        awareness: false,
        suspicion_mult: 100,
        anti_entropy: rumormill_core::config::AntiEntropy::Off,
        ..Config::lan()
    };
    let lossy = run(&scenario, 0, 1);
    // 12,000 member-periods: a standard deviation of 1.1 %.
    let rate = lossy.values["false_suspicion_rate"].value;
    assert!((rate / 0.388 - 1.0).abs() < 0.05, "{rate}");
    let share =
        |record: &RunRecord| record.values["load.received"].value / record.values["load.packets"].value;
    assert!((share(&lossy) - 0.7).abs() < 0.01, "{}", share(&lossy));
    scenario.network.travel.loss = None;
    let sound = run(&scenario, 0, 1);
    assert_eq!(sound.values["false_suspicion_rate"].value, 0.0);
    assert!((share(&sound) - 1.0).abs() < 0.001, "{}", share(&sound));
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
    let mut scenario = scenario(10, Start::Converged, Vec::new());
    scenario.faults = vec![fault(10, Some(60), partition(5, Direction::Both, 1.0))];
    let record = run(&scenario, 0, 1);
    holds(&record);
    assert!(record.faults[0].did["packets_dropped"] > 0);
    let quiet = record.invariants.iter().find(|i| i.number == 7).unwrap();
    assert_eq!((quiet.checked, &quiet.not_applicable), (1, &None));
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let kind = (0u8..9, 1u32..4, 1u64..50, any::<bool>(), any::<bool>(), any::<bool>());
    (0u64..100, kind).prop_map(|(at, (kind, count, lasts, one, two, ends))| {
        let nodes = Selector::Pick(count);
        let some_ms = |ms| Latency::Constant { value: Duration::from_millis(ms) };
        let kind = match kind {
            0 => FaultKind::Crash { nodes, back: back(one, two) },
            1 => FaultKind::Restart { nodes, how: back(one, two) },
            2 => FaultKind::Leave { nodes },
            3 => FaultKind::Pause { nodes },
            4 => FaultKind::BlockIo { nodes },
            5 => FaultKind::Slow { nodes, extra: some_ms(if one { 100 } else { 800 }) },
            6 => FaultKind::Clock {
                nodes,
                rate: if one { 1.3 } else { 0.7 },
                offset: if two { 9 << 30 } else { -9 << 30 },
            },
            7 => FaultKind::Link {
                from: nodes,
                to: Selector::All,
                travel: Travel {
                    loss: Some(Loss::Bernoulli(0.5)),
                    corrupt: one.then_some(0.2),
                    duplicate: two.then_some(0.5),
                    ..Travel::default()
                },
            },
            _ => {
                let direction = if one { Direction::Both } else { Direction::AToB };
                partition(count, direction, if two { 1.0 } else { 0.5 })
            }
        };
        fault(at, ends.then_some(lasts), kind)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_invariant_breaks_under_random_faults(
        seed in any::<u64>(),
        nodes in 5u32..14,
        faults in proptest::collection::vec(any_fault(), 0..5),
    ) {
        let scenario = Scenario { faults, ..scenario(nodes, Start::Converged, Vec::new()) };
        let record = run(&scenario, 0, seed);
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
