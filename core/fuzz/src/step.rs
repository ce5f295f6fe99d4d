//! Whole nodes: any sequence of packets, frames, commands and ticks, sound or not, at a node that knows some members.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumormill_core::error::StreamFailure;
use rumormill_core::id::LamportTime;
use rumormill_core::io::{
    Command, CommandId, Event, EventRequest, Input, KeyAction, Outbox, Output, QueryId, QueryRequest,
    StreamAction, StreamId, StreamInput, TagFilter,
};
use rumormill_core::tags::Tags;
use rumormill_core::wire::{Kinds, Message, Wire, WireError};
use rumormill_core::{Birth, Instant, Node, Restore, Roster, Seed, step};

use super::{cluster, input::Bytes, messages};

/// So many instructions are carried out at most.
const ACTS_MAX: usize = 400;

pub fn check(data: &[u8]) {
    let mut data = Bytes(data);
    let mut stage = Stage::new(data.byte() % cluster::CHOICES);
    for _ in 0..ACTS_MAX {
        if data.is_empty() {
            break;
        }
        stage.act(&mut data);
    }
    stage.end();
}

/// A node, and what a driver keeps of it.
struct Stage {
    node: Node,
    /// How peers write, and how they read what the node sends.
    peer: Wire,
    choice: u8,
    now: Instant,
    outbox: Outbox,
    /// Streams that the node has or had, the driver's and its own.
    streams: Vec<StreamId>,
    minted: u32,
    given: u64,
    /// Commands that have not ended.
    open: BTreeSet<CommandId>,
    queries: Vec<QueryId>,
    /// The last ping: to whom, and its number.
    ping: Option<(SocketAddr, rumormill_core::id::ProbeSeq)>,
    /// The last packet and the last frame's packet, to be sent back.
    packet: Option<(SocketAddr, Vec<u8>)>,
    frame: Vec<u8>,
}

impl Stage {
    fn new(choice: u8) -> Self {
        let seed = Seed::simulated(1, 0, 0);
        let restore = Restore {
            roster: Arc::new(Roster::new((0..5).map(cluster::member), &seed)),
            failed: vec![cluster::member(5)],
            ..Restore::default()
        };
        let tags = Tags::from_iter([("role", "web")]);
        let birth = Birth {
            name: cluster::name(0),
            addr: cluster::addr(0),
            tags: &tags,
            seed,
            keyring: cluster::keyring(choice),
            restore,
        };
        let node = Node::new(cluster::config(choice), birth, Instant::ORIGIN).expect("a node");
        Self {
            node,
            peer: cluster::wire(choice, 1),
            choice,
            now: Instant::ORIGIN,
            outbox: Outbox::new(),
            streams: Vec::new(),
            minted: 0,
            given: 0,
            open: BTreeSet::new(),
            queries: Vec::new(),
            ping: None,
            packet: None,
            frame: Vec::new(),
        }
    }

