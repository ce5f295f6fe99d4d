//! `advise`: settings that meet targets, confirmed on seeds that no choice has seen.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use rumormill_core::config::parse_duration;
use rumormill_sim::advise::{self, Advice, EXPOSURE_MAX, Latencies, Question, Rate, Targets, Tell};
use rumormill_sim::report;
use rumormill_sim::scenario::Profile;
use rumormill_sim::write_whole;

use super::bar::simulated;
use super::run::terminal_width;
use super::{COULD_NOT_RUN, DID_NOT_HOLD, Format, USAGE, complain, files};

/// What the advise subcommand takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AdviseArgs {
    /// Nodes of the cluster.
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    nodes: u32,
    /// One-way latency: 5ms, or median and 99th percentile, 5ms..20ms.
    #[arg(long, default_value = "500us")]
    latency: Latencies,
    /// Share of packets that are lost, 0 to 0.25.
    #[arg(long, default_value_t = 0.0, value_parser = loss)]
    loss: f64,
    /// The settings to start from, and to be compared with.
    #[arg(long, value_enum, default_value_t = ProfileName::Lan)]
    profile: ProfileName,
    /// Nodes that are slow at a time: overloaded, or far away [default: one in a hundred, one at least]
    #[arg(long)]
    slow_nodes: Option<u32>,
    /// By how much each message of a slow node is late, at most; half of it at least.
    #[arg(long, default_value = "1s", value_parser = slow_by)]
    slow_by: Duration,
    /// Crashes are to be known to every member within this time.
    #[arg(long, value_name = "DURATION", value_parser = within)]
    detect_within: Option<Duration>,
    /// So many crashes of a hundred.
    #[arg(long, default_value = "90", value_parser = ["50", "90", "99"])]
    percentile: String,
    /// Declarations that a member has failed which is up (one for each observer and member), per node-hour: fewer than this.
    #[arg(long, value_name = "RATE")]
    false_positives_below: Option<Rate>,
    /// Bytes that a node sends per second, headers apart: fewer than this.
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    bytes_below: Option<f64>,
    /// Runs of the search.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    budget: u32,
    /// Node-hours for which each finalist is watched; the smaller the rate to be shown, the more it takes [default: as many as
    /// show it when five false positives are seen, 5000 at most; no more than 2000 runs of half an hour have]
    #[arg(long, value_name = "NODE-HOURS", value_parser = clap::value_parser!(u32).range(1..=i64::from(EXPOSURE_MAX)))]
    exposure: Option<u32>,
    /// First seed of the search; the held-out seeds begin a million later.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    seed: u64,
    /// Runs at the same time; by default as many as there are cores and the memory holds. Does not change the advice.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Where advice.json, agent.toml and scenario.toml go.
    #[arg(long, default_value = "rumor-out/advise")]
    out: PathBuf,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  rumor-sim advise --nodes 200 --latency 5ms..20ms --loss 0.02 --detect-within 10s --false-positives-below 0.01/node-hour
  rumor-sim advise --nodes 50 --profile wan --latency 40ms..120ms --detect-within 30s --bytes-below 300 --budget 1000

Exit status: 0 settings are advised, 1 could not run, 2 usage, 3 none of the settings tried is shown to meet all targets.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileName {
    Lan,
    Wan,
    Local,
}

fn loss(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=0.25).contains(share));
    share.ok_or_else(|| {
        "a share from 0 to 0.25; with more, members that are up are declared failed all the time".to_owned()
    })
}

fn bytes(text: &str) -> Result<f64, String> {
    let bytes = text.parse().ok().filter(|bytes: &f64| bytes.is_finite() && *bytes > 0.0);
    bytes.ok_or_else(|| "bytes per node-second, more than 0, such as 500".to_owned())
}

fn within(text: &str) -> Result<Duration, String> {
    bounded(text, Duration::from_millis(100), Duration::from_secs(600))
}

fn slow_by(text: &str) -> Result<Duration, String> {
    bounded(text, Duration::from_millis(1), Duration::from_secs(30))
}

