//! The moments of a film that are worth looking at.

use std::collections::BTreeMap;

use super::{Change, Film, Screen, What};
use crate::metrics::views::View;
use crate::truth::{Presence, node_name};

/// Most entries of a list of events: what a person may still want to scroll through.
const EVENTS_MAX: usize = 400;
/// Most nodes of which an event says the names.
const NAMES_MAX: usize = 20;
/// All agree only if they do for so long, microseconds.
const AGREED: u64 = 1_000_000;
/// How close events of one kind have to follow each other to be one, microseconds; the first that gives few enough is taken.
const WINDOWS: [u64; 9] =
    [0, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 300_000_000, u64::MAX];

/// What kind of moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A fault begins.
    FaultBegins,
    /// It ends.
    FaultEnds,
    /// A node goes down.
    Down,
    /// A node begins to leave.
    Leaves,
    /// A node starts after t = 0, for the first time or again.
    Starts,
    /// Somebody suspects a node that nobody suspected.
    Suspected,
    /// Somebody declares a node dead that nobody held to be dead.
    Failed,
    /// Nobody sees a node any more that is not there any more.
    Known,
    /// Nobody suspects a node any more that is up, or holds it to be dead.
    Cleared,
    /// Every view is right, after some were not.
    Agreed,
}

/// Something worth looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, or the first of those that are told together; microseconds from t = 0.
    pub at: u64,
    /// When the last of them happened.
    pub until: u64,
    /// What.
    pub kind: EventKind,
    /// The fault, by its position in [`Film::faults`]; the first, where several are told together.
    pub fault: Option<usize>,
    /// To whom it happened; at most 20, in order.
    pub nodes: Vec<u32>,
    /// To how many nodes.
    pub count: usize,
    /// Who was the first to say so.
    pub by: Option<u32>,
    /// Whether it was said of a node that is up and that no fault had hold of.
    pub mistaken: bool,
}

/// One moment before those that belong together are told together.
struct Moment {
    at: u64,
    kind: EventKind,
    fault: Option<usize>,
    nodes: Vec<u32>,
    by: Option<u32>,
    mistaken: bool,
}

/// The events of a film, those of one kind that follow each other closely as one.
pub(super) fn of(film: &Film) -> Vec<Event> {
    let mut moments = of_faults(film);
    moments.extend(of_changes(film));
    moments.sort_by_key(|moment| (moment.at, moment.kind));
    let mut events = Vec::new();
    for window in WINDOWS {
        events = together(film, &moments, window);
        if events.len() <= EVENTS_MAX {
            break;
        }
    }
    events
}

fn of_faults(film: &Film) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (place, fault) in film.faults.iter().enumerate() {
        let moment = |at, kind| Moment {
            at,
            kind,
            fault: Some(place),
            nodes: fault.nodes.iter().flat_map(|span| span.nodes()).collect(),
            by: None,
            mistaken: false,
        };
        moments.push(moment(fault.at, EventKind::FaultBegins));
        // A crash has an end when its nodes come back, which is told of them.
        let until = fault.until.filter(|until| fault.kind != "crash" && *until <= film.end);
        moments.extend(until.map(|until| moment(until, EventKind::FaultEnds)));
    }
    moments
}

/// What is to be known of a subject before a change of a view of it.
struct Before {
    suspected: u32,
    failed: u32,
    present: u64,
    wrong: u64,
}

fn of_changes(film: &Film) -> Vec<Moment> {
    let mut screen = film.screen();
    let mut moments: Vec<Moment> = Vec::new();
    let mut agreed: Option<u64> = None;
    for change in &film.changes {
        let subject = match change.what {
            What::View { subject, .. } => subject,
            _ => change.node,
        };
        let before = Before {
            suspected: screen.suspected_by(subject),
            failed: screen.failed_at(subject),
            present: screen.present_at(subject),
            wrong: screen.counts().wrong,
        };
        if screen.step().is_none() {
            break;
        }
        moments.extend(of_change(film, change, &before, &screen));
        let wrong = screen.counts().wrong;
        // Nodes that are born at t = 0 are born one after the other.
        if before.wrong > 0 && wrong == 0 && change.at > 0 {
            agreed = Some(change.at);
        } else if wrong > 0
            && let Some(at) = agreed.take().filter(|at| change.at - at >= AGREED)
        {
            moments.push(all_agree(at));
        }
    }
    moments.extend(agreed.map(all_agree));
    moments
}

const fn all_agree(at: u64) -> Moment {
    Moment { at, kind: EventKind::Agreed, fault: None, nodes: Vec::new(), by: None, mistaken: false }
}

