//! Filters: who a query is for, by name and by regular expressions over tags.
//!
//! Expressions come from peers, so everything about them is bounded: their length and number, the compiled size, the
//! nesting, and how many are kept. They search bytes in time linear in the value, with ASCII classes (Serf: Go's syntax, and
//! characters of UTF-8 where `.` here is a byte).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use regex::bytes::{Regex, RegexBuilder};

use crate::id::Identity;
use crate::tags::Tags;
use crate::wire::{EXPRESSION_BYTES_MAX, Filter, Filters};

/// Compiled expressions that are kept; the one used longest ago goes.
const KEPT_MAX: usize = 32;
/// Filters of one query; more of them are not for us, and are refused when they are to be sent.
pub(crate) const FILTERS_MAX: usize = 16;
/// Bytes of a compiled expression.
const COMPILED_BYTES_MAX: usize = 64 << 10;
/// Groups within groups.
const NESTING_MAX: u32 = 32;

/// A filter cannot be decided: its expression is none, or there are too many. Then the query is not for us (Serf).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable;

/// Compiles an expression of a filter; or says in words what is wrong with it.
pub(crate) fn compile(expression: &str) -> Result<Regex, Box<str>> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        let length = expression.len();
        return Err(format!("it has {length} bytes, but may have at most {EXPRESSION_BYTES_MAX}").into());
    }
    let mut builder = RegexBuilder::new(expression);
    builder.unicode(false).size_limit(COMPILED_BYTES_MAX).nest_limit(NESTING_MAX);
    builder.build().map_err(|error| {
        // The last line says what is wrong; those before it draw where.
        let text = error.to_string();
        let line = text.lines().last().unwrap_or_default();
        line.trim().trim_start_matches("error: ").into()
    })
}

/// The expressions used last, compiled: a flood of equal ones costs nothing, one of different ones no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expressions {
    /// The one used last stands last. `None`: it cannot be compiled.
    kept: Vec<(Box<str>, Option<Regex>)>,
}

impl Expressions {
    pub(crate) const EMPTY: Self = Self { kept: Vec::new() };

    /// Whether an expression is found somewhere in a value.
    fn is_match(&mut self, expression: &str, value: &str) -> Result<bool, Unusable> {
        match self.kept.iter().rposition(|(kept, _)| **kept == *expression) {
            Some(place) => self.kept[place..].rotate_left(1),
            None => {
                if self.kept.len() == KEPT_MAX {
                    self.kept.remove(0);
                }
                self.kept.push((expression.into(), compile(expression).ok()));
            }
        }
        let compiled = self.kept.last().and_then(|(_, compiled)| compiled.as_ref());
        compiled.map(|regex| regex.is_match(value.as_bytes())).ok_or(Unusable)
    }

