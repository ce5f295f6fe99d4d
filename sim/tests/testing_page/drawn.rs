use proptest::prelude::*;
use rumormill_sim::{Scenario, report, run};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_is_lost_all_agree_in_the_end(loss in 0.0..0.3f64, nodes in 3u32..12, seed in 0u64..1_000_000) {
        let text = format!(
            "name = \"drawn\"\nseed = {seed}\nduration = \"30s\"\n\
             [cluster]\nnodes = {nodes}\n[network]\nloss = {loss}\n"
        );
        let summary = run(&Scenario::parse(&text, "drawn", &[]).unwrap());
        prop_assert!(summary.holds(), "{}", report::text(&summary, false, 100));
    }
}
