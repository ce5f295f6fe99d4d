//! Chains whose cause is known.

use super::*;
use crate::trace::words::at;

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "known.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn explained(scenario: &Scenario, seed: u64, verdict: Verdict) -> Explanation {
    let question = Question { variant: 0, seed, verdict, reruns: 24 };
    explain(scenario, &question, &mut |_, _| {}).expect("the verdict is one of this run")
}

fn first(scenario: &Scenario, seed: u64, is: impl Fn(&Verdict) -> bool) -> Verdict {
    verdicts(scenario, 0, seed, &mut |_| {}).list.into_iter().find(is).expect("such a verdict")
}

/// For two seconds node-0's packets to node-3 get lost, one way. Nobody helps it to probe, and its word counts at once.
const CUT: &str = r#"
    name = "cut"
    duration = "20s"
    [cluster]
    nodes = 5
    config = { suspicion = false, indirect_checks = 0, stream_probe = false, anti_entropy = "off" }
    [[fault]]
    at = "8s"
    kind = "partition"
    partition = { a = ["node-0"], b = ["node-3"], direction = "a-to-b", traffic = "datagrams" }
    for = "4s"
"#;

#[test]
fn the_ping_that_a_cut_swallowed_is_found_and_would_have_prevented_it() {
    let scenario = scenario(CUT);
    // Acks are swallowed too, so that node-3 accuses node-0. Who is cut off itself is excused; the others take its word.
    let of_pings = |verdict: &Verdict| verdict.false_positive && verdict.declarer == Some(0);
    let verdict = first(&scenario, 1, of_pings);
    assert_eq!(verdict.subject, 3);
    assert_ne!(verdict.observer, 0);
    let why = explained(&scenario, 1, verdict);
    let ping = why.steps.iter().find(|step| step.part == "probe" && step.what.starts_with("ping: -> node-3"));
    let ping = ping.unwrap_or_else(|| panic!("{why:#?}"));
    assert!(
        ping.amiss && ping.node == "node-0" && ping.what.contains("cut by fault[0] (partition)"),
        "{ping:?}"
    );
    let prevents: Vec<String> =
        why.reruns.iter().filter(|rerun| rerun.prevents()).map(Rerun::change).collect();
    assert!(prevents.contains(&"without fault[0] (partition)".to_owned()), "{:#?}", why.reruns);
    let spared = why.reruns.iter().find(|rerun| rerun.change().starts_with("arrives: node-0 -> node-3 at "));
    let spared = spared.filter(|rerun| rerun.prevents()).unwrap_or_else(|| panic!("{:#?}", why.reruns));
    assert_eq!(spared.probe, Probed::Answered);
    let story = why.story.join(" ");
    assert!(story.contains("It took the word of node-0"), "{story}");
    assert!(story.contains("although it was up, undisturbed and reachable"), "{story}");
}

#[test]
fn what_a_rerun_says_of_a_fault_is_what_the_scenario_without_it_does() {
    let mut scenario = scenario(CUT);
    scenario.faults[0].off = true;
    assert_eq!(verdicts(&scenario, 0, 1, &mut |_| {}), Verdicts::default());
}

/// A node that cannot use its sockets while its timers run, with SWIM's settings.
const BLOCKED: &str = r#"
    name = "blocked"
    duration = "60s"
    [cluster]
    nodes = 8
    config = { awareness = false, nacks = false, buddy = false, suspicion_max_mult = 1 }
    [[fault]]
    at = "10s"
    name = "sick"
    kind = "block-io"
    nodes = ["node-2"]
    for = "20s"
"#;

#[test]
fn an_observer_that_is_sick_itself_is_found_out() {
    let scenario = scenario(BLOCKED);
    let verdict = first(&scenario, 1, |verdict| verdict.false_positive && verdict.observer == 2);
    assert_eq!(verdict.declarer, Some(2));
    let why = explained(&scenario, 1, verdict);
    let story = why.story.join(" ");
    assert!(story.contains("node-2 was cut off from its sockets from 10.000 s to 30.000 s"), "{story}");
    assert!(story.contains("its timers fired, but it read nothing of what had arrived"), "{story}");
    let without = why.reruns.iter().find(|rerun| rerun.change() == "without fault[0] (block-io \"sick\")");
    assert!(
        without.is_some_and(|rerun| rerun.prevents() && rerun.probe == Probed::Answered),
        "{:#?}",
        why.reruns
    );
    assert!(why.steps.iter().any(|step| step.part == "fault" && step.node == "node-2"), "{:#?}", why.steps);
}

