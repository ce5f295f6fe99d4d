//! Suspicion timers: long at first, shorter with each independent confirmation (Lifeguard's LHA-Suspicion).

use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::config::{Config, Confirmations};
use crate::id::Slot;
use crate::time::{Instant, nanos};

/// The shortest and longest time of a suspicion, and the confirmations that lead from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuspicionTimes {
    /// With all confirmations: `suspicion_mult * max(1, log n) * probe_interval`, in whole thousandths of the interval.
    pub min: Duration,
    /// Without any: `suspicion_max_mult` times that.
    pub max: Duration,
    /// Confirmations that bring it down to `min`; 0: it is `min` from the start.
    pub confirmations: u8,
}

impl SuspicionTimes {
    /// How long a suspicion with so many confirmations runs, counted from its beginning:
    /// `max - (max - min) * ln(c + 1) / ln(k + 1)`, in whole milliseconds, at least `min` (Lifeguard IV-B).
    #[must_use]
    pub fn after(&self, confirmations: u8) -> Duration {
        if self.confirmations == 0 {
            return self.min;
        }
        let share =
            libm::log(f64::from(confirmations) + 1.0) / libm::log(f64::from(self.confirmations) + 1.0);
        let span = self.max.saturating_sub(self.min).as_secs_f64();
        let millis = libm::floor((self.max.as_secs_f64() - share * span) * 1000.0);
        Duration::from_millis(millis as u64).max(self.min)
    }
}

/// The times of a suspicion in a cluster of `n` members, the recently dead included (memberlist's estimate).
#[must_use]
pub fn suspicion_times(config: &Config, n: u32) -> SuspicionTimes {
    let log = config.suspicion_log_base.log(f64::from(n.max(1))).max(1.0);
    let thousandths = u64::from(config.suspicion_mult) * libm::floor(log * 1000.0) as u64;
    let min = Duration::from_nanos(nanos(config.probe_interval).saturating_mul(thousandths) / 1000);
    let confirmations = match config.suspicion_confirmations {
        Confirmations::Exactly(k) => k,
        Confirmations::Auto(_) => {
            let k = config.suspicion_mult.saturating_sub(2).min(32);
            // Accused and accuser cannot confirm, so a small cluster could never give them.
            if n.saturating_sub(2) < k { 0 } else { k as u8 }
        }
    };
    SuspicionTimes { min, max: min.saturating_mul(config.suspicion_max_mult), confirmations }
}

/// A suspicion that confirmations can shorten.
#[derive(Clone, Debug)]
struct Suspicion {
    began: Instant,
    /// Members at its beginning, from which its times follow.
    n: u32,
    /// Confirmations that it hopes for.
    wanted: u8,
    /// Hashes of the names of the first accuser and of those who confirmed: two that are taken for one, once in four
    /// thousand million pairs, cost one confirmation.
    accusers: SmallVec<[u32; 4]>,
}

/// A confirmation that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// Confirmations now.
    pub(crate) count: u8,
    /// When the suspicion runs out now; perhaps in the past.
    pub(crate) expires: Instant,
}

/// The suspicions at one node that wait for confirmations: at most one per suspect member, so bounded by the member table.
#[derive(Clone, Debug)]
pub(crate) struct Suspicions {
    open: HashMap<u32, Suspicion, FixedState>,
    /// The cluster's size at the last suspicion, and its times: they change only with the size.
    times: Option<(u32, SuspicionTimes)>,
}

impl Suspicions {
    pub(crate) fn new() -> Self {
        Self { open: HashMap::with_hasher(FixedState::with_seed(0)), times: None }
    }

    /// Begins (or begins anew) the suspicion of a member in a cluster of `n`; how long it runs unless it is confirmed.
    pub(crate) fn begin(
        &mut self,
        slot: Slot,
        accuser: u64,
        config: &Config,
        n: u32,
        now: Instant,
    ) -> Duration {
        let times = match self.times {
            Some((size, times)) if size == n => times,
            _ => suspicion_times(config, n),
        };
        self.times = Some((n, times));
        let wanted = times.confirmations;
        if wanted > 0 {
            let accusers = SmallVec::from_slice(&[accuser as u32]);
            self.open.insert(slot.index, Suspicion { began: now, n, wanted, accusers });
        } else {
            self.open.remove(&slot.index);
        }
        times.after(0)
    }

    /// Counts a confirmation, if it is news and still wanted: each accuser counts once, the first one not at all.
    pub(crate) fn confirm(
        &mut self,
        slot: Slot,
        accuser: impl FnOnce() -> u64,
        config: &Config,
    ) -> Option<Confirmed> {
        if self.open.is_empty() {
            return None;
        }
        let Suspicion { began, n, wanted, accusers } = self.open.get_mut(&slot.index)?;
        let count = accusers.len() as u8 - 1;
        if count >= *wanted {
            return None;
        }
        let accuser = accuser() as u32;
        if accusers.contains(&accuser) {
            return None;
        }
        accusers.push(accuser);
        Some(Confirmed { count: count + 1, expires: *began + suspicion_times(config, *n).after(count + 1) })
    }

