//! Lamport clocks (Lamport 1978; facts 2.2): cause before effect without synchronised time.

use crate::id::LamportTime;
use crate::wire::Clocks;

/// One clock. Begins at 1, so that 0 can stand for "never".
#[derive(Clone, Copy, Debug)]
pub(crate) struct LamportClock(LamportTime);

impl LamportClock {
    /// The time with which the next thing is stamped.
    pub(crate) const fn time(self) -> LamportTime {
        self.0
    }

    /// Stamps something of our own: its time; the clock stands behind it afterwards.
    pub(crate) fn stamp(&mut self) -> LamportTime {
        let time = self.0;
        self.witness(time);
        time
    }

    /// Something with this time was seen: the clock stands behind it from now on.
    pub(crate) fn witness(&mut self, seen: LamportTime) {
        if seen >= self.0 {
            self.0 = seen.next().min(LamportTime::MAX);
        }
    }
}

/// The three clocks of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LamportClocks {
    pub(crate) member: LamportClock,
    pub(crate) event: LamportClock,
    pub(crate) query: LamportClock,
}

impl LamportClocks {
    /// Behind everything that a former life has seen.
    pub(crate) fn restored(seen: Clocks) -> Self {
        let after = |seen| {
            let mut clock = LamportClock(LamportTime(1));
            clock.witness(seen);
            clock
        };
        Self { member: after(seen.member), event: after(seen.event), query: after(seen.query) }
    }

    /// As they stand.
    pub(crate) const fn now(&self) -> Clocks {
        Clocks { member: self.member.time(), event: self.event.time(), query: self.query.time() }
    }

    /// A peer's clocks stand there, so it has seen all that lies before (Serf: each value less one).
    pub(crate) fn witness(&mut self, standing: Clocks) {
        let before = |time: LamportTime| LamportTime(time.0.saturating_sub(1));
        self.member.witness(before(standing.member));
        self.event.witness(before(standing.event));
        self.query.witness(before(standing.query));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_clock_stamps_1_and_a_restored_one_the_time_after_the_last_it_saw() {
        let mut clocks = LamportClocks::restored(Clocks { event: LamportTime(41), ..Clocks::default() });
        assert_eq!((clocks.member.stamp(), clocks.event.stamp()), (LamportTime(1), LamportTime(42)));
        assert_eq!((clocks.member.time(), clocks.event.time()), (LamportTime(2), LamportTime(43)));
    }

    proptest! {
        /// Whatever is seen: the clock never goes back, stands behind all of it, and can always be sent on.
        #[test]
        fn a_clock_never_goes_back(seen in prop::collection::vec(0..=LamportTime::MAX.0, 0..20)) {
            let mut clock = LamportClocks::restored(Clocks::default()).event;
            for time in seen.into_iter().map(LamportTime) {
                let before = clock.time();
                clock.witness(time);
                prop_assert!(clock.time() >= before && clock.time() <= LamportTime::MAX);
                prop_assert!(clock.time() > time || time == LamportTime::MAX);
            }
        }
    }
}
