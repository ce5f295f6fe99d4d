//! Random numbers as choices: the same words give the same thing, and smaller words a simpler one.

/// How many words a part has.
pub(crate) const WORDS: usize = 16;

/// Words that choices are made of, one after the other. Every choice rises with its word, from the simplest on: what
/// shrinks words towards 0 shrinks what is made of them.
#[derive(Debug)]
pub(super) struct Words<'w> {
    words: &'w [u32],
}

impl<'w> Words<'w> {
    pub(super) const fn new(words: &'w [u32]) -> Self {
        Self { words }
    }

    /// The next word; 0 when all are used up.
    const fn word(&mut self) -> u32 {
        let Some((first, rest)) = self.words.split_first() else { return 0 };
        self.words = rest;
        *first
    }

    /// A number below `bound`; 0 when that is 0.
    pub(super) const fn below(&mut self, bound: u32) -> u32 {
        ((self.word() as u64 * bound as u64) >> 32) as u32
    }

    /// A number from `min` to `max`.
    pub(super) const fn within(&mut self, min: u32, max: u32) -> u32 {
        min.saturating_add(self.below(max.saturating_sub(min).saturating_add(1)))
    }

    /// Whether something happens that does so in `percent` of a hundred cases.
    pub(super) const fn chance(&mut self, percent: u32) -> bool {
        self.below(100) >= 100u32.saturating_sub(percent)
    }

    /// One of some, of which the first is the simplest.
    pub(super) fn one_of<T: Copy, const N: usize>(&mut self, options: [T; N]) -> T {
        const { assert!(N > 0, "there is something to choose from") };
        options[self.below(N as u32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_words_every_choice_is_the_simplest() {
        let mut words = Words::new(&[]);
        assert_eq!((words.below(7), words.within(3, 9), words.one_of([5, 6])), (0, 3, 5));
        assert!(!words.chance(99));
        assert!(words.chance(100));
    }

    #[test]
    fn a_chance_is_as_large_as_it_says() {
        let steps: Vec<u32> = (0..10_000).map(|step| step * 429_496).collect();
        let mut words = Words::new(&steps);
        let happened = (0..10_000).filter(|_| words.chance(30)).count();
        assert!(happened.abs_diff(3000) <= 2, "{happened}");
    }

    proptest! {
        #[test]
        fn choices_stay_in_their_range_and_rise_with_their_word(a: u32, b: u32, min in 0u32..1000, more in 0u32..1000) {
            let of = |word: u32| Words::new(&[word]).within(min, min + more);
            prop_assert!((min..=min + more).contains(&of(a)));
            prop_assert!(a > b || of(a) <= of(b));
        }
    }
}
