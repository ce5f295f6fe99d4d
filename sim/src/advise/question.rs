//! What is asked: the cluster, its network, and the targets.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rumormill_core::config::{format_duration, parse_duration};

use crate::scenario::Profile;

/// What advice is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Nodes; 3 to 10 000.
    pub nodes: u32,
    /// The settings to start from.
    pub profile: Profile,
    /// One-way latency.
    pub latency: Latencies,
    /// Share of packets that are lost, 0 to 0.25.
    pub loss: f64,
    /// Nodes that are slow at a time: 0 to half of them.
    pub slow_nodes: u32,
    /// By how much each of a slow node's messages is late, at most.
    pub slow_by: Duration,
    /// What is to be met.
    pub targets: Targets,
    /// Runs of the search.
    pub budget: u32,
    /// The first tuning seed.
    pub seed: u64,
    /// Node-hours for which each finalist is watched; `None`: as many as show the target for false positives when five are seen.
    pub exposure: Option<f64>,
}

/// One-way latency: the median, and perhaps the 99th percentile. In text `5ms` or `5ms..20ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// The median.
    pub median: Duration,
    /// The 99th percentile, above the median; `None`: always the median.
    pub p99: Option<Duration>,
}

impl Latencies {
    /// The longest that is usual.
    #[must_use]
    pub fn usual_max(&self) -> Duration {
        self.p99.unwrap_or(self.median)
    }
}

impl FromStr for Latencies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!("{what}; a one-way latency is written 5ms, or as median and 99th percentile 5ms..20ms")
        };
        let one = |text: &str| {
            let bounds = Duration::from_micros(1)..=Duration::from_secs(60);
            match parse_duration(text) {
                Ok(duration) if bounds.contains(&duration) => Ok(duration),
                Ok(_) => Err(wrong("a latency is from 1us to 1m")),
                Err(error) => Err(wrong(&error.to_string())),
            }
        };
        match text.split_once("..") {
            None => Ok(Self { median: one(text)?, p99: None }),
            Some((median, p99)) => {
                let (median, p99) = (one(median)?, one(p99)?);
                if p99 <= median {
                    return Err(wrong("the 99th percentile is above the median"));
                }
                Ok(Self { median, p99: Some(p99) })
            }
        }
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format_duration(self.median))?;
        self.p99.map_or(Ok(()), |p99| write!(f, " (p99 {})", format_duration(p99)))
    }
}

/// False positives (declarations, one for each observer and member) per node-hour, more than 0. In text `0.01` or `0.01/node-hour`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix("/node-hour").unwrap_or(text);
        let rate = digits.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        rate.map(Self).ok_or_else(|| "a rate is a number above 0, such as 0.01/node-hour; no finite number of runs shows that it is 0".to_owned())
    }
}

/// What is to be met; each is optional, one at least is there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
    /// Such a share of crashes ([`Targets::permille`]) is known to all within this time.
    pub detect_within: Option<Duration>,
    /// Of a thousand crashes so many: 500, 900 or 990.
    pub permille: u32,
    /// Declarations that a member has failed which is up, per node-hour: one for each observer and member.
    pub false_positives_below: Option<f64>,
    /// Bytes that a node sends per second, headers apart.
    pub bytes_below: Option<f64>,
}

/// One of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// [`Targets::detect_within`]
    Detection,
    /// [`Targets::false_positives_below`]
    FalsePositives,
    /// [`Targets::bytes_below`]
    Bytes,
}

impl Target {
    /// All, in the order in which figures are kept and shown.
    pub const ALL: [Self; 3] = [Self::Detection, Self::FalsePositives, Self::Bytes];

    /// What a figure of it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detection => "known to all",
            Self::FalsePositives => "false positives",
            Self::Bytes => "bytes sent",
        }
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Detection => "s",
            Self::FalsePositives => "per node-hour",
            Self::Bytes => "B per node-second",
        }
    }
}

impl Targets {
    /// The bound of a target, in its unit.
    #[must_use]
    pub fn bound(&self, target: Target) -> Option<f64> {
        match target {
            Target::Detection => self.detect_within.map(|within| within.as_secs_f64()),
            Target::FalsePositives => self.false_positives_below,
            Target::Bytes => self.bytes_below,
        }
    }

    /// The targets that have a bound.
    #[must_use]
    pub fn given(&self) -> Vec<(Target, f64)> {
        Target::ALL.into_iter().filter_map(|target| Some((target, self.bound(target)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_and_rates_read_as_people_write_them() {
        let it: Latencies = "5ms..20ms".parse().unwrap();
        assert_eq!((it.usual_max(), it.to_string().as_str()), (Duration::from_millis(20), "5ms (p99 20ms)"));
        assert_eq!("500us".parse::<Latencies>().unwrap().p99, None);
        for bad in ["", "5", "20ms..5ms", "5ms..", "0s", "2m", "5ms..5ms"] {
            assert!(bad.parse::<Latencies>().unwrap_err().contains("5ms..20ms"), "{bad}");
        }
        assert_eq!("0.01/node-hour".parse(), Ok(Rate(0.01)));
        assert_eq!("2".parse(), Ok(Rate(2.0)));
        for bad in ["", "0", "-1", "nan", "inf", "0.01/hour"] {
            assert!(bad.parse::<Rate>().unwrap_err().contains("0.01/node-hour"), "{bad}");
        }
    }
}
