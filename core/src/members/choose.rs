//! Random choice of members: O(k) by drawing and rejecting, as long as enough of the table is acceptable.

use smallvec::SmallVec;

use super::{Known, Members, is_reachable};
use crate::id::Slot;
use crate::io::{State, Status};
use crate::rng::Rng;

/// Members chosen at random; no allocation up to the usual fan-outs.
pub(crate) type Chosen = SmallVec<[Slot; 8]>;

impl Members {
    /// Up to `k` distinct members to gossip to: alive, suspect, or dead but not forgotten, so that they can refute.
    pub(crate) fn choose_reachable(&self, k: usize, rng: &mut Rng) -> Chosen {
        self.choose(k, rng, |_, known| is_reachable(known.state))
    }

    /// Up to `k` distinct members that are alive, except one.
    pub(crate) fn choose_alive(&self, k: usize, except: Option<Slot>, rng: &mut Rng) -> Chosen {
        self.choose(k, rng, |slot, known| known.state == State::Alive && Some(slot) != except)
    }

    /// One member with status failed, each equally likely. A scan: done once in a `reconnect_interval` at most.
    pub(crate) fn choose_failed(&self, rng: &mut Rng) -> Option<Slot> {
        let skip = rng.below(self.n_failed()) as usize;
        let failed = self.others().filter(|(_, known)| known.status == Status::Failed);
        failed.map(|(slot, _)| slot).nth(skip)
    }

    /// Every other member.
    fn others(&self) -> impl Iterator<Item = (Slot, Known)> {
        (1..self.end()).filter_map(|index| self.at(index))
    }

    fn choose(&self, k: usize, rng: &mut Rng, accept: impl Fn(Slot, &Known) -> bool) -> Chosen {
        let mut chosen = Chosen::new();
        let (rows, reachable) = (self.end() - 1, self.reachable());
        if reachable as usize > 3 * k && reachable >= rows / 4 {
            // Where every second draw meets somebody acceptable this runs out once in a million calls.
            for _ in 0..16 * k + 16 {
                if chosen.len() == k {
                    return chosen;
                }
                if let Some((slot, known)) = self.at(1 + rng.below(rows))
                    && accept(slot, &known)
                    && !chosen.contains(&slot)
                {
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
    fn sample(
        &self,
        k: usize,
        rng: &mut Rng,
        accept: impl Fn(Slot, &Known) -> bool,
        mut chosen: Chosen,
    ) -> Chosen {
        let mut seen = 0;
        for (slot, _) in self.others().filter(|(slot, known)| accept(*slot, known)) {
            seen += 1;
            if chosen.len() < k {
                chosen.push(slot);
            } else {
                let place = rng.below(seen) as usize;
                if place < k {
                    chosen[place] = slot;
                }
            }
        }
        // Who stands where says how early a row was met; a batch that ends within a round must not favour those.
        for last in (1..chosen.len()).rev() {
            chosen.swap(last, rng.below(last as u32 + 1) as usize);
        }
        chosen
    }
}
