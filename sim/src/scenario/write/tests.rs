//! Whatever is written reads the same.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use rumormill_core::config::{AntiEntropy, Cipher, Confirmations, LogBase};

use super::*;
use crate::scenario::{Workload, WorkloadKind};

/// The same value but for what a text does not carry.
fn bare(scenario: &Scenario) -> Scenario {
    let mut bare = Scenario { source: String::new(), ..scenario.clone() };
    bare.expects.iter_mut().for_each(|expect| expect.line = 0);
    bare
}

fn read(text: &str) -> Scenario {
    Scenario::parse(text, "written.toml", &[]).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

#[test]
fn every_scenario_file_reads_the_same_when_written_anew() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let scenario = Scenario::load(&path, &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let again = read(&scenario.to_toml());
        assert_eq!(bare(&again), bare(&scenario), "{}", scenario.to_toml());
        assert_eq!(again.digest(), scenario.digest());
        files += 1;
    }
    assert!(files > 30, "{files} files");
}

#[test]
fn what_is_written_looks_like_the_files_of_this_project() {
    let text = "name = \"looks\"\nabout = \"A \\\"quoted\\\" word.\"\nseed = 7\nwarmup = \"10s\"\nduration = \"1m30s\"\n\
        weight = \"heavy\"\n\n[cluster]\nnodes = 20\nprofile = \"wan\"\nconfig = { gossip_nodes = 5, suspicion_log_base = \"e\" }\n\
        zones = [{ name = \"a\", nodes = 15 }, { name = \"b\", nodes = 5, key = \"k\" }]\n\n[network]\nloss = 0.01\n\n\
        [[network.link]]\nfrom = { zone = \"a\" }\nto = { rest = true }\n\
        latency = { kind = \"normal\", mean = \"45ms\", sd = \"2ms\" }\n\n\
        [[fault]]\nat = \"30s\"\nname = \"sick\"\nkind = \"clock\"\nnodes = [\"node-7\", \"node-8\"]\noffset = \"-1s500ms\"\nfor = \"20s\"\n\
        every = \"30s\"\nuntil = \"1m\"\nrepick = true\n\n\
        [[fault]]\nat = \"40s\"\nkind = \"partition\"\npartition = { a = { fraction = 0.5 }, b = { rest = true }, direction = \"a-to-b\" }\n\
        may_be_idle = true\n\n\
        [[variant]]\nname = \"swim\"\nconfig = { buddy = false }\nnetwork = { loss = 0.05 }\n\n[[variant]]\nname = \"lifeguard\"\n\n\
        [[workload]]\nkind = \"event\"\nevery = \"1s\"\nsize = 128\n\n\
        [[expect]]\nmetric = \"event.latency.p99\"\nbelow = \"1s100ms\"\nvariant = \"swim\"\nover = \"pooled\"\n";
    assert_eq!(read(text).to_toml(), text);
}

#[test]
fn many_zones_take_a_line_each() {
    let names: Vec<String> = (0..9).map(|n| format!("{{ name = \"zone-{n}\", nodes = 2 }}")).collect();
    let text = format!(
        "name = \"zones\"\nduration = \"9s\"\n\n[cluster]\nnodes = 18\nzones = [\n    {},\n]\n",
        names.join(",\n    ")
    );
    assert_eq!(read(&text).to_toml(), text);
}

/// Fewest nodes of a random cluster.
const NODES: u32 = 16;
/// Shortest duration of a random scenario; everything begins in its first half.
const SHORT: u64 = 60_000_000_000;

fn time(from: u64, to: u64) -> impl Strategy<Value = Duration> {
    // Round figures and odd ones.
    (from..to, prop::sample::select(vec![1u64, 1_000_000, 1_000_000_000]))
        .prop_map(move |(nanos, unit)| Duration::from_nanos((nanos / unit * unit).max(from)))
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(0.05), 1e-9..1.0f64]
}

