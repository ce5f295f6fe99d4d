//! Runs a share of a plan: what is done already is skipped, what is damaged is done again.

use rayon::prelude::*;

use super::plan::{Cell, Plan};
use super::shard::Shard;
use super::store::{Found, Store};
use crate::batch::jobs_that_fit;
use crate::world;

/// What is to be done of a share.
#[derive(Clone, Debug, Default)]
pub struct Share {
    /// The runs that are not there yet.
    pub to_do: Vec<Cell>,
    /// How many are there.
    pub done: usize,
    /// Files that were damaged: their runs are done again.
    pub damaged: Vec<String>,
    /// Simulated seconds of what is to be done, quiet times apart.
    pub seconds: u64,
    /// As many runs at once as there are cores, and no more than the free memory holds.
    pub jobs_that_fit: usize,
}

impl Share {
    /// Looks what a folder has of a share.
    ///
    /// # Errors
    /// When the folder cannot be read, holds results of another plan, or the plan no longer gives its experiments.
    pub fn look(plan: &Plan, shard: Shard, store: &Store) -> Result<Self, String> {
        let mut share = Self { jobs_that_fit: usize::MAX, ..Self::default() };
        // By point: simulated seconds.
        let mut seconds: Vec<Option<u64>> = vec![None; plan.points.len()];
        for cell in shard.cells(plan) {
            match store.find(plan, cell)? {
                Found::Done(_) => {
                    share.done += 1;
                    continue;
                }
                Found::Damaged(why) => share.damaged.push(why),
                Found::Missing => {}
            }
            if seconds[cell.point].is_none() {
                let (scenario, _) = plan.experiment(cell.point)?;
                seconds[cell.point] = Some(scenario.duration.as_secs());
                share.jobs_that_fit = share.jobs_that_fit.min(jobs_that_fit(&scenario));
            }
            share.seconds += seconds[cell.point].unwrap_or(0);
            share.to_do.push(cell);
        }
        share.jobs_that_fit = share.jobs_that_fit.min(share.to_do.len()).max(1);
        Ok(share)
    }

    /// Runs what is to be done in the current rayon thread pool. `progress` is told, from any thread, how many more seconds have been
    /// simulated (in the end [`Share::seconds`] of them), and whether a run is over.
    ///
    /// # Errors
    /// When a result cannot be written; the others are there.
    pub fn run(
        &self,
        plan: &Plan,
        store: &Store,
        progress: &(dyn Fn(u64, bool) + Sync),
    ) -> Result<(), String> {
        self.to_do.par_iter().try_for_each(|cell| {
            let (scenario, variant) = plan.experiment(cell.point)?;
            let total = scenario.duration.as_secs();
            let mut shown = 0;
            let record = world::run_with(&scenario, variant, cell.seed, &mut |seconds| {
                let now = (seconds as u64).min(total);
                progress(now.saturating_sub(shown), false);
                shown = shown.max(now);
            });
            store.keep(plan, *cell, record).map_err(|e| e.to_string())?;
            progress(total.saturating_sub(shown), true);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{folder, plan};
    use super::*;
    use std::fs;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_sweep_is_taken_up_where_it_was_left_and_damage_is_repaired() {
        let (plan, dir) = (plan(), folder("resume"));
        let store = Store::create(&dir, &plan).unwrap();
        let run = |shard: &str| {
            let share = Share::look(&plan, shard.parse().unwrap(), &store).unwrap();
            let (told, over) = (AtomicU64::new(0), AtomicU64::new(0));
            share
                .run(&plan, &store, &|seconds, done| {
                    told.fetch_add(seconds, Ordering::Relaxed);
                    over.fetch_add(u64::from(done), Ordering::Relaxed);
                })
                .unwrap();
            assert_eq!(told.into_inner(), share.seconds);
            assert_eq!(over.into_inner(), share.to_do.len() as u64);
            share
        };
        assert_eq!((run("1/3").to_do.len(), run("1/3").to_do.len(), run("1/3").done), (3, 0, 3));
        let files = || {
            let mut files: Vec<_> =
                fs::read_dir(dir.join("cells")).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            files
        };
        let first = files()[0].clone();
        let whole = fs::read(&first).unwrap();
        for broken in [&whole[..whole.len() / 2], b"", b"{}\n", b"\xff\xfe"] {
            fs::write(&first, broken).unwrap();
            let share = run("1/1");
            assert!(
                share.damaged.len() == 1 && share.damaged[0].contains("point-00001"),
                "{:?}",
                share.damaged
            );
            assert_eq!(fs::read(&first).unwrap(), whole, "run again, it is the same");
        }
        assert_eq!(files().len(), 8);
        let flipped = String::from_utf8(whole.clone()).unwrap().replace("\"steps\":", "\"steps\":1");
        fs::write(&first, flipped).unwrap();
        assert_eq!(run("1/1").to_do, [Cell { point: 0, seed: 1 }]);
        // The result of one run in the place of another.
        fs::copy(&first, &files()[1]).unwrap();
        assert_eq!(run("1/1").damaged.len(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_folder_takes_one_plan_only() {
        let (mut other, dir) = (plan(), folder("other"));
        Store::create(&dir, &other).unwrap();
        other.name = "other".to_owned();
        other.digest = other.own_digest();
        let said = Store::create(&dir, &other).unwrap_err();
        assert!(said.contains("another plan"), "{said}");
        assert!(Store::open(&dir.join("nothing"), &other).unwrap_err().contains("sweep run"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
