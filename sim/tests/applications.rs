//! Applications of a user of the library: when they are called, that what they want is done, and that runs stay values.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rumormill_core::error::CommandError;
use rumormill_core::io::{CommandId, Done, Event, QueryRequest, Status};
use rumormill_core::tags::Tags;
use rumormill_sim::application::{self, Application, Context, Outcome};
use rumormill_sim::{Scenario, world};

fn scenario(more: &str) -> Scenario {
    let text = format!("name = \"test\"\nduration = \"40s\"\n[cluster]\nnodes = 6\n{more}");
    Scenario::parse(&text, "test.toml", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

type Log = Rc<RefCell<Vec<String>>>;

/// Does what closures say, and writes down what it is told.
struct Scripted {
    log: Log,
    started: fn(&mut Context<'_>),
    heard: fn(&Event<'_>, &mut Context<'_>),
    called: fn(u32, &mut Context<'_>),
}

impl Scripted {
    fn write(&self, context: &Context<'_>, what: &str) {
        self.log.borrow_mut().push(format!("{:.3} {} {what}", context.now().as_secs_f64(), context.name()));
    }
}

impl Application for Scripted {
    fn started(&mut self, context: &mut Context<'_>) {
        self.write(context, "started");
        (self.started)(context);
    }

    fn event(&mut self, event: &Event<'_>, context: &mut Context<'_>) {
        let what = match event {
            Event::Join { member, .. } => format!("join {}", member.name),
            Event::Leave { member } => format!("leave {}", member.name),
            Event::Failed { member, .. } => format!("failed {}", member.name),
            Event::Update { member } => format!("update {}", member.name),
            Event::User { name, payload, origin, .. } => {
                format!("event {name} {} of {origin}", String::from_utf8_lossy(payload))
            }
            Event::Query { name, from, .. } => format!("query {name} of {from}"),
            Event::Answer { from, payload, .. } => {
                format!("answer {} of {from}", String::from_utf8_lossy(payload))
            }
            Event::Ack { from, .. } => format!("ack of {from}"),
            _ => "else".to_owned(),
        };
        self.write(context, &what);
        (self.heard)(event, context);
    }

    fn completed(&mut self, _: CommandId, result: &Result<Done, CommandError>, context: &mut Context<'_>) {
        let what = match result {
            Ok(Done::QueryOver(tally)) => format!("over with {} answers", tally.responses),
            Ok(Done::EventSent { .. }) => "sent".to_owned(),
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        self.write(context, &what);
    }

    fn called_back(&mut self, token: u32, context: &mut Context<'_>) {
        self.write(context, &format!("called back {token}"));
        (self.called)(token, context);
    }
}

fn nothing(_: &mut Context<'_>) {}
fn ignore(_: &Event<'_>, _: &mut Context<'_>) {}
fn idle(_: u32, _: &mut Context<'_>) {}

fn run(
    scenario: &Scenario,
    seed: u64,
    started: fn(&mut Context<'_>),
    heard: fn(&Event<'_>, &mut Context<'_>),
    called: fn(u32, &mut Context<'_>),
) -> (Outcome, Vec<String>) {
    let log = Log::default();
    let outcome = application::run(scenario, 0, seed, &mut |_| {
        Some(Box::new(Scripted { log: log.clone(), started, heard, called }))
    });
    let lines = log.borrow().clone();
    (outcome, lines)
}

fn count(lines: &[String], part: &str) -> usize {
    lines.iter().filter(|line| line.contains(part)).count()
}

const CRASH: &str = "[[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = [\"node-3\"]\n";

#[test]
fn who_only_listens_changes_nothing() {
    let scenario = scenario(&format!(
        "{CRASH}[[workload]]\nkind = \"event\"\nevery = \"1s\"\nfrom = {{ pick = 1 }}\n\
         [[workload]]\nkind = \"query\"\nevery = \"7s\"\nfrom = {{ pick = 1 }}\n"
    ));
    let (outcome, lines) = run(&scenario, 3, nothing, ignore, idle);
    assert_eq!(outcome.record, world::run(&scenario, 0, 3));
    assert!(outcome.problems().is_empty());
    assert_eq!((count(&lines, "started"), count(&lines, "failed node-3")), (6, 5), "{lines:?}");
    assert!(outcome.record.ratios["query.coverage"].hits > 0, "queries of workloads are answered");
    for what in [" event ", " query ", " answer ", " ack "] {
        assert_eq!(count(&lines, what), 0, "what workloads do is not an application's: {lines:?}");
    }
    let nobody = application::run(&scenario, 0, 3, &mut |_| None);
    assert_eq!(nobody.record, outcome.record);
}

#[test]
fn events_queries_answers_and_tags_go_all_the_way() {
    let started = |context: &mut Context<'_>| {
        if context.number() == 2 {
            context.user_event("deploy", b"v2");
            context.query(QueryRequest { name: "load".into(), ack: true, ..QueryRequest::default() });
            context.set_tags(Tags::from_iter([("role", "db")]));
        }
    };
    let heard = |event: &Event<'_>, context: &mut Context<'_>| {
        if let Event::Query { query, .. } = event {
            if context.number() == 5 {
                context.decline(*query);
            } else {
                context.respond(*query, context.name().to_owned().as_bytes());
            }
        }
    };
    let (outcome, lines) = run(&scenario(""), 1, started, heard, idle);
    assert!(outcome.problems().is_empty(), "{:?}", outcome.problems());
    assert_eq!(count(&lines, "event deploy v2 of node-2"), 6, "its sender is told, too: {lines:?}");
    assert_eq!(count(&lines, "update node-2"), 5, "{lines:?}");
    assert_eq!((count(&lines, "answer node-"), count(&lines, "over with 5 answers")), (5, 1), "{lines:?}");
    assert!(count(&lines, "node-2 sent") == 1 && count(&lines, "node-2 done") >= 1, "{lines:?}");
}

#[test]
fn a_process_that_comes_back_is_a_new_one_and_old_timers_do_not_reach_it() {
    let started = |context: &mut Context<'_>| context.call_back(Duration::from_secs(20), context.number());
    let more = CRASH.replace("at = \"5s\"", "at = \"5s\"\nfor = \"10s\"");
    let (outcome, lines) = run(&scenario(&more), 1, started, ignore, idle);
    assert!(outcome.problems().is_empty());
    let of_three: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| line.contains(" node-3 ")).collect();
    let own: Vec<&str> =
        of_three.into_iter().filter(|l| l.contains("started") || l.contains("called")).collect();
    assert_eq!(own, ["0.000 node-3 started", "15.000 node-3 started", "35.000 node-3 called back 3"]);
    assert_eq!(count(&lines, "20.000 node-1 called back 1"), 1);
}

#[test]
fn timers_go_by_the_node_s_clock_and_wait_for_a_process_that_stands_still() {
    let started = |context: &mut Context<'_>| context.call_back(Duration::from_secs(1), 0);
    let called = |token: u32, context: &mut Context<'_>| {
        if token == 0 {
            context.call_back(Duration::from_secs(9), 1);
        }
    };
    let pause = "[[fault]]\nat = \"5s\"\nfor = \"7s\"\nkind = \"pause\"\nnodes = [\"node-1\"]\n\
        [[fault]]\nat = \"0s\"\nkind = \"clock\"\nrate = 1.1\nnodes = [\"node-2\"]\n";
    let (outcome, lines) = run(&scenario(pause), 1, started, ignore, called);
    assert!(outcome.problems().is_empty());
    assert!(lines.contains(&"12.000 node-1 called back 1".to_owned()), "{lines:?}");
    let fast = lines.iter().position(|line| line.contains("node-2 called back 1")).unwrap();
    let right = lines.iter().position(|line| line.contains("node-0 called back 1")).unwrap();
    assert!(fast < right, "{lines:?}");
}

#[test]
fn leaving_is_told_and_ends_the_process() {
    let started = |context: &mut Context<'_>| context.call_back(Duration::from_secs(5), 0);
    let called = |_: u32, context: &mut Context<'_>| {
        if context.number() == 4 {
            context.leave();
        }
        context.call_back(Duration::from_secs(20), 1);
    };
    let (outcome, lines) = run(&scenario(""), 1, started, ignore, called);
    assert!(outcome.problems().is_empty(), "{:?}", outcome.problems());
    assert_eq!(count(&lines, "leave node-4"), 5, "{lines:?}");
    assert_eq!(count(&lines, "node-4 called back 1"), 0, "{lines:?}");
    assert_eq!(outcome.record.values["members.wrong.end"].value, 0.0);
}

#[test]
fn ground_truth_finds_what_a_node_cannot_know() {
    let started = |context: &mut Context<'_>| context.call_back(Duration::from_secs(1), 0);
    let called = |_: u32, context: &mut Context<'_>| {
        let up: Vec<String> = context
            .members()
            .filter(|member| member.status == Status::Alive)
            .map(|member| member.identity.name.as_str().to_owned())
            .collect();
        for name in up {
            let really = context.is_really_up(&name);
            context.check(really, || format!("believes in {name}"));
        }
        context.call_back(Duration::from_secs(1), 0);
    };
    let (outcome, _) = run(&scenario(CRASH), 1, started, ignore, called);
    assert!(outcome.violated > 5, "nobody knows of a crash at once");
    let first = &outcome.violations[0];
    assert_eq!((first.at, first.what.as_str()), (5.0, "believes in node-3"), "{first:?}");
    let line = &outcome.problems()[0];
    assert!(line.starts_with("seed 1, 5.000 s, node-") && line.ends_with(": believes in node-3"), "{line}");
    let last = outcome.violations.last().unwrap();
    assert!(last.at < 30.0, "later everybody does: {last:?}");
}

#[test]
fn equal_seeds_give_equal_calls() {
    let started = |context: &mut Context<'_>| {
        let wait = context.random() % 3000;
        context.call_back(Duration::from_millis(wait), 7);
    };
    let called = |_: u32, context: &mut Context<'_>| {
        let number = context.random() % 100;
        context.user_event("n", number.to_string().as_bytes());
        context.call_back(Duration::from_millis(1500 + number), 7);
    };
    let with = |seed| run(&scenario("[network]\nloss = 0.05\n"), seed, started, ignore, called);
    let (one, two) = (with(5), with(5));
    assert_eq!(one, two);
    assert!(one.0.problems().is_empty(), "{:?}", one.0.problems());
    assert_ne!(one.1, with(6).1);
    assert_ne!(one.0.record.digest, world::run(&scenario("[network]\nloss = 0.05\n"), 0, 5).digest);
}

/// Whatever became of its user event, it sends another one.
struct Again;

impl Application for Again {
    fn started(&mut self, context: &mut Context<'_>) {
        context.user_event("again", b"");
    }

    fn event(&mut self, _: &Event<'_>, _: &mut Context<'_>) {}

    fn completed(&mut self, _: CommandId, _: &Result<Done, CommandError>, context: &mut Context<'_>) {
        context.user_event("again", b"");
    }
}

#[test]
fn nothing_runs_for_ever() {
    let outcome = application::run(&scenario(""), 0, 1, &mut |node| {
        (node == 0).then(|| Box::new(Again) as Box<dyn Application>)
    });
    let found = outcome.problems();
    assert!(found.iter().any(|p| p.contains("more than 10000 times at one moment")), "{found:?}");

    let started = |context: &mut Context<'_>| {
        (0..2000).for_each(|k| context.call_back(Duration::from_secs(k), 0));
        context.user_event("e", b"");
    };
    let (outcome, lines) = run(&scenario(""), 1, started, ignore, idle);
    let found = outcome.problems();
    assert!(found.iter().any(|p| p.contains("more than 256 commands in one call")), "{found:?}");
    assert!(found.iter().any(|p| p.contains("belongs to workloads")), "{found:?}");
    assert_eq!(count(&lines, "called back"), 6 * 40, "within the measured time");
    assert!(found.len() <= 101);

    // Each call asks for two more.
    let called = |_: u32, context: &mut Context<'_>| {
        (0..2).for_each(|_| context.call_back(Duration::from_secs(1), 0));
    };
    let started = |context: &mut Context<'_>| context.call_back(Duration::from_secs(1), 0);
    let (outcome, _) = run(&scenario(""), 1, started, ignore, called);
    assert!(outcome.problems().iter().any(|p| p.contains("more than 1024 timers at a time")));
}
