//! What a comparison comes to, in plain words.

use super::super::figures::{number, seeds, unit};
use super::figures::{margin, share, short_name};
use crate::compare::{ALPHA, Comparison, Row, Verdict};
use crate::stats;

/// Metrics of one verdict that are told with their figures.
const TOLD: usize = 4;

/// The paragraphs before any table: what it comes to, what the pairing was worth, and what to know.
pub(super) fn paragraphs(of: &Comparison) -> Vec<String> {
    let mut all = vec![findings(of)];
    all.extend(pairing(of));
    if !of.notes.is_empty() {
        all.push(of.notes.join(" "));
    }
    all
}

fn findings(of: &Comparison) -> String {
    let mut text = format!(
        "B ({}) against A ({}), {}, {} compared. ",
        of.b.source_or_name(),
        of.a.source_or_name(),
        count(of.seeds.len(), "seed", &format!(" ({})", seeds(&of.seeds))),
        count(of.rows.len(), "metric", ""),
    );
    if of.is_identical() {
        text.push_str(&format!(
            "All {} of B are byte for byte the same runs as those of A: there is nothing that could differ.",
            count(of.runs, "run", "")
        ));
        return text;
    }
    if of.identical > 0 {
        text.push_str(&format!(
            "{} of {} are byte for byte the same. ",
            of.identical,
            count(of.runs, "pair", " of runs")
        ));
    }
    for (verdict, word) in
        [(Verdict::Worse, "Worse"), (Verdict::Better, "Better"), (Verdict::Different, "Different")]
    {
        let rows = of.of(verdict);
        if !rows.is_empty() {
            text.push_str(&format!("{word}: {}. ", list(&rows)));
        }
    }
    let sure = [Verdict::Worse, Verdict::Better, Verdict::Different].iter().any(|v| !of.of(*v).is_empty());
    if !sure {
        text.push_str("No difference was seen beyond chance and margins. ");
    }
    text.push_str(&the_rest(of));
    text.trim_end().to_owned()
}

/// The metrics that are the same in every seed, which no table needs to show.
pub(super) fn same(of: &Comparison) -> Option<String> {
    let names: Vec<String> = of.of(Verdict::Same).into_iter().map(short_name).collect();
    (!names.is_empty()).then(|| format!("The same in every seed: {}.", names.join(", ")))
}

/// What is equal, what was not seen, and what could not have been.
fn the_rest(of: &Comparison) -> String {
    let mut text = String::new();
    let [equivalent, same, none, few] =
        [Verdict::Equivalent, Verdict::Same, Verdict::NoDifference, Verdict::TooFew].map(|v| of.of(v).len());
    if equivalent > 0 {
        text.push_str(&format!(
            "Equivalent within {} margin: {}. ",
            if equivalent == 1 { "its" } else { "their" },
            count(equivalent, "metric", "")
        ));
    }
    if same > 0 {
        text.push_str(&format!("The same in every seed: {}. ", count(same, "metric", "")));
    }
    if none > 0 {
        text.push_str(&format!(
            "No difference seen in {}, which is not to say that there is none: what these seeds would have shown stands below. ",
            count(none, "metric", "")
        ));
    }
    if few > 0 {
        text.push_str(&format!(
            "Too few seeds to tell anything of {}: {}. ",
            count(few, "metric", ""),
            needed(of)
        ));
    }
    text
}

/// What it takes that a difference can show.
fn needed(of: &Comparison) -> String {
    of.seeds_needed().map_or_else(
        || "among so many metrics no number of seeds is enough, but of fewer metrics it is".to_owned(),
        |seeds| format!("among so many metrics it takes at least {seeds} that tell which is less"),
    )
}

/// Why metrics without a finding fail a comparison: nothing could have been found.
pub(super) fn blind(of: &Comparison, rows: &[&Row]) -> String {
    let names: Vec<String> = rows.iter().take(TOLD).map(|row| short_name(row)).collect();
    let more = rows.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "too few seeds: no difference could have shown in {}{more}; {} (--seeds; or fewer metrics: --metric)",
        names.join(", "),
        needed(of)
    )
}

