//! The contract of `step` and `Node`: what a driver may rely on, whatever the protocol does.

use super::cluster::Cluster;
use super::stage::Stage;
use super::words::Word;
use super::{SECOND, addr, lan};
use crate::config::Config;
use crate::id::NodeName;
use crate::io::{Command, CommandId, Input, Outbox};
use crate::keyring::Keyring;
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::step;
use crate::tags::Tags;
use crate::time::Instant;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

#[test]
fn an_idle_cluster_probes_once_a_second_and_says_nothing_else() {
    let mut net = Cluster::converged(5, &lan());
    net.listening = true;
    net.run(20 * SECOND);
    assert_eq!(net.log.len(), 5 * 20 * 2, "a ping and an ack for each node and second");
    assert!(net.events.iter().all(Vec::is_empty));
}

#[test]
fn what_an_outbox_held_before_changes_nothing() {
    let story = |clean_outbox| {
        let mut net = Cluster::converged(6, &Config { notes: true, ..lan() });
        net.clean_outbox = clean_outbox;
        net.tracing = true;
        net.kill(3);
        net.command(1, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
        net.run(60 * SECOND);
        net.trace
    };
    let trace = story(true);
    assert!(trace.iter().any(|line| line.contains("Failed")));
    assert_eq!(trace, story(false));
}

#[test]
fn notes_change_no_behaviour() {
    let story = |notes| {
        let mut net = Cluster::converged(6, &Config { notes, ..lan() });
        net.tracing = true;
        net.kill(3);
        net.run(60 * SECOND);
        net.trace.retain(|line| !line.contains(" Note("));
        net.trace
    };
    assert_eq!(story(true), story(false));
}

#[test]
fn the_revision_grows_exactly_with_what_an_application_sees() {
    let mut net = Cluster::converged(6, &lan());
    net.kill(3);
    net.command(1, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
    let seen = |net: &Cluster| {
        let members = net.node(0).members();
        let rows: Vec<String> =
            members.map(|m| format!("{:?} {:?} {:?}", m.identity, m.incarnation, m.status)).collect();
        (net.node(0).members_revision(), rows)
    };
    let (first, mut last) = (seen(&net), seen(&net));
    for _ in 0..600 {
        net.run(SECOND / 10);
        let now = seen(&net);
        assert_eq!(now.0 > last.0, now.1 != last.1, "{last:?} {now:?}");
        last = now;
    }
    assert!(last.0 >= first.0 + 2, "the new tags and the failure were seen");
}

#[test]
fn time_that_goes_back_is_clamped_and_counted() {
    let mut net = Cluster::converged(2, &lan());
    net.run(5 * SECOND);
    net.now = Instant::ORIGIN;
    net.step(0, Input::Tick);
    assert_eq!(net.node(0).counters().clock_went_back, 1);
}

/// What a node does alone in a minute: whom it probes, asks and tells.
fn a_minute_of(node: &mut Node, from: Instant) -> Vec<String> {
    let (mut outbox, mut trace) = (Outbox::new(), Vec::new());
    while let Some((at, due)) = node.deadline().filter(|(at, _)| *at <= from + 60 * SECOND) {
        trace.push(format!("{at:?} {due:?}"));
        trace.extend(step(node, Input::Tick, at, &mut outbox).map(|output| format!("{output:?}")));
    }
    trace
}

/// A node in the middle of things: it suspects, relays, gossips, and has a stream and a command open.
fn busy() -> Stage {
    let mut stage = Stage::answering(12, &lan());
    stage.silent = Vec::from([4]);
    stage.wait(30 * SECOND);
    stage.hears(2, &[Word::Suspect { of: 5, incarnation: 1, by: 2 }]);
    stage.hears(3, &[Word::PingReq { seq: 70, target: 6, nack: true }]);
    let command = Command::Join { addresses: Vec::from([addr(7), addr(8)]), replay: false };
    let _ =
        step(&mut stage.node, Input::Command { id: CommandId(1), command }, stage.now, &mut Outbox::new());
    stage
}

#[test]
fn forks_of_one_seed_are_equal_and_those_of_another_choose_otherwise() {
    let stage = busy();
    let story = |run| a_minute_of(&mut stage.node.fork(Seed::simulated(run, 0, 0)), stage.now);
    assert!(story(1).len() > 100);
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
}

#[test]
fn a_fork_goes_on_from_the_same_state() {
    let stage = busy();
    let fork = stage.node.fork(Seed::simulated(1, 0, 0));
    assert_eq!(fork.deadline(), stage.node.deadline());
    assert_eq!(fork.counters(), stage.node.counters());
    assert_eq!(
        (fork.open_suspicions(), fork.queue_depth()),
        (stage.node.open_suspicions(), stage.node.queue_depth())
    );
    let members = |node: &Node| node.members().map(|view| format!("{view:?}")).collect::<Vec<_>>();
    assert_eq!(members(&fork), members(&stage.node));
}

#[test]
fn a_fork_leaves_its_original_as_it_was() {
    let (mut forked, mut other) = (busy(), busy());
    let before = format!("{:?}", forked.node);
    let mut fork = forked.node.fork(Seed::simulated(1, 0, 0));
    a_minute_of(&mut fork, forked.now);
    assert_eq!(format!("{:?}", forked.node), before);
    assert_eq!(a_minute_of(&mut forked.node, forked.now), a_minute_of(&mut other.node, other.now));
}

#[test]
fn bad_births_name_what_is_wrong() {
    let tags = Tags::new();
    let birth = |addr: &str| Birth {
        name: NodeName::new("a").unwrap(),
        addr: addr.parse().unwrap(),
        tags: &tags,
        seed: Seed::simulated(1, 1, 1),
        keyring: Keyring::empty(),
        restore: Restore::default(),
    };
    let error = Node::new(lan(), birth("0.0.0.0:1"), Instant::ORIGIN).unwrap_err();
    assert!(error.to_string().contains("0.0.0.0:1"));
    let config = Config { probe_timeout: 2 * SECOND, ..lan() };
    let error = Node::new(config, birth("10.0.0.1:1"), Instant::ORIGIN).unwrap_err().to_string();
    assert!(error.starts_with("probe_timeout is 2s, but must be less than probe_interval (1s)"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]

    /// Whatever is set: either birth names the setting that is out of bounds, or the cluster lives and buries its dead.
    #[test]
    fn a_config_is_refused_by_name_or_works(
        interval in 0u64..2_000,
        timeout in 0u64..1_000,
        checks in 0u8..40,
        gossip_nodes in 0u8..8,
        mults in (0u32..4, 0u32..4),
        switches in proptest::array::uniform6(proptest::bool::ANY),
        updates in 0u8..4,
    ) {
        let [suspicion, awareness, nacks, buddy, stream_probe, awareness_scales_timeout] = switches;
        let config = Config {
            probe_interval: Duration::from_millis(interval),
            probe_timeout: Duration::from_millis(timeout),
            indirect_checks: checks,
            gossip_nodes,
            suspicion_mult: mults.0,
            suspicion_max_mult: mults.1,
            suspicion,
            awareness,
            nacks,
            buddy,
            stream_probe,
            awareness_scales_timeout,
            packet_updates_max: updates,
            ..lan()
        };
        if let Err(error) = config.check() {
            let fields = ["probe_interval", "probe_timeout", "indirect_checks", "suspicion_mult", "suspicion_max_mult"];
            proptest::prop_assert!(fields.contains(&error.field), "{error}");
            return Ok(());
        }
        let mut net = Cluster::converged(4, &config);
        net.kill(3);
        // Probe wait of two rounds, a probe and the longest suspicion, all stretched by the worst health.
        net.run(8 * (8 + 3 * 4) * config.probe_interval + SECOND);
        for i in 0..3 {
            proptest::prop_assert_eq!(net.node(i).others_up(), 2, "node {}", i);
        }
    }
}

#[test]
fn a_tick_at_the_end_of_time_returns() {
    let mut stage = Stage::answering(4, &lan());
    let _ = step(&mut stage.node, Input::Tick, Instant::NEVER, &mut Outbox::new());
    // All that could ever be due has been: everybody else is dead, forgotten and reaped.
    assert_eq!(stage.node.deadline(), None);
}
