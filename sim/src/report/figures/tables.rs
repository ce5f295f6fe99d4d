//! Tables of what was found: expectations, times, figures, faults, invariants, traffic.

use std::collections::BTreeMap;

use super::{
    NOT_ESTIMABLE, Row, Table, by_run, grouped, grouped_count, heads, interval, named, number, pooled, row,
    sample, seeds,
};
use crate::expect::Verdict;
use crate::metric::{METRICS, Metric, Shape, Unit};
use crate::record::{FaultEffect, InvariantOutcome, Ratio, RunRecord, Sample};
use crate::stats;
use crate::summary::Summary;

/// The variants, and what makes them differ from the profile; without a row when there is nothing to compare.
pub(in crate::report) fn variants(summary: &Summary) -> Table {
    let head = heads(["variant", "settings that are not the profile's"]);
    if summary.variants.len() < 2 {
        return Table { head, rows: Vec::new() };
    }
    let rows = summary.variants.iter().map(|name| {
        let settings = summary.scenario.settings.get(name).into_iter().flatten();
        let mut settings: Vec<String> = settings.map(|(key, value)| format!("{key} = {value}")).collect();
        if settings.is_empty() {
            settings.push("none".to_owned());
        }
        row([name.clone(), settings.join(", ")])
    });
    Table { head, rows: rows.collect() }
}

/// A percentile of all seeds' samples, which are worth so many independent ones.
pub(super) fn percentile(sorted: &[Sample], worth: f64, permille: u32) -> String {
    match stats::quantile(sorted, permille) {
        Some(value) if stats::carries(worth, permille) => sample(value),
        _ => NOT_ESTIMABLE.to_owned(),
    }
}

/// Distributions over all seeds.
pub(in crate::report) fn distributions(runs: &[&RunRecord]) -> Table {
    let head = heads([
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
    ]);
    let rows = METRICS.iter().filter(|m| m.shape == Shape::Distribution);
    Table { head, rows: rows.filter_map(|m| distribution(m, runs)).collect() }
}

fn distribution(metric: &Metric, runs: &[&RunRecord]) -> Option<Row> {
    let all = pooled(runs, metric.name);
    let by_run = by_run(runs, metric.name);
    let largest = stats::largest(&all)?;
    let worth = stats::effective_samples(&by_run);
    let intervals = stats::cluster_intervals(&by_run, &[500, 900, 990]);
    let mut cells = vec![
        named(metric, ""),
        grouped(all.len() as i64),
        grouped(all.iter().filter(|s| s.censored).count() as i64),
        percentile(&all, worth, 500),
        percentile(&all, worth, 900),
        percentile(&all, worth, 990),
        sample(largest),
    ];
    cells.extend(intervals.into_iter().map(interval));
    Some(Row { cells, good: None })
}

/// Values, one per seed.
pub(in crate::report) fn values(runs: &[&RunRecord]) -> Table {
    let head = heads(["metric", "seeds", "median", "95 % interval", "least", "most", "all seeds together"]);
    let rows = METRICS.iter().filter(|m| m.shape != Shape::Distribution);
    Table { head, rows: rows.filter_map(|m| value(m, runs)).collect() }
}

fn value(metric: &Metric, runs: &[&RunRecord]) -> Option<Row> {
    let having: Vec<(&RunRecord, Sample)> =
        runs.iter().filter_map(|r| Some((*r, of_run(metric, r)?))).collect();
    let values: Vec<Sample> = having.iter().map(|(_, v)| *v).collect();
    Some(row([
        named(metric, ""),
        values.len().to_string(),
        sample(stats::median(&values)?),
        interval(stats::order_interval(&values, 500)),
        sample(stats::smallest(&values)?),
        sample(stats::largest(&values)?),
        together(metric, &having, false),
    ]))
}

/// What one run says of a metric that is no distribution.
pub(super) fn of_run(metric: &Metric, run: &RunRecord) -> Option<Sample> {
    match metric.shape {
        Shape::Ratio => run.ratios.get(metric.name)?.share().map(stats::seen),
        _ => run.values.get(metric.name).copied(),
    }
}

