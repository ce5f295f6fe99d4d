//! `series.csv`: every run's figures over time, one row per point.

use std::io;

use crate::summary::Summary;

/// The whole table, header included.
pub(super) fn table(summary: &Summary) -> io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "variant",
        "seed",
        "time_s",
        "up",
        "members_wrong",
        "suspects",
        "false_positives",
        "packet_bytes",
        "stream_bytes",
        "packets",
        "queue_depth",
    ])?;
    for run in &summary.runs {
        let s = &run.series;
        for k in 0..s.up.len() {
            // A column that ends early leaves its cells empty.
            let cell = |column: &[u64]| column.get(k).map(u64::to_string).unwrap_or_default();
            csv.write_record([
                run.variant.clone(),
                run.seed.to_string(),
                (k as f64 * s.step).to_string(),
                s.up[k].to_string(),
                cell(&s.wrong),
                cell(&s.suspects),
                cell(&s.false_positives),
                cell(&s.packet_bytes),
                cell(&s.stream_bytes),
                cell(&s.packets),
                s.queue_depth.get(k).map(u32::to_string).unwrap_or_default(),
            ])?;
        }
    }
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
        assert!(table.lines().nth(31).unwrap().starts_with("default,1,30,990,9900,0,"), "{table}");
    }
}
