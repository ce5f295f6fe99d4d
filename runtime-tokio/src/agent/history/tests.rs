//! The story of a member by the notes about it, and the bounds of all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumormill_core::id::{Identity, Incarnation, NodeName, SharedIdentity, Versions};
use rumormill_core::io::{Note, ProbePath, State, Via};
use rumormill_core::tags::Tags;
use rumormill_core::{Birth, Config, Instant, Node, Restore, Seed};

use super::History;
use super::health::CHANGES_MAX;
use super::lines::NoteLines;
use super::round_trips::ANSWERS_MAX;
use super::stories::{MEMBERS_MAX, OF_ONE_MAX, TOTAL_MAX};
use crate::agent::why::{RoundTrips, SCHEMA, Through, What, Why};

fn identity(name: &str) -> SharedIdentity {
    let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
    let name = NodeName::new(name).unwrap();
    Arc::new(Identity { name, addr, meta: Box::default(), versions: Versions::CURRENT })
}

fn node() -> Node {
    let birth = Birth {
        name: NodeName::new("me").unwrap(),
        addr: ([10, 0, 0, 9], 7946).into(),
        tags: &Tags::new(),
        seed: Seed::from_os([3; 32]),
        keyring: rumormill_core::keyring::Keyring::empty(),
        restore: Restore::default(),
    };
    Node::new(Config::lan(), birth, Instant::ORIGIN).unwrap()
}

fn at(secs: u64) -> Instant {
    Instant::ORIGIN + Duration::from_secs(secs)
}

/// The names of what happened to a member.
fn kinds(history: &History, name: &str, node: &Node) -> Vec<String> {
    let why = history.why(name, node, at(1000)).expect("it is remembered");
    let kind = |what: &What| serde_json::to_value(what).unwrap()["what"].as_str().unwrap().to_owned();
    why.happenings.iter().map(|happening| kind(&happening.what)).collect()
}

fn suspected<'n>(subject: &'n SharedIdentity, accuser: &'n str, via: Via) -> Note<'n> {
    let timeout = Duration::from_secs(48);
    Note::Suspected { subject, incarnation: Incarnation(1), accuser, via, timeout }
}

fn applied(subject: &SharedIdentity, before: Option<State>, state: State, incarnation: u32) -> Note<'_> {
    Note::Applied { subject, before, state, incarnation: Incarnation(incarnation), via: Via::Gossip }
}

