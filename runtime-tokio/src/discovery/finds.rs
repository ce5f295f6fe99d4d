//! Which addresses were found, and what became of them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A batch is given out when nothing was found for so long (Serf's rule),
const QUIET: Duration = Duration::from_millis(100);
/// or at the latest after this,
const WAIT_MAX: Duration = Duration::from_secs(1);
/// and never more often than this.
const BATCH_EVERY: Duration = Duration::from_secs(1);
/// Addresses in one batch.
pub(super) const BATCH_MAX: usize = 32;
/// Addresses that are remembered.
pub(super) const KNOWN_MAX: usize = 1024;
/// How long an address that could not be joined waits for its second chance; then twice as long, and so on,
const RETRY_FIRST: Duration = Duration::from_secs(60);
/// up to this.
const RETRY_MAX: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// To be given out.
    Waiting,
    /// Given out; how that went is not known.
    GivenOut,
    Joined,
    /// Not before this time again.
    Failed {
        until: Instant,
    },
}

#[derive(Clone, Copy, Debug)]
struct Find {
    fate: Fate,
    /// When its fate last changed.
    since: Instant,
    failures: u32,
}

/// Addresses found so far.
#[derive(Debug, Default)]
pub(super) struct Finds {
    known: HashMap<SocketAddr, Find>,
    waiting: usize,
    first_waiting: Option<Instant>,
    last_found: Option<Instant>,
    last_batch: Option<Instant>,
}

impl Finds {
    /// An address was found, for the first time or again; whether there was room for it.
    pub(super) fn found(&mut self, addr: SocketAddr, now: Instant) -> bool {
        match self.known.get_mut(&addr) {
            Some(Find { fate: Fate::Failed { until }, .. }) if now < *until => return true,
            Some(find @ Find { fate: Fate::Failed { .. }, .. }) => {
                find.fate = Fate::Waiting;
                find.since = now;
            }
            Some(_) => return true,
            None => {
                if !self.make_room() {
                    return false;
                }
                self.known.insert(addr, Find { fate: Fate::Waiting, since: now, failures: 0 });
            }
        }
        self.wait(now);
        true
    }

    fn wait(&mut self, now: Instant) {
        self.waiting += 1;
        self.first_waiting.get_or_insert(now);
        self.last_found = Some(now);
    }

    /// Forgets the one that has been settled longest, if there are too many; those that wait are not forgotten.
    fn make_room(&mut self) -> bool {
        if self.known.len() < KNOWN_MAX {
            return true;
        }
        let settled = self.known.iter().filter(|(_, find)| find.fate != Fate::Waiting);
        let oldest = settled.min_by_key(|(addr, find)| (find.since, **addr)).map(|(addr, _)| *addr);
        oldest.is_some_and(|addr| self.known.remove(&addr).is_some())
    }

