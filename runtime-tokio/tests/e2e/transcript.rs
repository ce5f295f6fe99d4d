//! What was said, made comparable: ports by their owners' names, times and runtime figures left out, unordered lines sorted.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Captures, Regex};

use crate::harness::{Program, Ran};

/// How much of a step's output can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All, in this order.
    Exact,
    /// All lines, in any order.
    Lines,
    /// How the command is used: each program has its own words.
    Usage,
    /// Only events, not the log around them.
    Events,
    /// As [`Kind::Lines`], but not why a member failed: each program has its own words.
    Members,
    /// Up to the error and its first colon: what comes after it are the words of the program or its libraries.
    Reason,
    /// Keys of figures; not their values, which are of that process.
    Figures,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) exit: i32,
    pub(crate) text: String,
    /// Where it may differ from Serf's: what it has to be instead.
    pub(crate) otherwise: Option<(i32, String)>,
}

/// All steps of a script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript(pub(crate) Vec<Entry>);

impl Transcript {
    /// Steps of another transcript that are not as here, and not as they may be.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.0.len() != other.0.len() {
            found.push(format!("{} steps, not {}", other.0.len(), self.0.len()));
        }
        for (wanted, entry) in self.0.iter().zip(&other.0) {
            let (exit, text) = match &entry.otherwise {
                Some((exit, text)) => (*exit, text),
                None => (wanted.exit, &wanted.text),
            };
            if (entry.exit, &entry.text) != (exit, text) {
                found.push(format!(
                    "=== {}\n--- wanted: status {exit}\n{text}\n--- got: status {}\n{}\n",
                    entry.name, entry.exit, entry.text
                ));
            }
        }
        found
    }
}

/// Makes outputs comparable.
#[derive(Debug, Default)]
pub(crate) struct Normaliser {
    /// Whose port it is.
    ports: BTreeMap<u64, String>,
}

impl Normaliser {
    /// From now on a port is called by this name.
    pub(crate) fn name_port(&mut self, port: u16, name: String) {
        self.ports.insert(port.into(), name);
    }