#[test]
fn a_healthy_observer_took_the_word_of_the_sick_one() {
    let scenario = scenario(BLOCKED);
    let healthy = |verdict: &Verdict| verdict.false_positive && verdict.observer != 2;
    let why = explained(&scenario, 1, first(&scenario, 1, healthy));
    let story = why.story.join(" ");
    assert!(story.contains("It took the word of node-2"), "{story}");
    assert!(
        why.steps.iter().any(|step| step.part == "verdict" && step.what.starts_with("tells ")),
        "{:#?}",
        why.steps
    );
}

#[test]
fn a_true_verdict_is_explained_too() {
    let text = CUT.replace("partition\"", "crash\"").replace(
        "partition = { a = [\"node-0\"], b = [\"node-3\"], direction = \"a-to-b\", traffic = \"datagrams\" }",
        "nodes = [\"node-3\"]",
    );
    let scenario = scenario(&text);
    let verdict = first(&scenario, 1, |_| true);
    assert!(!verdict.false_positive && verdict.subject == 3);
    let why = explained(&scenario, 1, verdict);
    assert!(why.story[0].contains("it had been down since 8.000 s"), "{}", why.story[0]);
}

/// Loss makes accusations, and short suspicions make verdicts of them.
const LOSSY: &str = r#"
    name = "lossy"
    duration = "120s"
    [cluster]
    nodes = 30
    config = { suspicion_mult = 1, suspicion_max_mult = 1, indirect_checks = 1, stream_probe = false, anti_entropy = "off" }
    [network]
    latency = { kind = "uniform", min = "1ms", max = "5ms" }
    loss = 0.25
"#;

#[test]
fn news_came_packet_by_packet_from_who_found_out() {
    let scenario = scenario(LOSSY);
    let all = verdicts(&scenario, 0, 1, &mut |_| {}).list;
    let wrong: Vec<Verdict> = all.into_iter().filter(|verdict| verdict.false_positive).collect();
    assert!(wrong.len() > 10, "{}", wrong.len());
    let mut hops = 0;
    for verdict in wrong.into_iter().take(10) {
        let filter = Filter { about: vec![verdict.subject], until: verdict.time, ..Filter::default() };
        let what = Part { variant: 0, seed: 1, spared: &[], until: verdict.time };
        let recording = part(&scenario, &what, filter, &|_| false, &mut |_| {});
        let case = Case::new(&scenario, &recording, verdict);
        let found = findings::findings(&case).expect("the verdict was recorded");
        assert!(found.death.whole, "{verdict:?}");
        for way in [Some(&found.death), found.accusation.as_ref()].into_iter().flatten() {
            let packets: Vec<_> = way.hops.iter().filter_map(|hop| case.packet(*hop)).collect();
            for pair in packets.windows(2) {
                assert_eq!(pair[0].to, pair[1].from);
                assert!(pair[0].arrived.is_some_and(|arrived| arrived <= pair[1].wanted), "{pair:?}");
            }
            if let Some(packet) = packets.first() {
                assert_eq!(way.origin.node, Some(packet.from));
                assert!(way.origin.time <= packet.wanted);
            }
            hops += packets.len();
        }
        let probe = found.probe.as_ref().expect("an accusation begins with a probe");
        assert_eq!(probe.prober, found.accuser);
        // In nobody's good health does an answer come in time and the probe fail all the same.
        for role in [probe::Role::Ack, probe::Role::Relayed] {
            let answer = probe.piece(role).and_then(|piece| case.packet(piece.packet));
            assert!(
                answer.is_none_or(|packet| packet.arrived.is_none_or(|at| at > probe.failed.time)),
                "{answer:?}"
            );
        }
    }
    assert!(hops > 10, "{hops}");
}

