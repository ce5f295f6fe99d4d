//! The driver's side of streams: one line to each task.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rumormill_core::io::{StreamAction, StreamId};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::clock::Clock;
use crate::net::{Away, Line, OutFrame, add, open};

/// Bytes that may wait for all peers together.
const WEIGHT_MAX: usize = 64 << 20;
/// So many more for each member: a table is sent whole, and several peers may ask for it at once.
const WEIGHT_PER_MEMBER: usize = 1 << 10;

struct Open {
    line: Line,
    /// This side has said its last.
    said_all: bool,
}

pub(super) struct Streams {
    open: HashMap<StreamId, Open>,
    tasks: JoinSet<()>,
    away: Away,
    clock: Clock,
    /// Bytes of all frames that wait to be written.
    weight: Arc<AtomicUsize>,
    /// Given up because too much waits; the core is told after this step.
    overweight: Vec<StreamId>,
}

impl Streams {
    pub(super) fn new(away: Away, clock: Clock) -> Self {
        Self {
            open: HashMap::new(),
            tasks: JoinSet::new(),
            away,
            clock,
            weight: Arc::default(),
            overweight: Vec::new(),
        }
    }

    /// Does what the core wants of a stream, in a cluster of so many members.
    pub(super) fn act(&mut self, id: StreamId, action: StreamAction<'_>, members: usize) {
        match action {
            StreamAction::Open { to, deadline } => self.dial(id, to, self.clock.system(deadline).into()),
            StreamAction::Frame { bytes, last, .. } => self.send(id, bytes, last, members),
            StreamAction::Close => self.forget(id),
        }
    }

    fn dial(&mut self, id: StreamId, to: SocketAddr, deadline: Instant) {
        while self.tasks.try_join_next().is_some() {}
        let (line, task) = open(id, to, deadline, &self.away);
        self.tasks.spawn(task);
        self.accepted(id, line);
    }

    pub(super) fn accepted(&mut self, id: StreamId, line: Line) {
        self.open.insert(id, Open { line, said_all: false });
    }

    fn send(&mut self, id: StreamId, bytes: &[u8], last: bool, members: usize) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        let most = WEIGHT_MAX + members * WEIGHT_PER_MEMBER;
        if self.weight.load(Ordering::Relaxed) + bytes.len() > most {
            add(&self.away.traffic.slow, 1);
            self.open.remove(&id);
            self.overweight.push(id);
            return;
        }
        stream.said_all |= last;
        stream.line.send(OutFrame::new(bytes, last, &self.weight));
    }

    pub(super) fn knows(&self, id: StreamId) -> bool {
        self.open.contains_key(&id)
    }

    /// The peer says no more, and the core knows. Unless this side's last words are on their way, nothing will follow them.
    pub(super) fn half_closed(&mut self, id: StreamId) {
        if self.open.get(&id).is_some_and(|stream| !stream.said_all) {
            self.forget(id);
        }
    }

    /// Drops a stream, and what has not been sent on it.
    pub(super) fn forget(&mut self, id: StreamId) {
        self.open.remove(&id);
    }

    /// One that was given up, to be told to the core.
    pub(super) fn next_overweight(&mut self) -> Option<StreamId> {
        self.overweight.pop()
    }

    /// Ends all of them.
    pub(super) async fn stop(mut self) {
        self.open.clear();
        self.tasks.shutdown().await;
    }
}
