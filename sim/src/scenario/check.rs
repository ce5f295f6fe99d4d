//! The rules about a scenario's values: ranges, and what its parts must agree on.

use std::collections::HashSet;
use std::time::Duration;

use rumormill_core::config::{ConfigError, format_duration};

use super::diagnostic::plain;
use super::model::*;
use super::path::Path;
use super::problem::Problem;
use crate::metric::{Shape, metric_named};

const NODES_MAX: u32 = 100_000;
const SEEDS_MAX: u32 = 100_000;
pub(super) const NAME_MAX: usize = 64;
const DURATION_MAX: Duration = Duration::from_secs(7 * 86_400);
const LATENCY_MIN: Duration = Duration::from_micros(1);
const LATENCY_MAX: Duration = Duration::from_secs(60);

/// Everything that is wrong with a scenario's values.
pub(super) fn problems(scenario: &Scenario) -> Vec<Problem> {
    let mut rules = Rules { scenario, problems: Vec::new() };
    rules.top();
    rules.cluster();
    rules.network();
    for (number, fault) in scenario.faults.iter().enumerate() {
        rules.fault(fault, &Path::root().key("fault").index(number));
    }
    rules.joiners();
    rules.variants();
    for (number, expect) in scenario.expects.iter().enumerate() {
        rules.expect(expect, &Path::root().key("expect").index(number));
    }
    rules.problems
}

pub(super) struct Rules<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) problems: Vec<Problem>,
}

/// Whether a name can be part of a file's or a folder's.
pub(super) fn is_safe_name(name: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(safe)
}

pub(super) fn top_key(key: &str) -> Path {
    Path::root().key(key)
}