#[test]
fn of_the_packets_that_were_lost_some_would_have_prevented_it_and_the_text_fits() {
    let scenario = scenario(LOSSY);
    let why = explained(&scenario, 1, first(&scenario, 1, |verdict| verdict.false_positive));
    assert!(why.reruns.iter().any(Rerun::prevents), "{:#?}", why.reruns);
    // An answered probe accuses nobody; what is declared then comes of another.
    assert!(why.reruns.iter().any(|rerun| rerun.probe == Probed::Answered), "{:#?}", why.reruns);
    for width in [80, 120] {
        let shown = text(&why, false, width);
        assert!(!shown.contains('\u{1b}'));
        assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        assert!(
            shown.contains("What led to it") && shown.contains(&at((why.time * 1e9).round() as u64)),
            "{shown}"
        );
    }
    assert!(text(&why, true, 100).contains('\u{1b}'));
    let json = serde_json::to_value(&why).expect("an explanation is JSON");
    assert_eq!(json["left_out"], 0);
    let gaps = text(&Explanation { left_out: 7, ..why.clone() }, false, 100);
    assert!(gaps.contains("Not all could be recorded: 7 happenings are missing."), "{gaps}");
    assert!(!text(&why, false, 100).contains("Not all could be recorded"));
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(why.steps.len()));
    let verdict = first(&scenario, 1, |verdict| verdict.false_positive);
    let none = Question { variant: 0, seed: 1, verdict, reruns: 0 };
    let none = explain(&scenario, &none, &mut |_, _| {}).expect("the same verdict");
    assert_eq!((none.reruns.len(), &none.story), (0, &why.story));
    assert!(none.not_tried > 0);
}

#[test]
fn a_part_with_nothing_spared_or_something_that_never_was_is_the_run() {
    use crate::network::{Carried, Key, Spare};
    let scenario = scenario(LOSSY);
    let run = |spared: &[(Key, Spare)]| {
        let what = Part { variant: 0, seed: 2, spared, until: 10_000_000_000 };
        part(&scenario, &what, Filter::default(), &|_| false, &mut |_| {})
    };
    let plain = run(&[]);
    let filter = Filter { until: 10_000_000_000, ..Filter::default() };
    let (_, recorded) = crate::trace::record(&scenario, 0, 2, &filter, &mut |_| {});
    let packets = |recording: &crate::trace::Recording| -> Vec<_> {
        recording.packets.iter().map(|packet| (packet.wanted, packet.key, packet.said.clone())).collect()
    };
    assert_eq!(packets(&plain), packets(&recorded));
    let never = Key { carried: Carried::Datagram, from: 0, to: 0, slot: 0, ordinal: 0 };
    assert_eq!(plain, run(&[(never, Spare::InItsTime)]));
    let lost = plain.packets.iter().find(|p| matches!(p.fate, crate::trace::Fate::Lost { .. })).unwrap();
    let spared = run(&[(lost.key.unwrap(), Spare::InItsTime)]);
    let same = plain.packets.iter().zip(&spared.packets).take_while(|(a, b)| a == b).count();
    let differs = &spared.packets[same];
    assert!(matches!(differs.fate, crate::trace::Fate::Spared(_)) && differs.key == lost.key, "{differs:?}");
}

/// Two nodes in a hundred that cannot use their sockets for a while; the sick ones are full of suspicions when they are let go, and tables are
/// exchanged all the while.
const STORM: &str = r#"
    name = "storm"
    duration = "90s"
    [cluster]
    nodes = 100
    config = { anti_entropy = "full", push_pull_interval = "2s" }
    [network]
    latency = { kind = "uniform", min = "1ms", max = "30ms" }
    [[fault]]
    at = "10s"
    kind = "block-io"
    nodes = { pick = 4 }
    for = "25s"
    every = "30s"
    until = "70s"
"#;

#[test]
fn an_answer_that_was_under_way_would_have_helped_at_once() {
    let scenario = scenario(STORM);
    let mut tried = 0;
    for seed in 1..=6 {
        let wrong = verdicts(&scenario, 0, seed, &mut |_| {})
            .list
            .into_iter()
            .filter(|verdict| verdict.false_positive);
        for verdict in wrong.take(40) {
            let question = Question { variant: 0, seed, verdict, reruns: 12 };
            let quick = Question { reruns: 0, ..question };
            let why = explain(&scenario, &quick, &mut |_, _| {}).expect("the verdict is one of this run");
            if !why.story.iter().any(|paragraph| paragraph.contains("before that did not arrive in time")) {
                continue;
            }
            let why = explain(&scenario, &question, &mut |_, _| {}).expect("the same");
            let at_once = why.reruns.iter().filter(|rerun| rerun.how == How::ArrivesAtOnce);
            tried += at_once.clone().count();
            if at_once.into_iter().any(|rerun| rerun.prevents() && rerun.probe == Probed::Fails) {
                return;
            }
        }
    }
    panic!("{tried} answers under way were tried, and none would have helped");
}