    /// Whether all filters let a member through. A tag that it does not have counts as empty, as does every tag of one whose
    /// meta data holds something else.
    pub(crate) fn let_through(&mut self, filters: Filters<'_>, member: &Identity) -> Result<bool, Unusable> {
        let mut tags: Option<Tags> = None;
        for (number, filter) in filters.iter().enumerate() {
            if number == FILTERS_MAX {
                return Err(Unusable);
            }
            let passes = match filter {
                Filter::Nodes(names) => names.iter().any(|name| *name == *member.name),
                Filter::Tag { tag, expression } => {
                    let tags = tags.get_or_insert_with(|| Tags::from_meta(&member.meta).unwrap_or_default());
                    self.is_match(expression, tags.get(tag).unwrap_or_default())?
                }
            };
            if !passes {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeName, Versions};
    use crate::wire::FilterList;
    use alloc::string::String;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn member(name: &str, tags: &[(&str, &str)]) -> Identity {
        let meta = Tags::from_iter(tags.iter().copied()).to_meta().into();
        let addr = ([10, 0, 0, 1], 7946).into();
        Identity { name: NodeName::new(name).unwrap(), addr, meta, versions: Versions::CURRENT }
    }

    fn by_tag(tag: &str, expression: &str, member: &Identity) -> Result<bool, Unusable> {
        let mut list = FilterList::new();
        list.tag(tag, expression);
        Expressions::default().let_through(Filters::of(&list), member)
    }

    #[test]
    fn an_expression_is_searched_for_anywhere_and_a_missing_tag_is_empty() {
        let web = member("a", &[("role", "web-7")]);
        for (expression, passes) in
            [("web", true), ("^we", true), ("eb-[0-9]$", true), ("^eb", false), ("", true)]
        {
            assert_eq!(by_tag("role", expression, &web), Ok(passes), "{expression}");
        }
        assert_eq!(by_tag("zone", "^$", &web), Ok(true));
        assert_eq!(by_tag("zone", ".", &web), Ok(false));
        let odd = Identity { meta: [1, 2, 3].into(), ..web };
        assert_eq!(by_tag("role", "web", &odd), Ok(false));
    }

    #[test]
    fn an_unusable_expression_lets_nobody_through_and_says_why() {
        let web = member("a", &[("role", "web")]);
        let deep = String::from_iter((0..100).map(|_| '(')) + &String::from_iter((0..100).map(|_| ')'));
        for expression in ["(", "a{1000}{1000}", "\\p{Greek}", &deep, &"x".repeat(257)] {
            assert_eq!(by_tag("role", expression, &web), Err(Unusable), "{expression}");
            assert!(!compile(expression).unwrap_err().contains('\n'));
        }
        assert_eq!(&*compile("(").unwrap_err(), "unclosed group");
        assert_eq!(&*compile(&"x".repeat(257)).unwrap_err(), "it has 257 bytes, but may have at most 256");
        assert!(compile(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn more_filters_than_are_taken_let_nobody_through() {
        let (web, mut list) = (member("a", &[]), FilterList::new());
        for _ in 0..FILTERS_MAX {
            list.tag("role", "");
        }
        assert_eq!(Expressions::default().let_through(Filters::of(&list), &web), Ok(true));
        list.tag("role", "");
        assert_eq!(Expressions::default().let_through(Filters::of(&list), &web), Err(Unusable));
    }

    #[test]
    fn a_flood_of_expressions_keeps_the_last_ones_alone() {
        let mut expressions = Expressions::default();
        assert_eq!(expressions.is_match("favourite", "favourite"), Ok(true));
        for n in 0..500 {
            assert_eq!(expressions.is_match(&format!("^{n}$"), "7"), Ok(n == 7));
            assert_eq!(expressions.is_match("favourite", "no"), Ok(false));
        }
        assert_eq!(expressions.kept.len(), KEPT_MAX);
        assert!(expressions.kept.iter().any(|(kept, _)| &**kept == "favourite"), "used again and again");
        assert!(!expressions.kept.iter().any(|(kept, _)| &**kept == "^0$"));
    }

    /// Expressions whose meaning the oracle knows without an engine.
    #[derive(Clone, Debug)]
    enum Plain {
        Anywhere(String),
        Begins(String),
        Ends(String),
        Exactly(String),
        Either(String, String),
    }

    impl Plain {
        fn text(&self) -> String {
            match self {
                Self::Anywhere(s) => s.clone(),
                Self::Begins(s) => format!("^{s}"),
                Self::Ends(s) => format!("{s}$"),
                Self::Exactly(s) => format!("^{s}$"),
                Self::Either(a, b) => format!("({a}|{b})"),
            }
        }

        fn matches(&self, value: &str) -> bool {
            match self {
                Self::Anywhere(s) => value.contains(s),
                Self::Begins(s) => value.starts_with(s),
                Self::Ends(s) => value.ends_with(s),
                Self::Exactly(s) => value == s,
                Self::Either(a, b) => value.contains(a) || value.contains(b),
            }
        }
    }

    fn plain() -> impl Strategy<Value = Plain> {
        let word = || "[ab]{0,2}";
        prop_oneof![
            word().prop_map(Plain::Anywhere),
            word().prop_map(Plain::Begins),
            word().prop_map(Plain::Ends),
            word().prop_map(Plain::Exactly),
            (word(), word()).prop_map(|(a, b)| Plain::Either(a, b)),
        ]
    }

    proptest! {
        /// Against an oracle that knows no expressions: all conditions hold, or the member is not asked.
        #[test]
        fn filters_let_through_whom_an_oracle_does(
            name in "[ab]",
            tags in prop::collection::btree_map("[xyz]", "[ab]{0,3}", 0..3),
            nodes in prop::option::of(prop::collection::vec("[abc]", 1..3)),
            wanted in prop::collection::vec(("[xyz]", plain()), 0..3),
        ) {
            let tags: BTreeMap<String, String> = tags;
            let pairs: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let mut list = FilterList::new();
            if let Some(nodes) = &nodes {
                let names: Vec<NodeName> = nodes.iter().map(|n| NodeName::new(n).unwrap()).collect();
                list.nodes(&names);
            }
            for (tag, expression) in &wanted {
                list.tag(tag, &expression.text());
            }
            let named = nodes.is_none_or(|nodes| nodes.contains(&name));
            let value = |tag: &String| tags.get(tag).map_or("", String::as_str);
            let expected = named && wanted.iter().all(|(tag, expression)| expression.matches(value(tag)));
            let mut expressions = Expressions::default();
            for _ in 0..2 {
                let found = expressions.let_through(Filters::of(&list), &member(&name, &pairs));
                prop_assert_eq!(found, Ok(expected));
            }
        }

        #[test]
        fn no_expression_panics(expression in "\\PC{0,40}", value in "\\PC{0,40}") {
            let _ = Expressions::default().is_match(&expression, &value);
        }
    }
}
