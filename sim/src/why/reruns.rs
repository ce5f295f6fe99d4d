//! What would have prevented it: the same run again, up to the first thing that is changed, and then without it.

use std::cell::Cell;

use rumormill_core::time::nanos;

use super::case::Case;
use super::findings::Findings;
use super::probe::{Probe, culprit, suffered};
use super::{AFTER, Question, Ran};
use crate::network::{Key, Spare};
use crate::scenario::Scenario;
use crate::trace::words::{at, fate, fault, load};
use crate::trace::{Cause, Entry, Fate, Filter, Kind, Packet, Recording, What};
use crate::truth::node_name;
use crate::world::watch::{Part, part};

/// What is otherwise in a rerun: the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A packet that was lost, cut off or held up arrives, after its own latency.
    Arrives,
    /// A packet that was still under way when it was too late arrives in the moment in which it is sent.
    ArrivesAtOnce,
    /// A packet that confirmed a suspicion is lost.
    IsLost,
    /// Several packets arrive, each after its own latency.
    AllArrive,
    /// A fault does not happen.
    Without,
}

/// What became of the accuser's probe in a rerun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probed {
    /// It failed at the same moment.
    Fails,
    /// It was answered.
    Answered,
    /// There was no such probe: another member was probed then, or at another time. Or none is known.
    Unknown,
}

/// A change, and what came of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Rerun {
    /// What is otherwise.
    pub how: How,
    /// Of what, in words.
    pub of: String,
    /// When it takes effect, seconds since t = 0.
    pub time: f64,
    /// What became of the accuser's probe.
    pub probe: Probed,
    /// When the observer declared the subject failed after all, seconds; absent: it did not.
    pub declared: Option<f64>,
    /// About which incarnation: a changed history may have other numbers.
    pub incarnation: Option<u32>,
}

impl Rerun {
    /// Whether the verdict was not given.
    #[must_use]
    pub const fn prevents(&self) -> bool {
        self.declared.is_none()
    }

    /// The change, in words.
    #[must_use]
    pub fn change(&self) -> String {
        match self.how {
            How::Arrives => format!("arrives: {}", self.of),
            How::ArrivesAtOnce => format!("arrives at once: {}", self.of),
            How::IsLost => format!("is lost: {}", self.of),
            How::AllArrive => format!("all arrive: {}", self.of),
            How::Without => format!("without {}", self.of),
        }
    }
}

/// Something that could have been otherwise.
#[derive(Clone, Debug)]
struct Candidate {
    time: u64,
    how: How,
    of: String,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// These are exceptions.
    Spare(Vec<(Key, Spare)>),
    /// This fault does not happen.
    Without(usize),
}

/// Packets with the refutation, or with the accusation to its subject, that are tried for each receiver.
const TRIED: usize = 6;

/// Tries the changes one by one, then together; and how many more there would have been to try.
pub(super) fn reruns(
    case: &Case<'_>,
    found: &Findings<'_>,
    question: &Question,
    ran: &mut Ran<'_>,
) -> (Vec<Rerun>, usize) {
    let packets = packets(case, found);
    let mut candidates: Vec<Candidate> =
        packets.iter().map(|packet| spare(case, packet, How::Arrives)).collect();
    candidates.extend(under_way(case, found));
    candidates.extend(confirmations(case, found));
    candidates.extend(faults(case, found, &packets));
    let room = question.reruns as usize;
    let not_tried = candidates.len().saturating_sub(room);
    candidates.truncate(room);
    let mut tries = Tries { case, found, question, ran, left: room, done: Vec::new() };
    for candidate in &candidates {
        tries.run(candidate);
    }
    let helped = |rerun: &Rerun| rerun.prevents() && matches!(rerun.how, How::Arrives | How::ArrivesAtOnce);
    if !tries.done.iter().any(helped) {
        tries.together(&packets);
    }
    (tries.done, not_tried)
}

