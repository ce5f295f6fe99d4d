//! Real scripts, told of made-up events.

use std::fs;
use std::path::{Path, PathBuf};

use rumormill_core::id::{Identity, Incarnation, LamportTime, NodeName, Versions};
use rumormill_core::io::{QueryId, Status};
use rumormill_core::tags::Tags;
use tempfile::TempDir;

use super::lanes::Answer;
use super::*;
use crate::event::{Chance, Event, MemberEvent, MemberEventKind, QueryEvent, UserEvent};
use crate::member::Member;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(30);

fn user(name: &str, payload: &[u8]) -> Event {
    Event::User(UserEvent {
        ltime: LamportTime(3),
        origin: "them".into(),
        name: name.into(),
        payload: payload.into(),
        coalesce: false,
    })
}

fn query(payload: &[u8], time: Duration) -> Event {
    Event::Query(QueryEvent {
        id: QueryId { ltime: LamportTime(4), id: 5 },
        from: "them".into(),
        name: "load".into(),
        payload: payload.into(),
        deadline: Instant::now() + time,
        chance: Chance::nobodys(),
    })
}

/// Handlers that run in a folder of their own, without an agent.
struct Bench {
    folder: TempDir,
    handlers: Handlers,
    lanes: Lanes,
    answers: mpsc::Receiver<Answer>,
}

impl Bench {
    /// `DIR` in a script is the folder.
    fn new(specs: &[&str], limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap();
        let specs = specs.iter().map(|spec| HandlerSpec::parse(&spec.replace("DIR", dir)).unwrap()).collect();
        let handlers = Handlers::new(specs, limits);
        let (sender, answers) = mpsc::channel(ANSWERS_MAX);
        let mut lanes = Lanes::new(handlers.shared.clone(), sender);
        lanes.replace(&handlers.specs());
        Self { folder, handlers, lanes, answers }
    }

