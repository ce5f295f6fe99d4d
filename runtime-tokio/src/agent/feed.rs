//! What the application is told: events, and the list of members.
//!
//! The list comes first: who reads an event finds what it says in [`Handle::members`](super::Handle::members) already.

use std::net::SocketAddr;
use std::time::{Duration, Instant as SystemInstant};

use rumormill_core::coalesce::{MemberChange, MemberCoalescer, Times, UserCoalescer, WaitingEvent};
use rumormill_core::id::{Incarnation, SharedIdentity};
use rumormill_core::io::{Event as CoreEvent, Status};
use rumormill_core::{Config, Instant, MemberView, Node};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{info, warn};

use super::Events;
use super::clock::Clock;
use super::figures::Figures;
use super::line_limit::LineLimit;
use super::order::Order;
use crate::event::{Chance, Event, MemberEvent, MemberEventKind, QueryEvent, UserEvent};
use crate::member::{Member, Members};

/// The part of its time that the driver gives to renewing the list: one in so many. It costs as much as the cluster is large.
const LIST_SHARE: u32 = 10;
/// A list that is made faster than this is renewed as often as it changes.
const QUICK: Duration = Duration::from_micros(200);
/// Events told in one turn.
const AT_ONCE: usize = Events::CAPACITY / 2;
/// Events that wait for the list at most.
const WAITING_MAX: usize = 1024;

struct Coalescers {
    members: MemberCoalescer,
    users: UserCoalescer,
}

pub(super) struct Feed {
    events: broadcast::Sender<Event>,
    list: watch::Sender<Members>,
    /// The node's revision that the list shows.
    revision: u64,
    /// When the list may be renewed again.
    rested: Instant,
    waiting: Vec<Event>,
    coalescers: Option<Coalescers>,
    lines: LineLimit,
    clock: Clock,
    /// For queries that the application lets go.
    orders: mpsc::WeakSender<Order>,
}

impl Feed {
    pub(super) fn new(
        node: &Node,
        events: broadcast::Sender<Event>,
        list: watch::Sender<Members>,
        coalesce: Option<Times>,
        clock: Clock,
        orders: mpsc::WeakSender<Order>,
    ) -> Self {
        let config = node.config();
        let coalescers = coalesce.map(|times| Coalescers::new(times, config));
        let revision = node.members_revision();
        let (rested, waiting, lines) = (Instant::ORIGIN, Vec::new(), LineLimit::new(LINES_MAX));
        Self { events, list, revision, rested, waiting, coalescers, lines, clock, orders }
    }

    /// Takes an event of the core that is for the application.
    pub(super) fn event(&mut self, event: &CoreEvent<'_>, node: &Node, now: Instant) {
        if !matches!(event, CoreEvent::User { .. } | CoreEvent::Query { .. })
            && let Some(held_back) = self.lines.pass(now)
        {
            if held_back > 0 {
                warn!("serf: {held_back} more lines about members were not written");
            }
            write_line(event);
        }
        if let Some(Coalescers { members, users }) = &mut self.coalescers
            && (members.push(event, now) || users.push(event, now))
        {
            return;
        }
        if let Some(event) = self.owned(event, node) {
            self.waiting.push(event);
        }
    }

