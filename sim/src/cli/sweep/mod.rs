//! `sweep`: many settings of one scenario, planned, run in shares, merged.

mod merge;
mod plan;
mod run;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rumormill_sim::sweep::{Objective, Shard};

use super::Format;

/// What the sweep subcommand takes.
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    #[command(subcommand)]
    command: SweepCommand,
}

#[derive(Debug, Subcommand)]
enum SweepCommand {
    /// Write down which settings are to be run over which seeds; every one is checked.
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Run a plan, or a share of it; what is done already is skipped.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Put the results together: trade-off planes, the Pareto front, how much each key matters.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
}

const PLAN_EXAMPLES: &str = "VALUES is a list (3,4,5) or a range of whole numbers, decimals or durations:
  2..8                      whole numbers; a grid has all of them
  0.0..0.1:step=0.02        steps
  100ms..10s:log:points=5   so many values, here even in the logarithm
  0.0..0.1                  anything between, with --random

Examples:
  rumor-sim sweep plan scenarios/lan-1000.toml --set cluster.nodes=200 \\
      --vary cluster.config.suspicion_mult=2..6 --vary cluster.config.gossip_nodes=2,3,5 --seeds 6 --out plan.json
  rumor-sim sweep plan scenarios/loss-1000.toml --variant bursts --random 50 --skip-invalid \\
      --vary cluster.config.probe_interval=200ms..5s:log --vary cluster.config.probe_timeout=50ms..2s:log --out plan.json

Exit status: 0 planned, 1 the plan cannot be written, 2 usage, an unknown objective among it, 4 an invalid scenario, --set, --vary or
--variant, settings that cannot be run, or an objective that the scenario has no samples of.";

const RUN_EXAMPLES: &str =
    "The share comes from --shard, or from the scheduler that starts the process: a Slurm array
(SLURM_ARRAY_TASK_ID, _MIN, _MAX, _COUNT, _STEP), or with --shards N from GNU parallel (PARALLEL_SEQ) or a
Kubernetes Indexed Job (JOB_COMPLETION_INDEX).

Examples:
  rumor-sim sweep run plan.json --out cells
  parallel rumor-sim sweep run plan.json --out cells --jobs 1 --shard {}/8 ::: 1 2 3 4 5 6 7 8
  sbatch --array=1-8 --wrap 'rumor-sim sweep run plan.json --out cells'

Exit status: 0 all runs of the share are done, 1 something cannot be read, run or written, 2 usage, or it is not clear which
share is meant, 4 not a plan.";

const MERGE_EXAMPLES: &str = "Examples:
  rumor-sim sweep merge plan.json cells --out answer
  rumor-sim sweep merge plan.json cells-of-host-a cells-of-host-b --objective detection.all.p99 --objective load.bytes

Exit status: 0 merged, 1 runs are missing or something cannot be read or written, 2 usage, an unknown objective among it, 3 in some
run an invariant did not hold or a fault that had to act touched nothing, 4 not a plan, an objective that its scenario has no samples
of, or a key that does not vary.";

#[derive(Debug, Args)]
struct PlanArgs {
    /// The scenario.
    scenario: PathBuf,
    /// A key and what it is tried with, e.g. cluster.config.suspicion_mult=3,4,5 (repeat for each key that varies).
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    vary: Vec<String>,
    /// Change a key for all of them (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Draw so many settings by chance instead of running every combination.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    random: Option<u32>,
    /// The seed of the draw; a longer draw with the same seed begins with the same settings.
    #[arg(long, requires = "random", default_value_t = 1)]
    random_seed: u64,
    /// Leave out settings that do not go together (probe_timeout above probe_interval, ...) instead of refusing the plan.
    #[arg(long)]
    skip_invalid: bool,
    /// Run this variant of the scenario only; without it each variant is run with each setting.
    #[arg(long)]
    variant: Option<String>,
    /// First seed, instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Seeds of each setting, instead of the scenario's; intervals need 6.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: Option<u32>,
    /// What is looked at: METRIC or METRIC.STATISTIC, and perhaps :min or :max after it (may be repeated) [default: detection.all.p50:min,
    /// false_positive_rate.all:min, load.bytes:min, as far as the scenario has them]
    #[arg(long = "objective", value_name = "OBJECTIVE")]
    objectives: Vec<Objective>,
    /// Where the plan goes.
    #[arg(long, value_name = "PLAN.json")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The plan.
    plan: PathBuf,
    /// The folder of results, a file for each run; processes may share one.
    #[arg(long, default_value = "rumor-out/cells")]
    out: PathBuf,
    /// Run share I of N (I from 1), whatever a scheduler says.
    #[arg(long, value_name = "I/N", conflicts_with = "shards")]
    shard: Option<Shard>,
    /// There are N shares; which one this is, the scheduler says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shards: Option<u32>,
    /// Runs at the same time; by default as many as there are cores and the memory holds. Does not change any result.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct MergeArgs {
    /// The plan.
    plan: PathBuf,
    /// Folders of results.
    #[arg(required = true)]
    cells: Vec<PathBuf>,
    /// What is looked at, instead of the plan's objectives: METRIC or METRIC.STATISTIC, and perhaps :min or :max after it (may be repeated).
    #[arg(long = "objective", value_name = "OBJECTIVE")]
    objectives: Vec<Objective>,
    /// The key whose values the colours of the planes stand for [default: the one that matters most]
    #[arg(long, value_name = "KEY")]
    colour: Option<String>,
    /// Where the answer goes: report.html, sweep.json, sweep.csv and the planes.
    #[arg(long, default_value = "rumor-out/sweep")]
    out: PathBuf,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Does what the sweep subcommand says.
pub(super) fn sweep(args: &SweepArgs) -> u8 {
    match &args.command {
        SweepCommand::Plan(args) => plan::plan(args),
        SweepCommand::Run(args) => run::run(args),
        SweepCommand::Merge(args) => merge::merge(args),
    }
}
