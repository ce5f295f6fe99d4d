//! From a tree to typed settings, each value checked for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use rumormill_tokio::core::id::NodeName;
use rumormill_tokio::core::keyring::Key;
use rumormill_tokio::discovery::CLUSTER_BYTES_MAX;
use rumormill_tokio::handlers::{HandlerSpec, Limits, SpecError};

use super::build::key_bytes;
use super::endpoint::joinable;
use super::problem::{Problem, plain};
use super::section::Section;
use super::tree::{Item, Value};
use super::{AgentConfig, Endpoint, Facility, Mdns, core};
use crate::args::{LogFormat, LogLevel, Profile, Secret};

/// Every key of a file.
pub(super) const KEYS: [&str; 49] = [
    "node_name",
    "role",
    "disable_coordinates",
    "tags",
    "tags_file",
    "bind",
    "advertise",
    "encrypt_key",
    "keyring_file",
    "log_level",
    "log_format",
    "rpc_addr",
    "rpc_auth",
    "protocol",
    "replay_on_join",
    "query_response_size_limit",
    "query_size_limit",
    "user_event_size_limit",
    "start_join",
    "retry_join",
    "event_handlers",
    "profile",
    "snapshot_path",
    "leave_on_terminate",
    "skip_leave_on_interrupt",
    "discover",
    "mdns",
    "interface",
    "reconnect_interval",
    "reconnect_timeout",
    "tombstone_timeout",
    "disable_name_resolution",
    "enable_syslog",
    "syslog_facility",
    "retry_max_attempts",
    "retry_interval",
    "rejoin_after_leave",
    "enable_compression",
    "statsite_addr",
    "statsd_addr",
    "broadcast_timeout",
    "validate_node_names",
    "record",
    "tcp_only",
    "rpc_clients_max",
    "http_addr",
    "handlers",
    "core",
    // What a file says about itself; ignored.
    "$schema",
];

pub(super) const LEVELS: [(&str, LogLevel); 7] = [
    ("TRACE", LogLevel::Trace),
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARN", LogLevel::Warn),
    ("ERR", LogLevel::Err),
    ("WARNING", LogLevel::Warn),
    ("ERROR", LogLevel::Err),
];

const FORMATS: [(&str, LogFormat); 4] = [
    ("text", LogFormat::Text),
    ("json", LogFormat::Json),
    ("journald", LogFormat::Journald),
    ("auto", LogFormat::Auto),
];

const PROFILES: [(&str, Profile); 3] =
    [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];

/// Syslog's facilities with their numbers.
const FACILITIES: [(&str, u8); 20] = [
    ("KERN", 0),
    ("USER", 1),
    ("MAIL", 2),
    ("DAEMON", 3),
    ("AUTH", 4),
    ("SYSLOG", 5),
    ("LPR", 6),
    ("NEWS", 7),
    ("UUCP", 8),
    ("CRON", 9),
    ("AUTHPRIV", 10),
    ("FTP", 11),
    ("LOCAL0", 16),
    ("LOCAL1", 17),
    ("LOCAL2", 18),
    ("LOCAL3", 19),
    ("LOCAL4", 20),
    ("LOCAL5", 21),
    ("LOCAL6", 22),
    ("LOCAL7", 23),
];

const HANDLER_KEYS: [&str; 5] = ["concurrent", "queue", "timeout", "grace", "shutdown"];

