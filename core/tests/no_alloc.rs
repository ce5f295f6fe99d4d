//! Steady state allocates nothing: probing and acking known members, and dismissing updates that are old. Counted by the
//! allocator itself, for each thread: the harness that waits for the test allocates on its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use rumormill_core::id::{Identity, Incarnation, NodeName, Versions};
use rumormill_core::io::{Input, Outbox, Output};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::wire::{Accusation, Alive, Message, Wire};
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step, tags::Tags};

struct Counting;

thread_local! {
    // A constant and nothing to drop: reading it allocates nothing itself, and works to the thread's end.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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
    let before = ALLOCATIONS.get();
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
                let mut copy = spare.pop().unwrap_or_else(|| Vec::with_capacity(1400));
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
    ALLOCATIONS.get() - before
}

/// Allocations while a node dismisses packets full of updates that it has; nothing may come out of it.
fn dismiss(node: &mut Node, known: &[Arc<Identity>], now: Instant, outbox: &mut Outbox) -> u64 {
    let mut wire = Wire::new(node.config());
    let mut packet = Vec::new();
    let start = wire.begin_packet(&mut packet);
    for identity in known {
        let Identity { name, addr, meta, versions } = &**identity;
        let (incarnation, from) = (Incarnation(1), &known[0].name);
        let alive = Alive { incarnation, name, addr: *addr, meta, versions: *versions };
        wire.encode(&Message::Alive(alive), &mut packet);
        let old = Accusation { incarnation: Incarnation(0), name, from };
        wire.encode(&Message::Suspect(old), &mut packet);
        wire.encode(&Message::Dead(old), &mut packet);
    }
    wire.finish_packet(start, &mut packet);
    let accepted = node.counters().packets_accepted;
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        let input = Input::Packet { from: addr(1), bytes: &packet };
        assert_eq!(step(node, input, now, outbox).len(), 0);
    }
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(node.counters().packets_accepted, accepted + 100);
    allocations
}

/// A cluster of nodes that know each other.
fn converged(config: &Config, keyring: &Keyring, members: &[(Arc<Identity>, Incarnation)]) -> Vec<Node> {
    let roster = Arc::new(Roster::new(members.iter().cloned(), &Seed::simulated(1, 0, 0)));
    let born = |(i, (who, _)): (usize, &(Arc<Identity>, Incarnation))| {
        let restore = Restore { incarnation: Incarnation(0), roster: roster.clone(), ..Restore::default() };
        let (name, seed) = (who.name.clone(), Seed::simulated(1, i as u64, 0));
        let keyring = keyring.clone();
        let birth = Birth { name, addr: addr(i), tags: &Tags::new(), seed, keyring, restore };
        Node::new(config.clone(), birth, Instant::ORIGIN).unwrap()
    };
    members.iter().enumerate().map(born).collect()
}

#[test]
fn steady_state_allocates_nothing() {
    let members: Vec<_> = (0..20)
        .map(|i| {
            let name = NodeName::new(&format!("n{i}")).unwrap();
            let identity = Identity { name, addr: addr(i), meta: [].into(), versions: Versions::CURRENT };
            (Arc::new(identity), Incarnation(1))
        })
        .collect();
    let known: Vec<_> = members[1..].iter().map(|(identity, _)| identity.clone()).collect();
    // Push/pull is periodic work of its own, and opens streams.
    let anti_entropy = rumormill_core::config::AntiEntropy::Off;
    let keys = Keyring::of(Key::new(&[7; 32]).unwrap(), Vec::new()).unwrap();
    let minute = |k: u64| Instant::from_nanos(k * 60_000_000_000);
    for (coordinates, keyring) in [(true, Keyring::empty()), (false, Keyring::empty()), (true, keys)] {
        let config = Config { anti_entropy, coordinates, simulation: true, ..Config::lan() };
        let mut nodes = converged(&config, &keyring, &members);
        let (mut outbox, mut spare) = (Outbox::new(), Vec::with_capacity(64));
        run(&mut nodes, minute(1), &mut outbox, &mut spare);
        let allocations = run(&mut nodes, minute(2), &mut outbox, &mut spare);
        assert_eq!(allocations, 0, "coordinates {coordinates}, {keyring:?}");
        assert_eq!(nodes[0].rtt("n1", "n2").is_some(), coordinates);
        assert_eq!(nodes[0].counters().probes_failed, 0);
        if keyring.is_empty() {
            assert_eq!(dismiss(&mut nodes[0], &known, minute(2), &mut outbox), 0);
        }
    }
}
