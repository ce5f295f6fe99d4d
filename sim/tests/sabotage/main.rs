//! Every rule of consequence is broken once, and a check must notice: the mutation score of the protocol's checks.
//!
//! The checks are asked in order, all with the first seed, then all with the next. What they found stands in `sim/docs/sabotage.md`, which
//! is compared with what they find. To see the table: `cargo test -p rumormill-sim --features sabotage --test sabotage -- --nocapture`.

mod by_hand;
mod clusters;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use by_hand::HANDS;
use rayon::prelude::*;
use rumormill_core::Sabotage;
use rumormill_sim::Scenario;

/// Seeds with which every check is asked before a rule counts as unwatched; with all of them the checks hold when no rule is broken.
const SEEDS: u64 = 5;

/// A check of either kind.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    asks: &'static str,
    run: Run,
}

#[derive(Clone, Copy)]
enum Run {
    Cluster(&'static clusters::Cluster),
    Hand(&'static by_hand::Hand),
}

impl Check {
    fn run(&self, rule: Sabotage, seed: u64) -> Result<(), String> {
        match self.run {
            Run::Cluster(cluster) => cluster.run(rule, seed),
            Run::Hand(hand) => hand.run(rule, seed),
        }
    }
}

fn checks() -> Vec<Check> {
    let clusters = clusters::all().map(|c| Check { name: c.name, asks: c.asks, run: Run::Cluster(c) });
    let hands = HANDS.iter().map(|h| Check { name: h.name, asks: h.asks, run: Run::Hand(h) });
    clusters.chain(hands).collect()
}

/// How a broken rule was noticed.
struct Noticed {
    check: &'static str,
    /// Seeds with which that check had been asked by then.
    runs: u64,
    /// Of all seeds, those with which it notices.
    seeds: usize,
    what: String,
}

fn notice(rule: Sabotage, checks: &[Check]) -> Option<Noticed> {
    (1..=SEEDS).find_map(|seed| {
        checks.iter().find_map(|check| {
            let what = check.run(rule, seed).err()?;
            let seeds = (1..=SEEDS).filter(|seed| check.run(rule, *seed).is_err()).count();
            Some(Noticed { check: check.name, runs: seed, seeds, what })
        })
    })
}

#[test]
fn with_no_rule_broken_every_check_holds() {
    let cells: Vec<(Check, u64)> =
        checks().into_iter().flat_map(|check| (1..=SEEDS).map(move |seed| (check, seed))).collect();
    let wrong: Vec<String> = cells
        .par_iter()
        .filter_map(|(check, seed)| {
            let what = check.run(Sabotage::None, *seed).err()?;
            Some(format!("{} with seed {seed}: {what}", check.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_broken_rule_is_noticed_and_the_page_says_by_which_check() {
    let checks = checks();
    let found: Vec<(Sabotage, Option<Noticed>)> =
        Sabotage::ALL.par_iter().map(|rule| (*rule, notice(*rule, &checks))).collect();
    let mut table = String::from(
        "| sabotage | rule that is broken | noticed by | runs | seeds |\n|---|---|---|---|---|\n",
    );
    let mut unnoticed = Vec::new();
    for (rule, noticed) in &found {
        match noticed {
            None => unnoticed.push(rule.name()),
            Some(Noticed { check, runs, seeds, what }) => {
                let (rule, says) = (rule.name(), rule.rule());
                let _ = writeln!(table, "| `{rule}` | {says} | `{check}` | {runs} | {seeds} of {SEEDS} |");
                println!("{rule}: {check}, {runs}: {what}");
            }
        }
    }
    println!("\n{table}");
    assert!(unnoticed.is_empty(), "nothing notices {}", unnoticed.join(", "));
    let page = include_str!("../../docs/sabotage.md");
    assert!(page.contains(&table), "the table in sim/docs/sabotage.md should be:\n{table}");
    for Check { name, asks, .. } in &checks {
        let row = format!("| `{name}` | {asks} |\n");
        assert!(page.contains(&row), "sim/docs/sabotage.md should have the row:\n{row}");
    }
    let counts = format!("{} rules, {} checks", found.len(), checks.len());
    assert!(page.contains(&counts), "sim/docs/sabotage.md should say: {counts}");
}

#[test]
fn names_are_unique_and_scenario_files_take_them() {
    let mut names = BTreeSet::new();
    for rule in Sabotage::ALL {
        assert!(names.insert(rule.name()), "{rule}");
        let text = format!(
            "name = \"x\"\nduration = \"1s\"\n[cluster]\nnodes = 2\nconfig = {{ sabotage = \"{rule}\" }}\n"
        );
        let scenario = Scenario::parse(&text, "x.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(scenario.variants[0].config.sabotage, *rule);
    }
    assert!(
        checks().iter().all(|check| names.insert(check.name)),
        "a check has the name of another, or of a rule"
    );
}
