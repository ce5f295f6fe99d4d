//! Peers that say whatever they like: a node neither panics nor grows beyond its bounds.

use super::words::{Word, packet};
use super::{addr, born, known, lan, ms, name};
use crate::config::{AntiEntropy, Config};
use crate::error::StreamFailure;
use crate::id::{Incarnation, LamportTime, NodeName, ProbeSeq, Versions};
use crate::io::{
    Command, CommandId, Input, Outbox, Output, State, Status, StreamAction, StreamId, StreamInput,
};
use crate::node::Node;
use crate::rng::Seed;
use crate::spread::Lane;
use crate::step;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::{Alive, Clocks, DeltaHead, Intent, Message, SyncHead, SyncRow, VersionSpan, Wire};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

/// What befalls the node.
#[derive(Clone, Debug)]
enum Act {
    Hear {
        from: usize,
        words: Vec<Word>,
    },
    Noise(Vec<u8>),
    Stream {
        id: StreamId,
        input: Strange,
    },
    Command(u8),
    Tick(Duration),
    /// The clock goes back.
    Back(Duration),
}

/// What comes over a stream.
#[derive(Clone, Debug)]
enum Strange {
    Opened,
    Closed,
    Failed,
    Noise(Vec<u8>),
    Frame(Vec<Part>),
}

#[derive(Clone, Debug)]
enum Part {
    Head(bool, VersionSpan),
    Row(usize, u32, State),
    End,
    Refused(String),
    Ping(u32, usize),
    Ack(u32),
    Clocks(u64),
    /// A member that the peer has forgotten and that left.
    Gone(usize, u64),
    Delta(VersionSpan, u64),
    /// Powers of two of them, from the fewest on.
    Buckets(u8),
    Want(u8, u8),
}

fn incarnation() -> impl Strategy<Value = u32> {
    prop::sample::select(Vec::from([0, 1, 2, 3, u32::MAX - 1, u32::MAX]))
}

fn word() -> impl Strategy<Value = Word> {
    let (i, seq) = (0usize..14, 0u32..12);
    prop_oneof![
        (seq.clone(), i.clone()).prop_map(|(seq, target)| Word::Ping { seq, target }),
        (seq.clone(), i.clone(), any::<bool>()).prop_map(|(seq, target, nack)| Word::PingReq {
            seq,
            target,
            nack
        }),
        seq.clone().prop_map(Word::Ack),
        seq.prop_map(Word::Nack),
        (i.clone(), incarnation()).prop_map(|(of, incarnation)| Word::Alive { of, incarnation }),
        (i.clone(), incarnation(), i.clone()).prop_map(|(of, incarnation, by)| Word::Suspect {
            of,
            incarnation,
            by
        }),
        (i.clone(), incarnation(), i).prop_map(|(of, incarnation, by)| Word::Dead { of, incarnation, by }),
        (0usize..60, 0u64..12).prop_map(|(of, at)| Word::JoinIntent { of, at }),
        (0usize..60, prop_oneof![0u64..12, Just(LamportTime::MAX.0)], any::<bool>())
            .prop_map(|(of, at, prune)| Word::LeaveIntent { of, at, prune }),
    ]
}

fn span() -> impl Strategy<Value = VersionSpan> {
    let fits = VersionSpan {
        protocol_min: 1,
        protocol_max: 5,
        protocol_spoken_min: 2,
        protocol_spoken_max: 2,
        app_min: 2,
        app_max: 5,
        app_spoken_min: 5,
        app_spoken_max: 5,
    };
    prop_oneof![4 => Just(fits), 1 => Just(VersionSpan { protocol_spoken_max: 200, ..fits })]
}

