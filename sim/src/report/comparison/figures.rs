//! The tables of a comparison.

use super::super::figures::{
    Comparison as Drawn, Row as Cells, Table, heads, named, number, percent, sample, signed, signed_interval,
    unit,
};
use super::super::terminal::{DIFFERENCE, VERDICT};
use crate::compare::{Comparison, Row, Unknown, Verdict};
use crate::metric::Unit;
use crate::stats::Margin;

/// For a terminal: what fits, of what is not the same in every seed.
pub(super) fn short(of: &Comparison) -> Table {
    let head = heads([VERDICT, "metric", "A", "B", DIFFERENCE, "p, all"]);
    let mut table =
        table(of, head, |row| vec![sample(row.a), sample(row.b), mean(row), p_value(row.p_adjusted)]);
    for (cells, row) in table.rows.iter_mut().zip(&of.rows) {
        cells.cells[1] = short_label(row);
    }
    table.rows.retain(|row| row.cells[0] != Verdict::Same.words());
    table
}

/// What verdicts do not say, a sentence each: within which margins metrics are equivalent, and what of those without a difference would
/// have shown.
pub(super) fn beside(of: &Comparison) -> Vec<String> {
    let sentence = |verdict: Verdict, head: &str, tell: &dyn Fn(&Row) -> Option<String>| {
        let told: Vec<String> = of.of(verdict).into_iter().filter_map(tell).collect();
        (!told.is_empty()).then(|| format!("{head}: {}.", told.join(", ")))
    };
    let margin = |row: &Row| match row.margin? {
        Margin::Absolute(width) => Some(format!("{} ({})", short_name(row), with_unit(row, width))),
        Margin::Relative(of_a) => Some(format!("{} ({})", short_name(row), plain_share(of_a))),
    };
    let would = |row: &Row| Some(format!("{} ({})", short_name(row), with_unit(row, row.detectable?)));
    let equivalent = sentence(Verdict::Equivalent, "Equivalent within", &margin);
    let none = sentence(Verdict::NoDifference, "A difference would have shown from about", &would);
    equivalent.into_iter().chain(none).collect()
}

/// What is not known to the end, or was left out, a sentence a metric.
pub(super) fn unknowns(of: &Comparison) -> Vec<String> {
    let told = |row: &Row| {
        let mut parts: Vec<String> = row.unknown.map(not_known).into_iter().collect();
        parts.extend(left_out(row));
        (!parts.is_empty()).then(|| format!("{}: {}.", label(row), parts.join("; ")))
    };
    of.rows.iter().filter(|row| row.verdict != Verdict::Same).filter_map(told).collect()
}

/// For the page: what it comes to.
pub(super) fn verdicts(of: &Comparison) -> Table {
    let head = heads([VERDICT, "metric", "A", "B", DIFFERENCE, "p, all metrics", "remark"]);
    table(of, head, |row| vec![sample(row.a), sample(row.b), mean(row), p_value(row.p_adjusted), remark(row)])
}

pub(super) fn differences(of: &Comparison) -> Table {
    let head = heads([
        VERDICT,
        "metric",
        "seeds",
        "mean",
        "95 % interval",
        "median",
        "95 % interval",
        "quotient (95 %)",
        "pairing",
    ]);
    table(of, head, |row| {
        let Some(p) = &row.paired else { return vec![row.seeds.len().to_string()] };
        let of_all =
            if p.left_out > 0 { format!(" of {}, the known ones", row.seeds.len()) } else { String::new() };
        vec![
            format!("{}{of_all}", p.differences.len()),
            signed(p.mean),
            signed_interval(p.mean_interval),
            signed(p.median),
            signed_interval(p.median_interval),
            quotient(row),
            drawn(row).as_ref().map_or_else(|| "-".to_owned(), Drawn::pairing),
        ]
    })
}

pub(super) fn tests(of: &Comparison) -> Table {
    let head = heads([
        VERDICT,
        "metric",
        "p, no difference",
        "adjusted",
        "margin",
        "p, beyond the margin",
        "adjusted",
        "would have shown",
    ]);
    table(of, head, |row| {
        let p = |p: Option<f64>| p.map_or_else(|| "-".to_owned(), p_value);
        vec![
            p_value(row.p),
            p_value(row.p_adjusted),
            row.margin.map_or_else(|| "none".to_owned(), |width| margin(row, width)),
            p(row.p_margin),
            p(row.p_margin_adjusted),
            row.detectable.map_or_else(|| "-".to_owned(), |d| with_unit(row, d)),
        ]
    })
}

