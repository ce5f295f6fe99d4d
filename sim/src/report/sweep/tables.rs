//! What reports of a sweep say in words and cells: the same on the page and on the terminal.

use super::super::figures::{Row, Table, grouped_count, number, sample, unit};
use crate::metric::Unit;
use crate::stats::RUNS_MIN;
use crate::sweep::{Choice, Estimate, Objective, Outcome, Standing, Sweep};

/// A figure with its interval.
pub(super) fn figure(of: &Estimate) -> String {
    let Some(value) = of.value else { return "nothing to measure".to_owned() };
    match (of.low, of.high) {
        (_, Some(high)) if of.never() => format!("0 (below {})", number(high.value)),
        (Some(_), Some(high)) if high.censored => format!("{} (upper end not reached)", sample(value)),
        (Some(low), Some(high)) => {
            format!("{} ({} to {})", sample(value), number(low.value), number(high.value))
        }
        _ => sample(value),
    }
}

/// A key without the way to it, which all settings of the core share.
pub(super) fn short(key: &str) -> &str {
    key.strip_prefix("cluster.config.").unwrap_or(key)
}

/// Settings in one cell.
pub(super) fn settings(point: &Outcome) -> String {
    let one = |(key, value): &(String, String)| format!("{} = {value}", short(key));
    point.settings.iter().map(one).collect::<Vec<String>>().join(", ")
}

/// An objective with its unit, as a column's head.
pub(super) fn head(objective: &Objective) -> String {
    match objective.entry().map_or("", |entry| unit(entry.unit)) {
        "" => objective.name(),
        unit => format!("{} ({unit})", objective.name()),
    }
}

fn standing(of: Standing) -> &'static str {
    match of {
        Standing::Front => "front",
        Standing::NotDistinguishable => "not distinguishable",
        Standing::Behind => "behind",
        Standing::NoValue => "no value",
    }
}

/// The standing as a word, for files.
pub(super) fn standing_word(of: Standing) -> &'static str {
    match of {
        Standing::NotDistinguishable => "not-distinguishable",
        Standing::NoValue => "no-value",
        other => standing(other),
    }
}

fn row(sweep: &Sweep, point: &Outcome, with_standing: bool) -> Row {
    let mut cells = vec![point.number.to_string()];
    cells.extend(point.figures.iter().take(sweep.objectives.len()).map(figure));
    cells.extend(with_standing.then(|| standing(point.standing).to_owned()));
    let alike =
        sweep.points.iter().take(point.number.saturating_sub(1)).find(|other| other.digest == point.digest);
    let alike = alike.map_or(String::new(), |other| format!(" (the same runs as point {})", other.number));
    cells.push(format!("{}{alike}", settings(point)));
    Row { cells, good: (!point.unsound.is_empty()).then_some(false) }
}

fn table(sweep: &Sweep, points: &[&Outcome], with_standing: bool) -> Table {
    let mut head = vec!["point".to_owned()];
    head.extend(sweep.objectives.iter().map(self::head));
    head.extend(with_standing.then(|| "stands".to_owned()));
    head.push("settings".to_owned());
    Table { head, rows: points.iter().map(|point| row(sweep, point, with_standing)).collect() }
}

/// The front, from the best in the first objective on.
pub(super) fn front(sweep: &Sweep) -> Table {
    table(sweep, &sweep.front(), false)
}

/// Points that chance alone may have put behind the front.
pub(super) fn near(sweep: &Sweep) -> Table {
    let near: Vec<&Outcome> =
        sweep.points.iter().filter(|point| point.standing == Standing::NotDistinguishable).collect();
    table(sweep, &near, false)
}

/// All points, at most so many.
pub(super) fn all(sweep: &Sweep, most: usize) -> Table {
    table(sweep, &sweep.points.iter().take(most).collect::<Vec<_>>(), true)
}

/// How much each key matters on its own.
pub(super) fn marginals(sweep: &Sweep) -> Table {
    let mut head = vec!["key".to_owned(), "value".to_owned(), "points".to_owned()];
    head.extend(sweep.objectives.iter().map(self::head));
    let mut rows = Vec::new();
    for marginal in &sweep.marginals {
        for (number, group) in marginal.groups.iter().enumerate() {
            let key = if number == 0 { short(&marginal.key).to_owned() } else { String::new() };
            let mut cells = vec![key, group.value.clone(), group.points.len().to_string()];
            cells.extend(group.medians.iter().map(|median| median.map_or("-".to_owned(), sample)));
            rows.push(Row { cells, good: None });
        }
        let mut cells = vec![String::new(), "most / least".to_owned(), String::new()];
        cells.extend(
            marginal.reach.iter().map(|reach| reach.map_or("-".to_owned(), |r| format!("x {}", number(r)))),
        );
        rows.push(Row { cells, good: None });
    }
    Table { head, rows }
}

