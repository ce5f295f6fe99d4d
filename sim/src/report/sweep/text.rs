//! The answer for a terminal.

use anstyle::{AnsiColor, Style};

use super::super::terminal::{grid, wrapped};
use super::tables;
use crate::sweep::Sweep;

const BAD: Style = AnsiColor::Red.on_default().bold();
const TITLE: Style = Style::new().bold();
/// Points of the front that are shown; the page has all.
const SHOWN: usize = 20;

/// A readable answer for a terminal `width` columns wide, with or without ANSI colours.
#[must_use]
pub fn text(sweep: &Sweep, colour: bool, width: usize) -> String {
    let width = width.clamp(40, 400);
    let paint = |style: Style, text: &str| {
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut out = format!("{}\n", paint(TITLE, &sweep.name));
    out.push_str(&wrapped(&tables::story(sweep), width));
    let mut front = tables::front(sweep);
    let rest = front.rows.len().saturating_sub(SHOWN);
    front.rows.truncate(SHOWN);
    out.push_str(&format!("\n{}\n{}\n", paint(TITLE, "The front, 95 % intervals"), grid(&front, width)));
    if rest > 0 {
        out.push_str(&format!("... and {rest} more, in the report\n"));
    }
    let marginals = tables::marginals(sweep);
    if !marginals.rows.is_empty() {
        let title = paint(TITLE, "Each key on its own, medians of the points");
        out.push_str(&format!("\n{title}\n{}\n", grid(&marginals, width)));
    }
    for line in tables::unsound(sweep) {
        out.push_str(&format!("\n{} {line}\n", paint(BAD, "NOT HELD")));
    }
    if let Some(first) = sweep.front().first() {
        out.push_str(&format!("\nPoint {} again: {}\n", first.number, first.rerun));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::sweep;
    use super::*;

    #[test]
    fn the_answer_says_the_front_and_stays_within_its_width() {
        let mut sweep = sweep();
        for width in [80, 120] {
            let plain = text(&sweep, false, width);
            assert!(!plain.contains('\u{1b}'));
            for line in plain.lines().filter(|line| !line.contains("rumor-sim run")) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            for part in ["The front", "suspicion_mult", "0 (below 0.0461)", "most / least", "node-hours"] {
                assert!(plain.contains(part), "{part}: {plain}");
            }
        }
        assert!(text(&sweep, true, 80).contains('\u{1b}'));
        sweep.points[2].unsound = vec![4, 5];
        assert!(text(&sweep, false, 80).contains("in seeds 4, 5; to see it: rumor-sim run"));
    }
}
