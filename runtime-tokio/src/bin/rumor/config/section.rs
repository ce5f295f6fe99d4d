//! Reading a table key by key. Whoever reads gets `None` for what is missing or wrong, and the problem is on the list.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::problem::{Problem, plain, suggestion};
use super::tree::{Item, Value};
use crate::args::parse_duration;

/// A table being read.
pub(super) struct Section<'t, 'p> {
    pub(super) problems: &'p mut Vec<Problem>,
    path: String,
    item: Option<&'t Item>,
}

impl<'t, 'p> Section<'t, 'p> {
    /// Opens a table, and reports what it has beside `keys`. No item, or one that is no table, opens as empty.
    pub(super) fn open(
        item: Option<&'t Item>,
        path: &str,
        keys: &[&str],
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let mut section = Self { problems, path: path.into(), item: None };
        match item.map(|item| (&item.value, item)) {
            None => {}
            Some((Value::Table(entries), item)) => {
                for (key, item) in entries.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
                    let message = format!("unknown key \"{}\"", plain(key));
                    let problem = Problem::at_key(item, section.key(&plain(key)), message);
                    section.problems.push(problem.hint(suggestion(key, keys)));
                }
                section.item = Some(item);
            }
            Some((other, item)) => {
                let problem = Problem::at(item, path, format!("must be a table, not {}", other.kind()));
                section.problems.push(problem.hint(format!("its keys: {}", keys.join(", "))));
            }
        }
        section
    }

    /// The whole path of a key.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    /// What a key says, where it says something.
    pub(super) fn get(&self, key: &str) -> Option<&'t Item> {
        self.item?.get_set(key)
    }

    pub(super) fn report(
        &mut self,
        key: &str,
        item: &Item,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(Problem::at(item, self.key(key), message).hint(hint));
    }

    fn mistyped<T>(&mut self, key: &str, item: &Item, wanted: &str, example: &str) -> Option<T> {
        let message = format!("must be {wanted}, not {}", item.value.kind());
        self.report(key, item, message, format!("for example {example}"));
        None
    }

    pub(super) fn text(&mut self, key: &str) -> Option<&'t str> {
        match self.get(key)? {
            Item { value: Value::Text(text), .. } => Some(text),
            other => self.mistyped(key, other, "a text", "\"...\""),
        }
    }

    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        match self.get(key)? {
            Item { value: Value::Text(text), .. } => Some(text.into()),
            Item { value: Value::Path(path), .. } => Some(path.clone()),
            other => self.mistyped(key, other, "a path", "\"/var/lib/rumor/...\""),
        }
    }

    pub(super) fn truth(&mut self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Item { value: Value::Truth(truth), .. } => Some(*truth),
            other => self.mistyped(key, other, "true or false", "true"),
        }
    }

    /// A whole number of any size.
    pub(super) fn whole(&mut self, key: &str, example: &str) -> Option<i128> {
        match self.get(key)? {
            Item { value: Value::Whole(number), .. } => Some(*number),
            other => self.mistyped(key, other, "a whole number", example),
        }
    }

    /// A whole number within bounds that hold in `u32`; 0 is what is not set.
    pub(super) fn within(&mut self, key: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = (*bounds.start(), *bounds.end());
        let number = self.whole(key, &low.to_string())?;
        match u32::try_from(number) {
            Ok(0) if low > 0 => None,
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                if let Some(item) = self.get(key) {
                    self.report(
                        key,
                        item,
                        format!("is {number}, but must be from {low} to {high}"),
                        "0 is the default",
                    );
                }
                None
            }
        }
    }

    pub(super) fn duration(&mut self, key: &str, example: &str) -> Option<Duration> {
        let hint = format!("for example \"{example}\"");
        match self.get(key)? {
            item @ Item { value: Value::Text(text), .. } => match parse_duration(text) {
                Ok(duration) => Some(duration),
                Err(error) => {
                    self.report(key, item, error, hint);
                    None
                }
            },
            item @ Item { value: Value::Whole(_) | Value::Number(_), .. } => {
                self.report(key, item, "must be a duration with its unit, not a bare number", hint);
                None
            }
            other => self.mistyped(key, other, "a duration", &format!("\"{example}\"")),
        }
    }

    /// What a text says, by its own reader.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        hint: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        let item = self.get(key)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.report(key, item, message, hint);
                None
            }
        }
    }

    /// One of several words, in any case.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let item = self.get(key)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let valid: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = suggestion(text, &valid);
            self.report(key, item, format!("unknown {what} \"{}\"", plain(text)), hint);
        }
        found.map(|(_, value)| *value)
    }

    /// A list of texts, each by its own reader. What is wrong is left out.
    pub(super) fn texts<T>(
        &mut self,
        key: &str,
        hint: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let item = self.get(key)?;
        let Value::List(items) = &item.value else {
            return self.mistyped(key, item, "a list of texts", "[\"...\"]");
        };
        let mut list = Vec::with_capacity(items.len());
        for (n, item) in items.iter().enumerate() {
            let key = format!("{key}[{n}]");
            match &item.value {
                Value::Text(text) => match read(text) {
                    Ok(value) => list.push(value),
                    Err(message) => self.report(&key, item, message, hint),
                },
                other => self.report(&key, item, format!("must be a text, not {}", other.kind()), hint),
            }
        }
        Some(list)
    }
}
