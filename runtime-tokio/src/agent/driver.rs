//! The driver: the one task that owns the node.

use std::sync::Arc;
use std::time::Duration;

use rumormill_core::error::StreamFailure;
use rumormill_core::io::{Command, Event, Input, Outbox, StreamInput};
use rumormill_core::{Instant, Node, step};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info};

use super::Stopped;
use super::clock::Clock;
use super::hands::Hands;
use super::lag::Lag;
use super::order::Order;
use super::stats;
use crate::net::{Acceptor, FromLink, FromStream, UdpIn};
use crate::record::Recorder;

/// Datagrams taken before something else has its turn.
const DATAGRAMS_AT_ONCE: usize = 64;
/// Datagrams taken before a deadline fires, so that an answer that has come is not overlooked.
const DATAGRAMS_BEFORE_TICK: usize = 1024;
/// The same for what else comes in.
const AT_ONCE: usize = 32;

/// How long a disk may take for what is written last.
const DISK_PATIENCE: Duration = Duration::from_secs(10);

async fn within(patience: Duration, what: &str, closing: impl Future<Output = ()>) {
    if timeout(patience, closing).await.is_err() {
        error!("agent: {what} could not be written within {patience:?}: the last of it may be lost");
    }
}

/// The node, and what a step takes.
pub(super) struct Core {
    pub(super) node: Node,
    pub(super) outbox: Outbox,
    pub(super) clock: Clock,
    pub(super) recorder: Option<Recorder>,
}

impl Core {
    fn step(&mut self, input: Input<'_>, hands: &mut Hands) {
        let now = self.clock.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.before(&input, now);
        }
        let outputs = step(&mut self.node, input, now, &mut self.outbox);
        if let Some(recorder) = &mut self.recorder {
            recorder.after(outputs.clone(), &self.node);
        }
        for output in outputs {
            hands.carry_out(output, &self.node, now);
        }
    }
}

pub(super) struct Driver {
    pub(super) core: Core,
    pub(super) hands: Hands,
    pub(super) udp: UdpIn,
    pub(super) orders: mpsc::Receiver<Order>,
    /// So that the agent runs on when all handles are gone.
    pub(super) _orders: mpsc::Sender<Order>,
    pub(super) streams: mpsc::Receiver<FromStream>,
    pub(super) links: mpsc::Receiver<FromLink>,
    pub(super) acceptor: Acceptor,
    pub(super) lag: Arc<Lag>,
    pub(super) stopped: watch::Sender<Option<Stopped>>,
}

impl Driver {
    /// Runs until the agent stops.
    pub(super) async fn run(mut self) {
        self.greet();
        let mut timer = std::pin::pin!(sleep(Duration::ZERO));
        let mut armed = None;
        while self.hands.stop.is_none() {
            let deadline = self.deadline();
            if deadline != armed
                && let Some(at) = deadline
            {
                timer.as_mut().reset(self.core.clock.system(at).into());
            }
            armed = deadline;
            // Whatever wakes the driver, its turn looks at everything.
            tokio::select! {
                biased;
                Some(order) = self.orders.recv() => self.obey(order),
                Some(what) = self.streams.recv() => self.on_stream(what),
                Some(what) = self.links.recv() => self.on_link(what),
                () = self.udp.readable() => {}
                () = &mut timer, if armed.is_some() => armed = None,
            }
            self.turn();
        }
        self.stop().await;
    }

    /// A node is its own first member, and its application hears of it (Serf).
    fn greet(&mut self) {
        let Self { core: Core { node, clock, .. }, hands, .. } = self;
        let join = Event::Join { member: node.identity(), incarnation: node.incarnation() };
        hands.feed.event(&join, node, clock.now());
        hands.end_turn(node, clock.now());
    }

    /// When something is due although nothing comes in.
    fn deadline(&self) -> Option<Instant> {
        let node = self.core.node.deadline().map(|(at, _)| at);
        [node, self.hands.deadline(&self.core.node)].into_iter().flatten().min()
    }

    /// Takes what has come in, a bounded part of each kind; then fires what is due; then tells what has come of it.
    fn turn(&mut self) {
        self.receive(DATAGRAMS_AT_ONCE);
        for _ in 0..AT_ONCE {
            let Ok(what) = self.streams.try_recv() else { break };
            self.on_stream(what);
        }
        for _ in 0..AT_ONCE {
            let Ok(what) = self.links.try_recv() else { break };
            self.on_link(what);
        }
        for _ in 0..AT_ONCE {
            let Ok(order) = self.orders.try_recv() else { break };
            self.obey(order);
        }
        self.tick_if_due();
        while let Some(id) = self.hands.streams.next_overweight() {
            let input = StreamInput::Failed(StreamFailure::Lost);
            self.core.step(Input::Stream { id, input }, &mut self.hands);
        }
        self.hands.end_turn(&self.core.node, self.core.clock.now());
    }

    /// Takes at most so many datagrams.
    fn receive(&mut self, most: usize) {
        for _ in 0..most {
            let Some((from, bytes)) = self.udp.receive() else { return };
            self.core.step(Input::Packet { from, bytes }, &mut self.hands);
        }
    }

