use rumormill_sim::{Scenario, report, run};

#[test]
fn everybody_knows_within_half_a_minute() {
    let text = r#"
        name = "two-of-twenty"
        seeds = 3
        duration = "60s"
        [cluster]
        nodes = 20
        [network]
        loss = 0.02
        [[fault]]
        at = "10s"
        kind = "crash"
        nodes = { pick = 2 }
        [[expect]]
        metric = "detection.all.max"
        below = "30s"
        [[expect]]
        metric = "false_positives.all"
        equals = 0
    "#;
    let scenario = Scenario::parse(text, "two-of-twenty.toml", &[]).unwrap();
    let summary = run(&scenario);
    assert!(summary.holds(), "{}", report::text(&summary, false, 100));
}
