//! Runs that are watched: nothing changes, and what they reach is seen.

use super::*;
use crate::sightings::{Sight, Sightings};

#[track_caller]
fn watched(scenario: &Scenario) -> Sightings {
    let (record, seen) = run_seen(scenario, 0, 1);
    holds(&record);
    assert_eq!(record, run(scenario, 0, 1), "watching changes nothing");
    seen
}

#[track_caller]
fn has(seen: &Sightings, sights: &[Sight], not: &[Sight]) {
    for sight in sights {
        assert!(seen.count(*sight) > 0, "{sight:?} was not seen");
    }
    for sight in not {
        assert_eq!(seen.count(*sight), 0, "{sight:?}");
    }
}

#[test]
fn in_a_calm_cluster_nothing_is_seen() {
    let mut scenario = scenario(6, Start::Converged, Vec::new());
    scenario.network.travel.loss = None;
    let seen = watched(&scenario);
    assert_eq!(seen, Sightings::default());
}

#[test]
fn a_healed_partition_shows_deaths_dials_and_reconnections() {
    let mut scenario = scenario(6, Start::Converged, Vec::new());
    scenario.faults = vec![fault(10, Some(60), partition(3, Direction::Both, 1.0))];
    let seen = watched(&scenario);
    let sights = [
        Sight::SuspicionRanOut,
        Sight::SuspicionConfirmed,
        Sight::FailedDialled,
        Sight::Reconnected,
        Sight::ForgottenMet,
        Sight::NacksMissed,
        Sight::HealthWorse,
        Sight::BuddyPing,
    ];
    has(&seen, &sights, &[Sight::NameReclaimed, Sight::NameClaimed, Sight::LeaveHeard, Sight::QueryAnswered]);
}

#[test]
fn a_node_that_moves_at_once_is_not_let_in_and_one_that_was_dead_for_long_is() {
    let moves = |lost| FaultKind::Restart { nodes: Selector::Nodes(vec![2]), how: back(true, lost) };
    let seen = watched(&scenario(6, Start::Converged, vec![(10, moves(true))]));
    has(&seen, &[Sight::NameClaimed, Sight::RestartMoved, Sight::RestartLost], &[Sight::RestartSnapshot]);

    let kind = FaultKind::Crash { nodes: Selector::Nodes(vec![2]), back: back(true, false) };
    let mut late = scenario(6, Start::Converged, Vec::new());
    late.duration = Duration::from_secs(200);
    late.faults = vec![fault(10, Some(100), kind)];
    let seen = watched(&late);
    let sights = [Sight::NameReclaimed, Sight::ForgottenMet, Sight::RestartMoved, Sight::RestartSnapshot];
    has(&seen, &sights, &[Sight::RestartLost, Sight::NameClaimed]);
}

#[test]
fn bad_networks_show_probes_that_were_saved() {
    let mut scenario = scenario(8, Start::Converged, Vec::new());
    scenario.network.travel.loss = Some(Loss::Bernoulli(0.25));
    scenario.network.travel.stream_loss = Some(Loss::Bernoulli(0.0));
    scenario.network.travel.corrupt = Some(0.05);
    let seen = watched(&scenario);
    let sights = [Sight::IndirectProbe, Sight::StreamProbe, Sight::ChecksumRefused];
    has(&seen, &sights, &[Sight::RestartLost, Sight::JoinRetried]);
}
