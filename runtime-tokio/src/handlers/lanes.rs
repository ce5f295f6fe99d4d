//! A queue for each handler, and its runs one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rumormill_core::io::QueryId;
use rumormill_core::tags::Tags;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{debug, error, warn};

use super::invocation::Invocation;
use super::process::{self, End};
use super::{HandlerSpec, Shared, WARN_EVERY};
use crate::event::{Chance, Event, QueryEvent};
use crate::throttle::Throttle;

/// A script that runs longer is mentioned (Serf's bound).
const SLOW: Duration = Duration::from_secs(1);
/// Bytes of a script that messages show.
const SHOWN_BYTES: usize = 80;

/// What a script answers to a query.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) query: QueryId,
    pub(super) name: Arc<str>,
    pub(super) script: Arc<str>,
    pub(super) output: Vec<u8>,
    /// Until it is sent, nobody is told that there is none.
    pub(super) _chance: Chance,
}

/// One run to do.
#[derive(Debug)]
struct Job {
    event: Event,
    /// Name and tags of this node when it happened. Shared, as the event is: what waits takes little.
    me: Arc<(String, Tags)>,
}

impl Job {
    fn kind(&self) -> &'static str {
        match &self.event {
            Event::Members(event) => event.kind.name(),
            Event::User(_) => "user",
            Event::Query(_) => "query",
        }
    }

    const fn query(&self) -> Option<&QueryEvent> {
        match &self.event {
            Event::Query(query) => Some(query),
            Event::Members(_) | Event::User(_) => None,
        }
    }
}

#[derive(Debug)]
struct Lane {
    spec: HandlerSpec,
    shown: Arc<str>,
    jobs: mpsc::Sender<Job>,
    full: Throttle,
}

/// The handlers that run, each with its queue.
#[derive(Debug)]
pub(super) struct Lanes {
    shared: Arc<Shared>,
    lanes: Vec<Lane>,
    tasks: JoinSet<()>,
    answers: mpsc::Sender<Answer>,
    stop: watch::Sender<bool>,
}

impl Lanes {
    pub(super) fn new(shared: Arc<Shared>, answers: mpsc::Sender<Answer>) -> Self {
        Self { shared, lanes: Vec::new(), tasks: JoinSet::new(), answers, stop: watch::Sender::new(false) }
    }

    /// These handlers, in this order; those that are there already go on as they are.
    pub(super) fn replace(&mut self, specs: &[HandlerSpec]) {
        let mut old = std::mem::take(&mut self.lanes);
        for spec in specs {
            let known = old.iter().position(|lane| lane.spec == *spec);
            let lane = known.map_or_else(|| self.open(spec), |at| old.remove(at));
            self.lanes.push(lane);
        }
        // Tasks of lanes that went end with their queues; forget those that have.
        drop(old);
        while self.tasks.try_join_next().is_some() {}
    }

    fn open(&mut self, spec: &HandlerSpec) -> Lane {
        let (jobs, queue) = mpsc::channel(self.shared.limits.queue.max(1));
        let shown: Arc<str> = shown(&spec.script).into();
        let runner = Runner {
            shared: self.shared.clone(),
            script: spec.script.clone(),
            shown: shown.clone(),
            answers: self.answers.clone(),
            stop: self.stop.subscribe(),
            failing: Throttle::new(WARN_EVERY),
            slow: Throttle::new(WARN_EVERY),
        };
        self.tasks.spawn(runner.work(queue));
        Lane { spec: spec.clone(), shown, jobs, full: Throttle::new(WARN_EVERY) }
    }

