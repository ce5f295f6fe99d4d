//! The rules about faults and the sets of nodes that they name.

use std::collections::HashSet;
use std::time::Duration;

use rumormill_core::config::format_duration;

use super::super::model::*;
use super::super::path::Path;
use super::super::problem::Problem;
use super::{NODES_MAX, Rules, is_name, top_key};

/// Repetitions of one fault; more would only fill the report.
pub(super) const REPETITIONS_MAX: u128 = 100_000;
/// How wrong a clock may run, either way.
const RATE_MAX: f64 = 10.0;
/// How far a clock may jump, either way.
const OFFSET_MAX: Duration = Duration::from_secs(3600);

impl Rules<'_> {
    pub(super) fn faults(&mut self) {
        let mut names = HashSet::new();
        for (number, fault) in self.scenario.faults.iter().enumerate() {
            let path = top_key("fault").index(number);
            self.fault(fault, &path);
            if !fault.name.is_empty() && !names.insert(&fault.name) {
                let message = format!("there is a fault \"{}\" already", fault.name);
                self.report(&path.key("name"), message, "each fault has a name of its own, or none");
            }
        }
        self.joiners();
    }

    fn fault(&mut self, fault: &Fault, path: &Path) {
        let duration = self.scenario.duration;
        if fault.at >= duration {
            let message = format!("must be less than the duration ({})", format_duration(duration));
            let problem = Problem::at(&path.key("at"), message).rests_on(top_key("duration"));
            self.problems.push(problem.hint("the fault would never be seen"));
        }
        if !fault.name.is_empty() && !is_name(&fault.name) {
            let hint = "for example name = \"two-sick\"";
            self.report(&path.key("name"), "must be 1 to 64 letters, digits, `-` or `_`", hint);
        }
        if let Some(lasts) = fault.lasts {
            self.lasts(fault, lasts, path);
        }
        self.repetitions(fault, path);
        self.kind(&fault.kind, fault.lasts.is_some(), path);
    }

    fn kind(&mut self, kind: &FaultKind, ends: bool, path: &Path) {
        match kind {
            FaultKind::Leave { nodes } | FaultKind::Pause { nodes } | FaultKind::BlockIo { nodes } => {
                self.selector(nodes, &path.key("nodes"));
            }
            FaultKind::Crash { nodes, back } => {
                self.selector(nodes, &path.key("nodes"));
                if ends {
                    self.through(&back.through, path);
                }
            }
            FaultKind::Restart { nodes, how } => {
                self.selector(nodes, &path.key("nodes"));
                self.through(&how.through, path);
            }
            FaultKind::Join { nodes, through } => {
                self.selector(nodes, &path.key("nodes"));
                self.through(through, path);
            }
            FaultKind::Slow { nodes, extra } => {
                self.selector(nodes, &path.key("nodes"));
                self.latency(extra, &path.key("extra"));
            }
            FaultKind::Clock { nodes, rate, offset } => {
                self.selector(nodes, &path.key("nodes"));
                if !(1.0 / RATE_MAX..=RATE_MAX).contains(rate) {
                    let hint = "local seconds per second: 1.0001 gains 0.1 ms a second";
                    self.report(&path.key("rate"), "must be from 0.1 to 10", hint);
                }
                if u128::from(offset.unsigned_abs()) > OFFSET_MAX.as_nanos() {
                    let hint = "for example offset = \"-2s\"";
                    self.report(&path.key("offset"), "must be at most 1h, ahead or back", hint);
                }
            }
            FaultKind::Partition { a, b, share, .. } => self.partition((a, b), *share, path),
            FaultKind::Link { from, to, travel } => {
                let link = path.key("link");
                self.pair((from, &link.key("from")), (to, &link.key("to")));
                self.travel(travel, &link);
                if *travel == Travel::default() {
                    let hint = "give it a latency, a loss, ...";
                    self.report(&link, "the fault changes nothing", hint);
                }
            }
        }
    }

    fn partition(&mut self, (a, b): (&Selector, &Selector), share: f64, path: &Path) {
        let sides = path.key("partition");
        self.pair((a, &sides.key("a")), (b, &sides.key("b")));
        self.share(share, false, &sides.key("share"));
        if self.swallows(a, b) {
            let problem = Problem::at(&sides.key("b"), "every node of b is on side a too");
            let problem = problem.hint("nodes on both sides count as on a, so nothing would be cut");
            self.problems.push(problem.rests_on(sides.key("a")).rests_on(top_key("cluster")));
        }
    }

    /// Two sets, of which one may be the rest of the other.
    pub(super) fn pair(&mut self, one: (&Selector, &Path), other: (&Selector, &Path)) {
        if matches!((one.0, other.0), (Selector::Rest, Selector::Rest)) {
            self.report(other.1, "both sides cannot be the rest of each other", "name one of them");
        }
        for (selector, path) in [one, other] {
            if *selector != Selector::Rest {
                self.selector(selector, path);
            }
        }
    }

    fn lasts(&mut self, fault: &Fault, lasts: Duration, path: &Path) {
        let duration = self.scenario.duration;
        let here = path.key("for");
        if lasts.is_zero() {
            self.report(&here, "must be more than 0s", "for example for = \"20s\"");
        } else if fault.at < duration && fault.at.checked_add(lasts).is_none_or(|end| end > duration) {
            let message = format!("the fault ends after the duration ({})", format_duration(duration));
            let problem =
                Problem::at(&here, message).hint("end it earlier, or leave `for` out: then it never ends");
            self.problems.push(problem.rests_on(path.key("at")).rests_on(top_key("duration")));
        }
    }

    fn repetitions(&mut self, fault: &Fault, path: &Path) {
        let Some(every) = fault.every else { return };
        let duration = self.scenario.duration;
        let here = path.key("every");
        let span = duration.saturating_sub(fault.at).as_nanos();
        if every.is_zero() || span / every.as_nanos().max(1) > REPETITIONS_MAX {
            let message = format!("must be more than 0s, and at most {REPETITIONS_MAX} repetitions fit");
            self.report(&here, message, "for example every = \"60s\"");
        } else if let Some(lasts) = fault.lasts
            && !matches!(fault.kind, FaultKind::Crash { .. })
            && lasts > every
        {
            let message = format!("must be at least `for` ({})", format_duration(lasts));
            let problem = Problem::at(&here, message).rests_on(path.key("for"));
            self.problems.push(problem.hint("it counts from start to start"));
        } else if fault.lasts.is_none() && has_end(&fault.kind) {
            let hint = "add for = \"20s\"";
            self.report(&here, "a fault that begins again has to end before", hint);
        }
        if let Some(until) = fault.until
            && (until <= fault.at || until > duration)
        {
            let message =
                format!("must be after `at` and at most the duration ({})", format_duration(duration));
            let problem = Problem::at(&path.key("until"), message).rests_on(path.key("at"));
            self.problems
                .push(problem.rests_on(top_key("duration")).hint("no repetition begins at or after it"));
        }
    }

    fn through(&mut self, through: &Through, path: &Path) {
        if let Through::Selector(selector) = through {
            self.selector(selector, &path.key("join"));
        }
    }

    pub(super) fn share(&mut self, share: f64, zero_too: bool, path: &Path) {
        if !(0.0..=1.0).contains(&share) || (!zero_too && share == 0.0) {
            let message = if zero_too { "must be from 0 to 1" } else { "must be more than 0, up to 1" };
            self.report(path, message, "a share: 0.01 is one in a hundred");
        }
    }

    pub(super) fn selector(&mut self, selector: &Selector, path: &Path) {
        let cluster = &self.scenario.cluster;
        match selector {
            Selector::All => {}
            Selector::Rest => {
                let hint = "only one side of a partition or a link can be the rest of the other";
                self.report(path, "there is nothing here that this could be the rest of", hint);
            }
            Selector::Pick(count) => {
                if !(1..=cluster.nodes).contains(count) {
                    let message = format!("must be from 1 to the cluster's {} nodes", cluster.nodes);
                    let problem =
                        Problem::at(&path.key("pick"), message).rests_on(top_key("cluster").key("nodes"));
                    self.problems.push(problem.hint("for example { pick = 1 }"));
                }
            }
            Selector::Fraction(share) => self.share(*share, false, &path.key("fraction")),
            Selector::Zone(index) => {
                if *index >= cluster.zones.len() {
                    self.report(
                        &path.key("zone"),
                        format!("there is no zone number {index}"),
                        "see cluster.zones",
                    );
                }
            }
            Selector::Nodes(numbers) => self.nodes(numbers, path),
        }
    }

    fn nodes(&mut self, numbers: &[u32], path: &Path) {
        let nodes = self.scenario.cluster.nodes;
        if numbers.is_empty() {
            self.report(path, "names no node", "for example [\"node-7\"]");
        }
        let mut seen = HashSet::new();
        for (n, number) in numbers.iter().enumerate() {
            if *number >= nodes {
                let message = format!("there is no node-{number}");
                let hint = format!("the last of {nodes} nodes is node-{}", nodes.saturating_sub(1));
                let problem = Problem::at(&path.index(n), message).rests_on(top_key("cluster").key("nodes"));
                self.problems.push(problem.hint(hint));
            } else if !seen.insert(number) {
                self.report(&path.index(n), format!("node-{number} is there twice"), "name each node once");
            }
        }
    }

    /// The nodes of a selector that draws nothing.
    fn fixed(&self, selector: &Selector) -> Option<Vec<u32>> {
        let cluster = &self.scenario.cluster;
        // A cluster that is too large is reported; its nodes are not counted out.
        if cluster.nodes > NODES_MAX {
            return None;
        }
        match selector {
            Selector::All => Some((0..cluster.nodes).collect()),
            Selector::Zone(index) => {
                let zone = cluster.zones.get(*index)?;
                let end = zone.first.saturating_add(zone.nodes).min(cluster.nodes);
                Some((zone.first..end).collect())
            }
            Selector::Nodes(numbers) => Some(numbers.clone()),
            Selector::Pick(_) | Selector::Fraction(_) | Selector::Rest => None,
        }
    }

    /// Whether nothing of `b` lies outside `a`, as far as the file says.
    fn swallows(&self, a: &Selector, b: &Selector) -> bool {
        match (a, self.fixed(b)) {
            (_, _) if matches!(a, Selector::Rest) || matches!(b, Selector::Rest) => false,
            (Selector::All, _) => true,
            (Selector::Zone(x), _) if matches!(b, Selector::Zone(y) if x != y) => false,
            (_, Some(b)) => self.fixed(a).is_some_and(|a| {
                let a: HashSet<u32> = a.into_iter().collect();
                b.iter().all(|node| a.contains(node))
            }),
            (_, None) => false,
        }
    }

    /// Who joins later was not there before, and node-0 always was.
    fn joiners(&mut self) {
        let nodes = self.scenario.cluster.nodes;
        let mut joined = HashSet::new();
        let mut drawn: u64 = 0;
        for (number, fault) in self.scenario.faults.iter().enumerate() {
            let FaultKind::Join { nodes: joiners, .. } = &fault.kind else { continue };
            let path = top_key("fault").index(number).key("nodes");
            if let Selector::Pick(count) = joiners {
                drawn += u64::from(*count);
            }
            let fixed =
                if *joiners == Selector::All { None } else { self.fixed(joiners) }.unwrap_or_default();
            if fixed.contains(&0) {
                self.report(
                    &path,
                    "node-0 cannot join later: it is there from the start",
                    "choose other nodes",
                );
            }
            if let Some(twice) = fixed.into_iter().find(|node| !joined.insert(*node)) {
                self.report(
                    &path,
                    format!("node-{twice} has joined by another fault"),
                    "a node arrives once",
                );
            }
            if joined.len() as u64 + drawn > u64::from(nodes.saturating_sub(1)) {
                let message = "more nodes join than there are beside node-0";
                let problem = Problem::at(&path, message).rests_on(top_key("cluster").key("nodes"));
                self.problems.push(problem.hint("cluster.nodes counts those that join later, too"));
            }
        }
    }
}

/// Whether a kind of fault lasts.
const fn has_end(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Pause { .. }
            | FaultKind::Slow { .. }
            | FaultKind::BlockIo { .. }
            | FaultKind::Clock { .. }
            | FaultKind::Partition { .. }
            | FaultKind::Link { .. }
    )
}
