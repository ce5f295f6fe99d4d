//! Packets over TCP, for networks that drop UDP.
//!
//! ```text
//! link:   0xD9, version (1), packet*
//! packet: length (u16, little-endian, not 0), the bytes that a datagram would have had
//! ```
//!
//! A frame of a stream begins with 0xD8 and Serf's messages with 0 to 13 or 244, so all can share a port. A link carries packets both ways:
//! an ack goes back on the connection that its ping came on, whose other end is no address to dial. A node keeps few
//! links and closes those that nobody used for half a minute. As with UDP, what does not fit into a link's queue is lost.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::traffic::{TrafficCounters, add};

/// First byte of a link.
pub(super) const MAGIC: u8 = 0xD9;
const VERSION: u8 = 1;
/// How long a link that is not used stays.
const IDLE: Duration = Duration::from_secs(30);
/// How long connecting, and one write, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Packets that wait for one link.
const QUEUE: usize = 64;
/// Links that this node opened, at once.
const OPENED_MAX: usize = 64;
/// Tasks of such links, those that are on their way out included.
const TASKS_MAX: usize = 4 * OPENED_MAX;
/// Links that peers opened, at once.
pub(crate) const ACCEPTED_MAX: usize = 256;
/// Bytes written at once.
const BATCH_BYTES: usize = 16 << 10;
/// Packets of all links that wait for the driver.
pub(crate) const PACKETS_WAITING: usize = 64;

/// What links tell the driver.
#[derive(Debug)]
pub(crate) enum FromLink {
    /// A peer opened one.
    Opened { peer: SocketAddr, queue: mpsc::Sender<Box<[u8]>> },
    /// A packet came.
    Packet { from: SocketAddr, bytes: Box<[u8]> },
}

#[derive(Debug)]
struct Link {
    queue: mpsc::Sender<Box<[u8]>>,
    used: Instant,
    /// A peer opened it.
    accepted: bool,
}

/// The links of a node, as its driver holds them.
#[derive(Debug)]
pub(crate) struct Links {
    links: HashMap<SocketAddr, Link>,
    tasks: JoinSet<()>,
    driver: mpsc::Sender<FromLink>,
    traffic: Arc<TrafficCounters>,
}

impl Links {
    pub(crate) fn new(driver: mpsc::Sender<FromLink>, traffic: Arc<TrafficCounters>) -> Self {
        Self { links: HashMap::new(), tasks: JoinSet::new(), driver, traffic }
    }

    /// Whether packets to this address go over a link that is there.
    pub(crate) fn leads_to(&self, to: SocketAddr) -> bool {
        !self.links.is_empty() && self.links.get(&to).is_some_and(|link| !link.queue.is_closed())
    }

    /// Sends a packet over the link to this address, which is opened if need be.
    pub(crate) fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        if !self.leads_to(to) && !self.open(to) {
            return add(&self.traffic.packets_lost, 1);
        }
        let Some(link) = self.links.get_mut(&to) else { return };
        link.used = Instant::now();
        match link.queue.try_send(bytes.into()) {
            Ok(()) => {
                add(&self.traffic.tcp_packets_out, 1);
                add(&self.traffic.tcp_packet_bytes_out, bytes.len());
            }
            Err(_) => add(&self.traffic.packets_lost, 1),
        }
    }

    /// A peer has opened a link.
    pub(crate) fn accepted(&mut self, peer: SocketAddr, queue: mpsc::Sender<Box<[u8]>>) {
        self.make_room(true, ACCEPTED_MAX);
        self.links.insert(peer, Link { queue, used: Instant::now(), accepted: true });
    }

    /// A packet came over the link to this address.
    pub(crate) fn heard(&mut self, from: SocketAddr) {
        if let Some(link) = self.links.get_mut(&from) {
            link.used = Instant::now();
        }
    }

    fn open(&mut self, to: SocketAddr) -> bool {
        while self.tasks.try_join_next().is_some() {}
        if self.tasks.len() >= TASKS_MAX {
            return false;
        }
        self.make_room(false, OPENED_MAX);
        let (queue, packets) = mpsc::channel(QUEUE);
        self.tasks.spawn(dial(to, packets, self.driver.clone(), self.traffic.clone()));
        self.links.insert(to, Link { queue, used: Instant::now(), accepted: false });
        true
    }

    /// Forgets those that have ended and, if there are as many as there may be, the one that was used longest ago.
    fn make_room(&mut self, accepted: bool, max: usize) {
        self.links.retain(|_, link| !link.queue.is_closed());
        let of_kind = || self.links.iter().filter(|(_, link)| link.accepted == accepted);
        if of_kind().count() >= max {
            let oldest = of_kind().min_by_key(|(_, link)| link.used).map(|(addr, _)| *addr);
            oldest.and_then(|addr| self.links.remove(&addr));
        }
    }

    /// Ends all of them.
    pub(crate) async fn stop(mut self) {
        self.links.clear();
        self.tasks.shutdown().await;
    }
}

