//! `compare`: two scenarios, settings or versions over the same seeds.

use std::path::{Path, PathBuf};

use rumormill_sim::Summary;
use rumormill_sim::compare::{self, Comparison, FailOn, Margins, Question, Record};
use rumormill_sim::report;
use rumormill_sim::scenario::{Override, Scenario};

use super::{COULD_NOT_RUN, DID_NOT_HOLD, Format, HELD, INVALID, USAGE, complain, files, run};

/// What the compare subcommand takes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompareArgs {
    /// The reference: a scenario file, which is run now, or an output folder or summary.json, of this or another version of the program.
    a: PathBuf,
    /// What is compared with it, given the same way; may be left out with --set-a, --set-b or --variant: then it is A's file.
    b: Option<PathBuf>,
    /// First seed, instead of the scenario's, or the first that two folders both have.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of seeds, instead of the scenario's (of two, the larger), or of all that two folders both have.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: Option<u32>,
    /// A metric to compare, such as load.bytes or detection.first.p99 (may be repeated); by default all that both have, of distributions
    /// the median and p99.
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,
    /// Which variants stand against each other: A:NAME,B:NAME. By default a scenario's only one, or each against that of its name.
    #[arg(long, value_name = "A:NAME,B:NAME")]
    variant: Option<String>,
    /// What counts as the same, such as detection.first.p50=5%, convergence=500ms, flaps=2 or load.bytes=none (may be repeated).
    #[arg(long = "margin", value_name = "NAME=MARGIN")]
    margins: Vec<String>,
    /// Exit with 3 when a metric is so; for worse and different also when so few seeds could not have shown it.
    #[arg(long, value_enum, value_name = "WHEN")]
    fail_on: Option<When>,
    /// Change a key of A's scenario before it is run, as `run --set` does (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    set_a: Vec<String>,
    /// Change a key of B's scenario before it is run (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    set_b: Vec<String>,
    /// Compare what seed by seed shares nothing, too: other nodes, other faults, another length.
    #[arg(long)]
    anyway: bool,
    /// Where compare.html, compare.json and differences.svg go; by default nowhere.
    #[arg(long)]
    out: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Runs at the same time; by default as many as there are cores and the memory holds. Does not change any result.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  rumor-sim compare scenarios/lan-1000.toml --set-b cluster.config.gossip_nodes=4 --seeds 12
  rumor-sim compare reports/lifeguard-interval --variant A:swim,B:lifeguard --out rumor-out/compare
  rumor-sim compare before/lan-1000 after/lan-1000 --seeds 12 --fail-on worse
  rumor-sim compare old.toml new.toml --seeds 12 --metric load.bytes --margin load.bytes=2% --fail-on not-equivalent

Exit status: 0 compared, 1 could not run, 2 usage, 3 what --fail-on names, or too few seeds to see it, 4 invalid scenario, summary, metric or
margin, or not comparable.";

/// What `--fail-on` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum When {
    /// Worse by more than chance, and not within its margin.
    Worse,
    /// Different by more than chance, for better or worse, within a margin or not.
    Different,
    /// Not shown to be the same within its margin.
    NotEquivalent,
}

/// One side: what is to be run, or has been.
enum Side {
    Scenario(Box<Scenario>),
    Record(Box<Record>),
}

impl Side {
    /// As much as is known before anything is run.
    fn planned(&self) -> Record {
        match self {
            Self::Scenario(scenario) => Record::planned(scenario),
            Self::Record(record) => Record::clone(record),
        }
    }
}

pub(super) fn compare(args: &CompareArgs) -> u8 {
    let outcome = question(args).and_then(|question| Ok((sides(args)?, question)));
    let ((a, b), question) = match outcome {
        Ok(sound) => sound,
        Err(code) => return code,
    };
    // Better now than after an hour of computing.
    if let Err(refusal) = compare::check(&a.planned(), &b.planned(), &question) {
        complain(&refusal);
        return INVALID;
    }
    let (a, b) = match over_the_same_seeds(a, b, args, &question) {
        Ok(sides) => sides,
        Err(code) => return code,
    };
    let has_seeds = matches!((&a, &b), (Side::Record(_), Side::Record(_)));
    if let Some(out) = &args.out
        && let Err(error) = std::fs::create_dir_all(out)
    {
        complain(&format_args!("--out {}: {error}", out.display()));
        return COULD_NOT_RUN;
    }
    let outcome = record(a, args).and_then(|a| Ok((a, record(b, args)?)));
    let (a, b) = match outcome {
        Ok(records) => records,
        Err(code) => return code,
    };
    match compare::compare(&a, &b, &question) {
        Ok(comparison) => tell(&comparison, args, has_seeds),
        Err(refusal) => {
            complain(&refusal);
            INVALID
        }
    }
}

