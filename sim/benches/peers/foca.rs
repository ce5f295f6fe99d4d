//! foca 2 in the same event loop, with its postcard codec.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use foca::{Config, Foca, Identity, Member, NoCustomBroadcast, Notification, PostcardCodec, Runtime, Timer};
use rand::{SeedableRng, rngs::SmallRng};
use rumormill_core::{suspicion_times, transmit_limit};
use rumormill_sim::bench::arena::{Arena, Peer};
use rumormill_sim::bench::{KILL_END, Run, Settings, Stopwatch, UNMEASURED, chosen_victims, cpu_seconds};
use serde::{Deserialize, Serialize};

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

const FIRST: u32 = 0x0a00_0001;

fn id(node: u32) -> Id {
    Id { ip: FIRST + node, port: 7946, generation: 0 }
}

struct Cluster {
    nodes: Vec<Foca<Id, PostcardCodec, SmallRng, NoCustomBroadcast>>,
}

/// What foca does to the world, for one node.
struct Hands<'a> {
    arena: &'a mut Arena<Option<Timer<Id>>>,
    node: u32,
}

impl Runtime<Id> for Hands<'_> {
    fn notify(&mut self, notification: Notification<'_, Id>) {
        if let Notification::MemberDown(id) = notification {
            self.arena.reported(id.ip - FIRST);
        }
    }

    fn send_to(&mut self, to: Id, data: &[u8]) {
        self.arena.send(self.node, to.ip - FIRST, data);
    }

    fn submit_after(&mut self, event: Timer<Id>, after: Duration) {
        let at = self.arena.now + after.as_nanos() as u64;
        self.arena.wake(self.node, at, Some(event));
    }
}

impl Peer for Cluster {
    type Wake = Option<Timer<Id>>;

    fn packet(&mut self, arena: &mut Arena<Self::Wake>, node: u32, _from: u32, bytes: &[u8]) {
        // An error is a stale or odd packet, as a driver would log it.
        let _ = self.nodes[node as usize].handle_data(bytes, &mut Hands { arena, node });
    }

    fn prefetch(&self, node: u32) {
        prefetch_index::prefetch_index(&self.nodes, node as usize);
    }

    // What its nodes point to is private to them.
    fn prefetch_tables(&self, _node: u32, _packet: Option<&[u8]>) {}

    fn wake(&mut self, arena: &mut Arena<Self::Wake>, node: u32, timer: Self::Wake) {
        if let Some(timer) = timer {
            let _ = self.nodes[node as usize].handle_timer(timer, &mut Hands { arena, node });
        }
    }
}

/// foca's LAN settings for a cluster of this size, with our time for a suspicion and our number of transmissions.
pub(crate) fn like_ours(nodes: u32) -> Config {
    let ours = Settings::Plain.config();
    let limit = transmit_limit(ours.retransmit_mult, ours.retransmit_log_base, nodes);
    Config {
        max_transmissions: NonZeroU8::new(limit as u8).expect("a limit of at least 4"),
        suspect_to_down_after: suspicion_times(&ours, nodes).min,
        ..Config::new_lan(NonZeroU32::new(nodes).expect("a cluster has nodes"))
    }
}

/// The same without its announcements.
pub(crate) fn silent(nodes: u32) -> Config {
    Config { periodic_announce: None, periodic_announce_to_down_members: None, ..like_ours(nodes) }
}

#[expect(clippy::needless_pass_by_value, reason = "made for one run")]
pub(crate) fn run(config: Config, nodes: u32, idle: Duration, seed: u64) -> Run {
    let began = cpu_seconds();
    let mut arena = Arena::new(nodes);
    let mut cluster = Cluster { nodes: Vec::with_capacity(nodes as usize) };
    for node in 0..nodes {
        let rng = SmallRng::seed_from_u64(seed ^ (u64::from(node + 1) << 20));
        cluster.nodes.push(Foca::new(id(node), config.clone(), rng, PostcardCodec));
        // Phases spread evenly over the first second.
        arena.now = u64::from(node) * UNMEASURED / u64::from(nodes);
        let others = (0..nodes).filter(|other| *other != node).map(|other| Member::alive(id(other)));
        let hands = &mut Hands { arena: &mut arena, node };
        cluster.nodes[node as usize].apply_many(others, false, hands).expect("all are alive");
    }
    arena.now = 0;
    let set_up = cpu_seconds() - began;
    let end = UNMEASURED + idle.as_nanos() as u64;
    arena.run(&mut cluster, UNMEASURED, |_| false);
    let watch = Stopwatch::start(arena.now, arena.messages);
    arena.run(&mut cluster, end, |_| false);
    let idle_phase = watch.stop(arena.now, arena.messages);
    arena.kill(&chosen_victims(seed, nodes));
    let watch = Stopwatch::start(arena.now, arena.messages);
    arena.run(&mut cluster, end + KILL_END, Arena::all_reported);
    let killed = watch.stop(arena.now, arena.messages);
    // Freeing the members of thousands of nodes is no part of anything.
    let complete = arena.all_reported();
    std::mem::forget(cluster);
    Run { set_up, idle: idle_phase, killed, complete }
}
