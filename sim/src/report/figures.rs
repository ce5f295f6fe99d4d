//! What reports say in words and cells: the same on the page and on the terminal.

use crate::metric::{METRICS, Metric, Shape, Unit};
use crate::record::{RunRecord, Sample};
use crate::stats::{self, Interval};
use crate::summary::Summary;

/// A table of strings; the first row is its head, the first column names the row.
pub(super) struct Table {
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
}

/// A row, and whether it is good (`Some(true)`), bad, or neither.
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) good: Option<bool>,
}

fn row<const N: usize>(cells: [String; N]) -> Row {
    Row { cells: cells.into(), good: None }
}

/// A number with three or four significant digits, at a fixed format.
pub(super) fn number(x: f64) -> String {
    let size = x.abs();
    if x == libm::trunc(x) && size < 1e15 {
        grouped(x as i64)
    } else if size >= 1000.0 {
        grouped(libm::round(x) as i64)
    } else if size >= 100.0 {
        format!("{x:.1}")
    } else if size >= 1.0 {
        format!("{x:.2}")
    } else if size >= 0.001 {
        format!("{x:.4}")
    } else {
        format!("{x:.2e}")
    }
}

/// A count with its thousands apart.
pub(super) fn grouped_count(n: u64) -> String {
    grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

fn grouped(x: i64) -> String {
    let digits = x.unsigned_abs().to_string();
    let mut out = String::from(if x < 0 { "-" } else { "" });
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A sample: `> x` when it is only known to be larger.
pub(super) fn sample(s: Sample) -> String {
    if s.censored { format!("> {}", number(s.value)) } else { number(s.value) }
}

fn interval(i: Option<Interval>) -> String {
    match i {
        Some(i) if i.low.censored => format!("> {}", number(i.low.value)),
        Some(i) if i.high.censored => format!("{} to not reached", number(i.low.value)),
        Some(i) => format!("{} to {}", number(i.low.value), number(i.high.value)),
        None => "not estimable".to_owned(),
    }
}

/// A unit, short.
pub(super) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Count => "",
        Unit::PerNodeHour => "per node-hour",
        Unit::PerMemberPeriod => "per member-period",
        Unit::BytesPerNodeSecond => "B per node-second",
        Unit::PacketsPerNodeSecond => "packets per node-second",
        Unit::Messages => "messages",
        Unit::NodePairs => "pairs",
    }
}

/// Seeds as ranges: `1-10, 12`.
pub(super) fn seeds(seeds: &[u64]) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*seed) => *last = *seed,
            _ => parts.push((*seed, *seed)),
        }
    }
    let text = |(a, b): &(u64, u64)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// All runs' samples of a metric, sorted by time.
pub(super) fn pooled(runs: &[&RunRecord], metric: &str) -> Vec<Sample> {
    let mut all: Vec<Sample> =
        runs.iter().filter_map(|r| r.distributions.get(metric)).flatten().copied().collect();
    all.sort_by(stats::by_time);
    all
}

/// Distributions over all seeds.
pub(super) fn distributions(runs: &[&RunRecord]) -> Table {
    let head = vec![
        "metric",
        "n",
        "censored",
        "p50",
        "p90",
        "p99",
        "max",
        "95 % interval of p50",
        "of p90",
        "of p99",
    ];
    let rows = METRICS.iter().filter(|m| m.shape == Shape::Distribution);
    Table { head, rows: rows.filter_map(|m| distribution(m, runs)).collect() }
}

fn distribution(metric: &Metric, runs: &[&RunRecord]) -> Option<Row> {
    let all = pooled(runs, metric.name);
    let by_run: Vec<&[Sample]> =
        runs.iter().filter_map(|r| r.distributions.get(metric.name)).map(Vec::as_slice).collect();
    let largest = stats::largest(&all)?;
    let worth = stats::effective_samples(&by_run);
    let percentile = |permille| match stats::quantile(&all, permille) {
        Some(value) if stats::carries(worth, permille) => sample(value),
        _ => "not estimable".to_owned(),
    };
    let intervals = stats::cluster_intervals(&by_run, &[500, 900, 990]);
    let mut cells = vec![
        format!("{} ({})", metric.name, unit(metric.unit)),
        grouped(all.len() as i64),
        grouped(all.iter().filter(|s| s.censored).count() as i64),
        percentile(500),
        percentile(900),
        percentile(990),
        sample(largest),
    ];
    cells.extend(intervals.into_iter().map(interval));
    Some(Row { cells, good: None })
}