/// Reads a tree. What is missing or wrong has its default.
pub(super) fn read(tree: &Item, problems: &mut Vec<Problem>) -> AgentConfig {
    let handler_limits = handler_limits(tree.get("handlers"), problems);
    let mdns = mdns(tree.get("mdns"), problems);
    let mut s = Section::open(Some(tree), "", &KEYS, problems);
    let profile = s.choice("profile", "profile", &PROFILES).unwrap_or_default();
    let core = core::read(&mut s, profile.config());
    let address = "for example \"10.0.0.5:7946\", \"[fd00::5]:7946\" or \"web1\"";
    let bind = s.parsed("bind", address, str::parse);
    let whole_second = |duration: Duration| duration.max(Duration::from_secs(1));
    AgentConfig {
        node_name: s.parsed("node_name", "at most 128 bytes, without control characters", node_name),
        tags: tags(&mut s),
        tags_file: s.path("tags_file"),
        bind: bind.unwrap_or(Endpoint { host: "0.0.0.0".into(), port: None }),
        interface: s.text("interface").map(Into::into),
        advertise: s.parsed("advertise", address, str::parse),
        encrypt_key: s.parsed("encrypt_key", "`rumor keygen` prints one", key),
        keyring_file: s.path("keyring_file"),
        log_level: s.choice("log_level", "log level", &LEVELS).unwrap_or_default(),
        log_format: s.choice("log_format", "log format", &FORMATS).unwrap_or_default(),
        rpc_addr: s
            .parsed("rpc_addr", "for example \"127.0.0.1:7373\"", str::parse)
            .unwrap_or(Endpoint { host: "127.0.0.1".into(), port: None }),
        rpc_auth: s.text("rpc_auth").map(|token| Secret::new(token.into())),
        rpc_clients_max: s.within("rpc_clients_max", 1..=65_536).unwrap_or(1024),
        protocol: protocol(&mut s),
        replay_on_join: s.truth("replay_on_join").unwrap_or(false),
        start_join: s.texts("start_join", address, joinable).unwrap_or_default(),
        retry_join: s.texts("retry_join", address, joinable).unwrap_or_default(),
        retry_interval: interval(&mut s).map_or(Duration::from_secs(30), whole_second),
        retry_max_attempts: s.within("retry_max_attempts", 0..=u32::MAX).unwrap_or(0),
        event_handlers: s
            .texts("event_handlers", "write SCRIPT or FILTER[,FILTER...]=SCRIPT", event_handler)
            .unwrap_or_default(),
        handler_limits,
        profile,
        snapshot_path: s.path("snapshot_path"),
        rejoin_after_leave: s.truth("rejoin_after_leave").unwrap_or(false),
        leave_on_terminate: s.truth("leave_on_terminate").unwrap_or(false),
        skip_leave_on_interrupt: s.truth("skip_leave_on_interrupt").unwrap_or(false),
        discover: s.parsed("discover", "for example \"staging\"", cluster),
        mdns,
        syslog: syslog(&mut s),
        validate_node_names: s.truth("validate_node_names").unwrap_or(false),
        http_addr: s.parsed("http_addr", "for example \"127.0.0.1:7374\"", str::parse),
        statsite_addr: s.parsed("statsite_addr", "for example \"127.0.0.1:8125\"", str::parse),
        statsd_addr: s.parsed("statsd_addr", "for example \"127.0.0.1:8125\"", str::parse),
        record: s.path("record"),
        tcp_only: s.truth("tcp_only").unwrap_or(false),
        core,
        warnings: Vec::new(),
        mentioned: KEYS.iter().filter(|key| s.get(key).is_some()).map(ToString::to_string).collect(),
    }
}

/// The retry interval; 0 in a file is what is not set.
fn interval(s: &mut Section<'_, '_>) -> Option<Duration> {
    s.duration("retry_interval", "30s").filter(|interval| !interval.is_zero())
}

fn node_name(text: &str) -> Result<String, String> {
    NodeName::check(text).map(|()| text.into()).map_err(|error| error.to_string())
}

fn tags(s: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    if let Some(item) = s.get("tags") {
        let Value::Table(entries) = &item.value else {
            s.report(
                "tags",
                item,
                format!("must be a table, not {}", item.value.kind()),
                "for example { role = \"web\" }",
            );
            return tags;
        };
        for (key, item) in entries {
            match &item.value {
                _ if key.is_empty() => {
                    let problem = Problem::at_key(item, "tags", "the name of a tag is empty");
                    s.problems.push(problem);
                }
                Value::Text(value) => {
                    tags.insert(key.clone(), value.clone());
                }
                Value::Null => {}
                other => {
                    let message = format!("must be a text, not {}", other.kind());
                    s.report(&format!("tags.{}", plain(key)), item, message, "put it in quotes");
                }
            }
        }
    }
    if let Some(role) = s.text("role") {
        tags.insert("role".into(), role.into());
    }
    tags
}

