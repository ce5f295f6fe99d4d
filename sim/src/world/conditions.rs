//! What state a node's machine is in: whether its process stands still or is cut off from its sockets, what waits there, and what its
//! clock says.

use std::collections::VecDeque;
use std::net::SocketAddr;

use rumormill_core::Instant;
use rumormill_core::io::{StreamAction, StreamId};
use rumormill_core::wire::Kinds;

/// Something a process wanted to send while its sends were held.
#[derive(Debug)]
pub(super) enum Held {
    Packet { to: SocketAddr, bytes: Vec<u8>, kinds: Kinds },
    Open { id: StreamId, to: SocketAddr, deadline: Instant },
    Frame { id: StreamId, bytes: Vec<u8>, kinds: Kinds, last: bool },
    Close { id: StreamId },
}

impl Held {
    /// What a process wanted done with a stream.
    pub(super) fn of(id: StreamId, action: StreamAction<'_>) -> Self {
        match action {
            StreamAction::Open { to, deadline } => Self::Open { id, to, deadline },
            StreamAction::Frame { bytes, kinds, last } => {
                Self::Frame { id, bytes: bytes.to_vec(), kinds: *kinds, last }
            }
            StreamAction::Close => Self::Close { id },
        }
    }
}

/// A node's clock: local nanoseconds as a line over the simulator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    global: u64,
    local: u64,
    /// Local nanoseconds per thousand million of the simulator's.
    rate: u64,
}

const BILLION: u128 = 1_000_000_000;

impl Clock {
    const RIGHT: Self = Self { global: 0, local: 0, rate: 1_000_000_000 };

