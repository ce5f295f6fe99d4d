//! Intents about members that are not known yet: they may overtake the member's own announcement (facts 2.4).

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::id::{LamportTime, NodeName};
use crate::time::Instant;

/// What the last intent about an unknown name said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) ltime: LamportTime,
    /// Whether the member leaves.
    pub(crate) leaving: bool,
}

/// What became of an intent that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is news, and kept.
    Yes,
    /// As late an intent about that name is there already.
    Known,
    /// It is news, but `intents_max` are there already.
    Full,
}

/// The last intent about each unknown name, at most `intents_max`, each until `recent_intent_timeout` has passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct EarlyIntents {
    /// Ordered maps, because an attacker chooses the names.
    by_name: BTreeMap<NodeName, (Early, u64)>,
    /// When each came, in the order of coming.
    by_age: BTreeMap<u64, (Instant, NodeName)>,
    next: u64,
}

impl EarlyIntents {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Keeps an intent in place of an earlier one about that name.
    pub(crate) fn keep(&mut self, name: &NodeName, early: Early, max: usize, now: Instant) -> Kept {
        match self.by_name.get(name) {
            Some((known, _)) if known.ltime >= early.ltime => return Kept::Known,
            Some(_) => {}
            None if self.by_name.len() >= max => return Kept::Full,
            None => {}
        }
        let age = self.next;
        self.next += 1;
        if let Some((_, before)) = self.by_name.insert(name.clone(), (early, age)) {
            self.by_age.remove(&before);
        }
        self.by_age.insert(age, (now, name.clone()));
        Kept::Yes
    }

    /// What is known of a name that is a member from now on.
    pub(crate) fn take(&mut self, name: &str) -> Option<Early> {
        let (early, age) = self.by_name.remove(name)?;
        self.by_age.remove(&age);
        Some(early)
    }

    /// When the oldest one came.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.by_age.first_key_value().map(|(_, (came, _))| *came)
    }

    /// Drops what came `timeout` ago or earlier.
    pub(crate) fn expire(&mut self, timeout: Duration, now: Instant) {
        while let Some(entry) = self.by_age.first_entry() {
            if entry.get().0 + timeout > now {
                return;
            }
            let (_, name) = entry.remove();
            self.by_name.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn name(of: &str) -> NodeName {
        NodeName::new(of).unwrap()
    }

    fn early(ltime: u64, leaving: bool) -> Early {
        Early { ltime: LamportTime(ltime), leaving }
    }

    #[test]
    fn one_intent_is_kept_for_each_name_and_the_later_one_wins() {
        let mut intents = EarlyIntents::default();
        let now = Instant::ORIGIN;
        assert_eq!(intents.keep(&name("a"), early(5, false), 16, now), Kept::Yes);
        assert_eq!(intents.keep(&name("a"), early(6, true), 16, now), Kept::Yes);
        for old in [early(6, false), early(4, false)] {
            assert_eq!(intents.keep(&name("a"), old, 16, now), Kept::Known);
        }
        assert_eq!((intents.len(), intents.take("a"), intents.take("a")), (1, Some(early(6, true)), None));
        assert_eq!(intents.oldest(), None);
    }

    /// Facts 5.2, 108.
    #[test]
    fn intents_expire_by_the_time_of_the_last_one_about_their_name() {
        let mut intents = EarlyIntents::default();
        let at = |minutes| Instant::ORIGIN + MINUTE * minutes;
        intents.keep(&name("a"), early(1, false), 16, at(0));
        intents.keep(&name("b"), early(1, false), 16, at(1));
        intents.keep(&name("a"), early(2, false), 16, at(2));
        intents.expire(5 * MINUTE, at(5));
        assert_eq!((intents.len(), intents.oldest()), (2, Some(at(1))));
        intents.expire(5 * MINUTE, at(6));
        assert_eq!((intents.len(), intents.oldest()), (1, Some(at(2))));
        intents.expire(5 * MINUTE, at(7));
        assert_eq!((intents.len(), intents.oldest()), (0, None));
    }

    #[test]
    fn no_more_names_are_kept_than_allowed_but_those_there_are_kept_up_to_date() {
        let mut intents = EarlyIntents::default();
        let now = Instant::ORIGIN;
        for (name, kept) in [("a", Kept::Yes), ("b", Kept::Yes), ("c", Kept::Full)] {
            assert_eq!(intents.keep(&self::name(name), early(1, false), 2, now), kept);
        }
        for ltime in 2..1000 {
            assert_eq!(intents.keep(&name("a"), early(ltime, true), 2, now), Kept::Yes);
        }
        assert_eq!((intents.by_name.len(), intents.by_age.len()), (2, 2));
    }
}
