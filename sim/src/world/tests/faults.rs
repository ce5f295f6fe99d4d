//! What each kind of fault does to a cluster.

use super::*;
use crate::scenario::Reorder;

/// A quiet cluster of ten for two minutes, with these faults.
fn with(faults: Vec<Fault>) -> Scenario {
    let mut scenario = scenario(10, Start::Converged, Vec::new());
    scenario.network.travel.loss = None;
    scenario.faults = faults;
    for fault in &mut scenario.faults {
        fault.may_be_idle = false;
    }
    scenario
}

fn node_3() -> Selector {
    Selector::Nodes(vec![3])
}

fn count(record: &RunRecord, metric: &str) -> f64 {
    record.values[metric].value
}

#[test]
fn a_short_pause_is_survived_and_a_long_one_looks_like_death_until_it_ends() {
    let short = run(&with(vec![fault(20, Some(2), FaultKind::Pause { nodes: node_3() })]), 0, 1);
    holds(&short);
    assert_eq!(short.distributions["detection.first"].iter().filter(|s| !s.censored).count(), 0);
    let long = run(&with(vec![fault(20, Some(60), FaultKind::Pause { nodes: node_3() })]), 0, 1);
    holds(&long);
    let all = &long.distributions["detection.all"];
    assert!(all.len() == 1 && !all[0].censored && all[0].value < 30.0, "{all:?}");
    assert_eq!(count(&long, "false_positives.all"), 0.0, "a node that stands still is not well");
    assert_eq!(count(&long, "flaps"), 9.0, "each of the others sees it fail and come back within a minute");
    assert_eq!(count(&long, "members.wrong.end"), 0.0);
    assert_eq!(long.faults[0].did["paused"], 1);
}

#[test]
fn what_arrives_during_a_pause_waits_in_a_bounded_buffer() {
    let mut scenario = with(vec![fault(20, Some(5), FaultKind::Pause { nodes: node_3() })]);
    let kept = run(&scenario, 0, 1);
    assert!(!kept.network.contains_key("receive_buffer_overflowed"));
    scenario.network.receive_buffer = 30;
    let lost = run(&scenario, 0, 1);
    holds(&lost);
    assert!(lost.network["receive_buffer_overflowed"] > 0);
}

#[test]
fn a_blocked_node_s_timers_run_so_that_it_accuses_others() {
    let record = run(&with(vec![fault(20, Some(40), FaultKind::BlockIo { nodes: node_3() })]), 0, 1);
    holds(&record);
    assert_eq!(record.faults[0].did["blocked"], 1);
    // It hears nobody, so it declares others dead, and when its voice returns some believe it.
    let (all, healthy) = (count(&record, "false_positives.all"), count(&record, "false_positives.healthy"));
    assert!(all > healthy && healthy > 0.0, "{all} {healthy}");
    // Some members, each declared by several.
    let subjects = count(&record, "false_positives.subjects");
    assert!(subjects >= 1.0 && subjects * 2.0 < all, "{subjects} {all}");
    let hours = record.node_hours;
    assert!((count(&record, "false_positive_rate.subjects") * hours - subjects).abs() < 1e-9);
    let paused = run(&with(vec![fault(20, Some(40), FaultKind::Pause { nodes: node_3() })]), 0, 1);
    assert_eq!(count(&paused, "false_positives.all"), 0.0, "one that stands still accuses nobody");
}

#[test]
fn what_a_blocked_node_wanted_to_say_goes_out_in_one_burst() {
    let scenario = with(vec![fault(20, Some(10), FaultKind::BlockIo { nodes: node_3() })]);
    let mut world = World::new(&scenario, &scenario.variants[0], 1);
    world.schedule_faults();
    world.start();
    world.metered(29_999_000_000, &mut |_| {});
    let before = world.stage.meter.load.packets[3];
    world.metered(30_000_000_000, &mut |_| {});
    let burst = world.stage.meter.load.packets[3] - before;
    // Ten probes and their helpers, and the suspicions that came of them.
    assert!(burst >= 20, "{burst}");
}

#[test]
fn a_fast_clock_probes_more_and_is_right_again_afterwards() {
    let clock = |rate, offset| FaultKind::Clock { nodes: node_3(), rate, offset };
    let probes = |fault: Fault| {
        let scenario = with(vec![fault]);
        let record = run(&scenario, 0, 1);
        holds(&record);
        assert_eq!(count(&record, "members.wrong.end"), 0.0);
        record.steps
    };
    let right = run(&with(Vec::new()), 0, 1).steps;
    let fast = probes(fault(10, Some(100), clock(2.0, 0)));
    // About a hundred more probes, each two or three inputs at each end.
    assert!(fast > right + 200, "{fast} {right}");
    assert!(probes(fault(10, Some(100), clock(0.5, 0))) < right - 100);
    let _ = probes(fault(10, Some(20), clock(1.0, 3_000_000_000)));
    let _ = probes(fault(10, Some(20), clock(1.0, -3_000_000_000)));
}

