//! Problems with their places, as people and programs read them.

use std::fmt;
use std::ops::Range;

use serde::{Serialize, Serializer};

use super::problem::{Problem, Severity};
use super::source::Document;
use super::tree::Place;

/// Problems that are kept; noise has one in every line.
const KEPT: usize = 50;
/// Characters of a line that are shown.
const SNIPPET: usize = 100;

/// One problem with the agent's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    /// How bad it is.
    #[serde(serialize_with = "severity_name")]
    pub(crate) severity: Severity,
    /// The file, the flag (`-bind`), or the variable (`$RUMOR_ENCRYPT_KEY`); empty when it is about all of them.
    pub(crate) origin: String,
    /// Line in the file, from 1.
    pub(crate) line: Option<usize>,
    /// Column in the file, in characters, from 1.
    pub(crate) column: Option<usize>,
    /// The key, such as `mdns.interface`; empty when the problem is the file's.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) hint: Option<String>,
    #[serde(skip)]
    snippet: Option<Snippet>,
}

fn severity_name<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Snippet {
    line: String,
    /// Characters before the caret.
    indent: usize,
    carets: usize,
}

impl Diagnostic {
    /// Whether the agent does not start with it.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Place, key, what is wrong and what would be right, for a log.
    pub(crate) fn line(&self) -> String {
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.origin),
            _ => self.origin.clone(),
        };
        let parts = [place.as_str(), &self.key, &self.message];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        match &self.hint {
            Some(hint) => format!("{text} ({hint})"),
            None => text,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        let mut parts = Vec::new();
        if !self.is_error() {
            parts.push("warning");
        }
        if !self.key.is_empty() {
            parts.push(&self.key);
        }
        parts.push(&self.message);
        if !self.origin.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&parts.join(": "))?;
        if let (Some(number), Some(snippet)) = (self.line, &self.snippet) {
            let Snippet { line, indent, carets } = snippet;
            write!(f, "\n{number:>5} | {line}")?;
            write!(f, "\n      | {:indent$}{:^<carets$}", "", "")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Puts problems in the order of files and lines, each with its place; errors before warnings where there are too many.
pub(super) fn explain(documents: &[Document], mut problems: Vec<Problem>) -> Vec<Diagnostic> {
    // Finding a line walks the text, so what is not kept is not looked up.
    let left_out = problems.len().saturating_sub(KEPT);
    problems.sort_by_key(|problem| problem.severity == Severity::Warning);
    problems.truncate(KEPT);
    problems.sort_by_key(|problem| match &problem.place {
        Place::Document(number, span) => (0, *number, span.start),
        Place::Named(_) => (1, 0, 0),
        Place::Nowhere => (2, 0, 0),
    });
    let mut list: Vec<Diagnostic> = problems.into_iter().map(|problem| one(documents, problem)).collect();
    if left_out > 0 {
        let worst = if list.iter().any(Diagnostic::is_error) { Severity::Error } else { Severity::Warning };
        let problem = Problem { severity: worst, ..Problem::nowhere("", format!("... and {left_out} more")) };
        list.push(one(documents, problem));
    }
    list
}

fn one(documents: &[Document], problem: Problem) -> Diagnostic {
    let mut diagnostic = Diagnostic {
        severity: problem.severity,
        origin: String::new(),
        line: None,
        column: None,
        key: problem.key,
        message: problem.message,
        hint: problem.hint,
        snippet: None,
    };
    match problem.place {
        Place::Nowhere => {}
        Place::Named(name) => diagnostic.origin = name.into(),
        Place::Document(number, span) => {
            let Some(document) = documents.get(number) else { return diagnostic };
            diagnostic.origin.clone_from(&document.name);
            // An empty span at the start means the file as a whole.
            if span != (0..0) {
                let (line, column) = position(&document.text, span.start);
                diagnostic.line = Some(line);
                diagnostic.column = Some(column);
                diagnostic.snippet = Some(snippet(&document.shown, &span));
            }
        }
    }
    diagnostic
}

/// The nearest character boundary at or before `offset`.
fn boundary(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..boundary(text, offset)].rfind('\n').map_or(0, |newline| newline + 1)
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let start = line_start(text, offset);
    let line = text[..start].bytes().filter(|b| *b == b'\n').count() + 1;
    (line, text[start..boundary(text, offset)].chars().count() + 1)
}

fn snippet(text: &str, span: &Range<usize>) -> Snippet {
    let start = line_start(text, span.start);
    let line = text[start..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let before = text[start..boundary(text, span.start)].chars().count();
    let length = text[boundary(text, span.start)..boundary(text, span.end).max(boundary(text, span.start))]
        .split('\n')
        .next()
        .map_or(0, |part| part.chars().count());
    // A long line is shown from a little before the caret.
    let skip = if before > SNIPPET * 3 / 4 { before - SNIPPET / 4 } else { 0 };
    let shown = line.chars().skip(skip).take(SNIPPET).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let indent = before - skip;
    Snippet { line: shown, indent, carets: length.clamp(1, SNIPPET.saturating_sub(indent).max(1)) }
}
