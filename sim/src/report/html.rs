//! `report.html`: one file that needs nothing else, in light and dark, narrow and wide.

use super::figures::{self, Table};
use super::plots::Plot;
use crate::record::RunRecord;
use crate::summary::Summary;

pub(super) const STYLE: &str = include_str!("../../assets/report.css");

/// The page.
pub(super) fn page(summary: &Summary, plots: &[Plot]) -> String {
    let facts = &summary.scenario;
    let (class, verdict) = if summary.holds() { ("good", "held") } else { ("bad", "did not hold") };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}: {verdict}</title>\n\
         <style>{STYLE}</style>\n<main>\n<h1>{name} <span class=\"{class} badge\">{verdict}</span></h1>\n\
         <p class=\"about\">{about}</p>\n<p>{story}</p>\n",
        name = escape(&facts.name),
        about = escape(&facts.about),
        story = escape(&figures::story(summary)),
    );
    section(&mut out, "Variants", "", &figures::variants(summary));
    // More tiles would be read less than the table of all variants.
    for variant in summary.variants.iter().take(if summary.variants.len() > 3 { 0 } else { 3 }) {
        key_figures(&mut out, summary, variant);
    }
    section(&mut out, "Expectations", "", &figures::expectations(summary));
    if summary.variants.len() > 1 {
        section(&mut out, "Side by side", SIDE_BY_SIDE, &figures::side_by_side(summary));
    }
    section(&mut out, "What each fault did", "", &figures::faults(summary));
    let network = "The whole run, quiet time included, all seeds together.";
    section(&mut out, "What the network did", network, &figures::network(summary));
    for plot in plots {
        out.push_str(&format!(
            "<figure><h2>{}</h2><div class=\"wide\">{}</div><div class=\"narrow\">{}</div><figcaption>{}</figcaption></figure>\n",
            escape(&plot.title), fluid(&plot.wide), fluid(&plot.narrow), escape(&plot.caption)
        ));
    }
    let differences = figures::differences(summary, true);
    section(&mut out, "Paired differences, all figures", DIFFERENCES, &differences);
    for variant in &summary.variants {
        let runs = summary.runs_of(variant);
        if summary.variants.len() > 1 {
            out.push_str(&format!("<details><summary>All figures of {}</summary>\n", escape(variant)));
            details(&mut out, &runs);
            out.push_str("</details>\n");
        } else {
            details(&mut out, &runs);
        }
    }
    let always = "What is true in every run of any scenario, all runs together.";
    section(&mut out, "Invariants", always, &figures::invariants(summary));
    provenance(&mut out, summary);
    out.push_str("</main>\n</html>\n");
    out
}

fn key_figures(out: &mut String, summary: &Summary, variant: &str) {
    if summary.variants.len() > 1 {
        out.push_str(&format!("<h2>{}</h2>\n", escape(variant)));
    }
    out.push_str("<dl class=\"key\">\n");
    for (label, value, remark) in figures::key_figures(&summary.runs_of(variant)) {
        let (label, value, remark) = (escape(label), escape(&value), escape(&remark));
        out.push_str(&format!("<div><dt>{label}</dt><dd><b>{value}</b><small>{remark}</small></dd></div>\n"));
    }
    out.push_str("</dl>\n");
}

const SIDE_BY_SIDE: &str = "Times: all seeds together, Kaplan-Meier where samples are censored; ? stands for a percentile that the \
     samples do not carry. Counts: all seeds together, with their rate; other values: the median of the seeds.";
const DIFFERENCES: &str = "Each variant less the first, seed by seed; of times, each seed's median. Intervals resample seeds, from 6 \
     seeds on; no difference seen: the interval of the mean covers 0. Quotients of rates: exact (conditional binomial) for rare events, \
     resampling seeds for events in storms. Pairing: the correlation r of the two over seeds, and the share of the variance of unpaired \
     differences that it took away; below r = 0.2 it did not help.";

