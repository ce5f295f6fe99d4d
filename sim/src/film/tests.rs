use super::*;
use proptest::prelude::{any, prop_assert_eq, proptest};

/// A scenario of a few words: `faults` is TOML.
pub(crate) fn scenario(cluster: &str, faults: &str) -> Scenario {
    let text = format!(
        "name = \"small\"\nwarmup = \"2s\"\nduration = \"60s\"\n[network]\nloss = 0.02\n[cluster]\n{cluster}\n{faults}"
    );
    Scenario::parse(&text, "small.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

const CRASH: &str = "[[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = [\"node-3\"]\n";

/// Clusters in which everything happens that a film can show.
fn many_kinds() -> Vec<Scenario> {
    let restart = "[[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = { pick = 2 }\nfor = \"20s\"\n\
                   [[fault]]\nat = \"9s\"\nkind = \"leave\"\nnodes = { pick = 2 }\n\
                   [[fault]]\nat = \"12s\"\nkind = \"join\"\nnodes = { pick = 3 }\n";
    let cut = "[[fault]]\nat = \"4s\"\nkind = \"partition\"\n\
               partition = { a = { pick = 4 }, b = { rest = true } }\nfor = \"25s\"\n\
               [[fault]]\nat = \"40s\"\nkind = \"restart\"\nnodes = [\"node-0\"]\nstate = \"lost\"\n";
    let sick = "[[fault]]\nat = \"6s\"\nkind = \"pause\"\nnodes = { pick = 2 }\nfor = \"8s\"\nevery = \"15s\"\nrepick = true\n\
                [[fault]]\nat = \"10s\"\nkind = \"block-io\"\nnodes = { pick = 1 }\n\
                [[fault]]\nat = \"20s\"\nkind = \"leave\"\nnodes = { fraction = 0.5 }\n";
    let zones =
        "nodes = 9\nzones = [{ name = \"a\", nodes = 4, label = \"x\" }, { name = \"b\", nodes = 5 }]";
    vec![
        scenario("nodes = 12", restart),
        scenario("nodes = 12\nstart = \"join\"", cut),
        scenario("nodes = 10", sick),
        scenario(zones, CRASH),
        scenario("nodes = 1", ""),
    ]
}

#[test]
fn filming_changes_nothing_and_shows_what_the_meters_saw_at_every_point() {
    for scenario in many_kinds() {
        let film = record(&scenario, 0, 3);
        assert_eq!(film.run, world::run(&scenario, 0, 3));
        assert_eq!((film.end, film.cut_short), (60_000_000, false));
        let series = &film.run.series;
        let mut screen = film.screen();
        for k in 0..series.up.len() {
            screen.advance((k as f64 * series.step * 1e6) as u64);
            let counts = screen.counts();
            let seen = (counts.up, counts.wrong, counts.suspected, counts.false_positives);
            let metered = (series.up[k], series.wrong[k], series.suspects[k], series.false_positives[k]);
            assert_eq!(seen, metered, "{} nodes, point {k}", film.nodes);
        }
        assert!(film.nodes == 1 || series.wrong.iter().any(|wrong| *wrong > 0), "something was to be seen");
    }
}

#[test]
fn counts_for_each_node_sum_up_to_those_of_all() {
    for scenario in many_kinds() {
        let film = record(&scenario, 0, 5);
        let mut screen = film.screen();
        for second in 0..60 {
            screen.advance(second * 1_000_000);
            let nodes = 0..film.nodes;
            let by_subject: u64 = nodes.clone().map(|n| u64::from(screen.suspected_by(n))).sum();
            let failed: u64 = nodes.clone().map(|n| u64::from(screen.failed_at(n))).sum();
            assert_eq!((by_subject, failed), (screen.counts().suspected, screen.counts().failed));
            let live = |o: u32| screen.presence(o) == Presence::Up;
            let recount =
                nodes.clone().filter(|o| live(*o)).flat_map(|o| (0..film.nodes).map(move |s| (o, s)));
            let recount = recount.filter(|(o, s)| screen.view(*o, *s) == View::Failed).count();
            assert_eq!(recount as u64, failed);
        }
    }
}

#[test]
fn a_film_that_is_full_ends_before_the_first_moment_that_it_misses() {
    let scenario = scenario("nodes = 12", CRASH);
    let whole = record(&scenario, 0, 1);
    // Births take 24, the fault two.
    for max in [26, 30, whole.changes.len()] {
        let (run, recorder) = world::run_filmed(&scenario, 0, 1, max, &mut |_| {});
        let film = recorder.develop(&scenario, whole.end, run);
        assert!(film.cut_short && film.end < whole.end && film.changes.len() <= max, "{max}");
        let same = whole.changes.iter().filter(|change| change.at <= film.end).count();
        assert_eq!(film.changes, whole.changes[..same], "{max}");
        assert!(film.faults.iter().all(|fault| fault.at <= film.end));
        assert_eq!(film.run, whole.run);
    }
}

#[test]
fn a_crash_is_told_from_the_fault_to_the_last_who_learns_of_it() {
    let film = record(&scenario("nodes = 5", CRASH), 0, 1);
    let events = film.events();
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    use EventKind::{Agreed, Down, Failed, FaultBegins, Known, Suspected};
    assert_eq!(kinds, [FaultBegins, Down, Suspected, Failed, Known, Agreed]);
    let texts: Vec<String> = events.iter().map(|event| event.text(&film)).collect();
    assert_eq!(texts[..2], ["crash begins: node-3", "node-3 goes down"]);
    assert!(texts[2].starts_with("node-3 suspected by node-"), "{}", texts[2]);
    assert!(texts[3].starts_with("node-3 declared failed by node-"), "{}", texts[3]);
    assert_eq!(texts[4..], ["everybody knows that node-3 is gone", "every view is right"]);
    assert_eq!((events[0].at, events[1].at), (5_000_000, 5_000_000));
    let mut screen = film.screen();
    screen.advance(events[5].at);
    assert_eq!(screen.counts().wrong, 0);
}

#[test]
fn what_is_said_of_the_living_is_told_as_a_mistake_and_taken_back() {
    let cut = "[[fault]]\nat = \"5s\"\nkind = \"partition\"\n\
               partition = { a = [\"node-2\"], b = { rest = true } }\nfor = \"20s\"\nname = \"alone\"\n";
    let film = record(&scenario("nodes = 6", cut), 0, 1);
    let events = film.events();
    let told = |kind| events.iter().find(|event| event.kind == kind && event.nodes.contains(&2));
    assert!(told(EventKind::Failed).is_some_and(|event| event.mistaken));
    assert!(told(EventKind::Cleared).is_some_and(|event| event.at > 25_000_000));
    let ends = events.iter().find(|event| event.kind == EventKind::FaultEnds);
    assert_eq!(ends.map(|event| event.text(&film)), Some("alone (partition) ends: 6 nodes".to_owned()));
}

#[test]
fn however_much_happens_the_list_of_events_stays_short() {
    let storm = "[[fault]]\nat = \"3s\"\nkind = \"pause\"\nnodes = { pick = 12 }\nfor = \"4s\"\nevery = \"5s\"\nrepick = true\n\
                 [[fault]]\nat = \"3s\"\nkind = \"slow\"\nnodes = { pick = 1 }\n\
                 extra = { kind = \"constant\", value = \"10ms\" }\nfor = \"20ms\"\nevery = \"50ms\"\n";
    let film = record(&scenario("nodes = 60\nprofile = \"local\"", storm), 0, 1);
    let events = film.events();
    assert!(film.faults.len() > 1000 && (20..=400).contains(&events.len()), "{}", events.len());
    assert!(events.iter().all(|event| event.nodes.len() <= 20 && event.at <= event.until));
    assert!(events.is_sorted_by_key(|event| event.at));
    let again = events.iter().any(|e| e.text(&film).starts_with("slow begins, again and again: node-"));
    assert!(again, "repetitions are told together");
}

proptest! {
    #[test]
    fn spans_are_the_nodes_that_they_were_made_of(there in proptest::collection::vec(any::<bool>(), 0..40)) {
        let nodes = || (0u32..).zip(&there).filter(|(_, there)| **there).map(|(node, _)| node);
        let spans = Span::of(nodes());
        prop_assert_eq!(spans.iter().flat_map(|span| span.nodes()).collect::<Vec<_>>(), nodes().collect::<Vec<_>>());
        prop_assert_eq!(spans.windows(2).all(|two| two[0].first + two[0].count < two[1].first), true);
    }
}
