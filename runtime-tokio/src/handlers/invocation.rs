//! What a script is told: a pure function of the event and of who we are.

use std::fmt::Write as _;

use rumormill_core::tags::Tags;

use crate::event::{Event, MemberEvent};

/// Variables that say what happened: those that do not fit an event are taken away, lest they be inherited.
const EVENT_VARIABLES: [&str; 4] =
    ["SERF_USER_EVENT", "SERF_USER_LTIME", "SERF_QUERY_NAME", "SERF_QUERY_LTIME"];

/// What a service manager says to the agent, and to nobody else.
const MANAGER_VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Environment and standard input of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    /// Set beside what is inherited.
    pub(super) set: Vec<(String, String)>,
    /// Not inherited.
    pub(super) unset: Vec<&'static str>,
    pub(super) stdin: Vec<u8>,
}

impl Invocation {
    /// For an event at the node of this name and with these tags.
    pub(super) fn new(event: &Event, name: &str, tags: &Tags) -> Self {
        let mut set = Vec::new();
        let mut put = |key: &str, value: &str| set.push((key.to_owned(), without_nul(value)));
        put("SERF_SELF_NAME", name);
        put("SERF_SELF_ROLE", tags.get("role").unwrap_or_default());
        for (key, value) in tags.iter() {
            put(&format!("SERF_TAG_{}", variable(key)), value);
        }
        let stdin = match event {
            Event::Members(event) => {
                put("SERF_EVENT", event.kind.name());
                member_lines(event)
            }
            Event::User(event) => {
                put("SERF_EVENT", "user");
                put("SERF_USER_EVENT", &event.name);
                put("SERF_USER_LTIME", &event.ltime.0.to_string());
                ended(&event.payload)
            }
            Event::Query(event) => {
                put("SERF_EVENT", "query");
                put("SERF_QUERY_NAME", &event.name);
                put("SERF_QUERY_LTIME", &event.id.ltime.0.to_string());
                ended(&event.payload)
            }
        };
        let is_set = |key: &&'static str| set.iter().any(|(known, _)| known == key);
        let unset = EVENT_VARIABLES.into_iter().filter(|key| !is_set(key)).chain(MANAGER_VARIABLES).collect();
        Self { set, unset, stdin }
    }
}

/// A tag's key as part of a variable's name: upper case, and `_` for what a name may not have.
fn variable(key: &str) -> String {
    let upper = |c: char| {
        let mut upper = c.to_uppercase();
        match (upper.next(), upper.next()) {
            // As Serf: a letter that becomes several stays as it is.
            (Some(one), None) => one,
            _ => c,
        }
    };
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    key.chars().map(upper).map(|c| if allowed(c) { c } else { '_' }).collect()
}

/// No variable may have a NUL: it would end there.
fn without_nul(value: &str) -> String {
    value.replace('\0', "")
}

/// `NAME TAB ADDRESS TAB ROLE TAB TAGS` for each member.
fn member_lines(event: &MemberEvent) -> Vec<u8> {
    let mut lines = String::new();
    for member in &*event.members {
        let tags = member.tags();
        let pairs: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (name, role) = (escaped(member.name()), escaped(tags.get("role").unwrap_or_default()));
        // Writing to a String does not fail.
        let _ = writeln!(lines, "{name}\t{}\t{role}\t{}", member.addr().ip(), escaped(&pairs.join(",")));
    }
    lines.into_bytes()
}

/// What separates fields and lines, written otherwise.
fn escaped(text: &str) -> String {
    text.replace('\t', "\\t").replace('\n', "\\n")
}

