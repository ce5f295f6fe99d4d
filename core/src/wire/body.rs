//! One message of the native wire: kind byte, varint length, body.
//!
//! A body is the fields in order, as postcard writes them, then any number of extensions. A later version adds what it
//! likes as an extension, and this one skips it.

use alloc::vec::Vec;
use core::net::SocketAddr;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use super::delta::{self, Clocks};
use super::error::WireError;
use super::events;
use super::fields::{Reader, put_addr, put_bytes, put_u32, put_u64, put_versions};
use super::message::{Accusation, Alive, Kind, Message, SyncHead, SyncRow, VersionSpan};
use crate::id::{Incarnation, LamportTime, META_BYTES_MAX, NodeName, ProbeSeq, canonical};
use crate::io::{State, Status};

/// Extension of a table's head: earlier user events are wanted again. Empty.
const HEAD_REPLAY: u8 = 1;
/// Extension of a row: status (one byte) and status time (varint).
const ROW_STATUS: u8 = 1;

/// Longest reason in a refusal, bytes.
pub(crate) const REASON_BYTES_MAX: usize = 255;

/// The extension of an ack that says where its sender is.
pub(super) const COORDINATE: u8 = 1;

/// Appends one message.
#[inline]
pub(super) fn encode(message: &Message<'_>, out: &mut Vec<u8>) {
    // Nearly every body is shorter than 128 bytes, so one byte is left for the length; a longer body moves up.
    out.extend_from_slice(&[message.kind() as u8, 0]);
    let start = out.len();
    match message {
        Message::Ack { seq, coordinate: None } => put_u32(seq.0, out),
        _ => encode_fields(message, out),
    }
    set_length(start - 1, out);
}

/// Sets the length that is left out at `at`, of the body that goes from there to the end.
#[inline]
fn set_length(at: usize, out: &mut Vec<u8>) {
    let length = out.len() - at - 1;
    if length < 0x80 {
        out[at] = length as u8;
    } else {
        write_long_length(at, length, out);
    }
}

/// Appends a ping, given the bytes of the name.
#[inline]
pub(super) fn encode_ping(seq: ProbeSeq, target: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[Kind::Ping as u8, 0]);
    put_u32(seq.0, out);
    put_bytes(target, out);
    set_length(start + 1, out);
}

fn encode_fields(message: &Message<'_>, out: &mut Vec<u8>) {
    match message {
        Message::Ping { seq, target } => {
            put_u32(seq.0, out);
            put_bytes(target.as_bytes(), out);
        }
        Message::PingReq { seq, target, addr, nack } => {
            put_u32(seq.0, out);
            put_bytes(target.as_bytes(), out);
            put_addr(*addr, out);
            out.push((*nack).into());
        }
        Message::Ack { seq, coordinate } => {
            put_u32(seq.0, out);
            if let Some(coordinate) = coordinate {
                out.push(COORDINATE);
                put_bytes(coordinate, out);
            }
        }
        Message::Nack { seq } => put_u32(seq.0, out),
        Message::Alive(alive) => put_alive(alive, out),
        Message::Suspect(Accusation { incarnation, name, from })
        | Message::Dead(Accusation { incarnation, name, from }) => {
            put_u32(incarnation.0, out);
            put_bytes(name.as_bytes(), out);
            put_bytes(from.as_bytes(), out);
        }
        Message::SyncHead(SyncHead { join, from, versions, replay }) => {
            append(&(join, from, versions), out);
            if *replay {
                out.extend_from_slice(&[HEAD_REPLAY, 0]);
            }
        }
        Message::SyncRow(row) => put_row(row, out),
        Message::SyncEnd => {}
        Message::Refused { reason } => put_bytes(reason.as_bytes(), out),
        Message::JoinIntent(intent) => events::put_intent(intent, false, out),
        Message::LeaveIntent(intent) => events::put_intent(intent, true, out),
        Message::UserEvent(event) | Message::EventAgain(event) => events::put_event(event, out),
        Message::Query(query) => events::put_query(query, out),
        Message::Response(response) => events::put_response(response, out),
        Message::Relay(relay) => events::put_relay(relay, out),
        Message::EventPull(pull) => events::put_pull(pull, out),
        Message::SyncClocks(clocks) => append(clocks, out),
        Message::EventMark(mark) => events::put_mark(mark, out),
        Message::DeltaHead(head) => delta::put_head(head, out),
        Message::DeltaBuckets { digests: list } | Message::DeltaWant { buckets: list } => {
            put_bytes(list, out);
        }
    }
}

