//! A comparison as JSON.

use serde::Serialize;

use super::{ALPHA, Comparison, Facts, Row, Unknown, Verdict};
use crate::metric::Unit;
use crate::record::Sample;
use crate::stats::{Interval, Margin};

/// The version of the document.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'c> {
    schema: u32,
    version: &'static str,
    alpha: f64,
    a: Side<'c>,
    b: Side<'c>,
    variants: &'c [(String, String)],
    seeds: &'c [u64],
    runs: usize,
    identical: usize,
    seeds_needed: Option<usize>,
    notes: &'c [String],
    metrics: Vec<Line<'c>>,
}

#[derive(Serialize)]
struct Side<'c> {
    name: &'c str,
    source: &'c str,
    version: &'c str,
    digest: &'c str,
}

#[derive(Serialize)]
struct Line<'c> {
    #[serde(skip_serializing_if = "str::is_empty")]
    variant: &'c str,
    metric: String,
    unit: Unit,
    better: super::Direction,
    verdict: Verdict,
    seeds: &'c [u64],
    one_sided: usize,
    a: Sample,
    b: Sample,
    differences: &'c [f64],
    mean: Option<f64>,
    mean_interval: Option<(f64, f64)>,
    median: Option<f64>,
    median_interval: Option<(f64, f64)>,
    ratio: Option<f64>,
    ratio_interval: Option<(Option<f64>, Option<f64>)>,
    correlation: Option<f64>,
    variance_reduction: Option<f64>,
    p: f64,
    p_adjusted: f64,
    margin: Option<Width>,
    p_margin: Option<f64>,
    p_margin_adjusted: Option<f64>,
    detectable: Option<f64>,
    unknown: Option<Unknown>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Width {
    Absolute(f64),
    Relative(f64),
}

pub(super) fn text(of: &Comparison) -> String {
    let document = Document {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        alpha: ALPHA,
        a: side(&of.a),
        b: side(&of.b),
        variants: &of.variants,
        seeds: &of.seeds,
        runs: of.runs,
        identical: of.identical,
        seeds_needed: of.seeds_needed(),
        notes: &of.notes,
        metrics: of.rows.iter().map(line).collect(),
    };
    // String keys and finite numbers only, so it always serialises.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn side(facts: &Facts) -> Side<'_> {
    Side { name: &facts.name, source: &facts.source, version: &facts.version, digest: &facts.digest }
}

fn line(row: &Row) -> Line<'_> {
    let ends = |interval: Option<Interval>| interval.map(|i| (i.low.value, i.high.value));
    let open = |sample: Sample| (!sample.censored).then_some(sample.value);
    let paired = row.paired.as_ref();
    Line {
        variant: &row.variant,
        metric: row.name(),
        unit: row.metric.unit,
        better: row.direction,
        verdict: row.verdict,
        seeds: &row.seeds,
        one_sided: row.one_sided,
        a: row.a,
        b: row.b,
        differences: paired.map_or(&[], |p| p.differences.as_slice()),
        mean: paired.map(|p| p.mean),
        mean_interval: ends(paired.and_then(|p| p.mean_interval)),
        median: paired.map(|p| p.median),
        median_interval: ends(paired.and_then(|p| p.median_interval)),
        ratio: row.ratio.and_then(|ratio| ratio.ratio),
        ratio_interval: row.ratio.and_then(|ratio| ratio.interval).map(|i| (open(i.low), open(i.high))),
        correlation: paired.and_then(|p| p.correlation),
        variance_reduction: paired.and_then(|p| p.variance_reduction),
        p: row.p,
        p_adjusted: row.p_adjusted,
        margin: row.margin.map(|margin| match margin {
            Margin::Absolute(width) => Width::Absolute(width),
            Margin::Relative(share) => Width::Relative(share),
        }),
        p_margin: row.p_margin,
        p_margin_adjusted: row.p_margin_adjusted,
        detectable: row.detectable,
        unknown: row.unknown,
    }
}