fn bounded(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if (least..=most).contains(&duration) => Ok(duration),
        Ok(_) => Err(format!("a duration from {least:?} to {most:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Searches, confirms, and says what was found.
pub(super) fn advise(args: &AdviseArgs) -> u8 {
    let question = match question(args) {
        Ok(question) => question,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let advice = match find(&question, args).and_then(|advice| leave(&advice, args).map(|()| advice)) {
        Ok(advice) => advice,
        Err(error) => {
            complain(&error);
            return COULD_NOT_RUN;
        }
    };
    let code = files::print(|out| match args.format {
        Format::Text => {
            let text = report::advise::text(&advice, anstream::stdout().is_terminal(), terminal_width());
            writeln!(out, "{text}")?;
            writeln!(out, "to see it all: rumor-sim run {}", args.out.join("scenario.toml").display())
        }
        Format::Json => write!(out, "{}", advice.to_json()),
    });
    if advice.recommended.is_some() { code } else { code.max(DID_NOT_HOLD) }
}

fn question(args: &AdviseArgs) -> Result<Question, String> {
    let targets = Targets {
        detect_within: args.detect_within,
        permille: args.percentile.parse::<u32>().map_or(900, |percent| percent * 10),
        false_positives_below: args.false_positives_below.map(|rate| rate.0),
        bytes_below: args.bytes_below,
    };
    if targets.given().is_empty() {
        return Err("there is no target; add --detect-within 10s, --false-positives-below 0.01/node-hour or --bytes-below 500".to_owned());
    }
    let slow_nodes = args.slow_nodes.unwrap_or((args.nodes / 100).max(1));
    if slow_nodes > args.nodes / 2 {
        return Err(format!("--slow-nodes {slow_nodes}: at most half of the {} nodes", args.nodes));
    }
    Ok(Question {
        nodes: args.nodes,
        profile: match args.profile {
            ProfileName::Lan => Profile::Lan,
            ProfileName::Wan => Profile::Wan,
            ProfileName::Local => Profile::Local,
        },
        latency: args.latency,
        loss: args.loss,
        slow_nodes,
        slow_by: args.slow_by,
        targets,
        budget: args.budget,
        seed: args.seed,
        exposure: args.exposure.map(f64::from),
    })
}

fn find(question: &Question, args: &AdviseArgs) -> Result<Advice, String> {
    // Better now than after minutes of computing.
    std::fs::create_dir_all(&args.out).map_err(|error| format!("--out {}: {error}", args.out.display()))?;
    let jobs = args.jobs.map_or_else(|| advise::jobs_that_fit(question), |jobs| Ok(usize::from(jobs)))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| format!("--jobs {jobs}: {error}"))?;
    let bar = Mutex::new(ProgressBar::hidden());
    let tell = |tell: Tell| {
        let Ok(mut bar) = bar.lock() else { return };
        match tell {
            Tell::Seconds(seconds) => bar.inc(seconds),
            Tell::Stage { name, seconds } => {
                bar.finish_and_clear();
                *bar = simulated(&name, seconds, args.quiet);
            }
        }
    };
    let advice = pool.install(|| advise::advise(question, &tell));
    if let Ok(bar) = bar.into_inner() {
        bar.finish_and_clear();
    }
    advice
}

/// Leaves the files; the agent's of an earlier advice does not stay where there is none now.
fn leave(advice: &Advice, args: &AdviseArgs) -> Result<(), String> {
    let mut files = vec![("advice.json", advice.to_json()), ("scenario.toml", advice.scenario.clone())];
    let agent = args.out.join("agent.toml");
    match advice.advised() {
        Some(advised) => files.push(("agent.toml", advice.agent(&advised.settings))),
        None => match std::fs::remove_file(&agent) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("cannot remove {}: {e}", agent.display()));
            }
            _ => {}
        },
    }
    let written = files.iter().try_for_each(|(name, content)| write_whole(&args.out.join(name), content));
    written.map_err(|e| e.to_string())
}
