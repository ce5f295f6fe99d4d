//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file so that it appears whole under its name or not at all. Processes and threads that write the same one do not disturb each
/// other: the last one's stays. Its folder must be there.
///
/// # Errors
/// When it cannot be written; the message names it, and nothing unfinished stays.
pub fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display()));
    let Some(name) = path.file_name() else {
        return Err(named(io::Error::new(io::ErrorKind::InvalidInput, "it names no file")));
    };
    // A number by chance, as in containers every process may have the same id.
    let chance = RandomState::new().build_hasher().finish();
    let unfinished = path.with_file_name(format!(".{}.{chance:016x}.unfinished", name.to_string_lossy()));
    let mut file = File::create_new(&unfinished).map_err(named)?;
    let written = file.write_all(content.as_bytes());
    // Some systems do not rename a file that is open.
    drop(file);
    written.and_then(|()| fs::rename(&unfinished, path)).map_err(|error| {
        // It is this call's own; why it is left is said already.
        let _ = fs::remove_file(&unfinished);
        named(error)
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("rumormill-whole-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn writers_with_one_process_id_do_not_disturb_each_other() {
        const WRITERS: usize = 8;
        let dir = folder("writers");
        let path = dir.join("plan.json");
        let contents: Vec<String> =
            (0..WRITERS).map(|writer| format!("{writer}\n").repeat(100_000 + writer)).collect();
        let together = Barrier::new(WRITERS);
        thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| {
                    for _ in 0..20 {
                        together.wait();
                        write_whole(&path, content).unwrap();
                        // Whoever was last, it is whole.
                        assert!(contents.contains(&fs::read_to_string(&path).unwrap()));
                    }
                });
            }
        });
        assert_eq!(names(&dir), ["plan.json"]);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_nothing() {
        let dir = folder("errors");
        let taken = dir.join("taken");
        fs::create_dir_all(taken.join("by-a-folder")).unwrap();
        for (path, part) in [
            (taken, "taken"),
            (dir.join("missing/x.json"), "missing/x.json"),
            (dir.join(".."), "names no file"),
        ] {
            let error = write_whole(&path, "x").unwrap_err().to_string();
            assert!(error.starts_with("cannot write ") && error.contains(part), "{error}");
        }
        assert_eq!(names(&dir), ["taken"]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
