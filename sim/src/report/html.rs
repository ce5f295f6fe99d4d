//! `report.html`: one file that needs nothing else, in light and dark, narrow and wide.

use super::figures::{self, Table};
use super::plots::Plot;
use crate::record::RunRecord;
use crate::summary::Summary;

const STYLE: &str = include_str!("../../assets/report.css");

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
    for variant in &summary.variants {
        key_figures(&mut out, summary, variant);
    }
    section(&mut out, "Expectations", "", &figures::expectations(summary));
    for variant in &summary.variants {
        let of = if summary.variants.len() > 1 { format!(", {variant}") } else { String::new() };
        let runs = summary.runs_of(variant);
        section(&mut out, &format!("What each fault did{of}"), "", &figures::faults(&runs));
    }
    for plot in plots {
        out.push_str(&format!(
            "<figure><h2>{}</h2><div class=\"wide\">{}</div><div class=\"narrow\">{}</div><figcaption>{}</figcaption></figure>\n",
            escape(&plot.title), fluid(&plot.wide), fluid(&plot.narrow), escape(&plot.caption)
        ));
    }
    for variant in &summary.variants {
        let of = if summary.variants.len() > 1 { format!(", {variant}") } else { String::new() };
        details(&mut out, &of, &summary.runs_of(variant));
    }
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

fn details(out: &mut String, of: &str, runs: &[&RunRecord]) {
    let times = "Samples of all seeds. Percentiles count censored samples (Kaplan-Meier); intervals resample seeds. \
                 Not estimable: too few samples or seeds to say.";
    section(out, &format!("Times{of}"), times, &figures::distributions(runs));
    let values = "One value per seed. The interval is distribution-free; rates have exact Poisson intervals, or resampled \
                  ones when events come in storms; shares have Wilson intervals. Rates are per metered node-hour.";
    section(out, &format!("Figures per seed{of}"), values, &figures::values(runs));
    section(out, &format!("Load by message kind{of}"), "Mean over seeds.", &figures::kinds(runs));
    let always = "What is true in every run of any scenario, all seeds together.";
    section(out, &format!("Invariants{of}"), always, &figures::invariants(runs));
}

fn section(out: &mut String, title: &str, note: &str, table: &Table) {
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
fn fluid(svg: &str) -> String {
    match (svg.find(" width="), svg.find(" viewBox=")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &svg[..from], &svg[to..]),
        _ => svg.to_owned(),
    }
}

/// Text as HTML.
fn escape(text: &str) -> String {
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