    fn tick_if_due(&mut self) {
        let due = |core: &Core| core.node.deadline().map(|(at, _)| at).filter(|at| *at <= core.clock.now());
        let Some(at) = due(&self.core) else { return };
        let lag = self.core.clock.now().since(at);
        self.lag.note(lag, std::time::Instant::now());
        self.hands.figures.lagged(lag);
        self.receive(DATAGRAMS_BEFORE_TICK);
        if due(&self.core).is_some() {
            self.core.step(Input::Tick, &mut self.hands);
        }
    }

    /// What is said of a stream that was let go meanwhile is for nobody.
    fn on_stream(&mut self, what: FromStream) {
        let Self { core, hands, .. } = self;
        match what {
            FromStream::Opened { id, peer, line } => {
                if let Some(line) = line {
                    hands.streams.accepted(id, line);
                }
                if hands.streams.knows(id) {
                    core.step(Input::Stream { id, input: StreamInput::Opened { peer } }, hands);
                }
            }
            FromStream::Ended { id } => hands.streams.forget(id),
            what if !hands.streams.knows(what.id()) => {}
            FromStream::Frame { id, bytes } => {
                core.step(Input::Stream { id, input: StreamInput::Frame(&bytes) }, hands);
            }
            FromStream::Closed { id } => {
                core.step(Input::Stream { id, input: StreamInput::Closed }, hands);
                hands.streams.half_closed(id);
            }
            FromStream::Failed { id, failure } => {
                core.step(Input::Stream { id, input: StreamInput::Failed(failure) }, hands);
                hands.streams.forget(id);
            }
        }
    }

    fn on_link(&mut self, what: FromLink) {
        match what {
            FromLink::Opened { peer, queue } => self.hands.links.accepted(peer, queue),
            FromLink::Packet { from, bytes } => {
                self.hands.links.heard(from);
                self.core.step(Input::Packet { from, bytes: &bytes }, &mut self.hands);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let Self { core, hands, lag, .. } = self;
        match order {
            Order::Command { command, reply } => {
                let Some(id) = hands.waiting.begin(reply) else { return };
                if command == Command::Leave {
                    info!("agent: requesting graceful leave from the cluster");
                    hands.memory.leaving();
                }
                let before = core.node.identity().clone();
                core.step(Input::Command { id, command }, hands);
                // The core tells of others; an application hears of its own tags too (Serf).
                if core.node.identity().meta != before.meta {
                    let update = Event::Update { member: core.node.identity() };
                    hands.feed.event(&update, &core.node, core.clock.now());
                }
            }
            Order::Query { request, reply } => {
                // Every member may acknowledge and answer; some may join meanwhile.
                let most = 2 * core.node.members().count() + 64;
                let Some(id) = hands.waiting.begin_query(reply, most) else { return };
                let over = hands.figures.queries_over;
                core.step(Input::Command { id, command: Command::Query(request) }, hands);
                // One that nobody else could answer is over in the step that asks it.
                if hands.waiting.asked(id) || hands.figures.queries_over > over {
                    hands.figures.queries_sent += 1;
                }
            }
            Order::Look(look) => look(&core.node),
            // Who asked may be gone.
            Order::Why { name, reply } => {
                let _ = reply.send(hands.history.why(&name, &core.node, core.clock.now()));
            }
            Order::Troubled { reply } => {
                let _ = reply.send(hands.history.troubled(&core.node, core.clock.now()));
            }
            Order::Stats(reply) => {
                let lag = lag.recent(std::time::Instant::now());
                // Who asked may be gone.
                let _ = reply.send(Box::new(stats::collect(&core.node, hands, lag)));
            }
            Order::Forget(names) => hands.memory.forget(&names),
            Order::Stop => hands.stop = Some(Stopped::Shutdown),
        }
    }

    /// Everything is told and written, every task ended, every socket closed; then whoever waits for the end hears of it.
    async fn stop(self) {
        let Self { core, hands, udp, orders, _orders, streams, links, acceptor, stopped, .. } = self;
        let Hands {
            udp: udp_out,
            links: open_links,
            streams: open_streams,
            mut waiting,
            mut feed,
            mut figures,
            memory,
            stop,
            ..
        } = hands;
        if stop == Some(Stopped::Shutdown) {
            info!("agent: requesting serf shutdown");
        }
        // Nobody waits for the driver any more.
        drop((orders, streams, links));
        acceptor.stop().await;
        open_streams.stop().await;
        open_links.stop().await;
        drop((udp, udp_out));
        within(DISK_PATIENCE, "the snapshot and the keys", memory.close()).await;
        if let Some(recorder) = core.recorder {
            within(DISK_PATIENCE, "the recording", recorder.close()).await;
        }
        feed.finish(&core.node, &mut figures);
        waiting.tell();
        drop((waiting, feed));
        debug!("agent: shutdown complete");
        stopped.send_replace(Some(stop.unwrap_or(Stopped::Shutdown)));
    }
}
