//! Looking at an update without reading all of it.
//!
//! Most updates that reach a node are old. To dismiss one takes whom it is about, its incarnation, and the certainty that
//! the rest is sound; no [`Message`](super::Message) is built for that.

use core::net::SocketAddr;

use super::body::is_extension_list;
use super::fields::Reader;
use super::message::Kind;
use crate::id::{Incarnation, META_BYTES_MAX, is_plain_name};

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
    /// `None` for other kinds, and where the fields are malformed.
    #[inline]
    pub(super) fn at(kind: Kind, body: &'a [u8]) -> Option<Self> {
        if !matches!(kind, Kind::Alive | Kind::Suspect | Kind::Dead) {
            return None;
        }
        let mut rest = Reader { rest: body };
        let incarnation = Incarnation(rest.u32()?);
        let name = rest.bytes()?;
        Some(Self { kind, incarnation, name, rest })
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
    #[inline]
    pub(crate) fn accuser(&self) -> Option<&'a [u8]> {
        let mut rest = self.rest;
        let from = rest.bytes()?;
        (is_plain_name(from) && is_extension_list(rest.rest)).then_some(from)
    }
}
