//! A file line by line.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::model::{Cluster, Selector, Travel};
use super::values;

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
}

impl Lines {
    /// Begins a table, after an empty line.
    pub(super) fn open(&mut self, head: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "\n{head}\n");
    }

    /// A key with its value as TOML.
    pub(super) fn key(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    pub(super) fn duration(&mut self, key: &str, duration: Duration) {
        self.key(key, &values::duration(duration));
    }

    /// A key that is false unless it is there.
    pub(super) fn flag(&mut self, key: &str, on: bool) {
        if on {
            self.key(key, "true");
        }
    }

    pub(super) fn selector(&mut self, key: &str, selector: &Selector, cluster: &Cluster) {
        self.key(key, &values::selector(selector, cluster));
    }

    /// The keys of a way.
    pub(super) fn travel(&mut self, travel: &Travel) {
        for (key, value) in travel.keys() {
            self.key(key, &value);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
