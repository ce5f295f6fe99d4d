//! Looking at an update without reading all of it.
//!
//! Most updates that reach a node are old. To dismiss one takes whom it is about, its incarnation, and the certainty that
//! the rest is sound; no [`Message`](super::Message) is built for that.

use core::net::SocketAddr;

use super::body::{COORDINATE, extension, is_extension_list, take_prefixed};
use super::fields::Reader;
use super::message::Kind;
use crate::id::{Incarnation, META_BYTES_MAX, ProbeSeq, is_plain_name};

/// The beginning of an alive, suspect or dead message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance<'a> {
    pub(crate) kind: Kind,
    pub(crate) incarnation: Incarnation,
    /// Whom it is about; not checked, because a name that equals a known one is sound.
    pub(crate) name: &'a [u8],
    rest: Reader<'a>,
}

impl<'a> Glance<'a> {
    /// The update at the beginning of some messages, and what follows it. `None` for other kinds, and where the fields are
    /// malformed.
    #[inline(always)]
    pub(super) fn first_of(messages: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&number, rest) = messages.split_first()?;
        let kind = match number {
            ALIVE => Kind::Alive,
            SUSPECT => Kind::Suspect,
            DEAD => Kind::Dead,
            _ => return None,
        };
        let (body, behind) = take_prefixed(rest)?;
        let mut rest = Reader { rest: body };
        let incarnation = Incarnation(rest.u32()?);
        let name = rest.bytes()?;
        Some((Self { kind, incarnation, name, rest }, behind))
    }

    /// Whether the rest is that of a sound alive message from this address, which is a member's. `false` proves nothing.
    #[inline]
    pub(crate) fn announces(&self, addr: SocketAddr) -> bool {
        let mut rest = self.rest;
        let announced = |rest: &mut Reader<'_>| {
            let same = rest.addr()? == addr;
            let meta = rest.bytes()?;
            rest.versions()?;
            Some(same && meta.len() <= META_BYTES_MAX && is_extension_list(rest.rest))
        };
        announced(&mut rest) == Some(true)
    }

    /// Who accuses, where the rest is that of a sound accusation by a name of ASCII. `None` proves nothing.
    #[inline(always)]
    pub(crate) fn accuser(&self) -> Option<&'a [u8]> {
        let mut rest = self.rest;
        let from = rest.bytes()?;
        (is_plain_name(from) && is_extension_list(rest.rest)).then_some(from)
    }
}

const ALIVE: u8 = Kind::Alive as u8;
const SUSPECT: u8 = Kind::Suspect as u8;
const DEAD: u8 = Kind::Dead as u8;
const PING: u8 = Kind::Ping as u8;
const ACK: u8 = Kind::Ack as u8;

/// What a calm cluster's packets carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rally<'a> {
    Ping {
        seq: ProbeSeq,
        /// Whom it is for; not checked, because a name that equals a known one is sound.
        target: &'a [u8],
    },
    Ack {
        seq: ProbeSeq,
        /// As in [`Message::Ack`](super::Message::Ack).
        coordinate: Option<&'a [u8]>,
    },
}

