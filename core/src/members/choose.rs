//! Random choice of members: O(k) by drawing and rejecting, as long as most candidates are acceptable.

use smallvec::SmallVec;

use super::{Members, NOWHERE};
use crate::id::Slot;
use crate::io::{State, Status};
use crate::rng::Rng;

/// Members chosen at random; no allocation up to the usual fan-outs.
pub(crate) type Chosen = SmallVec<[Slot; 8]>;

impl Members {
    /// Up to `k` distinct members to gossip to: alive, suspect, or dead but not forgotten, so that they can refute.
    pub(crate) fn choose_reachable(&self, k: usize, rng: &mut Rng) -> Chosen {
        self.choose(k, rng, |_| true)
    }

    /// Up to `k` distinct members that are alive, except one.
    pub(crate) fn choose_alive(&self, k: usize, except: Option<Slot>, rng: &mut Rng) -> Chosen {
        let except = except.map_or(NOWHERE, |slot| slot.index);
        self.choose(k, rng, |index| index != except && self.rows[index as usize].state == State::Alive)
    }

    /// One member with status failed, each equally likely. A scan: done once in a `reconnect_interval` at most.
    pub(crate) fn choose_failed(&self, rng: &mut Rng) -> Option<Slot> {
        let mut skip = rng.below(self.failed) as usize;
        for (index, row) in self.rows.iter().enumerate() {
            if row.status == Status::Failed && self.identities[index].is_some() {
                if skip == 0 {
                    return Some(self.slot(index as u32));
                }
                skip -= 1;
            }
        }
        None
    }

    fn choose(&self, k: usize, rng: &mut Rng, accept: impl Fn(u32) -> bool) -> Chosen {
        let mut chosen = Chosen::new();
        let candidates = self.reachable.len();
        if candidates > 3 * k {
            // Each draw fails with probability below 1/3 while most are acceptable, so this rarely runs out.
            for _ in 0..8 * k + 8 {
                if chosen.len() == k {
                    return chosen;
                }
                let index = self.reachable[rng.below(candidates as u32) as usize];
                let slot = self.slot(index);
                if accept(index) && !chosen.contains(&slot) {
                    chosen.push(slot);
                }
            }
            if chosen.len() == k {
                return chosen;
            }
            chosen.clear();
        }
        self.sample(k, rng, accept, chosen)
    }

    /// An exact sample by one pass, for few candidates or few acceptable ones.
    fn sample(&self, k: usize, rng: &mut Rng, accept: impl Fn(u32) -> bool, mut chosen: Chosen) -> Chosen {
        let mut seen = 0;
        for &index in self.reachable.iter().filter(|&&index| accept(index)) {
            seen += 1;
            if chosen.len() < k {
                chosen.push(self.slot(index));
            } else {
                let place = rng.below(seen) as usize;
                if place < k {
                    chosen[place] = self.slot(index);
                }
            }
        }
        chosen
    }
}
