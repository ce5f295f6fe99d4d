//! Invariant 4: packets, frames and queues stay within their budgets.

use rumormill_core::{Config, QueueDepths};

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct Budgets {
    /// What was found.
    pub tally: Tally,
    packet: usize,
    frame: usize,
    queue: usize,
}

impl Budgets {
    /// The budgets that a configuration sets.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (packet, frame) = (usize::from(config.packet_bytes_max), config.frame_bytes_max as usize);
        let queue = config.queue_messages_max as usize;
        let mut tally = Tally::new(4, "packets, frames and queues stay within their budgets");
        tally.remark(format!("packets {packet} B, frames {frame} B, queues {queue} messages"));
        Self { tally, packet, frame, queue }
    }

    /// A node sent a packet.
    #[inline]
    pub fn packet(&mut self, now: u64, node: u32, bytes: usize) {
        let most = self.packet;
        self.tally.check(bytes <= most, now, node, || {
            format!("a packet of {bytes} bytes; at most {most} are allowed")
        });
    }

    /// A node sent a frame.
    pub fn frame(&mut self, now: u64, node: u32, bytes: usize) {
        let most = self.frame;
        self.tally.check(bytes <= most, now, node, || {
            format!("a frame of {bytes} bytes; at most {most} are allowed")
        });
    }

    /// A node's queues stand at these depths.
    pub fn queues(&mut self, now: u64, node: u32, depths: &QueueDepths) {
        let most = self.queue;
        let QueueDepths { members, intents, queries, events } = *depths;
        let depth = members.max(intents).max(queries).max(events);
        self.tally.check(depth <= most, now, node, || format!("{depth} broadcasts wait; at most {most} may"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_budget_bites_one_above_it() {
        let config = Config::lan();
        let mut checker = Budgets::new(&config);
        checker.packet(0, 0, 1400);
        checker.frame(0, 0, 65_536);
        checker.queues(0, 0, &QueueDepths { members: 4096, events: 4096, ..QueueDepths::default() });
        assert_eq!(checker.tally.violations(), 0);
        checker.packet(0, 0, 1401);
        checker.frame(0, 0, 65_537);
        checker.queues(0, 0, &QueueDepths { events: 4097, ..QueueDepths::default() });
        assert_eq!(checker.tally.violations(), 3);
    }
}
