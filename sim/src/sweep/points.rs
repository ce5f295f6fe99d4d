//! From wishes to a plan: the points of a grid or of a draw, every one of them checked before anything runs.

use std::collections::HashMap;
use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::axis::Axis;
use super::objective::{DEFAULTS, Objective};
use super::plan::{Choice, POINTS_MAX, Plan, Point, RUNS_MAX, SCHEMA, experiment_digest, overrides};
use crate::scenario::{Bound, Expect, Over, Override, Scenario};

/// Most keys that vary at once.
const KEYS_MAX: usize = 16;
/// Draws for each point that is asked for, before a space counts as used up.
const DRAWS_MAX: u32 = 50;
/// Problems that are told one by one.
const TOLD: usize = 12;

/// What is wanted of a plan.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The scenario's file, for messages and reruns.
    pub file: String,
    /// Its text.
    pub scenario: String,
    /// Keys that all points change: `KEY=VALUE`.
    pub set: Vec<String>,
    /// The keys that vary.
    pub vary: Vec<Axis>,
    /// So many points by chance, drawn with this seed, instead of a grid.
    pub random: Option<(u32, u64)>,
    /// The only variant to be run; `None`: all of them, each a point of its own.
    pub variant: Option<String>,
    /// What is looked at; empty: as many of [`DEFAULTS`] as the scenario has samples for.
    pub objectives: Vec<Objective>,
    /// The first seed, instead of the scenario's.
    pub seed: Option<u64>,
    /// How many seeds, instead of the scenario's.
    pub seeds: Option<u32>,
    /// Points whose settings do not go together are left out.
    pub skip_invalid: bool,
}

/// Everything that is wrong with a plan that was wished for; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl From<String> for Problems {
    fn from(one: String) -> Self {
        Self(vec![one])
    }
}

/// Makes a plan and checks each of its points.
///
/// # Errors
/// All problems at once: of the wishes, or of every point that cannot be run.
pub fn make(wishes: &Wishes) -> Result<Plan, Problems> {
    let keys: Vec<String> = wishes.vary.iter().map(|axis| axis.key.clone()).collect();
    check_keys(&keys, &wishes.set)?;
    let fixed = overrides(&wishes.set, &[], &[])?;
    let base = Scenario::parse(&wishes.scenario, &wishes.file, &fixed).map_err(|e| e.to_string())?;
    let objectives = objectives(&wishes.objectives, &base)?;
    let seed = wishes.seed.unwrap_or(base.seed);
    let seeds = wishes.seeds.unwrap_or(base.seeds);
    if seeds == 0 || seed.checked_add(u64::from(seeds) - 1).is_none() {
        return Err(format!("seeds {seed} and {seeds} more: there must be one, and all below 2^64").into());
    }
    let mut check = Check::new(wishes, &keys);
    let (choice, left_out) = match wishes.random {
        None => (Choice::Grid, check.grid()?),
        Some((points, seed)) => (Choice::Random { points, seed }, check.draws(points, seed)?),
    };
    let points = check.points;
    if points.is_empty() {
        return Err("no point is left: the settings of none of them go together".to_owned().into());
    }
    let runs = points.len() as u64 * u64::from(seeds);
    if runs > RUNS_MAX {
        return Err(format!(
            "{} points with {seeds} seeds are {runs} runs; at most {RUNS_MAX}",
            points.len()
        )
        .into());
    }
    let mut plan = Plan {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: String::new(),
        name: base.name,
        file: wishes.file.clone(),
        scenario: wishes.scenario.clone(),
        set: wishes.set.clone(),
        vary: wishes.vary.iter().map(|axis| format!("{}={}", axis.key, axis.given)).collect(),
        choice,
        left_out,
        objectives,
        seed,
        seeds,
        keys,
        points,
    };
    plan.digest = plan.own_digest();
    Ok(plan)
}

