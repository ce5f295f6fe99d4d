//! The datagram socket: batches in, single datagrams out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rumormill_core::id::canonical;
use tokio::net::UdpSocket;

use super::traffic::{TrafficCounters, add};

/// Larger than any datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;

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
    /// IPv4 addresses go out mapped.
    v6: bool,
    traffic: Arc<TrafficCounters>,
}

/// Both sides of a socket, once it can send.
pub(crate) async fn split(socket: UdpSocket, traffic: Arc<TrafficCounters>) -> io::Result<(UdpIn, UdpOut)> {
    let v6 = socket.local_addr()?.is_ipv6();
    // Until the runtime has looked at it once, everything would be refused.
    socket.writable().await?;
    let socket = Arc::new(socket);
    let buffer = vec![0; DATAGRAM_BYTES_MAX].into();
    Ok((UdpIn { socket: socket.clone(), buffer, traffic: traffic.clone() }, UdpOut { socket, v6, traffic }))
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
    pub(crate) fn send(&self, to: SocketAddr, bytes: &[u8]) {
        match self.socket.try_send_to(bytes, self.as_bound(to)) {
            Ok(length) => {
                add(&self.traffic.datagrams_out, 1);
                add(&self.traffic.datagram_bytes_out, length);
            }
            Err(_) => add(&self.traffic.packets_lost, 1),
        }
    }

    /// An address in the family of the socket.
    fn as_bound(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(v4) if self.v6 => SocketAddr::new(v4.to_ipv6_mapped().into(), to.port()),
            _ => to,
        }
    }
}
