//! `bench`: how fast this machine simulates.

use std::time::Duration;

use rumormill_sim::bench::{self, Driver, Row, Run, Settings};

use super::{Format, files};

/// What the bench subcommand takes.
#[derive(Debug, clap::Args)]
pub(super) struct BenchArgs {
    /// Cluster sizes.
    #[arg(long, value_delimiter = ',', default_value = "100,1000", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    nodes: Vec<u32>,
    /// Runs of each, with seeds of their own; the table shows medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    runs: u64,
    /// Simulated seconds of the idle phase.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    idle: u64,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const WHAT: [(&str, Driver, Settings); 4] = [
    ("simulator", Driver::Simulator, Settings::Plain),
    ("simulator, coordinates", Driver::Simulator, Settings::Coordinates),
    ("simulator, LAN defaults", Driver::Simulator, Settings::Lan),
    ("core alone", Driver::Arena, Settings::Plain),
];

pub(super) fn bench(args: &BenchArgs) -> u8 {
    let idle = Duration::from_secs(args.idle);
    let mut rows: Vec<Row> = Vec::new();
    for &nodes in &args.nodes {
        let mut runs: [Vec<Run>; WHAT.len()] = Default::default();
        // In turn, so that a busy moment of the machine slows all of them.
        for seed in 1..=args.runs {
            for ((_, driver, settings), runs) in WHAT.iter().zip(&mut runs) {
                runs.push(bench::run(*driver, *settings, nodes, idle, seed));
            }
        }
        let both: Vec<[Row; 2]> =
            WHAT.iter().zip(&runs).map(|((what, ..), runs)| Row::of(what, nodes, runs)).collect();
        for phase in 0..2 {
            rows.extend(both.iter().map(|row| row[phase].clone()));
        }
    }
    files::print(|out| match args.format {
        Format::Text => {
            writeln!(out, "{}", bench::render(&rows, anstream::stdout().is_terminal()))?;
            args.nodes.iter().try_for_each(|nodes| {
                let cost = bench::per_row(*nodes, 21);
                writeln!(out, "full push/pull, {nodes} nodes: {cost:.0} ns per row merged")
            })
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string(&rows).map_err(std::io::Error::other)?),
    })
}
