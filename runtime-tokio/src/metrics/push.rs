//! Sending figures, every ten seconds: to statsd by UDP, to statsite by TCP.
//!
//! What could not be sent is not kept: counters say the next time how much they have grown since they were last sent, so that nothing of
//! them is lost and nothing piles up.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::serf::{Lines, pack};
use super::{Readings, Sources};
use crate::throttle::Throttle;

/// How often figures are sent (Serf's interval).
pub const INTERVAL: Duration = Duration::from_secs(10);
/// Bytes of a datagram at most (go-metrics' bound).
const DATAGRAM_BYTES_MAX: usize = 1400;
/// How long looking up, connecting, or writing may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an error that stays is said again.
const SAID_EVERY: Duration = Duration::from_secs(600);

/// Where figures are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// `host:port` that takes statsd's lines by UDP.
    Statsd(String),
    /// `host:port` that takes them by TCP.
    Statsite(String),
}

impl Sink {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Statsd(_) => "statsd",
            Self::Statsite(_) => "statsite",
        }
    }

    fn address(&self) -> &str {
        match self {
            Self::Statsd(address) | Self::Statsite(address) => address,
        }
    }
}

/// The open way to a sink.
#[derive(Debug)]
enum Way {
    Closed,
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// Sends figures until the agent has stopped: [`INTERVAL`] is Serf's period. A name is looked up again after each error.
pub async fn run(sink: Sink, sources: Sources, period: Duration) {
    let mut pusher = Pusher::new(sink);
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = sources.agent().clone();
    let stopped = stopped.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        // An error means that the agent has stopped.
        let Ok(now) = sources.read().await else { return };
        pusher.push(now).await;
    }
}

#[derive(Debug)]
struct Pusher {
    sink: Sink,
    way: Way,
    host: String,
    /// What was sent last.
    sent: Option<Readings>,
    errors: Throttle,
    failing: bool,
}

impl Pusher {
    fn new(sink: Sink) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { sink, way: Way::Closed, host, sent: None, errors: Throttle::new(SAID_EVERY), failing: false }
    }

    async fn push(&mut self, now: Readings) {
        let lines = Lines::new(&self.host).between(self.sent.as_ref(), &now);
        match self.send(&lines).await {
            Ok(()) => {
                self.sent = Some(now);
                if std::mem::take(&mut self.failing) {
                    info!("agent: metrics reach {} {} again", self.sink.kind(), self.sink.address());
                }
            }
            Err(error) => {
                self.way = Way::Closed;
                self.failing = true;
                if self.errors.pass(Instant::now()).is_some() {
                    let (kind, address) = (self.sink.kind(), self.sink.address());
                    warn!("agent: metrics cannot be sent to {kind} {address}, and are tried again: {error}");
                }
            }
        }
    }

    async fn send(&mut self, lines: &[String]) -> io::Result<()> {
        // The other end of a connection may have gone since.
        let gone = matches!(&self.way, Way::Tcp(stream) if has_ended(stream));
        if gone || matches!(self.way, Way::Closed) {
            self.way = Way::Closed;
            self.way = within(open(&self.sink)).await?;
        }
        match &mut self.way {
            Way::Closed => Ok(()),
            Way::Udp(socket) => {
                for packet in pack(lines, DATAGRAM_BYTES_MAX) {
                    within(socket.send(packet.as_bytes())).await?;
                }
                Ok(())
            }
            Way::Tcp(stream) => within(stream.write_all(lines.concat().as_bytes())).await,
        }
    }
}

async fn open(sink: &Sink) -> io::Result<Way> {
    let mut found = lookup_host(sink.address()).await?;
    let first =
        found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))?;
    match sink {
        Sink::Statsd(_) => {
            let any: SocketAddr = match first {
                SocketAddr::V4(_) => ([0; 4], 0).into(),
                SocketAddr::V6(_) => ([0u16; 8], 0).into(),
            };
            let socket = UdpSocket::bind(any).await?;
            socket.connect(first).await?;
            Ok(Way::Udp(socket))
        }
        Sink::Statsite(_) => {
            let addresses: Vec<SocketAddr> = [first].into_iter().chain(found).collect();
            Ok(Way::Tcp(TcpStream::connect(addresses.as_slice()).await?))
        }
    }
}

/// Whether the other end has closed a connection; what it says is read and forgotten, a bounded part of it.
fn has_ended(stream: &TcpStream) -> bool {
    let mut piece = [0; 256];
    for _ in 0..16 {
        match stream.try_read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
    false
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::agent::Stats;

    /// What was read when so many user events had been delivered.
    fn readings(events: u64) -> Readings {
        let mut stats = Stats::default();
        stats.counters.events_delivered = events;
        Readings { stats, handlers: None, rpc: None, started: SystemTime::now() }
    }

    /// What comes over the next connection until a line says how many events there were.
    async fn events(listener: &TcpListener) -> (TcpStream, String) {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (mut text, mut piece) = (String::new(), [0; 4096]);
        loop {
            let length = socket.read(&mut piece).await.unwrap();
            text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
            let line = text.lines().find_map(|line| line.strip_prefix("serf-agent.serf.events:"));
            if let Some(line) = line.filter(|line| line.ends_with("|c")) {
                return (socket, line.into());
            }
            assert!(length > 0, "the connection ended: {text}");
        }
    }

    #[tokio::test]
    async fn counters_catch_up_with_what_could_not_be_sent() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let mut pusher = Pusher::new(Sink::Statsite(addr.to_string()));
        pusher.push(readings(1)).await;
        assert!(pusher.failing);
        let listener = TcpListener::bind(addr).await.unwrap();
        pusher.push(readings(3)).await;
        assert!(!pusher.failing);
        let (socket, line) = events(&listener).await;
        assert_eq!(line, "3.000000|c");
        // The other end goes, and comes back.
        drop((socket, listener));
        while !matches!(&pusher.way, Way::Tcp(stream) if has_ended(stream)) {
            tokio::task::yield_now().await;
        }
        pusher.push(readings(4)).await;
        assert!(pusher.failing);
        let listener = TcpListener::bind(addr).await.unwrap();
        pusher.push(readings(8)).await;
        assert_eq!(events(&listener).await.1, "5.000000|c");
    }

    #[tokio::test]
    async fn no_datagram_is_longer_than_go_metrics_are() {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let mut pusher = Pusher::new(Sink::Statsd(socket.local_addr().unwrap().to_string()));
        pusher.host = "h".repeat(400);
        pusher.push(readings(7)).await;
        assert!(!pusher.failing);
        let (mut text, mut datagrams, mut buffer) = (String::new(), 0, [0; 65_536]);
        while !text.contains("serf.queue.Query:") {
            let length = socket.recv(&mut buffer).await.unwrap();
            assert!(length <= 1400, "{length}");
            text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            datagrams += 1;
        }
        assert!(datagrams > 1 && text.contains("serf-agent.serf.events:7.000000|c\n"), "{text}");
    }
}
