//! The case as a timeline.

use super::case::{Case, Way};
use super::findings::Findings;
use super::probe::suffered;
use super::story::held;
use crate::trace::words::{fate, load, what};
use crate::trace::{Entry, Packet, Said, What};
use crate::truth::node_name;

/// One step of a causal chain.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Step {
    /// Seconds since t = 0.
    pub time: f64,
    /// Where.
    pub node: String,
    /// Which part of the chain it belongs to: `fault`, `probe`, `accusation`, `verdict`, `answer`.
    pub part: &'static str,
    /// What happened.
    pub what: String,
    /// Whether it is what should not have happened: a packet that did not arrive, or was late.
    pub amiss: bool,
}

/// Packets of one kind that are listed one by one; more are counted.
const LISTED: usize = 12;

/// The steps of a case, in order of time.
pub(super) fn steps(case: &Case<'_>, found: &Findings<'_>) -> Vec<Step> {
    let mut list = List { case, steps: Vec::new() };
    list.faults(found);
    if let Some(probe) = &found.probe {
        for piece in &probe.pieces {
            let note = format!("{}: ", piece.role.name());
            list.packet("probe", piece.packet, &note);
        }
        list.entry("probe", probe.failed);
    }
    if let Some(way) = &found.accusation {
        list.way("accusation", way, "tells");
    }
    found.suspicion.into_iter().for_each(|entry| list.entry("accusation", entry));
    for (entry, way) in &found.confirmations {
        list.confirmation(way);
        list.entry("accusation", entry);
    }
    list.entry("verdict", found.death.origin);
    list.way("verdict", &found.death, "tells");
    list.verdict();
    list.answer(found);
    list.steps.sort_by_key(|(time, _)| *time);
    let mut steps: Vec<Step> = Vec::new();
    for (_, step) in list.steps {
        if !steps
            .iter()
            .rev()
            .take_while(|other| other.time == step.time)
            .any(|other| other.what == step.what && other.node == step.node)
        {
            steps.push(step);
        }
    }
    steps
}

struct List<'c, 'a> {
    case: &'c Case<'a>,
    steps: Vec<(u64, Step)>,
}

impl List<'_, '_> {
    fn push(&mut self, time: u64, node: String, part: &'static str, what: String, amiss: bool) {
        self.steps.push((time, Step { time: time as f64 / 1e9, node, part, what, amiss }));
    }

    fn entry(&mut self, part: &'static str, entry: &Entry) {
        let text = what(self.case.scenario, entry.health, &entry.what);
        self.push(entry.time, crate::trace::words::name(entry.node), part, text, false);
    }

    /// How a confirmation came: from where somebody made it its own word, which a table may have done to it.
    fn confirmation(&mut self, way: &Way<'_>) {
        let by_table = |number: &u32| {
            let packet = self.case.packet(*number);
            packet.is_some_and(|packet| packet.said.iter().any(|said| matches!(said, Said::Row { .. })))
        };
        let from = way.hops.iter().rposition(by_table).unwrap_or(0);
        for number in way.hops.iter().skip(from) {
            self.packet("accusation", *number, "confirms: ");
        }
    }

    /// A packet, when it was to leave.
    fn packet(&mut self, part: &'static str, number: u32, note: &str) {
        let Some(packet) = self.case.packet(number) else { return };
        let text = format!("{note}-> {}  {}; {}", node_name(packet.to), load(packet), self.fate(packet));
        let amiss = suffered(packet) || packet.sent != Some(packet.wanted) || packet.waited.is_some();
        self.push(packet.wanted, node_name(packet.from), part, text, amiss);
    }

    fn fate(&self, packet: &Packet) -> String {
        let fate = fate(self.case.scenario, packet);
        match packet.sent {
            Some(sent) if sent > packet.wanted => {
                format!("held for {}, then {fate}", crate::trace::words::span(sent - packet.wanted))
            }
            _ => fate,
        }
    }

    /// The packets by which news travelled.
    fn way(&mut self, part: &'static str, way: &Way<'_>, note: &str) {
        for number in &way.hops {
            self.packet(part, *number, &format!("{note} "));
        }
    }

    fn verdict(&mut self) {
        let verdict = self.case.verdict;
        let last = self.case.last(verdict.observer, verdict.time, |entry| {
            matches!(entry.what, What::Failed { incarnation, .. } if incarnation == verdict.incarnation)
        });
        if let Some(entry) = last {
            self.entry("verdict", entry);
        }
    }

    /// The times in which those who take part were not themselves.
    fn faults(&mut self, found: &Findings<'_>) {
        let case = self.case;
        let until = case.verdict.time;
        let from = found.probe.as_ref().map_or(found.death.origin.time, |probe| probe.began);
        let mut nodes = vec![case.verdict.observer, case.verdict.subject, found.declarer, found.accuser];
        nodes.extend(found.probe.iter().flat_map(super::probe::Probe::helpers));
        nodes.sort_unstable();
        nodes.dedup();
        for node in nodes {
            for grip in case.grips(node, from, until) {
                self.push(grip.from, node_name(node), "fault", held(case, node, &grip), true);
            }
        }
    }

    /// What the subject was told and what it answered.
    fn answer(&mut self, found: &Findings<'_>) {
        let answer = &found.refutation;
        self.listed("answer", &answer.accusations, "accusation: ");
        if let Some(entry) = answer.announced {
            self.entry("answer", entry);
        }
        for arrival in &answer.arrivals {
            self.listed("answer", &arrival.packets, "refutation: ");
            if let Some((entry, way)) = &arrival.heard {
                self.way("answer", way, "refutation:");
                self.entry("answer", entry);
            }
        }
    }

    fn listed(&mut self, part: &'static str, numbers: &[u32], note: &str) {
        for number in numbers.iter().take(LISTED) {
            self.packet(part, *number, note);
        }
        if let Some(first) = numbers.get(LISTED).and_then(|number| self.case.packet(*number)) {
            let text = format!("{note}{} more such packets", numbers.len() - LISTED);
            self.push(first.wanted, node_name(first.from), part, text, false);
        }
    }
}
