//! Names for faults and workloads: what is drawn for an unnamed one hangs on its place among its kind, which changes when another goes.

use super::search::Search;
use crate::scenario::Scenario;

/// Gives a name to whatever has none.
pub(super) fn give(search: &mut Search<'_>) {
    let mut named = search.current.clone();
    let taken: Vec<String> = named.faults.iter().map(|fault| fault.name.clone()).collect();
    for (place, fault) in named.faults.iter_mut().enumerate().filter(|(_, fault)| fault.name.is_empty()) {
        fault.name = free(fault.kind.name(), place, &taken);
    }
    let taken: Vec<String> = named.workloads.iter().map(|workload| workload.name.clone()).collect();
    for (place, workload) in named.workloads.iter_mut().enumerate().filter(|(_, one)| one.name.is_empty()) {
        workload.name = free(workload.kind.name(), place, &taken);
    }
    search.first([named]);
}

/// A name that nobody else has.
fn free(kind: &str, place: usize, taken: &[String]) -> String {
    let mut name = format!("{kind}-{}", place + 1);
    while taken.contains(&name) {
        name.push('x');
    }
    name
}

/// Takes back the names that the scenario did not give.
pub(super) fn take_back(search: &mut Search<'_>, own: &Scenario) {
    let mut plain = search.current.clone();
    for fault in &mut plain.faults {
        if !own.faults.iter().any(|other| other.name == fault.name) {
            fault.name.clear();
        }
    }
    for workload in &mut plain.workloads {
        if !own.workloads.iter().any(|other| other.name == workload.name) {
            workload.name.clear();
        }
    }
    search.first([plain]);
}
