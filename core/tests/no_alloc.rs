//! Steady state allocates nothing: probing and acking known members, no news. Counted by the allocator itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rumormill_core::id::{Identity, Incarnation, NodeName, Versions};
use rumormill_core::io::{Input, Outbox, Output};
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step, tags::Tags};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn addr(i: usize) -> SocketAddr {
    ([10, 0, 0, i as u8], 7946).into()
}

/// Runs the cluster to `until`; packets are copied into buffers that are reused.
fn run(nodes: &mut [Node], until: Instant, outbox: &mut Outbox, spare: &mut Vec<Vec<u8>>) -> u64 {
    let mut wires: VecDeque<(usize, usize, Vec<u8>)> = VecDeque::with_capacity(64);
    let mut steps = 0;
    let before = ALLOCATIONS.load(Relaxed);
    loop {
        let next = (0..nodes.len()).filter_map(|i| Some((nodes[i].deadline()?.0, i))).min();
        let Some((now, first)) = next.filter(|(at, _)| *at <= until) else { break };
        let mut todo = Some((first, None));
        while let Some((i, packet)) =
            todo.take().or_else(|| wires.pop_front().map(|(to, from, bytes)| (to, Some((from, bytes)))))
        {
            let input = match &packet {
                Some((from, bytes)) => Input::Packet { from: addr(*from), bytes },
                None => Input::Tick,
            };
            steps += 1;
            for output in step(&mut nodes[i], input, now, outbox) {
                let Output::Packet { to, bytes, .. } = output else {
                    panic!("news in steady state: {output:?}")
                };
                let mut copy = spare.pop().unwrap_or_default();
                copy.clear();
                copy.extend_from_slice(bytes);
                let to = (0..).find(|&j| addr(j) == to).unwrap();
                wires.push_back((to, i, copy));
            }
            if let Some((_, buffer)) = packet {
                spare.push(buffer);
            }
        }
    }
    assert!(steps > 1000, "only {steps} steps");
    // The queue of wires above was allocated before counting began.
    ALLOCATIONS.load(Relaxed) - before
}

#[test]
fn probing_and_acking_known_members_allocates_nothing() {
    let n = 20;
    let members: Vec<_> = (0..n)
        .map(|i| {
            let name = NodeName::new(&format!("n{i}")).unwrap();
            let identity = Identity { name, addr: addr(i), meta: [].into(), versions: Versions::CURRENT };
            (Arc::new(identity), Incarnation(1))
        })
        .collect();
    let roster = Arc::new(Roster::new(members.iter().cloned(), &Seed::simulated(1, 0, 0)));
    // Push/pull is periodic work of its own, and opens streams.
    let config = Config { anti_entropy: rumormill_core::config::AntiEntropy::Off, ..Config::lan() };
    let mut nodes: Vec<Node> = (0..n)
        .map(|i| {
            let restore = Restore { incarnation: Incarnation(0), roster: roster.clone() };
            let (name, seed) = (members[i].0.name.clone(), Seed::simulated(1, i as u64, 0));
            let birth = Birth { name, addr: addr(i), tags: &Tags::new(), seed, restore };
            Node::new(config.clone(), birth, Instant::ORIGIN).unwrap()
        })
        .collect();
    let (mut outbox, mut spare) = (Outbox::new(), Vec::with_capacity(64));
    let minute = |k: u64| Instant::from_nanos(k * 60_000_000_000);
    run(&mut nodes, minute(1), &mut outbox, &mut spare);
    let allocations = run(&mut nodes, minute(2), &mut outbox, &mut spare);
    assert_eq!(allocations, 0);
}
