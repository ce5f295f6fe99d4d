//! Queries under way: those that this node asked, and those that its application may still answer.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::SocketAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::filters::Expressions;
use super::internal::{KeyPoll, Vote};
use super::query_window::QueryWindow;
use crate::deadlines::Timer;
use crate::id::LamportTime;
use crate::io::{CommandId, QueryId, QueryTally};
use crate::time::Instant;
use crate::wire::ResponseKind;

/// Answers taken from members that were not expected to give one: who joined after the question, or makes up names.
const STRANGERS_MAX: u32 = 256;

/// What a question is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// An application's query.
    Application(CommandId),
    /// A key command.
    Keys(Box<KeyPoll>),
    /// Whose name is it?
    Vote(Vote),
}

/// A query of ours, as long as we listen.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// In its [`Due`](crate::Due).
    pub(crate) number: u32,
    pub(crate) timer: Timer,
    pub(crate) deadline: Instant,
    pub(crate) purpose: Purpose,
    acks_wanted: bool,
    /// Who should answer, as hashes of names, in order.
    expected: Box<[u64]>,
    /// Who did, by hash of the name: only looked up.
    heard: HashMap<u64, Heard, FixedState>,
    strangers: u32,
    acks_missing: u32,
    responses_missing: u32,
    tally: QueryTally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    ack: bool,
    /// It has answered or declined.
    response: bool,
}

/// An answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// From a member that was expected to answer.
    Expected,
    /// From another.
    Stranger,
}

impl Question {
    pub(crate) fn new(
        (number, timer): (u32, Timer),
        deadline: Instant,
        purpose: Purpose,
        acks_wanted: bool,
        mut expected: Vec<u64>,
    ) -> Self {
        expected.sort_unstable();
        expected.dedup();
        let missing = expected.len() as u32;
        Self {
            number,
            timer,
            deadline,
            purpose,
            acks_wanted,
            expected: expected.into(),
            heard: HashMap::with_hasher(FixedState::with_seed(0)),
            strangers: 0,
            acks_missing: if acks_wanted { missing } else { 0 },
            responses_missing: missing,
            tally: QueryTally::default(),
        }
    }

    /// Members that were asked: those expected to answer, and others that did.
    pub(crate) const fn asked(&self) -> u32 {
        self.expected.len() as u32 + self.strangers
    }

    /// Expected answers that have not come, of members that have not declined.
    pub(crate) const fn responses_missing(&self) -> u32 {
        self.responses_missing
    }

    /// Something came from the member with this hash of its name; `None` when it is its second, or not wanted. Who declines gives
    /// no answer any more.
    pub(crate) fn take(&mut self, who: u64, kind: ResponseKind) -> Option<Taken> {
        let ack = kind == ResponseKind::Ack;
        if ack && !self.acks_wanted {
            return None;
        }
        let expected = self.expected.binary_search(&who).is_ok();
        let new = !self.heard.contains_key(&who);
        if !expected && new {
            if self.strangers == STRANGERS_MAX {
                return None;
            }
            self.strangers += 1;
        }
        let heard = self.heard.entry(who).or_default();
        let (before, missing, count) = if ack {
            (&mut heard.ack, &mut self.acks_missing, &mut self.tally.acks)
        } else {
            (&mut heard.response, &mut self.responses_missing, &mut self.tally.responses)
        };
        if core::mem::replace(before, true) {
            return None;
        }
        *count += u32::from(kind != ResponseKind::Declined);
        *missing -= u32::from(expected);
        Some(if expected { Taken::Expected } else { Taken::Stranger })
    }

    /// Whether everything that was expected has come. Serf never ends a query early (Q29).
    pub(crate) const fn is_complete(&self) -> bool {
        self.acks_missing == 0 && self.responses_missing == 0
    }

    pub(crate) const fn tally(&self) -> QueryTally {
        QueryTally { complete: self.is_complete(), ..self.tally }
    }
}

/// A query that the application may answer.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    /// The asker's name.
    pub(crate) from: Box<str>,
    pub(crate) addr: SocketAddr,
    pub(crate) relay_factor: u8,
    pub(crate) deadline: Instant,
}

/// All that a node remembers of queries.
#[derive(Clone, Debug)]
pub(crate) struct Queries {
    pub(crate) asked: BTreeMap<QueryId, Question>,
    /// The last question's number.
    number: u32,
    open: BTreeMap<QueryId, Open>,
    /// No open query ends before that.
    first_ends: Instant,
    pub(crate) window: QueryWindow,
    pub(crate) expressions: Expressions,
    /// When the last vote about this node's name began.
    pub(crate) voted: Option<Instant>,
    /// Whether the cluster has decided that another has this node's name.
    pub(crate) outvoted: bool,
}

impl Queries {
    /// After a life whose query clock has seen `before`.
    pub(crate) const fn new(before: LamportTime) -> Self {
        Self {
            asked: BTreeMap::new(),
            number: 0,
            open: BTreeMap::new(),
            first_ends: Instant::NEVER,
            window: QueryWindow::new(before),
            expressions: Expressions::EMPTY,
            voted: None,
            outvoted: false,
        }
    }

