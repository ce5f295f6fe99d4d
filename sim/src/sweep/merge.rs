//! All shares together: the answer of a sweep.

use super::estimate::Estimate;
use super::front::{Standing, standings};
use super::marginal::{Marginal, marginals};
use super::objective::Objective;
use super::plan::{Cell, Choice, Plan, point_a_line};
use super::store::{Found, Store};
use crate::record::RunRecord;
use crate::scenario::Scenario;

/// The version of `sweep.json`'s schema.
const SCHEMA: u32 = 1;
/// Runs that are named one by one where some are missing.
const NAMED: usize = 10;

/// What a sweep found. Its serde form is `sweep.json`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Sweep {
    /// The version of this schema.
    pub schema: u32,
    /// Version of the program that ran it.
    pub version: String,
    /// Digest of the plan.
    pub plan: String,
    /// The scenario's name.
    pub name: String,
    /// The question it answers.
    pub about: String,
    /// Its nodes, where all points have as many.
    pub nodes: Option<u32>,
    /// The scenario's file and what all points change.
    pub source: String,
    /// What varied.
    pub vary: Vec<String>,
    /// How the points came about.
    pub choice: Choice,
    /// Points that were left out because their settings do not go together.
    pub left_out: usize,
    /// The first seed.
    pub seed: u64,
    /// Seeds of each point.
    pub seeds: u32,
    /// What was looked at.
    pub objectives: Vec<Objective>,
    /// How much each key matters on its own.
    pub marginals: Vec<Marginal>,
    /// The points, as planned.
    pub points: Vec<Outcome>,
}

/// What a point came to.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// Its number, from 1.
    pub number: usize,
    /// Its settings.
    pub settings: Vec<(String, String)>,
    /// How it stands to the front.
    pub standing: Standing,
    /// By objective.
    pub figures: Vec<Estimate>,
    /// Seeds in which an invariant was violated or a fault that had to act touched nothing.
    pub unsound: Vec<u64>,
    /// Digest of its runs' digests (32 hex digits).
    pub digest: String,
    /// The command line that runs it again.
    pub rerun: String,
}

/// Why a sweep cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Runs that are in none of the folders.
    Runs {
        /// How many.
        missing: usize,
        /// Of how many.
        of: u64,
        /// What is known of them: the first ones, and damaged files.
        told: Vec<String>,
    },
    /// A folder that cannot be read, or results that do not belong together.
    Unfit(String),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unfit(why) => f.write_str(why),
            Self::Runs { missing, of, told } => {
                write!(f, "{missing} of {of} runs are not there yet:")?;
                told.iter().try_for_each(|one| write!(f, "\n  {one}"))?;
                let rest = missing.saturating_sub(told.len());
                if rest > 0 { write!(f, "\n  ... and {rest} more") } else { Ok(()) }
            }
        }
    }
}

impl std::error::Error for Missing {}

