//! Scenario files: TOML in, a checked [`Scenario`] or every problem at once out. `scenarios/README.md` is the reference.
//!
//! Reading has three steps, each in its own room: the text becomes a `tree` that remembers places, `read_*` turns the
//! tree into a value (types and names), and `check` applies the rules about values. The last works without a file too.

mod check;
mod diagnostic;
mod model;
mod overrides;
mod path;
mod problem;
mod read;
mod read_config;
mod read_expect;
mod read_fault;
mod read_selector;
mod read_travel;
mod read_variant;
mod read_workload;
mod section;
pub(crate) mod settings;
mod travel_text;
mod tree;
mod workload;
mod write;

use std::fs::File;
use std::io::Read as _;
use std::path::Path as FilePath;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use model::*;
pub use overrides::Override;
pub use workload::{Workload, WorkloadKind};

pub(crate) use read_travel::RECEIVE_BUFFER;
pub(crate) use read_workload::{ANSWER, RETRY, SIZE};

use diagnostic::Sources;
use path::Path;
use problem::Problem;
use tree::{Item, Place};

/// Longest scenario file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

impl Scenario {
    /// Reads a scenario from TOML text; `origin` is the file's name for messages. An override replaces a key, or adds it,
    /// before anything is checked.
    ///
    /// # Errors
    /// All problems at once, in the order of the file.
    pub fn parse(text: &str, origin: &str, overrides: &[Override]) -> Result<Self, Diagnostics> {
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(too_long(origin));
        }
        if text.trim().is_empty() {
            let hint = "a scenario has at least `name`, `duration` and `[cluster]` with `nodes`";
            return Err(Diagnostics::about_file(origin, "the file is empty", hint));
        }
        let sources = Sources { origin, text, overrides };
        let mut root = Item::document(text).map_err(|errors| sources.explain_syntax(&errors))?;
        let mut problems: Vec<Problem> = Vec::new();
        for (number, one) in overrides.iter().enumerate() {
            if let Err(message) = one.apply(&mut root, number) {
                problems.push(Problem::at(&one.path, message).of_override(number));
            }
        }
        let mut scenario = read::scenario(&root, &mut problems);
        let misread = problems.len();
        for problem in check::problems(&scenario) {
            // A rule about a value that could not be read would only repeat the mistake in other words.
            if !problems[..misread].iter().any(|p| problem.concerns(&p.path)) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(sources.explain(&root, problems));
        }
        scenario.source = source(origin, overrides);
        for (number, expect) in scenario.expects.iter_mut().enumerate() {
            if let Place::File(span) = root.place(&Path::root().key("expect").index(number), false) {
                expect.line = sources.line_of(span.start);
            }
        }
        Ok(scenario)
    }

    /// Reads a scenario from a file.
    ///
    /// # Errors
    /// As [`Scenario::parse`]; also a file that is missing, unreadable, not UTF-8, or longer than [`FILE_BYTES_MAX`].
    pub fn load(path: &FilePath, overrides: &[Override]) -> Result<Self, Diagnostics> {
        let origin = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            let hint = "give the path of a scenario file, such as scenarios/lan-1000.toml";
            Diagnostics::about_file(&origin, &format!("cannot be read: {error}"), hint)
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        // One byte more than allowed tells a file that is too long from one that just fits, however long it is.
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(too_long(&origin));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&text, &origin, overrides),
            Err(error) => {
                let message = format!("is not UTF-8 text from byte {} on", error.utf8_error().valid_up_to());
                Err(Diagnostics::about_file(&origin, &message, "a scenario is a TOML file in UTF-8"))
            }
        }
    }

    /// Checks a scenario, also one built in code: ranges, and the rules between its parts.
    ///
    /// # Errors
    /// All problems at once, by key.
    pub fn check(&self) -> Result<(), Diagnostics> {
        let problems = check::problems(self);
        if problems.is_empty() { Ok(()) } else { Err(Diagnostics::about_value(&self.name, problems)) }
    }

    /// Digest of everything that shapes a run (32 hex digits): name, description, seeds and expectations left out.
    #[must_use]
    pub fn digest(&self) -> String {
        let shape = (self.warmup, self.duration, &self.cluster, &self.network, &self.faults, &self.variants);
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(format!("{shape:?}").as_bytes()))
    }
}

/// What stands behind `rumor-sim run` to mean the same scenario again; quoted where a shell would take it apart.
fn source(origin: &str, overrides: &[Override]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let quoted = |text: &str| {
        if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let mut source = quoted(origin);
    for one in overrides {
        source.push_str(" --set ");
        source.push_str(&quoted(one.text()));
    }
    source
}

fn too_long(origin: &str) -> Diagnostics {
    let message = format!("the file is longer than {FILE_BYTES_MAX} bytes");
    Diagnostics::about_file(origin, &message, "a scenario is a short text; is this the right file?")
}
