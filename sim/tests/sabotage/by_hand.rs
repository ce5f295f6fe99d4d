//! The checks that are one node, driven by hand: what no cluster of honest nodes on a plain network brings about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumormill_core::id::{Identity, Incarnation, LamportTime, NodeName, ProbeSeq, Versions};
use rumormill_core::io::{
    Command, CommandId, EventRequest, Input, KeyAction, Outbox, Output, State, StreamAction, StreamId,
    StreamInput,
};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::tags::Tags;
use rumormill_core::wire::{Accusation, Alive, Intent, Kind, Message, Wire};
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Sabotage, Seed, step};

/// A question to one node.
pub(crate) struct Hand {
    pub(crate) name: &'static str,
    pub(crate) asks: &'static str,
    ask: fn(&Config, u64) -> Result<(), String>,
}

impl Hand {
    /// Asks a node that breaks this rule; what was wrong.
    pub(crate) fn run(&self, rule: Sabotage, seed: u64) -> Result<(), String> {
        (self.ask)(&Config { sabotage: rule, ..Config::lan() }, seed)
    }
}

/// The questions, in the order in which they are asked.
pub(crate) const HANDS: &[Hand] = &[
    Hand {
        name: "stray-ack",
        asks: "Acks that nobody asked for do not keep a silent member alive.",
        ask: stray_ack,
    },
    Hand {
        name: "own-refutation-first",
        asks: "The first packet after an accusation has the refutation, whatever else waits.",
        ask: own_refutation_first,
    },
    Hand {
        name: "full-packets",
        asks: "Packets filled with news of all lengths keep to packet_bytes_max.",
        ask: full_packets,
    },
    Hand {
        name: "told-though-dead",
        asks: "News goes to a member that was declared dead a moment ago.",
        ask: told_though_dead,
    },
    Hand {
        name: "stolen-name",
        asks: "A living member stays at its address, whoever else claims its name.",
        ask: stolen_name,
    },
    Hand {
        name: "remembered-and-reaped",
        asks: "A failed member is listed until reconnect_timeout, and then no more.",
        ask: remembered_and_reaped,
    },
    Hand {
        name: "told-to-have-left",
        asks: "A node that hears that it leaves says that it stays.",
        ask: told_to_have_left,
    },
    Hand {
        name: "clock-set-back",
        asks: "A driver's clock that goes back does not take the node along.",
        ask: clock_set_back,
    },
    Hand {
        name: "unsealed-ping",
        asks: "A node with keys does not answer a ping that is not sealed.",
        ask: unsealed_ping,
    },
    Hand {
        name: "own-keys",
        asks: "A node alone changes its key, and keeps the new one only.",
        ask: own_keys,
    },
    Hand { name: "crowd", asks: "Of more members than members_max the rest is ignored.", ask: crowd },
    Hand {
        name: "open-streams",
        asks: "Of more streams than streams_max the rest is closed.",
        ask: open_streams,
    },
];

/// A node named `me`, and all that it has said.
struct Lone {
    node: Node,
    outbox: Outbox,
    now: Instant,
    wire: Wire,
    packets: Vec<(SocketAddr, Vec<u8>)>,
    dials: Vec<Instant>,
    closed: usize,
}