/// A share in percent, with as many digits as tell it from 0 % and 100 %.
pub(in crate::report) fn percent(share: f64) -> String {
    percent_of(share, 1)
}

/// The same where there is little room, in one piece.
pub(super) fn percent_short(share: f64) -> String {
    percent_of(share, 0).replace(' ', "\u{a0}")
}

/// In percent, with so many digits beside the one that tells it from 0 % and 100 %.
fn percent_of(share: f64, more: i64) -> String {
    let distance = share.min(1.0 - share);
    let digits = match distance {
        d if d <= 0.0 => 1,
        d => (-libm::floor(libm::log10(d)) as i64 - 2 + more).clamp(1, 8) as usize,
    };
    format!("{:.digits$} %", share * 100.0)
}

/// A share of all seeds together, with its interval: Wilson's, or resampled seeds where they differ by more than chance.
fn share_of(having: &[Ratio], brief: bool) -> String {
    let all: Ratio = having.iter().copied().sum();
    let (hits, of) = (grouped_count(all.hits), grouped_count(all.of));
    let (low, high) = stats::wilson(all.hits, all.of);
    if all.hits == 0 {
        return format!("0 of {of} (95 % upper bound {})", percent(high));
    }
    if all.hits == all.of {
        return format!("all {of} (95 % lower bound {})", percent(low));
    }
    let share = percent(all.share().unwrap_or_default());
    if !in_storms(having, all) {
        return format!("{share}: {hits} of {of} ({} to {})", percent(low), percent(high));
    }
    let counts = |of: fn(&Ratio) -> u64| having.iter().map(|r| of(r) as f64).collect::<Vec<f64>>();
    let range = match stats::rate_interval(&counts(|r| r.hits), &counts(|r| r.of)) {
        Some(range) => format!("{} to {}", percent(range.low.value), percent(range.high.value)),
        None => NOT_ESTIMABLE.to_owned(),
    };
    let note = if brief { "" } else { "; seeds differ by more than chance" };
    format!("{share}: {hits} of {of} ({range}{note})")
}

/// Whether shares of seeds differ by more than binomial chance: the index of dispersion, as of counts.
fn in_storms(having: &[Ratio], all: Ratio) -> bool {
    let Some(share) = all.share().filter(|share| having.len() > 1 && *share > 0.0 && *share < 1.0) else {
        return false;
    };
    let one = |r: &Ratio| {
        let (of, expected) = (r.of as f64, r.of as f64 * share);
        let off = r.hits as f64 - expected;
        if of > 0.0 { off * off / (expected * (1.0 - share)) } else { 0.0 }
    };
    having.iter().map(one).sum::<f64>() / (having.len() - 1) as f64 > stats::STORM
}