/// Values, one per seed.
pub(super) fn values(runs: &[&RunRecord]) -> Table {
    let head = vec!["metric", "seeds", "median", "95 % interval", "least", "most", "all seeds together"];
    let rows = METRICS.iter().filter(|m| m.shape == Shape::Value);
    Table { head, rows: rows.filter_map(|m| value(m, runs)).collect() }
}

fn value(metric: &Metric, runs: &[&RunRecord]) -> Option<Row> {
    let having: Vec<(&RunRecord, Sample)> =
        runs.iter().filter_map(|r| Some((*r, *r.values.get(metric.name)?))).collect();
    let values: Vec<Sample> = having.iter().map(|(_, v)| *v).collect();
    let name = match unit(metric.unit) {
        "" => metric.name.to_owned(),
        unit => format!("{} ({unit})", metric.name),
    };
    Some(row([
        name,
        values.len().to_string(),
        sample(stats::median(&values)?),
        interval(stats::order_interval(&values, 500)),
        sample(stats::smallest(&values)?),
        sample(stats::largest(&values)?),
        together(metric, &having),
    ]))
}

/// What all seeds say as one: convergence as a proportion, counts as a rate by exposure.
fn together(metric: &Metric, having: &[(&RunRecord, Sample)]) -> String {
    if metric.name == "convergence" {
        let hits = having.iter().filter(|(_, v)| !v.censored).count() as u64;
        let (low, high) = stats::wilson(hits, having.len() as u64);
        return format!("{hits} of {} ({:.1} % to {:.1} %)", having.len(), low * 100.0, high * 100.0);
    }
    if metric.unit != Unit::Count {
        return String::new();
    }
    let counts: Vec<f64> = having.iter().map(|(_, v)| v.value).collect();
    let exposures: Vec<f64> = having.iter().map(|(r, _)| r.node_hours).collect();
    let (count, hours) = (counts.iter().sum::<f64>(), exposures.iter().sum::<f64>());
    if hours <= 0.0 {
        return number(count);
    }
    let (low, high) = stats::garwood(count.max(0.0) as u64);
    if count == 0.0 {
        return format!("0 (95 % upper bound {} per node-hour)", number(high / hours));
    }
    let rate = number(count / hours);
    // Events that come in storms are not Poisson: then only runs are independent.
    match stats::dispersion(&counts) {
        Some(storm) if storm > stats::STORM => {
            let range = interval(stats::rate_interval(&counts, &exposures));
            format!(
                "{}; {rate} per node-hour ({range}; in storms, dispersion {})",
                number(count),
                number(storm)
            )
        }
        _ => {
            let range = format!("{} to {}", number(low / hours), number(high / hours));
            format!("{}; {rate} per node-hour ({range})", number(count))
        }
    }
}

/// Expectations.
pub(super) fn expectations(summary: &Summary) -> Table {
    let several = summary.variants.len() > 1;
    let rows = summary.expectations.iter().map(|e| {
        let observed = e.observed.map_or_else(|| "nothing".to_owned(), sample);
        let clause = if several { format!("{}: {}", e.variant, e.clause) } else { e.clause.clone() };
        let mut why = e.remark.clone().unwrap_or_default();
        if !e.failing_seeds.is_empty() {
            let seeds = format!("seeds {}", seeds(&e.failing_seeds));
            why = if why.is_empty() { seeds } else { format!("{seeds}: {why}") };
        }
        let held = if e.held { "held" } else { "NOT HELD" };
        Row { cells: vec![clause, observed, held.to_owned(), why], good: Some(e.held) }
    });
    Table { head: vec!["expected", "observed", "", "why not"], rows: rows.collect() }
}

