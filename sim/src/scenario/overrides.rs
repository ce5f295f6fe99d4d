//! `--set KEY=VALUE`: a key of the scenario, replaced or added before anything is checked.

use std::fmt;

use super::diagnostic::plain;
use super::path::{Path, Step};
use super::tree::{Item, Value};

/// Deepest key; no scenario is half as deep.
const STEPS_MAX: usize = 12;

/// One `--set KEY=VALUE`. The key is dotted, an element of a list is chosen by its number from 0
/// (`fault[0].at`); the value is TOML, or a bare word that is taken as a text.
#[derive(Clone, Debug)]
pub struct Override {
    pub(super) path: Path,
    item: Item,
    text: String,
}

impl Override {
    /// Reads `KEY=VALUE`.
    ///
    /// # Errors
    /// What is wrong, and how it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!("--set {}: {what}; write KEY=VALUE, such as cluster.config.gossip_nodes=4", plain(text))
        };
        let (key, value) = text.split_once('=').ok_or_else(|| wrong("there is no \"=\""))?;
        let path = parse_key(key.trim()).map_err(|what| wrong(&what))?;
        let value = value.trim();
        if value.is_empty() {
            return Err(wrong("there is no value after \"=\""));
        }
        let item = match Item::value(value) {
            Ok(item) => item,
            // A quote or bracket says that TOML was meant.
            Err(error) if value.starts_with(['"', '\'', '[', '{']) => {
                return Err(wrong(&format!("the value is not TOML: {}", error.message())));
            }
            Err(_) => Item::text(value),
        };
        Ok(Self { path, item, text: text.into() })
    }

    /// The override as it was given, `--set` left out.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn apply(&self, root: &mut Item, number: usize) -> Result<(), String> {
        let mut item = self.item.clone();
        item.stamp(number);
        *descend(root, &self.path.0, number)? = item;
        Ok(())
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--set {}", plain(&self.text))
    }
}

fn parse_key(key: &str) -> Result<Path, String> {
    let mut steps = Vec::new();
    for part in key.split('.') {
        let (name, indexes) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(bare) {
            return Err(format!("\"{}\" is no key", plain(key)));
        }
        steps.push(Step::Key(name.into()));
        if let Some(indexes) = indexes {
            let index = indexes.strip_suffix(']').and_then(|digits| digits.parse().ok());
            steps.push(Step::Index(index.ok_or_else(|| format!("\"{}\" is no key", plain(key)))?));
        }
    }
    if steps.len() > STEPS_MAX {
        return Err("the key is too deep".into());
    }
    Ok(Path(steps))
}

/// The place of a value in the tree; tables on the way are made, elements of lists are not.
fn descend<'t>(root: &'t mut Item, steps: &[Step], number: usize) -> Result<&'t mut Item, String> {
    let mut item = root;
    for step in steps {
        item = match (&mut item.value, step) {
            (Value::Table(entries), Step::Key(key)) => {
                let at = entries.iter().position(|(k, _)| k == key).unwrap_or(entries.len());
                if at == entries.len() {
                    entries.push((key.clone(), Item::empty_table(number)));
                }
                &mut entries[at].1
            }
            (Value::List(items), Step::Index(index)) => {
                let count = items.len();
                items
                    .get_mut(*index)
                    .ok_or_else(|| format!("there is no element {index}; the list has {count}"))?
            }
            (other, Step::Key(key)) => {
                return Err(format!("\"{}\" cannot be in {}", plain(key), other.kind()));
            }
            (other, Step::Index(index)) => {
                return Err(format!("element {index} cannot be in {}", other.kind()));
            }
        };
    }
    Ok(item)
}
