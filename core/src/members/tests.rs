use super::*;
use crate::deadlines::{Deadlines, Due, Timer};
use crate::id::{Identity, NodeName, Versions};
use alloc::format;
use alloc::string::String;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeMap;

fn identity(name: &str) -> SharedIdentity {
    Arc::new(Identity {
        name: NodeName::new(name).unwrap(),
        addr: "10.0.0.1:7946".parse().unwrap(),
        meta: [].into(),
        versions: Versions::CURRENT,
    })
}

fn roster(names: impl Iterator<Item = String>) -> Arc<Roster> {
    let members = names.map(|name| (identity(&name), Incarnation(1)));
    Arc::new(Roster::new(members, &Seed::simulated(1, 0, 0)))
}

/// A table of a node `me` and `n` others, of whom the first `base` come from a roster.
fn table_over(base: u32, n: u32) -> Members {
    let seed = Seed::simulated(1, 0, 0);
    let base_names = (0..base).map(|i| format!("m{i}"));
    let mut members =
        Members::new(identity("me"), Incarnation(1), &seed, roster(base_names), Instant::ORIGIN);
    for i in base..n {
        members.insert(identity(&format!("m{i}")), Incarnation(1), Instant::ORIGIN);
    }
    members
}

/// A table of which half comes from a roster.
fn table(n: u32) -> Members {
    table_over(n / 2, n)
}

fn rng() -> Rng {
    Seed::simulated(2, 0, 0).stream(Purpose::Protocol)
}

#[test]
fn a_dead_member_is_found_within_two_rounds_of_probes() {
    let mut members = table(20);
    let mut rng = rng();
    let target = members.find("m7").unwrap();
    for _ in 0..100 {
        let gap =
            (1..).find(|_| members.next_probe(&mut rng).is_some_and(|(slot, _)| slot == target)).unwrap();
        assert!(gap < 2 * 20, "probed again only after {gap} probes");
    }
}

#[test]
fn the_node_itself_and_the_dead_are_not_probed() {
    let mut members = table(3);
    let mut rng = rng();
    for (name, state) in [("m0", State::Dead), ("m1", State::Left)] {
        members.set(members.find(name).unwrap(), state, Incarnation(1), Instant::ORIGIN);
    }
    let only = members.find("m2").unwrap();
    for _ in 0..20 {
        assert_eq!(members.next_probe(&mut rng).map(|(slot, _)| slot), Some(only));
    }
    members.set(only, State::Dead, Incarnation(1), Instant::ORIGIN);
    assert_eq!(members.next_probe(&mut rng), None);
}

#[test]
fn helpers_are_alive_distinct_and_not_the_one_excepted() {
    let mut members = table(10);
    let mut rng = rng();
    let except = members.find("m0").unwrap();
    let suspect = members.find("m1").unwrap();
    members.set(suspect, State::Suspect, Incarnation(1), Instant::ORIGIN);
    for k in [1, 3, 8, 20] {
        let chosen = members.choose_alive(k, Some(except), &mut rng);
        assert_eq!(chosen.len(), k.min(8));
        assert!(!chosen.contains(&except) && !chosen.contains(&suspect) && !chosen.contains(&Members::ME));
        let mut distinct = chosen.clone();
        distinct.sort_by_key(|slot| slot.index);
        distinct.dedup();
        assert_eq!(distinct.len(), chosen.len());
    }
}

/// A batch may end with the first of those chosen: whoever stands first in a small table must not always be that one.
#[test]
fn every_member_of_a_small_table_is_chosen_first_equally_often() {
    let members = table(8);
    let mut rng = rng();
    let mut first = [0u32; 9];
    for _ in 0..8000 {
        first[members.choose_reachable(3, &mut rng)[0].index as usize] += 1;
    }
    // Each Binomial(8000, 1/8): sd 30; five of them.
    assert!(first[1..].iter().all(|n| n.abs_diff(1000) < 150), "{first:?}");
}

#[test]
fn every_reachable_member_is_chosen_equally_often() {
    let members = table(30);
    let mut rng = rng();
    let mut counts = [0u32; 31];
    for _ in 0..10_000 {
        for slot in members.choose_reachable(3, &mut rng) {
            counts[slot.index as usize] += 1;
        }
    }
    assert_eq!(counts[0], 0);
    // Each Binomial(10 000, 0.1): sd 30; five of them.
    assert!(counts[1..].iter().all(|n| n.abs_diff(1000) < 150), "{counts:?}");
}