/// What each fault did, added up over seeds.
pub(super) fn faults(runs: &[&RunRecord]) -> Table {
    let head = vec!["at (s)", "fault", "until (s)", "aimed at", "did, all seeds together", ""];
    let first = runs.iter().max_by_key(|r| r.faults.len());
    let rows = first.map_or(&[][..], |r| &r.faults).iter().map(|fault| {
        let effects: Vec<_> =
            runs.iter().filter_map(|r| r.faults.iter().find(|f| f.index == fault.index)).collect();
        let idle = effects.iter().filter(|f| !f.acted()).count();
        let mut did = std::collections::BTreeMap::<&str, u64>::new();
        for (what, n) in effects.iter().flat_map(|f| &f.did) {
            *did.entry(what).or_default() += n;
        }
        let did: Vec<String> = did
            .iter()
            .map(|(what, n)| format!("{} {}", what.replace('_', " "), grouped(*n as i64)))
            .collect();
        let (verdict, good) = match idle {
            0 => ("acted".to_owned(), true),
            n if fault.may_be_idle => (format!("idle in {n} seeds, as allowed"), true),
            n => (format!("IDLE in {n} of {} seeds", effects.len()), false),
        };
        let nodes = if fault.aimed == 1 {
            "1 node".to_owned()
        } else {
            format!("{} nodes", grouped(fault.aimed as i64))
        };
        let until = fault.until.map_or_else(|| "-".to_owned(), number);
        let cells = vec![number(fault.at), fault.kind.clone(), until, nodes, did.join(", "), verdict];
        Row { cells, good: Some(good) }
    });
    Table { head, rows: rows.collect() }
}

/// Invariants, added up over seeds.
pub(super) fn invariants(runs: &[&RunRecord]) -> Table {
    let head = vec!["invariant", "facts checked", "violations", "remark"];
    let first = runs.iter().max_by_key(|r| r.invariants.len());
    let rows = first.map_or(&[][..], |r| &r.invariants).iter().map(|invariant| {
        let all: Vec<_> = runs
            .iter()
            .filter_map(|r| r.invariants.iter().find(|i| i.number == invariant.number).map(|i| (r.seed, i)))
            .collect();
        let sum =
            |of: fn(&crate::record::InvariantOutcome) -> u64| all.iter().map(|(_, i)| of(i)).sum::<u64>();
        let (checked, violations) = (sum(|i| i.checked), sum(|i| i.violations));
        let mut remarks: Vec<String> = Vec::new();
        if let Some((seed, v)) = all.iter().find_map(|(seed, i)| i.first.as_ref().map(|v| (seed, v))) {
            remarks.push(format!("seed {seed}, {} s, {}: {}", number(v.at), v.node, v.what));
        }
        remarks.extend(invariant.not_applicable.iter().map(|why| format!("does not apply: {why}")));
        remarks.extend(invariant.remark.clone());
        let checked_cell = if checked == 0 { "none".to_owned() } else { grouped(checked as i64) };
        let name = format!("{}. {}", invariant.number, invariant.name);
        let good = if violations > 0 { Some(false) } else { (checked > 0).then_some(true) };
        Row { cells: vec![name, checked_cell, grouped(violations as i64), remarks.join("; ")], good }
    });
    Table { head, rows: rows.collect() }
}

/// Traffic by message kind, averaged over seeds.
pub(super) fn kinds(runs: &[&RunRecord]) -> Table {
    let head = vec!["message", "per node-second", "bytes per node-second", "share of bytes"];
    let seconds: f64 = runs.iter().map(|r| r.node_hours * 3600.0).sum();
    let mut kinds = std::collections::BTreeMap::<&str, (u64, u64)>::new();
    for (kind, load) in runs.iter().flat_map(|r| &r.load_by_kind) {
        let sum = kinds.entry(kind).or_default();
        sum.0 += load.messages;
        sum.1 += load.bytes;
    }
    let total: u64 = kinds.values().map(|(_, bytes)| bytes).sum();
    let mut kinds: Vec<_> = kinds.into_iter().filter(|(_, (messages, _))| *messages > 0).collect();
    kinds.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(b.0)));
    let per = |n: u64| if seconds > 0.0 { number(n as f64 / seconds) } else { "-".to_owned() };
    let share = |n: u64| format!("{:.1} %", n as f64 * 100.0 / total.max(1) as f64);
    let rows = kinds
        .into_iter()
        .map(|(kind, (messages, bytes))| row([kind.to_owned(), per(messages), per(bytes), share(bytes)]));
    Table { head, rows: rows.collect() }
}

