//! Every file of the fuzz target's corpus, without a fuzzer.

use std::path::Path;

#[test]
fn the_corpus_of_configurations_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/config");
    let entries = std::fs::read_dir(&folder).expect("the corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 8, "{} files in {}", files.len(), folder.display());
    for file in files {
        // What a failed assertion says does not name the file.
        println!("{}", file.display());
        crate::config::property::config(&std::fs::read(file).expect("a file"));
    }
}