fn fixed(zones: usize) -> BoxedStrategy<Selector> {
    let nodes = prop::sample::subsequence((0..NODES).collect::<Vec<_>>(), 1..5).prop_map(Selector::Nodes);
    if zones == 0 { nodes.boxed() } else { prop_oneof![nodes, (0..zones).prop_map(Selector::Zone)].boxed() }
}

fn selector(zones: usize) -> BoxedStrategy<Selector> {
    let drawn = prop_oneof![(1..=NODES).prop_map(Selector::Pick), share().prop_map(Selector::Fraction)];
    prop_oneof![Just(Selector::All), drawn, fixed(zones)].boxed()
}

fn latency() -> impl Strategy<Value = Latency> {
    let (low, high) = (time(1000, 1_000_000_000), time(1_000_000_001, 60_000_000_000));
    (low, high, 0.1..100.0f64, 0u8..6).prop_map(|(low, high, shape, kind)| match kind {
        0 => Latency::Constant { value: low },
        1 => Latency::Uniform { min: low, max: high },
        2 => Latency::Normal { mean: high, sd: low },
        3 => Latency::Lognormal { median: low, p99: high },
        4 => Latency::Pareto { min: low, shape },
        _ => Latency::Empirical { table: vec![(0.0, low), (shape / 101.0, low), (1.0, high)] },
    })
}

fn loss() -> impl Strategy<Value = Loss> {
    let bursts = (share(), share(), time(1_000_000, SHORT), time(1_000_000, SHORT));
    prop_oneof![
        share().prop_map(Loss::Bernoulli),
        bursts.prop_map(|(good, bad, mean_good, mean_bad)| Loss::GilbertElliott {
            good,
            bad,
            mean_good,
            mean_bad
        }),
    ]
}

fn travel() -> impl Strategy<Value = Travel> {
    let reorder = (share(), time(1000, SHORT)).prop_map(|(chance, extra)| Reorder { chance, extra });
    use prop::option::of as some;
    let rates = (some(1u64..=1_000_000_000_000), some(1u32..=65_535));
    (some(latency()), some(loss()), some(loss()), some(share()), some(reorder), some(share()), rates)
        .prop_map(
            |(latency, loss, stream_loss, duplicate, reorder, corrupt, (bandwidth, packet_bytes_max))| {
                Travel {
                    latency,
                    loss,
                    stream_loss,
                    duplicate,
                    reorder,
                    corrupt,
                    bandwidth,
                    packet_bytes_max,
                }
            },
        )
}

/// A way that says something.
fn telling() -> impl Strategy<Value = Travel> {
    (travel(), latency()).prop_map(|(travel, latency)| {
        let silent = travel == Travel::default();
        Travel { latency: if silent { Some(latency) } else { travel.latency }, ..travel }
    })
}

fn config(base: Config) -> impl Strategy<Value = Config> {
    let changes: Vec<fn(&mut Config)> = vec![
        |c| c.probe_interval += Duration::from_nanos(1_000_001),
        |c| c.gossip_nodes = 7,
        |c| c.buddy = !c.buddy,
        |c| c.suspicion_confirmations = Confirmations::Exactly(2),
        |c| c.suspicion_log_base = LogBase::E,
        |c| c.anti_entropy = AntiEntropy::Delta,
        |c| c.cipher = Cipher::ChaCha20Poly1305,
        |c| c.versions.app = 4,
        |c| c.gossip_bytes_per_second += 1,
        |c| c.dead_reclaim = Duration::from_millis(1500),
        |c| c.label = "a \"b\"\n\\c\u{7f}".to_owned(),
    ];
    prop::sample::subsequence(changes, 0..8).prop_map(move |changes| {
        let mut config = base.clone();
        changes.iter().for_each(|change| change(&mut config));
        config
    })
}

fn through(zones: usize) -> impl Strategy<Value = Through> {
    prop_oneof![Just(Through::FirstAndTwo), selector(zones).prop_map(Through::Selector)]
}

fn restart(zones: usize) -> impl Strategy<Value = Restart> {
    (any::<bool>(), any::<bool>(), through(zones)).prop_map(|(new_address, lost_state, through)| Restart {
        new_address,
        lost_state,
        through,
    })
}

