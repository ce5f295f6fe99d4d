//! The native wire's packets and stream frames: what stands around the messages.
//!
//! ```text
//! packet: header, crc32, message*
//! sealed: header, nonce (12 bytes), tag (16 bytes), ciphertext of message*
//! header: 0xD7, version, flags, [label length, label], [varint length, extensions]
//! frame:  0xD8, length of the packet (u32), packet
//! ```
//!
//! Numbers of fixed width are little-endian. The checksum covers the whole packet except itself; it guards against
//! damage, not against forgery. A sealed packet has none: its tag covers the whole packet, the header included.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::body::{is_extension_list, take_prefixed};
use super::error::WireError;
use super::seal::{SEAL_BYTES, Sealer};

/// First byte of a packet. The Serf wire's packets begin with 0 to 13 or 244, so both can share a port.
pub(super) const PACKET_MAGIC: u8 = 0xD7;
/// First byte of a stream frame.
pub(super) const FRAME_MAGIC: u8 = 0xD8;
/// The wire version spoken and understood.
pub(super) const VERSION: u8 = 1;
/// Bytes before a frame's packet.
pub(super) const FRAME_PREFIX_BYTES: usize = 5;

const FLAG_LABEL: u8 = 1;
const FLAG_EXTENSIONS: u8 = 2;
const FLAG_SEALED: u8 = 4;
const CRC_BYTES: usize = 4;
/// Where the flags stand.
const FLAGS_AT: usize = 2;
/// Where a label's bytes begin: after magic, version, flags and the label's length.
const LABEL_AT: usize = 4;
const HEADER_BYTES_MIN: usize = 3 + CRC_BYTES;

/// The header of this node's packets. Peers of the same cluster send the same bytes, so one comparison accepts them.
#[derive(Clone, Debug)]
pub(super) struct Native {
    /// Everything before the checksum.
    prefix: SmallVec<[u8; 16]>,
    /// The checksum of `prefix`, from which that of a packet goes on; kept whole, because it knows what the processor can do.
    prefix_crc: crc32fast::Hasher,
}

/// A packet whose header is sound.
pub(super) enum Packet<'a> {
    /// It is not sealed, and is what was sent.
    Plain { messages: &'a [u8] },
    /// What comes after the header is for a key.
    Sealed { header: &'a [u8], body: &'a [u8] },
}

/// A sound header that is not the one this node sends.
struct Header<'a> {
    sealed: bool,
    header: &'a [u8],
    rest: &'a [u8],
}

impl Native {
    pub(super) fn new(label: &str) -> Self {
        // `Config::check` holds a label to 255 bytes; one that was never checked is cut, for want of a way to write it.
        let label = &label.as_bytes()[..label.len().min(usize::from(u8::MAX))];
        let mut prefix = SmallVec::from_slice(&[PACKET_MAGIC, VERSION, 0]);
        if !label.is_empty() {
            prefix[2] = FLAG_LABEL;
            prefix.push(label.len() as u8);
            prefix.extend_from_slice(label);
        }
        let mut prefix_crc = crc32fast::Hasher::new();
        prefix_crc.update(&prefix);
        Self { prefix, prefix_crc }
    }

    /// Our label; empty when there is none.
    fn label(&self) -> &[u8] {
        self.prefix.get(LABEL_AT..).unwrap_or_default()
    }

    /// Bytes of a packet that are no messages.
    pub(super) fn header_bytes(&self, sealed: bool) -> usize {
        self.prefix.len() + if sealed { SEAL_BYTES } else { CRC_BYTES }
    }

