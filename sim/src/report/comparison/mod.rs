//! A comparison of two settings, scenarios or versions: a text for terminals, and a page with its plot. The same comparison gives the same
//! bytes.

mod figures;
mod story;

use std::io;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::figures::Comparison as Drawn;
use super::html::{STYLE, escape, fluid, section};
use super::plots::{self, Plot};
use super::terminal::{BAD, GOOD, TITLE, grid, wrapped};
use super::{make, remove};
use crate::compare::{Comparison, Row, Verdict};
use crate::whole_file::write_whole;

/// Metrics that are drawn; the table has all.
const DRAWN: usize = 20;

/// Verdicts with their colours in plots, the most telling first.
const VERDICTS: [(Verdict, usize); 6] = [
    (Verdict::Worse, 4),
    (Verdict::Better, 2),
    (Verdict::Different, 5),
    (Verdict::Equivalent, 3),
    (Verdict::NoDifference, 0),
    (Verdict::TooFew, 7),
];

/// A readable comparison for a terminal `width` columns wide, with or without ANSI colours.
#[must_use]
pub fn text(comparison: &Comparison, colour: bool, width: usize) -> String {
    let width = width.clamp(40, 400);
    let mut out = String::new();
    for paragraph in story::paragraphs(comparison) {
        out.push_str(&wrapped(&paragraph, width));
        out.push('\n');
    }
    let table = figures::short(comparison);
    if !table.rows.is_empty() {
        let title = "Metric by metric";
        out.push_str(&if colour { format!("{TITLE}{title}{TITLE:#}\n") } else { format!("{title}\n") });
        for line in grid(&table, width).lines() {
            out.push_str(&if colour { painted(line) } else { line.to_owned() });
            out.push('\n');
        }
        out.push('\n');
    }
    let sentences = figures::beside(comparison).into_iter().chain(figures::unknowns(comparison));
    for sentence in sentences.chain(story::same(comparison)) {
        out.push_str(&wrapped(&sentence, width));
    }
    out
}

/// A row of the table, its verdict in colour.
fn painted(line: &str) -> String {
    let text = line.trim_start();
    let verdict = VERDICTS.iter().find(|(verdict, _)| text.starts_with(verdict.words()));
    let Some((verdict, _)) = verdict else { return line.to_owned() };
    let style = match verdict {
        Verdict::Better => GOOD,
        Verdict::Worse => BAD,
        Verdict::Different => AnsiColor::Yellow.on_default().bold(),
        Verdict::Equivalent => AnsiColor::Cyan.on_default(),
        Verdict::Same | Verdict::NoDifference | Verdict::TooFew => Style::new().dimmed(),
    };
    let (words, rest) = text.split_at(verdict.words().len());
    format!("{}{style}{words}{style:#}{rest}", &line[..line.len() - text.len()])
}

/// Writes `compare.html`, `compare.json` and, where something differs, `differences.svg` into a folder, which is created.
///
/// # Errors
/// When the folder or a file cannot be written; the message names it.
pub fn write(comparison: &Comparison, dir: &Path) -> io::Result<()> {
    let plot = plot(comparison)?;
    let page = page(comparison, plot.as_ref());
    make(dir)?;
    write_whole(&dir.join("compare.html"), &page)?;
    write_whole(&dir.join("compare.json"), &comparison.to_json())?;
    let drawing = dir.join("differences.svg");
    match plot {
        Some(plot) => write_whole(&drawing, &plot.standalone()),
        // That of an earlier comparison does not stay.
        None => remove(&drawing),
    }
}

/// Why a metric fails a comparison that must not be so: what was found, and how sure it is.
#[must_use]
pub fn failure(row: &Row) -> String {
    story::failure(row)
}

/// Why metrics of which [nothing could have shown](Comparison::blind) fail a comparison, and the seeds that it takes.
#[must_use]
pub fn blind(comparison: &Comparison, rows: &[&Row]) -> String {
    story::blind(comparison, rows)
}

