//! How long a message would be in Serf's encoding (msgpack maps): its limits are counted so, whatever the wire in use.

use core::net::SocketAddr;

use crate::time::nanos;
use crate::wire::{Filter, Query};

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

/// Bytes of an IP address.
const fn ip(addr: SocketAddr) -> usize {
    raw(if addr.is_ipv4() { 4 } else { 16 })
}

/// The head of an array.
const fn array(length: usize) -> usize {
    match length {
        0..16 => 1,
        16..0x1_0000 => 3,
        _ => 5,
    }
}

/// Bytes of a query: type, map of Addr, Filters, Flags, ID, LTime, Name, Payload, Port, RelayFactor, SourceNode, Timeout.
pub(crate) fn query(query: &Query<'_>) -> usize {
    let keys = [4, 7, 5, 2, 5, 4, 7, 4, 11, 10, 7].map(raw).iter().sum::<usize>();
    // Each filter is a byte string: its type, then an array of names, or a map of Expr and Tag.
    let (mut count, mut filters) = (0, 0);
    for filter in query.filters.iter() {
        let bytes = match filter {
            Filter::Nodes(names) => {
                let (length, bytes) =
                    names.iter().fold((0, 0), |(n, bytes), name| (n + 1, bytes + raw(name.len())));
                1 + array(length) + bytes
            }
            Filter::Tag { tag, expression } => 2 + raw(4) + raw(expression.len()) + raw(3) + raw(tag.len()),
        };
        (count, filters) = (count + 1, filters + raw(bytes));
    }
    let (flags, relay_factor) = (1, unsigned(query.relay_factor.into()));
    let values = ip(query.addr)
        + array(count)
        + filters
        + flags
        + unsigned(query.id.into())
        + unsigned(query.ltime.0)
        + raw(query.name.len())
        + raw(query.payload.len())
        + unsigned(query.addr.port().into())
        + relay_factor
        + raw(query.from.len())
        + signed(nanos(query.timeout));
    2 + keys + values
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
pub(crate) const fn relay_header(to: SocketAddr, name: usize) -> usize {
    let dest_addr = raw(8) + 1 + raw(2) + ip(to) + raw(4) + signed(to.port() as u64) + raw(4) + raw(0);
    2 + dest_addr + raw(8) + raw(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{LamportTime, NodeName};
    use crate::wire::{FilterList, Filters};
    use core::time::Duration;

    /// The bytes that Serf sends for such an event, put together by hand: 03 84 a2 "CC" c2 a5 "LTime" 2a a4 "Name" a6 "deploy" a7 "Payload" a3 .. .. ..
    #[test]
    fn a_user_event_is_as_long_as_serf_makes_it() {
        let bytes = 1 + 1 + (1 + 2 + 1) + (1 + 5 + 1) + (1 + 4 + 1 + 6) + (1 + 7 + 1 + 3);
        assert_eq!(user_event(42, 6, 3), bytes);
        assert_eq!(user_event(200, 6, 3), bytes + 1);
        assert_eq!(user_event(42, 6, 300), bytes - 4 + 303);
    }

    /// The reference's golden strings, without the byte that marks a user message: 142 bytes of query; 35 of ack, 38 of
    /// answer; and a relay's header.
    #[test]
    fn queries_answers_and_relays_are_as_long_as_serf_makes_them() {
        let mut filters = FilterList::new();
        filters.nodes(&["a", "b"].map(|name| NodeName::new(name).unwrap()));
        filters.tag("role", "^web");
        let addr = ([10, 0, 0, 1], 7946).into();
        let asked = Query {
            ltime: LamportTime(1),
            id: 123_456_789,
            from: "a",
            addr,
            ack: true,
            relay_factor: 0,
            timeout: Duration::from_millis(3200),
            filters: Filters::of(&filters),
            name: "load",
            payload: &[],
        };
        assert_eq!(query(&asked), 142);
        let ack = 2 + (1 + 5) + 1 + (1 + 4) + 2 + (1 + 2) + 5 + (1 + 5) + 1 + (1 + 7) + 1;
        assert_eq!((response(1, 123_456_789, 1, 0), response(1, 123_456_789, 1, 3)), (ack, ack + 3));
        let header = 2 + 9 + 1 + (1 + 2) + 5 + (1 + 4) + 3 + (1 + 4) + 1 + 9 + 2;
        assert_eq!(relay_header(addr, 1), header);
    }
}
