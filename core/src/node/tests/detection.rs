//! What becomes of members that do not answer.

use super::cluster::Cluster;
use super::{SECOND, lan};
use crate::config::Config;
use crate::id::Incarnation;
use crate::io::{State, Status};
use crate::time::Instant;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[test]
fn a_dead_member_is_suspected_then_failed_everywhere_then_forgotten_then_reaped() {
    let config = Config { reconnect_timeout: 60 * SECOND, ..lan() };
    let mut net = Cluster::converged(8, &config);
    net.kill(3);
    net.run(3 * SECOND);
    assert_eq!(net.state(0, 3), Some(State::Suspect));
    net.run(27 * SECOND);
    for i in [0, 1, 2, 4, 5, 6, 7] {
        assert_eq!(net.events[i], ["failed n3"], "node {i}");
    }
    assert_eq!(net.node(0).estimated_size(), 8, "recently dead members count in n");
    net.run(35 * SECOND);
    assert_eq!(net.state(0, 3), Some(State::Forgotten));
    assert_eq!(net.node(0).estimated_size(), 7);
    assert_eq!(net.node(0).member("n3").unwrap().status, Status::Failed);
    net.run(60 * SECOND);
    assert_eq!(net.events[0], ["failed n3", "reap n3"]);
    assert!(net.node(0).member("n3").is_none());
}

/// Each node notes who told it of the death, and knows since when.
#[test]
fn a_death_is_noted_with_who_declared_it() {
    let config = Config { notes: true, ..lan() };
    let mut net = Cluster::converged(8, &config);
    net.tracing = true;
    net.kill(3);
    net.run(30 * SECOND);
    let told: Vec<&String> = net.trace.iter().filter(|line| line.contains("Note(DeclaredDead")).collect();
    assert_eq!(told.len(), 7, "{told:#?}");
    assert!(told.iter().all(|line| line.contains("n3") && line.contains("incarnation")), "{told:#?}");
    let own = |line: &&&String| {
        let node = line.split(' ').next().unwrap();
        line.contains(&format!("accuser: \"n{node}\", via: Own"))
    };
    let others = |line: &&&String| line.contains("accuser: \"n") && line.contains("via: Gossip");
    let (own, others) = (told.iter().filter(own).count(), told.iter().filter(others).count());
    assert!(own > 0 && own + others == 7, "{told:#?}");
    let since = net.node(0).member_since("n3").unwrap();
    assert!(Instant::ORIGIN + SECOND < since && since < net.now, "{since:?}");
    assert_eq!(net.node(0).member_since("n1"), Some(Instant::ORIGIN));
    assert_eq!(net.node(0).member_since("n9"), None);
}

#[test]
fn without_suspicion_a_failed_probe_declares_at_once() {
    let mut net = Cluster::converged(8, &Config { suspicion: false, ..lan() });
    net.kill(3);
    net.run(4 * SECOND);
    assert_eq!(net.events[0], ["failed n3"]);
}

#[test]
fn helpers_save_a_member_that_one_prober_cannot_reach() {
    let mut net = Cluster::converged(6, &Config { stream_probe: false, ..lan() });
    net.cut(0, 1);
    net.run(60 * SECOND);
    assert!(net.events.iter().all(Vec::is_empty), "{:?}", net.events);
    assert!(net.node(0).counters().probes_failed == 0);
    let relays: u64 = (2..6).map(|i| net.node(i).counters().relays).sum();
    assert!(relays > 0);
}

#[test]
fn the_stream_saves_a_member_whose_datagrams_are_lost() {
    let mut net = Cluster::converged(2, &lan());
    net.cut(0, 1);
    net.cut_streams.clear();
    net.run(60 * SECOND);
    assert!(net.events.iter().all(Vec::is_empty), "{:?}", net.events);
    assert!(net.node(0).counters().probes_saved_by_stream > 30);
}

#[test]
fn with_streams_cut_too_it_is_suspected_and_fails() {
    let mut net = Cluster::converged(2, &Config { reconnect: false, ..lan() });
    net.cut(0, 1);
    net.run(60 * SECOND);
    assert_eq!(net.events, [["failed n1"], ["failed n0"]]);
}

#[test]
fn an_accusation_is_refuted_with_a_higher_incarnation() {
    let mut net = Cluster::converged(6, &Config { suspicion_mult: 10, ..lan() });
    // n1 hears nobody but is heard by nobody either for a while: long enough to be suspected, not to fail.
    for i in [0, 2, 3, 4, 5] {
        net.cut(1, i);
    }
    net.run(4 * SECOND);
    assert_eq!(net.state(0, 1), Some(State::Suspect));
    net.mend();
    net.run(10 * SECOND);
    for i in 0..6 {
        let view = net.node(i).member("n1").unwrap();
        assert_eq!((view.state, view.incarnation), (State::Alive, net.node(1).incarnation()), "node {i}");
    }
    assert!(net.node(1).incarnation() > Incarnation(1));
    assert!(net.node(1).counters().refutations > 0);
    assert!(net.events[0].is_empty());
}

#[test]
fn a_lonely_prober_blames_itself_when_helpers_are_silent() {
    let mut net = Cluster::converged(6, &lan());
    for i in 0..5 {
        net.cut(5, i);
    }
    net.run(4 * SECOND);
    assert!(net.node(5).health() > 0);
    assert_eq!(net.node(0).health(), 0, "helpers' nacks clear the others of blame");
    net.mend();
    net.run(30 * SECOND);
    assert_eq!(net.node(5).health(), 0, "successful probes heal");
}
