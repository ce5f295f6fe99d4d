//! Metrics and health over HTTP: `GET /metrics`, `/healthz` and `/readyz`.
//!
//! | path | answers |
//! | --- | --- |
//! | `/metrics` | 200 and [Prometheus' text](crate::metrics) |
//! | `/healthz` | 200 when the core's task answers within a second; otherwise 503 and why |
//! | `/readyz` | 200 when the agent is joined, or was told of nobody to join, and does not lag; otherwise 503 and a line for each reason |
//!
//! Health is JSON for who asks for it (`Accept: application/json`). Nothing is authenticated: it is for loopback, or for a network in which everybody
//! may know who the members are.
//!
//! A client has one answer on a connection, ten seconds for all of it, and 8 KiB for what it asks. As many connections as may be are open, the oldest
//! that has not asked anything makes room: whoever asks gets an answer, however many others are silent.

mod answer;
mod health;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::metrics::Sources;
use answer::answer;

pub use health::Expectation;

/// Connections at a time.
pub const CONNECTIONS_MAX: usize = 64;
/// How long a connection lasts at most: its request, the answer, and the client's reading of it.
pub const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most; hyper takes no smaller bound.
pub const HEAD_BYTES_MAX: usize = 8192;
/// Header lines of a request at most.
const HEADERS_MAX: usize = 64;
/// How long to wait where the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the server answers from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The figures.
    pub sources: Sources,
    /// Whether the agent is to join somebody before it is ready.
    pub expects: Expectation,
}

/// Serves until the agent has stopped.
pub async fn serve(listener: TcpListener, options: Options) {
    let options = Arc::new(options);
    let agent = options.sources.agent().clone();
    let stopped = agent.stopped();
    tokio::pin!(stopped);
    let mut room = Room::default();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = room.tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => room.admit(stream, &options),
                Err(error) => {
                    debug!("agent.http: cannot accept a client: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    room.tasks.shutdown().await;
}

/// The connections that are open.
#[derive(Default)]
struct Room {
    tasks: JoinSet<()>,
    /// Those that have not asked anything, the oldest first.
    silent: VecDeque<(Arc<AtomicBool>, AbortHandle)>,
}

impl Room {
    fn admit(&mut self, stream: TcpStream, options: &Arc<Options>) {
        self.silent.retain(|(asked, task)| !asked.load(Ordering::Relaxed) && !task.is_finished());
        if self.tasks.len() >= CONNECTIONS_MAX {
            // Its place is free when the runtime has dropped it: until then there is one more.
            match self.silent.pop_front() {
                Some((_, oldest)) => oldest.abort(),
                None => return,
            }
        }
        let asked = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(attend(stream, options.clone(), asked.clone()));
        self.silent.push_back((asked, task));
    }
}

async fn attend(stream: TcpStream, options: Arc<Options>, asked: Arc<AtomicBool>) {
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let options = options.clone();
        async move { Ok::<_, Infallible>(answer(request, &options).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        // Who has asked may say that it says nothing more.
        .half_close(true)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // The whole connection has its time; a clock for its parts is not needed.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_TIME_MAX, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("agent.http: a client's request is not understood, or it has gone: {error}"),
        Err(_) => debug!("agent.http: a client took too long"),
    }
}