    #[inline]
    fn local(&self, global: u64) -> u64 {
        if *self == Self::RIGHT {
            return global;
        }
        let passed = u128::from(global.saturating_sub(self.global)) * u128::from(self.rate) / BILLION;
        self.local.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// The first moment at which the clock shows `local` or more.
    #[inline]
    fn global(&self, local: u64) -> u64 {
        if *self == Self::RIGHT {
            return local;
        }
        let wait = (u128::from(local.saturating_sub(self.local)) * BILLION).div_ceil(u128::from(self.rate));
        self.global.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// From `now` on it runs at this rate, after a jump by so many nanoseconds.
    fn turned(&self, now: u64, rate: f64, jump: i64) -> Self {
        let local = self.local(now).saturating_add_signed(jump);
        Self { global: now, local, rate: ((rate * BILLION as f64) as u64).max(1) }
    }
}

/// The condition of one node.
#[derive(Debug)]
struct Condition {
    /// Faults by which the process stands still.
    paused: u32,
    /// Faults by which its sends and receipts are held.
    blocked: u32,
    clock: Clock,
    /// What has arrived and waits for the process, in order: parcels.
    inbox: VecDeque<u32>,
    /// Bytes of datagrams among them.
    inbox_bytes: usize,
    /// What waits to be sent, in order.
    held: Vec<Held>,
}

/// The conditions of all nodes.
#[derive(Debug)]
pub(super) struct Conditions {
    nodes: Vec<Condition>,
    /// Pauses and blocks at present: while there are none, no node's condition is looked at.
    disturbances: u32,
    /// Whether any clock was ever turned.
    turned: bool,
}

impl Conditions {
    /// All is well.
    pub(super) fn new(nodes: usize) -> Self {
        let well = || Condition {
            paused: 0,
            blocked: 0,
            clock: Clock::RIGHT,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            held: Vec::new(),
        };
        Self { nodes: (0..nodes).map(|_| well()).collect(), disturbances: 0, turned: false }
    }

    /// Whether the process stands still.
    #[inline]
    pub(super) fn is_paused(&self, node: u32) -> bool {
        self.disturbances > 0 && self.nodes[node as usize].paused > 0
    }

    /// Whether what arrives waits.
    #[inline]
    pub(super) fn holds_receipts(&self, node: u32) -> bool {
        if self.disturbances == 0 {
            return false;
        }
        let it = &self.nodes[node as usize];
        it.paused > 0 || it.blocked > 0
    }

    /// Whether what the process sends waits.
    #[inline]
    pub(super) fn holds_sends(&self, node: u32) -> bool {
        self.disturbances > 0 && self.nodes[node as usize].blocked > 0
    }

    pub(super) fn pause(&mut self, node: u32) {
        self.nodes[node as usize].paused += 1;
        self.disturbances += 1;
    }

    pub(super) fn resume(&mut self, node: u32) {
        self.nodes[node as usize].paused -= 1;
        self.disturbances -= 1;
    }

    pub(super) fn block(&mut self, node: u32) {
        self.nodes[node as usize].blocked += 1;
        self.disturbances += 1;
    }

    pub(super) fn unblock(&mut self, node: u32) {
        self.nodes[node as usize].blocked -= 1;
        self.disturbances -= 1;
    }

    /// A parcel waits for the process; whether there was room for it. Only datagrams take room.
    pub(super) fn receive(&mut self, node: u32, parcel: u32, datagram_bytes: usize, room: usize) -> bool {
        let it = &mut self.nodes[node as usize];
        if it.inbox_bytes + datagram_bytes > room {
            return false;
        }
        it.inbox_bytes += datagram_bytes;
        it.inbox.push_back(parcel);
        true
    }

    /// Everything that has waited for the process, in order.
    pub(super) fn take_inbox(&mut self, node: u32) -> VecDeque<u32> {
        let it = &mut self.nodes[node as usize];
        it.inbox_bytes = 0;
        std::mem::take(&mut it.inbox)
    }

    pub(super) fn hold(&mut self, node: u32, what: Held) {
        self.nodes[node as usize].held.push(what);
    }

    /// Everything that has waited to be sent, in order.
    pub(super) fn take_held(&mut self, node: u32) -> Vec<Held> {
        std::mem::take(&mut self.nodes[node as usize].held)
    }

    /// What the node's clock shows at a moment.
    pub(super) fn local(&self, node: u32, now: u64) -> Instant {
        let local = if self.turned { self.nodes[node as usize].clock.local(now) } else { now };
        Instant::from_nanos(local)
    }

    /// When the node's clock will show a moment.
    pub(super) fn global(&self, node: u32, local: Instant) -> u64 {
        let local = local.as_nanos();
        if self.turned { self.nodes[node as usize].clock.global(local) } else { local }
    }

    /// The node's clock runs at another rate from now on, after a jump.
    pub(super) fn turn_clock(&mut self, node: u32, now: u64, rate: f64, jump: i64) {
        self.turned = true;
        let clock = &mut self.nodes[node as usize].clock;
        *clock = clock.turned(now, rate, jump);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    proptest! {
        #[test]
        fn a_clock_shows_a_moment_when_it_says_it_will(
            now in 0u64..1 << 50, rate in 0.1f64..10.0, jump in -(1i64 << 40)..1 << 40, ahead in 0u64..1 << 40
        ) {
            let clock = Clock::RIGHT.turned(now, rate, jump);
            let local = clock.local(now).saturating_add(ahead);
            let at = clock.global(local);
            prop_assert!(clock.local(at) >= local);
            prop_assert!(at == now || clock.local(at - 1) < local);
        }
    }

    #[test]
    fn a_clock_drifts_and_jumps() {
        let fast = Clock::RIGHT.turned(1_000, 1.5, 10);
        assert_eq!(fast.local(3_000), 1_000 + 10 + 3_000);
        let back = fast.turned(3_000, 1.0, -2_000);
        assert_eq!(back.local(3_001), 2_011);
    }

    #[test]
    fn a_receive_buffer_has_its_room_and_streams_take_none() {
        let mut conditions = Conditions::new(1);
        assert!(conditions.receive(0, 1, 60, 100) && conditions.receive(0, 2, 40, 100));
        assert!(!conditions.receive(0, 3, 1, 100));
        assert!(conditions.receive(0, 4, 0, 100));
        assert_eq!(conditions.take_inbox(0), [1, 2, 4]);
        assert!(conditions.receive(0, 5, 100, 100), "an emptied buffer has room again");
    }
}
