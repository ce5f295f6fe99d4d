//! One run of one scenario file, for the subcommands that look into it.

use std::path::PathBuf;

use indicatif::ProgressBar;
use rumormill_core::time::nanos;
use rumormill_sim::scenario::Scenario;
use rumormill_sim::truth::node_number;

use super::bar::simulated;
use super::{Files, USAGE, complain, files};

/// Which run.
#[derive(Debug, clap::Args)]
pub(super) struct OneRun {
    /// A scenario file.
    file: PathBuf,
    /// The seed; by default the scenario's first.
    #[arg(long)]
    seed: Option<u64>,
    /// The variant, by name; by default the scenario's first.
    #[arg(long)]
    variant: Option<String>,
    /// Change a key before checking, e.g. cluster.config.gossip_nodes=4 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

/// A run that exists.
pub(super) struct Chosen {
    pub(super) scenario: Scenario,
    /// The variant's index.
    pub(super) variant: usize,
    pub(super) seed: u64,
}

impl OneRun {
    /// Reads the scenario and finds the variant; complains about what is wrong.
    ///
    /// # Errors
    /// The exit status.
    pub(super) fn choose(&self) -> Result<Chosen, u8> {
        let wanted = Files { paths: vec![self.file.clone()], overrides: self.overrides.clone() };
        let mut scenarios = files::load(&wanted)?;
        let Some((_, scenario)) = scenarios.pop().filter(|_| scenarios.is_empty()) else {
            complain(&format_args!("{}: has several scenarios; name one file", self.file.display()));
            return Err(USAGE);
        };
        let variant = match &self.variant {
            None => Some(0),
            Some(name) => scenario.variants.iter().position(|variant| variant.name == *name),
        };
        let Some(variant) = variant else {
            let names: Vec<&str> = scenario.variants.iter().map(|variant| variant.name.as_str()).collect();
            let (name, has) = (self.variant.as_deref().unwrap_or_default(), names.join(", "));
            complain(&format_args!("--variant {name}: {} has {has}", scenario.name));
            return Err(USAGE);
        };
        let seed = self.seed.unwrap_or(scenario.seed);
        Ok(Chosen { scenario, variant, seed })
    }

    /// A bar of simulated seconds.
    pub(super) fn bar(&self, chosen: &Chosen) -> ProgressBar {
        simulated(&chosen.scenario.name, chosen.scenario.duration.as_secs(), self.quiet)
    }
}

impl Chosen {
    /// The variant's name.
    pub(super) fn variant_name(&self) -> &str {
        &self.scenario.variants[self.variant].name
    }

    /// The numbers of nodes that an option names; complains about those that do not exist.
    ///
    /// # Errors
    /// The exit status.
    pub(super) fn nodes(&self, option: &str, names: &[String]) -> Result<Vec<u32>, u8> {
        let count = self.scenario.cluster.nodes;
        let mut numbers = Vec::new();
        let mut sound = true;
        for name in names {
            match node_number(name).filter(|number| *number < count) {
                Some(number) => numbers.push(number),
                None => {
                    let scenario = &self.scenario.name;
                    let last = count - 1;
                    complain(&format_args!(
                        "{option} {name}: the nodes of {scenario} are node-0 to node-{last}"
                    ));
                    sound = false;
                }
            }
        }
        if sound { Ok(numbers) } else { Err(USAGE) }
    }

    /// A moment that an option names, ns; complains when it lies outside of what is simulated.
    ///
    /// # Errors
    /// The exit status.
    pub(super) fn moment(&self, option: &str, moment: std::time::Duration) -> Result<u64, u8> {
        let duration = self.scenario.duration;
        if moment > duration {
            let (at, name) = (moment.as_secs_f64(), &self.scenario.name);
            let lasts = duration.as_secs_f64();
            complain(&format_args!("{option} {at}s: {name} lasts {lasts} s"));
            return Err(USAGE);
        }
        Ok(nanos(moment))
    }
}
