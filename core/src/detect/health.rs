//! Local health: a node that seems slow itself is more patient with others (Lifeguard's Local Health Multiplier).

use core::time::Duration;

use crate::config::Config;

/// A saturating score: 0 is healthy, `awareness_max - 1` the worst. Successful probes lower it; failed probes, missed nacks
/// and accusations that had to be refuted raise it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    score: u8,
}

impl Health {
    pub(crate) const fn score(&self) -> u8 {
        self.score
    }

    pub(crate) fn improve(&mut self) {
        self.score = self.score.saturating_sub(1);
    }

    pub(crate) fn worsen(&mut self, by: u8, config: &Config) {
        if config.awareness && !broken!(config, HealthNeverWorsens) {
            self.score = self.score.saturating_add(by).min(config.awareness_max - 1);
        }
    }

    /// A waiting time as this node's health stretches it.
    pub(crate) fn stretched(&self, time: Duration) -> Duration {
        time.saturating_mul(u32::from(self.score) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_stays_between_zero_and_the_maximum() {
        let config = Config::lan();
        let mut health = Health::default();
        health.improve();
        assert_eq!(health.score(), 0);
        health.worsen(3, &config);
        health.improve();
        assert_eq!(health.score(), 2);
        health.worsen(200, &config);
        assert_eq!(health.score(), 7);
        assert_eq!(health.stretched(Duration::from_secs(1)), Duration::from_secs(8));
    }

    #[test]
    fn switched_off_it_stays_healthy() {
        let mut health = Health::default();
        health.worsen(5, &Config { awareness: false, ..Config::lan() });
        assert_eq!(health.score(), 0);
    }
}
