//! `[[workload]]`.

use std::time::Duration;

use super::super::model::{Cluster, Selector};
use super::super::read_workload::{ANSWER, BURST, RETRY, SIZE};
use super::super::workload::{Workload, WorkloadKind};
use super::lines::Lines;
use super::values::quoted;

/// A workload of a scenario that warms up for so long: it begins then unless it says otherwise.
pub(super) fn write(workload: &Workload, warmup: Duration, cluster: &Cluster, lines: &mut Lines) {
    lines.open("[[workload]]");
    lines.key("kind", &format!("\"{}\"", workload.kind.name()));
    if !workload.name.is_empty() {
        lines.key("name", &quoted(&workload.name));
    }
    if workload.at != warmup {
        lines.duration("at", workload.at);
    }
    if let Some(every) = workload.every {
        lines.duration("every", every);
        if let Some(until) = workload.until {
            lines.duration("until", until);
        }
        lines.flag("repick", workload.repick);
    }
    write_kind(&workload.kind, cluster, lines);
    lines.flag("off", workload.off);
}

fn write_kind(kind: &WorkloadKind, cluster: &Cluster, lines: &mut Lines) {
    match kind {
        WorkloadKind::Event { from, .. }
        | WorkloadKind::Query { from, .. }
        | WorkloadKind::Keys { from, .. } => {
            if *from != Selector::Pick(1) {
                lines.selector("from", from, cluster);
            }
        }
        WorkloadKind::Tags { nodes, .. } => lines.selector("nodes", nodes, cluster),
    }
    if let WorkloadKind::Query { to: Some(to), .. } = kind {
        lines.selector("to", to, cluster);
    }
    let mut unless = |key: &str, value: u32, default: u32| {
        if value != default {
            lines.key(key, &value.to_string());
        }
    };
    match kind {
        WorkloadKind::Event { size, burst, .. } => {
            unless("size", *size, SIZE);
            unless("burst", *burst, BURST);
        }
        WorkloadKind::Query { size, answer, ack, relay_factor, timeout, .. } => {
            unless("size", *size, SIZE);
            unless("answer", *answer, ANSWER);
            unless("relay_factor", (*relay_factor).into(), 0);
            lines.flag("ack", *ack);
            if let Some(timeout) = timeout {
                lines.duration("timeout", *timeout);
            }
        }
        WorkloadKind::Tags { size, .. } => unless("size", *size, SIZE),
        WorkloadKind::Keys { retry, .. } => {
            if *retry != RETRY {
                lines.duration("retry", *retry);
            }
        }
    }
}
