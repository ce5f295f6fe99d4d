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
mod stream;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::mem;

use crate::Config;
use crate::id::ProbeSeq;
pub(crate) use body::REASON_BYTES_MAX;
pub(crate) use glance::{Glance, Rally};
use native::Native;

pub use delta::{BUCKETS_MAX, Clocks, DIGEST_BYTES, DeltaHead};
pub use error::{WireError, WireErrorClass};
pub use events::{
    EVENT_BYTES_HARD_MAX, EXPRESSION_BYTES_MAX, EventMark, EventPull, Filter, FilterList, Filters, Intent,
    Names, PULL_SPANS_MAX, Query, Relay, Response, Spans, UserEvent,
};
pub use message::{Accusation, Alive, KINDS, Kind, Kinds, Message, SyncHead, SyncRow, VersionSpan};
pub use stream::StreamDecoder;

/// How one node writes and reads bytes: its codec, label and budgets.
#[derive(Clone, Debug)]
pub struct Wire {
    codec: Codec,
    packet_bytes_max: usize,
    frame_bytes_max: usize,
}

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
    /// The wire of a node with this configuration (its label, `packet_bytes_max` and `frame_bytes_max`).
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            codec: Codec::Native(Native::new(&config.label)),
            packet_bytes_max: config.packet_bytes_max.into(),
            frame_bytes_max: frame_bytes_max(config),
        }
    }

    /// Bytes that a packet has for encoded messages, so that the whole has at most `packet_bytes_max`.
    #[must_use]
    #[inline]
    pub fn packet_room(&self) -> usize {
        let Codec::Native(native) = &self.codec;
        self.packet_bytes_max.saturating_sub(native.header_bytes())
    }

    /// Bytes that a frame has for encoded messages, so that the whole, length prefix included, has at most
    /// `frame_bytes_max`.
    #[must_use]
    pub fn frame_room(&self) -> usize {
        let Codec::Native(native) = &self.codec;
        self.frame_bytes_max.saturating_sub(native::FRAME_PREFIX_BYTES + native.header_bytes())
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
        native.begin_packet(out);
        start
    }

    /// Seals the packet that begins at `start` and goes to the end of `out`.
    #[inline]
    pub fn finish_packet(&self, start: usize, out: &mut [u8]) {
        let Codec::Native(native) = &self.codec;
        native.finish_packet(start, out);
    }

    /// Begins a stream frame at the end of `out`; gives where, for [`Wire::finish_frame`]. Append messages in between.
    pub fn begin_frame(&self, out: &mut Vec<u8>) -> usize {
        let Codec::Native(native) = &self.codec;
        let start = out.len();
        native.begin_frame(out);
        start
    }

    /// Seals the frame that begins at `start` and goes to the end of `out`.
    pub fn finish_frame(&self, start: usize, out: &mut [u8]) {
        let Codec::Native(native) = &self.codec;
        native.finish_frame(start, out);
    }

    /// Opens a packet.
    ///
    /// # Errors
    /// The packet is not of this wire, version and label, or was damaged.
    #[inline]
    pub fn open_packet<'a>(&self, bytes: &'a [u8]) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        Ok(Messages { rest: native.open_packet(bytes)?, carrier: Carrier::Packet })
    }

    /// Opens a whole stream frame, its length prefix included.
    ///
    /// # Errors
    /// The frame is longer than `frame_bytes_max` or than it says, not of this wire, version and label, or was damaged.
    pub fn open_frame<'a>(&self, bytes: &'a [u8]) -> Result<Messages<'a>, WireError> {
        let Codec::Native(native) = &self.codec;
        Ok(Messages { rest: native.open_frame(bytes, self.frame_bytes_max)?, carrier: Carrier::Frame })
    }
}

/// The messages of an opened packet or frame, each checked as it is reached; ends after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    carrier: Carrier,
}

/// A message whose fields have not been read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread<'a> {
    kind: Kind,
    body: &'a [u8],
}

impl<'a> Unread<'a> {
    /// Reads and checks the message.
    #[inline]
    pub(crate) fn read(self) -> Result<Message<'a>, WireError> {
        body::decode(self.kind, self.body)
    }

    /// The beginning of an update; `None` for other messages.
    #[inline]
    pub(crate) fn glance(self) -> Option<Glance<'a>> {
        Glance::at(self.kind, self.body)
    }
}

impl<'a> Messages<'a> {
    /// Takes the next message, if it is a ping or an ack that is wanted.
    #[inline]
    pub(crate) fn next_rally(&mut self, is_wanted: impl FnOnce(&Rally<'a>) -> bool) -> Option<Rally<'a>> {
        let (rally, rest) = Rally::first_of(self.rest).filter(|(rally, _)| is_wanted(rally))?;
        self.rest = rest;
        Some(rally)
    }

    /// The next message, for the caller to read; what follows one that proves bad is not to be asked for.
    #[inline]
    pub(crate) fn next_unread(&mut self) -> Option<Result<Unread<'a>, WireError>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut rest = mem::take(&mut self.rest);
        let (kind, body) = match body::take(&mut rest) {
            Ok(taken) => taken,
            Err(error) => return Some(Err(error)),
        };
        if self.carrier == Carrier::Packet && kind.is_for_streams() {
            return Some(Err(WireError::NestedInPacket(kind)));
        }
        self.rest = rest;
        Some(Ok(Unread { kind, body }))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let message = self.next_unread()?.and_then(Unread::read);
        if message.is_err() {
            self.rest = &[];
        }
        Some(message)
    }
}
