//! The claims of the Lifeguard paper (Dadgar, Phillips, Currey, 2018), by its sections.

use super::stage::{Pinged, Stage};
use super::words::Word;
use super::{JUST, SECOND, lan, ms, state};
use crate::config::{AntiEntropy, Config};
use crate::id::Incarnation;
use crate::io::State;
use crate::spread::transmit_limit;
use crate::suspicion_times;
use alloc::vec::Vec;

/// Lifeguard without streams, which would save members whose datagrams alone are missing.
fn lifeguard() -> Config {
    Config { stream_probe: false, anti_entropy: AntiEntropy::Off, reconnect: false, ..lan() }
}

/// Lets a probe fail while so many of its helpers send nacks; gives when it ended.
fn fail_a_probe(stage: &mut Stage, nacks: usize) -> Pinged {
    let ping = stage.next_ping();
    let length = (u32::from(stage.node.health()) + 1) * SECOND;
    stage.until_just_before(ping.at + length);
    let helpers = stage.helpers_since(ping);
    for (helper, seq) in &helpers[..nacks] {
        stage.hears(*helper, &[Word::Nack(*seq)]);
    }
    stage.wait(JUST);
    assert_eq!(state(&stage.node, ping.target), Some(State::Suspect));
    ping
}

#[test]
fn lifeguard_iv_a_a_failed_probe_costs_one_for_each_nack_that_is_missing() {
    for (nacks, score) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
        let mut stage = Stage::new(20, &lifeguard());
        fail_a_probe(&mut stage, nacks);
        assert_eq!(stage.node.health(), score, "{nacks} nacks of 3");
    }
}

#[test]
fn lifeguard_iv_a_a_failed_probe_costs_one_where_no_nacks_are_owed() {
    for config in [Config { nacks: false, ..lifeguard() }, Config { indirect_checks: 0, ..lifeguard() }] {
        let mut stage = Stage::new(20, &config);
        fail_a_probe(&mut stage, 0);
        assert_eq!(stage.node.health(), 1);
    }
}

#[test]
fn lifeguard_iv_a_a_successful_probe_heals_one_and_having_to_refute_costs_one() {
    let mut stage = Stage::answering(20, &lifeguard());
    for (accused, score) in [(1, 1), (2, 2), (3, 3)] {
        stage.hears(1, &[Word::Suspect { of: 0, incarnation: accused, by: 1 }]);
        assert_eq!(stage.node.health(), score);
    }
    stage.hears(1, &[Word::Suspect { of: 0, incarnation: 1, by: 1 }]);
    assert_eq!(stage.node.health(), 3, "an old accusation needs no refutation");
    for score in [2, 1, 0, 0] {
        stage.next_ping();
        assert_eq!(stage.node.health(), score);
    }
}

#[test]
fn lifeguard_iv_a_the_score_saturates_and_can_be_switched_off() {
    for (config, worst) in [
        (lifeguard(), 7),
        (Config { awareness_max: 3, ..lifeguard() }, 2),
        (Config { awareness: false, ..lifeguard() }, 0),
    ] {
        let mut stage = Stage::new(20, &config);
        for accused in 1..20 {
            stage.hears(1, &[Word::Suspect { of: 0, incarnation: accused, by: 1 }]);
        }
        assert_eq!(stage.node.health(), worst);
    }
}

#[test]
fn lifeguard_iv_a_bad_health_stretches_the_probe_and_if_so_set_its_time_out() {
    for (scales, time_out) in [(false, ms(500)), (true, ms(2000))] {
        let config = Config { awareness_scales_timeout: scales, ..lifeguard() };
        let mut stage = Stage::new(20, &config);
        fail_a_probe(&mut stage, 0);
        assert_eq!(stage.node.health(), 3);
        let ping = *stage.pings().last().unwrap();
        assert_eq!(ping.at, stage.now, "the next probe begins as the failed one ends");
        stage.until_just_before(ping.at + time_out);
        assert!(stage.helpers_since(ping).is_empty(), "asked before {time_out:?}");
        stage.wait(JUST);
        assert_eq!(stage.helpers_since(ping).len(), 3);
        stage.until_just_before(ping.at + 4 * SECOND);
        assert_eq!(state(&stage.node, ping.target), Some(State::Alive), "the probe takes four intervals");
        assert_eq!(stage.pings().last().unwrap().at, ping.at, "and the next one waits for its end");
        stage.wait(JUST);
        assert_eq!(state(&stage.node, ping.target), Some(State::Suspect));
        assert_eq!(stage.pings().last().unwrap().at, ping.at + 4 * SECOND);
    }
}

