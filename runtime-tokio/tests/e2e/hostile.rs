//! Floods of nonsense and of damaged real messages, on every port of a process, with and without encryption: it stays up, small and
//! quiet, and in its cluster.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rumormill_tokio::core::id::{Identity, Incarnation, NodeName, Versions};
use rumormill_tokio::core::io::{
    Command, CommandId, EventRequest, Input, Outbox, Output, StreamAction, StreamInput,
};
use rumormill_tokio::core::keyring::{Key, Keyring};
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step};
use rumormill_tokio::rpc::codec::encode;
use rumormill_tokio::rpc::messages::{self, RequestHeader};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::harness::{Agent, Program, wait_until};

/// Messages of each kind, for each port.
const EACH: usize = 10_000;
const SEEDS: [u64; 3] = [1, 2, 7];
/// What a flood may add to an agent's memory, once it has seen one: KiB.
const GROWTH_MAX: u64 = 8 * 1024;
/// What an agent may log of it all.
const LOG_BYTES_MAX: usize = 256 * 1024;
const KEY: [u8; 32] = [7; 32];
const KEY_TEXT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Real datagrams and real beginnings of streams, as a member sends them to the agent.
struct Real {
    datagrams: Vec<Vec<u8>>,
    streams: Vec<Vec<u8>>,
}

impl Real {
    fn of(victim: SocketAddr, keyring: &Keyring, seed: u64) -> Self {
        let seed = Seed::from_os([seed as u8; 32]);
        let name = |text: &str| NodeName::new(text).expect("it is a name");
        let known =
            Identity { name: name("a"), addr: victim, meta: Box::default(), versions: Versions::CURRENT };
        let roster = Arc::new(Roster::new([(Arc::new(known), Incarnation(1))], &seed));
        let birth = Birth {
            name: name("ghost"),
            addr: ([127, 0, 0, 1], 9).into(),
            tags: &Tags::new(),
            seed,
            keyring: keyring.clone(),
            restore: Restore { roster, ..Restore::default() },
        };
        let mut node = Node::new(Config::lan(), birth, Instant::ORIGIN).expect("it is sound");
        let (mut out, mut now) = (Outbox::new(), Instant::ORIGIN);
        let mut real = Self { datagrams: Vec::new(), streams: Vec::new() };
        for round in 0..60 {
            let event = EventRequest { name: "e".into(), payload: vec![round; 40].into(), coalesce: false };
            let command = if round % 20 == 0 {
                Command::Join { addresses: vec![victim], replay: true }
            } else {
                Command::UserEvent(event)
            };
            let opened =
                real.take(&mut node, Input::Command { id: CommandId(round.into()), command }, now, &mut out);
            for id in opened {
                let input = StreamInput::Opened { peer: victim };
                real.take(&mut node, Input::Stream { id, input }, now, &mut out);
            }
            if let Some((at, _)) = node.deadline() {
                now = at;
                real.take(&mut node, Input::Tick, now, &mut out);
            }
        }
        assert!(real.datagrams.len() > 20 && real.streams.len() > 1, "it has something to say");
        real
    }

    /// One step; keeps what it sends, and gives the streams that it opens.
    fn take(
        &mut self,
        node: &mut Node,
        input: Input<'_>,
        now: Instant,
        out: &mut Outbox,
    ) -> Vec<rumormill_tokio::core::io::StreamId> {
        let mut opened = Vec::new();
        for output in step(node, input, now, out) {
            match output {
                Output::Packet { bytes, .. } => self.datagrams.push(bytes.to_vec()),
                Output::Stream { id, action: StreamAction::Open { .. } } => opened.push(id),
                Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } => {
                    self.streams.push(bytes.to_vec());
                }
                _ => {}
            }
        }
        opened
    }
}

fn requests() -> Vec<Vec<u8>> {
    let request = |command: &str, body: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        encode(&RequestHeader { command: command.into(), seq: 3 }, &mut bytes);
        body(&mut bytes);
        bytes
    };
    let hello = request("handshake", &|b| encode(&messages::Handshake { version: 1 }, b));
    let after_hello = [
        request("members", &|_| {}),
        request("stats", &|_| {}),
        request("stream", &|b| encode(&messages::Stream { r#type: "*".into() }, b)),
        request("monitor", &|b| encode(&messages::Monitor { log_level: "DEBUG".into() }, b)),
        request("members-filtered", &|b| {
            encode(&messages::MembersFiltered { name: "a.*".into(), ..Default::default() }, b);
        }),
        request("get-coordinate", &|b| encode(&messages::CoordinateOf { node: "a".into() }, b)),
        request("list-keys", &|_| {}),
    ];
    after_hello.into_iter().map(|request| [hello.clone(), request].concat()).collect()
}

struct Chaos(ChaCha8Rng);

impl Chaos {
    fn below(&mut self, bound: usize) -> usize {
        self.0.next_u32() as usize % bound.max(1)
    }

    fn random(&mut self, first: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; self.below(1400)];
        self.0.fill_bytes(&mut bytes);
        // Half of them begin as real ones do.
        if self.below(2) == 0 {
            bytes.splice(..first.len().min(bytes.len()), first.iter().copied());
        }
        bytes
    }

    fn damaged(&mut self, real: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = real[self.below(real.len())].clone();
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return bytes;
            }
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => bytes.insert(at, 0xFF),
                _ => {
                    let other = &real[self.below(real.len())];
                    bytes.extend_from_slice(&other[self.below(other.len())..]);
                }
            }
        }
        bytes
    }
}

