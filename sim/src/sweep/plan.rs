//! A plan: what is run, written down before anything runs, so that shares of it can run anywhere and be put together again.

use std::collections::BTreeSet;
use std::path::Path;

use super::objective::Objective;
use crate::scenario::{Diagnostics, Override, Scenario};

/// The version of the plan's schema.
pub const SCHEMA: u32 = 1;
/// Most points of a plan.
pub const POINTS_MAX: usize = 20_000;
/// Most runs of a plan: points times seeds.
pub const RUNS_MAX: u64 = 1_000_000;
/// Longest plan file, bytes.
const PLAN_BYTES_MAX: u64 = 64 << 20;

/// Which points of one scenario are run over which seeds. Its serde form is the plan file, `PLAN.json`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the program that made it, and that alone runs it.
    pub version: String,
    /// Digest of all the rest (32 hex digits).
    pub digest: String,
    /// The scenario's name.
    pub name: String,
    /// The scenario's file, as it was named.
    pub file: String,
    /// The scenario's text.
    pub scenario: String,
    /// Keys that all points change: `KEY=VALUE`.
    pub set: Vec<String>,
    /// What varies, as it was given: `KEY=VALUES`.
    pub vary: Vec<String>,
    /// How the points came about.
    pub choice: Choice,
    /// Points that were left out because their settings do not go together.
    pub left_out: usize,
    /// What is looked at: the axes of the trade-off.
    pub objectives: Vec<Objective>,
    /// The first seed.
    pub seed: u64,
    /// How many seeds each point has.
    pub seeds: u32,
    /// The keys whose values points give.
    pub keys: Vec<String>,
    /// The points, numbered from 1.
    pub points: Vec<Point>,
}

/// How the points came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Choice {
    /// Every value of each key with every value of the others.
    Grid,
    /// So many, drawn with this seed.
    Random {
        /// How many were asked for.
        points: u32,
        /// The seed of the draw.
        seed: u64,
    },
}

/// A point: one setting of all keys.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// One value for each of the plan's keys.
    pub values: Vec<String>,
    /// The scenario's variant that is run.
    pub variant: String,
    /// Digest of everything that shapes its runs (32 hex digits).
    pub experiment: String,
}

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The point, by its index from 0.
    pub point: usize,
    /// The seed.
    pub seed: u64,
}

impl Plan {
    /// Reads a plan file.
    ///
    /// # Errors
    /// A file that cannot be read or is no plan, was changed after it was made, or belongs to another version of this program.
    pub fn load(path: &Path) -> Result<Self, String> {
        let wrong = |what: String| format!("{}: {what}", path.display());
        let length = std::fs::metadata(path).map_err(|e| wrong(format!("cannot be read: {e}")))?.len();
        if length > PLAN_BYTES_MAX {
            return Err(wrong(format!("is longer than {PLAN_BYTES_MAX} bytes, so it is no plan")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        Self::parse(&text).map_err(wrong)
    }

    /// Reads a plan from its JSON.
    ///
    /// # Errors
    /// As [`Plan::load`].
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Made {
            schema: u32,
            version: String,
        }
        let hint = "a plan is made by: rumor-sim sweep plan SCENARIO --vary KEY=VALUES --out PLAN.json";
        let made: Made =
            serde_json::from_str(text).map_err(|e| format!("is no plan: {e}\n  hint: {hint}"))?;
        let current = env!("CARGO_PKG_VERSION");
        if made.schema != SCHEMA || made.version != current {
            return Err(format!(
                "was made by rumor-sim {} (schema {}), this is {current} (schema {SCHEMA}): results of both could not be compared; make the plan again",
                made.version, made.schema
            ));
        }
        let plan: Self =
            serde_json::from_str(text).map_err(|e| format!("is no plan: {e}\n  hint: {hint}"))?;
        if plan.digest != plan.own_digest() {
            return Err("was changed after it was made; make it again".to_owned());
        }
        if plan.points.is_empty()
            || plan.seeds == 0
            || plan.runs() > RUNS_MAX
            || plan.points.len() > POINTS_MAX
        {
            return Err(format!("must have 1 to {POINTS_MAX} points and at most {RUNS_MAX} runs"));
        }
        if plan.points.iter().any(|point| point.values.len() != plan.keys.len()) {
            return Err("has points without a value for each key".to_owned());
        }
        Ok(plan)
    }

    /// The plan file: a point a line.
    #[must_use]
    pub fn to_json(&self) -> String {
        point_a_line(&Self { points: Vec::new(), ..self.clone() }, &self.points)
    }

    pub(super) fn own_digest(&self) -> String {
        let text = Self { digest: String::new(), ..self.clone() }.to_json();
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    /// How many runs it has.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.points.len() as u64 * u64::from(self.seeds)
    }

    /// Every run, in the order in which they are run: all points with the first seed, then all with the next.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        (0..u64::from(self.seeds)).flat_map(move |k| {
            (0..self.points.len()).map(move |point| Cell { point, seed: self.seed.wrapping_add(k) })
        })
    }

    /// The settings of a point, the variant among them where there are several.
    #[must_use]
    pub fn settings(&self, point: usize) -> Vec<(String, String)> {
        let Some(of) = self.points.get(point) else { return Vec::new() };
        let mut settings: Vec<(String, String)> =
            self.keys.iter().cloned().zip(of.values.iter().cloned()).collect();
        if self.several_variants() {
            settings.push(("variant".to_owned(), of.variant.clone()));
        }
        settings
    }

    /// Whether points differ in their variant.
    #[must_use]
    pub fn several_variants(&self) -> bool {
        self.points.iter().map(|point| &point.variant).collect::<BTreeSet<_>>().len() > 1
    }

    /// The scenario of a point, and the index of its variant.
    ///
    /// # Errors
    /// When the text no longer gives the experiment that was planned.
    pub fn experiment(&self, point: usize) -> Result<(Scenario, usize), String> {
        let changed =
            || format!("point {}: the scenario in the plan gives another experiment than it did", point + 1);
        let of = self.points.get(point).ok_or_else(changed)?;
        let overrides = overrides(&self.set, &self.keys, &of.values)?;
        let scenario = Scenario::parse(&self.scenario, &self.file, &overrides).map_err(|e| e.to_string())?;
        let variant = scenario.variants.iter().position(|v| v.name == of.variant).ok_or_else(changed)?;
        if experiment_digest(&scenario, variant) != of.experiment {
            return Err(changed());
        }
        Ok((scenario, variant))
    }

    /// The command line that runs a point's scenario once more over the same seeds, with a report of its own.
    #[must_use]
    pub fn rerun(&self, scenario: &Scenario) -> String {
        format!("rumor-sim run {} --seed {} --seeds {}", scenario.source, self.seed, self.seeds)
    }
}

