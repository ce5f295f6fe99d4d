//! What all commands print with: standard output, tables, JSON as Serf writes it, colours.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether colours are wanted: on a terminal, and not where `NO_COLOR` says otherwise.
    pub(crate) colours: bool,
    terminal: bool,
}

impl Output {
    /// The process's own.
    pub(crate) fn standard() -> Self {
        let stdout = io::stdout();
        let colours = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Self { colours, terminal: stdout.is_terminal() }
    }

    /// Text of this program's own making.
    pub(crate) fn print(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// What somebody in the cluster has a say in: unchanged in a pipe; on a terminal, control characters are shown
    /// instead of obeyed.
    pub(crate) fn print_foreign(self, bytes: &[u8]) -> io::Result<()> {
        if self.terminal {
            return self.print(&without_controls(&String::from_utf8_lossy(bytes)));
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// A document as [`json`] writes it, and a newline.
    pub(crate) fn print_json(self, document: &impl Serialize) -> io::Result<()> {
        let mut text = json(document)?;
        text.push('\n');
        self.print(&text)
    }
}

/// The text with control characters, new lines and tabs apart, written as escapes.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The text with all control characters written as escapes: it stays in its line and in its column.
pub(crate) fn in_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, char::is_control)
}

fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if bad(c) { clean.extend(c.escape_debug()) } else { clean.push(c) }
    }
    Cow::Owned(clean)
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Plain text, kept in one line.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: in_one_line(text).into_owned(), style: Style::new() }
    }

    /// A member's status, in its colour.
    pub(crate) fn status(status: &str) -> Self {
        let style = match status {
            "alive" => AnsiColor::Green.on_default(),
            "leaving" => AnsiColor::Yellow.on_default(),
            "failed" => AnsiColor::Red.on_default(),
            _ => Style::new().dimmed(),
        };
        Self { style, ..Self::new(status) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Rows in columns, two blanks apart; no blanks at the end of a line.
pub(crate) fn table(rows: &[Vec<Cell>], colours: bool) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(Cell::width).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let filled = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        for (i, (cell, width)) in row.iter().zip(&widths).take(filled).enumerate() {
            if i > 0 {
                text.push_str("  ");
            }
            if colours && cell.style != Style::new() {
                text.push_str(&format!("{}{}{}", cell.style.render(), cell.text, cell.style.render_reset()));
            } else {
                text.push_str(&cell.text);
            }
            if i + 1 < filled {
                text.extend(std::iter::repeat_n(' ', width - cell.width()));
            }
        }
        text.push('\n');
    }
    text
}

/// JSON, byte for byte as Serf writes it: two blanks of indentation, and `<`, `>`, `&` as escapes.
pub(crate) fn json(document: &impl Serialize) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut bytes, SerfStyle(PrettyFormatter::new()));
    document.serialize(&mut serializer)?;
    // serde_json writes UTF-8 only.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// serde_json's own layout with the escapes of Go's encoder.
struct SerfStyle(PrettyFormatter<'static>);

impl Formatter for SerfStyle {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let special = |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        for piece in fragment.split_inclusive(special) {
            let plain = piece.trim_end_matches(special);
            writer.write_all(plain.as_bytes())?;
            for c in piece[plain.len()..].chars() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Backspace => writer.write_all(b"\\u0008"),
            CharEscape::FormFeed => writer.write_all(b"\\u000c"),
            other => self.0.write_char_escape(writer, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<Cell> {
        cells.iter().map(|text| Cell::new(text)).collect()
    }

    #[test]
    fn columns_align_and_lines_end_without_blanks() {
        let rows =
            [row(&["a", "127.0.0.1:7946", "alive", ""]), row(&["long-name", "[::1]:7946", "failed", "k=v"])];
        assert_eq!(
            table(&rows, false),
            "a          127.0.0.1:7946  alive\nlong-name  [::1]:7946      failed  k=v\n"
        );
        assert_eq!(table(&[], false), "");
        assert_eq!(table(&[row(&["", ""])], false), "\n");
    }

    #[test]
    fn widths_count_characters() {
        let rows = [row(&["käse", "x"]), row(&["abcde", "y"])];
        assert_eq!(table(&rows, false), "käse   x\nabcde  y\n");
    }

    #[test]
    fn cells_stay_in_their_line() {
        assert_eq!(table(&[row(&["a\nb\tc\u{1b}[31m", "x"])], false), "a\\nb\\tc\\u{1b}[31m  x\n");
    }

    #[test]
    fn colours_do_not_change_the_alignment() {
        let rows =
            [vec![Cell::status("alive"), Cell::new("x")], vec![Cell::status("failed"), Cell::new("y")]];
        assert_eq!(table(&rows, true), "\u{1b}[32malive\u{1b}[0m   x\n\u{1b}[31mfailed\u{1b}[0m  y\n");
        assert_eq!(table(&rows, false), "alive   x\nfailed  y\n");
    }

    #[test]
    fn json_has_the_escapes_of_serf() {
        let text = json(&["a\tb\nc<&>\u{8}\u{c}\u{1}\u{2028}\"\\é"]).unwrap();
        let expected = r#""a\tb\nc\u003c\u0026\u003e\u0008\u000c\u0001\u2028\"\\é""#;
        assert_eq!(text, format!("[\n  {expected}\n]"));
        assert_eq!(json(&serde_json::json!({})).unwrap(), "{}");
    }

    #[test]
    fn new_lines_and_tabs_pass_where_only_a_terminal_is_at_risk() {
        assert!(matches!(without_controls("a\tb\n"), Cow::Borrowed(_)));
        assert_eq!(without_controls("\u{9b}2J\r"), "\\u{9b}2J\\r");
    }
}
