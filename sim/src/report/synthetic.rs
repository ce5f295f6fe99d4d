//! Made-up scenarios and runs for tests of everything that reads them.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rumormill_core::Config;

use crate::record::{FaultEffect, InvariantOutcome, KindLoad, Ratio, RunRecord, Sample, Series};
use crate::scenario::{
    Bound, Cluster, Expect, Latency, Loss, Network, Over, Profile, Scenario, Start, Travel, Variant, Weight,
};
use crate::stats;

/// A scenario of a thousand nodes with two expectations that [`run`] meets.
pub(crate) fn scenario() -> Scenario {
    let expect = |metric, statistic, bound| Expect {
        metric,
        statistic,
        bound,
        over: Over::EachSeed,
        variant: None,
        ratio_to: None,
        line: 20,
    };
    Scenario {
        name: "lan-1000-churn".to_owned(),
        about: "A thousand nodes on a LAN lose ten at once.".to_owned(),
        seed: 1,
        seeds: 10,
        warmup: Duration::from_secs(10),
        duration: Duration::from_secs(180),
        weight: Weight::Light,
        cluster: Cluster {
            nodes: 1000,
            config: Config::lan(),
            profile: Profile::Lan,
            start: Start::Converged,
            key: None,
            zones: Vec::new(),
        },
        network: Network {
            travel: Travel {
                latency: Some(Latency::Constant { value: Duration::from_millis(1) }),
                loss: Some(Loss::Bernoulli(0.01)),
                ..Travel::default()
            },
            links: Vec::new(),
            receive_buffer: 2 << 20,
        },
        faults: Vec::new(),
        workloads: Vec::new(),
        variants: vec![Variant::new("default", Config::lan())],
        expects: vec![
            expect("detection.first", Some("p90"), Bound::Below(60.0)),
            expect("flaps", None, Bound::Equals(0.0)),
        ],
        source: "lan-1000-churn.toml".to_owned(),
    }
}

/// A run with that many samples in each distribution, one in fifty of them censored.
pub(crate) fn run(variant: &str, seed: u64, samples: usize) -> RunRecord {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut distributions = BTreeMap::new();
    for (name, from, spread) in [
        ("suspicion.first", 1.0, 3.0),
        ("detection.first", 4.0, 6.0),
        ("detection.all", 6.0, 9.0),
        ("dissemination.failure", 0.4, 2.5),
    ] {
        let mut list: Vec<Sample> = (0..samples)
            .map(|k| {
                let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                Sample { value: from - spread / 4.0 * libm::log(1.0 - uniform), censored: k % 50 == 49 }
            })
            .collect();
        list.sort_by(stats::by_time);
        distributions.insert(name.to_owned(), list);
    }
    let mut values = BTreeMap::new();
    for (name, value) in [
        ("convergence", 14.25 + seed as f64),
        ("false_positives.all", (seed % 3) as f64),
        ("false_positives.healthy", 0.0),
        ("flaps", 0.0),
        ("load.bytes", 843.7 + seed as f64),
        ("queue.depth", 31.0),
        ("members.wrong", 44.2),
    ] {
        values.insert(name.to_owned(), stats::seen(value));
    }
    let kinds = [("ping", 47_000u64), ("ack", 46_800), ("alive", 12_345), ("suspect", 6_789)];
    RunRecord {
        variant: variant.to_owned(),
        seed,
        digest: format!("{seed:032x}"),
        steps: 1_234_567,
        node_hours: 47.2,
        distributions,
        values,
        ratios: BTreeMap::new(),
        load_by_kind: kinds
            .map(|(k, n)| (k.to_owned(), KindLoad { messages: n, packets: n, bytes: n * 31 }))
            .into(),
        network: [("lost".to_owned(), 1_234 * seed)].into(),
        series: series(seed),
        faults: vec![FaultEffect {
            index: 0,
            kind: "crash".to_owned(),
            name: String::new(),
            times: 1,
            at: 30.0,
            until: None,
            nodes: (0..10).map(|n| format!("node-{}", n * 37)).collect(),
            aimed: 10,
            did: [("crashed".to_owned(), 10)].into(),
            may_be_idle: false,
        }],
        invariants: vec![InvariantOutcome {
            number: 7,
            name: "quiet time".to_owned(),
            checked: 990,
            violations: 0,
            first: None,
            not_applicable: None,
            remark: Some("bound 212 s".to_owned()),
        }],
    }
}

