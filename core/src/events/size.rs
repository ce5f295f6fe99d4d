//! How long a user event is in Serf's encoding: limits are counted in it, so that they mean the same to both.

use crate::id::LamportTime;

/// Bytes of a msgpack string or byte array of that length, in the form without `str8` and `bin` that Serf writes.
const fn raw(length: usize) -> usize {
    length
        + match length {
            0..32 => 1,
            32..0x1_0000 => 3,
            _ => 5,
        }
}

const fn unsigned(value: u64) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

/// Bytes of a user event as Serf encodes it: the type byte, then a map of `CC`, `LTime`, `Name` and `Payload`.
pub(crate) const fn event_bytes(ltime: LamportTime, name: &str, payload: &[u8]) -> usize {
    let keys = raw(2) + raw(5) + raw(4) + raw(7);
    let coalesce = 1;
    1 + 1 + keys + coalesce + unsigned(ltime.0) + raw(name.len()) + raw(payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_event_of_the_reference_has_its_length() {
        // 03 84 a2 4343 c3 a5 4c54696d65 01 a4 4e616d65 a6 6465706c6f79 a7 5061796c6f6164 a2 7631
        assert_eq!(event_bytes(LamportTime(1), "deploy", b"v1"), 2 + 3 + 1 + 6 + 1 + 5 + 7 + 8 + 3);
        assert_eq!(event_bytes(LamportTime(1), "deploy", &[]), 2 + 3 + 1 + 6 + 1 + 5 + 7 + 8 + 1);
    }

    #[test]
    fn lengths_and_numbers_grow_where_msgpack_does() {
        let with = |ltime, length| event_bytes(LamportTime(ltime), "", &[0; 70_000][..length]);
        assert_eq!(with(0x7F, 31) + 1, with(0x80, 31));
        assert_eq!(with(0xFF, 31) + 1, with(0x100, 31));
        assert_eq!(with(0xFFFF, 31) + 2, with(0x1_0000, 31));
        assert_eq!(with(0xFFFF_FFFF, 31) + 4, with(0x1_0000_0000, 31));
        assert_eq!(with(1, 31) + 3, with(1, 32));
        assert_eq!(with(1, 65_535) + 3, with(1, 65_536));
    }
}
