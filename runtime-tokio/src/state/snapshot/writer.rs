//! Writing a snapshot: appended lines, now and then compacted, on a disk that may be full or broken.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rumormill_core::id::Incarnation;
use rumormill_core::wire::Clocks;
use tracing::{error, info};

use super::deeds::Deeds;
use super::knowledge::{Fate, Knowledge, later};
use super::store::Store;
use crate::throttle::Throttle;

/// A file up to this long is not compacted (Serf's bound).
pub(super) const COMPACT_BYTES_MIN: u64 = 128 * 1024;
/// Bytes per member beyond which a file is compacted (twice Serf's estimate of a line).
const COMPACT_BYTES_PER_MEMBER: u64 = 256;
/// A file that cannot be compacted grows up to so many times the length at which it should have been.
const UNCOMPACTED_MAX: u64 = 16;
/// What was written is synced at the latest after this.
const SYNC_EVERY: Duration = Duration::from_secs(2);
/// After an error the disk is tried again after this (Serf's rule).
pub(super) const RETRY_EVERY: Duration = Duration::from_secs(30);
/// How often an error that stays is said again.
const SAID_EVERY: Duration = Duration::from_secs(600);

/// News for the snapshot, the latest of each kind: a full channel makes it no longer than the cluster.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) members: BTreeMap<String, Fate>,
    pub(super) clocks: Clocks,
    pub(super) incarnation: Incarnation,
    pub(super) leave: bool,
}

impl Batch {
    pub(super) fn witness(&mut self, clocks: Clocks) {
        self.clocks = later(self.clocks, clocks);
    }
}

/// Owns the file.
#[derive(Debug)]
pub(super) struct Writer<S> {
    store: S,
    knowledge: Knowledge,
    /// Length of the file.
    bytes: u64,
    /// Its length when it was last compacted.
    compacted_bytes: u64,
    compact_bytes_min: u64,
    /// When the oldest bytes that may not last yet were written.
    unsynced_since: Option<Instant>,
    /// After an error nothing is appended until all could be written afresh: what the error left at the end is not known.
    retry_at: Option<Instant>,
    /// After a compaction that failed, while appending works.
    compact_not_before: Option<Instant>,
    said: Throttle,
    deeds: Arc<Deeds>,
}

impl<S: Store> Writer<S> {
    /// A writer that goes on with a file of `bytes` bytes that says `knowledge`.
    pub(super) fn new(
        store: S,
        knowledge: Knowledge,
        bytes: u64,
        compact_bytes_min: u64,
        deeds: Arc<Deeds>,
    ) -> Self {
        Self {
            store,
            knowledge,
            bytes,
            compacted_bytes: 0,
            compact_bytes_min,
            unsynced_since: None,
            retry_at: None,
            compact_not_before: None,
            said: Throttle::new(SAID_EVERY),
            deeds,
        }
    }

    /// A new life begins after one that left: the file says so from its first line on.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.knowledge.left = false;
        if let Err(error) = self.rewrite() {
            // What is appended ends the leave too.
            self.compact_not_before = Some(now + RETRY_EVERY);
            self.say("compacting", &error, now);
        }
    }

    /// Takes news and writes them; after a leave nothing is news any more.
    pub(super) fn take(&mut self, batch: &Batch, now: Instant) {
        if self.knowledge.left {
            return;
        }
        let mut lines = String::new();
        for (name, fate) in &batch.members {
            self.knowledge.settle(name, *fate, &mut lines);
        }
        self.knowledge.advance(batch.clocks, &mut lines);
        self.knowledge.announce(batch.incarnation, &mut lines);
        if batch.leave {
            self.knowledge.left = true;
            lines.push_str("leave\n");
        }
        if self.retry_at.is_some() {
            if batch.leave {
                self.retry(now);
            }
            return;
        }
        self.append(&lines, now);
        if batch.leave {
            self.sync(now);
        } else {
            self.compact_if_long(now);
        }
    }

    fn append(&mut self, lines: &str, now: Instant) {
        if lines.is_empty() {
            return;
        }
        match self.store.append(lines.as_bytes()) {
            Ok(()) => {
                self.bytes += lines.len() as u64;
                self.deeds.wrote(self.bytes);
                self.unsynced_since.get_or_insert(now);
            }
            Err(error) => self.fail("writing", &error, now),
        }
    }

    fn compact_if_long(&mut self, now: Instant) {
        let of_members = COMPACT_BYTES_PER_MEMBER * self.knowledge.members() as u64;
        let bound = self.compact_bytes_min.max(of_members).max(2 * self.compacted_bytes);
        if self.retry_at.is_some() || self.bytes <= bound {
            return;
        }
        if self.compact_not_before.is_some_and(|time| now < time) {
            return;
        }
        let Err(error) = self.rewrite() else { return };
        if self.bytes > UNCOMPACTED_MAX * bound {
            self.fail("compacting", &error, now);
        } else {
            self.compact_not_before = Some(now + RETRY_EVERY);
            self.say("compacting", &error, now);
        }
    }

    /// What is due by now: syncing, or trying again.
    pub(super) fn tend(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|time| now >= time) {
            self.retry(now);
        } else if self.unsynced_since.is_some_and(|since| now >= since + SYNC_EVERY) {
            self.sync(now);
        }
    }

    /// When [`Self::tend`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.retry_at.or(self.unsynced_since.map(|since| since + SYNC_EVERY))
    }

    /// The last deed.
    pub(super) fn finish(&mut self, now: Instant) {
        if self.retry_at.is_some() {
            self.retry(now);
        } else {
            self.sync(now);
        }
    }

    fn sync(&mut self, now: Instant) {
        if self.retry_at.is_some() || self.unsynced_since.is_none() {
            return;
        }
        match self.store.sync() {
            Ok(()) => self.unsynced_since = None,
            // What became of the bytes is not known: only a fresh file is sure.
            Err(error) => self.fail("syncing", &error, now),
        }
    }

    fn retry(&mut self, now: Instant) {
        match self.rewrite() {
            Ok(()) => {
                info!("serf: snapshot {} is written again", self.store.name());
                self.said.reset();
            }
            Err(error) => self.fail("writing", &error, now),
        }
    }

    /// Writes all afresh. The old file stays until the new one lasts.
    fn rewrite(&mut self) -> io::Result<()> {
        let lines = self.knowledge.lines();
        self.store.replace(lines.as_bytes())?;
        self.bytes = lines.len() as u64;
        self.compacted_bytes = self.bytes;
        self.unsynced_since = None;
        self.retry_at = None;
        self.compact_not_before = None;
        self.deeds.wrote_afresh(self.bytes);
        Ok(())
    }

    fn fail(&mut self, doing: &str, error: &io::Error, now: Instant) {
        self.retry_at = Some(now + RETRY_EVERY);
        self.deeds.failing();
        self.say(doing, error, now);
    }

    fn say(&mut self, doing: &str, error: &io::Error, now: Instant) {
        self.deeds.error();
        if self.said.pass(now).is_some() {
            let name = self.store.name();
            let again = RETRY_EVERY.as_secs();
            error!(
                "serf: {doing} snapshot {name}: {error}; what it knew is kept in memory and tried again every {again} s"
            );
        }
    }

    #[cfg(test)]
    pub(super) const fn store(&mut self) -> &mut S {
        &mut self.store
    }
}
