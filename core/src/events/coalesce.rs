//! Coalescing: bursts of events merged for an application that would rather hear less often.
//!
//! A driver feeds every [`Event`] with its moment; what is not taken it passes on at once. When the [deadline] has passed, or
//! at shutdown, it flushes. A window begins with its first event, and is over when it is `period` old, or when no further
//! event has come for `quiet` (Serf: 3 s and 1 s in its agent).
//!
//! [deadline]: MemberCoalescer::deadline

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use crate::id::{LamportTime, NodeName, SharedIdentity};
use crate::io::Event;
use crate::time::Instant;

/// When a window is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Longest time from the first event of a window to its flush.
    pub period: Duration,
    /// Time without further events after which a window is flushed.
    pub quiet: Duration,
}

impl Default for Times {
    /// Serf's agent: 3 s and 1 s.
    fn default() -> Self {
        Self { period: Duration::from_secs(3), quiet: Duration::from_secs(1) }
    }
}

/// A window that is open, or none.
#[derive(Clone, Copy, Debug)]
struct Window {
    times: Times,
    open: Option<(Instant, Instant)>,
    full: bool,
}

impl Window {
    const fn new(times: Times) -> Self {
        Self { times, open: None, full: false }
    }

    fn event(&mut self, now: Instant) {
        let first = self.open.map_or(now, |(first, _)| first);
        self.open = Some((first, now));
    }

    fn deadline(&self) -> Option<Instant> {
        let (first, last) = self.open?;
        let due = (first + self.times.period).min(last + self.times.quiet);
        Some(if self.full { first } else { due })
    }

    const fn close(&mut self) {
        self.open = None;
        self.full = false;
    }
}

/// What happened to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberChange {
    /// [`Event::Join`]
    Join,
    /// [`Event::Leave`]
    Leave,
    /// [`Event::Failed`]
    Failed,
    /// [`Event::Update`]
    Update,
    /// [`Event::Reap`]
    Reap,
}

impl MemberChange {
    fn of<'e>(event: &Event<'e>) -> Option<(Self, &'e SharedIdentity)> {
        match *event {
            Event::Join { member, .. } => Some((Self::Join, member)),
            Event::Leave { member } => Some((Self::Leave, member)),
            Event::Failed { member, .. } => Some((Self::Failed, member)),
            Event::Update { member } => Some((Self::Update, member)),
            Event::Reap { member } => Some((Self::Reap, member)),
            _ => None,
        }
    }
}

/// Merges member events: of each member the latest in a window counts, and only if it is another than the last that was
/// given out (an update always counts); all of one kind are given out together.
#[derive(Clone, Debug)]
pub struct MemberCoalescer {
    window: Window,
    /// Members that may wait, and members whose last change is remembered.
    max: usize,
    latest: BTreeMap<NodeName, (MemberChange, SharedIdentity)>,
    /// What was given out last of each member that was not reaped since.
    told: BTreeMap<NodeName, MemberChange>,
}

impl MemberCoalescer {
    /// A coalescer in whose window at most `max` members (at least 1) wait.
    #[must_use]
    pub fn new(times: Times, max: usize) -> Self {
        Self { window: Window::new(times), max: max.max(1), latest: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// Takes a member event; `false` when it is none, or there is no room before a flush: then the caller passes it on at once.
    #[must_use = "an event that was not taken is passed on at once"]
    pub fn push(&mut self, event: &Event<'_>, now: Instant) -> bool {
        let Some((change, member)) = MemberChange::of(event) else { return false };
        if self.latest.len() >= self.max && !self.latest.contains_key(&*member.name) {
            self.tell(&member.name, change);
            return false;
        }
        self.latest.insert(member.name.clone(), (change, member.clone()));
        self.window.event(now);
        self.window.full = self.latest.len() >= self.max;
        true
    }

    /// When to flush; lies in the past once no further member has room.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.window.deadline()
    }

    /// Ends the window: the kinds of changes in it, each with its members by name.
    #[must_use = "what was flushed is not kept"]
    pub fn flush(&mut self) -> Vec<(MemberChange, Vec<SharedIdentity>)> {
        self.window.close();
        let mut changes: BTreeMap<MemberChange, Vec<SharedIdentity>> = BTreeMap::new();
        for (name, (change, member)) in core::mem::take(&mut self.latest) {
            if change == MemberChange::Update || self.told.get(&name) != Some(&change) {
                self.tell(&name, change);
                changes.entry(change).or_default().push(member);
            }
        }
        changes.into_iter().collect()
    }

    fn tell(&mut self, name: &NodeName, change: MemberChange) {
        if change == MemberChange::Reap {
            self.told.remove(name);
        } else if self.told.len() < self.max || self.told.contains_key(name) {
            self.told.insert(name.clone(), change);
        }
    }
}

/// A user event that waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingEvent {
    /// Event clock when it was sent.
    pub ltime: LamportTime,
    /// Who sent it.
    pub origin: Box<str>,
    /// The application's name for it.
    pub name: Box<str>,
    /// The application's data.
    pub payload: Box<[u8]>,
}

/// Merges user events that may be merged: of each name those with the largest Lamport time in a window count, all of them.
#[derive(Clone, Debug)]
pub struct UserCoalescer {
    window: Window,
    /// Events that may wait.
    max: usize,
    waiting: usize,
    latest: BTreeMap<Box<str>, Vec<WaitingEvent>>,
}

impl UserCoalescer {
    /// A coalescer in whose window at most `max` events (at least 1) wait.
    #[must_use]
    pub fn new(times: Times, max: usize) -> Self {
        Self { window: Window::new(times), max: max.max(1), waiting: 0, latest: BTreeMap::new() }
    }

    /// Takes a user event that may be merged; `false` when it may not, is none, or there is no room before a flush: then the
    /// caller passes it on at once.
    #[must_use = "an event that was not taken is passed on at once"]
    pub fn push(&mut self, event: &Event<'_>, now: Instant) -> bool {
        let Event::User { ltime, origin, name, payload, coalesce: true } = *event else { return false };
        let newest = self.latest.get(name).and_then(|waiting| waiting.first()).map(|event| event.ltime);
        if newest.is_some_and(|newest| ltime < newest) {
            // A newer one of this name waits, so this one has no more to say.
            self.window.event(now);
            return true;
        }
        let replaced = if newest.is_some_and(|newest| ltime > newest) {
            self.latest.get(name).map_or(0, Vec::len)
        } else {
            0
        };
        if self.waiting - replaced >= self.max {
            return false;
        }
        self.waiting = self.waiting - replaced + 1;
        let waiting = self.latest.entry(name.into()).or_default();
        if replaced > 0 {
            waiting.clear();
        }
        waiting.push(WaitingEvent {
            ltime,
            origin: origin.into(),
            name: name.into(),
            payload: payload.into(),
        });
        self.window.event(now);
        self.window.full = self.waiting >= self.max;
        true
    }

    /// When to flush; lies in the past once no further event has room.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.window.deadline()
    }

    /// Ends the window: the events that count, by name, in the order in which they came.
    #[must_use = "what was flushed is not kept"]
    pub fn flush(&mut self) -> Vec<WaitingEvent> {
        self.window.close();
        self.waiting = 0;
        core::mem::take(&mut self.latest).into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
