//! A small question, asked in full.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::scenario::Profile;

pub(super) fn question() -> Question {
    Question {
        nodes: 10,
        profile: Profile::Lan,
        latency: "1ms".parse().unwrap(),
        loss: 0.01,
        slow_nodes: 0,
        slow_by: Duration::from_secs(1),
        targets: Targets {
            detect_within: Some(Duration::from_secs(10)),
            permille: 900,
            false_positives_below: Some(0.01),
            bytes_below: Some(500.0),
        },
        budget: 14,
        seed: 1,
        exposure: Some(20.0),
    }
}

#[test]
fn what_is_drawn_differs_fits_the_latency_and_begins_with_the_profile() {
    let mut asked = Question { budget: 200, latency: "5ms..60ms".parse().unwrap(), ..question() };
    let drawn = space::draw(&asked);
    assert_eq!((drawn.len(), &drawn[0]), (85, &Settings::default()));
    for settings in &drawn {
        let scenario = stress::scenario(&asked, settings, &stress::Length::tuning(&asked)).unwrap();
        let config = &scenario.variants[0].config;
        assert!(config.probe_timeout >= Duration::from_millis(130), "{}", settings.words());
        assert!(config.probe_timeout < config.probe_interval);
    }
    asked.budget = 400;
    assert_eq!(space::draw(&asked)[..85], drawn);
    asked.seed = 2;
    assert_ne!(space::draw(&asked)[..85], drawn);
}

#[test]
fn a_scenario_of_every_question_is_sound() {
    for nodes in [3, 40, 1000] {
        for slow_nodes in [0, 1] {
            for (latency, profile) in [("500us", Profile::Local), ("20ms..80ms", Profile::Wan)] {
                let asked =
                    Question { nodes, slow_nodes, latency: latency.parse().unwrap(), profile, ..question() };
                let length = stress::Length::tuning(&asked).longer(100);
                let scenario = stress::scenario(&asked, &Settings::default(), &length).unwrap();
                assert_eq!(scenario.faults.len(), 1 + slow_nodes as usize);
                assert_eq!(scenario.variants[0].config, profile.config());
            }
        }
    }
}

#[test]
fn advice_is_the_same_again_confirmed_on_other_seeds_and_claims_no_more_than_its_exposure_carries() {
    let told = AtomicU64::new(0);
    let stages = AtomicU64::new(0);
    let tell = |tell: Tell| match tell {
        Tell::Stage { seconds, .. } => {
            stages.fetch_add(seconds, Ordering::Relaxed);
        }
        Tell::Seconds(seconds) => {
            told.fetch_add(seconds, Ordering::Relaxed);
        }
    };
    let asked = question();
    let advice = advise(&asked, &tell).unwrap();
    assert_eq!(told.into_inner(), stages.into_inner());
    assert_eq!(advice, advise(&asked, &|_| {}).unwrap());
    assert!(advice.search_seeds.1 < advice.confirm_seeds.0);
    // 0.01 per node-hour needs hundreds of node-hours, and 20 are all that is allowed.
    for finalist in &advice.finalists {
        let of = |target| finalist.verdicts.iter().find(|verdict| verdict.target == target).unwrap();
        assert_ne!(of(Target::FalsePositives).met, Met::Shown);
        assert!(of(Target::FalsePositives).over.unwrap() > 1.0);
        assert!(hours_to_show(&finalist.figures[1], 0.01, 0.005).is_none_or(|hours| hours > 500.0));
    }
    assert_eq!(advice.recommended, None);
    assert_eq!(advice.nearest().unwrap().binding().unwrap().target, Target::FalsePositives);
    // Without that target the rest is shown, by the advised settings and their scenario.
    let targets = Targets { false_positives_below: None, ..asked.targets };
    let advice = advise(&Question { targets, ..asked }, &|_| {}).unwrap();
    let advised = advice.advised().unwrap();
    assert!(advised.meets_all() && advised.verdicts.len() == 2, "{advised:?}");
    let scenario = Scenario::parse(&advice.scenario, "advise.toml", &[]).unwrap();
    assert_eq!((scenario.seed, scenario.seeds), (advice.confirm_seeds.0, advice.confirm_runs));
    assert_eq!(serde_json::from_str::<Advice>(&advice.to_json()).unwrap(), advice);
    assert!(advice.agent(&advised.settings).starts_with("profile = \"lan\"\n"));
}
