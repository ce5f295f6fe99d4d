//! The scenario that settings are tried in: nodes crash one after the other, some are slow all the time, packets are lost.

use std::time::Duration;

use rumormill_core::config::format_duration;

use super::question::Question;
use super::space::Settings;
use super::written;
use crate::scenario::{Profile, Scenario};

/// Left out of all figures.
const WARMUP: Duration = Duration::from_secs(10);
/// The first crash.
const FIRST: Duration = Duration::from_secs(15);
/// From one crash to the next.
const GAP: Duration = Duration::from_secs(10);
/// Most crashes of a run.
const CRASHES_MAX: u32 = 8;
/// How long a node is slow, and from one slow spell to the next.
const SLOW: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(15));

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) duration: Duration,
}

impl Length {
    /// Long enough for the last crash to become known, or to count as unknown.
    pub(super) fn tuning(question: &Question) -> Self {
        let within = question.targets.detect_within.unwrap_or(Duration::from_secs(20));
        let wait = (within * 3).clamp(Duration::from_secs(30), Duration::from_secs(300));
        let duration = FIRST + GAP * (crashes(question) - 1) + wait;
        // Whole seconds read better.
        Self { duration: Duration::from_secs(duration.as_secs() + 1) }
    }

    /// The same with so many more seconds to watch.
    pub(super) fn longer(self, seconds: u64) -> Self {
        Self { duration: self.duration + Duration::from_secs(seconds) }
    }

    /// Node-hours that a run counts at least: those that crash are missing from then on.
    pub(super) fn node_hours(self, question: &Question) -> f64 {
        f64::from(question.nodes - crashes(question)) * self.duration.saturating_sub(WARMUP).as_secs_f64()
            / 3600.0
    }
}

/// Crashes of a run: one node in twenty, so that the cluster stays what it is.
pub(super) fn crashes(question: &Question) -> u32 {
    (question.nodes / 20).clamp(1, CRASHES_MAX)
}

pub(super) fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Lan => "lan",
        Profile::Wan => "wan",
        Profile::Local => "local",
    }
}

/// The scenario of some settings.
pub(super) fn scenario(
    question: &Question,
    settings: &Settings,
    length: &Length,
) -> Result<Scenario, String> {
    let text = text(question, &[("tried", settings)], length, (question.seed, 1));
    Scenario::parse(&text, "advise.toml", &[]).map_err(|problems| problems.to_string())
}

/// It as a file; several settings are variants of one scenario.
pub(super) fn text(
    question: &Question,
    variants: &[(&str, &Settings)],
    length: &Length,
    (seed, seeds): (u64, u32),
) -> String {
    let mut text = format!(
        "name = \"advise\"\nabout = \"Settings that were advised, beside the profile's own: {crashes} of {nodes} nodes crash one after the other, {slow} are slow at a time.\"\n\
         seed = {seed}\nseeds = {seeds}\nwarmup = \"{warmup}\"\nduration = \"{duration}\"\nweight = \"heavy\"\n\n\
         [cluster]\nnodes = {nodes}\nprofile = \"{profile}\"\n\n[network]\nlatency = {latency}\nloss = {loss:?}\n",
        crashes = crashes(question),
        nodes = question.nodes,
        slow = question.slow_nodes,
        warmup = written(WARMUP),
        duration = written(length.duration),
        profile = profile_name(question.profile),
        latency = latency(question),
        loss = question.loss,
    );
    text.push_str(&crash_fault(question));
    if question.slow_nodes > 0 {
        text.push_str(&slow_fault(question, length));
    }
    for (name, settings) in variants {
        text.push_str(&format!("\n[[variant]]\nname = \"{name}\"\nconfig = {}\n", settings.table()));
    }
    text
}

fn latency(question: &Question) -> String {
    let median = format_duration(question.latency.median);
    match question.latency.p99 {
        None => format!("{{ kind = \"constant\", value = \"{median}\" }}"),
        Some(p99) => {
            format!("{{ kind = \"lognormal\", median = \"{median}\", p99 = \"{}\" }}", format_duration(p99))
        }
    }
}

fn crash_fault(question: &Question) -> String {
    let repeated = match crashes(question) {
        1 => String::new(),
        n => {
            let until = FIRST + GAP * (n - 1) + Duration::from_secs(1);
            format!("every = \"{}\"\nuntil = \"{}\"\nrepick = true\n", written(GAP), written(until))
        }
    };
    format!(
        "\n[[fault]]\nname = \"crash\"\nat = \"{}\"\nkind = \"crash\"\nnodes = {{ pick = 1 }}\n{repeated}",
        written(FIRST)
    )
}

fn slow_fault(question: &Question, length: &Length) -> String {
    let (least, most) = (format_duration(question.slow_by / 2), format_duration(question.slow_by));
    format!(
        "\n[[fault]]\nname = \"slow\"\nat = \"{}\"\nkind = \"slow\"\nnodes = {{ pick = {} }}\n\
         extra = {{ kind = \"uniform\", min = \"{least}\", max = \"{most}\" }}\n\
         for = \"{}\"\nevery = \"{}\"\nuntil = \"{}\"\nrepick = true\n",
        written(WARMUP),
        question.slow_nodes,
        written(SLOW.0),
        written(SLOW.1),
        // The last spell is over when the run is.
        written(length.duration.saturating_sub(SLOW.0)),
    )
}
