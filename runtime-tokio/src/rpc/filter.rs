//! Which events somebody wants: the notation of event handlers and of the RPC's `stream` (`member-join,user:deploy`).

use std::fmt;
use std::str::FromStr;

use crate::event::{Event, MemberEventKind};

/// One condition on events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventFilter {
    /// `*`: every event.
    Any,
    /// `member-join` and its siblings: what happened to members.
    Member(MemberEventKind),
    /// `user`, or `user:NAME`: user events, of that name only.
    User(Option<Box<str>>),
    /// `query`, or `query:NAME`: queries, of that name only.
    Query(Option<Box<str>>),
}

/// A text is no event filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no event filter: use member-join, member-leave, member-failed, member-update, member-reap, \
     user, user:NAME, query, query:NAME or *"
)]
pub struct FilterError(pub String);

/// All that can happen to members.
const KINDS: [MemberEventKind; 5] = [
    MemberEventKind::Join,
    MemberEventKind::Leave,
    MemberEventKind::Failed,
    MemberEventKind::Update,
    MemberEventKind::Reap,
];

impl EventFilter {
    /// Filters separated by commas; an empty text is `*` (Serf).
    ///
    /// # Errors
    /// The first that is no filter.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, FilterError> {
        match list {
            "" => Ok(vec![Self::Any]),
            list => list.split(',').map(str::parse).collect(),
        }
    }

    /// Whether the event is wanted.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let named = |wanted: &Option<Box<str>>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        match (self, event) {
            (Self::Any, _) => true,
            (Self::Member(kind), Event::Members(event)) => *kind == event.kind,
            (Self::User(wanted), Event::User(event)) => named(wanted, &event.name),
            (Self::Query(wanted), Event::Query(event)) => named(wanted, &event.name),
            _ => false,
        }
    }

    /// The kind of event without a name: `*`, `member-join`, `user`, `query`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Member(kind) => kind.name(),
            Self::User(_) => "user",
            Self::Query(_) => "query",
        }
    }

    /// The name that a user event or query must have.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(name) | Self::Query(name) => name.as_deref(),
            Self::Any | Self::Member(_) => None,
        }
    }
}

impl FromStr for EventFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        // A name that is empty asks for every name (Serf).
        let name = |name: &str| (!name.is_empty()).then(|| name.into());
        if let Some(wanted) = text.strip_prefix("user:") {
            return Ok(Self::User(name(wanted)));
        }
        if let Some(wanted) = text.strip_prefix("query:") {
            return Ok(Self::Query(name(wanted)));
        }
        match text {
            "*" => Ok(Self::Any),
            "user" => Ok(Self::User(None)),
            "query" => Ok(Self::Query(None)),
            _ => {
                let kind = KINDS.into_iter().find(|kind| kind.name() == text);
                kind.map(Self::Member).ok_or_else(|| FilterError(text.into()))
            }
        }
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{}:{name}", self.kind()),
            None => f.write_str(self.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Chance, MemberEvent, QueryEvent, UserEvent};
    use rumormill_core::id::LamportTime;
    use rumormill_core::io::QueryId;

    fn user(name: &str) -> Event {
        let (origin, payload) = ("a".into(), Vec::new().into());
        Event::User(UserEvent { ltime: LamportTime(1), origin, name: name.into(), payload, coalesce: false })
    }

    fn query(name: &str) -> Event {
        let id = QueryId { ltime: LamportTime(1), id: 1 };
        let (from, payload, deadline) = ("a".into(), Vec::new().into(), std::time::Instant::now());
        Event::Query(QueryEvent { id, from, name: name.into(), payload, deadline, chance: Chance::nobodys() })
    }

    fn members(kind: MemberEventKind) -> Event {
        Event::Members(MemberEvent { kind, members: Vec::new().into() })
    }

    fn wanted(list: &str, event: &Event) -> bool {
        EventFilter::parse_list(list).unwrap().iter().any(|filter| filter.matches(event))
    }

    #[test]
    fn each_filter_lets_its_own_events_through_and_no_others() {
        let events = [user("deploy"), user("load"), query("deploy"), query("load")];
        let passes = |list: &str| events.each_ref().map(|event| wanted(list, event));
        assert_eq!(passes("*"), [true; 4]);
        assert_eq!(passes(""), [true; 4]);
        assert_eq!(passes("user"), [true, true, false, false]);
        assert_eq!(passes("user:"), [true, true, false, false]);
        assert_eq!(passes("user:deploy"), [true, false, false, false]);
        assert_eq!(passes("query"), [false, false, true, true]);
        assert_eq!(passes("query:load,user:load"), [false, true, false, true]);
        for kind in KINDS {
            assert_eq!(passes(kind.name()), [false; 4]);
            for other in KINDS {
                assert_eq!(wanted(kind.name(), &members(other)), kind == other);
            }
            assert!(wanted("user,*", &members(kind)) && !wanted("user,query", &members(kind)));
        }
    }

    #[test]
    fn what_is_no_filter_is_named() {
        for (list, bad) in [("member-dance", "member-dance"), ("user,,query", ""), ("user, query", " query")]
        {
            assert_eq!(EventFilter::parse_list(list), Err(FilterError(bad.into())));
        }
        assert!(FilterError("x".into()).to_string().starts_with("\"x\" is no event filter: use member-join"));
    }

    #[test]
    fn a_filter_is_printed_as_it_is_written() {
        for text in ["*", "member-reap", "user", "user:a:b", "query", "query:x"] {
            assert_eq!(text.parse::<EventFilter>().unwrap().to_string(), text);
        }
    }
}
