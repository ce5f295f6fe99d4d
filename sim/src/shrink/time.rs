//! Less time: an earlier end, shorter waits.

use std::time::Duration;

use rumormill_core::push_pull_period;

use super::failure::Failure;
use super::search::Search;
use crate::invariants::quiet::longest_suspicion;
use crate::scenario::{Fault, FaultKind, Restart, Scenario, Start, Through};

/// What a shorter time would do to what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Nothing: it happens, or is known never to happen.
    Free,
    /// What is taken at the end needs the calm before it, or any change would look like a failure.
    Settled,
    /// What touches nothing needs all the time in which it could, or anything would touch nothing.
    Idle,
    /// What is a mean over time must keep its time.
    Whole,
}

fn rule(failure: &Failure) -> Rule {
    match failure {
        Failure::Expectation { metric, .. } => match *metric {
            "members.wrong.end" | "event.coverage" | "event.all" | "event.lost" | "query.coverage" => {
                Rule::Settled
            }
            "members.wrong" | "false_suspicion_rate" => Rule::Whole,
            metric if metric.starts_with("load.") || metric.starts_with("false_positive_rate.") => {
                Rule::Whole
            }
            _ => Rule::Free,
        },
        Failure::Idle { .. } => Rule::Idle,
        Failure::Panic { .. } | Failure::Invariant { .. } => Rule::Free,
    }
}

/// Ends sooner: what begins later is left out, what lasts longer ends with it.
pub(super) fn sooner(search: &mut Search<'_>) {
    let rule = rule(&search.failure);
    if rule == Rule::Whole {
        return;
    }
    let violation = search.moment.take().map(|at| Duration::from_secs(at as u64 + 2));
    let mut ends: Vec<Duration> = violation.into_iter().collect();
    loop {
        let now = search.current.clone();
        ends.extend(shorter(now.duration));
        let short = ends.drain(..).filter(|end| *end < now.duration).map(|end| until(&now, end));
        let failure = search.failure.clone();
        let judged = matches!(failure, Failure::Expectation { .. });
        let fair = |one: &Scenario| {
            let enough = match rule {
                Rule::Free | Rule::Whole => true,
                Rule::Settled => is_settled(one, &now),
                Rule::Idle => keeps_idle(one, &now, &failure),
            };
            enough && (!judged || endless(one) <= endless(&now))
        };
        if !search.first(short.filter(fair)) {
            return;
        }
    }
}

/// Shorter times, the shortest first: they are the quickest to try.
pub(super) fn shorter(time: Duration) -> Vec<Duration> {
    let mut all: Vec<Duration> = [2, 4, 8, 12, 16, 20, 24, 28].map(|share| round(time * share / 32)).to_vec();
    all.push(round(time.saturating_sub((time / 32).max(unit(time)))));
    all.retain(|one| !one.is_zero() && *one < time);
    all.dedup();
    all
}

/// The unit in which a time is told, so that it has few digits.
fn unit(time: Duration) -> Duration {
    match time.as_millis() {
        8000.. => Duration::from_secs(1),
        800.. => Duration::from_millis(100),
        _ => Duration::from_millis(1),
    }
}

fn round(time: Duration) -> Duration {
    let unit = unit(time).as_nanos() as u64;
    Duration::from_nanos(time.as_nanos() as u64 / unit * unit)
}

/// The scenario with an earlier end.
pub(super) fn until(scenario: &Scenario, end: Duration) -> Scenario {
    let mut cut = scenario.clone();
    cut.duration = end;
    if cut.warmup >= end {
        cut.warmup = round(end / 2);
    }
    cut.faults.retain(|fault| fault.at < end);
    for fault in &mut cut.faults {
        fault.until = fault.until.filter(|until| *until <= end);
        if fault.lasts.is_some_and(|lasts| fault.at + lasts > end) {
            (fault.lasts, fault.every, fault.until, fault.repick) = (None, None, None, false);
            if let FaultKind::Crash { back, .. } = &mut fault.kind {
                *back = plain_return();
            }
        }
    }
    cut.workloads.retain(|workload| workload.at < end);
    for workload in &mut cut.workloads {
        workload.until = workload.until.filter(|until| *until <= end);
    }
    cut
}

/// How a node comes back when nothing is said of it.
pub(super) const fn plain_return() -> Restart {
    Restart { new_address: false, lost_state: false, through: Through::FirstAndTwo }
}

/// Faults that hold something until the end: what is expected of the time after them cannot be seen.
fn endless(scenario: &Scenario) -> usize {
    let holds = |kind: &FaultKind| {
        use FaultKind::{Crash, Join, Leave, Restart};
        !matches!(kind, Crash { .. } | Restart { .. } | Leave { .. } | Join { .. })
    };
    scenario.faults.iter().filter(|fault| !fault.off && fault.lasts.is_none() && holds(&fault.kind)).count()
}

