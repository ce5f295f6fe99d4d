//! Figures over time of all runs of a variant together: what plots show, and what is left of series that would not fit.

use std::collections::BTreeMap;

use crate::record::{RunRecord, Series};

/// Figures over time of one variant; point k stands at k * step.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OverTime {
    /// Seconds between two points.
    pub step: f64,
    /// Runs that it is made of.
    pub runs: usize,
    /// By name: the fields of [`Series`] that have a point in some run, and `bytes_per_node_second` (datagrams and streams together, per node that is up).
    pub bands: BTreeMap<String, Band>,
}

/// One figure over seeds, point by point.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Band {
    /// The least of the seeds.
    #[serde(with = "short")]
    pub min: Vec<f64>,
    /// Their median.
    #[serde(with = "short")]
    pub median: Vec<f64>,
    /// The most.
    #[serde(with = "short")]
    pub max: Vec<f64>,
}

/// Whole numbers without their ".0": there are thousands.
mod short {
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[derive(serde::Serialize)]
    #[serde(untagged)]
    enum Number {
        Whole(i64),
        Broken(f64),
    }

    pub(super) fn serialize<S: Serializer>(of: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(of.iter().map(|x| {
            if *x == libm::trunc(*x) && x.abs() < 1e15 {
                Number::Whole(*x as i64)
            } else {
                Number::Broken(*x)
            }
        }))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Vec::<f64>::deserialize(deserializer)
    }
}

/// A figure of a series at a point, if the series reaches so far.
pub(crate) type Figure = fn(&Series, usize) -> Option<f64>;

/// The figures of a series by name, in the order of `series.csv`.
pub(crate) const COLUMNS: [(&str, Figure); 13] = [
    ("up", |s, k| depth(&s.up, k)),
    ("members_wrong", |s, k| at(&s.wrong, k)),
    ("suspects", |s, k| at(&s.suspects, k)),
    ("false_positives", |s, k| at(&s.false_positives, k)),
    ("packet_bytes", |s, k| at(&s.packet_bytes, k)),
    ("stream_bytes", |s, k| at(&s.stream_bytes, k)),
    ("packets", |s, k| at(&s.packets, k)),
    ("queue_depth", |s, k| depth(&s.queue_depth, k)),
    ("queue_members", |s, k| depth(&s.queue_members, k)),
    ("queue_intents", |s, k| depth(&s.queue_intents, k)),
    ("queue_queries", |s, k| depth(&s.queue_queries, k)),
    ("queue_events", |s, k| depth(&s.queue_events, k)),
    ("bytes_per_node_second", traffic),
];

fn at(column: &[u64], k: usize) -> Option<f64> {
    column.get(k).map(|v| *v as f64)
}

fn depth(column: &[u32], k: usize) -> Option<f64> {
    column.get(k).map(|v| f64::from(*v))
}

fn traffic(s: &Series, k: usize) -> Option<f64> {
    let bytes = s.packet_bytes.get(k)? + s.stream_bytes.get(k)?;
    let up = *s.up.get(k)?;
    // Four digits are more than a plot shows, and short in files.
    let rate = bytes as f64 / f64::from(up) / s.step;
    (up > 0 && s.step > 0.0).then(|| format!("{rate:.3e}").parse().unwrap_or(rate))
}

impl OverTime {
    /// Over the runs of one variant. Runs of one scenario have the same points; where one ends early, the others go on.
    #[must_use]
    pub fn of(runs: &[&RunRecord]) -> Self {
        let length = runs.iter().map(|r| r.series.up.len()).max().unwrap_or(0);
        let step = runs.iter().map(|r| r.series.step).find(|s| *s > 0.0).unwrap_or(0.0);
        let band = |of: Figure| {
            let mut band = Band::default();
            for k in 0..length {
                let mut values: Vec<f64> = runs.iter().filter_map(|r| of(&r.series, k)).collect();
                values.sort_by(f64::total_cmp);
                // Where nobody is up, nobody sends.
                let of = |rank: usize| values.get(rank).copied().unwrap_or(0.0);
                band.min.push(of(0));
                band.median.push((of(values.len().saturating_sub(1) / 2) + of(values.len() / 2)) / 2.0);
                band.max.push(of(values.len().saturating_sub(1)));
            }
            band
        };
        let there =
            |of: Figure| runs.iter().any(|r| (0..r.series.up.len()).any(|k| of(&r.series, k).is_some()));
        let columns = COLUMNS.iter().filter(|(_, of)| there(*of));
        let bands = columns.map(|(name, of)| ((*name).to_owned(), band(*of))).collect();
        Self { step, runs: runs.len(), bands }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::run;

    #[test]
    fn a_band_has_the_least_the_median_and_the_most_of_the_seeds() {
        let mut runs: Vec<RunRecord> = (1..=4).map(|s| run("default", s, 0)).collect();
        for (run, wrong) in runs.iter_mut().zip([7, 1, 3, 4]) {
            run.series.wrong[5] = wrong;
        }
        let it = OverTime::of(&runs.iter().collect::<Vec<_>>());
        let band = &it.bands["members_wrong"];
        assert_eq!((band.min[5], band.median[5], band.max[5]), (1.0, 3.5, 7.0));
        assert_eq!((it.runs, it.step, band.min.len()), (4, 1.0, 181));
        let text = serde_json::to_string(&it).unwrap();
        assert!(!text.contains("990.0") && text.contains("990,990"), "whole numbers are short");
        assert_eq!(serde_json::from_str::<OverTime>(&text).unwrap(), it);
    }
}
