//! How things stood at moments of a run, as JSON: counts, what is believed of each node, and what some nodes believe.
//!
//! `cargo run --release -p rumormill-sim --example moments -- scenarios/lan-1000.toml 1 30 31.5 40`: the first variant with seed 1, at
//! these seconds.

use std::path::Path;
use std::process::ExitCode;

use rumormill_sim::film::{self, Counts, Film, Screen};
use rumormill_sim::metrics::views::View;
use rumormill_sim::scenario::Scenario;

/// One moment.
#[derive(serde::Serialize)]
struct Moment {
    /// Microseconds from t = 0.
    at: u64,
    counts: Counts,
    /// For each node, how many live observers suspect it; hold it to be failed; see it present.
    suspected: Vec<u32>,
    failed: Vec<u32>,
    present: Vec<u64>,
    /// What some observers believe.
    observers: Vec<Observer>,
}

#[derive(serde::Serialize)]
struct Observer {
    node: u32,
    /// How many nodes it believes unknown, alive, suspected, failed, left.
    beliefs: [usize; 5],
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match moments(&args) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn moments(args: &[String]) -> Result<String, String> {
    let [file, seed, seconds @ ..] = args else {
        return Err("usage: moments SCENARIO SEED SECONDS...".to_owned());
    };
    let seed: u64 = seed.parse().map_err(|error| format!("seed {seed:?}: {error}"))?;
    let moment = |text: &String| text.parse::<f64>().map_err(|error| format!("seconds {text:?}: {error}"));
    let mut seconds = seconds.iter().map(moment).collect::<Result<Vec<f64>, String>>()?;
    seconds.sort_by(f64::total_cmp);
    let scenario = Scenario::load(Path::new(file), &[]).map_err(|problems| problems.to_string())?;
    let film = film::record(&scenario, 0, seed);
    let mut screen = film.screen();
    let moments: Vec<Moment> = seconds
        .into_iter()
        .map(|second| {
            let at = (second * 1e6).round() as u64;
            screen.advance(at);
            stands(&film, &screen, at)
        })
        .collect();
    serde_json::to_string(&moments).map_err(|error| error.to_string())
}

fn stands(film: &Film, screen: &Screen<'_>, at: u64) -> Moment {
    let nodes = 0..film.nodes;
    // Whoever comes first, last, and some between.
    let observers = nodes.clone().filter(|node| node % 37 == 0 || node + 1 == film.nodes);
    let believes = |node, view| nodes.clone().filter(|s| *s != node && screen.view(node, *s) == view).count();
    let views = [View::Unknown, View::Alive, View::Suspect, View::Failed, View::Left];
    Moment {
        at,
        counts: screen.counts(),
        suspected: nodes.clone().map(|node| screen.suspected_by(node)).collect(),
        failed: nodes.clone().map(|node| screen.failed_at(node)).collect(),
        present: nodes.clone().map(|node| screen.present_at(node)).collect(),
        observers: observers
            .map(|node| Observer { node, beliefs: views.map(|view| believes(node, view)) })
            .collect(),
    }
}
