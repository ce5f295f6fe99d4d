//! Simpler faults and workloads: once instead of again and again, shorter, of fewer nodes, with defaults.

use std::time::Duration;

use super::search::Search;
use super::time::{plain_return, shorter};
use crate::scenario::{
    ANSWER, Direction, Fault, FaultKind, InFlight, Latency, RETRY, Restart, SIZE, Scenario, Selector,
    Through, Traffic, Workload, WorkloadKind,
};

/// A list of so few nodes is tried without each of them.
const ONE_BY_ONE: usize = 8;

/// Makes each fault simpler, one step at a time; not one of which it matters that it touches nothing.
pub(super) fn faults(search: &mut Search<'_>) {
    let failure = search.failure.clone();
    steps(
        search,
        |s| s.faults.len(),
        |s, index| {
            if failure.is_about(&s.faults[index]) {
                return Vec::new();
            }
            simpler_fault(&s.faults[index])
                .into_iter()
                .map(|fault| {
                    let mut simpler = s.clone();
                    simpler.faults[index] = fault;
                    simpler
                })
                .collect()
        },
    );
}

/// Makes each workload simpler, one step at a time.
pub(super) fn workloads(search: &mut Search<'_>) {
    steps(
        search,
        |s| s.workloads.len(),
        |s, index| {
            simpler_workload(&s.workloads[index])
                .into_iter()
                .map(|workload| {
                    let mut simpler = s.clone();
                    simpler.workloads[index] = workload;
                    simpler
                })
                .collect()
        },
    );
}

fn steps(
    search: &mut Search<'_>,
    count: fn(&Scenario) -> usize,
    simpler: impl Fn(&Scenario, usize) -> Vec<Scenario>,
) {
    // One after the other, so that what cannot be simpler is not tried again after each step of another.
    for index in 0..count(&search.current) {
        loop {
            let now = search.current.clone();
            if !search.first(simpler(&now, index)) {
                break;
            }
        }
    }
}

fn simpler_fault(fault: &Fault) -> Vec<Fault> {
    let mut all = Vec::new();
    if let Some(every) = fault.every {
        let twice = Some(fault.at + every + Duration::from_millis(1));
        all.push(Fault { every: None, until: None, repick: false, ..fault.clone() });
        all.extend((fault.until != twice).then(|| Fault { until: twice, ..fault.clone() }));
        all.extend(fault.repick.then(|| Fault { repick: false, ..fault.clone() }));
    }
    for lasts in fault.lasts.into_iter().flat_map(shorter) {
        all.push(Fault { lasts: Some(lasts), ..fault.clone() });
    }
    all.extend(simpler_kind(&fault.kind).into_iter().map(|kind| Fault { kind, ..fault.clone() }));
    all
}

fn simpler_kind(kind: &FaultKind) -> Vec<FaultKind> {
    let mut all = Vec::new();
    match kind {
        FaultKind::Crash { nodes, back } => {
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::Crash { nodes, back: back.clone() }));
            let back = simpler_return(back);
            all.extend(back.into_iter().map(|back| FaultKind::Crash { nodes: nodes.clone(), back }));
        }
        FaultKind::Restart { nodes, how } => {
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::Restart { nodes, how: how.clone() }));
            let how = simpler_return(how);
            all.extend(how.into_iter().map(|how| FaultKind::Restart { nodes: nodes.clone(), how }));
        }
        FaultKind::Leave { nodes } => {
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::Leave { nodes }));
        }
        FaultKind::Join { nodes, through } => {
            let few = fewer(nodes).into_iter();
            all.extend(few.map(|nodes| FaultKind::Join { nodes, through: through.clone() }));
            let through = simpler_through(through).into_iter();
            all.extend(through.map(|through| FaultKind::Join { nodes: nodes.clone(), through }));
        }
        FaultKind::Pause { nodes } => {
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::Pause { nodes }));
        }
        FaultKind::BlockIo { nodes } => {
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::BlockIo { nodes }));
        }
        FaultKind::Slow { nodes, extra } => {
            let few = fewer(nodes).into_iter();
            all.extend(few.map(|nodes| FaultKind::Slow { nodes, extra: extra.clone() }));
            let constant = constant(extra).map(|extra| FaultKind::Slow { nodes: nodes.clone(), extra });
            all.extend(constant);
        }
        FaultKind::Clock { nodes, rate, offset } => {
            let (rate, offset) = (*rate, *offset);
            all.extend(fewer(nodes).into_iter().map(|nodes| FaultKind::Clock { nodes, rate, offset }));
            if rate != 1.0 && offset != 0 {
                all.push(FaultKind::Clock { nodes: nodes.clone(), rate: 1.0, offset });
                all.push(FaultKind::Clock { nodes: nodes.clone(), rate, offset: 0 });
            }
        }
        FaultKind::Partition { .. } => all.extend(simpler_partition(kind)),
        FaultKind::Link { from, to, travel } => {
            let travel = || travel.clone();
            let other = fewer(from).into_iter();
            all.extend(other.map(|from| FaultKind::Link { from, to: to.clone(), travel: travel() }));
            let other = fewer(to).into_iter();
            all.extend(other.map(|to| FaultKind::Link { from: from.clone(), to, travel: travel() }));
        }
    }
    all
}

