//! Join and leave intents, statuses, force-leave and prune (facts 2.4 and 2.6; numbers are those of its list of behaviours, 5.2).

use super::cluster::Cluster;
use super::stage::Stage;
use super::words::{Word, packet};
use super::{JUST, SECOND, addr, born, lan, ms, name};
use crate::config::{Config, Pacing};
use crate::error::CommandError;
use crate::id::{LamportTime, NodeName};
use crate::io::{Command, CommandId, Done, Input, State, Status};
use crate::members::{Claim, Verdict, verdict};
use crate::node::Node;
use crate::node::intents::FORCE_LEAVES_MAX;
use crate::spread::Lane;
use crate::tags::Tags;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

/// A member's status and when it was decided.
fn status(node: &Node, of: usize) -> Option<(Status, u64)> {
    let slot = node.members.find(&name(of))?;
    Some((node.members.known(slot)?.status, node.members.status_time(slot).0))
}

fn intents_queued(node: &Node) -> usize {
    node.queue.lane(Lane::Intents).len()
}

fn join(of: usize, at: u64) -> Word {
    Word::JoinIntent { of, at }
}

fn leave(of: usize, at: u64) -> Word {
    Word::LeaveIntent { of, at, prune: false }
}

fn prune(of: usize, at: u64) -> Word {
    Word::LeaveIntent { of, at, prune: true }
}

fn alive(of: usize, incarnation: u32) -> Word {
    Word::Alive { of, incarnation }
}

fn force_leave(of: usize, prune: bool) -> Command {
    Command::ForceLeave { name: NodeName::new(&name(of)).unwrap(), prune }
}

/// 84.
#[test]
fn an_intent_that_overtakes_its_member_waits_for_it() {
    let mut stage = Stage::new(3, &lan());
    stage.hears(1, &[join(7, 5), alive(7, 1), join(8, 5), leave(8, 6), alive(8, 1), alive(9, 1)]);
    assert_eq!(status(&stage.node, 7), Some((Status::Alive, 5)));
    assert_eq!(status(&stage.node, 8), Some((Status::Leaving, 6)));
    assert_eq!(status(&stage.node, 9), Some((Status::Alive, 0)));
    assert_eq!(stage.node.early_intents(), 0);
}

/// 85.
#[test]
fn an_early_intent_is_passed_on_once() {
    let mut stage = Stage::new(3, &lan());
    stage.hears(1, &[join(7, 5)]);
    stage.hears(2, &[join(7, 5), leave(7, 4)]);
    assert_eq!((intents_queued(&stage.node), stage.node.early_intents()), (1, 1));
}

/// 86.
#[test]
fn an_intent_older_than_the_last_is_neither_taken_nor_kept_nor_passed_on() {
    let mut stage = Stage::new(3, &lan());
    stage.hears(1, &[join(1, 12)]);
    stage.hears(1, &[join(1, 10), leave(1, 10), leave(1, 12)]);
    assert_eq!(status(&stage.node, 1), Some((Status::Alive, 12)));
    assert_eq!((intents_queued(&stage.node), stage.node.early_intents()), (1, 0));
}

/// 87 and 88.
#[test]
fn the_later_of_a_join_and_a_leave_counts_and_moves_the_clock() {
    let mut stage = Stage::new(3, &lan());
    stage.hears(1, &[join(1, 12), leave(1, 14)]);
    assert_eq!(status(&stage.node, 1), Some((Status::Leaving, 14)));
    assert_eq!(stage.node.clocks().member, LamportTime(15));
    stage.hears(2, &[leave(2, 20), join(2, 22)]);
    assert_eq!(status(&stage.node, 2), Some((Status::Alive, 22)));
    assert_eq!(stage.node.clocks().member, LamportTime(23));
    assert_eq!(intents_queued(&stage.node), 4);
}