fn details(out: &mut String, runs: &[&RunRecord]) {
    let times = "Samples of all seeds. Percentiles count censored samples (Kaplan-Meier) and need one independent sample beyond them; \
                 their intervals resample seeds, and need 6 seeds and one independent sample beyond the percentile with 95 % confidence \
                 (299 for p99). What samples of one seed are worth follows from their correlation. Not estimable: too few.";
    section(out, "Times", times, &figures::distributions(runs));
    let values = "One value per seed. The interval is distribution-free; rates have exact Poisson intervals, or resampled \
                  ones when events come in storms; shares have Wilson intervals. Rates are per metered node-hour.";
    section(out, "Figures per seed", values, &figures::values(runs));
    section(out, "Load by message kind", "Mean over seeds.", &figures::kinds(runs));
}

pub(super) fn section(out: &mut String, title: &str, note: &str, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    out.push_str(&format!("<section><h2>{}</h2>\n", escape(title)));
    if !note.is_empty() {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(note)));
    }
    out.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<tr>");
    for name in &table.head {
        out.push_str(&format!("<th scope=\"col\">{}</th>", escape(name)));
    }
    out.push_str("</tr>\n");
    for row in &table.rows {
        out.push_str(match row.good {
            Some(true) => "<tr class=\"good\">",
            Some(false) => "<tr class=\"bad\">",
            None => "<tr>",
        });
        for (k, cell) in row.cells.iter().enumerate() {
            let cell = escape(cell);
            out.push_str(&if k == 0 {
                format!("<th scope=\"row\">{cell}</th>")
            } else {
                format!("<td>{cell}</td>")
            });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div></section>\n");
}

fn provenance(out: &mut String, summary: &Summary) {
    if let Some(sentence) = figures::settled(summary) {
        out.push_str(&format!(
            "<section><h2>Warm-up</h2>\n<p class=\"note\">{}</p></section>\n",
            escape(&sentence)
        ));
    }
    out.push_str("<section><h2>Run it again</h2>\n");
    for (k, line) in figures::reruns(summary).iter().enumerate() {
        let what = if k == 0 { "All of it:" } else { "The first seed that failed:" };
        out.push_str(&format!("<p class=\"note\">{what}</p><pre>{}</pre>\n", escape(line)));
    }
    out.push_str(&format!(
        "<p class=\"note\">rumormill-sim {}, scenario digest <code>{}</code>. The same scenario and seeds give the same report, \
         byte for byte. Every figure is in <code>summary.json</code>, every point over time in <code>series.csv</code>.</p></section>\n",
        escape(&summary.version),
        escape(&summary.scenario.digest)
    ));
}

/// A drawing that fills its place instead of having a size.
pub(super) fn fluid(svg: &str) -> String {
    match (svg.find(" width="), svg.find(" viewBox=")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &svg[..from], &svg[to..]),
        _ => svg.to_owned(),
    }
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn text_of_a_scenario_cannot_become_markup() {
        let mut scenario = scenario();
        scenario.about = "<script>alert('x')</script> & \"so on\"".to_owned();
        let mut bad = run("<b>", 1, 5);
        bad.faults[0].kind = "<i>".to_owned();
        bad.invariants[0].name = "<u>".to_owned();
        let summary = Summary::new(&scenario, "<d>", vec![bad, run("c", 1, 5)]);
        let page = page(&summary, &super::super::plots::all(&summary).unwrap());
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;so on&quot;"));
        for tag in ["<script", "<b>c", "<b><", "<i>", "<u>", "<d>"] {
            assert!(!page.contains(tag), "{tag}");
        }
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let summary = Summary::new(&scenario(), "d", vec![run("default", 1, 5)]);
        let page = page(&summary, &super::super::plots::all(&summary).unwrap());
        for outside in ["src=", "<link", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("rumor-sim run lan-1000-churn.toml --seed 1 --seeds 1"));
    }
}
