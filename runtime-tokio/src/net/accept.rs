//! The listening socket: who may come in, and what kind of connection it is.
//!
//! The first byte tells: a frame's magic begins a stream of the core, [`link::MAGIC`] a connection that carries packets, and
//! anything else ends it. The core hears of a stream with its first whole frame, so that connections which say
//! nothing cost it nothing; when as many are open as may be, the oldest of those makes room.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rumormill_core::id::canonical;
use rumormill_core::io::StreamId;
use rumormill_core::wire::StreamDecoder;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use super::link::{self, FromLink};
use super::stream::{self, Away};
use super::traffic::add;

/// How long the acceptor rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(100);
/// Bytes of a first frame that are read at once.
const PIECE_BYTES: usize = 4096;

/// How many connections may be open that peers opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) streams: usize,
    pub(crate) links: usize,
}

/// The task that accepts.
#[derive(Debug)]
pub(crate) struct Acceptor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Acceptor {
    pub(crate) fn start(
        listener: TcpListener,
        away: Away,
        links: mpsc::Sender<FromLink>,
        limits: Limits,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let door = Door {
            streams: Arc::new(Semaphore::new(limits.streams)),
            silent: VecDeque::new(),
            tasks: JoinSet::new(),
            guest: Guest {
                away,
                to_driver: links,
                links: Arc::new(Semaphore::new(limits.links)),
                minted: Arc::new(AtomicU32::new(0)),
            },
            limits,
        };
        Self { stop, task: tokio::spawn(door.run(listener, stopped)) }
    }

    /// Ends it and all that it accepted; the listening socket is closed afterwards.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// A connection that has not said anything whole yet.
struct Silent {
    spoke: Arc<AtomicBool>,
    task: AbortHandle,
}

struct Door {
    streams: Arc<Semaphore>,
    /// The oldest first.
    silent: VecDeque<Silent>,
    tasks: JoinSet<()>,
    guest: Guest,
    limits: Limits,
}

impl Door {
    async fn run(mut self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        loop {
            let accepted = tokio::select! {
                _ = &mut stopped => break,
                Some(_) = self.tasks.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, canonical(peer)).await,
                Err(error) => {
                    tracing::debug!("agent: accepting a connection: {error}");
                    // A connection that broke while it waited is no reason to rest, but the kinds are not told apart reliably.
                    if timeout(REST, &mut stopped).await.is_ok() {
                        break;
                    }
                }
            }
        }
        drop(listener);
        self.tasks.shutdown().await;
    }

    async fn admit(&mut self, socket: TcpStream, peer: SocketAddr) {
        let Some(permit) = self.permit().await else {
            add(&self.guest.away.traffic.refused, 1);
            return;
        };
        add(&self.guest.away.traffic.accepted, 1);
        let _ = socket.set_nodelay(true);
        let spoke = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(self.guest.clone().receive(socket, peer, permit, spoke.clone()));
        self.silent.push_back(Silent { spoke, task });
        if self.silent.len() > 2 * self.limits.streams {
            self.silent.retain(|one| !one.spoke.load(Ordering::Relaxed) && !one.task.is_finished());
        }
    }

    /// Room for one more, if need be that of the oldest connection that has said nothing.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.streams.clone().try_acquire_owned() {
            return Some(permit);
        }
        while let Some(oldest) = self.silent.pop_front() {
            if oldest.spoke.load(Ordering::Relaxed) || oldest.task.is_finished() {
                continue;
            }
            add(&self.guest.away.traffic.garbage, 1);
            oldest.task.abort();
            // It gives its room back when the runtime drops it, which takes no longer than a turn of it.
            return timeout(REST, self.streams.clone().acquire_owned()).await.ok()?.ok();
        }
        None
    }
}

/// What a connection that was let in needs.
#[derive(Clone)]
struct Guest {
    away: Away,
    to_driver: mpsc::Sender<FromLink>,
    links: Arc<Semaphore>,
    /// Numbers of streams that peers opened; none is used twice.
    minted: Arc<AtomicU32>,
}

/// What a connection turned out to be.
enum First {
    Stream(StreamDecoder, Box<[u8]>),
    Link,
    Garbage,
    Gone,
}

impl Guest {
    async fn receive(
        self,
        mut socket: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        spoke: Arc<AtomicBool>,
    ) {
        let deadline = Instant::now() + self.away.config.stream_timeout;
        let first = timeout_at(deadline, self.first(&mut socket)).await;
        spoke.store(true, Ordering::Relaxed);
        match first {
            Ok(First::Stream(decoder, frame)) => {
                let Some(number) = self.mint() else { return };
                let id = StreamId::Theirs(number);
                stream::serve(id, peer, socket, (decoder, frame), deadline, &self.away).await;
            }
            Ok(First::Link) => {
                drop(permit);
                match self.links.try_acquire_owned() {
                    Ok(_permit) => link::serve(socket, peer, self.to_driver, &self.away.traffic).await,
                    Err(_) => add(&self.away.traffic.refused, 1),
                }
            }
            Ok(First::Garbage) => add(&self.away.traffic.garbage, 1),
            Ok(First::Gone) | Err(_) => {}
        }
    }

    /// After four billion streams no number is left, and nobody is let in any more.
    fn mint(&self) -> Option<u32> {
        self.minted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1)).ok()
    }

    async fn first(&self, socket: &mut TcpStream) -> First {
        let mut magic = [0];
        match socket.read(&mut magic).await {
            Ok(1) if magic[0] == link::MAGIC => return First::Link,
            Ok(1) => {}
            _ => return First::Gone,
        }
        let mut decoder = StreamDecoder::new(&self.away.config);
        decoder.push(&magic);
        let mut piece = [0; PIECE_BYTES];
        loop {
            match decoder.next_frame() {
                Some(Ok(frame)) => {
                    let frame = frame.into();
                    return First::Stream(decoder, frame);
                }
                Some(Err(_)) => return First::Garbage,
                None => {}
            }
            match socket.read(&mut piece).await {
                Ok(length) if length > 0 => {
                    add(&self.away.traffic.stream_bytes_in, length);
                    decoder.push(&piece[..length]);
                }
                _ => return First::Gone,
            }
        }
    }
}
