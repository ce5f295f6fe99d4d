//! What was found: the finalists with their figures, and which targets they are shown to meet.

use super::question::{Question, Target};
use super::space::Settings;
use super::tune::excess;
use crate::stats;
use crate::sweep::Estimate;

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// All of the interval meets it.
    Shown,
    /// The figure meets it, but not all of its interval: more runs could tell.
    NotShown,
    /// The figure misses it.
    Missed,
}

/// One target and one finalist.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// The target.
    pub target: Target,
    /// Its bound, in its unit.
    pub bound: f64,
    /// Whether it is met.
    pub met: Met,
    /// Upper end of the interval over the bound: at most 1 when it is shown to be met; `None` where nothing bounds it.
    pub over: Option<f64>,
}

impl Verdict {
    pub(super) fn of(target: Target, bound: f64, figure: &Estimate) -> Self {
        let high = figure.high.filter(|high| !high.censored).map(|high| high.value);
        let over = high.map(|high| high / bound);
        let met = match over {
            Some(over) if over <= 1.0 => Met::Shown,
            _ if excess(figure, bound) <= 1.0 => Met::NotShown,
            _ => Met::Missed,
        };
        Self { target, bound, met, over }
    }
}

/// Settings that were run on held-out seeds.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Finalist {
    /// What differs from the profile.
    pub settings: Settings,
    /// By [`Target::ALL`], with intervals at the advice's confidence.
    pub figures: [Estimate; 3],
    /// Each target's.
    pub verdicts: Vec<Verdict>,
    /// Whether no other finalist beats it in all three figures.
    pub front: bool,
    /// Seeds in which an invariant was violated.
    pub unsound: Vec<u64>,
}

impl Finalist {
    /// Whether it is shown to meet every target.
    #[must_use]
    pub fn meets_all(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.met == Met::Shown) && self.unsound.is_empty()
    }

    /// The target that it misses most, or shows least.
    #[must_use]
    pub fn binding(&self) -> Option<&Verdict> {
        let over = |verdict: &Verdict| verdict.over.unwrap_or(f64::INFINITY);
        self.verdicts.iter().max_by(|a, b| over(a).total_cmp(&over(b)))
    }
}

/// Node-hours that would show a rate to be below a bound, if events went on as they were seen, in storms as wide; an interval leaves out a
/// chance of `tail` on either side. `None` where they happen too often for that.
#[must_use]
pub fn hours_to_show(figure: &Estimate, bound: f64, tail: f64) -> Option<f64> {
    let (events, watched) = (figure.events? as f64, figure.node_hours?);
    let high = figure.high.filter(|high| !high.censored)?.value;
    let above = |events: f64| stats::garwood_at(events as u64, tail).1 - events;
    // Storms make an interval wider than its count alone would.
    let wider = ((high * watched - events) / above(events)).max(1.0);
    let shows = |hours: &f64| {
        let expected = libm::ceil(events * hours / watched);
        (expected + wider * above(expected)) / hours <= bound
    };
    // Steps of a tenth are close enough for something that chance decides.
    (0..80).map(|step| libm::round(watched * libm::pow(1.1, f64::from(step)))).find(shows)
}

/// What was found. Its serde form is `advice.json`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Advice {
    /// Version of the program.
    pub version: String,
    /// The question, in words.
    pub question: String,
    /// The profile's name.
    pub profile: String,
    /// The targets with their bounds.
    pub targets: Vec<(Target, f64)>,
    /// Of a thousand crashes, so many have to be known in time.
    pub permille: u32,
    /// Settings that were tried.
    pub tried: usize,
    /// Runs of the search.
    pub search_runs: u64,
    /// Its seeds, first and last.
    pub search_seeds: (u64, u64),
    /// Runs of each finalist.
    pub confirm_runs: u32,
    /// Their seeds, first and last.
    pub confirm_seeds: (u64, u64),
    /// Node-hours for which each finalist was to be watched, if it was said.
    pub exposure_asked: Option<f64>,
    /// Most node-hours for which one can be watched: runs and their length are bounded.
    pub exposure_max: f64,
    /// Confidence of each interval: that none of the finalists is wrongly said to meet all targets has 95 %.
    pub confidence: f64,
    /// The scenario of the confirmation, with the profile's settings and the advised ones as variants.
    pub scenario: String,
    /// Which of the finalists is advised; `None` when none is shown to meet all targets.
    pub recommended: Option<usize>,
    /// The profile's own settings first, then the others in the order in which the search preferred them.
    pub finalists: Vec<Finalist>,
}

impl Advice {
    /// The finalist that is advised.
    #[must_use]
    pub fn advised(&self) -> Option<&Finalist> {
        self.recommended.and_then(|k| self.finalists.get(k))
    }

    /// The finalist whose worst target is nearest to being shown; one that misses none comes first.
    #[must_use]
    pub fn nearest(&self) -> Option<&Finalist> {
        let far = |finalist: &Finalist| {
            let missed = finalist.verdicts.iter().filter(|verdict| verdict.met == Met::Missed).count();
            let over = finalist.binding().map_or(0.0, |verdict| verdict.over.unwrap_or(f64::INFINITY));
            (missed, over)
        };
        self.finalists.iter().min_by(|a, b| {
            let (a, b) = (far(a), far(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }

    /// Settings as a file of the agent has them.
    #[must_use]
    pub fn agent(&self, settings: &Settings) -> String {
        let mut text = format!("profile = \"{}\"\n", self.profile);
        if !settings.0.is_empty() {
            text.push_str("\n[core]\n");
            settings.0.iter().for_each(|(key, value)| text.push_str(&format!("{key} = {value}\n")));
        }
        text
    }

    /// `advice.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // It has string keys and finite numbers only, so it always serialises.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Question {
    /// In words.
    pub(super) fn words(&self) -> String {
        let slow = match self.slow_nodes {
            0 => "none of them slow".to_owned(),
            n => format!(
                "{n} of them slow at a time (each message up to {} late)",
                super::written(self.slow_by)
            ),
        };
        format!(
            "{} nodes on the {} profile, one-way latency {}, {} % loss, {slow}",
            self.nodes,
            super::stress::profile_name(self.profile),
            self.latency,
            // 0.02 * 100 is not quite 2.
            libm::round(self.loss * 1e8) / 1e6,
        )
    }
}
