//! What nodes tell: events and notes, handed on to meters and invariants.

use rumormill_core::io::{Event, Note, State};

use super::stage::Stage;
use crate::metrics::changes::Change;
use crate::metrics::views::View;
use crate::truth::node_number;

impl Stage {
    pub(super) fn event(&mut self, observer: u32, event: &Event<'_>) {
        let now = self.now;
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
                self.meter.failed((observer, subject), *incarnation, now, &self.truth, &self.network);
                self.meter.report(observer, subject, Change::Crash, now, &self.truth, &self.network);
            }
            Event::Reap { member } => {
                let Some(subject) = number(member) else { return };
                self.meter.view(observer, subject, View::Unknown, now);
            }
            Event::Update { .. } | Event::Conflict { .. } => {}
            Event::User { .. } | Event::Query { .. } => {}
            Event::Ack { .. } | Event::Answer { .. } | Event::KeysChanged | Event::MustStop { .. } => {}
        }
    }

    pub(super) fn note(&mut self, observer: u32, note: &Note<'_>) {
        let now = self.now;
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
                self.invariants.label.refused(now, observer, &from.to_string(), &error.to_string());
            }
            Note::ProbeFailed { subject, .. } => {
                if node_number(&subject.name).is_some_and(|subject| self.truth.is_up(subject)) {
                    self.meter.falsely_suspected(now);
                }
            }
            Note::Confirmed { .. } | Note::ProbeAnswered { .. } | Note::Shed(_) => {}
        }
    }
}
