//! `cluster.config`: any setting of the core, by its own name.
//!
//! The core's own serde description is what knows names and types, so a new setting needs nothing here.

use rumormill_core::Config;
use serde::Deserialize as _;

use super::model::Profile;
use super::path::Path;
use super::problem::Problem;
use super::section::Section;
use super::tree::{Item, Value};

/// Settings that a file may not choose, and why.
const RESERVED: [(&str, &str); 2] = [
    // Metrics are made of them.
    ("notes", "cannot be set: the simulator always turns it on"),
    ("simulation", "cannot be set: the simulator turns it on where there are keys"),
];

impl Profile {
    /// The settings it stands for.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Lan => Config::lan(),
            Self::Wan => Config::wan(),
            Self::Local => Config::local(),
        }
    }
}

/// Settings to start from (a profile's, the cluster's) with those of the file. One that cannot be read stays as it was.
pub(super) fn config(item: Option<&Item>, path: &Path, base: &Config, problems: &mut Vec<Problem>) -> Config {
    let Ok(mut settings) = toml::Table::try_from(base) else {
        problems.push(Problem::at(path, "the settings cannot be written as TOML"));
        return base.clone();
    };
    let names: Vec<String> = settings.keys().filter(|name| reserved(name).is_none()).cloned().collect();
    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.extend(RESERVED.map(|(name, _)| name));
    let Some(item) = item else {
        return base.clone();
    };
    Section::open(Some(item), path, &known, problems);
    let Value::Table(entries) = &item.value else {
        return base.clone();
    };
    for (name, item) in entries.iter().filter(|(name, _)| known.contains(&name.as_str())) {
        match setting(name, item, &path.key(name), &settings) {
            Ok(value) => {
                settings.insert(name.clone(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    // Each setting was tried on its own, so all of them together can be read.
    Config::deserialize(settings).unwrap_or_else(|_| base.clone())
}

/// Why a file may not choose a setting, if it may not.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    RESERVED.iter().find(|(reserved, _)| *reserved == name).map(|(_, why)| *why)
}

/// One setting, tried on its own so that its problem can be told apart from the others'.
fn setting(name: &str, item: &Item, path: &Path, defaults: &toml::Table) -> Result<toml::Value, Problem> {
    if let Some(message) = reserved(name) {
        return Err(Problem::at(path, message).hint("leave it out"));
    }
    let reason = match item.value.to_toml() {
        None => format!("cannot be {}", item.value.kind()),
        Some(value) => {
            let alone = toml::Table::from_iter([(name.to_string(), value.clone())]);
            match Config::deserialize(alone) {
                Ok(_) => return Ok(value),
                Err(error) => {
                    if let Some((given, valid)) = one_of(error.message()) {
                        return Err(Problem::unknown(path, "word", given, &valid));
                    }
                    reason_of(&error, item)
                }
            }
        }
    };
    let default = defaults.get(name).map(toml::Value::to_string).unwrap_or_default();
    Err(Problem::at(path, reason).hint(format!("for example {name} = {default}")))
}

/// What was given, and the words that there are, where Serde says that a setting is one of some words.
fn one_of(message: &str) -> Option<(&str, Vec<&str>)> {
    let (given, valid) = message.strip_prefix("unknown variant `")?.split_once("`, expected ")?;
    let valid: Vec<&str> = valid.split('`').skip(1).step_by(2).collect();
    (!valid.is_empty()).then_some((given, valid))
}

fn reason_of(error: &toml::de::Error, item: &Item) -> String {
    let message = error.message();
    // Serde's words for a setting of two types name the Rust type, which means nothing in a file.
    if message.starts_with("data did not match") {
        return format!("{} is out of range or not one of its words", item.value.kind());
    }
    message.lines().next().unwrap_or_default().to_string()
}
