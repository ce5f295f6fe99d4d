//! The settings that are tried: the profile's own first, then draws around them.

use std::collections::BTreeSet;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rumormill_core::Config;

use super::question::Question;
use super::written;

/// Runs of a search for each settings that it begins with: see [`super::tune`].
const RUNS_PER_SETTINGS: f64 = 7.0 / 3.0;
/// Draws for each settings that is wanted, before the space counts as used up.
const DRAWS_MAX: u64 = 50;
/// A ping and its ack take so many usual latencies and this before it is called late.
const MARGIN: Duration = Duration::from_millis(10);

/// Settings of the core that are not the profile's: key and value as TOML. Empty: the profile's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Settings(pub Vec<(String, String)>);

impl Settings {
    /// As a TOML table on one line: `{ suspicion_mult = 3, probe_interval = "500ms" }`.
    #[must_use]
    pub fn table(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if entries.is_empty() { "the profile's".to_owned() } else { entries.join(", ") }
    }
}

/// As many different settings as the budget carries; the profile's are the first. Longer draws begin with the shorter ones.
pub(super) fn draw(question: &Question) -> Vec<Settings> {
    let wanted = ((f64::from(question.budget) / RUNS_PER_SETTINGS) as usize).max(2);
    let (mut drawn, mut known) = (vec![Settings::default()], BTreeSet::from([Settings::default()]));
    for number in 0..wanted as u64 * DRAWS_MAX {
        if drawn.len() >= wanted {
            break;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(question.seed);
        rng.set_stream(number);
        if let Some(settings) = one(question, &mut rng)
            && known.insert(settings.clone())
        {
            drawn.push(settings);
        }
    }
    drawn
}

fn pick<T: Copy>(rng: &mut ChaCha8Rng, of: &[T]) -> Option<T> {
    let drawn = (u128::from(rng.next_u64()) * of.len() as u128) >> 64;
    of.get(drawn as usize).copied()
}

/// A draw; `None` where a round trip would hardly fit into the time that a probe has.
fn one(question: &Question, rng: &mut ChaCha8Rng) -> Option<Settings> {
    let base = question.profile.config();
    // Every key is drawn, whether it is kept or not, so that one more key leaves the others as they are.
    let keep = rng.next_u64();
    let mut bit = 0;
    let mut changed = || {
        bit += 1;
        keep >> bit & 1 == 1
    };
    let times = |rng: &mut ChaCha8Rng, base: Duration, factors: &[f64]| {
        pick(rng, factors).map(|factor| base.mul_f64(factor)).unwrap_or(base)
    };
    let interval = times(rng, base.probe_interval, &[0.2, 0.35, 0.5, 0.7, 1.5, 2.0]);
    let interval = if changed() { interval } else { base.probe_interval };
    let share = base.probe_timeout.as_secs_f64() / base.probe_interval.as_secs_f64();
    let drawn_share = pick(rng, &[0.15, 0.25, 0.4, 0.6, 0.75])?;
    let timeout = interval.mul_f64(if changed() { drawn_share } else { share });
    if timeout < question.latency.usual_max() * 2 + MARGIN {
        return None;
    }
    let config = Config {
        probe_interval: interval,
        probe_timeout: timeout,
        suspicion_mult: number(rng, changed(), base.suspicion_mult, &[1, 2, 3, 4, 5, 6, 8]),
        suspicion_max_mult: number(rng, changed(), base.suspicion_max_mult, &[1, 2, 3, 4, 6, 8]),
        indirect_checks: number(rng, changed(), base.indirect_checks, &[1, 2, 3, 5]),
        gossip_interval: {
            let drawn = times(rng, base.gossip_interval, &[0.5, 1.5, 2.0, 3.0]);
            if changed() { drawn } else { base.gossip_interval }
        },
        gossip_nodes: number(rng, changed(), base.gossip_nodes, &[2, 3, 4, 5]),
        retransmit_mult: number(rng, changed(), base.retransmit_mult, &[2, 3, 4, 5]),
        awareness_scales_timeout: number(rng, changed(), base.awareness_scales_timeout, &[false, true]),
        anti_entropy: {
            use rumormill_core::config::AntiEntropy::{Delta, Full};
            number(rng, changed(), base.anti_entropy, &[Full, Delta])
        },
        push_pull_interval: {
            let drawn = times(rng, base.push_pull_interval, &[0.5, 2.0, 4.0]);
            if changed() { drawn } else { base.push_pull_interval }
        },
        ..base.clone()
    };
    difference(&base, &config)
}

fn number<T: Copy>(rng: &mut ChaCha8Rng, changed: bool, base: T, of: &[T]) -> T {
    let drawn = pick(rng, of).unwrap_or(base);
    if changed { drawn } else { base }
}

/// What differs from the profile's settings, by key.
fn difference(base: &Config, config: &Config) -> Option<Settings> {
    let (base, own) = (toml::Table::try_from(base).ok()?, toml::Table::try_from(config).ok()?);
    let differs = own.into_iter().filter(|(key, value)| base.get(key) != Some(value));
    Some(Settings(differs.map(|(key, value)| (key.clone(), text(&key, &value, config))).collect()))
}

/// A value as a person would write it.
fn text(key: &str, value: &toml::Value, config: &Config) -> String {
    let duration = match key {
        "probe_interval" => config.probe_interval,
        "probe_timeout" => config.probe_timeout,
        "gossip_interval" => config.gossip_interval,
        "push_pull_interval" => config.push_pull_interval,
        _ => return value.to_string(),
    };
    format!("\"{}\"", written(duration))
}
