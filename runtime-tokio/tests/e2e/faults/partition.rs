//! A cluster in two parts, and one again.

use std::time::Duration;

use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

/// How long the parts may take to be one again: some rounds of `reconnect_interval`, at which a member dials a failed one by chance,
/// and of anti-entropy.
const HEALED_WITHIN: Duration = Duration::from_secs(30);

#[test]
fn two_parts_see_each_other_failed_and_are_one_again_with_what_was_said_meanwhile() {
    // Nobody gossips to the dead for long, so that only dialling them brings them back.
    let core = format!("{BRISK}gossip_to_dead = '1s'\n");
    let cluster = Cluster::start(5, &core, &[]);
    let (left, right) = cluster.nodes.split_at(2);
    for here in left {
        right.iter().for_each(|there| here.host.cut_off(&there.host));
    }
    let all = |node: &Node, of: &[Node], status: &str| {
        let members = node.members();
        of.iter().all(|other| members.get(&other.name).is_some_and(|seen| seen == status))
    };
    for (side, other) in [(left, right), (right, left)] {
        for node in side {
            wait_until(&format!("{} sees the other part failed", node.name), || {
                all(node, other, "failed") && all(node, side, "alive")
            });
        }
    }
    assert!(left[0].tell("said left") && right[0].tell("said right"));
    Cluster::await_told(left, "said left");
    Cluster::await_told(right, "said right");
    assert!(!left.iter().any(|node| node.told().contains(&"said right".into())), "the cut holds");
    // Those that are dead are forgotten by the failure detector.
    Cluster::await_probes(&cluster.nodes, 6);

    left.iter().for_each(|node| node.host.heal());
    cluster.await_all_alive(HEALED_WITHIN);
    Cluster::await_told(&cluster.nodes, "said left");
    Cluster::await_told(&cluster.nodes, "said right");
    for node in &cluster.nodes {
        assert_eq!(node.told().len(), 2, "{} was told each once: {:?}", node.name, node.told());
    }
    let failures = cluster.failures();
    let side = |name: &str| left.iter().any(|node| node.name == name);
    assert!(failures.iter().all(|(node, failed)| side(node) != side(failed)), "{failures:?}");
}