fn put_alive(alive: &Alive<'_>, out: &mut Vec<u8>) {
    put_u32(alive.incarnation.0, out);
    put_bytes(alive.name.as_bytes(), out);
    put_addr(alive.addr, out);
    put_bytes(alive.meta, out);
    put_versions(alive.versions, out);
}

/// Lets postcard write to the end of a vector.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

pub(super) fn append<T: Serialize>(fields: &T, out: &mut Vec<u8>) {
    // Only a full buffer or a sequence of unknown length can fail: a vector is never full, and no message has the other.
    let written = postcard::serialize_with_flavor(fields, Append(out));
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Writes a length of 128 or more into the byte at `at`, moving the body behind it up by what the length needs more.
#[cold]
fn write_long_length(at: usize, length: usize, out: &mut Vec<u8>) {
    let mut bytes = [0; 10];
    let mut used = 0;
    let mut left = length;
    while left >= 0x80 {
        bytes[used] = left as u8 | 0x80;
        left >>= 7;
        used += 1;
    }
    bytes[used] = left as u8;
    out.splice(at..=at, bytes[..=used].iter().copied());
}

/// Cuts the first message off `bytes`: its kind and its body.
#[inline]
pub(super) fn take<'a>(bytes: &mut &'a [u8]) -> Result<(Kind, &'a [u8]), WireError> {
    let Some((&number, rest)) = bytes.split_first() else { return Err(WireError::Truncated) };
    let kind = Kind::ALL.get(usize::from(number)).copied().ok_or(WireError::UnknownKind(number))?;
    let (body, rest) = take_prefixed(rest).ok_or(WireError::Truncated)?;
    *bytes = rest;
    Ok((kind, body))
}

/// Splits `bytes` after a varint length and as many bytes as it says.
#[inline(always)]
pub(super) fn take_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    take_long_prefixed(bytes)
}

#[inline(never)]
fn take_long_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = postcard::take_from_bytes::<u32>(bytes).ok()?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// Whether `bytes` are a list of extensions: id byte, varint length, that many bytes; again and again to the end.
#[inline]
pub(super) fn is_extension_list(bytes: &[u8]) -> bool {
    bytes.is_empty() || are_extensions(bytes)
}

#[inline(never)]
fn are_extensions(mut bytes: &[u8]) -> bool {
    while let Some((_id, rest)) = bytes.split_first() {
        let Some((_value, rest)) = take_prefixed(rest) else { return false };
        bytes = rest;
    }
    true
}

