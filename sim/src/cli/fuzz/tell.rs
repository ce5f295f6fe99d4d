//! What a campaign found, for people and for programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use rumormill_sim::fuzz::{Outcome, Swarm, Tally};
use rumormill_sim::sightings::Sight;

use super::FuzzArgs;

/// A campaign that is over.
pub(super) struct Found<'a> {
    pub(super) args: &'a FuzzArgs,
    pub(super) tally: &'a Tally,
    /// The scenario file of each failure that is kept.
    pub(super) written: &'a [PathBuf],
    /// Whether it has to have reached every state.
    pub(super) demanded: bool,
}

/// The form for programs.
#[derive(serde::Serialize)]
struct Document<'a> {
    version: &'a str,
    seed: u64,
    runs: u64,
    nodes: [u32; 2],
    holds: bool,
    digest: String,
    steps: u64,
    quiet_time_applied: u64,
    failed: u64,
    failures: Vec<Failure<'a>>,
    sometimes: Vec<Reached>,
    sometimes_demanded: bool,
}

#[derive(serde::Serialize)]
struct Failure<'a> {
    seed: u64,
    drawn: &'a str,
    broken: &'a [String],
    scenario: String,
    rerun: String,
}

#[derive(serde::Serialize)]
struct Reached {
    state: &'static str,
    runs: u64,
    first_seed: Option<u64>,
}

