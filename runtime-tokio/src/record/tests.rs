//! Two nodes in memory that do all they can, recorded and replayed.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use rumormill_core::error::StreamFailure;
use rumormill_core::id::{Identity, Incarnation, LamportTime, NodeName, Versions};
use rumormill_core::io::{
    Command, CommandId, Event, EventRequest, Input, KeyAction, Outbox, Output, QueryRequest, StreamAction,
    StreamId, StreamInput, TagFilter,
};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::tags::Tags;
use rumormill_core::wire::{Clocks, WireError};
use rumormill_core::{Birth, Config, Instant, Node, Restore, Roster, Seed, step};
use tempfile::TempDir;

use super::codec::{Addr, Entry, InputRecord};
use super::replay::replay_from;
use super::*;

fn addr(i: usize) -> SocketAddr {
    ([10, 0, 0, i as u8 + 1], 7946).into()
}

fn key(byte: u8) -> Key {
    Key::new(&[byte; 16]).unwrap()
}

/// What is on its way to a node.
enum Mail {
    Packet(Vec<u8>),
    Opened(StreamId, SocketAddr),
    Frame(StreamId, Vec<u8>),
    Closed(StreamId),
}

/// Two nodes and what is on its way between them, without delay or loss.
struct Pair {
    nodes: Vec<(Node, Recorder)>,
    outbox: Outbox,
    now: Instant,
    mail: VecDeque<(usize, Mail)>,
    /// The other end of each stream.
    ends: BTreeMap<(usize, StreamId), (usize, StreamId)>,
    next: u32,
    completed: Vec<(usize, bool)>,
    /// Queries that wait for an answer, by node.
    asked: Vec<(usize, rumormill_core::io::QueryId)>,
}

impl Pair {
    fn new(folder: &Path) -> Self {
        Self::noting(folder, true)
    }

    fn noting(folder: &Path, notes: bool) -> Self {
        let now = Instant::from_nanos(1_234_567);
        let member = |name: &str, addr: &str| {
            let (name, addr) = (NodeName::new(name).unwrap(), addr.parse().unwrap());
            let identity = Identity { name, addr, meta: [].into(), versions: Versions::CURRENT };
            (identity.into(), Incarnation(3))
        };
        let nodes = (0..2).map(|i| {
            let seed = Seed::from_os([i as u8 + 1; 32]);
            // One of them has been here before, and knows somebody who does not answer.
            let mut restore = Restore::default();
            if i == 1 {
                let known = [member("gone", "[fe80::9%3]:7946"), member("bo b", "10.0.0.77:7946")];
                let clocks = Clocks { member: LamportTime(5), event: LamportTime(6), query: LamportTime(7) };
                restore = Restore {
                    incarnation: Incarnation(8),
                    roster: Roster::new(known, &seed).into(),
                    failed: vec![member("lost", "10.0.0.99:7946")],
                    clocks,
                };
            }
            let birth = Birth {
                name: NodeName::new(&format!("node {i}")).unwrap(),
                addr: addr(i),
                tags: &Tags::from_iter([("role", "web")]),
                seed,
                keyring: Keyring::of(key(1), vec![key(2)]).unwrap(),
                restore,
            };
            let config = Config { notes, label: "ä".into(), ..Config::local() };
            let header = Header { config: &config, birth: &birth, now };
            let recorder = Recorder::create(&folder.join(i.to_string()), &header).unwrap();
            (Node::new(config.clone(), birth, now).unwrap(), recorder)
        });
        Self {
            nodes: nodes.collect(),
            outbox: Outbox::new(),
            now,
            mail: VecDeque::new(),
            ends: BTreeMap::new(),
            next: 0,
            completed: Vec::new(),
            asked: Vec::new(),
        }
    }