/// Whether the faults that touch nothing have as much time as they had, and after it as much as the cluster takes to settle, or as it was.
fn keeps_idle(cut: &Scenario, was: &Scenario, failure: &Failure) -> bool {
    let about = |s: &Scenario| -> Vec<Fault> {
        s.faults.iter().filter(|fault| !fault.off && failure.is_about(fault)).cloned().collect()
    };
    let (kept, had) = (about(cut), about(was));
    let same = |(one, other): (&Fault, &Fault)| {
        let until = |fault: &Fault| fault.until.map(|until| until.saturating_sub(fault.at));
        (one.lasts, one.every, until(one), one.repick)
            == (other.lasts, other.every, until(other), other.repick)
            && reach(one, cut.duration) - one.at >= reach(other, was.duration) - other.at
    };
    let after = |faults: &[Fault], end: Duration| {
        let reached = faults.iter().filter(|fault| is_met_later(&fault.kind)).map(|fault| reach(fault, end));
        reached.max().map(|reached| end.saturating_sub(reached))
    };
    let is_calm = match (after(&kept, cut.duration), after(&had, was.duration)) {
        (Some(kept), Some(had)) => kept >= had.min(settling(cut)),
        _ => true,
    };
    kept.len() == had.len() && kept.iter().zip(&had).all(same) && is_calm
}

/// Until when a fault may touch something for the first time.
fn reach(fault: &Fault, end: Duration) -> Duration {
    let begins = if fault.every.is_some() { fault.until.unwrap_or(end) } else { fault.at };
    let open = if is_met_later(&fault.kind) { end } else { Duration::ZERO };
    begins.saturating_add(fault.lasts.unwrap_or(open)).clamp(fault.at, end.max(fault.at))
}

/// Whether such a fault touches what comes its way later. The others touch nodes as they begin, or never.
const fn is_met_later(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Partition { .. } | FaultKind::Link { .. })
}

/// Whether the calm before the end is still as long as the cluster takes to settle, or as it was.
fn is_settled(cut: &Scenario, was: &Scenario) -> bool {
    calm(cut) >= calm(was).min(settling(cut))
}

/// From the last moment at which something begins or ends to the end.
fn calm(scenario: &Scenario) -> Duration {
    let end = scenario.duration;
    let last = |at: Duration, every: Option<Duration>, until: Option<Duration>, lasts: Option<Duration>| {
        let begins = if every.is_some() { until.unwrap_or(end) } else { at };
        begins.saturating_add(lasts.unwrap_or_default()).min(end)
    };
    let faults =
        scenario.faults.iter().filter(|fault| !fault.off).map(|f| last(f.at, f.every, f.until, f.lasts));
    let workloads = scenario.workloads.iter().filter(|workload| !workload.off);
    let workloads = workloads.map(|w| last(w.at, w.every, w.until, None));
    let start = match scenario.cluster.start {
        Start::JoinStaggered { gap } => gap.saturating_mul(scenario.cluster.nodes),
        Start::Converged | Start::Join => Duration::ZERO,
    };
    end.saturating_sub(faults.chain(workloads).fold(start, Duration::max))
}

/// How long changes take as a rule until everybody knows: a suspicion, and some rounds of probes, push/pull and reconnecting.
fn settling(scenario: &Scenario) -> Duration {
    let nodes = scenario.cluster.nodes;
    let of = |config: &rumormill_core::Config| {
        longest_suspicion(config, nodes)
            + config.probe_interval * 10
            + push_pull_period(config.push_pull_interval, nodes) * 2
            + config.reconnect_interval * 2
    };
    scenario.variants.iter().map(|variant| of(&variant.config)).max().unwrap_or_default()
}

/// Waits less: before the first thing that happens, and between one and the next. No warm-up.
pub(super) fn waits(search: &mut Search<'_>) {
    if rule(&search.failure) == Rule::Whole {
        return;
    }
    loop {
        let now = search.current.clone();
        let mut begins: Vec<Duration> = now.faults.iter().map(|fault| fault.at).collect();
        begins.extend(now.workloads.iter().map(|workload| workload.at));
        begins.sort_unstable();
        begins.dedup();
        let before = std::iter::once(Duration::ZERO).chain(begins.iter().copied());
        let second = Duration::from_secs(1);
        let waits: Vec<(Duration, Duration)> = before
            .zip(&begins)
            .map(|(before, at)| (*at, *at - before))
            .filter(|(_, gap)| *gap > second)
            .collect();
        // All but a second of a wait, then half of it.
        let most = waits.iter().map(|(at, gap)| (*at, round(*gap - second)));
        let half = waits.iter().map(|(at, gap)| (*at, round(*gap / 2)));
        let shorter = most.chain(half).filter(|(_, by)| !by.is_zero()).map(|(at, by)| earlier(&now, at, by));
        let metered = (!now.warmup.is_zero()).then(|| Scenario { warmup: Duration::ZERO, ..now.clone() });
        let failure = search.failure.clone();
        let idle = rule(&failure) == Rule::Idle;
        let fair = |one: &Scenario| !idle || keeps_idle(one, &now, &failure);
        if !search.first(shorter.chain(metered).filter(fair)) {
            return;
        }
    }
}