#[test]
fn a_slow_node_needs_helpers_or_patience_but_is_not_declared_dead() {
    let extra = Latency::Constant { value: Duration::from_millis(300) };
    let record = run(&with(vec![fault(10, Some(60), FaultKind::Slow { nodes: node_3(), extra })]), 0, 1);
    holds(&record);
    assert_eq!(record.faults[0].did["slowed"], 1);
    assert!(record.load_by_kind.contains_key("ping-req"), "{:?}", record.load_by_kind);
    assert_eq!(count(&record, "false_positives.all"), 0.0);
}

#[test]
fn damage_is_refused_and_duplicates_and_disorder_change_nothing() {
    let travel = Travel {
        corrupt: Some(0.2),
        duplicate: Some(0.3),
        reorder: Some(Reorder { chance: 0.3, extra: Duration::from_millis(100) }),
        ..Travel::default()
    };
    let (from, to) = (Selector::All, Selector::All);
    let record = run(&with(vec![fault(10, Some(60), FaultKind::Link { from, to, travel })]), 0, 1);
    holds(&record);
    for deed in ["damaged", "duplicated", "held_back"] {
        assert!(record.network[deed] > 50, "{deed}: {:?}", record.network);
    }
    assert_eq!(count(&record, "members.wrong.end"), 0.0);
    let label = record.invariants.iter().find(|i| i.number == 5).unwrap();
    assert!(label.remark.as_ref().unwrap().contains("damaged"));
    assert!(record.faults[0].did["packets_carried"] > 500);
}

#[test]
fn a_node_comes_back_at_a_new_address_and_without_memory() {
    for (new_address, lost_state) in [(false, false), (false, true), (true, false), (true, true)] {
        let kind = FaultKind::Crash { nodes: node_3(), back: back(new_address, lost_state) };
        let record = run(&with(vec![fault(20, Some(40), kind)]), 0, 1);
        holds(&record);
        assert_eq!(count(&record, "members.wrong.end"), 0.0, "{new_address} {lost_state}");
        assert_eq!((record.faults[0].did["crashed"], record.faults[0].did["restarted"]), (1, 1));
    }
}

#[test]
fn repetitions_hit_the_same_nodes_unless_they_are_picked_anew() {
    let pause = |repick| Fault {
        every: Some(Duration::from_secs(20)),
        until: Some(Duration::from_secs(70)),
        repick,
        ..fault(10, Some(1), FaultKind::Pause { nodes: Selector::Pick(1) })
    };
    let same = run(&with(vec![pause(false)]), 0, 1);
    assert_eq!((same.faults[0].times, same.faults[0].aimed, same.faults[0].nodes.len()), (3, 3, 1));
    let anew = run(&with(vec![pause(true)]), 0, 3);
    assert_eq!((anew.faults[0].times, anew.faults[0].aimed), (3, 3));
    assert!(anew.faults[0].nodes.len() > 1, "{:?}", anew.faults[0].nodes);
    assert_eq!(anew.faults[0].until, Some(51.0));
}

#[test]
fn a_partial_partition_lets_the_other_pairs_talk_and_harms_nobody() {
    let record = run(&with(vec![fault(10, Some(60), partition(5, Direction::Both, 0.3))]), 0, 1);
    holds(&record);
    assert!(record.faults[0].did["packets_dropped"] > 0);
    assert_eq!(count(&record, "members.wrong.end"), 0.0);
}

#[test]
fn a_cluster_that_starts_one_by_one_grows_by_one_at_a_time() {
    let gap = Duration::from_secs(2);
    let mut scenario = with(Vec::new());
    scenario.cluster.start = Start::JoinStaggered { gap };
    let record = run(&scenario, 0, 1);
    holds(&record);
    assert_eq!(record.series.up[..6], [1, 1, 2, 2, 3, 3]);
    assert_eq!(count(&record, "members.wrong.end"), 0.0);
    assert_eq!(record.distributions["dissemination.join"].len(), 9, "the first has nobody to tell");
}

#[test]
fn a_paused_node_hears_that_it_is_to_leave_when_it_goes_on() {
    let faults = vec![
        fault(20, Some(3), FaultKind::Pause { nodes: node_3() }),
        fault(21, None, FaultKind::Leave { nodes: node_3() }),
    ];
    let record = run(&with(faults), 0, 1);
    holds(&record);
    assert_eq!(count(&record, "members.wrong.end"), 0.0);
    assert!(record.load_by_kind["dead"].messages > 0);
    assert!(record.distributions["dissemination.leave"].iter().all(|s| !s.censored));
}