#[test]
fn the_story_of_a_member_that_fails_and_comes_back() {
    let (node, web) = (node(), identity("web"));
    let mut history = History::new(at(0));
    let (subject, incarnation) = (&web, Incarnation(1));
    let story = [
        Note::ProbeFailed { subject, incarnation, accuses: true, nacks_expected: 3, nacks: 2 },
        applied(subject, Some(State::Alive), State::Suspect, 1),
        suspected(subject, "me", Via::Own),
        Note::Confirmed { subject, accuser: "db", confirmations: 1 },
        Note::Confirmed { subject, accuser: "lb", confirmations: 2 },
        applied(subject, Some(State::Suspect), State::Dead, 1),
        Note::DeclaredDead { subject, incarnation, accuser: "me", via: Via::Own },
        applied(subject, Some(State::Dead), State::Alive, 2),
        suspected(subject, "db", Via::Sync),
        applied(subject, Some(State::Suspect), State::Alive, 3),
        applied(subject, Some(State::Alive), State::Left, 3),
        applied(subject, None, State::Alive, 4),
    ];
    for (secs, note) in story.iter().enumerate() {
        history.note(note, &node, at(10 + secs as u64));
    }
    let why = history.why("web", &node, at(100)).unwrap();
    assert_eq!((why.schema, &*why.observer, &*why.member), (SCHEMA, "me", "web"));
    assert!(why.present.is_none(), "this node has never met it");
    let happenings: Vec<(u64, What)> =
        why.happenings.iter().map(|happening| (happening.ago_ms / 1000, happening.what.clone())).collect();
    let through = Through::Gossip;
    assert_eq!(
        happenings,
        [
            (
                90,
                What::ProbeFailed {
                    incarnation: 1,
                    accuses: true,
                    nacks_expected: 3,
                    nacks: 2,
                    local_health: 0
                }
            ),
            (
                88,
                What::Suspected {
                    incarnation: 1,
                    accuser: "me".into(),
                    through: Through::Own,
                    timeout_ms: 48_000
                }
            ),
            // The published table for a hundred members: 48 s, and 8 s with both confirmations.
            (87, What::Confirmed { accuser: "db".into(), confirmations: 1, timeout_ms: 22_762 }),
            (86, What::Confirmed { accuser: "lb".into(), confirmations: 2, timeout_ms: 8_000 }),
            (84, What::DeclaredFailed { incarnation: 1, accuser: "me".into(), through: Through::Own }),
            (83, What::Returned { incarnation: 2, through }),
            (
                82,
                What::Suspected {
                    incarnation: 1,
                    accuser: "db".into(),
                    through: Through::PushPull,
                    timeout_ms: 48_000
                }
            ),
            (81, What::Refuted { incarnation: 3, through }),
            (80, What::Left { incarnation: 3, through }),
            (79, What::Returned { incarnation: 4, through }),
        ]
    );
    assert!(why.happenings.iter().all(|happening| happening.at_unix_ms + happening.ago_ms == why.at_unix_ms));
}

#[test]
fn members_that_come_and_go_without_trouble_leave_nothing() {
    let (node, mut history) = (node(), History::new(at(0)));
    for n in 0..5000 {
        let web = identity(&format!("web-{n}"));
        history.note(&applied(&web, None, State::Alive, 1), &node, at(1));
        history.note(&applied(&web, Some(State::Alive), State::Left, 1), &node, at(2));
        let (subject, after, path) = (&web, Duration::from_micros(400), ProbePath::Direct);
        history.note(&Note::ProbeAnswered { subject, after, path }, &node, at(3));
    }
    assert_eq!(history.stories.sizes(), (0, 0));
    assert_eq!(history.answers.len(), ANSWERS_MAX);
    assert!(history.why("web-1", &node, at(4)).is_none());
    assert!(history.troubled(&node, at(4)).is_empty());
    let me = history.why("me", &node, at(4)).expect("a node knows itself");
    let present = me.present.unwrap();
    assert!(present.is_observer && me.happenings.is_empty());
    assert_eq!((&*present.status, &*present.state, present.for_ms), ("alive", "alive", 4000));
}

#[test]
fn a_flood_of_names_and_of_happenings_does_not_grow_it_and_the_oldest_are_forgotten() {
    let (node, mut history) = (node(), History::new(at(0)));
    let accuser = "x".repeat(255);
    for n in 0..20_000 {
        let web = identity(&format!("web-{n}"));
        history.note(&suspected(&web, &accuser, Via::Gossip), &node, at(n));
    }
    assert_eq!(history.stories.sizes(), (MEMBERS_MAX, MEMBERS_MAX));
    assert!(history.why("web-18975", &node, at(20_000)).is_none());
    assert!(history.why("web-18976", &node, at(20_000)).is_some());
    let troubled = history.troubled(&node, at(20_000));
    assert_eq!((troubled.len(), &*troubled[0].member, troubled[0].happenings), (1024, "web-19999", 1));
    assert_eq!((&*troubled[1023].member, troubled[1023].last.ago_ms), ("web-18976", 1_024_000));

    // One member alone.
    let web = identity("web-18976");
    for n in 0..1000 {
        history.note(&Note::Confirmed { subject: &web, accuser: "db", confirmations: 1 }, &node, at(n));
    }
    let why = history.why("web-18976", &node, at(20_000)).unwrap();
    assert_eq!((why.happenings.len(), why.happenings_forgotten), (OF_ONE_MAX, 1001 - OF_ONE_MAX as u64));
    assert_eq!(&*history.troubled(&node, at(20_000))[0].member, "web-18976");

    // All of them, again and again.
    for n in 0..20_000 {
        let web = identity(&format!("web-{}", n % 512));
        history.note(&suspected(&web, &accuser, Via::Gossip), &node, at(n));
    }
    let (members, total) = history.stories.sizes();
    assert!(members <= 512 && (TOTAL_MAX - OF_ONE_MAX..=TOTAL_MAX).contains(&total), "{members}, {total}");
}