fn part() -> impl Strategy<Value = Part> {
    let state = prop::sample::select(Vec::from([State::Alive, State::Suspect, State::Dead, State::Left]));
    prop_oneof![
        (any::<bool>(), span()).prop_map(|(join, span)| Part::Head(join, span)),
        (0usize..40, incarnation(), state).prop_map(|(i, incarnation, state)| Part::Row(
            i,
            incarnation,
            state
        )),
        Just(Part::End),
        ".{0,40}".prop_map(Part::Refused),
        (0u32..12, 0usize..3).prop_map(|(seq, target)| Part::Ping(seq, target)),
        (0u32..12).prop_map(Part::Ack),
        prop_oneof![0u64..9, Just(LamportTime::MAX.0)].prop_map(Part::Clocks),
        (0usize..20, 0u64..9).prop_map(|(i, at)| Part::Gone(i, at)),
        (span(), any::<u64>()).prop_map(|(span, root)| Part::Delta(span, root)),
        (0u8..10).prop_map(Part::Buckets),
        (0u8..10, any::<u8>()).prop_map(|(power, bits)| Part::Want(power, bits)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let noise = || prop::collection::vec(any::<u8>(), 0..80);
    let id = prop_oneof![(1u32..6).prop_map(StreamId::Ours), (1u32..6).prop_map(StreamId::Theirs)];
    let strange = prop_oneof![
        3 => Just(Strange::Opened),
        1 => Just(Strange::Closed),
        1 => Just(Strange::Failed),
        1 => noise().prop_map(Strange::Noise),
        5 => prop::collection::vec(part(), 0..8).prop_map(Strange::Frame),
    ];
    prop_oneof![
        8 => (0usize..14, prop::collection::vec(word(), 0..5)).prop_map(|(from, words)| Act::Hear { from, words }),
        1 => noise().prop_map(Act::Noise),
        6 => (id, strange).prop_map(|(id, input)| Act::Stream { id, input }),
        1 => (0u8..8).prop_map(Act::Command),
        6 => (0u64..3_000).prop_map(|t| Act::Tick(ms(t))),
        1 => (0u64..200_000).prop_map(|t| Act::Tick(ms(t))),
        1 => (0u64..5_000).prop_map(|t| Act::Back(ms(t))),
    ]
}

fn frame(wire: &Wire, parts: &[Part]) -> Vec<u8> {
    let (mut wire, mut out) = (wire.fork(&Seed::simulated(1, 0, 0)), Vec::new());
    let start = wire.begin_frame(&mut out);
    for part in parts {
        let mut say = |message: &Message<'_>| wire.encode(message, &mut out);
        match part {
            Part::Head(join, versions) => {
                say(&Message::SyncHead(SyncHead {
                    join: *join,
                    from: "n1",
                    versions: *versions,
                    replay: *join,
                }));
            }
            Part::Row(i, incarnation, state) => say(&Message::SyncRow(SyncRow {
                alive: Alive {
                    incarnation: Incarnation(*incarnation),
                    name: &name(*i),
                    addr: addr(*i),
                    meta: &[7; 100],
                    versions: Versions::CURRENT,
                },
                state: *state,
                status: match state {
                    State::Alive | State::Suspect if i % 2 == 0 => Status::Leaving,
                    State::Dead if i % 2 == 0 => Status::Left,
                    state => SyncRow::usual_status(*state),
                },
                status_time: LamportTime(u64::from(*incarnation) / 2),
            })),
            Part::Clocks(time) => {
                let time = LamportTime(*time);
                say(&Message::SyncClocks(Clocks { member: time, event: time, query: time }));
            }
            Part::Gone(i, at) => {
                say(&Message::LeaveIntent(Intent { ltime: LamportTime(*at), name: &name(*i), prune: false }));
            }
            Part::Delta(versions, root) => say(&Message::DeltaHead(DeltaHead {
                from: "n2",
                versions: *versions,
                clocks: Clocks::default(),
                rows: u32::MAX,
                root: *root,
                marks: 0,
            })),
            Part::Buckets(power) => say(&Message::DeltaBuckets { digests: &vec![3; 64 << power] }),
            Part::Want(power, bits) => say(&Message::DeltaWant { buckets: &vec![*bits; 1 << power] }),
            Part::End => say(&Message::SyncEnd),
            Part::Refused(reason) => say(&Message::Refused { reason }),
            Part::Ping(seq, target) => say(&Message::Ping { seq: ProbeSeq(*seq), target: &name(*target) }),
            Part::Ack(seq) => say(&Message::Ack { seq: ProbeSeq(*seq), coordinate: None }),
        }
    }
    wire.finish_frame(start, &mut out);
    out
}

fn command(kind: u8) -> Command {
    match kind {
        0 => Command::Leave,
        1 => Command::SetTags(Tags::from_iter([("k", "v")])),
        2 => Command::SetTags(Tags::from_iter([("k", "v".repeat(600))])),
        3 => Command::Join { addresses: Vec::new(), replay: false },
        4 => Command::Join { addresses: Vec::from([addr(1), addr(2), addr(3)]), replay: false },
        5 => Command::ForceLeave { name: NodeName::new(&name(3)).unwrap(), prune: false },
        6 => Command::ForceLeave { name: NodeName::new(&name(4)).unwrap(), prune: true },
        _ => Command::Join { addresses: Vec::from([addr(0)]), replay: false },
    }
}

/// The tightest bounds that a config allows.
fn tight() -> Config {
    Config {
        queue_messages_max: 16,
        members_max: 20,
        streams_max: 3,
        relays_max: 2,
        intents_max: 16,
        notes: true,
        ..lan()
    }
}

fn check(node: &Node, before: Incarnation) {
    let lanes = [Lane::Intents, Lane::Queries, Lane::Events].map(|lane| node.queue.lane(lane).len());
    assert!(node.queue.members.len() <= 16 && lanes.iter().all(|len| *len <= 16), "{lanes:?}");
    assert!(node.early_intents() <= 16, "{} early intents", node.early_intents());
    let digested = node.members().filter(|view| matches!(view.state, State::Alive | State::Suspect)).count();
    assert_eq!(node.members.settled([].into_iter()).0 as usize, digested);
    assert!(node.members().count() <= 20, "{} members", node.members().count());
    assert!(node.streams.len() <= 3 && node.relays.len() <= 2 && node.joins.len() <= 3);
    assert!(node.open_suspicions() <= 20);
    assert!(node.incarnation() >= before, "its own incarnation went back");
    assert_eq!(node.identity().addr, addr(0));
}

/// Plays the acts; gives the commands given and those that ended.
fn play(acts: &[Act], anti_entropy: AntiEntropy) -> (Vec<CommandId>, Vec<CommandId>) {
    let config = Config { anti_entropy, ..tight() };
    let wire = Wire::new(&config);
    let mut node = born(0, &config, &known(6), Instant::ORIGIN);
    let (mut now, mut outbox) = (Instant::ORIGIN, Outbox::new());
    let (mut given, mut ended) = (Vec::new(), Vec::new());
    let end = [Act::Tick(ms(20_000)), Act::Tick(ms(20_000)), Act::Tick(ms(20_000)), Act::Tick(ms(20_000))];
    for act in acts.iter().chain(&end) {
        let before = node.incarnation();
        let bytes;
        let input = match act {
            Act::Hear { from, words } => {
                bytes = packet(words);
                Input::Packet { from: addr(*from), bytes: &bytes }
            }
            Act::Noise(noise) => Input::Packet { from: addr(1), bytes: noise },
            Act::Stream { id, input } => {
                let input = match input {
                    Strange::Opened => StreamInput::Opened { peer: addr(1) },
                    Strange::Closed => StreamInput::Closed,
                    Strange::Failed => StreamInput::Failed(StreamFailure::Refused),
                    Strange::Noise(noise) => StreamInput::Frame(noise),
                    Strange::Frame(parts) => {
                        bytes = frame(&wire, parts);
                        StreamInput::Frame(&bytes)
                    }
                };
                Input::Stream { id: *id, input }
            }
            Act::Command(kind) => {
                let id = CommandId(given.len() as u64);
                given.push(id);
                Input::Command { id, command: command(*kind) }
            }
            Act::Tick(time) => {
                now = now + *time;
                Input::Tick
            }
            Act::Back(time) => {
                now = Instant::from_nanos(now.as_nanos().saturating_sub(time.as_nanos() as u64));
                Input::Tick
            }
        };
        let latest = node.clock.max(now);
        for output in step(&mut node, input, now, &mut outbox) {
            match output {
                Output::Packet { bytes, .. } => assert!(bytes.len() <= usize::from(config.packet_bytes_max)),
                Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } => {
                    assert!(bytes.len() <= config.frame_bytes_max as usize);
                }
                Output::Completed { id, .. } => ended.push(id),
                Output::Stream { .. } | Output::Event(_) | Output::Note(_) => {}
            }
        }
        if matches!(act, Act::Tick(_) | Act::Back(_)) {
            assert!(node.deadline().is_none_or(|(at, _)| at > latest), "its deadline is not after the tick");
        }
        check(&node, before);
    }
    (given, ended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn whatever_peers_say_a_node_keeps_its_bounds_and_ends_each_command_once(
        acts in prop::collection::vec(act(), 0..120),
        delta in any::<bool>(),
    ) {
        let (given, mut ended) = play(&acts, if delta { AntiEntropy::Delta } else { AntiEntropy::Full });
        ended.sort();
        prop_assert_eq!(given, ended);
    }
}
