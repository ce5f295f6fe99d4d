//! `rumor check-config`: everything that is wrong or unwise in files, without starting anything.

use std::io::{self, Write};

use super::source::Documents;
use super::{Diagnostic, examine};
use crate::args::{CheckConfigArgs, DONE, FAILED, Format};

/// Prints all problems (text: on standard error; JSON: on standard output), and gives the exit status: 1 where there are errors.
pub(crate) fn check_config(args: &CheckConfigArgs) -> u8 {
    let (_, diagnostics) = examine(Documents::read(&args.paths), &args.environment, None);
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let printed = match args.format {
        Format::Text => text(&mut anstream::stdout(), &mut anstream::stderr(), &diagnostics, errors),
        Format::Json => json(&mut io::stdout().lock(), &diagnostics),
    };
    // Whoever closed the pipe has seen enough; the status still tells.
    let _ = printed;
    if errors > 0 { FAILED } else { DONE }
}

pub(super) fn text(
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
pub(super) fn json(out: &mut dyn Write, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let valid = !diagnostics.iter().any(Diagnostic::is_error);
    let document = serde_json::json!({ "schema": 1, "valid": valid, "problems": diagnostics });
    writeln!(out, "{document:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::examined;

    fn printed(text: &str) -> (String, String, serde_json::Value) {
        let (_, diagnostics) = examined(&[("a.toml", text)]);
        let errors = diagnostics.iter().filter(|d| d.is_error()).count();
        let (mut out, mut err, mut document) = (Vec::new(), Vec::new(), Vec::new());
        super::text(&mut out, &mut err, &diagnostics, errors).expect("into memory");
        json(&mut document, &diagnostics).expect("into memory");
        let utf8 = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (utf8(out), utf8(err), serde_json::from_slice(&document).expect("JSON"))
    }

    #[test]
    fn people_get_lines_and_programs_get_a_document() {
        let (out, err, document) = printed("bnd = 1\nadvertise = '10.0.0.1'");
        assert_eq!(out, "");
        assert_eq!(
            err,
            "a.toml:1:1: bnd: unknown key \"bnd\"\n    1 | bnd = 1\n      | ^^^\n  hint: did you mean \"bind\"?\n\
             warning: there is no key: whoever reaches this node can read everything and join\n  \
             hint: set encrypt_key, $RUMOR_ENCRYPT_KEY or keyring_file; `rumor keygen` prints a key\n\
             The configuration is not valid: 1 error, 1 warning.\n"
        );
        let first = serde_json::json!({
            "severity": "error", "origin": "a.toml", "line": 1, "column": 1, "key": "bnd",
            "message": "unknown key \"bnd\"", "hint": "did you mean \"bind\"?",
        });
        assert_eq!((&document["schema"], &document["valid"]), (&1.into(), &false.into()));
        assert_eq!(document["problems"][0], first);
        assert_eq!(document["problems"][1]["line"], serde_json::Value::Null);
    }

    #[test]
    fn warnings_alone_are_valid() {
        let (out, err, document) = printed("bind = '10.0.0.1'");
        assert_eq!(out, "The configuration is valid (1 warning).\n");
        assert!(err.starts_with("warning: there is no key"), "{err}");
        assert_eq!(document["valid"], true);
    }

    #[test]
    fn the_status_tells() {
        let dir = tempfile::tempdir().expect("a folder");
        let (good, bad) = (dir.path().join("good.toml"), dir.path().join("bad.json"));
        std::fs::write(&good, "").expect("written");
        std::fs::write(&bad, "{").expect("written");
        let status = |paths: &[&std::path::Path]| {
            let paths = paths.iter().map(Into::into).collect();
            check_config(&CheckConfigArgs { paths, format: Format::Text, environment: Box::default() })
        };
        assert_eq!(status(&[&good]), DONE);
        assert_eq!(status(&[&good, &bad]), FAILED);
        assert_eq!(status(&[dir.path()]), FAILED);
        assert_eq!(status(&[&dir.path().join("none.toml")]), FAILED);
    }
}
