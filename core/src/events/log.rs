//! What a node knows of user events: which it has, which it misses, and which it keeps for others.
//!
//! An event is known by its origin, the life of that origin, and its number in that life. Serf knows it by Lamport time, name
//! and payload instead, so that two equal events of one time are one, and a busy moment pushes others out of its window.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::origins::{Gap, Origin, Origins};
use super::store::{Key, Store};
use crate::config::Config;
use crate::deadlines::Timer;
use crate::id::{EventSeq, LamportTime, Life};
use crate::rng::{Purpose, Rng, Seed};
use crate::time::{Instant, nanos};
use crate::wire::{EventMark, PULL_SPANS_MAX, Spans, UserEvent};

/// Most origins whose marks are told in one exchange: those heard of last.
pub(crate) const MARKS_MAX: usize = 256;
/// Most numbers in one pull, and most that are looked up for one.
pub(crate) const PULL_NUMBERS_MAX: u32 = 64;
/// Numbers in a pull about an origin of which nothing was known and that may be all history: one old event ends it.
const PULL_NUMBERS_UNSURE: u32 = 8;
/// Pulls that may go out at one moment; further ones wait an eighth of `event_repair_delay`.
pub(crate) const PULLS_AT_ONCE: usize = 8;
/// How often a gap is asked for in vain before it is given up.
const TRIES_MAX: u8 = 8;
/// Longest time between two tries, as a multiple of `event_repair_delay`.
const BACK_OFF_MAX: u32 = 8;

/// What an event turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    New,
    Repeated,
    Old,
}

/// What hearing an event, or of one, led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) verdict: Verdict,
    /// Numbers given up because an origin's were too scattered.
    pub(crate) lost: u32,
    /// Whether another origin was forgotten for this one.
    pub(crate) shed: bool,
}

/// What is to be done about missing events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Ask for them, the `tries`-th time in vain before.
    Ask { place: u32, tries: u8, witness: Option<SocketAddr> },
    /// So many were given up.
    GaveUp(u32),
}

/// User events of one node.
#[derive(Clone, Debug)]
pub(crate) struct EventLog {
    /// Which life of this node numbers its events.
    life: Life,
    /// The number of its last event; 0 before the first.
    sent: u32,
    /// Events stamped before are old.
    min_time: LamportTime,
    /// Whether the node has ever been a member among others, so that what it hears is meant for it.
    pub(crate) met: bool,
    origins: Origins,
    pub(crate) store: Store,
    /// Origins with a gap, by when it is asked for.
    gapped: BTreeSet<(Instant, u32)>,
    /// Of [`Due::Repair`](crate::Due::Repair), and when it fires.
    pub(crate) timer: Option<(Timer, Instant)>,
}

/// How long after it was sent an event may still be asked for: five pulls, with all their delays at their longest.
pub(crate) fn settle_time(config: &Config) -> Duration {
    if config.event_repair {
        config.event_repair_delay * (1 + 1 + 2 + 4 + BACK_OFF_MAX) * 3 / 2
    } else {
        Duration::ZERO
    }
}

/// A delay, and up to half of it more, so that not all members ask at once.
fn jittered(delay: Duration, rng: &mut Rng) -> Duration {
    delay.saturating_add(Duration::from_nanos(rng.below_u64(nanos(delay) / 2)))
}

impl EventLog {
    /// The log of a node that begins a life; its former one had seen `seen`, or 0.
    pub(crate) fn new(seed: &Seed, seen: LamportTime, met: bool) -> Self {
        Self {
            life: Life(seed.stream(Purpose::EventLife).u32()),
            sent: 0,
            min_time: if seen.0 == 0 { LamportTime(0) } else { seen.next() },
            met,
            origins: Origins::new(),
            store: Store::new(),
            gapped: BTreeSet::new(),
            timer: None,
        }
    }

    pub(crate) const fn life(&self) -> Life {
        self.life
    }

    /// The number of this node's next event, if there is one left.
    pub(crate) fn next_seq(&self) -> Option<EventSeq> {
        self.sent.checked_add(1).map(EventSeq)
    }

    /// Gives a number to an event of this node.
    pub(crate) const fn sent(&mut self, seq: EventSeq) {
        self.sent = seq.0;
    }

    /// Events stamped before are old from now on.
    pub(crate) fn ignore_before(&mut self, time: LamportTime) {
        self.min_time = self.min_time.max(time);
    }