/// Kinds of fault, and whether they may have an end.
fn fault_kind(zones: usize) -> impl Strategy<Value = (FaultKind, bool)> {
    let nodes = || selector(zones);
    let words = (any::<bool>(), any::<bool>(), 0u8..3);
    let pair = || (prop_oneof![fixed(zones), (1..5u32).prop_map(Selector::Pick)], any::<bool>());
    let turned = |(one, swap): (Selector, bool)| {
        if swap { (Selector::Rest, one) } else { (one, Selector::Rest) }
    };
    let partition = (pair(), words, share()).prop_map(move |(pair, (both, drop, what), share)| {
        let (a, b) = turned(pair);
        FaultKind::Partition {
            a,
            b,
            direction: if both { Direction::Both } else { Direction::AToB },
            in_flight: if drop { InFlight::Drop } else { InFlight::Deliver },
            share,
            traffic: [Traffic::All, Traffic::Datagrams, Traffic::Streams][usize::from(what)],
        }
    });
    let link = (pair(), telling()).prop_map(move |(pair, travel)| {
        let (from, to) = turned(pair);
        FaultKind::Link { from, to, travel }
    });
    let rate = prop_oneof![Just(1.0), 0.1..10.0f64];
    let offset = prop_oneof![Just(0), -3_600_000_000_000i64..3_600_000_000_000];
    prop_oneof![
        (nodes(), restart(zones)).prop_map(|(nodes, back)| (FaultKind::Crash { nodes, back }, true)),
        (nodes(), restart(zones)).prop_map(|(nodes, how)| (FaultKind::Restart { nodes, how }, false)),
        nodes().prop_map(|nodes| (FaultKind::Leave { nodes }, false)),
        (1..3u32, through(zones)).prop_map(|(count, through)| {
            (FaultKind::Join { nodes: Selector::Pick(count), through }, false)
        }),
        nodes().prop_map(|nodes| (FaultKind::Pause { nodes }, true)),
        (nodes(), latency()).prop_map(|(nodes, extra)| (FaultKind::Slow { nodes, extra }, true)),
        nodes().prop_map(|nodes| (FaultKind::BlockIo { nodes }, true)),
        (nodes(), rate, offset)
            .prop_map(|(nodes, rate, offset)| (FaultKind::Clock { nodes, rate, offset }, true)),
        partition.prop_map(|kind| (kind, true)),
        link.prop_map(|kind| (kind, true)),
    ]
}

/// Begin, repetition, its end, drawn anew, off.
type Course = (Duration, Option<Duration>, Option<Duration>, bool, bool);

fn course() -> impl Strategy<Value = Course> {
    let begin = time(0, SHORT / 2);
    let every = prop::option::of(time(SHORT / 4, SHORT));
    let until = prop::option::of(time(SHORT / 2 + 1, SHORT));
    (begin, every, until, any::<bool>(), any::<bool>()).prop_map(|(at, every, until, repick, off)| {
        (at, every, until.filter(|_| every.is_some()), repick && every.is_some(), off)
    })
}

fn fault(zones: usize) -> impl Strategy<Value = Fault> {
    let lasts = prop::option::of(time(1, SHORT / 4));
    (fault_kind(zones), course(), lasts, any::<bool>()).prop_map(
        |((kind, ends), (at, every, until, repick, off), lasts, may_be_idle)| {
            let plain = Restart { new_address: false, lost_state: false, through: Through::FirstAndTwo };
            let crash = matches!(kind, FaultKind::Crash { .. });
            // A fault that begins again has to end, and a crash for good says nothing of a return.
            let lasts = if ends && every.is_some() { lasts.or(Some(Duration::from_secs(1))) } else { lasts };
            let lasts = lasts.filter(|_| ends);
            let kind = match kind {
                FaultKind::Crash { nodes, .. } if lasts.is_none() => FaultKind::Crash { nodes, back: plain },
                kind => kind,
            };
            debug_assert!(ends || !crash);
            Fault { name: String::new(), at, lasts, every, until, repick, off, kind, may_be_idle }
        },
    )
}