/// Figures of a variant that belong at the top: label, value, remark.
pub(super) fn key_figures(runs: &[&RunRecord]) -> Vec<(&'static str, String, String)> {
    let mut out = Vec::new();
    for (label, metric) in
        [("first detection, median", "detection.first"), ("known to all, median", "detection.all")]
    {
        let all = pooled(runs, metric);
        if let Some(median) = stats::quantile(&all, 500) {
            let by_run: Vec<&[Sample]> =
                runs.iter().filter_map(|r| r.distributions.get(metric)).map(Vec::as_slice).collect();
            let worth = stats::effective_samples(&by_run);
            let p90 = stats::quantile(&all, 900).filter(|_| stats::carries(worth, 900));
            let p90 = p90.map(|v| format!("p90 {} s, ", sample(v))).unwrap_or_default();
            out.push((
                label,
                format!("{} s", sample(median)),
                format!("{p90}n = {}", grouped(all.len() as i64)),
            ));
        }
    }
    for (label, metric, unit) in [
        ("convergence, median", "convergence", " s"),
        ("false positives, median", "false_positives.all", ""),
        ("load per node, median", "load.bytes", " B/s"),
        ("deepest queue, median", "queue.depth", ""),
    ] {
        let values: Vec<Sample> = runs.iter().filter_map(|r| r.values.get(metric)).copied().collect();
        if let (Some(median), Some(most)) = (stats::median(&values), stats::largest(&values)) {
            let remark = format!("most {}{unit}, {} seeds", sample(most), values.len());
            out.push((label, format!("{}{unit}", sample(median)), remark));
        }
    }
    out
}

/// What was run and what came out, in plain words.
pub(super) fn story(summary: &Summary) -> String {
    let s = &summary.scenario;
    let runs = match summary.seeds.len() {
        1 => format!("once (seed {})", seeds(&summary.seeds)),
        n => format!("{n} times (seeds {})", seeds(&summary.seeds)),
    };
    let begin = if s.start == "join" {
        "starting together and joining through the first of them"
    } else {
        "knowing each other from the start"
    };
    let mut text = format!(
        "A cluster of {} nodes on the {} profile, {begin}, was simulated {runs} for {} s, of which the first {} s do not count. ",
        grouped(i64::from(s.nodes)),
        s.profile,
        number(s.duration),
        number(s.warmup),
    );
    if summary.runs.is_empty() {
        return format!(
            "A cluster of {} nodes was to be simulated, but nothing was run.",
            grouped(i64::from(s.nodes))
        );
    }
    if summary.variants.len() > 1 {
        text.push_str(&format!("Each seed ran these variants: {}. ", summary.variants.join(", ")));
    }
    text.push_str(&outcome(summary));
    for variant in &summary.variants {
        text.push_str(&findings(summary, variant));
    }
    text.trim_end().to_owned()
}

fn outcome(summary: &Summary) -> String {
    let total = summary.expectations.len();
    let held = summary.expectations.iter().filter(|e| e.held).count();
    let expectations = match (total, held) {
        (0, _) => "The scenario expects nothing in particular".to_owned(),
        (1, 1) => "Its expectation held".to_owned(),
        (2, 2) => "Both expectations held".to_owned(),
        (n, h) if n == h => format!("All {n} expectations held"),
        (n, h) => format!("{} of {n} expectations did not hold", n - h),
    };
    let violations: u64 = summary.runs.iter().flat_map(|r| &r.invariants).map(|i| i.violations).sum();
    let invariants = match violations {
        0 => "no invariant was violated".to_owned(),
        1 => "an invariant was violated once".to_owned(),
        n => format!("invariants were violated {} times", grouped(n as i64)),
    };
    let idle = summary.runs.iter().flat_map(|r| &r.faults).filter(|f| !f.acted() && !f.may_be_idle).count();
    let faults = if idle == 0 {
        String::new()
    } else {
        ", and faults that should have acted touched nothing".to_owned()
    };
    format!("{expectations}, {invariants}{faults}. ")
}

