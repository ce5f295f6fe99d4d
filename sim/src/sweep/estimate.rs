//! What the runs of one point say of an objective: a figure, and how far chance may have moved it.

use super::objective::Objective;
use crate::metric::{Shape, Unit};
use crate::record::{Ratio, RunRecord, Sample};
use crate::stats::{self, Interval, RUNS_MIN, STORM, seen};

/// Half of the chance that an interval leaves out, unless several claims share it.
pub const TAIL: f64 = 0.025;

/// A figure over all runs of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Estimate {
    /// The figure: of a distribution, the statistic of all samples; of a rate, all events by all exposure; of a share, all counts; of any
    /// other value, the median of the seeds. `None` when nothing happened that it measures.
    pub value: Option<Sample>,
    /// Lower end of its 95 % interval; `None` where so few runs do not carry one.
    pub low: Option<Sample>,
    /// Upper end.
    pub high: Option<Sample>,
    /// Of a rate: how often it happened.
    pub events: Option<u64>,
    /// Of a rate: node-hours in which it could.
    pub node_hours: Option<f64>,
    /// Runs that say something of it.
    pub runs: usize,
}

impl Estimate {
    /// The figure of some runs, with a 95 % interval.
    #[must_use]
    pub fn of(objective: &Objective, runs: &[&RunRecord]) -> Self {
        Self::at(objective, runs, TAIL)
    }

    /// The same with an interval that leaves out a chance of `tail` (from 0.001, below one half) on either side.
    #[must_use]
    pub fn at(objective: &Objective, runs: &[&RunRecord], tail: f64) -> Self {
        let Some(entry) = objective.entry() else { return Self::default() };
        match (entry.shape, entry.unit, objective.statistic) {
            (Shape::Distribution, _, Some(statistic)) => of_samples(objective.metric, statistic, runs, tail),
            (Shape::Ratio, ..) => of_shares(objective.metric, runs, tail),
            (Shape::Value, Unit::PerNodeHour, _) => of_rate(objective.metric, runs, tail),
            _ => of_values(objective.metric, runs),
        }
    }

    /// The mean of one value per run, with an interval that resamples runs and leaves out a chance of `tail` on either side.
    pub(crate) fn mean(metric: &str, runs: &[&RunRecord], tail: f64) -> Self {
        let values: Vec<Sample> = runs.iter().filter_map(|run| run.values.get(metric)).copied().collect();
        let numbers: Vec<f64> = values.iter().map(|sample| sample.value).collect();
        let interval = stats::rate_interval_at(&numbers, &vec![1.0; numbers.len()], tail);
        Self::with(stats::mean(&values), interval, values.len())
    }

    /// Whether it never happened, so that only the upper end of the interval says something.
    #[must_use]
    pub fn never(&self) -> bool {
        self.events == Some(0)
    }

    fn with(value: Option<Sample>, interval: Option<Interval>, runs: usize) -> Self {
        let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
        Self { value, low, high, runs, ..Self::default() }
    }
}

fn of_samples(metric: &str, statistic: &str, runs: &[&RunRecord], tail: f64) -> Estimate {
    let by_run: Vec<&[Sample]> = runs
        .iter()
        .filter_map(|run| run.distributions.get(metric))
        .map(Vec::as_slice)
        .filter(|samples| !samples.is_empty())
        .collect();
    let mut all: Vec<Sample> = by_run.iter().flat_map(|samples| samples.iter().copied()).collect();
    all.sort_by(stats::by_time);
    let quantile = |permille| {
        let interval = stats::cluster_intervals_at(&by_run, &[permille], tail).into_iter().next().flatten();
        let worth = stats::effective_samples(&by_run);
        // A percentile that so few samples do not carry is no figure.
        (stats::quantile(&all, permille).filter(|_| stats::carries(worth, permille)), interval)
    };
    let (value, interval) = match statistic {
        "p50" => quantile(500),
        "p90" => quantile(900),
        "p99" => quantile(990),
        "min" => (stats::smallest(&all), None),
        "max" => (stats::largest(&all), None),
        _ => (stats::mean(&all), mean_interval(&by_run, tail)),
    };
    Estimate::with(value, interval, by_run.len())
}

/// Of a mean of all samples; none where some are only known to be larger.
fn mean_interval(by_run: &[&[Sample]], tail: f64) -> Option<Interval> {
    if by_run.iter().any(|samples| samples.iter().any(|sample| sample.censored)) {
        return None;
    }
    let sums: Vec<f64> = by_run.iter().map(|samples| samples.iter().map(|s| s.value).sum()).collect();
    let counts: Vec<f64> = by_run.iter().map(|samples| samples.len() as f64).collect();
    stats::rate_interval_at(&sums, &counts, tail)
}