/// Reads a message from its body, and checks it.
#[inline]
pub(super) fn decode(kind: Kind, body: &[u8]) -> Result<Message<'_>, WireError> {
    Ok(match kind {
        Kind::Ping => {
            let (seq, target) = fields(kind, body, |f| Some((ProbeSeq(f.u32()?), f.str()?)))?;
            Message::Ping { seq, target: check_name(kind, target)? }
        }
        Kind::PingReq => {
            let (seq, target, addr, nack) =
                fields(kind, body, |f| Some((ProbeSeq(f.u32()?), f.str()?, f.addr()?, f.bool()?)))?;
            Message::PingReq { seq, target: check_name(kind, target)?, addr: check_addr(kind, addr)?, nack }
        }
        Kind::Ack => {
            let (seq, extensions) = fields(kind, body, |f| Some((ProbeSeq(f.u32()?), f.rest)))?;
            Message::Ack { seq, coordinate: extension(extensions, COORDINATE) }
        }
        Kind::Nack => Message::Nack { seq: fields(kind, body, |f| f.u32().map(ProbeSeq))? },
        Kind::Alive => Message::Alive(check_alive(kind, fields(kind, body, alive)?)?),
        Kind::Suspect => Message::Suspect(check_accusation(kind, fields(kind, body, accusation)?)?),
        Kind::Dead => Message::Dead(check_accusation(kind, fields(kind, body, accusation)?)?),
        Kind::SyncHead => {
            let ((join, from, versions), extensions) =
                extended(kind, body, take_postcard::<(bool, &str, VersionSpan)>)?;
            let replay = extension(extensions, HEAD_REPLAY).is_some();
            Message::SyncHead(SyncHead { join, from: check_name(kind, from)?, versions, replay })
        }
        Kind::SyncRow => Message::SyncRow(row(kind, body)?),
        Kind::SyncEnd => {
            fields(kind, body, |_| Some(()))?;
            Message::SyncEnd
        }
        Kind::Refused => {
            let reason = fields(kind, body, Reader::str)?;
            if reason.len() > REASON_BYTES_MAX {
                return Err(WireError::ReasonTooLong(reason.len()));
            }
            Message::Refused { reason }
        }
        Kind::JoinIntent => Message::JoinIntent(events::intent(kind, body)?),
        Kind::LeaveIntent => Message::LeaveIntent(events::intent(kind, body)?),
        Kind::UserEvent => Message::UserEvent(events::event(kind, body)?),
        Kind::Query => Message::Query(events::query(kind, body)?),
        Kind::Response => Message::Response(events::response(kind, body)?),
        Kind::Relay => Message::Relay(events::relay(kind, body)?),
        Kind::EventPull => Message::EventPull(events::pull(kind, body)?),
        Kind::EventAgain => Message::EventAgain(events::event(kind, body)?),
        Kind::SyncClocks => {
            let clocks = fields(kind, body, take_postcard::<Clocks>)?;
            Message::SyncClocks(delta::check_clocks(kind, clocks)?)
        }
        Kind::EventMark => Message::EventMark(events::mark(kind, body)?),
        Kind::DeltaHead => Message::DeltaHead(delta::head(kind, body)?),
        Kind::DeltaBuckets => Message::DeltaBuckets { digests: delta::buckets(kind, body)? },
        Kind::DeltaWant => Message::DeltaWant { buckets: delta::want(kind, body)? },
    })
}

/// Reads fields that postcard's own reader is good enough for.
pub(super) fn take_postcard<'a, T: Deserialize<'a>>(reader: &mut Reader<'a>) -> Option<T> {
    let (fields, rest) = postcard::take_from_bytes(reader.rest).ok()?;
    reader.rest = rest;
    Some(fields)
}

/// Reads the fields; what follows them must be extensions.
pub(super) fn fields<'a, T>(
    kind: Kind,
    body: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Result<T, WireError> {
    extended(kind, body, read).map(|(fields, _)| fields)
}

/// Reads the fields; gives them and the extensions that follow.
fn extended<'a, T>(
    kind: Kind,
    body: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Result<(T, &'a [u8]), WireError> {
    let mut reader = Reader { rest: body };
    let fields = read(&mut reader).ok_or(WireError::Malformed(kind))?;
    if is_extension_list(reader.rest) { Ok((fields, reader.rest)) } else { Err(WireError::Extension(kind)) }
}

/// The value of an extension in a list that was checked.
pub(super) fn extension(mut list: &[u8], id: u8) -> Option<&[u8]> {
    while let Some((&found, rest)) = list.split_first() {
        let (value, rest) = take_prefixed(rest)?;
        if found == id {
            return Some(value);
        }
        list = rest;
    }
    None
}