fn workload(zones: usize, keyed: bool) -> impl Strategy<Value = Workload> {
    let from = || prop_oneof![Just(Selector::Pick(1)), selector(zones)];
    let event = (from(), 8u32..400, 1u32..10).prop_map(|(from, size, burst)| WorkloadKind::Event {
        from,
        size,
        burst,
    });
    let timeout = prop::option::of(time(1_000_000, SHORT));
    let query = (from(), prop::option::of(selector(zones)), 8u32..200, 0u32..800, any::<bool>(), any::<u8>());
    let query = (query, timeout).prop_map(|((from, to, size, answer, ack, relay_factor), timeout)| {
        WorkloadKind::Query { from, to, size, answer, ack, relay_factor, timeout }
    });
    let tags = (selector(zones), 8u32..500).prop_map(|(nodes, size)| WorkloadKind::Tags { nodes, size });
    let keys =
        (from(), time(100_000_000, SHORT)).prop_map(|(from, retry)| WorkloadKind::Keys { from, retry });
    let kind = if keyed {
        prop_oneof![event, query, tags, keys].boxed()
    } else {
        prop_oneof![event, query, tags].boxed()
    };
    (kind, course()).prop_map(|(kind, (at, every, until, repick, off))| Workload {
        name: String::new(),
        at,
        every,
        until,
        repick,
        off,
        kind,
    })
}

fn expect(variants: usize) -> impl Strategy<Value = Expect> {
    let metrics = vec![
        ("convergence", None),
        ("flaps", None),
        ("false_positive_rate.all", None),
        ("event.coverage", None),
        ("event.latency", Some("p99")),
        ("detection.all", Some("max")),
    ];
    let over = prop::sample::select(vec![Over::EachSeed, Over::Median, Over::Worst, Over::Pooled]);
    let whose = (prop::option::of(0..variants), prop::option::of(0..variants));
    (prop::sample::select(metrics), 0u8..5, time(1, SHORT), share(), over, whose).prop_map(
        move |((metric, statistic), kind, time, share, over, (variant, ratio_to))| {
            let ratio_to = ratio_to.filter(|_| variants > 1 && variant != ratio_to);
            let timed = matches!(metric, "convergence" | "event.latency" | "detection.all");
            let value = if timed && ratio_to.is_none() { time.as_secs_f64() } else { share };
            let wilson = metric == "event.coverage" && ratio_to.is_none();
            let (bound, over) = match kind {
                0 => (Bound::Below(value), over),
                1 => (Bound::Above(value), over),
                2 => (Bound::Equals(value), over),
                3 if wilson => (Bound::WilsonContains(share), Over::Pooled),
                _ => (Bound::Near { value, within: share }, over),
            };
            Expect { metric, statistic, bound, over, variant, ratio_to, line: 0 }
        },
    )
}

fn zones(nodes: u32, keyed: bool) -> impl Strategy<Value = Vec<Zone>> {
    let key = prop::option::of(Just("b".to_owned()));
    let label = prop::option::of("(?s).{0,9}");
    prop::collection::vec(("[^\u{0}]{1,9}", key, label), 0..4).prop_map(move |named| {
        let each = nodes / named.len().max(1) as u32;
        let last = named.len().saturating_sub(1);
        let zone = |(n, (name, key, label)): (usize, (String, Option<String>, Option<String>))| Zone {
            name: format!("{n}{name}"),
            first: n as u32 * each,
            nodes: if n == last { nodes - n as u32 * each } else { each },
            key: key.filter(|_| !keyed),
            label,
        };
        named.into_iter().enumerate().map(zone).collect()
    })
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let profile = prop::sample::select(vec![Profile::Lan, Profile::Wan, Profile::Local]);
    let gap = time(1_000_000, 1_000_000_000).prop_map(|gap| Start::JoinStaggered { gap });
    let start = prop_oneof![Just(Start::Converged), Just(Start::Join), gap];
    (NODES..40, profile, start, any::<bool>()).prop_flat_map(|(nodes, profile, start, keyed)| {
        (config(profile.config()), zones(nodes, keyed)).prop_map(move |(config, zones)| Cluster {
            nodes,
            config,
            profile,
            start,
            key: keyed.then(|| "a".to_owned()),
            zones,
        })
    })
}

