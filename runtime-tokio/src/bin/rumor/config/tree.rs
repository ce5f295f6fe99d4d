//! Settings as they are written: one kind of tree for JSON, TOML and flags, in which everything knows where it stands.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Bytes of the document of that number.
    Document(usize, Range<usize>),
    /// A flag (`-bind`) or a variable (`$RUMOR_ENCRYPT_KEY`).
    Named(&'static str),
    /// Nowhere: the settings as a whole.
    Nowhere,
}

/// A value, and where it and its key were written.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) at: Place,
    pub(super) key_at: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// JSON's null: as if the key were not there.
    Null,
    Text(String),
    /// A path that a flag gave; a file's is a text.
    Path(PathBuf),
    Whole(i128),
    Number(f64),
    Truth(bool),
    /// What no setting takes, by its name.
    Other(&'static str),
    List(Vec<Item>),
    Table(Vec<(String, Item)>),
}

impl Value {
    /// What it is, with an article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) | Self::Path(_) => "a text",
            Self::Whole(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Truth(_) => "true or false",
            Self::Other(kind) => kind,
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// Serf's files write what is not set as an empty text.
    pub(super) fn is_unset(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Path(path) => path.as_os_str().is_empty(),
            _ => false,
        }
    }

    /// The same for serde; `None` for what no setting takes.
    pub(super) fn to_toml(&self) -> Option<toml::Value> {
        Some(match self {
            Self::Text(text) => toml::Value::String(text.clone()),
            Self::Whole(number) => toml::Value::Integer(i64::try_from(*number).ok()?),
            Self::Number(number) => toml::Value::Float(*number),
            Self::Truth(truth) => toml::Value::Boolean(*truth),
            Self::Null | Self::Path(_) | Self::Other(_) => return None,
            Self::List(items) => {
                toml::Value::Array(items.iter().map(|item| item.value.to_toml()).collect::<Option<_>>()?)
            }
            Self::Table(entries) => {
                let one = |(key, item): &(String, Item)| Some((key.clone(), item.value.to_toml()?));
                toml::Value::Table(entries.iter().map(one).collect::<Option<_>>()?)
            }
        })
    }
}

impl Item {
    /// An empty table that stands nowhere.
    pub(super) fn empty() -> Self {
        Self::named("", Value::Table(Vec::new()))
    }

    /// What a flag or a variable says.
    pub(super) fn named(origin: &'static str, value: Value) -> Self {
        let at = if origin.is_empty() { Place::Nowhere } else { Place::Named(origin) };
        Self { value, at: at.clone(), key_at: at }
    }

    /// The value of a key, where this is a table that has it, and it is set.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Table(entries) = &self.value else { return None };
        let item = entries.iter().find(|(name, _)| name == key).map(|(_, item)| item)?;
        (!matches!(item.value, Value::Null)).then_some(item)
    }

    /// As [`Item::get`], but not an empty text either.
    pub(super) fn get_set(&self, key: &str) -> Option<&Self> {
        self.get(key).filter(|item| !item.value.is_unset())
    }

    /// Reads a TOML document.
    pub(super) fn toml(document: usize, text: &str) -> Result<Self, Vec<toml::de::Error>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors);
        }
        let place = Place::Document(document, 0..0);
        Ok(Self { value: of_table(document, table.get_ref()), at: place.clone(), key_at: place })
    }

    fn of(document: usize, value: &Spanned<DeValue<'_>>, key: Range<usize>) -> Self {
        let at = Place::Document(document, value.span());
        Self { value: of_value(document, value.get_ref()), at, key_at: Place::Document(document, key) }
    }
}

fn of_table(document: usize, table: &DeTable<'_>) -> Value {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (name.to_string(), Item::of(document, value, key.span()))
    };
    Value::Table(table.iter().map(entry).collect())
}

fn of_value(document: usize, value: &DeValue<'_>) -> Value {
    const TOO_LARGE: Value = Value::Other("a number beyond all bounds");
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => {
            i128::from_str_radix(digits.as_str(), digits.radix()).map_or(TOO_LARGE, Value::Whole)
        }
        DeValue::Float(digits) => digits.as_str().parse().map_or(TOO_LARGE, Value::Number),
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => Value::List(items.iter().map(|i| Item::of(document, i, i.span())).collect()),
        DeValue::Table(table) => of_table(document, table),
    }
}
