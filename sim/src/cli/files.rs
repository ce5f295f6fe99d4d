//! Which scenarios are meant, all checked before any of them runs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rumormill_sim::scenario::{Override, Scenario};

use super::{COULD_NOT_RUN, Files, HELD, INVALID, complain};

/// Reads every scenario that is meant; complains about all problems of all files at once.
///
/// # Errors
/// The exit status.
pub(super) fn load(files: &Files) -> Result<Vec<(PathBuf, Scenario)>, u8> {
    let mut sound = true;
    let mut overrides = Vec::new();
    for text in &files.overrides {
        match Override::parse(text) {
            Ok(parsed) => overrides.push(parsed),
            Err(error) => {
                complain(&error);
                sound = false;
            }
        }
    }
    let paths = files.paths.iter().flat_map(|path| scenario_files(path)).collect::<Vec<_>>();
    if paths.is_empty() {
        complain(&"no scenario file (*.toml) in the given folders");
        sound = false;
    }
    let mut scenarios: Vec<(PathBuf, Scenario)> = Vec::new();
    for path in paths {
        match Scenario::load(&path, &overrides) {
            Ok(scenario) => {
                if let Some((other, _)) = scenarios.iter().find(|(_, s)| s.name == scenario.name) {
                    let (name, other) = (&scenario.name, other.display());
                    complain(&format_args!("{}: name: {name:?} is the name of {other} too", path.display()));
                    sound = false;
                }
                scenarios.push((path, scenario));
            }
            Err(problems) => {
                complain(&problems);
                sound = false;
            }
        }
    }
    if sound { Ok(scenarios) } else { Err(INVALID) }
}

/// Whether a folder is there or could be created, as far as that is known without creating it.
///
/// # Errors
/// Which path is in the way, and why.
pub(super) fn may_become_folder(path: &Path) -> Result<(), String> {
    for above in path.ancestors() {
        match std::fs::metadata(above) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => return Err(format!("{}: is a file and not a folder", above.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(format!("{}: {error}", above.display())),
        }
    }
    Ok(())
}

/// A file itself, or the scenario files of a folder by name.
fn scenario_files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.into()] };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

pub(super) fn check(files: &Files) -> u8 {
    let scenarios = match load(files) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    print(|out| {
        for (path, scenario) in &scenarios {
            writeln!(out, "{}: {} is sound", path.display(), scenario.name)?;
        }
        Ok(())
    })
}

pub(super) fn list(files: &Files) -> u8 {
    let scenarios = match load(files) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    let width = scenarios.iter().map(|(_, s)| s.name.chars().count()).max().unwrap_or(0);
    print(|out| {
        for (_, s) in &scenarios {
            let weight = format!("{:?}", s.weight).to_lowercase();
            let seconds = s.duration.as_secs();
            let (nodes, seeds) = (s.cluster.nodes, s.seeds);
            writeln!(
                out,
                "{:width$}  {weight:5}  {nodes:6} nodes {seeds:4} seeds {seconds:5} s  {}",
                s.name, s.about
            )?;
        }
        Ok(())
    })
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn print(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> u8 {
    let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => HELD,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => HELD,
        Err(error) => {
            complain(&format_args!("standard output: {error}"));
            COULD_NOT_RUN
        }
    }
}
