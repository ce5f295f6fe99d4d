//! Two agents of one name.

use std::time::Duration;

use super::network::{Family, Network};
use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

#[test]
fn an_agent_that_takes_a_name_of_another_stops_and_says_why_and_the_other_stays() {
    let network = Network::new(4, Family::V4);
    let cluster = Cluster::start_on(network, 3, BRISK, |_, _| Vec::new());
    cluster.await_all_alive(Duration::from_secs(30));
    let join = format!("-join={}", cluster.nodes[0].gossip_addr());
    let host = &cluster.network.hosts[3];
    let mut second = Node::launch(&[], host, "n2", cluster.folder.path(), BRISK, &[&join]);
    let status = second.process.wait();
    let log = second.log();
    assert_eq!(status.code(), Some(1), "{log}");
    let why = log.lines().find(|line| line.starts_with("==> The agent cannot go on: "));
    assert!(why.is_some_and(|line| line.contains("another node has this node's name")), "{log}");
    wait_until("somebody has said whose name it is", || {
        let conflict = "Name conflict for 'n2'";
        let (first, second) = (cluster.nodes[1].gossip_addr(), second.gossip_addr());
        cluster
            .nodes
            .iter()
            .flat_map(|node| node.log().lines().map(str::to_owned).collect::<Vec<_>>())
            .any(|line| line.contains(conflict) && line.contains(&first) && line.contains(&second))
    });
    Cluster::await_probes(&cluster.nodes, 6);
    cluster.await_all_alive(Duration::from_secs(30));
    assert_eq!(cluster.failures(), []);
}