/// 89 and 79.
#[test]
fn a_join_is_stamped_and_told_and_so_is_a_leave() {
    let mut net = Cluster::strangers(2, &lan());
    net.command(1, 1, Command::Join { addresses: vec![addr(0)], replay: false });
    net.run(SECOND);
    assert_eq!(status(net.node(0), 1), Some((Status::Alive, 1)));
    assert_eq!(status(net.node(1), 1), Some((Status::Alive, 1)));
    assert_eq!((net.node(0).clocks().member, net.node(1).clocks().member), (LamportTime(2), LamportTime(2)));
    net.command(1, 2, Command::Leave);
    net.run(SECOND);
    assert!(net.node(0).clocks().member > LamportTime(2));
    assert_eq!(net.events[0], ["join n1", "leave n1"]);
}

/// 78. The status is seen by everybody before the member goes, and its death without another word is a leave.
#[test]
fn a_leaving_member_is_shown_as_leaving_and_its_death_is_no_failure() {
    let slow = Config { gossip_nodes: 1, pacing: Pacing::Tick, ..lan() };
    let mut net = Cluster::converged(4, &slow);
    net.command(2, 1, Command::Leave);
    let seen_leaving =
        |net: &Cluster| [0, 1, 3].iter().all(|i| status(net.node(*i), 2) == Some((Status::Leaving, 1)));
    let seen = (0..1000).any(|_| {
        net.run(ms(1));
        seen_leaving(&net)
    });
    assert!(seen, "it went before everybody saw it leaving");
    net.kill(2);
    net.run(60 * SECOND);
    for i in [0, 1, 3] {
        assert_eq!(net.events[i], ["leave n2"], "node {i}");
        assert_eq!(status(net.node(i), 2), Some((Status::Left, 1)), "node {i}");
        assert_eq!(net.node(i).members.n_left(), 1);
    }
}

/// 83.
#[test]
fn two_leaves_of_one_member_are_not_gossiped_for_ever() {
    let mut net = Cluster::converged(5, &lan());
    net.kill(4);
    for (to, at) in [(0, 5), (1, 9), (2, 5), (3, 7)] {
        net.step(to, Input::Packet { from: addr(4), bytes: &packet(&[leave(4, at)]) });
    }
    net.run(60 * SECOND);
    for i in 0..4 {
        assert_eq!(intents_queued(net.node(i)), 0, "node {i}");
        assert_eq!(status(net.node(i), 4), Some((Status::Left, 9)), "node {i}");
        assert_eq!(net.events[i], ["leave n4"]);
    }
}

/// 101.
#[test]
fn a_member_that_left_can_rejoin_at_once_with_another_tag() {
    let mut net = Cluster::converged(4, &lan());
    net.command(2, 1, Command::Leave);
    net.run(7 * SECOND);
    let mut again = born(2, &lan(), &[], net.now);
    let tags = Tags::from_iter([("role", "db")]);
    let identity = crate::id::Identity { meta: tags.to_meta().into(), ..(**again.identity()).clone() };
    again.members.set_identity(crate::members::Members::ME, alloc::sync::Arc::new(identity));
    net.nodes[2] = Some(again);
    net.command(2, 2, Command::Join { addresses: vec![addr(0)], replay: false });
    net.run(3 * SECOND);
    for i in [0, 1, 3] {
        let (now, time) = status(net.node(i), 2).unwrap();
        assert!(now == Status::Alive && time >= 2, "node {i}: {now:?} {time}");
        assert_eq!(net.events[i], ["leave n2", "join n2"], "node {i}");
        let meta = &net.node(i).member("n2").unwrap().identity.meta;
        assert_eq!(Tags::from_meta(meta).unwrap().get("role"), Some("db"));
    }
}

/// 77 and 103.
#[test]
fn a_failed_member_is_reaped_and_one_that_comes_back_in_time_is_not() {
    let short = Config { reconnect_timeout: 60 * SECOND, ..lan() };
    let mut net = Cluster::converged(4, &short);
    net.kill(1);
    net.kill(2);
    net.run(40 * SECOND);
    net.nodes[2] = Some(born(2, &short, &[], net.now));
    net.run(70 * SECOND);
    for i in [0, 3] {
        let of = |who: &str| net.events[i].iter().filter(|e| e.ends_with(who)).cloned().collect::<Vec<_>>();
        assert_eq!(of("n1"), ["failed n1", "reap n1"], "node {i}");
        assert_eq!(of("n2"), ["failed n2", "join n2"], "node {i}");
    }
}

