//! Server and client over real agents on loopback. Nothing here waits for a time; everything waits for a condition.

mod commands;
mod golden;
mod hostile;
#[cfg(feature = "e2e")]
mod serf;

use std::net::SocketAddr;
use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::tags::Tags;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::client::Client;
use super::log::LogBuffer;
use super::server::{ServerOptions, serve};
use crate::{Agent, Builder, Handle};

const LONG: Duration = Duration::from_secs(60);

/// An agent with its RPC server.
struct Served {
    agent: Handle,
    log: LogBuffer,
    at: SocketAddr,
    serving: JoinHandle<()>,
}

fn builder(name: &str) -> Builder {
    let config = Config {
        gossip_interval: Duration::from_millis(20),
        leave_propagate_delay: Duration::from_millis(50),
        ..Config::local()
    };
    let tags = Tags::from_iter([("role", "web")]);
    Agent::builder().name(name).bind(([127, 0, 0, 1], 0).into()).config(config).tags(tags)
}

impl Served {
    async fn new(name: &str) -> Self {
        Self::with(builder(name), |_| {}).await
    }

    async fn with(builder: Builder, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let agent = builder.start().await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (at, log) = (listener.local_addr().unwrap(), LogBuffer::new());
        let mut options = ServerOptions::new(log.clone());
        change(&mut options);
        let serving = tokio::spawn(serve(listener, agent.clone(), options));
        Self { agent, log, at, serving }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.at.to_string(), None).await.unwrap()
    }

    async fn end(self) {
        self.agent.shutdown().await;
        soon("the server's end", self.serving).await.unwrap();
    }
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, work).await.unwrap_or_else(|_| panic!("{what} took longer than {LONG:?}"))
}

fn lines(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
