//! One TCP stream of the core's: a small task that turns bytes into frames and frames into bytes.
//!
//! A task waits for the driver when it has a frame for it, and never the other way round: a peer that floods, is slow or falls
//! silent keeps its own task waiting, and nobody else.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rumormill_core::Config;
use rumormill_core::error::StreamFailure;
use rumormill_core::io::StreamId;
use rumormill_core::wire::StreamDecoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::traffic::{TrafficCounters, add};

/// Bytes read at once.
const PIECE_BYTES: usize = 16 << 10;
/// Frames of all streams that wait for the driver.
pub(crate) const FRAMES_WAITING: usize = 16;

/// What stream tasks tell the driver, in order per stream.
#[derive(Debug)]
pub(crate) enum FromStream {
    /// It is connected. `line` is there for one that a peer opened.
    Opened { id: StreamId, peer: SocketAddr, line: Option<Line> },
    /// A whole frame came.
    Frame { id: StreamId, bytes: Box<[u8]> },
    /// The peer sends nothing more.
    Closed { id: StreamId },
    /// It could not be opened, or broke.
    Failed { id: StreamId, failure: StreamFailure },
    /// Its task is over; the last that is said of it.
    Ended { id: StreamId },
}

impl FromStream {
    pub(crate) const fn id(&self) -> StreamId {
        match self {
            Self::Opened { id, .. }
            | Self::Frame { id, .. }
            | Self::Closed { id }
            | Self::Failed { id, .. }
            | Self::Ended { id } => *id,
        }
    }
}

/// The driver's end of a stream: frames go in; the stream ends when it is dropped, whatever has not been sent.
#[derive(Debug)]
pub(crate) struct Line {
    frames: mpsc::UnboundedSender<OutFrame>,
    _hold: oneshot::Sender<()>,
}

/// The stream's end of it.
#[derive(Debug)]
pub(crate) struct FarEnd {
    frames: mpsc::UnboundedReceiver<OutFrame>,
    dropped: oneshot::Receiver<()>,
}

/// A frame on its way out; counted in the weight of all that waits until it is gone. That weight is the bound: what the core
/// says at once, such as its whole table, has to be kept somewhere.
#[derive(Debug)]
pub(crate) struct OutFrame {
    bytes: Box<[u8]>,
    last: bool,
    weight: Arc<AtomicUsize>,
}

impl OutFrame {
    pub(crate) fn new(bytes: &[u8], last: bool, weight: &Arc<AtomicUsize>) -> Self {
        weight.fetch_add(bytes.len(), Ordering::Relaxed);
        Self { bytes: bytes.into(), last, weight: weight.clone() }
    }
}

