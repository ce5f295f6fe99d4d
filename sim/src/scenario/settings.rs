//! Settings by name: which differ, and back to what they were.

use rumormill_core::Config;
use serde::Deserialize as _;

use super::read_config::reserved;

/// The settings that differ from those of `base`, by name, with their values. Those that the simulator makes itself do not count.
#[must_use]
pub(crate) fn differing(config: &Config, base: &Config) -> Vec<(String, toml::Value)> {
    // Durations are texts, and whole numbers are small: settings always are a table.
    let [own, base] = [config, base].map(|config| toml::Table::try_from(config).unwrap_or_default());
    let differs = |(name, value): &(String, toml::Value)| base.get(name) != Some(value);
    own.into_iter().filter(|(name, _)| reserved(name).is_none()).filter(differs).collect()
}

/// The settings with one of them as `base` has it.
#[must_use]
pub(crate) fn reset(config: &Config, base: &Config, name: &str) -> Config {
    let [own, base] = [config, base].map(|config| toml::Table::try_from(config).unwrap_or_default());
    let Some(value) = base.get(name) else { return config.clone() };
    let mut own = own;
    own.insert(name.to_owned(), value.clone());
    Config::deserialize(own).unwrap_or_else(|_| config.clone())
}
