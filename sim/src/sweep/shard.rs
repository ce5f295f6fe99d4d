//! Which share of a plan one process runs: said by a flag, or by the scheduler that started it.

use std::fmt;
use std::str::FromStr;

use super::plan::{Cell, Plan};

/// Most shares of a plan.
pub const SHARDS_MAX: u32 = 100_000;

/// Share `index` (from 1) of `of`. In text `2/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// A share; `None` unless 1 <= index <= of <= [`SHARDS_MAX`].
    #[must_use]
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&index).then_some(Self { index, of }).filter(|_| of <= SHARDS_MAX)
    }

    /// Its runs: of all runs in their order every `of`-th, so that each share has its part of every point.
    pub fn cells(self, plan: &Plan) -> impl Iterator<Item = Cell> + '_ {
        plan.cells().skip(self.index as usize - 1).step_by(self.of as usize)
    }

    /// The share that a scheduler chose, by its variables:
    ///
    /// * Slurm's array: `SLURM_ARRAY_TASK_ID`, `_COUNT`, `_MIN`, `_MAX`, `_STEP`;
    /// * GNU parallel: `PARALLEL_SEQ` (from 1), of `shards`;
    /// * Kubernetes' Indexed Job: `JOB_COMPLETION_INDEX` (from 0), of `shards`.
    ///
    /// `None` when no scheduler says anything and `shards` is not given.
    ///
    /// # Errors
    /// When what is said is incomplete, does not fit together, or comes from two schedulers.
    pub fn from_scheduler(
        shards: Option<u32>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let slurm = variable("SLURM_ARRAY_TASK_ID");
        let parallel = variable("PARALLEL_SEQ");
        let kubernetes = variable("JOB_COMPLETION_INDEX");
        match (slurm, parallel, kubernetes) {
            (None, None, None) if shards.is_none() => Ok(None),
            (None, None, None) => Err("--shards says how many shares there are, but nothing says which one this is: SLURM_ARRAY_TASK_ID, PARALLEL_SEQ and JOB_COMPLETION_INDEX are not set; write --shard I/N".to_owned()),
            (Some(_), None, None) => of_slurm(shards, variable).map(Some),
            (None, Some(seq), None) => of_one("PARALLEL_SEQ", &seq, 1, shards).map(Some),
            (None, None, Some(index)) => of_one("JOB_COMPLETION_INDEX", &index, 0, shards).map(Some),
            _ => Err("more than one of SLURM_ARRAY_TASK_ID, PARALLEL_SEQ and JOB_COMPLETION_INDEX is set, so it is not clear which share this is; write --shard I/N".to_owned()),
        }
    }
}

fn of_one(name: &str, text: &str, first: u32, shards: Option<u32>) -> Result<Shard, String> {
    let Some(shards) = shards else {
        return Err(format!(
            "{name} says which share this is, but not of how many; add --shards N, or --shard 1/1 for all of it"
        ));
    };
    let index =
        text.parse::<u32>().ok().and_then(|index| index.checked_sub(first)).and_then(|n| n.checked_add(1));
    index.and_then(|index| Shard::new(index, shards)).ok_or_else(|| {
        format!("{name} is {text}, which is no share of --shards {shards}: it counts from {first}")
    })
}