    fn tell(&mut self, event: &Event) {
        self.lanes.dispatch(event, "us", &Tags::from_iter([("role", "web")]));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn finish(self) -> (TempDir, Counts) {
        self.lanes.finish().await;
        (self.folder, self.handlers.counts())
    }
}

fn limits() -> Limits {
    Limits { grace: Duration::from_millis(100), shutdown: PATIENCE, ..Limits::default() }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn is_running(pid_file: &Path) -> bool {
    let pid = text(pid_file);
    let stat = text(Path::new(&format!("/proc/{}/stat", pid.trim())));
    // A killed process may stay as a zombie where init does not reap.
    !stat.is_empty() && !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
}

#[tokio::test]
async fn a_handler_sees_events_in_order_and_one_at_a_time() {
    let script = "user=mkdir DIR/lock && cat >> DIR/seen && rmdir DIR/lock";
    let mut bench = Bench::new(&[script], limits());
    for n in 0..50 {
        bench.tell(&user("count", n.to_string().as_bytes()));
    }
    bench.tell(&query(b"not for it", PATIENCE));
    let (folder, counts) = bench.finish().await;
    let expected: String = (0..50).map(|n| format!("{n}\n")).collect();
    assert_eq!(text(&folder.path().join("seen")), expected);
    assert_eq!(counts, Counts { started: 50, ..Counts::default() });
}

#[tokio::test]
async fn handlers_run_at_once_and_none_holds_up_another() {
    // The first waits for what the second does.
    let first = "*=until [ -e DIR/second ]; do sleep 0.01; done; touch DIR/first";
    let mut bench = Bench::new(&[first, "*=touch DIR/second"], limits());
    bench.tell(&user("go", b""));
    let (folder, counts) = bench.finish().await;
    assert!(folder.path().join("first").exists());
    assert_eq!(counts, Counts { started: 2, ..Counts::default() });
}

#[tokio::test]
async fn no_more_run_at_once_than_may() {
    let script = |n: u8| format!("*=mkdir DIR/lock && sleep 0.02 && rmdir DIR/lock && touch DIR/{n}");
    let scripts: Vec<String> = (0..5).map(script).collect();
    let specs: Vec<&str> = scripts.iter().map(String::as_str).collect();
    let mut bench = Bench::new(&specs, Limits { concurrent: 1, ..limits() });
    bench.tell(&user("go", b""));
    let (folder, counts) = bench.finish().await;
    assert_eq!(counts, Counts { started: 5, ..Counts::default() });
    assert!((0..5).all(|n| folder.path().join(n.to_string()).exists()));
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let block = "*=until [ -e DIR/go ]; do sleep 0.01; done; cat >> DIR/seen";
    let mut bench = Bench::new(&[block], Limits { queue: 2, ..limits() });
    bench.tell(&user("e", b"0"));
    let handlers = bench.handlers.clone();
    until("the first run", || handlers.counts().started == 1).await;
    for n in 1..10 {
        bench.tell(&user("e", n.to_string().as_bytes()));
    }
    assert_eq!(handlers.counts().dropped, 7);
    fs::write(bench.path("go"), "").unwrap();
    let (folder, counts) = bench.finish().await;
    assert_eq!(text(&folder.path().join("seen")), "0\n1\n2\n");
    assert_eq!(counts, Counts { started: 3, dropped: 7, ..Counts::default() });
}

#[tokio::test]
async fn when_its_time_is_up_all_of_a_script_is_killed() {
    // A child that ignores TERM, a grandchild, and a shell that waits for ever.
    let script =
        "*=(trap '' TERM; sh -c 'echo $$ > DIR/grandchild; exec sleep 1000') & echo $! > DIR/child; wait";
    let limit = Limits { timeout: Duration::from_millis(300), ..limits() };
    let mut bench = Bench::new(&[script], limit);
    bench.tell(&user("go", b""));
    let (child, grandchild) = (bench.path("child"), bench.path("grandchild"));
    until("the children", || !text(&child).is_empty() && !text(&grandchild).is_empty()).await;
    let (_folder, counts) = bench.finish().await;
    assert_eq!(counts, Counts { started: 1, failed: 1, timed_out: 1, ..Counts::default() });
    until("their end", || !is_running(&child) && !is_running(&grandchild)).await;
}

#[tokio::test]
async fn a_script_may_tidy_up_between_term_and_kill() {
    let script =
        "*=trap 'sleep 0.05; echo tidy > DIR/out; exit' TERM; echo > DIR/up; while :; do sleep 0.01; done";
    let limit = Limits { timeout: Duration::from_secs(2), grace: PATIENCE, ..limits() };
    let mut bench = Bench::new(&[script], limit);
    bench.tell(&user("go", b""));
    let (folder, counts) = bench.finish().await;
    assert_eq!(text(&folder.path().join("out")), "tidy\n");
    assert_eq!(counts.timed_out, 1);
}

#[tokio::test]
async fn what_still_runs_at_shutdown_is_killed() {
    let script = "*=echo $$ > DIR/pid; exec sleep 1000";
    let mut bench = Bench::new(&[script], Limits { shutdown: Duration::from_millis(50), ..limits() });
    bench.tell(&user("go", b""));
    bench.tell(&user("never started", b""));
    let pid = bench.path("pid");
    until("it runs", || !text(&pid).is_empty()).await;
    let started = Instant::now();
    let (_folder, counts) = bench.finish().await;
    assert!(started.elapsed() < PATIENCE);
    assert_eq!(counts.started, 1);
    until("its end", || !is_running(&pid)).await;
}

#[tokio::test]
async fn what_still_runs_when_the_agent_is_dropped_is_killed() {
    let mut bench = Bench::new(&["*=echo $$ > DIR/pid; exec sleep 1000"], limits());
    bench.tell(&user("go", b""));
    let pid = bench.path("pid");
    until("it runs", || !text(&pid).is_empty()).await;
    drop(bench.lanes);
    until("its end", || !is_running(&pid)).await;
}

#[tokio::test]
async fn input_that_nobody_reads_and_output_without_end_disturb_nobody() {
    let megabyte = "head -c 1048576 /dev/zero | tr '\\0' x; echo done";
    let mut bench = Bench::new(&[&format!("query=exec <&-; {megabyte}")], limits());
    bench.tell(&query(&vec![b'y'; 1 << 20], PATIENCE));
    let answer = bench.answers.recv().await.unwrap();
    assert_eq!(answer.output.len(), process::OUTPUT_BYTES_MAX);
    assert!(answer.output.ends_with(b"xxxdone\n"));
    let (_folder, counts) = bench.finish().await;
    assert_eq!(counts, Counts { started: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_child_in_the_background_is_not_waited_for() {
    let mut bench =
        Bench::new(&["query=echo $$ > DIR/pid; sleep 1000 & echo $! > DIR/child; echo ok"], limits());
    bench.tell(&query(b"", PATIENCE));
    assert_eq!(bench.answers.recv().await.unwrap().output, b"ok\n");
    let (folder, counts) = bench.finish().await;
    let child = folder.path().join("child");
    assert!(is_running(&child), "what a script leaves behind may go on");
    let pid = text(&child).trim().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(counts.failed, 0);
}

/// What a hostile peer could try: each of these makes a file if any shell ever reads it as text.
#[tokio::test]
async fn nothing_from_the_network_becomes_text_of_the_shell() {
    let script = "*=printf '%s|' \"$SERF_USER_EVENT\" \"$SERF_SELF_NAME\" \"$SERF_TAG_ROLE\" >> DIR/seen; cat >> DIR/seen";
    let mut bench = Bench::new(&[script], limits());
    let evil = format!("$(touch {0}/a)`touch {0}/b`;touch {0}/c\n'\"", bench.folder.path().display());
    let member_tags = Tags::from_iter([("role", evil.as_str()), ("x\ty", "z\n")]);
    let identity = Identity {
        name: NodeName::new(&evil.replace('\n', " ")).unwrap(),
        addr: ([1, 2, 3, 4], 5).into(),
        meta: member_tags.to_meta().into(),
        versions: Versions::CURRENT,
    };
    let member = Member { identity: identity.into(), incarnation: Incarnation(1), status: Status::Alive };
    let tags = Tags::from_iter([("role", evil.as_str()), (";touch x;", "v"), ("n", "a\0b")]);
    bench.lanes.dispatch(&user(&evil, evil.as_bytes()), &evil, &tags);
    let members = MemberEvent { kind: MemberEventKind::Join, members: vec![member].into() };
    bench.lanes.dispatch(&Event::Members(members), &evil, &tags);
    let (folder, counts) = bench.finish().await;
    assert_eq!(counts, Counts { started: 2, ..Counts::default() });
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["seen"]);
    let escaped = evil.replace('\n', "\\n");
    let line = format!("{}\t1.2.3.4\t{escaped}\trole={escaped},x\\ty=z\\n\n", evil.replace('\n', " "));
    assert_eq!(
        text(&folder.path().join("seen")),
        format!("{evil}|{evil}|{evil}|{evil}\n|{evil}|{evil}|{line}")
    );
}

#[tokio::test]
async fn a_query_is_answered_by_what_a_good_script_prints() {
    let scripts = ["query:load=cat; echo \"$SERF_QUERY_NAME $SERF_QUERY_LTIME\"; echo err >&2; printf end"];
    let mut bench = Bench::new(&scripts, limits());
    bench.tell(&query(b"asked", PATIENCE));
    let answer = bench.answers.recv().await.unwrap();
    assert_eq!(answer.output, b"asked\nload 4\nerr\nend");
    assert_eq!((answer.query.id, &*answer.name), (5, "load"));
}

#[tokio::test]
async fn no_answer_comes_from_a_failure_silence_an_event_or_too_late() {
    let scripts = ["query=echo no; exit 3", "query=true", "user=echo no", "query=echo no; sleep 1000"];
    let mut bench = Bench::new(&scripts, limits());
    bench.tell(&user("e", b""));
    bench.tell(&query(b"", Duration::from_millis(300)));
    bench.tell(&query(b"", Duration::ZERO));
    let handlers = bench.handlers.clone();
    bench.lanes.finish().await;
    assert_eq!(handlers.counts(), Counts { started: 4, failed: 2, timed_out: 1, ..Counts::default() });
    assert!(bench.answers.recv().await.is_none());
}

#[tokio::test]
async fn a_shell_that_has_no_such_command_is_a_failure() {
    let mut bench = Bench::new(&["*=/nowhere/script"], limits());
    bench.tell(&user("e", b""));
    let (_folder, counts) = bench.finish().await;
    assert_eq!(counts, Counts { started: 1, failed: 1, ..Counts::default() });
}

#[tokio::test]
async fn handlers_that_stay_keep_their_queue_when_others_come_and_go() {
    let stays = "user=until [ -e DIR/go ]; do sleep 0.01; done; cat >> DIR/stays";
    let mut bench = Bench::new(&[stays, "user=cat >> DIR/goes"], limits());
    bench.tell(&user("e", b"1"));
    bench.tell(&user("e", b"2"));
    let mut specs = bench.handlers.specs();
    let comes = format!("user=cat >> {}", bench.path("comes").display());
    specs[1] = HandlerSpec::parse(&comes).unwrap();
    bench.handlers.replace(specs.clone());
    assert_eq!(bench.handlers.specs(), specs);
    bench.lanes.replace(&specs);
    bench.tell(&user("e", b"3"));
    fs::write(bench.path("go"), "").unwrap();
    let (folder, counts) = bench.finish().await;
    let seen = |name: &str| text(&folder.path().join(name));
    assert_eq!([seen("stays"), seen("goes"), seen("comes")], ["1\n2\n3\n", "1\n2\n", "3\n"]);
    assert_eq!(counts.started, 6);
}
