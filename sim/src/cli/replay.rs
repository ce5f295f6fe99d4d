//! `replay`: what happened in a run, step by step.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use rumormill_core::config::parse_duration;
use rumormill_core::time::nanos;
use rumormill_sim::RunRecord;
use rumormill_sim::trace::{self, Filter, Kind, Recording};

use super::one::{Chosen, OneRun};
use super::{Format, files, player};

/// What the replay subcommand takes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    run: OneRun,
    /// The moment that matters, since the start, e.g. 31.5s; by default the whole of the measured time.
    #[arg(long, value_parser = parse_duration)]
    at: Option<Duration>,
    /// How long before and after it.
    #[arg(long, value_parser = parse_duration, default_value = "1s", requires = "at")]
    around: Duration,
    /// Only what happens at these nodes; of packets either end counts (may be repeated, or a list with commas).
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    node: Vec<String>,
    /// Only what is about these members: probes of them, what others believe of them, packets that speak of them.
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    about: Vec<String>,
    /// Only happenings of these kinds.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = Kind::ALL.map(Kind::name))]
    kinds: Vec<String>,
    /// The most happenings that are shown: the first ones.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    most: u32,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a page that plays the whole run instead: to this path, or beside the run's report.
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "",
        conflicts_with_all = ["at", "node", "about", "kinds", "most", "format"])]
    html: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  rumor-sim replay scenarios/loss-1000.toml --seed 2 --at 30s --around 5ms --kinds fault,truth,packet
  rumor-sim replay scenarios/loss-1000.toml --variant bursts --about node-7 --kinds probe,suspicion,refutation,row
  rumor-sim replay scenarios/leave-100.toml --node node-3 --at 20s --format json
  rumor-sim replay scenarios/lan-1000.toml --seed 3 --html=lan-1000.html";

pub(super) fn replay(args: &ReplayArgs) -> u8 {
    let (chosen, filter) = match args.run.choose().and_then(|chosen| Ok((filter(args, &chosen)?, chosen))) {
        Ok((filter, chosen)) => (chosen, filter),
        Err(code) => return code,
    };
    if let Some(path) = &args.html {
        return player::write(&args.run, &chosen, path);
    }
    let bar = args.run.bar(&chosen);
    let mut tell = |seconds| bar.set_position(seconds as u64);
    let (record, recording) =
        trace::record(&chosen.scenario, chosen.variant, chosen.seed, &filter, &mut tell);
    bar.finish_and_clear();
    files::print(|out| match args.format {
        Format::Text => text(out, &chosen, &filter, &record, &recording),
        Format::Json => json(out, &chosen, &filter, &record, &recording),
    })
}

fn filter(args: &ReplayArgs, chosen: &Chosen) -> Result<Filter, u8> {
    let (nodes, about) = (chosen.nodes("--node", &args.node), chosen.nodes("--about", &args.about));
    let end = nanos(chosen.scenario.duration);
    let (from, until) = match args.at {
        None => (0, end),
        Some(at) => {
            let (at, around) = (chosen.moment("--at", at)?, nanos(args.around));
            (at.saturating_sub(around), at.saturating_add(around).min(end))
        }
    };
    let kinds = args.kinds.iter().filter_map(|name| Kind::named(name)).collect();
    Ok(Filter { from, until, nodes: nodes?, about: about?, kinds, most: args.most as usize })
}

fn text(
    out: &mut dyn Write,
    chosen: &Chosen,
    filter: &Filter,
    record: &RunRecord,
    recording: &Recording,
) -> std::io::Result<()> {
    let colour = anstream::stdout().is_terminal();
    let width = format!("node-{}", chosen.scenario.cluster.nodes.saturating_sub(1)).len();
    for line in trace::lines(&chosen.scenario, recording, filter) {
        writeln!(out, "{}", line.text(width, colour))?;
    }
    let (name, variant) = (&chosen.scenario.name, chosen.variant_name());
    if recording.left_out > 0 {
        writeln!(out, "{} more were left out: see --most, or ask for less", recording.left_out)?;
    }
    writeln!(out, "{name}, {variant}, seed {}: digest {}", record.seed, record.digest)
}

fn json(
    out: &mut dyn Write,
    chosen: &Chosen,
    filter: &Filter,
    record: &RunRecord,
    recording: &Recording,
) -> std::io::Result<()> {
    let head = serde_json::json!({
        "scenario": chosen.scenario.name,
        "variant": chosen.variant_name(),
        "seed": record.seed,
        "digest": record.digest,
        "left_out": recording.left_out,
    });
    let head = head.to_string();
    write!(out, "{},\"lines\":[", head.strip_suffix('}').unwrap_or(&head))?;
    for (number, line) in trace::lines(&chosen.scenario, recording, filter).enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let line = serde_json::to_string(&line).map_err(std::io::Error::other)?;
        write!(out, "{comma}\n{line}")?;
    }
    writeln!(out, "\n]}}")
}
