//! Stories: what happened to each member that had trouble, the last of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rumormill_core::Instant;

use crate::agent::why::What;

/// Happenings that are kept of one member.
pub(super) const OF_ONE_MAX: usize = 32;
/// Members of which some are kept.
pub(super) const MEMBERS_MAX: usize = 1024;
/// Happenings that are kept in all: with the longest names 1.4 MB.
pub(super) const TOTAL_MAX: usize = 4096;

/// One member's.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The oldest first.
    pub(super) happenings: VecDeque<(Instant, What)>,
    /// Older ones that are not kept.
    pub(super) forgotten: u64,
    /// Its place in `Stories::order`.
    touched: u64,
}

/// All of them. Where there is no room, the member to whom nothing has happened for the longest time is forgotten.
#[derive(Debug, Default)]
pub(super) struct Stories {
    of: HashMap<Arc<str>, Story>,
    /// By when something happened to them last.
    order: BTreeMap<u64, Arc<str>>,
    touches: u64,
    total: usize,
}

impl Stories {
    pub(super) fn has(&self, name: &str) -> bool {
        !self.of.is_empty() && self.of.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Story> {
        self.of.get(name)
    }

    /// Whoever had trouble, the latest first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = (&str, &Story)> {
        self.order.values().rev().filter_map(|name| Some((&**name, self.of.get(name)?)))
    }

    /// With how much time the member's last suspicion began, milliseconds; 0 where that is forgotten.
    pub(super) fn last_timeout(&self, name: &str) -> u64 {
        let story = self.of.get(name);
        let timeout = story.and_then(|story| {
            story.happenings.iter().rev().find_map(|(_, what)| match what {
                What::Suspected { timeout_ms, .. } => Some(*timeout_ms),
                _ => None,
            })
        });
        timeout.unwrap_or(0)
    }

    pub(super) fn add(&mut self, name: &str, what: What, now: Instant) {
        let known = self.of.get_key_value(name).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| name.into());
        let story = self.of.entry(name.clone()).or_default();
        if story.happenings.len() == OF_ONE_MAX {
            story.happenings.pop_front();
            story.forgotten += 1;
            self.total -= 1;
        }
        story.happenings.push_back((now, what));
        self.total += 1;
        self.touches += 1;
        self.order.remove(&story.touched);
        story.touched = self.touches;
        self.order.insert(self.touches, name);
        while self.of.len() > MEMBERS_MAX || self.total > TOTAL_MAX {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(story) = self.of.remove(&oldest) {
                self.total -= story.happenings.len();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let total: usize = self.of.values().map(|story| story.happenings.len()).sum();
        assert_eq!((self.of.len(), total), (self.order.len(), self.total));
        (self.of.len(), total)
    }
}