    /// Takes note of an event. `hash` is that of its origin's name, `mine` whether that is this node; `clock` the event clock.
    #[expect(clippy::too_many_arguments, reason = "an event with its context; each is used once")]
    pub(crate) fn hear(
        &mut self,
        hash: u64,
        mine: bool,
        event: &UserEvent<'_>,
        clock: LamportTime,
        config: &Config,
        now: Instant,
        rng: &mut Rng,
    ) -> Heard {
        let heard = |verdict| Heard { verdict, lost: 0, shed: false };
        if mine && event.life == self.life {
            // A number that was not given yet is a forgery, and nobody else's to give.
            return heard(Verdict::Repeated);
        }
        let found = self.origins.find(hash, event.origin, event.life);
        let floor = found.map_or(self.origins.floor(), |place| self.origins.get(place).floor);
        let old = event.ltime < self.min_time || event.ltime <= floor;
        // Without repair the marks may have holes for ever, so Serf's window holds as well.
        let window = LamportTime(clock.0.saturating_sub(config.event_buffer.into()));
        let outside = !config.event_repair && event.ltime < window;
        let Some(place) = found else {
            if old || outside {
                return heard(Verdict::Old);
            }
            let (place, shed) = self.meet(hash, event.origin, event.life, config);
            let lost = self.note(place, event, config, now, rng);
            return Heard { verdict: Verdict::New, lost, shed };
        };
        self.origins.touch(place);
        let origin = self.origins.get_mut(place);
        if origin.received.contains(event.seq.0) {
            return heard(Verdict::Repeated);
        }
        if old {
            // An origin stamps in the order of its numbers: all before this one are old too.
            origin.received.skip_to(event.seq.0);
            self.watch(place, config, now, rng);
            return heard(Verdict::Old);
        }
        if outside {
            return heard(Verdict::Old);
        }
        let lost = self.note(place, event, config, now, rng);
        Heard { lost, ..heard(Verdict::New) }
    }

    /// An entry for an origin; whether another was forgotten for it.
    fn meet(&mut self, hash: u64, name: &str, life: Life, config: &Config) -> (u32, bool) {
        let full = self.origins.len() >= config.event_origins_max as usize;
        let vacant = if full { self.origins.forget_oldest() } else { None };
        if let Some(place) = vacant
            && let Some(gap) = self.origins.get_mut(place).gap.take()
        {
            self.gapped.remove(&(gap.due, place));
        }
        (self.origins.insert(hash, name, life, vacant), vacant.is_some())
    }

    /// A new event is delivered; how many numbers of its origin are given up for want of room.
    fn note(
        &mut self,
        place: u32,
        event: &UserEvent<'_>,
        config: &Config,
        now: Instant,
        rng: &mut Rng,
    ) -> u32 {
        let origin = self.origins.get_mut(place);
        origin.delivered = origin.delivered.max(event.ltime);
        let lost = origin.received.insert(event.seq.0).unwrap_or(0);
        if let Some(gap) = origin.gap.as_mut().filter(|gap| event.seq.0 <= gap.horizon && gap.asked > 0) {
            gap.asked -= 1;
            if gap.asked == 0 {
                // All that was asked for has come, and there may be more.
                self.gapped.remove(&(gap.due, place));
                gap.due = now + config.event_repair_delay / 8;
                self.gapped.insert((gap.due, place));
            }
        }
        self.watch(place, config, now, rng);
        lost
    }

    /// Watches an origin's gap if it has one, and stops when it is closed.
    fn watch(&mut self, place: u32, config: &Config, now: Instant, rng: &mut Rng) {
        let origin = self.origins.get_mut(place);
        match (&origin.gap, origin.received.has_gap() && config.event_repair) {
            (None, true) => {
                let due = now + jittered(config.event_repair_delay, rng);
                let horizon = origin.received.claimed();
                origin.gap =
                    Some(Box::new(Gap { due, horizon, tries: 0, asked: 0, missing: 0, witness: None }));
                self.gapped.insert((due, place));
            }
            (Some(gap), false) => {
                self.gapped.remove(&(gap.due, place));
                origin.gap = None;
            }
            _ => {}
        }
    }

    /// A peer has come so far with an origin. With `baseline` all of that is history; else what is missing is asked for.
    #[expect(clippy::too_many_arguments, reason = "a mark with its context; each is used once")]
    pub(crate) fn hear_mark(
        &mut self,
        hash: u64,
        mine: bool,
        mark: &EventMark<'_>,
        baseline: bool,
        from: SocketAddr,
        config: &Config,
        now: Instant,
        rng: &mut Rng,
    ) -> bool {
        if mine && mark.life == self.life || mark.highest.0 == 0 {
            return false;
        }
        let (place, shed) = match self.origins.find(hash, mark.origin, mark.life) {
            Some(place) => (place, false),
            // Hearsay pushes nobody out whose events came.
            None if !baseline && self.origins.len() >= config.event_origins_max as usize => return false,
            None => self.meet(hash, mark.origin, mark.life, config),
        };
        let received = &mut self.origins.get_mut(place).received;
        if baseline {
            received.skip_to(mark.highest.0);
        } else {
            received.claim(mark.highest.0);
        }
        self.watch(place, config, now, rng);
        if let Some(gap) = self.origins.get_mut(place).gap.as_mut().filter(|gap| gap.tries == 0) {
            gap.witness = Some(from);
        }
        shed
    }

