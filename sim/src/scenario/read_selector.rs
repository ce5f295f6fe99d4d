//! Sets of nodes, in their one notation.

use super::diagnostic::plain;
use super::model::{Cluster, Selector};
use super::path::Path;
use super::problem::Problem;
use super::section::Section;
use super::tree::{Item, Value};

const NOTATION: &str = "write { all = true }, { pick = 10 }, { fraction = 0.1 }, { zone = \"a\" }, { rest = true } or [\"node-7\", \"node-8\"]";
const KEYS: [&str; 5] = ["all", "pick", "fraction", "zone", "rest"];

/// Reads a selector; what cannot be read is on the list and stands as every node.
pub(super) fn read_selector(
    item: &Item,
    path: &Path,
    cluster: &Cluster,
    problems: &mut Vec<Problem>,
) -> Selector {
    match &item.value {
        Value::List(items) => nodes(items, path, problems),
        Value::Table(entries) => {
            let mut table = Section::open(Some(item), path, &KEYS, problems);
            let given: Vec<&str> = KEYS.into_iter().filter(|key| table.get(key).is_some()).collect();
            let [key] = given[..] else {
                // An unknown key alone has been reported with the valid ones.
                if given.len() > 1 || entries.is_empty() {
                    let message = "must have exactly one of all, pick, fraction, zone and rest";
                    problems.push(Problem::at(path, message).hint(NOTATION));
                }
                return Selector::All;
            };
            one(key, &mut table, cluster).unwrap_or(Selector::All)
        }
        other => {
            let message = format!("must be a set of nodes, not {}", other.kind());
            problems.push(Problem::at(path, message).hint(NOTATION));
            Selector::All
        }
    }
}

fn one(key: &str, table: &mut Section<'_, '_>, cluster: &Cluster) -> Option<Selector> {
    match key {
        "pick" => table.whole_u32("pick", "10").map(Selector::Pick),
        "fraction" => table.number("fraction", "0.1").map(Selector::Fraction),
        "zone" => {
            let name = table.text("zone")?;
            let found = cluster.zones.iter().position(|zone| zone.name == name);
            if found.is_none() {
                let names: Vec<&str> = cluster.zones.iter().map(|zone| zone.name.as_str()).collect();
                let mut problem = Problem::unknown(&table.path.key("zone"), "zone", name, &names);
                if names.is_empty() {
                    problem = problem.hint("the cluster has no zones; add cluster.zones");
                }
                table.problems.push(problem);
            }
            found.map(Selector::Zone)
        }
        _ => {
            if !table.truth(key)? {
                table.report(key, "can only be true".into(), NOTATION);
            }
            Some(if key == "all" { Selector::All } else { Selector::Rest })
        }
    }
}

fn nodes(items: &[Item], path: &Path, problems: &mut Vec<Problem>) -> Selector {
    let mut numbers = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let wrong = match &item.value {
            Value::Text(text) => match number_of(text) {
                Some(number) => {
                    numbers.push(number);
                    continue;
                }
                None => format!("\"{}\" is no node's name", plain(text)),
            },
            other => format!("must be a node's name, not {}", other.kind()),
        };
        let hint = "nodes are named \"node-0\", \"node-1\", and so on";
        problems.push(Problem::at(&path.index(n), wrong).hint(hint));
        // Keeps the numbers of the elements that follow.
        numbers.push(u32::MAX);
    }
    Selector::Nodes(numbers)
}

fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("node-")?;
    let number: u32 = digits.parse().ok()?;
    // "node-07" and "node-+7" are no names.
    (number.to_string() == digits).then_some(number)
}
