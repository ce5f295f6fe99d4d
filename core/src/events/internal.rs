//! Queries of the protocol's own: names that begin with `_rumor_`, answered by the node itself (Serf: `_serf_`).
//!
//! | Query | Payload | Answer |
//! |---|---|---|
//! | `_rumor_ping` | none | none: the ack is what matters |
//! | `_rumor_conflict` | a node name, UTF-8 | [`ConflictReply`]; silence from who does not know the name or bears it |
//! | `_rumor_install-key`, `_rumor_use-key`, `_rumor_remove-key` | [`KeyRequest`] | [`KeyReply`] |
//! | `_rumor_list-keys` | none | [`KeyReply`] with keys |
//!
//! Structures are in postcard; bytes after them are left for later versions.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::id::NodeName;
use crate::io::{CommandId, KeyAction, KeyReport};
use crate::keyring::{KEYS_MAX, Key};

/// What names of the protocol's own begin with.
const PREFIX: &str = "_rumor_";

/// Different keys that one report tells apart.
const REPORT_KEYS_MAX: usize = 4 * KEYS_MAX;

/// Whether a name is one of the protocol's own.
fn is_own(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Whether applications may not ask this. A bare ping they may: its acks tell whom a query reaches (Serf's `reachability`).
pub(crate) fn is_reserved(name: &str, payload: &[u8]) -> bool {
    is_own(name) && !(name == Internal::Ping.name() && payload.is_empty())
}

/// An internal query, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Internal {
    Ping,
    Conflict,
    InstallKey,
    UseKey,
    RemoveKey,
    ListKeys,
    /// Of a later version: acknowledged when that is wanted, and nothing else (Serf).
    Unknown,
}

impl Internal {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Ping, "_rumor_ping"),
        (Self::Conflict, "_rumor_conflict"),
        (Self::InstallKey, "_rumor_install-key"),
        (Self::UseKey, "_rumor_use-key"),
        (Self::RemoveKey, "_rumor_remove-key"),
        (Self::ListKeys, "_rumor_list-keys"),
    ];

    /// The internal query of that name; `None` when it is an application's.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == name).map(|(internal, _)| *internal);
        is_own(name).then_some(known.unwrap_or(Self::Unknown))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(internal, _)| *internal == self).map_or(PREFIX, |(_, name)| name)
    }

    /// The query that carries a key command.
    pub(crate) const fn of_action(action: &KeyAction) -> Self {
        match action {
            KeyAction::Install(_) => Self::InstallKey,
            KeyAction::Use(_) => Self::UseKey,
            KeyAction::Remove(_) => Self::RemoveKey,
            KeyAction::List => Self::ListKeys,
        }
    }
}

/// Asks for a change of the keyring.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct KeyRequest<'a> {
    /// The key; empty where it must not travel, because nothing is sealed.
    pub(crate) key: &'a [u8],
}

/// What became of a key query at one member.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyReply<'a> {
    /// Whether it was done.
    pub(crate) done: bool,
    /// Why not; or a remark.
    pub(crate) message: &'a str,
    /// Of a list: the keys, the primary first.
    #[serde(borrow)]
    pub(crate) keys: Vec<&'a [u8]>,
    /// Of a list: the key that seals.
    pub(crate) primary: Option<&'a [u8]>,
}

/// Where a member knows the node of a name.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ConflictReply {
    pub(crate) addr: SocketAddr,
}

/// The bytes of one of these structures.
pub(crate) fn encode(structure: &impl Serialize) -> Vec<u8> {
    // Into growing memory: postcard has nothing to fail on here.
    postcard::to_allocvec(structure).unwrap_or_default()
}

/// One of these structures; `None` when the bytes are none.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().map(|(structure, _)| structure)
}

/// A key command under way: what members have said.
#[derive(Clone, Debug)]
pub(crate) struct KeyPoll {
    pub(crate) command: CommandId,
    /// Whether keys are changed, not only listed.
    pub(crate) changes: bool,
    pub(crate) report: KeyReport,
}

impl KeyPoll {
    /// A member has answered.
    pub(crate) fn take(&mut self, from: &str, payload: &[u8]) {
        // The wire has checked the name.
        let Ok(name) = NodeName::new(from) else { return };
        self.report.answered += 1;
        let Some(reply) = decode::<KeyReply<'_>>(payload) else {
            return self.report.failed.push((name, "its answer is malformed".into()));
        };
        if !reply.done {
            self.report.failed.push((name, reply.message.into()));
        } else if !reply.message.is_empty() {
            self.report.remarks.push((name, reply.message.into()));
        }
        for key in &reply.keys {
            count(&mut self.report.keys, key);
        }
        if let Some(primary) = reply.primary {
            count(&mut self.report.primaries, primary);
        }
    }
}

fn count(counted: &mut Vec<(Key, u32)>, key: &[u8]) {
    let Ok(key) = Key::new(key) else { return };
    match counted.iter().position(|(known, _)| *known == key) {
        Some(place) => counted[place].1 += 1,
        None if counted.len() < REPORT_KEYS_MAX => counted.push((key, 1)),
        None => {}
    }
}