fn list(rows: &[&Row]) -> String {
    let told: Vec<String> = rows.iter().take(TOLD).map(|row| told(row)).collect();
    let more = rows.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", told.join("; "))
}

/// One metric with its figures.
fn told(row: &Row) -> String {
    let name = short_name(row);
    if let Some(unknown) = row.unknown {
        return format!(
            "{name} (less in {} seeds and more in {}; not known to the end in {} of A, {} of B)",
            unknown.less, unknown.more, unknown.of_a, unknown.of_b
        );
    }
    let Some(paired) = &row.paired else { return name };
    if paired.mean == 0.0 {
        return format!("{name} has the same mean");
    }
    let side = if paired.mean < 0.0 { "lower" } else { "higher" };
    let unit = unit(row.metric.unit);
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let size = tidy(paired.mean.abs());
    let of_a = if row.a.value > 0.0 {
        format!(", {}", share(paired.mean.abs() / row.a.value))
    } else {
        String::new()
    };
    let interval = paired.mean_interval.map(|i| {
        let (low, high) =
            (i.low.value.abs().min(i.high.value.abs()), i.low.value.abs().max(i.high.value.abs()));
        let across = i.low.value < 0.0 && i.high.value > 0.0;
        if across { String::new() } else { format!(" ({} to {})", tidy(low), tidy(high)) }
    });
    format!("{name} is {size}{unit}{} {side}{of_a}", interval.unwrap_or_default())
}

/// A number without what sums in floating point leave behind.
fn tidy(x: f64) -> String {
    number(libm::round(x * 1e9) / 1e9)
}

/// What pairing was worth, over all metrics that vary.
fn pairing(of: &Comparison) -> Option<String> {
    let known: Vec<(&Row, f64, f64)> = of
        .rows
        .iter()
        .filter(|row| row.varies())
        .filter_map(|row| {
            let paired = row.paired.as_ref()?;
            Some((row, paired.correlation?, paired.variance_reduction?))
        })
        .collect();
    if known.is_empty() {
        return None;
    }
    let middle = |of: fn(&(&Row, f64, f64)) -> f64| {
        stats::median(&known.iter().map(|k| stats::seen(of(k))).collect::<Vec<_>>()).map_or(0.0, |m| m.value)
    };
    let (correlation, reduction) = (middle(|k| k.1), middle(|k| k.2));
    let idle = known.iter().filter(|k| k.1 < stats::CORRELATION_MIN).count();
    let took = if reduction > 0.0 {
        format!("took away {} of the variance of unpaired differences", share(reduction))
    } else {
        "took away none of the variance of unpaired differences".to_owned()
    };
    let mut text = format!("Pairing by seed {took} (median over metrics; correlation {correlation:.2}).");
    if idle > 0 {
        text.push_str(&format!(" It did not help in {} of {}.", idle, count(known.len(), "metric", "")));
    }
    Some(text)
}

fn count(n: usize, what: &str, more: &str) -> String {
    format!("{n} {what}{}{more}", if n == 1 { "" } else { "s" })
}

/// The line of a metric that fails a comparison: which, how, and how sure it is.
pub(super) fn failure(row: &Row) -> String {
    let sure = format!("p {} over all metrics", super::figures::p_value(row.p_adjusted));
    match row.verdict {
        Verdict::Better | Verdict::Worse | Verdict::Different => {
            format!("{}: {}, {sure}", row.verdict.words(), told(row))
        }
        Verdict::Equivalent => format!("different within its margin: {}, {sure}", told(row)),
        verdict => {
            let width =
                row.margin.map_or_else(String::new, |width| format!(" within {}", margin(row, width)));
            let level = match row.p_margin_adjusted {
                Some(p) => format!("p {} is above {ALPHA}", super::figures::p_value(p)),
                None if row.unknown.is_some() => "not every value is known".to_owned(),
                None => verdict.words().to_owned(),
            };
            format!("not shown to be the same{width}: {}, {level}", told(row))
        }
    }
}
