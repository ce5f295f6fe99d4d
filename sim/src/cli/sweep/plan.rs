//! `sweep plan`.

use rumormill_sim::scenario::Override;
use rumormill_sim::sweep::{self, Axis, Objective, Wishes};
use rumormill_sim::write_whole;

use super::super::{COULD_NOT_RUN, INVALID, complain, files};
use super::PlanArgs;

pub(super) fn plan(args: &PlanArgs) -> u8 {
    let wishes = match wishes(args) {
        Ok(wishes) => wishes,
        Err(code) => return code,
    };
    let plan = match sweep::make(&wishes) {
        Ok(plan) => plan,
        Err(problems) => {
            complain(&problems);
            return INVALID;
        }
    };
    if let Err(error) = write_whole(&args.out, &plan.to_json()) {
        complain(&error);
        return COULD_NOT_RUN;
    }
    let objectives: Vec<String> = plan.objectives.iter().map(Objective::to_string).collect();
    files::print(|out| {
        let points = plan.points.len();
        writeln!(
            out,
            "{}: {points} settings with {} seeds each, {} runs",
            args.out.display(),
            plan.seeds,
            plan.runs()
        )?;
        if plan.left_out > 0 {
            writeln!(out, "left out, as their settings do not go together: {}", plan.left_out)?;
        }
        writeln!(out, "objectives: {}", objectives.join(", "))?;
        writeln!(out, "next: rumor-sim sweep run {}", args.out.display())
    })
}

/// What is wanted; complains about everything that cannot be read.
fn wishes(args: &PlanArgs) -> Result<Wishes, u8> {
    let mut sound = true;
    let mut heard = |error: &dyn std::fmt::Display| {
        complain(error);
        sound = false;
    };
    let mut set = Vec::new();
    for text in &args.overrides {
        match Override::parse(text) {
            Ok(parsed) => set.push(parsed),
            Err(error) => heard(&error),
        }
    }
    let mut vary = Vec::new();
    for text in &args.vary {
        match Axis::parse(text) {
            Ok(axis) => vary.push(axis),
            Err(error) => heard(&error),
        }
    }
    let scenario = match sweep::read(&args.scenario, &set) {
        Ok(text) => text,
        Err(problems) => {
            heard(&problems);
            String::new()
        }
    };
    if !sound {
        return Err(INVALID);
    }
    Ok(Wishes {
        file: args.scenario.display().to_string(),
        scenario,
        set: args.overrides.clone(),
        vary,
        random: args.random.map(|points| (points, args.random_seed)),
        variant: args.variant.clone(),
        objectives: args.objectives.clone(),
        seed: args.seed,
        seeds: args.seeds,
        skip_invalid: args.skip_invalid,
    })
}
