//! The summary for a terminal.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets};

use super::figures::{self, Table};
use crate::steady::Settled;
use crate::summary::Summary;

/// The heads of columns that stay in one piece where there is room: verdicts, and differences with their intervals.
pub(super) const VERDICT: &str = "verdict";
pub(super) const DIFFERENCE: &str = "B - A (95 %)";

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const TITLE: Style = Style::new().bold();

/// A readable summary for a terminal `width` columns wide, with or without ANSI colours.
#[must_use]
pub fn text(summary: &Summary, colour: bool, width: usize) -> String {
    let width = width.clamp(40, 400);
    let paint = |style: Style, text: &str| {
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let verdict = if summary.holds() { paint(GOOD, "held") } else { paint(BAD, "NOT HELD") };
    let mut out = format!("{}: {verdict}\n", paint(TITLE, &summary.scenario.name));
    for paragraph in [&summary.scenario.about, &figures::story(summary)] {
        out.push_str(&wrapped(paragraph, width));
    }
    let mut section = |title: &str, table: &Table| {
        if !table.rows.is_empty() {
            out.push_str(&format!("\n{}\n{}\n", paint(TITLE, title), grid(table, width)));
        }
    };
    section("Expectations", &figures::expectations(summary));
    if let [variant] = &summary.variants[..] {
        let runs = summary.runs_of(variant);
        let mut distributions = figures::distributions(&runs);
        // Intervals of percentiles are for the page, which has room.
        distributions.head.truncate(7);
        distributions.rows.iter_mut().for_each(|row| row.cells.truncate(7));
        section("Times, all seeds together", &distributions);
        section("Figures per seed", &figures::values(&runs));
    } else {
        section("Variants", &figures::variants(summary));
        section("Side by side", &figures::side_by_side(summary));
        section("Paired differences", &figures::differences(summary, false));
    }
    section("Faults", &figures::faults(summary));
    section("Network", &figures::network(summary));
    section("Invariants", &figures::invariants(summary));
    // What is as it should be, the page tells.
    let unsettled = summary.steady.values().any(|steady| steady.settled() == Settled::No);
    if let Some(sentence) = figures::settled(summary).filter(|_| unsettled) {
        out.push_str(&format!("\n{}", wrapped(&sentence, width)));
    }
    let reruns = figures::reruns(summary);
    if let Some(line) = reruns.last() {
        let what = if reruns.len() > 1 { "The first seed that failed" } else { "The same again" };
        out.push_str(&format!("\n{what}: {line}\n"));
    }
    out
}

pub(super) fn grid(table: &Table, width: usize) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    grid.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    grid.set_header(table.head.iter().map(Cell::new));
    for row in &table.rows {
        grid.add_row(row.cells.iter().map(Cell::new));
    }
    // Names of metrics and what verdicts are by stay in one piece where there is room.
    let roomy = table.head.iter().any(|head| head == VERDICT) && width >= 100;
    for (number, head) in table.head.iter().enumerate() {
        let least = match head.as_str() {
            "metric" if roomy => 29,
            "metric" if width >= 80 => 26,
            VERDICT if roomy => 15,
            DIFFERENCE if roomy => 28,
            _ => continue,
        };
        if let Some(column) = grid.column_mut(number) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    grid.trim_fmt()
}

pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario, talking};

    #[test]
    fn the_text_stays_within_its_width_and_has_escapes_only_in_colour() {
        let summary = Summary::new(&scenario(), "d", (1..=3).map(|s| run("default", s, 50)).collect());
        for width in [60, 80, 120] {
            let plain = text(&summary, false, width);
            assert!(!plain.contains('\u{1b}'));
            let command = "rumor-sim run";
            for line in plain.lines().filter(|l| !l.contains(command)) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(plain.contains("detection.first") && plain.contains("held"), "{plain}");
            let runs = (1..=3).flat_map(|s| ["swim", "lifeguard"].map(|v| talking(v, s, 50))).collect();
            let two = text(&Summary::new(&scenario(), "d", runs), false, width);
            assert!(
                two.lines().filter(|l| !l.contains(command)).all(|l| l.chars().count() <= width),
                "{two}"
            );
            assert!(two.contains("Side by side") && two.contains("Paired differences"), "{two}");
        }
        assert!(text(&summary, true, 80).contains('\u{1b}'));
    }
}
