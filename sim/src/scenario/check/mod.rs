//! The rules about a scenario's values: ranges, and what its parts must agree on.

mod fault;
mod travel;
mod variant;
mod workload;

use std::collections::HashSet;
use std::time::Duration;

use rumormill_core::config::{ConfigError, format_duration};

use super::diagnostic::plain;
use super::model::*;
use super::path::Path;
use super::problem::Problem;
use crate::metric::{METRICS, Metric, Shape, Unit, metric_named};

const NODES_MAX: u32 = 100_000;
const SEEDS_MAX: u32 = 100_000;
pub(super) const NAME_MAX: usize = 64;
/// Bytes of a label (`Config::label`).
const LABEL_BYTES_MAX: usize = 255;
const DURATION_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Everything that is wrong with a scenario's values.
pub(super) fn problems(scenario: &Scenario) -> Vec<Problem> {
    let mut rules = Rules { scenario, problems: Vec::new() };
    rules.top();
    rules.cluster();
    rules.network();
    rules.faults();
    rules.workloads();
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

pub(super) fn top_key(key: &str) -> Path {
    Path::root().key(key)
}

/// Whether a text may name a scenario, a variant or a fault.
pub(super) fn is_name(text: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=NAME_MAX).contains(&text.len()) && text.chars().all(safe)
}

impl Rules<'_> {
    pub(super) fn report(&mut self, path: &Path, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::at(path, message).hint(hint));
    }

    fn top(&mut self) {
        let scenario = self.scenario;
        // The name becomes a folder's.
        if !is_name(&scenario.name) {
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
        if let Start::JoinStaggered { gap } = cluster.start {
            let all = gap.checked_mul(cluster.nodes.saturating_sub(1)).unwrap_or(Duration::MAX);
            if gap.is_zero() || all >= self.scenario.duration {
                let message =
                    "must be more than 0s, and the last node must start before the duration is over";
                let problem = Problem::at(&path.key("gap"), message).hint("for example gap = \"100ms\"");
                let rests = problem.rests_on(path.key("nodes")).rests_on(top_key("duration"));
                self.problems.push(rests);
            }
        }
        if let Some(key) = &cluster.key {
            self.key(key, &path.key("key"));
        }
        self.zones(&path.key("zones"));
    }

    fn key(&mut self, key: &str, path: &Path) {
        if !is_name(key) {
            let hint = "a name, such as \"a\": equal names are equal keys";
            self.report(path, "must be 1 to 64 letters, digits, `-` or `_`", hint);
        }
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
            if let Some(key) = &zone.key {
                self.key(key, &here.key("key"));
            }
            if let Some(label) = zone.label.as_ref().filter(|label| label.len() > LABEL_BYTES_MAX) {
                let message = format!("must be at most {LABEL_BYTES_MAX} bytes");
                self.report(&here.key("label"), message, &format!("it has {}", label.len()));
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
                "distributions have a statistic, values and ratios have none",
                "for example detection.all.p99",
            );
        }
        let (key, bound) = match expect.bound {
            Bound::Below(bound) => ("below", bound),
            Bound::Above(bound) => ("above", bound),
            Bound::Equals(bound) => ("equals", bound),
            Bound::Near { value, .. } => ("near", value),
            Bound::WilsonContains(share) => ("wilson_contains", share),
        };
        let compared = expect.ratio_to.is_some();
        if metric.unit == Unit::Ratio && !compared && bound > 1.0 {
            self.report(&path.key(key), "must be at most 1", "a share: 0.971 is 97.1 %");
        }
        self.wilson(expect, metric, path);
        if !bound.is_finite() || bound < 0.0 || (key == "below" && bound == 0.0) {
            let message = if key == "below" { "must be more than 0" } else { "must be 0 or more" };
            self.report(&path.key(key), message, "no metric is below 0");
        }
        self.comparison(expect, path);
        if let Some(needed) = self.lacks(expect.metric) {
            let message = format!("nothing in this scenario makes a sample of {}", expect.metric);
            let problem = Problem::at(&here, message).hint(needed).rests_on(top_key("fault"));
            let problem = problem.rests_on(top_key("workload"));
            self.problems.push(problem.rests_on(top_key("cluster").key("start")));
        }
    }

    /// A Wilson interval is about one share of all runs together.
    fn wilson(&mut self, expect: &Expect, metric: &Metric, path: &Path) {
        if !matches!(expect.bound, Bound::WilsonContains(_)) {
            return;
        }
        let here = path.key("wilson_contains");
        let ratios: Vec<&str> = METRICS.iter().filter(|m| m.shape == Shape::Ratio).map(|m| m.name).collect();
        if metric.shape != Shape::Ratio {
            let message = format!("{} is no share of counts, so it has no Wilson interval", metric.name);
            let problem = Problem::at(&here, message).key_itself();
            self.problems.push(problem.hint(format!("such shares: {}", ratios.join(", "))));
        } else if expect.ratio_to.is_some() {
            let problem = Problem::at(&path.key("ratio_to"), "a quotient has no Wilson interval");
            self.problems.push(problem.hint("write below, above, equals or near"));
        } else if expect.over != Over::Pooled {
            let message = "`wilson_contains` is about all seeds together";
            self.report(&path.key("over"), message, "add over = \"pooled\"");
        }
    }

    /// What a metric needs and this scenario does not have.
    fn lacks(&self, metric: &str) -> Option<&'static str> {
        let has = |names: &[&str]| self.scenario.faults.iter().any(|f| names.contains(&f.kind.name()));
        let does = |kind: &str| self.scenario.workloads.iter().any(|w| w.kind.name() == kind);
        let (there, needed) = match metric {
            "suspicion.first" | "detection.first" | "detection.all" | "dissemination.failure" => {
                let kinds = ["crash", "restart", "pause", "block-io"];
                (has(&kinds), "it needs a fault of kind crash, pause or block-io")
            }
            "dissemination.join" => {
                let starts = self.scenario.cluster.start != Start::Converged;
                (
                    starts || has(&["join", "restart", "crash"]),
                    "it needs start = \"join\" or a fault of kind join",
                )
            }
            "dissemination.leave" => (has(&["leave"]), "it needs a fault of kind leave"),
            "dissemination.update" => (does("tags"), "it needs a workload of kind tags"),
            "keys.rotation" => (does("keys"), "it needs a workload of kind keys"),
            name if name.starts_with("event.") => (does("event"), "it needs a workload of kind event"),
            name if name.starts_with("query.") => (does("query"), "it needs a workload of kind query"),
            _ => (true, ""),
        };
        (!there).then_some(needed)
    }
}
