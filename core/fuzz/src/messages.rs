//! Writing any bytes as messages, and what must hold of those that are taken.

use rumormill_core::tags::Tags;
use rumormill_core::wire::{Filter, Message, Wire, WireError};

/// A sound packet, checksum or seal and all, around bytes that may be anything.
pub fn packet(wire: &mut Wire, messages: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = wire.begin_packet(&mut out);
    out.extend_from_slice(messages);
    wire.finish_packet(start, &mut out);
    out
}

/// The same as a frame.
pub fn frame(wire: &mut Wire, messages: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = wire.begin_frame(&mut out);
    out.extend_from_slice(messages);
    wire.finish_frame(start, &mut out);
    out
}

/// Reads what was opened: each message comes back when it is written again, and nothing follows an error.
pub fn come_back<'a>(
    wire: &mut Wire,
    opened: impl Iterator<Item = Result<Message<'a>, WireError>>,
    for_streams: bool,
) {
    let mut taken = Vec::new();
    let mut failed = false;
    for message in opened {
        assert!(!failed, "{message:?} after an error");
        match message {
            Ok(message) => {
                look_into(&message);
                taken.push(message);
            }
            Err(_) => failed = true,
        }
    }
    let mut encoded = Vec::new();
    taken.iter().for_each(|message| wire.encode(message, &mut encoded));
    let mut memory = Vec::new();
    let bytes = if for_streams { frame(wire, &encoded) } else { packet(wire, &encoded) };
    let again = if for_streams {
        // What is written again may be longer than a frame may be, where fields had been written shorter than this version writes them.
        match wire.unseal_frame(&bytes, &mut memory) {
            Err(WireError::FrameTooLong { .. }) => return,
            opened => opened.expect("a sound frame"),
        }
    } else {
        wire.unseal_packet(&bytes, &mut memory).expect("a sound packet")
    };
    let again: Result<Vec<_>, _> = again.collect();
    assert_eq!(again.expect("sound messages"), taken);
}

/// Fields that are read when somebody asks for them.
fn look_into(message: &Message<'_>) {
    match message {
        Message::Query(query) => {
            for filter in query.filters.iter() {
                if let Filter::Nodes(names) = filter {
                    assert!(names.iter().all(|name| !name.is_empty()), "a filter with an empty name");
                }
            }
        }
        Message::EventPull(pull) => {
            let count = pull.spans.iter().count();
            assert!(count <= rumormill_core::wire::PULL_SPANS_MAX, "{count} spans");
        }
        Message::Alive(alive) => {
            if let Some(tags) = Tags::from_meta(alive.meta) {
                assert_eq!(Tags::from_meta(&tags.to_meta()), Some(tags));
            }
        }
        _ => {}
    }
}
