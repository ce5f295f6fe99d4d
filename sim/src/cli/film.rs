//! A run as a page that plays it.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rumormill_sim::scenario::Scenario;
use rumormill_sim::{film, player};

use super::{COULD_NOT_RUN, Files, INVALID, complain, files};

/// Which run, and where its page goes.
#[derive(Debug, clap::Args)]
pub(super) struct FilmArgs {
    /// The scenario file.
    file: PathBuf,
    /// Change a key before checking, e.g. cluster.config.gossip_nodes=4 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The seed; by default the scenario's first.
    #[arg(long)]
    seed: Option<u64>,
    /// The variant, by name; by default the scenario's first.
    #[arg(long)]
    variant: Option<String>,
    /// Where the page goes.
    #[arg(long, default_value = "player.html")]
    html: PathBuf,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn film(args: &FilmArgs) -> u8 {
    let meant = Files { paths: vec![args.file.clone()], overrides: args.overrides.clone() };
    let scenarios = match files::load(&meant) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    let [(_, scenario)] = scenarios.as_slice() else {
        complain(&format_args!("{}: is a folder; give one scenario file", args.file.display()));
        return INVALID;
    };
    let name = args.variant.as_deref().unwrap_or(&scenario.variants[0].name);
    let Some(variant) = scenario.variants.iter().position(|variant| variant.name == name) else {
        let names: Vec<&str> = scenario.variants.iter().map(|variant| variant.name.as_str()).collect();
        complain(&format_args!("--variant {name}: {} has {}", scenario.name, names.join(", ")));
        return INVALID;
    };
    write(scenario, variant, args.seed.unwrap_or(scenario.seed), &args.html, args.quiet)
}

/// Runs one variant with one seed, and writes the page that plays it.
pub(super) fn write(scenario: &Scenario, variant: usize, seed: u64, path: &Path, quiet: bool) -> u8 {
    let bar = progress_bar(scenario, quiet);
    let film = film::record_with(scenario, variant, seed, &mut |seconds| bar.set_position(seconds as u64));
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

/// Simulated seconds of the run; on a terminal only.
fn progress_bar(scenario: &Scenario, quiet: bool) -> ProgressBar {
    let target = if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(scenario.duration.as_secs()), target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} simulated s, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_prefix(scenario.name.clone());
    bar
}
