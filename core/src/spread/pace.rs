//! When waiting news leaves (`Config::pacing`).

use core::time::Duration;

use super::lanes::Lanes;
use crate::config::{Config, Pacing};
use crate::time::{Instant, nanos};

/// Two rounds are at least this part of a gossip interval apart, so that what comes in quick succession leaves together.
const ROUNDS_PER_INTERVAL_MAX: u32 = 32;

/// The rounds of gossip that a node has sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// When the last one was sent; the past where there was none.
    last: Instant,
    /// Before this, the byte rate has been used up.
    free: Instant,
}

/// How long so many bytes take at the byte rate.
fn price(bytes: usize, config: &Config) -> Duration {
    let rate = u64::from(config.gossip_bytes_per_second).max(1);
    Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / rate)
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { last: Instant::ORIGIN, free: Instant::ORIGIN }
    }

    /// So many bytes left beside the rounds, in answer to somebody: the rate pays for them too.
    pub(crate) fn pay(&mut self, bytes: usize, config: &Config, now: Instant) {
        self.free = self.free.max(now) + price(bytes, config);
    }

    /// A round of so many bytes leaves now.
    pub(crate) fn sent(&mut self, bytes: usize, config: &Config, now: Instant) {
        let apart = (config.gossip_interval / ROUNDS_PER_INTERVAL_MAX).max(Duration::from_nanos(1));
        self.last = now;
        // What was paid for beside the rounds is still owed: a round that was planned before does not wait for it.
        self.free = (self.free.max(now) + price(bytes, config)).max(now + apart);
    }

    /// When the next round is due. With ticks (memberlist) on the next point of a grid, whatever waits. Paced: as soon as the byte rate allows for what
    /// has not been sent once; else so often that all that waits is gone through once each gossip interval, which for one packet's worth is the grid again.
    pub(crate) fn next(
        &self,
        queue: &Lanes,
        room: usize,
        grid: Instant,
        config: &Config,
        now: Instant,
    ) -> Instant {
        let tick = now.next_on_grid(grid, config.gossip_interval);
        if config.pacing == Pacing::Tick {
            return tick;
        }
        if queue.has_unsent() {
            return self.free.max(now);
        }
        let rounds = queue.bytes().div_ceil(room.max(1)) as u64;
        if rounds <= 1 {
            return tick.max(self.free);
        }
        let spacing = Duration::from_nanos(nanos(config.gossip_interval) / rounds);
        (self.last + spacing).max(self.free).max(now)
    }
}
