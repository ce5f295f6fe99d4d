//! Links that are cut in part: one protocol, one pair of members, one direction.

use std::time::Duration;

use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

/// Probes of each member while a cut lasts.
const PROBES: u64 = 24;

fn nobody_fails_while(core: &str, probes: u64, cut: impl Fn(&Cluster)) -> Cluster {
    let cluster = Cluster::start(4, core, &[]);
    cut(&cluster);
    Cluster::await_probes(&cluster.nodes, probes);
    assert!(cluster.network.hosts.iter().any(|host| host.dropped() > 0), "the fault acts");
    cluster.await_all_alive(Duration::from_secs(5));
    assert_eq!(cluster.failures(), []);
    cluster
}

#[test]
fn a_member_that_gets_no_datagrams_is_kept_alive_by_streams() {
    // Each probe of it has to wait for a stream, and of what it is accused whole tables alone tell it: there must be time for both.
    let core = "probe_interval = '1500ms'\nprobe_timeout = '250ms'\ngossip_interval = '100ms'\npush_pull_interval = '1s'\nanti_entropy = 'full'\n";
    let cluster = nobody_fails_while(core, 12, |cluster| {
        let host = &cluster.network.hosts[3];
        host.filter("INPUT", "-i eth0 -p udp -j DROP");
        host.filter("OUTPUT", "-o eth0 -p udp -j DROP");
    });
    assert!(cluster.nodes[3].saved_by_stream() > 0);
    // What nobody can gossip to it comes as soon as it is asked for.
    assert!(cluster.nodes[0].tell("meanwhile"));
    Cluster::await_told(&cluster.nodes[..3], "meanwhile");
    assert_eq!(cluster.nodes[3].told(), Vec::<String>::new());
    cluster.network.hosts[3].heal();
    Cluster::await_told(&cluster.nodes, "meanwhile");
}

#[test]
fn two_members_that_do_not_reach_each_other_are_kept_alive_by_the_others() {
    let cluster = nobody_fails_while(BRISK, PROBES, |cluster| {
        cluster.network.hosts[0].cut_off(&cluster.network.hosts[1]);
    });
    assert!(cluster.nodes[0].tell("around the cut"));
    Cluster::await_told(&cluster.nodes, "around the cut");
}

#[test]
fn two_members_that_reach_each_other_one_way_only_are_kept_alive_by_the_others() {
    nobody_fails_while(BRISK, PROBES, |cluster| {
        let [from, to] = [&cluster.network.hosts[0], &cluster.network.hosts[1]];
        to.filter("INPUT", &format!("-s {} -j DROP", from.addr()));
    });
}

/// Cuts one direction of a member, until the others have found it failed; then heals it.
fn is_failed_and_recovers(chain: &str, interface: &str) {
    let cluster = Cluster::start(5, BRISK, &[]);
    let (cut, others) = cluster.nodes.split_last().expect("there are some");
    cut.host.filter(chain, &format!("{interface} eth0 -j DROP"));
    let calm = |node: &Node| {
        let members = node.members();
        let alive =
            others.iter().all(|other| members.get(&other.name).is_some_and(|status| status == "alive"));
        alive && members.get(&cut.name).is_some_and(|status| status == "failed")
    };
    for node in others {
        wait_until(&format!("{} sees that one failed, and no other", node.name), || calm(node));
    }
    assert!(cut.host.dropped() > 0, "the fault acts");
    assert!(others[0].tell("meanwhile"));
    Cluster::await_told(others, "meanwhile");
    // Whatever the one that is cut off believes and says of the others, they are alive.
    Cluster::await_probes(others, PROBES);
    for node in others {
        wait_until(&format!("{} still sees that one failed, and no other", node.name), || calm(node));
    }
    cut.host.heal();
    cluster.await_all_alive(Duration::from_secs(60));
    Cluster::await_told([cut], "meanwhile");
    for node in &cluster.nodes {
        assert_eq!(node.told(), ["meanwhile"], "{} was told once", node.name);
    }
}

#[test]
fn a_deaf_member_is_failed_pulls_nobody_down_and_recovers() {
    is_failed_and_recovers("INPUT", "-i");
}

#[test]
fn a_mute_member_is_failed_pulls_nobody_down_and_recovers() {
    is_failed_and_recovers("OUTPUT", "-o");
}
