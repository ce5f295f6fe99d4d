//! One line of the log, in each of its forms.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Local, SecondsFormat};
use rumormill_tokio::rpc::log::{LINE_BYTES_MAX, Level};
use serde::Serialize;
use serde_json::Value;
use tracing::Event;
use tracing::field::{Field, Visit};

use super::journal::put;

/// What was logged. The message says everything, for people; the fields say parts of it once more, for programs.
#[derive(Debug)]
pub(super) struct Line {
    at: DateTime<Local>,
    level: Level,
    /// The module that logged it.
    module: &'static str,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

/// A line for programs.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    level: &'static str,
    part: &'a str,
    module: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'static str, &'a Value>,
}

impl Line {
    pub(super) fn of(event: &Event<'_>, level: Level) -> Self {
        let module = event.metadata().target();
        let mut line = Self { at: Local::now(), level, module, message: String::new(), fields: Vec::new() };
        event.record(&mut line);
        line.message.truncate(line.message.floor_char_boundary(LINE_BYTES_MAX));
        line
    }

    /// As Serf has it.
    pub(super) fn text(&self) -> String {
        format!("{} [{}] {}", self.at.format("%Y/%m/%d %H:%M:%S"), self.level.name(), self.shown())
    }

    /// The message, with control characters escaped: what peers send must not drive a terminal.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::with_capacity(self.message.len());
        for c in self.message.chars() {
            if c.is_control() {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        shown
    }

    /// The part of the agent that speaks (`serf`, `memberlist`, `agent.ipc`), and what it says.
    fn parts(&self) -> (&str, &str) {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.')
        };
        match self.message.split_once(": ") {
            Some((part, rest)) if is_part(part) => (part, rest),
            _ => ("agent", &self.message),
        }
    }

    /// An object in one line.
    pub(super) fn json(&self) -> String {
        let (part, message) = self.parts();
        let time = self.at.to_rfc3339_opts(SecondsFormat::Micros, false);
        let fields = self.fields.iter().map(|(name, value)| (*name, value)).collect();
        let object = Object { time, level: self.level.name(), part, module: self.module, message, fields };
        // Texts and numbers under names are always JSON.
        escaped(&serde_json::to_string(&object).unwrap_or_default())
    }

    /// An entry of the journal.
    pub(super) fn entry(&self) -> Vec<u8> {
        let mut entry = Vec::new();
        put(&mut entry, "MESSAGE", &self.shown());
        put(&mut entry, "PRIORITY", priority(self.level));
        put(&mut entry, "SYSLOG_IDENTIFIER", "rumor");
        put(&mut entry, "RUMOR_PART", self.parts().0);
        put(&mut entry, "RUMOR_MODULE", self.module);
        for (name, value) in &self.fields {
            let name = format!("RUMOR_{}", name.to_ascii_uppercase());
            match value {
                Value::String(text) => put(&mut entry, &name, text),
                other => put(&mut entry, &name, &other.to_string()),
            }
        }
        entry
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// JSON without the control characters that its rules allow: those stand within texts only.
fn escaped(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() {
            clean.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Syslog's numbers as the journal has them; what happens is a notice nowhere else than with Serf's syslog.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "7",
        Level::Info => "6",
        Level::Warn => "4",
        Level::Err => "3",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Line {
        let fields = vec![("member", "n\u{9b}\n1".into()), ("incarnation", 3.into())];
        let at = DateTime::UNIX_EPOCH.with_timezone(&Local);
        Line { at, level: Level::Warn, module: "rumormill_tokio::agent", message: message.into(), fields }
    }

    #[test]
    fn text_is_serfs_line_in_one_line_without_fields() {
        let text = line("serf: a\u{1b}[2J\nb").text();
        assert!(text.starts_with("19"), "{text}");
        assert!(text.ends_with(" [WARN] serf: a\\u{1b}[2J\\nb"), "{text}");
    }

    #[test]
    fn json_is_one_line_that_says_all_and_has_no_control_characters() {
        let json = line("agent.ipc: a: \"b\"\u{1b}\n\u{7f}\u{85}").json();
        assert!(!json.chars().any(char::is_control), "{json}");
        let read: Value = serde_json::from_str(&json).unwrap();
        let time = read["time"].as_str().unwrap();
        assert_eq!(DateTime::parse_from_rfc3339(time).unwrap(), DateTime::UNIX_EPOCH);
        let wanted = serde_json::json!({
            "time": time,
            "level": "WARN",
            "part": "agent.ipc",
            "module": "rumormill_tokio::agent",
            "message": "a: \"b\"\u{1b}\n\u{7f}\u{85}",
            "fields": { "member": "n\u{9b}\n1", "incarnation": 3 },
        });
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_message_without_a_part_is_the_agents() {
        for (message, parts) in [
            ("serf: x", ("serf", "x")),
            ("Not a part: x", ("agent", "Not a part: x")),
            (": x", ("agent", ": x")),
            ("x", ("agent", "x")),
        ] {
            assert_eq!(line(message).parts(), parts);
        }
    }

    #[test]
    fn an_entry_has_fields_of_its_own() {
        let entry = line("serf: x").entry();
        let wanted = b"MESSAGE=serf: x\nPRIORITY=4\nSYSLOG_IDENTIFIER=rumor\nRUMOR_PART=serf\n\
                       RUMOR_MODULE=rumormill_tokio::agent\nRUMOR_MEMBER\n\x05\0\0\0\0\0\0\0n\xc2\x9b\n1\nRUMOR_INCARNATION=3\n";
        assert_eq!(entry.escape_ascii().to_string(), wanted.escape_ascii().to_string());
    }
}