    /// How far this node has come with its own events and those of the origins heard of last.
    pub(crate) fn marks<'a>(&'a self, me: &'a str) -> impl Iterator<Item = EventMark<'a>> {
        let own = EventSeq(self.sent);
        let own = EventMark { origin: me, life: self.life, complete: own, highest: own };
        let others = self.origins.latest().map(|origin| EventMark {
            origin: &origin.name,
            life: origin.life,
            complete: EventSeq(origin.received.complete()),
            highest: EventSeq(origin.received.highest()),
        });
        core::iter::once(own).chain(others).filter(|mark| mark.highest.0 > 0).take(MARKS_MAX)
    }

    /// Under which number an origin's events are kept; 0 is this node.
    pub(crate) fn kept_under(&self, hash: u64, mine: bool, name: &str, life: Life) -> Option<u32> {
        if mine && life == self.life {
            return Some(0);
        }
        self.origins.find(hash, name, life).map(|place| self.origins.get(place).number)
    }

    /// Keeps an event that was delivered, as it is sent again.
    pub(crate) fn keep(&mut self, key: Key, bytes: &[u8], now: Instant, config: &Config) {
        self.store.keep(key, bytes, now, config.event_buffer as usize);
    }

    /// When the next gap is to be asked for.
    pub(crate) fn next_repair(&self) -> Option<Instant> {
        self.gapped.first().map(|&(due, _)| due)
    }

    /// What is due about missing events; call again until there is nothing.
    pub(crate) fn repair(&mut self, config: &Config, now: Instant, rng: &mut Rng) -> Option<Repair> {
        loop {
            let &(due, place) = self.gapped.first()?;
            if due > now {
                return None;
            }
            self.gapped.pop_first();
            let Origin { received, gap: slot, .. } = self.origins.get_mut(place);
            let Some(gap) = slot else { continue };
            let missing = received.missing_count(gap.horizon);
            if missing > 0 && gap.tries > 0 && missing < gap.missing {
                gap.tries = 0;
            }
            let give_up = missing > 0 && gap.tries >= TRIES_MAX;
            if give_up {
                received.skip_to(gap.horizon.min(received.highest()));
                received.unclaim();
            }
            if give_up || missing == 0 {
                // What came up meanwhile gets its own time.
                *slot = None;
                self.watch(place, config, now, rng);
                if give_up {
                    return Some(Repair::GaveUp(missing));
                }
                continue;
            }
            let (tries, witness) = (gap.tries, gap.witness.take());
            let back_off = (1 << tries.saturating_sub(1).min(8)).min(BACK_OFF_MAX);
            gap.due = now + jittered(config.event_repair_delay * back_off, rng);
            gap.missing = missing;
            self.gapped.insert((gap.due, place));
            return Some(Repair::Ask { place, tries, witness });
        }
    }

    /// The pull for a gap, which counts as asked for: its origin, and the numbers into `spans`.
    pub(crate) fn ask(&mut self, place: u32, spans: &mut Vec<u8>) -> (&str, Life) {
        let unsure = self.min_time.max(self.origins.get(place).floor).0 > 0;
        let origin = self.origins.get_mut(place);
        let first_contact = unsure && origin.received.complete() == 0;
        let mut room = if first_contact { PULL_NUMBERS_UNSURE } else { PULL_NUMBERS_MAX };
        if let Some(gap) = &mut origin.gap {
            gap.asked = 0;
            gap.tries += 1;
            for (first, last) in origin.received.missing(gap.horizon).take(PULL_SPANS_MAX) {
                let count = (last - first).saturating_add(1).min(room);
                Spans::encode(EventSeq(last - count + 1), count, spans);
                gap.asked += count;
                room -= count;
                if room == 0 {
                    break;
                }
            }
        }
        (&origin.name, origin.life)
    }

    /// The name of the origin in an entry.
    pub(crate) fn origin_of(&self, place: u32) -> &str {
        &self.origins.get(place).name
    }
}

#[cfg(test)]
mod tests;
