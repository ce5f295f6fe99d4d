//! Traffic, by node and by kind of message.

use std::collections::BTreeMap;

use rumormill_core::wire::{KINDS, Kind, Kinds};

use crate::record::KindLoad;

/// Headers of UDP and IPv4 on one datagram.
const DATAGRAM_HEADERS: u64 = 28;
/// Headers of TCP and IPv4 on one segment, options apart.
const SEGMENT_HEADERS: u64 = 40;
/// What a segment carries on an Ethernet.
const SEGMENT_BYTES: u64 = 1460;
/// Segments without data that open and close a connection.
const BARE_SEGMENTS: u64 = 6;

/// Traffic so far.
#[derive(Debug)]
pub struct Load {
    /// Bytes each node sent, metered time only.
    pub bytes: Vec<u64>,
    /// Datagrams each node sent, metered time only.
    pub packets: Vec<u64>,
    /// Datagrams that reached a process, metered time only.
    pub received: u64,
    /// Bytes of headers, metered time only.
    pub headers: u64,
    kinds: [KindLoad; KINDS],
    /// Datagram bytes since the last point of the series.
    pub point_packet_bytes: u64,
    /// Stream bytes since the last point of the series.
    pub point_stream_bytes: u64,
    /// Datagrams since the last point of the series.
    pub point_packets: u64,
}

impl Load {
    /// No traffic yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            bytes: vec![0; nodes],
            packets: vec![0; nodes],
            received: 0,
            headers: 0,
            kinds: [KindLoad::default(); KINDS],
            point_packet_bytes: 0,
            point_stream_bytes: 0,
            point_packets: 0,
        }
    }

    /// A node sent a datagram.
    #[inline]
    pub fn datagram(&mut self, node: u32, bytes: u64, kinds: &Kinds, metered: bool) {
        self.point_packets += 1;
        self.point_packet_bytes += bytes;
        if metered {
            self.packets[node as usize] += 1;
            self.headers += DATAGRAM_HEADERS;
            self.share(node, bytes, kinds);
        }
    }

    /// A node sent a stream frame.
    pub fn frame(&mut self, node: u32, bytes: u64, kinds: &Kinds, metered: bool) {
        self.point_stream_bytes += bytes;
        if metered {
            self.headers += bytes.div_ceil(SEGMENT_BYTES) * SEGMENT_HEADERS;
            self.share(node, bytes, kinds);
        }
    }

    /// A node opened a stream.
    pub const fn opened(&mut self, metered: bool) {
        if metered {
            self.headers += BARE_SEGMENTS * SEGMENT_HEADERS;
        }
    }

    #[inline]
    fn share(&mut self, node: u32, bytes: u64, kinds: &Kinds) {
        self.bytes[node as usize] += bytes;
        let messages: u64 = kinds.iter().map(|(_, n)| u64::from(n)).sum();
        for (kind, n) in kinds.iter() {
            let n = u64::from(n);
            let load = &mut self.kinds[kind as usize];
            load.messages += n;
            load.packets += 1;
            // Most packets are of one kind, and a division costs more than all else here.
            load.bytes += if n == messages { bytes } else { bytes * n / messages };
        }
    }

    /// Bytes of anti-entropy, full and delta, its user events included.
    #[must_use]
    pub fn anti_entropy(&self) -> u64 {
        Kind::ALL
            .iter()
            .filter(|kind| kind.is_for_streams())
            .map(|kind| self.kinds[*kind as usize].bytes)
            .sum()
    }

    /// Traffic by kind; kinds that were never sent are left out.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<String, KindLoad> {
        let sent = Kind::ALL.iter().map(|k| (k.name().to_owned(), self.kinds[*k as usize]));
        sent.filter(|(_, load)| load.messages > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_shared_out_over_its_messages_and_warm_up_is_left_out() {
        let mut load = Load::new(1);
        let mut kinds = Kinds::one(Kind::Ping);
        kinds.add(Kind::Suspect);
        kinds.add(Kind::Suspect);
        load.datagram(0, 90, &kinds, false);
        assert!(load.by_kind().is_empty());
        load.datagram(0, 90, &kinds, true);
        assert_eq!(load.by_kind()["suspect"], KindLoad { messages: 2, packets: 1, bytes: 60 });
        assert_eq!((load.bytes[0], load.packets[0], load.headers, load.point_packets), (90, 1, 28, 2));
    }
}