/// The packets of the chain that suffered, in order of time.
fn packets<'a>(case: &Case<'a>, found: &Findings<'_>) -> Vec<&'a Packet> {
    let until = case.verdict.time;
    let probe = found.probe.iter().flat_map(|probe| &probe.pieces).map(|piece| piece.packet);
    let mut numbers: Vec<u32> = probe.collect();
    let suffering = |number: &&u32| case.packet(**number).is_some_and(suffered);
    numbers.extend(found.refutation.accusations.iter().filter(suffering).take(TRIED));
    for arrival in &found.refutation.arrivals {
        numbers.extend(arrival.packets.iter().filter(suffering).take(TRIED));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let packets = numbers.into_iter().filter_map(|number| case.packet(number));
    packets.filter(|packet| suffered(packet) && packet.wanted <= until).collect()
}

/// Packets with the refutation that nothing befell, but that were still under way when their receiver judged.
fn under_way(case: &Case<'_>, found: &Findings<'_>) -> Vec<Candidate> {
    let late = |number: &u32, verdict: u64| {
        case.packet(*number).filter(|packet| {
            !suffered(packet)
                && matches!(packet.fate, Fate::Arrives(at) if at > verdict)
                && packet.waited.is_none()
        })
    };
    let arrivals = found.refutation.arrivals.iter();
    let packets = arrivals.flat_map(|arrival| {
        arrival.packets.iter().filter_map(move |number| late(number, arrival.verdict)).take(TRIED)
    });
    packets.map(|packet| spare(case, packet, How::ArrivesAtOnce)).collect()
}

fn spare(case: &Case<'_>, packet: &Packet, how: How) -> Candidate {
    let sent = packet.sent.unwrap_or(packet.wanted);
    let spare = match how {
        How::ArrivesAtOnce => Spare::AtOnce,
        How::IsLost => Spare::Never,
        How::Arrives | How::AllArrive | How::Without => Spare::InItsTime,
    };
    Candidate {
        time: sent,
        how,
        of: format!(
            "{} -> {} at {}: {}; {}",
            node_name(packet.from),
            node_name(packet.to),
            at(sent),
            load(packet),
            fate(case.scenario, packet)
        ),
        change: Change::Spare(packet.key.into_iter().map(|key| (key, spare)).collect()),
    }
}

/// Packets that confirmed the suspicion, and so shortened it.
fn confirmations(case: &Case<'_>, found: &Findings<'_>) -> Vec<Candidate> {
    let packet = |entry: &Entry| match entry.cause {
        Cause::Packet(number) => case.packet(number).filter(|packet| packet.key.is_some()),
        _ => None,
    };
    let packets = found.confirmations.iter().filter_map(|(entry, _)| packet(entry)).take(TRIED);
    packets.map(|packet| spare(case, packet, How::IsLost)).collect()
}

/// The faults that held somebody who takes part, or that stopped a packet.
fn faults(case: &Case<'_>, found: &Findings<'_>, packets: &[&Packet]) -> Vec<Candidate> {
    let from = found.probe.as_ref().map_or(found.death.origin.time, |probe| probe.began);
    let mut nodes = vec![case.verdict.observer, case.verdict.subject, found.declarer, found.accuser];
    nodes.extend(found.probe.iter().flat_map(Probe::helpers));
    let mut faults: Vec<usize> = packets.iter().filter_map(|packet| culprit(packet)).collect();
    for node in nodes {
        faults.extend(case.grips(node, from, case.verdict.time).into_iter().map(|grip| grip.fault));
    }
    faults.sort_unstable();
    faults.dedup();
    let candidate = |index: usize| {
        let begins = case.scenario.faults.get(index).map_or(0, |fault| nanos(fault.at));
        let of = fault(case.scenario, index);
        Candidate { time: begins, how: How::Without, of, change: Change::Without(index) }
    };
    faults.into_iter().map(candidate).collect()
}

struct Tries<'t, 'a, 'p> {
    case: &'t Case<'a>,
    found: &'t Findings<'a>,
    question: &'t Question,
    ran: &'t mut Ran<'p>,
    left: usize,
    done: Vec<Rerun>,
}

impl Tries<'_, '_, '_> {
    /// Runs with one change, if there is a run left; whether that prevents the verdict.
    fn run(&mut self, candidate: &Candidate) -> Option<bool> {
        self.left = self.left.checked_sub(1)?;
        let probe = self.found.probe.as_ref();
        let recording = rerun(self.case, self.question, candidate, probe, self.ran);
        let after_all = recording
            .entries
            .iter()
            .find_map(|entry| Some((entry.time, after_all(self.case, candidate, entry)?)));
        let (of, time) = (candidate.of.clone(), candidate.time as f64 / 1e9);
        self.done.push(Rerun {
            how: candidate.how,
            of,
            time,
            probe: probe.map_or(Probed::Unknown, |probe| probed(probe, &recording)),
            declared: after_all.map(|(time, _)| time as f64 / 1e9),
            incarnation: after_all.map(|(_, incarnation)| incarnation),
        });
        Some(after_all.is_none())
    }

    /// No packet alone suffices: all of them, and where that does, as few as it takes, dropped greedily.
    fn together(&mut self, packets: &[&Packet]) {
        let keys: Vec<(Key, &Packet)> =
            packets.iter().filter_map(|packet| Some((packet.key?, *packet))).collect();
        if keys.len() < 2 {
            return;
        }
        let mut kept: Vec<usize> = (0..keys.len()).collect();
        let all = together(&keys, &kept, "all of the packets above".to_owned());
        if self.run(&all) != Some(true) {
            return;
        }
        let mut smaller = None;
        for place in 0..keys.len() {
            let fewer: Vec<usize> = kept.iter().copied().filter(|other| *other != place).collect();
            if fewer.is_empty() {
                break;
            }
            let named: Vec<String> =
                fewer.iter().filter_map(|place| keys.get(*place)).map(|(_, p)| short(p)).collect();
            let candidate = together(&keys, &fewer, named.join(" and "));
            let before = self.done.len();
            match self.run(&candidate) {
                Some(true) => {
                    kept = fewer;
                    smaller = self.done.pop();
                }
                Some(false) => self.done.truncate(before),
                None => break,
            }
        }
        self.done.extend(smaller);
    }
}