#[test]
fn round_trips_are_those_of_the_member_and_the_median_is_of_direct_ones() {
    let (node, web, db) = (node(), identity("web"), identity("db"));
    let mut history = History::new(at(0));
    for (secs, subject, micros, path) in [
        (1, &web, 400, ProbePath::Direct),
        (2, &db, 90_000, ProbePath::Direct),
        (3, &web, 300, ProbePath::Direct),
        (4, &web, 700_000, ProbePath::Indirect),
        (5, &web, 500, ProbePath::Direct),
        (6, &web, 250, ProbePath::Direct),
        (7, &web, 800_000, ProbePath::Stream),
    ] {
        let after = Duration::from_micros(micros);
        history.note(&Note::ProbeAnswered { subject, after, path }, &node, at(secs));
    }
    let trips = history.answers.of("web", at(10));
    let last = trips.last.unwrap();
    assert_eq!((last.ms, &*last.path, last.ago_ms), (800.0, "stream", 3000));
    assert_eq!((trips.direct_p50_ms, trips.direct, trips.not_direct), (Some(0.35), 4, 2));
    assert_eq!(history.answers.of("lb", at(10)), RoundTrips::default());
}

#[test]
fn local_health_has_its_last_changes_with_their_causes() {
    let (node, web, mut history) = (node(), identity("web"), History::new(at(0)));
    let failed = |nacks_expected, nacks| Note::ProbeFailed {
        subject: &web,
        incarnation: Incarnation(1),
        accuses: true,
        nacks_expected,
        nacks,
    };
    history.health.look(&failed(3, 1), 2, at(1));
    history.health.look(&failed(0, 0), 2, at(2));
    let refuted = Note::Refuted { accused: Incarnation(1), announced: Incarnation(2), via: Via::Gossip };
    history.health.look(&refuted, 3, at(3));
    let changes: Vec<_> = history.health.changes.iter().map(|c| (c.from, c.to, &*c.because)).collect();
    assert_eq!(
        changes,
        [
            (0, 2, "web did not answer a probe, and 2 helpers neither"),
            (2, 3, "this node was accused and had to refute")
        ]
    );
    for n in 0..100 {
        history.health.look(&failed(0, 0), n % 2, at(4));
    }
    assert_eq!(history.health.changes.len(), CHANGES_MAX);
    let why = history.why("me", &node, at(5)).unwrap();
    assert_eq!((why.local_health.worst, why.local_health.changes.len()), (7, CHANGES_MAX));
}

#[test]
fn what_this_node_was_accused_of_is_its_own_story() {
    let (node, mut history) = (node(), History::new(at(0)));
    let (accused, announced, via) = (Incarnation(4), Incarnation(5), Via::Gossip);
    history.note(&Note::Refuted { accused, announced, via }, &node, at(1));
    assert_eq!(kinds(&history, "me", &node), ["accused"]);
}

