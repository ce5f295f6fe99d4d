//! One run of a script: a process group with a time limit.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::invocation::Invocation;

/// Of what a script prints, this much is kept: the end (Serf's bound).
pub(super) const OUTPUT_BYTES_MAX: usize = 8 * 1024;
/// How often it is looked whether a group that was told to end has done so.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a killed script is waited for; it may hang in the kernel, and is then left to the runtime.
const REAP_WITHIN: Duration = Duration::from_secs(1);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exited(ExitStatus),
    TimedOut,
    /// The agent has stopped, and could not wait.
    Stopped,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// The end of what it printed, on standard output and standard error, as it came.
    pub(super) output: Vec<u8>,
}

/// Runs a script to its end, or for `limit`; then its group gets TERM, and after `grace` KILL. `stop`: once true, KILL at once.
pub(super) async fn run(
    script: &str,
    told: Invocation,
    limit: Duration,
    grace: Duration,
    mut stop: watch::Receiver<bool>,
) -> io::Result<Outcome> {
    let (mut child, mut output) = start(script, &told)?;
    let group = Group::of(&child);
    let mut stdin = child.stdin.take();
    let feed = async move {
        if let Some(stdin) = &mut stdin {
            // A script need not read what it is told.
            let _ = stdin.write_all(&told.stdin).await;
        }
        drop(stdin);
    };
    let mut tail = Tail::default();
    let attended = attend(&mut child, feed, &mut output, &mut tail);
    let end = tokio::select! {
        ended = timeout(limit, attended) => match ended {
            Ok(status) => End::Exited(status?),
            Err(_) => End::TimedOut,
        },
        _ = stop.wait_for(|stopped| *stopped) => End::Stopped,
    };
    let grace = match end {
        End::Exited(_) => None,
        End::TimedOut => Some(grace),
        End::Stopped => Some(Duration::ZERO),
    };
    match grace {
        None => group.leave_alone(),
        Some(grace) => tokio::select! {
            () = end_group(&mut child, group, grace) => {}
            // A shell that tidies up may print: a closed pipe would kill it.
            never = listen(&mut output, &mut tail) => match never {},
        },
    }
    Ok(Outcome { end, output: tail.finish() })
}

fn start(script: &str, told: &Invocation) -> io::Result<(Child, pipe::Receiver)> {
    // One pipe for both, so that what is printed stays in order.
    let (output, input) = io::pipe()?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).process_group(0).kill_on_drop(true).stdin(Stdio::piped());
    command.stdout(input.try_clone()?).stderr(input);
    for key in &told.unset {
        command.env_remove(key);
    }
    command.envs(told.set.iter().map(|(key, value)| (key, value)));
    let child = command.spawn()?;
    // With the command goes our copy of the writing end: the pipe ends when the script's copies do.
    drop(command);
    Ok((child, pipe::Receiver::from_owned_fd(output.into())?))
}

/// Feeds a script and takes what it prints, until it exits. What its children still print then is of no interest.
async fn attend(
    child: &mut Child,
    feed: impl Future<Output = ()>,
    output: &mut pipe::Receiver,
    tail: &mut Tail,
) -> io::Result<ExitStatus> {
    let status = tokio::select! {
        status = child.wait() => status?,
        (_, never) = async { tokio::join!(feed, listen(output, tail)) } => match never {},
    };
    let mut chunk = vec![0; OUTPUT_BYTES_MAX];
    // What it printed before it exited lies in the pipe, which holds 64 KiB unless somebody has enlarged it to a MiB.
    for _ in 0..(1 << 20) / OUTPUT_BYTES_MAX {
        match output.try_read(&mut chunk) {
            Ok(bytes @ 1..) => tail.push(&chunk[..bytes]),
            _ => break,
        }
    }
    Ok(status)
}

/// Takes what is printed, for ever.
async fn listen(output: &mut pipe::Receiver, tail: &mut Tail) -> Infallible {
    let mut chunk = vec![0; OUTPUT_BYTES_MAX];
    while let Ok(bytes @ 1..) = output.read(&mut chunk).await {
        tail.push(&chunk[..bytes]);
    }
    pending().await
}

/// Tells all of a group to end, and makes them after `grace`.
async fn end_group(child: &mut Child, group: Group, grace: Duration) {
    if !grace.is_zero() {
        group.signal(Signal::TERM);
        let deadline = Instant::now() + grace;
        let reaped = timeout_at(deadline, child.wait()).await.is_ok();
        while reaped && group.is_there() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
    }
    drop(group);
    let _ = timeout(REAP_WITHIN, child.wait()).await;
}

/// A process group, killed when it is dropped.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    /// The group that a child leads: its number is the child's.
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // An error means that nobody is left in it.
            let _ = kill_process_group(group, signal);
        }
    }

    fn is_there(&self) -> bool {
        self.0.is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    /// The leader has exited by itself: what it left behind may go on.
    fn leave_alone(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// The end of what was printed.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if self.0.len() >= 2 * OUTPUT_BYTES_MAX {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let surplus = self.0.len().saturating_sub(OUTPUT_BYTES_MAX);
        self.0.drain(..surplus);
    }

    fn finish(mut self) -> Vec<u8> {
        self.cut();
        self.0
    }
}