/// 80.
#[test]
fn a_failed_member_that_is_forced_to_leave_has_left_everywhere() {
    let short = Config { tombstone_timeout: 200 * SECOND, ..lan() };
    let mut net = Cluster::converged(5, &short);
    net.kill(4);
    net.run(100 * SECOND);
    assert_eq!(status(net.node(3), 4), Some((Status::Failed, 0)));
    net.command(0, 1, force_leave(4, false));
    assert_eq!(net.completed, []);
    net.run(5 * SECOND);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::ForceLeft))]);
    for i in 0..4 {
        assert_eq!(net.events[i], ["failed n4", "leave n4"], "node {i}");
        assert_eq!((net.node(i).members.n_failed(), net.node(i).members.n_left()), (0, 1));
    }
    // From its death on it is remembered as long as one that left, not as long as one that failed.
    net.run(120 * SECOND);
    for i in 0..4 {
        assert_eq!(net.events[i], ["failed n4", "leave n4", "reap n4"], "node {i}");
        assert_eq!(net.node(i).member("n4").map(|view| view.status), None);
    }
}

/// 81: failed, leaving, left, and alive ones too.
#[test]
fn pruned_members_are_gone_from_every_table() {
    for before in ["failed", "leaving", "left", "alive"] {
        let mut net = Cluster::converged(5, &lan());
        match before {
            "failed" => {
                net.kill(4);
                net.run(40 * SECOND);
            }
            "left" => {
                net.command(4, 9, Command::Leave);
                net.run(7 * SECOND);
                net.completed.clear();
            }
            _ => {}
        }
        net.kill(4);
        if before == "leaving" {
            net.step(0, Input::Packet { from: addr(4), bytes: &packet(&[leave(4, 1)]) });
            net.run(ms(600));
            assert_eq!(status(net.node(3), 4), Some((Status::Leaving, 1)));
        }
        net.command(0, 1, force_leave(4, true));
        net.run(100 * SECOND);
        assert_eq!(net.completed, [(CommandId(1), Ok(Done::ForceLeft))], "{before}");
        for i in 0..4 {
            assert!(net.node(i).member("n4").is_none(), "{before}: node {i} knows n4");
            assert_eq!(net.events[i].iter().filter(|e| *e == "reap n4").count(), 1, "{before}");
            assert_eq!((net.node(i).others_up(), net.node(i).queue_depth()), (3, 0));
            assert_eq!((net.node(i).members.n_failed(), net.node(i).members.n_left()), (0, 0));
        }
    }
}

/// 82.
#[test]
fn forcing_oneself_or_an_unknown_name_to_leave_is_no_error() {
    let mut net = Cluster::converged(3, &lan());
    net.command(0, 1, force_leave(0, false));
    net.command(0, 2, force_leave(9, true));
    net.run(5 * SECOND);
    assert_eq!(net.completed, [1, 2].map(|id| (CommandId(id), Ok(Done::ForceLeft))));
    for i in 0..3 {
        assert_eq!(status(net.node(i), 0).map(|s| s.0), Some(Status::Alive), "node {i}");
        assert_eq!(net.events[i], Vec::<String>::new());
        assert_eq!(net.node(i).early_intents(), 1);
    }
    let mut alone = Cluster::strangers(1, &lan());
    alone.command(0, 3, force_leave(9, false));
    assert_eq!(alone.completed, [(CommandId(3), Ok(Done::ForceLeft))]);
    assert_eq!(alone.node(0).queue_depth(), 0);
}

#[test]
fn a_live_member_refutes_that_it_leaves() {
    let mut net = Cluster::converged(5, &lan());
    net.command(0, 1, force_leave(3, false));
    assert_eq!(status(net.node(0), 3), Some((Status::Leaving, 1)));
    net.run(5 * SECOND);
    for i in 0..5 {
        assert_eq!(status(net.node(i), 3), Some((Status::Alive, 2)), "node {i}");
        assert_eq!(net.events[i], Vec::<String>::new());
    }
}

#[test]
fn a_leave_at_the_end_of_the_clock_cannot_be_refuted_and_is_counted() {
    let mut stage = Stage::new(3, &lan());
    stage.hears(1, &[leave(0, LamportTime::MAX.0)]);
    assert_eq!(status(&stage.node, 0), Some((Status::Alive, 0)));
    assert_eq!((stage.node.counters().unrefutable, intents_queued(&stage.node)), (1, 0));
}