#[test]
fn a_slot_kept_from_an_earlier_occupant_is_stale() {
    let mut members = table(1);
    let old = members.find("m0").unwrap();
    assert!(members.reap(old).is_some());
    assert_eq!(members.find("m0"), None);
    let new = members.insert(identity("other"), Incarnation(3), Instant::ORIGIN);
    assert_eq!(new.index, old.index);
    assert_eq!(members.known(old), None);
    assert!(members.reap(old).is_none());
    members.set(old, State::Dead, Incarnation(9), Instant::ORIGIN);
    members.set_status(old, Status::Leaving, LamportTime(9));
    members.set_timer(old, timer());
    let known = Known { state: State::Alive, incarnation: Incarnation(3), status: Status::Alive };
    assert_eq!((members.known(new), members.take_timer(new)), (Some(known), None));
    assert_eq!(members.status_time(new), LamportTime(0));
}

fn timer() -> Timer {
    Deadlines::default().arm(Instant::NEVER, Due::Probe)
}

#[test]
fn the_timer_of_a_member_is_taken_once_and_the_others_have_none() {
    // Enough for several rows to share a class.
    let mut members = table_over(2000, 2000);
    let slots: Vec<_> = (0..2000).map(|i| members.find(&format!("m{i}")).unwrap()).collect();
    for slot in slots.iter().step_by(50) {
        members.set_timer(*slot, timer());
    }
    for (place, slot) in slots.iter().enumerate() {
        let expected = (place % 50 == 0).then(timer);
        assert_eq!((members.take_timer(*slot), members.take_timer(*slot)), (expected, None), "m{place}");
        assert!(members.known(*slot).is_some());
    }
}

#[test]
fn a_reaped_member_of_the_base_comes_back_as_another_occupant() {
    let mut members = table_over(3, 3);
    let old = members.find("m1").unwrap();
    assert_eq!(members.reap(old).unwrap().name.as_str(), "m1");
    assert_eq!((members.find("m1"), members.look_up(b"m1"), members.n_serf()), (None, None, 3));
    let mut moved = Identity::clone(&identity("m1"));
    moved.addr.set_port(1);
    let new = members.insert(Arc::new(moved), Incarnation(7), Instant::ORIGIN);
    assert_ne!(new, old);
    assert_eq!((members.known(old), members.identity(old)), (None, None));
    let (slot, known) = members.look_up(b"m1").unwrap();
    let port = members.addr(slot).unwrap().port();
    assert_eq!((slot, known.incarnation, port), (new, Incarnation(7), 1));
}

#[test]
fn a_node_that_is_in_its_own_roster_stands_there_once() {
    let seed = Seed::simulated(1, 0, 0);
    let base = roster(["a", "me", "b"].map(String::from).into_iter());
    let members = Members::new(identity("me"), Incarnation(9), &seed, base, Instant::ORIGIN);
    assert_eq!((members.n_serf(), members.others_up(), members.reachable()), (3, 2, 2));
    assert_eq!(members.find("me"), Some(Members::ME));
    let names: Vec<_> = members.iter().map(|(who, known)| (who.name.as_str(), known.incarnation.0)).collect();
    assert_eq!(names, [("me", 9), ("a", 1), ("b", 1)]);
}

#[test]
fn a_roster_keeps_the_first_of_a_name_and_finds_long_names() {
    let long = "x".repeat(200);
    let names = ["a", &long, "a", "ab"];
    let members = names.iter().zip(1..).map(|(name, k)| (identity(name), Incarnation(k)));
    let roster = Roster::new(members, &Seed::simulated(3, 0, 0));
    let held: Vec<_> = roster.iter().map(|(who, incarnation)| (who.name.len(), incarnation.0)).collect();
    assert_eq!(held, [(1, 1), (200, 2), (2, 4)]);
    assert_eq!(["a", &long, "ab"].map(|name| roster.find(name.as_bytes())), [Some(0), Some(1), Some(2)]);
    assert_eq!(
        (roster.find(b"abc"), roster.find(b""), roster.find(&long.as_bytes()[1..])),
        (None, None, None)
    );
}

/// What a naive table knows of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Naive {
    state: State,
    status: Status,
    incarnation: u32,
    changed: u64,
    /// Of its status.
    time: u64,
    /// Of its address; its version spoken is the port's last digit.
    port: u16,
}

/// Any operation about one of a few names.
#[derive(Clone, Debug)]
enum Op {
    Meet,
    Set(State),
    Rename(u16),
    /// An intent, at this Lamport time.
    Intent(bool, u64),
    Reap,
}

