//! Strategies of [proptest] for scenarios: random clusters, networks, faults and workloads for anybody's property tests. Behind the cargo
//! feature `proptest`.
//!
//! ```
//! use proptest::prelude::*;
//! use rumormill_sim::{strategy, world};
//!
//! proptest! {
//!     #![proptest_config(ProptestConfig::with_cases(4))]
//!     // In a test file this has #[test] above it.
//!     fn nobody_is_told_twice(scenario in strategy::scenarios()) {
//!         let record = world::run(&scenario, 0, scenario.seed);
//!         let twice = record.values.get("event.duplicates").map_or(0.0, |sample| sample.value);
//!         prop_assert!(twice == 0.0, "{}", scenario.to_toml());
//!     }
//! }
//! nobody_is_told_twice();
//! ```
//!
//! Every value holds to the rules about scenarios ([`Scenario::check`]), and has a seed of its own, [`Scenario::seed`], with which it is
//! meant to be run. What is drawn is what [`fuzz`](crate::fuzz) draws. Values shrink towards fewer faults, workloads and settings, fewer
//! nodes, less time, plainer kinds, and a network on which nothing is lost. That takes up to some thousand runs: more than proptest allows
//! by itself, so give it a `max_shrink_iters`.

use std::ops::RangeInclusive;

use proptest::prelude::{Strategy, any};
use proptest::{array, collection};

use crate::fuzz::{Draft, FAULTS, FEATURES, Part, SETTINGS, Swarm, WORKLOADS, add_faults};
use crate::scenario::Scenario;

/// Parts of each class at most.
const SETTINGS_MAX: usize = 7;
const FEATURES_MAX: usize = 4;
const FAULTS_MAX: usize = 6;
const WORKLOADS_MAX: usize = 4;

/// Seeds: as many as a scenario file can write without surprising anybody.
const SEEDS: std::ops::Range<u64> = 0..1 << 32;

/// Scenarios with 2 to 16 nodes.
pub fn scenarios() -> impl Strategy<Value = Scenario> {
    scenarios_of(2..=16)
}

/// Scenarios with so many nodes, each number as likely; what lies outside of 2 to 1000 is brought there.
pub fn scenarios_of(nodes: RangeInclusive<u32>) -> impl Strategy<Value = Scenario> {
    let min = (*nodes.start()).clamp(Swarm::NODES_MIN, Swarm::NODES_MAX);
    let max = (*nodes.end()).clamp(min, Swarm::NODES_MAX);
    // In the order in which they are made smaller.
    let all = (
        min..=max,
        parts(FAULTS.len(), FAULTS_MAX),
        parts(WORKLOADS.len(), WORKLOADS_MAX),
        parts(SETTINGS.len(), SETTINGS_MAX),
        parts(FEATURES.len(), FEATURES_MAX),
        words(),
        SEEDS,
    );
    all.prop_map(|(nodes, faults, workloads, settings, network, frame, seed)| {
        let draft = Draft { nodes, frame, settings, network, faults, workloads };
        Scenario { seed, ..draft.scenario() }
    })
}

/// A scenario of your own, sound and with two nodes or more, to which up to six faults more happen. Its cluster, network and workloads
/// stay as they are; its seed varies.
pub fn under_faults(scenario: Scenario) -> impl Strategy<Value = Scenario> {
    (parts(FAULTS.len(), FAULTS_MAX), SEEDS).prop_map(move |(faults, seed)| {
        let mut scenario = Scenario { seed, ..scenario.clone() };
        add_faults(&mut scenario, &faults);
        scenario
    })
}

fn parts(kinds: usize, most: usize) -> impl Strategy<Value = Vec<Part>> {
    let part = (0..kinds, words()).prop_map(|(kind, words)| Part { kind, words });
    collection::vec(part, 0..=most)
}

/// Their upper halves only: more would make no other scenarios, and shrinking slower.
fn words() -> impl Strategy<Value = [u32; crate::fuzz::WORDS]> {
    array::uniform16(any::<u16>()).prop_map(|words| words.map(|word| u32::from(word) << 16))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

    use super::*;
    use crate::scenario::{FaultKind, Profile, Start};

    /// What a property that fails shrinks to.
    fn smallest(strategy: impl Strategy<Value = Scenario>, fails: impl Fn(&Scenario) -> bool) -> Scenario {
        let config = ProptestConfig { max_shrink_iters: 50_000, ..ProptestConfig::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let result = runner.run(&strategy, |scenario| {
            if fails(&scenario) { Err(TestCaseError::fail("it fails")) } else { Ok(()) }
        });
        match result {
            Err(TestError::Fail(_, scenario)) => scenario,
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn every_value_is_sound(scenario in scenarios()) {
            prop_assert!(scenario.check().is_ok(), "{}", scenario.check().unwrap_err());
            prop_assert!((2..=16).contains(&scenario.cluster.nodes));
        }
    }

    #[test]
    fn a_failure_shrinks_to_the_one_fault_that_matters_in_the_plainest_cluster() {
        let blocked = |fault: &crate::scenario::Fault| matches!(fault.kind, FaultKind::BlockIo { .. });
        let found = smallest(scenarios(), |scenario| scenario.faults.iter().any(blocked));
        assert_eq!(found.faults.len(), 1);
        assert_eq!((found.faults[0].at, found.faults[0].every), (Duration::ZERO, None));
        assert!(found.workloads.is_empty() && found.network.links.is_empty());
        assert_eq!(found.network.travel, crate::scenario::Travel::default());
        let cluster = &found.cluster;
        assert_eq!((cluster.nodes, cluster.profile, cluster.start), (2, Profile::Lan, Start::Converged));
        assert_eq!((&cluster.key, cluster.zones.len()), (&None, 0));
        assert_eq!(cluster.config, Profile::Lan.config());
        assert_eq!((found.seed, found.duration), (0, Duration::from_secs(60)));
    }

    #[test]
    fn a_scenario_of_ones_own_keeps_all_but_its_faults_and_seed() {
        let own = Scenario { about: "mine".into(), ..Swarm::default().draw(3).scenario };
        let had = own.faults.len();
        let found = smallest(under_faults(own.clone()), |scenario| scenario.faults.len() > had + 1);
        assert_eq!(found.faults.len(), had + 2);
        assert_eq!(found.faults[..had], own.faults[..]);
        assert_eq!(Scenario { faults: own.faults.clone(), seed: own.seed, ..found }, own);
    }
}
