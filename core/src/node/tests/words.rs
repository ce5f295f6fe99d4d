//! Messages in the tests' own words: members by number, so that a test can say and match them in one line.

use super::{addr, name};
use crate::config::Config;
use crate::id::{Incarnation, LamportTime, ProbeSeq, Versions};
use crate::wire::{Accusation, Alive, Intent, Kind, Message, Wire};
use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Ping {
        seq: u32,
        target: usize,
    },
    PingReq {
        seq: u32,
        target: usize,
        nack: bool,
    },
    Ack(u32),
    Nack(u32),
    Alive {
        of: usize,
        incarnation: u32,
    },
    Suspect {
        of: usize,
        incarnation: u32,
        by: usize,
    },
    Dead {
        of: usize,
        incarnation: u32,
        by: usize,
    },
    JoinIntent {
        of: usize,
        at: u64,
    },
    LeaveIntent {
        of: usize,
        at: u64,
        prune: bool,
    },
    /// Another message of Serf's layer, told by its kind; not to be said.
    Other(Kind),
}

impl Word {
    fn append(self, wire: &Wire, out: &mut Vec<u8>) {
        let mut say = |message: &Message<'_>| wire.encode(message, out);
        match self {
            Self::Ping { seq, target } => {
                say(&Message::Ping { seq: ProbeSeq(seq), target: &name(target) });
            }
            Self::PingReq { seq, target, nack } => {
                let seq = ProbeSeq(seq);
                say(&Message::PingReq { seq, target: &name(target), addr: addr(target), nack });
            }
            Self::Ack(seq) => say(&Message::Ack { seq: ProbeSeq(seq), coordinate: None }),
            Self::Nack(seq) => say(&Message::Nack { seq: ProbeSeq(seq) }),
            Self::Alive { of, incarnation } => say(&Message::Alive(Alive {
                incarnation: Incarnation(incarnation),
                name: &name(of),
                addr: addr(of),
                meta: &[],
                versions: Versions::CURRENT,
            })),
            Self::Suspect { of, incarnation, by } => say(&Message::Suspect(Accusation {
                incarnation: Incarnation(incarnation),
                name: &name(of),
                from: &name(by),
            })),
            Self::Dead { of, incarnation, by } => say(&Message::Dead(Accusation {
                incarnation: Incarnation(incarnation),
                name: &name(of),
                from: &name(by),
            })),
            Self::Other(kind) => panic!("a test cannot say {kind:?} in one word"),
            Self::JoinIntent { of, at } => {
                say(&Message::JoinIntent(Intent { ltime: LamportTime(at), name: &name(of), prune: false }));
            }
            Self::LeaveIntent { of, at, prune } => {
                say(&Message::LeaveIntent(Intent { ltime: LamportTime(at), name: &name(of), prune }));
            }
        }
    }

    fn of(message: &Message<'_>) -> Self {
        let number = |name: &str| name[1..].parse().unwrap();
        match *message {
            Message::Ping { seq, target } => Self::Ping { seq: seq.0, target: number(target) },
            Message::PingReq { seq, target, nack, .. } => {
                Self::PingReq { seq: seq.0, target: number(target), nack }
            }
            Message::Ack { seq, .. } => Self::Ack(seq.0),
            Message::Nack { seq } => Self::Nack(seq.0),
            Message::Alive(alive) => Self::Alive { of: number(alive.name), incarnation: alive.incarnation.0 },
            Message::Suspect(a) => {
                Self::Suspect { of: number(a.name), incarnation: a.incarnation.0, by: number(a.from) }
            }
            Message::Dead(a) => {
                Self::Dead { of: number(a.name), incarnation: a.incarnation.0, by: number(a.from) }
            }
            Message::JoinIntent(intent) => Self::JoinIntent { of: number(intent.name), at: intent.ltime.0 },
            Message::LeaveIntent(Intent { ltime, name, prune }) => {
                Self::LeaveIntent { of: number(name), at: ltime.0, prune }
            }
            _ => Self::Other(message.kind()),
        }
    }
}

fn wire() -> Wire {
    Wire::new(&Config::lan())
}

/// A packet (without label) that says this.
pub(super) fn packet(words: &[Word]) -> Vec<u8> {
    let (mut wire, mut out) = (wire(), Vec::new());
    let start = wire.begin_packet(&mut out);
    for word in words {
        word.append(&wire, &mut out);
    }
    wire.finish_packet(start, &mut out);
    out
}

/// What a packet says.
pub(super) fn read(packet: &[u8]) -> Vec<Word> {
    wire().open_packet(packet).unwrap().map(|message| Word::of(&message.unwrap())).collect()
}
