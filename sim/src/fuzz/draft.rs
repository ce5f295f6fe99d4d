//! A scenario as it is drawn: which parts it has, each with the words that it is made of.

use std::fmt::Write as _;
use std::time::Duration;

use rumormill_core::config::format_duration;

use super::parts::faults::FAULTS;
use super::parts::network::FEATURES;
use super::parts::settings::SETTINGS;
use super::parts::workloads::WORKLOADS;
use super::parts::{Kind, beat};
use super::words::{WORDS, Words};
use crate::scenario::{Cluster, Network, Profile, Scenario, Start, Travel, Variant, Weight, Zone};

/// A part that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its place among the kinds of its class; beyond the last one it is nothing.
    pub(crate) kind: usize,
    /// What it is made of.
    pub(crate) words: [u32; WORDS],
}

/// Origins of user events that some larger clusters tell apart.
const EVENT_ORIGINS: u32 = 16;

/// A scenario before it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    /// Nodes of the cluster.
    pub(crate) nodes: u32,
    /// Profile, length, start, key and zones.
    pub(crate) frame: [u32; WORDS],
    /// Of [`SETTINGS`].
    pub(crate) settings: Vec<Part>,
    /// Of [`FEATURES`].
    pub(crate) network: Vec<Part>,
    /// Of [`FAULTS`].
    pub(crate) faults: Vec<Part>,
    /// Of [`WORKLOADS`].
    pub(crate) workloads: Vec<Part>,
}

impl Draft {
    /// The scenario, which holds to every rule about scenarios.
    pub(crate) fn scenario(&self) -> Scenario {
        let mut scenario = frame(self.nodes, &mut Words::new(&self.frame));
        self.add_network(&mut scenario);
        scenario.variants = vec![Variant::new("default", scenario.cluster.config.clone())];
        add(&mut scenario, &FAULTS, &self.faults);
        add(&mut scenario, &WORKLOADS, &self.workloads);
        scenario
    }

    fn add_network(&self, scenario: &mut Scenario) {
        add(scenario, &SETTINGS, &self.settings);
        add(scenario, &FEATURES, &self.network);
        reconcile(scenario);
    }

    /// What was drawn, in a line.
    pub(crate) fn line(&self, scenario: &Scenario) -> String {
        let cluster = &scenario.cluster;
        let profile = format!("{:?}", cluster.profile).to_lowercase();
        let start = match cluster.start {
            Start::Converged => "converged",
            Start::Join => "joining",
            Start::JoinStaggered { .. } => "joining one by one",
        };
        let mut line =
            format!("{} nodes, {profile}, {start}, {}", cluster.nodes, format_duration(scenario.duration));
        if cluster.key.is_some() {
            line.push_str(", sealed");
        }
        if !cluster.zones.is_empty() {
            let apart = cluster.zones.iter().any(|zone| zone.key.is_some() || zone.label.is_some());
            line.push_str(if apart { ", zones apart" } else { ", zones" });
        }
        let settings = crate::summary::settings(scenario, &scenario.variants[0]);
        let settings: Vec<String> =
            settings.iter().map(|(key, value)| format!("{key} = {}", shortened(value))).collect();
        let lists = [
            ("settings", settings.join(", ")),
            ("network", names(&FEATURES, &self.network)),
            ("faults", names(&FAULTS, &self.faults)),
            ("workloads", names(&WORKLOADS, &self.workloads)),
        ];
        for (what, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let _ = write!(line, "; {what}: {list}");
        }
        line
    }
}

/// Takes back what no operator could want, and what would only show that it does not work.
fn reconcile(scenario: &mut Scenario) {
    let config = &mut scenario.cluster.config;
    // Packets that the network never carries would make every probe that has much to say fail.
    if let Some(most) = scenario.network.travel.packet_bytes_max {
        config.packet_bytes_max = config.packet_bytes_max.min(u16::try_from(most).unwrap_or(u16::MAX));
    }
}

/// Adds faults alone, to any scenario.
#[cfg(feature = "proptest")]
pub(crate) fn add_faults(scenario: &mut Scenario, faults: &[Part]) {
    add(scenario, &FAULTS, faults);
}

fn add(scenario: &mut Scenario, kinds: &[Kind], parts: &[Part]) {
    for part in parts {
        if let Some(kind) = kinds.get(part.kind) {
            (kind.add)(scenario, &mut Words::new(&part.words));
        }
    }
}

/// The kinds of some parts, each once, with its number.
fn names(kinds: &[Kind], parts: &[Part]) -> String {
    let mut names = Vec::new();
    for (number, kind) in kinds.iter().enumerate() {
        match parts.iter().filter(|part| part.kind == number).count() {
            0 => {}
            1 => names.push(kind.name.to_owned()),
            count => names.push(format!("{count} {}", kind.name)),
        }
    }
    names.join(", ")
}

/// A value that is no longer than a line bears.
fn shortened(value: &str) -> String {
    const MOST: usize = 24;
    if value.chars().count() <= MOST {
        return value.to_owned();
    }
    value.chars().take(MOST).chain("...".chars()).collect()
}

/// A cluster to which nothing happens.
fn frame(nodes: u32, words: &mut Words<'_>) -> Scenario {
    let profile = words.one_of([Profile::Lan, Profile::Lan, Profile::Local, Profile::Local, Profile::Wan]);
    let mut scenario = Scenario {
        name: "fuzz".into(),
        about: String::new(),
        seed: 1,
        seeds: 1,
        warmup: Duration::ZERO,
        duration: Duration::ZERO,
        weight: Weight::Light,
        cluster: Cluster {
            nodes,
            config: profile.config(),
            profile,
            start: Start::Converged,
            key: None,
            zones: Vec::new(),
        },
        network: Network { travel: Travel::default(), links: Vec::new(), receive_buffer: 2 << 20 },
        faults: Vec::new(),
        workloads: Vec::new(),
        variants: Vec::new(),
        expects: Vec::new(),
        source: String::new(),
    };
    scenario.duration = beat(&scenario) * (words.within(60, 180) * 10);
    scenario.cluster.start = start(&scenario, words);
    // The least bound on origins of user events that there is: only clusters that are larger can reach it.
    if nodes > EVENT_ORIGINS && words.chance(60) {
        scenario.cluster.config.event_origins_max = EVENT_ORIGINS;
    }
    scenario.cluster.key = words.chance(40).then(|| "a".to_owned());
    if words.chance(25) {
        zones(&mut scenario.cluster, words);
    }
    scenario
}

fn start(scenario: &Scenario, words: &mut Words<'_>) -> Start {
    match words.below(10) {
        0..6 => Start::Converged,
        6..9 => Start::Join,
        _ => {
            let gap = Duration::from_millis(words.one_of([100, 1000]));
            // The last node starts in the first half of the measured time.
            Start::JoinStaggered { gap: gap.min(scenario.duration / 2 / scenario.cluster.nodes.max(1)) }
        }
    }
}

/// Two zones, of which the smaller one may have a key or a label of its own.
fn zones(cluster: &mut Cluster, words: &mut Words<'_>) {
    let small = words.within(1, (cluster.nodes / 2).max(1));
    let large = cluster.nodes.saturating_sub(small);
    if large == 0 {
        return;
    }
    let mut zone = Zone::new("b", large, small);
    match words.below(10) {
        0..6 => {}
        6 | 7 if cluster.key.is_some() => zone.key = Some("b".into()),
        _ => zone.label = Some("b".into()),
    }
    cluster.zones = vec![Zone::new("a", 0, large), zone];
}