    fn act(&mut self, data: &mut Bytes<'_>) {
        match data.byte() % 18 {
            0 => {
                if let Some((at, _)) = self.node.deadline() {
                    self.now = self.now.max(at);
                }
                self.step(Input::Tick);
            }
            1 => self.pass(Duration::from_millis(data.byte().into())),
            2 => self.pass(Duration::from_secs(u64::from(data.byte()) * 60)),
            3 => {
                let (from, bytes) = (cluster::addr(data.byte()), data.prefixed());
                self.step(Input::Packet { from, bytes });
            }
            4 | 5 => {
                let from = cluster::addr(data.byte());
                let bytes = &messages::packet(&mut self.peer, data.prefixed());
                self.step(Input::Packet { from, bytes });
            }
            6 => {
                let other = (self.choice + 1) % cluster::CHOICES;
                let bytes = &messages::packet(&mut cluster::wire(other, 3), data.prefixed());
                self.step(Input::Packet { from: cluster::addr(1), bytes });
            }
            7 => {
                self.minted += 1;
                let id = StreamId::Theirs(self.minted);
                self.streams.push(id);
                let input = StreamInput::Opened { peer: cluster::addr(data.byte()) };
                self.step(Input::Stream { id, input });
            }
            8 | 9 => {
                let id = self.stream(data.byte());
                let bytes = &messages::frame(&mut self.peer, data.prefixed());
                self.step(Input::Stream { id, input: StreamInput::Frame(bytes) });
            }
            10 => {
                let id = self.stream(data.byte());
                self.step(Input::Stream { id, input: StreamInput::Frame(data.prefixed()) });
            }
            11 => {
                let id = self.stream(data.byte());
                self.step(Input::Stream { id, input: StreamInput::Opened { peer: cluster::addr(1) } });
            }
            12 => {
                let id = self.stream(data.byte());
                let input = match data.byte() % 3 {
                    0 => StreamInput::Closed,
                    1 => StreamInput::Failed(StreamFailure::Refused),
                    _ => StreamInput::Failed(StreamFailure::TimedOut),
                };
                self.step(Input::Stream { id, input });
            }
            13 => {
                let command = self.command(data);
                let id = CommandId(self.given);
                self.given += 1;
                self.open.insert(id);
                self.step(Input::Command { id, command });
            }
            14 => {
                if let Some((from, seq)) = self.ping {
                    let coordinate = data.prefixed();
                    let coordinate = (!coordinate.is_empty()).then_some(coordinate);
                    let mut ack = Vec::new();
                    self.peer.encode(&Message::Ack { seq, coordinate }, &mut ack);
                    let bytes = &messages::packet(&mut self.peer, &ack);
                    self.step(Input::Packet { from, bytes });
                }
            }
            15 => {
                if let Some((from, bytes)) = self.packet.take() {
                    self.step(Input::Packet { from, bytes: &bytes });
                }
            }
            16 => {
                let (id, frame) = (self.stream(data.byte()), std::mem::take(&mut self.frame));
                self.step(Input::Stream { id, input: StreamInput::Frame(&frame) });
            }
            _ => {
                // A clock that goes back for a moment: what lasts is the driver's own fault.
                let (now, back) = (self.now, u64::from(data.byte()) * 100_000_000);
                self.now = Instant::from_nanos(now.as_nanos().saturating_sub(back));
                self.step(Input::Tick);
                self.now = now;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.step(Input::Tick);
    }

    fn stream(&self, choice: u8) -> StreamId {
        // A driver may know nothing of it; the node must not mind.
        let unknown = StreamId::Ours(u32::from(choice));
        let back = usize::from(choice) % (self.streams.len() + 1);
        back.checked_sub(1).map_or(unknown, |back| self.streams[self.streams.len() - 1 - back])
    }

    fn command(&mut self, data: &mut Bytes<'_>) -> Command {
        let kind = data.byte();
        let text = |data: &mut Bytes<'_>| -> Box<str> { String::from_utf8_lossy(data.prefixed()).into() };
        match kind % 14 {
            0 => Command::Leave,
            1 => Command::SetTags(Tags::from_iter([(text(data), text(data))])),
            2 => {
                let addresses = (0..data.byte() % 4).map(|_| cluster::addr(data.byte())).collect();
                Command::Join { addresses, replay: kind >= 128 }
            }
            3 => Command::ForceLeave { name: cluster::name(data.byte().into()), prune: kind >= 128 },
            4 | 5 => Command::UserEvent(EventRequest {
                name: text(data),
                payload: data.prefixed().into(),
                coalesce: kind >= 128,
            }),
            6..=8 => {
                let nodes = (0..data.byte() % 3).map(|_| cluster::name(data.byte().into())).collect();
                let tags = (0..data.byte() % 3)
                    .map(|_| TagFilter { tag: text(data), expression: text(data) })
                    .collect();
                let timeout = match data.byte() {
                    0 => None,
                    tenths => Some(Duration::from_millis(u64::from(tenths) * 100)),
                };
                Command::Query(QueryRequest {
                    name: text(data),
                    payload: data.prefixed().into(),
                    nodes,
                    tags,
                    ack: kind >= 128,
                    relay_factor: data.byte(),
                    timeout,
                })
            }
            kind @ (9 | 10) => {
                let unknown = QueryId { ltime: LamportTime(1), id: 1 };
                let query = self.queries.pop().unwrap_or(unknown);
                match kind {
                    9 => Command::Respond { query, payload: data.prefixed().into() },
                    _ => Command::Decline { query },
                }
            }
            _ => {
                let key = cluster::key(7 + data.byte() % 4);
                let action = match data.byte() % 4 {
                    0 => KeyAction::List,
                    1 => KeyAction::Install(key),
                    2 => KeyAction::Use(key),
                    _ => KeyAction::Remove(key),
                };
                Command::Keys { action, relay_factor: kind / 64 }
            }
        }
    }

    /// One step, and all that a driver may rely on after it.
    fn step(&mut self, input: Input<'_>) {
        let ticked = matches!(input, Input::Tick);
        let incarnation = self.node.incarnation();
        let clocks = self.node.clocks();
        let (packet_bytes_max, frame_bytes_max) =
            (self.node.config().packet_bytes_max, self.node.config().frame_bytes_max);
        let mut outbox = std::mem::take(&mut self.outbox);
        let mut new_streams = Vec::new();
        let (mut packets, mut frames) = (Vec::new(), Vec::new());
        for output in step(&mut self.node, input, self.now, &mut outbox) {
            match output {
                Output::Packet { to, bytes, kinds } => {
                    assert!(bytes.len() <= usize::from(packet_bytes_max), "{} bytes", bytes.len());
                    packets.push((to, bytes, kinds));
                }
                Output::Stream { id, action } => match action {
                    StreamAction::Open { .. } => {
                        assert!(matches!(id, StreamId::Ours(_)), "{id:?} was opened");
                        new_streams.push(id);
                    }
                    StreamAction::Frame { bytes, kinds, .. } => {
                        assert!(bytes.len() <= frame_bytes_max as usize, "{} bytes", bytes.len());
                        frames.push((bytes, kinds));
                    }
                    StreamAction::Close => {}
                },
                Output::Completed { id, result } => {
                    assert!(self.open.remove(&id), "{id:?} ended, but was not open: {result:?}");
                }
                Output::Event(Event::Query { query, .. }) => self.queries.push(query),
                Output::Event(event) => drop(format!("{event:?}")),
                Output::Note(note) => drop(format!("{note:?}")),
            }
        }
        self.receive(&packets, &frames);
        self.streams.extend(new_streams);
        self.outbox = outbox;
        self.bounds();
        assert!(self.node.incarnation() >= incarnation, "its own incarnation went back");
        let after = self.node.clocks();
        assert!(
            after.member >= clocks.member && after.event >= clocks.event && after.query >= clocks.query,
            "{clocks:?} became {after:?}"
        );
        if ticked {
            let deadline = self.node.deadline();
            assert!(
                deadline.is_none_or(|(at, _)| at > self.now),
                "{deadline:?} after a tick at {:?}",
                self.now
            );
        }
    }

    /// What the node sends is read by a peer with the same keys, and says what it is said to carry.
    fn receive(&mut self, packets: &[(SocketAddr, &[u8], &Kinds)], frames: &[(&[u8], &Kinds)]) {
        if packets.is_empty() && frames.is_empty() {
            return;
        }
        // Keys may have been changed by what the node just heard.
        if self.peer.keyring() != self.node.keyring() {
            self.peer = cluster::wire_with(self.choice, self.node.keyring().clone(), 1);
        }
        let mut memory = Vec::new();
        for (to, bytes, kinds) in packets {
            let opened = self.peer.unseal_packet(bytes, &mut memory).expect("a packet that can be opened");
            let said: Result<Vec<_>, _> = opened.collect();
            let said = said.expect("messages that can be read");
            assert_eq!(counted(&said), **kinds, "{said:?}");
            let ping = said.iter().find_map(|message| match message {
                Message::Ping { seq, .. } => Some(*seq),
                _ => None,
            });
            self.ping = ping.map(|seq| (*to, seq)).or(self.ping);
            self.packet = Some((*to, bytes.to_vec()));
        }
        for (bytes, kinds) in frames {
            let opened = self.peer.unseal_frame(bytes, &mut memory).expect("a frame that can be opened");
            let said: Result<Vec<_>, WireError> = opened.collect();
            assert_eq!(counted(&said.expect("messages that can be read")), **kinds);
            self.frame = bytes.to_vec();
        }
    }

    fn bounds(&self) {
        let config = self.node.config();
        let depths = self.node.queue_depths();
        let most = config.queue_messages_max as usize;
        let deepest = depths.members.max(depths.intents).max(depths.queries).max(depths.events);
        assert!(deepest <= most, "{depths:?}");
        let members = self.node.members().count();
        assert!(members <= config.members_max as usize, "{members} members");
        assert!(self.node.open_suspicions() <= members);
        assert_eq!(self.node.identity().addr, cluster::addr(0), "its address");
    }

    /// Time goes on until every command has ended.
    fn end(&mut self) {
        for _ in 0..12 {
            self.pass(Duration::from_secs(10));
        }
        assert!(self.open.is_empty(), "{:?} never ended", self.open);
    }
}

fn counted(said: &[Message<'_>]) -> Kinds {
    let mut kinds = Kinds::default();
    said.iter().for_each(|message| kinds.add(message.kind()));
    kinds
}