/// As [`run`], where applications send events, ask queries, announce tags and change keys.
pub(crate) fn talking(variant: &str, seed: u64, samples: usize) -> RunRecord {
    let mut run = run(variant, seed, samples);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    for (name, from, spread, count) in [
        ("event.latency", 0.002, 0.9, samples * 10),
        ("query.latency", 0.7, 0.8, samples),
        ("keys.rotation", 3.0, 5.0, samples),
        ("dissemination.update", 0.4, 2.0, samples),
    ] {
        let mut list: Vec<Sample> = (0..count)
            .map(|_| {
                let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                stats::seen(from + spread * uniform * uniform)
            })
            .collect();
        list.sort_by(stats::by_time);
        run.distributions.insert(name.to_owned(), list);
    }
    for (name, hits, of) in [
        ("event.coverage", 119_880 - 1 - seed, 119_880),
        ("event.all", 119 - seed % 2, 120),
        ("query.coverage", 23_976, 23_976),
    ] {
        run.ratios.insert(name.to_owned(), Ratio { hits, of });
    }
    for (name, value) in [
        ("event.duplicates", 0.0),
        ("event.sent", 120.0),
        ("event.busy", 0.0),
        ("event.lost", 1.0 + seed as f64),
        ("query.asked", 24.0),
        ("load.anti_entropy", 120.5 + seed as f64),
        ("queue.depth.members", 31.0),
        ("queue.depth.intents", 4.0),
        ("queue.depth.queries", 9.0),
        ("queue.depth.events", 55.0),
    ] {
        run.values.insert(name.to_owned(), stats::seen(value));
    }
    for (kind, n) in [
        ("user-event", 190_000u64),
        ("query", 90_000),
        ("response", 24_000),
        ("sync-row", 30_000),
        ("relay", 9_000),
        ("delta-head", 300),
        ("delta-want", 40),
    ] {
        run.load_by_kind.insert(kind.to_owned(), KindLoad { messages: n, packets: n, bytes: n * 57 });
    }
    let wave = |k: u64, size: u64| ((k * 2_654_435_761 + seed * 97) % 1000 * size / 1000) as u32;
    run.series.queue_members = run.series.queue_depth.clone();
    for k in 0..=180u64 {
        run.series.queue_intents.push(0);
        run.series.queue_queries.push(if k % 5 == 0 { wave(k, 9) } else { 0 });
        run.series.queue_events.push(k as u32 / 5 + wave(k, 20));
    }
    for (depth, events) in run.series.queue_depth.iter_mut().zip(&run.series.queue_events) {
        *depth = (*depth).max(*events);
    }
    run
}

fn series(seed: u64) -> Series {
    let wave = |k: u64| (k * 2_654_435_761 + seed * 97) % 1000;
    let mut series = Series { step: 1.0, ..Series::default() };
    for k in 0..=180u64 {
        let since = k.saturating_sub(30);
        let hit = k >= 30 && since < 14 + seed;
        series.up.push(if k < 30 { 1000 } else { 990 });
        series.wrong.push(if hit {
            (9_900 / (1 + since.saturating_sub(4))).saturating_sub(since * 5)
        } else {
            0
        });
        series.suspects.push(if hit { since * (13 + seed).saturating_sub(since) * 60 } else { 0 });
        series.false_positives.push(if k > 60 { seed % 3 } else { 0 });
        series.packet_bytes.push(800_000 + wave(k) * 50 + if hit { 900_000 / (1 + since) } else { 0 });
        series.stream_bytes.push(if k % 30 == 0 { 400_000 } else { 20_000 });
        series.packets.push(4_000 + wave(k));
        series.queue_depth.push(if hit { (30 - since.min(30)) as u32 } else { 0 });
    }
    series
}
