//! Our node.

use std::net::SocketAddr;
use std::sync::Arc;

use rumormill_core::id::{Identity, Incarnation, NodeName, ProbeSeq, SharedIdentity, Versions};
use rumormill_core::io::{Input, Outbox, Output};
use rumormill_core::keyring::Keyring;
use rumormill_core::wire::{Alive, Message, Wire};
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step, tags::Tags};

use super::{Batch, Case, Operation, PACKET_BYTES, PEERS, scattered};

fn who(member: u32) -> SharedIdentity {
    let addr = SocketAddr::from(((0x0a00_0001 + member).to_be_bytes(), 7946));
    let name = NodeName::new(&format!("node-{member}")).expect("digits make a name");
    Arc::new(Identity { name, addr, meta: [].into(), versions: Versions::CURRENT })
}

fn alive(identity: &Identity, incarnation: u32) -> Message<'_> {
    let Identity { name, addr, meta, versions } = identity;
    let incarnation = Incarnation(incarnation);
    Message::Alive(Alive { incarnation, name, addr: *addr, meta, versions: *versions })
}

fn packet(wire: &Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let (mut wire, mut bytes) = (wire.fork(&Seed::simulated(1, 0, 0)), Vec::new());
    let start = wire.begin_packet(&mut bytes);
    for message in messages {
        wire.encode(message, &mut bytes);
    }
    wire.finish_packet(start, &mut bytes);
    bytes
}

/// Packets with their senders.
type Packets = Arc<Vec<(SocketAddr, Vec<u8>)>>;

fn pings(wire: &Wire, members: u32) -> Packets {
    let me = who(0);
    let ping = |member| {
        let message = Message::Ping { seq: ProbeSeq(member), target: &me.name };
        (who(member).addr, packet(wire, &[message]))
    };
    Arc::new(scattered(members).take(PEERS as usize).map(ping).collect())
}

fn stale_packet(wire: &Wire, members: &mut impl Iterator<Item = u32>) -> (Vec<u8>, u64) {
    let known: Vec<SharedIdentity> = members.take(100).map(who).collect();
    let all: Vec<Message<'_>> = known.iter().map(|identity| alive(identity, 1)).collect();
    let fits = (1..=all.len()).take_while(|n| packet(wire, &all[..*n]).len() <= PACKET_BYTES).count();
    (packet(wire, &all[..fits]), fits as u64)
}

fn fresh(wire: &Wire, members: u32, count: u32) -> Packets {
    let told: Vec<u32> = scattered(members).take(PEERS as usize).collect();
    let update = |k: u32| {
        let identity = who(told[k as usize % told.len()]);
        (identity.addr, packet(wire, &[alive(&identity, 2 + k / told.len() as u32)]))
    };
    Arc::new((0..count).map(update).collect())
}

pub(crate) fn case(operation: Operation, members: u32) -> Case {
    // No limit on transmissions within reach, so that a full packet stays full.
    let config = Arc::new(Config { retransmit_mult: 100, ..Config::lan() });
    let wire = Wire::new(&config);
    let seed = Seed::simulated(1, 0, 0);
    let roster = Arc::new(Roster::new((0..=members).map(|member| (who(member), Incarnation(1))), &seed));
    let node = move || {
        let restore = Restore { incarnation: Incarnation(0), roster: roster.clone(), ..Restore::default() };
        let (me, seed) = (who(0), Seed::simulated(1, 0, 0));
        let birth = Birth {
            name: me.name.clone(),
            addr: me.addr,
            tags: &Tags::new(),
            seed,
            keyring: Keyring::empty(),
            restore,
        };
        Node::new(config.clone(), birth, Instant::ORIGIN).expect("the birth is sound")
    };
    let (packets, news, per_batch): (Packets, Packets, u64) = match operation {
        Operation::Ping => (pings(&wire, members), Packets::default(), 4096),
        Operation::Stale => {
            let mut order = scattered(members).cycle();
            let made = (0..64).map(|_| stale_packet(&wire, &mut order)).collect::<Vec<_>>();
            let updates = made.iter().map(|(_, updates)| *updates).sum();
            let from = who(1).addr;
            (
                Arc::new(made.into_iter().map(|(bytes, _)| (from, bytes)).collect()),
                Packets::default(),
                updates,
            )
        }
        Operation::Fresh => (fresh(&wire, members, 4096), Packets::default(), 4096),
        Operation::FullPacket => (pings(&wire, members), fresh(&wire, members, 100), 256),
    };
    let calls = if operation == Operation::Stale { packets.len() } else { per_batch as usize };
    let prepare = move || {
        let (mut node, mut outbox, packets) = (node(), Outbox::new(), packets.clone());
        for (from, bytes) in news.iter() {
            let _ = step(&mut node, Input::Packet { from: *from, bytes }, Instant::ORIGIN, &mut outbox);
        }
        let batch = move || {
            let mut sent = 0;
            for (from, bytes) in packets.iter().cycle().take(calls) {
                let input = Input::Packet { from: *from, bytes };
                for output in step(&mut node, input, Instant::ORIGIN, &mut outbox) {
                    if let Output::Packet { bytes, .. } = output {
                        sent += bytes.len() as u64;
                    }
                }
            }
            sent
        };
        Box::new(batch) as Batch
    };
    Case { operation, peer: "ours", members, per_batch, prepare: Box::new(prepare) }
}