/// JSON of a document whose last field, `points`, is empty, with these points in it, one a line.
pub(super) fn point_a_line<D: serde::Serialize, P: serde::Serialize>(without: &D, points: &[P]) -> String {
    // Plans and answers have string keys and finite numbers only, so they always serialise.
    let head = serde_json::to_string_pretty(without).unwrap_or_default();
    let head = head.strip_suffix("\"points\": []\n}").unwrap_or(&head);
    let one = |point: &P| format!("    {}", serde_json::to_string(point).unwrap_or_default());
    let lines: Vec<String> = points.iter().map(one).collect();
    format!("{head}\"points\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
}

/// Settings as overrides, those of all points first.
pub(super) fn overrides(set: &[String], keys: &[String], values: &[String]) -> Result<Vec<Override>, String> {
    let own = keys.iter().zip(values).map(|(key, value)| format!("{key}={value}"));
    set.iter().cloned().chain(own).map(|text| Override::parse(&text)).collect()
}

/// Digest of everything that shapes the runs of a variant, and of its name.
pub(super) fn experiment_digest(scenario: &Scenario, variant: usize) -> String {
    let shape = (
        (scenario.warmup, scenario.duration, &scenario.cluster, &scenario.network),
        (&scenario.faults, &scenario.workloads),
        scenario.variants.get(variant).map(|v| (&v.name, &v.config, &v.travel)),
    );
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(format!("{shape:?}").as_bytes()))
}

/// Reads a scenario file for a plan: its text, once it is known to be sound with these overrides.
///
/// # Errors
/// As [`Scenario::load`].
pub fn read(path: &Path, set: &[Override]) -> Result<String, Diagnostics> {
    Scenario::load(path, set)?;
    // A file that is gone by now is empty, which is what a plan made of it says.
    Ok(std::fs::read_to_string(path).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn a_plan_survives_its_json_and_notices_when_it_was_changed() {
        let plan = plan();
        let text = plan.to_json();
        assert_eq!(Plan::parse(&text).unwrap(), plan);
        assert_eq!(text.lines().filter(|line| line.contains("\"experiment\"")).count(), plan.points.len());
        let said = Plan::parse(&text.replace("\"seeds\": 2", "\"seeds\": 3")).unwrap_err();
        assert!(said.contains("was changed"), "{said}");
        let said = Plan::parse(&text.replace("\"schema\": 1", "\"schema\": 9")).unwrap_err();
        assert!(said.contains("schema 9"), "{said}");
        for other in ["", "{}", "[1]", "name = 1"] {
            assert!(Plan::parse(other).unwrap_err().contains("sweep plan"), "{other}");
        }
    }

    #[test]
    fn a_point_gives_its_experiment_and_the_line_that_runs_it() {
        let plan = plan();
        let (scenario, variant) = plan.experiment(3).unwrap();
        assert_eq!((scenario.variants[variant].config.suspicion_mult, variant), (4, 0));
        assert_eq!(plan.settings(3)[1], ("network.loss".to_owned(), "0.2".to_owned()));
        let line = plan.rerun(&scenario);
        assert!(line.contains("--set 'network.loss=0.2'") && line.ends_with("--seed 1 --seeds 2"), "{line}");
        let mut other = plan.clone();
        other.scenario = other.scenario.replace("20s", "21s");
        assert!(other.experiment(3).unwrap_err().contains("another experiment"));
    }

    #[test]
    fn all_points_come_before_the_next_seed() {
        let cells: Vec<Cell> = plan().cells().collect();
        assert_eq!(cells.len(), 8);
        assert_eq!((cells[3], cells[4]), (Cell { point: 3, seed: 1 }, Cell { point: 0, seed: 2 }));
    }
}
