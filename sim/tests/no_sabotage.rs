//! A default build has no rule that could be broken: the setting does not exist.
#![cfg(not(feature = "sabotage"))]

use rumormill_sim::Scenario;

#[test]
fn the_setting_is_an_unknown_key() {
    let text =
        "name = \"x\"\nduration = \"1s\"\n[cluster]\nnodes = 2\nconfig = { sabotage = \"no-refutation\" }\n";
    let problems = Scenario::parse(text, "x.toml", &[]).unwrap_err().to_string();
    assert!(problems.contains("unknown key \"sabotage\""), "{problems}");
}
