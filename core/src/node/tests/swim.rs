//! The claims of the SWIM paper (Das, Gupta, Motivala, DSN 2002), by its sections.

use super::cluster::Cluster;
use super::stage::Stage;
use super::words::Word;
use super::{JUST, SECOND, lan, ms, name, state};
use crate::config::{AntiEntropy, Config, LogBase};
use crate::id::Incarnation;
use crate::io::{Command, State};
use crate::spread::transmit_limit;
use crate::suspicion_times;
use crate::tags::Tags;
use crate::time::Instant;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::BTreeSet;

/// The paper's protocol: no streams, no gossip beside the probes, natural logarithms, lambda = 3.
fn swim() -> Config {
    Config {
        stream_probe: false,
        nacks: false,
        awareness: false,
        buddy: false,
        suspicion_mult: 3,
        suspicion_max_mult: 1,
        suspicion_log_base: LogBase::E,
        retransmit_mult: 3,
        retransmit_log_base: LogBase::E,
        gossip_nodes: 0,
        anti_entropy: AntiEntropy::Off,
        reconnect: false,
        ..lan()
    }
}

#[test]
fn swim_3_1_each_period_pings_one_member_and_its_ack_ends_the_probe() {
    let mut stage = Stage::answering(8, &swim());
    stage.wait(20 * SECOND);
    let pings = stage.pings();
    assert_eq!(pings.len(), 20);
    assert!(pings.windows(2).all(|pair| pair[1].at == pair[0].at + SECOND));
    assert_eq!(stage.said.len(), 20, "nobody else is asked");
}

#[test]
fn swim_3_1_without_an_ack_k_random_other_members_are_asked_to_ping() {
    for k in [1, 3, 5] {
        let mut ever = BTreeSet::new();
        for seed in 0..20 {
            let config = Config { indirect_checks: k, ..swim() };
            let mut stage = Stage::seeded(seed, 12, &config);
            let ping = stage.next_ping();
            stage.until_just_before(ping.at + config.probe_timeout);
            assert_eq!(stage.helpers_since(ping), [], "too early");
            stage.wait(JUST);
            let helpers = stage.helpers_since(ping);
            let distinct: BTreeSet<usize> = helpers.iter().map(|(helper, _)| *helper).collect();
            assert_eq!((helpers.len(), distinct.len()), (k.into(), k.into()));
            assert!(!distinct.contains(&ping.target) && !distinct.contains(&0));
            assert!(helpers.iter().all(|(_, seq)| *seq == ping.seq), "an ack must find the probe it answers");
            ever.extend(distinct);
        }
        assert!(ever.len() > usize::from(k) + 2, "the same helpers every time: {ever:?}");
    }
}

#[test]
fn swim_3_1_a_member_is_accused_only_after_direct_and_indirect_pings_have_both_failed() {
    let mut stage = Stage::new(8, &swim());
    let ping = stage.next_ping();
    stage.until_just_before(ping.at + SECOND);
    assert_eq!(state(&stage.node, ping.target), Some(State::Alive), "helpers may still answer");
    stage.wait(JUST);
    assert_eq!(state(&stage.node, ping.target), Some(State::Suspect));
    for late in [ms(400), ms(600), ms(999)] {
        let mut stage = Stage::new(8, &swim());
        let ping = stage.next_ping();
        stage.until(ping.at + late);
        // Whoever brings it: the member itself, or a helper.
        stage.hears(7, &[Word::Ack(ping.seq)]);
        stage.until(ping.at + SECOND);
        assert_eq!(state(&stage.node, ping.target), Some(State::Alive), "an ack after {late:?}");
    }
}

#[test]
fn swim_3_1_an_ack_with_another_number_answers_no_probe() {
    let mut stage = Stage::new(8, &swim());
    let ping = stage.next_ping();
    stage.hears(ping.target, &[Word::Ack(ping.seq + 1), Word::Ack(ping.seq.wrapping_sub(1))]);
    stage.until(ping.at + SECOND);
    assert_eq!(state(&stage.node, ping.target), Some(State::Suspect));
}

#[test]
fn swim_3_1_a_helper_pings_and_passes_the_ack_on_under_the_askers_number() {
    let mut stage = Stage::new(8, &swim());
    stage.hears(5, &[Word::PingReq { seq: 77, target: 3, nack: false }]);
    let ping = stage.pings()[0];
    assert_eq!(ping.target, 3);
    stage.hears(3, &[Word::Ack(ping.seq)]);
    let last = stage.said.last().unwrap();
    assert_eq!((last.to, &last.words[..]), (5, &[Word::Ack(77)][..]));
    stage.hears(3, &[Word::Ack(ping.seq)]);
    assert_eq!(stage.times_said(Word::Ack(77)), 1, "a repeated ack is not passed on");
}

