//! `sweep.csv`: a row for each point.

use std::io;

use super::tables::standing_word;
use crate::record::Sample;
use crate::sweep::Sweep;

/// The table. Of each objective the value and the ends of its interval, empty where there is none; a value that had not happened when the
/// runs ended has `>` before it.
pub(super) fn table(sweep: &Sweep) -> io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let keys = sweep.points.first().map_or(&[][..], |point| &point.settings);
    let mut head = vec!["point".to_owned()];
    head.extend(keys.iter().map(|(key, _)| key.clone()));
    head.push("stands".to_owned());
    for objective in &sweep.objectives {
        let name = objective.name();
        head.extend([name.clone(), format!("{name}.low"), format!("{name}.high")]);
    }
    head.extend(["events", "node_hours", "unsound_seeds", "digest", "rerun"].map(str::to_owned));
    csv.write_record(&head)?;
    for point in &sweep.points {
        let mut row = vec![point.number.to_string()];
        row.extend(point.settings.iter().map(|(_, value)| value.clone()));
        row.push(standing_word(point.standing).to_owned());
        for figure in &point.figures {
            row.extend([figure.value, figure.low, figure.high].map(cell));
        }
        let rate = point.figures.iter().find(|figure| figure.events.is_some());
        row.push(rate.and_then(|rate| rate.events).map_or(String::new(), |n| n.to_string()));
        row.push(rate.and_then(|rate| rate.node_hours).map_or(String::new(), |hours| hours.to_string()));
        row.push(point.unsound.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
        row.extend([point.digest.clone(), point.rerun.clone()]);
        csv.write_record(&row)?;
    }
    let bytes = csv.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

fn cell(sample: Option<Sample>) -> String {
    sample.map_or(String::new(), |s| if s.censored { format!(">{}", s.value) } else { s.value.to_string() })
}
