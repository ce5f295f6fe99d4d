//! Kinds of values on the command line and in configuration files.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use rumormill_tokio::agent::deployed;
use rumormill_tokio::core::Config;
use zeroize::Zeroizing;

/// `key=value`; the value may hold more `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Never empty.
    pub(crate) key: String,
    /// May be empty.
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("", _)) => Err("the key before \"=\" is empty; write key=value".into()),
            Some((key, value)) => Ok(Self { key: key.into(), value: value.into() }),
            None => Err("there is no \"=\"; write key=value".into()),
        }
    }
}

/// What an event or query carries: any bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) Vec<u8>);

impl From<OsString> for Payload {
    fn from(text: OsString) -> Self {
        Self(text.into_encoded_bytes())
    }
}

/// A text that is neither shown in debug output nor left behind in memory.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn into_inner(mut self) -> String {
        std::mem::take(&mut *self.0)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// How a command prints what it found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The least severe lines that a log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum LogLevel {
    /// Every packet.
    Trace,
    /// Every step.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What is not as it should be.
    #[value(alias = "WARNING")]
    Warn,
    /// What failed.
    #[value(alias = "ERROR")]
    Err,
}

impl LogLevel {
    /// Serf's name of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Err => "ERR",
        }
    }
}

/// What the log looks like, and where it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Serf's lines, on standard error.
    #[default]
    Text,
    /// An object a line, on standard error.
    Json,
    /// Entries of the systemd journal, with fields.
    Journald,
    /// Journald where standard error leads to the journal, as in a systemd unit; text elsewhere.
    Auto,
}

impl LogFormat {
    /// Its name in files and flags.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Journald => "journald",
            Self::Auto => "auto",
        }
    }
}

/// Which network the protocol's settings are made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// One data centre.
    #[default]
    Lan,
    /// Different continents.
    Wan,
    /// One machine.
    Local,
}

impl Profile {
    /// Serf's name of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Local => "local",
        }
    }

    /// The settings it stands for.
    pub(crate) fn config(self) -> Config {
        deployed(match self {
            Self::Lan => Config::lan(),
            Self::Wan => Config::wan(),
            Self::Local => Config::local(),
        })
    }
}

/// A switch's value, as Go reads it.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("write true or false".into()),
    }
}

/// Units of a duration in nanoseconds.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// A duration as Go writes it (`30s`, `1m30s`, `1.5h`, `0`), days (`d`) beside Go's units. Not below zero.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    const SHAPE: &str = "write a number with a unit (ns, us, ms, s, m, h, d), like \"30s\" or \"1m30s\"";
    const TOO_LONG: &str = "the duration is too long";
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.starts_with('-') {
        return Err("a duration cannot be negative".into());
    }
    if rest.is_empty() {
        return Err(SHAPE.into());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SHAPE)?.1;
        let part = scaled(number, scale).ok_or(SHAPE)?.ok_or(TOO_LONG)?;
        total = total.checked_add(part).ok_or(TOO_LONG)?;
        rest = tail;
    }
    Ok(Duration::from_nanos(total))
}

/// `number * scale`, cut off below a nanosecond; `None` for what is no number, `Some(None)` for what is too large.
fn scaled(number: &str, scale: u64) -> Option<Option<u64>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut nanos =
        if whole.is_empty() { Some(0) } else { whole.parse().ok() }.and_then(|n: u64| n.checked_mul(scale));
    let mut place = scale;
    for digit in fraction.bytes() {
        // Past the point there are digits only, and the place falls below one after at most fourteen.
        place /= 10;
        nanos = nanos.and_then(|n| n.checked_add(u64::from(digit - b'0') * place));
    }
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_go_durations() {
        let ms = Duration::from_millis;
        for (text, wanted) in [
            ("0", ms(0)),
            ("0s", ms(0)),
            ("30s", ms(30_000)),
            ("1m30s", ms(90_000)),
            ("1.5h", ms(5_400_000)),
            (".5s", ms(500)),
            ("1.s", ms(1000)),
            ("30s1m", ms(90_000)),
            ("1500us", Duration::from_micros(1500)),
            ("2µs", Duration::from_micros(2)),
            ("3d", ms(3 * 86_400_000)),
        ] {
            assert_eq!(parse_duration(text), Ok(wanted), "{text}");
        }
        for text in ["", "5", "s", ".s", "1x", "1 s", "1..2s", "99999999999999999999s", "-1s", "1e3s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(parse_duration("-1s"), Err("a duration cannot be negative".into()));
        assert_eq!(parse_duration("200000d200000d"), Err("the duration is too long".into()));
    }

    #[test]
    fn pairs_split_at_the_first_equals_sign() {
        let pair = |key: &str, value: &str| Ok(Pair { key: key.into(), value: value.into() });
        assert_eq!("a=b=c".parse(), pair("a", "b=c"));
        assert_eq!("a=".parse(), pair("a", ""));
        assert!("=b".parse::<Pair>().is_err());
        assert!("a".parse::<Pair>().is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hush".into())), "Secret");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = parse_duration(&text);
            let _ = text.parse::<Pair>();
        }

        #[test]
        fn what_the_core_writes_is_read(nanos in any::<u64>()) {
            let duration = Duration::from_nanos(nanos);
            let text = rumormill_tokio::core::config::format_duration(duration);
            prop_assert_eq!(parse_duration(&text), Ok(duration));
        }
    }
}