impl Sweep {
    /// Puts the results of a plan together, with its own objectives or others. The bytes of [`Sweep::to_json`] do not depend on how the
    /// runs were shared out.
    ///
    /// # Errors
    /// When runs are missing or damaged, or two folders have different results of one run.
    pub fn merge(plan: &Plan, objectives: &[Objective], stores: &[Store]) -> Result<Self, Missing> {
        let mut lacking = Lacking::default();
        let mut points: Vec<Outcome> = Vec::with_capacity(plan.points.len());
        let mut nodes = Vec::with_capacity(plan.points.len());
        let mut about = String::new();
        for point in 0..plan.points.len() {
            let (scenario, _) = plan.experiment(point).map_err(Missing::Unfit)?;
            // Records of one point at a time: of all of them there may be more than memory holds.
            let runs = lacking.gather(plan, point, stores)?;
            points.push(outcome(plan, point, &scenario, objectives, &runs));
            nodes.push(scenario.cluster.nodes);
            about = scenario.about;
        }
        lacking.check(plan)?;
        let figures: Vec<Vec<Estimate>> = points.iter().map(|point| point.figures.clone()).collect();
        let settings: Vec<Vec<(String, String)>> =
            points.iter().map(|point| point.settings.clone()).collect();
        for (point, standing) in points.iter_mut().zip(standings(objectives, &figures)) {
            point.standing = standing;
        }
        let mut source = plan.file.clone();
        plan.set.iter().for_each(|set| source.push_str(&format!(" --set {set}")));
        Ok(Self {
            schema: SCHEMA,
            version: plan.version.clone(),
            plan: plan.digest.clone(),
            name: plan.name.clone(),
            about,
            nodes: nodes.first().copied().filter(|first| nodes.iter().all(|n| n == first)),
            source,
            vary: plan.vary.clone(),
            choice: plan.choice,
            left_out: plan.left_out,
            seed: plan.seed,
            seeds: plan.seeds,
            objectives: objectives.to_vec(),
            marginals: marginals(&settings, &figures),
            points,
        })
    }

    /// `sweep.json`: a point a line.
    #[must_use]
    pub fn to_json(&self) -> String {
        point_a_line(&Self { points: Vec::new(), ..self.clone() }, &self.points)
    }

    /// The points on the front, from the best in the first objective to the worst.
    #[must_use]
    pub fn front(&self) -> Vec<&Outcome> {
        let mut front: Vec<&Outcome> =
            self.points.iter().filter(|point| point.standing == Standing::Front).collect();
        if let Some(first) = self.objectives.first() {
            let value = |point: &Outcome| point.figures.first().and_then(|figure| figure.value);
            front.sort_by(|a, b| match (value(a), value(b)) {
                (Some(a), Some(b)) => first.rank(&a, &b),
                _ => std::cmp::Ordering::Equal,
            });
        }
        front
    }

    /// How many points stand so.
    #[must_use]
    pub fn standing(&self, standing: Standing) -> usize {
        self.points.iter().filter(|point| point.standing == standing).count()
    }

    /// Whether in every run every invariant held and every fault acted that had to.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.points.iter().all(|point| point.unsound.is_empty())
    }
}

fn outcome(
    plan: &Plan,
    point: usize,
    scenario: &Scenario,
    objectives: &[Objective],
    runs: &[RunRecord],
) -> Outcome {
    let by_seed: Vec<&RunRecord> = runs.iter().collect();
    Outcome {
        number: point + 1,
        settings: plan.settings(point),
        // How it stands shows when all are there.
        standing: Standing::NoValue,
        figures: objectives.iter().map(|objective| Estimate::of(objective, &by_seed)).collect(),
        unsound: unsound(runs),
        digest: digest(runs),
        rerun: plan.rerun(scenario),
    }
}

/// Runs that are not there.
#[derive(Default)]
struct Lacking {
    missing: usize,
    told: Vec<String>,
}

impl Lacking {
    /// A point's runs, by seed, as far as they are there.
    fn gather(&mut self, plan: &Plan, point: usize, stores: &[Store]) -> Result<Vec<RunRecord>, Missing> {
        let mut runs = Vec::with_capacity(plan.seeds as usize);
        for seed in (0..u64::from(plan.seeds)).map(|k| plan.seed.wrapping_add(k)) {
            match find(plan, Cell { point, seed }, stores)? {
                Ok(record) => runs.push(*record),
                Err(damaged) => {
                    self.missing += 1;
                    let name = format!("point {}, seed {seed}", point + 1);
                    let one = damaged.map_or(name.clone(), |why| format!("{name}: {why}"));
                    self.told.extend((self.told.len() < NAMED).then_some(one));
                }
            }
        }
        Ok(runs)
    }

    fn check(self, plan: &Plan) -> Result<(), Missing> {
        match self.missing {
            0 => Ok(()),
            missing => Err(Missing::Runs { missing, of: plan.runs(), told: self.told }),
        }
    }
}

