//! What was run and what came out, in plain words.

use super::tables::{percent, percent_short};
use super::{by_run, grouped, grouped_count, number, pooled, sample, seeds};
use crate::record::{Ratio, RunRecord, Sample};
use crate::stats;
use crate::steady::Settled;
use crate::summary::Summary;

/// Figures of a variant that belong at the top: label, value, remark.
pub(in crate::report) fn key_figures(runs: &[&RunRecord]) -> Vec<(&'static str, String, String)> {
    let mut out = Vec::new();
    for (label, metric) in [
        ("first detection, median", "detection.first"),
        ("known to all, median", "detection.all"),
        ("event delivery, median", "event.latency"),
        ("query answered, median", "query.latency"),
        ("change of keys, median", "keys.rotation"),
    ] {
        let all = pooled(runs, metric);
        if let Some(median) = stats::quantile(&all, 500) {
            let worth = stats::effective_samples(&by_run(runs, metric));
            let p90 = stats::quantile(&all, 900).filter(|_| stats::carries(worth, 900));
            let p90 = p90.map(|v| format!("p90 {} s, ", sample(v))).unwrap_or_default();
            out.push((
                label,
                format!("{} s", sample(median)),
                format!("{p90}n = {}", grouped(all.len() as i64)),
            ));
        }
    }
    for (label, metric, what) in [
        ("events delivered", "event.coverage", "receivers"),
        ("answers received", "query.coverage", "answers"),
    ] {
        let all: Ratio = runs.iter().filter_map(|r| r.ratios.get(metric)).copied().sum();
        if let Some(share) = all.share() {
            out.push((label, percent_short(share), format!("of {} {what} owed", grouped_count(all.of))));
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
pub(in crate::report) fn story(summary: &Summary) -> String {
    let s = &summary.scenario;
    let runs = match summary.seeds.len() {
        1 => format!("once (seed {})", seeds(&summary.seeds)),
        n => format!("{n} times (seeds {})", seeds(&summary.seeds)),
    };
    let begin = match s.start.as_str() {
        "join" => "starting together and joining through the first of them",
        "join-staggered" => "starting one after the other and joining through the first of them",
        _ => "knowing each other from the start",
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
        let anomaly = |kind: &str| kind == "pause" || kind == "block-io";
        let anomalies = runs.iter().flat_map(|run| &run.faults).any(|fault| anomaly(&fault.kind));
        let what = if anomalies { "failures" } else { "crashes" };
        parts.push(match (first.censored, all.censored) {
            (true, _) => format!("fewer than half of the {what} were noticed before they were over"),
            (false, true) => format!(
                "half of the {what} were noticed within {} s, but fewer than half were known everywhere before they were over",
                sample(first)
            ),
            (false, false) => format!(
                "half of the {what} were noticed within {} s and known everywhere within {} s",
                sample(first),
                sample(all)
            ),
        });
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
        1.0 => "a member that was well was declared failed once".to_owned(),
        n => format!("members that were well were declared failed {} times", number(n)),
    });
    parts.extend(messages(&runs));
    let lead = if summary.variants.len() > 1 { format!("With {variant}, ") } else { String::new() };
    let mut text = format!("{lead}{}. ", parts.join("; "));
    if lead.is_empty()
        && let Some(head) = text.get(..1)
    {
        text = format!("{}{}", head.to_uppercase(), &text[1..]);
    }
    text
}

/// What became of what applications said, in clauses.
fn messages(runs: &[&RunRecord]) -> Vec<String> {
    let ratio = |metric: &str| runs.iter().filter_map(|r| r.ratios.get(metric)).copied().sum::<Ratio>();
    let count = |metric: &str| runs.iter().filter_map(|r| r.values.get(metric)).map(|v| v.value).sum::<f64>();
    let half = |metric: &str| match stats::quantile(&pooled(runs, metric), 500) {
        Some(median) if !median.censored => format!(", half of them within {} s", sample(median)),
        _ => String::new(),
    };
    let mut parts = Vec::new();
    let reached = ratio("event.coverage");
    if let Some(share) = reached.share() {
        let busy = match count("event.busy") {
            0.0 => String::new(),
            n => format!(" ({} more were refused because a queue was full)", number(n)),
        };
        let whom = match reached.of - reached.hits {
            0 => format!("all {} receivers", grouped_count(reached.of)),
            n => format!("{} of their receivers ({} missed)", percent(share), grouped_count(n)),
        };
        let sent = number(count("event.sent"));
        parts.push(format!("{sent} user events{busy} reached {whom}{}", half("event.latency")));
    }
    let answers = ratio("query.coverage");
    if let Some(share) = answers.share() {
        let came = match answers.of - answers.hits {
            0 => format!("all {} answers", grouped_count(answers.of)),
            n => format!("{} of their answers ({} missed)", percent(share), grouped_count(n)),
        };
        let asked = number(count("query.asked"));
        parts.push(format!(
            "{asked} queries got {came}{}",
            half("query.latency").replace("of them", "of the queries")
        ));
    }
    let rotations = pooled(runs, "keys.rotation");
    if let Some(longest) = stats::largest(&rotations) {
        parts.push(match rotations.iter().filter(|s| s.censored).count() {
            0 => format!(
                "keys were changed {} times, each within {} s",
                grouped(rotations.len() as i64),
                sample(longest)
            ),
            n => format!("{n} of {} changes of keys were not done at the end", rotations.len()),
        });
    }
    parts
}

/// Whether what was measured had settled after the warm-up, in a sentence; nothing where that cannot be asked.
pub(in crate::report) fn settled(summary: &Summary) -> Option<String> {
    let told = summary.steady.iter().map(|(variant, steady)| {
        let of = if summary.variants.len() > 1 { format!(" ({variant})") } else { String::new() };
        let percent = |share: f64| format!("{:+.1} %", share * 100.0);
        let interval = match steady.interval {
            Some((low, high)) => format!("95 % interval {} to {}", percent(low), percent(high)),
            None => "too few seeds for an interval".to_owned(),
        };
        let verdict = match steady.settled() {
            Settled::Yes => "steady within 5 %",
            Settled::No => "NOT steady: a longer warm-up would be better",
            Settled::Unclear => "steady or not, that cannot be told",
        };
        let change = percent(steady.change);
        let (from, to) = (number(steady.from), number(steady.to));
        format!("{verdict}{of}: from the first to the second half of {from} to {to} s traffic changed by {change} ({interval})")
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("After the warm-up, before the first fault: {}.", told.join("; ")))
}

/// The line that repeats all of it, and one that repeats only what did not hold.
pub(in crate::report) fn reruns(summary: &Summary) -> Vec<String> {
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
    use crate::report::synthetic::{run, scenario, talking};

    #[test]
    fn the_story_tells_of_events_queries_and_keys_where_there_are_some() {
        let told = |run: fn(&str, u64, usize) -> RunRecord| {
            story(&Summary::new(&scenario(), "d", vec![run("default", 1, 20), run("default", 2, 20)]))
        };
        let it = told(talking);
        for clause in [
            "240 user events reached 99.9979 % of their receivers (5 missed), half of them within",
            "48 queries got all 47,952 answers, half of the queries within",
            "keys were changed 40 times, each within",
        ] {
            assert!(it.contains(clause), "{it}");
        }
        assert!(!told(run).contains("user events") && !told(run).contains("keys"));
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