fn of_slurm(shards: Option<u32>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let read = |name: &str| {
        let text = variable(name)
            .ok_or_else(|| format!("SLURM_ARRAY_TASK_ID is set, but {name} is not; write --shard I/N"))?;
        text.parse::<u32>().map_err(|_| format!("{name} is {text}, which is no whole number"))
    };
    let (id, count) = (read("SLURM_ARRAY_TASK_ID")?, read("SLURM_ARRAY_TASK_COUNT")?);
    let (min, max) = (read("SLURM_ARRAY_TASK_MIN")?, read("SLURM_ARRAY_TASK_MAX")?);
    let step = variable("SLURM_ARRAY_TASK_STEP").map_or(Ok(1), |_| read("SLURM_ARRAY_TASK_STEP"))?.max(1);
    let even = max.checked_sub(min).is_some_and(|span| span / step + 1 == count && span.is_multiple_of(step));
    if !even || id < min || !(id - min).is_multiple_of(step) {
        return Err(format!(
            "the Slurm array of {count} tasks from {min} to {max} is no even row, so shares cannot be told from it; write --array=1-N, or --shard I/N"
        ));
    }
    if let Some(shards) = shards.filter(|shards| *shards != count) {
        return Err(format!("--shards {shards}, but the Slurm array has {count} tasks"));
    }
    Shard::new((id - min) / step + 1, count)
        .ok_or_else(|| format!("SLURM_ARRAY_TASK_ID is {id}, but the array of {count} tasks begins at {min}"))
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        numbers
            .and_then(|(index, of)| Self::new(index, of))
            .ok_or_else(|| format!("a share is written I/N, from 1/N to N/N, N at most {SHARDS_MAX}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;
    use proptest::prelude::*;

    fn told(shards: Option<u32>, variables: &[(&str, &str)]) -> Result<Option<Shard>, String> {
        let variable =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Shard::from_scheduler(shards, &variable)
    }

    proptest! {
        #[test]
        fn every_run_is_in_exactly_one_share(of in 1u32..20, seeds in 1u32..9) {
            let mut plan = plan();
            plan.seeds = seeds;
            let mut shared: Vec<Cell> =
                (1..=of).flat_map(|index| Shard::new(index, of).unwrap().cells(&plan).collect::<Vec<_>>()).collect();
            let mut all: Vec<Cell> = plan.cells().collect();
            shared.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(&shared, &all);
            all.dedup();
            prop_assert_eq!(shared.len(), all.len());
            let sizes: Vec<usize> = (1..=of).map(|index| Shard::new(index, of).unwrap().cells(&plan).count()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn a_share_reads_as_it_is_written() {
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
        assert_eq!("1/1".parse::<Shard>().unwrap(), Shard::WHOLE);
        for text in ["", "2", "0/8", "9/8", "1/0", "x/8", "1/100001", "-1/8", "1/8/2"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("I/N"), "{text}");
        }
    }

    #[test]
    fn schedulers_say_which_share_it_is() {
        let shard = |text: &str| Ok(Some(text.parse().unwrap()));
        assert_eq!(told(None, &[]), Ok(None));
        let array = |id, min, max, count, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        assert_eq!(told(None, &array("3", "1", "8", "8", "1")), shard("3/8"));
        assert_eq!(told(Some(8), &array("0", "0", "7", "8", "1")), shard("1/8"));
        assert_eq!(told(None, &array("6", "0", "6", "4", "2")), shard("4/4"));
        assert_eq!(told(Some(8), &[("PARALLEL_SEQ", "8")]), shard("8/8"));
        assert_eq!(told(Some(8), &[("JOB_COMPLETION_INDEX", "0")]), shard("1/8"));
        for (shards, variables, part) in [
            (Some(4), array("3", "1", "8", "8", "1").to_vec(), "has 8 tasks"),
            (None, array("7", "1", "7", "3", "1").to_vec(), "no even row"),
            (None, vec![("SLURM_ARRAY_TASK_ID", "3")], "SLURM_ARRAY_TASK_COUNT is not"),
            (None, array("x", "1", "8", "8", "1").to_vec(), "no whole number"),
            (Some(8), vec![("PARALLEL_SEQ", "9")], "no share of --shards 8"),
            (Some(8), vec![("PARALLEL_SEQ", "0")], "counts from 1"),
            (Some(8), vec![("JOB_COMPLETION_INDEX", "8")], "counts from 0"),
            (None, vec![("PARALLEL_SEQ", "1")], "add --shards"),
            (Some(2), vec![], "--shard I/N"),
            (Some(8), vec![("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "1")], "more than one"),
        ] {
            let said = told(shards, &variables).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }
}
