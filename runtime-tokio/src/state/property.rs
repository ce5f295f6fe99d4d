//! What must hold of state files whatever is in them.

use std::path::Path;

use super::{FileError, keyring_file, tags_file};

pub use super::snapshot::property::snapshot;

/// Keyring and tags files: the first byte says which. What is read comes back when it is written, and what is wrong is said without a
/// word of what may be a key.
pub fn state_files(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let path = Path::new("/nowhere/file");
    if choice % 2 == 0 {
        match keyring_file::parse(path, text) {
            Ok(keyring) => {
                assert!(!keyring.is_empty());
                let written = keyring_file::text(&keyring);
                let again = keyring_file::parse(path, written.as_bytes());
                assert!(again.is_ok_and(|again| again == keyring), "a keyring came back as another");
            }
            Err(error) => {
                let said = content(&error);
                assert!(!shows(text, said), "{said}: from {:?}", String::from_utf8_lossy(text));
            }
        }
        return;
    }
    match tags_file::parse(path, text) {
        Ok(tags) => {
            let written = tags_file::text(&tags);
            assert_eq!(tags_file::parse(path, written.as_bytes()).unwrap(), tags);
        }
        Err(error) => assert!(!content(&error).is_empty()),
    }
}

/// What is wrong; the error has to name the file.
fn content(error: &FileError) -> &str {
    match error {
        FileError::Content { path, problem, .. } if path == Path::new("/nowhere/file") => problem,
        other => panic!("{other}"),
    }
}

/// Whether a message has a word of the text that is as long as the shortest key, in base64, and no word of its own.
fn shows(text: &[u8], message: &str) -> bool {
    let word = |word: &&[u8]| word.len() >= 22;
    let words = text.split(|byte| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte));
    words.filter(word).any(|word| message.as_bytes().windows(word.len()).any(|part| part == word))
}
