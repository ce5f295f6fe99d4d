//! What the reader of scenario files says about bad variants and comparisons, and that it reads the good ones as they are meant.

use rumormill_core::Config;
use rumormill_sim::scenario::*;

/// The smallest scenario with two variants, 18 lines long, so that what a test adds begins at line 19.
const TWO: &str = r#"name = "small"
duration = "1m"

[cluster]
nodes = 100
config = { gossip_nodes = 4 }

[[fault]]
at = "30s"
kind = "crash"
nodes = { pick = 1 }

[[variant]]
name = "swim"
config = { awareness = false, suspicion_max_mult = 1 }
[[variant]]
name = "lifeguard"

"#;

fn with(more: &str) -> String {
    format!("{TWO}{more}")
}

fn expect(more: &str) -> String {
    with(&format!("[[expect]]\nmetric = \"detection.all.p99\"\n{more}"))
}

/// What is wrong: that the text has not exactly one problem, at that place and key, with `part` in what is said.
fn not_one_problem(text: &str, position: (usize, usize), key: &str, part: &str) -> Option<String> {
    let Err(found) = Scenario::parse(text, "bad.toml", &[]) else {
        return Some(format!("{key}: {part}: it was read without complaint"));
    };
    let shown = found.to_string();
    let one = found.iter().next().expect("there is one");
    let as_expected = found.count() == 1 && one.position == Some(position) && one.key == key;
    (!as_expected || !shown.contains(part))
        .then(|| format!("not at {position:?} {key}: {part}, but\n{shown}\n"))
}

