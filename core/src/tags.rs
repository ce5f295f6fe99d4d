//! Tags: the key-value pairs that a member carries in its meta data.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::id::META_BYTES_MAX;

/// The first byte of meta data that holds tags: what a Serf peer uses too (with another encoding of the map, which the
/// Serf wire translates).
const TAGS_MAGIC: u8 = 0xFF;

/// Key-value pairs describing a member, at most [`META_BYTES_MAX`] bytes encoded. Ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// No tags.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The value of a tag.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Sets a tag; the value it had before.
    pub fn insert(&mut self, key: &str, value: &str) -> Option<String> {
        self.0.insert(key.into(), value.into())
    }

    /// All tags, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The meta data that carries these tags: empty for none, else 0xFF and a postcard map.
    #[must_use]
    pub fn to_meta(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        // Strings into growing memory: postcard has nothing to fail on here.
        postcard::to_extend(&self.0, alloc::vec![TAGS_MAGIC]).unwrap_or_default()
    }

    /// The tags in meta data; `None` when it holds something else.
    #[must_use]
    pub fn from_meta(meta: &[u8]) -> Option<Self> {
        match meta {
            [] => Some(Self::new()),
            [TAGS_MAGIC, map @ ..] if meta.len() <= META_BYTES_MAX => match postcard::take_from_bytes(map) {
                Ok((tags, [])) => Some(Self(tags)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_tags_take_no_bytes() {
        assert!(Tags::new().to_meta().is_empty());
        assert_eq!(Tags::from_meta(&[]), Some(Tags::new()));
    }

    #[test]
    fn what_is_not_tags_is_not_guessed() {
        assert_eq!(Tags::from_meta(b"web"), None);
        assert_eq!(Tags::from_meta(&[TAGS_MAGIC, 9]), None);
        let mut trailing = Tags::from_iter([("a", "b")]).to_meta();
        trailing.push(0);
        assert_eq!(Tags::from_meta(&trailing), None);
    }

    proptest! {
        #[test]
        fn tags_survive_their_encoding(pairs in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..6)) {
            let tags: Tags = pairs.into_iter().collect();
            prop_assert_eq!(Tags::from_meta(&tags.to_meta()), Some(tags));
        }
    }
}
