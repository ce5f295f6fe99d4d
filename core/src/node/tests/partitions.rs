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
