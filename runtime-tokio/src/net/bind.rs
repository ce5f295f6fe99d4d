//! Opening the two sockets of a node: UDP and TCP, on one port.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use crate::agent::Error;

/// What a UDP socket's buffers should hold: a burst of a large cluster. The system may give less.
const BUFFER_BYTES: usize = 2 << 20;
/// Ports tried where any will do.
const ATTEMPTS: usize = 32;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A node's sockets.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    /// Where they are bound, with the port that was found.
    pub(crate) addr: SocketAddr,
}

/// Binds both sockets; port 0 stands for one that is free for both. `[::]` takes IPv4 too.
pub(crate) fn bind(addr: SocketAddr) -> Result<Bound, Error> {
    let mut left = if addr.port() == 0 { ATTEMPTS } else { 1 };
    loop {
        left -= 1;
        let tcp = tcp(addr).map_err(|error| failed("TCP", addr, error))?;
        let bound = tcp.local_addr().map_err(|error| failed("TCP", addr, error))?;
        match udp(bound) {
            Ok(udp) => return Ok(Bound { udp, tcp, addr: bound }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && left > 0 => {}
            Err(error) => return Err(failed("UDP", bound, error)),
        }
    }
}

fn failed(what: &str, addr: SocketAddr, source: io::Error) -> Error {
    let hint = match source.kind() {
        io::ErrorKind::AddrInUse => " (does another agent run there?)",
        io::ErrorKind::AddrNotAvailable => " (no interface has that address)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges)",
        _ => "",
    };
    Error::Io { what: format!("binding {what} {addr}{hint}"), source }
}

fn socket(addr: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), kind, Some(protocol))?;
    if addr.is_ipv6() {
        socket.set_only_v6(!addr.ip().is_unspecified())?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn tcp(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(addr, Type::STREAM, Protocol::TCP)?;
    // A restarted agent gets its port although connections of its former life linger.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(addr, Type::DGRAM, Protocol::UDP)?;
    ask_for(|bytes| socket.set_recv_buffer_size(bytes));
    ask_for(|bytes| socket.set_send_buffer_size(bytes));
    socket.bind(&addr.into())?;
    UdpSocket::from_std(socket.into())
}

/// Asks for a buffer, and for half as much for as long as the system refuses.
fn ask_for(set: impl Fn(usize) -> io::Result<()>) {
    let mut bytes = BUFFER_BYTES;
    while bytes >= 1 << 16 && set(bytes).is_err() {
        bytes /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_of_zero_becomes_one_port_for_both() {
        for at in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let bound = bind(at.parse().unwrap()).unwrap();
            assert_ne!(bound.addr.port(), 0);
            assert_eq!(bound.udp.local_addr().unwrap().port(), bound.tcp.local_addr().unwrap().port());
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_refused_with_its_address() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(first.addr).unwrap_err().to_string();
        assert!(error.contains(&first.addr.to_string()) && error.contains("another agent"), "{error}");
        let (addr, tcp) = (first.addr, first.tcp);
        drop(first.udp);
        drop(tcp);
        // The address is free again at once.
        assert_eq!(bind(addr).unwrap().addr, addr);
    }

    #[tokio::test]
    async fn an_address_that_no_interface_has_is_refused() {
        let error = bind("192.0.2.1:0".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("192.0.2.1:0") && error.contains("no interface"), "{error}");
    }
}
