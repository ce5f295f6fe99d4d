//! The tags file, as Serf has it: a JSON object of strings.

use std::fs;
use std::io;
use std::path::Path;

use rumormill_core::tags::Tags;

use super::{FileError, atomic};

const WHAT: &str = "tags file";
/// Far more than the tags of a member may take.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a tags file; `None` where there is none yet.
///
/// # Errors
/// It could not be read, or is not an object of strings: where, and what would be right.
pub fn load(path: &Path) -> Result<Option<Tags>, FileError> {
    let io = |source| FileError::Io { doing: "reading tags file", path: path.into(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
        Ok(meta) if meta.len() > FILE_BYTES_MAX => {
            return Err(wrong(path, format!("it has {} bytes, more than tags may take", meta.len())));
        }
        Ok(_) => {}
    }
    parse(path, &fs::read(path).map_err(io)?).map(Some)
}

/// The tags that a file's text holds; errors name the file.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Tags, FileError> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(text).map_err(|error| {
            wrong(path, format!("it must be a JSON object of strings, like {{\"role\": \"web\"}}: {error}"))
        })?;
    let mut tags = Tags::new();
    for (key, value) in &object {
        let value = value
            .as_str()
            .ok_or_else(|| wrong(path, format!("the value of {key:?} is {value}, but must be a string")))?;
        tags.insert(key, value);
    }
    Ok(tags)
}

/// Writes a tags file, readable by its owner alone, in place of the one that is there.
///
/// # Errors
/// It could not be written; the old one is still there.
pub fn save(path: &Path, tags: &Tags) -> Result<(), FileError> {
    let text = text(tags);
    let path = &atomic::behind_links(path);
    atomic::replace_lasting(path, "new", text.as_bytes()).map_err(|source| FileError::Io {
        doing: "writing tags file",
        path: path.into(),
        source,
    })
}

/// What a file of these tags says.
pub(super) fn text(tags: &Tags) -> String {
    let object: serde_json::Map<String, serde_json::Value> =
        tags.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    // The alternate form is indented by two spaces.
    format!("{:#}\n", serde_json::Value::Object(object))
}

fn wrong(path: &Path, problem: String) -> FileError {
    FileError::Content { what: WHAT, path: path.into(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn tags_are_written_as_serf_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tags");
        assert_eq!(load(&path).unwrap(), None);
        save(&path, &Tags::from_iter([("role", "web"), ("dc", "e\"1")])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"dc\": \"e\\\"1\",\n  \"role\": \"web\"\n}\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tags");
        fs::write(&path, "{\"role\": 3}").unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.ends_with("tags: the value of \"role\" is 3, but must be a string"), "{error}");
        fs::write(&path, "[]").unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains("it must be a JSON object of strings"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn tags_come_back(pairs in prop::collection::btree_map(any::<String>(), any::<String>(), 0..6)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tags");
            let tags: Tags = pairs.into_iter().collect();
            save(&path, &tags).unwrap();
            prop_assert_eq!(load(&path).unwrap(), Some(tags));
        }
    }
}