    pub(crate) const fn next_number(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }

    /// The question with that number.
    pub(crate) fn numbered(&self, number: u32) -> Option<QueryId> {
        self.asked.iter().find(|(_, question)| question.number == number).map(|(id, _)| *id)
    }

    /// Keeps a query for the application's answer; whether there was room.
    pub(crate) fn open(&mut self, query: QueryId, open: Open, max: usize, now: Instant) -> bool {
        // Ended ones stay until their room is wanted: they need no timer.
        if self.open.len() >= max && self.first_ends <= now {
            self.open.retain(|_, open| open.deadline > now);
            self.first_ends = self.open.values().map(|open| open.deadline).min().unwrap_or(Instant::NEVER);
        }
        if self.open.len() >= max {
            return false;
        }
        self.first_ends = self.first_ends.min(open.deadline);
        self.open.insert(query, open);
        true
    }

    /// A query that may be answered now.
    pub(crate) fn still_open(&self, query: QueryId, now: Instant) -> Option<&Open> {
        self.open.get(&query).filter(|open| now < open.deadline)
    }

    /// A query has been answered.
    pub(crate) fn answered(&mut self, query: QueryId) {
        self.open.remove(&query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadlines::{Deadlines, Due};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn question(acks: bool, expected: &[u64]) -> Question {
        let timer = Deadlines::default().arm(Instant::NEVER, Due::Query(1));
        let purpose = Purpose::Application(CommandId(1));
        Question::new((1, timer), Instant::NEVER, purpose, acks, expected.to_vec())
    }

    fn open(deadline: u64) -> Open {
        let addr = ([10, 0, 0, 1], 7946).into();
        Open { from: "a".into(), addr, relay_factor: 0, deadline: Instant::from_nanos(deadline) }
    }

    const fn query(id: u32) -> QueryId {
        QueryId { ltime: LamportTime(1), id }
    }

    #[test]
    fn a_question_that_nobody_is_expected_to_answer_is_complete() {
        assert!(question(true, &[]).is_complete());
        assert!(!question(false, &[1]).is_complete());
    }

    #[test]
    fn strangers_are_taken_up_to_a_bound_and_never_take_the_place_of_who_is_expected() {
        let mut asked = question(false, &[7]);
        for stranger in 0..u64::from(STRANGERS_MAX) {
            assert_eq!(asked.take(100 + stranger, ResponseKind::Answer), Some(Taken::Stranger));
        }
        assert_eq!(asked.take(99, ResponseKind::Declined), None);
        assert!(!asked.is_complete());
        assert_eq!(asked.take(7, ResponseKind::Answer), Some(Taken::Expected));
        assert!(asked.is_complete());
        assert_eq!(asked.tally().responses, STRANGERS_MAX + 1);
    }

    #[test]
    fn open_queries_are_bounded_and_ended_ones_make_room() {
        let at = Instant::from_nanos;
        let mut queries = Queries::new(LamportTime(0));
        for id in 0..4 {
            assert!(queries.open(query(id), open(10 + u64::from(id)), 4, at(0)));
        }
        assert!(!queries.open(query(9), open(99), 4, at(9)));
        assert!(
            queries.still_open(query(0), at(9)).is_some() && queries.still_open(query(0), at(10)).is_none()
        );
        assert!(queries.open(query(9), open(99), 4, at(11)), "two have ended");
        assert_eq!(queries.open.len(), 3);
        assert!(queries.open(query(10), open(99), 4, at(11)));
        assert!(!queries.open(query(11), open(99), 4, at(11)));
        queries.answered(query(9));
        assert!(queries.still_open(query(9), at(11)).is_none());
        assert!(queries.open(query(11), open(99), 4, at(11)));
    }

    proptest! {
        /// Against sets of names: each ack and each answer counts once, and complete is when nobody is waited for.
        #[test]
        fn answers_count_once_for_each_member(
            acks in any::<bool>(),
            expected in prop::collection::vec(0u64..6, 0..5),
            heard in prop::collection::vec((0u64..8, 0usize..3), 0..40),
        ) {
            let mut asked = question(acks, &expected);
            let (mut acked, mut answered, mut declined) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for (who, kind) in heard {
                let kind = [ResponseKind::Ack, ResponseKind::Answer, ResponseKind::Declined][kind];
                let new = match kind {
                    ResponseKind::Ack => acks && acked.insert(who),
                    ResponseKind::Answer => !declined.contains(&who) && answered.insert(who),
                    ResponseKind::Declined => !answered.contains(&who) && declined.insert(who),
                };
                let taken = asked.take(who, kind);
                prop_assert_eq!(taken.is_some(), new);
                if let Some(taken) = taken {
                    prop_assert_eq!(taken == Taken::Expected, expected.contains(&who));
                }
                let complete = expected.iter().all(|who| {
                    (answered.contains(who) || declined.contains(who)) && (!acks || acked.contains(who))
                });
                let tally = QueryTally { acks: acked.len() as u32, responses: answered.len() as u32, complete };
                prop_assert_eq!(asked.tally(), tally);
            }
        }
    }
}
