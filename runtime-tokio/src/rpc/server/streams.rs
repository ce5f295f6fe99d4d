//! What keeps coming to a client: events, log lines, answers to its queries. Each has a task.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rumormill_core::io::QueryId;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::outlet::{Gone, Outlet};
use super::session::Fault;
use crate::agent::{Answer, Answers, Events, Missed};
use crate::event::{Chance, Event, QueryEvent};
use crate::rpc::filter::EventFilter;
use crate::rpc::log::LogLines;
use crate::rpc::messages::{
    LogRecord, MemberRecord, QueryEventRecord, QueryReply, ReplyKind, RpcMember, StreamRecord, UserRecord,
    errors,
};
use crate::{Member, Members};

/// Most streams that one client has open.
const STREAMS_MAX: usize = 64;
/// Most queries of one client that are under way.
const QUERIES_MAX: usize = 256;
/// A query's end comes so long after its last answer. Serf's command reads acks and answers from two channels, both of which the end closes, and stops at
/// the first that it finds closed: of an answer and an end that come together it may see the end alone.
const END_AFTER_ANSWER: Duration = Duration::from_millis(100);
/// Most queries that came to one client and can be answered by it; then the oldest one is forgotten.
const PENDING_MAX: usize = 1024;

/// All that comes to one client. Ends with it.
#[derive(Default)]
pub(super) struct Streams {
    events: HashMap<u64, Feed>,
    monitor: Option<(u64, Feed)>,
    queries: JoinSet<()>,
    pending: SharedPending,
}

impl Streams {
    /// Whether a stream of that number can be opened.
    pub(super) fn check_free(&self, seq: u64) -> Result<(), Fault> {
        if self.events.contains_key(&seq) {
            Err(Fault::Refused(errors::STREAM_EXISTS.into()))
        } else if self.events.len() >= STREAMS_MAX {
            Err(Fault::Refused(format!("{STREAMS_MAX} streams are open on this connection")))
        } else {
            Ok(())
        }
    }

    pub(super) fn check_no_monitor(&self) -> Result<(), Fault> {
        match self.monitor {
            Some(_) => Err(Fault::Refused(errors::MONITOR_EXISTS.into())),
            None => Ok(()),
        }
    }

    /// Sends events from now on.
    pub(super) fn follow_events(
        &mut self,
        seq: u64,
        filters: Vec<EventFilter>,
        events: Events,
        outlet: &Arc<Outlet>,
    ) {
        let (outlet, pending) = (outlet.clone(), self.pending.clone());
        let feed = Feed::new(move |stopped| send_events(seq, filters, events, outlet, pending, stopped));
        self.events.insert(seq, feed);
    }

    /// Sends the lines that were kept, and then new ones.
    pub(super) fn follow_log(
        &mut self,
        seq: u64,
        kept: Vec<Arc<str>>,
        lines: LogLines,
        outlet: &Arc<Outlet>,
    ) {
        let outlet = outlet.clone();
        let feed = Feed::new(move |stopped| async move {
            // Nothing is to be done where the client has gone: the session ends.
            let _ = send_log(seq, kept, lines, outlet, stopped).await;
        });
        self.monitor = Some((seq, feed));
    }

    /// Sends the answers to a query; those expected, where they are all that can come.
    pub(super) fn follow_query(
        &mut self,
        seq: u64,
        answers: Answers,
        expected: Option<HashSet<String>>,
        outlet: &Arc<Outlet>,
    ) {
        let outlet = outlet.clone();
        self.queries.spawn(async move {
            let _ = send_answers(seq, answers, expected, outlet).await;
        });
    }

    /// Whether one more query can be asked.
    pub(super) fn check_queries(&mut self) -> Result<(), Fault> {
        while self.queries.try_join_next().is_some() {}
        if self.queries.len() < QUERIES_MAX {
            return Ok(());
        }
        Err(Fault::Refused(format!("{QUERIES_MAX} queries are under way on this connection")))
    }

    /// Ends a stream or monitor; nothing of it is sent after this.
    pub(super) async fn stop(&mut self, seq: u64) {
        if let Some(feed) = self.events.remove(&seq) {
            feed.end().await;
        }
        if let Some((_, feed)) = self.monitor.take_if(|(monitor, _)| *monitor == seq) {
            feed.end().await;
        }
    }

    /// The query that has this number on this connection, if it can still be answered.
    pub(super) fn pending(&self, id: u64) -> Option<QueryId> {
        lock(&self.pending).get(id, Instant::now())
    }
}

/// The task of a stream or monitor; ends with this value.
struct Feed {
    stop: oneshot::Sender<()>,
    task: Task,
}

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Feed {
    fn new<F>(work: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: Task(tokio::spawn(work(stopped))) }
    }

    /// Lets the task end between two records: half of one would spoil all that follows.
    async fn end(mut self) {
        drop(self.stop);
        // Also where the task has failed, it is over.
        let _ = (&mut self.task.0).await;
    }
}

async fn send_events(
    seq: u64,
    filters: Vec<EventFilter>,
    mut events: Events,
    outlet: Arc<Outlet>,
    pending: SharedPending,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let event = tokio::select! {
            biased;
            _ = &mut stopped => return,
            event = events.next() => event,
        };
        match event {
            Some(Ok(event)) if filters.iter().any(|filter| filter.matches(&event)) => {
                if outlet.reply(seq, "", &record(event, &pending)).await.is_err() {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(Missed(events))) => {
                outlet.warn(&format!("dropped {events} events: it reads too slowly"));
            }
            None => return,
        }
    }
}

