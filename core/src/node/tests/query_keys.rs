//! Key commands: every member's keyring changed or listed by one internal query.

use super::cluster::Cluster;
use super::{SECOND, addr, known, lan, name};
use crate::Roster;
use crate::config::{AntiEntropy, Config};
use crate::error::CommandError;
use crate::id::NodeName;
use crate::io::{Command, CommandId, Done, KeyAction, KeyReport};
use crate::keyring::{KEYS_MAX, Key, Keyring};
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).unwrap()
}

fn quiet() -> Config {
    Config { anti_entropy: AntiEntropy::Off, simulation: true, ..lan() }
}

/// Nodes that know each other, with these keys each.
fn keyed(rings: &[&[u8]], config: &Config) -> Cluster {
    let one = |(i, ring): (usize, &&[u8])| {
        let seed = Seed::simulated(9, i as u64, 0);
        let roster = Arc::new(Roster::new(known(rings.len()), &seed));
        let restore = Restore { roster, ..Restore::default() };
        let keyring = match ring {
            [] => Keyring::empty(),
            [first, rest @ ..] => Keyring::of(key(*first), rest.iter().map(|b| key(*b)).collect()).unwrap(),
        };
        let name = NodeName::new(&name(i)).unwrap();
        let birth = Birth { name, addr: addr(i), tags: &Tags::new(), seed, keyring, restore };
        Some(Node::new(config.clone(), birth, Instant::ORIGIN).unwrap())
    };
    Cluster::of(rings.iter().enumerate().map(one).collect())
}

fn ring(net: &Cluster, node: usize) -> Vec<u8> {
    net.node(node).keyring().iter().map(|key| key.expose()[0]).collect()
}

/// Runs a key command at node 0 for a second; how it ended, if it has.
fn run(net: &mut Cluster, action: KeyAction) -> Option<Result<Done, CommandError>> {
    net.completed.clear();
    net.command(0, 1, Command::Keys { action, relay_factor: 0 });
    net.run(SECOND);
    net.completed.first().map(|(_, result)| result.clone())
}

fn done(net: &mut Cluster, action: KeyAction) -> KeyReport {
    match run(net, action) {
        Some(Ok(Done::Keys(report))) => *report,
        other => panic!("{other:?}"),
    }
}

fn failed(net: &mut Cluster, action: KeyAction) -> (KeyReport, alloc::string::String) {
    match run(net, action) {
        Some(Err(CommandError::KeysFailed(report))) => {
            let text = CommandError::KeysFailed(report.clone()).to_string();
            (*report, text)
        }
        other => panic!("{other:?}"),
    }
}

/// serf 113, and Serf's procedure: install, use, remove, each idempotent.
#[test]
fn keys_are_rotated_by_installing_using_and_removing_and_each_step_may_be_repeated() {
    let mut net = keyed(&[&[1], &[1], &[1]], &quiet());
    for _ in 0..2 {
        let report = done(&mut net, KeyAction::Install(key(2)));
        assert_eq!((report.asked, report.answered, report.failed.len()), (3, 3, 0));
        assert_eq!([0, 1, 2].map(|i| ring(&net, i)), [[1, 2], [1, 2], [1, 2]]);
    }
    for _ in 0..2 {
        done(&mut net, KeyAction::Use(key(2)));
        assert_eq!([0, 1, 2].map(|i| ring(&net, i)), [[2, 1], [2, 1], [2, 1]]);
    }
    let report = done(&mut net, KeyAction::List);
    assert_eq!(
        (report.keys, report.primaries),
        (alloc::vec![(key(2), 3), (key(1), 3)], alloc::vec![(key(2), 3)])
    );
    for _ in 0..2 {
        done(&mut net, KeyAction::Remove(key(1)));
        assert_eq!([0, 1, 2].map(|i| ring(&net, i)), [[2], [2], [2]]);
    }
    for node in 0..3 {
        let told = net.events[node].iter().filter(|told| *told == "keys changed").count();
        assert_eq!(told, 3, "once for each change that changed something");
    }
}