#[test]
fn each_mistake_is_named_with_its_place_and_what_would_be_right() {
    let cases: Vec<(String, (usize, usize), &str, &str)> = vec![
        (with("[[variant]]\n"), (19, 1), "variant[2].name", "`name` is missing"),
        (with("[[variant]]\nname = \"swim\"\n"), (20, 8), "variant[2].name", "a variant \"swim\" already"),
        (with("[[variant]]\nname = \"a b\"\n"), (20, 8), "variant[2].name", "letters, digits, `-` or `_`"),
        (with("[[variant]]\nname = 3\n"), (20, 8), "variant[2].name", "must be a text"),
        (
            with("[[variant]]\nnmae = \"x\"\nname = \"x\"\n"),
            (20, 1),
            "variant[2].nmae",
            "did you mean \"name\"?",
        ),
        (
            with("[[variant]]\nname = \"x\"\nconfig = { gosip_nodes = 4 }\n"),
            (21, 12),
            "variant[2].config.gosip_nodes",
            "did you mean \"gossip_nodes\"?",
        ),
        (
            with("[[variant]]\nname = \"x\"\nconfig = { gossip_nodes = 65 }\n"),
            (21, 27),
            "variant[2].config.gossip_nodes",
            "must be from 0 to 64",
        ),
        (
            with("[[variant]]\nname = \"x\"\nconfig = { gossip_nodes = \"many\" }\n"),
            (21, 27),
            "variant[2].config.gossip_nodes",
            "for example gossip_nodes = 4",
        ),
        (
            with("[[variant]]\nname = \"x\"\nconfig = { notes = true }\n"),
            (21, 20),
            "variant[2].config.notes",
            "the simulator always turns it on",
        ),
        // A mistake in the cluster's settings is not told again for every variant.
        (TWO.replace("= 4 }", "= 65 }"), (6, 27), "cluster.config.gossip_nodes", "must be from 0 to 64"),
        (
            expect("below = \"9s\"\nvariant = \"lifegard\"\n"),
            (22, 11),
            "expect[0].variant",
            "unknown variant \"lifegard\"\n",
        ),
        (
            expect("below = \"9s\"\nvariant = \"lifegard\"\n"),
            (22, 11),
            "expect[0].variant",
            "did you mean \"lifeguard\"? valid: swim, lifeguard",
        ),
        (
            expect("below = 2\nvariant = \"lifeguard\"\nratio_to = \"swimm\"\n"),
            (23, 12),
            "expect[0].ratio_to",
            "did you mean \"swim\"?",
        ),
        (
            expect("below = 2\nvariant = \"swim\"\nratio_to = \"swim\"\n"),
            (23, 12),
            "expect[0].ratio_to",
            "the quotient is always 1",
        ),
        (
            expect("below = \"2s\"\nvariant = \"lifeguard\"\nratio_to = \"swim\"\n"),
            (21, 9),
            "expect[0].below",
            "a quotient without unit, so the bound must be a plain number",
        ),
        (expect("below = 2\n"), (21, 9), "expect[0].below", "a duration with its unit"),
        (expect("near = \"9s\"\n"), (19, 1), "expect[0].within", "`within` is missing"),
        (
            expect("near = \"9s\"\nwithin = \"3%\"\n"),
            (22, 10),
            "expect[0].within",
            "must be a number, not a text",
        ),
        (expect("near = \"9s\"\nwithin = 0\n"), (22, 10), "expect[0].within", "must be more than 0, up to 1"),
        (
            expect("near = \"9s\"\nwithin = 1.5\n"),
            (22, 10),
            "expect[0].within",
            "must be more than 0, up to 1",
        ),
        (expect("near = \"0s\"\nwithin = 0.1\n"), (21, 8), "expect[0].near", "write equals = 0"),
        (
            expect("below = \"9s\"\nwithin = 0.1\n"),
            (22, 1),
            "expect[0].within",
            "`within` does not belong to `below`",
        ),
        (expect("near = \"9s\"\nbelow = \"9s\"\n"), (19, 1), "expect[0]", "more than one bound"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| not_one_problem(text, *position, key, part.trim()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_scenario_without_variants_has_nothing_to_compare() {
    let alone = TWO.split("[[variant]]").next().expect("there is a part before the variants");
    let ratio = format!("{alone}[[expect]]\nmetric = \"flaps\"\nbelow = 2\nratio_to = \"default\"\n");
    assert_eq!(not_one_problem(&ratio, (16, 12), "expect[0].ratio_to", "add a second [[variant]]"), None);
    let scenario = Scenario::parse(alone, "alone.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<&str> = scenario.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["default"]);
    assert_eq!(scenario.variants[0].config, scenario.cluster.config);
}

#[test]
fn good_variants_and_comparisons_are_read_as_they_are_meant() {
    let text = expect("near = \"12.5s\"\nwithin = 0.03\nvariant = \"swim\"\n")
        + "[[expect]]\nmetric = \"flaps\"\nbelow = 0.1\nvariant = \"lifeguard\"\nratio_to = \"swim\"\nover = \"pooled\"\n";
    let scenario = Scenario::parse(&text, "good.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let cluster = Config { gossip_nodes: 4, ..Config::lan() };
    let swim = Config { awareness: false, suspicion_max_mult: 1, ..cluster.clone() };
    let variant = |name: &str, config: &Config| Variant::new(name, config.clone());
    assert_eq!(scenario.variants, [variant("swim", &swim), variant("lifeguard", &cluster)]);
    let near = Expect {
        metric: "detection.all",
        statistic: Some("p99"),
        bound: Bound::Near { value: 12.5, within: 0.03 },
        over: Over::EachSeed,
        variant: Some(0),
        ratio_to: None,
        line: 19,
    };
    let ratio = Expect {
        metric: "flaps",
        statistic: None,
        bound: Bound::Below(0.1),
        over: Over::Pooled,
        variant: Some(1),
        ratio_to: Some(0),
        line: 24,
    };
    assert_eq!(scenario.expects, [near, ratio]);
}

#[test]
fn an_override_reaches_a_variant() {
    let set =
        |text: &str| Scenario::parse(TWO, "two.toml", &[Override::parse(text).expect("it can be read")]);
    let scenario = set("variant[1].config.buddy=false").unwrap_or_else(|e| panic!("{e}"));
    assert!(scenario.variants[0].config.buddy && !scenario.variants[1].config.buddy);
    let shown = set("variant[2].name=x").expect_err("there are two").to_string();
    assert!(shown.contains("the list has 2"), "{shown}");
}

#[test]
fn variants_built_in_code_are_held_to_the_same_rules() {
    let mut scenario = Scenario::parse(TWO, "two.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    scenario.expects = vec![Expect {
        metric: "flaps",
        statistic: None,
        bound: Bound::Equals(0.0),
        over: Over::EachSeed,
        variant: Some(7),
        ratio_to: None,
        line: 0,
    }];
    let shown = scenario.check().expect_err("there is no such variant").to_string();
    assert!(shown.contains("expect[0].variant: there is no variant number 7"), "{shown}");
    scenario.expects.clear();
    scenario.variants.clear();
    let shown = scenario.check().expect_err("there is none").to_string();
    assert!(shown.contains("variant: must be 1 to 16 variants"), "{shown}");
}
