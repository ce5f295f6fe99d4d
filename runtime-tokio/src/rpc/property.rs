//! What must hold of RPC whatever the other side sends.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{DecodeError, Decoder, decode, encode};
use super::filter::EventFilter;
use super::log::Level;
use super::messages::{
    Auth, Command, CoordinateOf, CoordinateReply, Event, ForceLeave, Handshake, Join, JoinReply, KeyChange,
    KeysReply, LogRecord, MembersFiltered, MembersReply, Monitor, Query, QueryReply, RequestHeader, Respond,
    ResponseHeader, RpcMember, StatsReply, Stop, Stream, StreamRecord, TagsChange, WhyOf, WhyReply, errors,
};
use super::server::filters;

/// Longest object here; all that comes is shorter, so that only a claim goes beyond it.
const OBJECT_BYTES_MAX: usize = 16 * 1024;

/// What a server reads: headers and bodies, in the order of a session. The first byte says how the stream is cut.
pub fn rpc_server(data: &[u8]) {
    let mut objects = objects(data).into_iter();
    while let Some(header) = objects.next() {
        let Some(RequestHeader { command, .. }) = come_back::<RequestHeader>(&header) else { return };
        let Some(command) = Command::named(&command) else { return };
        assert_eq!(Command::named(command.name()), Some(command));
        if !command.has_body() {
            continue;
        }
        let Some(body) = objects.next() else { return };
        request(command, &body);
    }
}

