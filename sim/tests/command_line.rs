//! The program as people run it: what it prints, what it writes, and how it exits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for one test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rumor-sim-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path.display().to_string()
    }

    fn out(&self) -> PathBuf {
        self.0.join("out")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rumor_sim(folder: &Folder, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rumor-sim"))
        .args(args)
        .current_dir(&folder.0)
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Five nodes lose one, three times; with an expectation that holds or fails.
fn small(bound: &str) -> String {
    format!(
        "name = \"small\"\nseeds = 3\nduration = \"40s\"\n[cluster]\nnodes = 5\n\
         [[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = {{ pick = 1 }}\n\
         [[expect]]\nmetric = \"detection.all.max\"\nbelow = \"{bound}\"\n"
    )
}

/// Every file below a folder with its bytes, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((
                path.strip_prefix(folder).expect("below it").to_owned(),
                fs::read(&path).expect("a file"),
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn a_bad_input_is_named_exits_with_4_and_writes_nothing() {
    let folder = Folder::new("bad");
    let good = folder.file("good.toml", small("40s"));
    let noise: Vec<u8> = (0u32..2_000_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        (
            "an unknown key",
            vec![folder.file("key.toml", small("40s").replace("seeds", "sedes"))],
            "did you mean \"seeds\"?",
        ),
        ("a wrong unit", vec![folder.file("unit.toml", small("40s").replace("5s", "5x"))], "fault[0].at"),
        (
            "an impossible value",
            vec![folder.file("value.toml", small("40s").replace("= 5", "= 0"))],
            "cluster.nodes",
        ),
        ("a missing file", vec!["missing.toml".into()], "missing.toml"),
        ("an empty file", vec![folder.file("empty.toml", "")], "the file is empty"),
        ("noise", vec![folder.file("noise.toml", &noise)], "noise.toml"),
        (
            "a fault on an unknown node",
            vec![folder.file("node.toml", small("40s").replace("{ pick = 1 }", "[\"node-5\"]"))],
            "the last of 5 nodes is node-4",
        ),
        (
            "an unknown metric",
            vec![folder.file("metric.toml", small("40s").replace("detection.all.max", "detektion.all.max"))],
            "expect[0].metric",
        ),
        (
            "a bad override",
            vec![good.clone(), "--set".into(), "cluster.noodles=4".into()],
            "--set cluster.noodles=4",
        ),
        ("a good file beside a bad one", vec![good.clone(), "missing.toml".into()], "missing.toml"),
        ("one name twice", vec![good.clone(), good], "is the name of"),
    ];
    for (what, args, part) in cases {
        let args: Vec<&str> =
            ["run"].into_iter().chain(args.iter().map(String::as_str)).chain(["--out", "out"]).collect();
        let output = rumor_sim(&folder, &args);
        assert_eq!(output.status.code(), Some(4), "{what}: {}", said(&output));
        assert!(said(&output).contains(part), "{what}: {}", said(&output));
        assert!(output.stdout.is_empty() && !folder.out().exists(), "{what} wrote something");
    }
}

#[test]
fn what_holds_exits_with_0_and_leaves_a_report() {
    let folder = Folder::new("held");
    let file = folder.file("small.toml", small("40s"));
    let output = rumor_sim(&folder, &["run", &file, "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("small: held") && text.contains("report.html"), "{text}");
    for name in ["report.html", "summary.json", "series.csv"] {
        assert!(folder.out().join("small").join(name).exists(), "{name} is missing");
    }
}

#[test]
fn what_does_not_hold_exits_with_3_and_says_how_to_rerun_it() {
    let folder = Folder::new("failed");
    let file = folder.file("small.toml", small("1ms"));
    let output =
        rumor_sim(&folder, &["run", &file, "--seed", "7", "--set", "network.loss=0.01", "--out", "out"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let said = said(&output);
    let line =
        said.lines().find_map(|line| line.split_once("to rerun it: rumor-sim ")).expect("a line to rerun").1;
    // Quoted for a shell, which this test is not.
    let args: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
    assert!(line.contains("--set 'network.loss=0.01'") && line.ends_with("--seed 7 --seeds 1"), "{line}");
    let again = rumor_sim(&folder, &args);
    assert_eq!(again.status.code(), Some(3), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn any_number_of_jobs_writes_the_same_bytes() {
    let folder = Folder::new("jobs");
    let file = folder.file("small.toml", small("40s"));
    for jobs in ["1", "2", "3"] {
        let output = rumor_sim(&folder, &["run", &file, "--jobs", jobs, "--out", jobs]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let one = files(&folder.0.join("1"));
    assert!(one.len() >= 4);
    assert!(one == files(&folder.0.join("2")) && one == files(&folder.0.join("3")));
}

#[test]
fn an_output_that_cannot_be_written_exits_with_1_and_bad_usage_with_2() {
    let folder = Folder::new("output");
    let file = folder.file("small.toml", small("40s"));
    let output = rumor_sim(&folder, &["run", &file, "--out", &format!("{file}/out")]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("--out"), "{}", said(&output));
    for args in
        [&["run"][..], &["walk", &file], &["run", &file, "--seeds", "0"], &["run", &file, "--jobs", "x"]]
    {
        assert_eq!(rumor_sim(&folder, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn check_and_list_run_nothing() {
    let folder = Folder::new("check");
    let file = folder.file("small.toml", small("40s"));
    let bad = folder.file("bad.toml", "");
    for command in ["check", "list"] {
        let output = rumor_sim(&folder, &[command, &file]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("small"));
        assert_eq!(rumor_sim(&folder, &[command, &file, &bad]).status.code(), Some(4));
    }
    assert!(!folder.0.join("rumor-out").exists());
}

#[test]
fn a_campaign_gives_the_same_bytes_with_any_number_of_jobs_and_demands_what_it_is_told_to() {
    let folder = Folder::new("fuzz");
    let fuzz = |more: &[&str]| {
        let args = ["fuzz", "--runs", "6", "--format", "json", "--out", "out"];
        rumor_sim(&folder, &[&args, more].concat())
    };
    let small = ["--nodes", "2..5"];
    let one = fuzz(&[&small[..], &["--jobs", "1"]].concat());
    assert_eq!(one.status.code(), Some(0), "{}", said(&one));
    assert_eq!(one.stdout, fuzz(&[&small[..], &["--jobs", "3"]].concat()).stdout);
    assert!(String::from_utf8_lossy(&one.stdout).contains("\"runs\": 6"));
    // Six runs reach much, but not everything.
    assert_eq!(fuzz(&["--sometimes", "always"]).status.code(), Some(3));
    let bad = fuzz(&["--nodes", "9..3"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(said(&bad).contains("two numbers from 2 to 1000 that rise"), "{}", said(&bad));
}

#[test]
fn the_scenario_that_a_seed_draws_can_be_shown_and_run_alone() {
    let folder = Folder::new("show");
    let shown = rumor_sim(&folder, &["fuzz", "--show", "3"]);
    assert_eq!(shown.status.code(), Some(0), "{}", said(&shown));
    let file = folder.file("fuzz-3.toml", &shown.stdout);
    let run = rumor_sim(&folder, &["run", &file, "--out", "out"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let summary = fs::read_to_string(folder.out().join("fuzz-3").join("summary.json")).expect("a summary");
    assert!(summary.contains("\"seed\":3,"), "{summary}");
}
