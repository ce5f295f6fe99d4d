//! What `rumor wait` waits for: a condition on how many members are in which state.

use std::fmt;
use std::str::FromStr;

/// Members by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) alive: u64,
    pub(crate) leaving: u64,
    pub(crate) left: u64,
    pub(crate) failed: u64,
    /// Of all states, others included.
    pub(crate) total: u64,
}

impl Counts {
    /// Of these states, in Serf's words.
    pub(crate) fn of<'a>(states: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counts = Self::default();
        for state in states {
            counts.total += 1;
            match state {
                "alive" => counts.alive += 1,
                "leaving" => counts.leaving += 1,
                "left" => counts.left += 1,
                "failed" => counts.failed += 1,
                _ => {}
            }
        }
        counts
    }

    fn get(&self, what: What) -> u64 {
        match what {
            What::Alive => self.alive,
            What::Leaving => self.leaving,
            What::Left => self.left,
            What::Failed => self.failed,
            What::Total => self.total,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Alive,
    Leaving,
    Left,
    Failed,
    Total,
}

const WORDS: [(&str, What); 5] = [
    ("alive", What::Alive),
    ("failed", What::Failed),
    ("leaving", What::Leaving),
    ("left", What::Left),
    ("total", What::Total),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    AtLeast,
    AtMost,
    Equal,
    Above,
    Below,
}

/// Longer ones first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Sign); 6] = [
    (">=", Sign::AtLeast),
    ("<=", Sign::AtMost),
    ("==", Sign::Equal),
    ("=", Sign::Equal),
    (">", Sign::Above),
    ("<", Sign::Below),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    what: What,
    sign: Sign,
    number: u64,
}

impl Term {
    fn holds(&self, counts: &Counts) -> bool {
        let count = counts.get(self.what);
        match self.sign {
            Sign::AtLeast => count >= self.number,
            Sign::AtMost => count <= self.number,
            Sign::Equal => count == self.number,
            Sign::Above => count > self.number,
            Sign::Below => count < self.number,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both tables have every value.
        let word = WORDS.iter().find(|(_, what)| *what == self.what).map_or("", |(word, _)| word);
        let sign = SIGNS.iter().find(|(_, sign)| *sign == self.sign).map_or("", |(sign, _)| sign);
        write!(f, "{word}{sign}{}", self.number)
    }
}

/// Terms that must all hold: `alive>=5,failed=0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition(Vec<Term>);

impl Condition {
    /// Whether these members are as it says.
    pub(crate) fn holds(&self, counts: &Counts) -> bool {
        self.0.iter().all(|term| term.holds(counts))
    }

    /// What does not hold yet: `alive>=5 (alive is 3)`.
    pub(crate) fn missing(&self, counts: &Counts) -> Vec<String> {
        let unmet = self.0.iter().filter(|term| !term.holds(counts));
        unmet
            .map(|term| {
                let word = WORDS.iter().find(|(_, what)| *what == term.what).map_or("", |(word, _)| word);
                format!("{term} ({word} is {})", counts.get(term.what))
            })
            .collect()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, term) in self.0.iter().enumerate() {
            write!(f, "{}{term}", if n > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|part| term(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn term(text: &str) -> Result<Term, String> {
    let shape = || "write a state, a sign and a number, like alive>=5 or alive>=5,failed=0".to_string();
    let at = text.find(['<', '>', '=']).ok_or_else(shape)?;
    let (word, rest) = text.split_at(at);
    let word = word.trim();
    let Some((_, what)) = WORDS.iter().find(|(name, _)| *name == word) else {
        let names = WORDS.map(|(name, _)| name).join(", ");
        return Err(format!("there is no state {word:?}; valid: {names}"));
    };
    let (sign, number) =
        SIGNS.iter().find_map(|(sign, value)| Some((*value, rest.strip_prefix(sign)?))).ok_or_else(shape)?;
    let number = number.trim().parse().map_err(|_| format!("{:?} is not a whole number", number.trim()))?;
    Ok(Term { what: *what, sign, number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(text: &str, counts: &Counts) -> bool {
        text.parse::<Condition>().expect(text).holds(counts)
    }

    #[test]
    fn every_sign_compares_as_it_looks() {
        let counts = Counts::of(["alive", "alive", "failed", "left", "leaving", "none"]);
        for text in ["alive>=2", "alive<=2", "alive==2", "alive=2", "alive>1", "alive<3", "total=6"] {
            assert!(holds(text, &counts), "{text}");
        }
        for text in ["alive>=3", "alive<=1", "alive==1", "alive=3", "alive>2", "alive<2", "total=5"] {
            assert!(!holds(text, &counts), "{text}");
        }
        assert!(holds("failed=1, left = 1,leaving=1", &counts));
        assert!(!holds("failed=1,left=2", &counts));
    }

    #[test]
    fn it_says_what_is_missing() {
        let condition: Condition = "alive>=5,failed=0,total==2".parse().expect("right");
        let missing = condition.missing(&Counts { alive: 3, failed: 0, total: 1, ..Counts::default() });
        assert_eq!(missing, ["alive>=5 (alive is 3)", "total==2 (total is 1)"]);
    }

    #[test]
    fn wrong_ones_are_explained() {
        let error = |text: &str| text.parse::<Condition>().expect_err(text);
        assert_eq!(error("alife>=5"), "there is no state \"alife\"; valid: alive, failed, leaving, left, total");
        assert_eq!(error("alive>=many"), "\"many\" is not a whole number");
        assert_eq!(error("alive>=-1"), "\"-1\" is not a whole number");
        for text in ["", "alive", "alive>=5,", "5"] {
            assert_eq!(error(text), "write a state, a sign and a number, like alive>=5 or alive>=5,failed=0");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(text in "[a-z<>=, 0-9]{0,20}") {
            if let Ok(condition) = text.parse::<Condition>() {
                prop_assert_eq!(condition.to_string().parse(), Ok(condition));
            }
        }
    }
}
