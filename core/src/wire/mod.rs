//! The wire: messages, their bytes, and the packets and stream frames that carry them.
//!
//! Decoding borrows from the bytes, allocates nothing and trusts no length; a message that comes out has passed every
//! check that needs no member table.

mod body;
mod delta;
mod error;
mod events;
mod fields;
mod glance;
mod message;
mod native;
mod seal;
mod stream;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::id::ProbeSeq;
use crate::keyring::{Keyring, KeyringError};
use crate::{Config, Seed};
pub(crate) use body::REASON_BYTES_MAX;
pub(crate) use glance::{Glance, Rally};
use native::{Native, Packet};
use seal::Sealer;

pub use delta::{BUCKETS_MAX, BUCKETS_MIN, Clocks, DIGEST_BYTES, DeltaHead};
pub use error::{WireError, WireErrorClass};
pub use events::{
    EVENT_BYTES_HARD_MAX, EXPRESSION_BYTES_MAX, EventMark, EventPull, Filter, FilterList, Filters, Intent,
    Names, PULL_SPANS_MAX, Query, Relay, Response, ResponseKind, Spans, UserEvent,
};
pub use message::{Accusation, Alive, KINDS, Kind, Kinds, Message, SyncHead, SyncRow, VersionSpan};
pub use stream::StreamDecoder;

/// How one node writes and reads bytes: its codec, label, budgets and keys.
#[derive(Debug)]
pub struct Wire {
    codec: Codec,
    packet_bytes_max: usize,
    frame_bytes_max: usize,
    /// `None` without keys.
    sealer: Option<Box<Sealer>>,
}

static NO_KEYS: Keyring = Keyring::empty();

/// The encodings.
#[derive(Clone, Debug)]
enum Codec {
    /// Rumormill's own.
    Native(Native),
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Packet,
    Frame,
}

fn frame_bytes_max(config: &Config) -> usize {
    usize::try_from(config.frame_bytes_max).unwrap_or(usize::MAX)
}

