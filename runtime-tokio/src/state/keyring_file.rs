//! The keyring file, as Serf has it: a JSON array of keys in base64, the primary first.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rumormill_core::keyring::{KEYS_MAX, Key, Keyring};
use tracing::warn;
use zeroize::{Zeroize as _, Zeroizing};

use super::{FileError, atomic};

const WHAT: &str = "keyring file";
/// Bytes that a keyring of the most and longest keys cannot reach, however it is laid out by hand.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Reads a keyring file. It must exist and have a key.
///
/// # Errors
/// It could not be read, or is not an array of keys: which entry, and what would be right.
pub fn load(path: &Path) -> Result<Keyring, FileError> {
    let io = |source| FileError::Io { doing: "reading keyring file", path: path.into(), source };
    let meta = fs::metadata(path).map_err(io)?;
    if meta.len() > FILE_BYTES_MAX {
        return Err(wrong(path, format!("it has {} bytes, which is no keyring", meta.len())));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        warn!("agent: keyring file {} can be read by others: chmod 600 it", path.display());
    }
    parse(path, &Zeroizing::new(fs::read(path).map_err(io)?))
}

/// The keys that a file's text holds; errors name the file.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Keyring, FileError> {
    let mut entries: Vec<serde_json::Value> = serde_json::from_slice(text)
        .map_err(|error| wrong(path, format!("it must be a JSON array of base64 keys: {}", place(&error))))?;
    let keyring = keys_of(path, &entries);
    for entry in &mut entries {
        if let serde_json::Value::String(text) = entry {
            text.zeroize();
        }
    }
    keyring
}

fn keys_of(path: &Path, entries: &[serde_json::Value]) -> Result<Keyring, FileError> {
    let mut keyring = Keyring::empty();
    for (number, entry) in (1..).zip(entries) {
        let entry_is = |problem: String| wrong(path, format!("entry {number} {problem}"));
        let text =
            entry.as_str().ok_or_else(|| entry_is("is no string: it must be a key in base64".into()))?;
        let bytes =
            Zeroizing::new(STANDARD.decode(text.trim()).map_err(|error| {
                entry_is(format!("is not base64 ({}): `keygen` makes a key", said(&error)))
            })?);
        let key = Key::new(&bytes).map_err(|error| entry_is(format!("is no key: {error}")))?;
        keyring.install(key).map_err(|error| entry_is(format!("is one too many: {error}")))?;
    }
    if keyring.is_empty() {
        return Err(wrong(path, format!("it has no key; it must have 1 to {KEYS_MAX}, the primary first")));
    }
    Ok(keyring)
}

/// Writes a keyring file, readable by its owner alone, in place of the one that is there.
///
/// # Errors
/// It could not be written; the old one is still there.
pub fn save(path: &Path, keyring: &Keyring) -> Result<(), FileError> {
    let text = text(keyring);
    let path = &atomic::behind_links(path);
    atomic::replace_lasting(path, "new", text.as_bytes()).map_err(|source| FileError::Io {
        doing: "writing keyring file",
        path: path.into(),
        source,
    })
}

/// What a file of these keys says.
pub(super) fn text(keyring: &Keyring) -> Zeroizing<String> {
    let keys: Vec<Zeroizing<String>> =
        keyring.iter().map(|key| Zeroizing::new(STANDARD.encode(key.expose()))).collect();
    // Base64 needs no escaping; written by hand, no copy of a key is left behind.
    let length = keys.iter().map(|key| key.len() + 8).sum::<usize>() + 8;
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push('[');
    for (index, key) in keys.iter().enumerate() {
        text.push_str(if index == 0 { "\n  \"" } else { ",\n  \"" });
        text.push_str(key);
        text.push('"');
    }
    text.push_str("\n]\n");
    text
}

fn wrong(path: &Path, problem: String) -> FileError {
    FileError::Content { what: WHAT, path: path.into(), problem }
}

/// Where JSON is wrong, without the text that is there: it may be a key.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// What is wrong with base64, without the character that is there.
fn said(error: &base64::DecodeError) -> String {
    match error {
        base64::DecodeError::InvalidByte(at, _) => format!("character {} does not belong there", at + 1),
        base64::DecodeError::InvalidLength(length) => {
            format!("{length} characters are no whole number of bytes")
        }
        base64::DecodeError::InvalidLastSymbol(at, _) => format!("character {} cannot be the last", at + 1),
        base64::DecodeError::InvalidPadding => "the padding with = is wrong".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8, length: usize) -> Key {
        Key::new(&vec![byte; length]).unwrap()
    }

    fn problem(contents: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        fs::write(&path, contents).unwrap();
        let text = load(&path).unwrap_err().to_string();
        let start = format!("keyring file {}: ", path.display());
        text.strip_prefix(&start).unwrap_or_else(|| panic!("{text} names the file")).to_owned()
    }

    #[test]
    fn keys_come_back_in_order_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        fs::write(&path, "old").unwrap();
        let ring = Keyring::of(key(7, 32), vec![key(1, 16), key(3, 24)]).unwrap();
        save(&path, &ring).unwrap();
        assert_eq!(load(&path).unwrap(), ring);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let plain: Vec<String> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(plain[1], STANDARD.encode([1; 16]));
    }

    #[test]
    fn what_serf_writes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        fs::write(&path, r#"["HvY8ubRZMgafUOWvrOadwOckVa1wN3QWAo46FVKbVN8=", "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s="]"#)
            .unwrap();
        let ring = load(&path).unwrap();
        assert_eq!(ring.len(), 2);
        assert_eq!(ring.primary().unwrap().expose()[0], 0x1E);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_without_the_key() {
        assert_eq!(problem("[]"), "it has no key; it must have 1 to 64, the primary first");
        assert_eq!(problem("[\n\"x"), "it must be a JSON array of base64 keys: line 2, column 2");
        assert_eq!(problem("{}"), "it must be a JSON array of base64 keys: line 1, column 0");
        assert_eq!(
            problem("[\"AAAAAAAAAAAAAAAAAAAAAA==\", 3]"),
            "entry 2 is no string: it must be a key in base64"
        );
        assert_eq!(problem("[\"AAAA\"]"), "entry 1 is no key: a key has 16, 24 or 32 bytes, this one has 3");
        assert_eq!(
            problem("[\"sec!ret0\"]"),
            "entry 1 is not base64 (character 4 does not belong there): `keygen` makes a key"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = load(Path::new("/nowhere/keyring")).unwrap_err().to_string();
        assert!(error.starts_with("reading keyring file /nowhere/keyring: No such file"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays() {
        let error = save(Path::new("/nowhere/keyring"), &Keyring::empty()).unwrap_err().to_string();
        assert!(error.starts_with("writing keyring file /nowhere/keyring: No such file"), "{error}");
    }
}