fn findings(summary: &Summary, variant: &str) -> String {
    let runs = summary.runs_of(variant);
    let mut parts = Vec::new();
    let first = stats::quantile(&pooled(&runs, "detection.first"), 500);
    let all = stats::quantile(&pooled(&runs, "detection.all"), 500);
    if let (Some(first), Some(all)) = (first, all) {
        parts.push(format!(
            "half of the crashes were noticed within {} s and known everywhere within {} s",
            sample(first),
            sample(all)
        ));
    }
    let converged: Vec<Sample> = runs.iter().filter_map(|r| r.values.get("convergence")).copied().collect();
    if let Some(median) = stats::median(&converged) {
        parts.push(match converged.iter().filter(|v| v.censored).count() {
            0 => format!(
                "after the last change all views agreed with the truth within {} s (median)",
                sample(median)
            ),
            n => format!("in {n} of {} runs not all views agreed with the truth at the end", converged.len()),
        });
    }
    let wrongly: f64 = runs.iter().filter_map(|r| r.values.get("false_positives.all")).map(|v| v.value).sum();
    parts.push(match wrongly {
        0.0 => "nobody was declared failed who was not".to_owned(),
        n => format!("members that were well were declared failed {} times", number(n)),
    });
    let lead = if summary.variants.len() > 1 { format!("With {variant}, ") } else { String::new() };
    let mut text = format!("{lead}{}. ", parts.join("; "));
    if lead.is_empty()
        && let Some(head) = text.get(..1)
    {
        text = format!("{}{}", head.to_uppercase(), &text[1..]);
    }
    text
}

/// The line that repeats all of it, and one that repeats only what did not hold.
pub(super) fn reruns(summary: &Summary) -> Vec<String> {
    let command = |seed: u64, seeds: u64| {
        format!("rumor-sim run {} --seed {seed} --seeds {seeds}", summary.scenario.source)
    };
    let (Some(first), Some(last)) = (summary.seeds.first(), summary.seeds.last()) else {
        return Vec::new();
    };
    let mut lines = vec![command(*first, (last - first).saturating_add(1))];
    if let Some(seed) = summary.failing_seeds().first().filter(|_| summary.seeds.len() > 1) {
        lines.push(command(*seed, 1));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn numbers_read_well_and_never_change_their_form() {
        for (x, want) in [
            (0.0, "0"),
            (1234567.0, "1,234,567"),
            (-1000.0, "-1,000"),
            (2.34567, "2.35"),
            (123.456, "123.5"),
            (0.01234, "0.0123"),
            (12345.6, "12,346"),
        ] {
            assert_eq!(number(x), want);
        }
        assert_eq!(sample(Sample { value: 5.0, censored: true }), "> 5");
        assert_eq!(seeds(&[1, 2, 3, 5, 8, 9]), "1-3, 5, 8-9");
    }

    #[test]
    fn nothing_seen_is_a_bound_and_too_little_is_not_estimable() {
        let runs: Vec<RunRecord> = (1..=10).map(|s| run("default", s, 9)).collect();
        let refs: Vec<&RunRecord> = runs.iter().collect();
        let cell = |table: Table, name: &str, column: usize| {
            table.rows.into_iter().find(|r| r.cells[0].starts_with(name)).unwrap().cells.swap_remove(column)
        };
        // 10 x 47.2 node-hours: 3.689 / 472.
        assert_eq!(cell(values(&refs), "flaps", 6), "0 (95 % upper bound 0.0078 per node-hour)");
        assert_eq!(cell(distributions(&refs), "detection.first", 5), "not estimable");
        assert_eq!(cell(values(&refs), "convergence", 6), "10 of 10 (72.2 % to 100.0 %)");
        assert_eq!(cell(values(&refs[..5]), "convergence", 3), "not estimable");
    }

    #[test]
    fn the_story_says_what_failed() {
        let mut summary = Summary::new(&scenario(), "d", vec![run("default", 1, 20), run("default", 2, 20)]);
        assert!(story(&summary).contains("Both expectations held"), "{}", story(&summary));
        assert_eq!(reruns(&summary), ["rumor-sim run lan-1000-churn.toml --seed 1 --seeds 2"]);
        summary.expectations[0].held = false;
        summary.expectations[0].failing_seeds = vec![2];
        assert!(story(&summary).contains("1 of 2 expectations did not hold"));
        assert_eq!(reruns(&summary)[1], "rumor-sim run lan-1000-churn.toml --seed 2 --seeds 1");
    }
}
