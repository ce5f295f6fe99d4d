//! What the page knows beside the changes: which run it is, where nodes belong, faults, events, and a curve of traffic.

use serde::Serialize;

use super::pack::Packed;
use crate::film::{EventKind, Film, Span};

#[derive(Serialize)]
struct Head<'f> {
    title: String,
    name: &'f str,
    about: &'f str,
    variant: &'f str,
    seed: u64,
    command: String,
    version: &'static str,
    digest: &'f str,
    nodes: u32,
    zones: Vec<Zone<'f>>,
    /// Group, first node, how many: where there is more than one group.
    groups: Vec<(u16, u32, u32)>,
    end: u64,
    cut_short: bool,
    entries: usize,
    items: usize,
    faults: Vec<Fault>,
    events: Vec<Event>,
    traffic: Traffic,
}

#[derive(Serialize)]
struct Zone<'f> {
    name: &'f str,
    first: u32,
    nodes: u32,
}

#[derive(Serialize)]
struct Fault {
    /// Its position in the scenario.
    fault: usize,
    title: String,
    at: u64,
    until: Option<u64>,
    nodes: Vec<(u32, u32)>,
}

#[derive(Serialize)]
struct Event {
    at: u64,
    kind: EventKind,
    text: String,
    mistaken: bool,
    nodes: Vec<u32>,
    count: usize,
}

/// Bytes per second and node that is up, datagrams and streams together.
#[derive(Serialize)]
struct Traffic {
    /// Seconds between two points.
    step: f64,
    rates: Vec<u64>,
}

/// As JSON that can stand in a page.
pub(super) fn json(film: &Film, packed: &Packed) -> String {
    let zones = film.zones.iter();
    let faults = film.faults.iter().map(|fault| Fault {
        fault: fault.fault,
        title: fault.title(),
        at: fault.at,
        until: fault.until.or_else(|| fault.lasts.then_some(film.end)),
        nodes: fault.nodes.iter().map(|span| (span.first, span.count)).collect(),
    });
    let events = film.events();
    let events = events.iter().map(|event| Event {
        at: event.at,
        kind: event.kind,
        text: event.text(film),
        mistaken: event.mistaken,
        nodes: event.nodes.clone(),
        count: event.count,
    });
    let head = Head {
        title: super::title(film),
        name: &film.name,
        about: &film.about,
        variant: &film.variant,
        seed: film.seed,
        command: command(film),
        version: env!("CARGO_PKG_VERSION"),
        digest: &film.run.digest,
        nodes: film.nodes,
        zones: zones.map(|z| Zone { name: &z.name, first: z.first, nodes: z.nodes }).collect(),
        groups: groups(film),
        end: film.end,
        cut_short: film.cut_short,
        entries: packed.entries,
        items: packed.items,
        faults: faults.collect(),
        events: events.collect(),
        traffic: traffic(film),
    };
    // What a browser would take for the end of the script, or for a comment in it, is a `<` at first.
    serde_json::to_string(&head).map(|json| json.replace('<', "\\u003c")).unwrap_or_default()
}

/// What a person types to get the same page; empty where the scenario has no file.
fn command(film: &Film) -> String {
    if film.source.is_empty() {
        return String::new();
    }
    let variant =
        if film.variant == "default" { String::new() } else { format!(" --variant {}", film.variant) };
    format!("rumor-sim replay {} --seed {}{variant} --html", film.source, film.seed)
}

fn groups(film: &Film) -> Vec<(u16, u32, u32)> {
    if film.group.iter().all(|group| *group == 0) {
        return Vec::new();
    }
    let mut groups: Vec<(u16, Span)> = Vec::new();
    for (node, group) in (0u32..).zip(&film.group) {
        match groups.last_mut() {
            Some((last, span)) if last == group => span.count += 1,
            _ => groups.push((*group, Span { first: node, count: 1 })),
        }
    }
    groups.into_iter().map(|(group, span)| (group, span.first, span.count)).collect()
}

fn traffic(film: &Film) -> Traffic {
    let series = &film.run.series;
    let rate = |((packets, streams), up): ((&u64, &u64), &u32)| {
        let bytes = (packets + streams) as f64;
        let node_seconds = f64::from(*up) * series.step;
        if node_seconds > 0.0 { (bytes / node_seconds) as u64 } else { 0 }
    };
    let rates = series.packet_bytes.iter().zip(&series.stream_bytes).zip(&series.up).map(rate);
    Traffic { step: series.step, rates: rates.collect() }
}