impl Wire {
    /// The wire of a node with this configuration (its label, `packet_bytes_max` and `frame_bytes_max`) and no keys.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            codec: Codec::Native(Native::new(&config.label)),
            packet_bytes_max: config.packet_bytes_max.into(),
            frame_bytes_max: frame_bytes_max(config),
            sealer: None,
        }
    }

    /// The wire of a node with this configuration and these keys; nonces are drawn from the seed, which nobody else may have.
    ///
    /// # Errors
    /// [`KeyringError::Unfit`]: the configured cipher does not take one of the keys.
    pub fn with_keys(config: &Config, keyring: Keyring, seed: &Seed) -> Result<Self, KeyringError> {
        let sealer =
            if keyring.is_empty() { None } else { Some(Box::new(Sealer::new(config, keyring, seed)?)) };
        Ok(Self { sealer, ..Self::new(config) })
    }

    /// A copy whose nonces are its own: drawn from the seed. `Wire` is not `Clone`, because two that seal with one key must
    /// not share nonces.
    #[must_use]
    pub fn fork(&self, seed: &Seed) -> Self {
        let Self { codec, packet_bytes_max, frame_bytes_max, sealer } = self;
        Self {
            codec: codec.clone(),
            packet_bytes_max: *packet_bytes_max,
            frame_bytes_max: *frame_bytes_max,
            sealer: sealer.as_ref().map(|sealer| Box::new(sealer.fork(seed))),
        }
    }

    /// The keys; empty when nothing is sealed.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        self.sealer.as_ref().map_or(&NO_KEYS, |sealer| sealer.keyring())
    }

    /// Changes the keys; all of the change happens, or none.
    ///
    /// # Errors
    /// [`KeyringError::Off`] where there are no keys; [`KeyringError::Unfit`] when the cipher does not take one; and the
    /// change's own.
    pub fn change_keys(
        &mut self,
        change: impl FnOnce(&mut Keyring) -> Result<(), KeyringError>,
    ) -> Result<(), KeyringError> {
        let Some(sealer) = &mut self.sealer else { return Err(KeyringError::Off) };
        let mut keyring = sealer.keyring().clone();
        change(&mut keyring)?;
        sealer.set_keyring(keyring)
    }

    /// Bytes that a packet has for encoded messages, so that the whole has at most `packet_bytes_max`.
    #[must_use]
    #[inline]
    pub fn packet_room(&self) -> usize {
        let Codec::Native(native) = &self.codec;
        self.packet_bytes_max.saturating_sub(native.header_bytes(self.seals()))
    }

    /// Bytes that a frame has for encoded messages, so that the whole, length prefix included, has at most
    /// `frame_bytes_max`.
    #[must_use]
    pub fn frame_room(&self) -> usize {
        let Codec::Native(native) = &self.codec;
        self.frame_bytes_max.saturating_sub(native::FRAME_PREFIX_BYTES + native.header_bytes(self.seals()))
    }

    /// Whether packets and frames are sealed when they are finished: with keys, unless `verify_outgoing` is off.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.sealer.as_ref().is_some_and(|sealer| sealer.seals)
    }

    /// Appends one encoded message, as packets, frames and broadcast queues hold it. The message is taken to be one
    /// that a receiver accepts: names, addresses and lengths are checked where they enter a node, not here.
    #[inline]
    pub fn encode(&self, message: &Message<'_>, out: &mut Vec<u8>) {
        let Codec::Native(_) = &self.codec;
        body::encode(message, out);
    }

    /// The same of a ping, given the bytes of the name.
    #[inline]
    pub(crate) fn encode_ping(&self, seq: ProbeSeq, target: &[u8], out: &mut Vec<u8>) {
        let Codec::Native(_) = &self.codec;
        body::encode_ping(seq, target, out);
    }

    /// Begins a packet at the end of `out`; gives where, for [`Wire::finish_packet`]. Append messages in between.
    #[inline]
    pub fn begin_packet(&self, out: &mut Vec<u8>) -> usize {
        let Codec::Native(native) = &self.codec;
        let start = out.len();
        if self.seals() {
            native.begin_sealed(out);
        } else {
            native.begin_packet(out);
        }
        start
    }

    /// Finishes the packet that begins at `start` and goes to the end of `out`: checksum, or seal.
    #[inline(always)]
    pub fn finish_packet(&mut self, start: usize, out: &mut [u8]) {
        let Codec::Native(native) = &self.codec;
        match &mut self.sealer {
            Some(sealer) if sealer.seals => native.finish_sealed(sealer, start, out),
            _ => native.finish_packet(start, out),
        }
    }

    /// Begins a stream frame at the end of `out`; gives where, for [`Wire::finish_frame`]. Append messages in between.
    pub fn begin_frame(&self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(&[native::FRAME_MAGIC, 0, 0, 0, 0]);
        self.begin_packet(out);
        start
    }

    /// Finishes the frame that begins at `start` and goes to the end of `out`: length, and checksum or seal.
    pub fn finish_frame(&mut self, start: usize, out: &mut [u8]) {
        Native::finish_frame_prefix(start, out);
        self.finish_packet(start + native::FRAME_PREFIX_BYTES, out);
    }

    /// Opens a packet that is not sealed; on a wire without keys, every packet that can be opened.
    ///
    /// # Errors
    /// The packet is not of this wire, version and label, was damaged, is sealed, or should be.
    pub fn open_packet<'a>(&self, bytes: &'a [u8]) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        self.take_plain(native.open_packet(bytes)?, Carrier::Packet)
    }

    /// Opens a packet, sealed or not. What was sealed is opened into `opened`, which is memory to reuse.
    ///
    /// # Errors
    /// The packet is not of this wire, version and label, was damaged, no key of this wire opens it, or it is not sealed
    /// although it should be.
    #[inline(always)]
    pub fn unseal_packet<'a>(
        &self,
        bytes: &'a [u8],
        opened: &'a mut Vec<u8>,
    ) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        self.take(native.open_packet(bytes)?, Carrier::Packet, opened)
    }

    /// Opens a whole stream frame that is not sealed, its length prefix included; on a wire without keys, every frame that
    /// can be opened.
    ///
    /// # Errors
    /// The frame is longer than `frame_bytes_max` or than it says, not of this wire, version and label, was damaged, is
    /// sealed, or should be.
    pub fn open_frame<'a>(&self, bytes: &'a [u8]) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        self.take_plain(native.open_frame(bytes, self.frame_bytes_max)?, Carrier::Frame)
    }

    /// Opens a whole stream frame, sealed or not. What was sealed is opened into `opened`, which is memory to reuse.
    ///
    /// # Errors
    /// As of [`Wire::open_frame`] and [`Wire::unseal_packet`].
    pub fn unseal_frame<'a>(
        &self,
        bytes: &'a [u8],
        opened: &'a mut Vec<u8>,
    ) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        self.take(native.open_frame(bytes, self.frame_bytes_max)?, Carrier::Frame, opened)
    }

    fn take_plain<'a>(&self, packet: Packet<'a>, carrier: Carrier) -> Result<Messages<'a>, WireError> {
        match (packet, &self.sealer) {
            (Packet::Plain { messages }, None) => Ok(Messages { rest: messages, carrier, exempt: false }),
            // Unlike memberlist, whose packets do not say whether they are sealed, nothing is guessed here: what is marked as
            // sealed is never read as if it were not.
            (Packet::Plain { messages }, Some(sealer)) if !sealer.strict => {
                Ok(Messages { rest: messages, carrier, exempt: true })
            }
            (Packet::Plain { .. }, Some(_)) => Err(WireError::Unsealed),
            (Packet::Sealed { .. }, _) => Err(WireError::Sealed),
        }
    }

    fn take<'a>(
        &self,
        packet: Packet<'a>,
        carrier: Carrier,
        opened: &'a mut Vec<u8>,
    ) -> Result<Messages<'a>, WireError> {
        match (packet, &self.sealer) {
            (Packet::Sealed { header, body }, Some(sealer)) => {
                sealer.open(header, body, opened)?;
                Ok(Messages { rest: opened, carrier, exempt: false })
            }
            (packet, _) => self.take_plain(packet, carrier),
        }
    }
}