    /// Begins a packet that is not sealed.
    #[inline]
    pub(super) fn begin_packet(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&[0; CRC_BYTES]);
    }

    #[inline(always)]
    pub(super) fn finish_packet(&self, start: usize, out: &mut [u8]) {
        let rest = out.get_mut(start + self.prefix.len()..).and_then(<[u8]>::split_first_chunk_mut);
        debug_assert!(rest.is_some(), "a packet is finished that was not begun at {start}");
        if let Some((crc, messages)) = rest {
            *crc = crc_after(&self.prefix_crc, messages).to_le_bytes();
        }
    }

    /// Begins a packet that is to be sealed.
    pub(super) fn begin_sealed(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.prefix);
        out[start + FLAGS_AT] |= FLAG_SEALED;
        out.extend_from_slice(&[0; SEAL_BYTES]);
    }

    pub(super) fn finish_sealed(&self, sealer: &mut Sealer, start: usize, out: &mut [u8]) {
        let packet = out.get_mut(start..).and_then(|packet| packet.split_at_mut_checked(self.prefix.len()));
        debug_assert!(packet.is_some(), "a packet is finished that was not begun at {start}");
        if let Some((header, body)) = packet {
            sealer.seal(header, body);
        }
    }

    /// Writes a frame's length, once its packet is there.
    pub(super) fn finish_frame_prefix(start: usize, out: &mut [u8]) {
        let packet_start = start + FRAME_PREFIX_BYTES;
        let length = u32::try_from(out.len().saturating_sub(packet_start)).unwrap_or(u32::MAX);
        if let Some(field) = out.get_mut(start + 1..packet_start) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// Checks a packet's header and, where it is not sealed, its checksum.
    #[inline(always)]
    pub(super) fn open_packet<'a>(&self, bytes: &'a [u8]) -> Result<Packet<'a>, WireError> {
        let other;
        let (prefix_crc, rest) = match bytes.strip_prefix(&*self.prefix) {
            Some(rest) => (&self.prefix_crc, rest),
            None => {
                let Header { sealed, header, rest } = self.open_other_header(bytes)?;
                if sealed {
                    return Ok(Packet::Sealed { header, body: rest });
                }
                let mut crc = crc32fast::Hasher::new();
                crc.update(header);
                other = crc;
                (&other, rest)
            }
        };
        let Some((crc, messages)) = rest.split_first_chunk() else {
            return Err(WireError::TooShort(bytes.len()));
        };
        if u32::from_le_bytes(*crc) == crc_after(prefix_crc, messages) {
            Ok(Packet::Plain { messages })
        } else {
            Err(WireError::Checksum)
        }
    }

    /// A header that is not the one of this node's unsealed packets: a sealed one's, one with extensions, or one to refuse.
    #[cold]
    fn open_other_header<'a>(&self, bytes: &'a [u8]) -> Result<Header<'a>, WireError> {
        let too_short = WireError::TooShort(bytes.len());
        if bytes.len() < HEADER_BYTES_MIN {
            return Err(too_short);
        }
        let (&[magic, version, flags], mut rest) = bytes.split_first_chunk().ok_or(too_short)?;
        if magic != PACKET_MAGIC {
            return Err(WireError::Magic { found: magic, expected: PACKET_MAGIC });
        }
        if version != VERSION {
            return Err(WireError::Version { found: version });
        }
        if flags & !(FLAG_LABEL | FLAG_EXTENSIONS | FLAG_SEALED) != 0 {
            return Err(WireError::Header);
        }
        let mut label: &[u8] = &[];
        if flags & FLAG_LABEL != 0 {
            let (&length, after) = rest.split_first().ok_or(too_short)?;
            (label, rest) = after.split_at_checked(length.into()).ok_or(too_short)?;
            if label.is_empty() {
                return Err(WireError::Header);
            }
        }
        if label != self.label() {
            return Err(WireError::Label);
        }
        if flags & FLAG_EXTENSIONS != 0 {
            let (extensions, after) = take_prefixed(rest).ok_or(WireError::Header)?;
            if !is_extension_list(extensions) {
                return Err(WireError::Header);
            }
            rest = after;
        }
        let header = &bytes[..bytes.len() - rest.len()];
        Ok(Header { sealed: flags & FLAG_SEALED != 0, header, rest })
    }

    /// Checks a frame's prefix, then its packet.
    pub(super) fn open_frame<'a>(&self, bytes: &'a [u8], max: usize) -> Result<Packet<'a>, WireError> {
        let claimed = claimed_frame_bytes(bytes, max)?.ok_or(WireError::TooShort(bytes.len()))?;
        if claimed != bytes.len() {
            return Err(WireError::FrameLength { found: bytes.len(), claimed: claimed as u64 });
        }
        self.open_packet(&bytes[FRAME_PREFIX_BYTES..])
    }
}

/// The length, prefix included, that the frame at the start of `bytes` claims, once its prefix is there; at most `max`.
pub(super) fn claimed_frame_bytes(bytes: &[u8], max: usize) -> Result<Option<usize>, WireError> {
    if let Some(&found) = bytes.first()
        && found != FRAME_MAGIC
    {
        return Err(WireError::Magic { found, expected: FRAME_MAGIC });
    }
    let Some(&[_, a, b, c, d]) = bytes.first_chunk::<FRAME_PREFIX_BYTES>() else { return Ok(None) };
    let claimed = u64::from(u32::from_le_bytes([a, b, c, d])) + FRAME_PREFIX_BYTES as u64;
    match usize::try_from(claimed) {
        Ok(bytes) if bytes <= max => Ok(Some(bytes)),
        _ => Err(WireError::FrameTooLong { bytes: claimed, max }),
    }
}

#[inline]
fn crc_after(prefix_crc: &crc32fast::Hasher, messages: &[u8]) -> u32 {
    let mut hasher = prefix_crc.clone();
    hasher.update(messages);
    hasher.finalize()
}