type Whole = Result<Box<RunRecord>, Option<String>>;

/// A run's record from whichever folder has it whole; otherwise what is wrong with what is there.
fn find(plan: &Plan, cell: Cell, stores: &[Store]) -> Result<Whole, Missing> {
    let (mut whole, mut damaged): (Option<Box<RunRecord>>, _) = (None, None);
    for store in stores {
        match store.find(plan, cell).map_err(Missing::Unfit)? {
            Found::Missing => {}
            Found::Damaged(why) => damaged = Some(why),
            Found::Done(record) => match &whole {
                Some(other) if *other != record => {
                    return Err(Missing::Unfit(format!(
                        "point {}, seed {}: two folders have different results of it ({} and {}); one program made them, so one of the machines is at fault",
                        cell.point + 1,
                        cell.seed,
                        other.digest,
                        record.digest
                    )));
                }
                _ => whole = Some(record),
            },
        }
    }
    Ok(whole.ok_or(damaged))
}

fn unsound(runs: &[RunRecord]) -> Vec<u64> {
    let bad = |run: &&RunRecord| {
        run.invariants.iter().any(|i| i.violations > 0)
            || run.faults.iter().any(|f| !f.acted() && !f.may_be_idle)
    };
    runs.iter().filter(bad).map(|run| run.seed).collect()
}

fn digest(runs: &[RunRecord]) -> String {
    let all: Vec<&str> = runs.iter().map(|run| run.digest.as_str()).collect();
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(all.join(" ").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{folder, plan};
    use super::super::{Shard, Share};
    use super::*;

    fn run(plan: &Plan, shard: &str, store: &Store) {
        let share = Share::look(plan, shard.parse::<Shard>().unwrap(), store).unwrap();
        share.run(plan, store, &|_, _| {}).unwrap();
    }

    #[test]
    fn any_number_of_shares_in_any_folders_gives_the_same_bytes() {
        let plan = plan();
        let mut answers = Vec::new();
        for shares in [1, 2, 8] {
            let dir = folder(&format!("shares-{shares}"));
            let stores: Vec<Store> =
                (0..2).map(|k| Store::create(&dir.join(k.to_string()), &plan).unwrap()).collect();
            for index in (1..=shares).rev() {
                run(&plan, &format!("{index}/{shares}"), &stores[index % 2]);
            }
            let sweep = Sweep::merge(&plan, &plan.objectives, &stores).unwrap();
            assert_eq!(serde_json::from_str::<Sweep>(&sweep.to_json()).unwrap(), sweep);
            assert!(sweep.holds() && !sweep.front().is_empty());
            answers.push(sweep.to_json());
            std::fs::remove_dir_all(&dir).unwrap();
        }
        assert!(answers[0] == answers[1] && answers[1] == answers[2]);
        assert!(answers[0].lines().filter(|line| line.contains("\"number\"")).count() == 4);
    }

    #[test]
    fn what_is_missing_or_of_another_plan_is_told() {
        let (plan, dir) = (plan(), folder("missing"));
        let store = Store::create(&dir, &plan).unwrap();
        run(&plan, "1/2", &store);
        let said =
            Sweep::merge(&plan, &plan.objectives, std::slice::from_ref(&store)).unwrap_err().to_string();
        assert!(said.starts_with("4 of 8 runs are not there yet:\n  point 2, seed 1"), "{said}");
        let mut other = plan.clone();
        other.name = "other".to_owned();
        other.digest = other.own_digest();
        assert!(Store::open(&dir, &other).unwrap_err().contains("another plan"));
        // A folder whose own copy of the plan is gone still does not mix.
        std::fs::remove_file(dir.join("plan.json")).unwrap();
        let said = Sweep::merge(&other, &plan.objectives, &[store]).unwrap_err().to_string();
        assert!(said.contains("result of another plan"), "{said}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
