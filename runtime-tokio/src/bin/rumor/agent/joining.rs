//! Joining in the background: addresses that are tried until they answer, and those that mDNS finds.

use std::net::SocketAddr;
use std::time::Duration;

use rumormill_tokio::Handle;
use rumormill_tokio::discovery::Discovery;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

/// `retry_join`, as it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) addresses: Vec<String>,
    pub(super) replay: bool,
    pub(super) interval: Duration,
    /// Tries that may fail; 0: any number.
    pub(super) tries: u32,
}

/// Tries to join until one address answers, and again whenever others are wanted; returns when it has failed too often. `tried` is true
/// once all was tried that was wanted at first.
pub(super) async fn keep_joining(
    agent: Handle,
    mut wanted: watch::Receiver<Wanted>,
    tried: watch::Sender<bool>,
) {
    loop {
        let Wanted { addresses, replay, interval, tries } = wanted.borrow_and_update().clone();
        if addresses.is_empty() {
            tried.send_replace(true);
        }
        let joined = addresses.is_empty() || {
            tokio::select! {
                done = until_joined(&agent, &addresses, replay, interval, tries, &tried) => done,
                Ok(()) = wanted.changed() => continue,
            }
        };
        if !joined {
            return;
        }
        if wanted.changed().await.is_err() {
            // Nobody can want anything else any more.
            return std::future::pending().await;
        }
    }
}

async fn until_joined(
    agent: &Handle,
    addresses: &[String],
    replay: bool,
    interval: Duration,
    tries: u32,
    tried: &watch::Sender<bool>,
) -> bool {
    let mut failed = 0u32;
    loop {
        let outcome = agent.join(addresses, replay).await;
        tried.send_replace(true);
        match outcome {
            Ok(joined) => {
                info!("agent: Join completed. Synced with {} initial agents", joined.reached);
                return true;
            }
            Err(reason) => {
                failed = failed.saturating_add(1);
                if tries > 0 && failed > tries {
                    error!("agent: maximum retry join attempts made, exiting: {reason}");
                    return false;
                }
                warn!("agent: Join failed: {reason}, retrying in {interval:?}");
            }
        }
        tokio::time::sleep(interval).await;
    }
}

/// Joins what mDNS finds, until the search is told to stop.
pub(super) async fn join_found(
    agent: Handle,
    search: Discovery,
    mut found: mpsc::Receiver<Vec<SocketAddr>>,
    replay: bool,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let addresses = tokio::select! {
            addresses = found.recv() => addresses,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let Some(addresses) = addresses else { break };
        let known = |addr: &SocketAddr| agent.members().iter().any(|member| member.addr() == *addr);
        let (there, new): (Vec<_>, Vec<_>) = addresses.into_iter().partition(known);
        search.joined(&there);
        if new.is_empty() {
            continue;
        }
        let texts: Vec<String> = new.iter().map(ToString::to_string).collect();
        match agent.join(&texts, replay).await {
            Ok(joined) if joined.failed == 0 => search.joined(&new),
            // Said already; they come again after a while, and those that are members then are joined.
            _ => search.failed(&new),
        }
    }
    search.shutdown().await;
}