/// A vote about this node's name: who knows the node here, and who another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vote {
    replies: u32,
    matching: u32,
}

/// How a vote ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The name is ours, or nobody knows.
    Stay,
    /// Most members know another node of that name; in words for people.
    Stop(Box<str>),
}

impl Vote {
    /// A member has answered; an answer that makes no sense counts for nobody (Serf).
    pub(crate) fn take(&mut self, payload: &[u8], here: SocketAddr) {
        if let Some(ConflictReply { addr }) = decode(payload) {
            self.replies += 1;
            self.matching += u32::from(crate::id::canonical(addr) == here);
        }
    }

    /// The majority decides (facts 2.11). Serf stops where nobody answers at all (Q22), and counts members that do not know
    /// the name as votes against (Q23): a node alone, or met by members that know nothing yet, would stop for no reason.
    pub(crate) fn verdict(self) -> Verdict {
        let Self { replies, matching } = self;
        if replies == 0 || matching > replies / 2 {
            return Verdict::Stay;
        }
        Verdict::Stop(
            alloc::format!(
                "another node has this node's name: of {replies} members, {matching} know it at this address"
            )
            .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn internal_names_are_told_from_those_of_applications() {
        for (internal, name) in Internal::ALL {
            assert_eq!((Internal::of(name), internal.name()), (Some(internal), name));
        }
        assert_eq!(Internal::of("_rumor_dance"), Some(Internal::Unknown));
        assert_eq!((Internal::of("load"), Internal::of("rumor_ping")), (None, None));
    }

    #[test]
    fn of_the_protocols_own_queries_applications_may_ask_a_bare_ping_alone() {
        for (internal, name) in Internal::ALL {
            assert_eq!(is_reserved(name, &[]), internal != Internal::Ping, "{name}");
            assert!(is_reserved(name, b"x"), "{name}");
        }
        assert!(is_reserved("_rumor_dance", &[]) && !is_reserved("load", &[]));
    }

    fn vote(here: u32, elsewhere: u32) -> Verdict {
        let mut vote = Vote::default();
        for (count, port) in [(here, 1), (elsewhere, 2)] {
            let addr = ([10, 0, 0, 1], port).into();
            for _ in 0..count {
                vote.take(&encode(&ConflictReply { addr }), ([10, 0, 0, 1], 1).into());
                vote.take(b"\xFF\xFF nonsense", ([10, 0, 0, 1], 1).into());
            }
        }
        vote.verdict()
    }

    /// matching < replies / 2 + 1: stop.
    #[test]
    fn a_vote_is_lost_without_a_majority_and_decides_nothing_without_answers() {
        for (here, elsewhere) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
            assert_eq!(vote(here, elsewhere), Verdict::Stay, "{here} to {elsewhere}");
        }
        for (here, elsewhere) in [(0, 1), (1, 1), (2, 2), (2, 3)] {
            assert!(matches!(vote(here, elsewhere), Verdict::Stop(_)), "{here} to {elsewhere}");
        }
    }

    #[test]
    fn both_forms_of_an_address_are_one_vote() {
        let mut vote = Vote::default();
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:1".parse().unwrap();
        vote.take(&encode(&ConflictReply { addr: mapped }), ([10, 0, 0, 1], 1).into());
        assert_eq!(vote.verdict(), Verdict::Stay);
    }

    #[test]
    fn a_report_counts_keys_and_keeps_reasons_and_is_bounded() {
        let report = KeyReport { asked: 3, ..KeyReport::default() };
        let mut poll = KeyPoll { command: CommandId(1), changes: false, report };
        let (one, two) = ([1; 16], [2; 32]);
        let reply = KeyReply { done: true, message: "", keys: alloc::vec![&one, &two], primary: Some(&one) };
        poll.take("a", &encode(&reply));
        poll.take(
            "b",
            &encode(&KeyReply { message: "cut", keys: alloc::vec![&two], primary: Some(&two), ..reply }),
        );
        poll.take("c", &encode(&KeyReply { done: false, message: "no", keys: Vec::new(), primary: None }));
        poll.take("d", &[0xFF]);
        let key = |bytes: &[u8]| Key::new(bytes).unwrap();
        let name = |name| NodeName::new(name).unwrap();
        assert_eq!(poll.report.keys, [(key(&one), 1), (key(&two), 2)]);
        assert_eq!(poll.report.primaries, [(key(&one), 1), (key(&two), 1)]);
        assert_eq!(poll.report.remarks, [(name("b"), "cut".into())]);
        let failed = [(name("c"), "no".into()), (name("d"), "its answer is malformed".into())];
        assert_eq!((poll.report.answered, &poll.report.failed[..]), (4, &failed[..]));
        for n in 0..1000u16 {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&n.to_le_bytes());
            count(&mut poll.report.keys, &bytes);
        }
        assert_eq!(poll.report.keys.len(), REPORT_KEYS_MAX);
    }

    proptest! {
        #[test]
        fn hostile_payloads_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode::<KeyReply<'_>>(&bytes).map(|reply| reply.keys.len());
            let _ = decode::<KeyRequest<'_>>(&bytes).map(|request| request.key.len());
            let _ = decode::<ConflictReply>(&bytes);
        }
    }
}
