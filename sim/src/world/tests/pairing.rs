//! Common random numbers: what variants of one seed share, and what a switched-off fault leaves alone.

use super::*;

fn faulty() -> Scenario {
    let mut scenario = scenario(20, Start::Converged, Vec::new());
    let named = |name: &str, fault: Fault| Fault { name: name.into(), ..fault };
    scenario.faults = vec![
        fault(10, Some(30), crash(Selector::Pick(2))),
        named("sick", fault(15, Some(10), FaultKind::Pause { nodes: Selector::Fraction(0.2) })),
        Fault {
            every: Some(Duration::from_secs(20)),
            repick: true,
            ..fault(20, None, FaultKind::Restart { nodes: Selector::Pick(2), how: back(false, true) })
        },
        named("cut", fault(60, Some(20), partition(6, Direction::Both, 0.5))),
    ];
    let swim =
        Config { awareness: false, suspicion_max_mult: 1, buddy: false, gossip_nodes: 1, ..Config::lan() };
    scenario.variants.push(Variant::new("swim", swim));
    scenario
}

fn aims(record: &RunRecord) -> Vec<(String, u64, Vec<String>)> {
    record.faults.iter().map(|f| (f.kind.clone(), f.times, f.nodes.clone())).collect()
}

/// The pairs that cannot talk at one second.
fn cut_at(scenario: &Scenario, variant: usize, second: u64) -> Vec<(u32, u32)> {
    let mut world = World::new(scenario, &scenario.variants[variant], 1);
    world.schedule_faults();
    world.start();
    world.metered(second * 1_000_000_000, &mut |_| {});
    let pairs = (0..20).flat_map(|a| (0..20).map(move |b| (a, b)));
    pairs.filter(|(a, b)| world.stage.network.cuts.apart(*a, *b)).collect()
}

#[test]
fn a_cut_of_some_pairs_is_of_the_same_in_every_variant_and_with_another_fault_off() {
    let scenario = faulty();
    let cut = cut_at(&scenario, 0, 65);
    // Half of six times fourteen, both ways.
    assert!((40..130).contains(&cut.len()), "{cut:?}");
    assert_eq!(cut, cut_at(&scenario, 1, 65));
    for index in 0..3 {
        let mut off = faulty();
        off.faults[index].off = true;
        assert_eq!(cut, cut_at(&off, 0, 65), "without fault {index}");
    }
    let mut off = faulty();
    off.faults[3].off = true;
    assert_eq!(cut_at(&off, 0, 65), []);
}

/// The order in which a fault would choose hangs on nothing else; it skips those that another fault has taken down.
#[test]
fn without_a_crash_the_others_may_reach_those_who_would_have_been_down() {
    let whole = aims(&run(&faulty(), 0, 1));
    let mut off = faulty();
    off.faults[0].off = true;
    let without = aims(&run(&off, 0, 1));
    let (crashed, sick, well) = (&whole[0].2, &whole[1].2, &without[1].2);
    assert!(sick.iter().all(|node| !crashed.contains(node)));
    assert!(well.iter().all(|node| sick.contains(node) || crashed.contains(node)), "{well:?} {sick:?}");
}

#[test]
fn a_join_that_is_off_keeps_its_nodes() {
    let join = |off| {
        let mut scenario = faulty();
        let join =
            fault(30, None, FaultKind::Join { nodes: Selector::Pick(4), through: Through::FirstAndTwo });
        scenario.faults.push(Fault { name: "late".into(), off, ..join });
        run(&scenario, 0, 1)
    };
    let (on, off) = (join(false), join(true));
    assert_eq!((on.series.up[5], off.series.up[5]), (16, 16));
    assert_eq!((on.faults[4].times, off.faults[4].times), (1, 0));
    assert_eq!(aims(&on)[..2], aims(&off)[..2]);
}

#[test]
fn variants_of_one_seed_meet_the_same_faults() {
    let scenario = faulty();
    for seed in 1..4 {
        let (one, two) = (run(&scenario, 0, seed), run(&scenario, 1, seed));
        assert_eq!(aims(&one), aims(&two));
        assert_eq!(one.series.up, two.series.up);
        assert_ne!(one.digest, two.digest, "they do differ");
    }
    assert_ne!(aims(&run(&scenario, 0, 1)), aims(&run(&scenario, 0, 2)));
}

#[test]
fn switching_a_fault_off_or_removing_it_leaves_the_others_alone() {
    let scenario = faulty();
    let whole = aims(&run(&scenario, 0, 1));
    let mut off = faulty();
    off.faults[1].off = true;
    let without = aims(&run(&off, 0, 1));
    assert_eq!((&without[0], &without[3]), (&whole[0], &whole[3]));
    // A restart draws from those that are up or down, whom a pause does not change.
    assert_eq!(without[2], whole[2]);
    assert_eq!(without[1].1, 0, "it never began");
    let mut removed = faulty();
    removed.faults.remove(1);
    let removed = aims(&run(&removed, 0, 1));
    assert_eq!([&removed[0], &removed[1], &removed[2]], [&whole[0], &whole[2], &whole[3]]);
}

/// What a packet meets depends on its link, its moment and its number there, whatever else was sent: loss, bursts, latency,
/// duplication, damage.
#[test]
fn packets_with_the_same_key_meet_the_same_fate_in_both_variants() {
    let travel = Travel {
        latency: Some(Latency::Lognormal {
            median: Duration::from_micros(400),
            p99: Duration::from_millis(2),
        }),
        loss: Some(Loss::GilbertElliott {
            good: 0.05,
            bad: 0.7,
            mean_good: Duration::from_millis(300),
            mean_bad: Duration::from_millis(200),
        }),
        duplicate: Some(0.1),
        corrupt: Some(0.1),
        ..Travel::default()
    };
    let network = || Network::new(Draws::new(9), travel.clone(), Vec::new(), 6);
    let (mut one, mut two) = (network(), network());
    let mut same = 0;
    for k in 0..5_000u64 {
        let now = k * 1_300_000;
        let (from, to) = ((k % 5) as u32, 5);
        let fate = one.datagram(from, to, 60, now);
        // The other variant talks more, to others, and in streams too.
        for other in (0..5).filter(|o| *o != from) {
            let _ = two.datagram(from, other, 900, now);
        }
        let _ = two.segment(from, to, 60_000, now);
        if k % 3 != 0 {
            assert_eq!(fate, two.datagram(from, to, 60, now));
            same += 1;
        }
    }
    assert!(same > 3_000);
}
