//! Partitions and how they heal.

use super::cluster::Cluster;
use super::{SECOND, lan};
use crate::config::Config;
use crate::io::State;

#[test]
fn a_healed_partition_closes_by_reconnecting() {
    let mut net = Cluster::converged(6, &lan());
    for a in 0..3 {
        for b in 3..6 {
            net.cut(a, b);
        }
    }
    net.run(120 * SECOND);
    assert_eq!(net.node(0).others_up(), 2);
    assert_eq!(net.state(0, 4), Some(State::Forgotten));
    net.mend();
    net.run(240 * SECOND);
    for i in 0..6 {
        assert_eq!(net.node(i).others_up(), 5, "node {i}");
    }
}

#[test]
fn without_reconnect_the_halves_stay_apart() {
    let mut net = Cluster::converged(4, &Config { reconnect: false, ..lan() });
    for (a, b) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
        net.cut(a, b);
    }
    net.run(120 * SECOND);
    net.mend();
    net.run(240 * SECOND);
    assert_eq!(net.node(0).others_up(), 1);
}

#[test]
fn failed_members_that_stay_silent_are_dialled_one_after_the_other() {
    let config = Config { reconnect_interval: SECOND, stream_timeout: 10 * SECOND, streams_max: 4, ..lan() };
    let mut net = Cluster::converged(5, &config);
    (1..5).for_each(|i| net.kill(i));
    net.run(60 * SECOND);
    assert_eq!(net.node(0).members.n_failed(), 4);
    net.tracing = true;
    for _ in 0..60 {
        net.run(SECOND);
        assert!(net.node(0).streams.len() <= 1);
    }
    let dials = net.trace.iter().filter(|line| line.contains("Open {")).count();
    assert!((5..=7).contains(&dials), "{dials} dials in a minute");
    assert_eq!(net.node(0).counters().streams_shed, 0);
}
