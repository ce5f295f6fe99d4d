//! Newtypes for everything that is counted or named. None of them is ever a bare integer elsewhere.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::ops::Deref;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest node name, in bytes of UTF-8 (a DNS name is at most 253).
pub const NAME_BYTES_MAX: usize = 255;

/// A member's name: unique in the cluster, 1 to [`NAME_BYTES_MAX`] bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Box<str>);

/// Why a string is no node name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum NameError {
    /// The name has no characters.
    #[error("a node name must not be empty")]
    Empty,
    /// The name is longer than [`NAME_BYTES_MAX`] bytes.
    #[error("a node name has at most {NAME_BYTES_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// The name has a control character, which would forge lines in logs and snapshots.
    #[error("a node name must not contain control characters")]
    ControlCharacter,
}

impl NodeName {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`NameError`] says which rule the name breaks.
    pub fn new(name: &str) -> Result<Self, NameError> {
        Self::check(name).map(|()| Self(name.into()))
    }

    /// Whether `name` could be a node name, without taking it.
    ///
    /// # Errors
    /// [`NameError`] says which rule the name breaks.
    pub fn check(name: &str) -> Result<(), NameError> {
        if name.is_empty() {
            Err(NameError::Empty)
        } else if name.len() > NAME_BYTES_MAX {
            Err(NameError::TooLong(name.len()))
        } else if has_control(name.as_bytes()) {
            Err(NameError::ControlCharacter)
        } else {
            Ok(())
        }
    }

    /// The name as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether bytes are a node name of ASCII alone: what nearly every name is, told in one pass.
#[inline]
pub(crate) fn is_plain_name(bytes: &[u8]) -> bool {
    let odd = |word| control_bits(word) | word & HIGH_BITS;
    match ends(bytes) {
        Some((first, last)) => odd(first) | odd(last) == 0,
        None => matches!(bytes.len(), 1..=NAME_BYTES_MAX) && !any_word(bytes, odd),
    }
}

/// Whether there is an ASCII control character: every name in every message is asked.
fn has_control(bytes: &[u8]) -> bool {
    any_word(bytes, control_bits)
}

/// One in each byte of a word.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each byte of a word.
const HIGH_BITS: u64 = ONES * 0x80;

/// Some high bit is set when a byte of the word is an ASCII control character.
const fn control_bits(word: u64) -> u64 {
    let not_delete = word ^ (ONES * 0x7F);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = not_delete.wrapping_sub(ONES) & !not_delete;
    (below_space | delete) & HIGH_BITS
}

/// Whether a bit is found in any eight bytes; the last eight may overlap those before, and fewer are filled up with blanks.
#[inline(never)]
fn any_word(bytes: &[u8], find: impl Fn(u64) -> u64) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        let word = bytes.iter().rev().fold(ONES * 0x20, |word, byte| word << 8 | u64::from(*byte));
        return find(word) != 0;
    };
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(find(u64::from_le_bytes(*last)), |found, word| found | find(u64::from_le_bytes(*word)))
        != 0
}

/// The first eight bytes and the last eight, where these are all: of names of 8 to 16 bytes, as most are.
#[inline(always)]
fn ends(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (bytes.first_chunk::<8>()?, bytes.last_chunk::<8>()?);
    (bytes.len() <= 16).then(|| (u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
}

/// Whether two names are the same; those of 8 to 16 bytes take no call.
#[inline(always)]
pub(crate) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && match ends(one).zip(ends(other)) {
            Some((one, other)) => one == other,
            None => one == other,
        }
}

impl Deref for NodeName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for NodeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A point in a Lamport clock: cause before effect, across nodes whose clocks differ (Serf has three: of intents, events, queries).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LamportTime(pub u64);

impl LamportTime {
    /// The largest that is taken from a peer: a clock pushed to its end by one forged stamp could not count any more.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// The time after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Which life of a member numbered its events: drawn at random at birth, because numbers begin again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub u32);

/// The number of a user event among those of one life of its origin; the first is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventSeq(pub u32);

/// A member's incarnation: raised by the member alone, to refute what others say of it (SWIM 4.2).
///
/// Starts at 1; 0 stands for "never announced". Saturates at `u32::MAX` instead of wrapping as memberlist's does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The incarnation after this one; the largest has no successor and stays.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Pairs a ping with its acks and nacks. One counter per node; wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbeSeq(pub u32);

impl ProbeSeq {
    /// The sequence number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Where a member stands in one node's member table: a dense index, and the generation of the row, so that
/// a slot kept from an earlier occupant of the row is recognised as stale. Never on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The row.
    pub(crate) index: u32,
    /// How often the row has been given to another member.
    pub(crate) generation: u16,
}

/// The six version bytes that every member announces, in memberlist's order: the range of protocol versions it
/// understands and the one it speaks, and the same three for the application (Serf's "delegate" versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Versions {
    /// Lowest protocol version understood.
    pub protocol_min: u8,
    /// Highest protocol version understood: 3 and above answer stream probes, 4 and above send nacks.
    pub protocol_max: u8,
    /// Protocol version spoken.
    pub protocol: u8,
    /// Lowest application version understood.
    pub app_min: u8,
    /// Highest application version understood.
    pub app_max: u8,
    /// Application version spoken.
    pub app: u8,
}

impl Versions {
    /// What this implementation announces: memberlist's protocol 1 to 5, speaking 2; Serf's 2 to 5, speaking 5.
    pub const CURRENT: Self =
        Self { protocol_min: 1, protocol_max: 5, protocol: 2, app_min: 2, app_max: 5, app: 5 };

    /// Whether the ranges are ranges (memberlist ignores an alive message whose range is not).
    #[must_use]
    pub const fn is_sane(&self) -> bool {
        self.protocol_min > 0 && self.protocol_max > 0 && self.protocol_min <= self.protocol_max
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self::CURRENT
    }
}

/// Who a member is, apart from its incarnation and state: what an alive message announces.
///
/// Immutable and shared by [`Arc`]: a simulator with a thousand member tables keeps one copy of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Unique name.
    pub name: NodeName,
    /// Where the member receives packets and streams; IPv4 is never in its IPv6-mapped form.
    pub addr: SocketAddr,
    /// Application data, at most [`META_BYTES_MAX`] bytes; [`Tags`](crate::tags::Tags) is what it holds by convention.
    pub meta: Box<[u8]>,
    /// The version bytes.
    pub versions: Versions,
}