/// Checks a key, and keeps its text.
fn key(text: &str) -> Result<Secret, String> {
    let bytes = key_bytes(text).map_err(|error| format!("is not base64: {}", base64_reason(&error)))?;
    Key::new(&bytes).map_err(|error| error.to_string())?;
    Ok(Secret::new(text.into()))
}

/// Without the byte at fault: it is part of a secret.
fn base64_reason(error: &base64::DecodeError) -> String {
    match error {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => {
            format!("character {} is wrong", at + 1)
        }
        base64::DecodeError::InvalidLength(_) => "its length is wrong".into(),
        base64::DecodeError::InvalidPadding => "the \"=\" at its end are missing or too many".into(),
    }
}

fn protocol(s: &mut Section<'_, '_>) -> u8 {
    const NEWEST: u8 = 5;
    let Some(number) = s.whole("protocol", "5") else { return NEWEST };
    match u8::try_from(number) {
        Ok(version @ 2..=NEWEST) => version,
        _ if number <= 0 => NEWEST,
        _ => {
            if let Some(item) = s.get("protocol") {
                let message = format!("protocol {number} is not spoken; this program speaks 2 to {NEWEST}");
                s.report("protocol", item, message, "leave it out for the newest");
            }
            NEWEST
        }
    }
}

fn event_handler(text: &str) -> Result<HandlerSpec, String> {
    HandlerSpec::parse(text).map_err(|error| match error {
        SpecError::Filter { error, .. } => {
            format!("{error}; a script with a \"=\" and no filter begins with \"*=\"")
        }
        SpecError::NoScript(_) => "there is no script".into(),
        SpecError::Nul(_) => "no script can have a NUL character".into(),
    })
}

/// A cluster's name in mDNS, where it becomes `_serf_NAME`.
fn cluster(text: &str) -> Result<String, String> {
    if text.len() > CLUSTER_BYTES_MAX {
        return Err(format!("has {} bytes, but may have at most {CLUSTER_BYTES_MAX}", text.len()));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Err("may have letters, digits, \"_\" and \"-\" only".into());
    }
    Ok(text.into())
}

fn syslog(s: &mut Section<'_, '_>) -> Option<Facility> {
    let enabled = s.truth("enable_syslog").unwrap_or(false);
    let facilities = FACILITIES.map(|(name, number)| (name, Facility { name, number }));
    let facility = s.choice("syslog_facility", "syslog facility", &facilities);
    enabled.then(|| facility.unwrap_or(Facility { name: "LOCAL0", number: 16 }))
}

fn mdns(item: Option<&Item>, problems: &mut Vec<Problem>) -> Mdns {
    let mut s = Section::open(item, "mdns", &["interface", "disable_ipv4", "disable_ipv6"], problems);
    Mdns {
        interface: s.text("interface").map(Into::into),
        disable_ipv4: s.truth("disable_ipv4").unwrap_or(false),
        disable_ipv6: s.truth("disable_ipv6").unwrap_or(false),
    }
}

fn handler_limits(item: Option<&Item>, problems: &mut Vec<Problem>) -> Limits {
    let mut s = Section::open(item, "handlers", &HANDLER_KEYS, problems);
    let mut limits = Limits::default();
    for (key, most, limit) in
        [("concurrent", 1024, &mut limits.concurrent), ("queue", 1_048_576, &mut limits.queue)]
    {
        if let Some(number) = s.within(key, 1..=most).and_then(|number| usize::try_from(number).ok()) {
            *limit = number;
        }
    }
    for (key, limit) in
        [("timeout", &mut limits.timeout), ("grace", &mut limits.grace), ("shutdown", &mut limits.shutdown)]
    {
        if let Some(duration) = s.duration(key, "10s").filter(|duration| !duration.is_zero()) {
            *limit = duration;
        }
    }
    limits
}
