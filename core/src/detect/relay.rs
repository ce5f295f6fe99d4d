//! The helper's side of a probe: pings on behalf of others.

use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::deadlines::Timer;
use crate::id::ProbeSeq;

/// Who asked for a ping, and what it wants to hear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    pub(crate) to: SocketAddr,
    /// The asker's number of the probe.
    pub(crate) seq: ProbeSeq,
    pub(crate) nack: bool,
    pub(crate) timer: Timer,
}

/// Pings sent for others, by our own number; each lives for one `probe_timeout`.
#[derive(Clone, Debug)]
pub(crate) struct Relays {
    open: HashMap<u32, Relay, FixedState>,
}

impl Relays {
    pub(crate) fn new() -> Self {
        Self { open: HashMap::with_hasher(FixedState::with_seed(0)) }
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn open(&mut self, ours: ProbeSeq, relay: Relay) {
        self.open.insert(ours.0, relay);
    }

    pub(crate) fn close(&mut self, ours: ProbeSeq) -> Option<Relay> {
        self.open.remove(&ours.0)
    }
}
