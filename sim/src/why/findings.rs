//! The causal chain behind a verdict, from the wrong word back to the packets that were missing.

use rumormill_core::io::{State, Via};

use super::case::{Case, Way};
use super::probe::{Probe, failed_probe};
use crate::trace::{Entry, Packet, Said, What};

/// What was found out about a case.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    /// How the news of the death came to the observer; its origin is where the declarer says so.
    pub(super) death: Way<'a>,
    /// Whose suspicion ran out.
    pub(super) declarer: u32,
    /// That suspicion; `None` where suspicion is off.
    pub(super) suspicion: Option<&'a Entry>,
    /// Its confirmations, and how each came: its origin is whose failed probe it goes back to.
    pub(super) confirmations: Vec<(&'a Entry, Way<'a>)>,
    /// How the accusation came to the declarer.
    pub(super) accusation: Option<Way<'a>>,
    /// Who accused.
    pub(super) accuser: u32,
    /// The accuser's probe that failed.
    pub(super) probe: Option<Probe<'a>>,
    /// What the subject said to it.
    pub(super) refutation: Refutation<'a>,
}

/// What became of the subject's answer.
#[derive(Debug)]
pub(super) struct Refutation<'a> {
    /// The packets that carried the accusation, or the death, to the subject, up to its answer or the observer's verdict.
    pub(super) accusations: Vec<u32>,
    /// How what it answered came to the subject; its entry is `announced`.
    pub(super) heard: Option<Way<'a>>,
    /// The subject's answer.
    pub(super) announced: Option<&'a Entry>,
    /// Where the declarer, or who took its word, hears of it.
    pub(super) arrivals: Vec<Arrival<'a>>,
}

/// A refutation on its way to one node.
#[derive(Debug)]
pub(super) struct Arrival<'a> {
    /// Who should have heard.
    pub(super) node: u32,
    /// The packets that carried it there before that node's verdict.
    pub(super) packets: Vec<u32>,
    /// When it had its verdict.
    pub(super) verdict: u64,
    /// Where it hears of it at last, and how that came there.
    pub(super) heard: Option<(&'a Entry, Way<'a>)>,
}

impl Findings<'_> {
    /// Confirmations that go back to the very accusation that they confirm.
    pub(super) fn echoes(&self) -> impl Iterator<Item = &(&Entry, Way<'_>)> {
        self.confirmations.iter().filter(|(_, way)| way.whole && way.origin.node == Some(self.accuser))
    }
}

/// Follows a verdict back. `None` when the recording does not have it.
pub(super) fn findings<'a>(case: &Case<'a>) -> Option<Findings<'a>> {
    let verdict = case.verdict;
    let declared = case.last(verdict.observer, verdict.time, |entry| {
        matches!(entry.what, What::DeclaredDead { incarnation, .. } if incarnation == verdict.incarnation)
    })?;
    let death = case.way(declared);
    let declarer = death.origin.node?;
    let suspicion = if found_by_timer(death.origin) { case.suspicion(death.origin) } else { None };
    let accusation = suspicion.map(|entry| case.way(entry));
    let origin = accusation.as_ref().map_or(death.origin, |way| way.origin);
    let accuser = origin.node.unwrap_or(declarer);
    let probe = failed_probe(case, accuser, origin.time);
    let confirmations = suspicion.map_or_else(Vec::new, |began| {
        let since = |entry: &&Entry| entry.time >= began.time && entry.time <= death.origin.time;
        let confirmed = case.at(declarer).filter(since).filter(|e| matches!(e.what, What::Confirmed { .. }));
        confirmed.map(|entry| (entry, case.way(entry))).collect()
    });
    let since = probe.as_ref().map_or(origin.time, |probe| probe.failed.time);
    let refutation = refutation(case, &death, declarer, since);
    Some(Findings { death, declarer, suspicion, confirmations, accusation, accuser, probe, refutation })
}

fn found_by_timer(death: &Entry) -> bool {
    matches!(death.what, What::DeclaredDead { via: Via::Own, .. })
}

fn refutation<'a>(case: &Case<'a>, death: &Way<'a>, declarer: u32, since: u64) -> Refutation<'a> {
    let verdict = case.verdict;
    let announced = case.at(verdict.subject).find(|entry| {
        entry.time >= since
            && matches!(entry.what, What::Refuted { accused, .. } if accused >= verdict.incarnation)
    });
    let until = announced.map_or(verdict.time, |entry| entry.time.max(since)).min(verdict.time);
    let accuses = |said: &Said| match said {
        Said::Suspect { subject, incarnation, .. } | Said::Dead { subject, incarnation, .. } => {
            *subject == Some(verdict.subject) && *incarnation >= verdict.incarnation
        }
        _ => false,
    };
    let to_subject = |packet: &Packet| packet.to == verdict.subject && packet.said.iter().any(accuses);
    let mut judges = vec![(declarer, death.origin.time)];
    if verdict.observer != declarer {
        judges.push((verdict.observer, verdict.time));
    }
    let arrivals = judges.into_iter().map(|(node, time)| arrival(case, node, time)).collect();
    Refutation {
        accusations: carriers(case, since, until, to_subject),
        heard: announced.map(|entry| case.way(entry)),
        announced,
        arrivals,
    }
}

fn arrival<'a>(case: &Case<'a>, node: u32, verdict: u64) -> Arrival<'a> {
    let accused = case.verdict.incarnation;
    let subject = case.verdict.subject;
    let refutes = |said: &Said| match said {
        Said::Alive { subject: s, incarnation }
        | Said::Row { subject: s, incarnation, state: State::Alive } => {
            *s == Some(subject) && *incarnation > accused
        }
        _ => false,
    };
    let heard = case.at(node).find(|entry| {
        matches!(entry.what, What::Applied { state: State::Alive, incarnation, .. } if incarnation > accused)
    });
    let packets = carriers(case, 0, verdict, |packet| packet.to == node && packet.said.iter().any(refutes));
    Arrival { node, packets, verdict, heard: heard.map(|entry| (entry, case.way(entry))) }
}

/// The packets of a span of time that are so.
fn carriers(case: &Case<'_>, from: u64, until: u64, is: impl Fn(&Packet) -> bool) -> Vec<u32> {
    let in_time = |packet: &Packet| packet.wanted >= from && packet.wanted <= until;
    case.packets().filter(|(_, packet)| in_time(packet) && is(packet)).map(|(number, _)| number).collect()
}
