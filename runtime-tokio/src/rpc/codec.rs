//! Msgpack objects out of a stream of bytes, and into it.
//!
//! The protocol has no framing: an object ends where its elements end. So the extent of the next object is found first,
//! without recursion and without allocating for a claimed length; only then is it deserialized.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Deepest nesting of arrays and maps; the protocol needs four levels.
pub const DEPTH_MAX: usize = 16;

/// Bytes that are asked of a socket at a time.
const READ_BYTES: usize = 8 * 1024;

/// Why bytes are no object that is taken. The stream is of no use after any of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than the reader takes, or claims to be.
    #[error("an object of {claimed} bytes or more, where at most {allowed} are taken")]
    TooLong {
        /// Bytes that it has at least.
        claimed: u64,
        /// Bytes allowed.
        allowed: usize,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("an object nested more than {DEPTH_MAX} levels deep")]
    TooDeep,
    /// The byte 0xC1, which begins nothing.
    #[error("the byte 0xc1, which begins no msgpack object")]
    Reserved,
    /// An object, but not the one that belongs there.
    #[error("not the object that belongs there: {0}")]
    Malformed(String),
}

/// Why there is no next object.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Bytes that are none.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The connection ended within an object.
    #[error("the connection ended within an object")]
    Cut,
}

/// What the marker at the front of an element says of it.
struct Head {
    /// Bytes of the marker, its length field and its content, elements apart.
    bytes: u64,
    /// Elements that belong to it; `None` where it can have none.
    elements: Option<u64>,
}

impl Head {
    const fn plain(bytes: u64) -> Self {
        Self { bytes, elements: None }
    }

    /// `None`: the length field is not there yet.
    fn read(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((&marker, rest)) = bytes.split_first() else { return Ok(None) };
        // A length of so many bytes; with `None` it has not come yet.
        let length = |width: usize| -> Option<u64> {
            let field = rest.get(..width)?;
            Some(field.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)))
        };
        let sized = |width: u8, extra: u64| {
            let head = 1 + u64::from(width) + extra;
            length(width.into()).map(|length| Self::plain(head + length))
        };
        let holder = |width: u8, per: u64| {
            let bytes = 1 + u64::from(width);
            length(width.into()).map(|length| Self { bytes, elements: Some(length * per) })
        };
        Ok(match marker {
            0x00..=0x7F | 0xC0 | 0xC2 | 0xC3 | 0xE0..=0xFF => Some(Self::plain(1)),
            0x80..=0x8F => Some(Self { bytes: 1, elements: Some(2 * u64::from(marker & 0x0F)) }),
            0x90..=0x9F => Some(Self { bytes: 1, elements: Some(u64::from(marker & 0x0F)) }),
            0xA0..=0xBF => Some(Self::plain(1 + u64::from(marker & 0x1F))),
            0xC1 => return Err(DecodeError::Reserved),
            0xC4 | 0xD9 => sized(1, 0),
            0xC5 | 0xDA => sized(2, 0),
            0xC6 | 0xDB => sized(4, 0),
            // An extension has a type byte beside its content.
            0xC7 => sized(1, 1),
            0xC8 => sized(2, 1),
            0xC9 => sized(4, 1),
            0xCC | 0xD0 => Some(Self::plain(2)),
            0xCD | 0xD1 => Some(Self::plain(3)),
            0xCA | 0xCE | 0xD2 => Some(Self::plain(5)),
            0xCB | 0xCF | 0xD3 => Some(Self::plain(9)),
            0xD4..=0xD8 => Some(Self::plain(2 + (1 << (marker - 0xD4)))),
            0xDC => holder(2, 1),
            0xDD => holder(4, 1),
            0xDE => holder(2, 2),
            0xDF => holder(4, 2),
        })
    }
}

/// How far the extent of the next object is known. Keeps its place, so that an object that comes byte by byte is not looked
/// at again from its beginning.
#[derive(Clone, Debug, Default)]
struct Scan {
    /// Bytes that are known to belong to the object.
    at: usize,
    /// Elements that are missing, level by level; never more than [`DEPTH_MAX`], and none of them 0.
    open: Vec<u64>,
}

impl Scan {
    /// The object's length; `None`: more bytes are needed.
    fn run(&mut self, bytes: &[u8], allowed: usize) -> Result<Option<usize>, DecodeError> {
        loop {
            let Some(head) = bytes.get(self.at..).map(Head::read).transpose()?.flatten() else {
                // The bytes that have come are the object's.
                return check(bytes.len() as u64, allowed).map(|_| None);
            };
            // Each element has a byte at least: a claim that cannot be kept is refused before its bytes come.
            let end = self.at as u64 + head.bytes;
            check(end + head.elements.unwrap_or(0), allowed)?;
            let end = check(end, allowed)?;
            if end > bytes.len() {
                return Ok(None);
            }
            self.at = end;
            if self.close(head.elements.unwrap_or(0))? {
                let length = std::mem::take(&mut self.at);
                return Ok(Some(length));
            }
        }
    }

