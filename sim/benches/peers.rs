//! Our core and simulator beside foca 2, in the same event loop and network.
//!
//! foca runs twice: as `foca` with its LAN preset, our time for a suspicion and our number of transmissions, to which `ratio`
//! compares; and as `foca, silent` also without its announcements (to one member every 30 s and to two that are down every
//! 65 s), which ours has none of and which take half its time in a large calm cluster, to which `to silent` compares.
//!
//! Each run has a process of its own: what another left of the heap would scatter its memory, and slow it by up to half.
//!
//! `cargo bench -p rumormill-sim --bench peers -- [--nodes 100,1000,4000] [--runs 5] [--format text|json]`

#[path = "peers/foca.rs"]
mod foca_cluster;

use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use rumormill_sim::bench::{self, Driver, Row, Run, Settings, render};

#[derive(Parser)]
struct Args {
    /// Cluster sizes.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,4000")]
    nodes: Vec<u32>,
    /// Runs of each.
    #[arg(long, default_value_t = 5)]
    runs: u64,
    /// Simulated seconds of the idle phase; ten times as many below 1000 nodes, so that there is something to measure.
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// What is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only what is measured under this name (`foca`, `foca, silent`, `core`, `simulator`, `simulator, coordinates`, `simulator, LAN defaults`); no ratios then.
    #[arg(long)]
    only: Option<String>,
    /// A single run with this seed, as JSON: what this program asks of itself.
    #[arg(long, hide = true, requires = "only")]
    seed: Option<u64>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

type Measure = fn(u32, Duration, u64) -> Run;

/// Where foca stands in `WHO`: with its announcements, and without.
const FOCA: [usize; 2] = [0, 1];
/// What is compared with it: what runs with the same settings.
const COMPARED: [usize; 2] = [2, 3];

const WHO: [(&str, Measure); 6] = [
    ("foca", |n, idle, seed| foca_cluster::run(foca_cluster::like_ours(n), n, idle, seed)),
    ("foca, silent", |n, idle, seed| foca_cluster::run(foca_cluster::silent(n), n, idle, seed)),
    ("core", |n, idle, seed| bench::run(Driver::Arena, Settings::Plain, n, idle, seed)),
    ("simulator", |n, idle, seed| bench::run(Driver::Simulator, Settings::Plain, n, idle, seed)),
    ("simulator, coordinates", |n, idle, seed| {
        bench::run(Driver::Simulator, Settings::Coordinates, n, idle, seed)
    }),
    ("simulator, LAN defaults", |n, idle, seed| bench::run(Driver::Simulator, Settings::Lan, n, idle, seed)),
];

/// One run in a process of its own.
fn run_alone(who: &str, nodes: u32, idle: Duration, seed: u64) -> Result<Run, Box<dyn Error>> {
    let told =
        [("--only", who.to_owned()), ("--nodes", nodes.to_string()), ("--idle", idle.as_secs().to_string())];
    let told = told
        .into_iter()
        .chain([("--seed", seed.to_string())])
        .flat_map(|(flag, value)| [flag.to_owned(), value]);
    let child = Command::new(std::env::current_exe()?).args(told).stderr(Stdio::inherit()).output()?;
    if !child.status.success() {
        return Err(format!(
            "the run of {who} with {nodes} nodes and seed {seed} ended with {}",
            child.status
        )
        .into());
    }
    Ok(serde_json::from_slice(&child.stdout)?)
}

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    if let Some(only) = &args.only {
        let Some((_, measure)) = WHO.iter().find(|(who, _)| who == only) else {
            let names = WHO.map(|(who, _)| format!("`{who}`")).join(", ");
            return Err(format!("--only {only}: nothing is measured under this name; valid: {names}").into());
        };
        if let (Some(seed), Some(nodes)) = (args.seed, args.nodes.first()) {
            let run = measure(*nodes, Duration::from_secs(args.idle), seed);
            println!("{}", serde_json::to_string(&run)?);
            return Ok(());
        }
    }
    let mut rows = Vec::new();
    for &nodes in &args.nodes {
        let idle = Duration::from_secs(if nodes < 1000 { 10 * args.idle } else { args.idle });
        // Interleaved, so that a busy neighbour on the machine slows all of them.
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); WHO.len()];
        for seed in 1..=args.runs {
            for (index, (who, _)) in WHO.iter().enumerate() {
                if args.only.as_deref().is_none_or(|only| only == *who) {
                    runs[index].push(run_alone(who, nodes, idle, seed)?);
                }
            }
        }
        let all: Vec<[Row; 2]> =
            WHO.iter().zip(&runs).map(|((who, _), runs)| Row::of(who, nodes, runs)).collect();
        for phase in 0..2 {
            let [announcing, silent] = FOCA.map(|index| &all[index][phase]);
            for (index, row) in all.iter().enumerate().filter(|(_, row)| row[phase].runs > 0) {
                let row = row[phase].clone();
                rows.push(if COMPARED.contains(&index) { row.beside(announcing, silent) } else { row });
            }
        }
    }
    match args.format {
        Format::Text => {
            println!("{}", render(&rows, std::io::IsTerminal::is_terminal(&std::io::stdout())));
            if let (Some(small), Some(large)) = (args.nodes.iter().min(), args.nodes.iter().max()) {
                growth(&rows, *small, *large);
            }
            for nodes in args.nodes {
                println!("full push/pull, {nodes} nodes: {:.0} ns per row merged", bench::per_row(nodes, 21));
            }
        }
        Format::Json => println!("{}", serde_json::to_string(&rows)?),
    }
    Ok(())
}

/// What a datagram costs in the largest cluster over what it costs in the smallest.
fn growth(rows: &[Row], small: u32, large: u32) {
    for row in rows.iter().filter(|row| row.nodes == large) {
        let same = |other: &&Row| other.nodes == small && (other.phase, &other.who) == (row.phase, &row.who);
        if let Some(base) = rows.iter().find(same) {
            let times = row.ns_per_message / base.ns_per_message;
            println!(
                "{}, {}: a datagram costs {times:.2} times as much at {large} as at {small}",
                row.phase, row.who
            );
        }
    }
}