fn network(zones: usize) -> impl Strategy<Value = Network> {
    let end = move || prop_oneof![Just(Selector::All), fixed(zones)];
    let link = (end(), prop_oneof![end(), Just(Selector::Rest)], telling())
        .prop_map(|(from, to, travel)| Link { from, to, travel });
    let receive_buffer = prop_oneof![Just(RECEIVE_BUFFER), any::<u32>()];
    (travel(), prop::collection::vec(link, 0..3), receive_buffer)
        .prop_map(|(travel, links, receive_buffer)| Network { travel, links, receive_buffer })
}

fn variants(base: Config) -> impl Strategy<Value = Vec<Variant>> {
    let none = Just(vec![Variant::new("default", base.clone())]);
    let some = prop::collection::vec((config(base), travel()), 1..4).prop_map(|all| {
        let variant = |(n, (config, travel))| Variant { name: format!("v{n}"), config, travel };
        all.into_iter().enumerate().map(variant).collect()
    });
    prop_oneof![none, some]
}

/// Any scenario that a file can say. It has an event and a crash, so that every metric that is expected has a sample.
fn scenario() -> impl Strategy<Value = Scenario> {
    let top =
        ("(?s).{0,30}", any::<u32>(), 1u32..100, time(0, SHORT / 2), time(SHORT, SHORT * 100), any::<bool>());
    (top, cluster(), any::<bool>()).prop_flat_map(|(top, cluster, named)| {
        let (zones, keyed) = (cluster.zones.len(), cluster.key.is_some());
        let faults = prop::collection::vec(fault(zones), 0..6);
        let workloads = prop::collection::vec(workload(zones, keyed), 0..5);
        let variants = variants(cluster.config.clone()).prop_flat_map(|variants| {
            let expects = prop::collection::vec(expect(variants.len()), 0..5);
            (Just(variants), expects)
        });
        (faults, workloads, variants, network(zones)).prop_map(
            move |(mut faults, mut workloads, (variants, expects), network)| {
                let (about, seed, seeds, warmup, duration, heavy) = top.clone();
                let back = Restart { new_address: false, lost_state: false, through: Through::FirstAndTwo };
                let crash = FaultKind::Crash { nodes: Selector::Pick(1), back };
                faults.push(Fault::new(Duration::from_secs(5), crash));
                let event = WorkloadKind::Event { from: Selector::Pick(1), size: 64, burst: 1 };
                workloads.push(Workload::new(warmup, event));
                if named {
                    faults.iter_mut().enumerate().for_each(|(n, fault)| fault.name = format!("f-{n}"));
                    workloads.iter_mut().enumerate().for_each(|(n, work)| work.name = format!("w_{n}"));
                }
                Scenario {
                    name: "random".to_owned(),
                    about,
                    // Beyond what TOML promises, and within what is read.
                    seed: u64::MAX - u64::from(seed) - 100,
                    seeds,
                    warmup,
                    duration,
                    weight: if heavy { Weight::Heavy } else { Weight::Light },
                    cluster: cluster.clone(),
                    network,
                    faults,
                    workloads,
                    variants,
                    expects,
                    source: String::new(),
                }
            },
        )
    })
}

proptest! {
    #[test]
    fn any_scenario_reads_the_same_when_written(scenario in scenario()) {
        prop_assert!(scenario.check().is_ok(), "{}", scenario.check().unwrap_err());
        let text = scenario.to_toml();
        let again = Scenario::parse(&text, "written.toml", &[]);
        prop_assert!(again.is_ok(), "{}\n{text}", again.unwrap_err());
        let again = bare(&again.unwrap());
        prop_assert_eq!(again.digest(), scenario.digest(), "{}", &text);
        prop_assert_eq!(again, scenario, "{}", text);
    }
}
