//! Prometheus' text format, read strictly: what promtool would refuse is refused.
#![allow(missing_docs, unreachable_pub, reason = "a part of tests")]

use std::collections::{BTreeMap, BTreeSet};

/// Labels in their order.
pub type Labels = Vec<(String, String)>;
/// A metric's name and its labels.
pub type Series = (String, Labels);

/// A scrape.
#[derive(Debug, Default)]
pub struct Scrape {
    /// Families with their types.
    pub families: BTreeMap<String, String>,
    pub samples: BTreeMap<Series, f64>,
}

impl Scrape {
    /// # Panics
    /// The text is not of the format.
    pub fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut helped = BTreeSet::new();
        let mut current = String::new();
        assert!(text.ends_with('\n'), "the last line has no end");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
                is_name(name);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert!(helped.contains(name), "{line}: without a help before it");
                assert!(["gauge", "counter", "histogram"].contains(&kind), "{line}");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                let twice = scrape.families.insert(name.into(), kind.into());
                assert_eq!(twice, None, "{line}: twice");
                current = name.into();
            } else {
                let (series, value) = sample(line);
                assert_eq!(scrape.family(&series.0), current, "{line}: not with its family");
                assert!(scrape.samples.insert(series, value).is_none(), "{line}: twice");
            }
        }
        assert_eq!(helped.len(), scrape.families.len());
        scrape.check_histograms();
        scrape
    }

    /// The family of a sample's name.
    fn family(&self, name: &str) -> String {
        let of_histogram = ["_bucket", "_sum", "_count"].into_iter().find_map(|suffix| {
            let stem = name.strip_suffix(suffix)?;
            (self.families.get(stem)? == "histogram").then(|| stem.to_owned())
        });
        of_histogram.unwrap_or_else(|| name.to_owned())
    }

    fn check_histograms(&self) {
        for (name, _) in self.families.iter().filter(|(_, kind)| *kind == "histogram") {
            let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for ((sample, labels), value) in &self.samples {
                if *sample == format!("{name}_bucket") {
                    let mut labels = labels.clone();
                    let (key, bound) = labels.pop().expect("a bound");
                    assert_eq!(key, "le");
                    let bound =
                        if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
                    buckets.entry(labels).or_default().push((bound, *value));
                }
            }
            assert!(!buckets.is_empty(), "{name} has no buckets");
            for (labels, mut buckets) in buckets {
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{name}: {buckets:?}");
                let last = buckets.last().expect("not empty");
                let count = self.samples[&(format!("{name}_count"), labels.clone())];
                assert_eq!(*last, (f64::INFINITY, count), "{name}");
                assert!(self.samples.contains_key(&(format!("{name}_sum"), labels)), "{name} has no sum");
            }
        }
    }

    /// The value of a series.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let series = (name.to_owned(), labels);
        *self.samples.get(&series).unwrap_or_else(|| panic!("there is no {series:?}"))
    }

    /// The sum of all series of a name.
    pub fn sum(&self, name: &str) -> f64 {
        let of_name: Vec<f64> =
            self.samples.iter().filter(|((known, _), _)| known == name).map(|(_, value)| *value).collect();
        assert!(!of_name.is_empty(), "there is no {name}");
        of_name.iter().sum()
    }
}

fn is_name(name: &str) {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    assert!(starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name:?} is no name");
}

fn sample(line: &str) -> (Series, f64) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value: f64 = value.parse().expect(line);
    let Some((name, rest)) = series.split_once('{') else {
        is_name(series);
        return ((series.into(), Vec::new()), value);
    };
    is_name(name);
    let inside = rest.strip_suffix("\"}").expect(line);
    let labels = inside.split("\",").map(|pair| {
        let (key, value) = pair.split_once("=\"").expect(line);
        is_name(key);
        // None of ours needs to be escaped.
        assert!(!value.contains(['"', '\\']), "{line}");
        (key.to_owned(), value.to_owned())
    });
    ((name.into(), labels.collect()), value)
}
