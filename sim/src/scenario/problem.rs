//! A problem by key, before it is known where in which text that key is.

use super::diagnostic::plain;
use super::path::Path;

/// Lists of names up to this long are shown whole beside the nearest one.
const SHORT_LIST: usize = 12;

#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) path: Path,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether the key itself is wrong, not its value.
    pub(super) key_itself: bool,
    /// The override at fault, when the tree does not hold it.
    pub(super) override_number: Option<usize>,
    /// Other keys whose values the problem rests on.
    rests_on: Vec<Path>,
}

impl Problem {
    pub(super) fn at(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            message: message.into(),
            hint: None,
            key_itself: false,
            override_number: None,
            rests_on: Vec::new(),
        }
    }

    /// A name that does not exist: `what` is "key", "kind", ...
    pub(super) fn unknown(path: &Path, what: &str, given: &str, valid: &[&str]) -> Self {
        Self::at(path, format!("unknown {what} \"{}\"", plain(given))).hint(suggestion(given, valid))
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn key_itself(mut self) -> Self {
        self.key_itself = true;
        self
    }

    pub(super) fn of_override(mut self, number: usize) -> Self {
        self.override_number = Some(number);
        self
    }

    pub(super) fn rests_on(mut self, path: Path) -> Self {
        self.rests_on.push(path);
        self
    }

    /// Whether the problem is about the value at `path`, or rests on it.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        self.path.overlaps(path) || self.rests_on.iter().any(|p| p.overlaps(path))
    }
}

/// The nearest valid name, and the others when they are few or none is near.
fn suggestion(given: &str, valid: &[&str]) -> String {
    let all = || format!("valid: {}", valid.join(", "));
    match nearest(given, valid) {
        _ if valid.is_empty() => "there are none here".into(),
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
    let scored = valid.iter().map(|name| (strsim::jaro_winkler(given, name), *name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}
