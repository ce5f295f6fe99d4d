//! A small plan, and what is asked of plans.

use std::path::PathBuf;

use super::*;

pub(super) const SMALL: &str = "name = \"small\"\nseeds = 2\nduration = \"20s\"\n[cluster]\nnodes = 6\n\
    [[fault]]\nat = \"2s\"\nkind = \"crash\"\nnodes = { pick = 1 }\n";

pub(super) fn wishes(vary: &[&str]) -> Wishes {
    Wishes {
        file: "small.toml".to_owned(),
        scenario: SMALL.to_owned(),
        vary: vary.iter().map(|text| Axis::parse(text).unwrap()).collect(),
        ..Wishes::default()
    }
}

/// Four points with two seeds.
pub(super) fn plan() -> Plan {
    make(&wishes(&["cluster.config.suspicion_mult=3,4", "network.loss=0.0,0.2"])).unwrap()
}

pub(super) fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("rumormill-sweep-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

#[test]
fn a_grid_has_every_value_with_every_other() {
    let plan = plan();
    let values: Vec<Vec<&str>> =
        plan.points.iter().map(|point| point.values.iter().map(String::as_str).collect()).collect();
    assert_eq!(values, [["3", "0.0"], ["3", "0.2"], ["4", "0.0"], ["4", "0.2"]]);
    assert_eq!((plan.seed, plan.seeds, plan.runs(), plan.left_out), (1, 2, 8, 0));
    assert_eq!(plan.objectives.len(), 3);
    assert!(plan.points.iter().all(|point| point.variant == "default"));
    // Without a fault nothing is detected, so that is no objective.
    let mut calm = wishes(&["network.loss=0.0,0.2"]);
    calm.scenario = SMALL.split("[[fault]]").next().unwrap().to_owned();
    assert_eq!(make(&calm).unwrap().objectives.len(), 2);
    calm.objectives = vec!["detection.all.p50".parse().unwrap()];
    assert!(make(&calm).unwrap_err().to_string().contains("it needs a fault"));
}

#[test]
fn each_variant_is_a_point_of_its_own_unless_one_is_chosen() {
    let mut wishes = wishes(&["network.loss=0.0,0.2"]);
    wishes.scenario.push_str(
        "[[variant]]\nname = \"swim\"\nconfig = { suspicion_max_mult = 1 }\n[[variant]]\nname = \"lan\"\n",
    );
    let both = make(&wishes).unwrap();
    assert_eq!(both.points.len(), 4);
    assert_eq!(both.settings(1), [("network.loss".into(), "0.0".into()), ("variant".into(), "lan".into())]);
    wishes.variant = Some("swim".to_owned());
    assert_eq!(make(&wishes).unwrap().points.len(), 2);
    wishes.variant = Some("swum".to_owned());
    assert!(make(&wishes).unwrap_err().to_string().contains("the scenario has swim, lan"));
}

#[test]
fn a_draw_gives_different_points_and_a_longer_one_begins_alike() {
    let mut few = wishes(&["cluster.config.suspicion_mult=2,3"]);
    let mut wishes = wishes(&["network.loss=0.0..0.1", "cluster.config.suspicion_mult=2..8"]);
    let draw = |wishes: &mut Wishes, points| {
        wishes.random = Some((points, 5));
        make(wishes).unwrap().points
    };
    let (ten, twenty) = (draw(&mut wishes, 10), draw(&mut wishes, 20));
    assert_eq!((ten.len(), &twenty[..10]), (10, &ten[..]));
    let different: std::collections::BTreeSet<&String> =
        twenty.iter().map(|point| &point.experiment).collect();
    assert_eq!(different.len(), 20);
    wishes.random = Some((10, 6));
    assert_ne!(make(&wishes).unwrap().points, ten);
    few.random = Some((3, 1));
    assert!(make(&few).unwrap_err().to_string().contains("only 2 different points"));
}

#[test]
fn every_point_is_checked_before_anything_runs() {
    let mut bad = wishes(&["cluster.config.probe_timeout=500ms,1s,2s", "network.loss=0.0,2.0"]);
    let said = make(&bad).unwrap_err().to_string();
    assert!(said.contains("probe_timeout=1s network.loss=0.0: "), "{said}");
    assert!(said.contains("less than probe_interval") && said.contains("--skip-invalid"), "{said}");
    assert_eq!(
        said.matches("probe_timeout=").count(),
        5 + said.matches("--set cluster.config.probe_timeout=").count()
    );
    bad.skip_invalid = true;
    let plan = make(&bad).unwrap();
    assert_eq!((plan.points.len(), plan.left_out), (1, 5));
    for (vary, part) in [
        (&["cluster.config.suspicion_malt=3,4"][..], "suspicion_malt"),
        (&["name=a,b"], "changes nothing that is run"),
        (&["network.loss=0.1,0.2", "network.loss=0.3"], "twice"),
        (&[], "0 keys vary"),
        (&["network.loss=0.0..0.1"], "a grid needs a step"),
        (&["fault[1].at=1s,2s"], "element 1"),
    ] {
        let said = make(&wishes(vary)).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
    let mut set = wishes(&["network.loss=0.1,0.2"]);
    set.set = vec!["network.loss=0.3".to_owned()];
    assert!(make(&set).unwrap_err().to_string().contains("--set gives it"));
}
