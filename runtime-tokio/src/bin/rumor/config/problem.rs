//! What is wrong with settings, before it is put in words for people.

use super::tree::{Item, Place};

/// Lists of names up to this long are shown whole beside the nearest one.
const SHORT_LIST: usize = 12;
/// Characters of somebody's text that a message shows.
const SHOWN: usize = 60;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The agent does not start.
    Error,
    /// The agent starts, but somebody may not have wanted that.
    Warning,
}

#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) severity: Severity,
}

impl Problem {
    /// About a value.
    pub(super) fn at(item: &Item, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::in_place(item.at.clone(), key, message)
    }

    /// About a key itself.
    pub(super) fn at_key(item: &Item, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::in_place(item.key_at.clone(), key, message)
    }

    /// About what is missing, or about the settings as a whole.
    pub(super) fn nowhere(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::in_place(Place::Nowhere, key, message)
    }

    pub(super) fn in_place(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        let (key, message) = (key.into(), message.into());
        Self { place, key, message, hint: None, severity: Severity::Error }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// The nearest valid name, and the others when they are few or none is near.
pub(super) fn suggestion(given: &str, valid: &[&str]) -> String {
    let all = || format!("valid: {}", valid.join(", "));
    match nearest(given, valid) {
        Some(name) if valid.len() <= SHORT_LIST => format!("did you mean \"{name}\"? {}", all()),
        Some(name) => format!("did you mean \"{name}\"?"),
        None => all(),
    }
}

fn nearest<'a>(given: &str, valid: &[&'a str]) -> Option<&'a str> {
    // Nobody mistypes a name as a page of text, and comparing one is slow.
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase();
    let scored = valid.iter().map(|name| {
        let name_lower = name.to_lowercase();
        // One slip of the finger is near, however short the name.
        let slip = strsim::osa_distance(&given, &name_lower) == 1;
        let likeness = strsim::jaro_winkler(&given, &name_lower);
        (if slip { likeness.max(0.9) } else { likeness }, *name)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}

/// A text of somebody else's as part of a message: short, and without control characters.
pub(super) fn plain(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push_str("...");
    }
    short
}