fn plot(comparison: &Comparison) -> io::Result<Option<Plot>> {
    let mut rows: Vec<(usize, f64, Drawn)> = Vec::new();
    for row in comparison.rows.iter().filter(|row| row.varies()) {
        let (Some(place), Some(drawn)) =
            (VERDICTS.iter().position(|(v, _)| *v == row.verdict), figures::drawn(row))
        else {
            continue;
        };
        let drawn = Drawn { variant: row.verdict.words().to_owned(), ..drawn };
        rows.push((place, row.p, drawn));
    }
    rows.sort_by(|a, b| (a.0).cmp(&b.0).then(a.1.total_cmp(&b.1)));
    rows.truncate(DRAWN);
    let present = |words: &str| rows.iter().any(|(.., drawn)| drawn.variant == words);
    let verdicts: Vec<(&str, usize)> =
        VERDICTS.iter().map(|(v, colour)| (v.words(), *colour)).filter(|(words, _)| present(words)).collect();
    let caption = format!(
        "B less A, paired by seed: small points are seeds, the large one their mean, the line its 95 % interval over seeds, without any \
         adjustment (from 6 seeds on). Each metric has its own scale. n = {} seeds.",
        comparison.seeds.len()
    );
    plots::compared(&verdicts, rows.into_iter().map(|(.., drawn)| drawn).collect(), caption)
}

fn page(comparison: &Comparison, plot: Option<&Plot>) -> String {
    let name = if comparison.a.name == comparison.b.name {
        comparison.a.name.clone()
    } else {
        format!("{} and {}", comparison.a.name, comparison.b.name)
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name} compared</title>\n\
         <style>{STYLE}</style>\n<main>\n<h1>{name} <span class=\"badge\">compared</span></h1>\n",
        name = escape(&name),
    );
    for (number, paragraph) in story::paragraphs(comparison).iter().enumerate() {
        let class = if number == 0 { " class=\"about\"" } else { "" };
        out.push_str(&format!("<p{class}>{}</p>\n", escape(paragraph)));
    }
    if let Some(plot) = plot {
        out.push_str(&format!(
            "<figure><h2>{}</h2><div class=\"wide\">{}</div><div class=\"narrow\">{}</div><figcaption>{}</figcaption></figure>\n",
            escape(&plot.title), fluid(&plot.wide), fluid(&plot.narrow), escape(&plot.caption)
        ));
    }
    section(&mut out, "What it comes to", COMES_TO, &figures::verdicts(comparison));
    section(&mut out, "Differences", DIFFERENCES, &figures::differences(comparison));
    section(&mut out, "Tests", TESTS, &figures::tests(comparison));
    let versions = [("A", &comparison.a), ("B", &comparison.b)].map(|(side, facts)| {
        let (source, version, digest) =
            (escape(&facts.source), escape(&facts.version), escape(&facts.digest));
        format!(
            "{side}: <code>{source}</code>, rumormill-sim {version}, scenario digest <code>{digest}</code>."
        )
    });
    out.push_str(&format!(
        "<section><h2>Where it comes from</h2>\n<p class=\"note\">{}</p>\n<p class=\"note\">The same runs give the same page, byte for byte; \
         every figure is in <code>compare.json</code>.</p></section>\n</main>\n</html>\n",
        versions.join(" ")
    ));
    out
}

const COMES_TO: &str = "A and B: means over the seeds that both have; > x where it is only known to be more. Verdicts are by adjusted p-values: the \
     chance of any false alarm among all metrics is at most 5 %.";
const DIFFERENCES: &str = "B less A, seed by seed. Intervals resample seeds, from 6 seeds on, and are not adjusted. Quotients B over A: of rare counts \
     exact (conditional binomial), else resampling seeds. Pairing: the correlation r of the two over seeds, and the share of the variance of \
     unpaired differences that it took away; below r = 0.2 it did not help.";
const TESTS: &str = "p of no difference: flipping signs of differences (of pairs with values that are only known to be larger: sign test), adjusted \
     after Holm over all metrics that vary. p of a difference beyond the margin: two one-sided t tests, adjusted after Holm among those. Would have \
     shown: the smallest mean difference that four of five such comparisons find, at this number of metrics.";

#[cfg(test)]
mod tests;