/// What is asked, apart from the two sides.
fn question(args: &CompareArgs) -> Result<Question, u8> {
    let mut margins = Margins::default();
    let mut sound = true;
    for text in &args.margins {
        if let Err(refusal) = margins.add(text) {
            complain(&refusal);
            sound = false;
        }
    }
    if !sound {
        return Err(INVALID);
    }
    let variants = args.variant.as_deref().map_or(Ok((None, None)), named_variants)?;
    Ok(Question { metrics: args.metrics.clone(), variants, margins, anyway: args.anyway })
}

/// Reads `A:x,B:y`, of which one may be missing.
fn named_variants(text: &str) -> Result<(Option<String>, Option<String>), u8> {
    let (mut a, mut b) = (None, None);
    for part in text.split(',') {
        match part.trim().split_once(':') {
            Some(("A", name)) if a.is_none() && !name.is_empty() => a = Some(name.to_owned()),
            Some(("B", name)) if b.is_none() && !name.is_empty() => b = Some(name.to_owned()),
            _ => {
                complain(&format_args!("--variant {text}: write A:NAME,B:NAME, such as A:swim,B:lifeguard"));
                return Err(USAGE);
            }
        }
    }
    Ok((a, b))
}

fn sides(args: &CompareArgs) -> Result<(Side, Side), u8> {
    let one_file = args.b.is_none();
    if one_file && args.set_a.is_empty() && args.set_b.is_empty() && args.variant.is_none() {
        complain(
            &"B is missing: give a second file or folder, or --set-a, --set-b or --variant to compare A with itself, otherwise set",
        );
        return Err(USAGE);
    }
    let a = side("--set-a", &args.a, &args.set_a);
    let b = side("--set-b", args.b.as_deref().unwrap_or(&args.a), &args.set_b);
    // Both are looked at before either is given up.
    Ok((a?, b?))
}

fn side(flag: &str, path: &Path, overrides: &[String]) -> Result<Side, u8> {
    let is_record = path.is_dir() || path.extension().is_some_and(|extension| extension == "json");
    if is_record {
        if let Some(first) = overrides.first() {
            let path = path.display();
            complain(&format_args!(
                "{flag} {first}: {path} has been run already; give a scenario file to run it otherwise"
            ));
            return Err(USAGE);
        }
        return Record::read(path).map(|record| Side::Record(Box::new(record))).map_err(|refusal| {
            complain(&refusal);
            INVALID
        });
    }
    let mut parsed = Vec::new();
    let mut sound = true;
    for text in overrides {
        match Override::parse(text) {
            Ok(one) => parsed.push(one),
            Err(error) => {
                complain(&format_args!("{flag}: {error}"));
                sound = false;
            }
        }
    }
    let scenario = Scenario::load(path, &parsed).map_err(|problems| {
        complain(&problems);
        INVALID
    });
    if sound { scenario.map(|scenario| Side::Scenario(Box::new(scenario))) } else { Err(INVALID) }
}

/// The two over the seeds asked for, with nothing in them that need not be run.
fn over_the_same_seeds(
    mut a: Side,
    mut b: Side,
    args: &CompareArgs,
    question: &Question,
) -> Result<(Side, Side), u8> {
    if let (Side::Record(a_has), Side::Record(b_has)) = (&mut a, &mut b) {
        restrict(a_has, b_has, args)?;
        return Ok((a, b));
    }
    let (first, count) = seeds(&a, &b, args)?;
    for (side, variant) in [(&mut a, &question.variants.0), (&mut b, &question.variants.1)] {
        if let Side::Scenario(scenario) = side {
            (scenario.seed, scenario.seeds) = (first, count);
            // What they expect is not the question here, and what is not compared need not be run.
            scenario.expects.clear();
            if let Some(name) = variant
                && scenario.variants.iter().any(|variant| variant.name == *name)
            {
                scenario.variants.retain(|variant| variant.name == *name);
            }
        }
    }
    Ok((a, b))
}

/// Of two that have been run, leaves the seeds asked for.
fn restrict(a: &mut Record, b: &mut Record, args: &CompareArgs) -> Result<(), u8> {
    if args.seed.is_none() && args.seeds.is_none() {
        return Ok(());
    }
    let (of_a, of_b) = (a.seeds(), b.seeds());
    let mut both = of_a.intersection(&of_b).copied();
    // Without any, the comparison says which they have.
    let Some(least) = both.next() else { return Ok(()) };
    let most = both.last().unwrap_or(least);
    let first = args.seed.unwrap_or(least);
    let last = match args.seeds {
        Some(count) => run::last_seed(first, count)?,
        None => most.max(first),
    };
    for record in [a, b] {
        record.restrict(&(first..=last)).map_err(|refusal| {
            complain(&refusal);
            INVALID
        })?;
    }
    Ok(())
}

