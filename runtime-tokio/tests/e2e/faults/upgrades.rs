//! Old and new versions side by side.

use std::net::SocketAddr;
use std::time::Duration;

use rumormill_tokio::core::Config;
use rumormill_tokio::core::io::Status;

use super::future::Future;
use super::network::{Family, Network};
use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

/// Bytes of a packet before its checksum where there is no label: magic, version, flags.
const HEADER: usize = 3;
const CHECKSUM: usize = 4;
const FLAG_EXTENSIONS: u8 = 2;
/// An extension that this version does not have: its id, its length, its value.
const UNKNOWN_EXTENSION: [u8; 6] = [0xEE, 4, b'n', b'e', b'w', b'!'];

fn packet(header: &[u8], messages: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    crc.update(messages);
    [header, &crc.finalize().to_le_bytes(), messages].concat()
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Takes a varint off the front.
fn take_varint(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    number
}

/// The same packet with something new in its header, and behind the fields of each message.
fn with_extensions(bytes: &[u8]) -> Vec<u8> {
    let mut header = bytes[..HEADER].to_vec();
    header[2] |= FLAG_EXTENSIONS;
    header.extend(varint(UNKNOWN_EXTENSION.len()));
    header.extend(UNKNOWN_EXTENSION);
    let (mut messages, mut rest) = (Vec::new(), &bytes[HEADER + CHECKSUM..]);
    while let Some((&kind, after)) = rest.split_first() {
        rest = after;
        let (body, after) = {
            let length = take_varint(&mut rest);
            rest.split_at(length)
        };
        rest = after;
        messages.push(kind);
        messages.extend(varint(body.len() + UNKNOWN_EXTENSION.len()));
        messages.extend(body);
        messages.extend(UNKNOWN_EXTENSION);
    }
    packet(&header, &messages)
}

/// The same packet of the next wire version.
fn of_the_next_version(bytes: &[u8]) -> Vec<u8> {
    let mut header = bytes[..HEADER].to_vec();
    header[1] += 1;
    packet(&header, &bytes[HEADER + CHECKSUM..])
}

fn brisk() -> Config {
    let ms = Duration::from_millis;
    Config {
        probe_interval: ms(500),
        probe_timeout: ms(250),
        gossip_interval: ms(100),
        push_pull_interval: ms(3000),
        reconnect_interval: ms(1000),
        ..Config::lan()
    }
}

fn first_of(cluster: &Cluster) -> SocketAddr {
    cluster.nodes[0].gossip_addr().parse().expect("it is an address")
}

/// Packets and frames that it has refused for this reason.
fn refused(node: &Node, reason: &str) -> u64 {
    node.figure(&format!("rumormill_refused_total{{reason=\"{reason}\"}}"))
}

/// A cluster of three, and a host for one more.
fn three() -> Cluster {
    let cluster = Cluster::start_on(Network::new(4, Family::V4), 3, BRISK, |_, _| Vec::new());
    cluster.await_all_alive(Duration::from_secs(30));
    cluster
}

#[test]
fn what_a_later_version_adds_is_skipped_and_its_members_are_members() {
    let cluster = three();
    let later =
        Future::start(&cluster.network.hosts[3], brisk(), "later", first_of(&cluster), with_extensions);
    for node in &cluster.nodes {
        wait_until("everybody knows the later one", || node.sees("later") == "alive");
    }
    wait_until("the later one knows everybody", || {
        let members = later.members();
        members.len() == 4 && members.values().all(|status| *status == Status::Alive)
    });
    assert!(cluster.nodes[1].tell("to all"));
    Cluster::await_told(&cluster.nodes, "to all");
    Cluster::await_probes(&cluster.nodes, 12);
    for node in &cluster.nodes {
        assert_eq!(node.sees("later"), "alive");
        assert_eq!(node.failures_of("later"), 0);
        for reason in ["label", "version", "seal", "checksum", "malformed"] {
            assert_eq!(refused(node, reason), 0, "{reason}");
        }
    }
    assert_eq!(cluster.failures(), []);
    // It is a member like any: it is missed when it is gone.
    drop(later);
    for node in &cluster.nodes {
        wait_until("the later one is missed", || node.sees("later") == "failed");
    }
}

#[test]
fn another_wire_version_is_refused_counted_and_said_and_the_cluster_goes_on() {
    let cluster = three();
    let other =
        Future::start(&cluster.network.hosts[3], brisk(), "other", first_of(&cluster), of_the_next_version);
    let asked = &cluster.nodes[0];
    wait_until("it is refused, again and again", || refused(asked, "version") >= 3);
    Cluster::await_probes(&cluster.nodes, 12);
    let log = asked.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("of another version")).collect();
    assert_eq!(lines.len(), 1, "one line a minute: {lines:#?}");
    assert!(lines[0].contains("[WARN] ") && lines[0].contains(" 1 of another version"), "{}", lines[0]);
    assert_eq!(other.members().len(), 1, "it is alone");
    for node in &cluster.nodes {
        assert_eq!(node.sees("other"), "");
    }
    assert!(cluster.nodes[2].tell("as ever"));
    Cluster::await_told(&cluster.nodes, "as ever");
    cluster.await_all_alive(Duration::from_secs(5));
    assert_eq!(cluster.failures(), []);
}

#[test]
fn agents_that_announce_serfs_versions_2_to_5_are_one_cluster() {
    let network = Network::new(4, Family::V4);
    let cluster = Cluster::start_on(network, 4, BRISK, |_, index| vec![format!("-protocol={}", index + 2)]);
    cluster.await_all_alive(Duration::from_secs(30));
    for (index, node) in cluster.nodes.iter().enumerate() {
        let seen = cluster.nodes[0].call(async |client| client.members().await).expect("it answers");
        let member = seen.into_iter().find(|member| member.name == node.name).expect("it is alive");
        assert_eq!(usize::from(member.delegate_cur), index + 2);
        let text = format!("{} speaks", node.name);
        assert!(node.tell(&text));
        Cluster::await_told(&cluster.nodes, &text);
    }
    Cluster::await_probes(&cluster.nodes, 8);
    assert_eq!(cluster.failures(), []);
}
