//! The Pareto front: the points that no other beats in all objectives at once.

use super::estimate::Estimate;
use super::objective::{Better, Objective};
use crate::record::Sample;

/// How a point stands to the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// On it: no other point is at least as good in every objective and better in one.
    Front,
    /// Behind it, but not beyond chance: every point that beats it does so by less than their intervals, in every objective.
    NotDistinguishable,
    /// Behind it beyond chance.
    Behind,
    /// An objective has no value, so nothing can be said.
    NoValue,
}

/// Which points are on the front, by the figures alone; one without a value for each objective is not.
#[must_use]
pub fn front(objectives: &[Objective], points: &[Vec<Estimate>]) -> Vec<bool> {
    points
        .iter()
        .map(|point| {
            values(point).is_some() && !points.iter().any(|other| dominates(objectives, other, point))
        })
        .collect()
}

/// How each point stands to the front.
#[must_use]
pub fn standings(objectives: &[Objective], points: &[Vec<Estimate>]) -> Vec<Standing> {
    let on_front = front(objectives, points);
    let standing = |(point, on): (&Vec<Estimate>, &bool)| {
        if *on {
            return Standing::Front;
        }
        if values(point).is_none() {
            return Standing::NoValue;
        }
        let beaten = points
            .iter()
            .zip(&on_front)
            .filter(|(other, on)| **on && dominates(objectives, other, point))
            .any(|(other, _)| surely_better(objectives, other, point));
        if beaten { Standing::Behind } else { Standing::NotDistinguishable }
    };
    points.iter().zip(&on_front).map(standing).collect()
}

fn values(point: &[Estimate]) -> Option<Vec<Sample>> {
    point.iter().map(|estimate| estimate.value).collect()
}

/// Whether `a` is at least as good as `b` in every objective and better in one.
fn dominates(objectives: &[Objective], a: &[Estimate], b: &[Estimate]) -> bool {
    let (Some(a), Some(b)) = (values(a), values(b)) else { return false };
    let ranks = || objectives.iter().zip(a.iter().zip(&b)).map(|(o, (a, b))| o.rank(a, b));
    ranks().all(std::cmp::Ordering::is_le) && ranks().any(std::cmp::Ordering::is_lt)
}

/// Whether in one objective at least all of `a`'s interval is better than all of `b`'s. Where there is no interval, nothing is sure.
fn surely_better(objectives: &[Objective], a: &[Estimate], b: &[Estimate]) -> bool {
    objectives.iter().zip(a.iter().zip(b)).any(|(objective, (a, b))| {
        let ends = match objective.better {
            Better::Min => a.high.zip(b.low),
            Better::Max => a.low.zip(b.high),
        };
        ends.is_some_and(|(a, b)| objective.rank(&a, &b).is_lt())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::seen;
    use proptest::prelude::*;

    fn objectives() -> Vec<Objective> {
        ["detection.all.p50:min", "false_positive_rate.all:min", "event.coverage:max"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    fn exact(values: [f64; 3]) -> Vec<Estimate> {
        let one = |value| {
            let value = Some(seen(value));
            Estimate { value, low: value, high: value, ..Estimate::default() }
        };
        values.map(one).into()
    }

    /// Says the same as `dominates`, in the plainest words.
    fn beats(a: &[f64; 3], b: &[f64; 3]) -> bool {
        a[0] <= b[0] && a[1] <= b[1] && a[2] >= b[2] && a != b
    }

    proptest! {
        #[test]
        fn nothing_beats_the_front_and_the_front_beats_everything_else(
            points in prop::collection::vec(prop::array::uniform3((0u8..6).prop_map(f64::from)), 1..40)
        ) {
            let estimates: Vec<Vec<Estimate>> = points.iter().map(|values| exact(*values)).collect();
            let on = front(&objectives(), &estimates);
            prop_assert!(on.contains(&true));
            for (point, on_front) in points.iter().zip(&on) {
                let beaten_by_front = points.iter().zip(&on).any(|(other, on)| *on && beats(other, point));
                let beaten = points.iter().any(|other| beats(other, point));
                prop_assert_eq!(*on_front, !beaten);
                prop_assert_eq!(beaten_by_front, beaten);
            }
            // Where figures are exact, nothing but the front is near it.
            for (standing, on) in standings(&objectives(), &estimates).into_iter().zip(on) {
                prop_assert_eq!(standing, if on { Standing::Front } else { Standing::Behind });
            }
        }
    }

    #[test]
    fn what_chance_may_have_put_behind_is_not_called_behind() {
        let around = |value: f64, half: f64| Estimate {
            value: Some(seen(value)),
            low: Some(seen(value - half)),
            high: Some(seen(value + half)),
            ..Estimate::default()
        };
        let better = [around(9.0, 1.0), around(0.0, 0.0), around(1.0, 0.0)].to_vec();
        let near = [around(10.0, 1.0), around(0.0, 0.0), around(1.0, 0.0)].to_vec();
        let far = [around(12.0, 1.0), around(0.0, 0.0), around(1.0, 0.0)].to_vec();
        let unknown = [Estimate::default(), around(0.0, 0.0), around(1.0, 0.0)].to_vec();
        let mut bare = near.clone();
        bare[0] = Estimate { low: None, high: None, ..bare[0] };
        use Standing::*;
        assert_eq!(
            standings(&objectives(), &[better, near, far, unknown, bare]),
            [Front, NotDistinguishable, Behind, NoValue, NotDistinguishable]
        );
    }

    #[test]
    fn what_had_not_happened_when_the_run_ended_is_beaten_by_what_had() {
        let mut late = exact([5.0, 0.0, 1.0]);
        late[0].value = Some(Sample { value: 5.0, censored: true });
        assert_eq!(front(&objectives(), &[late, exact([50.0, 0.0, 1.0])]), [false, true]);
    }
}
