use std::fs;

use super::*;
use crate::compare::{Question, Record, compare};
use crate::report::synthetic::{run, scenario, talking};
use crate::stats;
use crate::summary::Summary;

fn sides(shift: f64) -> (Record, Record) {
    let side = |side: &str, shift: f64| {
        let one = |seed: u64| {
            let mut it = talking("default", seed, 30);
            it.digest = format!("{side}{seed}");
            let wave = if shift > 0.0 { ((seed * 37) % 11) as f64 } else { 0.0 };
            it.values.insert("load.bytes".into(), stats::seen(850.0 + seed as f64 + shift + wave));
            it.values.insert(
                "flaps".into(),
                stats::seen(if shift > 0.0 { ((seed * 5) % 3) as f64 } else { (seed % 3) as f64 }),
            );
            if shift > 0.0 && seed.is_multiple_of(2) {
                it.values
                    .insert("convergence".into(), crate::record::Sample { value: 180.0, censored: true });
            }
            it
        };
        Record::of(&Summary::new(&scenario(), "d", (1..=20).map(one).collect()))
    };
    (side("a", 0.0), side("b", shift))
}

fn example() -> Comparison {
    let (a, b) = sides(120.0);
    compare(&a, &b, &Question::default()).unwrap()
}

#[test]
fn the_text_says_first_what_it_comes_to_and_stays_within_its_width() {
    let it = example();
    for width in [60, 80, 100, 140] {
        let plain = text(&it, false, width);
        assert!(!plain.contains('\u{1b}'));
        assert!(plain.lines().all(|line| line.chars().count() <= width), "{width}: {plain}");
    }
    let plain = text(&it, false, 120);
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.starts_with("B (lan-1000-churn.toml) against A (lan-1000-churn.toml), 20 seeds (1-20)"),
        "{plain}"
    );
    for part in [
        "Worse: ",
        "load.bytes is 12",
        "convergence (less in 0 seeds and more in 10; not known to the end in 0 of A, 10 of B)",
        "The same in every seed:",
        "No difference seen in 1 metric",
        "A difference would have shown from about: flaps (",
        "Pairing by seed",
    ] {
        assert!(words.contains(part), "{part}: {plain}");
    }
    let painted = text(&it, true, 120);
    assert!(painted.contains(&format!("{BAD}worse{BAD:#}")), "{painted}");
    let stripped = anstream::adapter::strip_str(&painted).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn the_same_is_told_plainly() {
    let (a, _) = sides(0.0);
    let it = compare(&a, &a, &Question::default()).unwrap();
    let words = text(&it, false, 100).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("All 20 runs of B are byte for byte the same runs as those of A"), "{words}");
}

#[test]
fn what_fails_is_told_with_how_sure_it_is() {
    let it = example();
    let row = |name: &str| it.rows.iter().find(|row| row.name() == name).unwrap();
    let worse = failure(row("load.bytes"));
    assert!(
        worse.starts_with("worse: load.bytes is ") && worse.contains("higher") && worse.contains("p < 0.001"),
        "{worse}"
    );
    let unsure = failure(row("flaps"));
    assert!(
        unsure.starts_with("not shown to be the same within 10 % of A") && unsure.contains("is above 0.05"),
        "{unsure}"
    );
    let unknown = failure(row("convergence"));
    assert!(unknown.starts_with("worse: convergence"), "{unknown}");
}

#[test]
fn two_writes_give_the_same_bytes_and_a_plot_without_differences_does_not_stay() {
    let dir = std::env::temp_dir().join(format!("rumormill-compare-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let read =
        || ["compare.html", "compare.json", "differences.svg"].map(|name| fs::read(dir.join(name)).ok());
    write(&example(), &dir).unwrap();
    let first = read();
    assert!(first.iter().all(Option::is_some));
    assert!(first.iter().flatten().all(|bytes| bytes.len() < 400_000));
    write(&example(), &dir).unwrap();
    assert_eq!(first, read());
    let (a, _) = sides(0.0);
    write(&compare(&a, &a, &Question::default()).unwrap(), &dir).unwrap();
    assert!(read()[2].is_none() && read()[0].is_some());
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn text_of_a_scenario_cannot_become_markup() {
    let mut nasty = scenario();
    nasty.name = "<script>alert(1)</script>".to_owned();
    nasty.source = "<b>'x'</b>".to_owned();
    let side = |side: &str| {
        let mut runs: Vec<_> = (1..=8).map(|seed| run("<i>", seed, 4)).collect();
        runs.iter_mut().for_each(|run| run.digest = format!("{side}<u>"));
        Record::of(&Summary::new(&nasty, "<d>", runs))
    };
    let it = compare(&side("a"), &side("b"), &Question::default()).unwrap();
    let page = page(&it, plot(&it).unwrap().as_ref());
    for tag in ["<script", "<b>", "<i>", "<u>", "<d>"] {
        assert!(!page.contains(tag), "{tag}");
    }
}
