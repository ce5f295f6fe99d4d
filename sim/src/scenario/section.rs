//! Reading a table key by key. Whoever reads gets `None` for what is missing or wrong, and the problem is on the list.

use std::time::Duration;

use rumormill_core::config::parse_duration;

use super::path::{Path, Step};
use super::problem::Problem;
use super::tree::{Item, Value};

/// A table being read.
pub(super) struct Section<'t, 'p> {
    pub(super) path: Path,
    pub(super) problems: &'p mut Vec<Problem>,
    item: Option<&'t Item>,
}

impl<'t, 'p> Section<'t, 'p> {
    /// Opens a table, and reports what it has beside `keys`. No item, or one that is no table, opens as empty.
    pub(super) fn open(
        item: Option<&'t Item>,
        path: &Path,
        keys: &[&str],
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let mut section = Self { path: path.clone(), problems, item: None };
        match item.map(|item| &item.value) {
            None => {}
            Some(Value::Table(entries)) => {
                for (key, _) in entries.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
                    let problem = Problem::unknown(&path.key(key), "key", key, keys).key_itself();
                    section.problems.push(problem);
                }
                section.item = item;
            }
            Some(other) => {
                let keys = keys.join(", ");
                let problem = Problem::at(path, format!("must be a table, not {}", other.kind()));
                section.problems.push(problem.hint(format!("its keys: {keys}")));
            }
        }
        section
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Item> {
        self.item?.get(&Step::Key(key.into()))
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&mut self, key: &str, example: &str) -> Option<&'t Item> {
        let item = self.get(key);
        // When the table itself was wrong, that has been said.
        if item.is_none() && (self.item.is_some() || !self.problems.iter().any(|p| p.path == self.path)) {
            let problem = Problem::at(&self.path.key(key), format!("`{key}` is missing"));
            self.problems.push(problem.hint(format!("add {key} = {example}")));
        }
        item
    }

    pub(super) fn report(&mut self, key: &str, message: String, hint: &str) {
        self.problems.push(Problem::at(&self.path.key(key), message).hint(hint));
    }

    fn mistyped<T>(&mut self, key: &str, item: &Item, wanted: &str, example: &str) -> Option<T> {
        let message = format!("must be {wanted}, not {}", item.value.kind());
        self.report(key, message, &format!("for example {key} = {example}"));
        None
    }

    pub(super) fn text(&mut self, key: &str) -> Option<&'t str> {
        match self.get(key)? {
            Item { value: Value::Text(text), .. } => Some(text),
            other => self.mistyped(key, other, "a text", "\"...\""),
        }
    }

    pub(super) fn truth(&mut self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Item { value: Value::Truth(truth), .. } => Some(*truth),
            other => self.mistyped(key, other, "true or false", "true"),
        }
    }

    /// A whole number, 0 or more. What is larger than any that is allowed stays so.
    pub(super) fn whole(&mut self, key: &str, example: &str) -> Option<u64> {
        match self.get(key)? {
            Item { value: Value::Whole(number), .. } if *number >= 0 => {
                Some(u64::try_from(*number).unwrap_or(u64::MAX))
            }
            Item { value: Value::Whole(_), .. } => {
                self.report(key, "must be 0 or more".into(), &format!("for example {key} = {example}"));
                None
            }
            other => self.mistyped(key, other, "a whole number", example),
        }
    }

    /// As [`Section::whole`], for what is never above `u32::MAX`.
    pub(super) fn whole_u32(&mut self, key: &str, example: &str) -> Option<u32> {
        self.whole(key, example).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(super) fn number(&mut self, key: &str, example: &str) -> Option<f64> {
        match self.get(key)? {
            Item { value: Value::Whole(number), .. } => Some(*number as f64),
            Item { value: Value::Number(number), .. } => Some(*number),
            other => self.mistyped(key, other, "a number", example),
        }
    }

    pub(super) fn duration(&mut self, key: &str, example: &str) -> Option<Duration> {
        let hint = format!("for example {key} = \"{example}\"");
        match self.get(key)? {
            Item { value: Value::Text(text), .. } => match parse_duration(text) {
                Ok(duration) => Some(duration),
                Err(error) => {
                    self.report(key, error.to_string(), &hint);
                    None
                }
            },
            Item { value: Value::Whole(_) | Value::Number(_), .. } => {
                self.report(key, "must be a duration with its unit, not a bare number".into(), &hint);
                None
            }
            other => self.mistyped(key, other, "a duration", &format!("\"{example}\"")),
        }
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let valid: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.problems.push(Problem::unknown(&self.path.key(key), what, text, &valid));
        }
        found.map(|(_, value)| *value)
    }

    /// The elements of a list, none when it is missing, with their paths.
    pub(super) fn list(&mut self, key: &str, example: &str) -> Vec<(Path, &'t Item)> {
        let path = self.path.key(key);
        match self.get(key) {
            None => Vec::new(),
            Some(Item { value: Value::List(items), .. }) => {
                items.iter().enumerate().map(|(n, item)| (path.index(n), item)).collect()
            }
            Some(other) => {
                let message = format!("must be a list, not {}", other.value.kind());
                self.report(key, message, &format!("write {example}"));
                Vec::new()
            }
        }
    }
}