#[test]
fn several_force_leaves_may_be_under_way_but_not_any_number() {
    let hasty = Config { broadcast_timeout: ms(10), gossip_interval: SECOND, ..lan() };
    let mut net = Cluster::converged(3, &hasty);
    for id in 0..=FORCE_LEAVES_MAX as u64 {
        net.command(0, id, force_leave(7, false));
    }
    let last = CommandId(FORCE_LEAVES_MAX as u64);
    assert_eq!(net.completed, [(last, Err(CommandError::Busy("force-leaves")))]);
    assert_eq!(net.node(0).counters().busy, 1);
    net.completed.clear();
    net.run(ms(10));
    assert_eq!(net.completed.len(), FORCE_LEAVES_MAX);
    assert!(net.completed.iter().all(|(_, result)| *result == Err(CommandError::BroadcastTimeout)));
    net.command(0, 99, force_leave(7, false));
    net.command(0, 100, Command::Leave);
    assert_eq!(net.completed.last(), Some(&(CommandId(99), Err(CommandError::Leaving))));
}

/// 108.
#[test]
fn intents_about_names_that_never_appear_are_dropped_in_time_and_in_number() {
    let few = Config { intents_max: 16, ..lan() };
    let mut stage = Stage::answering(3, &few);
    for of in 100..120 {
        stage.hears(1, &[leave(of, 1)]);
    }
    assert_eq!((stage.node.early_intents(), stage.node.counters().intents_shed), (16, 4));
    stage.until_just_before(stage.now + few.recent_intent_timeout);
    assert_eq!(stage.node.early_intents(), 16);
    stage.wait(JUST);
    assert_eq!(stage.node.early_intents(), 0);
}

/// What happens to a member, as a peer tells it.
#[derive(Clone, Copy, Debug)]
enum Told {
    Join(u64),
    Leave(u64),
    Prune(u64),
    Alive(u32),
    Dead(u32),
    /// The member itself says that it is gone.
    Gone(u32),
}

impl Told {
    fn word(self) -> Word {
        match self {
            Self::Join(at) => join(1, at),
            Self::Leave(at) => leave(1, at),
            Self::Prune(at) => prune(1, at),
            Self::Alive(incarnation) => alive(1, incarnation),
            Self::Dead(incarnation) => Word::Dead { of: 1, incarnation, by: 2 },
            Self::Gone(incarnation) => Word::Dead { of: 1, incarnation, by: 1 },
        }
    }
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        3 => (1u64..8).prop_map(Told::Join),
        3 => (1u64..8).prop_map(Told::Leave),
        1 => (1u64..8).prop_map(Told::Prune),
        3 => (1u32..6).prop_map(Told::Alive),
        2 => (1u32..6).prop_map(Told::Dead),
        1 => (1u32..6).prop_map(Told::Gone),
    ]
}

/// The rules of facts 2.3 and 2.4 about one member, written down as they stand there.
#[derive(Default)]
struct Oracle {
    member: Option<(State, u32)>,
    status: Option<Status>,
    time: u64,
    early: Option<(u64, bool)>,
    events: Vec<String>,
    passed_on: usize,
}

impl Oracle {
    fn hears(&mut self, told: Told) {
        match told {
            Told::Alive(incarnation) => self.swim(Claim::Alive, incarnation),
            Told::Dead(incarnation) => self.swim(Claim::Dead, incarnation),
            Told::Gone(incarnation) => self.swim(Claim::Left, incarnation),
            Told::Join(at) => self.intent(at, false, false),
            Told::Leave(at) => self.intent(at, true, false),
            Told::Prune(at) => self.intent(at, true, true),
        }
    }

    fn swim(&mut self, claim: Claim, incarnation: u32) {
        let known = self.member.map(|(state, known)| (state, crate::id::Incarnation(known)));
        match verdict(known, claim, crate::id::Incarnation(incarnation)) {
            Verdict::Raise => self.member = self.member.map(|(state, _)| (state, incarnation)),
            Verdict::Apply => self.applies(claim, incarnation),
            _ => {}
        }
    }