    /// What a command printed, in the form in which it is compared.
    pub(crate) fn normalise(&self, client: Program, kind: Kind, ran: &Ran) -> String {
        let said = match client {
            // Serf says everything on standard output, but for the reader of its flags.
            Program::Serf => format!("{}{}", ran.out, ran.err),
            Program::Rumor => format!("{}{}", ran.out, without_hint(&ran.err)),
        };
        let said = self.numbers(&said);
        let mut lines: Vec<String> = said.lines().map(|line| tags_sorted(line.trim_end())).collect();
        if ran.exit != 0 {
            lines.retain(|line| !line.is_empty());
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        match kind {
            Kind::Exact => {}
            Kind::Lines | Kind::Members => {
                for line in &mut lines {
                    line.truncate(line.trim_end_matches(',').len());
                    if kind == Kind::Members && line.starts_with("failed:") {
                        *line = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
                    }
                }
                lines.sort_unstable();
            }
            Kind::Usage => lines = vec![if lines.is_empty() { "nothing" } else { "usage" }.into()],
            Kind::Events => lines = events(&lines),
            Kind::Reason => {
                lines.retain(|line| !line.starts_with("failed:"));
                let error = lines.iter().position(|line| line.starts_with("Error ")).map_or(0, |at| at + 1);
                lines.truncate(error);
                if let Some(line) = lines.last_mut() {
                    line.truncate(line.find(':').unwrap_or(line.len()));
                }
            }
            Kind::Figures => {
                let figure = expression(r#"^(\s+(?:\S+ = |"[^"]+": )).*?(,?)$"#);
                for line in &mut lines {
                    *line = figure.replace(line, "$1...$2").into_owned();
                }
            }
        }
        lines.join("\n")
    }

    /// Ports and times, wherever they stand.
    fn numbers(&self, text: &str) -> String {
        let number = expression(r"\b(?:0x([0-9a-f]+)|([0-9]{4,5}))\b");
        let text = number.replace_all(text, |found: &Captures<'_>| {
            let value = match (found.get(1), found.get(2)) {
                (Some(hex), _) => u64::from_str_radix(hex.as_str(), 16).ok(),
                (None, decimal) => decimal.and_then(|decimal| decimal.as_str().parse().ok()),
            };
            let name = value.and_then(|value| self.ports.get(&value));
            name.cloned().unwrap_or_else(|| found[0].to_string())
        });
        let time = expression(r"[0-9]+\.[0-9]+ (ms|sec)\b");
        let text = time.replace_all(&text, "... $1");
        let clock = expression(r"\bLTime: \w+");
        clock.replace_all(&text, "LTime: ...").into_owned()
    }
}

/// A regular expression, whose classes are those of ASCII.
fn expression(text: &str) -> Regex {
    Regex::new(
        &text
            .replace(r"\b", r"(?-u:\b)")
            .replace(r"\w", "[0-9A-Za-z_]")
            .replace(r"\s", "[ \t]")
            .replace(r"\S", "[^ \t]"),
    )
    .expect("a regular expression")
}

/// Ours say on standard error what to do next, after all else.
fn without_hint(err: &str) -> &str {
    let hint = if err.starts_with("hint: ") { Some(0) } else { err.find("\nhint: ").map(|at| at + 1) };
    &err[..hint.unwrap_or(err.len())]
}

/// In a member's line, the tags by key: Serf's order changes from call to call.
fn tags_sorted(line: &str) -> String {
    let member = expression(r"^([^ ]+ +[^ ]+:[^ ]+ +(?:alive|leaving|left|failed) +)([^ ]+=[^ ]*)(.*)$");
    match member.captures(line) {
        Some(parts) => {
            let mut tags: Vec<&str> = parts[2].split(',').collect();
            tags.sort_unstable();
            format!("{}{}{}", &parts[1], tags.join(","), &parts[3])
        }
        None => line.into(),
    }
}

/// The blocks of events in a monitor's output, but for those of the event that only tells that the monitor listens.
fn events(lines: &[String]) -> Vec<String> {
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in lines {
        if line == "Event Info:" {
            blocks.push(Vec::new());
            inside = true;
        } else if inside && line.starts_with('\t') {
            blocks.last_mut().expect("one was begun").push(line.clone());
        } else {
            inside = false;
        }
    }
    blocks.retain(|block| !block.iter().any(|line| line == "\tName: \"ready\""));
    // Serf's fields come in any order.
    blocks.iter_mut().for_each(|block| block.sort_unstable());
    // Who joins tells again what others know: the same news may come twice.
    let mut told = BTreeSet::new();
    blocks.retain(|block| told.insert(block.clone()));
    blocks.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(exit: i32, out: &str, err: &str) -> Ran {
        Ran { exit, out: out.into(), err: err.into() }
    }

    #[test]
    fn what_differs_by_chance_is_equal_and_what_does_not_is_not() {
        let mut names = Normaliser::default();
        names.name_port(17948, "<c>".into());
        let serf = ran(0, "b  127.0.0.1:17948  alive  z=1,a=2\na  127.0.0.1:17948  alive  \n", "");
        let ours = ran(0, "a  127.0.0.1:17948  alive\nb  127.0.0.1:17948  alive  a=2,z=1\n", "");
        let said = names.normalise(Program::Serf, Kind::Lines, &serf);
        assert_eq!(said, "a  127.0.0.1:<c>  alive\nb  127.0.0.1:<c>  alive  a=2,z=1");
        assert_eq!(said, names.normalise(Program::Rumor, Kind::Lines, &ours));
        assert_ne!(
            said,
            names.normalise(Program::Rumor, Kind::Lines, &ran(0, "a  127.0.0.1:17947  alive\n", ""))
        );
        let failed =
            names.normalise(Program::Rumor, Kind::Exact, &ran(1, "==> x\n", "Error: no\nhint: y\nmore\n"));
        assert_eq!(
            failed,
            names.normalise(Program::Serf, Kind::Exact, &ran(1, "==> x\n\nError: no\n\n", ""))
        );
    }

    #[test]
    fn events_are_told_from_the_log_around_them() {
        let out = "log\nEvent Info:\n\tName: \"ready\"\nlog\n\tlog\nEvent Info:\n\tLTime: 0x80\n\t\"Port\":0x461c\nlog\n";
        let mut names = Normaliser::default();
        names.name_port(17948, "<c>".into());
        let said = names.normalise(Program::Serf, Kind::Events, &ran(0, out, ""));
        assert_eq!(said, "\t\"Port\":<c>\n\tLTime: ...");
    }

    #[test]
    fn a_step_is_as_serfs_or_as_it_may_be() {
        let entry =
            |exit, text: &str, otherwise| Entry { name: "x".into(), exit, text: text.into(), otherwise };
        let serf = Transcript(vec![entry(0, "a", None)]);
        assert!(serf.differences(&Transcript(vec![entry(0, "a", None)])).is_empty());
        assert_eq!(serf.differences(&Transcript(vec![entry(1, "a", None)])).len(), 1);
        assert_eq!(serf.differences(&Transcript(vec![entry(0, "b", None)])).len(), 1);
        let other = Some((1, "b".to_string()));
        assert!(serf.differences(&Transcript(vec![entry(1, "b", other.clone())])).is_empty());
        assert_eq!(serf.differences(&Transcript(vec![entry(0, "a", other)])).len(), 1);
        assert_eq!(serf.differences(&Transcript::default()).len(), 1);
    }
}
