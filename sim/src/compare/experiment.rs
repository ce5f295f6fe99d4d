//! Whether two records answer the same question, and in what they differ.

use std::collections::BTreeMap;

use super::names::ranges;
use super::{Record, Refusal};
use crate::record::RunRecord;

/// Lines that are told of each kind of difference.
const TOLD: usize = 8;

/// What differs between two experiments: what makes them incomparable is refused, unless it is to be compared anyway, and the rest is told.
pub(super) fn differences(a: &Record, b: &Record, anyway: bool) -> Result<Vec<String>, Refusal> {
    let apart = incomparable(a, b);
    if !apart.is_empty() && !anyway {
        return Err(Refusal::Incomparable(apart));
    }
    let mut notes = Vec::new();
    if !apart.is_empty() {
        notes.push(format!(
            "A and B are different experiments ({}): pairs of one seed share little or nothing, and intervals are as wide as those of unpaired runs.",
            apart.join("; ")
        ));
    }
    if a.facts.version != b.facts.version {
        notes.push(format!("A was run by rumormill-sim {}, B by {}.", a.facts.version, b.facts.version));
    }
    if a.facts.profile != b.facts.profile {
        notes.push(format!("A has the {} profile, B the {} profile.", a.facts.profile, b.facts.profile));
    }
    match (&a.experiment, &b.experiment) {
        (Some(of_a), Some(of_b)) => {
            if of_a.network != of_b.network {
                notes.push("The network differs.".to_owned());
            }
            if of_a.workloads != of_b.workloads {
                notes.push("What applications do (workloads) differs.".to_owned());
            }
        }
        _ if a.facts.digest != b.facts.digest => notes.push(
            "A summary does not have all of its scenario: whether network, zones and workloads are the same was not checked.".to_owned(),
        ),
        _ => {}
    }
    Ok(notes)
}

/// What makes pairs of one seed share nothing.
fn incomparable(a: &Record, b: &Record) -> Vec<String> {
    let (of_a, of_b) = (&a.facts, &b.facts);
    let mut apart = Vec::new();
    let mut check = |what: &str, in_a: String, in_b: String| {
        if in_a != in_b {
            apart.push(format!("{what}: {in_a} in A, {in_b} in B"));
        }
    };
    check("cluster.nodes", of_a.nodes.to_string(), of_b.nodes.to_string());
    check("cluster.start", of_a.start.clone(), of_b.start.clone());
    check("warmup", format!("{} s", of_a.warmup), format!("{} s", of_b.warmup));
    check("duration", format!("{} s", of_a.duration), format!("{} s", of_b.duration));
    if a.faults.len() == b.faults.len() {
        for (number, (in_a, in_b)) in a.faults.iter().zip(&b.faults).enumerate() {
            check(&format!("fault[{number}]"), in_a.clone(), in_b.clone());
        }
    } else {
        check("faults", a.faults.len().to_string(), b.faults.len().to_string());
    }
    if let (Some(a), Some(b)) = (&a.experiment, &b.experiment) {
        if a.zones != b.zones {
            apart.push("cluster.zones differ".to_owned());
        }
        if apart.is_empty() {
            let pairs = a.faults.iter().zip(&b.faults).enumerate();
            let differing = pairs.filter(|(_, (in_a, in_b))| in_a != in_b);
            apart.extend(
                differing.map(|(number, _)| format!("fault[{number}] differs in whom or how it strikes")),
            );
        }
    }
    apart.truncate(TOLD);
    apart
}

/// Which seeds were left out.
pub(super) fn seeds(a: &Record, b: &Record, both: &[u64]) -> Vec<String> {
    let mut notes = Vec::new();
    for (side, record) in [("A", a), ("B", b)] {
        let mut left: Vec<u64> =
            record.runs.iter().map(|run| run.seed).filter(|seed| both.binary_search(seed).is_err()).collect();
        left.sort_unstable();
        left.dedup();
        if !left.is_empty() {
            notes.push(format!("Only {side} has {}: left out.", count_seeds(&left)));
        }
    }
    notes
}

fn count_seeds(seeds: &[u64]) -> String {
    match seeds {
        [one] => format!("seed {one}"),
        several => format!("seeds {} ({} of them)", ranges(several.iter().copied()), several.len()),
    }
}

/// In which settings two variants differ.
pub(super) fn settings(a: &Record, b: &Record, (of_a, of_b): (&str, &str)) -> Vec<String> {
    let none = BTreeMap::new();
    let (in_a, in_b) =
        (a.facts.settings.get(of_a).unwrap_or(&none), b.facts.settings.get(of_b).unwrap_or(&none));
    let mut keys: Vec<&String> = in_a.keys().chain(in_b.keys()).collect();
    keys.sort();
    keys.dedup();
    let shown = |of: Option<&String>| of.map_or("as the profile has it", String::as_str).to_owned();
    let differing: Vec<String> = keys
        .into_iter()
        .filter(|key| in_a.get(*key) != in_b.get(*key))
        .map(|key| format!("{key} is {} in A, {} in B", shown(in_a.get(key)), shown(in_b.get(key))))
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let more = differing.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    vec![format!("Settings that differ: {}{more}.", differing[..differing.len().min(TOLD)].join("; "))]
}

/// Faults that met other nodes in some seeds: with other settings other nodes may be up.
pub(super) fn met(pairs: &[(&RunRecord, &RunRecord)]) -> Vec<String> {
    let faults = pairs.first().map_or(0, |(a, b)| a.faults.len().min(b.faults.len()));
    let differing = (0..faults).filter_map(|number| {
        let other = |(a, b): &&(&RunRecord, &RunRecord)| {
            let (Some(a), Some(b)) = (a.faults.get(number), b.faults.get(number)) else { return false };
            let named = !a.nodes.is_empty() && !b.nodes.is_empty();
            a.aimed != b.aimed || (named && a.nodes != b.nodes)
        };
        let seeds = pairs.iter().filter(other).count();
        (seeds > 0).then(|| {
            let kind = pairs.first().map_or("", |(a, _)| a.faults[number].kind.as_str());
            format!("fault[{number}] ({kind}) met other nodes in {seeds} of {} seeds.", pairs.len())
        })
    });
    differing.take(TOLD).collect()
}