/// With a newline at the end, if there is anything.
fn ended(payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Chance, MemberEventKind, QueryEvent, UserEvent};
    use crate::member::Member;
    use proptest::prelude::*;
    use rumormill_core::id::{Identity, Incarnation, LamportTime, NodeName, Versions};
    use rumormill_core::io::{QueryId, Status};

    fn member(name: &str, addr: &str, tags: &[(&str, &str)]) -> Member {
        let tags: Tags = tags.iter().copied().collect();
        let name = NodeName::new(name).unwrap();
        let (addr, meta) = (addr.parse().unwrap(), tags.to_meta().into());
        let identity = Identity { name, addr, meta, versions: Versions::CURRENT }.into();
        Member { identity, incarnation: Incarnation(1), status: Status::Alive }
    }

    fn joined(members: &[Member]) -> Event {
        Event::Members(MemberEvent { kind: MemberEventKind::Join, members: members.into() })
    }

    fn get<'a>(invocation: &'a Invocation, key: &str) -> Option<&'a str> {
        invocation.set.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Facts 5.2, 115.
    #[test]
    fn members_are_lines_of_four_fields() {
        let event = joined(&[
            member("foo", "1.2.3.4:7946", &[("role", "bar"), ("foo", "bar")]),
            member("six", "[fd00::6]:7946", &[]),
        ]);
        let tags = Tags::from_iter([("role", "lb"), ("a-b.ü", "x"), ("straße", "1")]);
        let invocation = Invocation::new(&event, "ourname", &tags);
        assert_eq!(invocation.stdin, b"foo\t1.2.3.4\tbar\tfoo=bar,role=bar\nsix\tfd00::6\t\t\n");
        assert_eq!(get(&invocation, "SERF_EVENT"), Some("member-join"));
        assert_eq!(get(&invocation, "SERF_SELF_NAME"), Some("ourname"));
        assert_eq!(get(&invocation, "SERF_SELF_ROLE"), Some("lb"));
        assert_eq!(get(&invocation, "SERF_TAG_ROLE"), Some("lb"));
        assert_eq!(get(&invocation, "SERF_TAG_A_B__"), Some("x"));
        assert_eq!(get(&invocation, "SERF_TAG_STRA_E"), Some("1"));
        assert_eq!(invocation.unset, [&EVENT_VARIABLES[..], &MANAGER_VARIABLES].concat());
    }

    #[test]
    fn nothing_in_a_member_can_forge_a_line_or_a_field() {
        let hostile = [("role", "a\tb\nc"), ("k\n", "v\t")];
        let event = joined(&[member("n m", "1.2.3.4:7946", &hostile)]);
        let invocation = Invocation::new(&event, "us", &Tags::new());
        assert_eq!(invocation.stdin, b"n m\t1.2.3.4\ta\\tb\\nc\tk\\n=v\\t,role=a\\tb\\nc\n");
    }

    /// Facts 5.2, 116.
    #[test]
    fn events_and_queries_come_with_name_time_and_payload() {
        let user = |payload: &[u8]| UserEvent {
            ltime: LamportTime(7),
            origin: "a".into(),
            name: "dep\0loy".into(),
            payload: payload.into(),
            coalesce: false,
        };
        let told = |payload: &[u8]| Invocation::new(&Event::User(user(payload)), "us", &Tags::new());
        assert_eq!(told(b"").stdin, b"");
        assert_eq!(told(b"a").stdin, b"a\n");
        assert_eq!(told(b"a\0\xFF\n").stdin, b"a\0\xFF\n");
        assert_eq!(get(&told(b""), "SERF_USER_EVENT"), Some("deploy"));
        assert_eq!(get(&told(b""), "SERF_USER_LTIME"), Some("7"));
        assert_eq!(told(b"").unset[..2], ["SERF_QUERY_NAME", "SERF_QUERY_LTIME"]);
        let query = Event::Query(QueryEvent {
            id: QueryId { ltime: LamportTime(9), id: 1 },
            from: "a".into(),
            name: "load".into(),
            payload: b"1".as_slice().into(),
            deadline: std::time::Instant::now(),
            chance: Chance::nobodys(),
        });
        let told = Invocation::new(&query, "us", &Tags::new());
        assert_eq!((get(&told, "SERF_EVENT"), get(&told, "SERF_QUERY_LTIME")), (Some("query"), Some("9")));
        assert_eq!((get(&told, "SERF_QUERY_NAME"), &told.stdin[..]), (Some("load"), &b"1\n"[..]));
    }

    proptest! {
        #[test]
        fn a_member_is_one_line_of_four_fields_whatever_it_says(
            name in "[^\\pC]{1,20}",
            tags in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
        ) {
            let pairs: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let told = Invocation::new(&joined(&[member(&name, "1.2.3.4:5", &pairs)]), &name, &tags.into_iter().collect());
            let text = String::from_utf8(told.stdin).unwrap();
            prop_assert_eq!(text.matches('\t').count(), 3);
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert!(text.ends_with('\n'));
            for (key, value) in &told.set {
                prop_assert!(key.starts_with("SERF_"));
                prop_assert!(key.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_'));
                prop_assert!(!value.contains('\0'));
            }
        }
    }
}