fn address(number: u8) -> SocketAddr {
    ([10, 0, 0, number], 7946).into()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn wrong<T: std::fmt::Debug + PartialEq>(what: &str, got: &T, right: &T) -> Result<(), String> {
    if got == right { Ok(()) } else { Err(format!("{what}: {got:?}, {right:?} is right")) }
}

impl Lone {
    /// A node that knows the members `n-2` to `n-{1 + others}`, which never answer.
    fn new(config: &Config, seed: u64, others: u8, keyring: Keyring) -> Result<Self, String> {
        let name = |name: &str| NodeName::new(name).map_err(|error| error.to_string());
        let mut members = Vec::new();
        for number in 2..2 + others {
            let name = name(&format!("n-{number}"))?;
            let identity =
                Identity { name, addr: address(number), meta: Box::default(), versions: Versions::CURRENT };
            members.push((Arc::new(identity), Incarnation(1)));
        }
        let seed = Seed::simulated(seed, 0, 0);
        let restore = Restore { roster: Arc::new(Roster::new(members, &seed)), ..Restore::default() };
        let tags = Tags::new();
        let birth = Birth { name: name("me")?, addr: address(1), tags: &tags, seed, keyring, restore };
        Ok(Self {
            node: Node::new(config.clone(), birth, Instant::ORIGIN).map_err(|error| error.to_string())?,
            outbox: Outbox::new(),
            now: Instant::ORIGIN,
            wire: Wire::new(config),
            packets: Vec::new(),
            dials: Vec::new(),
            closed: 0,
        })
    }

    fn gets(&mut self, input: Input<'_>) {
        for output in step(&mut self.node, input, self.now, &mut self.outbox) {
            match output {
                Output::Packet { to, bytes, .. } => self.packets.push((to, bytes.to_vec())),
                Output::Stream { action: StreamAction::Open { deadline, .. }, .. } => {
                    self.dials.push(deadline);
                }
                Output::Stream { action: StreamAction::Close, .. } => self.closed += 1,
                _ => {}
            }
        }
    }

    /// A member says this, in one packet that is not sealed.
    fn hears(&mut self, from: u8, messages: &[Message<'_>]) {
        let mut bytes = Vec::new();
        let start = self.wire.begin_packet(&mut bytes);
        for message in messages {
            self.wire.encode(message, &mut bytes);
        }
        self.wire.finish_packet(start, &mut bytes);
        self.gets(Input::Packet { from: address(from), bytes: &bytes });
    }

    fn does(&mut self, id: u64, command: Command) {
        self.gets(Input::Command { id: CommandId(id), command });
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((at, _)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.gets(Input::Tick);
        }
        self.now = end;
    }

    /// Whether a packet has such a message.
    fn has(&self, bytes: &[u8], wanted: impl Fn(&Message<'_>) -> bool) -> bool {
        self.wire.open_packet(bytes).is_ok_and(|messages| messages.flatten().any(|message| wanted(&message)))
    }
}

fn alive<'a>(number: u8, name: &'a str, incarnation: u32, meta: &'a [u8]) -> Message<'a> {
    let incarnation = Incarnation(incarnation);
    Message::Alive(Alive { incarnation, name, addr: address(number), meta, versions: Versions::CURRENT })
}

fn stray_ack(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 1, Keyring::empty())?;
    for _ in 0..6 {
        lone.wait(Duration::from_millis(500));
        lone.hears(2, &[Message::Ack { seq: ProbeSeq(0), coordinate: None }]);
    }
    let state = lone.node.member("n-2").map(|member| member.state);
    wrong("what it believes", &state, &Some(State::Suspect))
}

fn own_refutation_first(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { packet_updates_max: 1, ..config.clone() };
    let mut lone = Lone::new(&config, seed, 3, Keyring::empty())?;
    for number in 10..40 {
        lone.hears(2, &[alive(number, &format!("n-{number}"), 1, &[7; 300])]);
    }
    let accusation = Accusation { incarnation: Incarnation(1), name: "me", from: "n-2" };
    lone.hears(2, &[Message::Suspect(accusation)]);
    lone.wait(seconds(1));
    let first = lone.packets.first().ok_or("it gossips nothing")?;
    let refuted =
        lone.has(&first.1, |message| matches!(message, Message::Alive(alive) if alive.name == "me"));
    wrong("the refutation is in the first packet", &refuted, &true)
}

fn full_packets(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 3, Keyring::empty())?;
    for number in 10..250 {
        let meta = vec![7; usize::from(number)];
        lone.hears(2, &[alive(number, &format!("n-{number}"), 1, &meta)]);
    }
    lone.wait(seconds(1));
    let longest = lone.packets.iter().map(|(_, bytes)| bytes.len()).max();
    wrong("bytes of the longest packet", &longest, &Some(config.packet_bytes_max.into()))
}

fn told_though_dead(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 3, Keyring::empty())?;
    lone.hears(3, &[Message::Dead(Accusation { incarnation: Incarnation(1), name: "n-2", from: "n-3" })]);
    let event = EventRequest { name: "e".into(), payload: Box::default(), coalesce: false };
    lone.does(1, Command::UserEvent(event));
    lone.wait(seconds(2));
    let is_event = |message: &Message<'_>| message.kind() == Kind::UserEvent;
    let told = lone.packets.iter().any(|(to, bytes)| *to == address(2) && lone.has(bytes, is_event));
    wrong("the dead member is told", &told, &true)
}