fn of_change(film: &Film, change: &Change, before: &Before, screen: &Screen<'_>) -> Option<Moment> {
    let moment = |kind, subject, by, mistaken| {
        Some(Moment { at: change.at, kind, fault: None, nodes: vec![subject], by, mistaken })
    };
    match change.what {
        What::Born(_) if change.at > 0 => moment(EventKind::Starts, change.node, None, false),
        What::Gone(Presence::Down) => moment(EventKind::Down, change.node, None, false),
        What::Gone(Presence::Leaving) => moment(EventKind::Leaves, change.node, None, false),
        What::View { subject, view } => {
            let (suspected, failed) = (screen.suspected_by(subject), screen.failed_at(subject));
            let up = screen.presence(subject) == Presence::Up;
            let mistaken = up && !screen.is_disturbed(subject);
            let by = Some(change.node);
            if view == View::Failed && before.failed == 0 && failed > 0 {
                moment(EventKind::Failed, subject, by, mistaken)
            } else if view == View::Suspect && before.suspected == 0 && suspected > 0 {
                moment(EventKind::Suspected, subject, by, mistaken)
            } else if up && before.suspected + before.failed > 0 && suspected + failed == 0 {
                moment(EventKind::Cleared, subject, None, false)
            } else if !up && before.present > 0 && screen.present_at(subject) == 0 && film.nodes > 1 {
                moment(EventKind::Known, subject, None, false)
            } else {
                None
            }
        }
        What::Born(_) | What::Gone(_) | What::Condition { .. } | What::FalsePositive { .. } => None,
    }
}

/// What is told together: the kind, whether mistaken, and which of the scenario's faults.
type Key = (EventKind, bool, Option<usize>);

/// Moments of one kind, of which each is within the window after the first, are one event.
fn together(film: &Film, moments: &[Moment], window: u64) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // The event of each kind that is still open, and all nodes of it.
    let mut open: BTreeMap<Key, (usize, Vec<u32>)> = BTreeMap::new();
    for moment in moments {
        let fault = moment.fault.map(|place| film.faults[place].fault);
        let key: Key = (moment.kind, moment.mistaken, fault);
        let entry = open.get_mut(&key).filter(|(event, _)| moment.at - events[*event].at <= window);
        if let Some((event, nodes)) = entry {
            events[*event].until = moment.at;
            nodes.extend(&moment.nodes);
            continue;
        }
        let event = Event {
            at: moment.at,
            until: moment.at,
            kind: moment.kind,
            fault: moment.fault,
            nodes: Vec::new(),
            count: 0,
            by: moment.by,
            mistaken: moment.mistaken,
        };
        if let Some((event, nodes)) = open.insert(key, (events.len(), moment.nodes.clone())) {
            name(&mut events[event], nodes);
        }
        events.push(event);
    }
    for (event, nodes) in open.into_values() {
        name(&mut events[event], nodes);
    }
    events
}

fn name(event: &mut Event, mut nodes: Vec<u32>) {
    nodes.sort_unstable();
    nodes.dedup();
    event.count = nodes.len();
    nodes.truncate(NAMES_MAX);
    event.nodes = nodes;
}

impl Event {
    /// The event in a short sentence.
    #[must_use]
    pub fn text(&self, film: &Film) -> String {
        let who = self.who();
        let is = plural(self.count, "is", "are");
        // Of many, who said so first of one of them says little.
        let by = self.by.filter(|_| self.count == 1);
        let by = by.map(|by| format!(" by {}", node_name(by))).unwrap_or_default();
        let though = if self.mistaken { ", though up" } else { "" };
        match self.kind {
            EventKind::FaultBegins | EventKind::FaultEnds => {
                let fault = self.fault.and_then(|place| film.faults.get(place));
                let title = fault.map_or_else(String::new, super::FaultSpan::title);
                let does = match (self.kind, self.at == self.until) {
                    (EventKind::FaultEnds, true) => "ends",
                    (EventKind::FaultEnds, false) => "ends, again and again",
                    (_, true) => "begins",
                    (_, false) => "begins, again and again",
                };
                format!("{title} {does}: {who}")
            }
            EventKind::Down => format!("{who} {} down", plural(self.count, "goes", "go")),
            EventKind::Leaves => format!("{who} {}", plural(self.count, "leaves", "leave")),
            EventKind::Starts => format!("{who} {}", plural(self.count, "starts", "start")),
            EventKind::Suspected => format!("{who} suspected{by}{though}"),
            EventKind::Failed => format!("{who} declared failed{by}{though}"),
            EventKind::Known => format!("everybody knows that {who} {is} gone"),
            EventKind::Cleared => format!("nobody doubts {who} any more"),
            EventKind::Agreed => "every view is right".to_owned(),
        }
    }

    /// Its nodes in words: all of few, or how many.
    fn who(&self) -> String {
        let names: Vec<String> = self.nodes.iter().map(|node| node_name(*node)).collect();
        match (names.as_slice(), self.count) {
            ([], _) => "no node".to_owned(),
            ([one], 1) => one.clone(),
            ([rest @ .., last], count) if count <= 3 => format!("{} and {last}", rest.join(", ")),
            (_, count) => format!("{count} nodes"),
        }
    }
}

const fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}
