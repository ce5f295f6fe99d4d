//! Values as TOML.

use std::fmt::Write as _;
use std::time::Duration;

use rumormill_core::config::format_duration;

use super::super::model::{Cluster, Selector};
use crate::truth::node_name;

/// A text as a basic string on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                // Control characters are below U+10000. Writing to a string does not fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A number in as few digits as read the same again.
pub(super) fn number(value: f64) -> String {
    // Whole numbers need no point; beyond this they need an exponent.
    const WHOLE_MAX: f64 = 1e15;
    if value.is_sign_positive() && value.fract() == 0.0 && value < WHOLE_MAX {
        format!("{value}")
    } else {
        format!("{value:?}")
    }
}

pub(super) fn duration(duration: Duration) -> String {
    format!("\"{}\"", format_duration(duration))
}

/// An inline table.
pub(super) fn table<K: AsRef<str>>(keys: &[(K, String)]) -> String {
    let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{} = {value}", key.as_ref())).collect();
    format!("{{ {} }}", keys.join(", "))
}

/// A set of nodes in the files' notation.
pub(super) fn selector(selector: &Selector, cluster: &Cluster) -> String {
    match selector {
        Selector::All => "{ all = true }".to_owned(),
        Selector::Rest => "{ rest = true }".to_owned(),
        Selector::Pick(count) => format!("{{ pick = {count} }}"),
        Selector::Fraction(share) => format!("{{ fraction = {} }}", number(*share)),
        Selector::Zone(index) => {
            let name = cluster.zones.get(*index).map_or("", |zone| &zone.name);
            format!("{{ zone = {} }}", quoted(name))
        }
        Selector::Nodes(numbers) => {
            let names: Vec<String> = numbers.iter().map(|n| format!("\"{}\"", node_name(*n))).collect();
            format!("[{}]", names.join(", "))
        }
    }
}
