//! What is sent to one client, by its session and by its streams.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, watch};

use super::Shared;
use crate::rpc::codec::encode;
use crate::rpc::messages::ResponseHeader;

/// Nothing more can be sent to the client.
#[derive(Debug)]
pub(super) struct Gone;

/// The way to a client: whole messages, one after the other.
pub(super) struct Outlet {
    pub(super) peer: SocketAddr,
    writer: Mutex<OwnedWriteHalf>,
    broken: watch::Sender<bool>,
    shared: Arc<Shared>,
}

impl Outlet {
    pub(super) fn new(peer: SocketAddr, writer: OwnedWriteHalf, shared: Arc<Shared>) -> Self {
        Self { peer, writer: Mutex::new(writer), broken: watch::Sender::new(false), shared }
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
            match tokio::time::timeout(self.shared.options.patience, writer.write(bytes)).await {
                Ok(Ok(written)) if written > 0 => bytes = &bytes[written..],
                Ok(ended) => {
                    tracing::debug!("agent.ipc: client {}: the connection broke: {ended:?}", self.peer);
                    return self.give_up();
                }
                Err(_) => {
                    self.warn("cut off: it does not read what it is sent");
                    return self.give_up();
                }
            }
        }
        Ok(())
    }

    fn give_up(&self) -> Result<(), Gone> {
        self.broken.send_replace(true);
        Err(Gone)
    }

    /// Says of the client what it did wrong, as far as the log has room.
    pub(super) fn warn(&self, what: &str) {
        if self.shared.faults.allows() {
            tracing::warn!("agent.ipc: client {}: {what}", self.peer);
        }
    }
}

fn header(seq: u64, error: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&ResponseHeader { error: error.into(), seq }, &mut bytes);
    bytes
}
