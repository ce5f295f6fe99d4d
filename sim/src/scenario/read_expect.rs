//! `[[expect]]`: what must hold.

use super::model::{Bound, Expect, Over};
use super::path::Path;
use super::problem::Problem;
use super::section::Section;
use super::tree::{Item, Value};
use crate::metric::{METRICS, Metric, STATISTICS, Shape, Unit, metric_named};

const KEYS: [&str; 5] = ["metric", "below", "above", "equals", "over"];
const BOUNDS: [&str; 3] = ["below", "above", "equals"];
const OVERS: [(&str, Over); 4] = [
    ("each-seed", Over::EachSeed),
    ("median", Over::Median),
    ("worst", Over::Worst),
    ("pooled", Over::Pooled),
];

/// Reads one expectation; what is wrong is on the list and stands as something harmless.
pub(super) fn expect(item: &Item, path: &Path, problems: &mut Vec<Problem>) -> Expect {
    let mut clause = Section::open(Some(item), path, &KEYS, problems);
    let over = clause.choice("over", "way to take seeds together", &OVERS).unwrap_or(Over::EachSeed);
    let name = clause.need("metric", "\"detection.all.p99\"").and_then(|_| clause.text("metric"));
    let named = name.and_then(|name| match find(name, &clause.path.key("metric")) {
        Ok(found) => Some(found),
        Err(problem) => {
            clause.problems.push(problem);
            None
        }
    });
    let bound = read_bound(&mut clause, named.map(|(metric, _)| metric)).unwrap_or(Bound::Above(0.0));
    let (metric, statistic) = named.map_or(("flaps", None), |(metric, statistic)| (metric.name, statistic));
    Expect { metric, statistic, bound, over, variant: None, ratio_to: None, line: 0 }
}

type Named = (&'static Metric, Option<&'static str>);

/// A metric and its statistic by their name in files.
fn find(name: &str, path: &Path) -> Result<Named, Problem> {
    let statistic_of = |text: &str| STATISTICS.into_iter().find(|statistic| *statistic == text);
    if let Some(metric) = metric_named(name).filter(|metric| metric.shape == Shape::Value) {
        return Ok((metric, None));
    }
    let split = name.rsplit_once('.').and_then(|(stem, last)| Some((metric_named(stem)?, last)));
    if let Some((metric, last)) = split
        && metric.shape == Shape::Distribution
        && let Some(statistic) = statistic_of(last)
    {
        return Ok((metric, Some(statistic)));
    }
    Err(explain(name, split, path))
}

fn explain(name: &str, split: Option<(&Metric, &str)>, path: &Path) -> Problem {
    let statistics = STATISTICS.join(", ");
    if metric_named(name).is_some() {
        let message = format!("`{name}` has many samples in a run, so a statistic must be named");
        return Problem::at(path, message).hint(format!("write \"{name}.p99\"; statistics: {statistics}"));
    }
    match split {
        Some((metric, _)) if metric.shape == Shape::Value => {
            let message = format!("`{}` is one number in a run and has no statistics", metric.name);
            Problem::at(path, message).hint(format!("write \"{}\"", metric.name))
        }
        Some((_, last)) => Problem::unknown(path, "statistic", last, &STATISTICS),
        None => {
            let names: Vec<String> = METRICS.iter().flat_map(spellings).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Problem::unknown(path, "metric", name, &names)
        }
    }
}

/// The ways to name a metric in a file.
fn spellings(metric: &Metric) -> Vec<String> {
    match metric.shape {
        Shape::Value => vec![metric.name.into()],
        Shape::Distribution => STATISTICS.iter().map(|s| format!("{}.{s}", metric.name)).collect(),
    }
}

fn read_bound(clause: &mut Section<'_, '_>, metric: Option<&Metric>) -> Option<Bound> {
    let given: Vec<(&str, &Item)> =
        BOUNDS.into_iter().filter_map(|key| clause.get(key).map(|item| (key, item))).collect();
    let [(key, item)] = given[..] else {
        let message = match given.len() {
            0 => "has no bound",
            _ => "has more than one bound",
        };
        let hint = "write exactly one of below, above and equals; two bounds are two [[expect]]";
        clause.problems.push(Problem::at(&clause.path, message).hint(hint));
        return None;
    };
    // Without its metric, a bound has no unit to be checked against.
    let value = match metric?.unit {
        Unit::Seconds => clause.duration(key, "20s")?.as_secs_f64(),
        unit => {
            if let Value::Text(_) = item.value {
                let message =
                    format!("{} is {}, so the bound must be a plain number", metric?.name, unit_name(unit));
                clause.report(key, message, &format!("for example {key} = 3"));
                return None;
            }
            clause.number(key, "3")?
        }
    };
    Some(match key {
        "below" => Bound::Below(value),
        "above" => Bound::Above(value),
        _ => Bound::Equals(value),
    })
}

/// The unit in a sentence.
fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "in seconds",
        Unit::Count => "a count",
        Unit::PerNodeHour => "per node and hour",
        Unit::PerMemberPeriod => "per node and probe interval",
        Unit::BytesPerNodeSecond => "in bytes per node and second",
        Unit::PacketsPerNodeSecond => "in packets per node and second",
        Unit::Messages => "in messages",
        Unit::NodePairs => "in pairs of observer and subject",
    }
}