    /// An element has ended, but for those that belong to it. Whether the object has.
    fn close(&mut self, elements: u64) -> Result<bool, DecodeError> {
        if elements > 0 {
            if self.open.len() == DEPTH_MAX {
                return Err(DecodeError::TooDeep);
            }
            self.open.push(elements);
            return Ok(false);
        }
        while let Some(missing) = self.open.last_mut() {
            *missing -= 1;
            if *missing > 0 {
                return Ok(false);
            }
            self.open.pop();
        }
        Ok(true)
    }
}

/// A length as one that is allowed.
fn check(claimed: u64, allowed: usize) -> Result<usize, DecodeError> {
    match usize::try_from(claimed) {
        Ok(length) if length <= allowed => Ok(length),
        _ => Err(DecodeError::TooLong { claimed, allowed }),
    }
}

/// Cuts a stream of bytes into objects. Holds one object and what was read behind it.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that have been given out.
    taken: usize,
    scan: Scan,
    allowed: usize,
}

impl Decoder {
    /// Objects of at most so many bytes.
    #[must_use]
    pub fn new(object_bytes_max: usize) -> Self {
        Self { buffer: Vec::new(), taken: 0, scan: Scan::default(), allowed: object_bytes_max }
    }

    /// Bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next object; `None`: more bytes are needed.
    ///
    /// # Errors
    /// What follows is no object that is taken. The decoder stays there.
    pub fn next_object(&mut self) -> Result<Option<&[u8]>, DecodeError> {
        Ok(self.extent()?.map(|length| self.take(length)))
    }

    /// The length of the next object, which is there whole.
    fn extent(&mut self) -> Result<Option<usize>, DecodeError> {
        self.scan.run(&self.buffer[self.taken..], self.allowed)
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let start = self.taken;
        self.taken += length;
        &self.buffer[start..self.taken]
    }

    /// Whether bytes are left that have not been given out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken == self.buffer.len()
    }

    /// Reads what has come on a connection. Whether it goes on. Safe to cancel.
    async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<bool> {
        self.compact();
        self.buffer.reserve(READ_BYTES);
        let mut window = from.take(READ_BYTES as u64);
        Ok(window.read_buf(&mut self.buffer).await? > 0)
    }

    /// Forgets what was given out, and memory that a long object took.
    fn compact(&mut self) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        if self.buffer.capacity() > 8 * READ_BYTES && self.buffer.len() < READ_BYTES {
            self.buffer.shrink_to(READ_BYTES);
        }
    }
}

/// Objects that come on a connection.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    decoder: Decoder,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Objects of at most so many bytes.
    pub fn new(from: R, object_bytes_max: usize) -> Self {
        Self { from, decoder: Decoder::new(object_bytes_max) }
    }

    /// The next object; `None` when the connection ended before it. Safe to cancel.
    ///
    /// # Errors
    /// The connection broke, or what came is no such object.
    pub async fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ReadError> {
        Ok(self.object().await?.map(decode).transpose()?)
    }

    /// The next object's bytes, which have to come.
    ///
    /// # Errors
    /// As [`Reader::require`].
    pub async fn require_raw(&mut self) -> Result<Box<[u8]>, ReadError> {
        self.object().await?.map(Into::into).ok_or(ReadError::Cut)
    }

    async fn object(&mut self) -> Result<Option<&[u8]>, ReadError> {
        loop {
            if let Some(extent) = self.decoder.extent()? {
                return Ok(Some(self.decoder.take(extent)));
            }
            if !self.decoder.fill(&mut self.from).await? {
                return if self.decoder.is_empty() { Ok(None) } else { Err(ReadError::Cut) };
            }
        }
    }

    /// The next object, which has to come.
    ///
    /// # Errors
    /// Those of [`Reader::read`], and the connection's end.
    pub async fn require<T: DeserializeOwned>(&mut self) -> Result<T, ReadError> {
        self.read().await?.ok_or(ReadError::Cut)
    }
}

/// The value of one object.
///
/// # Errors
/// It is another one.
pub fn decode<T: DeserializeOwned>(object: &[u8]) -> Result<T, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(object);
    // An own structure around the limit of the objects themselves.
    deserializer.set_max_depth(DEPTH_MAX + 2);
    T::deserialize(&mut deserializer).map_err(|error| DecodeError::Malformed(error.to_string()))
}

/// Appends one object.
pub fn encode(value: &impl Serialize, into: &mut Vec<u8>) {
    // Into growing memory, and the protocol's structures say their lengths: there is nothing to fail on. If there were, the
    // object would be missing, and the other side would see a stream that makes no sense.
    let written = value.serialize(&mut rmp_serde::Serializer::new(&mut *into).with_struct_map());
    debug_assert!(written.is_ok(), "{written:?}");
}

#[cfg(test)]
mod tests;
