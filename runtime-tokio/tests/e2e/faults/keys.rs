//! Keys that change while the cluster talks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

const OLD: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// Tells one thing after the other until it is to stop; gives what was accepted.
fn talk(node: &Node, stop: &AtomicBool, said: &AtomicUsize) -> Vec<String> {
    let mut accepted = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let text = format!("{} says {}", node.name, accepted.len());
        if node.tell(&text) {
            accepted.push(text);
            said.fetch_add(1, Ordering::Relaxed);
        }
    }
    accepted
}

#[test]
fn while_the_key_is_changed_no_accepted_event_is_lost_and_nobody_fails() {
    let cluster = Cluster::start(5, BRISK, &[&format!("-encrypt={OLD}")]);
    let (stop, said) = (AtomicBool::new(false), AtomicUsize::new(0));
    let accepted = thread::scope(|scope| {
        let talkers = [0, 3].map(|index| {
            let (node, stop, said) = (&cluster.nodes[index], &stop, &said);
            scope.spawn(move || talk(node, stop, said))
        });
        let talked = |more: usize| {
            let until = said.load(Ordering::Relaxed) + more;
            wait_until("there is traffic", || said.load(Ordering::Relaxed) >= until);
        };
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            talked(20);
            for step in ["install", "use", "remove"] {
                let reply = cluster.nodes[1].call(async |client| match step {
                    "install" => client.install_key(NEW).await,
                    "use" => client.use_key(NEW).await,
                    _ => client.remove_key(OLD).await,
                });
                let reply = reply.expect("the agent answers");
                assert_eq!((reply.error.as_deref(), reply.num_resp), (None, 5), "{step}: {reply:?}");
                talked(20);
            }
        }));
        stop.store(true, Ordering::Relaxed);
        let accepted = talkers.map(|talker| talker.join().expect("a talker does not panic"));
        changed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        accepted
    });
    let keys = cluster.nodes[4].call(async |client| client.list_keys().await).expect("the agent answers");
    assert_eq!(keys.keys.into_iter().collect::<Vec<_>>(), [(NEW.to_owned(), 5)]);
    for node in &cluster.nodes {
        for texts in &accepted {
            wait_until(&format!("{} was told everything", node.name), || {
                let told = node.told();
                texts.iter().all(|text| told.contains(text))
            });
        }
        assert_eq!(node.told().len(), accepted.iter().map(Vec::len).sum::<usize>(), "nothing was told twice");
    }
    assert_eq!(cluster.failures(), []);
}