#[test]
fn swim_3_1_a_ping_that_means_another_member_is_not_answered() {
    let mut stage = Stage::new(8, &swim());
    stage.hears(1, &[Word::Ping { seq: 5, target: 4 }]);
    assert!(stage.said.is_empty());
    stage.hears(1, &[Word::Ping { seq: 6, target: 0 }]);
    assert_eq!((stage.said[0].to, &stage.said[0].words[..]), (1, &[Word::Ack(6)][..]));
}

#[test]
fn swim_3_1_an_idle_member_sends_two_messages_and_receives_two_in_a_period_whatever_the_size() {
    for n in [5, 20, 55] {
        let mut net = Cluster::converged(n, &swim());
        net.listening = true;
        net.run(20 * SECOND);
        assert_eq!(net.log.len(), n * 20 * 2, "n = {n}");
        for i in 0..n {
            let pings = |sent: &&super::cluster::Sent| matches!(sent.words[..], [Word::Ping { .. }]);
            assert_eq!(net.log.iter().filter(|sent| sent.from == i).filter(pings).count(), 20, "n = {n}");
            let pinged = net.log.iter().filter(|sent| sent.to == i).filter(pings).count();
            // About Poisson(20): five standard deviations.
            assert!(pinged.abs_diff(20) <= 22, "n{i} of {n} was pinged {pinged} times in 20 periods");
        }
    }
}

/// Time from a crash to the first suspicion anywhere.
fn first_suspicion(run: u64, n: usize) -> Duration {
    let mut net = Cluster::seeded(run, n, &swim());
    net.run(3 * SECOND + ms(37 * run));
    net.kill(0);
    let crash = net.now;
    while !net.live().any(|(_, node)| state(node, 0) == Some(State::Suspect)) {
        net.run(ms(20));
        assert!(net.now < crash + 60 * SECOND, "nobody suspects it");
    }
    net.now.since(crash)
}

#[test]
fn swim_3_1_the_time_to_first_detection_does_not_grow_with_the_group() {
    const RUNS: u64 = 60;
    let mean = |n| {
        let sum: Duration = (0..RUNS).map(|run| first_suspicion(run, n)).sum();
        sum.as_secs_f64() / RUNS as f64
    };
    for n in [8, 32, 128] {
        // The first ping comes after 1 period on average (n - 1 independent probers), its failure one period later;
        // the standard deviation of the mean is 1/sqrt(60).
        let seconds = mean(n);
        assert!((seconds - 2.0).abs() < 0.5, "n = {n}: {seconds}");
    }
}

#[test]
fn swim_3_1_probes_fail_as_often_as_loss_alone_explains() {
    // (1 - q^2) * (1 - q^4)^k, for q = 0.9: a lost ping or ack, and no helper whose four packets all get through.
    for (k, expected, tolerance) in [(1, 0.0653, 0.15), (3, 0.00773, 0.45)] {
        let config = Config { indirect_checks: k, suspicion_mult: 100, suspicion_max_mult: 100, ..swim() };
        let mut net = Cluster::converged(20, &config);
        net.loss = 100;
        net.run(300 * SECOND);
        let (mut failed, mut probes) = (0, 0);
        for (_, node) in net.live() {
            failed += node.counters().probes_failed;
            probes += node.counters().probes;
        }
        let rate = failed as f64 / probes as f64;
        assert!((rate / expected - 1.0f64).abs() < tolerance, "k = {k}: {failed} of {probes}");
    }
}

