//! `run`: every seed of every scenario, on all cores, in any order, with the same result.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use rumormill_sim::scenario::Scenario;
use rumormill_sim::{RunRecord, Summary, report, world};

use super::{COULD_NOT_RUN, DID_NOT_HOLD, Format, HELD, RunArgs, complain, files};

pub(super) fn run(args: &RunArgs) -> u8 {
    let mut scenarios = match files::load(&args.files) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    for (_, scenario) in &mut scenarios {
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        scenario.seeds = args.seeds.unwrap_or(scenario.seeds);
    }
    // Better now than after an hour of computing.
    if let Err(error) = std::fs::create_dir_all(&args.out) {
        complain(&format_args!("--out {}: {error}", args.out.display()));
        return COULD_NOT_RUN;
    }
    let mut code = HELD;
    let mut summaries = Vec::new();
    for (_, scenario) in &scenarios {
        let summary = match run_scenario(scenario, args) {
            Ok(summary) => summary,
            Err(error) => {
                complain(&error);
                return COULD_NOT_RUN;
            }
        };
        let folder = args.out.join(&scenario.name);
        if let Err(error) = report::write(&summary, &folder) {
            complain(&format_args!("{}: {error}", folder.display()));
            return COULD_NOT_RUN;
        }
        if args.format == Format::Text {
            let text = report::text(&summary, anstream::stdout().is_terminal(), terminal_width());
            code = code.max(files::print(|out| {
                writeln!(out, "{text}")?;
                writeln!(out, "report: {}", folder.join("report.html").display())
            }));
        }
        if !summary.holds() {
            code = DID_NOT_HOLD;
            say_how_to_rerun(&summary);
        }
        summaries.push(summary);
    }
    if args.format == Format::Json {
        let documents: Vec<String> = summaries.iter().map(Summary::to_json).collect();
        code = code.max(files::print(|out| writeln!(out, "[{}]", documents.join(",\n"))));
    }
    code
}

fn run_scenario(scenario: &Scenario, args: &RunArgs) -> Result<Summary, String> {
    let jobs = args.jobs.map_or_else(|| jobs_that_fit(scenario), usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| format!("--jobs {jobs}: {error}"))?;
    let bar = progress_bar(scenario, args.quiet);
    let seeds = (0..u64::from(scenario.seeds)).map(|k| scenario.seed.wrapping_add(k));
    let variants = scenario.variants.len();
    let cells: Vec<(u64, usize)> = seeds.flat_map(|seed| (0..variants).map(move |v| (seed, v))).collect();
    let runs: Vec<RunRecord> = pool.install(|| {
        cells
            .par_iter()
            .map(|&(seed, variant)| {
                let mut shown = 0;
                let record = world::run_with(scenario, variant, seed, &mut |seconds| {
                    let now = (seconds as u64).min(scenario.duration.as_secs());
                    bar.inc(now.saturating_sub(shown));
                    shown = shown.max(now);
                });
                bar.inc(scenario.duration.as_secs().saturating_sub(shown));
                record
            })
            .collect()
    });
    bar.finish_and_clear();
    Ok(Summary::new(scenario, &scenario.digest(), runs))
}

/// Simulated seconds over all seeds; on a terminal only.
fn progress_bar(scenario: &Scenario, quiet: bool) -> ProgressBar {
    let runs = u64::from(scenario.seeds) * scenario.variants.len() as u64;
    let total = scenario.duration.as_secs() * runs;
    let target = if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template = "{prefix} {wide_bar} {pos}/{len} simulated s, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(scenario.name.clone());
    bar
}

/// As many runs at once as there are cores, and no more than two thirds of the free memory hold.
fn jobs_that_fit(scenario: &Scenario) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // A member table entry with its shares of index and identity, and the simulator's own byte about it.
    const BYTES_PER_PAIR: u64 = 100;
    const BYTES_PER_NODE: u64 = 8192;
    let nodes = u64::from(scenario.cluster.nodes);
    let run = nodes * nodes * BYTES_PER_PAIR + nodes * BYTES_PER_NODE;
    let fits = free_memory().map_or(cores as u64, |free| free * 2 / 3 / run.max(1));
    cores.min(usize::try_from(fits).unwrap_or(usize::MAX)).max(1)
}

/// Bytes of memory that can be had without swapping, where the system says.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100).clamp(60, 160)
}

/// The line that reruns exactly what did not hold.
fn say_how_to_rerun(summary: &Summary) {
    for seed in summary.failing_seeds() {
        let source = &summary.scenario.source;
        complain(&format_args!(
            "seed {seed} did not hold; to rerun it: rumor-sim run {source} --seed {seed} --seeds 1"
        ));
    }
}
