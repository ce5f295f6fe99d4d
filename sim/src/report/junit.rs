//! JUnit XML, as continuous integration reads it: a suite per scenario; a case per expectation, invariant and fault that had to act, of
//! each variant.
//!
//! No case has a time: the same runs give the same bytes.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::figures::observed;
use crate::expect::Verdict;
use crate::record::RunRecord;
use crate::summary::Summary;

/// Seeds that a failure names; more are counted.
const SEEDS: usize = 20;

/// What became of one case.
enum Outcome {
    Held,
    /// Why it does not apply.
    Skipped(String),
    Failed(Failure),
}

/// Why a case failed: a line, what kind of rule it was, and all that helps.
struct Failure {
    message: String,
    kind: &'static str,
    text: String,
}

/// A test case.
struct Case {
    /// Scenario and variant.
    class: String,
    name: String,
    outcome: Outcome,
}

type Xml = Writer<Vec<u8>>;

/// The summaries as one JUnit document: `testsuites`, `testsuite` with its `properties`, `testcase` with `failure` or `skipped`. A failure
/// has what was observed and expected, and the line that reruns the first seed that failed.
///
/// # Errors
/// None that can be met: it is written into memory.
pub fn junit(summaries: &[Summary]) -> io::Result<String> {
    let suites: Vec<(&Summary, Vec<Case>)> =
        summaries.iter().map(|summary| (summary, cases(summary))).collect();
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
    let counts = counts(&all);
    let root = xml.create_element("testsuites").with_attribute(("name", "rumor-sim"));
    root.with_attributes(counts.iter().map(|(name, count)| (*name, count.as_str()))).write_inner_content(
        |xml| suites.iter().try_for_each(|(summary, cases)| suite(xml, summary, cases)),
    )?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

fn counts(cases: &[&Case]) -> [(&'static str, String); 4] {
    let of =
        |meant: fn(&Outcome) -> bool| cases.iter().filter(|case| meant(&case.outcome)).count().to_string();
    [
        ("tests", cases.len().to_string()),
        ("failures", of(|outcome| matches!(outcome, Outcome::Failed(_)))),
        ("errors", "0".to_owned()),
        ("skipped", of(|outcome| matches!(outcome, Outcome::Skipped(_)))),
    ]
}

fn suite(xml: &mut Xml, summary: &Summary, cases: &[Case]) -> io::Result<()> {
    let counts = counts(&cases.iter().collect::<Vec<_>>());
    let facts = &summary.scenario;
    let name = clean(&facts.name);
    let element = xml.create_element("testsuite").with_attribute(("name", name.as_str()));
    element.with_attributes(counts.iter().map(|(name, count)| (*name, count.as_str()))).write_inner_content(
        |xml| {
            let seeds = super::figures::seeds(&summary.seeds);
            let properties = [
                ("about", facts.about.as_str()),
                ("source", facts.source.as_str()),
                ("seeds", seeds.as_str()),
                ("version", summary.version.as_str()),
                ("digest", facts.digest.as_str()),
            ];
            xml.create_element("properties").write_inner_content(|xml| {
                properties.into_iter().try_for_each(|(name, value)| {
                    let value = clean(value);
                    let element = xml.create_element("property").with_attribute(("name", name));
                    element.with_attribute(("value", value.as_str())).write_empty().map(drop)
                })
            })?;
            cases.iter().try_for_each(|one| case(xml, one))
        },
    )?;
    Ok(())
}

fn case(xml: &mut Xml, case: &Case) -> io::Result<()> {
    let (class, name) = (clean(&case.class), clean(&case.name));
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", class.as_str()))
        .with_attribute(("name", name.as_str()));
    match &case.outcome {
        Outcome::Held => element.write_empty()?,
        Outcome::Skipped(why) => element.write_inner_content(|xml| {
            let why = clean(why);
            xml.create_element("skipped").with_attribute(("message", why.as_str())).write_empty().map(drop)
        })?,
        Outcome::Failed(failure) => element.write_inner_content(|xml| {
            let (message, text) = (clean(&failure.message), clean(&failure.text));
            xml.create_element("failure")
                .with_attribute(("message", message.as_str()))
                .with_attribute(("type", failure.kind))
                .write_text_content(BytesText::new(&text))
                .map(drop)
        })?,
    };
    Ok(())
}

/// What XML 1.0 cannot hold, however it is written, becomes a replacement character.
fn clean(text: &str) -> String {
    let holds = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if holds(c) { c } else { '\u{fffd}' }).collect()
}

fn cases(summary: &Summary) -> Vec<Case> {
    let mut all: Vec<Case> =
        summary.expectations.iter().map(|verdict| expectation(summary, verdict)).collect();
    for variant in &summary.variants {
        let runs = summary.runs_of(variant);
        let class = class(summary, variant);
        let numbers = runs.iter().map(|run| run.invariants.len()).max().unwrap_or(0);
        all.extend((0..numbers).filter_map(|place| invariant(summary, &class, &runs, place)));
        let faults = runs.iter().map(|run| run.faults.len()).max().unwrap_or(0);
        all.extend((0..faults).filter_map(|place| fault(summary, &class, &runs, place)));
    }
    if summary.runs.is_empty() {
        let failure = Failure { message: "nothing was run".to_owned(), kind: "run", text: String::new() };
        let class = summary.scenario.name.clone();
        all.push(Case { class, name: "something was run".to_owned(), outcome: Outcome::Failed(failure) });
    }
    all
}

fn class(summary: &Summary, variant: &str) -> String {
    format!("{}.{variant}", summary.scenario.name)
}

fn expectation(summary: &Summary, verdict: &Verdict) -> Case {
    let outcome = if verdict.held {
        Outcome::Held
    } else {
        let mut text = format!("expected: {}\nobserved: {}\n", verdict.clause, observed(verdict));
        if let Some(remark) = &verdict.remark {
            text.push_str(&format!("because: {remark}\n"));
        }
        if verdict.line > 0 {
            text.push_str(&format!("stated in line {} of the scenario\n", verdict.line));
        }
        text.push_str(&seeds_and_rerun(summary, &verdict.failing_seeds));
        let message = format!("observed {}, expected {}", observed(verdict), verdict.clause);
        Outcome::Failed(Failure { message, kind: "expectation", text })
    };
    Case { class: class(summary, &verdict.variant), name: verdict.clause.clone(), outcome }
}

fn invariant(summary: &Summary, class: &str, runs: &[&RunRecord], place: usize) -> Option<Case> {
    let found: Vec<_> = runs.iter().filter_map(|run| Some((run.seed, run.invariants.get(place)?))).collect();
    let (_, one) = found.first()?;
    let violated: Vec<_> = found.iter().filter(|(_, outcome)| outcome.violations > 0).collect();
    let outcome = if let Some((seed, worst)) = violated.first() {
        let seeds: Vec<u64> = violated.iter().map(|(seed, _)| *seed).collect();
        let first = worst.first.as_ref().map_or_else(String::new, |first| {
            format!("first violation, seed {seed}: at {} s, {}: {}\n", first.at, first.node, first.what)
        });
        let total: u64 = violated.iter().map(|(_, outcome)| outcome.violations).sum();
        let message = format!("{total} violations in {} of {} seeds", seeds.len(), found.len());
        let text = format!("{first}{}", seeds_and_rerun(summary, &seeds));
        Outcome::Failed(Failure { message, kind: "invariant", text })
    } else if let Some(why) =
        found.iter().try_fold(None, |_, (_, i)| i.not_applicable.as_ref().map(Some)).flatten()
    {
        Outcome::Skipped(format!("not applicable: {why}"))
    } else {
        Outcome::Held
    };
    Some(Case { class: class.to_owned(), name: format!("invariant {}: {}", one.number, one.name), outcome })
}

/// Of a fault that may be idle there is nothing to be tested.
fn fault(summary: &Summary, class: &str, runs: &[&RunRecord], place: usize) -> Option<Case> {
    let found: Vec<_> = runs.iter().filter_map(|run| Some((run.seed, run.faults.get(place)?))).collect();
    let (_, one) = found.first()?;
    if one.may_be_idle {
        return None;
    }
    let name = if one.name.is_empty() { one.kind.clone() } else { format!("{} ({})", one.name, one.kind) };
    let idle: Vec<u64> = found.iter().filter(|(_, fault)| !fault.acted()).map(|(seed, _)| *seed).collect();
    let outcome = if idle.is_empty() {
        Outcome::Held
    } else {
        let message = format!("it touched nothing in {} of {} seeds", idle.len(), found.len());
        Outcome::Failed(Failure { message, kind: "idle fault", text: seeds_and_rerun(summary, &idle) })
    };
    Some(Case { class: class.to_owned(), name: format!("fault[{}] acts: {name}", one.index), outcome })
}

/// Which seeds failed, and the line that reruns the first of them.
fn seeds_and_rerun(summary: &Summary, seeds: &[u64]) -> String {
    let Some(first) = seeds.first() else { return String::new() };
    let more = if seeds.len() > SEEDS { format!(" and {} more", seeds.len() - SEEDS) } else { String::new() };
    let told = super::figures::seeds(&seeds[..seeds.len().min(SEEDS)]);
    format!(
        "seeds: {told}{more}\nto rerun it: rumor-sim run {} --seed {first} --seeds 1\n",
        summary.scenario.source
    )
}

#[cfg(test)]
mod tests;
