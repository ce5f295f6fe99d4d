//! The datagram socket: batches in, single datagrams out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rumormill_core::id::canonical;
use tokio::net::UdpSocket;
use tracing::warn;

use super::traffic::{TrafficCounters, add};
use crate::throttle::Throttle;

/// Larger than any datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// Time between two lines about members to which this socket cannot send.
const BETWEEN_REPORTS: Duration = Duration::from_secs(60);

/// The receiving side of a node's datagram socket, with the one buffer that everything is received into.
#[derive(Debug)]
pub(crate) struct UdpIn {
    socket: Arc<UdpSocket>,
    buffer: Box<[u8]>,
    traffic: Arc<TrafficCounters>,
}

/// The sending side.
#[derive(Debug)]
pub(crate) struct UdpOut {
    socket: Arc<UdpSocket>,
    bound: SocketAddr,
    traffic: Arc<TrafficCounters>,
    reports: Throttle,
}

/// Both sides of a socket, once it can send.
pub(crate) async fn split(socket: UdpSocket, traffic: Arc<TrafficCounters>) -> io::Result<(UdpIn, UdpOut)> {
    let bound = socket.local_addr()?;
    // Until the runtime has looked at it once, everything would be refused.
    socket.writable().await?;
    let socket = Arc::new(socket);
    let buffer = vec![0; DATAGRAM_BYTES_MAX].into();
    let reports = Throttle::new(BETWEEN_REPORTS);
    let out = UdpOut { socket: socket.clone(), bound, traffic: traffic.clone(), reports };
    Ok((UdpIn { socket, buffer, traffic }, out))
}

impl UdpIn {
    /// Waits until there is something to receive.
    pub(crate) async fn readable(&self) {
        // An error shows again when it is received.
        let _ = self.socket.readable().await;
    }

    /// The next datagram, if one waits. Errors that peers cause (an ICMP message to an earlier datagram) are passed over.
    pub(crate) fn receive(&mut self) -> Option<(SocketAddr, &[u8])> {
        for _ in 0..16 {
            match self.socket.try_recv_from(&mut self.buffer) {
                Ok((length, from)) => {
                    add(&self.traffic.datagrams_in, 1);
                    add(&self.traffic.datagram_bytes_in, length);
                    return Some((canonical(from), &self.buffer[..length]));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => {}
            }
        }
        None
    }
}

impl UdpOut {
    /// Sends a datagram; one that cannot be sent is lost, and counted.
    pub(crate) fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        match self.socket.try_send_to(bytes, as_bound(self.bound, to)) {
            Ok(length) => {
                add(&self.traffic.datagrams_out, 1);
                add(&self.traffic.datagram_bytes_out, length);
            }
            Err(_) => {
                add(&self.traffic.packets_lost, 1);
                if !speaks_to(self.bound, to) && self.reports.pass(Instant::now()).is_some() {
                    warn!(
                        "memberlist: {to} gets no datagrams from here, only streams: this node is bound to {}, and so sends to {} \
                         alone; bind [::] to send to both",
                        self.bound,
                        if self.bound.is_ipv4() { "IPv4" } else { "IPv6" },
                    );
                }
            }
        }
    }
}

/// Whether a socket that is bound there sends to the family of this address: one bound to `[::]` sends to both.
fn speaks_to(bound: SocketAddr, to: SocketAddr) -> bool {
    bound.is_ipv4() == to.is_ipv4() || bound.is_ipv6() && bound.ip().is_unspecified()
}

/// An address in the family of a socket that is bound there: IPv4 addresses go out mapped.
fn as_bound(bound: SocketAddr, to: SocketAddr) -> SocketAddr {
    match to.ip() {
        IpAddr::V4(v4) if bound.is_ipv6() => SocketAddr::new(v4.to_ipv6_mapped().into(), to.port()),
        _ => to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_bound_to_all_of_ipv6_sends_to_both_families() {
        let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let (v4, v6) = (at("192.0.2.1:1"), at("[2001:db8::1]:1"));
        for (bound, to_v4, to_v6) in [
            ("0.0.0.0:7946", true, false),
            ("10.0.0.1:7946", true, false),
            ("[::]:7946", true, true),
            ("[fd00::1]:7946", false, true),
        ] {
            assert_eq!((speaks_to(at(bound), v4), speaks_to(at(bound), v6)), (to_v4, to_v6), "{bound}");
        }
        assert_eq!(as_bound(at("[::]:7946"), v4), at("[::ffff:192.0.2.1]:1"));
        assert_eq!(as_bound(at("0.0.0.0:7946"), v4), v4);
    }
}
