use super::*;
use crate::id::{Identity, Incarnation, Versions};
use alloc::string::String;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;

fn at(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

fn member(name: &str, tag: u8) -> SharedIdentity {
    let (name, addr) = (NodeName::new(name).unwrap(), ([10, 0, 0, 1], 1).into());
    Arc::new(Identity { name, addr, meta: [tag].into(), versions: Versions::CURRENT })
}

fn members(max: usize) -> MemberCoalescer {
    MemberCoalescer::new(Times::default(), max)
}

fn joined(member: &SharedIdentity) -> Event<'_> {
    Event::Join { member, incarnation: Incarnation(1) }
}

fn told(coalescer: &mut MemberCoalescer) -> Vec<(MemberChange, Vec<String>)> {
    let names = |members: Vec<SharedIdentity>| members.iter().map(|member| member.name.to_string()).collect();
    coalescer.flush().into_iter().map(|(change, members)| (change, names(members))).collect()
}

/// Facts 5.2, 110.
#[test]
fn the_latest_change_of_each_member_is_told_by_kind_and_a_second_update_is_never_suppressed() {
    let mut coalescer = members(100);
    let (foo, bar, dead) = (member("foo", 0), member("bar", 0), member("dead", 0));
    let (zip, zip_again) = (member("zip", 1), member("zip", 2));
    for event in [
        joined(&foo),
        Event::Leave { member: &foo },
        Event::Leave { member: &bar },
        Event::Update { member: &zip },
        Event::Update { member: &zip_again },
        Event::Reap { member: &dead },
    ] {
        assert!(coalescer.push(&event, at(0)));
    }
    let flushed = coalescer.flush();
    let kinds: Vec<MemberChange> = flushed.iter().map(|(change, _)| *change).collect();
    assert_eq!(kinds, [MemberChange::Leave, MemberChange::Update, MemberChange::Reap]);
    assert_eq!(flushed[0].1, [bar, foo.clone()]);
    assert_eq!(flushed[1].1[0].meta[..], [2]);
    for repeated in [Event::Leave { member: &foo }, Event::Update { member: &zip }] {
        assert!(coalescer.push(&repeated, at(9000)));
    }
    assert_eq!(told(&mut coalescer), [(MemberChange::Update, vec!["zip".into()])]);
}

#[test]
fn a_member_that_was_reaped_is_forgotten() {
    let (mut coalescer, foo) = (members(100), member("foo", 0));
    for event in [joined(&foo), Event::Reap { member: &foo }, joined(&foo)] {
        assert!(coalescer.push(&event, at(0)));
        assert_eq!(coalescer.flush().len(), 1);
    }
    assert_eq!(coalescer.told.len(), 1);
}

fn user(name: &'static str, ltime: u64, payload: &'static [u8]) -> Event<'static> {
    Event::User { ltime: LamportTime(ltime), origin: "o", name, payload, coalesce: true }
}

/// Facts 5.2, 111.
#[test]
fn of_each_name_the_newest_time_is_told_with_all_its_events() {
    let mut coalescer = UserCoalescer::new(Times::default(), 100);
    for event in [
        user("deploy", 5, b"old"),
        user("deploy", 7, b"a"),
        user("deploy", 6, b"late"),
        user("deploy", 7, b"b"),
        user("other", 1, b"c"),
    ] {
        assert!(coalescer.push(&event, at(0)));
    }
    let flushed: Vec<(u64, Vec<u8>)> =
        coalescer.flush().into_iter().map(|event| (event.ltime.0, event.payload.to_vec())).collect();
    assert_eq!(flushed, [(7, b"a".to_vec()), (7, b"b".to_vec()), (1, b"c".to_vec())]);
    assert_eq!((coalescer.flush(), coalescer.deadline()), (vec![], None));
}

/// Facts 5.2, 112.
#[test]
fn quiet_ends_a_window_early_and_its_period_ends_it_in_constant_traffic() {
    let (mut coalescer, foo) = (members(100), member("foo", 0));
    assert_eq!(coalescer.deadline(), None);
    assert!(coalescer.push(&joined(&foo), at(100)));
    assert_eq!(coalescer.deadline(), Some(at(1100)));
    for time in (200..3000).step_by(500) {
        assert!(coalescer.push(&joined(&foo), at(time)));
        assert_eq!(coalescer.deadline(), Some(at((time + 1000).min(3100))));
    }
    let _ = coalescer.flush();
    assert_eq!(coalescer.deadline(), None);
}

/// Facts 5.2, 112.
#[test]
fn what_is_not_to_be_merged_is_left_to_the_caller() {
    let foo = member("foo", 0);
    let single = Event::User { ltime: LamportTime(1), origin: "o", name: "n", payload: &[], coalesce: false };
    assert!(!UserCoalescer::new(Times::default(), 9).push(&single, at(0)));
    assert!(!UserCoalescer::new(Times::default(), 9).push(&joined(&foo), at(0)));
    assert!(!members(9).push(&single, at(0)));
}

#[test]
fn a_full_coalescer_is_due_at_once_and_takes_no_more() {
    let mut coalescer = members(2);
    for name in ["a", "b"] {
        assert!(coalescer.push(&joined(&member(name, 0)), at(50)));
    }
    assert_eq!(coalescer.deadline(), Some(at(50)));
    assert!(!coalescer.push(&joined(&member("c", 0)), at(60)));
    assert!(coalescer.push(&joined(&member("a", 1)), at(60)), "no further member");
    assert_eq!(told(&mut coalescer), [(MemberChange::Join, vec!["a".into(), "b".into()])]);
    assert!(coalescer.told.len() <= 2);
    let mut coalescer = UserCoalescer::new(Times::default(), 2);
    assert!(coalescer.push(&user("a", 1, b"1"), at(0)) && coalescer.push(&user("a", 1, b"2"), at(0)));
    assert!(!coalescer.push(&user("b", 1, b"3"), at(0)));
    assert!(coalescer.push(&user("a", 2, b"4"), at(0)), "it takes the place of two");
    assert_eq!(coalescer.flush().len(), 1);
}
