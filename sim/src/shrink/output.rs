//! What a shrunk scenario is written as: a file, and a test.

use std::fmt::Write as _;

use super::{Failure, Shrunk};

impl Shrunk {
    /// The scenario file, with what failed, where it comes from and how to rerun it at its head. `file` is the name that it will
    /// have.
    #[must_use]
    pub fn to_toml(&self, file: &str) -> String {
        let mut text = String::new();
        for line in self.head() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", format!("# {}", one_line(&line)).trim_end());
        }
        let _ = writeln!(text, "#\n# To rerun it: rumor-sim run {}\n", one_line(file));
        text + &self.scenario.to_toml()
    }

    /// A test for `cargo test` that runs the scenario and asserts that it holds, or for a panic merely runs it: it fails until the defect is
    /// mended. `file` is the scenario file's name, for messages.
    #[must_use]
    pub fn to_test(&self, file: &str) -> String {
        let mut text = String::new();
        for line in self.head() {
            let _ = writeln!(text, "{}", format!("//! {}", one_line(&line)).trim_end());
        }
        let toml = self.scenario.to_toml();
        // As many as it takes that no quote in the text ends the literal.
        let mut hashes = "#".to_owned();
        while toml.contains(&format!("\"{hashes}")) {
            hashes.push('#');
        }
        let name: String =
            self.scenario.name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
        // A scenario that panicked was never judged by anything else.
        let (used, asserted) = match self.failure {
            Failure::Panic { .. } => ("{Scenario, run}", "// It panics here.\n    let _ = run(&scenario);"),
            _ => (
                "{Scenario, report, run}",
                "let summary = run(&scenario);\n    \
                 assert!(summary.holds(), \"{}\", report::text(&summary, false, 100));",
            ),
        };
        let _ = write!(
            text,
            "\nuse rumormill_sim::{used};\n\n\
             const SCENARIO: &str = r{hashes}\"\n{toml}\"{hashes};\n\n\
             #[test]\nfn it_holds_{name}() {{\n    \
             let scenario = Scenario::parse(SCENARIO, {file:?}, &[])\n        \
             .unwrap_or_else(|problems| panic!(\"{{problems}}\"));\n    \
             {asserted}\n}}\n"
        );
        text
    }

    /// What failed, where it comes from, what was cut.
    fn head(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Here {}", self.failure),
            format!("({}).", self.seen),
            String::new(),
            format!("Shrunk from {}, seed {}:", self.source, self.seed),
            format!("{}.", self.was.cut(&self.now)),
        ];
        if !self.minimal {
            lines.push("The budget ended before nothing more could be cut.".to_owned());
        }
        if !self.also.is_empty() {
            lines.push(String::new());
            lines.push(format!("Besides, {}.", self.also.join("; ")));
            lines.push("It does not hold before all of this is mended.".to_owned());
        }
        lines
    }
}

/// As part of a comment: without line breaks and other control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