impl Drop for OutFrame {
    fn drop(&mut self) {
        self.weight.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl Line {
    pub(crate) fn new() -> (Self, FarEnd) {
        let (frames, far_frames) = mpsc::unbounded_channel();
        let (hold, dropped) = oneshot::channel();
        (Self { frames, _hold: hold }, FarEnd { frames: far_frames, dropped })
    }

    /// Puts a frame on its way; one of a stream that has ended is dropped.
    pub(crate) fn send(&self, frame: OutFrame) {
        let _ = self.frames.send(frame);
    }
}

/// What every stream's task needs.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    pub(crate) config: Arc<Config>,
    pub(crate) driver: mpsc::Sender<FromStream>,
    pub(crate) traffic: Arc<TrafficCounters>,
}

/// Opens a stream: the driver's end, and the task to run.
pub(crate) fn open(
    id: StreamId,
    to: SocketAddr,
    deadline: Instant,
    away: &Away,
) -> (Line, impl Future<Output = ()> + Send + 'static) {
    let (line, far) = Line::new();
    let away = away.clone();
    let task = async move {
        let FarEnd { frames, dropped } = far;
        let work = async {
            let outcome = timeout_at(deadline, async {
                let socket = connect(to).await?;
                add(&away.traffic.opened, 1);
                tell(&away.driver, FromStream::Opened { id, peer: to, line: None }).await?;
                converse(id, socket, StreamDecoder::new(&away.config), frames, &away).await
            });
            end(id, outcome.await.unwrap_or(Err(StreamFailure::TimedOut)), &away.driver).await;
        };
        tokio::select! {
            () = work => {}
            _ = dropped => {}
        }
    };
    (line, task)
}

async fn connect(to: SocketAddr) -> Result<TcpStream, StreamFailure> {
    let socket = TcpStream::connect(to).await.map_err(|error| {
        tracing::debug!("agent: connecting to {to}: {error}");
        failure_of(&error)
    })?;
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// Runs a stream that a peer opened, from its first frame on.
pub(crate) async fn serve(
    id: StreamId,
    peer: SocketAddr,
    socket: TcpStream,
    (decoder, first): (StreamDecoder, Box<[u8]>),
    deadline: Instant,
    away: &Away,
) {
    let (line, FarEnd { frames, dropped }) = Line::new();
    let work = async {
        let outcome = timeout_at(deadline, async {
            tell(&away.driver, FromStream::Opened { id, peer, line: Some(line) }).await?;
            tell(&away.driver, FromStream::Frame { id, bytes: first }).await?;
            converse(id, socket, decoder, frames, away).await
        });
        end(id, outcome.await.unwrap_or(Err(StreamFailure::TimedOut)), &away.driver).await;
    };
    tokio::select! {
        () = work => {}
        _ = dropped => {}
    }
}

async fn end(id: StreamId, outcome: Result<(), StreamFailure>, driver: &mpsc::Sender<FromStream>) {
    if let Err(failure) = outcome {
        let _ = tell(driver, FromStream::Failed { id, failure }).await;
    }
    let _ = tell(driver, FromStream::Ended { id }).await;
}

/// The driver is gone only when the agent stops.
async fn tell(driver: &mpsc::Sender<FromStream>, what: FromStream) -> Result<(), StreamFailure> {
    driver.send(what).await.map_err(|_| StreamFailure::Lost)
}

async fn converse(
    id: StreamId,
    mut socket: TcpStream,
    decoder: StreamDecoder,
    frames: mpsc::UnboundedReceiver<OutFrame>,
    away: &Away,
) -> Result<(), StreamFailure> {
    let (reader, writer) = socket.split();
    tokio::try_join!(read(id, reader, decoder, away), write(writer, frames, &away.traffic)).map(|_| ())
}

async fn read(
    id: StreamId,
    mut reader: impl AsyncRead + Unpin,
    mut decoder: StreamDecoder,
    Away { driver, traffic, .. }: &Away,
) -> Result<(), StreamFailure> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        // What came with the first frame is taken before anything is waited for.
        while let Some(frame) = decoder.next_frame() {
            let bytes = frame.map_err(StreamFailure::Invalid)?.into();
            tell(driver, FromStream::Frame { id, bytes }).await?;
        }
        match reader.read(&mut piece).await {
            Ok(0) => return tell(driver, FromStream::Closed { id }).await,
            Ok(length) => {
                add(&traffic.stream_bytes_in, length);
                decoder.push(&piece[..length]);
            }
            Err(error) => return Err(failure_of(&error)),
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::UnboundedReceiver<OutFrame>,
    traffic: &TrafficCounters,
) -> Result<(), StreamFailure> {
    while let Some(frame) = frames.recv().await {
        writer.write_all(&frame.bytes).await.map_err(|error| failure_of(&error))?;
        add(&traffic.stream_bytes_out, frame.bytes.len());
        if frame.last {
            return writer.shutdown().await.map_err(|error| failure_of(&error));
        }
    }
    Ok(())
}

fn failure_of(error: &io::Error) -> StreamFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => StreamFailure::Refused,
        io::ErrorKind::TimedOut => StreamFailure::TimedOut,
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::Unsupported => StreamFailure::Unreachable,
        _ => StreamFailure::Lost,
    }
}