#[test]
fn members_that_cannot_say_why_and_the_others_have_done_it() {
    let mut net = keyed(&[&[1, 2], &[1], &[1, 2]], &quiet());
    let (report, text) = failed(&mut net, KeyAction::Remove(key(1)));
    assert_eq!((report.failed.len(), &*text), (3, "3/3 nodes reported failure"));
    assert_eq!(&*report.failed[0].1, "removing the primary key is not allowed");
    // Answers are sealed with what a member uses after the change, so that the asker has to have it.
    let mut net = keyed(&[&[1, 2], &[2, 1], &[2, 1]], &quiet());
    let (report, text) = failed(&mut net, KeyAction::Remove(key(1)));
    let names: Vec<&str> = report.failed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, &*text), (Vec::from(["n0"]), "1/3 nodes reported failure"));
    assert_eq!([1, 2].map(|i| ring(&net, i)), [[2], [2]]);
}

/// serf 113: without encryption it fails at every node; and here the key does not travel.
#[test]
fn without_keys_every_member_reports_failure_and_no_key_is_sent() {
    let mut net = keyed(&[&[], &[], &[]], &quiet());
    for action in
        [KeyAction::Install(key(77)), KeyAction::Use(key(77)), KeyAction::Remove(key(77)), KeyAction::List]
    {
        net.tracing = true;
        let (report, text) = failed(&mut net, action);
        assert_eq!((report.failed.len(), &*text), (3, "3/3 nodes reported failure"));
        assert!(
            report.failed.iter().all(|(_, why)| why.starts_with("encryption is not enabled")),
            "{report:?}"
        );
        assert!(!net.trace.iter().any(|line| line.contains("77, 77, 77, 77")), "a key in plain sight");
    }
}

#[test]
fn where_not_everything_is_sealed_no_member_changes_or_shows_keys() {
    for config in [
        Config { verify_incoming: false, ..quiet() },
        Config { verify_outgoing: false, verify_incoming: false, ..quiet() },
    ] {
        let mut net = keyed(&[&[1], &[1]], &config);
        for action in [KeyAction::Install(key(2)), KeyAction::List] {
            let (report, _) = failed(&mut net, action);
            assert!(report.failed.iter().all(|(_, why)| why.contains("only where everything is sealed")));
            assert!(report.keys.is_empty());
        }
        assert_eq!([0, 1].map(|i| ring(&net, i)), [[1], [1]]);
    }
}

#[test]
fn members_that_do_not_answer_are_waited_for_until_the_deadline() {
    let mut net = keyed(&[&[1], &[1], &[1]], &quiet());
    net.kill(2);
    assert_eq!(run(&mut net, KeyAction::Install(key(2))), None);
    net.command(0, 2, Command::Keys { action: KeyAction::Install(key(3)), relay_factor: 0 });
    net.command(0, 3, Command::Keys { action: KeyAction::List, relay_factor: 0 });
    assert_eq!(
        net.completed,
        [(CommandId(2), Err(CommandError::Busy("key changes")))],
        "one after the other"
    );
    net.run(4 * SECOND);
    let texts: Vec<_> = net.completed[1..].iter().map(|(_, r)| r.as_ref().unwrap_err().to_string()).collect();
    assert_eq!(texts, ["2/3 nodes reported success", "2/3 nodes reported success"]);
    assert_eq!(ring(&net, 1), [1, 2]);
}

/// serf 113.
#[test]
fn a_list_is_cut_to_fit_and_says_so() {
    let all: Vec<u8> = (1..=KEYS_MAX as u8).collect();
    for (relay_factor, shown) in [(0, 27), (1, 26)] {
        let mut net = keyed(&[&all, &all, &[1]], &quiet());
        net.command(0, 1, Command::Keys { action: KeyAction::List, relay_factor });
        net.run(SECOND);
        let Some((_, Ok(Done::Keys(report)))) = net.completed.first() else { panic!("{:?}", net.completed) };
        let remark = alloc::format!("{shown} of 64 keys are shown, more do not fit");
        let remarks: Vec<_> =
            report.remarks.iter().map(|(name, remark)| (name.as_str(), &**remark)).collect();
        assert_eq!(remarks, [("n0", &*remark), ("n1", &*remark)]);
        assert_eq!((report.keys.len(), report.keys[0].1, report.keys[1].1), (shown, 3, 2));
        assert_eq!(report.primaries, [(key(1), 3)]);
    }
}
