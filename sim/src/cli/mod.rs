//! The command line.

mod advise;
mod bar;
mod bench;
mod compare;
mod files;
mod fuzz;
mod manual;
mod one;
mod player;
mod replay;
mod run;
mod shrink;
mod sweep;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Everything held.
const HELD: u8 = 0;
/// It could not run: an output folder that cannot be written, ...
const COULD_NOT_RUN: u8 = 1;
/// What the parser of the command line cannot tell: flags that do not go together, or one that asks for what there is not.
const USAGE: u8 = 2;
/// An expectation, an invariant or a fault that had to act did not hold.
const DID_NOT_HOLD: u8 = 3;
/// A scenario or an override that cannot be read or is not valid.
const INVALID: u8 = 4;

/// Simulates gossip clusters from scenario files: convergence times and false-positive rates, reproducible to the byte.
#[derive(Debug, Parser)]
#[command(name = "rumor-sim", version, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  rumor-sim run scenarios/lan-1000.toml
  rumor-sim run scenarios --out reports
  rumor-sim run scenarios/lan-1000.toml --seed 7 --seeds 1 --set cluster.config.gossip_nodes=4
  rumor-sim run scenarios --quiet --format junit > junit.xml
  rumor-sim compare scenarios/lan-1000.toml --set-b cluster.config.gossip_nodes=4 --seeds 12
  rumor-sim check scenarios
  rumor-sim fuzz --runs 2000

Exit status: 0 all held, 1 could not run, 2 usage, 3 something did not hold, 4 invalid scenario or --set.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, print what came out, and write reports.
    Run(RunArgs),
    /// Check scenarios without running them.
    Check(Files),
    /// List scenarios with the question each answers.
    List(Files),
    /// Compare two scenarios, settings or versions of the program over the same seeds.
    Compare(compare::CompareArgs),
    /// Run many settings of one scenario and show which no other beats: plan, run in shares, merge.
    Sweep(sweep::SweepArgs),
    /// Find settings that meet targets for a cluster like yours, and confirm them on other seeds.
    Advise(advise::AdviseArgs),
    /// Run random clusters under random faults: every invariant has to hold, and the states worth reaching have to be reached.
    Fuzz(fuzz::FuzzArgs),
    /// Cut a scenario that fails with a seed down to the smallest that still fails in the same way, and write it with a regression test.
    Shrink(shrink::ShrinkArgs),
    /// Show what happened in a run: step by step (packets and their fates, timers, suspicions, faults), or as a page that plays it.
    Replay(replay::ReplayArgs),
    /// Explain why a node declared a member failed: the chain of packets and timers, and which lost or late packet would have prevented it.
    Why(why::WhyArgs),
    /// Measure how fast this machine simulates: simulated seconds per CPU second, idle and while one node in a hundred dies.
    Bench(bench::BenchArgs),
    /// Print completions for a shell.
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write a page for each command.
    Man(manual::ManArgs),
}

#[derive(Debug, clap::Args)]
struct Files {
    /// Scenario files, or folders whose *.toml files are meant.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Change a key before checking, e.g. cluster.config.gossip_nodes=4 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    files: Files,
    /// First seed, instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of seeds, instead of the scenario's.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: Option<u32>,
    /// Runs at the same time; by default as many as there are cores and the memory holds. Does not change any result.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Where the reports go: a folder for each scenario.
    #[arg(long, default_value = "rumor-out")]
    out: PathBuf,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    format: RunFormat,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

/// What `run` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// A summary for people.
    Text,
    /// A JSON array of the summaries.
    Json,
    /// JUnit XML: a test case for each expectation, invariant and fault that had to act.
    Junit,
}

/// What other subcommands print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables and words for people.
    Text,
    /// JSON.
    Json,
}

/// Parses the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    let code = match Args::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(files) => files::check(&files),
        Command::List(files) => files::list(&files),
        Command::Compare(args) => compare::compare(&args),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Advise(args) => advise::advise(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Shrink(args) => shrink::shrink(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Why(args) => why::why(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    };
    ExitCode::from(code)
}

/// Says on standard error what went wrong.
fn complain(what: &dyn std::fmt::Display) {
    anstream::eprintln!("{}error:{} {what}", anstyle::AnsiColor::Red.on_default().bold(), anstyle::Reset);
}
