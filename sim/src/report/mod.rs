//! Reports of a [`Summary`]: a page, its plots, its figures as files, and a text for terminals. The same summary gives the same bytes.

pub mod advise;
mod comparison;
mod figures;
mod html;
mod junit;
mod plots;
mod series;
pub mod sweep;
#[cfg(test)]
pub(crate) mod synthetic;
mod terminal;

use std::fs;
use std::io;
use std::path::Path;

pub use comparison::{
    blind as comparison_blind, failure as comparison_failure, text as comparison_text,
    write as write_comparison,
};
pub(crate) use html::escape;
pub use junit::junit;
pub use terminal::text;

use crate::summary::Summary;
use crate::whole_file::write_whole;

/// Writes `report.html`, the plots as SVG, `summary.json` and `series.csv` into a folder, which is created.
///
/// Everything is rendered before the first file is touched, and each file appears whole under its name or not at all. Plots of an
/// earlier result that this one has not are removed.
///
/// # Errors
/// When the folder or a file cannot be written; the message names it.
pub fn write(summary: &Summary, dir: &Path) -> io::Result<()> {
    let plots = plots::all(summary)?;
    let mut files = vec![
        ("report.html".to_owned(), html::page(summary, &plots)),
        ("summary.json".to_owned(), summary.to_json()),
        ("series.csv".to_owned(), series::table(summary)?),
    ];
    let stale: Vec<&str> =
        plots::IDS.into_iter().filter(|id| !plots.iter().any(|plot| plot.id == *id)).collect();
    files.extend(plots.into_iter().map(|plot| (format!("{}.svg", plot.id), plot.standalone())));
    make(dir)?;
    files.iter().try_for_each(|(name, content)| write_whole(&dir.join(name), content))?;
    stale.iter().try_for_each(|stale| remove(&dir.join(format!("{stale}.svg"))))
}

/// Makes a folder, unless it is there.
fn make(dir: &Path) -> io::Result<()> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot make {}: {e}", dir.display()));
    fs::create_dir_all(dir).map_err(named)
}

/// Removes a file of an earlier result, where there is one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(e.kind(), format!("cannot remove {}: {e}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario, talking};

    fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("rumormill-report-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn two_writes_give_the_same_bytes_and_everything_stays_small() {
        let runs = (1..=10).map(|seed| run("default", seed, 1000)).collect();
        let summary = Summary::new(&scenario(), "digest", runs);
        let (one, two) = (folder("one"), folder("two"));
        write(&summary, &one).unwrap();
        write(&summary, &two).unwrap();
        write(&summary, &two).unwrap();
        let written = files(&one);
        assert_eq!(written, files(&two));
        for name in ["report.html", "summary.json", "series.csv", "members-wrong.svg", "detection.svg"] {
            assert!(written.iter().any(|(n, _)| n == name), "{name} is missing");
        }
        for (name, bytes) in &written {
            assert!(bytes.len() < 1_000_000, "{name} has {} bytes", bytes.len());
            assert!(!name.ends_with("unfinished"));
        }
        fs::remove_dir_all(&one).unwrap();
        fs::remove_dir_all(&two).unwrap();
    }

    #[test]
    fn plots_of_an_earlier_result_do_not_stay() {
        let dir = folder("stale");
        write(&Summary::new(&scenario(), "d", vec![run("default", 1, 9)]), &dir).unwrap();
        fs::write(dir.join("of-somebody-else.svg"), "<svg/>").unwrap();
        assert!(dir.join("detection.svg").exists());
        write(&Summary::new(&scenario(), "d", vec![run("a", 1, 9), run("b", 1, 9)]), &dir).unwrap();
        assert!(!dir.join("detection.svg").exists() && dir.join("detection-first.svg").exists());
        assert!(dir.join("of-somebody-else.svg").exists());
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn reports_made_from_summary_json_alone_are_the_same() {
        let runs = (1..=100).flat_map(|seed| ["a", "b"].map(|v| talking(v, seed, 20))).collect();
        let (one, two) = (folder("fresh"), folder("reread"));
        write(&Summary::new(&scenario(), "digest", runs), &one).unwrap();
        let text = fs::read_to_string(one.join("summary.json")).unwrap();
        let reread: Summary = serde_json::from_str(&text).unwrap();
        write(&reread, &two).unwrap();
        let written = files(&one);
        assert_eq!(written, files(&two));
        for (name, bytes) in &written {
            assert!(bytes.len() < 1_000_000, "{name} has {} bytes", bytes.len());
        }
        fs::remove_dir_all(&one).unwrap();
        fs::remove_dir_all(&two).unwrap();
    }

    #[test]
    fn a_scenario_without_a_single_sample_or_run_still_gives_a_report() {
        let dir = folder("empty");
        for runs in [vec![], vec![run("default", 1, 0)], vec![run("a", 1, 1), run("b", 1, 1)]] {
            let summary = Summary::new(&scenario(), "digest", runs);
            write(&summary, &dir).unwrap();
            assert!(!text(&summary, true, 80).is_empty());
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let dir = folder("file");
        fs::write(&dir, "in the way").unwrap();
        let error = write(&Summary::new(&scenario(), "d", vec![]), &dir).unwrap_err();
        assert!(error.to_string().contains("rumormill-report"), "{error}");
        fs::remove_file(&dir).unwrap();
    }
}