async fn dial(
    to: SocketAddr,
    packets: mpsc::Receiver<Box<[u8]>>,
    driver: mpsc::Sender<FromLink>,
    traffic: Arc<TrafficCounters>,
) {
    let Ok(Ok(mut socket)) = timeout(PATIENCE, TcpStream::connect(to)).await else { return };
    let _ = socket.set_nodelay(true);
    add(&traffic.opened, 1);
    let (reader, mut writer) = socket.split();
    if !matches!(timeout(PATIENCE, writer.write_all(&[MAGIC, VERSION])).await, Ok(Ok(()))) {
        return;
    }
    tokio::select! {
        _ = read(BufReader::new(reader), to, &driver, &traffic, Duration::MAX) => {}
        _ = write(writer, packets, IDLE) => {}
    }
}

/// Runs a link that a peer opened, its magic taken.
pub(super) async fn serve(
    mut socket: TcpStream,
    peer: SocketAddr,
    driver: mpsc::Sender<FromLink>,
    traffic: &TrafficCounters,
) {
    let (reader, writer) = socket.split();
    let mut reader = BufReader::new(reader);
    if !matches!(timeout(PATIENCE, reader.read_u8()).await, Ok(Ok(VERSION))) {
        return add(&traffic.garbage, 1);
    }
    let (queue, packets) = mpsc::channel(QUEUE);
    if driver.send(FromLink::Opened { peer, queue }).await.is_err() {
        return;
    }
    // The side that opened it ends it when it is idle; one that forgets to is helped.
    tokio::select! {
        _ = read(reader, peer, &driver, traffic, 2 * IDLE) => {}
        _ = write(writer, packets, Duration::MAX) => {}
    }
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    from: SocketAddr,
    driver: &mpsc::Sender<FromLink>,
    traffic: &TrafficCounters,
    idle: Duration,
) -> io::Result<()> {
    loop {
        let length = within(idle, reader.read_u16_le()).await?;
        if length == 0 {
            add(&traffic.garbage, 1);
            return Ok(());
        }
        let mut bytes = vec![0; length.into()].into_boxed_slice();
        within(PATIENCE, reader.read_exact(&mut bytes)).await?;
        add(&traffic.tcp_packets_in, 1);
        add(&traffic.tcp_packet_bytes_in, bytes.len());
        if driver.send(FromLink::Packet { from, bytes }).await.is_err() {
            return Ok(());
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut packets: mpsc::Receiver<Box<[u8]>>,
    idle: Duration,
) -> io::Result<()> {
    let mut batch = Vec::new();
    while let Some(packet) = within(idle, async { Ok(packets.recv().await) }).await? {
        batch.clear();
        put(&mut batch, &packet);
        while batch.len() < BATCH_BYTES {
            let Ok(packet) = packets.try_recv() else { break };
            put(&mut batch, &packet);
        }
        within(PATIENCE, writer.write_all(&batch)).await?;
    }
    Ok(())
}

/// Packets are at most as long as a datagram can be; a longer one would not be sent at all.
fn put(batch: &mut Vec<u8>, packet: &[u8]) {
    if let Ok(length) = u16::try_from(packet.len()) {
        batch.extend_from_slice(&length.to_le_bytes());
        batch.extend_from_slice(packet);
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    if patience == Duration::MAX {
        return work.await;
    }
    timeout(patience, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
