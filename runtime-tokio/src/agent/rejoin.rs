//! Back to the cluster after a restart: those whom the snapshot knows are asked, until one answers.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::{info, warn};

use super::{Error, Handle};

/// The longest pause between two rounds.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// Asks one after the other; after a round without an answer again, later and later, until somebody is there. (Serf asks once. After a
/// power cut all members come back at once, and the first ones find nobody.)
pub(super) async fn rejoin(handle: Handle, peers: Vec<(String, SocketAddr)>, mut pause: Duration) {
    let mut stopped = handle.watch_stopped();
    loop {
        for (name, addr) in &peers {
            info!("serf: Attempting re-join to previously known node: {name}: {addr}");
            match handle.join_addresses(vec![*addr], true).await {
                Ok(_) => return info!("serf: Re-joined to previously known node: {name}: {addr}"),
                Err(Error::Stopped) => return,
                Err(_) => {}
            }
        }
        warn!(
            "serf: Failed to re-join any of {} previously known nodes; asking again in {pause:?}",
            peers.len()
        );
        let mut list = handle.watch_members();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // Joined by hand, or found by others.
            _ = list.wait_for(|members| members.iter().filter(|member| member.status.is_up()).count() > 1) => return,
            _ = stopped.wait_for(Option::is_some) => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
