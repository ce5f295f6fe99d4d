//! Every file of the fuzz targets' corpora, through the same checks, without a fuzzer.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod checks;

use std::path::Path;

fn all(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8, "{} files in {}", files.len(), folder.display());
    for file in files {
        // What a failed assertion says does not name the file.
        println!("{}", file.display());
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn packets() {
    all("packet", checks::packet::check);
}

#[test]
fn streams() {
    all("stream", checks::stream::check);
}

#[test]
fn whole_nodes() {
    all("step", checks::step::check);
}
