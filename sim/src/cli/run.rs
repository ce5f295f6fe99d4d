//! `run`: every seed and variant of every scenario, on all cores, in any order, with the same result.

use rumormill_sim::scenario::Scenario;
use rumormill_sim::{Summary, report};

use super::bar::simulated;
use super::{COULD_NOT_RUN, DID_NOT_HOLD, HELD, RunArgs, RunFormat, USAGE, complain, files};

pub(super) fn run(args: &RunArgs) -> u8 {
    let mut scenarios = match files::load(&args.files) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    for (_, scenario) in &mut scenarios {
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        scenario.seeds = args.seeds.unwrap_or(scenario.seeds);
        if let Err(code) = last_seed(scenario.seed, scenario.seeds) {
            return code;
        }
    }
    // Better now than after an hour of computing.
    if let Err(error) = std::fs::create_dir_all(&args.out) {
        complain(&format_args!("--out {}: {error}", args.out.display()));
        return COULD_NOT_RUN;
    }
    let mut code = HELD;
    let mut summaries = Vec::new();
    for (_, scenario) in &scenarios {
        let summary = match run_scenario(scenario, args.jobs, args.quiet) {
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
        if args.format == RunFormat::Text {
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
    code.max(match args.format {
        RunFormat::Text => HELD,
        RunFormat::Json => {
            let documents: Vec<String> = summaries.iter().map(Summary::to_json).collect();
            files::print(|out| writeln!(out, "[{}]", documents.join(",\n")))
        }
        RunFormat::Junit => files::print(|out| write!(out, "{}", report::junit(&summaries)?)),
    })
}

/// The last of so many seeds. Those of the command line and those of a file are only sound together.
pub(super) fn last_seed(first: u64, count: u32) -> Result<u64, u8> {
    first.checked_add(u64::from(count).saturating_sub(1)).ok_or_else(|| {
        complain(&format_args!(
            "--seed {first} --seeds {count}: seeds must be below 2^64; choose a smaller first one, or fewer"
        ));
        USAGE
    })
}

/// Every seed of every variant, with a progress bar on a terminal.
pub(super) fn run_scenario(scenario: &Scenario, jobs: Option<u16>, quiet: bool) -> Result<Summary, String> {
    let jobs = jobs.map_or_else(|| rumormill_sim::jobs_that_fit(scenario), usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| format!("--jobs {jobs}: {error}"))?;
    let bar = simulated(&scenario.name, rumormill_sim::seconds(scenario), quiet);
    let summary = pool.install(|| rumormill_sim::run_with(scenario, &|seconds| bar.inc(seconds)));
    bar.finish_and_clear();
    Ok(summary)
}

pub(super) fn terminal_width() -> usize {
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