fn put_row(row: &SyncRow<'_>, out: &mut Vec<u8>) {
    put_alive(&row.alive, out);
    out.push(row.state as u8);
    let usual = row.status == SyncRow::usual_status(row.state) && row.status_time.0 == 0;
    if !usual {
        // A status and a varint of at most ten bytes: the length has one byte.
        out.extend_from_slice(&[ROW_STATUS, 0]);
        let start = out.len();
        out.push(row.status as u8);
        put_u64(row.status_time.0, out);
        out[start - 1] = (out.len() - start) as u8;
    }
}

fn row(kind: Kind, body: &[u8]) -> Result<SyncRow<'_>, WireError> {
    let ((alive, state), extensions) = extended(kind, body, |f| Some((alive(f)?, f.u8()?)))?;
    let (alive, state) = (check_alive(kind, alive)?, check_state(state)?);
    let (status, status_time) = match extension(extensions, ROW_STATUS) {
        None => (SyncRow::usual_status(state), LamportTime::default()),
        Some(value) => {
            let mut reader = Reader { rest: value };
            let read = reader.u8().zip(reader.u64());
            let (status, time) = read.ok_or(WireError::Malformed(kind))?;
            events::check_ltime(kind, LamportTime(time))?;
            (check_status(kind, state, status)?, LamportTime(time))
        }
    };
    Ok(SyncRow { alive, state, status, status_time })
}

/// Only a status that goes with the state: whoever is there is alive or leaving, whoever is not has failed or left.
fn check_status(kind: Kind, state: State, status: u8) -> Result<Status, WireError> {
    match (state, status) {
        (State::Alive | State::Suspect, 1) => Ok(Status::Alive),
        (State::Alive | State::Suspect, 2) => Ok(Status::Leaving),
        (State::Dead | State::Left, 3) => Ok(Status::Left),
        (State::Dead, 4) => Ok(Status::Failed),
        _ => Err(WireError::Malformed(kind)),
    }
}

#[inline]
fn alive<'a>(fields: &mut Reader<'a>) -> Option<Alive<'a>> {
    Some(Alive {
        incarnation: Incarnation(fields.u32()?),
        name: fields.str()?,
        addr: fields.addr()?,
        meta: fields.bytes()?,
        versions: fields.versions()?,
    })
}

#[inline]
fn accusation<'a>(fields: &mut Reader<'a>) -> Option<Accusation<'a>> {
    Some(Accusation { incarnation: Incarnation(fields.u32()?), name: fields.str()?, from: fields.str()? })
}

#[inline]
fn check_alive(kind: Kind, alive: Alive<'_>) -> Result<Alive<'_>, WireError> {
    if alive.meta.len() > META_BYTES_MAX {
        return Err(WireError::MetaTooLong(alive.meta.len()));
    }
    check_name(kind, alive.name)?;
    Ok(Alive { addr: check_addr(kind, alive.addr)?, ..alive })
}

#[inline]
fn check_accusation(kind: Kind, accusation: Accusation<'_>) -> Result<Accusation<'_>, WireError> {
    check_name(kind, accusation.name)?;
    check_name(kind, accusation.from)?;
    Ok(accusation)
}

#[inline]
pub(super) fn check_name(kind: Kind, name: &str) -> Result<&str, WireError> {
    match NodeName::check(name) {
        Ok(()) => Ok(name),
        Err(error) => Err(WireError::Name { kind, error }),
    }
}

#[inline]
pub(super) fn check_addr(kind: Kind, addr: SocketAddr) -> Result<SocketAddr, WireError> {
    let addr = canonical(addr);
    if addr.port() == 0 || addr.ip().is_unspecified() { Err(WireError::Address(kind)) } else { Ok(addr) }
}

fn check_state(state: u8) -> Result<State, WireError> {
    match state {
        0 => Ok(State::Alive),
        1 => Ok(State::Suspect),
        2 => Ok(State::Dead),
        3 => Ok(State::Left),
        _ => Err(WireError::State(state)),
    }
}