fn simpler_partition(kind: &FaultKind) -> Vec<FaultKind> {
    let FaultKind::Partition { a, b, direction, in_flight, share, traffic } = kind else { return Vec::new() };
    let mut all = Vec::new();
    let mut step = |change: &dyn Fn(&mut FaultKind)| {
        let mut simpler = kind.clone();
        change(&mut simpler);
        all.push(simpler);
    };
    for few in fewer(a) {
        step(&|kind| {
            if let FaultKind::Partition { a, .. } = kind {
                *a = few.clone();
            }
        });
    }
    for few in fewer(b) {
        step(&|kind| {
            if let FaultKind::Partition { b, .. } = kind {
                *b = few.clone();
            }
        });
    }
    if *share != 1.0 {
        step(&|kind| {
            if let FaultKind::Partition { share, .. } = kind {
                *share = 1.0;
            }
        });
    }
    if (*direction, *in_flight, *traffic) != (Direction::Both, InFlight::Drop, Traffic::All) {
        let words = [
            (Direction::Both, InFlight::Drop, Traffic::All),
            (Direction::Both, *in_flight, *traffic),
            (*direction, InFlight::Drop, *traffic),
            (*direction, *in_flight, Traffic::All),
        ];
        for words in words {
            step(&|kind| {
                if let FaultKind::Partition { direction, in_flight, traffic, .. } = kind {
                    (*direction, *in_flight, *traffic) = words;
                }
            });
        }
    }
    all
}

fn simpler_return(how: &Restart) -> Vec<Restart> {
    let mut all = Vec::new();
    if *how != plain_return() {
        all.push(plain_return());
    }
    all.extend(how.new_address.then(|| Restart { new_address: false, ..how.clone() }));
    all.extend(how.lost_state.then(|| Restart { lost_state: false, ..how.clone() }));
    let through = simpler_through(&how.through).into_iter();
    all.extend(through.map(|through| Restart { through, ..how.clone() }));
    all
}

fn simpler_through(through: &Through) -> Vec<Through> {
    let Through::Selector(selector) = through else { return Vec::new() };
    let few = fewer(selector).into_iter().map(Through::Selector);
    std::iter::once(Through::FirstAndTwo).chain(few).collect()
}

/// A latency of that size that is always the same; `None` where it is so already.
fn constant(extra: &Latency) -> Option<Latency> {
    let value = match extra {
        Latency::Constant { .. } => return None,
        Latency::Uniform { max, .. } => *max,
        Latency::Normal { mean, .. } => *mean,
        Latency::Lognormal { median, .. } => *median,
        Latency::Pareto { min, .. } => *min,
        Latency::Empirical { table } => table.last()?.1,
    };
    Some(Latency::Constant { value })
}

/// Fewer nodes than a selector means, or one that is easier to read; the fewest first.
fn fewer(selector: &Selector) -> Vec<Selector> {
    match selector {
        Selector::Rest => Vec::new(),
        Selector::All | Selector::Fraction(_) | Selector::Zone(_) => vec![Selector::Pick(1)],
        Selector::Pick(count) => {
            let mut counts = vec![1, count / 4, count / 2, count.saturating_sub(1)];
            counts.retain(|few| few < count && *few > 0);
            counts.dedup();
            counts.into_iter().map(Selector::Pick).collect()
        }
        Selector::Nodes(nodes) if nodes.len() < 2 => Vec::new(),
        Selector::Nodes(nodes) => {
            let (first, second) = nodes.split_at(nodes.len() / 2);
            let mut all = vec![first.to_vec(), second.to_vec()];
            if (3..=ONE_BY_ONE).contains(&nodes.len()) {
                all.extend((0..nodes.len()).map(|place| {
                    let mut others = nodes.clone();
                    others.remove(place);
                    others
                }));
            }
            all.into_iter().map(Selector::Nodes).collect()
        }
    }
}

fn simpler_workload(workload: &Workload) -> Vec<Workload> {
    let mut all = Vec::new();
    if let Some(every) = workload.every {
        let twice = Some(workload.at + every + Duration::from_millis(1));
        all.push(Workload { every: None, until: None, repick: false, ..workload.clone() });
        all.extend((workload.until != twice).then(|| Workload { until: twice, ..workload.clone() }));
        all.extend(workload.repick.then(|| Workload { repick: false, ..workload.clone() }));
    }
    let kinds = simpler_work(&workload.kind).into_iter();
    all.extend(kinds.map(|kind| Workload { kind, ..workload.clone() }));
    all
}

