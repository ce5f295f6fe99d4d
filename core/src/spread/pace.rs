//! When waiting news leaves, and how much of it: [`Pacing`].

use core::time::Duration;

use crate::config::{Config, Pacing};
use crate::time::{Instant, nanos};

/// Rounds that fresh news may cause in one `gossip_interval`: what comes closer together leaves together.
const ROUNDS_MAX: u32 = 32;
/// What a packet costs beside its bytes: headers of IPv4 and UDP.
const PACKET_OVERHEAD: usize = 28;

/// The rhythm of gossip.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// News came since the last round.
    fresh: bool,
    /// News came since the next round was planned.
    changed: bool,
    /// When the next round was planned for.
    planned: Instant,
    last: Option<Instant>,
    /// Time between rounds while more than one batch waits.
    spacing: Option<Duration>,
    /// When all that was sent would have been sent at `gossip_bytes_per_second`.
    paid: Instant,
}

impl Pace {
    /// News was queued.
    pub(crate) const fn news(&mut self) {
        self.fresh = true;
        self.changed = true;
    }

    /// Whether the next round may have to be earlier than planned.
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }

    pub(crate) const fn planned(&self) -> Instant {
        self.planned
    }

    /// Plans the next round; `grid` is the next gossip tick. After a round at `now` it lies in the future.
    pub(crate) fn plan(&mut self, now: Instant, grid: Instant, config: &Config) -> Instant {
        self.changed = false;
        self.planned = match (config.pacing, self.last) {
            (Pacing::Tick, _) => grid,
            (Pacing::Paced, None) if self.fresh => now.max(self.allowed(config)),
            (Pacing::Paced, None) => grid.max(self.allowed(config)),
            (Pacing::Paced, Some(last)) => {
                let spaced = self.spacing.map_or(grid, |spacing| (last + spacing).min(grid));
                let at = if self.fresh { now } else { spaced };
                at.max(last + config.gossip_interval / ROUNDS_MAX).max(self.allowed(config))
            }
        };
        self.planned
    }

    /// A round went out at `now`; `waiting` messages are left, and a packet takes `batch` of them.
    pub(crate) fn round_over(&mut self, now: Instant, waiting: usize, batch: usize, config: &Config) {
        self.fresh = false;
        self.last = Some(now);
        // A round is a batch to each of `gossip_nodes`: so many rounds bring each message to so many members, as one does
        // when all fits into a batch.
        let rounds = waiting.div_ceil(batch.max(1)).try_into().unwrap_or(u32::MAX);
        self.spacing = (rounds > 1).then(|| config.gossip_interval / rounds);
    }

    /// A packet of so many bytes went out.
    pub(crate) fn pay(&mut self, bytes: usize, now: Instant, config: &Config) {
        let bytes = (bytes + PACKET_OVERHEAD) as u64;
        let price = bytes * 1_000_000_000 / u64::from(config.gossip_bytes_per_second.max(1));
        self.paid = self.paid.max(now) + Duration::from_nanos(price);
    }

    /// When a packet may go out: up to `gossip_interval` ahead of the byte rate.
    pub(crate) fn allowed(&self, config: &Config) -> Instant {
        Instant::from_nanos(self.paid.as_nanos().saturating_sub(nanos(config.gossip_interval)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * MS)
    }

    #[test]
    fn fresh_news_leaves_at_once_and_then_rounds_keep_to_the_tick() {
        let (config, mut pace) = (Config::lan(), Pace::default());
        pace.news();
        assert_eq!(pace.plan(at(1000), at(1150), &config), at(1000));
        pace.round_over(at(1000), 1, 1, &config);
        assert_eq!(pace.plan(at(1000), at(1150), &config), at(1150));
        pace.news();
        assert_eq!(
            pace.plan(at(1001), at(1150), &config),
            Instant::from_nanos(1_006_250_000),
            "close together"
        );
        let tick = Config { pacing: Pacing::Tick, ..config };
        assert_eq!(pace.plan(at(1001), at(1150), &tick), at(1150));
    }

    #[test]
    fn a_deep_queue_is_gone_through_in_one_interval() {
        let (config, mut pace) = (Config::lan(), Pace::default());
        pace.round_over(at(1000), 100, 10, &config);
        assert_eq!(pace.plan(at(1000), at(1150), &config), at(1020));
    }

    #[test]
    fn the_byte_rate_holds_rounds_back() {
        let config = Config { gossip_bytes_per_second: 1024, ..Config::lan() };
        let mut pace = Pace::default();
        pace.pay(996, at(1000), &config);
        pace.round_over(at(1000), 1, 1, &config);
        pace.news();
        // A second's worth was sent, and an interval of 200 ms is given in advance.
        assert_eq!(pace.plan(at(1001), at(1150), &config), at(1800));
    }
}
