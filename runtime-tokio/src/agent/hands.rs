//! What a node's outputs need: sockets, streams, those who wait, the application, the files.

use std::sync::Arc;
use std::time::Duration;

use rumormill_core::counters::Counters;
use rumormill_core::io::{Done, Event, Output, StreamAction};
use rumormill_core::{Instant, Node};
use tracing::{error, warn};

use super::Stopped;
use super::feed::Feed;
use super::figures::Figures;
use super::history::History;
use super::memory::Memory;
use super::streams::Streams;
use super::subscription::Answer;
use super::waiting::Waiting;
use crate::net::{Links, TrafficCounters, UdpOut};

/// Time between two lines about what peers cause.
const BETWEEN_REPORTS: Duration = Duration::from_secs(60);

pub(super) struct Hands {
    pub(super) udp: UdpOut,
    pub(super) links: Links,
    /// Nothing goes out as a datagram.
    pub(super) tcp_only: bool,
    pub(super) streams: Streams,
    pub(super) waiting: Waiting,
    pub(super) feed: Feed,
    pub(super) memory: Memory,
    pub(super) losses: Losses,
    pub(super) history: History,
    pub(super) figures: Figures,
    pub(super) traffic: Arc<TrafficCounters>,
    /// Why the driver has to stop.
    pub(super) stop: Option<Stopped>,
}

impl Hands {
    /// Does one thing that the node wants done.
    pub(super) fn carry_out(&mut self, output: Output<'_>, node: &Node, now: Instant) {
        match output {
            Output::Packet { to, bytes, kinds } => {
                self.figures.sent(kinds);
                if self.tcp_only || self.links.leads_to(to) {
                    self.links.send(to, bytes);
                } else {
                    self.udp.send(to, bytes);
                }
            }
            Output::Stream { id, action } => {
                if let StreamAction::Frame { kinds, .. } = &action {
                    self.figures.sent(kinds);
                }
                self.streams.act(id, action, node.estimated_size() as usize);
            }
            Output::Event(event) => self.event(&event, node, now),
            Output::Completed { id, result } => {
                match result {
                    Ok(Done::Left) => self.stop = Some(Stopped::Left),
                    Ok(Done::EventSent { .. }) => self.figures.user_events_sent += 1,
                    Ok(Done::QueryOver(_)) => self.figures.queries_over += 1,
                    _ => {}
                }
                self.waiting.completed(id, result);
            }
            Output::Note(note) => {
                self.history.note(&note, node, now);
                self.figures.note(&note);
            }
        }
    }

    fn event(&mut self, event: &Event<'_>, node: &Node, now: Instant) {
        self.figures.event(event);
        match *event {
            Event::Ack { command, from } => self.waiting.answer(command, Answer::Ack { from: from.into() }),
            Event::Answer { command, from, payload } => {
                self.waiting.answer(command, Answer::Response { from: from.into(), payload: payload.into() });
            }
            Event::KeysChanged => self.memory.keys(node.keyring()),
            Event::MustStop { reason } => {
                error!("serf: {reason}");
                self.stop = Some(Stopped::MustStop(reason.into()));
            }
            _ => {
                self.memory.event(event);
                self.feed.event(event, node, now);
            }
        }
    }

    /// After a turn of the driver: tells everybody what has come of it.
    pub(super) fn end_turn(&mut self, node: &Node, now: Instant) {
        if self.feed.tell(node, now, &mut self.figures) {
            self.waiting.tell();
        }
        self.memory.end_turn(node);
        self.losses.look(node.counters(), now);
    }

    /// When it has something to do although nothing comes in.
    pub(super) fn deadline(&self, node: &Node) -> Option<Instant> {
        let behind = self.feed.is_behind(node).then(|| self.feed.rested_at());
        [self.feed.deadline(), behind, self.memory.deadline()].into_iter().flatten().min()
    }
}

/// Says now and then that user events are lost, and that, and why, packets and frames of peers are refused.
#[derive(Debug, Default)]
pub(super) struct Losses {
    told: Counters,
    next: Instant,
}

impl Losses {
    fn look(&mut self, counters: &Counters, now: Instant) {
        let refused = |counters: &Counters| counters.packets_rejected + counters.frames_rejected;
        let since = |of: fn(&Counters) -> u64| of(counters) - of(&self.told);
        let (fresh, lost) = (refused(counters) - refused(&self.told), since(|c| c.events_lost));
        if fresh + lost == 0 || now < self.next {
            return;
        }
        if lost > 0 {
            warn!("serf: {lost} user events of other members never came here, and nobody had them any more");
        }
        if fresh > 0 {
            Self::tell_refused(fresh, since);
        }
        self.told = *counters;
        self.next = now + BETWEEN_REPORTS;
    }

    fn tell_refused(fresh: u64, since: impl Fn(fn(&Counters) -> u64) -> u64) {
        warn!(
            "memberlist: refused {fresh} packets and frames: {} sealed with no key of ours or not sealed, {} of another label, {} of \
             another version, {} damaged, {} malformed",
            since(|c| c.rejected_seal),
            since(|c| c.rejected_label),
            since(|c| c.rejected_version),
            since(|c| c.rejected_checksum),
            since(|c| c.rejected_malformed),
        );
    }
}