impl Rules<'_> {
    pub(super) fn report(&mut self, path: &Path, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::at(path, message).hint(hint));
    }

    fn top(&mut self) {
        let scenario = self.scenario;
        // The name becomes a folder's.
        if !is_safe_name(&scenario.name) {
            let message = format!("must be 1 to {NAME_MAX} letters, digits, `-` or `_`");
            self.report(&top_key("name"), message, "for example name = \"lan-1000\"");
        }
        if !(1..=SEEDS_MAX).contains(&scenario.seeds) {
            self.report(
                &top_key("seeds"),
                format!("must be from 1 to {SEEDS_MAX}"),
                "for example seeds = 10",
            );
        } else if scenario.seed.checked_add(u64::from(scenario.seeds) - 1).is_none() {
            let problem = Problem::at(&top_key("seed"), "seed + seeds is more than 64 bits hold");
            self.problems.push(problem.hint("choose a smaller seed").rests_on(top_key("seeds")));
        }
        if scenario.duration.is_zero() || scenario.duration > DURATION_MAX {
            let message = format!("must be more than 0s and at most {}", format_duration(DURATION_MAX));
            self.report(&top_key("duration"), message, "for example duration = \"2m\"");
        } else if scenario.warmup >= scenario.duration {
            let message = format!("must be less than the duration ({})", format_duration(scenario.duration));
            let hint = "nothing would be measured; both count from t = 0";
            self.problems
                .push(Problem::at(&top_key("warmup"), message).hint(hint).rests_on(top_key("duration")));
        }
    }

    fn cluster(&mut self) {
        let cluster = &self.scenario.cluster;
        let path = top_key("cluster");
        if !(1..=NODES_MAX).contains(&cluster.nodes) {
            self.report(
                &path.key("nodes"),
                format!("must be from 1 to {NODES_MAX}"),
                "for example nodes = 1000",
            );
        }
        if let Err(error) = cluster.config.check() {
            self.config_error(&error, &path.key("config"));
        }
        self.zones(&path.key("zones"));
    }

    pub(super) fn config_error(&mut self, error: &ConfigError, path: &Path) {
        let message = format!("must be {}", error.bound);
        let hint = format!("it is {} now", error.value);
        let mut problem = Problem::at(&path.key(error.field), message).hint(hint);
        if error.field == "probe_timeout" {
            problem = problem.rests_on(path.key("probe_interval"));
        }
        self.problems.push(problem);
    }

    fn zones(&mut self, path: &Path) {
        let cluster = &self.scenario.cluster;
        let mut names = HashSet::new();
        let mut total: u64 = 0;
        for (number, zone) in cluster.zones.iter().enumerate() {
            let here = path.index(number);
            if zone.name.is_empty() {
                self.report(&here.key("name"), "must not be empty", "for example name = \"a\"");
            } else if !names.insert(&zone.name) {
                let message = format!("there is a zone \"{}\" already", plain(&zone.name));
                self.report(&here.key("name"), message, "each zone has a name of its own");
            }
            if zone.nodes == 0 {
                self.report(&here.key("nodes"), "must be 1 or more", "leave out a zone without nodes");
            }
            if u64::from(zone.first) != total.min(u32::MAX.into()) {
                self.report(
                    &here,
                    format!("must start at node-{total}"),
                    "zones are consecutive, from node-0 on",
                );
            }
            total += u64::from(zone.nodes);
        }
        if !cluster.zones.is_empty() && total != u64::from(cluster.nodes) {
            let message = format!("the zones have {total} nodes, but the cluster has {}", cluster.nodes);
            let problem = Problem::at(path, message).hint("zones cover all nodes, each once");
            self.problems.push(problem.rests_on(top_key("cluster").key("nodes")));
        }
    }

    fn network(&mut self) {
        let network = &self.scenario.network;
        let path = top_key("network");
        self.latency(&network.latency, &path.key("latency"));
        self.share(network.loss, true, &path.key("loss"));
        for (number, link) in network.links.iter().enumerate() {
            let here = path.key("link").index(number);
            for (selector, key) in [(&link.from, "from"), (&link.to, "to")] {
                if matches!(selector, Selector::Pick(_) | Selector::Fraction(_)) {
                    let hint = "write { zone = \"a\" }, { all = true } or [\"node-7\"]";
                    self.report(&here.key(key), "a link cannot draw its nodes", hint);
                } else {
                    self.selector(selector, &here.key(key));
                }
            }
            if let Some(latency) = &link.latency {
                self.latency(latency, &here.key("latency"));
            }
            if let Some(loss) = link.loss {
                self.share(loss, true, &here.key("loss"));
            }
            if link.latency.is_none() && link.loss.is_none() {
                let problem =
                    Problem::at(&here, "the link changes nothing").hint("give it a latency or a loss");
                self.problems.push(problem);
            }
        }
    }

    fn latency(&mut self, latency: &Latency, path: &Path) {
        let (low, high, ordered) = match *latency {
            Latency::Constant { value } => (("value", value), ("value", value), true),
            Latency::Uniform { min, max } => (("min", min), ("max", max), min < max),
            Latency::Lognormal { median, p99 } => (("median", median), ("p99", p99), median < p99),
        };
        let range = LATENCY_MIN..=LATENCY_MAX;
        let mut sound = true;
        for (key, value) in if low.0 == high.0 { vec![low] } else { vec![low, high] } {
            if !range.contains(&value) {
                let bounds = (format_duration(LATENCY_MIN), format_duration(LATENCY_MAX));
                let message = format!("must be from {} to {}", bounds.0, bounds.1);
                self.report(&path.key(key), message, &format!("for example {key} = \"500us\""));
                sound = false;
            }
        }
        if sound && !ordered {
            let message = format!("must be more than {} ({})", low.0, format_duration(low.1));
            let problem = Problem::at(&path.key(high.0), message).rests_on(path.key(low.0));
            self.problems.push(problem.hint("without spread, kind = \"constant\" says it"));
        }
    }

    fn share(&mut self, share: f64, zero_too: bool, path: &Path) {
        if !(0.0..=1.0).contains(&share) || (!zero_too && share == 0.0) {
            let message = if zero_too { "must be from 0 to 1" } else { "must be more than 0, up to 1" };
            self.report(path, message, "a share: 0.01 is one in a hundred");
        }
    }

    fn selector(&mut self, selector: &Selector, path: &Path) {
        let cluster = &self.scenario.cluster;
        match selector {
            Selector::All => {}
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

    fn fault(&mut self, fault: &Fault, path: &Path) {
        let duration = self.scenario.duration;
        if fault.at >= duration {
            let message = format!("must be less than the duration ({})", format_duration(duration));
            let problem = Problem::at(&path.key("at"), message).rests_on(top_key("duration"));
            self.problems.push(problem.hint("the fault would never be seen"));
        }
        match &fault.kind {
            FaultKind::Leave { nodes } => self.selector(nodes, &path.key("nodes")),
            FaultKind::Crash { nodes, restart } => {
                self.selector(nodes, &path.key("nodes"));
                if let Some((down, how)) = restart {
                    self.lasts(fault.at, *down, path);
                    self.through(&how.through, path);
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
            FaultKind::Partition { a, b, lasts, .. } => {
                let sides = path.key("partition");
                self.selector(a, &sides.key("a"));
                self.selector(b, &sides.key("b"));
                if self.swallows(a, b) {
                    let problem = Problem::at(&sides.key("b"), "every node of b is on side a too");
                    let problem = problem.hint("nodes on both sides count as on a, so nothing would be cut");
                    self.problems.push(problem.rests_on(sides.key("a")).rests_on(top_key("cluster")));
                }
                if let Some(lasts) = lasts {
                    self.lasts(fault.at, *lasts, path);
                }
            }
        }
    }

    fn lasts(&mut self, at: Duration, lasts: Duration, path: &Path) {
        let duration = self.scenario.duration;
        let here = path.key("for");
        if lasts.is_zero() {
            self.report(&here, "must be more than 0s", "for example for = \"20s\"");
        } else if at < duration && at.checked_add(lasts).is_none_or(|end| end > duration) {
            let message = format!("the fault ends after the duration ({})", format_duration(duration));
            let problem =
                Problem::at(&here, message).hint("end it earlier, or leave `for` out: then it never ends");
            self.problems.push(problem.rests_on(path.key("at")).rests_on(top_key("duration")));
        }
    }

    fn through(&mut self, through: &Through, path: &Path) {
        if let Through::Selector(selector) = through {
            self.selector(selector, &path.key("join"));
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
            Selector::Pick(_) | Selector::Fraction(_) => None,
        }
    }

    /// Whether nothing of `b` lies outside `a`, as far as the file says.
    fn swallows(&self, a: &Selector, b: &Selector) -> bool {
        match (a, self.fixed(b)) {
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

    fn expect(&mut self, expect: &Expect, path: &Path) {
        let here = path.key("metric");
        let Some(metric) = metric_named(expect.metric) else {
            self.report(
                &here,
                format!("unknown metric \"{}\"", expect.metric),
                "see rumormill_sim::metric::METRICS",
            );
            return;
        };
        if (metric.shape == Shape::Distribution) != expect.statistic.is_some() {
            self.report(
                &here,
                "distributions have a statistic, values have none",
                "for example detection.all.p99",
            );
        }
        let (key, bound) = match expect.bound {
            Bound::Below(bound) => ("below", bound),
            Bound::Above(bound) => ("above", bound),
            Bound::Equals(bound) => ("equals", bound),
            Bound::Near { value, .. } => ("near", value),
        };
        if !bound.is_finite() || bound < 0.0 || (key == "below" && bound == 0.0) {
            let message = if key == "below" { "must be more than 0" } else { "must be 0 or more" };
            self.report(&path.key(key), message, "no metric is below 0");
        }
        self.comparison(expect, path);
        if let Some(needed) = self.lacks(expect.metric) {
            let message = format!("nothing in this scenario makes a sample of {}", expect.metric);
            let problem = Problem::at(&here, message).hint(needed).rests_on(top_key("fault"));
            self.problems.push(problem.rests_on(top_key("cluster").key("start")));
        }
    }

    /// What a metric needs and this scenario does not have.
    fn lacks(&self, metric: &str) -> Option<&'static str> {
        let has = |names: &[&str]| self.scenario.faults.iter().any(|f| names.contains(&f.kind.name()));
        let (there, needed) = match metric {
            "suspicion.first" | "detection.first" | "detection.all" | "dissemination.failure" => {
                (has(&["crash", "restart"]), "it needs a fault of kind crash")
            }
            "dissemination.join" => {
                let starts = self.scenario.cluster.start == Start::Join;
                (
                    starts || has(&["join", "restart", "crash"]),
                    "it needs start = \"join\" or a fault of kind join",
                )
            }
            "dissemination.leave" => (has(&["leave"]), "it needs a fault of kind leave"),
            "dissemination.update" => (false, "no fault changes tags"),
            _ => (true, ""),
        };
        (!there).then_some(needed)
    }
}