fn together(keys: &[(Key, &Packet)], places: &[usize], of: String) -> Candidate {
    let chosen = || places.iter().filter_map(|place| keys.get(*place));
    let time = chosen().map(|(_, packet)| packet.sent.unwrap_or(packet.wanted)).min().unwrap_or(0);
    let spared = chosen().map(|(key, _)| (*key, Spare::InItsTime)).collect();
    Candidate { time, how: How::AllArrive, of, change: Change::Spare(spared) }
}

fn short(packet: &Packet) -> String {
    let sent = packet.sent.unwrap_or(packet.wanted);
    format!("{} -> {} at {}", node_name(packet.from), node_name(packet.to), at(sent))
}

/// What became of a probe, which a rerun may never have begun. Only an answer tells when its probe began.
fn probed(probe: &Probe<'_>, recording: &Recording) -> Probed {
    let its = || recording.entries.iter().filter(|entry| entry.node == Some(probe.prober));
    let answered = |entry: &Entry| match entry.what {
        What::ProbeAnswered { after, .. } => entry.time.checked_sub(nanos(after)) == Some(probe.began),
        _ => false,
    };
    let failed =
        |entry: &Entry| entry.time == probe.failed.time && matches!(entry.what, What::ProbeFailed { .. });
    if its().any(answered) {
        Probed::Answered
    } else if its().any(failed) {
        Probed::Fails
    } else {
        Probed::Unknown
    }
}

/// The incarnation, if the observer declares the subject failed here instead of where it did. Whatever was changed may have changed
/// the incarnations too, so that in the time that was watched any will do, and later the same.
fn after_all(case: &Case<'_>, candidate: &Candidate, entry: &Entry) -> Option<u32> {
    let verdict = case.verdict;
    let What::Failed { subject, incarnation, false_positive } = entry.what else { return None };
    let watched = entry.time <= verdict.time.saturating_add(AFTER) || incarnation == verdict.incarnation;
    let is_meant = (entry.node, subject) == (Some(verdict.observer), verdict.subject)
        && (false_positive || !verdict.false_positive)
        && entry.time >= candidate.time
        && watched;
    (is_meant && !was_there_too(case, entry)).then_some(incarnation)
}

/// Whether the run itself has just this declaration beside the verdict: then it does not stand for it.
fn was_there_too(case: &Case<'_>, entry: &Entry) -> bool {
    let verdict = case.verdict;
    let is_it = entry.time == verdict.time
        && matches!(entry.what, What::Failed { incarnation, .. } if incarnation == verdict.incarnation);
    let mut its = case.at(verdict.observer);
    !is_it && its.any(|was| was.time == entry.time && was.what == entry.what)
}

/// The measured time again with a change, until the verdict is given after all and the probe is over.
fn rerun(
    case: &Case<'_>,
    question: &Question,
    candidate: &Candidate,
    probe: Option<&Probe<'_>>,
    ran: &mut Ran<'_>,
) -> Recording {
    let (mut scenario, mut spared) = (None, &[][..]);
    match &candidate.change {
        Change::Spare(keys) => spared = keys.as_slice(),
        Change::Without(fault) => {
            let mut changed = Scenario::clone(case.scenario);
            if let Some(fault) = changed.faults.get_mut(*fault) {
                fault.off = true;
            }
            scenario = Some(changed);
        }
    }
    let scenario = scenario.as_ref().unwrap_or(case.scenario);
    let filter = Filter {
        about: vec![case.verdict.subject],
        kinds: vec![Kind::Death, Kind::Probe],
        ..Filter::default()
    };
    let until = nanos(scenario.duration);
    let what = Part { variant: question.variant, seed: question.seed, spared, until };
    let over = probe.map_or(0, |probe| probe.failed.time);
    let declared = Cell::new(false);
    let enough = |recording: &Recording| {
        let Some(last) = recording.entries.last() else { return false };
        declared.set(declared.get() || after_all(case, candidate, last).is_some());
        declared.get() && last.time >= over
    };
    ran.begin();
    part(scenario, &what, filter, &enough, &mut |seconds| ran.tell(seconds))
}
