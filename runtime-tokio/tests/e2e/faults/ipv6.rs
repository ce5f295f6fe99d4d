//! IPv6 alone, and both together.

use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::network::{Family, Network};
use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

#[test]
fn a_cluster_without_any_ipv4_forms_tells_and_finds_a_killed_one() {
    let network = Network::new(4, Family::V6);
    // Bound to an address, to all of them, to an interface, and to an address again.
    let places = ["", "-bind=[::]:7946", "-iface=eth0 -bind=:7946", ""];
    let mut cluster = Cluster::start_on(network, 4, BRISK, |_, index| {
        places[index].split_whitespace().map(Into::into).collect()
    });
    cluster.await_all_alive(Duration::from_secs(30));
    let members = cluster.nodes[0].call(async |client| client.members().await).expect("it answers");
    for (node, member) in cluster.nodes.iter().zip(&members) {
        assert_eq!(member.name, node.name);
        assert_eq!(member.addr.to_string(), node.host.v6().to_string());
    }
    assert!(cluster.nodes[3].tell("over six"));
    Cluster::await_told(&cluster.nodes, "over six");
    Cluster::await_probes(&cluster.nodes, 8);
    assert_eq!(cluster.failures(), []);
    assert!(cluster.nodes.iter().all(|node| node.saved_by_stream() == 0), "datagrams arrive");

    let killed = cluster.nodes.last_mut().expect("there are some");
    killed.end(Signal::KILL);
    let (killed, living) = cluster.nodes.split_last().expect("there are some");
    for node in living {
        wait_until("the killed one is found", || node.sees(&killed.name) == "failed");
    }
}

#[test]
fn members_bound_to_everything_are_one_cluster_whichever_family_they_advertise() {
    let network = Network::new(4, Family::Both);
    let places: Vec<String> = network
        .hosts
        .iter()
        .map(|host| match host.number {
            1 => "-bind=[::]:7946".into(),
            2 => format!("-bind=[::]:7946 -advertise=[{}]:7946 -join=[fd77::1]:7946", host.v6()),
            number => {
                format!("-bind=[::]:7946 -advertise={}:7946 -join=[fd77::{}]:7946", host.v4(), number - 1)
            }
        })
        .collect();
    let cluster = Cluster::start_on(network, 4, BRISK, |_, index| {
        places[index].split_whitespace().map(Into::into).collect()
    });
    cluster.await_all_alive(Duration::from_secs(30));
    let members = cluster.nodes[0].call(async |client| client.members().await).expect("it answers");
    let families: Vec<_> = members.iter().map(|member| member.addr.to_string().contains("fd77")).collect();
    assert_eq!(families, [false, true, false, false], "where nothing is said, IPv4 is advertised");
    assert!(cluster.nodes[1].tell("over both"));
    Cluster::await_told(&cluster.nodes, "over both");
    Cluster::await_probes(&cluster.nodes, 8);
    assert_eq!(cluster.failures(), []);
    assert!(cluster.nodes.iter().all(|node| node.saved_by_stream() == 0), "datagrams arrive");
}

/// It cannot send a datagram to the one that advertises IPv6: others and streams do it, and the log says what is wrong.
#[test]
fn a_member_bound_to_ipv4_beside_one_of_ipv6_stays_alive_and_says_what_to_do() {
    let network = Network::new(3, Family::Both);
    let cluster = Cluster::start_on(network, 3, BRISK, |_, index| {
        let place = match index {
            0 => "-bind=[::]:7946",
            1 => "-bind=[::]:7946 -advertise=[fd77::2]:7946",
            _ => "-bind=10.77.0.3:7946",
        };
        place.split_whitespace().map(Into::into).collect()
    });
    cluster.await_all_alive(Duration::from_secs(30));
    let bound = &cluster.nodes[2];
    let says =
        "[fd77::2]:7946 gets no datagrams from here, only streams: this node is bound to 10.77.0.3:7946";
    wait_until("it says what is wrong", || bound.log().contains(says));
    assert!(cluster.nodes[1].tell("over six") && bound.tell("over four"));
    Cluster::await_told(&cluster.nodes, "over six");
    Cluster::await_told(&cluster.nodes, "over four");
    Cluster::await_probes(&cluster.nodes, 16);
    assert_eq!(cluster.failures(), []);
    assert_eq!(bound.log().matches("gets no datagrams").count(), 1, "once a minute at most");
}

#[test]
fn an_address_that_the_machine_has_no_way_to_is_refused_clearly() {
    let (network, folder) = (Network::new(1, Family::V4), TempDir::new().expect("there is room"));
    for (arg, expected) in [
        ("-join=[fd77::9]:7946", "[fd77::9]:7946: this machine has no route to that address"),
        ("-bind=[fd77::1]:7946", "binding TCP [fd77::1]:7946 (no interface has that address)"),
    ] {
        let mut node = Node::launch(&[], &network.hosts[0], "n1", folder.path(), BRISK, &[arg]);
        let status = node.process.wait();
        let log = node.log();
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains(expected), "{log}");
    }
}
