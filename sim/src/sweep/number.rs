//! Numbers of ranges: whole, decimal, or durations, written as a scenario writes them.

use std::fmt;
use std::time::Duration;

use rumormill_core::config::{format_duration, parse_duration};

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole.
    Whole,
    /// With a decimal point.
    Decimal,
    /// A duration; its size is in nanoseconds.
    Duration,
}

/// A number of one of the kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    size: f64,
    kind: Kind,
}

/// Beyond, steps of 1 are lost.
const SIZE_MAX: f64 = 9e15;

impl Number {
    pub(super) fn whole(size: u32) -> Self {
        Self { size: f64::from(size), kind: Kind::Whole }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn size(&self) -> f64 {
        self.size
    }

    /// Reads one; `None` for what is no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (size, kind) = if let Ok(whole) = text.parse::<i64>() {
            (whole as f64, Kind::Whole)
        } else if let Ok(duration) = parse_duration(text) {
            (duration.as_nanos() as f64, Kind::Duration)
        } else {
            (text.parse().ok()?, Kind::Decimal)
        };
        (size.is_finite() && size.abs() <= SIZE_MAX).then_some(Self { size, kind })
    }

    /// Reads the two ends of a range.
    pub(super) fn alike(low: &str, high: &str) -> Result<(Self, Self), String> {
        let wrong = "both ends of a range are whole numbers, decimals, or durations with their units, such as 0.0..0.1 or 100ms..2s";
        let (Some(mut low), Some(mut high)) = (Self::parse(low), Self::parse(high)) else {
            return Err(wrong.to_owned());
        };
        if (low.kind == Kind::Duration) != (high.kind == Kind::Duration) {
            return Err(wrong.to_owned());
        }
        if low.kind != high.kind {
            (low.kind, high.kind) = (Kind::Decimal, Kind::Decimal);
        }
        Ok((low, high))
    }

    /// Reads a step between numbers like this one.
    pub(super) fn step(&self, text: &str) -> Result<Self, String> {
        let step = Self::parse(text.trim()).filter(|step| {
            step.size > 0.0
                && (step.kind == self.kind || (self.kind == Kind::Decimal && step.kind == Kind::Whole))
        });
        let wrong = || format!("step={text}: a step is like the ends of the range, and more than 0");
        step.map(|step| Self { kind: self.kind, ..step }).ok_or_else(wrong)
    }

    /// So many steps further on.
    pub(super) fn plus(&self, step: &Self, steps: u32) -> Self {
        let size = self.size + step.size * f64::from(steps);
        Self { size: if self.kind == Kind::Decimal { significant(size, 12) } else { size }, kind: self.kind }
    }

    /// A share of the way from one to the other, both ends included.
    pub(super) fn along(low: &Self, high: &Self, log: bool, share: f64) -> Self {
        let size = mix(low.size, high.size, log, share);
        let size = if low.kind == Kind::Whole { libm::round(size) } else { significant(size, 4) };
        Self { size: size.clamp(low.size, high.size), kind: low.kind }
    }

    /// A number by chance: `even` is from 0 up to 1, and every whole number is as likely as the others (or, `log`, as its share of the
    /// logarithm).
    pub(super) fn between(low: &Self, high: &Self, log: bool, even: f64) -> Self {
        if low.kind != Kind::Whole {
            return Self::along(low, high, log, even);
        }
        let size = libm::floor(mix(low.size, high.size + 1.0, log, even));
        Self { size: size.clamp(low.size, high.size), kind: low.kind }
    }
}

fn mix(low: f64, high: f64, log: bool, share: f64) -> f64 {
    if log {
        let (low, high) = (libm::log(low), libm::log(high));
        libm::exp(low + (high - low) * share)
    } else {
        low + (high - low) * share
    }
}

/// Rounded to so many significant digits: what a person would write.
fn significant(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits - 1).parse().unwrap_or(x)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Whole => write!(f, "{:.0}", self.size),
            Kind::Decimal => write!(f, "{:?}", self.size),
            Kind::Duration => f.write_str(&format_duration(Duration::from_nanos(self.size as u64))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_scenarios_write_them() {
        for (text, written) in [
            ("3", "3"),
            ("-3", "-3"),
            ("0.5", "0.5"),
            ("1e-5", "1e-5"),
            ("1500ms", "1s500ms"),
            ("0.25s", "250ms"),
        ] {
            assert_eq!(Number::parse(text).unwrap().to_string(), written);
        }
        for text in ["", "x", "1x", "inf", "nan", "1e300", "full"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        let (low, high) = Number::alike("0", "0.5").unwrap();
        assert_eq!((low.to_string(), high.to_string()), ("0.0".to_owned(), "0.5".to_owned()));
    }

    #[test]
    fn what_is_drawn_has_few_digits() {
        let (low, high) = Number::alike("0.0", "1.0").unwrap();
        assert_eq!(Number::between(&low, &high, false, 0.123_456_789).to_string(), "0.1235");
        let (low, high) = Number::alike("0s", "1s").unwrap();
        assert_eq!(Number::between(&low, &high, false, 0.123_456_789).to_string(), "123ms500us");
    }
}
