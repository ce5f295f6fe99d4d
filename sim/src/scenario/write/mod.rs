//! A scenario as the text of a file: what [`Scenario::parse`] reads, with every default left out.

mod expect;
mod fault;
mod lines;
#[cfg(test)]
mod tests;
mod values;
mod workload;

use std::time::Duration;

use rumormill_core::Config;

use super::model::*;
use super::read_travel::RECEIVE_BUFFER;
use super::settings;
use lines::Lines;
use values::{number, quoted, table};

/// Characters of a list of zones on one line; a longer one has a line for each.
const LINE_MAX: usize = 110;

impl Scenario {
    /// The scenario as a file: [`Scenario::parse`] reads an equal value from it, `source` and the lines of expectations apart. Only what
    /// differs from a default is written: of the cluster's settings what differs from the profile's, of a variant's what differs from
    /// the cluster's.
    ///
    /// The scenario has to be [sound](Scenario::check). What a file cannot say is left out, and means nothing to a run: settings that
    /// the simulator makes itself (`notes`, `simulation`), an end of what has none, `until` and `repick` of what happens once, and the
    /// digits below a nanosecond of a bound in seconds.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut lines = Lines::default();
        self.write_top(&mut lines);
        self.write_cluster(&mut lines);
        self.write_network(&mut lines);
        for fault in &self.faults {
            fault::write(fault, &self.cluster, &mut lines);
        }
        self.write_variants(&mut lines);
        for one in &self.workloads {
            workload::write(one, self.warmup, &self.cluster, &mut lines);
        }
        for one in &self.expects {
            expect::write(one, &self.variants, &mut lines);
        }
        lines.into_text()
    }

    fn write_top(&self, lines: &mut Lines) {
        lines.key("name", &quoted(&self.name));
        if !self.about.is_empty() {
            lines.key("about", &quoted(&self.about));
        }
        if self.seed != 1 {
            lines.key("seed", &self.seed.to_string());
        }
        if self.seeds != 1 {
            lines.key("seeds", &self.seeds.to_string());
        }
        if self.warmup != Duration::ZERO {
            lines.duration("warmup", self.warmup);
        }
        lines.duration("duration", self.duration);
        if self.weight == Weight::Heavy {
            lines.key("weight", "\"heavy\"");
        }
    }

    fn write_cluster(&self, lines: &mut Lines) {
        let cluster = &self.cluster;
        lines.open("[cluster]");
        lines.key("nodes", &cluster.nodes.to_string());
        match cluster.profile {
            Profile::Lan => {}
            Profile::Wan => lines.key("profile", "\"wan\""),
            Profile::Local => lines.key("profile", "\"local\""),
        }
        match cluster.start {
            Start::Converged => {}
            Start::Join => lines.key("start", "\"join\""),
            Start::JoinStaggered { gap } => {
                lines.key("start", "\"join-staggered\"");
                lines.duration("gap", gap);
            }
        }
        write_config(&cluster.config, &cluster.profile.config(), lines);
        if let Some(key) = &cluster.key {
            lines.key("key", &quoted(key));
        }
        write_zones(&cluster.zones, lines);
    }

    fn write_network(&self, lines: &mut Lines) {
        let network = &self.network;
        if network.travel != Travel::default() || network.receive_buffer != RECEIVE_BUFFER {
            lines.open("[network]");
            lines.travel(&network.travel);
            if network.receive_buffer != RECEIVE_BUFFER {
                lines.key("receive_buffer", &network.receive_buffer.to_string());
            }
        }
        for link in &network.links {
            lines.open("[[network.link]]");
            lines.selector("from", &link.from, &self.cluster);
            lines.selector("to", &link.to, &self.cluster);
            lines.travel(&link.travel);
        }
    }

    fn write_variants(&self, lines: &mut Lines) {
        if let [only] = &self.variants[..]
            && *only == Variant::new("default", self.cluster.config.clone())
        {
            return;
        }
        for variant in &self.variants {
            lines.open("[[variant]]");
            lines.key("name", &quoted(&variant.name));
            write_config(&variant.config, &self.cluster.config, lines);
            if variant.travel != Travel::default() {
                lines.key("network", &table(&variant.travel.keys()));
            }
        }
    }
}

/// `config`, where a file may say what differs.
fn write_config(config: &Config, base: &Config, lines: &mut Lines) {
    let differing = settings::differing(config, base);
    let keys: Vec<(String, String)> =
        differing.into_iter().map(|(name, value)| (name, setting(&value))).collect();
    if !keys.is_empty() {
        lines.key("config", &table(&keys));
    }
}

fn setting(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Float(value) => number(*value),
        toml::Value::Table(entries) => {
            table(&entries.iter().map(|(name, value)| (name, setting(value))).collect::<Vec<_>>())
        }
        other => other.to_string(),
    }
}

fn write_zones(zones: &[Zone], lines: &mut Lines) {
    if zones.is_empty() {
        return;
    }
    let zone = |zone: &Zone| {
        let mut keys = vec![("name", quoted(&zone.name)), ("nodes", zone.nodes.to_string())];
        keys.extend(zone.key.as_ref().map(|key| ("key", quoted(key))));
        keys.extend(zone.label.as_ref().map(|label| ("label", quoted(label))));
        table(&keys)
    };
    let zones: Vec<String> = zones.iter().map(zone).collect();
    let line = format!("[{}]", zones.join(", "));
    let long = line.len() > LINE_MAX;
    lines.key("zones", &if long { format!("[\n    {},\n]", zones.join(",\n    ")) } else { line });
}
