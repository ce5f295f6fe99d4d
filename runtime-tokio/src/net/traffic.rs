//! Figures of the sockets.

use std::sync::atomic::{AtomicU64, Ordering};

/// What went through a node's sockets since its start, and what was lost there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Their bytes.
    pub datagram_bytes_in: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Their bytes.
    pub datagram_bytes_out: u64,
    /// Packets that could not be sent: no route, a full buffer.
    pub packets_lost: u64,
    /// Packets received over TCP.
    pub tcp_packets_in: u64,
    /// Their bytes.
    pub tcp_packet_bytes_in: u64,
    /// Packets sent over TCP.
    pub tcp_packets_out: u64,
    /// Their bytes.
    pub tcp_packet_bytes_out: u64,
    /// Bytes received on streams: exchanges of tables, and probes where UDP fails.
    pub stream_bytes_in: u64,
    /// Bytes sent on streams.
    pub stream_bytes_out: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused, because as many as there may be were open.
    pub refused: u64,
    /// Connections ended because they were not of this protocol, or silent while others waited.
    pub garbage: u64,
    /// Connections opened.
    pub opened: u64,
    /// Streams ended because their peers did not read what waited for them.
    pub slow: u64,
    /// Events that a subscriber, and answers that an asker, was too slow to take.
    pub missed: u64,
}

/// The same, as it is counted.
#[derive(Debug, Default)]
pub(crate) struct TrafficCounters {
    pub(crate) datagrams_in: AtomicU64,
    pub(crate) datagram_bytes_in: AtomicU64,
    pub(crate) datagrams_out: AtomicU64,
    pub(crate) datagram_bytes_out: AtomicU64,
    pub(crate) packets_lost: AtomicU64,
    pub(crate) tcp_packets_in: AtomicU64,
    pub(crate) tcp_packet_bytes_in: AtomicU64,
    pub(crate) tcp_packets_out: AtomicU64,
    pub(crate) tcp_packet_bytes_out: AtomicU64,
    pub(crate) stream_bytes_in: AtomicU64,
    pub(crate) stream_bytes_out: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) garbage: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) slow: AtomicU64,
    pub(crate) missed: AtomicU64,
}

/// Adds to a figure.
pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

impl TrafficCounters {
    pub(crate) fn read(&self) -> Traffic {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            datagrams_in: of(&self.datagrams_in),
            datagram_bytes_in: of(&self.datagram_bytes_in),
            datagrams_out: of(&self.datagrams_out),
            datagram_bytes_out: of(&self.datagram_bytes_out),
            packets_lost: of(&self.packets_lost),
            tcp_packets_in: of(&self.tcp_packets_in),
            tcp_packet_bytes_in: of(&self.tcp_packet_bytes_in),
            tcp_packets_out: of(&self.tcp_packets_out),
            tcp_packet_bytes_out: of(&self.tcp_packet_bytes_out),
            stream_bytes_in: of(&self.stream_bytes_in),
            stream_bytes_out: of(&self.stream_bytes_out),
            accepted: of(&self.accepted),
            refused: of(&self.refused),
            garbage: of(&self.garbage),
            opened: of(&self.opened),
            slow: of(&self.slow),
            missed: of(&self.missed),
        }
    }
}
