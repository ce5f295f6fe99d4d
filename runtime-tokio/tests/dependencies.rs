//! docs/dependencies.md lists every direct dependency of every package, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crates by package.
type Listed = BTreeMap<String, BTreeSet<String>>;

const PACKAGES: [&str; 6] =
    ["core", "sim", "runtime-tokio", "core/no-std", "core/fuzz", "runtime-tokio/fuzz"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(path: &Path) -> toml::Table {
    std::fs::read_to_string(path)
        .unwrap()
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a table of a manifest and those for certain targets name.
fn named(manifest: &toml::Table, into: &mut BTreeSet<String>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let table = manifest.get(kind).and_then(toml::Value::as_table);
        into.extend(table.into_iter().flat_map(toml::Table::keys).cloned());
    }
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    targets
        .into_iter()
        .flatten()
        .filter_map(|(_, table)| table.as_table())
        .for_each(|table| named(table, into));
}

fn used() -> Listed {
    let package = |folder: &str| {
        let manifest = manifest(&root().join(folder).join("Cargo.toml"));
        let mut crates = BTreeSet::new();
        named(&manifest, &mut crates);
        (manifest["package"]["name"].as_str().unwrap().to_owned(), crates)
    };
    PACKAGES.into_iter().map(package).collect()
}

/// The page's sections, and the crates at the start of their tables' rows, each with something said of it.
fn documented(page: &str) -> Listed {
    let mut listed = Listed::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.into();
        } else if let Some((name, reason)) = line.strip_prefix("| `").and_then(|row| row.split_once("` | ")) {
            assert!(reason.trim_end_matches('|').trim().len() > 5, "{section}: nothing is said of {name}");
            listed.entry(section.clone()).or_default().insert(name.into());
        }
    }
    listed
}

#[test]
fn every_direct_dependency_has_its_reason_on_the_page() {
    let page = std::fs::read_to_string(root().join("runtime-tokio/docs/dependencies.md")).unwrap();
    let (used, documented) = (used(), documented(&page));
    let packages = |listed: &Listed| listed.keys().cloned().collect::<Vec<_>>();
    assert_eq!(packages(&documented), packages(&used), "the page has a section for each package");
    for (package, crates) in &used {
        let missing: Vec<_> = crates.difference(&documented[package]).collect();
        let stale: Vec<_> = documented[package].difference(crates).collect();
        assert!(missing.is_empty(), "{package}: {missing:?} have no row in docs/dependencies.md");
        assert!(
            stale.is_empty(),
            "{package}: {stale:?} have a row in docs/dependencies.md, but are not used"
        );
    }
}

/// Packages outside the workspace are found too: a manifest that nobody listed is one that nobody checks.
#[test]
fn every_manifest_of_the_repository_is_one_of_them() {
    fn find(folder: &Path, depth: u8, found: &mut BTreeSet<PathBuf>) {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.filter(|path| !path.ends_with("target") && !path.ends_with(".git")) {
            if path.is_dir() && depth > 0 {
                find(&path, depth - 1, found);
            } else if path.ends_with("Cargo.toml") {
                found.insert(folder.canonicalize().unwrap());
            }
        }
    }
    let mut found = BTreeSet::new();
    find(&root(), 3, &mut found);
    let listed: BTreeSet<_> =
        PACKAGES.iter().chain([&"."]).map(|folder| root().join(folder).canonicalize().unwrap()).collect();
    assert_eq!(found, listed);
}