#[test]
fn lifeguard_iv_a_a_helper_sends_a_nack_at_80_percent_of_the_time_out_and_still_passes_an_ack_on() {
    let mut stage = Stage::new(20, &lifeguard());
    stage.hears(5, &[Word::PingReq { seq: 77, target: 3, nack: true }]);
    let ping = stage.pings()[0];
    stage.until_just_before(ping.at + ms(400));
    assert_eq!(stage.times_said(Word::Nack(77)), 0);
    stage.wait(JUST);
    assert_eq!(stage.times_said(Word::Nack(77)), 1);
    assert_eq!(stage.said.last().unwrap().to, 5);
    stage.wait(ms(50));
    stage.hears(3, &[Word::Ack(ping.seq)]);
    assert_eq!((stage.times_said(Word::Ack(77)), stage.times_said(Word::Nack(77))), (1, 1));
}

#[test]
fn lifeguard_iv_a_a_helper_sends_no_nack_where_none_is_wanted_or_an_ack_came() {
    for (wanted, answered) in [(false, false), (true, true)] {
        let mut stage = Stage::new(20, &lifeguard());
        stage.hears(5, &[Word::PingReq { seq: 77, target: 3, nack: wanted }]);
        let ping = stage.pings()[0];
        if answered {
            stage.hears(3, &[Word::Ack(ping.seq)]);
        }
        stage.wait(2 * SECOND);
        assert_eq!(stage.times_said(Word::Nack(77)), 0, "wanted: {wanted}, answered: {answered}");
    }
}

#[test]
fn lifeguard_iv_a_an_ack_after_nacks_still_counts_as_success() {
    let mut stage = Stage::new(20, &lifeguard());
    stage.hears(1, &[Word::Suspect { of: 0, incarnation: 1, by: 1 }]);
    assert_eq!(stage.node.health(), 1);
    let ping = stage.next_ping();
    stage.until(ping.at + ms(900));
    for (helper, seq) in stage.helpers_since(ping) {
        stage.hears(helper, &[Word::Nack(seq)]);
    }
    stage.hears(ping.target, &[Word::Ack(ping.seq)]);
    assert_eq!(stage.node.health(), 0);
    stage.until(ping.at + SECOND);
    assert_eq!(state(&stage.node, ping.target), Some(State::Alive));
}

/// K = 3, min = 10 s, max = 60 s at n = 100.
fn k3() -> Config {
    Config { suspicion_mult: 5, ..lifeguard() }
}

#[test]
fn lifeguard_iv_b_a_suspicion_shortens_with_the_logarithm_of_independent_confirmations() {
    let times = suspicion_times(&k3(), 100);
    assert_eq!((times.min, times.max, times.confirmations), (10 * SECOND, 60 * SECOND, 3));
    for (confirmations, seconds) in [(0, 60.0), (1, 35.0), (2, 20.376), (3, 10.0), (4, 10.0)] {
        let mut stage = Stage::answering(100, &k3());
        let began = stage.now;
        stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by: 1 }]);
        stage.wait(SECOND);
        for by in 2..2 + confirmations {
            stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by }]);
        }
        stage.wait(70 * SECOND);
        let [(at, failed)] = &stage.events[..] else { panic!("{:?}", stage.events) };
        assert_eq!(failed, "failed n50");
        let took = at.since(began).as_secs_f64();
        assert!((took - seconds).abs() < 0.002, "{confirmations} confirmations: {took} s, not {seconds}");
    }
}

#[test]
fn lifeguard_iv_b_one_accuser_is_one_voice_however_often_it_speaks() {
    let mut stage = Stage::answering(100, &k3());
    stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by: 1 }]);
    for _ in 0..5 {
        stage.wait(SECOND);
        stage.hears(2, &[Word::Suspect { of: 50, incarnation: 1, by: 1 }]);
    }
    stage.until_just_before(stage.now + 55 * SECOND);
    assert_eq!(state(&stage.node, 50), Some(State::Suspect));
    let mut stage = Stage::answering(100, &k3());
    for by in [1, 2, 2, 2] {
        stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by }]);
    }
    stage.wait(34 * SECOND);
    assert_eq!(state(&stage.node, 50), Some(State::Suspect), "one confirmation, three times");
}

#[test]
fn lifeguard_iv_b_confirmations_that_come_late_end_the_suspicion_at_once() {
    let mut stage = Stage::answering(100, &k3());
    stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by: 1 }]);
    stage.wait(30 * SECOND);
    for by in [2, 3, 4] {
        assert_eq!(state(&stage.node, 50), Some(State::Suspect));
        stage.hears(1, &[Word::Suspect { of: 50, incarnation: 1, by }]);
    }
    stage.wait(JUST);
    assert_eq!(state(&stage.node, 50), Some(State::Dead));
}

