//! The extents of objects, against an oracle; limits; splits.

use proptest::prelude::*;
use serde::de::{Deserialize, IgnoredAny};

use super::*;

const CAP: usize = 4096;

/// An object of any kind, encoded.
fn object() -> impl Strategy<Value = Vec<u8>> {
    let sized = |marker: u8, width: usize, extra: usize| {
        prop::collection::vec(any::<u8>(), 0..20).prop_map(move |content| {
            let mut bytes = vec![marker];
            bytes.extend_from_slice(&(content.len() as u64).to_be_bytes()[8 - width..]);
            bytes.extend(std::iter::repeat_n(7, extra));
            bytes.extend(content);
            bytes
        })
    };
    let fixed = |marker: u8, length: usize| {
        prop::collection::vec(any::<u8>(), length).prop_map(move |content| [&[marker][..], &content].concat())
    };
    let leaf = prop_oneof![
        prop_oneof![0x00u8..=0x7F, 0xE0u8..=0xFF, Just(0xC0), Just(0xC2), Just(0xC3)]
            .prop_map(|byte| vec![byte]),
        prop::collection::vec(0x20u8..0x7F, 0..32)
            .prop_map(|text| [&[0xA0 | text.len() as u8][..], &text].concat()),
        prop_oneof![sized(0xC4, 1, 0), sized(0xC5, 2, 0), sized(0xC6, 4, 0)],
        prop_oneof![sized(0xD9, 1, 0), sized(0xDA, 2, 0), sized(0xDB, 4, 0)],
        prop_oneof![sized(0xC7, 1, 1), sized(0xC8, 2, 1), sized(0xC9, 4, 1)],
        prop_oneof![fixed(0xCC, 1), fixed(0xD0, 1), fixed(0xCD, 2), fixed(0xD1, 2), fixed(0xCA, 4)],
        prop_oneof![fixed(0xCE, 4), fixed(0xD2, 4), fixed(0xCB, 8), fixed(0xCF, 8), fixed(0xD3, 8)],
        prop_oneof![fixed(0xD4, 2), fixed(0xD5, 3), fixed(0xD6, 5), fixed(0xD7, 9), fixed(0xD8, 17)],
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        (any::<bool>(), 0..3usize, prop::collection::vec(inner, 0..8)).prop_map(
            |(map, width, mut elements)| {
                if map && elements.len() % 2 == 1 {
                    elements.pop();
                }
                let count = elements.len() >> u32::from(map);
                let markers =
                    if map { [0x80 | count as u8, 0xDE, 0xDF] } else { [0x90 | count as u8, 0xDC, 0xDD] };
                let mut bytes = vec![markers[width]];
                bytes.extend_from_slice(&(count as u64).to_be_bytes()[8 - [0, 2, 4][width]..]);
                bytes.extend(elements.concat());
                bytes
            },
        )
    })
}

fn drain(decoder: &mut Decoder, into: &mut Vec<Vec<u8>>) -> Result<(), DecodeError> {
    while let Some(object) = decoder.next_object()? {
        into.push(object.to_vec());
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same_objects(
        objects in prop::collection::vec(object(), 0..8),
        cuts in prop::collection::vec(1..40usize, 1..20),
    ) {
        let stream = objects.concat();
        let (mut decoder, mut found, mut rest) = (Decoder::new(1 << 20), Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, behind) = rest.split_at((*cut).min(rest.len()));
            decoder.push(chunk);
            prop_assert_eq!(drain(&mut decoder, &mut found), Ok(()));
            rest = behind;
        }
        prop_assert_eq!(found, objects);
        prop_assert!(decoder.is_empty());
    }

    /// The library that deserializes finds the same end, where there is one.
    #[test]
    fn an_extent_is_what_the_oracle_reads(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        (object(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(object, more)| [object, more].concat()),
    ]) {
        let mut decoder = Decoder::new(CAP);
        decoder.push(&bytes);
        if let Ok(Some(object)) = decoder.next_object() {
            let mut oracle = rmp_serde::Deserializer::new(std::io::Cursor::new(&bytes[..]));
            // It does not read every extension that there may be.
            if IgnoredAny::deserialize(&mut oracle).is_ok() {
                prop_assert_eq!(oracle.position(), object.len() as u64);
            }
        }
    }

    #[test]
    fn random_bytes_neither_panic_nor_take_memory(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let (mut decoder, mut found) = (Decoder::new(100), Vec::new());
        for chunk in &chunks {
            decoder.push(chunk);
            if drain(&mut decoder, &mut found).is_err() {
                break;
            }
            prop_assert!(decoder.buffer.len() - decoder.taken <= 100, "more is kept than one object may have");
            prop_assert!(decoder.scan.open.len() <= DEPTH_MAX);
        }
        for object in &found {
            let _ = decode::<crate::rpc::messages::RequestHeader>(object);
            let _ = decode::<crate::rpc::messages::Query>(object);
            let _ = decode::<crate::rpc::messages::StreamRecord>(object);
        }
    }
}