/// A datagram flood that is no faster than the system hands it on.
fn flood_udp(to: SocketAddr, messages: impl Iterator<Item = Vec<u8>>, agent: &Agent) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
    for (count, bytes) in messages.enumerate() {
        // One that is too long for the system was none.
        let _ = socket.send_to(&bytes, to);
        if count % 100 == 99 {
            assert_eq!(agent.ask(&["members"]).exit, 0, "it answers while it is flooded");
        }
    }
}

/// A connection for each message, from many addresses, so that no port runs out.
fn flood_tcp(to: SocketAddr, messages: Vec<Vec<u8>>) {
    const WORKERS: usize = 8;
    let messages = Arc::new(messages);
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let messages = messages.clone();
            thread::spawn(move || {
                for (count, bytes) in messages.iter().skip(worker).step_by(WORKERS).enumerate() {
                    let from = Ipv4Addr::new(127, 0, 1 + worker as u8, 1 + (count % 200) as u8);
                    // A flood that is turned away has been survived too.
                    let _ = say(from, to, bytes);
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
}

fn say(from: Ipv4Addr, to: SocketAddr, bytes: &[u8]) -> std::io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    stream.write_all(bytes)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = [0; 4096];
    while stream.read(&mut answer)? > 0 {}
    Ok(())
}

fn endure(keyring: &Keyring, more: &[&str]) {
    let folder = TempDir::new().expect("there is room for a folder");
    let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
    let mut a = Agent::start(Program::Rumor, "a", folder.path(), &more);
    let joined: Vec<String> = more.iter().cloned().chain(["-join".into(), a.gossip_addr()]).collect();
    let _b = Agent::start(Program::Rumor, "b", folder.path(), &joined);
    let gossip: SocketAddr = a.gossip_addr().parse().expect("it is an address");
    let rpc: SocketAddr = a.rpc_addr().parse().expect("it is an address");
    let requests = requests();
    let mut sizes = Vec::new();
    for seed in SEEDS {
        println!("seed {seed}");
        let real = Real::of(gossip, keyring, seed);
        let mut chaos = Chaos(ChaCha8Rng::seed_from_u64(seed));
        let share = EACH.div_ceil(SEEDS.len());
        let mut both = |first: &[u8], real: &[Vec<u8>]| -> Vec<Vec<u8>> {
            (0..2 * share)
                .map(|n| if n % 2 == 0 { chaos.random(first) } else { chaos.damaged(real) })
                .collect()
        };
        let datagrams = both(&real.datagrams[0][..2], &real.datagrams);
        let streams = both(&real.streams[0][..1], &real.streams);
        let calls = both(&requests[0], &requests);
        flood_udp(gossip, datagrams.into_iter(), &a);
        flood_tcp(gossip, streams);
        flood_tcp(rpc, calls);
        assert!(a.process.ended().is_none(), "seed {seed}: the agent has ended");
        wait_until("the two know each other as alive", || {
            let out = a.ask(&["members"]).out;
            ["a", "b"].iter().all(|name| {
                out.lines()
                    .any(|line| line.split_whitespace().next() == Some(name) && line.contains(" alive"))
            })
        });
        sizes.push(a.resident_kib());
    }
    println!("resident after each seed, KiB: {sizes:?}");
    assert!(sizes[SEEDS.len() - 1] <= sizes[0] + GROWTH_MAX, "memory is flat: {sizes:?} KiB");
    let log = a.log();
    assert!(log.len() < LOG_BYTES_MAX, "{} bytes of log", log.len());
}

#[test]
fn floods_leave_an_agent_as_it_was() {
    endure(&Keyring::empty(), &[]);
}

#[test]
fn floods_leave_an_encrypting_agent_as_it_was() {
    let key = Key::new(&KEY).expect("it has 32 bytes");
    let keyring = Keyring::of(key, Vec::new()).expect("one key makes a keyring");
    endure(&keyring, &["-encrypt", KEY_TEXT]);
}
