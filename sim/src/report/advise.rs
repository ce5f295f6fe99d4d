//! Advice for a terminal.

use anstyle::{AnsiColor, Style};

use super::figures::{Row, Table, grouped_count, number, sample};
use super::terminal::{grid, wrapped};
use crate::advise::{Advice, Finalist, Met, Target, Verdict, hours_to_show};
use crate::sweep::Estimate;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const TITLE: Style = Style::new().bold();

/// A readable advice for a terminal `width` columns wide, with or without ANSI colours.
#[must_use]
pub fn text(advice: &Advice, colour: bool, width: usize) -> String {
    let width = width.clamp(60, 400);
    let paint = |style: Style, text: &str| {
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut out = wrapped(&asked(advice), width);
    out.push('\n');
    match advice.advised() {
        Some(advised) => {
            out.push_str(&paint(GOOD, "Advised: "));
            out.push_str(&wrapped(&advised.settings.words(), width));
            out.push_str(&wrapped(&why(advice, advised), width));
        }
        None => {
            out.push_str(&paint(BAD, "None of the settings tried is shown to meet all targets.\n"));
            if let Some(nearest) = advice.nearest() {
                out.push_str(&wrapped(
                    &format!("Nearest: {}. {}", nearest.settings.words(), binding(advice, nearest)),
                    width,
                ));
            }
        }
    }
    let confidence = number(advice.confidence * 100.0);
    let title = format!("On {} held-out seeds, {confidence} % intervals", advice.confirm_runs);
    out.push_str(&format!("\n{}\n{}\n", paint(TITLE, &title), grid(&beside(advice), width)));
    if let Some(never) = never(advice) {
        out.push_str(&wrapped(&never, width));
    }
    let front = front(advice);
    if front.rows.len() > 1 {
        out.push_str(&format!(
            "\n{}\n{}\n",
            paint(TITLE, "Beaten by no other finalist"),
            grid(&front, width)
        ));
    }
    if let Some(advised) = advice.advised() {
        out.push_str(&format!(
            "\n{}\n{}",
            paint(TITLE, "For the agent's configuration"),
            advice.agent(&advised.settings)
        ));
        out.push_str(&format!(
            "\n{}\nconfig = {}\n",
            paint(TITLE, "For [cluster] of a scenario"),
            advised.settings.table()
        ));
    }
    out
}

/// What was asked and what was done, in plain words.
fn asked(advice: &Advice) -> String {
    let targets: Vec<String> =
        advice.targets.iter().map(|(target, bound)| wanted(advice, *target, *bound)).collect();
    let cut = advice.exposure_asked.filter(|asked| *asked > advice.exposure_max).map(|asked| {
        format!(
            " The {} node-hours of --exposure were cut: more than {} of such a cluster cannot be watched.",
            grouped_count(asked as u64),
            grouped_count(advice.exposure_max as u64)
        )
    });
    format!(
        "{}. Wanted: {}. {} settings were tried in {} runs (seeds {} to {}), and {} of them and the profile's own were run on {} other seeds ({} to {}), {} node-hours each.{}",
        advice.question,
        targets.join("; "),
        grouped_count(advice.tried as u64),
        grouped_count(advice.search_runs),
        advice.search_seeds.0,
        advice.search_seeds.1,
        advice.finalists.len().saturating_sub(1),
        advice.confirm_runs,
        advice.confirm_seeds.0,
        advice.confirm_seeds.1,
        number(watched(advice)),
        cut.unwrap_or_default(),
    )
}

/// Node-hours for which a finalist was watched.
fn watched(advice: &Advice) -> f64 {
    advice.finalists.first().and_then(|finalist| finalist.figures[1].node_hours).unwrap_or(0.0)
}

fn wanted(advice: &Advice, target: Target, bound: f64) -> String {
    match target {
        Target::Detection => {
            format!("{} of 100 crashes known to all within {bound} s", advice.permille / 10)
        }
        Target::FalsePositives => format!(
            "fewer than {bound} false positives per node-hour (declarations, one for each observer and member)"
        ),
        Target::Bytes => format!("less than {bound} bytes sent per node-second"),
    }
}

fn why(advice: &Advice, advised: &Finalist) -> String {
    let mut text = "It is the cheapest in bytes of those whose whole interval meets every target.".to_owned();
    if advised.settings.0.is_empty() {
        text.push_str(" Nothing has to be changed.");
    }
    if let Some(profile) = advice.finalists.first().filter(|profile| !profile.meets_all()) {
        text.push_str(&format!(" The profile's own settings are not shown to: {}", binding(advice, profile)));
    }
    text
}

/// Which target stands in the way, and why.
fn binding(advice: &Advice, finalist: &Finalist) -> String {
    if !finalist.unsound.is_empty() {
        return "An invariant did not hold.".to_owned();
    }
    let Some(verdict) = finalist.binding().filter(|verdict| verdict.met != Met::Shown) else {
        return "It meets all of them.".to_owned();
    };
    let figure = finalist.figures.get(place(verdict.target)).copied().unwrap_or_default();
    let said = format!(
        "{} is what binds: {} {}, and the target is {}.",
        verdict.target.name(),
        cell(&figure),
        verdict.target.unit(),
        verdict.bound
    );
    if verdict.met != Met::NotShown {
        return said;
    }
    let hours = hours_to_show(&figure, verdict.bound, (1.0 - advice.confidence) / 2.0);
    match hours.filter(|_| verdict.target == Target::FalsePositives) {
        Some(hours) if hours <= advice.exposure_max => format!(
            "{said} The figure meets it, but {} node-hours do not carry the claim; if it goes on so, {hours} would: --exposure {hours}.",
            number(watched(advice)),
        ),
        Some(hours) => format!(
            "{said} The figure meets it, but {} node-hours do not carry the claim; {hours} would, if it goes on so, but at most {} of such a cluster can be watched.",
            number(watched(advice)),
            advice.exposure_max,
        ),
        None => format!("{said} The figure meets it, but its interval does not."),
    }
}

/// What a zero stands on: exposure if declarations are independent, and runs if they come in storms.
fn never(advice: &Advice) -> Option<String> {
    let shown = [advice.advised().or_else(|| advice.nearest()), advice.finalists.first()];
    let figures =
        shown.into_iter().flatten().map(|finalist| &finalist.figures[place(Target::FalsePositives)]);
    let runs = figures.filter(|figure| figure.never() && figure.runs > 0).map(|figure| figure.runs).min()?;
    // With this share of runs that have one, none in so many has just the chance that an interval leaves out.
    let share = 1.0 - libm::pow((1.0 - advice.confidence) / 2.0, 1.0 / runs as f64);
    Some(format!(
        "The bound of a zero takes declarations to be independent. They may come together (one member, many observers); then count runs: none in {runs} of them shows that fewer than {} % have any.",
        libm::ceil(share * 1000.0) / 10.0
    ))
}

fn place(target: Target) -> usize {
    Target::ALL.iter().position(|one| *one == target).unwrap_or(0)
}

/// The advised settings (or the nearest) beside the profile's, a row for each figure.
fn beside(advice: &Advice) -> Table {
    let chosen = advice.advised().or_else(|| advice.nearest());
    let name = if advice.advised().is_some() { "advised" } else { "nearest" };
    let rows = Target::ALL.into_iter().map(|target| {
        let bound = advice.targets.iter().find(|(t, _)| *t == target).map(|(_, bound)| *bound);
        let shown = |finalist: Option<&Finalist>| {
            let Some(finalist) = finalist else { return String::new() };
            let verdict = finalist.verdicts.iter().find(|verdict| verdict.target == target);
            let met = verdict.map_or(String::new(), |verdict| format!(", {}", word(verdict)));
            format!("{}{met}", cell(&finalist.figures[place(target)]))
        };
        let measure = match target {
            Target::Detection => format!("{}, p{} ({})", target.name(), advice.permille / 10, target.unit()),
            _ => format!("{} ({})", target.name(), target.unit()),
        };
        let bound = bound.map_or("-".to_owned(), |bound| format!("below {bound}"));
        let cells = vec![measure, bound, shown(chosen), shown(advice.finalists.first())];
        Row { cells, good: None }
    });
    let head = ["", "target", name, "profile's own"].map(str::to_owned);
    Table { head: head.into(), rows: rows.collect() }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict.met {
        Met::Shown => "met",
        Met::NotShown => "not shown",
        Met::Missed => "MISSED",
    }
}

/// The finalists that no other beats in all figures, from the fastest on.
fn front(advice: &Advice) -> Table {
    let mut on: Vec<&Finalist> = advice.finalists.iter().filter(|finalist| finalist.front).collect();
    let fast = |finalist: &Finalist| finalist.figures[0].value.map_or(f64::INFINITY, |value| value.value);
    on.sort_by(|a, b| fast(a).total_cmp(&fast(b)));
    let rows = on.into_iter().map(|finalist| {
        let mut cells: Vec<String> = finalist.figures.iter().map(cell).collect();
        cells.push(finalist.settings.words());
        Row { cells, good: None }
    });
    let mut head: Vec<String> =
        Target::ALL.iter().map(|target| format!("{} ({})", target.name(), target.unit())).collect();
    head.push("settings".to_owned());
    Table { head, rows: rows.collect() }
}

/// A figure with its interval.
fn cell(figure: &Estimate) -> String {
    let Some(value) = figure.value else { return "nothing to measure".to_owned() };
    match (figure.low, figure.high) {
        (_, Some(high)) if figure.never() => format!("0 (below {})", number(high.value)),
        (Some(low), Some(high)) if !high.censored => {
            format!("{} ({} to {})", sample(value), number(low.value), number(high.value))
        }
        _ => format!("{} (no upper end)", sample(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::Settings;
    use crate::stats::seen;

    fn advice(high: f64) -> Advice {
        let figure = |value: f64, high: f64| Estimate {
            value: Some(seen(value)),
            low: Some(seen(value / 2.0)),
            high: Some(seen(high)),
            ..Estimate::default()
        };
        let never = Estimate {
            value: Some(seen(0.0)),
            low: Some(seen(0.0)),
            high: Some(seen(high)),
            events: Some(0),
            node_hours: Some(100.0),
            runs: 12,
        };
        let finalist = |settings: Settings, detection: f64, never: Estimate| {
            let met = |value: f64, bound: f64| if value <= bound { Met::Shown } else { Met::Missed };
            let shown = if high <= 0.01 { Met::Shown } else { Met::NotShown };
            let verdicts = vec![
                Verdict {
                    target: Target::Detection,
                    bound: 10.0,
                    met: met(detection, 10.0),
                    over: Some(detection / 10.0),
                },
                Verdict { target: Target::FalsePositives, bound: 0.01, met: shown, over: Some(high / 0.01) },
            ];
            let figures = [figure(detection, detection), never, figure(300.0, 310.0)];
            Finalist { settings, figures, verdicts, front: true, unsound: Vec::new() }
        };
        let settings = Settings(vec![("suspicion_mult".to_owned(), "2".to_owned())]);
        Advice {
            version: "0.1.0".to_owned(),
            question: "200 nodes".to_owned(),
            profile: "lan".to_owned(),
            targets: vec![(Target::Detection, 10.0), (Target::FalsePositives, 0.01)],
            permille: 900,
            tried: 100,
            search_runs: 250,
            search_seeds: (1, 9),
            confirm_runs: 12,
            confirm_seeds: (1_000_001, 1_000_012),
            exposure_asked: Some(100.0),
            exposure_max: 2000.0,
            confidence: 0.99,
            scenario: String::new(),
            recommended: (high <= 0.01).then_some(1),
            finalists: vec![finalist(Settings::default(), 12.0, never), finalist(settings, 8.0, never)],
        }
    }

    #[test]
    fn the_advice_says_what_to_write_and_how_the_profile_does() {
        let plain = text(&advice(0.008), false, 100);
        for part in [
            "Advised: suspicion_mult = 2",
            "[core]\nsuspicion_mult = 2",
            "config = { suspicion_mult = 2 }",
            "0 (below 0.0080)",
            "MISSED",
            "known to all is what binds: 12 (6 to 12) s",
            "90 of 100 crashes",
            "declarations, one for each observer and member",
        ] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        assert!(!plain.contains('\u{1b}') && text(&advice(0.008), true, 100).contains('\u{1b}'));
    }

    #[test]
    fn what_the_exposure_does_not_carry_is_not_claimed() {
        let plain = text(&advice(0.05), false, 100).replace('\n', " ");
        for part in [
            "None of the settings tried",
            "Nearest: suspicion_mult = 2",
            "100 node-hours do not carry the claim; if it goes on so, 556 would: --exposure 556",
        ] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        assert!(!plain.contains("For the agent") && !plain.contains("cut"));
        let small = Advice { exposure_max: 500.0, exposure_asked: Some(700.0), ..advice(0.05) };
        let plain = text(&small, false, 100).replace('\n', " ");
        for part in [
            "700 node-hours of --exposure were cut: more than 500",
            "556 would, if it goes on so, but at most 500",
        ] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        assert!(!plain.contains("--exposure 556"), "{plain}");
    }

    #[test]
    fn a_zero_is_told_by_runs_too() {
        let plain = text(&advice(0.008), false, 100).replace('\n', " ");
        // 0.643 to the twelfth is 0.005.
        for part in [
            "takes declarations to be independent",
            "none in 12 of them shows that fewer than 35.7 % have any",
        ] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        let mut seen = advice(0.008);
        seen.finalists.iter_mut().for_each(|finalist| finalist.figures[1].events = Some(1));
        assert!(!text(&seen, false, 100).contains("independent"));
    }
}