#[test]
fn swim_4_1_news_reaches_everybody_riding_on_pings_and_acks_alone() {
    for n in [8, 30, 64] {
        let mut net = Cluster::converged(n, &swim());
        net.run(5 * SECOND);
        net.listening = true;
        net.command(0, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
        // lambda * ceil(ln(n + 1)) periods, as the paper bounds an infection.
        net.run(transmit_limit(3, LogBase::E, n as u32) * SECOND);
        for (i, node) in net.live() {
            assert_eq!(node.member("n0").unwrap().incarnation, Incarnation(2), "node {i} of {n}");
        }
        let rides = |sent: &super::cluster::Sent| {
            matches!(sent.words[0], Word::Ping { .. } | Word::PingReq { .. } | Word::Ack(_))
        };
        assert!(net.log.iter().all(rides), "no packet is sent for the news");
    }
}

#[test]
fn swim_4_1_each_member_passes_an_update_on_at_most_lambda_log_n_times() {
    for (n, config) in [(30, swim()), (30, lan()), (99, lan())] {
        let mut net = Cluster::converged(n, &config);
        net.listening = true;
        net.command(0, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
        net.run(60 * SECOND);
        let limit = transmit_limit(config.retransmit_mult, config.retransmit_log_base, n as u32) as usize;
        let update = Word::Alive { of: 0, incarnation: 2 };
        for (i, node) in net.live() {
            let told = net.log.iter().filter(|sent| sent.from == i && sent.words.contains(&update)).count();
            assert_eq!(told, limit, "node {i} of {n}");
            assert_eq!(node.queue_depth(), 0);
        }
    }
}

#[test]
fn swim_4_1_of_two_updates_the_one_sent_less_goes_first() {
    let mut stage = Stage::answering(20, &Config { packet_updates_max: 1, ..swim() });
    let [one, two] = [1, 2].map(|of| Word::Alive { of, incarnation: 2 });
    let said = |stage: &mut Stage| {
        stage.next_ping();
        stage.said.last().unwrap().words[1..].to_vec()
    };
    stage.hears(1, &[one]);
    assert_eq!(said(&mut stage), [one]);
    assert_eq!(said(&mut stage), [one]);
    stage.hears(2, &[two]);
    assert_eq!(said(&mut stage), [two]);
    assert_eq!(said(&mut stage), [two]);
}

#[test]
fn swim_4_2_a_failed_probe_makes_a_suspect_and_only_its_time_out_a_death() {
    let config = swim();
    let mut stage = Stage::answering(12, &config);
    stage.silent = Vec::from([4]);
    stage.next_ping_to(4);
    stage.wait(SECOND);
    let suspected = stage.now;
    assert_eq!(state(&stage.node, 4), Some(State::Suspect));
    assert_eq!(stage.events, [], "a suspicion is nothing for the application");
    let wait = suspicion_times(&config, 12).min;
    stage.until_just_before(suspected + wait);
    assert_eq!(state(&stage.node, 4), Some(State::Suspect));
    stage.wait(JUST);
    assert_eq!(state(&stage.node, 4), Some(State::Dead));
    assert_eq!(stage.events, [(suspected + wait, "failed n4".into())]);
    stage.wait(3 * SECOND);
    assert!(stage.times_said(Word::Suspect { of: 4, incarnation: 1, by: 0 }) > 0);
    assert!(stage.times_said(Word::Dead { of: 4, incarnation: 1, by: 0 }) > 0);
}

#[test]
fn swim_4_2_a_suspect_counts_as_a_member_and_is_still_probed() {
    let mut stage = Stage::answering(10, &Config { suspicion_mult: 50, ..swim() });
    stage.hears(1, &[Word::Suspect { of: 5, incarnation: 1, by: 1 }]);
    assert_eq!(stage.node.others_up(), 9);
    stage.wait(19 * SECOND);
    assert!(stage.pings().iter().any(|ping| ping.target == 5));
    assert_eq!(
        state(&stage.node, 5),
        Some(State::Suspect),
        "an ack refutes nothing: others may not hear the member"
    );
}

#[test]
fn swim_4_2_alive_suspect_and_confirm_override_each_other_by_incarnation() {
    // What is known of n3 at incarnation 5, what is heard of it at 4, 5 and 6, and what it is then.
    let dead = |at| Word::Dead { of: 3, incarnation: at, by: 2 };
    let suspect = |at| Word::Suspect { of: 3, incarnation: at, by: 1 };
    let alive = |at| Word::Alive { of: 3, incarnation: at };
    let says: [fn(u32) -> Word; 3] = [alive, suspect, dead];
    use State::{Alive as A, Dead as D, Suspect as S};
    let table = [
        (A, [[(A, 5), (A, 5), (A, 6)], [(A, 5), (S, 5), (S, 6)], [(A, 5), (D, 5), (D, 6)]]),
        (S, [[(S, 5), (S, 5), (A, 6)], [(S, 5), (S, 5), (S, 6)], [(S, 5), (D, 5), (D, 6)]]),
        (D, [[(D, 5), (D, 5), (A, 6)], [(D, 5), (D, 5), (D, 5)], [(D, 5), (D, 5), (D, 6)]]),
    ];
    for (before, by_claim) in table {
        for (say, by_incarnation) in says.into_iter().zip(by_claim) {
            for (heard, (after, incarnation)) in [4, 5, 6].into_iter().zip(by_incarnation) {
                let mut stage = Stage::new(8, &swim());
                stage.hears(3, &[alive(5)]);
                match before {
                    S => stage.hears(1, &[suspect(5)]),
                    D => stage.hears(1, &[dead(5)]),
                    _ => {}
                }
                assert_eq!(state(&stage.node, 3), Some(before));
                stage.hears(1, &[say(heard)]);
                let view = stage.node.member("n3").unwrap();
                let told = (view.state, view.incarnation);
                assert_eq!(told, (after, Incarnation(incarnation)), "{before:?} at 5 hears {:?}", say(heard));
            }
        }
    }
}

#[test]
fn swim_4_2_the_accused_refutes_with_a_higher_incarnation_and_only_what_is_not_old() {
    // Accused at (own incarnation 1): announced.
    for (accused, announced) in [(0, None), (1, Some(2)), (2, Some(3)), (40, Some(41)), (u32::MAX, None)] {
        for accusation in [
            Word::Suspect { of: 0, incarnation: accused, by: 1 },
            Word::Dead { of: 0, incarnation: accused, by: 1 },
        ] {
            let mut stage = Stage::answering(8, &swim());
            stage.hears(1, &[accusation]);
            stage.next_ping();
            let own = announced.unwrap_or(1);
            assert_eq!(stage.node.incarnation(), Incarnation(own), "{accusation:?}");
            assert_eq!(state(&stage.node, 0), Some(State::Alive));
            let refutation = Word::Alive { of: 0, incarnation: own };
            assert_eq!(stage.times_said(refutation), usize::from(announced.is_some()), "{accusation:?}");
        }
    }
}

#[test]
fn swim_4_2_nobody_but_the_member_raises_its_incarnation() {
    let mut net = Cluster::converged(10, &swim());
    net.listening = true;
    net.kill(3);
    net.run(60 * SECOND);
    for (i, node) in net.live() {
        let view = node.member("n3").unwrap();
        assert_eq!((view.status, view.incarnation), (crate::io::Status::Failed, Incarnation(1)), "node {i}");
    }
    let raised = |word: &Word| match *word {
        Word::Alive { of: 3, .. } => true,
        Word::Suspect { of: 3, incarnation, .. } | Word::Dead { of: 3, incarnation, .. } => incarnation != 1,
        _ => false,
    };
    assert!(!net.log.iter().any(|sent| sent.words.iter().any(raised)));
    let accused = |word: &Word| matches!(word, Word::Dead { of: 3, .. });
    assert!(net.log.iter().any(|sent| sent.words.iter().any(accused)));
}

#[test]
fn swim_4_2_suspicion_saves_members_that_loss_would_have_declared_dead() {
    let failures = |suspicion| {
        let mut net = Cluster::converged(20, &Config { suspicion, indirect_checks: 1, ..swim() });
        net.loss = 100;
        net.run(120 * SECOND);
        net.events.iter().flatten().filter(|event| event.starts_with("failed")).count()
    };
    let (with, without) = (failures(true), failures(false));
    assert!(without > 50 && with * 10 < without, "{with} with suspicion, {without} without");
}

#[test]
fn swim_4_3_every_member_is_probed_again_within_2n_minus_1_periods() {
    for n in [2, 3, 10, 33] {
        let mut stage = Stage::answering(n, &swim());
        stage.wait(40 * n as u32 * SECOND);
        let pings = stage.pings();
        for member in 1..n {
            let mut last = Instant::ORIGIN;
            let mut times = 0u32;
            for ping in pings.iter().filter(|ping| ping.target == member) {
                // Counted from the first period, which begins within a second of birth.
                assert!(ping.at - last <= (2 * n as u32 - 1) * SECOND, "n{member} of {n}");
                (last, times) = (ping.at, times + 1);
            }
            let mean = 40.0 * n as f64 / (n - 1) as f64;
            assert!((f64::from(times) - mean).abs() < 3.0, "n{member} of {n}: {times} times");
        }
    }
}

#[test]
fn swim_4_3_the_order_of_probes_is_new_in_each_round() {
    let mut stage = Stage::answering(11, &swim());
    stage.wait(60 * SECOND);
    let order: Vec<usize> = stage.pings().iter().map(|ping| ping.target).collect();
    let rounds: BTreeSet<&[usize]> = order.chunks_exact(10).collect();
    assert!(rounds.len() >= 5, "{rounds:?}");
}

#[test]
fn swim_4_3_a_newcomer_takes_a_random_place_in_the_round() {
    const N: u32 = 20;
    let waits: Vec<u32> = (0..60)
        .map(|seed| {
            let mut stage = Stage::seeded(seed, N as usize, &swim());
            stage.answers = true;
            stage.wait(5 * SECOND);
            let before = stage.pings().len();
            stage.hears(1, &[Word::Alive { of: N as usize, incarnation: 1 }]);
            stage.wait(2 * N * SECOND);
            let newcomer = stage.pings()[before..].iter().position(|ping| ping.target == N as usize);
            newcomer.unwrap_or_else(|| panic!("{} was not probed in two rounds", name(N as usize))) as u32
        })
        .collect();
    let early = waits.iter().filter(|wait| **wait < N / 2).count();
    assert!((10..=50).contains(&early), "neither first nor last: {waits:?}");
    assert!(waits.iter().collect::<BTreeSet<_>>().len() > 10, "{waits:?}");
}
