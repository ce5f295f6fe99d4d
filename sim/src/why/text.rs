//! An explanation for a terminal.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::{Explanation, How, Probed, Rerun, Verdict};
use crate::trace::words::{moment, name};
use crate::truth::node_name;

const TITLE: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default();

/// The explanation as text `width` columns wide, with or without ANSI colours: the story, the chain as a timeline, and what would have
/// prevented it.
#[must_use]
pub fn text(explanation: &Explanation, colour: bool, width: usize) -> String {
    let paint = |style: Style, text: &str| {
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let Explanation { scenario, variant, seed, observer, subject, .. } = explanation;
    let title = format!("{scenario}, {variant}, seed {seed}: {observer} about {subject}");
    let mut out = format!("{}\n\n", paint(TITLE, &title));
    for paragraph in &explanation.story {
        out.push_str(&wrapped(paragraph, width, 0));
    }
    out.push_str(&wrapped(&conclusion(explanation), width, 0));
    out.push_str(&format!("\n{}\n", paint(TITLE, "What led to it")));
    let nodes = explanation.steps.iter().map(|step| step.node.chars().count()).max().unwrap_or(0);
    for step in &explanation.steps {
        let head = format!("{:>11.6}  {:nodes$}  {:10}  ", step.time, step.node, step.part);
        let indent = head.chars().count();
        let body = wrapped(&step.what, width.saturating_sub(indent).max(30), indent);
        let body = body.trim_end();
        out.push_str(&format!("{head}{}\n", if step.amiss { paint(BAD, body) } else { body.to_owned() }));
    }
    if explanation.left_out > 0 {
        out.push_str(&wrapped(&not_recorded(explanation.left_out), width, 0));
    }
    if !explanation.reruns.is_empty() {
        out.push_str(&format!(
            "\n{}\n{}\n",
            paint(TITLE, "What if it had been otherwise"),
            reruns(explanation, width)
        ));
        if explanation.not_tried > 0 {
            let more = explanation.not_tried;
            out.push_str(&format!(
                "{more} more could be tried: --reruns {}\n",
                explanation.reruns.len() + more
            ));
        }
    }
    out
}

/// What the reruns say, in a sentence.
fn conclusion(explanation: &Explanation) -> String {
    let reruns = &explanation.reruns;
    if reruns.is_empty() {
        return String::new();
    }
    // The least change says the most; of several packets together the fewest, which come last.
    let prevents = reruns.iter().filter(|rerun| rerun.prevents());
    let Some(best) = prevents.clone().min_by_key(|rerun| rerun.how) else {
        return "None of the changes that were tried would have prevented it.".to_owned();
    };
    let best = if best.how == How::AllArrive { prevents.clone().next_back().unwrap_or(best) } else { best };
    let if_so = match best.how {
        How::Arrives => format!("if this packet had arrived in its time: {}", best.of),
        How::ArrivesAtOnce => format!("if this packet had arrived at once: {}", best.of),
        How::IsLost => format!("if this packet had been lost: {}", best.of),
        How::AllArrive => format!("if all of these had arrived in their time: {}", best.of),
        How::Without => format!("without {}", best.of),
    };
    let answered = match best.probe {
        Probed::Answered => " The probe would have been answered.",
        Probed::Fails | Probed::Unknown => "",
    };
    let also = match prevents.count() - 1 {
        0 => String::new(),
        1 => " One other change below would have prevented it too.".to_owned(),
        n => format!(" {n} other changes below would have prevented it too."),
    };
    format!("It would not have happened {if_so}.{answered}{also}")
}

fn reruns(explanation: &Explanation, width: usize) -> String {
    let mut table = table(width);
    table.set_header(["changed", "probe", "verdict"]);
    for rerun in &explanation.reruns {
        let probe = match rerun.probe {
            Probed::Fails => "fails",
            Probed::Answered => "answered",
            Probed::Unknown => "-",
        };
        let verdict = verdict(explanation, rerun);
        table.add_row([rerun.change().as_str(), probe, &verdict].map(Cell::new));
    }
    table.trim_fmt()
}

/// What the observer declared in a rerun; the incarnation where it is another one.
fn verdict(explanation: &Explanation, rerun: &Rerun) -> String {
    let Some(time) = rerun.declared else { return "prevented".to_owned() };
    match rerun.incarnation {
        Some(other) if other != explanation.incarnation => {
            format!("declared at {time:.3} s as incarnation {other}")
        }
        _ => format!("declared at {time:.3} s"),
    }
}

/// What is said of a recording without room for all that happened.
#[must_use]
pub fn not_recorded(left_out: u64) -> String {
    format!("Not all could be recorded: {left_out} happenings are missing.")
}

/// A table of verdicts, at most so many; how many there are is said.
#[must_use]
pub fn list(verdicts: &[Verdict], most: usize, width: usize) -> String {
    let mut table = table(width);
    table.set_header(["time, s", "observer", "subject", "incarnation", "whose suspicion", "false positive"]);
    for verdict in verdicts.iter().take(most) {
        table.add_row([
            moment(verdict.time),
            node_name(verdict.observer),
            node_name(verdict.subject),
            verdict.incarnation.to_string(),
            name(verdict.declarer),
            if verdict.false_positive { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let rest = verdicts.len().saturating_sub(most);
    let more = if rest > 0 { format!("\n{rest} more") } else { String::new() };
    format!("{}{more}", table.trim_fmt())
}

fn table(width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table
}

/// Words in lines of at most so many columns, those after the first indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    if !text.is_empty() {
        out.push('\n');
    }
    out
}