/// What all seeds say as one: convergence and shares as proportions, counts as a rate by exposure.
pub(super) fn together(metric: &Metric, having: &[(&RunRecord, Sample)], brief: bool) -> String {
    if metric.name == "convergence" {
        let hits = having.iter().filter(|(_, v)| !v.censored).count() as u64;
        let (low, high) = stats::wilson(hits, having.len() as u64);
        return format!("{hits} of {} ({:.1} % to {:.1} %)", having.len(), low * 100.0, high * 100.0);
    }
    if metric.shape == Shape::Ratio {
        let ratios: Vec<Ratio> =
            having.iter().filter_map(|(r, _)| r.ratios.get(metric.name)).copied().collect();
        return share_of(&ratios, brief);
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
    let storm = stats::dispersion(&counts).filter(|d| *d > stats::STORM);
    let (range, note) = match storm {
        Some(storm) => {
            let range = interval(stats::rate_interval(&counts, &exposures));
            (range, if brief { String::new() } else { format!("; in storms, dispersion {}", number(storm)) })
        }
        None => (format!("{} to {}", number(low / hours), number(high / hours)), String::new()),
    };
    format!("{}; {rate} per node-hour ({range}{note})", number(count))
}

/// Expectations.
pub(in crate::report) fn expectations(summary: &Summary) -> Table {
    let several = summary.variants.len() > 1;
    let rows = summary.expectations.iter().map(|e| {
        let observed = observed(e);
        let clause = if several { format!("{}: {}", e.variant, e.clause) } else { e.clause.clone() };
        let mut why = e.remark.clone().unwrap_or_default();
        if !e.failing_seeds.is_empty() {
            let seeds = format!("seeds {}", seeds(&e.failing_seeds));
            why = if why.is_empty() { seeds } else { format!("{seeds}: {why}") };
        }
        let held = if e.held { "held" } else { "NOT HELD" };
        Row { cells: vec![clause, observed, held.to_owned(), why], good: Some(e.held) }
    });
    Table { head: heads(["expected", "observed", "", "why not"]), rows: rows.collect() }
}

/// What was observed; of a share with its counts, and the interval that was judged.
pub(in crate::report) fn observed(verdict: &Verdict) -> String {
    let Some(value) = verdict.observed else { return "nothing".to_owned() };
    let Some(counts) = verdict.counts else { return sample(value) };
    let counted = format!("{} of {}", grouped_count(counts.hits), grouped_count(counts.of));
    match verdict.interval {
        Some((low, high)) => {
            format!("{}: {counted} ({} to {})", percent(value.value), percent(low), percent(high))
        }
        None => format!("{}: {counted}", percent(value.value)),
    }
}

/// What each fault did, all seeds and variants together; apart where variants differ.
pub(in crate::report) fn faults(summary: &Summary) -> Table {
    let head = heads(["at (s)", "fault", "until (s)", "aimed at", "did, all seeds together", ""]);
    let first = summary.runs.iter().max_by_key(|r| r.faults.len());
    let rows = first.map_or(&[][..], |r| &r.faults).iter().map(|fault| {
        let of = |variant: &str| -> Vec<&FaultEffect> {
            let runs = summary.runs_of(variant);
            runs.into_iter().filter_map(|r| r.faults.iter().find(|f| f.index == fault.index)).collect()
        };
        let did = summary.variants.iter().map(|variant| (variant.as_str(), deeds(&of(variant)))).collect();
        let effects: Vec<_> = summary.variants.iter().flat_map(|variant| of(variant)).collect();
        let idle = effects.iter().filter(|f| !f.acted()).count();
        let (verdict, good) = match idle {
            0 => ("acted".to_owned(), true),
            n if fault.may_be_idle => (format!("idle in {n} runs, as allowed"), true),
            n => (format!("IDLE in {n} of {} runs", effects.len()), false),
        };
        let nodes = match fault.aimed {
            1 => "1 node".to_owned(),
            n => format!("{} nodes", grouped(n as i64)),
        };
        let times = if fault.times > 1 { format!(", {} times", fault.times) } else { String::new() };
        let name = if fault.name.is_empty() {
            fault.kind.clone()
        } else {
            format!("{} ({})", fault.name, fault.kind)
        };
        let until = fault.until.map_or_else(|| "-".to_owned(), number);
        let at = format!("{}{times}", number(fault.at));
        Row { cells: vec![at, name, until, nodes, apart_where_different(did), verdict], good: Some(good) }
    });
    Table { head, rows: rows.collect() }
}

/// What a fault did in some runs, added up.
fn deeds(effects: &[&FaultEffect]) -> String {
    let mut did = BTreeMap::<&str, u64>::new();
    for (what, n) in effects.iter().flat_map(|f| &f.did) {
        *did.entry(what).or_default() += n;
    }
    let did: Vec<String> =
        did.iter().map(|(what, n)| format!("{} {}", what.replace('_', " "), grouped(*n as i64))).collect();
    did.join(", ")
}

/// One text where all variants have the same, otherwise each with its variant's name.
fn apart_where_different(texts: Vec<(&str, String)>) -> String {
    let Some((_, first)) = texts.first() else { return String::new() };
    if texts.iter().all(|(_, text)| text == first) {
        return first.clone();
    }
    let told = texts.into_iter().filter(|(_, text)| !text.is_empty());
    told.map(|(variant, text)| format!("{variant}: {text}")).collect::<Vec<_>>().join("; ")
}

/// Invariants, all seeds and variants together.
pub(in crate::report) fn invariants(summary: &Summary) -> Table {
    let head = heads(["invariant", "facts checked", "violations", "remark"]);
    // Of those that have most the first, whose names are never left out.
    let first = summary.runs.iter().rev().max_by_key(|r| r.invariants.len());
    let rows = first.map_or(&[][..], |r| &r.invariants).iter().map(|invariant| {
        let of = |run: &RunRecord| run.invariants.iter().find(|i| i.number == invariant.number).cloned();
        let all: Vec<(&RunRecord, InvariantOutcome)> =
            summary.runs.iter().filter_map(|r| Some((r, of(r)?))).collect();
        let checked: u64 = all.iter().map(|(_, i)| i.checked).sum();
        let violations: u64 = all.iter().map(|(_, i)| i.violations).sum();
        let mut remarks: Vec<String> = Vec::new();
        if let Some((run, v)) = all.iter().find_map(|(run, i)| i.first.as_ref().map(|v| (run, v))) {
            let which = if summary.variants.len() > 1 { format!("{}, ", run.variant) } else { String::new() };
            remarks.push(format!("{which}seed {}, {} s, {}: {}", run.seed, number(v.at), v.node, v.what));
        }
        let remark = |variant: &str| {
            let first = all.iter().find(|(run, _)| run.variant == variant).map(|(_, i)| i);
            let why =
                first.and_then(|i| i.not_applicable.as_ref()).map(|why| format!("does not apply: {why}"));
            why.into_iter().chain(first.and_then(|i| i.remark.clone())).collect::<Vec<_>>().join("; ")
        };
        let said = summary.variants.iter().map(|variant| (variant.as_str(), remark(variant))).collect();
        remarks.extend(Some(apart_where_different(said)).filter(|text| !text.is_empty()));
        let checked_cell = if checked == 0 { "none".to_owned() } else { grouped(checked as i64) };
        let name = format!("{}. {}", invariant.number, invariant.name);
        let good = if violations > 0 { Some(false) } else { (checked > 0).then_some(true) };
        Row { cells: vec![name, checked_cell, grouped(violations as i64), remarks.join("; ")], good }
    });
    Table { head, rows: rows.collect() }
}

/// What the network did to packets, added up over seeds, a column for each variant; without a row when it did nothing.
pub(in crate::report) fn network(summary: &Summary) -> Table {
    let mut head = heads(["what happened to packets"]);
    head.extend(summary.variants.iter().map(|variant| {
        if summary.variants.len() > 1 { variant.clone() } else { "all seeds together".to_owned() }
    }));
    let deeds: std::collections::BTreeSet<&String> =
        summary.runs.iter().flat_map(|run| run.network.keys()).collect();
    let rows = deeds.into_iter().map(|deed| {
        let sum = |variant: &String| -> u64 {
            summary.runs_of(variant).iter().filter_map(|run| run.network.get(deed)).sum()
        };
        let counts = summary.variants.iter().map(|variant| grouped(sum(variant) as i64));
        Row { cells: [deed.replace('_', " ")].into_iter().chain(counts).collect(), good: None }
    });
    Table { head, rows: rows.collect() }
}

/// Traffic by message kind, averaged over seeds.
pub(in crate::report) fn kinds(runs: &[&RunRecord]) -> Table {
    let head = heads(["message", "per node-second", "bytes per node-second", "share of bytes"]);
    let seconds = node_seconds(runs);
    let kinds = load_by_kind(runs);
    let total: u64 = kinds.iter().map(|sent| sent.bytes).sum();
    let per = |n: u64| if seconds > 0.0 { number(n as f64 / seconds) } else { "-".to_owned() };
    let share = |n: u64| format!("{:.1} %", n as f64 * 100.0 / total.max(1) as f64);
    let rows = kinds
        .into_iter()
        .map(|sent| row([sent.kind, per(sent.messages), per(sent.bytes), share(sent.bytes)]));
    Table { head, rows: rows.collect() }
}

/// What all nodes sent of a message kind.
pub(in crate::report) struct Sent {
    pub(in crate::report) kind: String,
    messages: u64,
    pub(in crate::report) bytes: u64,
}

/// Message kinds that were sent in some runs; most bytes first.
pub(in crate::report) fn load_by_kind(runs: &[&RunRecord]) -> Vec<Sent> {
    let mut kinds = BTreeMap::<&str, (u64, u64)>::new();
    for (kind, load) in runs.iter().flat_map(|r| &r.load_by_kind) {
        let sum = kinds.entry(kind).or_default();
        sum.0 += load.messages;
        sum.1 += load.bytes;
    }
    let sent = kinds.into_iter().filter(|(_, (messages, _))| *messages > 0);
    let mut sent: Vec<Sent> =
        sent.map(|(kind, (messages, bytes))| Sent { kind: kind.to_owned(), messages, bytes }).collect();
    sent.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.kind.cmp(&b.kind)));
    sent
}