fn check_keys(keys: &[String], set: &[String]) -> Result<(), Problems> {
    let mut problems = Vec::new();
    if keys.is_empty() || keys.len() > KEYS_MAX {
        problems.push(format!("{} keys vary; 1 to {KEYS_MAX} may: --vary KEY=VALUES", keys.len()));
    }
    for (number, key) in keys.iter().enumerate() {
        if keys[..number].contains(key) {
            problems.push(format!("--vary {key}: the key stands there twice"));
        }
        if set.iter().any(|text| text.split('=').next().map(str::trim) == Some(key)) {
            problems.push(format!("--vary {key}: --set gives it a value of its own"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

impl Plan {
    /// What an answer looks at: what is wanted of it, or else the plan's own objectives.
    ///
    /// # Errors
    /// All problems at once: the scenario makes no samples of an objective, or one stands there twice.
    pub fn look_at(&self, wanted: &[Objective]) -> Result<Vec<Objective>, Problems> {
        if wanted.is_empty() {
            return Ok(self.objectives.clone());
        }
        let fixed = overrides(&self.set, &[], &[])?;
        let base = Scenario::parse(&self.scenario, &self.file, &fixed).map_err(|e| e.to_string())?;
        objectives(wanted, &base)
    }
}

/// What is looked at, as far as the scenario has it.
fn objectives(wanted: &[Objective], scenario: &Scenario) -> Result<Vec<Objective>, Problems> {
    if wanted.is_empty() {
        let known = DEFAULTS.iter().filter_map(|text| text.parse::<Objective>().ok());
        return Ok(known.filter(|objective| measured(objective, scenario).is_ok()).collect());
    }
    let mut problems: Vec<String> =
        wanted.iter().filter_map(|objective| measured(objective, scenario).err()).collect();
    for (number, objective) in wanted.iter().enumerate() {
        if wanted[..number].iter().any(|other| other.name() == objective.name()) {
            problems.push(format!("objective {objective}: stands there twice"));
        }
    }
    if problems.is_empty() { Ok(wanted.to_vec()) } else { Err(Problems(problems)) }
}

/// Whether the scenario makes samples of it: what an expectation about it would have to say.
fn measured(objective: &Objective, scenario: &Scenario) -> Result<(), String> {
    let expect = Expect {
        metric: objective.metric,
        statistic: objective.statistic,
        bound: Bound::Above(0.0),
        over: Over::Pooled,
        variant: None,
        ratio_to: None,
        line: 0,
    };
    let asked = Scenario { expects: vec![expect], ..scenario.clone() };
    let said = |e: crate::scenario::Diagnostics| {
        let reasons = e.iter().map(|d| match &d.hint {
            Some(hint) => format!("{}; {hint}", d.message),
            None => d.message.clone(),
        });
        format!("objective {objective}: {}", reasons.collect::<Vec<String>>().join("; "))
    };
    asked.check().map_err(said)
}

/// The points that are sound so far, and what is wrong with the others.
struct Check<'w> {
    wishes: &'w Wishes,
    keys: &'w [String],
    points: Vec<Point>,
    /// By experiment, the point that it is.
    known: HashMap<String, usize>,
}

/// What became of one setting of all keys.
enum Tried {
    /// New points, one for each variant.
    New,
    /// It is the experiment of a point that is there already.
    Same(usize),
    /// It cannot be run.
    Invalid(String),
}

impl<'w> Check<'w> {
    fn new(wishes: &'w Wishes, keys: &'w [String]) -> Self {
        Self { wishes, keys, points: Vec::new(), known: HashMap::new() }
    }

    /// Every value with every other; how many were left out.
    fn grid(&mut self) -> Result<usize, Problems> {
        let (axes, problems): (Vec<_>, Vec<_>) =
            self.wishes.vary.iter().map(Axis::grid).partition(Result::is_ok);
        let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let axes: Vec<Vec<String>> = axes.into_iter().filter_map(Result::ok).collect();
        let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.len()));
        let count = count.filter(|count| *count <= POINTS_MAX).ok_or_else(|| {
            format!("the grid has more than {POINTS_MAX} points; give fewer values, or draw with --random N")
        })?;
        let (mut invalid, mut total) = (Vec::new(), 0);
        for number in 0..count {
            let values = nth(&axes, number);
            match self.attempt(&values)? {
                Tried::New => {}
                Tried::Same(other) => {
                    let (values, other) = (self.shown(&values), other + 1);
                    return Err(format!("{values}: the same experiment as point {other}, so one of the keys changes nothing that is run").into());
                }
                Tried::Invalid(why) => {
                    total += 1;
                    invalid.extend((invalid.len() < TOLD).then(|| format!("{}: {why}", self.shown(&values))));
                }
            }
        }
        if total > 0 && !self.wishes.skip_invalid {
            invalid.extend((total > TOLD).then(|| format!("... and {} points more", total - TOLD)));
            invalid.push("to leave such points out, add --skip-invalid".to_owned());
            return Err(Problems(invalid));
        }
        Ok(total)
    }

    /// So many different points by chance; how many were left out. Point k does not depend on how many are drawn.
    fn draws(&mut self, wanted: u32, seed: u64) -> Result<usize, Problems> {
        let variants = self.variants_of(&self.base()?)?.len().max(1);
        let (mut invalid, mut left_out) = (Vec::new(), 0);
        for draw in 0..u64::from(wanted) * u64::from(DRAWS_MAX) {
            if self.points.len() >= wanted as usize * variants {
                break;
            }
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw);
            let values: Vec<String> = self.wishes.vary.iter().map(|axis| axis.draw(&mut rng)).collect();
            match self.attempt(&values)? {
                Tried::New | Tried::Same(_) => {}
                Tried::Invalid(why) => {
                    left_out += 1;
                    invalid.extend((invalid.len() < TOLD).then(|| format!("{}: {why}", self.shown(&values))));
                }
            }
        }
        if left_out > 0 && !self.wishes.skip_invalid {
            invalid.push("to draw others instead of such points, add --skip-invalid".to_owned());
            return Err(Problems(invalid));
        }
        let found = self.points.len() / variants;
        if found < wanted as usize {
            return Err(format!(
                "--random {wanted}: only {found} different points that can be run were found; ask for fewer, or take the grid"
            )
            .into());
        }
        Ok(left_out)
    }

    fn base(&self) -> Result<Scenario, Problems> {
        let fixed = overrides(&self.wishes.set, &[], &[])?;
        Scenario::parse(&self.wishes.scenario, &self.wishes.file, &fixed).map_err(|e| e.to_string().into())
    }

    /// The variants that are run, by index.
    fn variants_of(&self, scenario: &Scenario) -> Result<Vec<usize>, Problems> {
        let Some(wanted) = &self.wishes.variant else { return Ok((0..scenario.variants.len()).collect()) };
        let found = scenario.variants.iter().position(|variant| variant.name == *wanted);
        let names: Vec<&str> = scenario.variants.iter().map(|variant| variant.name.as_str()).collect();
        let unknown =
            || format!("--variant {wanted}: there is none; the scenario has {}", names.join(", ")).into();
        found.map(|index| vec![index]).ok_or_else(unknown)
    }

    fn attempt(&mut self, values: &[String]) -> Result<Tried, Problems> {
        let overrides: Vec<Override> = match overrides(&self.wishes.set, self.keys, values) {
            Ok(overrides) => overrides,
            Err(why) => return Ok(Tried::Invalid(why)),
        };
        let scenario = match Scenario::parse(&self.wishes.scenario, &self.wishes.file, &overrides) {
            Ok(scenario) => scenario,
            Err(why) => return Ok(Tried::Invalid(why.to_string())),
        };
        let mut new = Vec::new();
        for variant in self.variants_of(&scenario)? {
            let experiment = experiment_digest(&scenario, variant);
            if let Some(point) = self.known.get(&experiment) {
                return Ok(Tried::Same(*point));
            }
            let variant = scenario.variants.get(variant).map(|v| v.name.clone()).unwrap_or_default();
            new.push(Point { values: values.to_vec(), variant, experiment });
        }
        for point in new {
            self.known.insert(point.experiment.clone(), self.points.len());
            self.points.push(point);
        }
        if self.points.len() > POINTS_MAX {
            return Err(format!("there are more than {POINTS_MAX} points").into());
        }
        Ok(Tried::New)
    }

    fn shown(&self, values: &[String]) -> String {
        let settings: Vec<String> =
            self.keys.iter().zip(values).map(|(key, value)| format!("{key}={value}")).collect();
        settings.join(" ")
    }
}

/// The combination of that number; the last key changes fastest.
fn nth(axes: &[Vec<String>], mut number: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        values.push(axis.get(number % axis.len().max(1)).cloned().unwrap_or_default());
        number /= axis.len().max(1);
    }
    values.reverse();
    values
}