    /// When it has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let coalesced = self
            .coalescers
            .as_ref()
            .and_then(|both| [both.members.deadline(), both.users.deadline()].into_iter().flatten().min());
        let list = (!self.waiting.is_empty()).then_some(self.rested);
        [coalesced, list].into_iter().flatten().min()
    }

    /// Tells what there is to tell; `false` when that has to wait for the list.
    pub(super) fn tell(&mut self, node: &Node, now: Instant, figures: &mut Figures) -> bool {
        self.flush_due(node, Some(now));
        if node.members_revision() != self.revision {
            if now < self.rested && self.waiting.len() < WAITING_MAX {
                return false;
            }
            self.renew(node);
        }
        // A reader that is fast has time to take them before more come.
        let now = self.waiting.len().min(AT_ONCE);
        figures.events_told += now as u64;
        for event in self.waiting.drain(..now) {
            // Nobody may be listening.
            let _ = self.events.send(event);
        }
        true
    }

    /// Whether the list is behind, so that somebody has to come back at [`Feed::rested_at`].
    pub(super) fn is_behind(&self, node: &Node) -> bool {
        node.members_revision() != self.revision
    }

    pub(super) const fn rested_at(&self) -> Instant {
        self.rested
    }

    /// Tells everything, before the end.
    pub(super) fn finish(&mut self, node: &Node, figures: &mut Figures) {
        self.flush_due(node, None);
        self.rested = Instant::ORIGIN;
        while self.tell(node, self.clock.now(), figures) && !self.waiting.is_empty() {}
    }

    fn renew(&mut self, node: &Node) {
        let began = SystemInstant::now();
        self.revision = node.members_revision();
        let list = list(node);
        // What an application keeps us waiting for, because it holds the former list, is no work.
        let took = began.elapsed();
        self.list.send_replace(list);
        if took > QUICK {
            self.rested = self.clock.now() + took * LIST_SHARE;
        }
    }

    /// Ends the windows that are over; all of them without a `now`.
    fn flush_due(&mut self, node: &Node, now: Option<Instant>) {
        let Some(both) = &mut self.coalescers else { return };
        let over = |deadline: Option<Instant>| deadline.is_some_and(|at| now.is_none_or(|now| at <= now));
        let changes = if over(both.members.deadline()) { both.members.flush() } else { Vec::new() };
        let users = if over(both.users.deadline()) { both.users.flush() } else { Vec::new() };
        for (change, members) in changes {
            let kind = kind_of(change);
            let members = members.iter().map(|identity| self.member(kind, identity, None, node)).collect();
            self.waiting.push(Event::Members(MemberEvent { kind, members }));
        }
        self.waiting.extend(users.into_iter().map(user_event));
    }

    fn owned(&self, event: &CoreEvent<'_>, node: &Node) -> Option<Event> {
        let of_one = |kind, member: &SharedIdentity, incarnation| {
            let members = [self.member(kind, member, incarnation, node)].into();
            Some(Event::Members(MemberEvent { kind, members }))
        };
        match *event {
            CoreEvent::Join { member, incarnation } => {
                of_one(MemberEventKind::Join, member, Some(incarnation))
            }
            CoreEvent::Leave { member } => of_one(MemberEventKind::Leave, member, None),
            CoreEvent::Failed { member, incarnation } => {
                of_one(MemberEventKind::Failed, member, Some(incarnation))
            }
            CoreEvent::Update { member } => of_one(MemberEventKind::Update, member, None),
            CoreEvent::Reap { member } => of_one(MemberEventKind::Reap, member, None),
            CoreEvent::User { ltime, origin, name, payload, coalesce } => Some(Event::User(UserEvent {
                ltime,
                origin: origin.into(),
                name: name.into(),
                payload: payload.into(),
                coalesce,
            })),
            CoreEvent::Query { query, from, name, payload, deadline } => Some(Event::Query(QueryEvent {
                id: query,
                from: from.into(),
                name: name.into(),
                payload: payload.into(),
                deadline: self.clock.system(deadline),
                chance: Chance::new(query, self.orders.clone()),
            })),
            CoreEvent::Conflict { .. }
            | CoreEvent::Ack { .. }
            | CoreEvent::Answer { .. }
            | CoreEvent::KeysChanged
            | CoreEvent::MustStop { .. } => None,
        }
    }

    /// A member as an event shows it: with the status that the event gives it.
    fn member(
        &self,
        kind: MemberEventKind,
        identity: &SharedIdentity,
        incarnation: Option<Incarnation>,
        node: &Node,
    ) -> Member {
        let now = node.member(&identity.name).map(|view| (view.incarnation, view.status));
        let before =
            || self.list.borrow().get(&identity.name).map(|member| (member.incarnation, member.status));
        let (known, status) = now.or_else(before).unwrap_or((Incarnation(0), Status::Left));
        let status = match kind {
            MemberEventKind::Join => Status::Alive,
            MemberEventKind::Leave => Status::Left,
            MemberEventKind::Failed => Status::Failed,
            MemberEventKind::Update | MemberEventKind::Reap => status,
        };
        Member { identity: identity.clone(), incarnation: incarnation.unwrap_or(known), status }
    }
}

impl Coalescers {
    fn new(times: Times, config: &Config) -> Self {
        Self {
            members: MemberCoalescer::new(times, config.members_max as usize),
            users: UserCoalescer::new(times, config.event_buffer as usize),
        }
    }
}

/// All members of a node.
pub(super) fn list(node: &Node) -> Members {
    Members::new(node.members().map(member).collect())
}

/// A member as its node sees it.
pub(super) fn member(view: MemberView<'_>) -> Member {
    Member { identity: view.identity.clone(), incarnation: view.incarnation, status: view.status }
}

const fn kind_of(change: MemberChange) -> MemberEventKind {
    match change {
        MemberChange::Join => MemberEventKind::Join,
        MemberChange::Leave => MemberEventKind::Leave,
        MemberChange::Failed => MemberEventKind::Failed,
        MemberChange::Update => MemberEventKind::Update,
        MemberChange::Reap => MemberEventKind::Reap,
    }
}

fn user_event(event: WaitingEvent) -> Event {
    let WaitingEvent { ltime, origin, name, payload } = event;
    Event::User(UserEvent {
        ltime,
        origin: origin.into(),
        name: name.into(),
        payload: payload.into(),
        coalesce: true,
    })
}

/// Lines about members in ten seconds, as Serf has them: anybody can cause a flood of them where nothing is encrypted.
const LINES_MAX: u32 = 1000;

fn write_line(event: &CoreEvent<'_>) {
    let line = |what: &str, member: &SharedIdentity, addr: SocketAddr| {
        info!(member = %member.name, "serf: {what}: {} {}", member.name, addr.ip());
    };
    match event {
        CoreEvent::Join { member, .. } => line("EventMemberJoin", member, member.addr),
        CoreEvent::Leave { member } => line("EventMemberLeave", member, member.addr),
        CoreEvent::Failed { member, .. } => line("EventMemberFailed", member, member.addr),
        CoreEvent::Update { member } => {
            info!(member = %member.name, "serf: EventMemberUpdate: {}", member.name);
        }
        CoreEvent::Reap { member } => info!(member = %member.name, "serf: EventMemberReap: {}", member.name),
        CoreEvent::Conflict { member, claimed } => warn!(
            member = %member.name,
            "serf: Name conflict for '{}': {} and {claimed} both claim it", member.name, member.addr
        ),
        _ => {}
    }
}
