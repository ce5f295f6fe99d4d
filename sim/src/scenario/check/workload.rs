//! The rules about workloads: times, sets of nodes, and sizes that have to fit into the protocol's messages.

use std::collections::HashSet;
use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::config::format_duration;
use rumormill_core::id::META_BYTES_MAX;

use super::super::diagnostic::plain;
use super::super::model::*;
use super::super::path::Path;
use super::super::problem::Problem;
use super::super::workload::{Workload, WorkloadKind};
use super::fault::REPETITIONS_MAX;
use super::{Rules, is_name, top_key};

/// Payloads hold at least this: the simulator numbers what it sends.
const SIZE_MIN: u32 = 8;
/// What Serf's encoding adds to a user event's payload, at most: names and lengths of fields, Lamport time, the event's name.
const EVENT_EXTRA: u32 = 64;
/// The same of a query, filters apart.
const QUERY_EXTRA: u32 = 192;
/// The same of an answer, its relay's header included.
const ANSWER_EXTRA: u32 = 128;
/// What a tag takes beside its value.
const TAG_EXTRA: u32 = 12;
const BURST_MAX: u32 = 10_000;
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(3600));
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));

impl Rules<'_> {
    pub(super) fn workloads(&mut self) {
        let mut names = HashSet::new();
        for (number, workload) in self.scenario.workloads.iter().enumerate() {
            let path = top_key("workload").index(number);
            self.workload(workload, &path);
            if !workload.name.is_empty() && !names.insert(&workload.name) {
                let message = format!("there is a workload \"{}\" already", plain(&workload.name));
                self.report(&path.key("name"), message, "each workload has a name of its own, or none");
            }
        }
    }

    fn workload(&mut self, workload: &Workload, path: &Path) {
        let duration = self.scenario.duration;
        if workload.at >= duration {
            let message = format!("must be less than the duration ({})", format_duration(duration));
            let problem = Problem::at(&path.key("at"), message).rests_on(top_key("duration"));
            let problem = problem.rests_on(top_key("warmup"));
            self.problems.push(problem.hint("the workload would never be seen"));
        }
        if !workload.name.is_empty() && !is_name(&workload.name) {
            let hint = "for example name = \"chatter\"";
            self.report(&path.key("name"), "must be 1 to 64 letters, digits, `-` or `_`", hint);
        }
        if let Some(every) = workload.every {
            let span = duration.saturating_sub(workload.at).as_nanos();
            if every.is_zero() || span / every.as_nanos().max(1) > REPETITIONS_MAX {
                let message = format!("must be more than 0s, and at most {REPETITIONS_MAX} repetitions fit");
                self.report(&path.key("every"), message, "for example every = \"1s\"");
            }
            if let Some(until) = workload.until
                && (until <= workload.at || until > duration)
            {
                let message =
                    format!("must be after `at` and at most the duration ({})", format_duration(duration));
                let problem = Problem::at(&path.key("until"), message).rests_on(path.key("at"));
                let problem = problem.rests_on(top_key("duration")).rests_on(top_key("warmup"));
                self.problems.push(problem.hint("no repetition begins at or after it"));
            }
        }
        self.workload_kind(&workload.kind, path);
    }

    fn workload_kind(&mut self, kind: &WorkloadKind, path: &Path) {
        match kind {
            WorkloadKind::Event { from, size, burst } => {
                self.selector(from, &path.key("from"));
                self.size(*size, EVENT_EXTRA, ("user_event_bytes_max", |c| c.user_event_bytes_max), path);
                if !(1..=BURST_MAX).contains(burst) {
                    let message = format!("must be from 1 to {BURST_MAX}");
                    self.report(&path.key("burst"), message, "events that each sends at once");
                }
            }
            WorkloadKind::Query { from, to, size, answer, timeout, .. } => {
                self.selector(from, &path.key("from"));
                if let Some(to) = to {
                    self.selector(to, &path.key("to"));
                }
                let names = to.as_ref().map_or(0, |to| self.names(to));
                let extra = QUERY_EXTRA.saturating_add(names);
                self.size(*size, extra, ("query_bytes_max", |c| c.query_bytes_max), path);
                self.answer(*answer, path);
                if let Some(timeout) = timeout {
                    self.between(*timeout, TIMEOUT, &path.key("timeout"), "timeout = \"10s\"");
                }
            }
            WorkloadKind::Tags { nodes, size } => {
                self.selector(nodes, &path.key("nodes"));
                let max = META_BYTES_MAX as u32 - TAG_EXTRA;
                if !(SIZE_MIN..=max).contains(size) {
                    let message = format!("must be from {SIZE_MIN} to {max}");
                    self.report(&path.key("size"), message, "a member's tags take at most 512 bytes");
                }
            }
            WorkloadKind::Keys { from, retry } => {
                self.selector(from, &path.key("from"));
                self.between(*retry, RETRY, &path.key("retry"), "retry = \"5s\"");
                self.keyed(path);
            }
        }
    }

    /// A new key can only go round where all have the old one.
    fn keyed(&mut self, path: &Path) {
        let cluster = &self.scenario.cluster;
        let apart = cluster.zones.iter().any(|zone| zone.key.is_some() && zone.key != cluster.key);
        let (message, hint) = if cluster.key.is_none() {
            ("there is no key to be changed", "add key = \"a\" to [cluster]")
        } else if apart {
            ("some zones have another key, and would never hear of the new one", "give all nodes one key")
        } else {
            return;
        };
        let problem = Problem::at(&path.key("kind"), message).hint(hint);
        self.problems.push(problem.rests_on(top_key("cluster").key("key")));
    }

    /// Bytes that the names of a query's receivers take.
    fn names(&self, to: &Selector) -> u32 {
        let cluster = &self.scenario.cluster;
        let count = match to {
            Selector::All | Selector::Rest => cluster.nodes,
            Selector::Pick(count) => *count,
            Selector::Fraction(share) => (f64::from(cluster.nodes) * share).ceil() as u32,
            Selector::Zone(index) => cluster.zones.get(*index).map_or(0, |zone| zone.nodes),
            Selector::Nodes(numbers) => numbers.len().try_into().unwrap_or(u32::MAX),
        };
        let longest = format!("node-{}", cluster.nodes.saturating_sub(1)).len() as u32 + 1;
        count.saturating_mul(longest)
    }

    /// A payload that has to fit, with what is added to it, into a message that every variant's settings limit.
    fn size(&mut self, size: u32, extra: u32, (setting, limit): (&str, fn(&Config) -> u16), path: &Path) {
        let limit = self.least(limit);
        let max = limit.saturating_sub(extra);
        if max < SIZE_MIN {
            let message = format!("names and fields alone take up to {extra} of {setting}'s {limit} bytes");
            self.too_long(&path.key("size"), message, "ask fewer by name, or raise the setting", setting);
        } else if !(SIZE_MIN..=max).contains(&size) {
            let message = format!(
                "must be from {SIZE_MIN} to {max}: with up to {extra} bytes of names and fields it is held to {setting} ({limit})"
            );
            self.too_long(&path.key("size"), message, "make it smaller, or raise the setting", setting);
        }
    }

    fn answer(&mut self, answer: u32, path: &Path) {
        let limit = self.least(|config| config.response_bytes_max);
        let max = limit.saturating_sub(ANSWER_EXTRA);
        if answer > max {
            let message = format!(
                "must be at most {max}: with up to {ANSWER_EXTRA} bytes of names and fields it is held to response_bytes_max ({limit})"
            );
            let hint = "make it smaller, or raise the setting";
            self.too_long(&path.key("answer"), message, hint, "response_bytes_max");
        }
    }

    fn too_long(&mut self, path: &Path, message: String, hint: &str, setting: &str) {
        let problem = Problem::at(path, message).hint(hint);
        let problem = problem.rests_on(top_key("cluster").key("config").key(setting));
        let problem = problem.rests_on(top_key("cluster").key("nodes"));
        self.problems.push(problem.rests_on(top_key("variant")));
    }

    /// The smallest value that a setting has in any variant.
    fn least(&self, setting: impl Fn(&Config) -> u16) -> u32 {
        let variants = self.scenario.variants.iter().map(|variant| setting(&variant.config));
        u32::from(variants.min().unwrap_or_else(|| setting(&self.scenario.cluster.config)))
    }

    fn between(&mut self, value: Duration, (min, max): (Duration, Duration), path: &Path, example: &str) {
        if !(min..=max).contains(&value) {
            let message = format!("must be from {} to {}", format_duration(min), format_duration(max));
            self.report(path, message, &format!("for example {example}"));
        }
    }
}