fn simpler_work(kind: &WorkloadKind) -> Vec<WorkloadKind> {
    let mut all = Vec::new();
    let mut step = |simpler: WorkloadKind| all.push(simpler);
    match kind {
        WorkloadKind::Event { from, size, burst } => {
            let (size, burst) = (*size, *burst);
            fewer(from).into_iter().for_each(|from| step(WorkloadKind::Event { from, size, burst }));
            for burst in [1, burst / 8, burst / 2].into_iter().filter(|few| *few > 0 && *few < burst) {
                step(WorkloadKind::Event { from: from.clone(), size, burst });
            }
            if size != SIZE {
                step(WorkloadKind::Event { from: from.clone(), size: SIZE, burst });
            }
        }
        WorkloadKind::Query { from, .. } => {
            let plain = |from: Selector| WorkloadKind::Query {
                from,
                to: None,
                size: SIZE,
                answer: ANSWER,
                ack: false,
                relay_factor: 0,
                timeout: None,
            };
            step(plain(Selector::Pick(1)));
            step(plain(from.clone()));
            simpler_query(kind).into_iter().for_each(step);
        }
        WorkloadKind::Tags { nodes, size } => {
            fewer(nodes).into_iter().for_each(|nodes| step(WorkloadKind::Tags { nodes, size: *size }));
            if *size != SIZE {
                step(WorkloadKind::Tags { nodes: nodes.clone(), size: SIZE });
            }
        }
        WorkloadKind::Keys { from, retry } => {
            fewer(from).into_iter().for_each(|from| step(WorkloadKind::Keys { from, retry: *retry }));
            if *retry != RETRY {
                step(WorkloadKind::Keys { from: from.clone(), retry: RETRY });
            }
        }
    }
    all
}

/// A query with one thing less.
fn simpler_query(kind: &WorkloadKind) -> Vec<WorkloadKind> {
    let WorkloadKind::Query { from, .. } = kind else { return Vec::new() };
    let mut all = Vec::new();
    for few in fewer(from) {
        let mut simpler = kind.clone();
        if let WorkloadKind::Query { from, .. } = &mut simpler {
            *from = few;
        }
        all.push(simpler);
    }
    for step in 0..4 {
        let mut simpler = kind.clone();
        if let WorkloadKind::Query { to, size, answer, ack, relay_factor, timeout, .. } = &mut simpler {
            match step {
                0 => *to = None,
                1 => (*size, *answer) = (SIZE, ANSWER),
                2 => (*ack, *relay_factor) = (false, 0),
                _ => *timeout = None,
            }
        }
        if simpler != *kind {
            all.push(simpler);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_nodes_are_fewer_and_the_fewest_come_first() {
        assert_eq!(fewer(&Selector::Pick(8)), [1, 2, 4, 7].map(Selector::Pick));
        assert_eq!(fewer(&Selector::Pick(2)), [Selector::Pick(1)]);
        assert_eq!(fewer(&Selector::Pick(1)), []);
        assert_eq!(fewer(&Selector::Nodes(vec![4])), []);
        let three = fewer(&Selector::Nodes(vec![4, 5, 6]));
        let lists = [vec![4], vec![5, 6], vec![5, 6], vec![4, 6], vec![4, 5]];
        assert_eq!(three, lists.map(Selector::Nodes));
        assert_eq!(fewer(&Selector::Fraction(0.5)), [Selector::Pick(1)]);
    }

    #[test]
    fn every_step_of_a_fault_leads_to_one_that_cannot_be_simpler() {
        let back = Restart {
            new_address: true,
            lost_state: true,
            through: Through::Selector(Selector::Nodes(vec![1, 2, 3])),
        };
        let mut fault = Fault {
            lasts: Some(Duration::from_secs(20)),
            every: Some(Duration::from_secs(60)),
            repick: true,
            ..Fault::new(Duration::from_secs(5), FaultKind::Crash { nodes: Selector::All, back })
        };
        let mut steps = 0;
        // The last of the steps is the smallest.
        while let Some(next) = simpler_fault(&fault).pop() {
            assert_ne!(next, fault);
            (fault, steps) = (next, steps + 1);
            assert!(steps < 500, "{fault:?}");
        }
        assert!(steps > 4 && fault.every.is_none(), "{fault:?}");
        let partition = FaultKind::Partition {
            a: Selector::Pick(4),
            b: Selector::Rest,
            direction: Direction::AToB,
            in_flight: InFlight::Deliver,
            share: 0.5,
            traffic: Traffic::Streams,
        };
        let steps = simpler_partition(&partition);
        assert!(steps.iter().all(|step| *step != partition));
        assert_eq!(steps.len(), 3 + 1 + 4, "{steps:?}");
    }
}
