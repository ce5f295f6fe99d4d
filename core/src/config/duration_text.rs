//! Durations as people write them: `"200ms"`, `"1m30s"`, `"0s"`. Whole numbers, largest unit first.

use alloc::string::String;
use core::fmt::Write as _;
use core::time::Duration;

use serde::de::{Error as _, Visitor};
use serde::{Deserializer, Serializer};
use thiserror::Error;

use crate::time::nanos;

const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// Nothing was written.
    #[error("a duration is a number with a unit, like \"200ms\" or \"1m30s\"; this one is empty")]
    Empty,
    /// A number was missing where one belongs.
    #[error("a duration is a number with a unit, like \"200ms\" or \"1m30s\"")]
    NoNumber,
    /// The number has no unit, or one that does not exist.
    #[error("a duration needs a unit: ns, us, ms, s, m, h or d")]
    Unit,
    /// Units must go from the largest to the smallest, each at most once.
    #[error("units go from large to small, each once: \"1m30s\"")]
    Order,
    /// Longer than 584 years.
    #[error("the duration is too long")]
    TooLong,
}

/// Reads a duration: numbers with the units d, h, m, s, ms, us, ns, from large to small (`"1m30s"`); a number may have a
/// decimal fraction (`"0.5s"`).
///
/// # Errors
/// [`DurationError`] says what is wrong.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() {
            return Err(DurationError::NoNumber);
        }
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale =
            UNITS.iter().find(|(name, _)| *name == unit).map(|(_, n)| *n).ok_or(DurationError::Unit)?;
        if scale >= smallest {
            return Err(DurationError::Order);
        }
        smallest = scale;
        let part = scaled(number, scale)?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = tail;
    }
    Ok(Duration::from_nanos(total))
}

/// `number * scale` in exact integer arithmetic; digits below a nanosecond are cut off.
fn scaled(number: &str, scale: u64) -> Result<u64, DurationError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(DurationError::NoNumber);
    }
    let whole: u64 = whole.parse().map_err(|_| DurationError::TooLong)?;
    let mut nanos = whole.checked_mul(scale).ok_or(DurationError::TooLong)?;
    let mut place = scale;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place).ok_or(DurationError::TooLong)?;
    }
    Ok(nanos)
}

/// Writes a duration as [`parse_duration`] reads it, exactly: `1m30s`, `200ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut left = nanos(duration);
    if left == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, scale) in UNITS {
        let count = left / scale;
        left %= scale;
        if count > 0 {
            // Writing to a String does not fail.
            let _ = write!(text, "{count}{unit}");
        }
    }
    text
}

pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a duration such as \"200ms\" or \"1m30s\"")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
            parse_duration(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(parse_duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("0.5s"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration(" 2h "), Ok(Duration::from_secs(7200)));
        assert_eq!(parse_duration("1us"), Ok(Duration::from_micros(1)));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
        assert_eq!(parse_duration("10"), Err(DurationError::Unit));
        assert_eq!(parse_duration("10 s"), Err(DurationError::Unit));
        assert_eq!(parse_duration("10parsec"), Err(DurationError::Unit));
        assert_eq!(parse_duration("s"), Err(DurationError::NoNumber));
        assert_eq!(parse_duration("-1s"), Err(DurationError::NoNumber));
        assert_eq!(parse_duration("1.s"), Err(DurationError::NoNumber));
        assert_eq!(parse_duration("1..2s"), Err(DurationError::NoNumber));
        assert_eq!(parse_duration("1s1m"), Err(DurationError::Order));
        assert_eq!(parse_duration("1s1s"), Err(DurationError::Order));
        assert_eq!(parse_duration("99999999999999999999s"), Err(DurationError::TooLong));
    }

    proptest! {
        #[test]
        fn every_duration_survives_its_text(n in any::<u64>()) {
            let duration = Duration::from_nanos(n);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse_duration(&text);
        }
    }
}