#[test]
fn lifeguard_iv_b_the_first_k_confirmations_are_passed_on_and_no_more() {
    let mut stage = Stage::answering(100, &k3());
    let limit = transmit_limit(4, crate::config::LogBase::Ten, 100) as usize;
    let voice = |by| Word::Suspect { of: 50, incarnation: 1, by };
    for by in [1, 2, 3, 4, 5, 6] {
        stage.hears(by, &[voice(by)]);
        // Long enough to send it as often as the limit allows: three in 200 ms.
        stage.wait(ms(1200));
        let passed_on = stage.times_said(voice(by));
        assert_eq!(passed_on, if by <= 4 { limit } else { 0 }, "accuser {by}");
    }
}

#[test]
fn lifeguard_iv_b_a_group_too_small_to_confirm_waits_the_shortest_time() {
    let mut stage = Stage::answering(4, &k3());
    let began = stage.now;
    stage.hears(1, &[Word::Suspect { of: 3, incarnation: 1, by: 1 }]);
    stage.wait(10 * SECOND);
    assert_eq!(stage.events, [(began + 5 * SECOND, "failed n3".into())]);
}

#[test]
fn lifeguard_iv_b_an_own_failed_probe_is_an_independent_confirmation() {
    let mut stage = Stage::answering(30, &k3());
    stage.silent = Vec::from([20]);
    let began = stage.now;
    stage.hears(1, &[Word::Suspect { of: 20, incarnation: 1, by: 1 }]);
    stage.next_ping_to(20);
    let failed = stage.now + SECOND;
    stage.wait(60 * SECOND);
    let confirmed = (began + suspicion_times(&k3(), 30).after(1)).max(failed);
    assert_eq!(stage.events, [(confirmed, "failed n20".into())]);
}

#[test]
fn lifeguard_iv_c_a_ping_to_a_suspect_carries_the_accusation() {
    for buddy in [true, false] {
        let config = Config { buddy, suspicion_mult: 50, ..lifeguard() };
        let mut stage = Stage::answering(20, &config);
        stage.hears(1, &[Word::Suspect { of: 5, incarnation: 1, by: 1 }]);
        // By then the accusation has been gossiped as often as it may.
        stage.wait(5 * SECOND);
        assert_eq!(stage.node.queue_depth(), 0);
        let first = stage.said.len();
        stage.next_ping_to(5);
        let said = stage.said[first..].iter().find(|said| said.to == 5).unwrap();
        let accusation = Word::Suspect { of: 5, incarnation: 1, by: 0 };
        assert_eq!(said.words.contains(&accusation), buddy);
        let others = stage.said[first..].iter().filter(|said| said.to != 5);
        assert!(others.clone().count() > 0 && others.clone().all(|said| !said.words.contains(&accusation)));
    }
}

#[test]
fn lifeguard_iv_c_so_that_the_accused_refutes_at_once() {
    let mut stage = Stage::new(20, &Config { gossip_nodes: 0, ..lifeguard() });
    stage.hears(5, &[Word::Suspect { of: 0, incarnation: 1, by: 5 }, Word::Ping { seq: 9, target: 0 }]);
    assert_eq!(stage.node.incarnation(), Incarnation(2));
    assert_eq!((stage.said.len(), stage.said[0].to), (1, 5));
    assert_eq!(stage.said[0].words, [Word::Ack(9), Word::Alive { of: 0, incarnation: 2 }]);
}

#[test]
fn lifeguard_iv_a_nacks_come_before_the_probe_ends_in_every_preset() {
    for config in [Config::lan(), Config::wan(), Config::local()] {
        // One node asks, another helps; both run the same preset, and packets take no time.
        let mut helper = Stage::new(20, &config);
        helper.hears(5, &[Word::PingReq { seq: 77, target: 3, nack: true }]);
        helper.wait(config.probe_interval - config.probe_timeout - JUST);
        assert_eq!(helper.times_said(Word::Nack(77)), 1, "{:?}", config.probe_timeout);
    }
}

#[test]
fn lifeguard_iv_a_a_helper_that_nacks_twice_does_not_cover_for_a_silent_one() {
    let mut stage = Stage::new(20, &lifeguard());
    let ping = stage.next_ping();
    stage.until(ping.at + ms(900));
    let (helper, seq) = stage.helpers_since(ping)[0];
    for _ in 0..3 {
        stage.hears(helper, &[Word::Nack(seq)]);
    }
    stage.until(ping.at + SECOND);
    assert_eq!(stage.node.health(), 2);
}
