//! What is to be made small (or large): a metric, and which way is better.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::metric::{METRICS, Metric, STATISTICS, Shape, metric_named};
use crate::record::Sample;
use crate::stats;

/// What a sweep looks at unless it is told otherwise: how soon everybody knows, how often somebody is wronged, and what it costs.
pub const DEFAULTS: [&str; 3] = ["detection.all.p50:min", "false_positive_rate.all:min", "load.bytes:min"];

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Small values.
    Min,
    /// Large values.
    Max,
}

/// A metric and which way is better. In text and JSON `detection.all.p50:min`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(into = "String")]
pub struct Objective {
    /// The metric's name, without a statistic.
    pub metric: &'static str,
    /// The statistic of a distribution (`p50`, `max`, ...); `None` for values and shares.
    pub statistic: Option<&'static str>,
    /// Which way is better.
    pub better: Better,
}

impl Objective {
    /// The name as scenario files write it: `detection.all.p50`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.statistic {
            Some(statistic) => format!("{}.{statistic}", self.metric),
            None => self.metric.to_owned(),
        }
    }

    /// The catalogue's entry.
    pub(crate) fn entry(&self) -> Option<&'static Metric> {
        metric_named(self.metric)
    }

    /// Orders two values from the better to the worse one. A censored value is larger than it says.
    #[must_use]
    pub fn rank(&self, a: &Sample, b: &Sample) -> std::cmp::Ordering {
        match self.better {
            Better::Min => stats::by_size(a, b),
            Better::Max => stats::by_size(b, a),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let better = if self.better == Better::Min { "min" } else { "max" };
        write!(f, "{}:{better}", self.name())
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Objective {
    type Err = String;

    /// Reads `METRIC[.STATISTIC][:min|:max]`; without a direction shares are to be large, everything else small.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: String| format!("objective \"{text}\": {what}");
        let (name, direction) =
            text.split_once(':').map_or((text, None), |(name, direction)| (name, Some(direction)));
        let (entry, statistic) = named(name).map_err(wrong)?;
        let better = match direction {
            Some("min") => Better::Min,
            Some("max") => Better::Max,
            None if entry.shape == Shape::Ratio => Better::Max,
            None => Better::Min,
            Some(_) => return Err(wrong("after the colon stands min or max".to_owned())),
        };
        Ok(Self { metric: entry.name, statistic, better })
    }
}

/// The metric of that name, and the statistic of a distribution.
fn named(name: &str) -> Result<(&'static Metric, Option<&'static str>), String> {
    if let Some(entry) = metric_named(name) {
        if entry.shape == Shape::Distribution {
            return Err(format!(
                "{name} is a distribution; say which statistic, such as {name}.p50 ({})",
                STATISTICS.join(", ")
            ));
        }
        return Ok((entry, None));
    }
    let (metric, statistic) = name.rsplit_once('.').unwrap_or((name, ""));
    let Some(entry) = metric_named(metric) else {
        return Err(format!("unknown metric{}", suggestion(name)));
    };
    if entry.shape != Shape::Distribution {
        return Err(format!("{metric} is one number per run and has no statistic; write {metric}"));
    }
    match STATISTICS.iter().find(|known| **known == statistic) {
        Some(statistic) => Ok((entry, Some(*statistic))),
        None => Err(format!("unknown statistic \"{statistic}\"; there are {}", STATISTICS.join(", "))),
    }
}

fn suggestion(given: &str) -> String {
    // Nobody mistypes a name as a page of text.
    let near = METRICS
        .iter()
        .filter(|_| given.len() <= 64)
        .map(|metric| (strsim::jaro_winkler(given, metric.name), metric.name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((score, name)) if score > 0.8 => format!("; did you mean {name}?"),
        _ => ", see scenarios/README.md for all of them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::seen;

    #[test]
    fn an_objective_reads_as_it_is_written() {
        for text in DEFAULTS.into_iter().chain(["event.coverage:max", "queue.depth:max", "convergence:min"]) {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), text);
            let json = serde_json::to_string(&objective).unwrap();
            assert_eq!(serde_json::from_str::<Objective>(&json).unwrap(), objective);
        }
        assert_eq!("event.coverage".parse::<Objective>().unwrap().better, Better::Max);
        assert_eq!("load.bytes".parse::<Objective>().unwrap().better, Better::Min);
    }

    #[test]
    fn a_bad_objective_says_what_would_be_right() {
        for (text, part) in [
            ("detection.all", "such as detection.all.p50"),
            ("detection.all.p51", "p50, p90"),
            ("detektion.all.p50", "did you mean detection.all?"),
            ("load.bytes.p50", "write load.bytes"),
            ("load.bytes:least", "min or max"),
            ("", "unknown metric"),
        ] {
            let said = text.parse::<Objective>().unwrap_err();
            assert!(said.contains(part), "{said}");
        }
        assert!(serde_json::from_str::<Objective>("\"x\"").is_err());
    }

    #[test]
    fn what_is_censored_is_worse_when_small_is_better() {
        let censored = Sample { value: 1.0, censored: true };
        let min: Objective = "detection.all.p50:min".parse().unwrap();
        assert!(min.rank(&seen(9.0), &censored).is_lt() && min.rank(&seen(1.0), &seen(2.0)).is_lt());
        let max: Objective = "event.coverage:max".parse().unwrap();
        assert!(max.rank(&seen(1.0), &seen(0.5)).is_lt());
    }
}
