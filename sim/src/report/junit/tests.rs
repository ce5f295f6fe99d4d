use super::*;
use crate::record::Violation;
use crate::report::synthetic::{run, scenario};
use quick_xml::Reader;

/// An element as a reader finds it: its names from the root, its attributes, the text in it.
#[derive(Debug, Default)]
struct Element {
    path: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

fn read(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut open, mut all): (Vec<String>, Vec<usize>, Vec<Element>) = Default::default();
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}"));
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                path.push(start.name().0.to_owned());
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{error}"));
                    let key = attribute.key.0.to_owned();
                    (key, quick_xml::escape::unescape(&attribute.value).unwrap().into_owned())
                });
                open.push(all.len());
                all.push(Element {
                    path: path.join("/"),
                    attributes: attributes.collect(),
                    text: String::new(),
                });
                if empty {
                    path.pop();
                    open.pop();
                }
            }
            Event::End(_) => {
                path.pop();
                open.pop();
            }
            Event::Text(text) => {
                let text: String = text.into_inner().into_owned();
                if let Some(at) = open.last() {
                    all[*at].text.push_str(&text);
                }
            }
            Event::GeneralRef(of) => {
                let of: String = of.into_inner().into_owned();
                if let Some(at) = open.last() {
                    let resolved = quick_xml::escape::unescape(&format!("&{of};")).unwrap().into_owned();
                    all[*at].text.push_str(&resolved);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(path.is_empty(), "every element is closed");
    all
}

/// The structure that Jenkins', GitLab's and GitHub's readers share: counts that add up, and nothing that they do not know.
fn check_structure(elements: &[Element]) {
    assert_eq!(elements[0].path, "testsuites");
    let at = |path: &str| elements.iter().filter(|e| e.path == path).collect::<Vec<_>>();
    for (of, below) in [
        ("testsuites", "testsuites/testsuite/testcase"),
        ("testsuites/testsuite", "testsuites/testsuite/testcase"),
    ] {
        let sum = |name: &str| at(of).iter().map(|e| e.get(name).parse::<usize>().unwrap()).sum::<usize>();
        assert_eq!(sum("tests"), at(below).len());
        assert_eq!(sum("failures"), at(&format!("{below}/failure")).len());
        assert_eq!(sum("skipped"), at(&format!("{below}/skipped")).len());
        assert_eq!(sum("errors"), 0);
    }
    let known: &[(&str, &[&str])] = &[
        ("testsuites", &["name", "tests", "failures", "errors", "skipped"]),
        ("testsuites/testsuite", &["name", "tests", "failures", "errors", "skipped"]),
        ("testsuites/testsuite/properties", &[]),
        ("testsuites/testsuite/properties/property", &["name", "value"]),
        ("testsuites/testsuite/testcase", &["classname", "name"]),
        ("testsuites/testsuite/testcase/failure", &["message", "type"]),
        ("testsuites/testsuite/testcase/skipped", &["message"]),
    ];
    for element in elements {
        let (_, attributes) = known.iter().find(|(path, _)| *path == element.path).expect(&element.path);
        let names: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, *attributes, "{}", element.path);
        assert!(
            element.path.ends_with("property") || attributes.iter().all(|name| !element.get(name).is_empty())
        );
    }
}

#[test]
fn what_holds_is_a_case_for_each_rule_and_variant() {
    let runs = (1..=3).flat_map(|seed| ["a", "b"].map(|variant| run(variant, seed, 20))).collect();
    let xml = junit(&[Summary::new(&scenario(), "d", runs)]).unwrap();
    let elements = read(&xml);
    check_structure(&elements);
    let cases: Vec<(&str, &str)> = elements
        .iter()
        .filter(|e| e.path.ends_with("testcase"))
        .map(|e| (e.get("classname"), e.get("name")))
        .collect();
    // Two expectations, one invariant and one fault, of two variants.
    assert_eq!(cases.len(), 8, "{cases:?}");
    assert!(cases.contains(&("lan-1000-churn.b", "invariant 7: quiet time")));
    assert!(cases.contains(&("lan-1000-churn.a", "fault[0] acts: crash")));
    assert!(
        cases.iter().any(|(class, name)| *class == "lan-1000-churn.a" && name.starts_with("flaps equals 0"))
    );
    assert_eq!(elements[0].get("failures"), "0");
    assert!(!xml.contains("time="), "nothing that differs from run to run");
}