fn record(side: Side, args: &CompareArgs) -> Result<Record, u8> {
    match side {
        Side::Record(record) => Ok(*record),
        Side::Scenario(scenario) => {
            let summary: Summary = run::run_scenario(&scenario, args.jobs, args.quiet).map_err(|error| {
                complain(&error);
                COULD_NOT_RUN
            })?;
            Ok(Record::of_scenario(&summary, &scenario))
        }
    }
}

/// The seeds that are run: those asked for, those of a side that has been run, or those of the scenarios.
fn seeds(a: &Side, b: &Side, args: &CompareArgs) -> Result<(u64, u32), u8> {
    let of_records = [a, b].into_iter().find_map(|side| match side {
        Side::Record(record) => {
            let seeds = || record.runs.iter().map(|run| run.seed);
            let (first, last) = (seeds().min()?, seeds().max()?);
            Some((first, u32::try_from(last - first).unwrap_or(u32::MAX).saturating_add(1)))
        }
        Side::Scenario(_) => None,
    });
    let of_scenarios = [a, b].into_iter().filter_map(|side| match side {
        Side::Scenario(scenario) => Some((scenario.seed, scenario.seeds)),
        Side::Record(_) => None,
    });
    let of_scenarios = of_scenarios.reduce(|one, other| (one.0, one.1.max(other.1)));
    let (first, count) = of_records.or(of_scenarios).unwrap_or((1, 1));
    let (first, count) = (args.seed.unwrap_or(first), args.seeds.unwrap_or(count).min(100_000));
    run::last_seed(first, count).map(|_| (first, count))
}

/// Prints and writes a comparison; the exit status. `has_seeds`: both sides had been run before.
fn tell(comparison: &Comparison, args: &CompareArgs, has_seeds: bool) -> u8 {
    let mut code = HELD;
    if let Some(out) = &args.out
        && let Err(error) = report::write_comparison(comparison, out)
    {
        complain(&format_args!("{}: {error}", out.display()));
        return COULD_NOT_RUN;
    }
    code = code.max(files::print(|out| match args.format {
        Format::Json => writeln!(out, "{}", comparison.to_json()),
        Format::Text => {
            let colour = anstream::stdout().is_terminal();
            write!(out, "{}", report::comparison_text(comparison, colour, run::terminal_width()))?;
            match &args.out {
                Some(folder) => writeln!(out, "\nreport: {}", folder.join("compare.html").display()),
                None => Ok(()),
            }
        }
    }));
    let Some(when) = args.fail_on else { return code };
    let on = match when {
        When::Worse => FailOn::Worse,
        When::Different => FailOn::Different,
        When::NotEquivalent => FailOn::NotEquivalent,
    };
    let (failing, blind) = (comparison.failing(on), comparison.blind(on));
    for row in &failing {
        complain(&report::comparison_failure(row));
    }
    // What could not have failed has not passed.
    if !blind.is_empty() {
        complain(&report::comparison_blind(comparison, &blind));
    }
    if !failing.is_empty() || !blind.is_empty() {
        complain(&format_args!("to rerun it: {}", rerun(comparison, args, has_seeds)));
        code = DID_NOT_HOLD;
    }
    code
}

/// The line that makes the same comparison again.
fn rerun(comparison: &Comparison, args: &CompareArgs, has_seeds: bool) -> String {
    let mut words = vec!["rumor-sim".to_owned(), "compare".to_owned(), args.a.display().to_string()];
    words.extend(args.b.iter().map(|b| b.display().to_string()));
    let lists = [
        ("--set-a", &args.set_a),
        ("--set-b", &args.set_b),
        ("--metric", &args.metrics),
        ("--margin", &args.margins),
    ];
    for (flag, values) in lists {
        words.extend(values.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    words.extend(args.variant.iter().flat_map(|variant| ["--variant".to_owned(), variant.clone()]));
    if args.anyway {
        words.push("--anyway".to_owned());
    }
    if has_seeds {
        // Without them it is all that both have, whichever these are.
        words.extend(args.seed.iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
        words.extend(args.seeds.iter().flat_map(|seeds| ["--seeds".to_owned(), seeds.to_string()]));
    } else if let (Some(first), Some(last)) = (comparison.seeds.first(), comparison.seeds.last()) {
        let count = last - first + 1;
        words.extend(["--seed".to_owned(), first.to_string(), "--seeds".to_owned(), count.to_string()]);
    }
    if let Some(value) = args.fail_on.as_ref().and_then(clap::ValueEnum::to_possible_value) {
        words.extend(["--fail-on".to_owned(), value.get_name().to_owned()]);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
