//! `[[expect]]`: what must hold.

use super::model::{Bound, Expect, Over, Variant};
use super::path::Path;
use super::problem::Problem;
use super::section::Section;
use super::tree::{Item, Value};
use crate::metric::{METRICS, Metric, STATISTICS, Shape, Unit, metric_named};

const KEYS: [&str; 10] = [
    "metric",
    "below",
    "above",
    "equals",
    "near",
    "within",
    "wilson_contains",
    "over",
    "variant",
    "ratio_to",
];
const BOUNDS: [&str; 5] = ["below", "above", "equals", "near", "wilson_contains"];
const OVERS: [(&str, Over); 4] = [
    ("each-seed", Over::EachSeed),
    ("median", Over::Median),
    ("worst", Over::Worst),
    ("pooled", Over::Pooled),
];

/// Reads one expectation; what is wrong is on the list and stands as something harmless.
pub(super) fn expect(item: &Item, path: &Path, variants: &[Variant], problems: &mut Vec<Problem>) -> Expect {
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
    let variant = read_variant(&mut clause, "variant", variants);
    let ratio = clause.get("ratio_to").is_some();
    let ratio_to = read_variant(&mut clause, "ratio_to", variants);
    let bound = read_bound(&mut clause, named.map(|(metric, _)| metric), ratio).unwrap_or(Bound::Above(0.0));
    let (metric, statistic) = named.map_or(("flaps", None), |(metric, statistic)| (metric.name, statistic));
    Expect { metric, statistic, bound, over, variant, ratio_to, line: 0 }
}

/// A variant by its name.
fn read_variant(clause: &mut Section<'_, '_>, key: &str, variants: &[Variant]) -> Option<usize> {
    let name = clause.text(key)?;
    let found = variants.iter().position(|variant| variant.name == name);
    if found.is_none() {
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        clause.problems.push(Problem::unknown(&clause.path.key(key), "variant", name, &names));
    }
    found
}

type Named = (&'static Metric, Option<&'static str>);

/// A metric and its statistic by their name in files.
fn find(name: &str, path: &Path) -> Result<Named, Problem> {
    let statistic_of = |text: &str| STATISTICS.into_iter().find(|statistic| *statistic == text);
    if let Some(metric) = metric_named(name).filter(|metric| metric.shape != Shape::Distribution) {
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
        Some((metric, _)) if metric.shape != Shape::Distribution => {
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
        Shape::Value | Shape::Ratio => vec![metric.name.into()],
        Shape::Distribution => STATISTICS.iter().map(|s| format!("{}.{s}", metric.name)).collect(),
    }
}

fn read_bound(clause: &mut Section<'_, '_>, metric: Option<&Metric>, ratio: bool) -> Option<Bound> {
    let given: Vec<(&str, &Item)> =
        BOUNDS.into_iter().filter_map(|key| clause.get(key).map(|item| (key, item))).collect();
    let [(key, item)] = given[..] else {
        let message = match given.len() {
            0 => "has no bound",
            _ => "has more than one bound",
        };
        let hint = "write exactly one of below, above, equals, near and wilson_contains; two bounds are two [[expect]]";
        clause.problems.push(Problem::at(&clause.path, message).hint(hint));
        return None;
    };
    // Without its metric, a bound has no unit to be checked against.
    let value = match metric?.unit {
        Unit::Seconds if !ratio && key != "wilson_contains" => {
            clause.duration(key, "20s").map(|d| d.as_secs_f64())
        }
        unit => {
            if let Value::Text(_) = item.value {
                let what = if ratio { "a quotient without unit" } else { unit_name(unit) };
                let name = metric?.name;
                let message = format!("{name} is {what}, so the bound must be a plain number");
                clause.report(key, message, &format!("for example {key} = 3"));
                None
            } else {
                clause.number(key, "3")
            }
        }
    };
    let within = read_within(clause, key);
    Some(match key {
        "below" => Bound::Below(value?),
        "above" => Bound::Above(value?),
        "wilson_contains" => Bound::WilsonContains(value?),
        "near" => Bound::Near { value: value?, within: within? },
        _ => Bound::Equals(value?),
    })
}

/// The tolerance of `near`; nothing else has one.
fn read_within(clause: &mut Section<'_, '_>, bound: &str) -> Option<f64> {
    if bound == "near" {
        return clause.need("within", "0.03").and_then(|_| clause.number("within", "0.03"));
    }
    if clause.get("within").is_some() {
        let message = format!("`within` does not belong to `{bound}`");
        let problem = Problem::at(&clause.path.key("within"), message).key_itself();
        clause.problems.push(problem.hint("it is the tolerance of `near`"));
    }
    None
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
        Unit::Ratio => "a share",
    }
}