#[test]
fn what_does_not_hold_says_what_was_seen_and_how_to_rerun_it() {
    let mut bad = run("default", 2, 20);
    bad.values.insert("flaps".to_owned(), crate::stats::seen(3.0));
    bad.invariants[0].violations = 2;
    bad.invariants[0].first =
        Some(Violation { at: 41.5, node: "node-3".to_owned(), what: "a & b".to_owned() });
    bad.faults[0].did.clear();
    let summary = Summary::new(&scenario(), "d", vec![run("default", 1, 20), bad]);
    let elements = read(&junit(std::slice::from_ref(&summary)).unwrap());
    check_structure(&elements);
    let failures: Vec<&Element> = elements.iter().filter(|e| e.path.ends_with("failure")).collect();
    let kinds: Vec<&str> = failures.iter().map(|f| f.get("type")).collect();
    assert_eq!(kinds, ["expectation", "invariant", "idle fault"]);
    assert!(failures[0].get("message").starts_with("observed 3, expected flaps equals 0"), "{failures:?}");
    assert!(failures[1].text.contains("at 41.5 s, node-3: a & b"), "{failures:?}");
    for failure in failures {
        let rerun = "to rerun it: rumor-sim run lan-1000-churn.toml --seed 2 --seeds 1";
        assert!(failure.text.contains(rerun), "{failure:?}");
    }
    let empty = read(&junit(&[Summary::new(&scenario(), "d", Vec::new())]).unwrap());
    assert_ne!(empty[0].get("failures"), "0", "nothing run is nothing held");
    assert_eq!(read(&junit(&[]).unwrap()).len(), 1);
}

#[test]
fn what_does_not_apply_is_skipped_and_what_may_be_idle_is_no_case() {
    let mut runs = [run("default", 1, 20), run("default", 2, 20)];
    for run in &mut runs {
        run.invariants[0].not_applicable = Some("no anti-entropy".to_owned());
        run.faults[0].may_be_idle = true;
    }
    let elements = read(&junit(&[Summary::new(&scenario(), "d", runs.to_vec())]).unwrap());
    check_structure(&elements);
    let skipped: Vec<&Element> = elements.iter().filter(|e| e.path.ends_with("skipped")).collect();
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].get("message"), "not applicable: no anti-entropy");
    assert!(elements.iter().all(|e| !e.get("name").starts_with("fault[")));
    // What applies in one seed was tested.
    runs[1].invariants[0].not_applicable = None;
    let elements = read(&junit(&[Summary::new(&scenario(), "d", runs.to_vec())]).unwrap());
    assert_eq!(elements[0].get("skipped"), "0");
}

#[test]
fn no_text_breaks_out_of_the_document() {
    let mut scenario = scenario();
    let nasty = "]]></failure><x a='1'>\"&amp; \u{0}\u{1b}[31m\u{ffff}\n\tso on";
    scenario.about = nasty.to_owned();
    scenario.source = nasty.to_owned();
    let mut bad = run("default", 1, 20);
    bad.invariants[0].violations = 1;
    bad.invariants[0].name = nasty.to_owned();
    bad.faults[0].name = nasty.to_owned();
    let elements = read(&junit(&[Summary::new(&scenario, "d", vec![bad])]).unwrap());
    check_structure(&elements);
    let kept = nasty.replace(['\u{0}', '\u{1b}', '\u{ffff}'], "\u{fffd}");
    let about = elements.iter().find(|e| e.get("name") == "about").unwrap();
    assert_eq!(about.get("value"), kept);
    let failure = elements.iter().find(|e| e.path.ends_with("failure")).unwrap();
    assert!(failure.text.contains(&kept), "{failure:?}");
}
