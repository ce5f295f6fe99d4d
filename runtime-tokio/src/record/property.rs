//! What must hold of recordings whatever is in them.

use std::path::PathBuf;

use rumormill_core::id::NodeName;
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;
use rumormill_core::{Birth, Config, Instant, Restore, Seed};

use super::birth::BirthRecord;
use super::codec::Entry;
use super::replay::{ReplayError, replay_from};
use super::{Header, MAGIC, frames};

/// A recording; the first byte says which part of it may be anything: the whole file, all frames' bodies, or those after a birth that is one.
/// An input that can be read is the same when it is written again.
pub fn recording(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    if choice % 3 == 0 {
        return replayed(rest);
    }
    let mut file = MAGIC.as_bytes().to_vec();
    if choice % 3 == 2 {
        put(&birth(), &mut file);
    }
    let mut rest = rest;
    while let Some((&[low, high], behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(behind.len());
        let body;
        (body, rest) = behind.split_at(length);
        entry(body);
        put(body, &mut file);
    }
    replayed(&file);
}

fn replayed(file: &[u8]) {
    let path = || PathBuf::from("/nowhere/file");
    match replay_from(file, |source| ReplayError::Io { path: path(), source }) {
        Ok(report) => assert!(!report.to_string().is_empty()),
        Err(ReplayError::Io { source, .. }) => panic!("{source}, from memory"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn entry(body: &[u8]) {
    let Ok((entry, _)) = postcard::take_from_bytes::<Entry<'_>>(body) else { return };
    let written = postcard::to_stdvec(&entry).expect("an entry into memory");
    let (again, rest) = postcard::take_from_bytes::<Entry<'_>>(&written).expect("an entry that was written");
    assert!(rest.is_empty() && again.now == entry.now);
    assert_eq!(again.input, entry.input);
    let (now, kind) = (Instant::from_nanos(entry.now), entry.input.kind());
    if let Ok(input) = entry.input() {
        assert_eq!(Entry::of(&input, now).input.kind(), kind);
    }
}

fn put(body: &[u8], file: &mut Vec<u8>) {
    frames::put(body, file).expect("a short body");
}

fn birth() -> Vec<u8> {
    let birth = Birth {
        name: NodeName::new("anna").expect("a name"),
        addr: ([10, 1, 2, 3], 7946).into(),
        tags: &Tags::new(),
        seed: Seed::simulated(1, 0, 0),
        keyring: Keyring::empty(),
        restore: Restore::default(),
    };
    let header = Header { config: &Config::lan(), birth: &birth, now: Instant::ORIGIN };
    let record = BirthRecord::of(&header).expect("settings as JSON");
    postcard::to_stdvec(&record).expect("a birth into memory")
}
