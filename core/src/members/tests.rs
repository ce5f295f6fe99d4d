use super::*;
use crate::id::{Identity, NodeName, Versions};
use alloc::format;
use alloc::sync::Arc;
use proptest::prelude::{prop, prop_assert_eq, proptest};
use std::collections::BTreeMap;

fn identity(name: &str) -> SharedIdentity {
    Arc::new(Identity {
        name: NodeName::new(name).unwrap(),
        addr: "10.0.0.1:7946".parse().unwrap(),
        meta: [].into(),
        versions: Versions::CURRENT,
    })
}

fn table(n: u32) -> Members {
    let seed = Seed::simulated(1, 0, 0);
    let mut members = Members::new(identity("me"), Incarnation(1), &seed, 0, Instant::ORIGIN);
    for i in 0..n {
        members.insert(identity(&format!("m{i}")), Incarnation(1), Instant::ORIGIN);
    }
    members
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
        let gap = (1..).find(|_| members.next_probe(&mut rng) == Some(target)).unwrap();
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
        assert_eq!(members.next_probe(&mut rng), Some(only));
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
    assert_eq!(members.known(new).unwrap().incarnation, Incarnation(3));
}

proptest! {
    /// Against a naive map: names, states, counts and the list of reachable members.
    #[test]
    fn the_table_agrees_with_a_naive_model(ops in prop::collection::vec((0u8..12, 0u8..5), 0..120)) {
        let mut members = table(0);
        let mut model: BTreeMap<std::string::String, State> = BTreeMap::new();
        for (name, op) in ops {
            let name = format!("m{name}");
            match (members.find(&name), op) {
                (None, _) => {
                    members.insert(identity(&name), Incarnation(1), Instant::ORIGIN);
                    model.insert(name, State::Alive);
                }
                (Some(slot), 4) => {
                    members.reap(slot);
                    model.remove(&name);
                }
                (Some(slot), op) => {
                    let state = [State::Suspect, State::Dead, State::Left, State::Forgotten][usize::from(op)];
                    members.set(slot, state, Incarnation(2), Instant::ORIGIN);
                    model.insert(name, state);
                }
            }
            let count = |states: &[State]| model.values().filter(|s| states.contains(s)).count();
            prop_assert_eq!(members.n_serf() as usize, model.len() + 1);
            prop_assert_eq!(members.n_swim() as usize, model.len() + 1 - count(&[State::Forgotten]));
            prop_assert_eq!(members.others_up() as usize, count(&[State::Alive, State::Suspect]));
            prop_assert_eq!(members.reachable.len(), count(&[State::Alive, State::Suspect, State::Dead]));
            for (place, &index) in members.reachable.iter().enumerate() {
                prop_assert_eq!(members.rows[index as usize].place as usize, place);
            }
            for (name, state) in &model {
                prop_assert_eq!(members.known(members.find(name).unwrap()).unwrap().state, *state);
            }
            let status = |s: Status| members.iter().filter(|(_, known)| known.status == s).count();
            prop_assert_eq!(members.n_failed() as usize, status(Status::Failed));
            prop_assert_eq!(members.n_left() as usize, status(Status::Left));
        }
    }
}