impl Found<'_> {
    /// Whether all held, and everything was reached that had to be.
    pub(super) fn holds(&self) -> bool {
        self.tally.failed == 0 && !(self.demanded && self.tally.unseen().next().is_some())
    }

    pub(super) fn text(&self) -> String {
        let tally = self.tally;
        let mut text = String::new();
        for (failure, path) in tally.failures.iter().zip(self.written) {
            let _ = writeln!(text, "seed {}: {}", failure.seed, failure.line);
            for broken in &failure.broken {
                let _ = writeln!(text, "  DID NOT HOLD: {broken}");
            }
            let path = path.display();
            let _ = writeln!(text, "  the scenario:     {path}");
            let _ = writeln!(text, "  to rerun it:      {}", self.rerun(failure));
            let _ = writeln!(text, "                    rumor-sim run {path}");
            // For what it cannot see it would say that all holds.
            if failure.shrinks {
                let _ = writeln!(text, "  to make it small: rumor-sim shrink {path} --seed {}", failure.seed);
            }
            text.push('\n');
        }
        let unlisted = tally.failed - tally.failures.len() as u64;
        if unlisted > 0 {
            let _ = writeln!(text, "... and {unlisted} more seeds\n");
        }
        let Swarm { nodes_min, nodes_max } = self.args.nodes;
        let last = self.args.seed.wrapping_add(tally.runs.saturating_sub(1));
        let _ = writeln!(
            text,
            "{} runs, seeds {} to {last}, {nodes_min} to {nodes_max} nodes: {} held, {} did not",
            tally.runs,
            self.args.seed,
            tally.runs - tally.failed,
            tally.failed
        );
        let _ = writeln!(
            text,
            "{} steps of nodes, {} a run; quiet time had to end in agreement in {} runs; digest {}\n",
            tally.steps,
            tally.steps / tally.runs.max(1),
            tally.quiet,
            tally.digest()
        );
        text.push_str(&self.table());
        text.push_str(&self.unseen());
        text
    }

    /// The line that runs exactly this seed again.
    fn rerun(&self, failure: &Outcome) -> String {
        let Swarm { nodes_min, nodes_max } = self.args.nodes;
        let nodes = if self.args.nodes == Swarm::default() {
            String::new()
        } else {
            format!(" --nodes {nodes_min}..{nodes_max}")
        };
        format!("rumor-sim fuzz --seed {} --runs 1{nodes}", failure.seed)
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["state", "runs", "first seed"]);
        for sight in Sight::ALL {
            let seen = self.tally.seen(sight);
            let first = seen.first.map_or_else(|| "never".to_owned(), |seed| seed.to_string());
            table.add_row([sight.name().to_owned(), seen.runs.to_string(), first]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }

    /// What was not reached, and whether that matters.
    fn unseen(&self) -> String {
        let names: Vec<&str> = self.tally.unseen().map(Sight::name).collect();
        if names.is_empty() {
            return "\nevery state was reached\n".to_owned();
        }
        let verdict = if self.demanded { "NEVER REACHED" } else { "never reached, and not demanded" };
        format!("\n{verdict}: {}\n", names.join(", "))
    }

    pub(super) fn json(&self) -> String {
        let tally = self.tally;
        let failures = tally.failures.iter().zip(self.written).map(|(failure, path)| Failure {
            seed: failure.seed,
            drawn: &failure.line,
            broken: &failure.broken,
            scenario: path.display().to_string(),
            rerun: self.rerun(failure),
        });
        let sometimes = Sight::ALL.into_iter().map(|sight| {
            let seen = tally.seen(sight);
            Reached { state: sight.name(), runs: seen.runs, first_seed: seen.first }
        });
        let document = Document {
            version: env!("CARGO_PKG_VERSION"),
            seed: self.args.seed,
            runs: tally.runs,
            nodes: [self.args.nodes.nodes_min, self.args.nodes.nodes_max],
            holds: self.holds(),
            digest: tally.digest(),
            steps: tally.steps,
            quiet_time_applied: tally.quiet,
            failed: tally.failed,
            failures: failures.collect(),
            sometimes: sometimes.collect(),
            sometimes_demanded: self.demanded,
        };
        // String keys and whole numbers only, so it always serialises.
        serde_json::to_string_pretty(&document).unwrap_or_else(|_| "null".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rumormill_sim::sightings::Sightings;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: FuzzArgs,
    }

    fn args(line: &str) -> FuzzArgs {
        Line::parse_from(line.split(' ')).args
    }

    fn outcome(seed: u64, broken: &[&str]) -> Outcome {
        Outcome {
            seed,
            line: "5 nodes, lan".into(),
            digest: seed.to_string(),
            steps: 3000,
            quiet: true,
            broken: broken.iter().map(|text| (*text).to_owned()).collect(),
            shrinks: !broken.is_empty(),
            seen: Sightings::default(),
        }
    }

    #[test]
    fn a_failing_seed_is_told_with_what_it_drew_what_broke_and_how_to_run_it_again() {
        let args = args("fuzz --seed 6 --nodes 4..9");
        let tally = Tally::of([outcome(6, &[]), outcome(7, &["invariant 3", "invariant 7"])]);
        let written = [PathBuf::from("out/fuzz-7.toml")];
        let found = Found { args: &args, tally: &tally, written: &written, demanded: false };
        assert!(!found.holds());
        let text = found.text();
        let lines = [
            "seed 7: 5 nodes, lan",
            "  DID NOT HOLD: invariant 3",
            "  DID NOT HOLD: invariant 7",
            "  the scenario:     out/fuzz-7.toml",
            "  to rerun it:      rumor-sim fuzz --seed 7 --runs 1 --nodes 4..9",
            "                    rumor-sim run out/fuzz-7.toml",
            "  to make it small: rumor-sim shrink out/fuzz-7.toml --seed 7",
        ];
        assert!(text.starts_with(&(lines.join("\n") + "\n")), "{text}");
        assert!(text.contains("2 runs, seeds 6 to 7, 4 to 9 nodes: 1 held, 1 did not"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&found.json()).unwrap();
        assert_eq!(json["failures"][0]["broken"][1], "invariant 7");
        assert_eq!(json["failures"][0]["scenario"], "out/fuzz-7.toml");
        assert_eq!((&json["holds"], &json["failed"]), (&false.into(), &1.into()));
    }

    #[test]
    fn what_shrink_cannot_see_is_not_sent_to_it() {
        let args = args("fuzz");
        let differs = Outcome { shrinks: false, ..outcome(64, &["a run is a value"]) };
        let tally = Tally::of([differs, outcome(65, &["it panicked: no way"])]);
        let written = ["a.toml", "b.toml"].map(PathBuf::from);
        let text = Found { args: &args, tally: &tally, written: &written, demanded: false }.text();
        assert!(text.contains("                    rumor-sim run a.toml\n\nseed 65"), "{text}");
        assert!(
            text.contains("rumor-sim shrink b.toml --seed 65\n\n") && !text.contains("shrink a.toml"),
            "{text}"
        );
    }

    #[test]
    fn what_was_never_reached_fails_a_campaign_only_where_it_is_demanded() {
        let args = args("fuzz");
        let tally = Tally::of([outcome(1, &[])]);
        let found = |demanded| Found { args: &args, tally: &tally, written: &[], demanded };
        assert!(found(false).holds() && !found(true).holds());
        assert!(found(true).text().contains("NEVER REACHED: probe answered late"));
        assert!(found(false).text().contains("never reached, and not demanded: probe answered late"));
        assert!(found(false).text().contains("\n refutation"));
    }
}
