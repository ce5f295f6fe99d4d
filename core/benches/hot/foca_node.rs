//! foca 2's node, with its postcard codec.

use std::num::NonZeroU8;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foca::{
    Codec, Config, Foca, Header, Identity, Member, Message, Notification, PostcardCodec, Runtime, State,
    Timer,
};
use rand::{SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};

use super::{Batch, Case, Operation, PACKET_BYTES, PEERS, scattered};

/// An IPv4 socket address with a generation: 8 bytes, as lean as foca's examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Id {
    ip: u32,
    port: u16,
    generation: u16,
}

impl Identity for Id {
    type Addr = (u32, u16);

    fn renew(&self) -> Option<Self> {
        Some(Self { generation: self.generation.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> (u32, u16) {
        (self.ip, self.port)
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.generation > adversary.generation
    }
}

const fn id(member: u32) -> Id {
    Id { ip: 0x0a00_0001 + member, port: 7946, generation: 0 }
}

/// Copies what is sent, as a driver that queues datagrams does, and drops timers.
#[derive(Default)]
struct Sink {
    buffer: Vec<u8>,
    sent: u64,
}

impl Runtime<Id> for Sink {
    fn notify(&mut self, _: Notification<'_, Id>) {}

    fn send_to(&mut self, _: Id, data: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(data);
        self.sent += data.len() as u64;
    }

    fn submit_after(&mut self, _: Timer<Id>, _: Duration) {}
}

/// A packet: the header, and updates behind their number where there are any.
fn packet(from: u32, message: Message<Id>, updates: &[Member<Id>]) -> Vec<u8> {
    let header = Header { src: id(from), src_incarnation: 0, dst: id(0), message };
    let mut bytes = Vec::new();
    PostcardCodec.encode_header(&header, &mut bytes).expect("memory is not full");
    if !updates.is_empty() {
        bytes.extend_from_slice(&(updates.len() as u16).to_be_bytes());
        for update in updates {
            PostcardCodec.encode_member(update, &mut bytes).expect("memory is not full");
        }
    }
    bytes
}

type Packets = Arc<Vec<Vec<u8>>>;

fn pings(members: u32) -> Packets {
    let ping = |member| packet(member, Message::Ping(member as u8), &[]);
    Arc::new(scattered(members).take(PEERS as usize).map(ping).collect())
}

fn stale_packet(order: &mut impl Iterator<Item = u32>) -> (Vec<u8>, u64) {
    let all: Vec<Member<Id>> = order.take(400).map(|member| Member::alive(id(member))).collect();
    let fits = |n: &usize| packet(1, Message::Gossip, &all[..*n]).len() <= PACKET_BYTES;
    let fitting = (1..=all.len()).take_while(fits).count();
    (packet(1, Message::Gossip, &all[..fitting]), fitting as u64)
}

fn fresh(members: u32, count: u32) -> Packets {
    let told: Vec<u32> = scattered(members).take(PEERS as usize).collect();
    let update = |k: u32| {
        let subject = told[k as usize % told.len()];
        let incarnation = (1 + k / told.len() as u32) as u16;
        // From another member, because a sender's own incarnation stands in the header.
        let from = if subject == 1 { 2 } else { 1 };
        packet(from, Message::Gossip, &[Member::new(id(subject), incarnation, State::Alive)])
    };
    Arc::new((0..count).map(update).collect())
}

pub(crate) fn case(operation: Operation, members: u32) -> Case {
    let config = Config {
        max_transmissions: NonZeroU8::MAX,
        ..Config::new_lan(NonZeroU32::new(members + 1).expect("a cluster has nodes"))
    };
    let node = move || {
        let rng = SmallRng::seed_from_u64(1);
        let mut node = Foca::new(id(0), config.clone(), rng, PostcardCodec);
        let others = (1..=members).map(|member| Member::alive(id(member)));
        node.apply_many(others, false, &mut Sink::default()).expect("all are alive");
        node
    };
    let (packets, news, per_batch) = match operation {
        Operation::Ping => (pings(members), Packets::default(), 4096),
        Operation::Stale => {
            let mut order = scattered(members).cycle();
            let made: Vec<_> = (0..16).map(|_| stale_packet(&mut order)).collect();
            let updates = made.iter().map(|(_, updates)| *updates).sum();
            (Arc::new(made.into_iter().map(|(bytes, _)| bytes).collect()), Packets::default(), updates)
        }
        Operation::Fresh => (fresh(members, 4096), Packets::default(), 4096),
        // Their updates are a third as long as ours: more of them fill a packet.
        Operation::FullPacket => (pings(members), fresh(members, 250), 256),
    };
    let calls = if operation == Operation::Stale { packets.len() } else { per_batch as usize };
    let prepare = move || {
        let (mut node, mut sink, packets) = (node(), Sink::default(), packets.clone());
        for bytes in news.iter() {
            node.handle_data(bytes, &mut sink).expect("the packet is sound");
        }
        let batch = move || {
            for bytes in packets.iter().cycle().take(calls) {
                node.handle_data(bytes, &mut sink).expect("the packet is sound");
            }
            sink.sent
        };
        Box::new(batch) as Batch
    };
    Case { operation, peer: "foca", members, per_batch, prepare: Box::new(prepare) }
}
