//! A network that loses packets.

use std::time::Duration;

use rustix::process::Signal;

use super::network::{Family, Network};
use super::node::{BRISK, Cluster};
use crate::harness::wait_until;

const SIZE: u16 = 6;

/// Of everything that reaches a host, datagrams and segments, one in five is lost, from before the start to the end.
#[test]
fn a_cluster_that_loses_a_fifth_forms_fails_nobody_for_good_tells_everybody_and_finds_a_killed_one() {
    let network = Network::new(SIZE, Family::V4);
    for host in &network.hosts {
        host.filter("INPUT", "-i eth0 -m statistic --mode random --probability 0.2 -j DROP");
    }
    let mut cluster = Cluster::start_on(network, SIZE.into(), BRISK, |_, _| Vec::new());
    cluster.await_all_alive(Duration::from_secs(60));
    Cluster::await_probes(&cluster.nodes, 20);
    for round in 0..5 {
        let text = format!("event {round}");
        assert!(cluster.nodes[round].tell(&text));
        Cluster::await_told(&cluster.nodes, &text);
    }
    cluster.await_all_alive(Duration::from_secs(30));
    println!("failed for a while: {:?}", cluster.failures());
    for node in &cluster.nodes {
        assert!(node.host.dropped() > 20, "the fault acts");
        assert_eq!(node.told().len(), 5, "{} was told nothing twice", node.name);
    }

    let killed = cluster.nodes.last_mut().expect("there are some");
    killed.end(Signal::KILL);
    let (killed, living) = cluster.nodes.split_last().expect("there are some");
    for node in living {
        wait_until("the killed one is found, and nobody else", || {
            let members = node.members();
            members.len() == usize::from(SIZE)
                && members.iter().all(|(name, status)| (*name == killed.name) == (status == "failed"))
        });
    }
}
