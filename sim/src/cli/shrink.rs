//! `shrink`: from a seed on which something fails to a smallest scenario and a regression test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use rumormill_sim::Scenario;
use rumormill_sim::shrink::{self, Budget, Progress, Shrunk};

use super::bar::bar;
use super::{COULD_NOT_RUN, Files, HELD, USAGE, complain, files};

const AFTER_HELP: &str = "Examples:
  rumor-sim shrink scenarios/lan-1000.toml --seed 7
  rumor-sim shrink scenarios/one-way.toml --seed 3 --variant swim --out one-way-small.toml --budget 10m

What fails is searched in this order: panics, invariants by number, expectations as they stand in the file (judged by this one seed),
faults that had to act and touched nothing. A smaller scenario counts if it fails in the same way: the same panic, the same invariant, the
same expectation (late stays late, never stays never), an idle fault of the same kind. It is tried on the seed and, where it holds, on three
further ones.

Beside FILE.toml goes FILE.rs, a test that fails until the defect is mended.

Exit status: 0 written, 1 nothing fails with this seed or the files cannot be written, 2 usage, 4 invalid scenario or --set.";

/// What the shrink subcommand takes.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ShrinkArgs {
    /// The scenario file.
    file: PathBuf,
    /// Change a key before checking, e.g. cluster.config.gossip_nodes=4 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The seed on which something fails, instead of the scenario's first.
    #[arg(long)]
    seed: Option<u64>,
    /// Only what fails in this variant.
    #[arg(long)]
    variant: Option<String>,
    /// The scenario file to be written; by default rumor-out/NAME-shrunk.toml.
    #[arg(long, value_name = "FILE.toml")]
    out: Option<PathBuf>,
    /// When to stop: a number of runs, such as 500, or a time, such as 10m. With a number the result is the same on any machine.
    #[arg(long, default_value = "20000", value_name = "RUNS|TIME")]
    budget: Budget,
    /// Runs at the same time; by default as many as there are cores and the memory holds. Does not change any result.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress on standard error.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn shrink(args: &ShrinkArgs) -> u8 {
    let named = Files { paths: vec![args.file.clone()], overrides: args.overrides.clone() };
    let scenario = match files::load(&named) {
        Ok(mut scenarios) if scenarios.len() == 1 => scenarios.remove(0).1,
        Ok(scenarios) => {
            let (file, count) = (args.file.display(), scenarios.len());
            complain(&format_args!("{file}: there are {count} scenario files; name one of them"));
            return USAGE;
        }
        Err(code) => return code,
    };
    match try_to_shrink(&scenario, args) {
        Ok(()) => HELD,
        Err((code, message)) => {
            complain(&message);
            code
        }
    }
}

fn try_to_shrink(scenario: &Scenario, args: &ShrinkArgs) -> Result<(), (u8, String)> {
    let variant = variant(scenario, args.variant.as_deref()).map_err(|message| (USAGE, message))?;
    let default = || Path::new("rumor-out").join(format!("{}.toml", shrink::short_name(&scenario.name)));
    let out = args.out.clone().unwrap_or_else(default);
    if out.extension().is_none_or(|extension| extension != "toml") {
        let message = format!("--out {}: must end in .toml; the test beside it ends in .rs", out.display());
        return Err((USAGE, message));
    }
    if is_same(&out, &args.file) {
        let message = format!("{}: would be overwritten; name another file with --out", out.display());
        return Err((USAGE, message));
    }
    let failed = |path: &Path, error: std::io::Error| (COULD_NOT_RUN, format!("{}: {error}", path.display()));
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Better now than after all the runs; the folder itself comes with the files in it.
    folder.map_or(Ok(()), files::may_become_folder).map_err(|message| (COULD_NOT_RUN, message))?;
    let seed = args.seed.unwrap_or(scenario.seed);
    let shrunk = run(scenario, seed, variant, args)?.ok_or_else(|| {
        let of = args.variant.as_ref().map(|name| format!(" of variant {name}")).unwrap_or_default();
        (COULD_NOT_RUN, format!("{}: seed {seed}{of} holds: nothing to shrink", scenario.source))
    })?;
    let test = out.with_extension("rs");
    let name = out.display().to_string();
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    std::fs::write(&out, shrunk.to_toml(&name)).map_err(|error| failed(&out, error))?;
    std::fs::write(&test, shrunk.to_test(&name)).map_err(|error| failed(&test, error))?;
    // As anybody else would read it; its source is what a shell takes.
    let written = Scenario::load(&out, &[]).map_err(|problems| (COULD_NOT_RUN, problems.to_string()))?;
    match tell(&shrunk, &written.source, &test) {
        HELD => Ok(()),
        code => Err((code, "the files are written all the same".to_owned())),
    }
}

/// Whether both are one existing file.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The index of a variant by its name.
fn variant(scenario: &Scenario, name: Option<&str>) -> Result<Option<usize>, String> {
    let Some(name) = name else { return Ok(None) };
    let found = scenario.variants.iter().position(|variant| variant.name == name);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = scenario.variants.iter().map(|variant| variant.name.as_str()).collect();
        format!("--variant {name}: there is none of that name in {}: {}", scenario.source, names.join(", "))
    })
}

fn run(
    scenario: &Scenario,
    seed: u64,
    variant: Option<usize>,
    args: &ShrinkArgs,
) -> Result<Option<Shrunk>, (u8, String)> {
    let jobs = args.jobs.map_or_else(|| rumormill_sim::jobs_that_fit(scenario), usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| (COULD_NOT_RUN, format!("--jobs {jobs}: {error}")))?;
    let bar = progress_bar(&scenario.name, args.quiet);
    let mut watch = |progress: &Progress<'_>| {
        let cut = progress.was.cut(progress.now);
        bar.set_message(format!("run {}, trying less {}: {cut}", progress.runs, progress.pass));
    };
    let shrunk = pool.install(|| shrink::shrink(scenario, seed, variant, args.budget, &mut watch));
    bar.finish_and_clear();
    Ok(shrunk)
}

/// What has been cut so far.
fn progress_bar(name: &str, quiet: bool) -> ProgressBar {
    let bar = bar("{spinner} {prefix} {elapsed}: {wide_msg}", name, None, quiet);
    bar.set_message("the run that fails");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn tell(shrunk: &Shrunk, file: &str, test: &Path) -> u8 {
    let Shrunk { failure, seen, was, now, runs, scenario, .. } = shrunk;
    files::print(|out| {
        writeln!(out, "{}, seed {}: {failure}", shrunk.source, shrunk.seed)?;
        writeln!(out, "after {runs} runs: {}", was.cut(now))?;
        if !shrunk.minimal {
            writeln!(
                out,
                "the budget ended before nothing more could be cut; a larger --budget may cut more"
            )?;
        }
        writeln!(out, "what is left fails with seed {}: {seen}", scenario.seed)?;
        for other in &shrunk.also {
            writeln!(out, "what is left fails in another way too: {other}")?;
        }
        writeln!(out, "scenario: {file}")?;
        writeln!(out, "test: {}", test.display())?;
        writeln!(out, "to rerun it: rumor-sim run {file}")
    })
}
