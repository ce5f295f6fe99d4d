//! What is sent to one client, by its session and by its streams.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, watch};

use crate::rpc::codec::encode;
use crate::rpc::messages::ResponseHeader;

/// How long a client may take nothing, before it is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing more can be sent to the client.
#[derive(Debug)]
pub(super) struct Gone;

/// The way to a client: whole messages, one after the other.
pub(super) struct Outlet {
    pub(super) peer: SocketAddr,
    writer: Mutex<OwnedWriteHalf>,
    broken: watch::Sender<bool>,
    patience: Duration,
}

impl Outlet {
    pub(super) fn new(peer: SocketAddr, writer: OwnedWriteHalf) -> Self {
        Self { peer, writer: Mutex::new(writer), broken: watch::Sender::new(false), patience: PATIENCE }
    }

    /// A header, with an error or without.
    pub(super) async fn header(&self, seq: u64, error: &str) -> Result<(), Gone> {
        self.write(&header(seq, error)).await
    }

    /// A header, and what belongs to it.
    pub(super) async fn reply(&self, seq: u64, error: &str, body: &impl Serialize) -> Result<(), Gone> {
        let mut bytes = header(seq, error);
        encode(body, &mut bytes);
        self.write(&bytes).await
    }

    /// Returns when nothing more can be sent.
    pub(super) async fn broken(&self) {
        // The sender is this value itself, so that waiting cannot fail.
        let _ = self.broken.subscribe().wait_for(|broken| *broken).await;
    }

    /// The patience is for each part that the client takes: a long answer over a slow line is no fault.
    async fn write(&self, mut bytes: &[u8]) -> Result<(), Gone> {
        let mut writer = self.writer.lock().await;
        while !bytes.is_empty() {
            // Half a message may have been sent.
            if *self.broken.borrow() {
                return Err(Gone);
            }
            match tokio::time::timeout(self.patience, writer.write(bytes)).await {
                Ok(Ok(written)) if written > 0 => bytes = &bytes[written..],
                Ok(_) => return self.give_up("the connection broke"),
                Err(_) => return self.give_up("it does not read what it is sent"),
            }
        }
        Ok(())
    }

    fn give_up(&self, why: &str) -> Result<(), Gone> {
        self.broken.send_replace(true);
        tracing::warn!("agent.ipc: cut off client {}: {why}", self.peer);
        Err(Gone)
    }
}

fn header(seq: u64, error: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&ResponseHeader { error: error.into(), seq }, &mut bytes);
    bytes
}
