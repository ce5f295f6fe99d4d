//! How long a message would be in Serf's encoding (msgpack maps): its limits are counted so, whatever the wire in use.

/// A raw byte string or text: old-style msgpack raw.
const fn raw(length: usize) -> usize {
    length
        + match length {
            0..32 => 1,
            32..0x1_0000 => 3,
            _ => 5,
        }
}

/// An unsigned number in its shortest form.
const fn unsigned(value: u64) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

/// A signed number of nanoseconds, never negative.
const fn signed(value: u64) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x8000 => 3,
        0x8000..0x8000_0000 => 5,
        _ => 9,
    }
}

/// Bytes of a user event: type, map of CC, LTime, Name, Payload.
pub(crate) const fn user_event(ltime: u64, name: usize, payload: usize) -> usize {
    2 + raw(2) + 1 + raw(5) + unsigned(ltime) + raw(4) + raw(name) + raw(7) + raw(payload)
}

/// What a query's length depends on.
pub(crate) struct QuerySize {
    pub(crate) ltime: u64,
    pub(crate) id: u32,
    pub(crate) from: usize,
    pub(crate) address_bytes: usize,
    pub(crate) port: u16,
    /// Names of the node filter, and what they take together.
    pub(crate) nodes: usize,
    pub(crate) node_bytes: usize,
    /// Tag filters, and what each takes: key and expression.
    pub(crate) tags: usize,
    pub(crate) tag_bytes: usize,
    pub(crate) timeout_ns: u64,
    pub(crate) name: usize,
    pub(crate) payload: usize,
}

impl QuerySize {
    /// Bytes: type, map of Addr, Filters, Flags, ID, LTime, Name, Payload, Port, RelayFactor, SourceNode, Timeout.
    pub(crate) const fn bytes(&self) -> usize {
        let keys = raw(4)
            + raw(7)
            + raw(5)
            + raw(2)
            + raw(5)
            + raw(4)
            + raw(7)
            + raw(4)
            + raw(11)
            + raw(10)
            + raw(7);
        let values = raw(self.address_bytes)
            + 1
            + unsigned(self.id as u64)
            + unsigned(self.ltime)
            + raw(self.name)
            + raw(self.payload)
            + unsigned(self.port as u64)
            + 1
            + raw(self.from)
            + signed(self.timeout_ns);
        // A filter is a byte string: its type, then an array of names, or a map of Expr and Tag.
        let nodes = if self.nodes == 0 { 0 } else { 3 + 1 + 3 + self.node_bytes };
        2 + keys + values + 3 + nodes + self.tags * (3 + 1 + 1 + raw(4) + raw(3)) + self.tag_bytes
    }
}

/// Bytes of a response: type, map of Flags, From, ID, LTime, Payload.
pub(crate) const fn response(ltime: u64, id: u32, from: usize, payload: usize) -> usize {
    2 + raw(5)
        + 1
        + raw(4)
        + raw(from)
        + raw(2)
        + unsigned(id as u64)
        + raw(5)
        + unsigned(ltime)
        + raw(7)
        + raw(payload)
}

/// Bytes that the relay's header adds: type, map of DestAddr {IP, Port, Zone} and DestName.
pub(crate) const fn relay_header(address_bytes: usize, name: usize) -> usize {
    2 + raw(8) + 1 + raw(2) + raw(address_bytes) + raw(4) + 3 + raw(4) + 1 + raw(8) + raw(name)
}

/// Bytes of a name or text within an array.
pub(crate) const fn text(length: usize) -> usize {
    raw(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that Serf sends for such an event, put together by hand: 03 84 a2 "CC" c2 a5 "LTime" 2a a4 "Name" a6 "deploy" a7 "Payload" a3 .. .. ..
    #[test]
    fn a_user_event_is_as_long_as_serf_makes_it() {
        let bytes = 1 + 1 + (1 + 2 + 1) + (1 + 5 + 1) + (1 + 4 + 1 + 6) + (1 + 7 + 1 + 3);
        assert_eq!(user_event(42, 6, 3), bytes);
        assert_eq!(user_event(200, 6, 3), bytes + 1);
        assert_eq!(user_event(42, 6, 300), bytes - 4 + 303);
    }
}
