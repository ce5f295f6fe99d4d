use super::*;
use crate::histogram;
use crate::metric::{METRICS, Shape};
use crate::record::{Ratio, Sample};
use crate::report::synthetic::{run, scenario};
use crate::stats::seen;
use crate::summary::{SCHEMA, Summary};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Runs that have what `fill` gives them, and traces of their own.
fn record(side: &str, seeds: std::ops::RangeInclusive<u64>, fill: impl Fn(u64, &mut RunRecord)) -> Record {
    let one = |seed| {
        let mut it = run("default", seed, 0);
        (it.digest, it.values, it.distributions) =
            (format!("{side}{seed}"), Default::default(), Default::default());
        fill(seed, &mut it);
        it
    };
    Record::of(&Summary::new(&scenario(), "d", seeds.map(one).collect()))
}

/// Runs with single values.
fn values(
    side: &str,
    seeds: std::ops::RangeInclusive<u64>,
    of: impl Fn(u64) -> Vec<(&'static str, Sample)>,
) -> Record {
    record(side, seeds, |seed, run| {
        run.values = of(seed).into_iter().map(|(name, v)| (name.to_owned(), v)).collect();
    })
}

fn censored(value: f64) -> Sample {
    Sample { value, censored: true }
}

/// Spread without any order, from -1 to 1, the same for the same seed.
fn noise(seed: u64) -> f64 {
    let mut word = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (word >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

fn ask(metrics: &[&str]) -> Question {
    Question { metrics: metrics.iter().map(|m| (*m).to_owned()).collect(), ..Question::default() }
}

fn only(comparison: &Comparison) -> &Row {
    assert_eq!(comparison.rows.len(), 1, "{:?}", comparison.rows);
    &comparison.rows[0]
}

#[test]
fn the_same_runs_are_told_to_be_the_same() {
    let a = values("x", 1..=3, |seed| vec![("load.bytes", seen(seed as f64))]);
    let it = compare(&a, &a, &Question::default()).unwrap();
    assert!(it.is_identical());
    assert_eq!((only(&it).verdict, it.runs, it.identical), (Verdict::Same, 3, 3));
    for on in [FailOn::Worse, FailOn::Different, FailOn::NotEquivalent] {
        assert!(it.failing(on).is_empty());
    }
    // What had not happened at the end had not happened at the same end.
    let over = values("x", 1..=3, |_| vec![("convergence", censored(60.0))]);
    let it = compare(&over, &over, &Question::default()).unwrap();
    assert!(only(&it).verdict == Verdict::Same && only(&it).margin.is_some());
    assert!(only(&it).unknown.is_some() && it.failing(FailOn::NotEquivalent).is_empty());
    let of_other_runs = values("y", 1..=3, |_| vec![("convergence", censored(60.0))]);
    let it = compare(&over, &of_other_runs, &Question::default()).unwrap();
    assert_eq!(it.failing(FailOn::NotEquivalent).len(), 1, "of other runs nothing is known");
    let other = values("y", 1..=3, |seed| vec![("load.bytes", seen(seed as f64))]);
    let it = compare(&a, &other, &Question::default()).unwrap();
    assert!(!it.is_identical() && only(&it).verdict == Verdict::Same, "other traces, the same figures");
}

#[test]
fn better_and_worse_go_by_the_metric_s_own_direction() {
    let side = |side, load: f64, coverage: u64, sent: f64| {
        record(side, 1..=12, move |seed, run| {
            run.values.insert("load.bytes".into(), seen(load + 10.0 * noise(seed)));
            run.values.insert("event.sent".into(), seen(sent));
            run.ratios.insert("event.coverage".into(), Ratio { hits: coverage + seed % 2, of: 1000 });
        })
    };
    let (a, b) = (side("a", 100.0, 900, 50.0), side("b", 180.0, 950, 60.0));
    let verdicts = |a: &Record, b: &Record| {
        let it = compare(a, b, &Question::default()).unwrap();
        it.rows.iter().map(|row| (row.name(), row.verdict)).collect::<Vec<_>>()
    };
    let named = |load, coverage| {
        [("event.coverage", coverage), ("event.sent", Verdict::Different), ("load.bytes", load)]
            .map(|(name, verdict)| (name.to_owned(), verdict))
    };
    assert_eq!(verdicts(&a, &b), named(Verdict::Worse, Verdict::Better));
    assert_eq!(verdicts(&b, &a), named(Verdict::Better, Verdict::Worse));
    let it = compare(&a, &b, &ask(&["load.bytes"])).unwrap();
    let row = only(&it);
    assert!(
        (row.paired.as_ref().unwrap().mean - 80.0).abs() < 1e-9 && row.ratio.unwrap().ratio.unwrap() > 1.5
    );
    let least = stats::least_p(12);
    assert!((row.p - least).abs() < 1e-12, "all of one sign: {}", row.p);
    assert!(it.failing(FailOn::Worse).len() == 1 && it.failing(FailOn::NotEquivalent).len() == 1);
}

#[test]
fn no_difference_comes_with_what_would_have_been_seen() {
    let side = |side, salt: u64| {
        values(side, 1..=20, move |seed| vec![("load.bytes", seen(100.0 + 30.0 * noise(seed + salt)))])
    };
    let it = compare(&side("a", 0), &side("b", 1000), &Question::default()).unwrap();
    let row = only(&it);
    assert_eq!(row.verdict, Verdict::NoDifference);
    // Two uniform spreads of 30: a difference has a standard deviation of about 24.5, its mean over 20 seeds 5.5; times 2.95.
    let would = row.detectable.unwrap();
    assert!((12.0..22.0).contains(&would), "{would}");
    assert!(it.failing(FailOn::Different).is_empty() && it.failing(FailOn::NotEquivalent).len() == 1);
}

#[test]
fn equal_is_only_what_is_within_a_stated_margin() {
    let side = |side, shift: f64, salt: u64| {
        values(side, 1..=12, move |seed| {
            vec![("load.bytes", seen(100.0 + 30.0 * noise(seed) + noise(seed + salt) + shift))]
        })
    };
    let (a, b) = (side("a", 0.0, 50), side("b", 2.0, 99));
    let with = |margin: &str| {
        let mut question = ask(&["load.bytes"]);
        question.margins.add(margin).unwrap();
        compare(&a, &b, &question).unwrap()
    };
    let it = compare(&a, &b, &Question::default()).unwrap();
    let row = only(&it);
    assert_eq!(
        row.verdict,
        Verdict::Equivalent,
        "2 of 100, and pairing takes the large spread away: {row:?}"
    );
    assert!(row.p_adjusted < 0.05, "though it differs");
    assert!(row.paired.as_ref().unwrap().correlation.unwrap() > 0.9);
    assert!(it.failing(FailOn::Worse).is_empty() && it.failing(FailOn::NotEquivalent).is_empty());
    assert_eq!(it.failing(FailOn::Different).len(), 1);
    assert_eq!(only(&with("load.bytes=1")).verdict, Verdict::Worse);
    assert_eq!(only(&with("load.bytes=5")).verdict, Verdict::Equivalent);
    let none = with("load.bytes=none");
    assert_eq!((only(&none).verdict, only(&none).p_margin), (Verdict::Worse, None));
    assert!(none.failing(FailOn::NotEquivalent).is_empty(), "without a margin there is no claim");
}

#[test]
fn what_is_only_known_to_be_larger_is_judged_by_its_order_and_never_called_equal() {
    let a = values("a", 1..=10, |seed| vec![("convergence", seen(20.0 + noise(seed)))]);
    let b = values("b", 1..=10, |seed| {
        vec![("convergence", if seed == 4 { seen(19.0) } else { censored(60.0) })]
    });
    let it = compare(&a, &b, &Question::default()).unwrap();
    let row = only(&it);
    let unknown = row.unknown.unwrap();
    assert_eq!((unknown.more + unknown.less, unknown.untold, unknown.of_a, unknown.of_b), (10, 0, 0, 9));
    assert_eq!((row.verdict, row.ratio, row.p_margin), (Verdict::Worse, None, None));
    assert!(row.b.censored && (row.p - 22.0 / 1024.0).abs() < 1e-9, "nine of ten: {}", row.p);
    assert_eq!(only(&compare(&b, &a, &Question::default()).unwrap()).verdict, Verdict::Better);
    // Given up on before the other one happened: nothing is known of which came first.
    let early = values("c", 1..=10, |_| vec![("convergence", censored(10.0))]);
    let it = compare(&a, &early, &Question::default()).unwrap();
    assert_eq!((only(&it).verdict, only(&it).unknown.unwrap().untold), (Verdict::TooFew, 10));
    assert_eq!(it.failing(FailOn::NotEquivalent).len(), 1);
    let both = compare(
        &early,
        &values("d", 1..=10, |_| vec![("convergence", censored(10.0))]),
        &Question::default(),
    );
    assert_eq!(only(&both.unwrap()).verdict, Verdict::TooFew);
}

#[test]
fn so_few_seeds_that_nothing_could_be_seen_are_told() {
    let side = |side, shift: f64, seeds| {
        values(side, seeds, move |seed| {
            vec![("load.bytes", seen(100.0 + noise(seed) * 9.0 + shift + noise(seed * 7)))]
        })
    };
    let it = compare(&side("a", 0.0, 1..=5), &side("b", 50.0, 1..=5), &Question::default()).unwrap();
    let row = only(&it);
    assert_eq!((row.verdict, row.detectable, it.seeds_needed()), (Verdict::TooFew, None, Some(6)));
    let blind = [FailOn::Worse, FailOn::Different, FailOn::NotEquivalent].map(|on| it.blind(on).len());
    assert_eq!(blind, [1, 1, 0], "what is not shown to be equal fails anyway");
    let it = compare(&side("a", 0.0, 1..=6), &side("b", 50.0, 1..=6), &Question::default()).unwrap();
    assert_eq!(only(&it).verdict, Verdict::Worse, "six of one sign are enough for one metric");
    assert!(it.blind(FailOn::Worse).is_empty() && it.blind(FailOn::Different).is_empty());
    // Five seeds show that it is within its margin, but not whether it differs there.
    let near = values("c", 1..=5, |seed| vec![("load.bytes", seen(100.0 + noise(seed) * 9.0 + 0.1))]);
    let by = values("d", 1..=5, |seed| vec![("load.bytes", seen(100.0 + noise(seed) * 9.0))]);
    let it = compare(&by, &near, &Question::default()).unwrap();
    assert_eq!(only(&it).verdict, Verdict::Equivalent);
    assert_eq!((it.blind(FailOn::Worse).len(), it.blind(FailOn::Different).len()), (0, 1));
    // Neither way is the worse one.
    let sent =
        |side, sent: f64| values(side, 1..=5, move |seed| vec![("event.sent", seen(sent + noise(seed)))]);
    let it = compare(&sent("e", 5.0), &sent("f", 9.0), &Question::default()).unwrap();
    assert_eq!((it.blind(FailOn::Worse).len(), it.blind(FailOn::Different).len()), (0, 1));
}

#[test]
fn the_more_is_asked_the_more_it_takes() {
    let names: Vec<&'static str> =
        METRICS.iter().filter(|m| m.shape == Shape::Value).map(|m| m.name).take(10).collect();
    let side = |side, shift: f64, salt: u64| {
        let names = names.clone();
        values(side, 1..=8, move |seed| {
            let of = |(k, name): (usize, &&'static str)| {
                let own = if k == 0 { shift } else { 3.0 * noise(seed + salt * 31 + k as u64) };
                (*name, seen(100.0 + own))
            };
            names.iter().enumerate().map(of).collect()
        })
    };
    let (a, b) = (side("a", 0.0, 1), side("b", 50.0, 2));
    let first = names[0];
    let alone = compare(&a, &b, &ask(&[first])).unwrap();
    assert_eq!((only(&alone).p, only(&alone).p_adjusted), (2.0 / 256.0, 2.0 / 256.0));
    assert_ne!(only(&alone).verdict, Verdict::TooFew);
    let among = compare(&a, &b, &Question::default()).unwrap();
    let row = among.rows.iter().find(|row| row.metric.name == first).unwrap();
    assert!((row.p_adjusted - 20.0 / 256.0).abs() < 1e-12, "{row:?}");
    assert_eq!((row.verdict, among.seeds_needed()), (Verdict::TooFew, Some(9)));
    assert_eq!(among.blind(FailOn::Different).len(), 10);
}

#[test]
fn other_experiments_are_refused_with_what_differs_and_compared_anyway_if_asked() {
    let a = values("a", 1..=8, |seed| vec![("load.bytes", seen(seed as f64))]);
    let mut b = values("b", 1..=8, |seed| vec![("load.bytes", seen(seed as f64 + 1.0))]);
    b.facts.nodes = 2000;
    b.faults = vec!["crash at 31 s".to_owned()];
    let refusal = compare(&a, &b, &Question::default()).unwrap_err();
    let text = refusal.to_string();
    for part in [
        "cluster.nodes: 1000 in A, 2000 in B",
        "fault[0]: crash at 30 s in A, crash at 31 s in B",
        "--anyway",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let it = compare(&a, &b, &Question { anyway: true, ..Question::default() }).unwrap();
    assert!(it.notes[0].contains("different experiments"), "{:?}", it.notes);
    b.faults.clear();
    assert!(
        compare(&a, &b, &Question::default()).unwrap_err().to_string().contains("faults: 1 in A, 0 in B")
    );
}

#[test]
fn what_differs_and_what_is_left_out_is_noted() {
    let mut a = values("a", 1..=8, |seed| vec![("load.bytes", seen(seed as f64)), ("flaps", seen(0.0))]);
    let mut b =
        values("b", 3..=12, |seed| vec![("load.bytes", seen(seed as f64)), ("suspicions", seen(1.0))]);
    a.facts.settings.insert("default".into(), [("gossip_nodes".to_owned(), "3".to_owned())].into());
    b.facts.settings.insert("default".into(), [("gossip_nodes".to_owned(), "4".to_owned())].into());
    b.facts.version = "0.2.0".into();
    b.runs[0].faults[0].aimed = 9;
    let it = compare(&a, &b, &Question::default()).unwrap();
    assert_eq!(it.seeds, [3, 4, 5, 6, 7, 8]);
    let notes = it.notes.join("\n");
    for part in [
        "B by 0.2.0",
        "Only A has seeds 1-2 (2 of them)",
        "Only B has seeds 9-12",
        "gossip_nodes is 3 in A, 4 in B",
        "fault[0] (crash) met other nodes in 1 of 6 seeds",
        "Only A has values of flaps",
        "Only B has values of suspicions",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let apart = compare(&a, &values("c", 20..=22, |_| vec![("flaps", seen(0.0))]), &Question::default());
    assert!(apart.unwrap_err().to_string().contains("A has seeds 1-8, B has seeds 20-22"));
    let nothing = compare(&a, &b, &ask(&["queue.depth"])).unwrap_err();
    assert!(nothing.to_string().contains("no seed has a value of queue.depth"), "{nothing}");
}

#[test]
fn a_record_is_restricted_to_seeds_that_it_has() {
    let all = values("a", 3..=8, |seed| vec![("load.bytes", seen(seed as f64))]);
    let mut some = all.clone();
    some.restrict(&(4..=6)).unwrap();
    assert_eq!(some.seeds(), [4, 5, 6].into());
    for seeds in [2..=4, 8..=9, 0..=u64::MAX] {
        let mut none = all.clone();
        let refusal = none.restrict(&seeds).unwrap_err().to_string();
        assert!(refusal.contains("it has 3-8") && none == all, "{refusal}");
    }
}

#[test]
fn variants_are_named_or_stand_against_their_own_name() {
    let two = |x: &str, y: &str| {
        let runs = (1..=6).flat_map(|seed| [x, y].map(|name| run(name, seed, 5))).collect();
        Record::of(&Summary::new(&scenario(), "d", runs))
    };
    let (ab, bc) = (two("a", "b"), two("b", "c"));
    let with = |a: Option<&str>, b: Option<&str>| Question {
        variants: (a.map(str::to_owned), b.map(str::to_owned)),
        ..Question::default()
    };
    let it = compare(&ab, &ab, &Question::default()).unwrap();
    assert_eq!(it.variants.len(), 2);
    assert!(it.rows.iter().any(|row| row.variant == "a") && it.rows.iter().any(|row| row.variant == "b"));
    assert_eq!(compare(&ab, &bc, &Question::default()).unwrap().variants, [("b".to_owned(), "b".to_owned())]);
    let it = compare(&ab, &bc, &with(Some("a"), Some("c"))).unwrap();
    assert_eq!((it.variants.len(), it.rows[0].variant.as_str()), (1, ""));
    for (question, part) in [
        (with(Some("x"), Some("c")), "A has no variant \"x\"; it has: a, b"),
        (with(Some("a"), None), "--variant B:b"),
    ] {
        let refusal = compare(&ab, &bc, &question).unwrap_err().to_string();
        assert!(refusal.contains(part), "{refusal}");
    }
    let refusal = compare(&ab, &two("x", "y"), &Question::default()).unwrap_err().to_string();
    assert!(refusal.contains("--variant A:a,B:x"), "{refusal}");
}

#[test]
fn summaries_are_read_back_and_those_of_other_schemas_refused() {
    let summary = Summary::new(&scenario(), "d", (1..=3).map(|seed| run("default", seed, 9)).collect());
    let read = |text: &str| Record::parse(text, "folder");
    let text = summary.to_json();
    let mut fresh = Record::of(&summary);
    fresh.facts.source = "folder".to_owned();
    assert_eq!(read(&text).unwrap(), fresh);
    // What a later program adds does not matter; what it means otherwise does.
    let more = text.replacen("\"holds\"", "\"something_new\": [1, {\"x\": 2}],\n  \"holds\"", 1);
    assert_eq!(read(&more).unwrap(), fresh);
    let schema = |n: u32| text.replacen(&format!("\"schema\": {SCHEMA}"), &format!("\"schema\": {n}"), 1);
    let later = read(&schema(SCHEMA + 1)).unwrap_err();
    assert!(later.contains("knows up to") && later.contains("rumormill-sim 0.1.0"), "{later}");
    assert!(read(&schema(1)).unwrap_err().contains("run it again"));
    for bad in ["", "{}", "[1]", "{\"schema\": 3}", &text[..text.len() / 2], "noise"] {
        let why = read(bad).unwrap_err();
        assert!(why.contains("summary"), "{why}");
    }
    let missing = Record::read(std::path::Path::new("no-such-folder")).unwrap_err();
    assert!(
        matches!(missing, Refusal::Unreadable(..)) && missing.to_string().contains("no-such-folder"),
        "{missing}"
    );
}

#[test]
fn histograms_differ_from_samples_in_nothing_but_their_buckets() {
    let samples = |seed: u64| {
        (0..500u64).map(|k| seen(1.0 + ((k * 7919 + seed) % 1000) as f64 * 0.001_37)).collect::<Vec<_>>()
    };
    let side = |side, coarse: bool| {
        record(side, 1..=8, move |seed, run| {
            let mut list = samples(seed);
            list.sort_by(stats::by_time);
            if coarse {
                histogram::bucket(&mut list);
            }
            run.distributions.insert("event.latency".into(), list);
        })
    };
    let it = compare(&side("a", false), &side("b", true), &Question::default()).unwrap();
    assert!(it.rows.iter().all(|row| row.verdict == Verdict::Same), "{:?}", it.rows);
    assert_eq!(it.rows.len(), 2, "the median and p99");
    let it = compare(&side("a", false), &side("b", false), &Question::default()).unwrap();
    assert!(it.rows.iter().all(|row| row.verdict == Verdict::Same));
}

#[test]
fn json_says_what_the_rows_say() {
    let a =
        values("a", 1..=8, |seed| vec![("load.bytes", seen(seed as f64)), ("convergence", censored(9.0))]);
    let b =
        values("b", 1..=8, |seed| vec![("load.bytes", seen(seed as f64 + 5.0)), ("convergence", seen(4.0))]);
    let it = compare(&a, &b, &Question::default()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&it.to_json()).unwrap();
    assert_eq!(document["seeds"].as_array().unwrap().len(), 8);
    let rows = document["metrics"].as_array().unwrap();
    assert_eq!(
        (rows[0]["metric"].as_str(), rows[0]["verdict"].as_str()),
        (Some("convergence"), Some("better"))
    );
    assert_eq!((rows[0]["unknown"]["less"].as_u64(), rows[0]["a"]["over"].as_f64()), (Some(8), Some(9.0)));
    assert_eq!((rows[1]["mean"].as_f64(), rows[1]["verdict"].as_str()), (Some(5.0), Some("worse")));
    assert_eq!(rows[1]["margin"]["relative"].as_f64(), Some(0.05));
}

/// About normal: the sum of twelve uniform numbers.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0
}

/// Campaigns of ten metrics that hang together, twelve seeds each; B is A's distribution shifted by so many of its standard deviations. Metrics
/// are skewed, as times and counts are.
fn campaign(rng: &mut ChaCha8Rng, names: &[&'static str], shift: f64) -> Comparison {
    let mut sides = [Vec::new(), Vec::new()];
    for _ in 0..12 {
        let shared = normal(rng);
        for (side, moved) in sides.iter_mut().zip([0.0, shift]) {
            let common = normal(rng);
            let one = |name: &&'static str| {
                let own = shared + 0.7 * common + 0.7 * normal(rng);
                (*name, seen(100.0 + 10.0 * (libm::exp(own * 0.3) + moved)))
            };
            side.push(names.iter().map(one).collect::<Vec<_>>());
        }
    }
    let [a, b] = sides;
    let record = |side: &str, of: Vec<Vec<(&'static str, Sample)>>| {
        values(side, 1..=12, move |seed| of[seed as usize - 1].clone())
    };
    compare(&record("a", a), &record("b", b), &Question::default()).unwrap()
}

/// The most of so many trials, of which each has such a chance, but for once in a thousand times (normal approximation).
fn at_most(trials: usize, chance: f64) -> usize {
    let n = trials as f64;
    (n * chance + 3.1 * libm::sqrt(n * chance * (1.0 - chance))).ceil() as usize
}

#[test]
fn alarms_are_false_no_more_often_than_they_may_be_over_many_campaigns() {
    let names: Vec<&'static str> =
        METRICS.iter().filter(|m| m.shape == Shape::Value).map(|m| m.name).take(10).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(2024);
    let trials = 200;
    let alarms = (0..trials)
        .filter(|_| {
            let it = campaign(&mut rng, &names, 0.0);
            it.rows.iter().any(|row| row.p_adjusted <= ALPHA)
        })
        .count();
    assert!(alarms <= at_most(trials, ALPHA), "{alarms} false alarms in {trials} campaigns");
    let seen = (0..20)
        .filter(|_| campaign(&mut rng, &names, 1.5).rows.iter().all(|row| row.p_adjusted <= ALPHA))
        .count();
    assert!(seen >= 18, "what is there is seen: {seen} of 20");
}
