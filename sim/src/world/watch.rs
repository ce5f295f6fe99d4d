//! A run that is watched: what the recorder is told, and runs that are made for its sake.

use std::net::SocketAddr;

use rumormill_core::io::Outbox;
use rumormill_core::time::nanos;
use rumormill_core::wire::Kinds;

use super::World;
use super::stage::{Stage, number_of};
use super::streams::Step;
use crate::network::{Carried, Fate as NetworkFate, Key, Spare};
use crate::record::RunRecord;
use crate::scenario::Scenario;
use crate::trace::{End, Fate, Filter, Reader, Recorder, Recording};
use crate::truth::Presence;

/// Runs a variant to its end, as [`super::run_with`] does, and records what passes the filter.
pub(crate) fn run(
    scenario: &Scenario,
    variant: usize,
    seed: u64,
    filter: Filter,
    progress: &mut dyn FnMut(f64),
) -> (RunRecord, Recording) {
    let mut world = World::new(scenario, &scenario.variants[variant], seed);
    world.be_watched(filter);
    let mut recording = Recording::default();
    let record = world.run_then(true, progress, |world| {
        recording = world.stage.recorder.take().map(|recorder| recorder.finish()).unwrap_or_default();
    });
    (record, recording)
}

/// A part of a run: its measured time up to a moment, perhaps with packets that are spared.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    /// The variant's index.
    pub(crate) variant: usize,
    /// The seed.
    pub(crate) seed: u64,
    /// These are exceptions.
    pub(crate) spared: &'a [(Key, Spare)],
    /// The last moment that is simulated (ns); the end of measured time if that comes first.
    pub(crate) until: u64,
}

/// Runs a part, and records what passes the filter; ends early once `enough` is said of what was recorded.
pub(crate) fn part(
    scenario: &Scenario,
    part: &Part<'_>,
    filter: Filter,
    enough: &dyn Fn(&Recording) -> bool,
    progress: &mut dyn FnMut(f64),
) -> Recording {
    let mut world = World::new(scenario, &scenario.variants[part.variant], part.seed);
    world.be_watched(filter);
    world.stage.network.spare(part.spared);
    world.schedule_faults();
    world.schedule_workloads();
    world.start();
    let end = part.until.min(nanos(scenario.duration));
    let (mut seen, mut told) = (0, 0);
    while let Some((time, what)) = world.stage.queue.pop_until(end) {
        world.advance(time);
        if time >= told {
            progress(time as f64 / 1e9);
            told = time + 1_000_000_000;
        }
        world.one_event(time, what);
        let Some(recorder) = &world.stage.recorder else { break };
        let recording = recorder.recording();
        if recording.entries.len() > seen {
            seen = recording.entries.len();
            if enough(recording) {
                break;
            }
        }
    }
    world.stage.recorder.map(|recorder| recorder.finish()).unwrap_or_default()
}

impl World<'_> {
    fn be_watched(&mut self, filter: Filter) {
        let groups = self.groups.iter().map(|group| (&*group.config, &group.keyring));
        let reader = Reader::new(groups, self.group.clone());
        self.stage.recorder = Some(Box::new(Recorder::new(filter, reader)));
        // Answered probes are notes that nobody else reads.
        self.outbox = Outbox::new();
    }
}

impl Stage {
    /// A node is somewhere else from now on.
    pub(super) fn set_presence(&mut self, node: u32, presence: Presence) {
        self.truth.set(node, presence);
        if let Some(recorder) = &mut self.recorder {
            recorder.presence(self.now, node, presence);
        }
    }

    /// A process sends a datagram, or would if its sends were not held.
    #[cold]
    #[inline(never)]
    pub(super) fn watch_datagram(
        &mut self,
        (from, to): (u32, SocketAddr),
        bytes: &[u8],
        kinds: &Kinds,
        held: bool,
    ) {
        // Whoever has or had the address; all addresses are somebody's.
        let to = number_of(to).and_then(|number| self.owner.get(number as usize)).copied().unwrap_or(from);
        if let Some(recorder) = &mut self.recorder {
            recorder.datagram(self.now, (from, to), bytes, kinds, held);
        }
    }

    /// A segment is about to be sent.
    #[cold]
    #[inline(never)]
    pub(super) fn watch_segment(&mut self, way: (u32, u32), step: Step, bytes: &[u8]) {
        let purpose = match step {
            Step::Syn => "syn",
            Step::Connected => "connected",
            Step::Accepted => "accepted",
            Step::Frame => "frame",
            Step::Closed => "closed",
            Step::Refused => "refused",
            Step::Lost => "lost",
        };
        let key = self.network.next_key(Carried::Segment, way, self.now);
        if let Some(recorder) = &mut self.recorder {
            recorder.segment(self.now, way, purpose, bytes);
            recorder.knows(key);
        }
    }

    /// The network has decided about what was just sent.
    #[cold]
    #[inline(never)]
    pub(super) fn watch_fate(&mut self, carried: Carried, way: (u32, u32), bytes: usize, fate: NetworkFate) {
        let now = self.now;
        let Some(recorder) = &mut self.recorder else { return };
        if !recorder.is_sending() {
            return;
        }
        if carried == Carried::Datagram {
            // It has had its number; the one before the next is its own.
            let next = self.network.next_key(carried, way, now);
            recorder.knows(Key { ordinal: next.ordinal.wrapping_sub(1), ..next });
        }
        let (fate, extra, doubled) = match fate {
            NetworkFate::Arrives { after, again, .. } => {
                let own = recorder.key().map_or(0, |key| self.network.own_latency(key));
                (Fate::Arrives(now.saturating_add(after)), after.saturating_sub(own), again.is_some())
            }
            NetworkFate::Spared { after } => (Fate::Spared(now.saturating_add(after)), 0, false),
            NetworkFate::Cut(fault) => (Fate::Cut(fault), 0, false),
            NetworkFate::Lost => {
                let odds = self.network.odds(carried, way, bytes, now);
                let (chance, burst, fault) = (odds.chance, odds.burst, odds.fault);
                (if odds.too_long { Fate::TooLong } else { Fate::Lost { chance, burst, fault } }, 0, false)
            }
        };
        recorder.decided(fate, extra, doubled);
    }

    /// What was just sent travels in this parcel.
    #[inline]
    pub(super) fn watch_travel(&mut self, parcel: u32) {
        if let Some(recorder) = &mut self.recorder {
            recorder.travels(parcel);
        }
    }

    /// A parcel's way ends, or it waits.
    #[inline]
    pub(super) fn watch_end(&mut self, parcel: u32, end: End) {
        if let Some(recorder) = &mut self.recorder {
            recorder.ends(self.now, parcel, end);
        }
    }

    /// No cut drops this parcel under way: to a cut it looks as if it had been sent after all of them.
    pub(super) fn never_dropped(&mut self, parcel: u32) {
        self.parcels.get(parcel).sent = u64::MAX;
    }
}