    /// Whether a suspicion of the member hopes for a confirmation.
    #[inline]
    pub(crate) fn hopes(&self, slot: Slot) -> bool {
        let hopes = |suspicion: &Suspicion| suspicion.accusers.len() <= usize::from(suspicion.wanted);
        !self.open.is_empty() && self.open.get(&slot.index).is_some_and(hopes)
    }

    /// Ends a suspicion; whether it had got fewer confirmations than it hoped for.
    pub(crate) fn end(&mut self, slot: Slot) -> bool {
        !self.open.is_empty()
            && self
                .open
                .remove(&slot.index)
                .is_some_and(|suspicion| suspicion.accusers.len() <= usize::from(suspicion.wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot { index: 1, generation: 0 };

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_published_table_of_minimum_and_maximum() {
        let rows = [(10, 4_000, 24_000), (100, 8_000, 48_000), (500, 10_792, 64_752), (1000, 12_000, 72_000)];
        for (n, min, max) in rows {
            let times = suspicion_times(&Config::lan(), n);
            assert_eq!((times.min, times.max, times.confirmations), (ms(min), ms(max), 2), "n = {n}");
        }
        assert_eq!(suspicion_times(&Config::wan(), 100).min, ms(60_000));
        assert_eq!(suspicion_times(&Config::wan(), 100).confirmations, 4);
        assert_eq!(suspicion_times(&Config::local(), 32).max, ms(27_090));
    }

    #[test]
    fn a_cluster_too_small_to_confirm_waits_the_minimum_at_once() {
        for (n, k) in [(2, 0), (3, 0), (4, 2), (5, 2)] {
            assert_eq!(suspicion_times(&Config::lan(), n).confirmations, k, "n = {n}");
        }
        assert_eq!(suspicion_times(&Config::lan(), 2).after(0), ms(4_000));
    }

    #[test]
    fn lifeguards_formula_for_three_confirmations() {
        let times = SuspicionTimes { min: ms(500), max: ms(2_000), confirmations: 3 };
        let after: [u128; 5] = [0, 1, 2, 3, 4].map(|c| times.after(c).as_millis());
        assert_eq!(after, [2_000, 1_250, 811, 500, 500]);
    }

    #[test]
    fn accuser_and_repeats_do_not_confirm_and_enough_is_enough() {
        let mut open = Suspicions::new();
        let confirm = |open: &mut Suspicions, accuser| open.confirm(SLOT, || accuser, &Config::lan());
        assert_eq!(open.begin(SLOT, 10, &Config::lan(), 100, Instant::ORIGIN), ms(48_000));
        assert_eq!(confirm(&mut open, 10), None);
        assert_eq!(confirm(&mut open, 11).map(|c| c.count), Some(1));
        assert_eq!(confirm(&mut open, 11), None);
        let second = confirm(&mut open, 12).unwrap();
        assert_eq!((second.count, second.expires), (2, Instant::ORIGIN + ms(8_000)));
        assert_eq!(confirm(&mut open, 13), None);
        assert!(!open.end(SLOT), "all hoped-for confirmations came");
        assert_eq!(confirm(&mut open, 14), None);
    }

    #[test]
    fn each_suspicion_has_the_times_of_the_cluster_as_it_is() {
        let mut open = Suspicions::new();
        for n in [10, 100, 100, 10] {
            let expected = suspicion_times(&Config::lan(), n).max;
            assert_eq!(open.begin(SLOT, 10, &Config::lan(), n, Instant::ORIGIN), expected);
        }
    }

    #[test]
    fn a_suspicion_that_was_not_confirmed_says_so() {
        let mut open = Suspicions::new();
        open.begin(SLOT, 10, &Config::lan(), 100, Instant::ORIGIN);
        open.confirm(SLOT, || 11, &Config::lan());
        assert!(open.end(SLOT));
        assert!(!open.end(SLOT), "it has ended");
    }

    #[test]
    fn one_that_hopes_for_nothing_runs_its_time_and_has_all_it_wanted() {
        let mut open = Suspicions::new();
        assert_eq!(open.begin(SLOT, 10, &Config::lan(), 3, Instant::ORIGIN), ms(4_000));
        assert_eq!(open.confirm(SLOT, || 11, &Config::lan()), None);
        assert!(!open.end(SLOT));
    }

    #[test]
    fn swim_and_lifeguard_are_settings_of_one_formula() {
        let swim = Config { suspicion_max_mult: 1, suspicion_mult: 5, ..Config::lan() };
        let times = suspicion_times(&swim, 128);
        assert_eq!(times.after(0), times.min);
        assert_eq!(times.after(0), times.max);
        let natural =
            Config { suspicion_log_base: crate::config::LogBase::E, suspicion_mult: 3, ..Config::lan() };
        assert_eq!(suspicion_times(&natural, 55).min, ms(3 * 4_007));
    }
}
