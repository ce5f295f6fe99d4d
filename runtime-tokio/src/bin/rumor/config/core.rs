//! The protocol's settings: the table `core`, any setting by its own name, and the keys that Serf has for some of them.
//!
//! The core's own serde description is what knows names and types, so a new setting needs nothing here.

use std::time::Duration;

use rumormill_tokio::core::Config;
use serde::Deserialize as _;

use super::problem::{Problem, plain, suggestion};
use super::section::Section;
use super::tree::{Item, Value};

/// Settings that a file may not choose, and why.
const RESERVED: [(&str, &str); 3] = [
    ("simulation", "cannot be set: it would make keys predictable"),
    ("notes", "cannot be set: the agent reads them, and has them on"),
    ("versions", "cannot be set: the key protocol sets what is announced"),
];

/// Serf's keys, and the settings they stand for.
pub(super) const ALIASES: [(&str, &str); 9] = [
    ("disable_coordinates", "coordinates"),
    ("disable_name_resolution", "name_conflict_vote"),
    ("query_response_size_limit", "response_bytes_max"),
    ("query_size_limit", "query_bytes_max"),
    ("user_event_size_limit", "user_event_bytes_max"),
    ("reconnect_interval", "reconnect_interval"),
    ("reconnect_timeout", "reconnect_timeout"),
    ("tombstone_timeout", "tombstone_timeout"),
    ("broadcast_timeout", "broadcast_timeout"),
];

/// The settings of a profile, with those of the file.
pub(super) fn read(s: &mut Section<'_, '_>, profile: Config) -> Config {
    let mut config = match s.get("core") {
        Some(item) => table(item, profile, s.problems),
        None => profile,
    };
    if let Some(off) = s.truth("disable_coordinates") {
        config.coordinates = !off;
    }
    if let Some(off) = s.truth("disable_name_resolution") {
        config.name_conflict_vote = !off;
    }
    for (key, setting) in [
        ("query_response_size_limit", &mut config.response_bytes_max),
        ("query_size_limit", &mut config.query_bytes_max),
        ("user_event_size_limit", &mut config.user_event_bytes_max),
    ] {
        if let Some(bytes) = s.within(key, 32..=9216).and_then(|bytes| u16::try_from(bytes).ok()) {
            *setting = bytes;
        }
    }
    for (key, least, setting) in [
        ("reconnect_interval", 0, &mut config.reconnect_interval),
        ("reconnect_timeout", 0, &mut config.reconnect_timeout),
        ("tombstone_timeout", 0, &mut config.tombstone_timeout),
        ("broadcast_timeout", 1, &mut config.broadcast_timeout),
    ] {
        // 0 is what is not set.
        if let Some(duration) = s.duration(key, "30s").filter(|d| !d.is_zero()) {
            *setting = duration.max(Duration::from_secs(least));
        }
    }
    config
}

/// Settings by their own names. One that cannot be read stays as it was.
fn table(item: &Item, base: Config, problems: &mut Vec<Problem>) -> Config {
    let Ok(mut settings) = toml::Table::try_from(&base) else {
        problems.push(Problem::at(item, "core", "the settings cannot be written as TOML"));
        return base;
    };
    let names: Vec<String> = settings.keys().filter(|name| reserved(name).is_none()).cloned().collect();
    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.extend(RESERVED.map(|(name, _)| name));
    Section::open(Some(item), "core", &known, problems);
    let Value::Table(entries) = &item.value else { return base };
    for (name, item) in
        entries.iter().filter(|(name, item)| known.contains(&name.as_str()) && !item.value.is_unset())
    {
        match setting(name, item, &settings) {
            Ok(value) => {
                settings.insert(name.clone(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    // Each setting was tried on its own, so all of them together can be read.
    Config::deserialize(settings).unwrap_or(base)
}

/// Why a file may not choose a setting, if it may not.
fn reserved(name: &str) -> Option<&'static str> {
    RESERVED.iter().find(|(reserved, _)| *reserved == name).map(|(_, why)| *why)
}

/// One setting, tried on its own so that its problem can be told apart from the others'.
fn setting(name: &str, item: &Item, defaults: &toml::Table) -> Result<toml::Value, Problem> {
    let key = format!("core.{name}");
    if let Some(message) = reserved(name) {
        return Err(Problem::at_key(item, key, message).hint("leave it out"));
    }
    let reason = match item.value.to_toml() {
        None => format!("cannot be {}", item.value.kind()),
        Some(value) => {
            let alone = toml::Table::from_iter([(name.to_string(), value.clone())]);
            match Config::deserialize(alone) {
                Ok(_) => return Ok(value),
                Err(error) => {
                    if let Some((given, valid)) = one_of(error.message()) {
                        let message = format!("unknown word \"{}\"", plain(given));
                        return Err(Problem::at(item, key, message).hint(suggestion(given, &valid)));
                    }
                    reason_of(&error, item)
                }
            }
        }
    };
    let default = defaults.get(name).map(toml::Value::to_string).unwrap_or_default();
    Err(Problem::at(item, key, reason).hint(format!("for example {default}")))
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

/// Every setting that is out of bounds: its name, and why.
pub(super) fn out_of_bounds(config: &Config) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let mut config = config.clone();
    let defaults = toml::Table::try_from(Config::lan()).unwrap_or_default();
    // The check gives the first only: put that right, and look again. Each setting at most once.
    while let Err(error) = config.check() {
        if found.iter().any(|(field, _)| *field == error.field) {
            break;
        }
        found.push((error.field, format!("is {}, but must be {}", error.value, error.bound)));
        let mended = toml::Table::try_from(&config).ok().and_then(|mut settings| {
            settings.insert(error.field.into(), defaults.get(error.field)?.clone());
            Config::deserialize(settings).ok()
        });
        match mended {
            Some(mended) => config = mended,
            None => break,
        }
    }
    found
}
