//! `rumor check-config`: everything that is wrong or unwise in files, without starting anything.

use std::io::{self, Write};

use super::source::Documents;
use super::{Diagnostic, examine};
use crate::args::{AgentArgs, CheckConfigArgs, DONE, FAILED, Format};

/// Prints all problems (text: on standard error; JSON: on standard output), and gives the exit status: 1 where there are errors.
pub(crate) fn check_config(args: &CheckConfigArgs, flags: &AgentArgs) -> u8 {
    let (_, diagnostics) = examine(Documents::read(&args.paths), flags, None);
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let printed = match args.format {
        Format::Text => text(&mut anstream::stdout(), &mut anstream::stderr(), &diagnostics, errors),
        Format::Json => json(&mut io::stdout().lock(), &diagnostics),
    };
    // Whoever closed the pipe has seen enough; the status still tells.
    let _ = printed;
    if errors > 0 { FAILED } else { DONE }
}

fn text(
    out: &mut dyn Write,
    err: &mut dyn Write,
    diagnostics: &[Diagnostic],
    errors: usize,
) -> io::Result<()> {
    for diagnostic in diagnostics {
        writeln!(err, "{diagnostic}")?;
    }
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let warnings = count(diagnostics.len() - errors, "warning");
    match errors {
        0 => writeln!(out, "The configuration is valid ({warnings})."),
        _ => writeln!(err, "The configuration is not valid: {}, {warnings}.", count(errors, "error")),
    }
}

/// `{"schema": 1, "valid": ..., "problems": [...]}`
fn json(out: &mut dyn Write, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let valid = !diagnostics.iter().any(Diagnostic::is_error);
    let document = serde_json::json!({ "schema": 1, "valid": valid, "problems": diagnostics });
    writeln!(out, "{document:#}")
}
