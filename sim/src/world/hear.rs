//! What nodes tell: events and notes, handed on to meters and invariants.

use rumormill_core::io::{Event, Note, State};

use super::stage::Stage;
use super::{EVENT_NAME, QUERY_NAME};
use crate::metrics::changes::Change;
use crate::metrics::views::View;
use crate::truth::node_number;

impl Stage {
    pub(super) fn event(&mut self, observer: u32, event: &Event<'_>) {
        let now = self.now;
        if let Some(recorder) = &mut self.recorder {
            recorder.event(now, observer, event);
        }
        if let Some(lookout) = &mut self.lookout {
            lookout.event(event);
        }
        let number = |member: &rumormill_core::id::SharedIdentity| node_number(&member.name);
        match event {
            Event::Join { member, .. } => {
                let Some(subject) = number(member) else { return };
                if self.meter.views.get(observer, subject) != View::Suspect {
                    self.meter.view(observer, subject, View::Alive, now);
                }
                self.meter.joined(observer, subject, now);
                self.meter.report(observer, subject, Change::Join, now, &self.truth, &self.network);
            }
            Event::Leave { member } => {
                let Some(subject) = number(member) else { return };
                self.meter.view(observer, subject, View::Left, now);
                self.invariants.leavers.heard(now, observer);
                self.meter.report(observer, subject, Change::Leave, now, &self.truth, &self.network);
            }
            Event::Failed { member, incarnation } => {
                let Some(subject) = number(member) else { return };
                let before = self.meter.view(observer, subject, View::Failed, now);
                self.invariants.leavers.failed(now, observer, subject, before);
                let pair = (observer, subject);
                let counts = self.meter.failed(pair, *incarnation, now, &self.truth, &self.network);
                if let Some(recorder) = &mut self.recorder {
                    recorder.failed(now, pair, incarnation.0, counts);
                }
                self.meter.report(observer, subject, Change::Crash, now, &self.truth, &self.network);
            }
            Event::Reap { member } => {
                let Some(subject) = number(member) else { return };
                self.meter.view(observer, subject, View::Unknown, now);
            }
            Event::Update { member } => {
                if let Some(subject) = number(member) {
                    self.meter.said.updated(observer, subject, &member.meta, now);
                }
            }
            // Only what workloads sent is metered and checked.
            Event::User { name, ltime, .. } if self.applications && *name != EVENT_NAME => {
                self.invariants.own.heard(observer, *ltime);
            }
            Event::Query { name, .. } if self.applications && *name != QUERY_NAME => {}
            Event::User { ltime, payload, .. } => {
                self.invariants.own.heard(observer, *ltime);
                if let Some(serial) = self.invariants.user_events.delivered(now, observer, payload) {
                    let new = self.meter.said.event_heard(observer, serial, now);
                    self.invariants.user_events.once(now, observer, serial, new);
                }
            }
            Event::Query { query, .. } => self.work.to_answer.push((observer, *query)),
            Event::Answer { command, from, .. } => {
                if let Some(from) = node_number(from) {
                    self.meter.said.answered(command.0, from, now);
                }
            }
            // A node that came back at another address, while the others believe in the old one.
            Event::MustStop { .. } => {
                self.joining[observer as usize] = None;
                self.truth.changed(now);
                self.meter.gone(observer, Change::Leave, now);
                self.stopping.push(observer);
            }
            Event::Conflict { .. } | Event::Ack { .. } | Event::KeysChanged => {}
        }
    }

    pub(super) fn note(&mut self, observer: u32, note: &Note<'_>) {
        let now = self.now;
        if let Some(recorder) = &mut self.recorder {
            recorder.note(now, observer, note);
        }
        if let Some(lookout) = &mut self.lookout {
            lookout.note(observer, note);
        }
        match note {
            Note::Applied { subject, before, state, incarnation, .. } => {
                let Some(subject) = node_number(&subject.name).filter(|s| *s != observer) else { return };
                self.invariants.incarnations.held(now, observer, subject, *incarnation);
                if (*before, *state) == (Some(State::Left), State::Dead) {
                    self.invariants.leavers.failed(now, observer, subject, View::Left);
                }
                let view = match state {
                    State::Alive => View::Alive,
                    State::Suspect => View::Suspect,
                    State::Dead => View::Failed,
                    State::Left => View::Left,
                    State::Forgotten => return,
                };
                self.meter.view(observer, subject, view, now);
            }
            Note::Suspected { subject, .. } => {
                let Some(subject) = node_number(&subject.name) else { return };
                self.meter.view(observer, subject, View::Suspect, now);
                self.meter.suspected(observer, subject, now, &self.truth, &self.network);
            }
            Note::Refuted { accused, announced, .. } => {
                self.invariants.own.refuted(now, observer, *accused, *announced);
                self.meter.refuted(now);
            }
            Note::Rejected { from, error } => {
                let foreign =
                    self.owner_of(*from).is_some_and(|from| !self.meter.views.together(from, observer));
                self.invariants.label.refused(now, observer, &from.to_string(), error, foreign);
            }
            Note::ProbeFailed { subject, .. } => {
                if node_number(&subject.name).is_some_and(|subject| self.truth.is_up(subject)) {
                    self.meter.falsely_suspected(now);
                }
            }
            Note::Confirmed { .. }
            | Note::DeclaredDead { .. }
            | Note::ProbeAnswered { .. }
            | Note::Shed(_) => {}
        }
    }
}