fn op() -> impl proptest::strategy::Strategy<Value = Op> {
    use proptest::prelude::{Just, Strategy};
    const STATES: [State; 5] = [State::Alive, State::Suspect, State::Dead, State::Left, State::Forgotten];
    proptest::prop_oneof![
        2 => Just(Op::Meet),
        6 => prop::sample::select(&STATES[..]).prop_map(Op::Set),
        1 => any::<u16>().prop_filter("another port", |port| *port != 7946).prop_map(Op::Rename),
        3 => (any::<bool>(), 0u64..3).prop_map(|(leave, time)| Op::Intent(leave, time)),
        2 => Just(Op::Reap),
    ]
}

proptest! {
    /// Against a naive map: whatever was in the base and whatever happens, rows, counts, order and choices agree.
    #[test]
    fn the_table_agrees_with_a_naive_model(
        base in prop::collection::btree_set(0u8..24, 0..24),
        ops in prop::collection::vec((0u8..24, op()), 0..150),
        seed in any::<u64>(),
    ) {
        let names = base.iter().map(|i| format!("m{i}"));
        let with_me = names.clone().chain((base.len() % 2 == 0).then(|| "me".into()));
        let table_seed = Seed::simulated(1, 0, 0);
        let mut members =
            Members::new(identity("me"), Incarnation(1), &table_seed, roster(with_me), Instant::ORIGIN);
        let fresh = |now| Naive { state: State::Alive, status: Status::Alive, incarnation: 1, changed: now, time: 0, port: 7946 };
        let mut model: BTreeMap<String, Naive> = names.map(|name| (name, fresh(0))).collect();
        let mut rng = Seed::simulated(seed, 0, 0).stream(Purpose::Protocol);
        for (now, (name, op)) in (1u64..).zip(ops) {
            let name = format!("m{name}");
            let at = Instant::from_nanos(now);
            match (members.find(&name), op) {
                (None, _) => {
                    prop_assert!(!model.contains_key(&name));
                    members.insert(identity(&name), Incarnation(1), at);
                    model.insert(name, fresh(now));
                }
                (Some(_), Op::Meet) => prop_assert!(model.contains_key(&name)),
                (Some(slot), Op::Reap) => {
                    let reaped = members.reap(slot).unwrap();
                    prop_assert_eq!(reaped.name.as_str(), &name);
                    prop_assert_eq!(members.known(slot), None);
                    model.remove(&name);
                }
                (Some(slot), Op::Rename(port)) => {
                    let mut other = Identity::clone(members.identity(slot).unwrap());
                    other.addr.set_port(port);
                    other.versions.protocol = (port % 10) as u8;
                    members.set_identity(slot, Arc::new(other));
                    model.get_mut(&name).unwrap().port = port;
                }
                (Some(slot), Op::Intent(leave, time)) => {
                    let row = model.get_mut(&name).unwrap();
                    row.status = match (row.status, leave) {
                        (Status::Alive, true) => Status::Leaving,
                        (Status::Leaving, false) => Status::Alive,
                        (Status::Failed, true) => Status::Left,
                        (status, _) => status,
                    };
                    row.time = time;
                    members.set_status(slot, row.status, LamportTime(time));
                }
                (Some(slot), Op::Set(state)) => {
                    members.set(slot, state, Incarnation(now as u32), at);
                    let row = model.get_mut(&name).unwrap();
                    if row.state != state && state != State::Forgotten {
                        row.changed = now;
                    }
                    row.status = match state {
                        State::Alive | State::Suspect if row.status == Status::Leaving => Status::Leaving,
                        State::Alive | State::Suspect => Status::Alive,
                        State::Dead if matches!(row.status, Status::Leaving | Status::Left) => Status::Left,
                        State::Dead => Status::Failed,
                        State::Left => Status::Left,
                        State::Forgotten => row.status,
                    };
                    (row.state, row.incarnation) = (state, now as u32);
                }
            }
            check_against(&members, &model)?;
            check_choices(&members, &model, &mut rng)?;
        }
    }
}

type Checked = Result<(), proptest::test_runner::TestCaseError>;

