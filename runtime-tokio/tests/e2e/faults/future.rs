//! A member of a later version: the protocol's core on real sockets, whose bytes are changed on their way out.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant as SystemInstant;

use rumormill_tokio::core::error::StreamFailure;
use rumormill_tokio::core::io::{
    Command, CommandId, Input, Outbox, Output, Status, StreamAction, StreamId, StreamInput,
};
use rumormill_tokio::core::keyring::Keyring;
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::core::wire::StreamDecoder;
use rumormill_tokio::core::{Birth, Config, Instant, Node, Restore, Seed, id::NodeName, step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};

use super::network::Host;

/// What becomes of a packet on its way out.
pub(super) type Change = fn(&[u8]) -> Vec<u8>;

/// A running member of a later version; ends with this value.
#[derive(Debug)]
pub(super) struct Future {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    members: Arc<Mutex<BTreeMap<String, Status>>>,
}

impl Future {
    /// Starts one on a host; it asks this address to join again and again until it has.
    pub(super) fn start(
        host: &Arc<Host>,
        config: Config,
        name: &str,
        join: SocketAddr,
        change: Change,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let members = Arc::default();
        let (host, name, shared) = (host.clone(), name.to_owned(), Arc::clone(&members));
        let thread = thread::spawn(move || {
            host.inside(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let addr = SocketAddr::new(host.addr(), 7946);
                let life = Life::new(config, &name, addr, change, shared);
                runtime.expect("there is room for a runtime").block_on(life.lead(addr, join, stopped));
            });
        });
        Self { stop, thread: Some(thread), members }
    }

    /// Everybody that it lists, and how they are.
    pub(super) fn members(&self) -> BTreeMap<String, Status> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Future {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a stream says.
#[derive(Debug)]
enum Heard {
    Opened(SocketAddr),
    Frame(Vec<u8>),
    Closed,
    Failed(StreamFailure),
}

/// A frame to write, and whether it is the last.
type Say = (Vec<u8>, bool);

struct Life {
    node: Node,
    outbox: Outbox,
    config: Config,
    change: Change,
    origin: SystemInstant,
    lines: HashMap<StreamId, mpsc::UnboundedSender<Say>>,
    hear: mpsc::UnboundedSender<(StreamId, Heard)>,
    heard: mpsc::UnboundedReceiver<(StreamId, Heard)>,
    shown: Arc<Mutex<BTreeMap<String, Status>>>,
}

impl Life {
    fn new(
        config: Config,
        name: &str,
        addr: SocketAddr,
        change: Change,
        shown: Arc<Mutex<BTreeMap<String, Status>>>,
    ) -> Self {
        let birth = Birth {
            name: NodeName::new(name).expect("it is a name"),
            addr,
            tags: &Tags::new(),
            seed: Seed::from_os([7; 32]),
            keyring: Keyring::empty(),
            restore: Restore::default(),
        };
        let node = Node::new(config.clone(), birth, Instant::ORIGIN).expect("it is sound");
        let (hear, heard) = mpsc::unbounded_channel();
        let (outbox, origin, lines) = (Outbox::new(), SystemInstant::now(), HashMap::new());
        Self { node, outbox, config, change, origin, lines, hear, heard, shown }
    }

    async fn lead(mut self, addr: SocketAddr, join: SocketAddr, mut stop: watch::Receiver<bool>) {
        let udp = UdpSocket::bind(addr).await.expect("the port is free");
        let tcp = TcpListener::bind(addr).await.expect("the port is free");
        let (mut buffer, mut accepted) = (vec![0; 65_536], 0);
        let mut again = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            let due = self.node.deadline().map(|(at, _)| self.origin + at.since(Instant::ORIGIN));
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                Ok((length, from)) = udp.recv_from(&mut buffer) => {
                    self.step(Input::Packet { from, bytes: &buffer[..length] }, &udp);
                }
                Ok((socket, peer)) = tcp.accept() => {
                    accepted += 1;
                    let id = StreamId::Theirs(accepted);
                    self.run(id, async move { Ok(socket) });
                    self.step(Input::Stream { id, input: StreamInput::Opened { peer } }, &udp);
                }
                Some((id, heard)) = self.heard.recv() => self.hear(id, &heard, &udp),
                _ = again.tick(), if self.node.others_up() == 0 => {
                    let command = Command::Join { addresses: vec![join], replay: false };
                    self.step(Input::Command { id: CommandId(1), command }, &udp);
                }
                () = async { tokio::time::sleep_until(due.expect("it is checked").into()).await }, if due.is_some() => {
                    self.step(Input::Tick, &udp);
                }
            }
        }
    }

    fn hear(&mut self, id: StreamId, heard: &Heard, udp: &UdpSocket) {
        if !self.lines.contains_key(&id) {
            return;
        }
        let input = match heard {
            Heard::Opened(peer) => StreamInput::Opened { peer: *peer },
            Heard::Frame(bytes) => StreamInput::Frame(bytes),
            Heard::Closed => StreamInput::Closed,
            Heard::Failed(failure) => StreamInput::Failed(failure.clone()),
        };
        self.step(Input::Stream { id, input }, udp);
    }

    fn step(&mut self, input: Input<'_>, udp: &UdpSocket) {
        let now = Instant::ORIGIN + self.origin.elapsed();
        let (mut dials, change) = (Vec::new(), self.change);
        for output in step(&mut self.node, input, now, &mut self.outbox) {
            match output {
                Output::Packet { to, bytes, .. } => {
                    // A datagram that cannot be sent is lost.
                    let _ = udp.try_send_to(&change(bytes), to);
                }
                Output::Stream { id, action: StreamAction::Open { to, .. } } => dials.push((id, to)),
                Output::Stream { id, action: StreamAction::Frame { bytes, last, .. } } => {
                    if let Some(line) = self.lines.get(&id) {
                        let _ = line.send((frame(bytes, change), last));
                    }
                }
                Output::Stream { id, action: StreamAction::Close } => {
                    self.lines.remove(&id);
                }
                Output::Event(_) | Output::Completed { .. } | Output::Note(_) => {}
            }
        }
        for (id, to) in dials {
            self.run(id, TcpStream::connect(to));
            let hear = self.hear.clone();
            // Said before anything that comes on it: the task that connects runs later.
            let _ = hear.send((id, Heard::Opened(to)));
        }
        let members = self.node.members().map(|view| (view.identity.name.to_string(), view.status));
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = members.collect();
    }

    /// Runs a stream in a task of its own.
    fn run(&mut self, id: StreamId, open: impl Future2<std::io::Result<TcpStream>>) {
        let (line, says) = mpsc::unbounded_channel();
        self.lines.insert(id, line);
        tokio::spawn(converse(id, open, says, self.hear.clone(), StreamDecoder::new(&self.config)));
    }
}

