//! Why two things cannot be compared.

use std::fmt;

/// Why there is no comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A file cannot be read, or is no summary: its name, and why.
    Unreadable(String, String),
    /// A variant or a metric that there is not, or a margin that means nothing: what is wrong, and what would be right.
    Unknown(String),
    /// They ask different questions: in what they differ, a line each.
    Incomparable(Vec<String>),
    /// There is no seed that both have: which they have.
    NoSeeds(String),
    /// A side has not the seeds asked for: which it has.
    Lacking(String),
    /// Neither has a value of what was asked for; empty: of anything.
    Nothing(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(file, why) => write!(f, "{file}: {why}"),
            Self::Unknown(what) => f.write_str(what),
            Self::Incomparable(lines) => {
                f.write_str("A and B are different experiments, so that seed by seed nothing is shared:")?;
                for line in lines {
                    write!(f, "\n  {line}")?;
                }
                f.write_str("\n  hint: compare what differs in settings or on the network alone; --anyway compares in spite of it")
            }
            Self::NoSeeds(which) => {
                write!(f, "A and B have no seed in common: {which}\n  hint: run both over the same seeds")
            }
            Self::Lacking(which) => {
                write!(f, "{which}\n  hint: without --seed and --seeds all seeds that both have are compared")
            }
            Self::Nothing(asked) if asked.is_empty() => f.write_str("A and B have no metric in common"),
            Self::Nothing(asked) => write!(f, "no seed has a value of {asked} on both sides"),
        }
    }
}

impl std::error::Error for Refusal {}