/// Events by exposure: exact while events are independent, resampling seeds when they come in storms.
fn of_rate(metric: &str, runs: &[&RunRecord], tail: f64) -> Estimate {
    let counted = metric.replace("false_positive_rate", "false_positives");
    let having: Vec<(f64, f64)> =
        runs.iter().filter_map(|run| Some((run.values.get(&counted)?.value, run.node_hours))).collect();
    let (counts, exposures): (Vec<f64>, Vec<f64>) = having.iter().copied().unzip();
    let (count, hours) = (counts.iter().sum::<f64>(), exposures.iter().sum::<f64>());
    if having.is_empty() || hours <= 0.0 {
        return Estimate::default();
    }
    let events = count.max(0.0) as u64;
    let interval = match stats::dispersion(&counts) {
        Some(dispersion) if dispersion > STORM => stats::rate_interval_at(&counts, &exposures, tail),
        _ => {
            let (low, high) = stats::garwood_at(events, tail);
            Some(Interval { low: seen(low / hours), high: seen(high / hours) })
        }
    };
    let estimate = Estimate::with(Some(seen(count / hours)), interval, having.len());
    Estimate { events: Some(events), node_hours: Some(hours), ..estimate }
}

fn of_shares(metric: &str, runs: &[&RunRecord], tail: f64) -> Estimate {
    let having: Vec<Ratio> = runs.iter().filter_map(|run| run.ratios.get(metric)).copied().collect();
    let all: Ratio = having.iter().copied().sum();
    let interval = if all.hits == 0 || all.hits == all.of {
        let (low, high) = stats::wilson(all.hits, all.of);
        (all.of > 0).then(|| Interval { low: seen(low), high: seen(high) })
    } else {
        let of =
            |part: fn(&Ratio) -> u64| having.iter().map(|ratio| part(ratio) as f64).collect::<Vec<f64>>();
        stats::rate_interval_at(&of(|r| r.hits), &of(|r| r.of), tail)
    };
    Estimate::with(all.share().map(seen), interval, having.len())
}

fn of_values(metric: &str, runs: &[&RunRecord]) -> Estimate {
    let values: Vec<Sample> = runs.iter().filter_map(|run| run.values.get(metric)).copied().collect();
    let interval = if values.len() < RUNS_MIN { None } else { stats::order_interval(&values, 500) };
    Estimate::with(stats::median(&values), interval, values.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::run;

    fn estimate(objective: &str, runs: &[RunRecord]) -> Estimate {
        Estimate::of(&objective.parse().unwrap(), &runs.iter().collect::<Vec<_>>())
    }

    fn with_false_positives(counts: &[f64]) -> Vec<RunRecord> {
        let one = |(seed, count): (usize, &f64)| {
            let mut run = run("a", seed as u64, 30);
            run.values.insert("false_positives.all".to_owned(), seen(*count));
            run.node_hours = 2.0;
            run
        };
        counts.iter().enumerate().map(one).collect()
    }

    #[test]
    fn what_never_happened_has_an_upper_limit_by_its_exposure() {
        let never = estimate("false_positive_rate.all", &with_false_positives(&[0.0; 10]));
        assert!(never.never() && never.value == Some(seen(0.0)) && never.node_hours == Some(20.0));
        assert!((never.high.unwrap().value - 3.688_9 / 20.0).abs() < 1e-4, "{never:?}");
        let ten = estimate("false_positive_rate.all", &with_false_positives(&[1.0; 10]));
        assert!((ten.high.unwrap().value - 18.390_4 / 20.0).abs() < 1e-4 && !ten.never());
    }

    #[test]
    fn storms_have_wider_intervals_than_their_count_would_say() {
        let mut counts = [0.0; 20];
        (counts[3], counts[11]) = (50.0, 50.0);
        let storm = estimate("false_positive_rate.all", &with_false_positives(&counts));
        let calm = estimate("false_positive_rate.all", &with_false_positives(&[5.0; 20]));
        let width = |e: &Estimate| e.high.unwrap().value - e.low.unwrap().value;
        assert!(storm.value == calm.value && width(&storm) > 2.0 * width(&calm), "{storm:?} {calm:?}");
    }

    #[test]
    fn few_seeds_have_figures_but_no_intervals() {
        let few: Vec<RunRecord> = (0..5).map(|seed| run("a", seed, 30)).collect();
        for objective in ["detection.all.p50", "detection.all.mean", "load.bytes"] {
            let it = estimate(objective, &few);
            assert!(it.value.is_some() && it.high.is_none() && it.runs == 5, "{objective}: {it:?}");
        }
        let enough: Vec<RunRecord> = (0..8).map(|seed| run("a", seed, 30)).collect();
        let median = estimate("detection.all.p50", &enough);
        assert!(median.low.unwrap().value <= median.value.unwrap().value && median.high.is_some());
        assert_eq!(estimate("detection.all.p99", &few[..1]).value, None, "30 samples have no p99");
        assert_eq!(estimate("convergence", &[]), Estimate::default());
    }
}