/// Seconds that nodes were up and metered, over all nodes and runs.
pub(in crate::report) fn node_seconds(runs: &[&RunRecord]) -> f64 {
    runs.iter().map(|r| r.node_hours * 3600.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario, talking};

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
    fn shares_have_intervals_and_their_counts() {
        let of = |shares: &[(u64, u64)]| {
            share_of(
                &shares.iter().map(|(hits, of)| Ratio { hits: *hits, of: *of }).collect::<Vec<_>>(),
                false,
            )
        };
        assert_eq!(of(&[(0, 30)]), "0 of 30 (95 % upper bound 11.4 %)");
        assert_eq!(of(&[(500, 500), (500, 500)]), "all 1,000 (95 % lower bound 99.62 %)");
        assert_eq!(of(&[(81, 263)]), "30.8 %: 81 of 263 (25.5 % to 36.6 %)");
        // Two seeds of which one lost much and one nothing: too few to say how seeds differ.
        assert_eq!(
            of(&[(50, 100), (100, 100)]),
            "75.0 %: 150 of 200 (not estimable; seeds differ by more than chance)"
        );
        let many: Vec<(u64, u64)> = (0..10).map(|k| (if k % 2 == 0 { 900 } else { 1000 }, 1000)).collect();
        assert!(of(&many).starts_with("95.0 %: 9,500 of 10,000 (91."), "{}", of(&many));
        assert_eq!(percent(0.999_997_9), "99.99979 %");
        assert_eq!(
            (percent(0.0), percent(1.0), percent(0.5)),
            ("0.0 %".into(), "100.0 %".into(), "50.0 %".into())
        );
    }

    #[test]
    fn expected_shares_show_their_counts_and_what_chance_allows() {
        let mut scenario = scenario();
        scenario.expects = vec![crate::scenario::Expect {
            metric: "event.all",
            statistic: None,
            bound: crate::scenario::Bound::WilsonContains(0.99),
            over: crate::scenario::Over::Pooled,
            variant: None,
            ratio_to: None,
            line: 3,
        }];
        let table = expectations(&Summary::new(&scenario, "d", vec![talking("a", 1, 3), talking("a", 2, 3)]));
        assert_eq!(table.rows[0].cells[1], "98.8 %: 237 of 240 (95.2 % to 99.68 %)");
        assert_eq!(table.rows[0].good, Some(true));
    }

    #[test]
    fn variants_that_did_the_same_are_told_once() {
        let mut runs = vec![run("a", 1, 3), run("b", 1, 3), run("b", 2, 3)];
        let cells = |runs: &[RunRecord]| {
            faults(&Summary::new(&scenario(), "d", runs.to_vec())).rows.swap_remove(0).cells
        };
        assert_eq!(cells(&runs[..2])[4], "crashed 10");
        assert_eq!(cells(&runs)[4], "a: crashed 10; b: crashed 20");
        for run in &mut runs {
            run.faults[0] =
                FaultEffect { name: "wave".to_owned(), times: 3, aimed: 30, ..run.faults[0].clone() };
        }
        assert_eq!(cells(&runs)[..4], ["30, 3 times", "wave (crash)", "-", "30 nodes"]);
        runs[1].invariants[0].remark = Some("bound 300 s".to_owned());
        let table = invariants(&Summary::new(&scenario(), "d", runs));
        assert_eq!(table.rows[0].cells[1..], ["2,970", "0", "a: bound 212 s; b: bound 300 s"]);
    }
}
