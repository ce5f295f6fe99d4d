//! What the server has done, for whoever looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::rpc::messages::Command;

/// What an RPC server has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RpcFigures {
    /// Clients that are connected.
    pub clients: u64,
    /// Clients that were let in.
    pub accepted: u64,
    /// Clients that were turned away, because as many as may be were connected.
    pub refused: u64,
    /// Requests for commands that do not exist.
    pub unknown: u64,
    /// Requests that were refused, or failed.
    pub failed: u64,
    commands: [u64; Command::COUNT],
}

impl RpcFigures {
    /// Requests for this command.
    #[must_use]
    pub const fn requests(&self, command: Command) -> u64 {
        self.commands[command as usize]
    }

    /// Requests for each command, by its name in the protocol.
    pub fn by_command(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Command::all().map(|command| (command.name(), self.requests(command)))
    }

    /// All requests.
    #[must_use]
    pub fn all_requests(&self) -> u64 {
        self.commands.iter().sum::<u64>() + self.unknown
    }
}

/// Counts what a server does. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct RpcTally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    clients: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    failed: AtomicU64,
    commands: [AtomicU64; Command::COUNT],
}

/// A client that is connected, until it is dropped.
#[derive(Debug)]
pub(super) struct Connected(Arc<Counts>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Relaxed);
    }
}

impl RpcTally {
    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> RpcFigures {
        let Counts { clients, accepted, refused, unknown, failed, commands } = &*self.0;
        RpcFigures {
            clients: clients.load(Relaxed),
            accepted: accepted.load(Relaxed),
            refused: refused.load(Relaxed),
            unknown: unknown.load(Relaxed),
            failed: failed.load(Relaxed),
            commands: commands.each_ref().map(|count| count.load(Relaxed)),
        }
    }

    pub(super) fn connected(&self) -> Connected {
        self.0.clients.fetch_add(1, Relaxed);
        self.0.accepted.fetch_add(1, Relaxed);
        Connected(self.0.clone())
    }

    pub(super) fn refused(&self) {
        self.0.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn request(&self, command: Option<Command>) {
        let count = command.map_or(&self.0.unknown, |command| &self.0.commands[command as usize]);
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.0.failed.fetch_add(1, Relaxed);
    }
}