    fn applies(&mut self, claim: Claim, incarnation: u32) {
        let mut event = |what: &str| self.events.push(format!("{what} n1"));
        match (claim, self.status) {
            (Claim::Alive, None) => {
                let (time, leaving) = self.early.take().unwrap_or((0, false));
                self.time = time;
                self.status = Some(if leaving { Status::Leaving } else { Status::Alive });
                event("join");
            }
            (Claim::Alive, Some(Status::Left | Status::Failed)) => {
                self.status = Some(Status::Alive);
                event("join");
            }
            (Claim::Dead, Some(Status::Alive)) => {
                self.status = Some(Status::Failed);
                event("failed");
            }
            (Claim::Dead, Some(Status::Leaving))
            | (Claim::Left, Some(Status::Alive | Status::Leaving | Status::Failed)) => {
                self.status = Some(Status::Left);
                event("leave");
            }
            _ => {}
        }
        let state = match claim {
            Claim::Alive => State::Alive,
            Claim::Dead => State::Dead,
            _ => State::Left,
        };
        self.member = Some((state, incarnation));
    }

    fn intent(&mut self, at: u64, leaves: bool, prune: bool) {
        let Some(status) = self.status else {
            if self.early.is_none_or(|(known, _)| at > known) {
                self.early = Some((at, leaves));
                self.passed_on += 1;
            }
            return;
        };
        if at <= self.time {
            return;
        }
        self.time = at;
        self.passed_on += 1;
        self.status = Some(match (leaves, status) {
            (true, Status::Alive) => Status::Leaving,
            (true, Status::Failed) => {
                self.events.push("leave n1".into());
                Status::Left
            }
            (false, Status::Leaving) => Status::Alive,
            (_, status) => status,
        });
        if prune {
            self.events.push("reap n1".into());
            *self = Self {
                early: Some((at, false)),
                events: core::mem::take(&mut self.events),
                passed_on: self.passed_on,
                ..Self::default()
            };
        }
    }
}

proptest! {
    /// Any order and repetition of intents and of what the failure detector hears.
    #[test]
    fn statuses_follow_the_rules_written_down(heard in prop::collection::vec(told(), 0..40)) {
        let mut stage = Stage::new(1, &lan());
        stage.hears(2, &[alive(2, 1)]);
        stage.events.clear();
        let mut oracle = Oracle::default();
        for told in heard {
            stage.hears(2, &[told.word()]);
            oracle.hears(told);
            let expected = oracle.status.map(|status| (status, oracle.time));
            prop_assert_eq!(status(&stage.node, 1), expected, "after {:?}", told);
            prop_assert_eq!(intents_queued(&stage.node), oracle.passed_on, "after {:?}", told);
        }
        let events: Vec<_> = stage.events.iter().map(|(_, event)| event.clone()).collect();
        prop_assert_eq!(events, oracle.events);
    }

    /// The same set in any order: the same status time, and the member clock behind all of it.
    #[test]
    fn the_same_intents_in_any_order_end_at_the_same_status_time(
        heard in prop::collection::vec(told().prop_filter("no prune", |told| !matches!(told, Told::Prune(_))), 0..20),
        keys in prop::collection::vec(any::<u32>(), 20),
    ) {
        let mut other: Vec<_> = heard.iter().zip(keys).collect();
        other.sort_by_key(|(_, key)| *key);
        let end = |order: &mut dyn Iterator<Item = Told>| {
            let mut stage = Stage::new(1, &lan());
            stage.hears(2, &[alive(1, 1)]);
            order.for_each(|told| stage.hears(2, &[told.word()]));
            (status(&stage.node, 1).unwrap().1, stage.node.clocks().member)
        };
        let one = end(&mut heard.iter().copied());
        prop_assert_eq!(one, end(&mut other.into_iter().map(|(told, _)| *told)));
        let stamps = heard.iter().filter_map(|told| match told {
            Told::Join(at) | Told::Leave(at) => Some(*at),
            _ => None,
        });
        let last = stamps.max().unwrap_or(0);
        prop_assert_eq!(one, (last, LamportTime(last + 1)));
    }
}
