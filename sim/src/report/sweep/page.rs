//! `report.html` of a sweep: one file that needs nothing else, in light and dark, narrow and wide.

use super::super::html::{STYLE, escape, fluid, section};
use super::super::plots::Plot;
use super::tables;
use crate::sweep::{Standing, Sweep};

/// Points in the table of all; the file `sweep.csv` has every one.
const ROWS_MAX: usize = 1000;

const FRONT: &str = "No other setting is at least as good in every objective and better in one. In brackets the 95 % interval over seeds; \
     a rate of 0 has the upper limit that its exposure carries.";
const NEAR: &str = "A setting on the front beats each of these, but in no objective by more than their intervals: with other seeds it \
     could be the other way round.";
const KEYS: &str = "The median of the figures of all settings with that value, whatever their other keys are, and how far apart the values \
     of one key are. A key that reaches far matters; one that stays near 1 may be left alone.";

/// The page.
pub(super) fn page(sweep: &Sweep, planes: &[Plot]) -> String {
    let (class, verdict) =
        if sweep.holds() { ("good", "invariants held") } else { ("bad", "something did not hold") };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}: sweep</title>\n\
         <style>{STYLE}</style>\n<main>\n<h1>{name}: sweep <span class=\"{class} badge\">{verdict}</span></h1>\n\
         <p class=\"about\">{about}</p>\n<p>{story}</p>\n",
        name = escape(&sweep.name),
        about = escape(&sweep.about),
        story = escape(&tables::story(sweep)),
    );
    tiles(&mut out, sweep);
    for plot in planes {
        out.push_str(&format!(
            "<figure><h2>{}</h2><div class=\"wide\">{}</div><div class=\"narrow\">{}</div><figcaption>{}</figcaption></figure>\n",
            escape(&plot.title), fluid(&plot.wide), fluid(&plot.narrow), escape(&plot.caption)
        ));
    }
    section(&mut out, "The front", FRONT, &tables::front(sweep));
    reruns(&mut out, sweep);
    section(&mut out, "Not distinguishable from the front", NEAR, &tables::near(sweep));
    section(&mut out, "Each key on its own", KEYS, &tables::marginals(sweep));
    out.push_str("<details><summary>All settings</summary>\n");
    let note = if sweep.points.len() > ROWS_MAX { "The first thousand; sweep.csv has all." } else { "" };
    section(&mut out, "All settings", note, &tables::all(sweep, ROWS_MAX));
    out.push_str("</details>\n");
    provenance(&mut out, sweep);
    out.push_str("</main>\n</html>\n");
    out
}

fn tiles(out: &mut String, sweep: &Sweep) {
    out.push_str("<dl class=\"key\">\n");
    let runs = sweep.points.len() as u64 * u64::from(sweep.seeds);
    let front = sweep.standing(Standing::Front);
    for (label, value, remark) in [
        ("settings", sweep.points.len() as u64, format!("{} seeds each, {runs} runs", sweep.seeds)),
        ("on the front", front as u64, "beaten by none".to_owned()),
        (
            "not distinguishable",
            sweep.standing(Standing::NotDistinguishable) as u64,
            "behind it by chance alone, perhaps".to_owned(),
        ),
        ("behind", sweep.standing(Standing::Behind) as u64, "beyond chance".to_owned()),
    ] {
        out.push_str(&format!("<div><dt>{label}</dt><dd><b>{value}</b><small>{remark}</small></dd></div>\n"));
    }
    out.push_str("</dl>\n");
}

fn reruns(out: &mut String, sweep: &Sweep) {
    out.push_str("<details><summary>Run a setting of the front again, with a report of its own</summary>\n");
    for point in sweep.front() {
        out.push_str(&format!(
            "<p class=\"note\">Point {}: {}</p><pre>{}</pre>\n",
            point.number,
            escape(&tables::settings(point)),
            escape(&point.rerun)
        ));
    }
    out.push_str("</details>\n");
}

fn provenance(out: &mut String, sweep: &Sweep) {
    out.push_str("<section><h2>What was run</h2>\n");
    for line in tables::unsound(sweep) {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(&line)));
    }
    out.push_str(&format!(
        "<p class=\"note\">Scenario: <code>{}</code>. What varied:</p><pre>",
        escape(&sweep.source)
    ));
    for vary in &sweep.vary {
        out.push_str(&escape(&format!("--vary '{vary}'\n")));
    }
    out.push_str(&format!(
        "</pre>\n<p class=\"note\">rumormill-sim {}, digest of the plan <code>{}</code>. The same plan gives the same report, byte for byte, \
         however its runs are shared out. Every figure is in <code>sweep.json</code> and <code>sweep.csv</code>.</p></section>\n",
        escape(&sweep.version),
        escape(&sweep.plan)
    ));
}

#[cfg(test)]
mod tests {
    use super::super::tests::sweep;
    use super::*;
    use crate::report::plots;

    #[test]
    fn text_of_a_scenario_cannot_become_markup_and_the_page_needs_nothing_else() {
        let mut sweep = sweep();
        sweep.about = "<script>alert('x')</script>".to_owned();
        sweep.vary = vec!["<b>=1".to_owned()];
        sweep.points[0].settings[0].1 = "<i>".to_owned();
        sweep.points[0].unsound = vec![1];
        let page = page(&sweep, &plots::planes(&sweep, sweep.marginals.first()).unwrap());
        for tag in ["<script", "<b>=", "<i>", "src=", "<link", "url(", "@import"] {
            assert!(!page.contains(tag), "{tag}");
        }
        for part in [
            "The front",
            "Each key on its own",
            "something did not hold",
            "--vary &#39;&lt;b&gt;=1&#39;",
            "gossip_nodes = 4, probe_interval = 1000ms (the same runs as point 1)",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }
}
