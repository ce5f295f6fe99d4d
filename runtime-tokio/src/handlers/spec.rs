//! What an operator writes: which events, and what to do.

use std::fmt;
use std::str::FromStr;

use crate::event::Event;
use crate::rpc::filter::{EventFilter, FilterError};

/// An event handler: which events, and the script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandlerSpec {
    /// It is started for events that one of these lets through.
    pub filters: Vec<EventFilter>,
    /// What `/bin/sh -c` is given.
    pub script: String,
}

/// A text is no event handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// What stands before the first `=` is no list of filters.
    #[error("event handler {spec:?}: {error}; a script that has a = needs *= before it")]
    Filter {
        /// The text.
        spec: String,
        /// Which filter.
        error: FilterError,
    },
    /// There is no script.
    #[error("event handler {0:?} has no script: write SCRIPT or FILTER[,FILTER...]=SCRIPT")]
    NoScript(String),
    /// A NUL byte cannot be given to a program.
    #[error("event handler {0:?} has a NUL character in it, which no script may have")]
    Nul(String),
}

impl HandlerSpec {
    /// Reads `[filter[,filter...]=]script`. Without filters it is for every event.
    ///
    /// # Errors
    /// [`SpecError`] says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let (filters, script) = text.split_once('=').unwrap_or(("*", text));
        if script.trim().is_empty() {
            return Err(SpecError::NoScript(text.into()));
        }
        if script.contains('\0') {
            return Err(SpecError::Nul(text.into()));
        }
        let filters = EventFilter::parse_list(filters)
            .map_err(|error| SpecError::Filter { spec: text.into(), error })?;
        Ok(Self { filters, script: script.into() })
    }

    /// Whether it is started for this event.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.filters.iter().any(|filter| filter.matches(event))
    }
}

impl FromStr for HandlerSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::parse(text)
    }
}

impl fmt::Display for HandlerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, filter) in self.filters.iter().enumerate() {
            write!(f, "{}{filter}", if index == 0 { "" } else { "," })?;
        }
        write!(f, "={}", self.script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts 5.2, 117.
    #[test]
    fn a_handler_is_filters_and_a_script() {
        let read = |text: &str| HandlerSpec::parse(text).unwrap().to_string();
        assert_eq!(read("./all.sh"), "*=./all.sh");
        assert_eq!(read("=./all.sh"), "*=./all.sh");
        assert_eq!(read("member-join,user:deploy=./it.sh"), "member-join,user:deploy=./it.sh");
        assert_eq!(read("*=A=b ./it.sh"), "*=A=b ./it.sh");
        assert_eq!(read("query:load=uptime"), "query:load=uptime");
    }

    #[test]
    fn what_is_no_handler_is_explained() {
        let said = |text: &str| HandlerSpec::parse(text).unwrap_err().to_string();
        assert!(said("A=b ./it.sh").contains("\"A\" is no event filter"));
        assert!(said("A=b ./it.sh").ends_with("a script that has a = needs *= before it"));
        assert!(said("user=").contains("has no script"));
        assert!(said("").contains("has no script"));
        assert!(said("a\0b").contains("NUL"));
    }
}
