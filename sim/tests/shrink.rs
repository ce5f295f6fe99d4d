//! Failures planted among twenty faults on two hundred nodes are found again, alone.

use std::path::Path;

use rumormill_sim::scenario::{FaultKind, WorkloadKind};
use rumormill_sim::shrink::{Budget, Shrunk, shrink};
use rumormill_sim::{Scenario, run};

/// A scenario in which something was planted, shrunk.
fn shrunk(plant: &str) -> Shrunk {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plants").join(plant);
    let scenario = Scenario::load(&path, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((scenario.faults.len(), scenario.cluster.nodes), (20, 200));
    let shrunk = shrink(&scenario, scenario.seed, None, Budget::default(), &mut |_| {}).expect("it fails");
    assert!(shrunk.minimal && shrunk.now.faults <= 3 && shrunk.now.nodes <= 10, "{}", shrunk.to_toml(plant));
    shrunk
}

/// The file that comes out is sound and still fails, for anybody.
fn fails_by_itself(shrunk: &Shrunk) {
    let text = shrunk.to_toml("shrunk.toml");
    let again =
        Scenario::parse(&text, "shrunk.toml", &[]).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let summary = run(&again);
    assert!(!summary.holds(), "{text}");
    assert!(summary.expectations.iter().any(|verdict| !verdict.held), "{text}");
}

#[test]
fn a_leave_and_a_crash_that_harm_only_together_are_found_among_twenty_faults() {
    let shrunk = shrunk("nobody-to-join.toml");
    let kinds: Vec<&str> = shrunk.scenario.faults.iter().map(|fault| fault.kind.name()).collect();
    assert_eq!(kinds, ["leave", "crash"], "{}", shrunk.to_toml("x.toml"));
    assert!(!shrunk.scenario.cluster.config.reconnect, "the one setting that matters");
    assert_eq!((shrunk.now.settings, shrunk.now.network, shrunk.now.workloads), (1, 0, 0));
    fails_by_itself(&shrunk);
}

#[test]
fn a_crash_that_harms_only_while_keys_change_is_found_among_twenty_faults() {
    let shrunk = shrunk("rotation-while-down.toml");
    let [fault] = &shrunk.scenario.faults[..] else { panic!("{}", shrunk.to_toml("x.toml")) };
    assert!(matches!(fault.kind, FaultKind::Crash { .. }), "{fault:?}");
    let [workload] = &shrunk.scenario.workloads[..] else { panic!("{}", shrunk.to_toml("x.toml")) };
    assert!(matches!(workload.kind, WorkloadKind::Keys { .. }), "{workload:?}");
    fails_by_itself(&shrunk);
}

/// A folder of its own for one test, gone when the test ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rumor-sim-shrink-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// Exit status, standard output and standard error of `rumor-sim shrink` in the folder.
    fn shrink(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rumor-sim"))
            .arg("shrink")
            .args(args)
            .current_dir(&self.0)
            .output()
            .expect("the program starts");
        let [said, complained] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), said, complained)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("a file")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Eight nodes lose two; with an expectation that holds or fails.
fn small(bound: &str) -> String {
    format!(
        "name = \"small\"\nseeds = 3\nduration = \"60s\"\n[cluster]\nnodes = 8\n\
         [[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = {{ pick = 2 }}\n\
         [[fault]]\nat = \"9s\"\nkind = \"clock\"\nnodes = {{ pick = 1 }}\noffset = \"10ms\"\nfor = \"1s\"\n\
         [[expect]]\nmetric = \"detection.all.max\"\nbelow = \"{bound}\"\n"
    )
}

#[test]
fn the_command_writes_a_scenario_and_a_test_and_says_what_was_cut() {
    let folder = Folder::new("good");
    std::fs::write(folder.0.join("small.toml"), small("1s")).expect("a file");
    let (status, said, complained) = folder.shrink(&["small.toml", "--seed", "2"]);
    assert_eq!((status, complained.as_str()), (Some(0), ""), "{said}");
    assert!(
        said.contains("small.toml, seed 2: the expectation is not met: detection.all.max below 1 s"),
        "{said}"
    );
    assert!(said.contains("faults 2 -> 1, nodes 8 -> 2, "), "{said}");
    let file = "rumor-out/small-shrunk.toml";
    assert!(said.contains(&format!("to rerun it: rumor-sim run {file}\n")), "{said}");
    assert!(folder.read("rumor-out/small-shrunk.rs").contains("const SCENARIO: &str = r#\""));
    let written = folder.read(file);
    // What is shrunk cannot be shrunk further, and comes out the same with any number of jobs.
    for jobs in ["1", "4"] {
        let args = ["small.toml", "--seed", "2", "--jobs", jobs, "--out", "other/again.toml", "-q"];
        assert_eq!(folder.shrink(&args).0, Some(0));
        assert_eq!(folder.read("other/again.toml"), written.replace(file, "other/again.toml"));
    }
    let (status, said, _) = folder.shrink(&[file, "--out", "third.toml"]);
    assert!(status == Some(0) && said.contains("nothing cut"), "{said}");
}

#[test]
fn the_command_says_what_is_wrong() {
    let folder = Folder::new("bad");
    std::fs::write(folder.0.join("holds.toml"), small("59s")).expect("a file");
    std::fs::write(folder.0.join("fails.toml"), small("1s")).expect("a file");
    std::fs::write(folder.0.join("wrong.toml"), "name = 3").expect("a file");
    let cases: [(&[&str], i32, &str); 8] = [
        (
            &["fails.toml", "--out", "./fails.toml"],
            2,
            "fails.toml: would be overwritten; name another file with --out",
        ),
        (&["holds.toml", "--seed", "1"], 1, "holds.toml: seed 1 holds: nothing to shrink"),
        (
            &["fails.toml", "--variant", "swim"],
            2,
            "--variant swim: there is none of that name in fails.toml: default",
        ),
        (&["fails.toml", "--out", "x.txt"], 2, "--out x.txt: must end in .toml"),
        (&["fails.toml", "--budget", "0"], 2, "write a number of runs, such as 500, or a time, such as 10m"),
        (&["."], 4, "wrong.toml:1:"),
        (&["missing.toml"], 4, "missing.toml: cannot be read"),
        (&["fails.toml", "--set", "nodes=3"], 4, "unknown key"),
    ];
    for (args, wanted, message) in cases {
        let (status, said, complained) = folder.shrink(args);
        assert_eq!(status, Some(wanted), "{args:?}: {complained}");
        assert!(said.is_empty() && complained.contains(message), "{args:?}: {complained}");
    }
    assert!(!folder.0.join("rumor-out/fails-shrunk.toml").exists());
}
