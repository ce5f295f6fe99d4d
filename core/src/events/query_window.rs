//! Which queries have been seen: by Lamport time, and by number within one.

use alloc::collections::BTreeMap;

use smallvec::SmallVec;

use super::LamportClock;
use crate::id::LamportTime;
use crate::io::QueryId;

/// Numbers that are told apart within one Lamport time: so many nodes may ask at the same moment.
const IDS_PER_TIME_MAX: usize = 256;

/// What is known of a query that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing; it is from now on.
    New,
    /// It came before, or is too old to tell (facts 2.9).
    Before,
    /// As many came with its Lamport time as can be told apart; it counts as known, or it would go round for ever.
    Crowded,
}

/// The queries of the last `query_buffer` Lamport times; empty until there are any.
#[derive(Clone, Debug)]
pub(crate) struct QueryWindow {
    /// Older ones were asked before this life.
    min: LamportTime,
    seen: BTreeMap<LamportTime, SmallVec<[u32; 4]>>,
}

impl QueryWindow {
    /// After a life whose query clock has seen `before`; 0 when there was none.
    pub(crate) const fn new(before: LamportTime) -> Self {
        let min = if before.0 == 0 { before } else { before.next() };
        Self { min, seen: BTreeMap::new() }
    }

    /// A query came in, and the clock has witnessed it. At most `buffer` Lamport times are remembered, and one more at the clock's end.
    pub(crate) fn see(&mut self, query: QueryId, clock: LamportClock, buffer: u32) -> Seen {
        let oldest = LamportTime(clock.time().0.saturating_sub(buffer.into()));
        if query.ltime < self.min || query.ltime < oldest {
            return Seen::Before;
        }
        while self.seen.first_key_value().is_some_and(|(time, _)| *time < oldest) {
            self.seen.pop_first();
        }
        let ids = self.seen.entry(query.ltime).or_default();
        if ids.contains(&query.id) {
            return Seen::Before;
        }
        if ids.len() == IDS_PER_TIME_MAX {
            return Seen::Crowded;
        }
        ids.push(query.id);
        Seen::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::LamportClocks;
    use crate::wire::Clocks;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn query(ltime: u64, id: u32) -> QueryId {
        QueryId { ltime: LamportTime(ltime), id }
    }

    fn clock() -> LamportClock {
        LamportClocks::restored(Clocks::default()).query
    }

    #[test]
    fn numbers_of_one_time_are_told_apart_up_to_a_bound() {
        let (mut window, mut clock) = (QueryWindow::new(LamportTime(0)), clock());
        clock.witness(LamportTime(9));
        for id in 0..IDS_PER_TIME_MAX as u32 {
            assert_eq!(window.see(query(9, id), clock, 16), Seen::New);
            assert_eq!(window.see(query(9, id), clock, 16), Seen::Before);
        }
        assert_eq!(window.see(query(9, 999), clock, 16), Seen::Crowded);
        assert_eq!(window.see(query(9, 3), clock, 16), Seen::Before);
        assert_eq!(window.see(query(8, 999), clock, 16), Seen::New);
    }

    #[test]
    fn what_was_asked_in_an_earlier_life_is_old() {
        let mut window = QueryWindow::new(LamportTime(7));
        let mut clock = clock();
        clock.witness(LamportTime(7));
        assert_eq!(window.see(query(7, 1), clock, 512), Seen::Before);
        assert_eq!(window.see(query(8, 1), clock, 512), Seen::New);
        assert_eq!(QueryWindow::new(LamportTime(0)).see(query(0, 1), clock, 512), Seen::New);
    }

    proptest! {
        /// Against a list of all that ever came: new is what is within the window and not in the list.
        #[test]
        fn the_window_remembers_like_a_list(
            before in 0u64..5,
            queries in prop::collection::vec((0u64..60, 0u32..3), 0..200),
        ) {
            const BUFFER: u32 = 16;
            let mut window = QueryWindow::new(LamportTime(before));
            let (mut clock, mut list) = (clock(), Vec::new());
            for (ltime, id) in queries {
                clock.witness(LamportTime(ltime));
                let too_old = ltime + u64::from(BUFFER) < clock.time().0 || before > 0 && ltime <= before;
                let new = !too_old && !list.contains(&(ltime, id));
                let seen = window.see(query(ltime, id), clock, BUFFER);
                prop_assert_eq!(seen == Seen::New, new);
                prop_assert!(window.seen.len() <= BUFFER as usize);
                list.push((ltime, id));
            }
        }
    }
}