/// What was run and what came out, in plain words.
pub(super) fn story(sweep: &Sweep) -> String {
    let mut sentences = vec![what_was_run(sweep)];
    if sweep.left_out > 0 {
        let n = count(sweep.left_out);
        sentences.push(format!("{n} more were left out because their settings do not go together."));
    }
    sentences.extend(who_stands_where(sweep));
    let best = sweep.objectives.iter().enumerate().filter_map(|(k, objective)| best(sweep, k, objective));
    sentences.extend(best);
    let rare = sweep.objectives.iter().position(|o| o.entry().is_some_and(|e| e.unit == Unit::PerNodeHour));
    if let Some(hours) = rare.and_then(|k| sweep.points.first()?.figures.get(k)?.node_hours) {
        sentences.push(format!("Each setting was watched for {} node-hours or so.", number(hours)));
    }
    sentences.join(" ")
}

fn count(n: usize) -> String {
    grouped_count(n as u64)
}

fn what_was_run(sweep: &Sweep) -> String {
    let how = match sweep.choice {
        Choice::Grid => "a grid".to_owned(),
        Choice::Random { seed, .. } => format!("drawn at random with seed {seed}"),
    };
    let nodes = sweep.nodes.map_or(String::new(), |n| format!(" of {} nodes", grouped_count(u64::from(n))));
    format!(
        "{} settings ({how}) of the scenario {}{nodes}, each with the same {} seeds from {} on: {} runs.",
        count(sweep.points.len()),
        sweep.name,
        sweep.seeds,
        sweep.seed,
        grouped_count(sweep.points.len() as u64 * u64::from(sweep.seeds)),
    )
}

fn who_stands_where(sweep: &Sweep) -> Vec<String> {
    let front = sweep.standing(Standing::Front);
    let objectives: Vec<String> = sweep.objectives.iter().map(Objective::name).collect();
    let are = if front == 1 { "is" } else { "are" };
    let mut sentences = vec![format!(
        "{} of them {are} on the front: no other setting is at least as good in all of {} and better in one.",
        count(front),
        objectives.join(", "),
    )];
    let near = sweep.standing(Standing::NotDistinguishable);
    if near > 0 {
        sentences.push(format!("Of {} more chance alone may have put behind it.", count(near)));
    }
    let unknown = sweep.standing(Standing::NoValue);
    if unknown > 0 {
        sentences.push(format!(
            "{} have no value in an objective: nothing happened that it measures, or too little for the percentile.",
            count(unknown)
        ));
    }
    if (sweep.seeds as usize) < RUNS_MIN {
        let few =
            "With fewer than 6 seeds times and loads have no intervals, so little can be told from chance.";
        sentences.push(few.to_owned());
    }
    sentences
}

/// The best figure in an objective, and whose it is.
fn best(sweep: &Sweep, k: usize, objective: &Objective) -> Option<String> {
    let known = sweep.points.iter().filter_map(|point| Some((point, point.figures.get(k)?.value?)));
    let (point, _) = known.min_by(|a, b| objective.rank(&a.1, &b.1).then(a.0.number.cmp(&b.0.number)))?;
    let unit = objective.entry().map_or("", |entry| unit(entry.unit));
    let figure = format!("{} {unit}", figure(&point.figures[k]));
    Some(format!("Best {}: {}, point {}.", objective.name(), figure.trim_end(), point.number))
}

/// Runs in which something did not hold, with the line that runs them again.
pub(super) fn unsound(sweep: &Sweep) -> Vec<String> {
    let bad = sweep.points.iter().filter(|point| !point.unsound.is_empty());
    bad.map(|point| {
        let seeds: Vec<String> = point.unsound.iter().map(u64::to_string).collect();
        format!(
            "point {}: an invariant did not hold, or a fault that had to act touched nothing, in seeds {}; to see it: {}",
            point.number,
            seeds.join(", "),
            point.rerun
        )
    })
    .collect()
}
