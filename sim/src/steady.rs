//! Whether what is measured had settled: traffic in the first and the second half of the quiet time between warm-up and first fault.

use crate::record::RunRecord;
use crate::stats;

/// Points of a half below which nothing is said.
const POINTS_MIN: usize = 10;

/// Change between the halves that is called steady.
const MARGIN: f64 = 0.05;

/// Traffic before anything happened, in two halves; over the seeds of one variant.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Steady {
    /// Start of the first half, in seconds.
    pub from: f64,
    /// End of the second half, in seconds.
    pub to: f64,
    /// Mean change from the first to the second half, as a share of the first.
    pub change: f64,
    /// 95 % interval of it over seeds; absent with too few seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

/// What the halves say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The interval lies within 5 % either way (two one-sided tests).
    Yes,
    /// The interval lies wholly to one side of 0, and the change is more than 5 %.
    No,
    /// Neither; no difference is not the same as none.
    Unclear,
}

impl Steady {
    /// Compares the halves; `None` where the quiet time is too short, or nothing was sent in it.
    #[must_use]
    pub fn of(runs: &[&RunRecord], warmup: f64, duration: f64) -> Option<Self> {
        let first_fault = runs.iter().flat_map(|r| &r.faults).map(|f| f.at).fold(duration, f64::min);
        let step = runs.first()?.series.step;
        if step <= 0.0 {
            return None;
        }
        // A point tells of the time since the point before.
        let from = libm::floor(warmup / step) as usize + 1;
        let half = (libm::floor(first_fault / step) as usize + 1).checked_sub(from)? / 2;
        if half < POINTS_MIN {
            return None;
        }
        let bytes = |run: &RunRecord, from: usize| {
            let sum = |of: &[u64]| of.get(from..from + half).map(|part| part.iter().sum::<u64>() as f64);
            Some(sum(&run.series.packet_bytes)? + sum(&run.series.stream_bytes)?)
        };
        let mut pairs = Vec::new();
        for run in runs {
            let (first, second) = (bytes(run, from)?, bytes(run, from + half)?);
            if first <= 0.0 {
                return None;
            }
            pairs.push((stats::seen(1.0), stats::seen(second / first)));
        }
        let paired = stats::paired(&pairs)?;
        Some(Self {
            from: (from - 1) as f64 * step,
            to: (from + 2 * half - 1) as f64 * step,
            change: paired.mean,
            interval: paired.mean_interval.map(|i| (i.low.value, i.high.value)),
        })
    }

    /// The verdict.
    #[must_use]
    pub fn settled(&self) -> Settled {
        match self.interval {
            Some((low, high)) if low > -MARGIN && high < MARGIN => Settled::Yes,
            Some((low, high)) if (low > 0.0 || high < 0.0) && self.change.abs() > MARGIN => Settled::No,
            _ => Settled::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::run;

    fn with(traffic: impl Fn(u64, u64) -> u64) -> Option<Steady> {
        let runs: Vec<RunRecord> = (1..=8)
            .map(|seed| {
                let mut run = run("default", seed, 0);
                run.faults[0].at = 60.0;
                let points = run.series.packet_bytes.iter_mut().enumerate();
                points.for_each(|(k, bytes)| *bytes = traffic(k as u64, seed));
                run.series.stream_bytes.fill(0);
                run
            })
            .collect();
        Steady::of(&runs.iter().collect::<Vec<_>>(), 10.0, 180.0)
    }

    #[test]
    fn what_settles_late_is_seen_and_what_is_steady_is_called_so() {
        let steady = with(|k, seed| 1000 + (k * 7 + seed * 3) % 20).unwrap();
        assert_eq!((steady.settled(), steady.from, steady.to), (Settled::Yes, 10.0, 60.0));
        let late = with(|k, seed| if k < 35 { 2000 + seed } else { 1000 }).unwrap();
        assert_eq!(late.settled(), Settled::No);
        assert!((late.change + 0.5).abs() < 0.05, "{}", late.change);
        let unclear = with(|k, seed| if k > 35 && seed == 2 { 1500 } else { 1000 }).unwrap();
        assert_eq!(unclear.settled(), Settled::Unclear);
    }

    #[test]
    fn a_short_quiet_time_says_nothing() {
        let mut one = run("default", 1, 0);
        one.faults[0].at = 20.0;
        assert_eq!(Steady::of(&[&one], 10.0, 180.0), None);
        one.faults[0].at = 60.0;
        let alone = Steady::of(&[&one], 10.0, 180.0).unwrap();
        assert_eq!((alone.interval, alone.settled()), (None, Settled::Unclear));
    }
}
