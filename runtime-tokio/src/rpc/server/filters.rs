//! Which members `members-filtered` shows.

use regex::bytes::{Regex, RegexBuilder};

use super::session::Fault;
use crate::Member;
use crate::rpc::messages::{MembersFiltered, status_name};

/// Memory that one compiled expression may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of an expression.
const NESTING_MAX: u32 = 64;
/// Most expressions of one request.
const EXPRESSIONS_MAX: usize = 64;

/// The compiled conditions of one request.
pub(super) struct MemberFilter {
    name: Option<Regex>,
    status: Option<Regex>,
    tags: Vec<(String, Regex)>,
}

impl MemberFilter {
    /// Compiles; or says which expression is none, and why.
    pub(super) fn new(wanted: &MembersFiltered) -> Result<Self, Fault> {
        let MembersFiltered { name, status, tags } = wanted;
        if tags.len() > EXPRESSIONS_MAX {
            return Err(Fault::Refused(format!("at most {EXPRESSIONS_MAX} tags can be filtered by")));
        }
        let tags = tags
            .iter()
            .map(|(tag, expression)| Ok((tag.clone(), compile(&format!("tag {tag}"), expression)?)));
        let optional = |what: &str, expression: &str| {
            (!expression.is_empty()).then(|| compile(what, expression)).transpose()
        };
        Ok(Self {
            name: optional("the name", name)?,
            status: optional("the status", status)?,
            tags: tags.collect::<Result<_, Fault>>()?,
        })
    }

    /// Whether all conditions hold; a missing tag has the empty value.
    pub(super) fn shows(&self, member: &Member) -> bool {
        let holds = |condition: &Option<Regex>, value: &str| {
            condition.as_ref().is_none_or(|condition| condition.is_match(value.as_bytes()))
        };
        if !holds(&self.name, member.name()) || !holds(&self.status, status_name(member.status)) {
            return false;
        }
        if self.tags.is_empty() {
            return true;
        }
        let tags = member.tags();
        self.tags
            .iter()
            .all(|(tag, condition)| condition.is_match(tags.get(tag).unwrap_or_default().as_bytes()))
    }
}

/// Whether a request's expressions are usable ones.
#[cfg(any(test, fuzzing))]
pub(in crate::rpc) fn are_usable(wanted: &MembersFiltered) -> bool {
    MemberFilter::new(wanted).is_ok()
}

/// An expression that has to match the whole value.
fn compile(what: &str, expression: &str) -> Result<Regex, Fault> {
    // Compiled alone first: a bracket of its own must not close the one that is put around it.
    let build = |expression: &str| {
        // Bytes and ASCII classes, as in the filters of queries.
        let mut builder = RegexBuilder::new(expression);
        builder.unicode(false).size_limit(COMPILED_BYTES_MAX).nest_limit(NESTING_MAX).build()
    };
    build(expression).and_then(|_| build(&format!("^(?:{expression})$"))).map_err(|error| {
        // The last line says what is wrong; those before it draw where.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        Fault::Refused(format!("the filter for {what} is no usable regular expression: {reason}"))
    })
}
