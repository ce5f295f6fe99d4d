//! `sweep run`.

use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::ProgressBar;
use rumormill_sim::sweep::{Plan, Shard, Share, Store};

use super::super::bar::bar;
use super::super::{COULD_NOT_RUN, INVALID, USAGE, complain, files};
use super::RunArgs;

pub(super) fn run(args: &RunArgs) -> u8 {
    let plan = match Plan::load(&args.plan) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&error);
            return INVALID;
        }
    };
    let shard = match shard(args) {
        Ok(shard) => shard,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    match run_share(&plan, shard, args) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            COULD_NOT_RUN
        }
    }
}

/// The share that is meant; a flag comes before what a scheduler says.
fn shard(args: &RunArgs) -> Result<Shard, String> {
    match args.shard {
        Some(shard) => Ok(shard),
        None => {
            let told = Shard::from_scheduler(args.shards, &|name| std::env::var(name).ok())?;
            Ok(told.unwrap_or(Shard::WHOLE))
        }
    }
}

fn run_share(plan: &Plan, shard: Shard, args: &RunArgs) -> Result<u8, String> {
    let store = Store::create(&args.out, plan)?;
    let share = Share::look(plan, shard, &store)?;
    for damaged in &share.damaged {
        let style = anstyle::AnsiColor::Yellow.on_default().bold();
        anstream::eprintln!("{style}again:{style:#} {damaged}");
    }
    let jobs = args.jobs.map_or(share.jobs_that_fit, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| format!("--jobs {jobs}: {error}"))?;
    let bar = progress_bar(&share, args.quiet);
    bar.set_prefix(format!("{} {shard}", plan.name));
    let over = AtomicUsize::new(0);
    let progress = |seconds: u64, done: bool| {
        bar.inc(seconds);
        if done {
            let over = over.fetch_add(1, Ordering::Relaxed) + 1;
            bar.set_message(format!("{over}/{} runs", share.to_do.len()));
        }
    };
    let outcome = pool.install(|| share.run(plan, &store, &progress));
    bar.finish_and_clear();
    outcome?;
    let (ran, all) = (share.to_do.len(), share.to_do.len() + share.done);
    Ok(files::print(|out| {
        let before =
            if share.done > 0 { format!(", {} were there before", share.done) } else { String::new() };
        writeln!(out, "share {shard}: {ran} of {all} runs done{before}, in {}", args.out.display())?;
        // Of several shares each would say the same.
        match shard {
            Shard::WHOLE => {
                writeln!(out, "next: rumor-sim sweep merge {} {}", args.plan.display(), args.out.display())
            }
            _ => Ok(()),
        }
    }))
}

/// Simulated seconds of what is to be done.
fn progress_bar(share: &Share, quiet: bool) -> ProgressBar {
    let bar = bar("{prefix} {wide_bar} {msg}, {eta} left", "", Some(share.seconds), quiet);
    bar.set_message(format!("0/{} runs", share.to_do.len()));
    bar
}