/// A row per metric: verdict and name, then some cells.
fn table(of: &Comparison, head: Vec<String>, cells: impl Fn(&Row) -> Vec<String>) -> Table {
    let one = |row: &Row| {
        let mut all = vec![row.verdict.words().to_owned(), label(row)];
        all.extend(cells(row));
        Cells { cells: all, good: (row.verdict == Verdict::Worse).then_some(false) }
    };
    Table { head, rows: of.rows.iter().map(one).collect() }
}

/// The metric with its unit, and its variant where there are several.
fn label(row: &Row) -> String {
    let name = named(row.metric, row.statistic.unwrap_or_default());
    if row.variant.is_empty() { name } else { format!("{name}, {}", row.variant) }
}

/// The metric as a command line has it, and its variant where there are several.
pub(super) fn short_name(row: &Row) -> String {
    if row.variant.is_empty() { row.name() } else { format!("{} of {}", row.name(), row.variant) }
}

/// The metric as a command line has it; of units only seconds, the others stand in tables of the page.
fn short_label(row: &Row) -> String {
    let unit = if row.metric.unit == Unit::Seconds { " (s)" } else { "" };
    let whose = if row.variant.is_empty() { String::new() } else { format!(", {}", row.variant) };
    format!("{}{unit}{whose}", row.name())
}

/// A row as plots and tables of variants have it.
pub(super) fn drawn(row: &Row) -> Option<Drawn> {
    let paired = row.paired.clone()?;
    Some(Drawn { label: short_label(row), variant: row.variant.clone(), paired, ratio: row.ratio })
}

/// The mean difference with its interval; none where some values are not known to the end.
fn mean(row: &Row) -> String {
    let Some(paired) = row.paired.as_ref().filter(|_| row.unknown.is_none()) else { return "-".to_owned() };
    // Without what sums in floating point leave behind.
    let tidy = |x: f64| signed(libm::round(x * 1e9) / 1e9);
    let interval =
        paired.mean_interval.map(|i| format!(" ({} to {})", tidy(i.low.value), tidy(i.high.value)));
    format!("{}{}", tidy(paired.mean), interval.unwrap_or_default())
}

fn quotient(row: &Row) -> String {
    let drawn = drawn(row).filter(|drawn| drawn.ratio.is_some());
    drawn.as_ref().map_or_else(|| "-".to_owned(), Drawn::quotient)
}

/// What a verdict does not say.
fn remark(row: &Row) -> String {
    let mut parts = Vec::new();
    match row.verdict {
        Verdict::Equivalent => {
            let within = row.margin.map_or_else(String::new, |width| margin(row, width));
            let sure = row.varies() && row.p_adjusted <= crate::compare::ALPHA;
            parts.push(format!("within {within}{}", if sure { ", though it differs" } else { "" }));
        }
        Verdict::NoDifference => {
            parts.extend(row.detectable.map(|d| format!("{} would have shown", with_unit(row, d))));
        }
        _ => {}
    }
    parts.extend(row.unknown.map(not_known));
    parts.extend(left_out(row));
    parts.join("; ")
}

fn not_known(unknown: Unknown) -> String {
    format!(
        "not known to the end in {} of A, {} of B; less in {}, more in {}, untold in {}",
        unknown.of_a, unknown.of_b, unknown.less, unknown.more, unknown.untold
    )
}

fn left_out(row: &Row) -> Option<String> {
    (row.one_sided > 0).then(|| format!("{} seeds left out, where only one has a value", row.one_sided))
}

/// A margin in words, with what a share comes to.
pub(super) fn margin(row: &Row, margin: Margin) -> String {
    match margin {
        Margin::Absolute(width) => with_unit(row, width),
        Margin::Relative(of_a) => {
            format!("{} of A ({})", plain_share(of_a), number(of_a * row.a.value.abs()))
        }
    }
}

fn with_unit(row: &Row, value: f64) -> String {
    match unit(row.metric.unit) {
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

/// A share that somebody stated, in percent as it was.
fn plain_share(share: f64) -> String {
    format!("{} %", libm::round(share * 1e6) / 1e4)
}

/// A share that was measured, in percent.
pub(super) fn share(share: f64) -> String {
    if share < 1.0 { percent(share) } else { format!("{:.0} %", share * 100.0) }
}

/// A p-value, no more exact than it is worth.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else if p < 0.1 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}