    fn give(&mut self, i: usize, input: Input<'_>) {
        let (node, recorder) = &mut self.nodes[i];
        recorder.before(&input, self.now);
        let outputs = step(node, input, self.now, &mut self.outbox);
        recorder.after(outputs.clone(), node);
        let other = 1 - i;
        for output in outputs {
            match output {
                Output::Packet { to, bytes, .. } if to == addr(other) => {
                    self.mail.push_back((other, Mail::Packet(bytes.to_vec())));
                }
                Output::Stream { id, action: StreamAction::Open { to, .. } } if to == addr(other) => {
                    self.next += 1;
                    let theirs = StreamId::Theirs(self.next);
                    self.ends.insert((i, id), (other, theirs));
                    self.ends.insert((other, theirs), (i, id));
                    self.mail.push_back((other, Mail::Opened(theirs, addr(i))));
                    self.mail.push_back((i, Mail::Opened(id, to)));
                }
                Output::Stream { id, action: StreamAction::Open { .. } } => {
                    self.mail.push_back((i, Mail::Closed(id)));
                }
                Output::Stream { id, action: StreamAction::Frame { bytes, last, .. } } => {
                    if let Some((to, id)) = self.ends.get(&(i, id)) {
                        self.mail.push_back((*to, Mail::Frame(*id, bytes.to_vec())));
                        if last {
                            self.mail.push_back((*to, Mail::Closed(*id)));
                        }
                    }
                }
                Output::Stream { id, action: StreamAction::Close } => {
                    if let Some((to, id)) = self.ends.remove(&(i, id)) {
                        self.mail.push_back((to, Mail::Closed(id)));
                    }
                }
                Output::Completed { result, .. } => self.completed.push((i, result.is_ok())),
                Output::Event(Event::Query { query, .. }) => self.asked.push((i, query)),
                _ => {}
            }
        }
    }

