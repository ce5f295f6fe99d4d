//! What lines show: figures over time, and how samples are distributed.

use super::super::figures::{by_run, grouped_count, pooled};
use super::chart::{Chart, Line, Look};
use crate::record::{RunRecord, Sample};
use crate::stats;
use crate::summary::Summary;
use crate::theory::FirstDetection;

/// Points of all lines of a chart together; of one line at most [`POINTS_MAX`], at least [`POINTS_MIN`].
const POINTS: usize = 1000;
const POINTS_MAX: usize = 400;
const POINTS_MIN: usize = 60;
/// Points of a band.
const BAND_POINTS: usize = 50;
/// More bands would cover each other.
const BANDS_MAX: usize = 4;

fn points_of(lines: usize) -> usize {
    (POINTS / lines.max(1)).clamp(POINTS_MIN, POINTS_MAX)
}

/// A figure over time: per variant the median of the seeds, and the band between the least and the most.
pub(super) fn time(summary: &Summary, y: &'static str, figure: &str) -> Option<Chart> {
    let several = summary.variants.len() > 1;
    let label = |variant: &String| if several { variant.clone() } else { String::new() };
    let curves: Vec<_> = summary.variants.iter().map(|v| (label(v), v.as_str(), figure)).collect();
    over_time(summary, y, &curves)
}

/// Some figures of the only variant over time, each with its label.
pub(super) fn times(summary: &Summary, y: &'static str, figures: &[(&str, &str)]) -> Option<Chart> {
    let [variant] = &summary.variants[..] else { return None };
    let curves: Vec<_> =
        figures.iter().map(|(l, figure)| ((*l).to_owned(), variant.as_str(), *figure)).collect();
    over_time(summary, y, &curves)
}

/// A line with its band for each label, variant and figure.
fn over_time(summary: &Summary, y: &'static str, curves: &[(String, &str, &str)]) -> Option<Chart> {
    let (mut lines, mut x_max, mut y_max) = (Vec::new(), 0.0f64, 0.0f64);
    for (number, (label, variant, figure)) in curves.iter().enumerate() {
        let Some(over_time) = summary.over_time.get(*variant) else { continue };
        let Some(band) = over_time.bands.get(*figure).filter(|band| !band.median.is_empty()) else {
            continue;
        };
        let stride = band.median.len().div_ceil(points_of(curves.len())).max(1);
        // A point that stands for several shows the largest: a peak must not fall between two points.
        let thin = |of: &[f64]| -> Vec<(f64, f64)> {
            let most = |chunk: &[f64]| chunk.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let x = |k: usize| (k * stride) as f64 * over_time.step;
            of.chunks(stride).enumerate().map(|(k, chunk)| (x(k), most(chunk))).collect()
        };
        let points = thin(&band.median);
        let mut outline = thin(&band.max);
        x_max = points.iter().fold(x_max, |most, p| most.max(p.0));
        let shown = if curves.len() > BANDS_MAX { &points } else { &outline };
        y_max = shown.iter().fold(y_max, |most, p| most.max(p.1));
        outline.extend(thin(&band.min).into_iter().rev());
        if curves.len() > BANDS_MAX || over_time.runs < 2 {
            outline.clear();
        }
        lines.push(Line { label: label.clone(), look: Look::Measured(number), points, band: outline });
    }
    if lines.is_empty() {
        return None;
    }
    let mut marks: Vec<f64> = summary.runs.first()?.faults.iter().map(|f| f.at).collect();
    marks.dedup();
    marks.truncate(60);
    Some(Chart { x: "seconds since the start", y, x_range: (0.0, x_max), y_max, lines, marks })
}

/// What theory says of a metric, where it does, by variant; each formula once.
pub(super) fn theories<'a>(summary: &'a Summary, metric: &str) -> Vec<(&'a str, FirstDetection)> {
    let mut found: Vec<(&str, FirstDetection)> = Vec::new();
    if ["suspicion.first", "detection.first"].contains(&metric) {
        for variant in &summary.variants {
            let Some(theory) = summary.scenario.first_detection.get(variant) else { continue };
            // Who only suspects does not wait for the suspicion to end.
            let waits = |t: &FirstDetection| if metric == "detection.first" { t.suspicion } else { 0.0 };
            let same =
                |t: &FirstDetection| (t.probe_interval, waits(t)) == (theory.probe_interval, waits(theory));
            if !found.iter().any(|(_, t)| same(t)) {
                found.push((variant, *theory));
            }
        }
    }
    found
}

/// Whether one formula stands for all variants.
pub(super) fn one_for_all(summary: &Summary, metric: &str) -> bool {
    theories(summary, metric).len() == 1 && summary.scenario.first_detection.len() == summary.variants.len()
}

