//! Streams: anything at all, and anything in sound frames, however it is cut.

use rumormill_core::Config;
use rumormill_core::wire::{StreamDecoder, WireError};

use super::{cluster, input::Bytes, messages};

pub fn check(data: &[u8]) {
    let mut data = Bytes(data);
    let choice = data.byte() % cluster::CHOICES;
    let config = cluster::config(choice);
    let mut peer = cluster::wire(choice, 1);
    let cuts = [data.byte(), data.byte(), data.byte()];
    let stream = match data.byte() % 2 {
        0 => data.0.to_vec(),
        _ => {
            let mut stream = Vec::new();
            while !data.is_empty() {
                stream.extend(messages::frame(&mut peer, data.prefixed()));
            }
            stream
        }
    };
    let whole = frames(&config, [&stream[..]].into_iter());
    let mut rest = &stream[..];
    let pieces = cuts.iter().cycle().map_while(|cut| {
        let (piece, behind) = rest.split_at(usize::from(*cut).max(1).min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(frames(&config, pieces), whole, "cut otherwise, the stream says something else");

    let taken: Vec<u8> = whole.iter().flatten().flatten().copied().collect();
    assert!(stream.starts_with(&taken), "frames that were not sent");
    assert!(whole.iter().rev().skip(1).all(Result::is_ok), "frames after an error");
    let wire = cluster::wire(choice, 2);
    let mut memory = Vec::new();
    for frame in whole.iter().flatten() {
        assert!(frame.len() <= config.frame_bytes_max as usize);
        if let Ok(opened) = wire.unseal_frame(frame, &mut memory) {
            messages::come_back(&mut peer, opened, true);
        }
    }
}

/// All that a decoder gives for pieces that come one by one.
fn frames<'a>(config: &Config, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Result<Vec<u8>, WireError>> {
    let mut decoder = StreamDecoder::new(config);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame() {
            frames.push(frame.map(<[u8]>::to_vec));
        }
    }
    frames
}
