//! `replay --html`: a run as a page that plays it.

use std::path::Path;

use rumormill_sim::{film, player};

use super::one::{Chosen, OneRun};
use super::{COULD_NOT_RUN, complain, files};

/// Runs what was chosen, and writes the page; without a path to where the scenario's report goes by default.
pub(super) fn write(run: &OneRun, chosen: &Chosen, path: &Path) -> u8 {
    let beside_report = Path::new("rumor-out").join(&chosen.scenario.name).join("player.html");
    let path = if path.as_os_str().is_empty() { &beside_report } else { path };
    if let Some(folder) = path.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        complain(&format_args!("--html {}: {error}", path.display()));
        return COULD_NOT_RUN;
    }
    let bar = run.bar(chosen);
    let mut tell = |seconds| bar.set_position(seconds as u64);
    let film = film::record_with(&chosen.scenario, chosen.variant, chosen.seed, &mut tell);
    bar.finish_and_clear();
    match player::write(&film, path) {
        Ok(bytes) => files::print(|out| {
            let (size, changes) = (bytes as f64 / 1e6, film.changes.len());
            writeln!(out, "player: {} ({size:.2} MB, {changes} changes)", path.display())?;
            if film.cut_short {
                let (end, most) = (film.end as f64 / 1e6, film::CHANGES_MAX);
                writeln!(out, "it ends at {end} s, before the run does: a film holds {most} changes")?;
            }
            Ok(())
        }),
        Err(error) => {
            complain(&error);
            COULD_NOT_RUN
        }
    }
}