/// The messages of an opened packet or frame, each checked as it is reached; ends after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    carrier: Carrier,
    /// Taken although it is not sealed and there are keys: `verify_incoming` is off.
    exempt: bool,
}

impl<'a> Messages<'a> {
    /// Whether they were taken although they are not sealed and there are keys (`verify_incoming` off).
    #[inline]
    pub(crate) const fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// Bytes that have not been read.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.rest.len()
    }

    /// Takes the next message, if it is a ping or an ack that is wanted.
    #[inline]
    pub(crate) fn next_rally(&mut self, is_wanted: impl FnOnce(&Rally<'a>) -> bool) -> Option<Rally<'a>> {
        let (rally, rest) = Rally::first_of(self.rest).filter(|(rally, _)| is_wanted(rally))?;
        self.rest = rest;
        Some(rally)
    }

    /// Passes over the updates that come next, as long as a glance tells that each is stale.
    #[inline]
    pub(crate) fn pass_over(&mut self, is_stale: impl Fn(&Glance<'a>) -> bool) {
        let mut rest = self.rest;
        while let Some((glance, behind)) = Glance::first_of(rest)
            && is_stale(&glance)
        {
            rest = behind;
        }
        self.rest = rest;
    }

    #[inline]
    fn take(&mut self) -> Result<Message<'a>, WireError> {
        let (kind, body) = body::take(&mut self.rest)?;
        if self.carrier == Carrier::Packet && kind.is_for_streams() {
            return Err(WireError::NestedInPacket(kind));
        }
        body::decode(kind, body)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let message = self.take();
        if message.is_err() {
            self.rest = &[];
        }
        Some(message)
    }
}