impl<'a> Rally<'a> {
    /// The ping or ack at the beginning of some messages, and what follows it.
    #[inline]
    pub(super) fn first_of(messages: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[kind, length], rest) = messages.split_first_chunk()?;
        let kind = match kind {
            PING => Kind::Ping,
            ACK => Kind::Ack,
            _ => return None,
        };
        // A longer one is read as any message is.
        let (body, rest) = rest.split_at_checked(usize::from(length)).filter(|_| length < 0x80)?;
        Some((Self::of(kind, body)?, rest))
    }

    /// `None` for other kinds, and for what is not sound.
    #[inline]
    fn of(kind: Kind, body: &'a [u8]) -> Option<Self> {
        if !matches!(kind, Kind::Ping | Kind::Ack) {
            return None;
        }
        let mut rest = Reader { rest: body };
        let seq = ProbeSeq(rest.wide_u32()?);
        if kind == Kind::Ping {
            let target = rest.bytes()?;
            return is_extension_list(rest.rest).then_some(Self::Ping { seq, target });
        }
        let sound = is_extension_list(rest.rest);
        sound.then(|| Self::Ack { seq, coordinate: extension(rest.rest, COORDINATE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::body::{decode, encode, take};
    use crate::wire::message::{Accusation, Alive, Message};
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        /// Whatever happens to the bytes: a ping or an ack is taken for sound when it is, and says the same when it is read.
        #[test]
        fn a_rally_is_what_is_read(
            ack in any::<bool>(),
            number in any::<u32>(),
            target in "[a-z]{1,20}",
            rest in prop::collection::vec(any::<u8>(), 0..3),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        ) {
            let seq = ProbeSeq(number);
            let coordinate = rest.first().map(core::slice::from_ref);
            let message = if ack { Message::Ack { seq, coordinate } } else { Message::Ping { seq, target: &target } };
            let mut bytes = Vec::new();
            encode(&message, &mut bytes);
            let mut body = bytes.split_off(2);
            body.extend_from_slice(&rest);
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            let rally = Rally::of(message.kind(), &body);
            match decode(message.kind(), &body) {
                Ok(Message::Ping { seq, target }) => {
                    prop_assert_eq!(rally, Some(Rally::Ping { seq, target: target.as_bytes() }));
                }
                Ok(Message::Ack { seq, coordinate }) => {
                    prop_assert_eq!(rally, Some(Rally::Ack { seq, coordinate }));
                }
                // The name may be no name; then it is nobody's.
                _ => if let Some(rally) = rally {
                    let Rally::Ping { target, .. } = rally else { panic!("{rally:?}") };
                    let sound = core::str::from_utf8(target).map(crate::id::NodeName::check);
                    prop_assert!(!matches!(sound, Ok(Ok(()))));
                },
            }
        }

        /// Whatever happens to the bytes: what a glance takes for sound is sound, and says the same when it is read.
        #[test]
        fn a_glance_never_takes_for_sound_what_is_refused(
            kind in 0u8..3,
            number in any::<u32>(),
            name in "[a-z\u{7f}é]{1,20}",
            from in "[a-z\u{1f}é ]{0,20}",
            meta in prop::collection::vec(any::<u8>(), 0..6),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let addr: SocketAddr = ([10, 0, 0, 1], 7946).into();
            let (incarnation, versions) = (Incarnation(number), crate::id::Versions::CURRENT);
            let accusation = Accusation { incarnation, name: &name, from: &from };
            let message = match kind {
                0 => Message::Alive(Alive { incarnation, name: &name, addr, meta: &meta, versions }),
                1 => Message::Suspect(accusation),
                _ => Message::Dead(accusation),
            };
            let mut bytes = Vec::new();
            encode(&message, &mut bytes);
            for (at, byte) in changes {
                // Kind and length stay, so that the fields are what is tried.
                let at = 2 + at.index(bytes.len() - 2);
                bytes[at] = byte;
            }
            let (kind, body) = take(&mut &bytes[..]).unwrap();
            let Some((glance, rest)) = Glance::first_of(&bytes) else { return Ok(()) };
            prop_assert!(rest.is_empty());
            // As a caller does it: only a name that equals a known, sound one is dismissed.
            let known = core::str::from_utf8(glance.name).is_ok_and(|name| crate::id::NodeName::check(name).is_ok());
            let accuser = glance.accuser();
            match decode(kind, body) {
                Ok(Message::Alive(alive)) => {
                    prop_assert_eq!((alive.incarnation, alive.name.as_bytes()), (glance.incarnation, glance.name));
                    prop_assert!(!glance.announces(addr) || alive.addr == addr);
                }
                Ok(Message::Suspect(said) | Message::Dead(said)) => {
                    prop_assert_eq!((said.incarnation, said.name.as_bytes()), (glance.incarnation, glance.name));
                    prop_assert!(accuser.is_none_or(|accuser| accuser == said.from.as_bytes()));
                }
                _ if !known => {}
                _ if kind == Kind::Alive => prop_assert!(!glance.announces(addr)),
                _ => prop_assert_eq!(accuser, None),
            }
        }
    }
}
