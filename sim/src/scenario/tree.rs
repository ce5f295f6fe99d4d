//! A TOML document whose every key and value knows where it was written.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::{Path, Step};

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Bytes of the file.
    File(Range<usize>),
    /// The override of that number.
    Override(usize),
}

/// A value, and where it and its key were written.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    at: Place,
    key_at: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i128),
    Number(f64),
    Truth(bool),
    /// What no key of a scenario takes, by its name.
    Other(&'static str),
    List(Vec<Item>),
    Table(Vec<(String, Item)>),
}

impl Value {
    /// What it is, with an article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Whole(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Truth(_) => "true or false",
            Self::Other(kind) => kind,
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Item {
    /// Reads a document.
    pub(super) fn document(text: &str) -> Result<Self, Vec<toml::de::Error>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors);
        }
        let value = Value::of_table(table.get_ref());
        Ok(Self { value, at: Place::File(0..0), key_at: Place::File(0..0) })
    }

    /// Reads one value, such as that of an override.
    pub(super) fn value(text: &str) -> Result<Self, toml::de::Error> {
        let value = DeValue::parse(text)?;
        Ok(Self::of(&value, value.span()))
    }

    pub(super) fn text(text: &str) -> Self {
        Self { value: Value::Text(text.into()), at: Place::File(0..0), key_at: Place::File(0..0) }
    }

    pub(super) fn empty_table(number: usize) -> Self {
        let at = Place::Override(number);
        Self { value: Value::Table(Vec::new()), at: at.clone(), key_at: at }
    }

    fn of(value: &Spanned<DeValue<'_>>, key: Range<usize>) -> Self {
        let at = Place::File(value.span());
        Self { value: Value::of(value.get_ref()), at, key_at: Place::File(key) }
    }

    /// Says that this and everything in it comes from an override.
    pub(super) fn stamp(&mut self, number: usize) {
        self.at = Place::Override(number);
        self.key_at = Place::Override(number);
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.stamp(number)),
            Value::Table(entries) => entries.iter_mut().for_each(|(_, item)| item.stamp(number)),
            _ => {}
        }
    }

    pub(super) fn get(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Table(entries), Step::Key(key)) => entries.iter().find(|(k, _)| k == key).map(|(_, i)| i),
            (Value::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// Where the value at `path` was written, or its key; where there is none, the innermost that surrounds it.
    pub(super) fn place(&self, path: &Path, key_itself: bool) -> Place {
        let mut item = self;
        let mut found = true;
        for step in &path.0 {
            match item.get(step) {
                Some(inner) => item = inner,
                None => {
                    found = false;
                    break;
                }
            }
        }
        if found && key_itself { item.key_at.clone() } else { item.at.clone() }
    }
}

impl Value {
    fn of_table(table: &DeTable<'_>) -> Self {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (name.to_string(), Item::of(value, key.span()))
        };
        Self::Table(table.iter().map(entry).collect())
    }

    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(digits) => match i128::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) => Self::Whole(number),
                Err(_) => Self::Other("a number beyond all bounds"),
            },
            DeValue::Float(digits) => match digits.as_str().parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Other("a number beyond all bounds"),
            },
            DeValue::Boolean(truth) => Self::Truth(*truth),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(items) => Self::List(items.iter().map(|i| Item::of(i, i.span())).collect()),
            DeValue::Table(table) => Self::of_table(table),
        }
    }

    /// The same for serde; `None` for what no setting takes.
    pub(super) fn to_toml(&self) -> Option<toml::Value> {
        Some(match self {
            Self::Text(text) => toml::Value::String(text.clone()),
            Self::Whole(number) => toml::Value::Integer(i64::try_from(*number).ok()?),
            Self::Number(number) => toml::Value::Float(*number),
            Self::Truth(truth) => toml::Value::Boolean(*truth),
            Self::Other(_) => return None,
            Self::List(items) => {
                toml::Value::Array(items.iter().map(|i| i.value.to_toml()).collect::<Option<_>>()?)
            }
            Self::Table(entries) => {
                let one = |(key, item): &(String, Item)| Some((key.clone(), item.value.to_toml()?));
                toml::Value::Table(entries.iter().map(one).collect::<Option<_>>()?)
            }
        })
    }
}
