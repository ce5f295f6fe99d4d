//! `rumor-sim sweep` and `rumor-sim advise` as people run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for one test, gone when the test ends.
struct Folder(PathBuf);

const SMALL: &str = "name = \"small\"\nseeds = 2\nduration = \"20s\"\n[cluster]\nnodes = 5\n\
    [[fault]]\nat = \"2s\"\nkind = \"crash\"\nnodes = { pick = 1 }\n";

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rumor-sim-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        fs::write(path.join("small.toml"), SMALL).expect("a temporary file");
        Self(path)
    }

    fn run(&self, args: &str) -> Output {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rumor-sim"));
        for scheduler in ["SLURM_ARRAY_TASK_ID", "PARALLEL_SEQ", "JOB_COMPLETION_INDEX"] {
            command.env_remove(scheduler);
        }
        command.envs(variables.iter().copied());
        command.args(args.split_whitespace()).current_dir(&self.0).output().expect("the program starts")
    }

    /// Plans 2 settings with 2 seeds.
    fn plan(&self) {
        let planned = self.run("sweep plan small.toml --vary network.loss=0.0,0.3 --out plan.json");
        assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
        let text = String::from_utf8_lossy(&planned.stdout).into_owned();
        assert!(text.contains("2 settings with 2 seeds each, 4 runs"), "{text}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn answer(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("an answer")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (
                path.display().to_string().rsplit('/').next().unwrap_or("").to_owned(),
                fs::read(&path).expect("a file"),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn shares_by_any_scheduler_give_the_bytes_of_one_run() {
    let folder = Folder::new("sweep-shares");
    folder.plan();
    let slurm = |id| {
        let array =
            [("SLURM_ARRAY_TASK_MIN", "0"), ("SLURM_ARRAY_TASK_MAX", "2"), ("SLURM_ARRAY_TASK_COUNT", "3")];
        [&[("SLURM_ARRAY_TASK_ID", id)][..], &array].concat()
    };
    let all = [
        ("whole", vec![("--jobs 2", vec![])]),
        ("flags", vec![("--shard 1/3", vec![]), ("--shard 3/3 --jobs 1", vec![]), ("--shard 2/3", vec![])]),
        ("slurm", vec![("", slurm("0")), ("", slurm("2")), ("--shards 3", slurm("1"))]),
        (
            "parallel",
            vec![("--shards 2", vec![("PARALLEL_SEQ", "2")]), ("--shards 2", vec![("PARALLEL_SEQ", "1")])],
        ),
        (
            "kubernetes",
            vec![
                ("--shards 2", vec![("JOB_COMPLETION_INDEX", "0")]),
                ("--shards 2", vec![("JOB_COMPLETION_INDEX", "1")]),
            ],
        ),
    ];
    let mut answers = Vec::new();
    for (name, processes) in all {
        for (flags, variables) in processes {
            let ran = folder.run_with(&format!("sweep run plan.json --out cells-{name} {flags}"), &variables);
            assert_eq!(ran.status.code(), Some(0), "{name}: {}", said(&ran));
        }
        let merged = folder.run(&format!("sweep merge plan.json cells-{name} --out answer-{name}"));
        assert_eq!(merged.status.code(), Some(0), "{name}: {}", said(&merged));
        let text = String::from_utf8_lossy(&merged.stdout).into_owned();
        assert!(text.contains("The front") && text.contains("report.html"), "{text}");
        answers.push(answer(&folder.0.join(format!("answer-{name}"))));
    }
    assert!(answers[0].len() >= 6 && answers.iter().all(|answer| *answer == answers[0]));
    let json =
        folder.run("sweep merge plan.json cells-whole --out answer --format json --objective load.bytes");
    let parsed: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(parsed["objectives"][0], "load.bytes:min");
}

#[test]
fn what_is_missing_is_told_and_a_second_run_adds_only_that() {
    let folder = Folder::new("sweep-missing");
    folder.plan();
    assert_eq!(folder.run("sweep run plan.json --out cells --shard 1/2").status.code(), Some(0));
    let early = folder.run("sweep merge plan.json cells");
    assert_eq!(early.status.code(), Some(1));
    assert!(said(&early).contains("2 of 4 runs are not there yet"), "{}", said(&early));
    let cells = folder.0.join("cells/cells");
    let damaged = fs::read_dir(&cells).expect("cells").next().expect("one").expect("one").path();
    fs::write(&damaged, "{").expect("damage");
    let again = folder.run("sweep run plan.json --out cells");
    assert!(said(&again).contains("again:") && said(&again).contains("has no head"), "{}", said(&again));
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(text.contains("3 of 4 runs done, 1 were there before"), "{text}");
    assert_eq!(folder.run("sweep merge plan.json cells").status.code(), Some(0));
}

#[test]
fn a_bad_sweep_is_named_and_exits_as_it_should() {
    let folder = Folder::new("sweep-bad");
    folder.plan();
    let plan = fs::read_to_string(folder.0.join("plan.json")).expect("the plan");
    fs::write(folder.0.join("changed.json"), plan.replace("0.3", "0.4")).expect("a file");
    folder.run("sweep plan small.toml --vary network.loss=0.0,0.2 --out other.json");
    folder.run("sweep run other.json --out others --shard 1/4");
    for (args, code, part) in [
        ("sweep plan missing.toml --vary network.loss=0.1,0.2 --out x.json", 4, "missing.toml"),
        ("sweep plan small.toml --vary network.lass=0.1,0.2 --out x.json", 4, "network.lass"),
        ("sweep plan small.toml --vary network.loss=0.1..0.2 --out x.json", 4, ":step=STEP"),
        ("sweep plan small.toml --vary network.loss=0.1,7 --out x.json", 4, "--skip-invalid"),
        ("sweep plan small.toml --vary network.loss=0.1,0.2 --set x --out x.json", 4, "there is no \"=\""),
        ("sweep plan small.toml --vary about=a,b --out x.json", 4, "changes nothing that is run"),
        (
            "sweep plan small.toml --vary network.loss=0.1,0.2 --objective event.latency.p50 --out x.json",
            4,
            "workload of kind event",
        ),
        (
            "sweep plan small.toml --vary network.loss=0.1,0.2 --objective loud.bytes --out x.json",
            2,
            "did you mean load.bytes",
        ),
        ("sweep plan small.toml --out x.json", 2, "--vary"),
        ("sweep plan small.toml --vary network.loss=0.1,0.2 --out small.toml/x.json", 1, "cannot write"),
        ("sweep run small.toml", 4, "is no plan"),
        ("sweep run changed.json", 4, "was changed after it was made"),
        ("sweep run plan.json --shard 3/2", 2, "I/N"),
        ("sweep run plan.json --shards 2", 2, "--shard I/N"),
        ("sweep run plan.json --out others", 1, "another plan"),
        ("sweep run plan.json --out small.toml", 1, "cannot make small.toml"),
        ("sweep merge plan.json nothing", 1, "no results of a sweep are there"),
        ("sweep merge plan.json others", 1, "another plan"),
        ("sweep merge plan.json others --colour cluster.nodes", 4, "does not vary"),
        ("sweep merge plan.json others --objective event.coverage", 4, "workload of kind event"),
        ("sweep merge plan.json others --objective load.bytes --objective load.bytes:max", 4, "twice"),
        ("sweep merge plan.json others --objective loud.bytes", 2, "did you mean load.bytes"),
        ("sweep merge plan.json", 2, "CELLS"),
        ("advise --nodes 10", 2, "there is no target"),
        ("advise --nodes 2 --bytes-below 5", 2, "3..=10000"),
        ("advise --nodes 10 --bytes-below 0", 2, "more than 0"),
        ("advise --nodes 10 --false-positives-below 0", 2, "0.01/node-hour"),
        ("advise --nodes 10 --detect-within 10", 2, "needs a unit"),
        ("advise --nodes 10 --detect-within 1h", 2, "600s"),
        ("advise --nodes 10 --latency 5ms..1ms --bytes-below 500", 2, "above the median"),
        ("advise --nodes 10 --loss 0.9 --bytes-below 500", 2, "0.25"),
        ("advise --nodes 10 --slow-nodes 6 --bytes-below 500", 2, "at most half"),
        ("advise --nodes 10 --bytes-below 500 --out small.toml/x", 1, "--out small.toml/x"),
    ] {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(code), "{args}: {}", said(&output));
        assert!(said(&output).contains(part), "{args}: {}", said(&output));
        assert!(output.stdout.is_empty() && !folder.0.join("x.json").exists(), "{args}");
    }
    let two = [("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "1")];
    let output = folder.run_with("sweep run plan.json --shards 2", &two);
    assert!(output.status.code() == Some(2) && said(&output).contains("more than one"), "{}", said(&output));
}

#[test]
fn advice_is_given_with_its_files_or_refused_with_3() {
    let folder = Folder::new("advise");
    let quick = "advise --nodes 5 --budget 10 --slow-nodes 0 --percentile 50 --jobs 2 --out advice";
    let given = folder.run(&format!("{quick} --detect-within 15s --bytes-below 2000"));
    assert_eq!(given.status.code(), Some(0), "{}", said(&given));
    let text = String::from_utf8_lossy(&given.stdout).into_owned();
    assert!(text.contains("Advised: ") && text.contains("For the agent's configuration"), "{text}");
    assert_eq!(folder.run("check advice/scenario.toml").status.code(), Some(0));
    assert!(folder.0.join("advice/agent.toml").exists());
    let refused = folder.run(&format!("{quick} --bytes-below 1 --format json"));
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    let advice: serde_json::Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert!(advice["recommended"].is_null());
    assert!(!folder.0.join("advice/agent.toml").exists(), "that of an earlier advice is gone");
}