    /// Gives an event to all handlers that want it.
    pub(super) fn dispatch(&mut self, event: &Event, name: &str, tags: &Tags) {
        let me = Arc::new((name.to_owned(), tags.clone()));
        for lane in self.lanes.iter_mut().filter(|lane| lane.spec.matches(event)) {
            let job = Job { event: event.clone(), me: me.clone() };
            if let Err(TrySendError::Full(job)) = lane.jobs.try_send(job) {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                if let Some(more) = lane.full.pass(Instant::now()) {
                    let (script, kind) = (&lane.shown, job.kind());
                    warn!(
                        "agent: script '{script}' is too slow: a {kind} event and {more} before it are dropped"
                    );
                }
            }
        }
    }

    /// No more events: what waits and runs has its time, and is killed then.
    pub(super) async fn finish(mut self) {
        let limit = self.shared.limits.shutdown;
        self.lanes.clear();
        if tokio::time::timeout(limit, async { while self.tasks.join_next().await.is_some() {} })
            .await
            .is_ok()
        {
            return;
        }
        warn!("agent: event handlers that still ran after {limit:?} are killed");
        self.stop.send_replace(true);
        // Killing waits for a second at most.
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What one handler's task has.
struct Runner {
    shared: Arc<Shared>,
    script: String,
    shown: Arc<str>,
    answers: mpsc::Sender<Answer>,
    stop: watch::Receiver<bool>,
    failing: Throttle,
    slow: Throttle,
}

impl Runner {
    async fn work(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.recv().await {
            let shared = self.shared.clone();
            let permit = tokio::select! {
                permit = shared.permits.acquire() => permit,
                _ = self.stop.wait_for(|stopped| *stopped) => return,
            };
            self.run(job).await;
            drop(permit);
            if *self.stop.borrow() {
                return;
            }
        }
    }

    async fn run(&mut self, job: Job) {
        let limits = self.shared.limits;
        let mut limit = limits.timeout;
        if let Some(query) = job.query() {
            limit = limit.min(query.deadline.saturating_duration_since(Instant::now()));
            if limit.is_zero() {
                debug!("agent: query {:?} was over before script '{}' could answer", query.name, self.shown);
                return;
            }
        }
        self.shared.started.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let told = Invocation::new(&job.event, &job.me.0, &job.me.1);
        let outcome = process::run(&self.script, told, limit, limits.grace, self.stop.clone()).await;
        let took = started.elapsed();
        let (shown, kind) = (&self.shown, job.kind());
        if took > SLOW
            && let Some(more) = self.slow.pass(Instant::now())
        {
            warn!("agent: script '{shown}' was slow: {took:.1?} for event {kind} (and {more} times before)");
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.failed(&format!("could not be run: {error}")),
        };
        debug!("agent: event '{kind}' script output: {}", String::from_utf8_lossy(&outcome.output));
        match outcome.end {
            End::Exited(status) if status.success() => self.answer(job.query(), outcome.output).await,
            End::Exited(status) => self.failed(&format!("failed for event {kind}: {status}")),
            End::TimedOut => {
                self.shared.timed_out.fetch_add(1, Ordering::Relaxed);
                self.failed(&format!("was stopped after {limit:.1?}, all the time it had for event {kind}"));
            }
            End::Stopped => debug!("agent: script '{shown}' was killed: the agent has stopped"),
        }
    }

    async fn answer(&self, query: Option<&QueryEvent>, output: Vec<u8>) {
        let Some(query) = query.filter(|_| !output.is_empty()) else { return };
        let (name, script, _chance) = (query.name.clone(), self.shown.clone(), query.chance.clone());
        let answer = Answer { query: query.id, name, script, output, _chance };
        // An error means that the agent has stopped.
        let _ = self.answers.send(answer).await;
    }

    fn failed(&mut self, how: &str) {
        self.shared.failed.fetch_add(1, Ordering::Relaxed);
        if let Some(more) = self.failing.pass(Instant::now()) {
            error!("agent: script '{}' {how} (and {more} more failures before)", self.shown);
        }
    }
}

fn shown(script: &str) -> String {
    let mut end = script.len().min(SHOWN_BYTES);
    while !script.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", script[..end].escape_debug(), if end < script.len() { " ..." } else { "" })
}
