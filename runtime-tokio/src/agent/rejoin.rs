//! Back to the cluster after a restart: those whom the snapshot knows are asked, until one answers; and then those whom nobody knows any
//! more are forgotten.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::{info, warn};

use super::{Error, Handle};
use crate::Members;

/// The longest pause between two rounds.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// How long the cluster has to tell of those whom the snapshot knows.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

/// Returns to the cluster; then the snapshot is rid of those who are gone for good, whom nobody would ever report.
pub(super) async fn rejoin(handle: Handle, peers: Vec<(String, SocketAddr)>, pause: Duration) {
    ask(&handle, &peers, pause).await;
    let mut stopped = handle.watch_stopped();
    tokio::select! {
        () = tokio::time::sleep(KNOWN_WITHIN) => {}
        _ = stopped.wait_for(Option::is_some) => return,
    }
    let members = handle.members();
    if is_among_others(&members) {
        let names = peers.into_iter().map(|(name, _)| name);
        handle.forget(names.filter(|name| members.get(name).is_none()).collect()).await;
    }
}

fn is_among_others(members: &Members) -> bool {
    members.iter().filter(|member| member.status.is_up()).count() > 1
}

/// Asks one after the other; after a round without an answer again, later and later, until somebody is there. (Serf asks once. After a
/// power cut all members come back at once, and the first ones find nobody.) Others may find the node first, where it was not missed yet:
/// one is asked all the same, for the events that it missed.
async fn ask(handle: &Handle, peers: &[(String, SocketAddr)], mut pause: Duration) {
    let mut stopped = handle.watch_stopped();
    let mut asked_all = false;
    loop {
        for (name, addr) in peers {
            // Joined by hand, or found by others.
            if asked_all && is_among_others(&handle.members()) {
                return;
            }
            info!("serf: Attempting re-join to previously known node: {name}: {addr}");
            match handle.join_addresses(vec![*addr], true).await {
                Ok(_) => return info!("serf: Re-joined to previously known node: {name}: {addr}"),
                Err(Error::Stopped) => return,
                Err(_) => {}
            }
        }
        asked_all = true;
        warn!(
            "serf: Failed to re-join any of {} previously known nodes; asking again in {pause:?}",
            peers.len()
        );
        let mut list = handle.watch_members();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = list.wait_for(is_among_others) => return,
            _ = stopped.wait_for(Option::is_some) => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