fn stolen_name(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 3, Keyring::empty())?;
    lone.hears(3, &[alive(99, "n-2", 9, &[])]);
    let there = lone.node.member("n-2").map(|member| member.identity.addr);
    wrong("where it is", &there, &Some(address(2)))
}

fn remembered_and_reaped(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { reconnect_timeout: seconds(20), gossip_to_dead: seconds(2), ..config.clone() };
    let mut lone = Lone::new(&config, seed, 3, Keyring::empty())?;
    lone.hears(3, &[Message::Dead(Accusation { incarnation: Incarnation(1), name: "n-2", from: "n-3" })]);
    lone.wait(seconds(10));
    wrong("it is listed after 10 s", &lone.node.member("n-2").is_some(), &true)?;
    lone.wait(seconds(20));
    wrong("it is listed after 30 s", &lone.node.member("n-2").is_some(), &false)
}

fn told_to_have_left(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 3, Keyring::empty())?;
    let intent = Intent { ltime: LamportTime(7), name: "me", prune: false };
    lone.hears(2, &[Message::LeaveIntent(intent)]);
    lone.wait(seconds(1));
    let stays = |message: &Message<'_>| matches!(message, Message::JoinIntent(intent) if intent.name == "me" && intent.ltime > LamportTime(7));
    let said = lone.packets.iter().any(|(_, bytes)| lone.has(bytes, stays));
    wrong("it says that it stays", &said, &true)
}

fn clock_set_back(config: &Config, seed: u64) -> Result<(), String> {
    let mut lone = Lone::new(config, seed, 0, Keyring::empty())?;
    lone.now = Instant::ORIGIN + seconds(100);
    lone.gets(Input::Tick);
    lone.now = Instant::ORIGIN + seconds(50);
    lone.does(1, Command::Join { addresses: vec![address(2)], replay: false });
    let right = vec![Instant::ORIGIN + seconds(100) + config.stream_timeout];
    wrong("when a stream is given up", &lone.dials, &right)
}

fn key(byte: u8) -> Result<Key, String> {
    Key::new(&[byte; 32]).map_err(|error| error.to_string())
}

fn one_key(byte: u8) -> Result<Keyring, String> {
    Keyring::of(key(byte)?, Vec::new()).map_err(|error| error.to_string())
}

fn unsealed_ping(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { simulation: true, ..config.clone() };
    let mut lone = Lone::new(&config, seed, 3, one_key(1)?)?;
    lone.hears(2, &[Message::Ping { seq: ProbeSeq(5), target: "me" }]);
    wrong("packets in answer", &lone.packets.len(), &0)
}

fn own_keys(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { simulation: true, ..config.clone() };
    let mut lone = Lone::new(&config, seed, 0, one_key(1)?)?;
    for (id, action) in
        [(1, KeyAction::Install(key(2)?)), (2, KeyAction::Use(key(2)?)), (3, KeyAction::Remove(key(1)?))]
    {
        lone.does(id, Command::Keys { action, relay_factor: 0 });
    }
    let keys: Vec<u8> = lone.node.keyring().iter().filter_map(|key| key.expose().first().copied()).collect();
    wrong("its keys", &keys, &vec![2])
}

fn crowd(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { members_max: 4, ..config.clone() };
    let mut lone = Lone::new(&config, seed, 2, Keyring::empty())?;
    for number in 10..20 {
        lone.hears(2, &[alive(number, &format!("n-{number}"), 1, &[])]);
    }
    wrong("members", &lone.node.members().count(), &4)
}

fn open_streams(config: &Config, seed: u64) -> Result<(), String> {
    let config = Config { streams_max: 8, ..config.clone() };
    let mut lone = Lone::new(&config, seed, 2, Keyring::empty())?;
    for number in 0..20 {
        let input = StreamInput::Opened { peer: address(2) };
        lone.gets(Input::Stream { id: StreamId::Theirs(number), input });
    }
    wrong("closed streams", &lone.closed, &13)
}
