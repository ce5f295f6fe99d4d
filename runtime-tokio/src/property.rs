//! What must hold whatever bytes come. The fuzz targets look for bytes that break it; the tests ask it of every file of their corpora.

pub use crate::record::property::recording;
pub use crate::rpc::property::{rpc_client, rpc_server};
pub use crate::state::property::{snapshot, state_files};

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn all(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let entries = std::fs::read_dir(&folder).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 8, "{} files in {}", files.len(), folder.display());
        for file in files {
            // What a failed assertion says does not name the file.
            println!("{}", file.display());
            check(&std::fs::read(file).unwrap());
        }
    }

    #[test]
    fn the_corpus_of_rpc_servers_holds() {
        all("rpc_server", super::rpc_server);
    }

    #[test]
    fn the_corpus_of_rpc_clients_holds() {
        all("rpc_client", super::rpc_client);
    }

    #[test]
    fn the_corpus_of_snapshots_holds() {
        all("snapshot", super::snapshot);
    }

    #[test]
    fn the_corpus_of_state_files_holds() {
        all("state_files", super::state_files);
    }

    #[test]
    fn the_corpus_of_recordings_holds() {
        all("recording", super::recording);
    }
}
