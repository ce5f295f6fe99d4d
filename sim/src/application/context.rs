//! What an application sees and can do during a call.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use rumormill_core::id::NodeName;
use rumormill_core::io::{Command, CommandId, EventRequest, QueryId, QueryRequest};
use rumormill_core::tags::Tags;
use rumormill_core::{Instant, MemberView, Node};

use super::{COMMANDS_MAX, TIMER_MIN, VIOLATIONS_MAX};
use crate::record::Violation;
use crate::truth::{Truth, node_name, node_number};
use crate::world::{EVENT_NAME, QUERY_NAME};

/// The number of applications' first command; what workloads and processes give is below.
const FIRST_COMMAND: u64 = 1 << 40;

/// Something that an application wants done after its call.
#[derive(Debug)]
pub(crate) enum Wish {
    Command(CommandId, Command),
    Leave,
    CallBack { after: Duration, token: u32 },
}

/// What all applications of a run have put down.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// What they want: node, its life, what.
    pub(crate) wishes: VecDeque<(u32, u32, Wish)>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) violated: u64,
    commands: u64,
}

impl Desk {
    pub(crate) fn violation(&mut self, at: u64, node: u32, what: String) {
        self.violated += 1;
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { at: at as f64 / 1e9, node: node_name(node), what });
        }
    }
}

/// Whether a command is an application's.
pub(crate) const fn is_applications(id: CommandId) -> bool {
    id.0 >= FIRST_COMMAND
}

/// An application's node during a call.
pub struct Context<'c> {
    pub(crate) node: u32,
    pub(crate) life: u32,
    pub(crate) process: &'c Node,
    pub(crate) truth: &'c Truth,
    /// The simulator's time, and the node's own.
    pub(crate) now: u64,
    pub(crate) local: Instant,
    pub(crate) rng: &'c mut ChaCha8Rng,
    pub(crate) desk: &'c mut Desk,
    /// Wishes of this call so far.
    pub(crate) made: usize,
}

impl Context<'_> {
    /// The node's number, from 0.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.node
    }

    /// The node's name: `node-` and its number.
    #[must_use]
    pub fn name(&self) -> &str {
        self.process.identity().name.as_str()
    }

    /// What the node's own clock shows, counted from the start of the run: it may drift and jump, where the scenario has it so.
    #[must_use]
    pub const fn now(&self) -> Duration {
        Duration::from_nanos(self.local.as_nanos())
    }

    /// Everybody in the node's table, itself, failed and left members included.
    pub fn members(&self) -> impl Iterator<Item = MemberView<'_>> {
        self.process.members()
    }

    /// What the node believes of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<MemberView<'_>> {
        self.process.member(name)
    }

    /// A random number from a stream of this process alone.
    pub fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Tells everybody. Completes with [`Done::EventSent`](rumormill_core::io::Done::EventSent).
    pub fn user_event(&mut self, name: &str, payload: &[u8]) -> CommandId {
        if name == EVENT_NAME {
            self.violated(format!("gave a user event the name {name:?}, which belongs to workloads"));
            return CommandId(0);
        }
        self.command(Command::UserEvent(EventRequest {
            name: name.into(),
            payload: payload.into(),
            coalesce: false,
        }))
    }

    /// Asks. Answers come as events; completes with [`Done::QueryOver`](rumormill_core::io::Done::QueryOver).
    pub fn query(&mut self, query: QueryRequest) -> CommandId {
        if *query.name == *QUERY_NAME {
            self.violated(format!("gave a query the name {:?}, which belongs to workloads", query.name));
            return CommandId(0);
        }
        self.command(Command::Query(query))
    }

    /// Answers a query that an event brought.
    pub fn respond(&mut self, query: QueryId, payload: &[u8]) -> CommandId {
        self.command(Command::Respond { query, payload: payload.into() })
    }

    /// Says that a query will not be answered.
    pub fn decline(&mut self, query: QueryId) -> CommandId {
        self.command(Command::Decline { query })
    }

    /// Announces tags instead of the present ones.
    pub fn set_tags(&mut self, tags: Tags) -> CommandId {
        self.command(Command::SetTags(tags))
    }

    /// Says of a member that it has left.
    pub fn force_leave(&mut self, name: NodeName, prune: bool) -> CommandId {
        self.command(Command::ForceLeave { name, prune })
    }

    /// Leaves the cluster: the process ends once it has said so.
    pub fn leave(&mut self) {
        self.wish(Wish::Leave);
    }

    /// Asks to be called back after so long by the node's own clock as it runs now, with this token. Timers cannot be taken back: a token that is
    /// not expected any more is ignored by who gets it.
    pub fn call_back(&mut self, after: Duration, token: u32) {
        self.wish(Wish::CallBack { after: after.max(TIMER_MIN), token });
    }

    /// States something that must hold; if it does not, `what` says what was seen, and the run goes on.
    pub fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violated(what());
        }
    }

    /// Whether a node's process really is up and has not been told to leave: the simulator's knowledge, for [checks](Self::check). No application can know it.
    #[must_use]
    pub fn is_really_up(&self, name: &str) -> bool {
        node_number(name).is_some_and(|number| number < self.truth.nodes() && self.truth.is_up(number))
    }

    fn violated(&mut self, what: String) {
        self.desk.violation(self.now, self.node, what);
    }

    fn command(&mut self, command: Command) -> CommandId {
        let id = CommandId(FIRST_COMMAND + self.desk.commands);
        self.desk.commands += 1;
        self.wish(Wish::Command(id, command));
        id
    }

    fn wish(&mut self, wish: Wish) {
        self.made += 1;
        if self.made <= COMMANDS_MAX {
            return self.desk.wishes.push_back((self.node, self.life, wish));
        }
        if self.made == COMMANDS_MAX + 1 {
            self.violated(format!(
                "gave more than {COMMANDS_MAX} commands in one call; the others were not carried out"
            ));
        }
    }
}
