//! Delta anti-entropy on the wire: digests first, then only the rows that differ.
//!
//! ```text
//!   initiator                          responder
//!     | DeltaHead  ------------------->  |   digests of all settled rows and of all event marks
//!     | <------------ DeltaHead, SyncEnd |   the same digests: done
//!     | <- DeltaHead, EventMark*,        |   else its marks, if theirs differ,
//!     |    DeltaBuckets                  |   and its digests by bucket
//!     | EventMark*, DeltaWant, SyncRow*, |   which buckets differ, and our rows of them
//!     | SyncEnd  --------------------->  |
//!     | <------------- SyncRow*, SyncEnd |   its rows of them, as they were before merging
//! ```
//!
//! A receiver refuses a head with `Refused` as in a full exchange.

use alloc::vec::Vec;

use super::body::{append, check_name, fields, take_postcard};
use super::error::WireError;
use super::events::check_ltime;
use super::fields::Reader;
use super::message::{Kind, VersionSpan};
use crate::id::LamportTime;

/// Fewest buckets of a table: a byte of [`Message::DeltaWant`](super::Message::DeltaWant).
pub const BUCKETS_MIN: usize = 8;
/// Most buckets of a table.
pub const BUCKETS_MAX: usize = 4096;
/// Bytes of one bucket's digest.
pub const DIGEST_BYTES: usize = 8;

/// A node's three Lamport clocks, as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Clocks {
    /// Of intents.
    pub member: LamportTime,
    /// Of user events.
    pub event: LamportTime,
    /// Of queries.
    pub query: LamportTime,
}

/// Begins one side's part in a delta exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaHead<'a> {
    /// The sender's name.
    pub from: &'a str,
    /// The version ranges of all the table's rows, as in a full exchange.
    pub versions: VersionSpan,
    /// The sender's clocks.
    pub clocks: Clocks,
    /// Settled rows.
    pub rows: u32,
    /// Digest of all settled rows; equal tables have equal ones.
    pub root: u64,
    /// Digest of all event marks; equal ones need not be sent.
    pub marks: u64,
}

pub(super) fn check_clocks(kind: Kind, clocks: Clocks) -> Result<Clocks, WireError> {
    for ltime in [clocks.member, clocks.event, clocks.query] {
        check_ltime(kind, ltime)?;
    }
    Ok(clocks)
}

pub(super) fn put_head(head: &DeltaHead<'_>, out: &mut Vec<u8>) {
    append(&(head.from, head.versions, head.clocks, head.rows, head.root, head.marks), out);
}

pub(super) fn head(kind: Kind, body: &[u8]) -> Result<DeltaHead<'_>, WireError> {
    type Fields<'a> = (&'a str, VersionSpan, Clocks, u32, u64, u64);
    let (from, versions, clocks, rows, root, marks) = fields(kind, body, take_postcard::<Fields<'_>>)?;
    check_name(kind, from)?;
    Ok(DeltaHead { from, versions, clocks: check_clocks(kind, clocks)?, rows, root, marks })
}

/// Digests by bucket: a power of two of them, each little-endian.
pub(super) fn buckets(kind: Kind, body: &[u8]) -> Result<&[u8], WireError> {
    let digests = fields(kind, body, Reader::bytes)?;
    let count = digests.len() / DIGEST_BYTES;
    let sound = digests.len().is_multiple_of(DIGEST_BYTES)
        && count.is_power_of_two()
        && (BUCKETS_MIN..=BUCKETS_MAX).contains(&count);
    if sound { Ok(digests) } else { Err(WireError::Malformed(kind)) }
}

/// A bit for each bucket, the lowest bit of the first byte first; a power of two of bytes.
pub(super) fn want(kind: Kind, body: &[u8]) -> Result<&[u8], WireError> {
    let bits = fields(kind, body, Reader::bytes)?;
    if bits.len().is_power_of_two() && bits.len() <= BUCKETS_MAX / 8 {
        Ok(bits)
    } else {
        Err(WireError::Malformed(kind))
    }
}
