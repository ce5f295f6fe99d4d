//! Whole small clusters of many kinds under random faults: every invariant holds in every run.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rumormill_sim::{strategy, world};

const CASES: u32 = 96;

#[test]
fn no_invariant_breaks_in_any_kind_of_cluster() {
    let config = ProptestConfig {
        source_file: Some(file!()),
        max_shrink_iters: 5000,
        ..ProptestConfig::with_cases(CASES)
    };
    let (agreed, disturbed) = (Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(&strategy::scenarios_of(3..=15), |scenario| {
        let record = world::run(&scenario, 0, scenario.seed);
        for invariant in &record.invariants {
            prop_assert!(invariant.violations == 0, "{invariant:?}\n{}", scenario.to_toml());
        }
        let asked = record.invariants.iter().any(|one| one.number == 7 && one.not_applicable.is_none());
        agreed.set(agreed.get() + u32::from(asked));
        disturbed.set(disturbed.get() + u32::from(record.faults.iter().any(|fault| fault.times > 0)));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Six in ten have to agree in the end, nearly all have faults: with a quarter and a half it is not for nothing.
    assert!(
        agreed.get() >= CASES / 4 && disturbed.get() >= CASES / 2,
        "{agreed:?}, {disturbed:?} of {CASES}"
    );
}