fn check_against(members: &Members, model: &BTreeMap<String, Naive>) -> Checked {
    let count = |states: &[State]| model.values().filter(|row| states.contains(&row.state)).count();
    let status = |status| model.values().filter(|row| row.status == status).count();
    prop_assert_eq!(members.n_serf() as usize, model.len() + 1);
    prop_assert_eq!(members.n_swim() as usize, model.len() + 1 - count(&[State::Forgotten]));
    prop_assert_eq!(members.others_up() as usize, count(&[State::Alive, State::Suspect]));
    prop_assert_eq!(members.reachable() as usize, count(&[State::Alive, State::Suspect, State::Dead]));
    prop_assert_eq!(members.n_failed() as usize, status(Status::Failed));
    prop_assert_eq!(members.n_left() as usize, status(Status::Left));
    let mut listed = BTreeMap::new();
    for (who, known) in members.iter().skip(1) {
        let Known { state, status, incarnation } = known;
        let (slot, found) = members.look_up(who.name.as_bytes()).unwrap();
        let changed = members.changed(slot).as_nanos();
        let (incarnation, port) = (incarnation.0, who.addr.port());
        let time = members.status_time(slot).0;
        let row = Naive { state, status, incarnation, changed, time, port };
        prop_assert_eq!(listed.insert(String::from(who.name.as_str()), row), None);
        prop_assert_eq!((found, members.addr(slot)), (known, Some(who.addr)));
        prop_assert_eq!(members.whereabouts(slot), Some((who.name.as_bytes(), who.addr)));
        prop_assert_eq!(members.identity(slot), Some(who));
    }
    prop_assert_eq!(&listed, model);
    let part = |name: &str, row: &Naive| {
        let name = name_digest(name.as_bytes());
        digest::row_digest(name, Incarnation(row.incarnation), row.status, LamportTime(row.time))
    };
    let up = |row: &Naive| matches!(row.state, State::Alive | State::Suspect);
    let mine = digest::row_digest(name_digest(b"me"), Incarnation(1), Status::Alive, LamportTime(0));
    let digest = model.iter().filter(|(_, row)| up(row)).map(|(name, row)| part(name, row));
    let digest = digest.fold(mine, u64::wrapping_add);
    prop_assert_eq!(members.settled([].into_iter()), (members.others_up() + 1, digest));
    let buckets = members.bucket_digests(8, [].into_iter());
    prop_assert_eq!(buckets.into_iter().fold(0, u64::wrapping_add), digest);
    let spoken =
        |row: &Naive| if row.port == 7946 { Versions::CURRENT.protocol } else { (row.port % 10) as u8 };
    let mut alive: Vec<u8> = model.values().filter(|row| row.status.is_up()).map(spoken).collect();
    alive.push(Versions::CURRENT.protocol);
    let mut counted: Vec<u8> = members.versions_alive().map(|versions| versions.protocol).collect();
    alive.sort_unstable();
    alive.dedup();
    counted.sort_unstable();
    prop_assert_eq!(counted, alive);
    Ok(())
}

fn check_choices(members: &Members, model: &BTreeMap<String, Naive>, rng: &mut Rng) -> Checked {
    let state = |slot: Slot| model[members.identity(slot).unwrap().name.as_str()].state;
    let reachable = members.choose_reachable(3, rng);
    prop_assert_eq!(reachable.len(), 3.min(members.reachable() as usize));
    prop_assert!(reachable.iter().all(|slot| is_reachable(state(*slot))));
    let except = reachable.first().copied();
    let alive = model.values().filter(|row| row.state == State::Alive).count();
    let helpers = members.choose_alive(4, except, rng);
    let excepted = usize::from(except.is_some_and(|slot| state(slot) == State::Alive));
    prop_assert_eq!(helpers.len(), 4.min(alive - excepted));
    prop_assert!(helpers.iter().all(|slot| state(*slot) == State::Alive && Some(*slot) != except));
    let failed = members.choose_failed(rng).map(|slot| members.known(slot).unwrap().status);
    prop_assert_eq!(failed, (members.n_failed() > 0).then_some(Status::Failed));
    Ok(())
}

/// However much of the table is acceptable, each acceptable member is equally likely.
#[test]
fn choices_are_even_in_a_table_that_is_mostly_forgotten() {
    for forgotten in [30u32, 60, 85] {
        let mut members = table_over(80, 101);
        for i in 0..forgotten {
            let slot = members.find(&format!("m{i}")).unwrap();
            members.set(slot, State::Forgotten, Incarnation(1), Instant::ORIGIN);
        }
        let (mut rng, mut counts) = (rng(), [0u32; 102]);
        for _ in 0..20_000 {
            for slot in members.choose_reachable(3, &mut rng) {
                counts[slot.index as usize] += 1;
            }
        }
        let (gone, there) = counts[1..102].split_at(forgotten as usize);
        assert!(gone.iter().all(|n| *n == 0), "{counts:?}");
        let share = 3.0 / f64::from(101 - forgotten);
        let (mean, sd) = (20_000.0 * share, libm::sqrt(20_000.0 * share * (1.0 - share)));
        assert!(there.iter().all(|n| (f64::from(*n) - mean).abs() < 5.0 * sd), "{counts:?}");
    }
}