    /// When a batch is to be taken.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, last) = self.first_waiting.zip(self.last_found)?;
        let quiet = (last + QUIET).min(first + WAIT_MAX);
        Some(self.last_batch.map_or(quiet, |batch| quiet.max(batch + BATCH_EVERY)))
    }

    /// Those that wait, the longest first, as many as one batch may have; none before it is due.
    pub(super) fn take_batch(&mut self, now: Instant) -> Vec<SocketAddr> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        let waits =
            |(addr, find): (&SocketAddr, &Find)| (find.fate == Fate::Waiting).then_some((find.since, *addr));
        let mut waiting: Vec<_> = self.known.iter().filter_map(waits).collect();
        waiting.sort_unstable();
        waiting.truncate(BATCH_MAX);
        let batch: Vec<SocketAddr> = waiting.into_iter().map(|(_, addr)| addr).collect();
        for addr in &batch {
            if let Some(find) = self.known.get_mut(addr) {
                find.fate = Fate::GivenOut;
                find.since = now;
            }
        }
        self.waiting -= batch.len();
        self.first_waiting = (self.waiting > 0).then_some(now);
        self.last_batch = Some(now);
        batch
    }

    /// A batch could not be given out: its addresses wait again.
    pub(super) fn take_back(&mut self, batch: &[SocketAddr], now: Instant) {
        for addr in batch {
            if let Some(find) = self.known.get_mut(addr)
                && find.fate == Fate::GivenOut
            {
                find.fate = Fate::Waiting;
                find.since = now;
                self.wait(now);
            }
        }
    }

    /// How joining an address went.
    pub(super) fn judge(&mut self, addr: SocketAddr, joined: bool, now: Instant) {
        let Some(find) = self.known.get_mut(&addr).filter(|find| find.fate != Fate::Waiting) else { return };
        find.since = now;
        if joined {
            (find.fate, find.failures) = (Fate::Joined, 0);
        } else {
            let wait = RETRY_FIRST.saturating_mul(1 << find.failures.min(16)).min(RETRY_MAX);
            find.failures += 1;
            find.fate = Fate::Failed { until: now + wait };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(n: u32) -> SocketAddr {
        (std::net::Ipv4Addr::from(n + 1), 7946).into()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_batch_is_what_came_before_a_hundred_milliseconds_of_quiet() {
        let (mut finds, start) = (Finds::default(), Instant::now());
        assert_eq!(finds.due(), None);
        finds.found(addr(1), start);
        finds.found(addr(2), start + ms(80));
        finds.found(addr(1), start + ms(90));
        assert_eq!(finds.due(), Some(start + ms(180)), "one that is known makes no noise");
        assert_eq!(finds.take_batch(start + ms(179)), []);
        assert_eq!(finds.take_batch(start + ms(180)), [addr(1), addr(2)]);
        assert_eq!(finds.due(), None);
        finds.found(addr(1), start + ms(5000));
        assert_eq!(finds.due(), None, "each is given out once");
        finds.found(addr(3), start + ms(200));
        assert_eq!(finds.due(), Some(start + ms(1180)), "a second after the batch before");
    }

    #[test]
    fn noise_without_end_delays_a_batch_for_a_second_only() {
        let (mut finds, start) = (Finds::default(), Instant::now());
        for n in 0..40 {
            finds.found(addr(n), start + ms(u64::from(n) * 50));
        }
        assert_eq!(finds.due(), Some(start + ms(1000)));
        assert_eq!(finds.take_batch(start + ms(1000)).len(), BATCH_MAX);
        assert_eq!(finds.due(), Some(start + ms(2000)), "the rest follows");
        assert_eq!(finds.take_batch(start + ms(2000)).len(), 8);
    }

    #[test]
    fn what_could_not_be_joined_is_tried_again_ever_later() {
        let (mut finds, mut now) = (Finds::default(), Instant::now());
        let mut waits = Vec::new();
        finds.found(addr(1), now);
        for _ in 0..9 {
            now += ms(2000);
            assert_eq!(finds.take_batch(now), [addr(1)]);
            finds.judge(addr(1), false, now);
            let failed = now;
            // It is announced once a minute.
            while finds.due().is_none() {
                now += ms(60_000);
                assert!(finds.found(addr(1), now));
            }
            waits.push(now.duration_since(failed).as_secs() / 60);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        now += ms(2000);
        finds.take_batch(now);
        finds.judge(addr(1), true, now);
        finds.found(addr(1), now + ms(100_000_000));
        assert_eq!(finds.due(), None, "joined is joined");
    }

    #[test]
    fn a_batch_that_nobody_takes_waits() {
        let (mut finds, start) = (Finds::default(), Instant::now());
        finds.found(addr(1), start);
        let now = start + ms(100);
        let batch = finds.take_batch(now);
        finds.take_back(&batch, now);
        assert_eq!(finds.due(), Some(now + ms(1000)));
        assert_eq!(finds.take_batch(now + ms(1000)), batch);
    }

    #[test]
    fn a_flood_is_bounded_in_memory_and_in_rate() {
        let (mut finds, start) = (Finds::default(), Instant::now());
        let (mut given, mut passed_over) = (0, 0);
        for n in 0..100_000 {
            let now = start + ms(u64::from(n) / 10);
            passed_over += u32::from(!finds.found(addr(n), now));
            given += finds.take_batch(now).len();
            assert!(finds.known.len() <= KNOWN_MAX);
        }
        // Ten seconds of it.
        assert_eq!(given, 10 * BATCH_MAX);
        assert!(passed_over > 90_000);
        let later = start + ms(11_000);
        assert_eq!(finds.take_batch(later).len(), BATCH_MAX);
        // What is settled makes room.
        assert!(finds.found(addr(200_000), later));
    }
}