fn request(command: Command, body: &[u8]) {
    match command {
        Command::Handshake => drop(come_back::<Handshake>(body)),
        Command::Auth => drop(come_back::<Auth>(body)),
        Command::Event => drop(come_back::<Event>(body)),
        Command::ForceLeave => drop(come_back::<ForceLeave>(body)),
        Command::Join => drop(come_back::<Join>(body)),
        Command::MembersFiltered => {
            if let Some(wanted) = come_back::<MembersFiltered>(body) {
                let all_empty = wanted == MembersFiltered::default();
                assert!(filters::are_usable(&wanted) || !all_empty);
            }
        }
        Command::Tags => drop(come_back::<TagsChange>(body)),
        Command::Stream => {
            if let Some(Stream { r#type }) = come_back(body)
                && let Ok(filters) = EventFilter::parse_list(&r#type)
            {
                let written: Vec<_> = filters.iter().map(ToString::to_string).collect();
                assert_eq!(EventFilter::parse_list(&written.join(",")), Ok(filters));
            }
        }
        Command::Monitor => {
            if let Some(Monitor { log_level }) = come_back(body)
                && let Ok(level) = log_level.parse::<Level>()
            {
                assert_eq!(level.name().parse(), Ok(level));
            }
        }
        Command::Stop => drop(come_back::<Stop>(body)),
        Command::Query => drop(come_back::<Query>(body)),
        Command::Respond => drop(come_back::<Respond>(body)),
        Command::InstallKey | Command::UseKey | Command::RemoveKey => drop(come_back::<KeyChange>(body)),
        Command::GetCoordinate => drop(come_back::<CoordinateOf>(body)),
        Command::Why => drop(come_back::<WhyOf>(body)),
        Command::Members | Command::Leave | Command::ListKeys | Command::Stats => unreachable!("has no body"),
    }
}

/// What a client reads: answers and records. A header's number says what was asked.
pub fn rpc_client(data: &[u8]) {
    const ASKED: [Command; 10] = [
        Command::GetCoordinate,
        Command::InstallKey,
        Command::Join,
        Command::Members,
        Command::Stats,
        Command::Handshake,
        Command::Stream,
        Command::Monitor,
        Command::Query,
        Command::Why,
    ];
    let mut objects = objects(data).into_iter();
    while let Some(header) = objects.next() {
        let Some(ResponseHeader { error, seq }) = come_back::<ResponseHeader>(&header) else { return };
        let Some(&command) = usize::try_from(seq).ok().and_then(|seq| ASKED.get(seq)) else { return };
        let records = matches!(command, Command::Stream | Command::Monitor | Command::Query);
        if !records && (!command.has_answer_body() || errors::is_refusal(&error)) {
            continue;
        }
        let Some(body) = objects.next() else { return };
        answer(command, &body);
    }
}

fn answer(command: Command, body: &[u8]) {
    match command {
        Command::GetCoordinate => {
            let coordinate = steady::<CoordinateReply>(body).and_then(|reply| reply.coord.to_core());
            if let Some(coordinate) = coordinate {
                let _ = coordinate.distance(&coordinate);
            }
        }
        Command::Why => drop(steady::<WhyReply>(body)),
        Command::InstallKey => drop(come_back::<KeysReply>(body)),
        Command::Join => drop(come_back::<JoinReply>(body)),
        Command::Members => {
            if let Some(reply) = come_back::<MembersReply>(body) {
                reply.members.iter().for_each(addressed);
            }
        }
        Command::Stats => drop(come_back::<StatsReply>(body)),
        Command::Stream => {
            if let Some(StreamRecord::Members(record)) = come_back(body) {
                record.members.iter().for_each(addressed);
            }
        }
        Command::Monitor => drop(come_back::<LogRecord>(body)),
        _ => drop(come_back::<QueryReply>(body)),
    }
}

/// An IPv4 address is never one of IPv6 that holds it, so that people and filters see one form.
fn addressed(member: &RpcMember) {
    let mapped = matches!(member.addr, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    assert!(!mapped, "{member:?}");
    assert_eq!(member.socket_addr(), SocketAddr::new(member.addr, member.port));
}

/// The objects of a stream: the same however it is cut.
fn objects(data: &[u8]) -> Vec<Vec<u8>> {
    let Some((&cut, stream)) = data.split_first() else { return Vec::new() };
    let whole = cut_out([stream].into_iter());
    let pieces = cut_out(stream.chunks(usize::from(cut).max(1)));
    // A claim that goes too far is seen as soon as its bytes are there: what stands behind it does not matter.
    assert_eq!(whole, pieces);
    let taken = whole.0.concat();
    assert!(stream.starts_with(&taken), "objects that were not sent");
    whole.0
}

fn cut_out<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<DecodeError>) {
    let mut decoder = Decoder::new(OBJECT_BYTES_MAX);
    let mut objects = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_object() {
                Ok(Some(object)) => objects.push(object.to_vec()),
                Ok(None) => break,
                Err(error) => return (objects, Some(error)),
            }
        }
    }
    (objects, None)
}

/// The value of an object, if it is one: what is written of it is one whole object that says the same.
fn come_back<T: Serialize + DeserializeOwned + PartialEq>(object: &[u8]) -> Option<T> {
    let value: T = match decode(object) {
        Ok(value) => value,
        Err(DecodeError::Malformed(reason)) => {
            assert!(!reason.is_empty());
            return None;
        }
        Err(error) => panic!("{error} of an object that was cut out"),
    };
    let written = bytes_of(&value);
    let mut decoder = Decoder::new(usize::MAX);
    decoder.push(&written);
    assert_eq!(decoder.next_object(), Ok(Some(&written[..])));
    // Secrets are not shown.
    assert!(decode::<T>(&written).is_ok_and(|again| again == value), "{}", std::any::type_name::<T>());
    Some(value)
}

/// The same of a value with numbers in it, which may be none and then are not equal to themselves: their bytes are.
fn steady<T: Serialize + DeserializeOwned>(object: &[u8]) -> Option<T> {
    let value: T = decode(object).ok()?;
    let written = bytes_of(&value);
    let again: T = decode(&written).expect("what was written");
    assert_eq!(bytes_of(&again), written, "{}", std::any::type_name::<T>());
    Some(value)
}

fn bytes_of(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes);
    bytes
}
