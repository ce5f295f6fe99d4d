//! All figures of an agent, read at one moment.

use std::time::Duration;

use rumormill_core::counters::Counters;
use rumormill_core::io::{State, Status};
use rumormill_core::wire::Clocks;
use rumormill_core::{Node, QueueDepths};

use super::figures::Figures;
use super::hands::Hands;
use crate::net::Traffic;
use crate::state::SnapshotFigures;

/// Figures of an agent, all of one moment between two steps of its core. `docs/metrics.md` describes each under the name that it has
/// in Prometheus; [`metrics`](crate::metrics) writes them so.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// The core's counters since birth.
    pub counters: Counters,
    /// What the agent counts beside them.
    pub figures: Figures,
    /// Members by status.
    pub members: MemberCounts,
    /// Lamport clocks: what is stamped next.
    pub clocks: Clocks,
    /// Local health (awareness): 0 is healthy.
    pub health: u8,
    /// Queue lengths.
    pub queues: QueueDepths,
    /// Whether packets are sealed.
    pub encrypted: bool,
    /// Open suspicions.
    pub suspicions: usize,
    /// Estimated coordinate error resets.
    pub coordinate_resets: u64,
    /// What went through the sockets.
    pub traffic: Traffic,
    /// How late the agent's task came to what was due, at worst in the last 10 to 20 seconds.
    pub lag: Duration,
    /// The probe's time-out: an agent that lags as much takes members for silent that have answered.
    pub probe_timeout: Duration,
    /// What became of the snapshot file; `None` without one.
    pub snapshot: Option<SnapshotFigures>,
}

/// How many members have which status, this node included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberCounts {
    /// In the cluster, suspects included.
    pub alive: u64,
    /// In the cluster, but on their way out.
    pub leaving: u64,
    /// Gone after saying so.
    pub left: u64,
    /// Gone without a word.
    pub failed: u64,
    /// Those of them that the failure detector takes for dead and has not forgotten.
    pub dead: u64,
    /// Those of them that it knows to have left, and has not forgotten.
    pub departed: u64,
}

impl MemberCounts {
    /// Members that are remembered, whatever their status.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.alive + self.leaving + self.left + self.failed
    }

    fn of(node: &Node) -> Self {
        let mut counts = Self::default();
        for member in node.members() {
            let number = match member.status {
                Status::Alive => &mut counts.alive,
                Status::Leaving => &mut counts.leaving,
                Status::Left => &mut counts.left,
                Status::Failed => &mut counts.failed,
            };
            *number += 1;
            counts.dead += u64::from(member.state == State::Dead);
            counts.departed += u64::from(member.state == State::Left);
        }
        counts
    }
}

/// Reads everything.
pub(super) fn collect(node: &Node, hands: &Hands, lag: Duration) -> Stats {
    Stats {
        counters: *node.counters(),
        figures: hands.figures,
        members: MemberCounts::of(node),
        clocks: node.clocks(),
        health: node.health(),
        queues: node.queue_depths(),
        encrypted: !node.keyring().is_empty(),
        suspicions: node.open_suspicions(),
        coordinate_resets: node.counters().coordinate_resets,
        traffic: hands.traffic.read(),
        lag,
        probe_timeout: node.config().probe_timeout,
        snapshot: hands.memory.snapshot_figures(),
    }
}
