//! The event loop that every peer of a comparison runs in: the simulator's own queue, a constant latency, no loss.

use crate::queue::{EventQueue, Slab};
use crate::world::ahead::{FROM_NODES, NODE, PARCEL, TABLES};

/// One-way latency of every datagram, in nanoseconds.
pub const LATENCY: u64 = 1_000_000;

/// An implementation under test: all nodes of one cluster.
pub trait Peer {
    /// What a node hands to [`Arena::wake`] and gets back.
    type Wake: Default;

    /// A datagram reaches a live node.
    fn packet(&mut self, arena: &mut Arena<Self::Wake>, node: u32, from: u32, bytes: &[u8]);

    /// A wake-up of a live node is due.
    fn wake(&mut self, arena: &mut Arena<Self::Wake>, node: u32, wake: Self::Wake);

    /// It will soon be a node's turn: its memory may be asked for.
    fn prefetch(&self, node: u32);

    /// Its turn is sooner: the same of what that memory points to. `packet`: the datagram that it gets; else it is woken up.
    fn prefetch_tables(&self, node: u32, packet: Option<&[u8]>);
}

/// A datagram or a wake-up under way; its buffer is reused.
#[derive(Debug, Default)]
struct Parcel<W> {
    to: u32,
    from: u32,
    /// `None` for a datagram.
    wake: Option<W>,
    bytes: Vec<u8>,
}

/// The loop's state apart from the nodes.
#[derive(Debug)]
pub struct Arena<W> {
    /// The present moment, in nanoseconds.
    pub now: u64,
    /// Datagrams sent so far.
    pub messages: u64,
    queue: EventQueue,
    parcels: Slab<Parcel<W>>,
    dead: Vec<bool>,
    unreported: u64,
}

impl<W: Default> Arena<W> {
    /// An arena for so many nodes, all alive.
    #[must_use]
    pub fn new(nodes: u32) -> Self {
        Self {
            now: 0,
            messages: 0,
            queue: EventQueue::new(),
            parcels: Slab::new(),
            dead: vec![false; nodes as usize],
            unreported: 0,
        }
    }

    /// Sends a datagram.
    pub fn send(&mut self, from: u32, to: u32, bytes: &[u8]) {
        self.messages += 1;
        let (index, parcel) = self.parcels.take();
        (parcel.from, parcel.to, parcel.wake) = (from, to, None);
        parcel.bytes.clear();
        parcel.bytes.extend_from_slice(bytes);
        self.queue.push(self.now + LATENCY, index);
    }

    /// Asks for a wake-up of a node at `at`.
    pub fn wake(&mut self, node: u32, at: u64, wake: W) {
        let (index, parcel) = self.parcels.take();
        (parcel.to, parcel.wake) = (node, Some(wake));
        self.queue.push(at.max(self.now), index);
    }

    /// Stops nodes: what reaches them is dropped. Every live node owes a report of each.
    pub fn kill(&mut self, nodes: &[u32]) {
        for node in nodes {
            self.dead[*node as usize] = true;
        }
        let alive = self.dead.iter().filter(|dead| !**dead).count() as u64;
        self.unreported = alive * nodes.len() as u64;
    }

    /// A live node reports another one dead, for the first time.
    pub fn reported(&mut self, subject: u32) {
        self.unreported -= u64::from(self.dead[subject as usize] && self.unreported > 0);
    }

    /// Whether every live node has reported every dead one.
    #[must_use]
    pub const fn all_reported(&self) -> bool {
        self.unreported == 0
    }

    /// Asks for the memory of what happens soon, as the simulator does.
    #[inline(always)]
    fn look_ahead<P: Peer<Wake = W>>(&self, peer: &P) {
        if self.dead.len() < FROM_NODES {
            return;
        }
        if let Some(index) = self.queue.ahead(PARCEL) {
            self.parcels.prefetch(index);
        }
        if let Some(index) = self.queue.ahead(NODE) {
            peer.prefetch(self.parcels.peek(index).to);
        }
        if let Some(index) = self.queue.ahead(TABLES) {
            let parcel = self.parcels.peek(index);
            peer.prefetch_tables(parcel.to, parcel.wake.is_none().then_some(&*parcel.bytes));
        }
    }

    /// Runs to `end`, or until `done`.
    pub fn run<P: Peer<Wake = W>>(&mut self, peer: &mut P, end: u64, done: impl Fn(&Self) -> bool) {
        while !done(self)
            && let Some((time, index)) = self.queue.pop_until(end)
        {
            self.now = time;
            self.look_ahead(peer);
            let parcel = self.parcels.get(index);
            let (from, to, wake) = (parcel.from, parcel.to, parcel.wake.take());
            if self.dead[to as usize] {
                self.parcels.give_back(index);
                continue;
            }
            match wake {
                Some(wake) => {
                    self.parcels.give_back(index);
                    peer.wake(self, to, wake);
                }
                None => {
                    let bytes = std::mem::take(&mut parcel.bytes);
                    peer.packet(self, to, from, &bytes);
                    self.parcels.get(index).bytes = bytes;
                    self.parcels.give_back(index);
                }
            }
        }
        if !done(self) {
            self.now = end;
        }
    }
}
