//! `rumor-sim compare` and `run --format junit` as people and their CI use them: what is printed, what is written, and how it exits.

use std::fs;
use std::process::{Command, Output};

use quick_xml::events::Event;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("a temporary file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rumor-sim"))
            .args(args)
            .current_dir(self.0.path())
            .output()
            .expect("the program starts")
    }

    /// What it prints, if it exits so.
    fn exits(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        if code == 0 { String::from_utf8_lossy(&output.stdout).into_owned() } else { said }
    }
}

/// A text in one line, however it was wrapped.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Eight nodes lose one, eight times.
const SMALL: &str = "name = \"small\"\nseeds = 8\nduration = \"40s\"\n[cluster]\nnodes = 8\n\
    [[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = { pick = 1 }\n";

const FIRST: &str = "detection.first.p50";

#[test]
fn two_settings_of_one_file_are_told_apart_and_the_line_that_fails_fails_again() {
    let folder = Folder::new();
    folder.file("small.toml", SMALL);
    let faster = ["compare", "small.toml", "--set-b", "cluster.config.suspicion_mult=2", "--metric", FIRST];
    let text = folder.exits(0, &[&faster[..], &["--fail-on", "worse", "--out", "out"]].concat());
    let told = words(&text);
    assert!(told.contains("Better: detection.first.p50 is ") && told.contains(") lower"), "{text}");
    assert!(told.contains("suspicion_mult is as the profile has it in A, 2 in B"), "{text}");
    assert!(
        text.lines()
            .any(|line| line.trim_start().starts_with("better") && line.contains("detection.first.p50 (s)")),
        "{text}"
    );
    assert!(text.ends_with("report: out/compare.html\n"), "{text}");
    let document: serde_json::Value = serde_json::from_str(&folder.read("out/compare.json")).unwrap();
    assert_eq!(document["metrics"][0]["verdict"], "better");
    assert!(folder.read("out/differences.svg").starts_with("<svg"));
    let page = folder.read("out/compare.html");
    for outside in ["src=", "<link", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let json = folder.exits(0, &[&faster[..], &["--format", "json", "--jobs", "1", "--quiet"]].concat());
    assert_eq!(json.trim_end(), folder.read("out/compare.json"), "any number of jobs, printed or written");

    // What could not have failed has not passed.
    for fail_on in ["worse", "different"] {
        let few = folder.exits(3, &[&faster[..], &["--seeds", "5", "--fail-on", fail_on]].concat());
        assert!(
            few.contains("too few seeds: no difference could have shown in detection.first.p50"),
            "{few}"
        );
        assert!(few.contains("it takes at least 6 that tell"), "{few}");
        assert!(few.contains("--seed 1 --seeds 5 --fail-on "), "{few}");
    }
    let slower = [
        "compare",
        "small.toml",
        "--set-a",
        "cluster.config.suspicion_mult=2",
        "--metric",
        FIRST,
        "--seeds",
        "7",
    ];
    let said = folder.exits(3, &[&slower[..], &["--fail-on", "worse"]].concat());
    assert!(said.contains("worse: detection.first.p50 is ") && said.contains("higher"), "{said}");
    let line =
        said.lines().find_map(|line| line.split_once("to rerun it: rumor-sim ")).expect("a line to rerun").1;
    assert!(line.ends_with("--seed 1 --seeds 7 --fail-on worse"), "{line}");
    assert_eq!(folder.exits(3, &line.split(' ').collect::<Vec<_>>()), said);
    folder.exits(3, &[&slower[..], &["--fail-on", "different"]].concat());
    folder.exits(3, &[&slower[..], &["--fail-on", "not-equivalent"]].concat());
    folder.exits(
        0,
        &[&slower[..], &["--fail-on", "not-equivalent", "--margin", "detection.first=none"]].concat(),
    );
}

#[test]
fn what_has_been_run_is_compared_with_what_is_run_now() {
    let folder = Folder::new();
    folder.file("small.toml", SMALL);
    folder.exits(0, &["run", "small.toml", "--seed", "5", "--out", "old"]);
    for (a, b) in
        [("old/small", "old/small"), ("old/small/summary.json", "small.toml"), ("small.toml", "old/small")]
    {
        let text = words(&folder.exits(0, &["compare", a, b, "--fail-on", "not-equivalent"]));
        assert!(
            text.contains("8 seeds (5-12)") && text.contains("byte for byte the same runs"),
            "{a} {b}: {text}"
        );
    }
    let text = words(&folder.exits(0, &["compare", "old/small", "small.toml", "--seed", "1"]));
    assert!(text.contains("4 seeds (5-8)") && text.contains("Only B has seeds 1-4"), "{text}");
    // Of two folders, the seeds asked for; a line to rerun it only has what was asked.
    let other =
        ["run", "small.toml", "--seed", "7", "--set", "cluster.config.suspicion_mult=2", "--out", "new"];
    folder.exits(0, &other);
    let both = ["compare", "old/small", "new/small", "--metric", FIRST];
    for (asked, seeds) in [
        (&[][..], "6 seeds (7-12)"),
        (&["--seed", "8"], "5 seeds (8-12)"),
        (&["--seeds", "3"], "3 seeds (7-9)"),
        (&["--seed", "9", "--seeds", "2"], "2 seeds (9-10)"),
    ] {
        let text = words(&folder.exits(0, &[&both[..], asked].concat()));
        assert!(text.contains(seeds), "{asked:?}: {text}");
        let said = folder.exits(3, &[&both[..], asked, &["--fail-on", "different"]].concat());
        let asked: String = asked.iter().map(|word| format!(" {word}")).collect();
        assert!(said.ends_with(&format!("--metric {FIRST}{asked} --fail-on different\n")), "{said}");
    }
    let said = folder.exits(4, &[&both[..], &["--seed", "6", "--out", "nowhere"]].concat());
    assert!(said.contains("new/small has not all of the seeds asked for, 6-12; it has 7-14"), "{said}");
    let said = folder.exits(4, &[&both[..], &["--seeds", "7"]].concat());
    assert!(said.contains("old/small has not all of the seeds asked for, 7-13; it has 5-12"), "{said}");
    let later = folder.read("old/small/summary.json").replacen("\"version\": \"", "\"version\": \"9.", 1);
    folder.file("later.json", &later);
    let text = words(&folder.exits(0, &["compare", "old/small", "later.json"]));
    assert!(text.contains("A was run by rumormill-sim 0.1.0, B by 9.0.1.0."), "{text}");
}

#[test]
fn variants_of_one_file_stand_against_each_other() {
    let folder = Folder::new();
    let variants = "[[variant]]\nname = \"slow\"\nconfig = { suspicion_mult = 8 }\n[[variant]]\nname = \"fast\"\nconfig = { suspicion_mult = 2 }\n\
        [[expect]]\nmetric = \"detection.first.p50\"\nbelow = \"1s\"\nvariant = \"fast\"\n";
    folder.file("two.toml", &format!("{SMALL}{variants}"));
    let named = ["--variant", "A:slow,B:fast", "--metric", FIRST];
    let of_file = words(&folder.exits(0, &[&["compare", "two.toml"][..], &named].concat()));
    assert!(of_file.contains("Better: detection.first.p50"), "{of_file}");
    folder.exits(3, &["run", "two.toml", "--out", "out"]);
    let of_folder = words(&folder.exits(0, &[&["compare", "out/small"][..], &named].concat()));
    assert_eq!(of_file.replace("two.toml", ""), of_folder.replace("out/small", ""));
}

#[test]
fn what_cannot_be_compared_is_named_and_nothing_is_run() {
    let folder = Folder::new();
    folder.file("small.toml", SMALL);
    folder.file("large.toml", &SMALL.replace("nodes = 8", "nodes = 9"));
    folder.file("else.json", "{\"a\": 1}");
    folder.exits(0, &["run", "small.toml", "--seeds", "1", "--out", "out"]);
    for (code, args, part) in [
        (2, &["compare"][..], "required"),
        (2, &["compare", "small.toml"], "B is missing"),
        (2, &["compare", "small.toml", "small.toml", "--seed", "18446744073709551612"], "below 2^64"),
        (
            2,
            &["compare", "out/small", "out/small", "--seed", "18446744073709551615", "--seeds", "2"],
            "below 2^64",
        ),
        (2, &["run", "small.toml", "--seed", "18446744073709551609"], "--seeds 8: seeds must be below 2^64"),
        (4, &["compare", "out/small", "out/small", "--seed", "2"], "it has 1"),
        (2, &["compare", "out/small", "small.toml", "--set-a", "cluster.nodes=3"], "has been run already"),
        (2, &["compare", "small.toml", "--variant", "swim"], "write A:NAME,B:NAME"),
        (2, &["compare", "small.toml", "small.toml", "--fail-on", "never"], "not-equivalent"),
        (4, &["compare", "small.toml", "missing.toml"], "missing.toml"),
        (4, &["compare", "small.toml", "out"], "give the folder of one scenario"),
        (4, &["compare", "small.toml", "else.json"], "no summary.json of rumor-sim"),
        (4, &["compare", "small.toml", "--set-b", "cluster.noodles=3"], "cluster.noodles"),
        (4, &["compare", "small.toml", "--set-b", "x"], "--set-b"),
        (
            4,
            &["compare", "small.toml", "small.toml", "--metric", "detektion.all.p50"],
            "did you mean \"detection.all.p50\"?",
        ),
        (4, &["compare", "small.toml", "small.toml", "--margin", "flaps=much"], "no margin"),
        (4, &["compare", "small.toml", "--variant", "A:fast"], "no variant \"fast\""),
        (4, &["compare", "small.toml", "large.toml"], "cluster.nodes: 8 in A, 9 in B"),
    ] {
        let said = folder.exits(code, args);
        assert!(said.contains(part), "{args:?}: {said}");
    }
    let text =
        folder.exits(0, &["compare", "small.toml", "large.toml", "--anyway", "--metric", "load.bytes"]);
    assert!(text.contains("A and B are different experiments (cluster.nodes: 8 in A, 9 in B)"), "{text}");
    let output = folder.run(&["compare", "small.toml", "small.toml", "--out", "small.toml/out"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn junit_has_a_case_for_each_rule_and_the_exit_status_of_a_run() {
    let folder = Folder::new();
    let expecting =
        |bound: &str| format!("{SMALL}[[expect]]\nmetric = \"detection.all.max\"\nbelow = \"{bound}\"\n");
    folder.file("good.toml", &expecting("40s").replace("small", "good"));
    folder.file("bad.toml", &expecting("1ms").replace("small", "bad"));
    let cases = |xml: &str| {
        let mut reader = quick_xml::Reader::from_str(xml);
        let (mut cases, mut failures) = (0, 0);
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
                Event::Start(e) | Event::Empty(e) if e.name().0 == "testcase" => cases += 1,
                Event::Start(e) if e.name().0 == "failure" => failures += 1,
                Event::Eof => return (cases, failures),
                _ => {}
            }
        }
    };
    let xml = folder.exits(0, &["run", "good.toml", "--seeds", "2", "--format", "junit"]);
    let (of_one, failures) = cases(&xml);
    assert!(of_one >= 10 && failures == 0, "an expectation, a fault and the invariants: {xml}");
    let output = folder.run(&["run", "good.toml", "bad.toml", "--seeds", "2", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(3));
    let xml = String::from_utf8(output.stdout).unwrap();
    assert_eq!(cases(&xml), (2 * of_one, 1), "{xml}");
    assert!(xml.contains("to rerun it: rumor-sim run bad.toml --seed 1 --seeds 1"), "{xml}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("to rerun it"));
    let output = folder.run(&["run", "missing.toml", "--format", "junit"]);
    assert!(output.status.code() == Some(4) && output.stdout.is_empty());
}