#[test]
fn the_whole_is_read_back_as_it_was_and_what_is_new_is_skipped() {
    let (node, web, mut history) = (node(), identity("web"), History::new(at(0)));
    history.note(&suspected(&web, "db", Via::Gossip), &node, at(1));
    let (subject, after, path) = (&web, Duration::from_micros(400), ProbePath::Direct);
    history.note(&Note::ProbeAnswered { subject, after, path }, &node, at(3));
    let why = history.why("web", &node, at(2)).unwrap();
    let mut json = serde_json::to_value(&why).unwrap();
    assert_eq!(serde_json::from_value::<Why>(json.clone()).unwrap(), why);
    assert_eq!(json["happenings"][0]["what"], "suspected");
    assert_eq!(json["happenings"][0]["accuser"], "db");
    json["new"] = 1.into();
    json["happenings"][0]["what"] = "abducted".into();
    let read: Why = serde_json::from_value(json).unwrap();
    assert_eq!(read.happenings[0].what, What::Unknown);
}

/// Every kind of note has its line, and a flood of them is cut.
#[test]
fn lines_are_at_debug_and_limited() {
    let seen = lines::capture(|| {
        let (web, mut lines) = (identity("web"), NoteLines::default());
        let (subject, incarnation) = (&web, Incarnation(1));
        for note in [
            suspected(subject, "db", Via::Gossip),
            Note::Confirmed { subject, accuser: "lb", confirmations: 1 },
            Note::DeclaredDead { subject, incarnation, accuser: "me", via: Via::Own },
            applied(subject, Some(State::Suspect), State::Alive, 2),
            Note::ProbeFailed { subject, incarnation, accuses: true, nacks_expected: 0, nacks: 0 },
            Note::ProbeFailed { subject, incarnation, accuses: true, nacks_expected: 3, nacks: 1 },
            Note::ProbeAnswered { subject, after: Duration::from_millis(700), path: ProbePath::Stream },
            Note::Refuted { accused: incarnation, announced: Incarnation(2), via: Via::Gossip },
            // Neither is worth a line.
            Note::ProbeAnswered { subject, after: Duration::from_millis(1), path: ProbePath::Direct },
            applied(subject, None, State::Alive, 1),
        ] {
            lines.log(&note, at(1));
        }
        for _ in 0..1000 {
            lines.log(&suspected(subject, "db", Via::Gossip), at(2));
        }
        lines.log(&suspected(subject, "db", Via::Gossip), at(12));
    });
    let told = |text: &str| seen.iter().filter(|line| line.contains(text)).count();
    assert_eq!(
        seen[..8],
        [
            "memberlist: Suspecting web (incarnation 1), accused by db through gossip; it has 48.0s to refute",
            "memberlist: lb suspects web too (confirmation 1)",
            "memberlist: Marking web (incarnation 1) as failed, declared by me by itself",
            "memberlist: web refutes: alive at incarnation 2 (through gossip)",
            "memberlist: No answer to a probe from web",
            "memberlist: No answer to a probe from web, nor by helpers: 1 of 3 said so",
            "memberlist: web answered over TCP only, after 700ms: UDP to it may be blocked",
            "memberlist: Refuting an accusation of this node (incarnation 1, through gossip): it is at 2 now",
        ]
    );
    assert_eq!((seen.len(), told("808 more lines")), (202, 1));
}

/// What is logged at DEBUG while something runs.
mod lines {
    use std::fmt;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    #[derive(Clone, Default)]
    struct Catcher(Arc<Mutex<Vec<String>>>);

    impl Visit for Catcher {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}"));
            }
        }
    }

    impl Subscriber for Catcher {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            assert_eq!(*event.metadata().level(), Level::DEBUG);
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    /// The lines of some work. It is done twice: while other tests write lines for the first time, tracing may take it for decided that
    /// nobody wants them; what is there by the second time is asked anew.
    pub(super) fn capture(work: impl Fn()) -> Vec<String> {
        let catcher = Catcher::default();
        tracing::subscriber::with_default(catcher.clone(), || {
            work();
            tracing::callsite::rebuild_interest_cache();
            catcher.0.lock().unwrap().clear();
            work();
        });
        let lines = catcher.0.lock().unwrap();
        lines.clone()
    }
}
