//! `series.csv`: figures over time, one row per point: of every run where that fits, otherwise of all seeds of a variant together.

use std::io;

use crate::over_time::{COLUMNS, Figure};
use crate::summary::Summary;

/// A table of single runs that would be longer than this is not written.
const BYTES_MAX: usize = 200_000;

/// The whole table, header included. Its second column tells the two forms apart: `seed` (a row is a point of one run) or `seeds` (a row
/// is a point of all runs of a variant, each figure as `_min`, `_median` and `_max` over so many seeds).
pub(super) fn table(summary: &Summary) -> io::Result<String> {
    if summary.runs.iter().all(|run| !run.series.is_empty()) {
        let table = of_runs(summary)?;
        if table.len() <= BYTES_MAX {
            return Ok(table);
        }
    }
    of_variants(summary)
}

/// The figures that a run has; those derived from others are left to the reader.
fn columns() -> impl Iterator<Item = &'static (&'static str, Figure)> {
    COLUMNS.iter().filter(|(name, _)| *name != "bytes_per_node_second")
}

fn of_runs(summary: &Summary) -> io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["variant", "seed", "time_s"].into_iter().chain(columns().map(|(name, _)| *name)))?;
    for run in &summary.runs {
        for k in 0..run.series.up.len() {
            let mut row =
                vec![run.variant.clone(), run.seed.to_string(), (k as f64 * run.series.step).to_string()];
            // A column that ends early leaves its cells empty.
            row.extend(
                columns().map(|(_, of)| of(&run.series, k).map(|v| v.to_string()).unwrap_or_default()),
            );
            csv.write_record(row)?;
        }
    }
    finish(csv)
}

fn of_variants(summary: &Summary) -> io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let heads = columns().flat_map(|(name, _)| ["min", "median", "max"].map(|of| format!("{name}_{of}")));
    csv.write_record(["variant", "seeds", "time_s"].map(str::to_owned).into_iter().chain(heads))?;
    for variant in &summary.variants {
        let Some(figures) = summary.over_time.get(variant) else { continue };
        let bands: Vec<_> = columns().map(|(name, _)| figures.bands.get(*name)).collect();
        let points = bands.iter().flatten().map(|band| band.median.len()).max().unwrap_or(0);
        for k in 0..points {
            let mut row =
                vec![variant.clone(), figures.runs.to_string(), (k as f64 * figures.step).to_string()];
            // What no run has leaves its cells empty.
            for band in &bands {
                let cell = |of: Option<&Vec<f64>>| {
                    of.and_then(|of| of.get(k)).map(f64::to_string).unwrap_or_default()
                };
                let of = [band.map(|b| &b.min), band.map(|b| &b.median), band.map(|b| &b.max)];
                row.extend(of.map(cell));
            }
            csv.write_record(row)?;
        }
    }
    finish(csv)
}

fn finish(csv: csv::Writer<Vec<u8>>) -> io::Result<String> {
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn every_point_of_every_run_is_a_row() {
        let summary = Summary::new(&scenario(), "d", vec![run("default", 3, 1), run("default", 1, 1)]);
        let table = table(&summary).unwrap();
        assert_eq!(table.lines().count(), 1 + 2 * 181);
        assert!(
            table.starts_with("variant,seed,time_s,up,members_wrong,suspects,false_positives,packet_bytes,")
        );
        assert!(table.lines().nth(31).unwrap().starts_with("default,1,30,990,9900,0,"), "{table}");
    }

    #[test]
    fn what_would_be_too_long_is_told_of_all_seeds_together() {
        let runs = (1..=200).map(|seed| run("default", seed, 1)).collect();
        let table = table(&Summary::new(&scenario(), "d", runs)).unwrap();
        assert!(table.len() < 1_000_000);
        assert!(table.starts_with("variant,seeds,time_s,up_min,up_median,up_max,members_wrong_min,"));
        assert_eq!(table.lines().count(), 1 + 181);
        assert!(table.lines().nth(31).unwrap().starts_with("default,200,30,990,990,990,9900,"), "{table}");
    }
}
