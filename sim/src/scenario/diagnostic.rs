//! Problems with their places, as people read them.

use std::fmt;
use std::ops::Range;

use super::overrides::Override;
use super::problem::Problem;
use super::tree::{Item, Place};

/// Problems that are kept; noise has one in every line.
const KEPT: usize = 50;
/// Characters of a line that are shown.
const SNIPPET: usize = 100;
/// Characters of a name that are shown.
const SHOWN: usize = 60;

/// One problem with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, `--set KEY=VALUE`, or the scenario's name when it was built in code.
    pub origin: String,
    /// Line and column in the file, both from 1, the column in characters; `None` when no place in a file is at fault.
    pub position: Option<(usize, usize)>,
    /// The key, such as `fault[2].nodes`; empty when the problem is the file's.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    snippet: Option<Snippet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Snippet {
    line: String,
    /// Characters before the caret.
    indent: usize,
    carets: usize,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        if let (Some((number, _)), Some(snippet)) = (self.position, &self.snippet) {
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

/// Everything that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    left_out: usize,
}

impl Diagnostics {
    /// The problems, in the order of the file; at most 50 of them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many problems there are, those beyond the first 50 included; never 0.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len() + self.left_out
    }

    pub(super) fn about_file(origin: &str, message: &str, hint: &str) -> Self {
        let one = Diagnostic {
            origin: origin.into(),
            position: None,
            key: String::new(),
            message: message.into(),
            hint: Some(hint.into()),
            snippet: None,
        };
        Self { list: vec![one], left_out: 0 }
    }

    pub(super) fn about_value(name: &str, problems: Vec<Problem>) -> Self {
        let bare = |problem: Problem| diagnostic(format!("scenario {:?}", plain(name)), None, problem);
        Self::of(problems.into_iter().map(bare).collect())
    }

    fn of(mut list: Vec<Diagnostic>) -> Self {
        let left_out = list.len().saturating_sub(KEPT);
        list.truncate(KEPT);
        Self { list, left_out }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, diagnostic) in self.list.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        if self.left_out > 0 {
            write!(f, "\n... and {} more", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// The texts that a scenario was read from.
pub(super) struct Sources<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
    pub(super) overrides: &'a [Override],
}

impl Sources<'_> {
    pub(super) fn explain(&self, root: &Item, problems: Vec<Problem>) -> Diagnostics {
        let mut placed: Vec<(Place, Problem)> = problems
            .into_iter()
            .map(|problem| match problem.override_number {
                Some(number) => (Place::Override(number), problem),
                None => (root.place(&problem.path, problem.key_itself), problem),
            })
            .collect();
        placed.sort_by_key(|(place, _)| match place {
            Place::File(span) => (0, span.start),
            Place::Override(number) => (1, *number),
        });
        // Finding a line walks the text, so what is not kept is not looked up.
        let left_out = placed.len().saturating_sub(KEPT);
        placed.truncate(KEPT);
        let list = placed.into_iter().map(|(place, problem)| match place {
            Place::File(span) => diagnostic(self.origin.into(), Some((self.text, span)), problem),
            Place::Override(number) => diagnostic(self.overrides[number].to_string(), None, problem),
        });
        Diagnostics { list: list.collect(), left_out }
    }

    pub(super) fn explain_syntax(&self, errors: &[toml::de::Error]) -> Diagnostics {
        let one = |error: &toml::de::Error| {
            let message = format!("is not TOML: {}", error.message());
            let span = error.span().unwrap_or(0..0);
            let problem = Problem::at(&super::path::Path::root(), message);
            diagnostic(self.origin.into(), Some((self.text, span)), problem)
        };
        let list = errors.iter().take(KEPT).map(one).collect();
        Diagnostics { list, left_out: errors.len().saturating_sub(KEPT) }
    }

    pub(super) fn line_of(&self, offset: usize) -> usize {
        position(self.text, offset).0
    }
}

fn diagnostic(origin: String, place: Option<(&str, Range<usize>)>, problem: Problem) -> Diagnostic {
    let position = place.as_ref().map(|(text, span)| position(text, span.start));
    let snippet = place.map(|(text, span)| snippet(text, &span));
    let key = problem.path.to_string();
    Diagnostic { origin, position, key, message: problem.message, hint: problem.hint, snippet }
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

/// A text of somebody else's as part of a message: short, and without control characters.
pub(super) fn plain(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push_str("...");
    }
    short
}
