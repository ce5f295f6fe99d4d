//! Reports of a [`Sweep`]: a page with its planes, its figures as files, and a text for terminals. The same sweep gives the same bytes.

mod page;
mod table;
mod tables;
mod text;

use std::fs;
use std::io;
use std::path::Path;

pub use text::text;

use super::{make, plots, remove};
use crate::sweep::{Marginal, Objective, Sweep};
use crate::whole_file::write_whole;

/// Writes `report.html`, the planes as SVG, `sweep.json` and `sweep.csv` into a folder, which is created. Colours of the planes stand for
/// the values of a key; `None`: of the one that matters most. Planes of an earlier answer that this one has not are removed.
///
/// # Errors
/// When the folder or a file cannot be written; the message names it.
pub fn write(sweep: &Sweep, colour: Option<&str>, dir: &Path) -> io::Result<()> {
    let planes = plots::planes(sweep, coloured(sweep, colour))?;
    let mut files = vec![
        ("report.html".to_owned(), page::page(sweep, &planes)),
        ("sweep.json".to_owned(), sweep.to_json()),
        ("sweep.csv".to_owned(), table::table(sweep)?),
    ];
    files.extend(planes.iter().map(|plot| (format!("{}.svg", plot.id), plot.standalone())));
    make(dir)?;
    files.iter().try_for_each(|(name, content)| write_whole(&dir.join(name), content))?;
    let written = |name: &str| files.iter().any(|(written, _)| written == name);
    let cannot = |e: io::Error| io::Error::new(e.kind(), format!("cannot read {}: {e}", dir.display()));
    for entry in fs::read_dir(dir).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_name().to_str().is_some_and(|name| is_plane(name) && !written(name)) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file bears the name of a plane: that of two objectives.
fn is_plane(file: &str) -> bool {
    let known = |name: &str| name.replace('-', ".").parse::<Objective>().is_ok();
    let both = file.strip_prefix("plane-").and_then(|rest| rest.strip_suffix(".svg"));
    both.is_some_and(|both| {
        both.match_indices('-').any(|(at, _)| known(&both[..at]) && known(&both[at + 1..]))
    })
}

/// The key that colours stand for.
fn coloured<'s>(sweep: &'s Sweep, wanted: Option<&str>) -> Option<&'s Marginal> {
    let farthest = || sweep.marginals.iter().max_by(|a, b| a.farthest().total_cmp(&b.farthest()));
    match wanted {
        Some(key) => sweep.marginals.iter().find(|marginal| marginal.key == key),
        None => farthest(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::stats::seen;
    use crate::sweep::{Choice, Estimate, Outcome, marginals, standings};

    /// A made-up answer of 24 points, some of which never had a false positive.
    pub(crate) fn sweep() -> Sweep {
        let objectives: Vec<_> = crate::sweep::DEFAULTS.iter().map(|text| text.parse().unwrap()).collect();
        let around = |value: f64, share: f64| Estimate {
            value: Some(seen(value)),
            low: Some(seen(value * (1.0 - share))),
            high: Some(seen(value * (1.0 + share))),
            runs: 8,
            ..Estimate::default()
        };
        let rate = |events: u64, hours: f64| {
            let (low, high) = crate::stats::garwood(events);
            Estimate {
                value: Some(seen(events as f64 / hours)),
                low: Some(seen(low / hours)),
                high: Some(seen(high / hours)),
                events: Some(events),
                node_hours: Some(hours),
                runs: 8,
            }
        };
        let mut settings = Vec::new();
        let mut figures = Vec::new();
        for mult in 2..8u32 {
            for (fan, interval) in [(2, 1.0), (4, 1.0), (2, 0.5), (4, 0.5)] {
                settings.push(vec![
                    ("cluster.config.suspicion_mult".to_owned(), mult.to_string()),
                    ("cluster.config.gossip_nodes".to_owned(), fan.to_string()),
                    ("cluster.config.probe_interval".to_owned(), format!("{}ms", interval * 1000.0)),
                ]);
                let detection = 3.0 + f64::from(mult) * 2.1 * interval - f64::from(fan) * 0.1;
                let events = u64::from(7 - mult) * if interval < 1.0 { 9 } else { 1 };
                let bytes = 300.0 / interval + 40.0 * f64::from(fan);
                figures.push(vec![around(detection, 0.08), rate(events, 80.0), around(bytes, 0.02)]);
            }
        }
        let stand = standings(&objectives, &figures);
        let marginals = marginals(&settings, &figures);
        let points = settings.into_iter().zip(figures).zip(stand).enumerate();
        let points = points.map(|(k, ((settings, figures), standing))| Outcome {
            number: k + 1,
            settings,
            standing,
            figures,
            unsound: Vec::new(),
            // The first two are made up to have run alike.
            digest: k.max(1).to_string(),
            rerun: format!("rumor-sim run small.toml --set x={k}"),
        });
        Sweep {
            schema: 1,
            version: "0.1.0".to_owned(),
            plan: "p".to_owned(),
            name: "made-up".to_owned(),
            about: "What is it like?".to_owned(),
            nodes: Some(200),
            source: "small.toml".to_owned(),
            vary: vec!["cluster.config.suspicion_mult=2..7".to_owned()],
            choice: Choice::Grid,
            left_out: 0,
            seed: 1,
            seeds: 8,
            objectives,
            marginals,
            points: points.collect(),
        }
    }

    #[test]
    fn a_report_has_its_files_and_they_are_the_same_again() {
        let dir = std::env::temp_dir().join(format!("rumormill-sweep-report-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let sweep = sweep();
        let read = || -> Vec<Vec<u8>> {
            write(&sweep, None, &dir).unwrap();
            ["report.html", "sweep.json", "sweep.csv", "plane-detection-all-p50-load-bytes.svg"]
                .iter()
                .map(|name| fs::read(dir.join(name)).unwrap())
                .collect()
        };
        let first = read();
        assert_eq!(first, read());
        assert!(first.iter().all(|bytes| !bytes.is_empty() && bytes.len() < 1_000_000));
        assert_eq!(String::from_utf8_lossy(&first[2]).lines().count(), 25);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn planes_of_an_earlier_answer_do_not_stay() {
        let dir = std::env::temp_dir().join(format!("rumormill-sweep-stale-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let mut sweep = sweep();
        write(&sweep, None, &dir).unwrap();
        let planes = || {
            let names = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
            let mut planes: Vec<String> = names.filter(|name| name.starts_with("plane-")).collect();
            planes.sort();
            planes
        };
        assert_eq!(planes().len(), 3);
        fs::write(dir.join("plane-of-somebody-else.svg"), "<svg/>").unwrap();
        sweep.objectives.truncate(2);
        sweep.points.iter_mut().for_each(|point| point.figures.truncate(2));
        for marginal in &mut sweep.marginals {
            marginal.reach.truncate(2);
            marginal.groups.iter_mut().for_each(|group| group.medians.truncate(2));
        }
        write(&sweep, None, &dir).unwrap();
        let wanted = ["plane-detection-all-p50-false_positive_rate-all.svg", "plane-of-somebody-else.svg"];
        assert_eq!(planes(), wanted);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn colours_stand_for_the_key_that_matters_most_unless_one_is_named() {
        let sweep = sweep();
        let key =
            |wanted| coloured(&sweep, wanted).map(|marginal| marginal.key.rsplit('.').next().unwrap_or(""));
        assert_eq!(key(None), Some("probe_interval"));
        assert_eq!(key(Some("cluster.config.gossip_nodes")), Some("gossip_nodes"));
        assert_eq!(key(Some("other")), None);
    }
}
