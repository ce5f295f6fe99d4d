//! The prober's side of a probe: one at a time, from the ping to its verdict.

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::deadlines::Timer;
use crate::id::{Incarnation, ProbeSeq, Slot};
use crate::io::StreamId;
use crate::time::Instant;

/// A probe under way.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    pub(crate) slot: Slot,
    /// The target's incarnation when it was picked: what a failure accuses.
    pub(crate) incarnation: Incarnation,
    pub(crate) seq: ProbeSeq,
    pub(crate) sent: Instant,
    pub(crate) end: Instant,
    pub(crate) nacks_expected: u8,
    /// Who nacked, each once: a helper that answers twice must not cover up for one that does not answer.
    pub(crate) nacks: Vec<SocketAddr>,
    /// The stream that the ping is tried over.
    pub(crate) stream: Option<StreamId>,
    /// [`Due::ProbeTimeout`](crate::Due::ProbeTimeout), until it has fired.
    pub(crate) timeout: Option<Timer>,
    /// [`Due::ProbeEnd`](crate::Due::ProbeEnd), from the time-out on.
    pub(crate) end_timer: Option<Timer>,
}

impl InFlight {
    /// What the prober's own health score goes up by when the probe fails (Lifeguard IV-A): the nacks that did not come
    /// or, where none were owed, one.
    pub(crate) fn blame(&self) -> u8 {
        if self.nacks_expected > 0 { self.nacks_expected.saturating_sub(self.nacks.len() as u8) } else { 1 }
    }
}

/// The probe cycle of one node.
#[derive(Clone, Debug)]
pub(crate) struct Prober {
    seq: ProbeSeq,
    current: Option<InFlight>,
}

impl Prober {
    /// A prober whose numbers begin somewhere: an ack that nobody asked for has to guess.
    pub(crate) const fn starting(seq: u32) -> Self {
        Self { seq: ProbeSeq(seq), current: None }
    }

    /// The next sequence number, for own probes and for those on behalf of others.
    #[inline]
    pub(crate) fn next_seq(&mut self) -> ProbeSeq {
        self.seq = self.seq.next();
        self.seq
    }

    #[inline]
    pub(crate) const fn current(&self) -> Option<&InFlight> {
        self.current.as_ref()
    }

    pub(crate) const fn current_mut(&mut self) -> Option<&mut InFlight> {
        self.current.as_mut()
    }

    #[inline]
    pub(crate) fn begin(&mut self, probe: InFlight) {
        self.current = Some(probe);
    }

    /// The probe that an ack with this number answers, taken out.
    #[inline]
    pub(crate) fn answered(&mut self, seq: ProbeSeq) -> Option<InFlight> {
        self.current.take_if(|probe| probe.seq == seq)
    }

    /// Counts a nack; acks may still come.
    pub(crate) fn nacked(&mut self, seq: ProbeSeq, by: SocketAddr) {
        if let Some(probe) = self.current.as_mut().filter(|probe| probe.seq == seq)
            && probe.nacks.len() < usize::from(probe.nacks_expected)
            && !probe.nacks.contains(&by)
        {
            probe.nacks.push(by);
        }
    }

    /// The probe under way, taken out because its time is over.
    pub(crate) const fn end(&mut self) -> Option<InFlight> {
        self.current.take()
    }
}
