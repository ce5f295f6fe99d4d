//! Replacing a file so that a crash leaves the old one or the new one, whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Puts `contents` in place of the file at `path`, readable by its owner alone, and returns the new file, open for appending:
/// a temporary file in the same folder (`PATH.SUFFIX`), written, synced, renamed. [`sync_folder`] then makes that last.
pub(super) fn replace(path: &Path, suffix: &str, contents: &[u8]) -> io::Result<File> {
    let temporary = beside(path, suffix);
    // What a crash has left there, or somebody has laid there: `create_new` follows no link.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_synced(&temporary, contents).and_then(|file| {
        fs::rename(&temporary, path)?;
        Ok(file)
    });
    if written.is_err() {
        // It is of no use to anybody, and may fill a disk that is full.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// [`replace`], and that it lasts.
pub(super) fn replace_lasting(path: &Path, suffix: &str, contents: &[u8]) -> io::Result<()> {
    replace(path, suffix, contents)?;
    sync_folder(path)
}

fn write_synced(path: &Path, contents: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(contents)?;
    file.sync_all()?;
    Ok(file)
}

/// Makes a rename, or the birth of a file, last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Where a path really leads: a link stays a link, and the file behind it is replaced.
pub(super) fn behind_links(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut file = replace(&path, "new", b"new ").unwrap();
        file.write_all(b"and more").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new and more");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_lies_in_the_way_of_the_temporary_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("file"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("file.new")).unwrap();
        replace(&path, "new", b"new").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_link_leads_to_the_file_that_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&behind_links(&link), "new", b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    }
}
