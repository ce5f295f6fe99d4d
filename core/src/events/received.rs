//! Which numbers of one life of one origin are known: all up to a mark, and some runs above it.

use smallvec::SmallVec;

/// Most runs kept above the mark: 4 kB for each origin at worst. A heavily reordered burst needs some dozens.
pub(crate) const RUNS_MAX: usize = 512;

/// Known numbers. A number that is given up, or not wanted, counts as known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Every number up to here is known.
    complete: u32,
    /// The largest number that somebody has claimed to exist.
    claimed: u32,
    /// Known numbers above the mark: first and last of each run, ascending, never touching each other or the mark.
    runs: SmallVec<[(u32, u32); 1]>,
}

impl Received {
    pub(crate) const fn complete(&self) -> u32 {
        self.complete
    }

    /// The largest known number.
    pub(crate) fn highest(&self) -> u32 {
        self.runs.last().map_or(self.complete, |&(_, last)| last)
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let after = self.runs.partition_point(|&(first, _)| first <= number);
        number <= self.complete || after > 0 && number <= self.runs[after - 1].1
    }

    /// Notes a number: `None` when it was known, else how many numbers were given up because the runs were too many.
    pub(crate) fn insert(&mut self, number: u32) -> Option<u32> {
        if self.contains(number) {
            return None;
        }
        let at = self.runs.partition_point(|&(first, _)| first < number);
        let joins_before = at > 0 && self.runs[at - 1].1 + 1 == number;
        let joins_after = self.runs.get(at).is_some_and(|&(first, _)| number + 1 == first);
        match (joins_before, joins_after) {
            (true, true) => {
                self.runs[at - 1].1 = self.runs[at].1;
                self.runs.remove(at);
            }
            (true, false) => self.runs[at - 1].1 = number,
            (false, true) => self.runs[at].0 = number,
            (false, false) => self.runs.insert(at, (number, number)),
        }
        self.absorb();
        let lost = if self.runs.len() > RUNS_MAX { self.skip_to(self.runs[0].0) } else { 0 };
        Some(lost)
    }

    /// Takes all up to a number as known; how many were not.
    pub(crate) fn skip_to(&mut self, number: u32) -> u32 {
        let mut unknown = number.saturating_sub(self.complete);
        for &(first, last) in self.runs.iter().take_while(|&&(first, _)| first <= number) {
            unknown -= last.min(number) - first + 1;
        }
        self.complete = self.complete.max(number);
        self.absorb();
        unknown
    }

    /// Runs that the mark has reached become part of what lies below it.
    fn absorb(&mut self) {
        let mut reached = 0;
        for &(first, last) in &self.runs {
            if first > self.complete.saturating_add(1) {
                break;
            }
            self.complete = self.complete.max(last);
            reached += 1;
        }
        self.runs.drain(..reached);
    }

    /// Somebody says that there are numbers up to this one.
    pub(crate) fn claim(&mut self, number: u32) {
        self.claimed = self.claimed.max(number);
    }

    /// Forgets what was only claimed: nobody could show it. A lie must not make later numbers old.
    pub(crate) const fn unclaim(&mut self) {
        self.claimed = 0;
    }

    /// The largest number that is known to exist, or said to.
    pub(crate) fn claimed(&self) -> u32 {
        self.claimed.max(self.highest())
    }

    /// The runs of unknown numbers up to `limit`, the highest first: first and last of each.
    pub(crate) fn missing(&self, limit: u32) -> impl Iterator<Item = (u32, u32)> {
        let mut end = self.claimed().min(limit);
        let mut below = self.runs.len();
        core::iter::from_fn(move || {
            while end > self.complete {
                let (first, last) = if below > 0 { self.runs[below - 1] } else { (0, self.complete) };
                below = below.saturating_sub(1);
                let top = end;
                end = end.min(first.saturating_sub(1));
                if last < top {
                    return Some((last + 1, top));
                }
            }
            None
        })
    }

    /// How many numbers up to `limit` are unknown.
    pub(crate) fn missing_count(&self, limit: u32) -> u32 {
        self.missing(limit).fold(0, |sum, (first, last)| sum.saturating_add(last - first).saturating_add(1))
    }

    pub(crate) fn has_gap(&self) -> bool {
        self.claimed() > self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn too_many_runs_give_up_the_lowest_gap() {
        let mut received = Received::default();
        for run in 1..=RUNS_MAX as u32 {
            assert_eq!(received.insert(2 * run), Some(0));
        }
        assert_eq!(received.insert(2 * RUNS_MAX as u32 + 2), Some(1));
        assert_eq!((received.complete(), received.runs.len()), (2, RUNS_MAX));
        assert_eq!(received.insert(1), None, "what was given up is not taken any more");
    }

    #[test]
    fn the_ends_of_the_numbers_are_numbers_like_others() {
        let mut received = Received::default();
        assert_eq!(received.insert(u32::MAX), Some(0));
        assert_eq!(received.missing(u32::MAX).collect::<Vec<_>>(), [(1, u32::MAX - 1)]);
        assert_eq!(received.skip_to(u32::MAX), u32::MAX - 1);
        assert!(!received.has_gap() && received.contains(u32::MAX));
    }

    proptest! {
        /// Whatever arrives, is skipped and claimed: the same answers as a plain set of numbers gives.
        #[test]
        fn the_runs_agree_with_a_set(ops in prop::collection::vec((0u8..8, 1u32..60), 0..80)) {
            let (mut received, mut model, mut claimed) = (Received::default(), BTreeSet::new(), 0);
            for (op, number) in ops {
                match op {
                    0 => {
                        let lost = (1..=number).filter(|n| model.insert(*n)).count();
                        prop_assert_eq!(received.skip_to(number), lost as u32);
                    }
                    1 => {
                        received.claim(number);
                        claimed = claimed.max(number);
                    }
                    2 => {
                        received.unclaim();
                        claimed = 0;
                    }
                    _ => prop_assert_eq!(received.insert(number), model.insert(number).then_some(0)),
                }
                let highest = model.last().copied().unwrap_or(0);
                let complete = (1..).find(|n| !model.contains(n)).unwrap() - 1;
                prop_assert_eq!((received.complete(), received.highest()), (complete, highest));
                for number in 1..62 {
                    prop_assert_eq!(received.contains(number), model.contains(&number));
                }
                for limit in [30, u32::MAX] {
                    let missing: Vec<u32> =
                        (1..=highest.max(claimed).min(limit)).rev().filter(|n| !model.contains(n)).collect();
                    let got: Vec<u32> =
                        received.missing(limit).flat_map(|(first, last)| (first..=last).rev()).collect();
                    prop_assert_eq!(received.missing_count(limit) as usize, missing.len());
                    prop_assert_eq!(got, missing);
                }
                prop_assert_eq!(received.has_gap(), highest.max(claimed) > complete);
            }
        }
    }
}
