//! `fuzz`: random clusters under random faults, and what a campaign of them found and reached.

mod tell;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::ProgressBar;
use rumormill_sim::bench::cpu_seconds;
use rumormill_sim::fuzz::{Campaign, Outcome, Swarm, Tally, Told};

use super::bar::bar;
use super::{COULD_NOT_RUN, DID_NOT_HOLD, Format, complain, files};

/// Runs of a campaign that has to have reached every state: see `docs/fuzz.md` for how rarely such a one misses the rarest.
const SOMETIMES_RUNS: u64 = 2000;

/// Runs between two looks at the clock.
const BATCH: u64 = 64;

/// What the fuzz subcommand takes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FuzzArgs {
    /// The first seed; run k has seed + k.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    seed: u64,
    /// How many runs.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    runs: u64,
    /// Go on for so many minutes instead: the only way in which the result depends on the machine.
    #[arg(long, conflicts_with = "runs", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: Option<u64>,
    /// Nodes of most clusters, and the most that one has: 2 to 1000.
    #[arg(long, value_name = "MIN..MAX", default_value = "5..30", value_parser = parse_nodes)]
    nodes: Swarm,
    /// Whether a campaign fails that never reached one of the states worth reaching.
    #[arg(long, value_enum, default_value_t = Sometimes::Auto)]
    sometimes: Sometimes,
    /// Print the scenario file that a seed draws, and run nothing.
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    show: Option<u64>,
    /// Runs at the same time; by default as many as there are cores. Does not change any result.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Where the scenario files of failing seeds go.
    #[arg(long, default_value = "rumor-out")]
    out: PathBuf,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Say on standard error what each seed draws, before it is run.
    #[arg(short, long)]
    verbose: bool,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  rumor-sim fuzz
  rumor-sim fuzz --seed 100001 --minutes 60 --out found
  rumor-sim fuzz --nodes 50..200 --runs 100
  rumor-sim fuzz --show 17 > fuzz-17.toml

Each seed draws which settings, faults, workloads and features of the network are in play, then how many and when. Faults go on for the
drawn duration; then the cluster is left alone, and has to agree within the bound computed from its settings.";

/// Whether every state has to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sometimes {
    /// By a campaign of at least 2000 runs with the default nodes.
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

fn parse_nodes(text: &str) -> Result<Swarm, String> {
    let wrong = || {
        let (min, max) = (Swarm::NODES_MIN, Swarm::NODES_MAX);
        format!("must be two numbers from {min} to {max} that rise, or one: 5..30")
    };
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let (nodes_min, nodes_max) = (number(min)?, number(max)?);
    let sound = (Swarm::NODES_MIN..=nodes_max).contains(&nodes_min) && nodes_max <= Swarm::NODES_MAX;
    if sound { Ok(Swarm { nodes_min, nodes_max }) } else { Err(wrong()) }
}

pub(super) fn fuzz(args: &FuzzArgs) -> u8 {
    if let Some(seed) = args.show {
        let text = args.nodes.draw(seed).scenario.to_toml();
        return files::print(|out| write!(out, "{text}"));
    }
    // Better now than after an hour of computing; the folder itself comes with the first file in it.
    if let Err(error) = files::may_become_folder(&args.out) {
        complain(&format_args!("--out {error}"));
        return COULD_NOT_RUN;
    }
    let (tally, cpu) = match campaign(args) {
        Ok(ran) => ran,
        Err(error) => {
            complain(&error);
            return COULD_NOT_RUN;
        }
    };
    let written = match write_failures(args, &tally) {
        Ok(written) => written,
        Err(error) => {
            complain(&error);
            return COULD_NOT_RUN;
        }
    };
    let found = tell::Found { args, tally: &tally, written: &written, demanded: demanded(args, &tally) };
    let code = files::print(|out| match args.format {
        Format::Text => write!(out, "{}", found.text()),
        Format::Json => writeln!(out, "{}", found.json()),
    });
    if !args.quiet && std::io::stderr().is_terminal() {
        anstream::eprintln!("{:.0} runs a CPU second", tally.runs as f64 / cpu.max(1e-9));
    }
    if found.holds() { code } else { DID_NOT_HOLD }
}

/// Whether this campaign has to have reached every state.
fn demanded(args: &FuzzArgs, tally: &Tally) -> bool {
    match args.sometimes {
        Sometimes::Auto => tally.runs >= SOMETIMES_RUNS && args.nodes == Swarm::default(),
        Sometimes::Always => true,
        Sometimes::Never => false,
    }
}

/// Runs it; the tally, and CPU seconds.
fn campaign(args: &FuzzArgs) -> Result<(Tally, f64), String> {
    let jobs = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| format!("--jobs {jobs}: {error}"))?;
    let campaign = Campaign { first_seed: args.seed, swarm: args.nodes };
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let bar = progress_bar(args);
    let progress = |told: Told<'_>| match told {
        Told::Begins(seed, line) if args.verbose => {
            bar.suspend(|| anstream::eprintln!("seed {seed}: {line}"));
        }
        Told::Begins(..) => {}
        Told::Ended(outcome) => {
            bar.inc(1);
            // At once: whoever stops a campaign of hours must not lose what it has found.
            if let Some(broken) = outcome.broken.first() {
                bar.set_prefix("did NOT hold");
                bar.suspend(|| complain(&format_args!("seed {} did not hold: {broken}", outcome.seed)));
            }
        }
    };
    let tally = match args.minutes {
        None => pool.install(|| campaign.run(args.runs, &progress)),
        Some(minutes) => {
            let until = Duration::from_secs(minutes * 60);
            let mut more = |_| if began.elapsed() < until { BATCH } else { 0 };
            pool.install(|| campaign.run_while(&progress, &mut more))
        }
    };
    bar.finish_and_clear();
    Ok((tally, cpu_seconds() - cpu))
}

/// Writes the scenario of every failing seed that is kept; their paths.
fn write_failures(args: &FuzzArgs, tally: &Tally) -> Result<Vec<PathBuf>, String> {
    if !tally.failures.is_empty() {
        std::fs::create_dir_all(&args.out)
            .map_err(|error| format!("--out {}: {error}", args.out.display()))?;
    }
    let write = |failure: &Outcome| {
        let scenario = args.nodes.draw(failure.seed).scenario;
        let path = args.out.join(format!("{}.toml", scenario.name));
        std::fs::write(&path, scenario.to_toml()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    };
    tally.failures.iter().map(write).collect()
}

/// Runs.
fn progress_bar(args: &FuzzArgs) -> ProgressBar {
    let (length, template) = match args.minutes {
        None => (Some(args.runs), "{prefix} {wide_bar} {pos}/{len} runs, {per_sec}, {eta} left"),
        Some(_) => (None, "{prefix} {spinner} {pos} runs, {per_sec}, {elapsed}"),
    };
    bar(template, "all held", length, args.quiet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_one_number_or_two_that_rise() {
        assert_eq!(parse_nodes("5..30"), Ok(Swarm::default()));
        assert_eq!(parse_nodes("7"), Ok(Swarm { nodes_min: 7, nodes_max: 7 }));
        for wrong in ["1..5", "9..3", "5..1001", "x", "..", "5..", "-1"] {
            assert!(parse_nodes(wrong).is_err_and(|error| error.contains("5..30")), "{wrong}");
        }
    }
}
