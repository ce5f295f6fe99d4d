//! Frames: how far a body goes, and whether it is the one that was written.

use std::io::{self, Read};

use xxhash_rust::xxh3::xxh3_64;

/// Length, check of the length, checksum of the body.
pub(super) const HEAD_BYTES: usize = 16;
/// Longest body: the birth of a node that knew a million members fits.
pub(super) const BODY_BYTES_MAX: usize = 256 << 20;

/// Appends a frame to `out`.
///
/// # Errors
/// The body is too long.
pub(super) fn put(body: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= BODY_BYTES_MAX);
    let length = length.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} bytes are too many for one entry", body.len()),
        )
    })?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&check(length).to_le_bytes());
    out.extend_from_slice(&xxh3_64(body).to_le_bytes());
    out.extend_from_slice(body);
    Ok(())
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A body, now in the buffer.
    Body,
    /// Nothing.
    End,
    /// The file ends within a frame.
    CutOff,
    /// It is not what was written, and why.
    Damaged(&'static str),
}

/// Reads the next frame's body into `body`. Allocates as bytes come, not for what a length claims.
///
/// # Errors
/// The file could not be read.
pub(super) fn next(file: &mut impl Read, body: &mut Vec<u8>) -> io::Result<Next> {
    body.clear();
    let mut head = [0; HEAD_BYTES];
    match fill(file, &mut head)? {
        0 => return Ok(Next::End),
        HEAD_BYTES => {}
        _ => return Ok(Next::CutOff),
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3, sum @ ..] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    if u32::from_le_bytes([c0, c1, c2, c3]) != check(length) {
        return Ok(Next::Damaged("its length is not the one that was written"));
    }
    if length as usize > BODY_BYTES_MAX {
        return Ok(Next::Damaged("it is longer than any entry may be"));
    }
    file.take(length.into()).read_to_end(body)?;
    if body.len() < length as usize {
        return Ok(Next::CutOff);
    }
    if xxh3_64(body) != u64::from_le_bytes(sum) {
        return Ok(Next::Damaged("its checksum does not match"));
    }
    Ok(Next::Body)
}

/// Reads until `buffer` is full or the file ends; how much it was.
pub(super) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn check(length: u32) -> u32 {
    xxh3_64(&length.to_le_bytes()) as u32
}
