//! What lies between the nodes, from the start to the end: latency, loss, and what else can happen to a packet.

use std::time::Duration;

use super::Kind;
use crate::fuzz::words::Words;
use crate::scenario::{Latency, Link, Loss, Reorder, Scenario, Selector, Travel};

const fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The features that are drawn.
pub(crate) const FEATURES: [Kind; 10] = [
    Kind { name: "latency", add: |scenario, words| scenario.network.travel.latency = Some(latency(words)) },
    Kind { name: "loss", add: |scenario, words| scenario.network.travel.loss = Some(loss(words)) },
    Kind {
        name: "stream loss",
        add: |scenario, words| {
            scenario.network.travel.stream_loss = Some(Loss::Bernoulli(words.one_of([0.01, 0.05, 0.2])));
        },
    },
    Kind {
        name: "duplicates",
        add: |scenario, words| scenario.network.travel.duplicate = Some(words.one_of([0.01, 0.3, 1.0])),
    },
    Kind {
        name: "reordering",
        add: |scenario, words| scenario.network.travel.reorder = Some(reorder(words)),
    },
    Kind {
        name: "corruption",
        add: |scenario, words| scenario.network.travel.corrupt = Some(words.one_of([0.001, 0.01, 0.05])),
    },
    Kind {
        name: "bandwidth",
        add: |scenario, words| {
            scenario.network.travel.bandwidth = Some(words.one_of([1_000_000, 100_000, 50_000]));
        },
    },
    Kind {
        name: "short datagrams",
        add: |scenario, words| scenario.network.travel.packet_bytes_max = Some(words.one_of([1472, 1300])),
    },
    Kind {
        name: "small receive buffers",
        add: |scenario, words| scenario.network.receive_buffer = words.one_of([20_000, 2000, 200]),
    },
    Kind { name: "link", add: link },
];

/// Any kind of latency, all of them short beside `probe_timeout`.
fn latency(words: &mut Words<'_>) -> Latency {
    match words.below(6) {
        0 => Latency::Constant { value: us(words.one_of([1000, 5000, 30_000])) },
        1 => Latency::Uniform { min: us(200), max: us(words.one_of([5000, 50_000])) },
        2 => Latency::Normal { mean: ms(10), sd: ms(words.one_of([1, 8])) },
        3 => Latency::Lognormal { median: us(400), p99: us(words.one_of([2000, 60_000])) },
        4 => Latency::Pareto { min: us(200), shape: words.one_of([2.5, 1.5]) },
        _ => Latency::Empirical {
            table: vec![(0.0, us(80)), (0.5, us(300)), (0.99, ms(2)), (1.0, ms(words.one_of([10, 40])))],
        },
    }
}

fn loss(words: &mut Words<'_>) -> Loss {
    if words.chance(30) {
        return Loss::GilbertElliott {
            good: 0.001,
            bad: words.one_of([0.3, 0.7]),
            mean_good: Duration::from_secs(words.one_of([29, 9])),
            mean_bad: ms(words.one_of([300, 1000])),
        };
    }
    Loss::Bernoulli(words.one_of([0.005, 0.01, 0.02, 0.03, 0.05, 0.15]))
}

fn reorder(words: &mut Words<'_>) -> Reorder {
    Reorder { chance: words.one_of([0.01, 0.2]), extra: ms(words.one_of([5, 20, 60])) }
}

/// One node, or one zone, lies farther away, one way.
fn link(scenario: &mut Scenario, words: &mut Words<'_>) {
    let far = match scenario.cluster.zones.len() {
        0 => Selector::Nodes(vec![words.below(scenario.cluster.nodes)]),
        zones => Selector::Zone(words.below(zones as u32) as usize),
    };
    let mut travel = Travel::default();
    match words.below(3) {
        0 => travel.latency = Some(Latency::Constant { value: ms(words.one_of([30, 80])) }),
        1 => travel.loss = Some(Loss::Bernoulli(words.one_of([0.02, 0.05]))),
        _ => travel.duplicate = Some(0.2),
    }
    let (from, to) = if words.chance(50) { (far, Selector::Rest) } else { (Selector::Rest, far) };
    scenario.network.links.push(Link { from, to, travel });
}