/// How the samples of some metrics are distributed: of one metric per variant, or of several metrics of the only variant.
pub(super) fn cdf(summary: &Summary, metrics: &[&str]) -> Option<Chart> {
    let several = summary.variants.len() > 1;
    let curves: Vec<(&str, &str)> =
        metrics.iter().flat_map(|m| summary.variants.iter().map(|v| (*m, v.as_str()))).collect();
    let shown = curves.len();
    let mut lines = Vec::new();
    let (mut least, mut most) = (f64::INFINITY, 0.0f64);
    for (number, (metric, variant)) in curves.into_iter().enumerate() {
        let runs = summary.runs_of(variant);
        let samples = pooled(&runs, metric);
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { continue };
        least = least.min(first.value);
        most = most.max(last.value);
        let label = if several { variant } else { metric };
        let label = format!("{label} (n = {})", grouped_count(samples.len() as u64));
        let band = if shown > BANDS_MAX { Vec::new() } else { band(&runs, metric, &samples) };
        let points = steps(&samples, points_of(shown));
        lines.push(Line { label, look: Look::Measured(number), points, band });
    }
    if lines.is_empty() {
        return None;
    }
    for metric in metrics {
        let alone = one_for_all(summary, metric);
        for (variant, theory) in theories(summary, metric) {
            let share = |t: f64| {
                if *metric == "detection.first" { theory.detected_by(t) } else { theory.suspected_by(t) }
            };
            // Where it is flat it would only cover the axes.
            let rising = |(_, share): &(f64, f64)| *share > 0.0 && *share < 0.999;
            let points = (0..=200).map(|k| most * f64::from(k) / 200.0).map(|t| (t, share(t))).filter(rising);
            let points = points.collect();
            // A formula that all variants share needs no name.
            let label = match (several, alone) {
                (false, _) => format!("theory, {metric}"),
                (true, true) => "theory".to_owned(),
                (true, false) => format!("theory, {variant}"),
            };
            lines.push(Line { label, look: Look::Theory, points, band: Vec::new() });
        }
    }
    // A curve far from 0 has the room to itself.
    let from = if least > most * 0.3 { libm::floor(least * 0.95) } else { 0.0 };
    for line in &mut lines {
        line.points.retain(|(x, _)| *x >= from);
        if let (Look::Measured(_), Some(first)) = (line.look, line.points.first().copied()) {
            line.points.insert(0, (from, if from > 0.0 { 0.0 } else { first.1.min(0.0) }));
        }
    }
    Some(Chart {
        x: "seconds",
        y: "share of samples",
        x_range: (from, most),
        y_max: 1.0,
        lines,
        marks: Vec::new(),
    })
}

/// The curve as steps, thinned.
fn steps(samples: &[Sample], count: usize) -> Vec<(f64, f64)> {
    let steps = stats::distribution(samples);
    let stride = steps.len().div_ceil(count).max(1);
    let mut points = vec![(0.0, 0.0)];
    for (k, step) in steps.iter().enumerate() {
        if k % stride == 0 || k + 1 == steps.len() {
            let before = points.last().map_or(0.0, |p| p.1);
            points.extend([(step.value, before), (step.value, step.share)]);
        }
    }
    let reached = points.last().map_or(0.0, |p| p.1);
    points.push((samples.last().map_or(0.0, |last| last.value), reached));
    points
}

/// The 95 % band around a curve, where there are enough seeds.
fn band(runs: &[&RunRecord], metric: &str, samples: &[Sample]) -> Vec<(f64, f64)> {
    let mut at: Vec<f64> = (0..=BAND_POINTS)
        .map(|k| samples[(samples.len() - 1) * k / BAND_POINTS].value)
        .filter(|value| *value > 0.0)
        .collect();
    at.dedup();
    let Some(ends) = stats::curve_band(&by_run(runs, metric), &at) else { return Vec::new() };
    let low = at.iter().zip(&ends).map(|(x, (low, _))| (*x, *low));
    let high = at.iter().zip(&ends).map(|(x, (_, high))| (*x, *high));
    low.chain(high.rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn curves_have_bands_from_six_seeds_on_and_theory_where_it_applies() {
        let summary = |seeds: u64| {
            let mut s = Summary::new(&scenario(), "d", (1..=seeds).map(|s| run("default", s, 40)).collect());
            let theory = FirstDetection { nodes: 1000, silent: 10, probe_interval: 1.0, suspicion: 4.0 };
            s.scenario.first_detection.insert("default".to_owned(), theory);
            s
        };
        let of = |seeds| cdf(&summary(seeds), &["detection.first", "detection.all"]).unwrap();
        assert!(of(5).lines[0].band.is_empty() && !of(6).lines[0].band.is_empty());
        let looks: Vec<Look> = of(6).lines.iter().map(|l| l.look).collect();
        assert_eq!(looks, [Look::Measured(0), Look::Measured(1), Look::Theory]);
        assert_eq!(of(6).lines[2].label, "theory, detection.first");
        let theory = &of(6).lines[2].points;
        assert!(theory.len() > 20 && theory.iter().all(|(x, _)| *x > 5.0), "nobody is detected before P + S");
        assert!(cdf(&summary(6), &["dissemination.leave"]).is_none());
    }

    #[test]
    fn a_peak_stays_when_points_are_thinned() {
        let mut one = run("default", 1, 0);
        one.series.wrong = vec![0; 5000];
        one.series.up = vec![1000; 5000];
        one.series.wrong[4321] = 77;
        let chart = time(&Summary::new(&scenario(), "d", vec![one]), "pairs", "members_wrong").unwrap();
        assert!(chart.lines[0].points.len() <= POINTS_MAX);
        assert!(chart.lines[0].points.iter().any(|p| p.1 == 77.0) && chart.y_max == 77.0);
    }
}
