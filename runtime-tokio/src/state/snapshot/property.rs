//! What must hold of a snapshot whatever is in the file.

use std::net::SocketAddr;

use rumormill_core::id::{Incarnation, LamportTime, NodeName};
use rumormill_core::wire::Clocks;

use super::knowledge::Fate;
use super::reader::Reading;

/// A file's bytes; the first says whether a leave forgets nothing. What was read is sound, the file is read the same when it is continued
/// after its last whole line, and what is known comes back from the lines that say it.
pub fn snapshot(data: &[u8]) {
    let Some((&keep, file)) = data.split_first() else { return };
    let keep = keep % 2 == 1;
    let reading = read(file, keep);
    let known = &reading.knowledge;
    for (name, addr) in known.alive.iter().chain(&known.failed) {
        assert!(NodeName::check(name).is_ok(), "{name:?}");
        assert!(!addr.ip().is_unspecified() && addr.port() != 0, "{addr}");
    }
    assert!(known.alive.keys().all(|name| !known.failed.contains_key(name)), "alive and failed at once");
    assert!(reading.warnings.len() <= 17, "{} warnings", reading.warnings.len());
    assert!(reading.warnings.iter().all(|warning| warning.len() < 1024 && !warning.contains('\n')));

    let whole = usize::try_from(reading.whole_bytes).expect("a length in memory");
    assert!(whole == 0 || file[whole - 1] == b'\n', "{whole} is not after a line");
    assert_eq!(read(&file[..whole], keep).knowledge, *known, "its last line was cut off, and counted");

    let lines = known.lines();
    let again = read(lines.as_bytes(), true);
    assert_eq!(again.warnings, [""; 0], "{lines}");
    assert_eq!(again.knowledge, *known, "{lines}");

    // In a life that goes on: news after the file's own lines, as the writer appends them.
    if known.left {
        return;
    }
    let (mut next, mut appended) = (known.clone(), String::new());
    let here = SocketAddr::from(([10, 0, 0, 9], 7946));
    let fates = [Fate::Failed(here), Fate::Alive(here), Fate::Gone];
    let names: Vec<String> = known.alive.keys().chain(known.failed.keys()).take(6).cloned().collect();
    for (name, fate) in names.iter().zip(fates.into_iter().cycle()) {
        next.settle(name, fate, &mut appended);
    }
    next.announce(Incarnation(known.incarnation.0.saturating_add(1)), &mut appended);
    let time = |time: LamportTime| LamportTime(time.0 + 1).min(LamportTime::MAX);
    let Clocks { member, event, query } = known.clocks;
    next.advance(Clocks { member: time(member), event: time(event), query: time(query) }, &mut appended);
    let continued = [&file[..whole], appended.as_bytes()].concat();
    assert_eq!(read(&continued, keep).knowledge, next, "{appended}");
}

fn read(file: &[u8], keep: bool) -> Reading {
    Reading::of(file, keep).expect("memory can be read")
}
