//! `sweep merge`.

use rumormill_sim::report;
use rumormill_sim::sweep::{Objective, Plan, Store, Sweep};

use super::super::run::terminal_width;
use super::super::{COULD_NOT_RUN, DID_NOT_HOLD, Format, INVALID, complain, files};
use super::MergeArgs;

pub(super) fn merge(args: &MergeArgs) -> u8 {
    let (plan, objectives) = match asked(args) {
        Ok(asked) => asked,
        Err(error) => {
            complain(&error);
            return INVALID;
        }
    };
    let sweep = match put_together(args, &plan, &objectives) {
        Ok(sweep) => sweep,
        Err(error) => {
            complain(&error);
            return COULD_NOT_RUN;
        }
    };
    if let Err(error) = report::sweep::write(&sweep, args.colour.as_deref(), &args.out) {
        complain(&error);
        return COULD_NOT_RUN;
    }
    let code = files::print(|out| match args.format {
        Format::Text => {
            let text = report::sweep::text(&sweep, anstream::stdout().is_terminal(), terminal_width());
            writeln!(out, "{text}")?;
            writeln!(out, "report: {}", args.out.join("report.html").display())
        }
        Format::Json => write!(out, "{}", sweep.to_json()),
    });
    if sweep.holds() { code } else { code.max(DID_NOT_HOLD) }
}

/// The plan and what is looked at, when what is asked for is in the plan.
fn asked(args: &MergeArgs) -> Result<(Plan, Vec<Objective>), String> {
    let plan = Plan::load(&args.plan)?;
    if let Some(key) = &args.colour {
        let settings = plan.settings(0);
        let keys: Vec<&str> = settings.iter().map(|(key, _)| key.as_str()).collect();
        if !keys.contains(&key.as_str()) {
            return Err(format!("--colour {key}: does not vary in this plan; there are {}", keys.join(", ")));
        }
    }
    let objectives = plan.look_at(&args.objectives).map_err(|problems| problems.to_string())?;
    Ok((plan, objectives))
}

fn put_together(args: &MergeArgs, plan: &Plan, objectives: &[Objective]) -> Result<Sweep, String> {
    let stores: Result<Vec<Store>, String> = args.cells.iter().map(|dir| Store::open(dir, plan)).collect();
    Sweep::merge(plan, objectives, &stores?).map_err(|missing| missing.to_string())
}