fn refused(bytes: &[u8]) -> Option<DecodeError> {
    let mut decoder = Decoder::new(CAP);
    decoder.push(bytes);
    decoder.next_object().err()
}

#[test]
fn a_claim_that_is_too_long_is_refused_before_its_bytes_come() {
    let too_long = |claimed| Some(DecodeError::TooLong { claimed, allowed: CAP });
    let largest = u64::from(u32::MAX);
    assert_eq!(refused(b"\xDD\xFF\xFF\xFF\xFF"), too_long(5 + largest));
    assert_eq!(refused(b"\xDF\xFF\xFF\xFF\xFF"), too_long(5 + 2 * largest));
    assert_eq!(refused(b"\xC6\xFF\xFF\xFF\xFF"), too_long(5 + largest));
    assert_eq!(refused(b"\xC9\xFF\xFF\xFF\xFF"), too_long(6 + largest));
    assert_eq!(refused(b"\x92\xA1x\xDB\x00\x00\x10\x00"), too_long(3 + 5 + 4096));
    assert_eq!(refused(b"\xDC\x0F\xFD"), None, "it fits exactly");
    assert_eq!(refused(b"\xDC\x0F\xFE"), too_long(4097));
}

#[test]
fn deep_nesting_and_the_reserved_byte_are_refused() {
    let nested = |levels: usize| [vec![0x91; levels], vec![0xC0]].concat();
    assert_eq!(refused(&nested(DEPTH_MAX)), None);
    assert_eq!(refused(&nested(DEPTH_MAX + 1)), Some(DecodeError::TooDeep));
    assert_eq!(refused(&[0x91; 100_000]), Some(DecodeError::TooDeep));
    assert_eq!(refused(b"\x92\x01\xC1"), Some(DecodeError::Reserved));
}

#[test]
fn a_long_object_that_comes_byte_by_byte_is_looked_at_once() {
    // 4,000 elements: looked at from the beginning each time, this would be eight million.
    let (mut decoder, bytes) = (Decoder::new(CAP), [&[0xDC, 0x0F, 0xA0][..], &[1; 4000]].concat());
    for (n, byte) in bytes.iter().enumerate() {
        decoder.push(&[*byte]);
        let last = n + 1 == bytes.len();
        assert_eq!(decoder.next_object().unwrap().is_some(), last);
        assert!(last || n < 3 || decoder.scan.at == n + 1);
    }
}

#[tokio::test]
async fn a_reader_tells_an_end_from_a_cut() {
    let mut reader = Reader::new(&b"\x01\x02"[..], CAP);
    assert_eq!(reader.read::<u8>().await.unwrap(), Some(1));
    assert_eq!(reader.require::<u8>().await.unwrap(), 2);
    assert_eq!(reader.read::<u8>().await.unwrap(), None);
    assert!(matches!(reader.require::<u8>().await, Err(ReadError::Cut)));
    let mut reader = Reader::new(&b"\x92\x01"[..], CAP);
    assert!(matches!(reader.read::<u8>().await, Err(ReadError::Cut)));
    let mut reader = Reader::new(&b"\xA1x\x07"[..], CAP);
    assert!(matches!(reader.read::<u8>().await, Err(ReadError::Decode(DecodeError::Malformed(_)))));
    assert_eq!(reader.read::<u8>().await.unwrap(), Some(7), "what follows is still in step");
}