/// All that begins at `from` or later does so sooner, and so does the end.
fn earlier(scenario: &Scenario, from: Duration, by: Duration) -> Scenario {
    let mut moved = scenario.clone();
    let later = |at: Duration| at.saturating_sub(by);
    for fault in moved.faults.iter_mut().filter(|fault| fault.at >= from) {
        (fault.at, fault.until) = (later(fault.at), fault.until.map(later));
    }
    for workload in moved.workloads.iter_mut().filter(|workload| workload.at >= from) {
        (workload.at, workload.until) = (later(workload.at), workload.until.map(later));
    }
    moved.warmup = if moved.warmup > from { later(moved.warmup) } else { moved.warmup.min(later(from)) };
    let end = later(moved.duration);
    until(&moved, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Fault, Selector, Workload, WorkloadKind};

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn scenario() -> Scenario {
        let text = "name = \"t\"\nwarmup = \"10s\"\nduration = \"5m\"\n[cluster]\nnodes = 9\n\
            [[fault]]\nat = \"30s\"\nkind = \"pause\"\nnodes = { pick = 1 }\nfor = \"20s\"\nevery = \"40s\"\nuntil = \"2m\"\n\
            [[fault]]\nat = \"100s\"\nkind = \"crash\"\nnodes = { pick = 1 }\nfor = \"50s\"\nstate = \"lost\"\n\
            [[workload]]\nkind = \"event\"\nat = \"60s\"\nevery = \"1s\"\n";
        Scenario::parse(text, "t.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn an_earlier_end_leaves_a_sound_scenario_whatever_it_cuts() {
        let long = scenario();
        for end in 1..300 {
            let cut = until(&long, seconds(end));
            assert!(cut.check().is_ok(), "{end}: {}", cut.check().unwrap_err());
            let again = Scenario::parse(&cut.to_toml(), "t.toml", &[])
                .unwrap_or_else(|problems| panic!("{problems}"));
            assert_eq!(
                Scenario { source: String::new(), ..again },
                Scenario { source: String::new(), ..cut }
            );
        }
        let cut = until(&long, seconds(120));
        assert_eq!(cut.faults[0], long.faults[0], "it is over by then");
        assert_eq!(cut.faults[1].lasts, None, "it lasts longer");
        assert_eq!(until(&long, seconds(30)).faults, []);
        assert_eq!(until(&long, seconds(8)).warmup, seconds(4));
    }

    #[test]
    fn what_comes_earlier_keeps_its_distance_to_the_end() {
        let long = scenario();
        let moved = earlier(&long, seconds(30), seconds(29));
        assert_eq!(moved.faults.iter().map(|fault| fault.at).collect::<Vec<_>>(), [seconds(1), seconds(71)]);
        assert_eq!((moved.warmup, moved.duration), (seconds(1), seconds(271)));
        assert_eq!((moved.faults[0].until, moved.workloads[0].at), (Some(seconds(91)), seconds(31)));
        let moved = earlier(&long, seconds(100), seconds(30));
        assert_eq!(
            (moved.warmup, moved.faults[0].at, moved.faults[1].at),
            (seconds(10), seconds(30), seconds(70))
        );
    }

    #[test]
    fn calm_counts_from_the_end_of_the_last_thing() {
        let mut scenario = scenario();
        scenario.workloads.clear();
        assert_eq!(calm(&scenario), seconds(150));
        assert!(settling(&scenario) > seconds(100) && settling(&scenario) < seconds(200));
        let forever = Fault::new(seconds(200), FaultKind::Pause { nodes: Selector::Pick(1) });
        scenario.faults.push(forever);
        assert_eq!((calm(&scenario), endless(&scenario)), (seconds(100), 1));
        let event = WorkloadKind::Event { from: Selector::Pick(1), size: 64, burst: 1 };
        scenario.workloads.push(Workload { every: Some(seconds(1)), ..Workload::new(seconds(20), event) });
        assert_eq!(calm(&scenario), Duration::ZERO);
    }

    #[test]
    fn shorter_times_rise_and_end() {
        let mut time = seconds(600);
        let mut steps = 0;
        while let Some(next) = shorter(time).last().copied() {
            assert!(shorter(time).is_sorted() && next < time);
            (time, steps) = (next, steps + 1);
        }
        assert!(time <= Duration::from_millis(1) && steps < 500, "{time:?} after {steps}");
    }
}
