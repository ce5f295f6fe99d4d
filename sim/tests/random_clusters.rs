//! Whole small clusters of many kinds under random faults: every invariant holds in every run.

use proptest::prelude::*;
use rumormill_sim::{strategy, world};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 5000, ..ProptestConfig::default() })]

    #[test]
    fn no_invariant_breaks_in_any_kind_of_cluster(scenario in strategy::scenarios_of(3..=15)) {
        for invariant in &world::run(&scenario, 0, scenario.seed).invariants {
            prop_assert!(invariant.violations == 0, "{invariant:?}\n{}", scenario.to_toml());
        }
    }
}
