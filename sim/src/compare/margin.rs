//! What counts as the same: a margin for each metric, stated before anything is called equal.

use rumormill_core::config::parse_duration;

use super::Refusal;
use super::names::{Named, label, named};
use crate::metric::{Shape, Unit};
use crate::stats::Margin;

/// The margins of a comparison: the usual ones, and those that were given.
///
/// The usual ones are, of the reference: 5 % of times, of loads and of views that are wrong; 10 % of counts, of their rates and of queues; and of
/// shares (coverage) a thousandth either way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Margins {
    given: Vec<(String, Option<Margin>)>,
}

impl Margins {
    /// Adds `METRIC=MARGIN`, of a metric or, of a distribution, of one statistic: a share of the reference (`detection.first.p50=5%`), a
    /// number in the metric's unit (`flaps=2`), a duration (`convergence=500ms`), or `none`, with which nothing is called the same.
    /// What was added later wins.
    ///
    /// # Errors
    /// What is wrong, and how it should be.
    pub fn add(&mut self, text: &str) -> Result<(), Refusal> {
        let wrong = |what: &str| {
            Refusal::Unknown(format!(
                "margin {text:?}: {what}; write METRIC=MARGIN, such as detection.first.p50=5%, convergence=500ms or flaps=2"
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(|| wrong("there is no \"=\""))?;
        let (name, value) = (name.trim(), value.trim());
        let metrics = named(name)?;
        let Some((metric, _)) = metrics.first() else { return Err(wrong("there is no such metric")) };
        let margin = if value == "none" {
            None
        } else {
            Some(parse(value, metric.unit).ok_or_else(|| wrong(&format!("{value:?} is no margin")))?)
        };
        self.given.push((name.to_owned(), margin));
        Ok(())
    }

    /// The margin of a metric.
    pub(super) fn of(&self, metric: Named) -> Option<Margin> {
        let (whole, full) = (metric.0.name, label(metric));
        // The more exact name wins over the whole metric's, whichever was given first.
        let given = |name: &str| self.given.iter().rev().find(|(given, _)| given == name);
        given(&full)
            .or_else(|| given(whole))
            .map_or_else(|| Some(usual(metric.0.unit, metric.0.shape)), |(_, margin)| *margin)
    }
}

fn usual(unit: Unit, shape: Shape) -> Margin {
    match unit {
        _ if shape == Shape::Ratio => Margin::Absolute(0.001),
        Unit::Seconds | Unit::BytesPerNodeSecond | Unit::PacketsPerNodeSecond | Unit::NodePairs => {
            Margin::Relative(0.05)
        }
        Unit::Count | Unit::PerNodeHour | Unit::PerMemberPeriod | Unit::Messages => Margin::Relative(0.1),
        Unit::Ratio => Margin::Absolute(0.001),
    }
}

fn parse(text: &str, unit: Unit) -> Option<Margin> {
    let sound = |value: f64| (value.is_finite() && value > 0.0).then_some(value);
    if let Some(percent) = text.strip_suffix('%') {
        // More than the whole would call something equal to nothing.
        let share = sound(percent.trim().parse().ok()?)? / 100.0;
        return (share < 1.0).then_some(Margin::Relative(share));
    }
    if let Ok(number) = text.parse() {
        return sound(number).map(Margin::Absolute);
    }
    let duration = parse_duration(text).ok().filter(|_| unit == Unit::Seconds)?;
    sound(duration.as_secs_f64()).map(Margin::Absolute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::metric_named;

    #[test]
    fn what_is_given_wins_over_what_is_usual_and_the_exact_name_over_the_whole() {
        let first = metric_named("detection.first").unwrap();
        let mut margins = Margins::default();
        assert_eq!(margins.of((first, Some("p50"))), Some(Margin::Relative(0.05)));
        assert_eq!(
            margins.of((metric_named("event.coverage").unwrap(), None)),
            Some(Margin::Absolute(0.001))
        );
        assert_eq!(margins.of((metric_named("flaps").unwrap(), None)), Some(Margin::Relative(0.1)));
        for text in ["detection.first.p50=500ms", "detection.first=2.5 %", "flaps = 2", "flaps=none"] {
            margins.add(text).unwrap();
        }
        assert_eq!(margins.of((first, Some("p50"))), Some(Margin::Absolute(0.5)));
        assert_eq!(margins.of((first, Some("p99"))), Some(Margin::Relative(0.025)));
        assert_eq!(margins.of((metric_named("flaps").unwrap(), None)), None);
    }

    #[test]
    fn what_is_no_margin_is_refused_with_what_would_be_one() {
        let mut margins = Margins::default();
        for wrong in [
            "flaps",
            "flaps=",
            "flaps=-1",
            "flaps=0",
            "flaps=1s",
            "flaps=100%",
            "flaps=nan",
            "flops=1%",
            "load.bytes=inf",
        ] {
            let refusal = margins.add(wrong).unwrap_err().to_string();
            assert!(
                refusal.contains("write METRIC=MARGIN") || refusal.contains("did you mean"),
                "{wrong}: {refusal}"
            );
        }
        assert_eq!(margins, Margins::default());
    }
}
