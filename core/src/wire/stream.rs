//! Cuts a stream's bytes into frames.

use alloc::vec::Vec;

use super::error::WireError;
use super::native::claimed_frame_bytes;
use crate::Config;

/// Cuts the bytes of one stream into whole frames, however the network divides them.
///
/// Holds at most one unfinished frame (`frame_bytes_max`) and the piece pushed last, if the frames are taken after every
/// push; reserves nothing for a length that a peer merely claims.
#[derive(Clone, Debug)]
pub struct StreamDecoder {
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that have been given out.
    taken: usize,
    frame_bytes_max: usize,
    failed: bool,
}

impl StreamDecoder {
    /// A decoder for one direction of one new stream.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { buffer: Vec::new(), taken: 0, frame_bytes_max: super::frame_bytes_max(config), failed: false }
    }

    /// Takes the next bytes of the stream; after an error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, its length prefix included, as [`Wire::open_frame`](super::Wire::open_frame) takes it;
    /// `None` until more bytes come.
    ///
    /// # Errors
    /// The stream is no stream of frames, or a frame is longer than `frame_bytes_max`. Said once; then, as where the next
    /// frame would begin is unknown, always `None`.
    pub fn next_frame(&mut self) -> Option<Result<&[u8], WireError>> {
        if self.failed {
            return None;
        }
        match claimed_frame_bytes(&self.buffer[self.taken..], self.frame_bytes_max) {
            Ok(None) => None,
            Ok(Some(length)) => {
                let frame = self.buffer.get(self.taken..self.taken + length)?;
                self.taken += length;
                Some(Ok(frame))
            }
            Err(error) => {
                self.failed = true;
                self.buffer = Vec::new();
                self.taken = 0;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_four_gigabytes_is_refused_before_anything_is_allocated_for_it() {
        let mut decoder = StreamDecoder::new(&Config::lan());
        decoder.push(&[0xD8, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]);
        assert!(decoder.buffer.capacity() < 64);
        let expected = WireError::FrameTooLong { bytes: 0x1_0000_0004, max: 65_536 };
        assert_eq!(decoder.next_frame(), Some(Err(expected)));
        assert_eq!(decoder.buffer.capacity(), 0);
    }

    #[test]
    fn after_an_error_the_rest_of_the_stream_is_dropped() {
        let mut decoder = StreamDecoder::new(&Config::lan());
        decoder.push(b"GET / HTTP/1.1");
        assert_eq!(decoder.next_frame(), Some(Err(WireError::Magic { found: b'G', expected: 0xD8 })));
        decoder.push(&[0xD8, 0, 0, 0, 0]);
        assert_eq!(decoder.next_frame(), None);
        assert!(decoder.buffer.is_empty());
    }

    #[test]
    fn frames_that_were_taken_are_not_kept() {
        let mut decoder = StreamDecoder::new(&Config::lan());
        for _ in 0..10_000 {
            decoder.push(&[0xD8, 2, 0, 0, 0, 7, 7, 0xD8]);
            assert_eq!(decoder.next_frame(), Some(Ok(&[0xD8, 2, 0, 0, 0, 7, 7][..])));
            assert_eq!(decoder.next_frame(), None);
            decoder.push(&[2, 0, 0, 0, 7, 7]);
            assert_eq!(decoder.next_frame(), Some(Ok(&[0xD8, 2, 0, 0, 0, 7, 7][..])));
            assert_eq!(decoder.next_frame(), None);
        }
        assert!(decoder.buffer.capacity() < 64);
    }

    #[test]
    fn a_frame_may_fill_the_limit_to_the_byte_and_not_exceed_it() {
        let config = Config { frame_bytes_max: 4096, ..Config::lan() };
        let mut whole = std::vec![0; 4096];
        whole[..5].copy_from_slice(&[0xD8, 0xFB, 0x0F, 0, 0]);
        let mut decoder = StreamDecoder::new(&config);
        decoder.push(&whole);
        assert_eq!(decoder.next_frame(), Some(Ok(&whole[..])));
        decoder.push(&[0xD8, 0xFC, 0x0F, 0, 0]);
        let expected = WireError::FrameTooLong { bytes: 4097, max: 4096 };
        assert_eq!(decoder.next_frame(), Some(Err(expected)));
    }
}