/// [`std::future::Future`], whose name is taken here.
trait Future2<T>: std::future::Future<Output = T> + Send + 'static {}
impl<T, F: std::future::Future<Output = T> + Send + 'static> Future2<T> for F {}

async fn converse(
    id: StreamId,
    open: impl Future2<std::io::Result<TcpStream>>,
    mut says: mpsc::UnboundedReceiver<Say>,
    hear: mpsc::UnboundedSender<(StreamId, Heard)>,
    mut decoder: StreamDecoder,
) {
    let Ok(socket) = open.await else {
        let _ = hear.send((id, Heard::Failed(StreamFailure::Refused)));
        return;
    };
    let (mut reader, mut writer) = socket.into_split();
    let writing = async {
        while let Some((bytes, last)) = says.recv().await {
            if writer.write_all(&bytes).await.is_err() || last {
                break;
            }
        }
        let _ = writer.shutdown().await;
        // It goes on until the core lets it go.
        while says.recv().await.is_some() {}
    };
    let reading = async {
        let mut piece = vec![0; 16 << 10];
        loop {
            match reader.read(&mut piece).await {
                Ok(0) => break hear.send((id, Heard::Closed)),
                Err(_) => break hear.send((id, Heard::Failed(StreamFailure::Lost))),
                Ok(length) => decoder.push(&piece[..length]),
            }
            while let Some(frame) = decoder.next_frame() {
                let heard =
                    frame.map_or(Heard::Failed(StreamFailure::Lost), |frame| Heard::Frame(frame.to_vec()));
                hear.send((id, heard))?;
            }
        }
    };
    tokio::select! {
        () = writing => {}
        _ = async { let _ = reading.await; std::future::pending::<()>().await } => {}
    }
}

/// A stream's frame whose packet is changed.
fn frame(bytes: &[u8], change: Change) -> Vec<u8> {
    const PREFIX: usize = 5;
    let packet = change(&bytes[PREFIX..]);
    let length = u32::try_from(packet.len()).expect("a frame is short").to_le_bytes();
    [&bytes[..1], &length, &packet].concat()
}
