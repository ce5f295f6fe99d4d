//! Which numbers of a growing sequence have come: all up to a mark, and runs above it.

use smallvec::SmallVec;

/// The numbers that have come, from 1 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    complete: u32,
    /// First and last of each run, rising, with a gap before each.
    above: SmallVec<[(u32, u32); 2]>,
    /// The largest number heard of, come or not.
    highest: u32,
}

impl Runs {
    /// Everything up to `known` counts as come.
    pub(crate) fn after(known: u32) -> Self {
        Self { complete: known, above: SmallVec::new(), highest: known }
    }

    /// All numbers up to this one have come, or were given up.
    pub(crate) const fn complete(&self) -> u32 {
        self.complete
    }

    /// The largest number heard of.
    pub(crate) const fn highest(&self) -> u32 {
        self.highest
    }

    /// Whether a number below the highest is missing.
    pub(crate) const fn has_gap(&self) -> bool {
        self.complete < self.highest
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let before = self.above.partition_point(|(first, _)| *first <= number);
        number <= self.complete || before > 0 && number <= self.above[before - 1].1
    }

    /// Takes a number; `None` when it has come before, else how many others had to be given up for it: no more than `runs_max` runs are
    /// told apart above the mark, and beyond that the oldest gap is given up.
    pub(crate) fn take(&mut self, number: u32, runs_max: usize) -> Option<u32> {
        if self.contains(number) {
            return None;
        }
        self.highest = self.highest.max(number);
        let place = self.above.partition_point(|(first, _)| *first < number);
        let joins_before = place > 0 && self.above[place - 1].1 + 1 == number;
        let joins_after = self.above.get(place).is_some_and(|(first, _)| number + 1 == *first);
        match (joins_before, joins_after) {
            (true, true) => {
                self.above[place - 1].1 = self.above[place].1;
                self.above.remove(place);
            }
            (true, false) => self.above[place - 1].1 = number,
            (false, true) => self.above[place].0 = number,
            (false, false) => self.above.insert(place, (number, number)),
        }
        self.settle();
        let mut lost = 0;
        if self.above.len() > runs_max {
            lost = self.above[0].0 - self.complete - 1;
            self.complete = self.above[0].1;
            self.above.remove(0);
            self.settle();
        }
        Some(lost)
    }

    /// The sequence has come at least so far.
    pub(crate) fn heard_of(&mut self, number: u32) {
        self.highest = self.highest.max(number);
    }

    /// Everything up to a number counts as come.
    pub(crate) fn skip_to(&mut self, number: u32) {
        self.heard_of(number);
        self.complete = self.complete.max(number);
        self.above.retain(|(_, last)| *last > number);
        if let Some((first, _)) = self.above.first_mut() {
            *first = (*first).max(number.saturating_add(1));
        }
        self.settle();
    }

    /// Gives up everything that is missing; how many numbers.
    pub(crate) fn give_up(&mut self) -> u32 {
        let missing = self.missing().fold(0u32, |sum, (_, count)| sum.saturating_add(count));
        self.above.clear();
        self.complete = self.highest;
        missing
    }

    /// The gaps: first number and how many, rising.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (u32, u32)> {
        let ends = self.above.iter().copied().chain([(self.highest.saturating_add(1), self.highest)]);
        let mut next = self.complete.saturating_add(1);
        ends.filter_map(move |(first, last)| {
            let gap = (next, first.saturating_sub(next));
            next = last.saturating_add(1);
            (gap.1 > 0).then_some(gap)
        })
    }

    fn settle(&mut self) {
        while let Some((first, last)) =
            self.above.first().copied().filter(|run| run.0 <= self.complete.saturating_add(1))
        {
            debug_assert!(first > self.complete, "runs lie above the mark");
            self.complete = last;
            self.above.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn a_gap_that_falls_out_of_the_list_is_given_up_and_counted() {
        let mut runs = Runs::default();
        for k in 0..64 {
            assert_eq!(runs.take(3 + 2 * k, 64), Some(0));
        }
        assert_eq!(runs.take(3 + 2 * 64, 64), Some(2), "1 and 2");
        assert_eq!((runs.complete(), runs.take(1, 64)), (3, None));
    }

    proptest! {
        /// Against a set of numbers: the same ones are new, and what is missing is what is not there.
        #[test]
        fn runs_agree_with_a_set(ops in prop::collection::vec((0u8..12, 1u32..90), 0..150)) {
            let (mut runs, mut set, mut highest) = (Runs::default(), BTreeSet::new(), 0);
            for (op, number) in ops {
                highest = highest.max(number);
                match op {
                    0 => runs.heard_of(number),
                    1 => {
                        runs.skip_to(number);
                        set.extend(1..=number);
                    }
                    _ => prop_assert_eq!(runs.take(number, 64).is_some(), set.insert(number)),
                }
                let missing: Vec<u32> = runs.missing().flat_map(|(first, count)| first..first + count).collect();
                let expected: Vec<u32> = (1..=highest).filter(|n| !set.contains(n)).collect();
                prop_assert_eq!(&missing, &expected);
                prop_assert_eq!(runs.has_gap(), !expected.is_empty());
                prop_assert_eq!(runs.highest(), highest);
                let complete = (1..).take_while(|n| set.contains(n)).last().unwrap_or(0);
                prop_assert_eq!(runs.complete(), complete);
            }
            let all = (1..=highest).filter(|n| !set.contains(n)).count() as u32;
            prop_assert_eq!(runs.give_up(), all);
            prop_assert!(!runs.has_gap());
        }
    }
}
