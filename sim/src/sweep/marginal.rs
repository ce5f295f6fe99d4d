//! How much each key matters on its own: the points with each of its values, whatever their other keys are.

use super::estimate::Estimate;
use super::number::Number;
use crate::record::Sample;
use crate::stats;

/// Values of a key that have a group each; of more, and if they are numbers, neighbours share one.
const GROUPS_MAX: usize = 8;
/// Groups that neighbours share.
const SHARED: usize = 4;

/// One key.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Marginal {
    /// The key.
    pub key: String,
    /// Its values, from small to large where they are numbers, otherwise as planned.
    pub groups: Vec<Group>,
    /// By objective: the largest of the groups' medians over the smallest; `None` where one is 0, censored or unknown.
    pub reach: Vec<Option<f64>>,
}

impl Marginal {
    /// The group that a point belongs to, by the point's number from 1.
    #[must_use]
    pub fn group_of(&self, number: usize) -> usize {
        self.groups.iter().position(|group| group.points.contains(&number)).unwrap_or(0)
    }

    /// How far it reaches in the objective in which it reaches farthest; 1 when that is not known.
    #[must_use]
    pub fn farthest(&self) -> f64 {
        self.reach.iter().flatten().copied().fold(1.0, f64::max)
    }
}

/// The points with one value of a key, or with neighbouring ones.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Group {
    /// The value, or `lowest to highest`.
    pub value: String,
    /// The points' numbers, from 1.
    pub points: Vec<usize>,
    /// By objective: the median of the points' figures.
    pub medians: Vec<Option<Sample>>,
}

/// Every key that has more than one value; `settings` and `figures` are by point.
#[must_use]
pub fn marginals(settings: &[Vec<(String, String)>], figures: &[Vec<Estimate>]) -> Vec<Marginal> {
    let keys = settings.first().map_or(&[][..], Vec::as_slice).iter().map(|(key, _)| key);
    let of_key = |(at, key): (usize, &String)| {
        let values: Vec<&str> =
            settings.iter().map(|point| point.get(at).map_or("", |(_, value)| value.as_str())).collect();
        let groups: Vec<Group> = groups(&values)
            .into_iter()
            .map(|(value, points)| {
                let medians = medians(&points, figures);
                Group { value, points: points.iter().map(|point| point + 1).collect(), medians }
            })
            .collect();
        let objectives = figures.first().map_or(0, Vec::len);
        let reach = (0..objectives).map(|objective| reach(&groups, objective)).collect();
        Marginal { key: key.clone(), groups, reach }
    };
    keys.enumerate().map(of_key).filter(|marginal| marginal.groups.len() > 1).collect()
}

/// Points by value: label, and the points' indexes.
fn groups(values: &[&str]) -> Vec<(String, Vec<usize>)> {
    let mut distinct: Vec<(&str, Vec<usize>)> = Vec::new();
    for (point, value) in values.iter().enumerate() {
        match distinct.iter_mut().find(|(known, _)| known == value) {
            Some((_, points)) => points.push(point),
            None => distinct.push((value, vec![point])),
        }
    }
    let size = |value: &str| Number::parse(value).map(|number| number.size());
    if distinct.iter().all(|(value, _)| size(value).is_some()) {
        distinct.sort_by(|a, b| size(a.0).unwrap_or(0.0).total_cmp(&size(b.0).unwrap_or(0.0)));
    } else if distinct.len() > GROUPS_MAX {
        // Texts have no neighbours.
        let rest = distinct.split_off(GROUPS_MAX - 1);
        distinct.push(("others", rest.into_iter().flat_map(|(_, points)| points).collect()));
    }
    if distinct.len() <= GROUPS_MAX {
        return distinct.into_iter().map(|(value, points)| (value.to_owned(), points)).collect();
    }
    let count = distinct.len();
    (0..SHARED)
        .map(|k| {
            let part = &distinct[count * k / SHARED..count * (k + 1) / SHARED];
            let (first, last) = (part.first().map_or("", |(v, _)| *v), part.last().map_or("", |(v, _)| *v));
            (
                format!("{first} to {last}"),
                part.iter().flat_map(|(_, points)| points.iter().copied()).collect(),
            )
        })
        .collect()
}

fn medians(points: &[usize], figures: &[Vec<Estimate>]) -> Vec<Option<Sample>> {
    let objectives = figures.first().map_or(0, Vec::len);
    let of = |objective: usize| {
        let known: Vec<Sample> =
            points.iter().filter_map(|point| figures.get(*point)?.get(objective)?.value).collect();
        stats::median(&known)
    };
    (0..objectives).map(of).collect()
}

fn reach(groups: &[Group], objective: usize) -> Option<f64> {
    let medians: Option<Vec<Sample>> =
        groups.iter().map(|group| group.medians.get(objective).copied().flatten()).collect();
    let medians = medians?;
    if medians.iter().any(|median| median.censored) {
        return None;
    }
    let most = medians.iter().map(|m| m.value).fold(f64::NEG_INFINITY, f64::max);
    let least = medians.iter().map(|m| m.value).fold(f64::INFINITY, f64::min);
    (least > 0.0).then(|| most / least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::seen;

    fn figures(values: &[f64]) -> Vec<Vec<Estimate>> {
        values.iter().map(|v| vec![Estimate { value: Some(seen(*v)), ..Estimate::default() }]).collect()
    }

    fn settings(a: &[&str], b: &[&str]) -> Vec<Vec<(String, String)>> {
        let one = |(a, b): (&&str, &&str)| {
            vec![("a".to_owned(), (*a).to_owned()), ("b".to_owned(), (*b).to_owned())]
        };
        a.iter().zip(b).map(one).collect()
    }

    #[test]
    fn a_key_that_matters_reaches_far() {
        let settings = settings(&["10", "10", "9", "9"], &["x", "y", "x", "y"]);
        let it = marginals(&settings, &figures(&[10.0, 12.0, 5.0, 6.0]));
        assert_eq!((it[0].groups[0].value.as_str(), it[0].groups[0].medians[0]), ("9", Some(seen(5.5))));
        assert_eq!((it[0].reach[0], it[1].reach[0]), (Some(2.0), Some(9.0 / 7.5)));
        let zero = marginals(&settings, &figures(&[0.0, 0.0, 5.0, 6.0]));
        assert_eq!(zero[0].reach, [None]);
    }

    #[test]
    fn neighbouring_numbers_share_a_group() {
        let many: Vec<String> = (0..20).map(|k| format!("{k}ms")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        let it = marginals(&settings(&names, &["x"; 20]), &figures(&[1.0; 20]));
        assert_eq!(it.len(), 1, "one value is no key that varies");
        let shown: Vec<(&str, usize)> =
            it[0].groups.iter().map(|g| (g.value.as_str(), g.points.len())).collect();
        assert_eq!((it[0].group_of(1), it[0].group_of(20), it[0].farthest()), (0, 3, 1.0));
        assert_eq!(shown, [("0ms to 4ms", 5), ("5ms to 9ms", 5), ("10ms to 14ms", 5), ("15ms to 19ms", 5)]);
    }
}