fn record(event: Event, pending: &SharedPending) -> StreamRecord {
    match event {
        Event::Members(event) => StreamRecord::Members(MemberRecord {
            event: event.kind.name().into(),
            members: event.members.iter().map(RpcMember::from).collect(),
        }),
        Event::User(event) => StreamRecord::User(UserRecord {
            coalesce: event.coalesce,
            event: "user".into(),
            l_time: event.ltime.0,
            name: (*event.name).into(),
            payload: (*event.payload).into(),
        }),
        Event::Query(query) => StreamRecord::Query(QueryEventRecord {
            event: "query".into(),
            id: lock(pending).add(&query, Instant::now()),
            l_time: query.id.ltime.0,
            name: (*query.name).into(),
            payload: (*query.payload).into(),
        }),
    }
}

async fn send_log(
    seq: u64,
    kept: Vec<Arc<str>>,
    mut lines: LogLines,
    outlet: Arc<Outlet>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<(), Gone> {
    for line in kept {
        outlet.reply(seq, "", &LogRecord { log: (*line).into() }).await?;
    }
    loop {
        let line = tokio::select! {
            biased;
            _ = &mut stopped => return Ok(()),
            line = lines.next() => line,
        };
        let log = match line {
            Some(Ok(line)) => (*line).into(),
            // Only the client is told: in the log it would be one more line that the client is too slow for.
            Some(Err(Missed(lines))) => {
                format!("[WARN] agent.ipc: dropped {lines} log lines: they were not read in time")
            }
            None => return Ok(()),
        };
        outlet.reply(seq, "", &LogRecord { log }).await?;
    }
}

async fn send_answers(
    seq: u64,
    mut answers: Answers,
    mut expected: Option<HashSet<String>>,
    outlet: Arc<Outlet>,
) -> Result<(), Gone> {
    let (mut last, mut over) = (None, false);
    while let Some(answer) = answers.next().await {
        let reply = match answer {
            Answer::Ack { from } => {
                expected.as_mut().map(|expected| expected.remove(&*from));
                QueryReply { from: (*from).into(), payload: Vec::new(), r#type: ReplyKind::Ack }
            }
            Answer::Response { from, payload } => {
                QueryReply { from: (*from).into(), payload: (*payload).into(), r#type: ReplyKind::Response }
            }
        };
        outlet.reply(seq, "", &reply).await?;
        last = Some(tokio::time::Instant::now());
        if expected.as_ref().is_some_and(HashSet::is_empty) {
            over = true;
            break;
        }
    }
    if !over && answers.tally().is_none() {
        // The agent has stopped: half an answer is none.
        return Ok(());
    }
    if let Some(last) = last {
        tokio::time::sleep_until(last + END_AFTER_ANSWER).await;
    }
    outlet.reply(seq, "", &QueryReply::default()).await
}

/// Members that are in the cluster.
pub(super) fn names_up(members: &Members) -> HashSet<String> {
    let up = |member: &&Member| member.status.is_up();
    members.iter().filter(up).map(|member| member.name().into()).collect()
}

/// Queries that came to one client, by the number that they have on its connection.
#[derive(Default)]
struct Pending {
    last: u64,
    open: BTreeMap<u64, Waiting>,
}

/// A query that the client may answer. When the client has gone, so has its chance.
struct Waiting {
    query: QueryId,
    deadline: Instant,
    _chance: Chance,
}

type SharedPending = Arc<Mutex<Pending>>;

fn lock(pending: &SharedPending) -> MutexGuard<'_, Pending> {
    // Nothing that panics runs under the lock.
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pending {
    /// The number of one more.
    fn add(&mut self, query: &QueryEvent, now: Instant) -> u64 {
        if self.open.len() >= PENDING_MAX {
            self.open.retain(|_, waiting| waiting.deadline > now);
            while self.open.len() >= PENDING_MAX {
                self.open.pop_first();
            }
        }
        self.last += 1;
        let waiting = Waiting { query: query.id, deadline: query.deadline, _chance: query.chance.clone() };
        self.open.insert(self.last, waiting);
        self.last
    }

    fn get(&self, id: u64, now: Instant) -> Option<QueryId> {
        self.open.get(&id).filter(|waiting| waiting.deadline > now).map(|waiting| waiting.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumormill_core::id::LamportTime;

    #[test]
    fn open_queries_are_bounded_and_end_at_their_deadline() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let query = |n: u32, seconds: u64| QueryEvent {
            id: QueryId { ltime: LamportTime(1), id: n },
            from: "a".into(),
            name: "q".into(),
            payload: Vec::new().into(),
            deadline: start + Duration::from_secs(seconds),
            chance: Chance::nobodys(),
        };
        for n in 1..=PENDING_MAX as u32 {
            assert_eq!(pending.add(&query(n, 1 + u64::from(n % 2)), start), u64::from(n));
        }
        let later = start + Duration::from_secs(1);
        assert_eq!(pending.get(1, later).map(|query| query.id), Some(1));
        assert_eq!((pending.get(2, later), pending.get(0, later)), (None, None));
        pending.add(&query(0, 9), later);
        assert_eq!(pending.open.len(), PENDING_MAX / 2 + 1, "those that are over were forgotten");
        for n in 0..2 * PENDING_MAX as u32 {
            pending.add(&query(n, 9), later);
        }
        assert_eq!(pending.open.len(), PENDING_MAX);
        assert_eq!(pending.get(pending.last, later).map(|query| query.id), Some(2 * PENDING_MAX as u32 - 1));
    }
}