/// Most bytes of application data that a member announces (memberlist's limit).
pub const META_BYTES_MAX: usize = 512;

/// An identity as tables and events share it.
pub type SharedIdentity = Arc<Identity>;

/// The one form of an address in the core: an IPv4-mapped IPv6 address is IPv4, so that both forms are equal.
#[must_use]
pub const fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), addr.port()),
            None => addr,
        },
        IpAddr::V4(_) => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn names_are_bounded_and_printable() {
        assert_eq!(NodeName::new(""), Err(NameError::Empty));
        assert_eq!(NodeName::new("a\nb"), Err(NameError::ControlCharacter));
        let long = String::from_iter(core::iter::repeat_n('x', NAME_BYTES_MAX + 1));
        assert_eq!(NodeName::new(&long), Err(NameError::TooLong(NAME_BYTES_MAX + 1)));
        assert_eq!(NodeName::new(&long[1..]).map(|n| n.len()), Ok(NAME_BYTES_MAX));
        assert_eq!(NodeName::new("böse zwerge").unwrap().as_str(), "böse zwerge");
    }

    proptest::proptest! {
        #[test]
        fn control_characters_are_found_wherever_they_stand(name in "[\\x00-\\x7F\u{80}-\u{FF}]{1,40}") {
            let control = name.bytes().any(|b| b.is_ascii_control());
            proptest::prop_assert_eq!(has_control(name.as_bytes()), control);
        }

        #[test]
        fn plain_names_are_those_of_ascii_without_control_characters(
            name in proptest::collection::vec(proptest::prop_oneof![8 => 0x20u8..0x7F, 1 => proptest::prelude::any::<u8>()], 0..40),
        ) {
            let plain = !name.is_empty() && name.iter().all(|byte| (0x20..0x7F).contains(byte));
            proptest::prop_assert_eq!(is_plain_name(&name), plain);
        }

        #[test]
        fn names_are_the_same_when_all_their_bytes_are(
            one in proptest::collection::vec(0u8..2, 0..20),
            change in proptest::option::of(proptest::prelude::any::<proptest::sample::Index>()),
            other in proptest::collection::vec(0u8..2, 0..20),
        ) {
            let mut near = one.clone();
            if let Some(place) = change.filter(|_| !one.is_empty()) {
                near[place.index(one.len())] ^= 1;
            }
            proptest::prop_assert_eq!(same_bytes(&one, &near), one == near);
            proptest::prop_assert_eq!(same_bytes(&one, &other), one == other);
        }

        #[test]
        fn clean_names_of_any_length_pass(name in "[ -~é]{1,100}") {
            proptest::prop_assert!(NodeName::check(&name).is_ok());
        }
    }

    #[test]
    fn incarnations_saturate_instead_of_wrapping() {
        assert_eq!(Incarnation(u32::MAX).next(), Incarnation(u32::MAX));
        assert_eq!(ProbeSeq(u32::MAX).next(), ProbeSeq(0));
    }

    #[test]
    fn both_forms_of_an_ipv4_address_are_one() {
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:7946".parse().unwrap();
        assert_eq!(canonical(mapped), "10.0.0.1:7946".parse().unwrap());
        let v6: SocketAddr = "[fe80::1]:7946".parse().unwrap();
        assert_eq!(canonical(v6), v6);
    }
}
