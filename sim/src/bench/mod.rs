//! How fast the simulator and the core are: clusters measured in CPU time of this process, phase by phase.
//!
//! A run sets a converged cluster up, lets one simulated second pass unmeasured, then measures an idle phase, kills one node in a
//! hundred at once, and measures until every live node has reported every dead one. Two drivers run our core: the
//! [`Driver::Simulator`] as scenarios use it, with trace digest, invariants, metrics and notes; and the bare [`arena`], which holds
//! other implementations too, so that both meet the same queue and network.

pub mod arena;
mod ours;
mod sync;
mod table;

use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::config::{AntiEntropy, Confirmations, Pacing, Packing};

use crate::Scenario;
use crate::draws::order;
pub use sync::per_row;
pub use table::{Row, render};

const SECOND: u64 = 1_000_000_000;
/// Simulated time before the first measured phase: every node has probed once.
pub const UNMEASURED: u64 = SECOND;
/// Simulated time after which a kill phase ends although a report is missing.
pub const KILL_END: u64 = 300 * SECOND;

/// Who drives our core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The simulator, everything on.
    Simulator,
    /// The bare event loop of the comparison.
    Arena,
}

/// With which settings our core runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// LAN timing, and nothing that plain SWIM with suspicion has not: what foca can do.
    Plain,
    /// The same with network coordinates on acks.
    Coordinates,
    /// Every default of a LAN.
    Lan,
}

/// What is switched off, as a scenario writes it.
const PLAIN: &str = "awareness = false, buddy = false, stream_probe = false, nacks = false, anti_entropy = \"off\", reconnect = false, \
     suspicion_confirmations = 0, suspicion_max_mult = 1, pacing = \"tick\", packing = \"strict\"";

impl Settings {
    /// The settings' changes to a LAN configuration, as a scenario writes them.
    fn changes(self) -> String {
        match self {
            Self::Plain => format!("{PLAIN}, coordinates = false"),
            Self::Coordinates => PLAIN.to_owned(),
            Self::Lan => String::new(),
        }
    }

    /// The core's configuration.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Lan => Config::lan(),
            Self::Plain | Self::Coordinates => Config {
                coordinates: self == Self::Coordinates,
                pacing: Pacing::Tick,
                packing: Packing::Strict,
                awareness: false,
                buddy: false,
                stream_probe: false,
                nacks: false,
                anti_entropy: AntiEntropy::Off,
                reconnect: false,
                suspicion_confirmations: Confirmations::Exactly(0),
                suspicion_max_mult: 1,
                ..Config::lan()
            },
        }
    }

    /// The scenario that the simulator runs: an idle phase, then one node in a hundred crashes.
    fn scenario(self, nodes: u32, idle: Duration) -> Option<Scenario> {
        let kill = UNMEASURED + idle.as_nanos() as u64;
        let text = format!(
            "name = \"bench\"\nabout = \"bench\"\nseed = 1\nseeds = 1\nwarmup = \"0s\"\nduration = \"{}ms\"\n\
             [cluster]\nnodes = {nodes}\nconfig = {{ {} }}\n\
             [network]\nlatency = {{ kind = \"constant\", value = \"1ms\" }}\n\
             [[fault]]\nat = \"{}ms\"\nkind = \"crash\"\nnodes = {{ pick = {} }}\n",
            (kill + KILL_END) / 1_000_000,
            self.changes(),
            kill / 1_000_000,
            victims(nodes),
        );
        Scenario::parse(&text, "bench.toml", &[]).ok()
    }
}

/// How many nodes of a cluster are killed: one in a hundred, at least one.
#[must_use]
pub fn victims(nodes: u32) -> u32 {
    ((nodes + 50) / 100).max(1)
}

/// Which nodes of a cluster are killed: those that the scenario's crash draws.
#[must_use]
pub fn chosen_victims(seed: u64, nodes: u32) -> Vec<u32> {
    order(seed, "fault crash 0 nodes 0", nodes).into_iter().take(victims(nodes) as usize).collect()
}

/// What one phase took.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Phase {
    /// Simulated seconds.
    pub simulated: f64,
    /// CPU seconds of this process.
    pub cpu: f64,
    /// Datagrams sent.
    pub messages: u64,
}

impl Phase {
    /// Simulated seconds per CPU second.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.simulated / self.cpu.max(1e-9)
    }

    /// Nanoseconds per datagram, everything included.
    #[must_use]
    pub fn per_message(&self) -> f64 {
        self.cpu * 1e9 / self.messages.max(1) as f64
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// CPU seconds to set the cluster up.
    pub set_up: f64,
    /// Nothing happens.
    pub idle: Phase,
    /// From the kill to the last report.
    pub killed: Phase,
    /// Whether every live node reported every dead one in time.
    pub complete: bool,
}

/// Meters consecutive phases of one run.
#[derive(Debug)]
pub struct Stopwatch {
    cpu: f64,
    now: u64,
    messages: u64,
}

impl Stopwatch {
    /// Begins a phase at this simulated moment, with so many messages sent before.
    #[must_use]
    pub fn start(now: u64, messages: u64) -> Self {
        Self { cpu: cpu_seconds(), now, messages }
    }

    /// Ends the phase.
    #[must_use]
    pub fn stop(&self, now: u64, messages: u64) -> Phase {
        Phase {
            cpu: cpu_seconds() - self.cpu,
            simulated: (now - self.now) as f64 / SECOND as f64,
            messages: messages - self.messages,
        }
    }
}

/// One run of our core.
#[must_use]
pub fn run(driver: Driver, settings: Settings, nodes: u32, idle: Duration, seed: u64) -> Run {
    match driver {
        Driver::Arena => ours::run(&settings.config(), nodes, idle.as_nanos() as u64, seed),
        Driver::Simulator => settings
            .scenario(nodes, idle)
            .map(|scenario| crate::world::bench::run(&scenario, seed, idle.as_nanos() as u64))
            .unwrap_or_default(),
    }
}

/// CPU seconds of this process so far; wall-clock seconds where the system does not tell.
#[must_use]
pub fn cpu_seconds() -> f64 {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
    }
}

/// The median of figures.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[half],
        _ => f64::midpoint(figures[half - 1], figures[half]),
    }
}

#[cfg(test)]
mod tests;
