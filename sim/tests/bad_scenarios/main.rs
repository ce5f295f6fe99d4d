//! What the reader of scenario files says about bad ones, and that it reads the good ones as they are meant.

mod files;
mod good;
mod mistakes;
mod noise;
mod overrides;
mod telling;
mod workloads;

use std::path::{Path, PathBuf};

use rumormill_sim::scenario::{Diagnostics, Scenario};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The smallest scenario, 7 lines long, so that what a test adds begins at line 8.
const SMALL: &str = "name = \"small\"\nseeds = 2\nduration = \"1m\"\n\n[cluster]\nnodes = 100\n\n";

fn with(more: &str) -> String {
    format!("{SMALL}{more}")
}

fn problems(text: &str) -> Diagnostics {
    Scenario::parse(text, "bad.toml", &[]).expect_err("the scenario is bad")
}

/// The text has one problem, at that place and key, and what is said about it has `part` in it.
fn one_problem(text: &str, position: (usize, usize), key: &str, part: &str) -> Result<(), String> {
    let found = problems(text);
    let shown = found.to_string();
    let one = found.iter().next().expect("there is one");
    let as_expected = found.count() == 1 && one.position == Some(position) && one.key == key;
    if as_expected && shown.contains(part) {
        Ok(())
    } else {
        Err(format!("not at {position:?} {key}: {part}, but\n{shown}\n"))
    }
}

#[track_caller]
fn assert_one(text: &str, position: (usize, usize), key: &str, part: &str) {
    one_problem(text, position, key, part).unwrap_or_else(|e| panic!("{e}"));
}