    fn command(&mut self, i: usize, command: Command) {
        self.next += 1;
        self.give(i, Input::Command { id: CommandId(self.next.into()), command });
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            while let Some((to, mail)) = self.mail.pop_front() {
                let stream = |id, input| Input::Stream { id, input };
                match mail {
                    Mail::Packet(bytes) => self.give(to, Input::Packet { from: addr(1 - to), bytes: &bytes }),
                    Mail::Opened(id, peer) => self.give(to, stream(id, StreamInput::Opened { peer })),
                    Mail::Frame(id, bytes) => self.give(to, stream(id, StreamInput::Frame(&bytes))),
                    Mail::Closed(id) => self.give(to, stream(id, StreamInput::Closed)),
                }
            }
            for (to, query) in std::mem::take(&mut self.asked) {
                self.command(to, Command::Respond { query, payload: b"answer".as_slice().into() });
            }
            let due = (0..2).filter_map(|i| Some((self.nodes[i].0.deadline()?.0, i))).min();
            match due {
                _ if !self.mail.is_empty() => {}
                Some((at, i)) if at <= end => {
                    self.now = at.max(self.now);
                    self.give(i, Input::Tick);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// Everything that two nodes can do with each other, and some nonsense from outside.
    fn live(&mut self) {
        let second = Duration::from_secs(1);
        self.pass(second);
        self.command(0, Command::Join { addresses: vec![addr(1)], replay: true });
        self.pass(second);
        let payload: Box<[u8]> = b"payload".as_slice().into();
        for name in ["deploy", "", "ü"] {
            let event = EventRequest { name: name.into(), payload: payload.clone(), coalesce: true };
            self.command(1, Command::UserEvent(event));
        }
        let query = QueryRequest {
            name: "load".into(),
            payload,
            nodes: vec![NodeName::new("node 1").unwrap()],
            tags: vec![TagFilter { tag: "role".into(), expression: "w.b".into() }],
            ack: true,
            relay_factor: 1,
            timeout: Some(2 * second),
        };
        self.command(0, Command::Query(query));
        self.pass(3 * second);
        for action in
            [KeyAction::Install(key(3)), KeyAction::Use(key(3)), KeyAction::Remove(key(1)), KeyAction::List]
        {
            self.command(0, Command::Keys { action, relay_factor: 0 });
            self.pass(3 * second);
        }
        self.command(1, Command::SetTags(Tags::from_iter([("role", "db"), ("", "empty")])));
        self.command(0, Command::ForceLeave { name: NodeName::new("bo b").unwrap(), prune: true });
        let outside: SocketAddr = "[fe80::5%7]:1".parse().unwrap();
        self.give(0, Input::Packet { from: outside, bytes: b"GET / HTTP/1.1\r\n" });
        self.give(0, Input::Packet { from: outside, bytes: b"" });
        let failed = StreamInput::Failed(StreamFailure::Invalid(WireError::Magic { found: 1, expected: 2 }));
        self.give(1, Input::Stream { id: StreamId::Theirs(9999), input: failed });
        self.pass(30 * second);
        self.command(1, Command::Leave);
        self.pass(5 * second);
    }
}

/// The recordings of a life of two nodes.
fn recorded() -> TempDir {
    recorded_noting(true)
}

fn recorded_noting(notes: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut pair = Pair::noting(folder.path(), notes);
    pair.live();
    assert!(pair.completed.len() > 10, "{:?}", pair.completed);
    assert!(pair.completed.iter().filter(|(_, good)| *good).count() > 8, "{:?}", pair.completed);
    for (_, recorder) in pair.nodes {
        assert!(recorder.is_recording());
        recorder.close_blocking();
    }
    folder
}

fn replay_bytes(bytes: &[u8]) -> Result<ReplayReport, ReplayError> {
    replay_from(bytes, |source| ReplayError::Io { path: "memory".into(), source })
}

/// Where each frame of a recording begins, and its end.
fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![MAGIC.len()];
    while starts[starts.len() - 1] < bytes.len() {
        let at = starts[starts.len() - 1];
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        starts.push(at + frames::HEAD_BYTES + length);
    }
    starts
}

#[test]
fn a_recorded_life_can_be_lived_again() {
    let folder = recorded();
    for i in 0..2 {
        let path = folder.path().join(i.to_string());
        let report = replay(&path).unwrap();
        assert_eq!(report.difference, None);
        assert!(!report.cut_off);
        assert_eq!(report.name, format!("node {i}"));
        assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
        let said = format!("node \"node {i}\", recorded by version 0.1.0: {} inputs in ", report.identical);
        assert!(
            report.to_string().starts_with(&said) && report.to_string().ends_with("as recorded"),
            "{report}"
        );
        let frames = frame_starts(&fs::read(&path).unwrap()).len() as u64 - 1;
        assert_eq!(report.identical, frames - 1, "all but the birth");
        assert!(report.identical > 100 && report.lasted > Duration::from_secs(40), "{report:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    let text = fs::read(folder.path().join("0")).unwrap();
    assert!(text.starts_with(b"rumormill-recording 1\nThis file holds secrets: keys"));
}

/// What is noted is for whoever watches: a version that notes more, or nothing, replays what another has recorded.
#[test]
fn notes_are_no_part_of_a_recording() {
    let [with, without] = [true, false].map(|notes| {
        let folder = recorded_noting(notes);
        let bytes = fs::read(folder.path().join("1")).unwrap();
        let after_birth = frame_starts(&bytes)[1];
        bytes[after_birth..].to_vec()
    });
    assert!(with == without, "{} and {} bytes", with.len(), without.len());
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    drop(Pair::new(folder.path()));
    let birth = Birth {
        name: NodeName::new("a").unwrap(),
        addr: addr(0),
        tags: &Tags::new(),
        seed: Seed::simulated(1, 2, 3),
        keyring: Keyring::empty(),
        restore: Restore::default(),
    };
    let config = Config::lan();
    let header = Header { config: &config, birth: &birth, now: Instant::ORIGIN };
    let error = Recorder::create(&folder.path().join("0"), &header).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(error.to_string().ends_with("0: the file is there already, and is not overwritten"), "{error}");
    let error = Recorder::create(Path::new("/nowhere/file"), &header).unwrap_err().to_string();
    assert!(error.starts_with("recording to /nowhere/file: No such file"), "{error}");
    // A simulated seed comes back as one.
    let path = folder.path().join("simulated");
    Recorder::create(&path, &header).unwrap().close_blocking();
    assert_eq!(replay(&path).unwrap().identical, 0);
}

#[test]
fn a_recording_may_be_cut_at_every_byte() {
    let folder = recorded();
    let bytes = fs::read(folder.path().join("1")).unwrap();
    let starts = frame_starts(&bytes);
    // Every cut in what comes first; then those around the ends of a few entries, as each replays all before it.
    let early = 0..starts[4];
    let late = starts[5..].iter().step_by(97).flat_map(|at| at.saturating_sub(2)..=at + 17);
    for cut in early.chain(late).filter(|cut| *cut <= bytes.len()) {
        let outcome = replay_bytes(&bytes[..cut]);
        if cut < starts[1] {
            let expected = if cut == 0 { "no recording" } else { "before the node is born" };
            let said = outcome.unwrap_err().to_string();
            assert!(said.contains(expected), "cut at {cut}: {said}");
            continue;
        }
        let report = outcome.unwrap();
        let whole = starts.iter().filter(|start| **start <= cut).count() as u64;
        assert_eq!(report.identical, whole - 2, "cut at {cut}");
        assert_eq!(report.cut_off, !starts.contains(&cut), "cut at {cut}");
        assert_eq!(report.difference, None);
    }
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let folder = recorded();
    let whole = fs::read(folder.path().join("0")).unwrap();
    let starts = frame_starts(&whole);
    let mut bytes = whole[..starts[12]].to_vec();
    for at in 0..bytes.len() {
        bytes[at] ^= 0x10;
        let outcome = replay_bytes(&bytes);
        assert!(outcome.is_err(), "byte {at}: {outcome:?}");
        if at >= starts[1] {
            let number = starts.iter().filter(|start| **start <= at).count() as u64 - 1;
            let said = outcome.unwrap_err().to_string();
            assert!(said.starts_with(&format!("input {number} of the recording is damaged")), "{said}");
        }
        bytes[at] ^= 0x10;
    }
}

/// A byte of a packet that is changed together with its checksum, as if the core had been given something else.
#[test]
fn another_input_gives_another_answer() {
    let folder = recorded();
    let changed: usize =
        ["0", "1"].map(|node| forgeries_noticed(&fs::read(folder.path().join(node)).unwrap())).iter().sum();
    assert!(changed > 20, "{changed}");
}

/// How many inputs of a recording give another answer when a byte of theirs is changed. Not all do: what is refused without a word
/// differs in nothing that is recorded.
fn forgeries_noticed(bytes: &[u8]) -> usize {
    let starts = frame_starts(bytes);
    let mut body = Vec::new();
    let mut changed = 0;
    for (number, window) in (1u64..).zip(starts[1..].windows(2)) {
        let mut frame = &bytes[window[0]..window[1]];
        assert_eq!(frames::next(&mut frame, &mut body).unwrap(), frames::Next::Body);
        let (entry, _) = postcard::take_from_bytes::<Entry<'_>>(&body).unwrap();
        let (InputRecord::Frame { bytes: given, .. } | InputRecord::Packet { bytes: given, .. }) =
            entry.input
        else {
            continue;
        };
        if given.is_empty() {
            continue;
        }
        // The last byte before the digest is the last of a sealed packet: its tag does not fit any more.
        let at = body.len() - 18;
        body[at] ^= 1;
        let mut forged = bytes[..window[0]].to_vec();
        frames::put(&body, &mut forged).unwrap();
        let report = replay_bytes(&forged).unwrap();
        if let Some(difference) = report.difference {
            assert_eq!((difference.number, report.identical), (number, number - 1));
            assert!(difference.to_string().starts_with(&format!("input {number} (")), "{difference}");
            assert_ne!(difference.expected, difference.actual);
            changed += 1;
        }
        if number > 120 {
            break;
        }
    }
    changed
}

#[test]
fn what_is_no_recording_is_said_to_be_none() {
    let said = |bytes: &[u8]| replay_bytes(bytes).unwrap_err().to_string();
    assert_eq!(said(b""), "this is no recording: one begins with \"rumormill-recording \"");
    assert_eq!(said(b"alive: x"), "this is no recording: one begins with \"rumormill-recording \"");
    assert!(said(b"rumormill-recording 2\nxxxxxxxx").contains("another format than version 1: \"2\""));
    let error = replay(Path::new("/nowhere/file")).unwrap_err().to_string();
    assert!(error.starts_with("reading recording /nowhere/file: No such file"), "{error}");
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let mut bytes = MAGIC.as_bytes().to_vec();
    let length = (frames::BODY_BYTES_MAX as u32).to_le_bytes();
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&(xxhash_rust::xxh3::xxh3_64(&length) as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 20]);
    let mut body = Vec::new();
    assert_eq!(frames::next(&mut &bytes[MAGIC.len()..], &mut body).unwrap(), frames::Next::CutOff);
    assert!(body.capacity() < 4096);
    assert!(matches!(replay_bytes(&bytes), Err(ReplayError::NoBirth)));
}

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut pair = Pair::new(folder.path());
    // As the thread does when it cannot write.
    let path = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let full = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let recorder = Recorder::writing_to(full, &path).unwrap();
    pair.nodes[0].1 = recorder;
    let started = std::time::Instant::now();
    while pair.nodes[0].1.is_recording() {
        pair.pass(Duration::from_secs(1));
        pair.command(
            0,
            Command::UserEvent(EventRequest { name: "e".into(), payload: [].into(), coalesce: false }),
        );
        assert!(started.elapsed() < Duration::from_secs(30), "the error was not noticed");
        std::thread::yield_now();
    }
    pair.pass(Duration::from_secs(1));
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in bytes(), with_start: bool) {
        let start = if with_start { MAGIC } else { "" };
        prop_assert!(replay_bytes(&[start.as_bytes(), &bytes].concat()).is_err());
    }

    /// Whole frames of nonsense, after a good birth and instead of one.
    #[test]
    fn no_frames_panic(bodies in prop::collection::vec(bytes(), 1..5), born: bool) {
        let mut recording = MAGIC.as_bytes().to_vec();
        if born {
            let (config, tags) = (Config::lan(), Tags::new());
            let (name, addr, seed) = (NodeName::new("a").unwrap(), addr(0), Seed::simulated(1, 2, 3));
            let (keyring, restore) = (Keyring::empty(), Restore::default());
            let birth = Birth { name, addr, tags: &tags, seed, keyring, restore };
            let header = Header { config: &config, birth: &birth, now: Instant::ORIGIN };
            let record = birth::BirthRecord::of(&header).unwrap();
            frames::put(&postcard::to_stdvec(&record).unwrap(), &mut recording).unwrap();
        }
        for body in &bodies {
            frames::put(body, &mut recording).unwrap();
        }
        match replay_bytes(&recording) {
            Ok(report) => prop_assert!(report.difference.is_some() || report.identical > 0),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn addresses_keep_all_their_parts(ip: std::net::Ipv6Addr, v4: bool, port: u16, flow in 0u32..1 << 20, scope: u32) {
        let addr: SocketAddr = if v4 {
            (std::net::Ipv4Addr::from(scope), port).into()
        } else {
            std::net::SocketAddrV6::new(ip, port, flow, scope).into()
        };
        prop_assert_eq!(SocketAddr::from(Addr::from(addr)), addr);
    }
}
