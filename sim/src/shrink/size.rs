//! How large a scenario is, for people.

use std::fmt;

use crate::scenario::{FaultKind, Scenario, Travel, settings};

/// What a scenario has of everything that can be cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// Nodes of the cluster.
    pub nodes: u32,
    /// Measured time, in seconds.
    pub seconds: f64,
    /// Faults.
    pub faults: usize,
    /// Workloads.
    pub workloads: usize,
    /// Variants.
    pub variants: usize,
    /// Settings that are not the profile's, of the cluster and, where they are not the cluster's, of its variants.
    pub settings: usize,
    /// Keys that say how packets travel: of the network, its links, link faults and variants.
    pub network: usize,
    /// Links.
    pub links: usize,
    /// Zones.
    pub zones: usize,
    /// Expectations.
    pub expects: usize,
}

impl Size {
    /// The size of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let cluster = &scenario.cluster;
        let of_variants =
            scenario.variants.iter().map(|v| settings::differing(&v.config, &cluster.config).len());
        let of_faults = scenario.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::Link { travel, .. } => Some(travel),
            _ => None,
        });
        let ways = [&scenario.network.travel].into_iter();
        let ways = ways.chain(scenario.network.links.iter().map(|link| &link.travel));
        let ways = ways.chain(scenario.variants.iter().map(|variant| &variant.travel)).chain(of_faults);
        Self {
            nodes: cluster.nodes,
            seconds: scenario.duration.as_secs_f64(),
            faults: scenario.faults.len(),
            workloads: scenario.workloads.len(),
            variants: scenario.variants.len(),
            settings: settings::differing(&cluster.config, &cluster.profile.config()).len()
                + of_variants.sum::<usize>(),
            network: ways.map(|way: &Travel| way.keys().len()).sum(),
            links: scenario.network.links.len(),
            zones: cluster.zones.len(),
            expects: scenario.expects.len(),
        }
    }

    /// What has been cut since `self`: `faults 20 -> 3, nodes 200 -> 10, seconds 600 -> 45`.
    #[must_use]
    pub fn cut(&self, now: &Self) -> String {
        let counts = [
            ("variants", self.variants, now.variants),
            ("workloads", self.workloads, now.workloads),
            ("links", self.links, now.links),
            ("zones", self.zones, now.zones),
            ("settings", self.settings, now.settings),
            ("network keys", self.network, now.network),
            ("expectations", self.expects, now.expects),
        ];
        let mut cuts = Vec::new();
        let mut tell = |what: &str, was: &dyn fmt::Display, now: &dyn fmt::Display| {
            cuts.push(format!("{what} {was} -> {now}"));
        };
        if self.faults != now.faults {
            tell("faults", &self.faults, &now.faults);
        }
        if self.nodes != now.nodes {
            tell("nodes", &self.nodes, &now.nodes);
        }
        if self.seconds != now.seconds {
            tell("seconds", &self.seconds, &now.seconds);
        }
        for (what, was, now) in counts.into_iter().filter(|(_, was, now)| was != now) {
            tell(what, &was, &now);
        }
        if cuts.is_empty() { "nothing cut".to_owned() } else { cuts.join(", ") }
    }
}
